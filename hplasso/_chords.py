"""A whole path: solved at some of its alphas, and on the chords between these where they will do.

Under squared loss, take the solutions theta_0 at alpha_0 and theta_1 at alpha_1, and at an alpha
between them, (1 - t) alpha_0 + t alpha_1, the point of their *chord*, (1 - t) theta_0 + t theta_1.
Its residual is the same mean of theirs, and so is z, so that |z_j| <= w_j alpha where it was at the
ends: feasible for the dual problem as it is, and the gap is

    sum_j (w_j alpha |theta_j| - z_j theta_j),

which takes no pass over X, and nothing that grows with p. As the path is piecewise linear in alpha,
only features that enter or leave between the ends contribute, and they of the second order in the
distance. If that is not good enough, the alpha in the middle is solved, and there are two chords.

References
----------
J. Giesen, M. Jaggi and S. Laue, Approximating parameterized convex optimization problems, ACM
Transactions on Algorithms 9 (2012) 10:1-10:17.
E. Ndiaye, T. Le, O. Fercoq, J. Salmon and I. Takeuchi, Safe grid search with optimal complexity,
ICML 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ._certificate import reach
from ._knots import Knot
from ._path import PathTracer
from ._reports import PathPoint
from ._typing import Float64

# The tolerance from which on every alpha is solved.
TIGHT = 1e-9
# The next chord may be longer than the last by as much as leaves its gap, which grows with about
# this power of its length, at half of what is asked for.
ORDER = 3.0
ROOM = 0.5
# Solutions further apart differ in so many features that each takes the solver longer.
MAX_GROWTH, MAX_STRIDE = 2.0, 4


def trace_by_chords(tracer: PathTracer, alphas: Iterable[float]) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved under another loss, and where a chord is as good as never good enough.
    """
    if not tracer.term.exact or tracer.settings.tol <= TIGHT:
        return tracer.trace(alphas)
    alphas = [float(alpha) for alpha in alphas]
    points: list[PathPoint] = []
    stride, last = Stride(), Knot(np.inf, tracer.place)
    while len(points) < len(alphas):
        *skipped, alpha = alphas[len(points) : len(points) + stride.length]
        point = tracer.solve(alpha)
        first, last = last, Knot(alpha, tracer.place)
        between = _between(tracer, first, last, skipped)
        if between:
            tracer.return_to(last)
        for new in (*between, point):
            tracer.tell(new)
            points.append(new)
        stride.learn(between)
    return points


class Stride:
    """How many alphas further to solve next: `length`.

    Where not even the alpha between two others can be left out, it is not tried again for a while,
    which gets longer each time.
    """

    def __init__(self) -> None:
        self.length = 1
        self._pause = self._left = 0

    def learn(self, between: Sequence[PathPoint]) -> None:
        """From what became of the alphas that were left out last."""
        if not between:
            self._left -= 1
            self.length = 1 if self._left > 0 else 2
        elif not any(point.sweeps for point in between):
            self._pause = 0
            self.length = max(2, min(MAX_STRIDE, int(self.length * _growth(between))))
        elif self.length > 2:
            self.length = 2
        else:
            self.length = 1
            self._pause = self._left = 2 * self._pause + 1


def _growth(between: Sequence[PathPoint]) -> float:
    """How much longer a chord may be, given points of one that was good enough."""
    gap = max(point.gap for point in between)
    room = ROOM * between[0].gap_asked
    return MAX_GROWTH if gap * MAX_GROWTH**ORDER <= room else float((room / gap) ** (1.0 / ORDER))


def _between(
    tracer: PathTracer, first: Knot, last: Knot, alphas: Sequence[float]
) -> list[PathPoint]:
    """The solutions at alphas between two knots."""
    if not alphas:
        return []
    chord = Chord(tracer, first, last)
    points = [chord.at(alpha) for alpha in alphas]
    if all(point.converged for point in points):
        return points
    middle = len(alphas) // 2
    tracer.return_to(last, first)
    point = tracer.solve(alphas[middle])
    knot = Knot(alphas[middle], tracer.place)
    before = _between(tracer, first, knot, alphas[:middle])
    return [*before, point, *_between(tracer, knot, last, alphas[middle + 1 :])]


class Chord:
    """The chord between two knots of a path; arrays hold the ends, on the support of either."""

    def __init__(self, tracer: PathTracer, first: Knot, last: Knot) -> None:
        self.tracer, self.ends = tracer, (first, last)
        features = tracer.working_set.features
        theta = np.zeros((2, features.size))
        for row, knot in zip(theta, self.ends, strict=True):
            row[:] = knot.place.grown(features.size).theta
        self.support = np.flatnonzero((theta != 0.0).any(axis=0))
        self.features = features[self.support]
        self.theta = theta[:, self.support]
        self.z = np.stack([self._correlations(knot) for knot in self.ends])
        self.slack = np.maximum(*(knot.place.slack[self.features] for knot in self.ends))
        self.levels = [max(knot.place.level, knot.alpha) for knot in self.ends]

    def _correlations(self, knot: Knot) -> Float64:
        """z on the support at an end; exact, too, of features that were not admitted yet."""
        z = knot.place.z[self.features]
        late = self.support >= knot.place.theta.size
        if late.any():
            columns = self.tracer.working_set.columns
            z[late] = columns.correlations(knot.place.state.residual)[self.support[late]]
        return z

    def at(self, alpha: float) -> PathPoint:
        """The point of the chord at an alpha between its ends, with its gap."""
        tracer, (first, last) = self.tracer, self.ends
        length = first.alpha - last.alpha
        share = (first.alpha - alpha) / length if length > 0.0 else 0.5
        shares = np.array([1.0 - share, share])
        theta, z = shares @ self.theta, shares @ self.z
        level = sum(
            part * end for part, end in zip(shares.tolist(), self.levels, strict=True) if part
        )
        if tracer.settings.ridge_ratio and self.support.size:
            weights = tracer.settings.penalty_weights[self.features]
            pull = z - tracer.ridge(alpha, self.features) * theta
            ranges = reach(pull, self.slack, weights, tracer.settings.positive)
            level = max(level, float(ranges.max()))
        states = first.place.state, last.place.state

        def divergence(kappa: float) -> float:  # or less, as it is convex
            return float(shares @ [state.divergence(kappa) for state in states])

        certificate = tracer.certify(alpha, self.features, theta, z, self.slack, level, divergence)
        intercept = states[0].intercept
        return tracer.point(alpha, self.support, theta, intercept, certificate)
