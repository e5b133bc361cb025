"""The working set: the features that take part, and the Gram matrix among them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .._numerics.linalg import GramMatrix, Operator, room_for
from .._numerics.typing import Float64, Index
from .multi_output import AnyDesign


class WorkingSet:
    """Features that take part, in the order in which they came, and the Gram matrix among them.

    A Gram column is computed once, when it is first asked for, and kept along the path and from one
    target to the next. On a Gram matrix that is there already the set is complete: all features
    take part at once.

    Attributes
    ----------
    features : ndarray of shape (k,)
    position : ndarray of shape (p,)
        Position of a feature in `features`, -1 if it is not there.
    columns : Columns
        Their columns; those of a complete set are not there.
    complete : bool
        Whether the Gram matrix is that of all features, and X is not needed any more.
    fixed : bool
        Whether features keep their positions for good, as they have to where targets share them.
    """

    def __init__(self, design: AnyDesign, gram: Float64 | None = None, fixed: bool = False) -> None:
        self.design, self.complete, self.columns = design, gram is not None, design.columns()
        self.fixed = fixed or self.complete
        self._gram = np.empty((0, 0)) if gram is None else gram
        self._known = len(self._gram)
        self.features = np.arange(self._known)
        self.position = np.full(design.shape[1], -1)
        self.position[self.features] = self.features
        self._outer: tuple[Float64, Float64] | None = None

    @property
    def whole(self) -> bool:
        """Whether all features take part."""
        return self.features.size == self.position.size

    @property
    def gram(self) -> Float64:
        """Of shape (k, k)."""
        old, size = self._known, self.features.size
        if size > old:
            if size > len(self._gram):
                grown = np.empty((min(room_for(size), self.position.size),) * 2)
                grown[:old, :old] = self._gram[:old, :old]
                self._gram = grown
            block = self.columns.products(old)
            self._gram[:size, old:size] = block
            self._gram[old:size, :old] = block[:old].T
            self._known = size
        return self._gram[:size, :size]

    @cached_property
    def full(self) -> WorkingSet:
        """One of all features, for problems that have none at zero."""
        full = WorkingSet(self.design, fixed=True)
        full.admit(np.arange(self.position.size))
        return full

    def operator(self, support: Index, ridge: Float64 | None, matrix_free: bool) -> Operator:
        """The Gram matrix; if it may be `matrix_free`, unformed where products cost less then.

        That is on the support that it will be restricted to, and beside the ridge penalty.
        """
        unformed = matrix_free and not self.complete
        operator: Any = self.columns.operator(support, ridge) if unformed else None
        return GramMatrix(self.gram) if operator is None else operator

    def prune(self, positions: Index) -> None:
        """Keep the features at some positions only, numbered anew; not of a fixed set."""
        known = positions.size if (positions < self._known).all() else 0
        self._gram = self._gram[positions].take(positions, axis=1) if known else np.empty((0, 0))
        self._known = known
        self.position[self.features] = -1
        self.features = self.features[positions]
        self.position[self.features] = np.arange(positions.size)
        self.columns = self.design.columns()
        self.columns.append(self.features)

    def admit(self, features: Index) -> None:
        """Add those of `features` that are not in yet."""
        new = features[self.position[features] < 0]
        if new.size:
            size = self.features.size
            self.columns.append(new)
            self.position[new] = np.arange(size, size + new.size)
            self.features = np.concatenate([self.features, new])

    def outer(self, scale: Float64) -> Float64:
        """Z diag(scale) Z' of all columns; computed once for a scale."""
        if self._outer is None or not np.array_equal(self._outer[0], scale):
            self._outer = scale, self.columns.outer(scale)
        return self._outer[1]
