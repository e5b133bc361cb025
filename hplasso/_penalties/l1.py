"""The L1 penalty with weights, signs and a ridge part, and what it says of correlations.

    alpha sum_j w_j (|theta_j| + ratio/2 theta_j^2) + ridge_weight/2 sum_j w_j theta_j^2,

under theta >= 0 if it is `positive`. With z = -grad of the loss, lambda_j = alpha w_j and the ridge
penalties rho_j, theta is optimal where z_j - rho_j theta_j = lambda_j sign(theta_j) on the support
and |z_j| <= lambda_j off it (z_j <= lambda_j under theta >= 0).

What decides for a feature by itself is a method here; `duality_gap` puts it together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._numerics.rounding import SOLVED
from .._numerics.typing import Float64, Index


@dataclass(frozen=True, eq=False)
class L1Penalty:
    """The penalty of the module's head; `weights` w has shape (p,).

    Where `ridge_ratio` is infinite there is no L1 part, and a coefficient costs
    alpha w_j / 2 theta_j^2.
    """

    weights: Float64
    ridge_ratio: float = 0.0
    positive: bool = False
    ridge_weight: float = 0.0

    @cached_property
    def l1(self) -> bool:
        """Whether there is an L1 part."""
        return self.ridge_ratio < np.inf

    @cached_property
    def ridged(self) -> bool:
        """Whether there is a ridge part."""
        return self.ridge_ratio > 0.0 or self.ridge_weight > 0.0

    @cached_property
    def unequal_weights(self) -> Float64 | None:
        """The weights; None where all are one."""
        return None if (self.weights == 1.0).all() else self.weights

    @cached_property
    def all_penalised(self) -> bool:
        """Whether no weight is zero."""
        return bool(self.weights.all())

    def ridge_alone(self, weight: float) -> L1Penalty:
        """The ridge part alone, of this weight, whatever alpha is."""
        return L1Penalty(self.weights, 0.0, self.positive, weight)

    def ridge(self, alpha: float, features: Index | slice) -> Float64:
        """rho_j of some features."""
        weight = alpha * self.ridge_ratio + self.ridge_weight if self.l1 else alpha
        return weight * self.weights[features]

    def parts(self, alpha: float, features: Index | slice) -> tuple[Float64, Float64 | None]:
        """lambda_j and rho_j of some features; no rho where there is no ridge part."""
        ridge = self.ridge(alpha, features) if self.ridged else None
        return (alpha if self.l1 else 0.0) * self.weights[features], ridge

    def limit(self, alpha: float) -> Float64 | float:
        """What |z_j| may come to at zero: one number for all features, or one for each.

        That is for an L1 part.
        """
        return alpha if self.unequal_weights is None else alpha * self.weights

    def abs_correlation(self, z: Float64) -> Float64:
        """What is compared with the limit: |z|, or z under theta >= 0."""
        return z if self.positive else np.abs(z)

    def feasible_alpha(
        self, z: Float64, rounding_error: Float64, features: Index | slice
    ) -> Float64:
        """The smallest alpha at which each of some features is feasible, rounding set aside."""
        weights = self.unequal_weights
        weights = None if weights is None else weights[features]
        return feasible_alpha(z, rounding_error, weights, self.positive)


def feasible_alpha(
    z: Float64, rounding_error: Float64, weights: Float64 | None, positive: bool
) -> Float64:
    """(|z_j| - rounding_error_j) / w_j: the smallest alpha at which z_j is feasible.

    Where w_j = 0, no alpha is (inf), or any (-inf) if the solver left no more there than its own
    rounding. No weights: all are one.
    """
    excess = z - rounding_error if positive else np.abs(z) - rounding_error
    if weights is None:
        return excess
    if weights.all():
        return excess / weights
    solved = excess <= SOLVED * rounding_error
    unpenalised = np.where(solved, -np.inf, np.inf)
    return np.divide(excess, weights, out=unpenalised, where=weights > 0.0)


def penalty_value(theta: Float64, penalty: Float64, ridge: Float64 | None) -> float:
    """sum_j lambda_j |theta_j| + rho_j/2 theta_j^2."""
    value = float(penalty @ np.abs(theta))
    return value if ridge is None else value + 0.5 * float(ridge @ theta**2)


def complementarity(penalty: Float64, z: Float64, theta: Float64) -> Float64:
    """The sum over j, the last axis, of lambda_j |theta_j| - z_j theta_j, none of it negative."""
    return np.asarray(np.abs(penalty * np.abs(theta) - z * theta).sum(axis=-1))
