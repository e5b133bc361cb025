"""Logistic regression: classes and their weights, checked data; their problem on a design; C."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from .._datafit.newton import CurvedTerm
from .._design.factory import SMALLEST, checked_design, leaving_out
from .._design.rows import as_array
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._losses.offset import OffsetLoss
from .._losses.softmax import make_loss
from .._numerics.typing import Float64, Index, Mask
from .._path.interpolation import trace_log_interpolated
from .._path.progress import PathPoint
from .._path.tracer import Tracer
from .._penalties.l1 import L1Penalty
from .._validation.arrays import checked_array, checked_offset
from .._validation.weights import PenaltyWeights, raw_weights
from .problem import SMALLEST_FIRST, FitOptions, PenaltyScale, Problem, UnpenalisedProblem

# Minus the logarithm of the probability of a class without weight: 1e-304 is not yet rounded to 0.
# A numerical limit.
FAR = 700.0


class Labels(NamedTuple):
    """Classes (C,), the number of each sample's (n,), weights (n,) that sum to one, their sum S."""

    classes: Any
    codes: Any
    weights: Float64
    total: float

    @property
    def raw(self) -> Float64:
        """The weights (n,) as they were given, those of the classes included."""
        return self.weights * self.total

    @property
    def n_rows(self) -> int:
        """Rows of coefficients: one for each class, except that two classes share one."""
        return 1 if len(self.classes) == 2 else len(self.classes)


def encode(y: Any, X: Any, sample_weight: Any, class_weight: Any) -> Labels:
    """Number the classes, and multiply the weights of samples and classes.

    Raises
    ------
    ValueError
        If y has no classes or only one, an unknown one in `class_weight`, or no weight in total.
    """
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes[0]!r}"
        )
    weights = raw_weights(sample_weight, X)
    _sum(weights)
    if class_weight is not None:
        weights = weights * _class_weights(class_weight, y, classes, codes, weights)[codes]
    total = _sum(weights)
    if total == 0.0:
        raise ValueError(f"class_weight={class_weight!r} leaves no sample of positive weight.")
    return Labels(classes, codes, weights / total, total)


def _sum(weights: Float64) -> float:
    """The sum of weights; a ValueError where it overflows."""
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not np.isfinite(total):
        raise ValueError("The sum of the sample weights overflows. Scale them down.")
    return total


def _class_weights(class_weight: Any, y: Any, classes: Any, codes: Any, weights: Float64) -> Any:
    """The weight of each class; 'balanced' ones are those of the classes that have samples."""
    kept, given = np.ones(len(y), dtype=bool), np.ones(len(classes))
    if isinstance(class_weight, str):
        kept = weights > 0.0
    present = np.unique(codes[kept])
    given[present] = compute_class_weight(
        class_weight, classes=classes[present], y=y[kept], sample_weight=weights[kept]
    )
    check_class_weights(given, class_weight)
    return given


def check_class_weights(weights: Float64, class_weight: Any) -> None:
    """Raise a ValueError if the weights of classes, from what was given, are out of range."""
    if not np.isfinite(weights).all() or (weights < 0.0).any():
        raise ValueError(
            f"class_weight must be finite and must not be negative. Got {class_weight!r}."
        )


class CScale(PenaltyScale):
    """C, as of logistic regression: what weighs the loss, summed under weights of sum `total`.

    So alpha is l1_ratio / (C total) for the L1 penalty, and 1 / (C total) for the ridge penalty
    where that is alone.
    """

    name = "C"

    def __init__(self, l1_ratio: float, total: float) -> None:
        super().__init__(l1_ratio)
        self.total = total

    def alphas(self, penalties: Any) -> Any:
        """The solver's alphas for values of C.

        Raises
        ------
        ValueError
            If a C is so large that nothing is left of the penalty.
        """
        with np.errstate(over="ignore"):
            alphas = self.unit / (np.asarray(penalties) * self.total)
        if alphas.min() < SMALLEST:
            raise ValueError(
                f"C={np.max(penalties):.6g} is too large: the penalty is less than {SMALLEST:.0e} "
                "of the loss."
            )
        return alphas

    def penalties(self, alphas: Any) -> Any:
        return self.unit / (alphas * self.total)

    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        first = self.penalties(max(alpha_max, SMALLEST_FIRST))
        return np.asarray(first * np.geomspace(1.0, 1.0 / eps, n))


class ClassRows:
    """Rows of coefficients for classes, and those of the solver.

    Two classes of more have a row of coefficients each, and the penalty of both:

        |c| + |-c| = |2 c|,        c^2 + (-c)^2 = (2 c)^2 / 2:

    they are two classes alone, with half of the ridge penalty. So the rows of coefficients are
    ``rows`` times the solver's, of which `rows` has a column each.

    Attributes
    ----------
    present : ndarray
        The classes that take part.
    rows : ndarray of shape (n_rows, n_outputs)
    """

    def __init__(self, present: Index, n_rows: int) -> None:
        self.present, self.rows = present, _rows(present, n_rows)
        self.n_outputs = self.rows.shape[1]
        self.square = float((self.rows[:, 0] ** 2).sum())

    def identified(self, coefs: Float64) -> Float64:
        """Of classes that take part, only differences matter: the mean is to be zero."""
        if len(coefs) > 1:
            coefs[self.present] -= coefs[self.present].mean(axis=0)
        return coefs

    def solver_penalty(self, penalty: L1Penalty) -> L1Penalty:
        """The penalty of all outputs; the ridge part of a row is that of its classes."""
        weights = np.repeat(penalty.weights, self.n_outputs)
        if penalty.l1:
            return L1Penalty(weights, penalty.ridge_ratio * self.square)
        return L1Penalty((self.square or 1.0) * weights, penalty.ridge_ratio)

    def solver_start(self, coefficients: Float64) -> Float64:
        """The solver's coefficients, from those of the classes (K, p)."""
        return np.asarray((self.rows.T @ coefficients / (self.square or 1.0)).T.ravel())

    def matrix(self, point: PathPoint) -> tuple[Index, Float64]:
        """The features of a point, and its coefficients, with a row for each output."""
        if self.n_outputs == 1:
            return point.features, point.values[None]
        features, positions = np.unique(point.features // self.n_outputs, return_inverse=True)
        theta = np.zeros((self.n_outputs, features.size))
        theta[point.features % self.n_outputs, positions] = point.values
        return features, theta

    def write(self, point: PathPoint, coefficients: Float64, mean: Float64) -> Float64:
        """Fill in coefficients (K, p), zero so far; return the intercepts, b - m'theta."""
        features, theta = self.matrix(point)
        coefficients[:, features] = self.rows @ theta
        intercepts = self.rows @ (point.intercept - theta @ mean[features])
        if len(intercepts) > 1:  # a constant added to all makes no difference
            intercepts[self.present] -= intercepts[self.present].mean()
        return np.asarray(intercepts)


class Classification(UnpenalisedProblem):
    """Logistic regression on X of shape (n, p).

    With an intercept, a class of weight zero has coefficients 0, and its intercept goes to minus
    infinity: the problem is that of the `present` classes. Without one they all take part.

    Parameters
    ----------
    X : ndarray or sparse matrix
    labels : Labels
    fit_intercept : bool
    left_out : ndarray of shape (p,), optional
        Which features are to be left out.
    offset : ndarray of shape (n, K), optional
        What is added to the K rows of outputs.
    """

    separable = True

    def __init__(
        self,
        X: Any,
        labels: Labels,
        fit_intercept: bool,
        left_out: Mask | None = None,
        offset: Float64 | None = None,
    ) -> None:
        self.design = checked_design(X, labels.weights, fit_intercept, left_out).leave_means()
        self.total = labels.total
        n_classes, codes = len(labels.classes), labels.codes
        self.present = np.arange(n_classes)
        if fit_intercept:
            self.present = np.flatnonzero(np.bincount(codes, labels.weights, n_classes))
        n_present = len(self.present)
        self.complete = n_present == n_classes
        if not self.complete:  # the number of a class of weight zero makes no difference
            codes = np.minimum(np.searchsorted(self.present, codes), n_present - 1)
        self.class_rows = ClassRows(self.present, labels.n_rows)
        self.n_rows = labels.n_rows
        self.row_length = float(np.sqrt(self.class_rows.square)) or 1.0
        loss: Loss = make_loss(codes, n_present, labels.weights)
        self.largest_offset = 0.0
        if offset is not None:
            self.largest_offset = float(np.abs(offset).max())
            loss = OffsetLoss(loss, _of_outputs(offset, self.present))
        self.term = CurvedTerm(self.design, loss, fit_intercept)
        self.terms = [self.term]
        self.working_set = WorkingSet(self.term.design)

    def scale(self, l1_ratio: float) -> CScale:
        """What the user calls C."""
        return CScale(l1_ratio, self.total)

    def without(self, features: Mask) -> Self:
        """The same with some more features left out; all others are in its working set."""
        other = copy(self)
        other.design = leaving_out(self.design, features)
        other.term = CurvedTerm(other.design, self.term.loss, self.design.fit_intercept)
        other.terms, other.working_set = [other.term], WorkingSet(other.term.design)
        kept = np.repeat(~other.design.left_out, self.term.n_outputs)
        other.working_set.admit(np.flatnonzero(kept))
        return other

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones."""
        return trace_log_interpolated(tracer, self.term, alphas, early_stop)

    def identified(self, coefs: Float64) -> Float64:
        return self.class_rows.identified(coefs)

    def solver_penalty(self, penalty: L1Penalty) -> L1Penalty:
        return self.class_rows.solver_penalty(penalty)

    def solver_start(self, coefficients: Float64) -> Float64:
        return self.class_rows.solver_start(coefficients)

    def features_of(self, point: PathPoint) -> Index:
        """The features that have a coefficient other than zero, of any class."""
        return np.unique(point.features // self.term.n_outputs)

    def write(self, points: list[PathPoint], coefs: Float64) -> Float64:
        """Fill in coefficients (K, p, L), zero so far; return the intercepts (K, L)."""
        intercepts = [self._write_point(point, coefs[..., i]) for i, point in enumerate(points)]
        return np.stack(intercepts, axis=-1)

    def _write_point(self, point: PathPoint, coefficients: Float64) -> Float64:
        """Fill in coefficients (K, p), zero so far; return the intercepts."""
        intercepts = self.class_rows.write(point, coefficients, self.design.mean)
        return intercepts if self.complete else self._without_absent(intercepts, point)

    def _without_absent(self, intercepts: Float64, point: PathPoint) -> Float64:
        """Intercepts at which classes of weight zero are nowhere in X more probable than e^-FAR.

        The largest output is no smaller than the mean of those that take part.
        """
        if len(intercepts) == 1:
            return np.where(self.present == 1, FAR, -FAR)
        features, theta = self.class_rows.matrix(point)
        lowest, mean = 0.0, self.class_rows.rows.sum(axis=0) @ theta / len(self.present)
        if mean.any():
            samples = self.design.container.rows(np.arange(self.design.shape[0]), features)
            lowest = min(0.0, float((samples @ mean).min()))
        absent = np.delete(np.arange(len(intercepts)), self.present)
        intercepts[absent] = lowest - FAR - 2.0 * self.largest_offset
        return intercepts


def _rows(present: Index, n_rows: int) -> Float64:
    """What `ClassRows.rows` are: K rows, for the classes that take part."""
    if len(present) == 1:  # nothing to tell it from
        return np.zeros((n_rows, 1))
    if n_rows == 1:
        return np.ones((1, 1))
    if len(present) == 2:
        rows = np.zeros((n_rows, 1))
        rows[present, 0] = -0.5, 0.5
        return rows
    return np.eye(n_rows)[:, present]


def _of_outputs(offset: Float64, present: Index) -> Float64:
    """The offset of the solver's outputs, from that of the rows (n, K)."""
    if offset.shape[1] == 1 or len(present) == 1:  # of one class alone, it is of no account
        return offset[:, :1]
    of_present = offset[:, present]
    return of_present if len(present) > 2 else of_present[:, 1:] - of_present[:, :1]


class LogisticData(NamedTuple):
    """X (n, p), y (n,), its classes with weights, penalty weights, and the options of the fit.

    An `offset` is of shape (n, K).
    """

    X: Any
    y: Any
    labels: Labels
    penalty: PenaltyWeights
    options: FitOptions
    offset: Float64 | None = None

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        X, _, labels, penalty, options, offset = self
        classification = Classification(X, labels, options.fit_intercept, penalty.left_out, offset)
        return Problem(classification, options, penalty.weights, X.dtype)

    @property
    def raw_weights(self) -> Float64:
        """The weights (n,) as they were given, those of the classes included."""
        return self.labels.raw

    def reweighted(self, weights: Float64, total: float) -> LogisticData:
        """The same under other weights, which are to sum to one, and what C takes their sum for."""
        return self._replace(labels=self.labels._replace(weights=weights, total=total))

    def mean_losses(self, rows: Index, outputs: Float64, weights: Float64) -> Float64:
        """Mean log losses (L,) at outputs (K, m, L) of some rows, less the offset there.

        The weights (m,) sum to one.
        """
        codes = self.labels.codes[rows]
        if self.offset is not None:
            outputs = outputs + self.offset[rows].T[..., None]
        if len(outputs) == 1:
            return -weights @ log_expit(np.where(codes == 1, 1.0, -1.0)[:, None] * outputs[0])
        logarithms = log_softmax(outputs, axis=0)
        return -weights @ np.take_along_axis(logarithms, codes[None, :, None], axis=0)[0]

    def with_offset(self, offset: Any) -> LogisticData:
        """The same with what the user adds to the outputs, which is checked; None is zero."""
        if offset is None:
            return self
        n_samples, n_rows = self.X.shape[0], self.labels.n_rows
        shape = (n_samples,) if n_rows == 1 else (n_samples, n_rows)
        offset = checked_offset(offset, shape, self.labels.weights)
        return self._replace(offset=offset.reshape(n_samples, n_rows))

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (1, p) or (K, p)."""
        values = as_array(coefficients)
        shape: tuple[int, ...] = (self.labels.n_rows, self.X.shape[1])
        if shape[0] == 1 and np.ndim(values) == 1:
            shape = shape[1:]
        return np.atleast_2d(checked_array(values, shape, name))
