"""Places of a path, and what the last two alphas that were solved say of the next.

While the support stays the same, coefficients and correlations of a lasso are linear in alpha; what
comes of going on like that is where to start, and whom to expect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._datafit.iterate import Observation
from .._numerics.typing import Float64, Index, Mask


class Knot(NamedTuple):
    """An alpha, and the place that is the solution there."""

    alpha: float
    place: Observation


class Knots:
    """The last two knots, or fewer."""

    def __init__(self) -> None:
        self._knots: list[Knot] = []

    def add(self, knot: Knot, before: Knot | None = None) -> None:
        """Remember a knot, in place of an earlier one at the same alpha; and the one before it."""
        others = [other for other in self._knots if other.alpha != knot.alpha]
        self._knots = [*(others[-1:] if before is None else [before]), knot]

    def live(self, size: int) -> Mask:
        """What is not zero in either, of a working set of this size."""
        live = np.zeros(size, dtype=bool)
        for knot in self._knots:
            live[knot.place.support] = True
        return live

    def keep(self, kept: Index, size: int) -> None:
        """Number the coordinates anew, as those that are kept of a working set of this size."""
        self._knots = [Knot(alpha, place.grown(size).on(kept)) for alpha, place in self._knots]

    def lead_to(self, alpha: float) -> bool:
        """Whether there are two, of decreasing alpha, and this one is further on, or between."""
        return len(self._knots) == 2 and max(self._knots[1].alpha, alpha) < self._knots[0].alpha

    def between(self, alpha: float) -> Knot | None:
        """The knot before the last, if it is on the other side of an alpha that they lead to."""
        if not self.lead_to(alpha) or alpha <= self.alpha:
            return None
        return self._knots[0]

    def share(self, alpha: float, logarithmic: bool = False) -> float:
        """How far beyond the last an alpha is, in units of the distance of the two."""
        (before, _), (last, _) = self._knots
        if logarithmic:
            return float(np.log(alpha / last) / np.log(last / before))
        return (alpha - last) / (last - before)

    def correlations(self, alpha: float, features: Index | slice = slice(None)) -> Float64:
        """z of some features at an alpha that the two lead to, if it goes on linearly."""
        (_, first), (_, second) = self._knots
        z = second.z[features]
        return z + self.share(alpha) * (z - first.z[features])

    def change(self, theta: Float64) -> Float64:
        """How theta, on the working set, differs from that of the knot before the last."""
        return theta - self._knots[0].place.grown(theta.size).theta

    @property
    def alpha(self) -> float:
        """The last."""
        return self._knots[-1].alpha
