"""What the last two solved penalties of a path say of the next: a predictor, as in a homotopy.

While the support stays the same, coefficients and correlations of a lasso are linear in alpha.
Going on along that line gives a start for the next alpha, and the features that will enter.
"""

from __future__ import annotations

from math import log
from typing import Any, NamedTuple

import numpy as np

from .._datafit.iterate import Iterate
from .._numerics.typing import Float64, Index, Mask


class SolvedPoint(NamedTuple):
    """An alpha, the iterate that is the solution there, and the breakpoints below and above."""

    alpha: float
    iterate: Iterate
    breakpoints: Any = None


class Predictor(NamedTuple):
    """The last two solved points, or fewer; those of larger alpha first where it can predict."""

    points: tuple[SolvedPoint, ...] = ()

    def add(self, point: SolvedPoint, before: SolvedPoint | None = None) -> Predictor:
        """With one point more, in place of an earlier one at the same alpha; and the one before."""
        if before is not None:
            return Predictor((before, point))
        others = [other for other in self.points if other.alpha != point.alpha]
        return Predictor((*others[-1:], point))

    def live(self, size: int) -> Mask:
        """What is not zero in either point, of a working set of this size."""
        live = np.zeros(size, dtype=bool)
        for point in self.points:
            live[point.iterate.support] = True
        return live

    def prune(self, kept: Index, size: int) -> Predictor:
        """With the positions `kept` of a working set of this size, numbered anew."""
        return Predictor(
            tuple(
                SolvedPoint(point.alpha, point.iterate.grown(size).on(kept))
                for point in self.points
            )
        )

    def can_predict(self, alpha: float) -> bool:
        """Whether there are two points, of decreasing alpha, and this alpha is below the first."""
        points = self.points
        return len(points) == 2 and max(points[1].alpha, alpha) < points[0].alpha

    def bracketing(self, alpha: float) -> SolvedPoint | None:
        """The first point, if this alpha is between the two."""
        between = self.can_predict(alpha) and alpha > self.alpha
        return self.points[0] if between else None

    def fraction(self, alpha: float, logarithmic: bool = False) -> float:
        """How far beyond the last point an alpha is, in units of the distance of the two."""
        before, last = (point.alpha for point in self.points)
        if logarithmic:
            return log(alpha / last) / log(last / before)
        return (alpha - last) / (last - before)

    def correlations(self, alpha: float, features: Index | slice = slice(None)) -> Float64:
        """z of some features at an alpha, linear through the two points."""
        first, second = (point.iterate for point in self.points)
        z = second.z[features]
        return z + self.fraction(alpha) * (z - first.z[features])

    def change(self, theta: Float64) -> Float64:
        """How theta, on the working set, differs from that of the first point."""
        return theta - self.points[0].iterate.grown(theta.size).theta

    @property
    def alpha(self) -> float:
        """That of the last point."""
        return self.points[-1].alpha
