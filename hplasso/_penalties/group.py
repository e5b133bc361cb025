"""The penalty of groups: norms of groups of coefficients, and of single ones.

    alpha sum_g w_g (1 - ratio) |theta_g|  +  alpha ratio sum_j |theta_j|,

with Euclidean norms of groups. Coefficients are matrices (p, T), for p features and T targets; a
group is some features, and has their coefficients of all targets. With z = -grad of the loss, and
lambda_g and lambda_1 for the penalties, theta is optimal where, with the soft threshold S,

    z_j = lambda_g theta_j / |theta_g| + lambda_1 sign(theta_j)       on the support,
    |S(z_g, lambda_1)| <= lambda_g                                    of groups that are zero,
    |z_j| <= lambda_1                                 at zeros of groups that are not, if ratio > 0.

A group of weight zero is not penalised, nor are its coefficients. Under theta >= 0 the positive
parts of z take the place of z. This, and a ratio above zero, is for one target: then coefficients
can be zero by themselves, `single`.

References
----------
M. Yuan and Y. Lin, Model selection and estimation in regression with grouped variables, Journal of
the Royal Statistical Society B 68 (2006) 49-67.
N. Simon, J. Friedman, T. Hastie and R. Tibshirani, A sparse-group lasso, Journal of Computational
and Graphical Statistics 22 (2013) 231-245.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .._numerics.typing import Float64, Index, Mask
from .grouping import Grouping
from .l1 import feasible_alpha

# Halvings of the interval of an alpha, to rounding: a numerical limit.
MAX_HALVED = 100


@dataclass(frozen=True, eq=False)
class GroupPenalty:
    """The penalty of the module's head.

    Attributes
    ----------
    groups : ndarray of shape (p,)
        The number of each feature's group, from 0 on.
    weights : ndarray of shape (n_groups,)
        w.
    positive : bool
        Whether theta >= 0.
    l1_ratio : float
        The ratio.
    """

    groups: Index
    weights: Float64
    positive: bool = False
    l1_ratio: float = 0.0

    @cached_property
    def grouping(self) -> Grouping:
        """The features of the groups."""
        return Grouping(self.groups, self.weights.size)

    @property
    def single(self) -> bool:
        """Whether coefficients can be zero by themselves, in groups that are not."""
        return self.positive or self.l1_ratio > 0.0

    def limits(self, alpha: float) -> Float64:
        """lambda_g of all groups."""
        return alpha * (1.0 - self.l1_ratio) * self.weights

    def single_limits(self, alpha: float, features: Index | slice) -> Float64:
        """lambda_1 of some features."""
        penalised = (self.weights > 0.0)[self.groups[features]]
        return np.asarray(alpha * self.l1_ratio * penalised, dtype=np.float64)

    def excess(self, z: Float64, alpha: float) -> Float64:
        """What norms of groups are taken of, for z (p, T): |S(z, lambda_1)|, or z itself.

        Under theta >= 0, (z - lambda_1)_+. Where coefficients are zero in whole groups only, z.
        """
        if not self.single:
            return z
        size = z if self.positive else np.abs(z)
        return np.maximum(size - self.single_limits(alpha, slice(None))[:, None], 0.0)

    def correlations(self, z: Float64, alpha: float) -> Float64:
        """What is compared with the limits of all groups, (n_groups,), for z (p, T)."""
        return self.grouping.norms(self.excess(z, alpha))

    def value(self, alpha: float, features: Index, theta: Float64) -> float:
        """The penalty of coefficients (k, T) of some features."""
        lengths = np.sqrt(self.grouping.sums(features, theta**2))
        value = float(self.limits(alpha) @ lengths)
        if self.l1_ratio > 0.0:
            value += float(self.single_limits(alpha, features) @ np.abs(theta[:, 0]))
        return value

    def nonzero(self, features: Index, theta: Float64) -> tuple[Index, Float64]:
        """Of some features with coefficients (k, T), those that are not zero; whole groups.

        Unless coefficients can be zero by themselves.
        """
        on = (self.grouping.sums(features, theta**2) > 0.0)[self.groups[features]]
        if self.single:
            on &= theta[:, 0] != 0.0
        return features[on], theta[on]

    def turned(self, theta: Float64, before: Float64) -> Float64:
        """theta, with zeros where a coefficient has another sign than before, if that matters."""
        return np.where(theta * before < 0.0, 0.0, theta) if self.single else theta

    def feasible_alpha(self, z: Float64, errors: Float64, alpha: float = 0.0) -> float:
        """The smallest alpha, but no less than the one given, at which all groups are feasible.

        Rounding of |z_g|, `errors`, is set aside.
        """
        weights = None if (self.weights == 1.0).all() else self.weights
        norms = self.correlations(z, 0.0)
        largest = float(feasible_alpha(norms, errors, weights, positive=True).max(initial=0.0))
        if self.l1_ratio == 0.0 or largest == np.inf:
            return max(alpha, largest)
        over = self._over(z, errors, alpha)
        if not over.any():
            return alpha
        part, features = self._on(over)
        # Here each group is feasible by one of its two penalties alone.
        highest = norms[over] / np.maximum(self.l1_ratio, part.limits(1.0))
        low, high = alpha, max(alpha, float(highest.max()))
        for _ in range(MAX_HALVED):
            middle = 0.5 * (low + high)
            if not low < middle < high:
                break
            infeasible = part._over(z[features], errors[over], middle).any()
            low, high = (middle, high) if infeasible else (low, middle)
        return high

    def _over(self, z: Float64, errors: Float64, alpha: float) -> Mask:
        """Which penalised groups are not feasible at an alpha."""
        over = self.correlations(z, alpha) - errors > self.limits(alpha)
        return np.asarray(over & (self.weights > 0.0))

    def _on(self, chosen: Mask) -> tuple[GroupPenalty, Index]:
        """That of some groups, by a mask, and their features."""
        features = self.grouping.in_order(chosen[self.groups])
        number = np.cumsum(chosen) - 1
        groups, weights = number[self.groups[features]], self.weights[chosen]
        return replace(self, groups=groups, weights=weights), features
