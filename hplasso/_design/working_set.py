"""The working set: the features that take part, and the Gram matrix among them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from .._numerics.linalg import room_for
from .._numerics.operator import GramMatrix, Operator
from .._numerics.typing import Float64, Index
from .columns import Columns
from .multi_output import AnyDesign, MultiOutputColumns


class WorkingSet(ABC):
    """Features that take part, and the Gram matrix among them: a `GrowingSet` or a `CompleteSet`.

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

    features: Index
    position: Index
    columns: Columns | MultiOutputColumns
    complete: bool
    fixed: bool
    _gram: Float64
    _known: int
    _outer: tuple[Float64, Float64] | None = None

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

    @property
    @abstractmethod
    def full(self) -> WorkingSet:
        """One of all features, for problems that have none at zero."""

    @abstractmethod
    def operator(self, support: Index, matrix_free: bool) -> Operator:
        """The Gram matrix; if it may be `matrix_free`, unformed where products cost less then.

        That is on the support that it will be restricted to.
        """

    @abstractmethod
    def prune(self, positions: Index) -> None:
        """Keep the features at some positions only, numbered anew; not of a fixed set."""

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


class GrowingSet(WorkingSet):
    """Features that were admitted, in that order, with their columns and Gram matrix.

    A Gram column is computed once, when it is first asked for, and kept along the path and from
    one target to the next.
    """

    complete = False

    def __init__(self, design: AnyDesign, fixed: bool = False) -> None:
        self.design, self.fixed = design, fixed
        self.columns = design.columns()
        self.features = np.empty(0, dtype=np.intp)
        self.position = np.full(design.shape[1], -1, dtype=np.intp)
        self._gram, self._known = np.empty((0, 0)), 0

    @cached_property
    def full(self) -> GrowingSet:
        full = GrowingSet(self.design, fixed=True)
        full.admit(np.arange(self.position.size))
        return full

    def operator(self, support: Index, matrix_free: bool) -> Operator:
        operator = self.columns.operator(support) if matrix_free else None
        return GramMatrix(self.gram) if operator is None else operator

    def prune(self, positions: Index) -> None:
        known = positions.size if (positions < self._known).all() else 0
        self._gram = self._gram[positions].take(positions, axis=1) if known else np.empty((0, 0))
        self._known = known
        self.position[self.features] = -1
        self.features = self.features[positions]
        self.position[self.features] = np.arange(positions.size)
        self.columns = self.design.columns()
        self.columns.append(self.features)


class CompleteSet(WorkingSet):
    """All features at once, on a Gram matrix that is there already; X is not needed any more."""

    complete = fixed = True

    def __init__(self, gram: Float64) -> None:
        self.features = self.position = np.arange(len(gram))
        self._gram, self._known = gram, len(gram)

    @property
    def full(self) -> CompleteSet:
        return self

    def operator(self, support: Index, matrix_free: bool) -> GramMatrix:
        return GramMatrix(self._gram)

    def prune(self, positions: Index) -> None:
        """All stay."""
