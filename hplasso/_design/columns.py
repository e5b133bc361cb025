"""The columns of Z: what weights make of those of X, and chosen ones, which the solver multiplies.

Of all columns there are means, norms and rounding; they are chosen once features take part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import iadd
from typing import Any, NamedTuple

import numpy as np

from .._numerics.typing import Float64, Index, Mask

# A numerical limit: means of up to so many times the column norm may stay in a column, more would
# cost correlations digits. Of a value that takes nine tenths of the samples, and zero otherwise,
# the mean is three times the norm.
LARGEST_KEPT_MEAN = 3.0

# Smaller supports always have a Gram matrix: its factorisation against the calls of conjugate
# gradients (constants.py).
LARGE = 150
# Numbers of the largest Hessian of a curved loss that is formed, if it can do without (256 MB): a
# bound of memory.
LARGEST_FORMED = 2**25
# How many times faster the multiplications are of which a dense Hessian is formed than those of
# products; also, one that is formed serves for several models. At 1, 4 and 16, fits with supports
# of 750 to 2,300 took .2, .3 and .7 of the time that formed Hessians take, paths of 20,000 x 400
# 1.5, 1.0 and 1.0 of it (constants.py).
FASTER = 4.0

Blocks = Callable[[Index | None], Iterator[tuple[slice, Float64]]]


@dataclass(frozen=True)
class ColumnStatistics:
    """Weights v of shape (n,), and what is known of the p columns of Z = diag(sqrt v) (X - 1 m').

    Attributes
    ----------
    sqrt_weights : ndarray of shape (n,)
    fit_intercept : bool
        Whether m holds the weighted means; it is zero otherwise.
    left_out : ndarray of shape (p,)
        Which columns are to be zero, as if they were constant.
    mean, column_norms : ndarrays of shape (p,)
        m, and the norms of the columns of Z; 0 for constant columns under an intercept.
    cancellation_prone, constant : ndarrays
        The columns whose means dwarf their norms, except constant ones; those of norm 0.
    rounding : ndarray of shape (p,)
        Rounding error of a correlation, for a residual of norm one.
    size : ndarray of shape (p,)
        Norms of the columns as they come into predictions.
    """

    sqrt_weights: Float64
    fit_intercept: bool
    left_out: Mask
    mean: Float64
    column_norms: Float64
    cancellation_prone: Index
    constant: Index
    rounding: Float64
    size: Float64

    def centre(self, values: Float64, features: Index) -> Float64:
        """Take the means off some columns of X, in place; constant ones become zero."""
        values -= self.mean[features]
        values[:, self.column_norms[features] == 0.0] = 0.0
        return values

    def without(self, features: Mask) -> ColumnStatistics:
        """The same with some more columns left out."""
        left_out, prone = self.left_out | features, self.cancellation_prone
        mean, norms, rounding, size = (
            np.where(left_out, 0.0, values)
            for values in (self.mean, self.column_norms, self.rounding, self.size)
        )
        return replace(
            self,
            left_out=left_out,
            mean=mean,
            column_norms=norms,
            cancellation_prone=prone[~left_out[prone]],
            constant=np.flatnonzero(norms == 0.0),
            rounding=rounding,
            size=size,
        )

    def leave_means(self) -> ColumnStatistics:
        """The same with zero for the means that are not much larger than the column norms."""
        left = np.abs(self.mean) <= LARGEST_KEPT_MEAN * self.column_norms
        mean = np.where(left, 0.0, self.mean)
        norms = np.where(left, np.hypot(self.column_norms, self.mean), self.column_norms)
        return replace(self, mean=mean, column_norms=norms, size=np.maximum(self.size, norms))


class Costs(NamedTuple):
    """Of a Gram matrix, and of a product with all columns and their transpose.

    In multiplications of dense matrices.
    """

    gram: float
    product: float


class Columns(ABC):
    """Chosen columns of a design's Z, k of them, to which more can be added.

    Positions count them in the order in which they came.
    """

    statistics: ColumnStatistics
    features: Index

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
    def weighted_gram(
        self, positions: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        """S' diag(weights) S_new at these positions, and S_new' diag(weights) right, (n, q).

        S_new is what is in S from `first` on. S_j is Z_j plus a multiple of sqrt(v), one for each
        column: it makes no difference under a free intercept. Without an intercept S is Z.
        """

    @abstractmethod
    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        """Q'Q_new, and Q_new'right for `right` (n, q).

        Q_a = diag(column outputs[a] of weights) S_positions[a], for weights (n, K).
        """

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

    @property
    def density(self) -> float:
        """Which part of their elements is stored; as long as there are none, of those of X."""
        return 1.0

    def costs(self, positions: Index) -> Costs:
        """Of `weighted_gram` of these columns with each other, and of products."""
        n = self.statistics.sqrt_weights.size
        return Costs(float(positions.size**2 * n), 2.0 * n * self.features.size)

    def operator(
        self, support: Index, ridge: Float64 | None = None, products: float = 0.0
    ) -> Any | None:
        """The Gram matrix by its products, where on a support these cost less than to form it.

        A ridge penalty may make it well-conditioned. With a number of `products`, which a model of
        a curved loss takes, S of the support by its products, where so many cost less than
        `weighted_gram`.
        """
        return None

    def pairs(self, positions: Index, outputs: Index, n_outputs: int) -> Any:
        """Pairs of them with outputs by their products, for Hessians of curved losses."""
        return PairProducts(self, n_outputs, positions, outputs)


def is_formed(size: int, cost: float, otherwise: float) -> bool:
    """Whether a Hessian of this size is formed, given what that costs, and products without."""
    return size < LARGE or (cost <= otherwise and not is_too_large(size))


def is_too_large(size: int) -> bool:
    """Whether to form a Hessian of this size would take too much memory."""
    return size**2 > LARGEST_FORMED


def total(parts: Iterable[Float64]) -> Float64:
    """The sum of new arrays, one for each block."""
    return reduce(iadd, parts)


class ProductGram:
    """G by its products, an `Operator`: (A - 1 m')' diag(w) (A - 1 m'), with A an array, or sparse.

    Without means or `weights`, A holds what they make of it.
    """

    matrix = None

    def __init__(
        self,
        columns: Any,
        squares: Float64,
        mean: Float64 | None = None,
        weights: Float64 | None = None,
        ridge: Float64 | float = 0.0,
    ) -> None:
        self._columns, self._transposed, self._squares = columns, columns.T, squares
        self._mean, self._weights, self._ridge = mean, weights, ridge

    def __len__(self) -> int:
        return self._squares.size

    def __matmul__(self, vector: Float64) -> Float64:
        image = self._columns @ vector
        if self._mean is not None:
            image -= self._mean @ vector
        if self._weights is not None:
            image *= self._weights
        product = self._transposed @ image
        if self._mean is not None:
            product -= image.sum() * self._mean
        return np.asarray(product + self._ridge * vector)

    def diagonal(self) -> Float64:
        return self._squares + self._ridge

    def on(self, kept: Index) -> ProductGram:
        mean = None if self._mean is None else self._mean[kept]
        ridge = self._ridge[kept] if isinstance(self._ridge, np.ndarray) else self._ridge
        return ProductGram(self._columns[:, kept], self._squares[kept], mean, self._weights, ridge)

    def plus(self, ridge: Float64) -> ProductGram:
        ridge = self._ridge + ridge
        return ProductGram(self._columns, self._squares, self._mean, self._weights, ridge)


class PairProducts:
    """Some pairs of columns and outputs by their products, on all columns.

    Attributes
    ----------
    weights : None
        The weights of the samples are part of the columns.
    """

    weights = None

    def __init__(self, columns: Columns, n_outputs: int, positions: Index, outputs: Index) -> None:
        self.columns, self.n_outputs = columns, n_outputs
        self.positions, self.outputs = positions, outputs

    def predict(self, theta: Float64) -> Float64:
        """Z theta, of shape (n K,)."""
        matrix = np.zeros((self.columns.features.size, self.n_outputs))
        matrix[self.positions, self.outputs] = theta
        return self.columns.predict(matrix).ravel()

    def correlations(self, residual: Float64) -> Float64:
        """Z'r, for r of shape (n K,)."""
        z = self.columns.correlations(residual.reshape(-1, self.n_outputs))
        return np.asarray(z[self.positions, self.outputs])

    def on(self, kept: Index) -> PairProducts:
        """Some of the pairs."""
        return PairProducts(self.columns, self.n_outputs, self.positions[kept], self.outputs[kept])


class BlockwiseColumns(Columns):
    """Columns of Z that are read as arrays, a block of rows after the other."""

    def operator(
        self, support: Index, ridge: Float64 | None = None, products: float = 0.0
    ) -> Any | None:
        n, k = self.statistics.sqrt_weights.size, support.size
        formed = (n * k**2 + k**3 / 3) / FASTER
        if not products or is_formed(k, formed, products * self.costs(support).product):
            return None
        return self.pairs(support, np.zeros_like(support), 1)

    @abstractmethod
    def _blocks(self, positions: Index) -> Iterator[tuple[slice, Float64]]:
        """Rows, and what Z holds there at some positions, as a new array."""

    def weighted_gram(
        self, positions: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        root = np.sqrt(weights)[:, None]
        return self.scaled_gram(positions, slice(None), first, root, root * right)

    def scaled_gram(
        self, positions: Index, outputs: Index | slice, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        gram = np.zeros((positions.size, positions.size - first))
        sums = np.zeros((positions.size - first, right.shape[1]))
        for rows, block in self._blocks(positions):
            block *= weights[rows][:, outputs]
            gram += block.T @ block[:, first:]
            sums += block[:, first:].T @ right[rows]
        return gram, sums


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
