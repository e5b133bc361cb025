"""A whole path: solved at some of its alphas, interpolated between them where that is good enough.

Under squared loss, take the solutions theta_0 at alpha_0 and theta_1 at alpha_1, and at an alpha
between them, (1 - t) alpha_0 + t alpha_1, the *interpolation* (1 - t) theta_0 + t theta_1. Its
residual is interpolated, too, and so is z, so that |z_j| <= w_j alpha where it was at the ends:
feasible for the dual problem as it is, and the gap is

    sum_j (w_j alpha |theta_j| - z_j theta_j),

which takes no pass over X, and nothing that grows with p. As the path is piecewise linear in alpha,
only features that enter or leave between the ends contribute, and they of the second order in the
distance. Where the breakpoints next to the ends are known, these are ends as well (`breakpoints`):
then only what happens between them contributes. If that is not good enough, the alpha in the middle
is solved, and there are two interpolations. The finish does that from the interpolated point, which
has nearly the right face; only if that fails is it solved from an end.

Under another loss, interpolate on a logarithmic scale of alpha, on which these paths are nearly
straight. The gap is not known from the ends: the residual has to be computed, and correlations with
it. Still that is less than half of what a solution costs, and where it is not good enough, it is a
close start. The gap grows with the square of the distance, and changes slowly along the path. So it
tells how many alphas to go at a time, and for how long interpolation is not worth trying.

References
----------
J. Giesen, M. Jaggi and S. Laue, Approximating parameterized convex optimization problems, ACM
Transactions on Algorithms 9 (2012) 10:1-10:17.
E. Ndiaye, T. Le, O. Fercoq, J. Salmon and I. Takeuchi, Safe grid search with optimal complexity,
ICML 2019.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from math import log, prod
from operator import neg
from typing import Any, TypeGuard

import numpy as np

from .._datafit.newton import CurvedTerm
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64
from .._penalties.duality_gap import Certificate
from .._penalties.l1 import complementarity, feasible_alpha
from .breakpoints import has_breakpoints, is_on_line, joined
from .path_point import path_point
from .predictor import SolvedPoint
from .progress import PathPoint
from .saturation import Enough, Saturates, never
from .tracer import PathTracer, Tracer

# The tolerance from which on every alpha is solved whose solution is not known: below, an
# interpolation is hardly ever good enough (constants.py).
TIGHT = 1e-9
# So many alphas from one solved one to the next, fewer where the support is large, which is when
# each of these costs more than all else: the more, the fewer are solved, until the ends differ in
# too many features. Interpolation makes paths 1.7 to 2.5 times faster at 1e-4. Where all between
# two were good enough they are more from there on, up to the longest: 12 took 5 to 10 % less time
# than 6 did on wide data (constants.py).
STRIDE, SHORT_STRIDE, LONGEST_STRIDE = 6, 4, 12
# The same beyond a known breakpoint, where the lines of either side meet as a rule. With 24 paths
# of 13 and 30 features take a tenth less time than with 12, and others the same (constants.py).
# What has to be on a line is not sought beyond it while it is not found there: 2 in place of 1 took
# 1.1 to 1.4 times as long with 100 to 285 features.
SHORTEST_BEYOND, LONGEST_BEYOND = 2, 24
LARGE_SUPPORT = 100
# After so many lines with no alpha on them, one in so many is looked for, where nothing else helps:
# 4 saves a tenth of paths with 285 features, and costs those with 10 to 30 nothing.
FEW_LINES = 4
# The gap of an interpolation over half the distance is smaller by some factor up to this, as a
# rule; a larger one tries interpolations in vain, a smaller one solves in vain (constants.py).
HALVED = 8.0
# Alphas from one solution to the next: more interpolated points, and worse ones (constants.py).
SHORTEST, LONGEST = 2, 4
# An interpolated point that misses the gap by no more than this factor saves work, too, as a start.
# After a worse one, the more alphas are all solved (constants.py).
WORTHWHILE = 2.0
# An alpha that differs from that of a point by this part of itself is the same, and so are the
# features: at a breakpoint one of them has a coefficient that is nothing but rounding. A numerical
# limit.
SAME = 1e-12
TINY = 1e-300
# Instead of an infinite alpha, no part of which is a number.
HUGE = float(np.finfo(np.float64).max)


def trace_interpolated(
    tracer: Tracer, alphas: Iterable[float], enough: Enough = never
) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved where interpolation is as good as never good enough, and where there is no
    L1 penalty.
    """
    if not isinstance(tracer, PathTracer):
        return tracer.trace(alphas)
    exact = tracer.problem.settings.tol <= TIGHT
    interpolation = LinearInterpolation(tracer, exact, growing=enough is never)
    return [*walk_some(tracer, alphas, interpolation, enough)]


def trace_exactly(tracer: Tracer, alphas: Iterable[float]) -> list[PathPoint]:
    """The same, each of them solved, or on the line that a solution moves along."""
    return [*walk_exactly(tracer, alphas)] if _goes_by_lines(tracer) else tracer.trace(alphas)


def walk_exactly(tracer: Tracer, alphas: Iterable[float]) -> Iterator[PathPoint]:
    """The same, one after the other, as long as they are asked for."""
    if _goes_by_lines(tracer):
        return walk_some(tracer, alphas, LinearInterpolation(tracer, True))
    return (point for alpha in alphas for point in tracer.trace([alpha]))


def _goes_by_lines(tracer: Tracer) -> TypeGuard[PathTracer]:
    """Whether solutions move along lines that are known."""
    return isinstance(tracer, PathTracer) and has_breakpoints(tracer.problem)


class LinearInterpolation:
    """Between solved points of a path, as far apart as the last ones allowed.

    If `exact`, only what is on the line of a solution is not solved itself. Unless `growing`, they
    are no more than STRIDE alphas apart: the path may end at one.
    """

    def __init__(self, tracer: PathTracer, exact: bool, growing: bool = True) -> None:
        self.tracer, self.exact, self.growing = tracer, exact, growing
        self._length = 1 if exact else STRIDE
        self._short_lines = 0  # one after the other, up to here

    def reached(self, alpha: float) -> SolvedPoint:
        """The solution that has just been found, with its breakpoints if they are worth it."""
        self._short_lines += 1
        if self.exact and self._short_lines > FEW_LINES and self._short_lines % FEW_LINES:
            return SolvedPoint(alpha, self.tracer.iterate)
        return self.tracer.solved_point(alpha)

    def stride(self, last: SolvedPoint, alphas: Sequence[float]) -> int:
        """How many of the alphas that are left to go from a solved point to the next."""
        if last.breakpoints is not None:
            known = bisect_right(alphas, -last.breakpoints[0].alpha, key=neg)
            if known:
                self._short_lines = 0
            return known + self._length
        if self.exact:
            return 1
        return SHORT_STRIDE if last.iterate.support.size > LARGE_SUPPORT else self._length

    def between(
        self, first: SolvedPoint, last: SolvedPoint, alphas: Sequence[float]
    ) -> list[PathPoint]:
        """The solutions at alphas between two solved points."""
        if not alphas:
            return []
        points = self._between(first, last, alphas, 0.0)
        shortest, longest = STRIDE, LONGEST_STRIDE
        if last.breakpoints is not None:
            shortest, longest = 1 if self.exact else SHORTEST_BEYOND, LONGEST_BEYOND
        if any(point.sweeps for point in points):
            self._length = max(shortest, self._length // 2)
        elif self.growing:
            self._length = min(longest, self._length + (self._length + 1) // 2)
        return points

    def _between(
        self, first: SolvedPoint, last: SolvedPoint, alphas: Sequence[float], expected: float
    ) -> list[PathPoint]:
        """The same, given the gap expected in the middle; it goes down to zero towards the ends."""
        if not alphas:
            return []
        interpolation = Interpolation(self.tracer, joined(first, last))
        before: list[PathPoint] = []
        after: list[PathPoint] = []
        begin, end = 0, len(alphas)
        if first.breakpoints is not None or self._hopes(interpolation, alphas, expected):
            theta, certificates = interpolation.certified(alphas)
            begin, end = self._missed(first, last, alphas, certificates)
            before, after = (
                [*map(interpolation.point, alphas[part], theta[part], certificates[part])]
                for part in (slice(begin), slice(end, None))
            )
            if begin == end:
                return [*before, *after]
            expected = certificates[(begin + end) // 2].gap
        middle = (begin + end) // 2
        self.tracer.return_to(last, first)
        point, expected = interpolation.solve(alphas[middle]), expected / HALVED
        solved = self.tracer.solved_point(alphas[middle])
        return [
            *before,
            *self._between(first, solved, alphas[begin:middle], expected),
            point,
            *self._between(solved, last, alphas[middle + 1 : end], expected),
            *after,
        ]

    def _missed(
        self,
        first: SolvedPoint,
        last: SolvedPoint,
        alphas: Sequence[float],
        certificates: Sequence[Certificate],
    ) -> tuple[int, int]:
        """From where to where interpolation between two points is not good enough."""
        certifier = self.tracer.problem.certifier
        missed = [
            at
            for at, (alpha, certificate) in enumerate(zip(alphas, certificates, strict=True))
            if not certifier.suffices(certificate)
            or (self.exact and not is_on_line(first, last, alpha))
        ]
        return (missed[0], missed[-1] + 1) if missed else (len(alphas), len(alphas))

    def _hopes(
        self, interpolation: Interpolation, alphas: Sequence[float], expected: float
    ) -> bool:
        """Whether the middle may be good enough, with an expected gap half way to the ends."""
        if not expected:
            return True
        fractions = interpolation.fractions(alphas[len(alphas) // 2])
        gap_tol = self.tracer.problem.certifier.gap_tol
        return expected * 4.0 * prod(fractions) <= gap_tol


def walk_some(
    tracer: PathTracer,
    alphas: Iterable[float],
    interpolation: LinearInterpolation | LogInterpolation,
    enough: Enough = never,
) -> Iterator[PathPoint]:
    """Solve at the first alpha and each that is a stride ahead; find those between.

    One after the other, as long as they are asked for. The path ends before the last alpha at a
    solution that is `enough`.
    """
    left = [float(alpha) for alpha in alphas]
    point, last = tracer.solve(left[0]), interpolation.reached(left[0])
    tracer.tell(point)
    yield point
    left = left[1:]
    while left and not (point.converged and enough(last)):
        *skipped, alpha = left[: interpolation.stride(last, left)]
        point = tracer.solve(alpha)
        first, last = last, interpolation.reached(alpha)
        found = interpolation.between(first, last, skipped)
        if found:
            tracer.return_to(last)
        left = left[len(skipped) + 1 :]
        for new in (*found, point):
            tracer.tell(new)
            yield new


class Interpolation:
    """Between two or more points of a path; arrays hold these, on the support of any."""

    def __init__(self, tracer: PathTracer, ends: Sequence[SolvedPoint]) -> None:
        self.tracer, self.problem, self.ends = tracer, tracer.problem, ends
        features = self.problem.working_set.features
        theta: Any = np.zeros((len(ends), features.size))
        for row, end in zip(theta, self.ends, strict=True):
            row[: end.iterate.theta.size] = end.iterate.theta
        self._alphas = [end.alpha for end in ends]
        self.support = theta.any(axis=0).nonzero()[0]
        self.features = features[self.support]
        self.theta = theta[:, self.support]

    def certified(self, alphas: Sequence[float]) -> tuple[Float64, list[Certificate]]:
        """The coefficients at some alphas between the ends, as rows, and their certificates.

        That is `certify`, for squared loss at all of them at once.
        """
        penalty, ends, at = self.problem.penalty, self.ends, np.array(alphas)
        fractions = np.array([self.fractions(alpha) for alpha in alphas])
        theta, z = fractions @ self.theta, fractions @ [self._correlations(end) for end in ends]
        rounding = CorrelationRounding(max(end.iterate.rounding.residual_scale for end in ends))
        errors = rounding.of(self.problem.design.rounding, self.features)
        feasible = [min(max(end.iterate.feasible_alpha, end.alpha), HUGE) for end in ends]
        squares = [end.iterate.state.square for end in ends]  # between them it is less: convexity
        feasible_alphas, squares = np.array([feasible, squares]) @ fractions.T
        weights = penalty.weights[self.features]
        lambdas = np.multiply.outer(at, weights)
        if penalty.ridge_ratio and self.support.size:
            ridge = penalty.ridge_ratio * lambdas
            z -= ridge * theta
            squares += (ridge * theta**2).sum(axis=1)
            own = feasible_alpha(z, errors, weights, penalty.positive).max(axis=1)
            feasible_alphas = np.maximum(feasible_alphas, own)
        kappa = at / np.maximum(feasible_alphas, at)
        gaps = complementarity(lambdas, kappa[:, None] * z, theta)
        gaps += 0.5 * (1.0 - kappa) ** 2 * squares
        certifier, columns = self.problem.certifier, (gaps, kappa, np.abs(theta) @ errors)
        hidden = max(end.iterate.hidden + certifier.doubt(end.alpha, end.iterate) for end in ends)
        rows = np.array(certifier.with_hidden(columns, hidden)).T.tolist()
        return theta, [Certificate(*row) for row in rows]

    def _correlations(self, end: SolvedPoint) -> Float64:
        """z on the support at an end; exact, too, of features that were not admitted yet."""
        iterate, working_set = end.iterate, self.problem.working_set
        z = iterate.z[self.features]
        if iterate.theta.size < working_set.features.size:
            late = self.support >= iterate.theta.size
            if late.any():
                of_all = working_set.columns.correlations(iterate.state.residual)
                z[late] = of_all[self.support[late]]
        return z

    def point(self, alpha: float, theta: Float64, certificate: Certificate) -> PathPoint:
        """What is returned of coefficients on the support."""
        certifier, intercept = self.problem.certifier, self.ends[0].iterate.state.intercept
        support = self.support
        if np.count_nonzero(theta) < theta.size:  # some are not zero elsewhere
            on = theta.nonzero()[0]
            support, theta = support[on], theta[on]
        return path_point(certifier, alpha, support, theta, intercept, certificate)

    def solve(self, alpha: float) -> PathPoint:
        """The solution there, from the interpolated point."""
        values = np.array(self.fractions(alpha)) @ self.theta
        return self.tracer.solve_from(alpha, self.support, values)

    def fractions(self, alpha: float) -> list[float]:
        """Of which parts of the points an alpha is the mean: of its two neighbours."""
        alphas, after = self._alphas, 1
        while after < len(alphas) - 1 and alphas[after] >= alpha:
            after += 1
        before, length = alphas[after - 1], alphas[after - 1] - alphas[after]
        part = (before - alpha) / length if length > 0.0 else 0.5
        if min(part, 1.0 - part) * length <= SAME * alpha:
            part = float(round(part))
        fractions = [0.0] * len(alphas)
        fractions[after - 1], fractions[after] = 1.0 - part, part
        return fractions


def trace_log_interpolated(
    tracer: Tracer, term: CurvedTerm, alphas: Iterable[float], early_stop: bool = False
) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved where there is no L1 penalty; with `early_stop` the others end where the
    fit is saturated.
    """
    if not isinstance(tracer, PathTracer):
        return tracer.trace(alphas)
    interpolation, enough = LogInterpolation(tracer, term), never
    if early_stop:
        enough = Saturates(term.scale, tracer.problem.settings.tol)
    return [*walk_some(tracer, alphas, interpolation, enough)]


class LogInterpolation:
    """Between solved points of a path, as far apart as the gaps so far allow."""

    def __init__(self, tracer: PathTracer, term: CurvedTerm) -> None:
        self.tracer, self.term = tracer, term
        self._length, self._paused = SHORTEST, 1.0

    def reached(self, alpha: float) -> SolvedPoint:
        """The solution that has just been found."""
        return SolvedPoint(alpha, self.tracer.iterate)

    def stride(self, last: SolvedPoint, alphas: Sequence[float]) -> int:
        """How many alphas to go from a solved point to the next."""
        return 1 if self._paused > 0.0 else self._length

    def between(
        self, first: SolvedPoint, last: SolvedPoint, alphas: Sequence[float]
    ) -> list[PathPoint]:
        """The solutions at alphas between two solved points."""
        points, worst = [], 0.0  # the worst interpolated gap, as a part of the tolerance
        for alpha in alphas:
            self.tracer.return_to(last, first)
            point = self._interpolated(first, last, alpha)
            worst = max(worst, point.gap / max(point.gap_tol, TINY))
            if not point.converged:
                point = self.tracer.solve(alpha)
                first = SolvedPoint(alpha, self.tracer.iterate)
            points.append(point)
        if points:
            length = self._length / np.sqrt(max(worst, TINY))
            self._length = int(np.clip(length, SHORTEST, LONGEST))
        self._paused = worst - WORTHWHILE if points else self._paused - 1.0
        return points

    def _interpolated(self, first: SolvedPoint, last: SolvedPoint, alpha: float) -> PathPoint:
        """Go to the interpolation between two solved points, from the last; what it is worth."""
        length = log(first.alpha / last.alpha)
        fraction = log(first.alpha / alpha) / length if length > 0.0 else 0.5
        end = self.tracer.iterate.theta
        theta = (1.0 - fraction) * first.iterate.grown(end.size).theta + fraction * end
        state = self.term.interpolate(first.iterate.state, last.iterate.state, fraction)
        return self.tracer.move_to(alpha, theta, theta.nonzero()[0], state)
