"""Certification where there is a ridge penalty and no L1 penalty.

With e = z - P theta = -grad f the gap is 1/2 sum_j e_j^2 / rho_j, as the residual is feasible for
the dual problem as it is. Of a feature without any penalty, or with so little that rounding of z_j
alone would spoil the gap, e_j has to vanish but for rounding; if it has a penalty, e_j counts
unless the rounding of z_j alone explains it.
"""

from __future__ import annotations

import numpy as np

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._numerics.typing import Float64, Mask
from .._penalties.duality_gap import Certificate
from .._penalties.l1 import SOLVED
from .certification import Certifier, rounding_errors

# A part of the loss without features that rounding of a single correlation may add to the gap: a
# numerical limit, some units of rounding.
SPOILT = 1e-15


class RidgeCertifier(Certifier):
    """Where there is no L1 penalty."""

    def of_iterate(self, alpha: float, iterate: Iterate, refined: bool = False) -> Certificate:
        """The certificate of an iterate: all but worthless where a feature without penalty counts.

        That is where its correlation is not zero to rounding. If the residual was `refined`, it is
        that of another dual point, which differs by rounding: what that explains of z_j is not
        missing from rho_j theta_j.
        """
        ridge, on = self.penalty.ridge(alpha, ALL), self.working_set.features[iterate.support]
        errors, sizes = rounding_errors(iterate.rounding, self.design, ALL), np.zeros(ridge.size)
        sizes[on] = np.abs(iterate.theta[iterate.support])
        gradient = np.maximum(iterate.z, 0.0) if self.penalty.positive else iterate.z.copy()
        gradient[on] = iterate.z[on] - ridge[on] * iterate.theta[iterate.support]
        gradient, weighed = np.abs(gradient), weighed_features(self, ridge, errors)
        if (gradient > SOLVED * errors)[~weighed].any():
            value = iterate.state.loss + 0.5 * float(ridge @ sizes**2)
            return self.with_hidden(Certificate(value, 0.0, 0.0), iterate.hidden)
        counted = weighed | ((ridge > 0.0) & (gradient > errors))
        half_inverse = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=counted)
        sizes[weighed | (refined & (ridge > 0.0))] = 0.0
        gap = float(half_inverse @ gradient**2 + gradient @ sizes)
        left = np.where(weighed, 2.0 * errors, gradient)  # what rounding leaves of the equations
        rounding_gap = float(half_inverse @ left**2 + errors @ sizes)
        return self.with_hidden(Certificate(gap, 1.0, rounding_gap), iterate.hidden)

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """All, if a penalty is too small to mean something beside rounding."""
        ridge = self.penalty.ridge(alpha, ALL)
        errors = rounding_errors(iterate.rounding, self.design, ALL)
        too_small = ~weighed_features(self, ridge, errors)
        hidden = self.hidden_by_unpenalised(iterate)
        hidden = np.inf if too_small[ridge > 0.0].any() else hidden
        return hidden if hidden > self.negligible else 0.0


def weighed_features(certifier: Certifier, ridge: Float64, rounding_error: Float64) -> Mask:
    """Which features have a penalty that means something beside rounding."""
    return np.asarray(rounding_error**2 < SPOILT * certifier.term.scale * ridge)
