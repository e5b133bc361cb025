"""Rounding of inner products, and sums that are rounded once, however much cancels in them.

References
----------
T. J. Dekker, A floating-point technique for extending the available precision, Numerische
Mathematik 18 (1971) 224-242.
J. R. Shewchuk, Adaptive precision floating-point arithmetic and fast robust geometric predicates,
Discrete & Computational Geometry 18 (1997) 305-363.
"""

from math import fsum
from typing import NamedTuple

import numpy as np

from .typing import NOBODY, NOTHING, Float64, Index

# Inner products of n terms were seen to err by at most about one unit of rounding times the lengths
# of the two vectors; a margin of four on top.
UNIT = float(np.finfo(np.float64).eps)
ROUNDING = 4.0 * UNIT
# Solving for a coefficient without penalty leaves its correlation at zero up to some hundred
# times the rounding of the correlation itself: a numerical limit.
SOLVED = 1e3
# Numbers that are held as Python floats at a time: a limit of memory (some 10 MB).
AT_A_TIME = 2**17


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


def exact_sums(left: Float64, right: Float64, more: Float64) -> Float64:
    """left @ right + more, rounded once."""
    product = left * right
    (high, low), (other_high, other_low) = _halves(left), _halves(right)
    low_part = high * other_high - product
    low_part += high * other_low
    low_part += low * other_high
    low_part += low * other_low
    sums = np.empty(len(more))
    step = max(1, AT_A_TIME // max(2 * len(right), 1))
    for start in range(0, len(more), step):
        where = slice(start, start + step)
        terms = np.column_stack([more[where], product[where], low_part[where]])
        sums[where] = [fsum(row) for row in terms.tolist()]
    return sums


def _halves(values: Float64) -> tuple[Float64, Float64]:
    """Values as sums of two with half the digits."""
    large = (2.0**27 + 1.0) * values
    high = large - (large - values)
    return high, values - high
