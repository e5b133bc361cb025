"""Folds of data in blocks: which rows belong to which, and kernels of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from .._numerics.typing import Index
from .source import Block, Kernel


class Assignment(Protocol):
    """Which fold a row belongs to."""

    @property
    def n_folds(self) -> int:
        """How many folds there are."""

    def __call__(self, block: Block) -> Index:
        """The numbers of the folds of a block's n rows, of shape (n,)."""


@dataclass(frozen=True)
class Runs:
    """Folds of neighbouring rows, which end at these rows: those of KFold, without shuffling."""

    stops: tuple[int, ...]

    @classmethod
    def of(cls, n_rows: int, n_folds: int) -> Runs:
        """The first ones are longer by one, if they cannot be of one length."""
        lengths = np.full(n_folds, n_rows // n_folds)
        lengths[: n_rows % n_folds] += 1
        return cls(tuple(int(stop) for stop in np.cumsum(lengths)))

    @property
    def n_folds(self) -> int:
        return len(self.stops)

    def __call__(self, block: Block) -> Index:
        assert block.first is not None
        return np.searchsorted(self.stops, block.first + np.arange(len(block.y)), side="right")


@dataclass(frozen=True)
class Hashed:
    """Folds of rows all over the data: by a hash of the block's number and the row's within it."""

    n_folds: int

    def __call__(self, block: Block) -> Index:
        keys = block.keys >> np.uint64(33)
        return (keys % np.uint64(self.n_folds)).astype(np.intp)


class Parts(NamedTuple):
    """What several kernels have made of the same blocks."""

    values: tuple[Any, ...]

    def merge(self, other: Parts) -> Parts:
        pairs = zip(self.values, other.values, strict=True)
        return Parts(tuple(one.merge(two) for one, two in pairs))


@dataclass(frozen=True)
class ByFold:
    """A kernel, of the rows of each fold; without an assignment there is one fold of all rows."""

    kernel: Kernel
    assignment: Assignment | None = None

    def __call__(self, block: Block) -> Parts:
        if self.assignment is None:
            return Parts((self.kernel(block),))
        numbers, folds = self.assignment(block), range(self.assignment.n_folds)
        return Parts(tuple(self.kernel(rows_of(block, numbers == fold)) for fold in folds))


@dataclass(frozen=True)
class OffFolds:
    """Kernels, each of the rows that are not in a fold, or of all rows where that is None."""

    kernels: tuple[Kernel, ...]
    folds: tuple[int | None, ...]
    assignment: Assignment

    def __call__(self, block: Block) -> Parts:
        numbers = self.assignment(block)
        others = {fold: rows_of(block, numbers != fold) for fold in set(self.folds) - {None}}
        others[None] = block
        pairs = zip(self.kernels, self.folds, strict=True)
        return Parts(tuple(kernel(others[fold]) for kernel, fold in pairs))


@dataclass(frozen=True)
class OnFolds:
    """A kernel for each fold, of the rows that are in it."""

    kernels: tuple[Kernel, ...]
    assignment: Assignment

    def __call__(self, block: Block) -> Parts:
        numbers = self.assignment(block)
        every = enumerate(self.kernels)
        return Parts(tuple(kernel(rows_of(block, numbers == fold)) for fold, kernel in every))


def rows_of(block: Block, chosen: Any) -> Block:
    """Some rows of a block, by a mask; neighbours are not copied."""
    rows: Any = np.flatnonzero(chosen)
    if rows.size and rows[-1] - rows[0] == rows.size - 1:
        rows = slice(rows[0], rows[-1] + 1)
    offset = None if block.offset is None else block.offset[rows]
    return block._replace(
        X=block.X[rows], y=block.y[rows], weights=block.weights[rows], offset=offset
    )
