"""A whole path: solved at some of its alphas, and on the chords between these where they will do.

Under squared loss, take the solutions theta_0 at alpha_0 and theta_1 at alpha_1, and at an alpha
between them, (1 - t) alpha_0 + t alpha_1, the point of their *chord*, (1 - t) theta_0 + t theta_1.
Its residual is the same mean of theirs, and so is z, so that |z_j| <= w_j alpha where it was at the
ends: feasible for the dual problem as it is, and the gap is

    sum_j (w_j alpha |theta_j| - z_j theta_j),

which takes no pass over X, and nothing that grows with p. As the path is piecewise linear in alpha,
only features that enter or leave between the ends contribute, and they of the second order in the
distance. If that is not good enough, the alpha in the middle is solved, and there are two chords.
The finish (`finish`) does that from the point of the chord, which has nearly the right face; only
if that fails is it solved from an end.

References
----------
J. Giesen, M. Jaggi and S. Laue, Approximating parameterized convex optimization problems, ACM
Transactions on Algorithms 9 (2012) 10:1-10:17.
E. Ndiaye, T. Le, O. Fercoq, J. Salmon and I. Takeuchi, Safe grid search with optimal complexity,
ICML 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64
from .._penalties.duality_gap import Certificate, complementarity, feasible_alpha
from .predictor import SolvedPoint
from .progress import PathPoint
from .tracer import PathTracer

# The tolerance from which on every alpha is solved.
TIGHT = 1e-9
# The ends are so many alphas apart; further, they would differ in too many features. Fewer, where
# the support is large, which is when each of these costs more than all else.
STRIDE, SHORT_STRIDE = 6, 4
LARGE_SUPPORT = 100
# A chord of half the length has a gap that is smaller by some factor up to this, as a rule.
HALVED = 8.0
# Instead of an infinite level, none of which is a mean's share.
HUGE = float(np.finfo(np.float64).max)


def trace_by_chords(tracer: PathTracer, alphas: Iterable[float]) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved where a chord is as good as never good enough, and where there is no L1
    penalty.
    """
    if tracer.settings.tol <= TIGHT or not tracer.settings.l1:
        return tracer.trace(alphas)
    alphas = [float(alpha) for alpha in alphas]
    points, last = [tracer.solve(alphas[0])], SolvedPoint(alphas[0], tracer.iterate)
    tracer.tell(points[0])
    while len(points) < len(alphas):
        large = last.iterate.support.size > LARGE_SUPPORT
        length = SHORT_STRIDE if large else STRIDE
        *skipped, alpha = alphas[len(points) : len(points) + length]
        point = tracer.solve(alpha)
        first, last = last, SolvedPoint(alpha, tracer.iterate)
        between = _between(tracer, first, last, skipped)
        if between:
            tracer.return_to(last)
        for new in (*between, point):
            tracer.tell(new)
            points.append(new)
    return points


def _between(
    tracer: PathTracer,
    first: SolvedPoint,
    last: SolvedPoint,
    alphas: Sequence[float],
    expected: float = 0.0,
) -> list[PathPoint]:
    """The solutions at alphas between two knots, whose chord is expected to have this gap.

    In its middle, that is; it goes down to zero towards the ends.
    """
    if not alphas:
        return []
    interpolation, middle = Interpolation(tracer, first, last), len(alphas) // 2
    early, alpha, late = alphas[:middle], alphas[middle], alphas[middle + 1 :]
    if expected * 4.0 * interpolation.fractions(alpha).prod() <= tracer.certifier.gap_tol:
        theta, certificates = interpolation.certified(alphas)
        if all(map(tracer.certifier.suffices, certificates)):
            return [*map(interpolation.point, alphas, theta, certificates)]
        expected = certificates[middle].gap
    tracer.return_to(last, first)
    point, expected = interpolation.solve(alpha), expected / HALVED
    solved_point = SolvedPoint(alpha, tracer.iterate)
    return [
        *_between(tracer, first, solved_point, early, expected),
        point,
        *_between(tracer, solved_point, last, late, expected),
    ]


class Interpolation:
    """The chord between two knots of a path; arrays hold the ends, on the support of either."""

    def __init__(self, tracer: PathTracer, first: SolvedPoint, last: SolvedPoint) -> None:
        self.tracer, self.ends = tracer, (first, last)
        features = tracer.working_set.features
        theta = np.zeros((2, features.size))
        for row, solved_point in zip(theta, self.ends, strict=True):
            row[: solved_point.iterate.theta.size] = solved_point.iterate.theta
        self.support = ((theta[0] != 0.0) | (theta[1] != 0.0)).nonzero()[0]
        self.features = features[self.support]
        self.theta = theta[:, self.support]

    def certified(self, alphas: Sequence[float]) -> tuple[Float64, list[Certificate]]:
        """The coefficients at some alphas between the ends, as rows, and their certificates.

        That is `certify`, for squared loss at all of them at once.
        """
        settings, ends, at = self.tracer.settings, self.ends, np.array(alphas)
        fractions = self.fractions(at)
        theta, z = fractions @ self.theta, fractions @ [self._correlations(end) for end in ends]
        certifier = self.tracer.certifier
        rounding = CorrelationRounding(max(end.iterate.rounding.residual_scale for end in ends))
        rounding_error = certifier.rounding_error(rounding, self.features)
        ends_feasible = [min(max(end.iterate.feasible_alpha, end.alpha), HUGE) for end in ends]
        squares = [end.iterate.state.square for end in ends]  # that of a mean is less, by convexity
        feasible_alphas, squares = np.array([ends_feasible, squares]) @ fractions.T
        weights = settings.penalty_weights[self.features]
        penalty = np.multiply.outer(at, weights)
        if settings.ridge_ratio and self.support.size:
            ridge = settings.ridge_ratio * penalty
            z -= ridge * theta
            squares += (ridge * theta**2).sum(axis=1)
            feasible_alphas = np.maximum(
                feasible_alphas,
                feasible_alpha(z, rounding_error, weights, settings.positive).max(axis=1),
            )
        kappa = np.divide(at, feasible_alphas, out=np.ones_like(at), where=feasible_alphas > at)
        gaps = complementarity(penalty, kappa[:, None] * z, theta)
        gaps += 0.5 * (1.0 - kappa) ** 2 * squares
        columns = (array.tolist() for array in (gaps, kappa, np.abs(theta) @ rounding_error))
        hidden = max(end.iterate.hidden + certifier.doubt(end.alpha, end.iterate) for end in ends)
        return theta, [
            certifier.honest(Certificate(*row), hidden) for row in zip(*columns, strict=True)
        ]

    def _correlations(self, solved_point: SolvedPoint) -> Float64:
        """z on the support at an end; exact, too, of features that were not admitted yet."""
        z = solved_point.iterate.z[self.features]
        if solved_point.iterate.theta.size < self.tracer.working_set.features.size:
            late = self.support >= solved_point.iterate.theta.size
            columns = self.tracer.working_set.columns
            if late.any():
                z[late] = columns.correlations(solved_point.iterate.state.residual)[
                    self.support[late]
                ]
        return z

    def point(self, alpha: float, theta: Float64, certificate: Certificate) -> PathPoint:
        """What is returned of coefficients on the support."""
        intercept = self.ends[0].iterate.state.intercept
        return self.tracer.certifier.point(alpha, self.support, theta, intercept, certificate)

    def solve(self, alpha: float) -> PathPoint:
        """The solution there, from the point of the chord."""
        return self.tracer.solve_from(alpha, self.support, self.fractions(alpha) @ self.theta)

    def fractions(self, alpha: Any) -> Float64:
        """1 - t and t at one alpha, or at several, as rows."""
        first, last = self.ends
        length = first.alpha - last.alpha
        fraction = (first.alpha - alpha) / length if length > 0.0 else np.full_like(alpha, 0.5)
        return np.array([1.0 - fraction, fraction]).T
