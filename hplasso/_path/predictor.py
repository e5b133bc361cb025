"""Places of a path, and what the last two alphas that were solved say of the next.

While the support stays the same, coefficients and correlations of a lasso are linear in alpha; what
comes of going on like that is where to start, and whom to expect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._datafit.iterate import Iterate
from .._numerics.typing import Float64, Index, Mask


class SolvedPoint(NamedTuple):
    """An alpha, and the place that is the solution there."""

    alpha: float
    iterate: Iterate


class Predictor:
    """The last two knots, or fewer."""

    def __init__(self) -> None:
        self._predictor: list[SolvedPoint] = []

    def add(self, solved_point: SolvedPoint, before: SolvedPoint | None = None) -> None:
        """Remember a knot, in place of an earlier one at the same alpha; and the one before it."""
        others = [other for other in self._predictor if other.alpha != solved_point.alpha]
        self._predictor = [*(others[-1:] if before is None else [before]), solved_point]

    def live(self, size: int) -> Mask:
        """What is not zero in either, of a working set of this size."""
        live = np.zeros(size, dtype=bool)
        for solved_point in self._predictor:
            live[solved_point.iterate.support] = True
        return live

    def prune(self, kept: Index, size: int) -> None:
        """Number the coordinates anew, as those that are kept of a working set of this size."""
        self._predictor = [
            SolvedPoint(alpha, iterate.grown(size).on(kept)) for alpha, iterate in self._predictor
        ]

    def can_predict(self, alpha: float) -> bool:
        """Whether there are two, of decreasing alpha, and this one is further on, or between."""
        return (
            len(self._predictor) == 2
            and max(self._predictor[1].alpha, alpha) < self._predictor[0].alpha
        )

    def between(self, alpha: float) -> SolvedPoint | None:
        """The knot before the last, if it is on the other side of an alpha that they lead to."""
        if not self.can_predict(alpha) or alpha <= self.alpha:
            return None
        return self._predictor[0]

    def fraction(self, alpha: float, logarithmic: bool = False) -> float:
        """How far beyond the last an alpha is, in units of the distance of the two."""
        (before, _), (last, _) = self._predictor
        if logarithmic:
            return float(np.log(alpha / last) / np.log(last / before))
        return (alpha - last) / (last - before)

    def correlations(self, alpha: float, features: Index | slice = slice(None)) -> Float64:
        """z of some features at an alpha that the two lead to, if it goes on linearly."""
        (_, first), (_, second) = self._predictor
        z = second.z[features]
        return z + self.fraction(alpha) * (z - first.z[features])

    def change(self, theta: Float64) -> Float64:
        """How theta, on the working set, differs from that of the knot before the last."""
        return theta - self._predictor[0].iterate.grown(theta.size).theta

    @property
    def alpha(self) -> float:
        """The last."""
        return self._predictor[-1].alpha
