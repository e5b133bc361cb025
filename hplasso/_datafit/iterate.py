"""Coefficients on a working set, with the state of the loss and the correlations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index


class Iterate(NamedTuple):
    """Coefficients on the working set, the loss there, and the correlations that they leave.

    `feasible_alpha` is the smallest dual-feasible alpha of all features. Correlations err by
    `rounding`; one below `exact_from` times its penalty weight may be an estimate, whose true value
    is below that as well. Rounding may hide `hidden` from a gap.
    """

    theta: Float64
    support: Index
    state: Any
    z: Float64
    rounding: CorrelationRounding
    hidden: float
    feasible_alpha: float
    exact_from: float

    def grown(self, size: int) -> Iterate:
        """With zeros for the features that the working set has gained since."""
        if self.theta.size == size:
            return self
        theta = np.zeros(size)
        theta[: self.theta.size] = self.theta
        return Iterate(theta, *self[1:])

    def dense(self, features: Index) -> Float64:
        """The coefficients of all features, (p,), given those of the working set."""
        theta = np.zeros(self.z.size)
        theta[features[self.support]] = self.theta[self.support]
        return theta

    def on(self, kept: Index) -> Iterate:
        """On the positions that are kept of the working set, which hold the support."""
        theta = self.theta[kept]
        return self._replace(theta=theta, support=theta.nonzero()[0])
