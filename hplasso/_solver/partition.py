"""A partition of the features of a restricted problem into groups, which stand one by one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._numerics.typing import Float64, Index, Mask


class Partition:
    """Groups of k features, each a run of them.

    Attributes
    ----------
    first : ndarray of shape (n_groups,)
        Where each group begins.
    size : int
        k.
    """

    def __init__(self, first: Index, size: int) -> None:
        self.first, self.size = first, size

    @classmethod
    def of_groups(cls, groups: Index) -> Partition:
        """That of features in groups of these numbers, in increasing order."""
        return cls(np.flatnonzero(np.diff(groups, prepend=-1)), groups.size)

    @cached_property
    def sizes(self) -> Index:
        """How many features a group has."""
        return np.diff(np.append(self.first, self.size))

    @cached_property
    def groups(self) -> Index:
        """The group of each feature, (k,)."""
        return np.repeat(np.arange(self.first.size), self.sizes)

    def part(self, group: int) -> slice:
        """The features of a group."""
        return slice(self.first[group], self.first[group] + self.sizes[group])

    def sums(self, values: Float64) -> Float64:
        """S'values: the sums over the features of each group, along the first axis."""
        if self.first.size == self.size:
            return values
        return np.asarray(np.add.reduceat(values, self.first, axis=0))

    def products(self, matrix: Float64, v: Float64) -> Float64:
        """S' (matrix o v v') S, for a matrix (k, k) and v (k, T)."""
        return self.sums(self.sums(matrix * (v @ v.T)).T)

    def norms(self, theta: Float64) -> Float64:
        """|theta_g|, for theta (k, T)."""
        return np.sqrt(self.sums((theta**2).sum(axis=1)))

    def directions(self, theta: Float64) -> Float64:
        """u_g = theta_g / |theta_g|, one below the other, (k, T); zero where theta_g is zero."""
        norms = self.norms(theta)[self.groups, None]
        return np.divide(theta, norms, out=np.zeros_like(theta), where=norms > 0.0)

    def on(self, rows: Mask) -> tuple[Partition, Index]:
        """That of some features, by a mask; and which of the groups are left."""
        groups = self.groups[rows]
        partition = Partition.of_groups(groups)
        return partition, groups[partition.first]
