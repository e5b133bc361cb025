"""Parameters that scikit-learn has, or had, and this package has not: what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

PENALTY = (
    "Write l1_ratio=1 for 'l1', l1_ratio=0 for 'l2' and a number between them for 'elasticnet'; "
    "HadamardLasso and the other lassos have the L1 penalty alone."
)
COMPATIBLE = "It would have no effect: leave it out."
# What to write for an argument that is not known, by its name.
INSTEAD = {
    "C": "Write Cs=[C] for one value; least squares has alpha.",
    "Cs": "Write C for the single value.",
    "alpha": "Write alphas=[alpha] for one value; logistic regression has C.",
    "alphas": "Write alpha for the single value; logistic regression has C.",
    "dual": COMPATIBLE,
    "intercept_scaling": "The intercept is not penalised: leave it out.",
    "l1_ratio": (
        "HadamardElasticNet, HadamardElasticNetCV and enet_path have it; "
        "HadamardLogisticRegressionCV has l1_ratios."
    ),
    "l1_ratios": "Write l1_ratio.",
    "multi_class": (
        "Three or more classes are fitted by the multinomial loss; write "
        "sklearn.multiclass.OneVsRestClassifier for one class against the rest."
    ),
    "n_alphas": "Write alphas, an int, for the number of alphas.",
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


def explain_names(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a function say what to write instead of an argument that scikit-learn has."""
    known = inspect.signature(function).parameters

    @wraps(function)
    def explained(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for name in kwargs:
            if name not in known and name in INSTEAD:
                raise TypeError(
                    f"{function.__qualname__}() got an unexpected keyword argument {name!r}. "
                    f"{INSTEAD[name]}"
                )
        return function(*args, **kwargs)

    return explained


def advice(name: str, value: Any) -> str:
    """What to write instead of a value that is refused, after a space; or nothing."""
    text = INSTEAD_OF_VALUE.get(f"{name}={value}")
    return "" if text is None else f" {text}"
