"""A sparse X: a CSR or CSC matrix or array, with indices of either size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .._numerics.blocks import BLOCK, slices
from .._numerics.linalg import enlarged
from .._numerics.typing import Float64, Index, index_type
from .columns import (
    LARGE,
    LARGEST_FORMED,
    Columns,
    ColumnStatistics,
    Costs,
    ProductGram,
    is_formed,
)
from .container import Container

# Products with zeros skipped against dense ones of columns that are filled up first; all with
# constants.py. Filled are up to SEVERAL columns (a single one was 2 to 12 times as fast, 12 were
# even), or those of which one in SPARSE elements is stored (at 5 % they took twice as long as
# skipping did, at 20 % as long, at 40 % half as long); and where both factors are the same, so that
# half of the products are saved, from one in FULL on (even at 5 %, at 12 % 1.7 times as fast).
SEVERAL, SPARSE, FULL = 12, 8, 12
# Blocks of filled columns are larger by this factor, so that a few columns at least are worth a
# walk through the others; memory against calls (constants.py).
TOGETHER = 4
# No Gram matrix is formed that would hold more than DENSE_FACTOR times the numbers that the columns
# hold: a factorisation against conjugate gradients, which were seen to save half of the time at a
# support of 800, and nothing at 340 (constants.py).
DENSE_FACTOR = 4
# What a multiplication costs, if there are zeros to skip, beside one of dense matrices: a new
# Hessian against more steps with the old one, as this decides what the former is taken to cost
# (constants.py).
SLOW = 200.0
# As many multiplications of dense matrices take as long as a product with one stored number: of
# several products against a Hessian (constants.py).
SLOW_PRODUCT = 25
# Columns that hold less than this part of all chosen ones are copied: products with the others
# against a copy, which takes as long as one of them, and memory (constants.py).
COPIED = 0.8
# Pairs of columns and outputs that hold one number in SCATTERED, or less, of what all columns hold
# for all outputs are columns of their own: a copy, and products that skip the other pairs, against
# those of all outputs at once. With one number in 100 they took 6 % of the time, with one in ten
# half of it, and with one in five as long (constants.py). With their rows they are two numbers.
SCATTERED = 10
# The part of all columns of CSC that is read one by one where a pass would serve as well. Of 2,000
# x 20,000, 1 % stored, it took 30 % of a pass; 1/8 took half of one (constants.py).
CHEAP = 1 / 32


class SparseContainer(Container):
    """A CSR or CSC matrix or array, with indices of either size."""

    # Means stay beside the sparse columns, so that what they cancel is lost in predictions and in
    # the Gram matrix, too. A column this close to constant is full.
    centres = False
    prone_below = 1e-2

    def __init__(self, X: Any) -> None:
        self.stored = X
        self.by_rows = X.format == "csr"
        super().__init__(X.shape, int(X.size), 0.0 if self.by_rows else CHEAP)
        self.direct = X.dtype == np.float64

    def blocks(self, features: Index | None = None) -> Iterator[tuple[slice, Float64]]:
        chosen = (self.stored if features is None else self.stored[:, features]).tocsr()
        for rows in slices(*chosen.shape):
            yield rows, chosen[rows].toarray().astype(np.float64, copy=False)

    def in_memory_order(self, least: int = 0, first: int = 0) -> Iterator[tuple[slice, slice, Any]]:
        """Walk through X along its compressed axis from `first` on, many stored values at a time.

        They are `least` or more, and as many as a sum over rows has: what a part costs besides its
        values.
        """
        n, p = self.shape
        pointers = self.stored.indptr[first:]
        least = max(least, p if self.by_rows else 0, BLOCK)
        steps = np.arange(pointers[0], pointers[-1], least)
        starts = first + np.searchsorted(pointers, steps)
        for start, stop in pairwise(np.unique([first, *starts, n if self.by_rows else p])):
            part = slice(start, stop)
            rows, columns = (part, slice(0, p)) if self.by_rows else (slice(0, n), part)
            yield rows, columns, self._part(part)

    def _part(self, part: slice) -> Any:
        """A part of X along its compressed axis, as float64; not a copy where X is."""
        n, p = self.shape
        pointers = self.stored.indptr[part.start : part.stop + 1]
        these = slice(pointers[0], pointers[-1])
        values = self.stored.data[these].astype(np.float64, copy=False)
        arrays = values, self.stored.indices[these], pointers - pointers[0]
        if self.by_rows:
            result = sparse.csr_array(arrays, shape=(part.stop - part.start, p))
        else:
            result = sparse.csc_array(arrays, shape=(n, part.stop - part.start))
        result.has_canonical_format = True  # as X has: it would be looked for
        return result

    def squared(self, part: Any) -> Any:
        part.data = part.data**2  # a power would copy the indices, too
        return part

    def read(self, features: Index, right: Float64) -> Float64:
        return np.asarray(self.stored[:, features].T @ right)

    def rows(self, rows: Index, features: Index | None = None) -> Any:
        chosen = slice(None) if features is None else features
        part = self.stored[rows][:, chosen] if self.by_rows else self.stored[:, chosen][rows]
        return part.astype(np.float64, copy=False)

    def gram(self, statistics: ColumnStatistics) -> Float64:
        (n, p), weights = self.shape, statistics.sqrt_weights**2
        gram = -np.multiply.outer(statistics.mean, statistics.mean)
        for rows, columns, part in self.in_memory_order(p * p if self.by_rows else n):
            right = part.tocsc()
            for others, left in self._from(columns, right):
                gram[others, columns] += weighted_products(left, right, weights[rows])
                gram[columns, others] = gram[others, columns].T
        return gram

    def _from(self, columns: slice, part: Any) -> Iterator[tuple[slice, Any]]:
        """A part's columns and all after them, on its rows: in one piece, if as X holds them."""
        if self.by_rows:
            yield columns, part
            return
        least = self.stored.nnz if self.direct else self.shape[0]
        for _, others, other in self.in_memory_order(least, columns.start):
            yield others, other

    def augmented_gram(self, statistics: ColumnStatistics, rows: Index, ends: Float64) -> Float64:
        (n, p), root = self.shape, statistics.sqrt_weights
        mean = np.append(statistics.mean, np.zeros(ends.shape[1]))
        gram = np.zeros((mean.size, mean.size))
        # Of CSR, about as many values at a time as their products have; of CSC all.
        width = self.stored.nnz // n * BLOCK // max(BLOCK, p * p) if self.by_rows else 0
        for where in slices(rows.size, width):
            some = rows[where]
            part = self.stored[some].astype(np.float64, copy=False).tocsc()
            part.data *= root[some[part.indices]]
            part = sparse.hstack([part, sparse.csc_array(ends[some])], format="csc")
            gram += weighted_products(part, part, np.ones(some.size))
        raw = np.multiply.outer(gram[:, -1], mean)
        return gram - raw - raw.T + gram[-1, -1] * np.multiply.outer(mean, mean)

    def choose(self, statistics: ColumnStatistics) -> Columns:
        return SparseColumns(statistics, self)


def weighted_products(left: Any, right: Any, weights: Float64) -> Float64:
    """left' diag(weights) right of CSC arrays, as a dense array."""
    n, k = right.shape
    if left is right and _is_full(right.nnz, right.shape):
        return _filled_square(right, np.arange(k), np.sqrt(weights))
    weighted = right.copy()
    weighted.data *= weights[right.indices]
    if k > SEVERAL and SPARSE * right.nnz < n * k:
        return np.asarray((weighted.T @ left).toarray().T)
    products = np.empty((left.shape[1], k))
    for where in slices(k, n // TOGETHER):
        products[:, where] = left.T @ weighted[:, where].T.toarray().T
    return products


def _is_full(stored: int, shape: tuple[int, int]) -> bool:
    """Whether columns are filled up before they are multiplied by themselves."""
    return FULL * stored > shape[0] * shape[1]


def _filled_square(columns: Any, positions: Index, factors: Float64) -> Float64:
    """A'A of A = diag(factors) times some columns, filled up, a block of rows at a time."""
    square = np.zeros((positions.size,) * 2)
    for rows, filled in _filled(columns, positions):
        filled *= factors[rows]
        square += filled @ filled.T
    return square


def _filled(columns: Any, positions: Index) -> Iterator[tuple[slice, Float64]]:
    """Rows and, transposed, what some sorted CSC columns hold there, zeros too; in one array."""
    n, k = columns.shape[0], positions.size
    if n * k <= TOGETHER * BLOCK:
        yield slice(n), columns[:, positions].T.toarray()
        return
    parts = list(slices(n, max(1, k // TOGETHER)))
    first_rows = [rows.start for rows in parts] + [n]
    starts = np.array(
        [
            first + np.searchsorted(columns.indices[first:end], first_rows)
            for first, end in zip(
                columns.indptr[positions], columns.indptr[positions + 1], strict=True
            )
        ]
    )
    whole = np.empty((k, parts[0].stop))
    for number, rows in enumerate(parts):
        filled = whole[:, : rows.stop - rows.start]
        filled[:] = 0.0
        for row, first, end in zip(filled, *starts[:, number : number + 2].T, strict=True):
            row[columns.indices[first:end] - rows.start] = columns.data[first:end]
        yield rows, filled


def _stored(columns: Any, positions: Index) -> int:
    """How many numbers some CSC columns hold."""
    return int(np.diff(columns.indptr)[positions].sum())


class SparseMatrix:
    """Sparse columns by their products; `weights` are those of the samples, v, not part of them.

    With `positions` they are some of more columns, which are not copied.
    """

    def __init__(self, columns: Any, weights: Float64, positions: Index | None = None) -> None:
        self._columns, self._transposed, self.weights = columns, columns.T, weights
        self._positions = positions

    def predict(self, theta: Float64) -> Float64:
        """S theta."""
        if self._positions is not None:
            theta, values = np.zeros(self._columns.shape[1]), theta
            theta[self._positions] = values
        return np.asarray(self._columns @ theta)

    def correlations(self, right: Float64) -> Float64:
        """S'right."""
        return self._chosen(self._transposed @ right)

    def squares(self, right: Float64) -> Float64:
        """(S o S)'right."""
        columns = self._columns
        arrays = columns.data**2, columns.indices, columns.indptr
        return self._chosen(sparse.csc_array(arrays, shape=columns.shape).T @ right)

    def on(self, kept: Index) -> SparseMatrix:
        """Some of the columns."""
        kept = kept if self._positions is None else self._positions[kept]
        return SparseMatrix(self._columns[:, kept], self.weights)

    def _chosen(self, values: Any) -> Any:
        return values if self._positions is None else values[self._positions]


class SparsePairs:
    """Pairs of sparse columns and outputs by their products: sqrt(v) X, of shape (n K, k).

    Without means, which make no difference where there are intercepts.
    """

    weights = None

    def __init__(self, columns: Any, outputs: Index) -> None:
        self._columns, self._transposed, self.outputs = columns, columns.T, outputs

    def predict(self, theta: Float64) -> Float64:
        """S theta, of shape (n K,)."""
        return np.asarray(self._columns @ theta)

    def correlations(self, residual: Float64) -> Float64:
        """S'r, for r of shape (n K,)."""
        return np.asarray(self._transposed @ residual)

    def on(self, kept: Index) -> SparsePairs:
        """Some of the pairs."""
        return SparsePairs(self._columns[:, kept], self.outputs[kept])


def _pairs_of(columns: Any, outputs: Index, n_outputs: int, root: Float64) -> SparsePairs:
    """Of CSC columns, each of one output, and square roots of the samples' weights."""
    n, k = columns.shape
    index = index_type(max(n * n_outputs, columns.nnz))
    rows = columns.indices.astype(index) * n_outputs
    rows += np.repeat(outputs.astype(index), np.diff(columns.indptr))
    arrays = columns.data * root[columns.indices], rows, columns.indptr.astype(index)
    return SparsePairs(sparse.csc_array(arrays, shape=(n * n_outputs, k)), outputs)


def _products_of(columns: SparseColumns, positions: Index, products: float) -> SparseMatrix | None:
    """Columns by their products, where so many cost less than to form and factorise a Hessian."""
    n, k = columns.container.shape[0], positions.size
    formed = min(columns.costs(positions).gram, n * k**2) + k**3 / 3
    if is_formed(k, formed, products * 2 * SLOW_PRODUCT * _stored(columns.chosen, positions)):
        return None
    weights = columns.statistics.sqrt_weights**2
    if _stored(columns.chosen, positions) < COPIED * columns.chosen.nnz:
        return SparseMatrix(columns.chosen[:, positions], weights)
    return SparseMatrix(columns.chosen, weights, positions)


class GrowingColumns:
    """Sparse columns of n rows, in arrays that grow as others are put behind them.

    Attributes
    ----------
    columns : CSC array of shape (n, k)
        Those so far; views of the arrays.
    """

    def __init__(self, n: int, most: int) -> None:
        index = index_type(most)
        self._values, self._rows = np.empty(0), np.empty(0, dtype=index)
        self.columns = sparse.csc_array((n, 0), dtype=np.float64)

    def append(self, new: Any) -> Any:
        """The columns, with new ones behind them."""
        start, stop = self.columns.nnz, self.columns.nnz + new.nnz
        if stop > self._values.size:
            self._values = enlarged(self._values, start, stop)
            self._rows = enlarged(self._rows, start, stop)
        self._values[start:stop], self._rows[start:stop] = new.data, new.indices
        ends = np.concatenate([self.columns.indptr, start + new.indptr[1:]])
        arrays = self._values[:stop], self._rows[:stop], ends.astype(self._rows.dtype)
        self.columns = sparse.csc_array(arrays, shape=(self.columns.shape[0], ends.size - 1))
        self.columns.has_canonical_format = True  # as X has: it would be looked for
        return self.columns


class SparseColumns(Columns):
    """Columns of a sparse X as they are, with their means beside them.

    Cancellation-prone ones are centred, and full.
    """

    def __init__(self, statistics: ColumnStatistics, container: SparseContainer) -> None:
        self.statistics, self.container = statistics, container
        self.features = np.empty(0, dtype=np.intp)
        self.mean = statistics.mean.copy()
        self.mean[statistics.cancellation_prone] = 0.0
        n = container.shape[0]
        full = n * statistics.cancellation_prone.size
        self._growing = GrowingColumns(n, container.n_stored + full)
        self.chosen = self._growing.columns

    def operator(
        self, support: Index, ridge: Float64 | None = None, products: float = 0.0
    ) -> ProductGram | SparseMatrix | None:
        if products:
            return _products_of(self, support, products)
        if support.size < LARGE or support.size**2 <= DENSE_FACTOR * _stored(self.chosen, support):
            return None
        mean, weights = self.mean[self.features], self.statistics.sqrt_weights**2
        squares = self.statistics.column_norms[self.features] ** 2
        return ProductGram(self.chosen, squares, mean if mean.any() else None, weights)

    def pairs(self, positions: Index, outputs: Index, n_outputs: int) -> Any:
        stored = _stored(self.chosen, positions)
        if SCATTERED * stored > n_outputs * self.chosen.nnz or 2 * stored > LARGEST_FORMED:
            return super().pairs(positions, outputs, n_outputs)
        root = self.statistics.sqrt_weights
        return _pairs_of(self.chosen[:, positions], outputs, n_outputs, root)

    def append(self, features: Index) -> None:
        statistics = self.statistics
        new = sparse.csc_array(self.container.stored[:, features], dtype=np.float64)
        new.data[np.repeat(statistics.left_out[features], np.diff(new.indptr))] = 0.0
        for column in np.flatnonzero(np.isin(features, statistics.cancellation_prone)):
            one = features[[column]]
            full = statistics.centre(self.container.columns(one), one)
            # Other columns are not centred: what rounding left of this one's mean counts.
            full -= statistics.sqrt_weights**2 @ full
            new = sparse.hstack([new[:, :column], full, new[:, column + 1 :]], format="csc")
        self.chosen = self._growing.append(new)
        self.features = np.append(self.features, features)

    def products(self, first: int) -> Float64:
        mean = self.mean[self.features]
        new = self.chosen[:, first:] if first else self.chosen
        gram = weighted_products(self.chosen, new, self.statistics.sqrt_weights**2)
        gram -= np.multiply.outer(mean, mean[first:])
        constant = self.statistics.column_norms[self.features] == 0.0
        gram[constant] = gram[:, constant[first:]] = 0.0
        return gram

    def predict(self, theta: Float64) -> Float64:
        shifted = self.chosen @ theta - self.mean[self.features] @ theta
        return np.asarray((self.statistics.sqrt_weights * shifted.T).T)

    def correlations(self, residual: Float64) -> Float64:
        root = self.statistics.sqrt_weights
        z = self.chosen.T @ (root * residual.T).T
        return np.asarray(z - np.multiply.outer(self.mean[self.features], root @ residual))

    def weighted_gram(
        self, positions: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        root = self.statistics.sqrt_weights
        right = (root * weights)[:, None] * right
        products = (self.chosen.T @ right)[positions[first:]]  # faster than a copy of some
        weights, size = root**2 * weights, (root.size, positions.size)
        if not first and _is_full(_stored(self.chosen, positions), size):
            return _filled_square(self.chosen, positions, np.sqrt(weights)), products
        columns = self.chosen[:, positions]
        gram = weighted_products(columns, columns[:, first:] if first else columns, weights)
        return gram, products

    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        scaled = self.chosen[:, positions]
        output = np.repeat(outputs, np.diff(scaled.indptr))
        scaled.data *= (self.statistics.sqrt_weights[:, None] * weights)[scaled.indices, output]
        new = scaled[:, first:]
        return np.asarray((scaled.T @ new).toarray()), np.asarray(new.T @ right)

    @property
    def density(self) -> float:
        n, p = self.container.shape
        if not self.features.size:
            return self.container.n_stored / (n * p)
        return float(self.chosen.nnz / (n * self.features.size))

    def costs(self, positions: Index) -> Costs:
        n, k = size = self.container.shape[0], positions.size
        stored = _stored(self.chosen, positions)
        full = _is_full(stored, size)
        gram = n * k * (k + SLOW_PRODUCT) if full else SLOW * stored**2 / n
        return Costs(gram, 2.0 * SLOW_PRODUCT * float(self.chosen.nnz))

    def _outer(self, scale: Float64) -> Float64:
        root, mean = self.statistics.sqrt_weights, self.mean[self.features]
        weighted = self.chosen.copy()
        weighted.data *= np.repeat(scale, np.diff(weighted.indptr))
        shift = weighted @ mean
        products = np.asarray((weighted @ self.chosen.T).toarray(order="C"))
        products -= shift[:, None] + (shift - float(scale @ mean**2))
        return products * root * root[:, None]
