"""Curved losses on data in blocks: Newton's method by passes, for many penalties at once.

A pass gives what the model and the certificate need (`streamed_certificate`) at the points that all
penalties have come to; the solutions of the models are the next points. A point at which f is
larger than before is not taken: half of the way is next.

For several penalties at once the Hessians are those of a sample, which is close enough that each
pass gains a digit or more; the sample's path is the start. (To correct the gradient of a part of
the data by that of all is known from distributed estimation: Jordan, Lee and Yang 2019.) Some
points get Hessians of their own, which show what the sample is off by at their neighbours.

References
----------
M. I. Jordan, J. D. Lee and Y. Yang, Communication-efficient distributed statistical inference,
Journal of the American Statistical Association 114 (2019) 668-681.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpstrf

from .._datafit.loss_sums import LossSums
from .._datafit.squared import LeastSquares, LeastSquaresMoments
from .._design.correlations import ALL
from .._design.factory import make_design
from .._design.working_set import WorkingSet
from .._numerics.linalg import plus_diagonal
from .._numerics.rounding import ROUNDING, UNIT
from .._numerics.typing import Float64
from .._penalties.l1 import penalty_value
from .certification import NEGLIGIBLE
from .make_tracer import make_tracer
from .path_point import DUE
from .progress import Outcome, PathPoint
from .settings import PathSettings
from .streamed_certificate import Coefficients, View, certificate, eliminated, view
from .tracer import Tracer

# The loss without features is exact once the intercepts' imbalance costs less than this part of it.
BALANCED = 1e-14
# No more points than this get Hessians of their own in a pass, and of many only as many as cost
# about as much as all gradients, which are so many times as cheap for each coordinate; so many
# neighbours on a path share one of the sample (constants.py).
OWN, GRADIENTS, SHARED = 4, 4.0, 4
# A numerical limit: what is added to a diagonal of one before a matrix counts as indefinite.
DEFINITE = 1e-10
# Models are solved to this part of the square of the tolerance, but for rounding, as gaps of the
# data grow with violations, and those of models with their squares: sweeps against passes.
MODEL_TOL, LEAST_TOL = 0.01, 1e-15
# Passes, and halved steps of one point, before it is given up: limits that were not reached on
# random data.
MAX_PASSES, MAX_HALVED = 60, 30


# The sums at several coefficients, and Hessians at some of them.
Evaluate = Callable[[Sequence[Coefficients], Sequence[int]], LossSums]
# Where paths may start: coefficients for each alpha.
Starts = Callable[[Sequence[float]], list[Coefficients]]


@dataclass(frozen=True)
class StreamedLoss:
    """A loss on data in blocks.

    Attributes
    ----------
    evaluate, evaluate_sample : callables
        The sums of the data, by a pass, and of the sample.
    weight, sample_weight : float
        The weights of both.
    starts : callable
        The solutions of the sample.
    null : Coefficients
        Without features; the intercepts are about the best.
    lengths : ndarray of shape (p K,)
        About the lengths of the columns, centred; zero where a column is constant.
    fit_intercept : bool
    """

    evaluate: Evaluate
    evaluate_sample: Evaluate
    weight: float
    sample_weight: float
    starts: Starts
    null: Coefficients
    lengths: Float64
    fit_intercept: bool

    def views(
        self, points: Sequence[Coefficients], own: Sequence[int] = ()
    ) -> tuple[list[View], dict[int, Float64]]:
        """What a pass says of some points, and the Hessians of some of them."""
        sums = self.evaluate(points, own).only(self.lengths > 0.0)
        found = [view(sums, k, at, self.weight, self.fit_intercept) for k, at in enumerate(points)]
        hessians = {k: sums.hessians[i] / self.weight for i, k in enumerate(own)}
        return found, hessians

    def sample_model(self, at: Coefficients) -> Float64:
        """What `eliminated` gives of the sample at a point."""
        sums = self.evaluate_sample([at], [0]).only(self.lengths > 0.0)
        seen = view(sums, 0, at, self.sample_weight, self.fit_intercept)
        return eliminated(sums.hessians[0] / self.sample_weight, seen)


def solve_model(
    hessian: Float64,
    target: Float64,
    start: Float64,
    alpha: float,
    settings: PathSettings,
) -> PathPoint:
    """The minimiser of 1/2 theta'H theta - target'theta and the penalty.

    It is that of least squares on the rows R of a factor, R'R = H, for R^-T target.
    """
    length = np.sqrt(np.maximum(hessian.diagonal(), 0.0))
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)
    live = np.flatnonzero(length)
    scaled = (hessian * inverse[:, None] * inverse)[np.ix_(live, live)]
    factor, pivots, rank, _ = dpstrf(scaled, tol=UNIT, overwrite_a=1)
    order = live[pivots - 1]
    rows, response = np.zeros((max(rank, 1), length.size)), np.zeros(max(rank, 1))
    if rank:
        rows[:, order] = np.triu(factor)[:rank] * length[order]
        first = order[:rank]
        response = solve_triangular(
            np.triu(factor[:rank, :rank]), (inverse * target)[first], trans="T"
        )
    m = len(rows)
    design = make_design(np.asfortranarray(np.sqrt(m) * rows), np.full(m, 1.0 / m), False)
    data = LeastSquares(design, np.sqrt(m) * response)
    term = LeastSquaresMoments(hessian, target, data)
    tol = max(MODEL_TOL * settings.tol**2, LEAST_TOL)
    settings = replace(settings, tol=tol, listener=None, dtype=np.float64)
    working_set = WorkingSet(design, hessian)
    return make_tracer(term, working_set, design, settings, start).solve(alpha)


class Models:
    """H at the points of a pass, and how intercepts follow theta, as one matrix below the other.

    Where the data have not given it, it is that of the sample, which neighbours share, corrected by
    what the sample is off by at the nearest point where the data have.
    """

    def __init__(
        self, loss: StreamedLoss, views: Sequence[View], hessians: dict[int, Float64]
    ) -> None:
        self._loss, self._views = loss, views
        self._own = {k: eliminated(hessian, views[k]) for k, hessian in hessians.items()}
        self._sampled: dict[int, Float64] = {}

    def at(self, k: int) -> Float64:
        """At the k-th point."""
        if k in self._own:
            return self._own[k]
        nearest = min(self._own, key=lambda own: abs(own - k))
        own, size = self._own[nearest], self._views[k].z.size
        model = own + (self._sample(k - k % SHARED) - self._sample(nearest))
        return model if is_positive(model[:size]) else own

    def _sample(self, k: int) -> Float64:
        """That of the sample."""
        if k not in self._sampled:
            self._sampled[k] = self._loss.sample_model(self._views[k].at)
        return self._sampled[k]


def own_points(count: int, n_coordinates: int) -> list[int]:
    """Which of so many points get Hessians of their own: some in even distances."""
    if count <= OWN:
        return list(range(count))
    paid = int(GRADIENTS * count / n_coordinates)
    parts = np.linspace(0.0, count, np.clip(paid, 1, OWN) + 1)
    return [int(middle) for middle in 0.5 * (parts[:-1] + parts[1:])]


def is_positive(matrix: Float64) -> bool:
    """Whether a matrix is positive semi-definite to rounding, its scale set aside."""
    length = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)
    scaled = matrix * inverse[:, None] * inverse
    return dpotrf(plus_diagonal(scaled, np.full(length.size, DEFINITE)), lower=1)[1] == 0


@dataclass(frozen=True)
class Progress:
    """Where one penalty stands: the best point so far, its gap, and what is tried next."""

    alpha: float
    trial: Coefficients
    best: View | None = None
    objective: float = np.inf
    gap: float = np.inf
    rounding_gap: float = 0.0
    sweeps: int = 0
    halved: int = 0
    done: bool = False


class StreamedTracer(Tracer):
    """The path of a loss on data in blocks: all of its penalties in each pass."""

    def __init__(
        self, loss: StreamedLoss, settings: PathSettings, start: Float64 | None = None
    ) -> None:
        self.loss, self.settings, self.start = loss, settings, start
        self._null: View | None = None

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha."""
        return self._solve([alpha])[0]

    def trace(self, alphas: Iterable[float]) -> list[PathPoint]:
        """Solve at all alphas."""
        points = self._solve([float(alpha) for alpha in alphas])
        listener = self.settings.listener
        for point in points:
            if listener is not None:
                listener.point(point)
        return points

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero."""
        penalty, weights = self.settings.penalty, self.settings.penalty.weights
        penalised = (weights > 0.0) & (self.loss.lengths > 0.0)
        null = self._balanced()
        if (weights == 0.0).any():
            bounds = self.loss.lengths[penalised] * np.sqrt(null.length) / weights[penalised]
            quiet = StreamedTracer(self.loss, replace(self.settings, listener=None, tol=1e-12))
            quiet._null = null
            null = quiet._progress([2.0 * float(bounds.max(initial=0.0))])[0].best or null
        sizes = penalty.abs_correlation(null.z)
        return float(np.max(sizes[penalised] / weights[penalised], initial=0.0))

    def _balanced(self) -> View:
        """The view without features, at the best intercepts."""
        if self._null is None:
            (self._null,), _ = self.loss.views([self.loss.null])
        for _ in range(MAX_HALVED):
            if self._null.cost <= BALANCED * self._null.loss:
                break
            at = self._null.at
            (self._null,), _ = self.loss.views(
                [at._replace(intercept=at.intercept + self._null.step)]
            )
        return self._null

    def _solve(self, alphas: list[float]) -> list[PathPoint]:
        return [self._point(each) for each in self._progress(alphas)]

    def _enough(self, rounding_gap: float) -> float:
        """The largest gap that is good enough: the one asked for, or rounding, if negligible."""
        assert self._null is not None
        negligible = min(DUE * rounding_gap, NEGLIGIBLE * self._null.loss)
        return max(self.settings.tol * self._null.loss, negligible)

    def _progress(self, alphas: list[float]) -> list[Progress]:
        """Pass after pass, until all have converged or none gets any further."""
        if self.start is None:
            starts = self.loss.starts(alphas)
        else:
            starts = [self.loss.null._replace(theta=self.start)] * len(alphas)
        every = [Progress(alpha, at) for alpha, at in zip(alphas, starts, strict=True)]
        for _ in range(MAX_PASSES):
            active = [i for i, each in enumerate(every) if not each.done]
            if not active:
                break
            for i, moved in zip(active, self._pass([every[i] for i in active]), strict=True):
                every[i] = moved
        return every

    def _pass(self, active: list[Progress]) -> list[Progress]:
        """What a pass makes of the penalties that are not done."""
        own = own_points(len(active), self.loss.lengths.size)
        points = [each.trial for each in active]
        if self._null is None:
            views, hessians = self.loss.views([*points, self.loss.null], own)
            self._null = views.pop()
        else:
            views, hessians = self.loss.views(points, own)
        models, moved = Models(self.loss, views, hessians), []
        for k, (each, seen) in enumerate(zip(active, views, strict=True)):
            judged = self._judged(each, seen)
            if judged.best is seen and not judged.done:
                judged = self._stepped(judged, models.at(k))
            moved.append(judged)
        return moved

    def _judged(self, before: Progress, seen: View) -> Progress:
        """What is known once a trial has been seen: taken, or half of the way to it is next."""
        assert self._null is not None
        penalty, alpha = self.settings.penalty, before.alpha
        lam, ridge = penalty.parts(alpha, ALL)
        objective = seen.loss + penalty_value(seen.at.theta, lam, ridge)
        if objective > before.objective + ROUNDING * abs(before.objective) * 10.0:
            assert before.best is not None
            trial = before.best.at.towards(before.trial, 0.5)
            halved = before.halved + 1
            return replace(before, trial=trial, halved=halved, done=halved > MAX_HALVED)
        gap, _, rounding_gap = certificate(seen, alpha, penalty, self.loss.lengths)
        return replace(
            before,
            best=seen,
            objective=objective,
            gap=gap,
            rounding_gap=rounding_gap,
            halved=0,
            done=gap <= self._enough(rounding_gap) or before.sweeps >= self.settings.max_iter,
        )

    def _stepped(self, each: Progress, model: Float64) -> Progress:
        """The solution of the model is tried next."""
        assert each.best is not None
        at, z = each.best.at, each.best.z
        hessian, follow = model[: z.size], model[z.size :]
        point = solve_model(hessian, hessian @ at.theta + z, at.theta, each.alpha, self.settings)
        theta, intercept = point.dense(z.size), at.intercept
        if self.loss.fit_intercept:
            intercept = intercept + each.best.step - follow @ (theta - at.theta)
        sweeps = each.sweeps + point.sweeps
        return replace(each, trial=Coefficients(theta, intercept), sweeps=sweeps)

    def _point(self, each: Progress) -> PathPoint:
        """What is returned of a penalty."""
        assert each.best is not None
        assert self._null is not None
        theta, intercept = each.best.at
        outcome = Outcome.CONVERGED
        if each.gap > self._enough(each.rounding_gap):
            outcome = Outcome.MAX_ITER if each.sweeps >= self.settings.max_iter else Outcome.STALLED
            outcome = Outcome.ROUNDING if each.gap <= DUE * each.rounding_gap else outcome
        features = np.flatnonzero(theta)
        b: Any = float(intercept[0]) if intercept.size == 1 else intercept
        gap_tol = self.settings.tol * self._null.loss
        return PathPoint(
            each.alpha, features, theta[features], b, each.gap, gap_tol, outcome, each.sweeps
        )
