"""From validated arrays to paths: the design, and for each target its data term and tracer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ._data_terms import DataTerm, LeastSquares, LeastSquaresMoments
from ._design import make_design
from ._path import PathPoint, PathSettings, PathTracer
from ._typing import Float64
from ._working_set import CompleteSet, WorkingSet

# The Gram matrix of all features costs about p / 16 times what a pass over X does: both take n p
# numbers from memory, and p / 2 multiplications a number run some eight times faster than memory.
# A path of L alphas takes at least L passes; a single fit on a working set costs up to as
# much as some thirty, counting the columns that it reads.
PASSES_PER_GRAM_COLUMN = 1 / 16
PASSES_PER_FIT = 32


# Sums of squares of larger numbers overflow, of smaller ones vanish.
LARGEST, SMALLEST = 1e145, 1e-145


class Regression:
    """Least squares on X of shape (n, p) and Y of shape (n, T), under weights that sum to one.

    All targets share the design, and the Gram matrix or the working set.

    Parameters
    ----------
    X : ndarray or sparse matrix
    Y : ndarray of shape (n, T)
    weights : ndarray of shape (n,)
    fit_intercept : bool
    precompute : bool, 'auto' or ndarray of shape (p, p)
        The Gram matrix ``X'diag(n weights)X`` of centred X; or True to form it, False or 'auto' to
        form it where that is expected to save time.
    n_alphas : int
        How many solutions are going to be computed, for that expectation.
    Xy : ndarray of shape (p, T), optional
        ``X'diag(n weights)Y``; used with a given Gram matrix.
    """

    def __init__(
        self,
        X: Any,
        Y: Float64,
        weights: Float64,
        fit_intercept: bool,
        precompute: bool | str | Float64,
        n_alphas: int,
        Xy: Float64 | None = None,
    ) -> None:
        n, p = X.shape
        check_range("y", float(np.abs(Y).max()))
        with np.errstate(over="ignore", invalid="ignore"):
            self.design = make_design(X, weights, fit_intercept)
        check_range("a column of X", float(self.design.spread.max()))
        gram = self._given_gram(precompute, fit_intercept)
        if gram is None:
            passes = PASSES_PER_GRAM_COLUMN * p
            pays = p <= n and passes <= PASSES_PER_FIT + n_alphas * Y.shape[1]
            if precompute is True or pays:
                gram = self.design.gram()
        self.working_set = WorkingSet(self.design) if gram is None else CompleteSet(gram)
        self.terms: list[DataTerm] = []
        for target in range(Y.shape[1]):
            term = LeastSquares(self.design, Y[:, target], fit_intercept)
            if gram is None:
                self.terms.append(term)
                continue
            if Xy is not None and isinstance(precompute, np.ndarray):
                cross = Xy[:, target] / n
            else:
                cross = self.design.correlations(term.response)
            self.terms.append(LeastSquaresMoments(gram, cross, term))

    def _given_gram(self, precompute: Any, fit_intercept: bool) -> Float64 | None:
        """The caller's Gram matrix, if any, scaled; its diagonal and one element are checked."""
        if not isinstance(precompute, np.ndarray):
            return None
        design = self.design
        n, p = design.shape
        if fit_intercept and not np.allclose(design.mean, 0.0):
            warnings.warn(
                "Gram matrix was provided but X was centered to fit intercept: "
                "recomputing Gram matrix.",
                UserWarning,
                stacklevel=4,
            )
            return design.gram()
        first, second = p // 2, min(p // 2 + 1, p - 1)
        block = design.block(np.array([first, second]))
        expected = n * np.append(design.spread**2, block[:, 0] @ block[:, 1])
        given = np.append(precompute.diagonal(), precompute[first, second])
        lengths = n * np.append(design.spread**2, design.spread[first] * design.spread[second])
        wrong = np.flatnonzero(np.abs(given - expected) > 1e-4 * lengths)
        if wrong.size:
            row, column = (first, second) if wrong[0] == p else (wrong[0], wrong[0])
            raise ValueError(
                "Gram matrix passed in via 'precompute' parameter did not pass validation - please "
                f"check that it was computed properly. For element ({row},{column}) we computed "
                f"{expected[wrong[0]]} but the user-supplied value was {given[wrong[0]]}."
            )
        return precompute / n

    def tracer(
        self, target: int, settings: PathSettings, start: Float64 | None = None
    ) -> PathTracer:
        """The path driver for one target."""
        return PathTracer(self.terms[target], self.working_set, self.design, settings, start)

    def intercept(self, point: PathPoint) -> float:
        """b = m_y - m'theta."""
        return float(point.intercept - self.design.mean[point.features] @ point.values)


def check_range(name: str, size: float) -> None:
    """Raise a ValueError if squares of this size would leave the range of float64."""
    if size != 0.0 and not SMALLEST <= size <= LARGEST:
        raise ValueError(
            f"The size of {name} is {size:.1e}; it has to be 0 or in the range "
            f"[{SMALLEST:.0e}, {LARGEST:.0e}], so that squares can be computed. Scale the data."
        )
