"""Choosing a penalty by cross-validation: routing to the splitter, standard errors, the rules."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.utils.metadata_routing import process_routing

from .._numerics.typing import Float64
from .._path.progress import stack_level
from .._validation.parameters import (
    Constraint,
    Constraints,
    check_parameters,
    integer,
    one_of,
    real,
)

CV = Constraint(
    "an int in the range [2, inf), an object with a method 'split', an iterable of pairs or None",
    lambda value: value is None or integer(2).holds(value) or _splits(value),
)
N_JOBS = Constraint("an int or None", lambda value: value is None or isinstance(value, int))
CV_CONSTRAINTS: Constraints = {"cv": (CV,), "n_jobs": (N_JOBS,), "rule": (one_of("min", "1se"),)}


def _splits(value: Any) -> bool:
    if isinstance(value, str | int | float | Mapping):
        return False
    if isinstance(value, list | tuple):
        return all(isinstance(pair, Sized) and len(pair) == 2 for pair in value)
    return hasattr(value, "split") or hasattr(value, "__iter__")


def routed(owner: Any, method: str, sample_weight: Any, params: Mapping[str, Any]) -> Any:
    """What goes to the splitter and the scorer, where scikit-learn's metadata routing is on.

    Raises
    ------
    ValueError
        If there is something to pass on and it is off.
    """
    if get_config()["enable_metadata_routing"]:
        return process_routing(owner, method, sample_weight=sample_weight, **params)
    if params:
        raise ValueError(
            f"Passing {', '.join(sorted(params))} to {type(owner).__name__}.{method} is only "
            "supported if enable_metadata_routing=True, which sklearn.set_config sets."
        )
    return None


def standard_errors(values: Float64, weights: Float64) -> Float64:
    """Standard errors of the means over folds, of values of shape (n_folds, ...).

    Folds count by their weight, as in glmnet: the weighted variance over n_folds - 1. With a single
    fold there are none: NaN.
    """
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    with np.errstate(invalid="ignore", over="ignore"):  # of scores that are not finite
        mean = np.average(values, axis=0, weights=weights)
        variance = np.average((values - mean) ** 2, axis=0, weights=weights)
    return np.asarray(np.sqrt(variance / (len(values) - 1)))


class Choice(NamedTuple):
    """Row of the best l1_ratio, penalties of the rules 'min' and '1se' there, standard errors."""

    row: int
    best: int
    simplest: int
    errors: Float64


def choose(losses: Float64, weights_of_folds: Sequence[float]) -> Choice:
    """What losses of shape (n_folds, n_l1_ratios, n_penalties) say, for the weights of the folds.

    The simplest is the first of the penalties, strongest first, within one standard error of the
    best. Losses that are NaN come last, and with a warning.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        means = losses.mean(axis=0)
    if not np.isfinite(means).all():
        warnings.warn(
            f"One or more of the test scores are non-finite: {-means}",
            UserWarning,
            stacklevel=stack_level(),
        )
    errors = standard_errors(losses, np.array(weights_of_folds))
    row, best = (int(i) for i in np.unravel_index(smallest(means), means.shape))
    within = np.flatnonzero(means[row] <= means[row, best] + errors[row, best])
    simplest = int(within[0]) if within.size else best  # NaN: there is no error
    return Choice(row, best, simplest, errors)


def smallest(losses: Float64) -> int:
    """The place of the first smallest of losses, as if they were flat; NaN is larger than all."""
    return int(np.argsort(losses, axis=None, kind="stable")[0])


def end_of_grid(name: str, best: float, penalties: Any) -> str:
    """What there is to say where the weakest penalty of a grid is the best; nothing elsewhere."""
    largest = name == "C"
    if len(penalties) < 2 or best != (max if largest else min)(penalties):
        return ""
    end, beyond = ("largest", "larger") if largest else ("smallest", "smaller")
    return (
        f"the best {name} is the {end} of the grid: "
        f"a longer grid ({beyond} {name}, or a smaller eps) may do better"
    )


def print_end_of_grid(name: str, best: float, penalties: Any) -> None:
    """The same as a line on standard error."""
    words = end_of_grid(name, best, penalties)
    if words:
        print(words, file=sys.stderr)


def checked_ratios(owner: str, name: str, given: Any) -> list[float]:
    """One or several l1_ratios.

    Raises
    ------
    ValueError
        If there are none, or one is not in [0, 1].
    """
    ratios = np.atleast_1d(given)
    if ratios.ndim != 1 or not ratios.size:
        raise ValueError(f"{name} must be numbers in the range [0, 1]. Got {given!r}.")
    for ratio in ratios.tolist():
        check_parameters(owner, {name: ratio}, {name: (real(0.0, 1.0),)})
    return [float(ratio) for ratio in ratios]


def check_rule(rule: str, n_folds: int) -> None:
    """Raise a ValueError where the rule has nothing to work with."""
    if rule == "1se" and n_folds < 2:
        raise ValueError("rule='1se' needs at least two folds. cv gives one.")
