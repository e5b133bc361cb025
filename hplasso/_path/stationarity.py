"""Losses that are not convex: how far coefficients are from the optimality conditions.

There is no dual problem then, and no gap. What can be known of coefficients is their *KKT
residual*, the largest of

    |z_j - rho_j theta_j - lambda_j sign(theta_j)|    on the support,
    |z_j| - lambda_j                                  off it (z_j - lambda_j under theta >= 0),
    |sum_i v_i r_i|                                   for the intercept.

Where it is zero the coefficients are stationary: a local minimum, as a rule, and no more is
claimed. So that the path's driver can weigh it against an objective, it is counted in units in
which that of coefficients that are all zero, without a penalty, is the loss there.
"""

from typing import Any

import numpy as np

from .._datafit.base import DataTerm
from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._penalties.duality_gap import Certificate
from .certification import Certifier, L1Certifier, RidgeCertifier
from .progress import Measure
from .settings import PathSettings


class StationarityCertifier(Certifier):
    """Judges coefficients by their KKT residual, which takes the place of a gap."""

    measure = Measure.KKT_RESIDUAL

    def __init__(
        self, term: Any, working_set: WorkingSet, design: AnyDesign, settings: PathSettings
    ) -> None:
        super().__init__(term, working_set, design, settings)
        self._imbalance = term.imbalance
        largest = np.abs(design.correlations(term.null_state.residual)).max(initial=0.0)
        self.unit = float(largest) / term.scale if largest and term.scale else 1.0

    def of_iterate(self, alpha: float, iterate: Iterate) -> Certificate:
        """The KKT residual; of what correlations are known to be below their limit, nothing."""
        on, values = self.working_set.features[iterate.support], iterate.theta[iterate.support]
        penalty, ridge = self.penalty.parts(alpha, ALL)
        errors = iterate.rounding.of(self.design.rounding, ALL)
        left = self.penalty.abs_correlation(iterate.z) - penalty
        gradient = iterate.z[on] - penalty[on] * np.sign(values)
        left[on] = np.abs(gradient if ridge is None else gradient - ridge[on] * values)
        left += errors
        residual = max(float(left.max(initial=0.0)), self._imbalance(iterate.state))
        return Certificate(residual / self.unit, 1.0, float(errors.max(initial=0.0)) / self.unit)

    def of_refined(self, alpha: float, iterate: Iterate, divergence: float) -> Certificate:
        """Nothing: without a dual problem the residual is that of the coefficients."""
        return Certificate(np.inf, 0.0, 0.0)

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        return 0.0


def certifier_for(
    l1: bool, term: DataTerm, working_set: WorkingSet, design: AnyDesign, settings: PathSettings
) -> Certifier:
    """The certifier of a loss, and of a penalty with an L1 part, or none at all."""
    if not term.convex:
        return StationarityCertifier(term, working_set, design, settings)
    kind = L1Certifier if l1 else RidgeCertifier
    return kind(term, working_set, design, settings)
