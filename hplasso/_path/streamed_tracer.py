"""The tracer of a curved loss on data in blocks: all of its penalties in each pass."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .._numerics.rounding import ROUNDING, SOLVED
from .._numerics.typing import Float64
from .progress import PathPoint
from .settings import PathSettings
from .streamed_model import StreamedLoss
from .streamed_newton import Newton, Steps, run_together
from .tracer import Tracer

# Features without penalty are fitted this well before a grid begins, as a part of the loss.
UNPENALISED_TOL = 1e-12


class StreamedTracer(Tracer):
    """Walks along a path by passes.

    Attributes
    ----------
    newton : Newton
    """

    def __init__(
        self, loss: StreamedLoss, settings: PathSettings, start: Float64 | None = None
    ) -> None:
        self.loss, self.settings = loss, settings
        self.newton = Newton(loss, settings, start)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha."""
        point: PathPoint = self._run(self.newton.steps([alpha]))[0]
        return point

    def trace(self, alphas: Iterable[float]) -> list[PathPoint]:
        """Solve at all alphas."""
        points: list[PathPoint] = self._run(self.newton.steps([float(alpha) for alpha in alphas]))
        listener = self.settings.listener
        for point in points:
            if listener is not None:
                listener.point(point)
        return points

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero."""
        penalty, weights = self.settings.penalty, self.settings.penalty.weights
        penalised = (weights > 0.0) & (self.loss.lengths > 0.0)
        null, room = self._run(self.newton.balanced()), np.zeros(weights.size)
        if (weights == 0.0).any():
            bounds = self.loss.lengths[penalised] * np.sqrt(null.length) / weights[penalised]
            quiet = Newton(self.loss, replace(self.settings, tol=UNPENALISED_TOL))
            (solved,) = self._run(quiet.progress([2.0 * float(bounds.max(initial=0.0))]))
            null = solved.best
            room = SOLVED * ROUNDING * self.loss.lengths * np.sqrt(null.length)
        sizes = penalty.abs_correlation(null.z) + room
        return float(np.max(sizes[penalised] / weights[penalised], initial=0.0))

    def _run(self, steps: Steps) -> Any:
        """Go through steps, a pass for each."""
        evaluate = self.loss.evaluate
        (result,) = run_together([steps], lambda requests: {0: evaluate(requests[0])})
        return result
