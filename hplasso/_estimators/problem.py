"""The problem behind an estimator: loss and data, the penalty, and how it is to be solved.

Fits, path functions, cross-validation, information criteria and displays use the same steps:

1. an estimator, or a path function, checks its parameters: `FitOptions`;
2. it checks X, y and weights: `LeastSquaresData` or `LogisticData`, which cost next to nothing;
3. ``data.problem()`` makes the design, which reads X: a `Problem`;
4. a `Problem` knows the user's penalties (`PenaltyScale`), makes their grid, and the tracers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from .._design.design import Design
from .._design.working_set import WorkingSet
from .._numerics.typing import Float64, Index, Mask
from .._path.interpolation import trace_exactly
from .._path.make_tracer import make_tracer
from .._path.progress import Listener, Measure, PathPoint, Printer, warn_not_converged
from .._path.settings import PathSettings
from .._path.tracer import Tracer
from .._penalties.l1 import L1Penalty
from .._validation.arrays import GivenGrid
from .._validation.choices import PenaltyName

# Training data, in the words of scikit-learn's checks.
DATA_ACCEPTED: dict[str, Any] = {
    "accept_sparse": ["csc", "csr"],
    "dtype": [np.float64, np.float32],
    "ensure_all_finite": False,  # the design looks
}
# The first penalty of a grid where no feature has anything to say, as in scikit-learn.
SMALLEST_FIRST = float(np.finfo(np.float64).resolution)


def without_group_ratio(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of an estimator without the l1_ratio of groups.

    That is part of their penalty (`GroupPenalty`), and not the share of an L1 beside a ridge
    penalty.
    """
    of_groups = "groups" in parameters
    return {k: value for k, value in parameters.items() if not (of_groups and k == "l1_ratio")}


@dataclass(frozen=True)
class FitOptions:
    """How to fit, whatever the loss is: the parameters of these names, which have been checked."""

    l1_ratio: float = 1.0
    fit_intercept: bool = True
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    verbose: bool | int = 0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> FitOptions:
        """Those among the parameters of an estimator; others have their defaults."""
        known = without_group_ratio(parameters)
        names = [field.name for field in fields(cls) if field.name in known]
        return cls(**{name: known[name] for name in names})


class PenaltyScale(ABC):
    """Translates between the user's penalty and the solver's alpha, at one l1_ratio.

    The solver's alpha weighs the L1 penalty against the mean loss; the ridge penalty, where that is
    alone. `unit` is the solver's alpha for a penalty of one.
    """

    name: PenaltyName

    def __init__(self, l1_ratio: float) -> None:
        self.l1_ratio = float(l1_ratio)
        self.unit = self.l1_ratio or 1.0

    @property
    def ridge_ratio(self) -> float:
        """The ridge penalty as a multiple of the L1 penalty."""
        return (1.0 - self.l1_ratio) / self.l1_ratio if self.l1_ratio > 0.0 else np.inf

    @abstractmethod
    def alphas(self, penalties: Any) -> Any:
        """The solver's alphas for the user's penalties."""

    @abstractmethod
    def penalties(self, alphas: Any) -> Any:
        """The user's penalties for the solver's alphas."""

    @abstractmethod
    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        """`n` penalties, evenly on a log scale, the strongest first: where features enter.

        `alpha_max` is the solver's; `eps` is the length of the grid, the last alpha over the first.
        """

    def name_alpha(self, alpha: float) -> str:
        """An alpha of the solver in the user's terms."""
        return f"{self.name}={self.penalties(alpha):.6g}"


class UnpenalisedProblem(ABC):
    """A loss on given data, without a penalty: what tracers work on, and what their points mean.

    Attributes
    ----------
    design : Design
        That of the features.
    terms : sequence of data terms
        One for each target; a target has a path of its own.
    working_set : WorkingSet
        That of all targets.
    complete : bool
        Whether all classes take part, if there are any.
    n_rows : int
        Rows K of coefficients that belong to a point: one for each class where there are several.
    row_length : float
        The length of what a coefficient of the solver is in these rows: one, mostly.
    separable : bool
        Whether the loss may vanish as coefficients go to infinity: of classes that a plane
        separates.
    """

    design: Design
    terms: list[Any]
    working_set: Any
    complete = True
    n_rows = 1
    row_length = 1.0
    separable = False

    def tracer(self, target: int, settings: PathSettings, start: Float64 | None = None) -> Tracer:
        """The path's driver for one target, from coefficients of the solver."""
        term = self.terms[target]
        return make_tracer(term, self.working_set, term.design, settings, start)

    @abstractmethod
    def scale(self, l1_ratio: float) -> PenaltyScale:
        """What the user calls the penalty."""

    @abstractmethod
    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones.

        With `early_stop` it ends where the fit is saturated.
        """

    def afresh(self) -> Self:
        """The same, with a working set of its own."""
        other, old = copy(self), self.working_set
        if not old.complete:
            other.working_set = WorkingSet(old.design, fixed=old.fixed)
        return other

    @abstractmethod
    def without(self, features: Mask) -> Self:
        """The same with some more features left out, by a mask; all others are in a working set."""

    def features_of(self, point: PathPoint) -> Index:
        """The features that have a coefficient other than zero."""
        return point.features

    def write(self, points: list[PathPoint], coefs: Any) -> Float64:
        """Fill in coefficients (K, p, L), zero so far, of L points; return intercepts (K, L)."""
        features, columns, values = entries_of(points)
        coefs[0][features, columns] = values
        return self.intercepts(points)[None]

    def intercepts(self, points: list[PathPoint]) -> Float64:
        """b - m'theta of points of one output."""
        return shifted(points, *shifts_of(points, self.means))

    @property
    def means(self) -> Float64:
        """m, those of the user's features."""
        return np.asarray(self.design.mean + self.design.container.origin)

    def identified(self, coefs: Float64) -> Float64:
        """Coefficients (K, p, L) without penalty, of those with the same outputs the shortest."""
        return coefs

    def solver_penalty(self, penalty: L1Penalty) -> L1Penalty:
        """The penalty of the coefficients of the solver, from that of the user's."""
        return penalty

    def solver_start(self, coefficients: Float64) -> Float64:
        """The coefficients of the solver, from those of the user."""
        return coefficients


@dataclass(frozen=True)
class Problem:
    """A loss on data, with its penalty and the options of the fit.

    `penalty_weights` (p,) are those of features; `dtype` is that of the coefficients.
    """

    unpenalised: UnpenalisedProblem
    options: FitOptions
    penalty_weights: Float64
    dtype: Any

    def at(self, l1_ratio: float) -> Problem:
        """The same at another l1_ratio."""
        return replace(self, options=replace(self.options, l1_ratio=l1_ratio))

    @cached_property
    def scale(self) -> PenaltyScale:
        """What the user calls the penalty."""
        return self.unpenalised.scale(self.options.l1_ratio)

    def certify(self, estimator: Any, gaps: Any, path: str = "") -> None:
        """Set what says how good the coefficients are, or those of a path, and is called that."""
        convex = self.unpenalised.terms[0].convex
        forget_certificate(estimator, path)
        measure = Measure.DUAL_GAP if convex else Measure.KKT_RESIDUAL
        setattr(estimator, f"{measure.attribute}_{path}", gaps)

    def settings(self, listener: Listener | None = None) -> PathSettings:
        """The settings of the solver."""
        options, scale = self.options, self.scale
        penalty = L1Penalty(self.penalty_weights, scale.ridge_ratio, bool(options.positive))
        penalty, name = self.unpenalised.solver_penalty(penalty), scale.name_alpha
        tol, max_iter = float(options.tol), int(options.max_iter)
        return PathSettings(penalty, options.solver, tol, max_iter, listener, self.dtype, name)

    def printer(self, prefix: str = "", verbose_from: int = 1) -> Printer | None:
        """A listener that prints lines of the path, if `verbose` is large enough."""
        verbose = int(self.options.verbose)
        return Printer(verbose, self.scale.name_alpha, prefix) if verbose >= verbose_from else None

    def tracer(
        self, target: int = 0, start: Float64 | None = None, listener: Listener | None = None
    ) -> Tracer:
        """The path's driver for one target, from some coefficients of the user."""
        if start is not None:
            start = self.unpenalised.solver_start(start)
        return self.unpenalised.tracer(target, self.settings(listener), start)

    def solve(
        self,
        penalty: float,
        target: int = 0,
        start: Float64 | None = None,
        listener: Listener | None = None,
    ) -> PathPoint:
        """The solution at one penalty of the user."""
        tracer = self.tracer(target, start, listener)
        return tracer.trace([float(self.scale.alphas(penalty))])[0]

    def trace(self, penalties: Float64, listener: Listener | None = None) -> list[PathPoint]:
        """The solutions at penalties of the user, each of them solved, or as good as that."""
        return trace_exactly(self.tracer(listener=listener), self.scale.alphas(penalties))

    def grid(self, given: GivenGrid, eps: float, *tracers: Tracer) -> Float64:
        """The penalties of a path, strongest first.

        Those that were given, or from where the first feature enters; `tracers` of all targets,
        which are at zero, are moved there.
        """
        if given.penalties is not None:
            return given.penalties
        alpha_max = max(tracer.alpha_max() for tracer in tracers or [self.tracer()])
        return self.scale.grid(alpha_max, eps, given.length)

    def paths(
        self, given: GivenGrid, eps: float, start: Float64 | None, early_stop: bool = False
    ) -> tuple[Float64, list[list[PathPoint]]]:
        """The penalties, and for each target the path there, some of its points interpolated.

        With `early_stop`, for one target, penalties that were not given end where it is saturated.
        """
        targets, printer = range(len(self.unpenalised.terms)), self.printer()
        first = None if given.penalties is None else start  # a grid begins at zero
        tracers = [self.tracer(target, first, printer) for target in targets]
        penalties = self.grid(given, eps, *tracers)
        if first is not start:
            tracers = [self.tracer(target, start, printer) for target in targets]
        alphas = self.scale.alphas(penalties)
        stops = early_stop and given.penalties is None
        paths = [self.unpenalised.interpolated(tracer, alphas, stops) for tracer in tracers]
        return penalties[: len(paths[0])], paths

    def arrays(self, paths: list[list[PathPoint]]) -> tuple[Any, Any]:
        """Coefficients (R, p, L) and intercepts (R, L) of paths of L points, one for each target.

        R is the number of targets, or of rows for the classes.
        """
        n_rows, n_points = self.unpenalised.n_rows, len(paths[0])
        shape = (n_rows * len(paths), self.penalty_weights.size, n_points)
        coefs = np.zeros(shape, dtype=self.dtype)
        intercepts = np.zeros((shape[0], n_points), dtype=self.dtype)
        for target, points in enumerate(paths):
            rows = slice(target * n_rows, (target + 1) * n_rows)
            intercepts[rows] = self.unpenalised.write(points, coefs[rows])
        return coefs, intercepts

    def warn_not_converged(self, points: list[PathPoint]) -> None:
        """One warning for those of the points that did not converge, if any."""
        warn_not_converged(points, self.scale.name_alpha)


def forget_certificate(estimator: Any, path: str = "") -> None:
    """Take away what says how good the coefficients are, or those of a path."""
    for measure in Measure:
        vars(estimator).pop(f"{measure.attribute}_{path}", None)


def entries_of(points: list[PathPoint]) -> tuple[Index, Index, Float64]:
    """Features, numbers of points, and values of all coefficients that are not zero."""
    columns = np.repeat(np.arange(len(points)), [point.features.size for point in points])
    features = np.concatenate([point.features for point in points])
    return features, columns, np.concatenate([point.values for point in points])


def shifts_of(points: list[PathPoint], means: Float64) -> tuple[Index, Float64]:
    """Numbers of points, and m_j theta_j, of all coefficients that are not zero."""
    features, columns, values = entries_of(points)
    return columns, means[features] * values


def shifted(points: list[PathPoint], columns: Index, shifts: Float64) -> Float64:
    """b of each point, of one output, less its shifts."""
    intercepts = np.reshape([point.intercept for point in points], len(points))
    return np.asarray(intercepts - np.bincount(columns, shifts, len(points)))


def gaps_of(points: list[PathPoint]) -> Float64:
    """The certified duality gaps of points."""
    return np.array([point.gap for point in points])


def sweeps_of(points: list[PathPoint]) -> list[int]:
    """The sweeps of points."""
    return [point.sweeps for point in points]
