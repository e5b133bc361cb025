"""Resamples: halves, complementary pairs of halves, the bootstrap; and their problems.

A resample is a fold whose training samples were drawn: weights on the design of all samples, zero
for those left out, multiplied by counts for those that were drawn several times.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from .._estimators.problem import Problem
from .._estimators.regression import LeastSquaresData
from .._numerics.typing import Float64, Index
from .folds import Fold, Folds

# How to resample, and the part of the samples that is drawn.
RESAMPLING = {"half": 0.5, "pairs": 0.5, "bootstrap": 1.0}


def drawn_folds(
    model: Any, data: Any, resampling: str, n_resamples: int, random: np.random.RandomState
) -> list[Fold]:
    """Resamples of the samples of positive weight; of a classifier within its classes.

    Raises
    ------
    ValueError
        If there are less than two samples, or of a class, to be halved.
    """
    weights = data.raw_weights
    rows = np.flatnonzero(weights)
    strata = data.labels.codes[rows] if is_classifier(model) else np.zeros(rows.size, dtype=np.intp)
    if RESAMPLING[resampling] < 1.0:
        _check_size(data, rows, strata)
    drawn = draw(strata, resampling, n_resamples, random)
    return [_fold(rows[positions], weights) for positions in drawn]


def _check_size(data: Any, rows: Index, strata: Index) -> None:
    numbers = np.bincount(strata)
    if rows.size < 2:
        raise ValueError(
            f"Half of the samples needs at least 2 of positive weight. Got n_samples={rows.size}."
        )
    if 1 in numbers:
        name = data.labels.classes[int(np.flatnonzero(numbers == 1)[0])]
        raise ValueError(
            "Half of the samples needs at least 2 of positive weight in each class. Class "
            f"{str(name)!r} has 1: merge it with another, or use resampling='bootstrap'."
        )


def draw(
    strata: Index, resampling: str, n_resamples: int, random: np.random.RandomState
) -> list[Index]:
    """The positions of the samples of each resample."""
    if resampling == "bootstrap":
        members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
        return [
            np.concatenate([random.choice(own, own.size) for own in members])
            for _ in range(n_resamples)
        ]
    if resampling == "half":
        return [halves(strata, random)[0] for _ in range(n_resamples)]
    return [half for _ in range(n_resamples // 2) for half in halves(strata, random)]


def halves(strata: Index, random: np.random.RandomState) -> tuple[Index, Index]:
    """Two halves without a sample in common: samples are dealt to them by turns.

    They come in random order, stratum by stratum; these in random order, too, with those of an even
    number of samples first. So both halves get at least one sample of a stratum of two; if the
    number of all is odd, one of an odd stratum is left out.
    """
    order, sizes = random.permutation(strata.size), np.bincount(strata)
    ranks = random.permutation(sizes.size) + sizes.size * (sizes % 2)
    order = order[np.argsort(ranks[strata[order]], kind="stable")]
    dealt = 2 * (strata.size // 2)
    return order[0:dealt:2], order[1:dealt:2]


def _fold(rows: Index, weights: Float64) -> Fold:
    """The fold whose training samples are `rows`, for the weights of all samples."""
    counts = np.bincount(rows, minlength=weights.size)
    left_out = np.flatnonzero(counts == 0)
    several = counts if counts.max() > 1 else None
    return Fold(float(weights @ counts), left_out, weights[left_out], several)


def problems_of(
    data: Any, folds: Sequence[Fold], part: float, n_solutions: int
) -> tuple[Problem, Callable[[int], Problem]]:
    """The problem of all samples, and what makes that of the training samples of a fold.

    The first has the penalty of the others: that of `part` of its weights.
    """
    if isinstance(data, LeastSquaresData):
        folded = Folds(data, folds, n_solutions)
        problem = data.problem_on(*folded.full)
        return problem, lambda number: data.problem_on(*folded.training(number))
    weights = data.raw_weights
    total = weights.sum()
    problem = data.reweighted(weights / total, part * total).problem()
    stored = data._replace(X=problem.unpenalised.design.container.stored)

    def training(number: int) -> Problem:
        fold = folds[number]
        return stored.reweighted(fold.weights(weights), fold.total).problem()

    return problem, training
