"""The penalty of groups: alpha sum_g w_g |theta_g|, with Euclidean norms of groups of coefficients.

Coefficients are matrices (p, T), for p features and T targets; a group is some features, and has
their coefficients of all targets. With z = -grad of the loss, theta is optimal where

    z_g = alpha w_g theta_g / |theta_g|  on the support,        |z_g| <= alpha w_g  off it.

A group of weight zero is not penalised. Under theta >= 0, for one target, the positive parts of z
take the place of z in the second condition, and the first holds for what is not zero.

References
----------
M. Yuan and Y. Lin, Model selection and estimation in regression with grouped variables, Journal of
the Royal Statistical Society B 68 (2006) 49-67.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._numerics.typing import Float64, Index, Mask
from .l1 import feasible_alpha


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
    """

    groups: Index
    weights: Float64
    positive: bool = False

    @cached_property
    def order(self) -> Index:
        """The features, group by group."""
        return np.argsort(self.groups, kind="stable")

    def in_order(self, chosen: Mask) -> Index:
        """Some features, by a mask (p,), group by group."""
        return self.order[chosen[self.order]]

    def correlations(self, z: Float64) -> Float64:
        """|z_g| of all groups, (n_groups,), for z (p, T): what is compared with the limits."""
        return self.norms(np.maximum(z, 0.0) if self.positive else z)

    def groups_of(self, features: Index) -> Mask:
        """The groups that have some of these features, by a mask."""
        on = np.zeros(self.weights.size, dtype=bool)
        on[self.groups[features]] = True
        return on

    def norms(self, values: Float64) -> Float64:
        """|values_g| of all groups, (n_groups, ...), for values (p, T, ...) of all features."""
        squares = (values**2).sum(axis=1)[self.order]
        return np.sqrt(np.add.reduceat(squares, self._first, axis=0))

    def sums_of(self, features: Index, values: Float64) -> Float64:
        """The sums of values (k, T) of some features over each group, (n_groups,)."""
        sums = np.bincount(self.groups[features], values.sum(axis=1), self.weights.size)
        return sums.astype(np.float64)  # of no features, too

    def nonzero(self, features: Index, theta: Float64) -> tuple[Index, Float64]:
        """Of some features with coefficients (k, T), those that are not zero, as whole groups.

        Under theta >= 0 a feature counts by itself.
        """
        if self.positive:
            on = theta[:, 0] > 0.0
            return features[on], theta[on]
        on = (self.sums_of(features, theta**2) > 0.0)[self.groups[features]]
        return features[on], theta[on]

    @cached_property
    def _first(self) -> Index:
        """Where in the order each group begins."""
        sizes = np.bincount(self.groups, minlength=self.weights.size)
        return np.cumsum(sizes) - sizes

    def feasible_alpha(self, norms: Float64, errors: Float64) -> Float64:
        """The smallest alpha at which each group is feasible, rounding of |z_g| set aside."""
        weights = None if (self.weights == 1.0).all() else self.weights
        return feasible_alpha(norms, errors, weights, positive=True)
