"""Chosen columns of Z: what the solver multiplies, once features take part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._numerics.typing import Float64, Index
from .blocks import total
from .column_statistics import ColumnStatistics

Blocks = Callable[[Index | None], Iterator[tuple[slice, Float64]]]


class Columns(ABC):
    """Chosen columns of a design's Z, k of them, to which more can be added.

    Positions count them in the order in which they came.
    """

    statistics: ColumnStatistics

    @abstractmethod
    def append(self, features: Index) -> None:
        """Add columns."""

    @abstractmethod
    def products(self, first: int) -> Float64:
        """Gram block of all columns with those from `first` on, of shape (k, k - first)."""

    @abstractmethod
    def predict(self, theta: Float64) -> Float64:
        """Z theta, of shape (n,) or (n, K), for theta of shape (k,) or (k, K)."""

    @abstractmethod
    def correlations(self, residual: Float64) -> Float64:
        """Z'r, of shape (k,) or (k, K)."""

    @abstractmethod
    def weighted_gram(self, positions: Index, first: int, weights: Float64) -> Float64:
        """S' diag(weights) S_new at these positions; S_new is what is in S from `first` on.

        S_j is Z_j plus a multiple of sqrt(v), one for each column: it makes no difference under a
        free intercept. Without an intercept S is Z.
        """

    @abstractmethod
    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64
    ) -> Float64:
        """Q'Q_new for Q_a = diag(column outputs[a] of weights) S_positions[a], weights (n, K)."""

    @abstractmethod
    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        """S_positions' weights, of shape (k, K), for weights (n, K)."""

    def outer(self, scale: Float64) -> Float64:
        """Z diag(scale) Z' of all columns, of shape (n, n), centred where there is an intercept.

        Means that were left in Z would dwarf all else, and count for nothing.
        """
        products, root = self._outer(scale), self.statistics.sqrt_weights
        if self.statistics.fit_intercept:
            products -= np.multiply.outer(products @ root, root)
            products -= np.multiply.outer(root, root @ products)
        return products

    @abstractmethod
    def _outer(self, scale: Float64) -> Float64:
        """`outer`, as Z is."""

    def cost(self, positions: Index) -> float:
        """Cost of `weighted_gram` of these columns with each other, in multiplications."""
        return float(positions.size**2 * self.statistics.sqrt_weights.size)

    def operator(self, support: Index, curved: bool = False) -> Any | None:
        """The Gram matrix by its products, where on a support these cost less than to form it.

        If `curved`, S of the support by its products, where these cost less than `weighted_gram`.
        """
        return None

    def split(self, where: Index) -> tuple[Columns, Index, Index]:
        """The columns, positions in them, and the outputs that they are for: a single one here."""
        return self, where, np.zeros(where.size, dtype=np.intp)


class BlockwiseColumns(Columns):
    """Columns of Z that are read as arrays, a block of rows after the other."""

    @abstractmethod
    def _blocks(self, positions: Index) -> Iterator[tuple[slice, Float64]]:
        """Rows, and what Z holds there at some positions, as a new array."""

    def weighted_gram(self, positions: Index, first: int, weights: Float64) -> Float64:
        return self.scaled_gram(positions, slice(None), first, np.sqrt(weights)[:, None])

    def scaled_gram(
        self, positions: Index, outputs: Index | slice, first: int, weights: Float64
    ) -> Float64:
        result = np.zeros((positions.size, positions.size - first))
        for rows, block in self._blocks(positions):
            block *= weights[rows][:, outputs]
            result += block.T @ block[:, first:]
        return result

    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        return total(block.T @ weights[rows] for rows, block in self._blocks(positions))


class BlockColumns(BlockwiseColumns):
    """Columns of Z read each time they are needed, in blocks of rows of X: nothing is kept."""

    def __init__(self, statistics: ColumnStatistics, blocks: Blocks) -> None:
        self.statistics, self._blocks_of_X = statistics, blocks
        self.features = np.empty(0, dtype=np.intp)

    def _blocks(self, positions: Index | slice = slice(None)) -> Iterator[tuple[slice, Float64]]:
        features = self.features[positions]
        for rows, block in self._blocks_of_X(features):
            block = self.statistics.centre(block, features)
            block *= self.statistics.sqrt_weights[rows, None]
            yield rows, block

    def append(self, features: Index) -> None:
        self.features = np.append(self.features, features)

    def products(self, first: int) -> Float64:
        return total(block.T @ block[:, first:] for _, block in self._blocks())

    def correlations(self, residual: Float64) -> Float64:
        return total(block.T @ residual[rows] for rows, block in self._blocks())

    def predict(self, theta: Float64) -> Float64:
        live = np.flatnonzero(theta if theta.ndim == 1 else theta.any(axis=1))
        return np.concatenate([block @ theta[live] for _, block in self._blocks(live)])

    def _outer(self, scale: Float64) -> Float64:
        whole = np.concatenate([block for _, block in self._blocks()])
        return np.asarray((whole * scale) @ whole.T)
