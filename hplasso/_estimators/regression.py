"""Least squares: checked data; their problem on a design, when its Gram matrix pays; alpha."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from .._datafit.squared import LeastSquares, LeastSquaresMoments
from .._design.design import Design
from .._design.factory import check_range, checked_design, leaving_out
from .._design.tall import design_and_moments, is_tall
from .._design.working_set import WorkingSet
from .._numerics.rounding import UNIT, exact_sums
from .._numerics.typing import Float64, Index, Mask
from .._path.interpolation import trace_interpolated
from .._path.progress import PathPoint, warn
from .._path.saturation import Enough, Interpolates, never
from .._path.tracer import Tracer
from .._validation.arrays import checked_array, checked_numbers, checked_offset
from .._validation.weights import PenaltyWeights, normalised_weights
from .problem import (
    SMALLEST_FIRST,
    FitOptions,
    PenaltyScale,
    Problem,
    UnpenalisedProblem,
    shifted,
    shifts_of,
)

# The Gram matrix of all features costs about p / 16 times what a pass over X does: both take n p
# numbers from memory, and p / 2 multiplications a number run some eight times faster than memory.
# A path of L alphas takes at least L passes; a single fit on a working set costs up to as
# much as some thirty, counting the columns that it reads. Larger values form the matrix for fewer
# features, or for more (constants.py).
PASSES_PER_GRAM_COLUMN = 1 / 16
PASSES_PER_FIT = 32
# The part of the targets' length by which rounding may change an intercept before it is computed
# with all digits of means and coefficients: a numerical limit, far from what ordinary data have.
NOTICED = 1e-9


class AlphaScale(PenaltyScale):
    """alpha, as of the lasso: a multiple of the solver's."""

    name = "alpha"

    def alphas(self, penalties: Any) -> Any:
        return self.unit * penalties

    def penalties(self, alphas: Any) -> Any:
        return alphas / self.unit

    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        first = alpha_max / self.l1_ratio
        if first <= SMALLEST_FIRST:
            return np.full(n, SMALLEST_FIRST)
        return first * np.geomspace(1.0, eps, n)


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
        self.design, self.targets = design, Y
        terms = [LeastSquares(design, y) for y in Y.T]
        if gram is None:
            self.working_set, self.terms = WorkingSet(design, fixed=len(terms) > 1), terms
            return
        if correlations is None:
            columns = [design.correlations(term.response) for term in terms]
        else:
            columns = list(correlations.T)
        self.working_set = WorkingSet(design, gram)
        self.terms = [
            LeastSquaresMoments(gram, z, term) for z, term in zip(columns, terms, strict=True)
        ]

    def scale(self, l1_ratio: float) -> AlphaScale:
        """What the user calls alpha."""
        return AlphaScale(l1_ratio)

    def without(self, features: Mask) -> Regression:
        """The same with some more features left out; moments stay as they are for the others."""
        design = leaving_out(self.design, features)
        if not self.working_set.complete:
            other = Regression(design, self.targets)
            other.working_set.admit(np.flatnonzero(~design.left_out))
            return other
        kept = ~features
        gram = self.working_set.gram * np.logical_and.outer(kept, kept)
        correlations = np.stack([kept * term.target for term in self.terms], axis=1)
        return Regression(design, self.targets, gram, correlations)

    def intercepts(self, points: list[PathPoint]) -> Float64:
        columns, shifts = shifts_of(points, self.means)
        sizes = np.bincount(columns, np.abs(shifts), len(points))
        least = min(term.norm for term in self.terms)
        intercepts = shifted(points, columns, shifts)
        for number in np.flatnonzero(UNIT * sizes > NOTICED * least):
            intercepts[number] = self._exact_intercept(points[number])
        return intercepts

    def _exact_intercept(self, point: PathPoint) -> float:
        """b where means, times coefficients that cancel, are far larger: with all their digits."""
        design, features = self.design, point.features
        means = self.means[features]
        digits = design.sqrt_weights**2 @ design.values(features)  # of the means, beyond their last
        others = point.intercept - digits @ point.values
        return float(exact_sums(means[None], -point.values, np.atleast_1d(others))[0])

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones."""
        scale = tracer.problem.term.scale
        enough: Enough = Interpolates(self.design, scale) if early_stop else never
        return trace_interpolated(tracer, alphas, enough)


def gram_pays(shape: tuple[int, int], precompute: bool | str, n_solutions: int) -> bool:
    """Whether to form the Gram matrix of all features: demanded, or expected to save time."""
    n, p = shape
    passes = PASSES_PER_GRAM_COLUMN * p
    return precompute is True or (p <= n and passes <= PASSES_PER_FIT + n_solutions)


def _checked_gram(given: Float64, design: Design) -> Float64 | None:
    """The caller's Gram matrix, scaled, its diagonal and one element checked; None: not centred."""
    n, p = design.shape
    if design.left_out.any():
        given = np.where(np.logical_or.outer(design.left_out, design.left_out), 0.0, given)
    if design.fit_intercept and not np.allclose(design.mean, 0.0):
        warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix."
        )
        return None
    first, second = p // 2, min(p // 2 + 1, p - 1)
    block, norms = design.block(np.array([first, second])), design.column_norms
    expected = n * np.append(norms**2, block[:, 0] @ block[:, 1])
    elements = np.append(given.diagonal(), given[first, second])
    lengths = n * np.append(norms**2, norms[first] * norms[second])
    wrong = np.flatnonzero(np.abs(elements - expected) > 1e-4 * lengths)
    if wrong.size:
        row, column = (first, second) if wrong[0] == p else (wrong[0], wrong[0])
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation - please "
            f"check that it was computed properly. For element ({row},{column}) we computed "
            f"{expected[wrong[0]]} but the user-supplied value was {elements[wrong[0]]}."
        )
    return given / n


class LeastSquaresData(NamedTuple):
    """X (n, p), targets (n, T), weights (n,), the penalty weights, and the options of the fit.

    The weights sum to one. `flat` says whether y had one dimension. `precompute` is True, False,
    'auto' or the Gram matrix ``X'diag(n weights)X`` (p, p); ``X'diag(n weights)Y`` (p, T), `Xy`,
    goes with that.

    Where a few rows stand for `n_rows` of positive weight, that is said, and the fold of each.
    """

    X: Any
    targets: Float64
    weights: Float64
    penalty: PenaltyWeights
    options: FitOptions
    flat: bool = True
    precompute: bool | str | Float64 = "auto"
    Xy: Float64 | None = None
    n_rows: int | None = None
    folds: Index | None = None

    @property
    def data(self) -> LeastSquaresData:
        """The data without what a penalty on groups has of its own: themselves."""
        return self

    @property
    def n_samples(self) -> int:
        """How many samples have weight."""
        return int(np.count_nonzero(self.weights)) if self.n_rows is None else self.n_rows

    def problem(self, n_solutions: int) -> Problem:
        """The problem; of each target, `n_solutions` are to come."""
        return self.problem_on(*self._on_design(n_solutions))

    def _on_design(self, n_solutions: int) -> tuple[Design, Float64 | None, Float64 | None]:
        """The design, which this makes; its Gram matrix; Z'Y; None: not known.

        A Gram matrix of the user's is used if it is that of centred X, where X has to be; without
        one, it is formed where that is expected to save time for so many solutions.
        """
        Y, precompute = self.targets, self.precompute
        if not isinstance(precompute, np.ndarray):
            return self.moments(precompute, n_solutions * Y.shape[1])
        check_range("y", float(np.abs(Y).max()))
        design = checked_design(self.X, *self._under)
        given = _checked_gram(precompute, design)
        if self.Xy is None or given is None:
            return design, design.gram() if given is None else given, None
        z = self.Xy / len(Y) - np.multiply.outer(design.mean, self.weights @ Y)
        return design, given, np.where(design.left_out[:, None], 0.0, z)

    @property
    def _under(self) -> tuple[Float64, bool, Mask]:
        """What makes a design of X."""
        return self.weights, self.options.fit_intercept, self.penalty.left_out

    def moments(
        self, precompute: bool | str, n_solutions: int
    ) -> tuple[Design, Float64 | None, Float64 | None]:
        """The design; its Gram matrix, where it pays for so many solutions; Z'Y, if known by then.

        All in one pass, if X is tall.
        """
        check_range("y", float(np.abs(self.targets).max()))
        pays = gram_pays(self.X.shape, precompute, n_solutions)
        if pays and is_tall(self.X):
            return design_and_moments(self.X, self.targets, *self._under)
        design = checked_design(self.X, *self._under)
        return design, design.gram() if pays else None, None

    def problem_on(
        self, design: Design, gram: Float64 | None = None, correlations: Float64 | None = None
    ) -> Problem:
        """The problem on a design that has been made, from Z'Z and Z'Y if these are known."""
        regression = Regression(design, self.targets, gram, correlations)
        return Problem(regression, self.options, self.penalty.weights, self.X.dtype)

    @property
    def raw_weights(self) -> Float64:
        """The weights (n,)."""
        return self.weights

    def reweighted(self, weights: Float64, total: float = 1.0) -> LeastSquaresData:
        """The same under other weights, which are to sum to one; their sum is of no account."""
        return self._replace(weights=weights)

    def mean_losses(self, rows: Index, outputs: Float64, weights: Float64) -> Float64:
        """Mean squared errors (L,) of outputs (1, m, L) at some rows, less the offset there.

        The weights (m,) sum to one.
        """
        return np.asarray(weights @ (outputs[0] - self.targets[rows, :1]) ** 2)

    def with_offset(self, offset: Any) -> LeastSquaresData:
        """The same for y less the offset, which is checked; None is zero."""
        if offset is None:
            return self
        shape = self.targets.shape
        if np.ndim(offset) == 1:
            shape = shape[:1]
        offset = checked_offset(offset, shape, self.weights)
        return self._replace(targets=self.targets - _as_columns(offset))

    def with_gram(self, precompute: Any, Xy: Any = None) -> LeastSquaresData:
        """The same, with what the user says of the Gram matrix, which is checked."""
        n_features, n_targets = self.X.shape[1], self.targets.shape[1]
        if self.n_rows is not None and (np.ndim(precompute) > 0 or Xy is not None):
            raise ValueError(
                "precompute must be a bool or 'auto' and Xy None for data that come in blocks: "
                "their Gram matrix is computed in any case."
            )
        if Xy is not None:
            shape = (n_features,) if np.ndim(Xy) == 1 else (n_features, n_targets)
            Xy = _as_columns(checked_array(Xy, shape, "Xy"))
        if np.ndim(precompute) > 0:
            precompute = checked_array(precompute, (n_features, n_features), "precompute")
        elif not isinstance(precompute, str):
            precompute = bool(precompute)
        return self._replace(precompute=precompute, Xy=Xy)


def least_squares_data(
    X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
) -> LeastSquaresData:
    """The data of a problem, from X and y that have been validated, and sample weights.

    Raises
    ------
    ValueError
        If the sample weights, or y, are not what they have to be.
    """
    targets = _as_columns(y)
    weights = normalised_weights(sample_weight, X)
    return LeastSquaresData(X, targets, weights, penalty, options, np.ndim(y) == 1)


def _as_columns(y: Any) -> Float64:
    """A validated y as float64 of shape (n_samples, n_targets)."""
    if not isinstance(y, np.ndarray):  # a sparse matrix: this says so
        check_array(y, ensure_2d=False, input_name="y")
    y = checked_numbers(y)
    return y[:, None] if y.ndim == 1 else y
