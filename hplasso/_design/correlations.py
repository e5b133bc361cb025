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

import numpy as np

from .._numerics.typing import Float64, Index
from .multi_output import AnyDesign
from .working_set import WorkingSet

ALL = slice(None)
# A numerical limit: a part of the older residual that is smaller than this, relatively, is
# rounding.
NEGLIGIBLE = 1e-10


class Correlations:
    """Correlations for one residual after the other.

    The two residuals that are kept span what `_basis`, of shape (2, n), spans, in orthogonal rows;
    `_images`, of shape (2, p), holds the correlations of those rows.
    """

    def __init__(self, design: AnyDesign) -> None:
        n, p = design.shape
        self.design = design
        self._basis, self._images = np.empty((0, n)), np.empty((0, p))
        self._squares = self._rounding_norms = np.empty(0)
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
        if limit is None:
            return self._pass(residual), ALL
        design = self.design
        coefficients = (self._basis @ residual) / self._squares
        remainder = residual - coefficients @ self._basis
        z = coefficients @ self._images
        rounding = self._rounding * float(np.abs(coefficients) @ self._rounding_norms)
        error = sqrt(remainder @ remainder) + rounding
        abs_correlation = z if positive else np.abs(z)
        doubtful = (abs_correlation >= limit - error * self._longest).nonzero()[0]
        doubtful = doubtful[working_set.position[doubtful] < 0]
        if doubtful.size:
            least = limit[doubtful] if isinstance(limit, np.ndarray) else limit
            bounds = abs_correlation[doubtful] + error * design.column_norms[doubtful]
            doubtful = doubtful[bounds >= least]
        if doubtful.size > design.cheap_columns:
            return self._pass(residual), ALL
        z[working_set.features] = working_set.columns.correlations(residual)
        if not doubtful.size:
            return z, working_set.features
        z[doubtful] = design.read(doubtful, residual)
        return z, np.concatenate([working_set.features, doubtful])

    def _pass(self, residual: Float64) -> Float64:
        """z by a pass over X; keep this residual and the last one."""
        z, square = self.design.correlations(residual), float(residual @ residual)
        if square == 0.0:
            return z
        norm = sqrt(square)
        kept = [(residual, z, square, norm)]
        if len(self._basis):
            last = self._basis[0]
            coefficient, length = float(last @ residual) / square, sqrt(last @ last)
            other = last - coefficient * residual
            remainder = float(other @ other)
            if remainder > (NEGLIGIBLE * length) ** 2:
                image = self._images[0] - coefficient * z
                kept.append((other, image, remainder, length + abs(coefficient) * norm))
        self._basis, self._images, self._squares, self._rounding_norms = (
            np.array(parts) for parts in zip(*kept, strict=True)
        )
        return z
