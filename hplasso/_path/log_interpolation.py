"""A whole path of a curved loss: solved at some of its alphas, log-linear between them.

Between the solutions at alpha_0 and alpha_1, interpolate on a logarithmic scale of alpha, on which
these paths are nearly straight. The gap is not known from the ends, as it is for squared loss
(`interpolation`): the residual has to be computed, and correlations with it. Still that is less
than half of what a solution costs, and where it is not good enough, it is a close start.

The gap of an interpolated point grows with the square of the distance, and changes slowly along the
path. So it tells how many alphas to go at a time, and for how long interpolation is not worth
trying.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .._datafit.newton import CurvedTerm
from .interpolation import trace_some
from .predictor import SolvedPoint
from .progress import PathPoint
from .tracer import PathTracer, Tracer

# Alphas from one solution to the next: more interpolated points, and worse ones (constants.py).
SHORTEST, LONGEST = 2, 4
# An interpolated point that misses the gap by no more than this factor saves work, too, as a start.
# After a worse one, the more alphas are all solved (constants.py).
WORTHWHILE = 2.0
TINY = 1e-300


def trace_by_means(tracer: Tracer, term: CurvedTerm, alphas: Iterable[float]) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved where there is no L1 penalty.
    """
    if not isinstance(tracer, PathTracer):
        return tracer.trace(alphas)
    interpolation = LogInterpolation(tracer, term)
    return trace_some(tracer, alphas, interpolation.stride, interpolation.between)


class LogInterpolation:
    """Between solved points of a path, as far apart as the gaps so far allow."""

    def __init__(self, tracer: PathTracer, term: CurvedTerm) -> None:
        self.tracer, self.term = tracer, term
        self._length, self._paused = SHORTEST, 1.0

    def stride(self, last: SolvedPoint) -> int:
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
        length = float(np.log(first.alpha / last.alpha))
        fraction = float(np.log(first.alpha / alpha)) / length if length > 0.0 else 0.5
        end = self.tracer.iterate.theta
        theta = (1.0 - fraction) * first.iterate.grown(end.size).theta + fraction * end
        state = self.term.interpolate(first.iterate.state, last.iterate.state, fraction)
        return self.tracer.move_to(alpha, theta, theta.nonzero()[0], state)
