"""The duality gap: how far, at most, the objective is from its minimum.

With the loss L(Z theta) of residual r = -grad L, z = Z'r and penalties lambda_j, the point kappa r
is feasible for the dual problem when kappa |z_j| <= lambda_j for all j (kappa z_j <= lambda_j under
theta >= 0). The dual's value there, taken from the objective, leaves

    gap = [L + L*(-kappa r) + kappa r'Z theta]  +  sum_j (lambda_j |theta_j| - kappa z_j theta_j),

a sum of terms that are none of them negative: no cancellation, so a gap of 1e-15 means something.
The bracket, the *divergence*, is zero for kappa = 1: 1/2 (1 - kappa)^2 ||r||^2 for squared loss,
the Kullback-Leibler divergence of probabilities for logistic loss. A ridge term 1/2 rho_j theta_j^2
is squared loss once more, of residual -sqrt(rho_j) theta_j: z_j becomes z_j - rho_j theta_j.
It bounds f(theta) - min f, and confines the dual optimum to a ball around kappa r of radius
sqrt(2 gap): a feature that cannot reach its penalty inside the ball is certainly zero.

A correlation is known only to rounding; what exceeds its limit by less (`rounding_error`) counts as
on it.

References
----------
O. Fercoq, A. Gramfort and J. Salmon, Mind the duality gap: safer rules for the Lasso, ICML 2015.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._numerics.typing import Float64, Mask
from .l1 import complementarity


class Certificate(NamedTuple):
    """The duality gap, and what goes with it.

    `kappa` makes the residual feasible for the dual; `rounding_gap` is what rounding may contribute
    to the gap: nothing below it can be reached.
    """

    gap: float
    kappa: float
    rounding_gap: float


def certify(
    alpha: float,
    feasible_alpha: float,
    penalty: Float64,
    rounding_error: Float64,
    z: Float64,
    theta: Float64,
    divergence: Callable[[float], float],
) -> Certificate:
    """The certificate of coefficients theta; all arrays on the support, of shape (s,).

    `feasible_alpha` is the largest `feasible_alpha` of all features, on the support or not.
    """
    kappa = alpha / feasible_alpha if feasible_alpha > alpha else 1.0
    gap = divergence(kappa) if kappa < 1.0 else 0.0
    gap += float(complementarity(penalty, kappa * z, theta))
    return Certificate(gap, kappa, float(rounding_error @ np.abs(theta)))


def ridged_gap(
    penalty: Float64, ridge: Float64, z: Float64, theta: Float64, positive: bool
) -> float:
    """The gap at kappa = 1 with the ridge apart, and not as squared loss; z = Z'r, of all features.

    sum_j lambda_j |theta_j| + rho_j/2 theta_j^2 - z_j theta_j + (|z_j| - lambda_j)_+^2 / (2 rho_j):
    of second order in what correlations exceed their limits by.
    """
    size, inward = np.abs(theta), np.sign(theta) * z - penalty
    along = (inward > 0.0) & (ridge > 0.0)
    over = np.maximum((z if positive else np.abs(z)) - penalty, 0.0)
    gradient = np.where(along, inward - ridge * size, over)
    gap = np.divide(gradient**2, 2.0 * ridge, out=np.zeros_like(z), where=ridge > 0.0)
    gap += np.where(along, 0.0, size * np.abs(0.5 * ridge * size - inward))
    return float(gap.sum())


def certainly_zero(
    penalty: Float64, z: Float64, lengths: Float64, certificate: Certificate, positive: bool
) -> Mask:
    """The features that every solution has at zero (gap-safe sphere rule)."""
    abs_correlation = z if positive else np.abs(z)
    radius = np.sqrt(2.0 * certificate.gap)
    return np.asarray(certificate.kappa * abs_correlation + lengths * radius < penalty)
