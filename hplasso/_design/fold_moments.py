"""The kernel of least squares: the moments of a block's rows, those of each fold by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn import get_config

from .._numerics.typing import Float64, Index
from .moments import Moments, moments_of
from .source import Block, refuse_not_finite

# Moments that are held at the same time beside those of the folds: of all rows, of a block, and
# of what they are merged with.
HELD = 3


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


class FoldMoments(NamedTuple):
    """The moments of each fold's rows, and the number of targets."""

    folds: tuple[Moments, ...]
    n_targets: int

    def merge(self, other: FoldMoments) -> FoldMoments:
        if self.n_targets != other.n_targets:
            raise ValueError(
                f"y has {self.n_targets} columns in one block and {other.n_targets} in another."
            )
        pairs = zip(self.folds, other.folds, strict=True)
        return FoldMoments(tuple(one.merge(two) for one, two in pairs), self.n_targets)


@dataclass(frozen=True)
class MomentsKernel:
    """The moments of features and targets, of all rows or of each fold of an assignment."""

    assignment: Assignment | None = None

    def __call__(self, block: Block) -> FoldMoments:
        targets = as_columns(block.y)
        if block.offset is not None:
            targets = targets - as_columns(block.offset)
        with np.errstate(over="ignore", invalid="ignore"):
            folds: tuple[Moments, ...]
            if self.assignment is None:
                folds = (moments_of(block.X, targets, block.weights),)
            else:
                numbers = self.assignment(block)
                folds = tuple(
                    _of_rows(block, targets, np.flatnonzero(numbers == number))
                    for number in range(self.assignment.n_folds)
                )
        if not all(np.isfinite(part.products.diagonal()).all() for part in folds):
            refuse_not_finite(block)
        return FoldMoments(folds, targets.shape[1])


def _of_rows(block: Block, targets: Float64, rows: Index) -> Moments:
    """The moments of some rows of a block; neighbours are not copied."""
    where: Any = rows
    if rows.size and rows[-1] - rows[0] == rows.size - 1:
        where = slice(rows[0], rows[-1] + 1)
    return moments_of(block.X[where], targets[where], block.weights[where])


def as_columns(values: Any) -> Float64:
    """Targets of shape (n, T)."""
    return values[:, None] if values.ndim == 1 else values


def check_memory(n_features: int, n_folds: int) -> None:
    """Raise a ValueError if the moments of so many features take more than the memory allowed.

    That is the `working_memory` of scikit-learn's configuration.
    """
    allowed = get_config()["working_memory"]
    needed = 8 * (n_features + 1) ** 2 * (n_folds + HELD) / 2**20
    if needed > allowed:
        of_folds = f" for {n_folds} folds" if n_folds > 1 else ""
        raise ValueError(
            f"The products of {n_features} features with each other, which data in blocks are "
            f"reduced to, take {needed:.0f} MiB{of_folds}; working_memory allows {allowed:.0f}. If "
            "that much memory is there, allow it by sklearn.set_config(working_memory="
            f"{int(np.ceil(needed))}). Otherwise select features, or fit to fewer rows in memory."
        )
