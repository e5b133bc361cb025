"""A grouping: which group each feature is in, and what follows for values of features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._numerics.typing import Float64, Index, Mask


@dataclass(frozen=True, eq=False)
class Grouping:
    """Features in groups, in any order.

    Attributes
    ----------
    groups : ndarray of shape (p,)
        The number of each feature's group, from 0 on.
    n_groups : int
    """

    groups: Index
    n_groups: int

    @cached_property
    def order(self) -> Index:
        """The features, group by group."""
        return np.argsort(self.groups, kind="stable")

    @cached_property
    def _first(self) -> Index:
        """Where in the order each group begins."""
        sizes = np.bincount(self.groups, minlength=self.n_groups)
        return np.cumsum(sizes) - sizes

    def in_order(self, chosen: Mask) -> Index:
        """Some features, by a mask (p,), group by group."""
        return self.order[chosen[self.order]]

    def of(self, features: Index) -> Mask:
        """The groups that have some of these features, by a mask."""
        on = np.zeros(self.n_groups, dtype=bool)
        on[self.groups[features]] = True
        return on

    def norms(self, values: Float64) -> Float64:
        """|values_g| of all groups, (n_groups, ...), for values (p, T, ...) of all features."""
        squares = (values**2).sum(axis=1)[self.order]
        return np.sqrt(np.add.reduceat(squares, self._first, axis=0))

    def sums(self, features: Index, values: Float64) -> Float64:
        """The sums of values (k, T) of some features over each group, (n_groups,)."""
        sums = np.bincount(self.groups[features], values.sum(axis=1), self.n_groups)
        return sums.astype(np.float64)  # of no features, too
