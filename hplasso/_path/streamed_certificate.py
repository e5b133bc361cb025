"""What sums over blocks say of a curved loss at some coefficients, and the certificate from them.

With z = Z'r and s = sum v r, T = sum v x D and M = sum v D (`loss_sums`), the model of the loss is
that of `newton`, the intercepts b eliminated,

    H = B - T M^+ T',    z' = z - T delta,    delta = M^+ s.

Where b is not at its optimum, r' = r - D delta balances, and has the correlations z'; so kappa r'
is feasible for the dual problem. What that costs is bounded from the same sums, and is of second
order: certificates need no pass of their own, and nothing of the length of the data is ever in one
place.

The divergence of kappa r'. Of the losses here third derivatives are no larger than second ones, in
the direction of the output (they are *self-concordant* in the sense of Bach 2010). If the residual
changes by D_i tau_i and |tau_i| <= 1/2 for all i, the divergence is at most 2 log 2 sum_i v_i
tau_i'D_i tau_i; here tau_i = (1 - kappa) D_i^+ r_i + kappa delta. (Of several outputs |tau| is the
range, and the divergence that of Kullback and Leibler, at most sum_i v_i tau_i'D_i tau_i.) It is
also convex in the residual: at most kappa times that of r', plus 1 - kappa times that of zero,
which is L.

References
----------
F. Bach, Self-concordant analysis for logistic regression, Electronic Journal of Statistics 4 (2010)
384-414.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np

from .._datafit.loss_sums import LossSums
from .._datafit.newton import scale_of
from .._design.correlations import ALL
from .._numerics.linalg import inverse_root
from .._numerics.rounding import ROUNDING, SOLVED
from .._numerics.typing import Float64
from .._penalties.duality_gap import Certificate, ridged_gap
from .._penalties.l1 import L1Penalty, complementarity, penalty_value

# The bound of the divergence holds while residuals change by no more than this part of their
# curvatures, and its factor for that.
REACH, FACTOR = 0.5, 2.0 * log(2.0)


class Coefficients(NamedTuple):
    """theta of shape (p K,), pairs of features and outputs, and b of shape (K,)."""

    theta: Float64
    intercept: Float64

    def towards(self, other: Coefficients, fraction: float) -> Coefficients:
        """A point on the way to another."""
        theta = self.theta + fraction * (other.theta - self.theta)
        return Coefficients(theta, self.intercept + fraction * (other.intercept - self.intercept))


class View(NamedTuple):
    """What the sums say at one point, the intercepts' imbalance taken out.

    `cost` is s'delta; `square`, `length` and `steepest` are those of `LossSums`; `scale` is the
    unit of gaps, at theta = 0.
    """

    at: Coefficients
    loss: float
    z: Float64
    step: Float64
    cost: float
    slopes: Float64
    root: Float64
    square: float
    length: float
    steepest: float
    scale: float

    def divergence(self, kappa: float) -> float:
        """An upper bound of that of kappa r'."""
        moved = float(np.abs(self.step).max(initial=0.0))
        moved += float(np.abs(self.step).max(initial=0.0)) * (self.step.size > 1)  # its range
        bounds = [np.inf]
        if moved <= REACH:
            bounds.append(kappa * FACTOR * self.cost + (1.0 - kappa) * self.loss)
        if (1.0 - kappa) * self.steepest + kappa * moved <= REACH:
            away = 1.0 - kappa
            bounds.append(
                FACTOR * (away**2 * self.square + kappa * (2.0 * away + kappa) * self.cost)
            )
        return min(bounds)


def view(sums: LossSums, k: int, at: Coefficients, weight: float, fit_intercept: bool) -> View:
    """What the sums say at the k-th point, for data of some weight."""
    K = at.intercept.size
    gradient, slopes = sums.gradients[:, :, k] / weight, sums.slopes[..., k] / weight
    z, T = gradient[:-1].ravel(), slopes[:-1].reshape(-1, K)
    root, step, cost = np.zeros((K, 0)), np.zeros(K), 0.0
    if fit_intercept:
        root = inverse_root(slopes[-1])
        half = root.T @ gradient[-1]
        step, cost = root @ half, float(half @ half)
        z = z - T @ step
    loss, square, length = (
        float(values[k]) / weight for values in (sums.losses, sums.squares, sums.lengths)
    )
    error = ROUNDING * (np.abs(at.intercept) + 1.0)
    scale = scale_of(loss, 0.5 * float(error @ slopes[-1] @ error))
    steepest = float(sums.steepest[k])
    return View(at, loss, z, step, cost, T, root, square, length, steepest, scale)


def eliminated(hessian: Float64, seen: View) -> Float64:
    """H, the intercepts eliminated; below it M^+ T', by which they follow theta."""
    size = seen.z.size
    between = seen.slopes @ seen.root
    return np.concatenate([hessian[:size, :size] - between @ between.T, seen.root @ between.T])


def certificate(seen: View, alpha: float, penalty: L1Penalty, lengths: Float64) -> Certificate:
    """The duality gap of a point, from what is seen there."""
    lam, ridge = penalty.parts(alpha, ALL)
    theta, z = seen.at.theta, seen.z
    errors = ROUNDING * lengths * np.sqrt(seen.length)
    rounding_gap, bounds = float(errors @ np.abs(theta)), []
    free = penalty.weights == 0.0
    if ridge is not None and (np.abs(z) <= SOLVED * errors)[free].all():
        on = ~free
        gap = ridged_gap(lam[on], ridge[on], z[on], theta[on], penalty.positive)
        bounds.append(gap + float(np.abs(z * theta)[free].sum()) + seen.divergence(1.0))
    kappa = 0.0
    if penalty.l1:
        left = z if ridge is None else z - ridge * theta
        feasible = float(penalty.feasible_alpha(left, errors, ALL).max(initial=0.0))
        kappa = alpha / feasible if feasible > alpha else 1.0
        of_ridge = 0.0 if ridge is None else 0.5 * (1.0 - kappa) ** 2 * float(ridge @ theta**2)
        gap = seen.divergence(kappa) + of_ridge
        bounds.append(gap + float(complementarity(lam, kappa * left, theta)))
    bounds.append(seen.loss + penalty_value(theta, lam, ridge))  # r = 0 is feasible
    return Certificate(min(bounds) + rounding_gap, kappa, rounding_gap)
