"""Least squares on a design, for one or more targets; when its Gram matrix pays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._datafit.base import DataTerm
from .._datafit.squared import LeastSquares, LeastSquaresMoments
from .._design.design import Design
from .._design.factory import check_range, checked_design
from .._design.working_set import WorkingSet
from .._numerics.typing import Float64, Mask
from .._path.interpolation import trace_by_chords
from .._path.progress import PathPoint, stack_level
from .._path.tracer import Tracer
from .penalty_scale import AlphaScale
from .problem import UnpenalisedProblem

# The Gram matrix of all features costs about p / 16 times what a pass over X does: both take n p
# numbers from memory, and p / 2 multiplications a number run some eight times faster than memory.
# A path of L alphas takes at least L passes; a single fit on a working set costs up to as
# much as some thirty, counting the columns that it reads. Larger values form the matrix for fewer
# features, or for more (constants.py).
PASSES_PER_GRAM_COLUMN = 1 / 16
PASSES_PER_FIT = 32


class Regression(UnpenalisedProblem):
    """Least squares on a design of shape (n, p), for Y of shape (n, T).

    All targets share the design, and the Gram matrix or the working set.

    Parameters
    ----------
    design : Design
    Y : ndarray of shape (n, T)
    gram : ndarray of shape (p, p), optional
        Z'Z.
    correlations : ndarray of shape (p, T), optional
        Z'Y of the weighted and centred Y, to go with the Gram matrix.
    """

    def __init__(
        self,
        design: Design,
        Y: Float64,
        gram: Float64 | None = None,
        correlations: Float64 | None = None,
    ) -> None:
        self.design = design
        fixed = Y.shape[1] > 1
        self.working_set = WorkingSet(design, gram, fixed)
        self.terms: list[DataTerm] = []
        for target in range(Y.shape[1]):
            term = LeastSquares(design, Y[:, target])
            if gram is None:
                self.terms.append(term)
                continue
            given = None if correlations is None else correlations[:, target]
            z = design.correlations(term.response) if given is None else given
            self.terms.append(LeastSquaresMoments(gram, z, term))

    def scale(self, l1_ratio: float) -> AlphaScale:
        """What the user calls alpha."""
        return AlphaScale(l1_ratio)

    def interpolated(self, tracer: Tracer, alphas: Float64) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones."""
        return trace_by_chords(tracer, alphas)


def regression_of(
    X: Any,
    Y: Float64,
    weights: Float64,
    fit_intercept: bool,
    precompute: bool | str | Float64,
    n_alphas: int,
    Xy: Float64 | None = None,
    left_out: Mask | None = None,
) -> Regression:
    """Least squares on X of shape (n, p) and Y of shape (n, T), under weights that sum to one.

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
        ``X'diag(n weights)Y``; used with a given Gram matrix of X that is centred, if it has to be.
    left_out : ndarray of shape (p,), optional
        Which features are to be left out.
    """
    check_range("y", float(np.abs(Y).max()))
    design = checked_design(X, weights, fit_intercept, left_out)
    if isinstance(precompute, np.ndarray):
        gram = _checked_gram(precompute, design)
        if Xy is None or gram is None:
            return Regression(design, Y, design.gram() if gram is None else gram)
        correlations = Xy / len(Y) - np.multiply.outer(design.mean, weights @ Y)
        return Regression(design, Y, gram, np.where(design.left_out[:, None], 0.0, correlations))
    pays = gram_pays(design, precompute, n_alphas * Y.shape[1])
    return Regression(design, Y, design.gram() if pays else None)


def gram_pays(design: Design, precompute: bool | str, n_solutions: int) -> bool:
    """Whether to form the Gram matrix of all features: demanded, or expected to save time."""
    n, p = design.shape
    passes = PASSES_PER_GRAM_COLUMN * p
    return precompute is True or (p <= n and passes <= PASSES_PER_FIT + n_solutions)


def _checked_gram(given: Float64, design: Design) -> Float64 | None:
    """The caller's Gram matrix, scaled, its diagonal and one element checked; None: not centred."""
    n, p = design.shape
    if design.left_out.any():
        given = np.where(np.logical_or.outer(design.left_out, design.left_out), 0.0, given)
    if design.fit_intercept and not np.allclose(design.mean, 0.0):
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: "
            "recomputing Gram matrix.",
            UserWarning,
            stacklevel=stack_level(),
        )
        return None
    first, second = p // 2, min(p // 2 + 1, p - 1)
    block = design.block(np.array([first, second]))
    expected = n * np.append(design.column_norms**2, block[:, 0] @ block[:, 1])
    elements = np.append(given.diagonal(), given[first, second])
    lengths = n * np.append(
        design.column_norms**2, design.column_norms[first] * design.column_norms[second]
    )
    wrong = np.flatnonzero(np.abs(elements - expected) > 1e-4 * lengths)
    if wrong.size:
        row, column = (first, second) if wrong[0] == p else (wrong[0], wrong[0])
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation - please "
            f"check that it was computed properly. For element ({row},{column}) we computed "
            f"{expected[wrong[0]]} but the user-supplied value was {elements[wrong[0]]}."
        )
    return given / n
