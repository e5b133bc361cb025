"""The design of a sparse X: a CSR or CSC matrix or array, with indices of either size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .._numerics.typing import Float64, Index, Mask
from .base import BLOCK, MOST, Columns, Design, slices

# Columns are multiplied faster after they have been filled up with zeros, if they are not more than
# so many, or at least one in so many of their elements is stored.
SEVERAL, SPARSE = 12, 8
# The same columns on both sides are filled up where one in so many elements is stored.
FULL = 12
# Blocks of filled columns are larger by this: a few columns at least are worth the walk.
TOGETHER = 4
# The Gram matrix of a large support is not worth forming if it would hold more than so many times
# the numbers that the columns hold.
LARGE, DENSE_FACTOR = 150, 4
# What a multiplication costs, if there are zeros to skip, beside one of dense matrices.
SLOW = 200.0
# The part of all columns of CSC that takes less time to read one by one than a pass takes.
CHEAP = 1 / 32


class SparseDesign(Design):
    """A design on a CSR or CSC matrix or array, with indices of either size."""

    # Here predictions are not centred exactly either. A column this close to constant is full.
    prone_below = 1e-2

    def __init__(
        self, X: Any, weights: Float64, fit_intercept: bool, left_out: Mask | None = None
    ) -> None:
        self.by_rows = X.format == "csr"
        super().__init__(X, weights, fit_intercept, left_out)

    def _size_in_predictions(self, raw: Float64) -> Float64:
        return raw

    def _cheap_fraction(self) -> float:
        return 0.0 if self.by_rows else CHEAP

    def _chosen_product(self, features: Index, right: Float64) -> Float64:
        return np.asarray(self.X[:, features].T @ right)

    def _parts(self, least: int, first: int = 0) -> Iterator[tuple[slice, slice, Any]]:
        """Walk through X along its compressed axis from `first` on, many stored values at a time.

        They are `least` or more: what a part costs besides its values.
        """
        n, p = self.shape
        pointers = self.X.indptr[first:]
        steps = np.arange(pointers[0], pointers[-1], max(least, BLOCK))
        starts = first + np.searchsorted(pointers, steps)
        for start, stop in pairwise(np.unique([first, *starts, n if self.by_rows else p])):
            part = slice(start, stop)
            rows, columns = (part, slice(0, p)) if self.by_rows else (slice(0, n), part)
            yield rows, columns, self._part(part)

    def _part(self, part: slice) -> Any:
        """A part of X along its compressed axis, as float64; not a copy where X is."""
        n, p = self.shape
        pointers = self.X.indptr[part.start : part.stop + 1]
        these = slice(pointers[0], pointers[-1])
        values = self.X.data[these].astype(np.float64, copy=False)
        arrays = values, self.X.indices[these], pointers - pointers[0]
        length = part.stop - part.start
        if self.by_rows:
            return sparse.csr_array(arrays, shape=(length, p))
        return sparse.csc_array(arrays, shape=(n, length))

    def _length_of_sums(self) -> int:
        """How long the sums over a part of X are, where they are not those of its columns alone."""
        return self.shape[1] if self.by_rows else 0

    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        mean, square = np.zeros((2, self.shape[1]))
        for rows, columns, part in self._parts(self._length_of_sums()):
            mean[columns] += part.T @ weights[rows]
            part.data = part.data**2
            square[columns] += part.T @ weights[rows]
        return mean, square

    def _centred(self, features: Index) -> Float64:
        return np.asarray(self.X[:, features].toarray() - self.mean[features], dtype=np.float64)

    def _transposed_product(self, right: Float64) -> Float64:
        if self.X.dtype == np.float64:
            return np.asarray(self.X.T @ right)
        result = np.zeros((self.shape[1], *right.shape[1:]))
        for rows, columns, part in self._parts(self._length_of_sums()):
            result[columns] += part.T @ right[rows]
        return result

    def gram(self) -> Float64:
        self.passes += 1
        (n, p), weights = self.shape, self.sqrt_weights**2
        gram = -np.multiply.outer(self.mean, self.mean)
        for rows, columns, part in self._parts(p * p if self.by_rows else n):
            right = part.tocsc()
            for others, left in self._from(columns, right):
                gram[others, columns] += weighted_products(left, right, weights[rows])
                gram[columns, others] = gram[others, columns].T
        self.recompute(gram)
        return gram

    def _from(self, columns: slice, part: Any) -> Iterator[tuple[slice, Any]]:
        """A part's columns and all after them, on its rows: in one piece, if as X holds them."""
        if self.by_rows:
            yield columns, part
            return
        least = self.X.nnz if self.X.dtype == np.float64 else self.shape[0]
        for _, others, other in self._parts(least, columns.start):
            yield others, other

    def augmented_gram(self, rows: Index, response: Float64) -> Float64:
        p = self.shape[1]
        ends = np.stack([response, self.sqrt_weights], axis=1)
        augmented_gram = np.zeros((p + 2, p + 2))
        for some in self._row_parts(rows):
            part = self.X[some].astype(np.float64, copy=False).tocsc()
            augmented_gram[:p, :p] += weighted_products(part, part, self.sqrt_weights[some] ** 2)
            augmented_gram[:p, p:] += part.T @ (self.sqrt_weights[some, None] * ends[some])
        augmented_gram[p:, p:] = ends[rows].T @ ends[rows]
        raw = np.multiply.outer(augmented_gram[:p, p + 1], self.mean)
        augmented_gram[:p, :p] += augmented_gram[p + 1, p + 1] * np.multiply.outer(
            self.mean, self.mean
        )
        augmented_gram[:p, :p] -= raw + raw.T
        augmented_gram[:p, p:] -= np.multiply.outer(self.mean, augmented_gram[p + 1, p:])
        augmented_gram[p:, :p] = augmented_gram[:p, p:].T
        return augmented_gram

    def _row_parts(self, rows: Index) -> Iterator[Index]:
        """Some rows: of CSR, about as many values at a time as their products have; of CSC, all."""
        if not self.by_rows:
            return iter([rows])
        n, p = self.shape
        width = self.X.nnz // n * BLOCK // max(BLOCK, p * p)
        return (rows[where] for where in slices(rows.size, width))

    def rows(self, rows: Index, features: Index) -> Any:
        part = self.X[rows][:, features] if self.by_rows else self.X[:, features][rows]
        return part.astype(np.float64, copy=False)

    def columns(self) -> Columns:
        return SparseColumns(self)


def weighted_products(left: Any, right: Any, weights: Float64) -> Float64:
    """left' diag(weights) right of CSC arrays, as a dense array."""
    n, k = right.shape
    if left is right and FULL * right.nnz > n * k:
        return _filled_square(right, np.sqrt(weights))
    values = right.data * weights[right.indices]
    weighted = sparse.csc_array((values, right.indices, right.indptr), shape=right.shape)
    if k > SEVERAL and SPARSE * right.nnz < n * k:
        return np.asarray((weighted.T @ left).toarray().T)
    products = np.empty((left.shape[1], k))
    for where in slices(k, n // TOGETHER):
        products[:, where] = left.T @ weighted[:, where].T.toarray().T
    return products


def _filled_square(columns: Any, factors: Float64) -> Float64:
    """A'A of A = diag(factors) columns, filled up; by halves of the rows, if more than a block."""
    n, k = columns.shape
    if n > 1 and n * k > TOGETHER * BLOCK:
        parts = slice(n // 2), slice(n // 2, n)
        return np.add(*(_filled_square(columns[rows], factors[rows]) for rows in parts))
    filled = columns.T.toarray()
    filled *= factors
    return np.asarray(filled @ filled.T)


class SparseGram:
    """G = Z'Z of sparse columns, by its products: Z = A - root m' with A sparse."""

    matrix = None

    def __init__(
        self,
        scaled: Any,
        mean: Float64,
        root: Float64,
        squares: Float64,
        ridge: Float64 | None = None,
    ) -> None:
        self._scaled, self._mean, self._root, self._squares = scaled, mean, root, squares
        self._transposed = scaled.T
        self._centred = bool(mean.any())
        self._ridge = ridge

    def __len__(self) -> int:
        return self._mean.size

    def __matmul__(self, vector: Float64) -> Float64:
        image = self._scaled @ vector
        if self._centred:
            image -= (self._mean @ vector) * self._root
        product = self._transposed @ image
        if self._centred:
            product -= (self._root @ image) * self._mean
        return np.asarray(product if self._ridge is None else product + self._ridge * vector)

    def diagonal(self) -> Float64:
        return self._squares if self._ridge is None else self._squares + self._ridge

    def on(self, kept: Index) -> SparseGram:
        ridge = None if self._ridge is None else self._ridge[kept]
        scaled = self._scaled[:, kept]
        return SparseGram(scaled, self._mean[kept], self._root, self._squares[kept], ridge)

    def plus(self, ridge: Float64) -> SparseGram:
        return SparseGram(self._scaled, self._mean, self._root, self._squares, ridge)


class SparseColumns(Columns):
    """Columns of a sparse X as they are, with their means beside them; fragile ones centred."""

    def __init__(self, design: SparseDesign) -> None:
        self.design = design
        self.features = np.empty(0, dtype=np.intp)
        self.mean = design.mean.copy()
        self.mean[design.cancellation_prone] = 0.0
        self.chosen = sparse.csc_array((design.shape[0], 0), dtype=np.float64)
        self._operator: SparseGram | None = None

    def operator(self, support: Index) -> SparseGram | None:
        if support.size < LARGE or support.size**2 <= DENSE_FACTOR * self._stored(support):
            return None
        if self._operator is None or len(self._operator) < self.features.size:
            scaled = self.chosen.copy()
            scaled.data *= self.design.sqrt_weights[scaled.indices]
            features = self.features
            squares = self.design.column_norms[features] ** 2
            self._operator = SparseGram(
                scaled, self.mean[features], self.design.sqrt_weights, squares
            )
        return self._operator

    def append(self, features: Index) -> None:
        design = self.design
        new = sparse.csc_array(design.X[:, features], dtype=np.float64)
        new.data[np.repeat(design.left_out[features], np.diff(new.indptr))] = 0.0
        centred = np.flatnonzero(np.isin(features, design.cancellation_prone))
        for column in centred:
            full = design._centred(features[[column]])
            full -= (
                design.sqrt_weights**2 @ full
            )  # others are not centred: what rounding left counts
            new = sparse.hstack([new[:, :column], full, new[:, column + 1 :]], format="csc")
        self.chosen = sparse.hstack([self.chosen, new], format="csc")
        self.features = np.append(self.features, features)

    def products(self, first: int) -> Float64:
        mean = self.mean[self.features]
        new = self.chosen[:, first:] if first else self.chosen
        gram = weighted_products(self.chosen, new, self.design.sqrt_weights**2)
        gram -= np.multiply.outer(mean, mean[first:])
        constant = self.design.column_norms[self.features] == 0.0
        gram[constant] = 0.0
        gram[:, constant[first:]] = 0.0
        return gram

    def predict(self, theta: Float64) -> Float64:
        shifted = self.chosen @ theta - self.mean[self.features] @ theta
        return np.asarray((self.design.sqrt_weights * shifted.T).T)

    def correlations(self, residual: Float64) -> Float64:
        root = self.design.sqrt_weights
        z = self.chosen.T @ (root * residual.T).T
        return np.asarray(z - np.multiply.outer(self.mean[self.features], root @ residual))

    def weighted_gram(self, left: Index, right: Index, weights: Float64) -> Float64:
        first = self.chosen[:, left]
        second = first if left is right else self.chosen[:, right]
        return weighted_products(first, second, self.design.sqrt_weights**2 * weights)

    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64
    ) -> Float64:
        scaled = self.chosen[:, positions]
        output = np.repeat(outputs, np.diff(scaled.indptr))
        scaled.data *= self.design.sqrt_weights[scaled.indices] * weights[scaled.indices, output]
        return np.asarray((scaled.T @ scaled[:, first:]).toarray())

    def cost(self, positions: Index) -> float:
        return SLOW * self._stored(positions) ** 2 / self.design.shape[0]

    def _stored(self, positions: Index) -> int:
        """How many numbers these columns hold."""
        return int(np.diff(self.chosen.indptr)[positions].sum())

    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        right = self.design.sqrt_weights[:, None] * weights
        if positions.size > MOST * self.features.size:
            return np.asarray((self.chosen.T @ right)[positions])
        return np.asarray(self.chosen[:, positions].T @ right)

    def _outer(self, scale: Float64) -> Float64:
        root, mean = self.design.sqrt_weights, self.mean[self.features]
        pointers = self.chosen.indptr
        values = self.chosen.data * np.repeat(scale, np.diff(pointers))
        weighted = sparse.csc_array(
            (values, self.chosen.indices, pointers), shape=self.chosen.shape
        )
        shift = weighted @ mean
        products = np.asarray((weighted @ self.chosen.T).toarray(order="C"))
        products -= shift[:, None] + (shift - float(scale @ mean**2))
        return products * root * root[:, None]
