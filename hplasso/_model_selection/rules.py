"""Choosing a penalty by cross-validated losses: the rules, standard errors, the end of the grid."""

import sys
from typing import Any, NamedTuple

import numpy as np

from .._numerics.typing import Float64
from .._path.progress import warn


def standard_errors(values: Float64, weights: Float64) -> Float64:
    """Standard errors of the means over folds, of values of shape (n_folds, ...).

    Folds count by their weight, as in glmnet: the weighted variance over n_folds - 1. With a single
    fold there are none: NaN.
    """
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    with np.errstate(invalid="ignore", over="ignore"):  # of scores that are not finite
        deviations = values - np.average(values, axis=0, weights=weights)
        largest = np.abs(deviations).max(axis=0)  # whose square may be out of range
        parts = deviations / np.where(largest == 0.0, 1.0, largest)
        variance = np.average(parts**2, axis=0, weights=weights)
        return np.asarray(largest * np.sqrt(variance / (len(values) - 1)))


class Choice(NamedTuple):
    """Row of the best l1_ratio, penalties of the rules 'min' and '1se' there, standard errors."""

    row: int
    best: int
    simplest: int
    errors: Float64


def choose(losses: Float64, fold_weights: list[float]) -> Choice:
    """What losses of shape (n_folds, n_l1_ratios, n_penalties) say, for the weights of the folds.

    The simplest is the first of the penalties, strongest first, within one standard error of the
    best. Losses that are NaN come last, and with a warning.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        means = losses.mean(axis=0)
    if not np.isfinite(means).all():
        warn(f"One or more of the test scores are non-finite: {-means}")
    errors = standard_errors(losses, np.array(fold_weights))
    row, best = (int(i) for i in np.unravel_index(smallest(means), means.shape))
    within = np.flatnonzero(means[row] <= means[row, best] + errors[row, best])
    simplest = int(within[0]) if within.size else best  # NaN: there is no error
    return Choice(row, best, simplest, errors)


def smallest(losses: Float64) -> int:
    """The position of the first smallest of losses, as if flat; NaN is larger than all."""
    return int(np.argsort(losses, axis=None, kind="stable")[0])


def end_of_grid(name: str, best: float, penalties: Any, stopped_early: bool = False) -> str:
    """What is to be said where the weakest penalty of a grid is the best; nothing elsewhere.

    A grid that stopped early has no more to say beyond its end, as a rule.
    """
    largest = name == "C"
    if len(penalties) < 2 or best != (max if largest else min)(penalties):
        return ""
    end, beyond = ("largest", "larger") if largest else ("smallest", "smaller")
    if stopped_early:
        where = f"the {end} of the grid, which ends where the fit is saturated"
        return f"the best {name} is {where}: early_stop=False makes it longer"
    return (
        f"the best {name} is the {end} of the grid: "
        f"a longer grid ({beyond} {name}, or a smaller eps) may do better"
    )


def print_end_of_grid(name: str, best: float, penalties: Any, stopped_early: bool = False) -> None:
    """The same as a line on standard error."""
    words = end_of_grid(name, best, penalties, stopped_early)
    if words:
        print(words, file=sys.stderr)
