"""What parameters may be: functions and estimators check them before any work.

Of parameters that scikit-learn has, or had, and this package has not: what to write instead.
"""

import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from functools import wraps
from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np
from sklearn.metrics import get_scorer_names

from .._numerics.error_state import Function, in_own_error_state
from .choices import (
    Assumption,
    Balanced,
    Criterion,
    Differences,
    FamilyName,
    GroupWeighting,
    Link,
    PenaltyName,
    Resampling,
    Rule,
    Selection,
    Solver,
)


class InvalidParameterError(ValueError, TypeError):
    """A parameter is of the wrong type or has the wrong value; both kinds, as in scikit-learn."""


class Constraint(NamedTuple):
    """What a parameter may be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def real(low: float, high: float = math.inf, *, open_low: bool = False) -> Constraint:
    """A finite number from `low` to `high`, ends included or not."""
    start = "(" if open_low or low == -math.inf else "["
    words = f"a float in the range {start}{low}, {high}"
    words += ")" if high == math.inf else "]"

    def holds(value: Any) -> bool:
        if not isinstance(value, numbers.Real):
            return False
        try:
            number = float(value)
        except OverflowError:  # an int
            return False
        above = number > low if open_low else number >= low
        return math.isfinite(number) and above and number <= high

    return Constraint(words, holds)


def integer(low: int) -> Constraint:
    """A whole number from `low` on."""
    return Constraint(
        f"an int in the range [{low}, inf)",
        lambda value: isinstance(value, numbers.Integral) and int(value) >= low,
    )


def one_of(choice: Any) -> Constraint:
    """One of the strings of a `Literal`."""
    options = get_args(choice)
    return Constraint(
        f"a str among {{{', '.join(map(repr, options))}}}",
        lambda value: isinstance(value, str) and value in options,
    )


BOOLEAN = Constraint("an instance of 'bool'", lambda value: isinstance(value, bool | np.bool_))
NONE = Constraint("None", lambda value: value is None)
ARRAY = Constraint(
    "an array-like",
    lambda value: (
        (isinstance(value, Sequence) and not isinstance(value, str | bytes))
        or (hasattr(value, "__array__") and np.ndim(value) > 0)
    ),
)
CALLABLE = Constraint("a callable", callable)
MAPPING = Constraint("a dict", lambda value: isinstance(value, Mapping))
PENALTIES = Constraint(
    "a dict of floats",
    lambda value: (
        isinstance(value, Mapping) and all(isinstance(v, numbers.Real) for v in value.values())
    ),
)
LIST = Constraint("a list, tuple or set", lambda value: isinstance(value, list | tuple | set))
TEXT = Constraint("a str", lambda value: isinstance(value, str))
NUMBER = Constraint("a float", lambda value: isinstance(value, numbers.Real))
RANDOM_STATE = Constraint(
    "an int in the range [0, 4294967295], a numpy.random.RandomState or None",
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (integer(0).holds(value) and value <= 2**32 - 1)
    ),
)

CV = Constraint(
    "an int in the range [2, inf), an object with a method 'split', an iterable of pairs or None",
    lambda value: value is None or integer(2).holds(value) or _splits(value),
)
N_JOBS = Constraint(
    "an int or None", lambda value: value is None or isinstance(value, numbers.Integral)
)
SCORER = Constraint(
    "the name of a scorer (sklearn.metrics.get_scorer_names lists them)",
    lambda value: isinstance(value, str) and value in get_scorer_names(),
)

Constraints = Mapping[str, tuple[Constraint, ...]]
# The parameters of fits, path functions and pictures.
CONSTRAINTS: Constraints = {
    "alpha": (real(0.0),),
    "alphas": (integer(1), ARRAY, NONE),
    "C": (real(0.0, open_low=True),),
    "Cs": (integer(1), ARRAY),
    "eps": (real(0.0, 1.0, open_low=True),),
    "check_input": (BOOLEAN,),
    "return_n_iter": (BOOLEAN,),
    "return_intercept": (BOOLEAN,),
    "warm_start": (BOOLEAN,),
    "precompute": (BOOLEAN, one_of(Literal["auto"]), ARRAY),
    "copy_X": (BOOLEAN,),
    "positive": (BOOLEAN,),
    "l1_ratio": (real(0.0, 1.0),),
    "fit_intercept": (BOOLEAN,),
    "max_iter": (integer(1),),
    "tol": (real(0.0),),
    "solver": (one_of(Solver),),
    "early_stop": (BOOLEAN,),
    "stopped_early": (BOOLEAN,),
    "penalty_weights": (ARRAY, MAPPING, NONE),
    "class_weight": (MAPPING, one_of(Balanced), NONE),
    "verbose": (BOOLEAN, integer(0)),
    "random_state": (RANDOM_STATE,),
    "selection": (one_of(Selection),),
    "penalties": (ARRAY,),
    "feature_names": (ARRAY, NONE),
    "class_names": (ARRAY, NONE),
    "chosen": (PENALTIES, NONE),
    "penalty_name": (one_of(PenaltyName),),
    "n_labels": (integer(0),),
    "family": (one_of(FamilyName),),
    "power": (real(-math.inf, 0.0), real(1.0)),
    "link": (one_of(Link),),
    "groups": (ARRAY, MAPPING, CALLABLE, NONE),
    "group_weights": (one_of(GroupWeighting), ARRAY, MAPPING),
}
# Those of estimators that choose a penalty.
SELECTION_CONSTRAINTS: Constraints = {
    **CONSTRAINTS,
    "l1_ratio": (real(0.0, 1.0), ARRAY),
    "l1_ratios": (ARRAY,),
    "cv": (CV,),
    "n_jobs": (N_JOBS,),
    "rule": (one_of(Rule),),
    "scoring": (SCORER, CALLABLE, NONE),
    "refit": (BOOLEAN,),
    "criterion": (one_of(Criterion),),
    "noise_variance": (real(0.0, open_low=True), NONE),
    "ebic_gamma": (real(0.0, 1.0),),
}
# Those of stability selection.
STABILITY_CONSTRAINTS: Constraints = {
    "alphas": (integer(1), ARRAY, NONE),
    "Cs": (integer(1), ARRAY, NONE),
    "eps": CONSTRAINTS["eps"],
    "n_resamples": (integer(1),),
    "resampling": (one_of(Resampling),),
    "threshold": (real(0.5, 1.0, open_low=True), NONE),
    "max_false": (real(0.0, open_low=True), NONE),
    "n_selected": (integer(1), NONE),
    "assumption": (one_of(Assumption),),
    "n_jobs": (N_JOBS,),
    "random_state": CONSTRAINTS["random_state"],
    "verbose": CONSTRAINTS["verbose"],
}
# Those of relaxed fits.
RELAXED_CONSTRAINTS: Constraints = {
    **{
        name: SELECTION_CONSTRAINTS[name]
        for name in ("alphas", "eps", "cv", "scoring", "rule", "early_stop", "n_jobs", "verbose")
    },
    "Cs": (integer(1), ARRAY, NONE),
    "gamma": (real(0.0, 1.0),),
    "gammas": (ARRAY,),
}
# Those of searches.
SEARCH_CONSTRAINTS: Constraints = {
    "param_grid": (MAPPING, LIST),
    "scoring": (SCORER, CALLABLE, LIST, MAPPING, NONE),
    "n_jobs": (N_JOBS,),
    "refit": (BOOLEAN, TEXT, CALLABLE),
    "cv": (CV,),
    "verbose": (BOOLEAN, integer(0)),
    "pre_dispatch": (integer(1), TEXT),
    "error_score": (one_of(Literal["raise"]), NUMBER),
    "return_train_score": (BOOLEAN,),
    "rule": (one_of(Rule),),
}
# Those of summaries.
REPORT_CONSTRAINTS: Constraints = {"n_features": (integer(1),)}
# Those of `minimize_l1`, and its options.
SMOOTH_CONSTRAINTS: Constraints = {
    "fun": (CALLABLE,),
    "alpha": (real(0.0),),
    "jac": (CALLABLE, BOOLEAN, one_of(Differences), NONE),
    "positive": (BOOLEAN,),
    "n_factors": (integer(2),),
    "convex": (BOOLEAN,),
    "f_min": (real(-np.inf), NONE),
    "penalty_weights": (ARRAY, NONE),
    "tol": (real(0.0),),
    "options": (MAPPING, NONE),
    "callback": (CALLABLE, NONE),
}
OPTIONS: Constraints = {
    "c": (real(0.0, open_low=True),),
    "maxcor": (integer(1),),
    "maxiter": (integer(1),),
    "maxfun": (integer(1),),
}


def check_parameters(
    owner: str, values: Mapping[str, Any], constraints: Constraints = CONSTRAINTS
) -> None:
    """Raise an error for the first of the values that satisfies none of its constraints."""
    for name, choices in constraints.items():
        if name in values and not any(choice.holds(values[name]) for choice in choices):
            *others, last = (choice.words for choice in choices)
            allowed = f"{', '.join(others)} or {last}" if others else last
            raise InvalidParameterError(
                f"The {name!r} parameter of {owner} must be {allowed}. "
                f"Got {values[name]!r} instead.{advice(name, values[name])}"
            )


def check_arguments(constraints: Constraints) -> Callable[[Function], Function]:
    """Make a function check those of its arguments that there are constraints for."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError:  # the call itself says which argument is missing or not known
                return function(*args, **kwargs)
            given.apply_defaults()
            check_parameters(function.__name__, given.arguments, constraints)
            return function(*args, **kwargs)

        return cast(Function, checked)

    return decorate


def _splits(value: Any) -> bool:
    """Whether it is a splitter, or pairs of training and test indices."""
    if isinstance(value, str | int | float | Mapping):
        return False
    if isinstance(value, list | tuple):
        return all(isinstance(pair, Sized) and len(pair) == 2 for pair in value)
    return hasattr(value, "split") or hasattr(value, "__iter__")


# Of `penalty`, also for who sets it.
PENALTY = (
    "Write l1_ratio=1 for 'l1', l1_ratio=0 for 'l2' and a number between them for 'elasticnet'; "
    "HadamardLasso and the other lassos have the L1 penalty alone."
)
COMPATIBLE = "It would have no effect: leave it out."
# What to write for an argument that is not known, by its name.
INSTEAD = {
    "dual": COMPATIBLE,
    "intercept_scaling": "The intercept is not penalised: leave it out.",
    "multi_class": (
        "Three or more classes are fitted by the multinomial loss; write "
        "sklearn.multiclass.OneVsRestClassifier for one class against the rest."
    ),
    "n_jobs": COMPATIBLE,
    "normalize": "Write make_pipeline(StandardScaler(), ...) to scale the features.",
    "penalty": PENALTY,
    "random_state": "Nothing is random: leave it out.",
    "sample_weight": "Write fit(X, y, sample_weight=...).",
    "selection": COMPATIBLE,
    "use_legacy_attributes": (
        "The attributes are those of use_legacy_attributes=False: leave it out."
    ),
}
# The same for a value, by name and value.
INSTEAD_OF_VALUE = {
    "C=inf": "Write penalty_weights=[0, ..., 0] for no penalty.",
    "l1_ratio=None": "Write l1_ratio=1 for the L1 penalty.",
    **{
        f"solver={name}": "Write solver='auto'; the problem is the same."
        for name in ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")
    },
}


# Names of the strength of a penalty; a function has one of the first four.
STRENGTHS = ("alpha", "alphas", "C", "Cs", "n_alphas")
# Names of the part of the L1 penalty, of which some functions have one.
RATIOS = ("l1_ratio", "l1_ratios")
RATIO = (
    "HadamardElasticNet, HadamardElasticNetCV and enet_path have l1_ratio; "
    "HadamardLogisticRegressionCV has l1_ratios."
)


def explain_names(function: Function) -> Function:
    """Make a function say what to write instead of an argument that scikit-learn has."""
    known = inspect.signature(function).parameters

    @wraps(function)
    def explained(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in known and (text := instead_of(name, known)):
                raise TypeError(
                    f"{function.__qualname__}() got an unexpected keyword argument {name!r}. {text}"
                )
        return function(*args, **kwargs)

    return cast(Function, explained)


def instead_of(name: str, known: Iterable[str]) -> str:
    """What to write for an argument where other names are known; or nothing."""
    if "l1_ratio" in known and name == "l1_ratios":
        return "Write l1_ratio for the single value."
    if "l1_ratios" in known and name == "l1_ratio":
        return "Write l1_ratios=[l1_ratio] for one value."
    of_kind = [own for own in STRENGTHS if own in known and own.startswith(name[:1])]
    own = next((own for own in (*of_kind, *STRENGTHS) if own in known), None)
    if name in RATIOS or name not in STRENGTHS or own is None:
        if "estimator" in known and name in (*RATIOS, *STRENGTHS, "penalty_weights"):
            return "Write it in the estimator."
        if "group_weights" in known and name == "penalty_weights":
            return "Write group_weights, those of whole groups."
        return RATIO if name in RATIOS else INSTEAD.get(name, "")
    single, here = own.removesuffix("s"), ""
    if single not in name:
        here = f"; the strength of the penalty is {single} here"
    if own == single:
        return f"Write {own} for the single value{here}."
    if name == "n_alphas":
        return f"Write {own}, an int, for the number of {own}{here}."
    return f"Write {own}{'' if name.endswith('s') else f'=[{single}] for one value'}{here}."


def advice(name: str, value: Any) -> str:
    """What to write instead of a value that is refused, after a space; or nothing."""
    text = INSTEAD_OF_VALUE.get(f"{name}={value}")
    return "" if text is None else f" {text}"


def path_function(function: Function) -> Function:
    """Make a function one for users: checked arguments, advice on names, the error state."""
    return explain_names(check_arguments(CONSTRAINTS)(in_own_error_state(function)))
