"""The correlations z = Z'r of all features, with X read only where they may reach their penalty.

A pass over X costs the most of all steps on wide data. The residuals of one path are much alike:
with r0 any combination of residuals whose correlations are known, and z0 the same combination of
those,

    |z_j - z0_j| = |x_j'(r - r0)| <= |x_j| |r - r0|                  (Cauchy and Schwarz),

so that z0_j tells on which side of its penalty z_j is, for all features except a few; these are
read by themselves. If they are many, a pass over X is made, and its residual replaces the older of
the two that are kept. As r is piecewise linear in alpha, combinations of two residuals come very
close: some ten to sixty passes serve a path of a hundred alphas.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from .._numerics.blocks import slices
from .._numerics.typing import NOBODY, Float64, Index
from .multi_output import AnyDesign
from .working_set import WorkingSet

ALL = slice(None)
# A numerical limit: a part of the older residual that is smaller than this, relatively, is
# rounding.
NEGLIGIBLE = 1e-10


class Kept(NamedTuple):
    """A residual, its correlations, its squared length, and about that of what it was made of."""

    residual: Float64
    z: Float64
    square: float
    size: float


class Correlations:
    """Correlations for one residual after the other.

    Two are kept, orthogonal to each other: the last one that X was read for, and what is left of
    the one before.
    """

    def __init__(self, design: AnyDesign) -> None:
        self.design = design
        self._kept: list[Kept] = []
        self._longest = float(design.column_norms.max(initial=0.0))
        # Rounding error of a correlation, relative to the column norm.
        with np.errstate(invalid="ignore"):
            self._rounding = float(np.nanmax(design.rounding / design.column_norms, initial=0.0))

    def at(
        self,
        residual: Float64,
        working_set: WorkingSet,
        limit: Float64 | float | None = None,
        positive: bool = False,
    ) -> tuple[Float64, Index | slice]:
        """z of shape (p,), where each z_j is exact, or estimated and sure to be below its limit.

        Exact are those of the working set and those that may reach the limit (|z_j|, or z_j if
        `positive`); without a limit all are. These features are returned, too.
        """
        near = None if limit is None else self._near(residual, working_set, limit, positive)
        if near is None:
            return self._pass(residual), ALL
        z, doubtful = near
        z[working_set.features] = working_set.columns.correlations(residual)
        if not doubtful.size:
            return z, working_set.features
        z[doubtful] = self.design.read(doubtful, residual)
        return z, np.concatenate([working_set.features, doubtful])

    def _near(
        self, residual: Float64, working_set: WorkingSet, limit: Float64 | float, positive: bool
    ) -> tuple[Float64, Index] | None:
        """Estimates, and the other features that may reach their limit; None if these are many."""
        remainder, rounding, parts = residual, 0.0, []
        for kept in self._kept:
            part = float(kept.residual @ residual) / kept.square
            remainder = remainder - part * kept.residual
            rounding += self._rounding * abs(part) * kept.size
            parts.append((part, kept.z))
        error, room = sqrt(remainder @ remainder) + rounding, self.design.cheap_columns
        z, doubtful = np.empty(self.design.shape[1]), []
        for where in slices(z.size, 1):  # in a cache, and no further than there is room
            estimate = np.zeros(where.stop - where.start)
            for part, values in parts:
                estimate += part * values[where]
            z[where] = estimate
            size = estimate if positive else np.abs(estimate)
            least = limit[where] if isinstance(limit, np.ndarray) else limit
            on = (size >= least - error * self._longest).nonzero()[0]
            on = on[working_set.position[where][on] < 0]
            if not on.size:
                continue
            if isinstance(least, np.ndarray):
                least = least[on]
            on = on[size[on] + error * self.design.column_norms[where][on] >= least]
            doubtful.append(where.start + on)
            room -= on.size
            if room < 0:
                return None
        return z, np.concatenate([NOBODY, *doubtful])

    def _pass(self, residual: Float64) -> Float64:
        """z by a pass over X; keep this residual and what the last one has beside it."""
        z, square = self.design.correlations(residual), float(residual @ residual)
        if square == 0.0:
            return z
        kept = [Kept(residual, z, square, sqrt(square))]
        if self._kept:
            last = self._kept[0]
            part = float(last.residual @ residual) / square
            other = last.residual - part * residual
            remainder = float(other @ other)
            if remainder > (NEGLIGIBLE * last.size) ** 2:
                image = part * z
                np.subtract(last.z, image, out=image)
                kept.append(Kept(other, image, remainder, last.size + abs(part) * kept[0].size))
        self._kept = kept
        return z
