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

from collections.abc import Iterable

import numpy as np

from .._datafit.newton import LogisticTerm
from .predictor import SolvedPoint
from .progress import PathPoint
from .tracer import PathTracer, Tracer

# Alphas from one solution to the next: more interpolated points, and worse ones (constants.py).
SHORTEST, LONGEST = 2, 4
# An interpolated point that misses the gap by no more than this factor saves work, too, as a start.
# After a worse one, the more alphas are all solved (constants.py).
WORTHWHILE = 2.0
TINY = 1e-300


def trace_by_means(tracer: Tracer, term: LogisticTerm, alphas: Iterable[float]) -> list[PathPoint]:
    """The solutions at decreasing alphas, certified; the listener hears of each in turn.

    Every alpha is solved where there is no L1 penalty.
    """
    if not isinstance(tracer, PathTracer):
        return tracer.trace(alphas)
    alphas = [float(alpha) for alpha in alphas]
    points, last = [tracer.solve(alphas[0])], SolvedPoint(alphas[0], tracer.iterate)
    tracer.tell(points[0])
    length, paused = SHORTEST, 1.0
    while len(points) < len(alphas):
        *skipped, alpha = alphas[len(points) : len(points) + (1 if paused > 0.0 else length)]
        point = tracer.solve(alpha)
        first, last = last, SolvedPoint(alpha, tracer.iterate)
        between, worst = _between(tracer, term, first, last, skipped)
        if skipped:
            tracer.return_to(last)
            length = int(np.clip(length / np.sqrt(max(worst, TINY)), SHORTEST, LONGEST))
            paused = worst - WORTHWHILE
        else:
            paused -= 1.0
        for new in (*between, point):
            tracer.tell(new)
            points.append(new)
    return points


def _between(
    tracer: PathTracer,
    term: LogisticTerm,
    first: SolvedPoint,
    last: SolvedPoint,
    alphas: list[float],
) -> tuple[list[PathPoint], float]:
    """The solutions at alphas between two solved points; the worst interpolated gap over tol."""
    points, worst = [], 0.0
    for alpha in alphas:
        tracer.return_to(last, first)
        point = _move_to_interpolated(tracer, term, first, last, alpha)
        worst = max(worst, point.gap / max(point.gap_tol, TINY))
        if not point.converged:
            point = tracer.solve(alpha)
            first = SolvedPoint(alpha, tracer.iterate)
        points.append(point)
    return points, worst


def _move_to_interpolated(
    tracer: PathTracer, term: LogisticTerm, first: SolvedPoint, last: SolvedPoint, alpha: float
) -> PathPoint:
    """Go to the interpolation between two solved points, from the last; what it is worth."""
    length = float(np.log(first.alpha / last.alpha))
    fraction = float(np.log(first.alpha / alpha)) / length if length > 0.0 else 0.5
    end = tracer.iterate.theta
    theta = (1.0 - fraction) * first.iterate.grown(end.size).theta + fraction * end
    state = term.interpolate(first.iterate.state, last.iterate.state, fraction)
    return tracer.move_to(alpha, theta, theta.nonzero()[0], state)
