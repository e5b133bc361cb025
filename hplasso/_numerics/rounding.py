"""Rounding of inner products."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .typing import Float64, Index

# Inner products of n terms were seen to err by at most about one unit of rounding times the lengths
# of the two vectors; a margin of four on top.
UNIT = float(np.finfo(np.float64).eps)
ROUNDING = 4.0 * UNIT
NOBODY: Index = np.empty(0, dtype=np.intp)
NOTHING: Float64 = np.empty(0)


class CorrelationRounding(NamedTuple):
    """What rounding may add to correlations: `residual_scale` times the design's rounding.

    Of `special` features, whose columns hold a few values that are far larger than the others, it
    is known better: it is `errors`.
    """

    residual_scale: float
    special: Index = NOBODY
    errors: Float64 = NOTHING

    def of(self, rounding: Float64, features: Index | slice) -> Float64:
        """For some features, given the rounding of all."""
        if not self.special.size:
            return self.residual_scale * rounding[features]
        errors = self.residual_scale * rounding
        errors[self.special] = self.errors
        return errors[features]
