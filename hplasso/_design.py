"""The design: all that the solver may ask of X. No other file knows dense from sparse.

With weights v_i >= 0 that sum to one and the weighted column means m, the solver sees the matrix

    Z = diag(sqrt v) (X - 1 m'),        G = Z'Z,        z = Z'r,

(m = 0 without an intercept), though Z is never formed: X is neither copied nor changed, whatever
its layout. A design answers with correlations Z'r, in one pass over X, and with blocks of exactly
centred columns, as float64.

Precision. Z'r is computed as X' (sqrt(v) r) less the share of the means, which is small as r is
orthogonal to sqrt(v) but for rounding: good as long as a column's mean does not dwarf its spread.
*Fragile* columns, where it does (constant columns among them), are treated in small blocks that
are centred first. Blocks of float32 are widened on the way: all arithmetic is in float64.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from ._certificate import ROUNDING
from ._typing import Float64, Index

# Elements of X taken at a time where a block has to be copied: 1 MB of float64.
BLOCK = 2**17
# The part of all columns that takes less time to read one by one than a pass takes, with a margin:
# where they lie in one piece in memory, and where each element is fetched with its neighbours.
READABLE, READABLE_ACROSS = 1 / 32, 1 / 128


class Columns(ABC):
    """Chosen columns of Z, k of them, to which more can be added.

    Places are positions among them, in the order in which they came.
    """

    @abstractmethod
    def append(self, features: Index) -> None:
        """Add columns."""

    @abstractmethod
    def products(self, first: int) -> Float64:
        """Gram block of all columns with those from place `first` on, of shape (k, k - first)."""

    @abstractmethod
    def predict(self, theta: Float64) -> Float64:
        """Z theta, of shape (n,) or (n, K), for theta of shape (k,) or (k, K)."""

    @abstractmethod
    def correlations(self, residual: Float64) -> Float64:
        """Z'r, of shape (k,) or (k, K)."""

    @abstractmethod
    def cross(self, left: Index, right: Index, weights: Float64) -> Float64:
        """S_left' diag(weights) S_right at these places.

        S_j is Z_j but for a multiple of sqrt(v), one for each column: what makes no difference
        under a free intercept. There is none without an intercept.
        """

    @abstractmethod
    def total(self, places: Index, weights: Float64) -> Float64:
        """S_places' weights, of shape (k,)."""

    @abstractmethod
    def stored(self, places: Index) -> int:
        """How many numbers these columns hold."""

    def split(self, where: Index) -> tuple[Columns, Index, Index]:
        """The columns, the places in them, and the outputs that they are for: a single one here."""
        return self, where, np.zeros(where.size, dtype=np.intp)


class Design(ABC):
    """What the solver may ask of X, of shape (n, p), under weights v of shape (n,).

    Attributes
    ----------
    mean, spread : ndarrays of shape (p,)
        m, and the length of the columns of Z; 0 for constant columns under an intercept.
    rounding : ndarray of shape (p,)
        Rounding error of a correlation, for an r of length one.
    size : ndarray of shape (p,)
        Length of the columns as they come into predictions.
    readable : int
        As many columns are read faster by themselves than by a pass over X.
    passes : float
        How many times X has been read; columns read by themselves count for their part of it.
    """

    # A column is fragile if its variance is below this part of its mean square.
    fragile_below: float

    def __init__(self, X: Any, weights: Float64, fit_intercept: bool) -> None:
        self.X = X
        self.root = np.sqrt(weights)
        self.shape: tuple[int, int] = X.shape
        self.fit_intercept = fit_intercept
        self.readable = int(self._readable() * self.shape[1])
        self.passes = 1.0
        mean, square = self._moments(weights)
        self.mean = mean if fit_intercept else np.zeros_like(mean)
        variance = square - self.mean**2
        self.fragile = np.flatnonzero(variance <= self.fragile_below * square)
        variance[self.fragile] = self._centre_fragile(weights, square)
        self.spread = np.sqrt(variance)
        raw = np.sqrt(square)
        raw[self.fragile] = self.spread[self.fragile]
        self.rounding = ROUNDING * raw
        self.size = self._size_in_predictions(raw)

    def _centre_fragile(self, weights: Float64, square: Float64) -> Float64:
        """Set the fragile columns' means to the last digit; return their variances."""
        variance = np.zeros(self.fragile.size)
        if not self.fit_intercept:  # then a column is fragile only if it is zero
            return variance
        for where in _slices(self.fragile.size, self.shape[0]):
            features = self.fragile[where]
            self.mean[features] += weights @ self._centred(features)
            centred = self._centred(features)
            variance[where] = weights @ centred**2
        unit = float(np.finfo(np.float64).eps)
        variance[variance <= (4.0 * unit) ** 2 * square[self.fragile]] = 0.0
        return variance

    @abstractmethod
    def _readable(self) -> float:
        """`readable`, as a part of all columns."""

    @abstractmethod
    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        """Weighted means of the columns and of their squares."""

    @abstractmethod
    def _size_in_predictions(self, raw: Float64) -> Float64:
        """`size`, given the lengths of the columns before centring."""

    @abstractmethod
    def _centred(self, features: Index) -> Float64:
        """Columns of X - 1 m', as float64, of shape (n, k)."""

    @abstractmethod
    def _transposed_product(self, right: Float64) -> Float64:
        """X'right, for `right` of shape (n,) or (n, k)."""

    @abstractmethod
    def gram(self) -> Float64:
        """G = Z'Z of all features, of shape (p, p)."""

    @abstractmethod
    def columns(self) -> Columns:
        """An empty set of columns, to be filled."""

    def block(self, features: Index) -> Float64:
        """Columns of Z, of shape (n, k)."""
        block = self._centred(features)
        block *= self.root[:, None]
        block[:, self.spread[features] == 0.0] = 0.0
        return block

    def correlations(self, residual: Float64) -> Float64:
        """z = Z'r of all features: the one pass over X that a certificate costs."""
        self.passes += 1
        return self.product(residual)

    @abstractmethod
    def _chosen_product(self, features: Index, right: Float64) -> Float64:
        """X'right for some columns of X and `right` of shape (n,)."""

    def read(self, features: Index, residual: Float64) -> Float64:
        """z of some features."""
        self.passes += features.size / self.shape[1]
        if self.fragile.size and np.isin(features, self.fragile).any():
            blocks = (features[where] for where in _slices(features.size, self.shape[0]))
            return np.concatenate([self.block(block).T @ residual for block in blocks])
        z = self._chosen_product(features, self.root * residual)
        return z - self.mean[features] * float(self.root @ residual)

    def product(self, right: Float64) -> Float64:
        """Z'right, for `right` of shape (n,) or (n, k)."""
        result = self._transposed_product((self.root * right.T).T)
        if self.fit_intercept:
            result -= np.multiply.outer(self.mean, self.root @ right)
        for where in _slices(self.fragile.size, self.shape[0]):
            features = self.fragile[where]
            result[features] = self.block(features).T @ right
        return result


def make_design(X: Any, weights: Float64, fit_intercept: bool) -> Design:
    """The design of an array or a sparse matrix that has been validated."""
    kind = SparseDesign if sparse.issparse(X) else DenseDesign
    return kind(X, weights, fit_intercept)


def as_array(values: Any) -> Any:
    """Values that may be stored as a sparse matrix, as an array."""
    return values.toarray() if sparse.issparse(values) else values


def _slices(total: int, width: int) -> Iterator[slice]:
    """Cut range(total) so that each part, times `width`, is about a block."""
    step = max(1, BLOCK // max(width, 1))
    return (slice(start, min(start + step, total)) for start in range(0, total, step))


class DenseDesign(Design):
    """A design on an ndarray of any layout, read-only and memory-mapped ones included."""

    fragile_below = 1e-6

    def _size_in_predictions(self, raw: Float64) -> Float64:
        return self.spread

    def _by_rows(self) -> bool:
        return abs(self.X.strides[0]) >= abs(self.X.strides[1])

    def _readable(self) -> float:
        return READABLE_ACROSS if self._by_rows() else READABLE

    def _direct(self) -> bool:
        """Whether BLAS can work on X as it lies in memory."""
        item = self.X.itemsize
        return self.X.dtype == np.float64 and item in self.X.strides

    def _blocks(self) -> Iterator[tuple[slice, slice, Float64]]:
        """Walk through X in the order of memory: rows, columns, and the block as float64."""
        n, p = self.shape
        by_rows = self._by_rows()
        for part in _slices(n, p) if by_rows else _slices(p, n):
            rows, columns = (part, slice(0, p)) if by_rows else (slice(0, n), part)
            yield rows, columns, self.X[rows, columns].astype(np.float64, copy=False)

    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        mean, square = np.zeros((2, self.shape[1]))
        for rows, columns, block in self._blocks():
            mean[columns] += weights[rows] @ block
            square[columns] += weights[rows] @ (block * block)
        return mean, square

    def _rows(self, features: Index) -> Float64:
        """Columns of X as the rows of a new array."""
        rows = self.X[:, features].T if self._by_rows() else self.X.T[features]
        return rows.astype(np.float64, copy=False)

    def _centred(self, features: Index) -> Float64:
        rows = self._rows(features)
        rows -= self.mean[features, None]
        return rows.T

    def _transposed_product(self, right: Float64) -> Float64:
        if self._direct():
            return np.asarray(self.X.T @ right)
        result = np.zeros((self.shape[1], *right.shape[1:]))
        for rows, columns, block in self._blocks():
            result[columns] += block.T @ right[rows]
        return result

    def _chosen_product(self, features: Index, right: Float64) -> Float64:
        blocks = (features[where] for where in _slices(features.size, self.shape[0]))
        return np.concatenate([self._rows(block) @ right for block in blocks])

    def gram(self) -> Float64:
        self.passes += 1
        n, p = self.shape
        gram = np.zeros((p, p))
        for rows in _slices(n, p):
            block = self.root[rows, None] * (self.X[rows] - self.mean)
            gram += block.T @ block
        constant = self.spread == 0.0
        gram[constant] = 0.0
        gram[:, constant] = 0.0
        return gram

    def columns(self) -> Columns:
        wide = self.shape[1] > self.shape[0]
        return DenseColumns(self) if wide else ReadColumns(self)


class ReadColumns(Columns):
    """Columns of Z read from X each time, in blocks of rows: for a tall X, too large to copy."""

    def __init__(self, design: DenseDesign) -> None:
        self.design = design
        self.features = np.empty(0, dtype=np.intp)

    def _blocks(self, features: Index) -> Iterator[tuple[slice, Float64]]:
        """Rows, and what Z holds there in some columns."""
        design = self.design
        constant = design.spread[features] == 0.0
        for rows in _slices(design.shape[0], features.size):
            block = design.X[rows][:, features] - design.mean[features]
            block = block * design.root[rows, None]
            block[:, constant] = 0.0
            yield rows, block

    def append(self, features: Index) -> None:
        self.features = np.append(self.features, features)

    def products(self, first: int) -> Float64:
        gram = np.zeros((self.features.size, self.features.size - first))
        for _, block in self._blocks(self.features):
            gram += block.T @ block[:, first:]
        return gram

    def correlations(self, residual: Float64) -> Float64:
        z = np.zeros((self.features.size, *residual.shape[1:]))
        for rows, block in self._blocks(self.features):
            z += block.T @ residual[rows]
        return z

    def predict(self, theta: Float64) -> Float64:
        prediction = np.zeros((self.design.shape[0], *theta.shape[1:]))
        live = np.flatnonzero(theta if theta.ndim == 1 else theta.any(axis=1))
        for rows, block in self._blocks(self.features[live]):
            prediction[rows] = block @ theta[live]
        return prediction

    def cross(self, left: Index, right: Index, weights: Float64) -> Float64:
        result = np.zeros((left.size, right.size))
        same = left is right
        both = left if same else np.concatenate([left, right])
        for rows, block in self._blocks(self.features[both]):
            other = block if same else block[:, left.size :]
            result += block[:, : left.size].T @ (weights[rows, None] * other)
        return result

    def stored(self, places: Index) -> int:
        return places.size * self.design.shape[0]

    def total(self, places: Index, weights: Float64) -> Float64:
        result = np.zeros(places.size)
        for rows, block in self._blocks(self.features[places]):
            result += weights[rows] @ block
        return result


class DenseColumns(Columns):
    """Columns of Z, copied one by one as features enter: the rows of a growing buffer."""

    def __init__(self, design: DenseDesign) -> None:
        self.design = design
        self.size = 0
        self.buffer = np.empty((0, design.shape[0]))

    def append(self, features: Index) -> None:
        stop = self.size + features.size
        if stop > len(self.buffer):
            rows = min(max(stop, 2 * self.size), self.design.shape[1])
            grown = np.empty((rows, self.design.shape[0]))
            grown[: self.size] = self.buffer[: self.size]
            self.buffer = grown
        self.buffer[self.size : stop] = self.design.block(features).T
        self.size = stop

    def products(self, first: int) -> Float64:
        return self.buffer[: self.size] @ self.buffer[first : self.size].T

    def predict(self, theta: Float64) -> Float64:
        return np.asarray(self.buffer[: self.size].T @ theta)

    def correlations(self, residual: Float64) -> Float64:
        return np.asarray(self.buffer[: self.size] @ residual)

    def cross(self, left: Index, right: Index, weights: Float64) -> Float64:
        weighted = self.buffer[left]
        other = weighted.copy() if left is right else self.buffer[right]
        weighted *= weights
        return weighted @ other.T

    def stored(self, places: Index) -> int:
        return places.size * self.design.shape[0]

    def total(self, places: Index, weights: Float64) -> Float64:
        return np.asarray(self.buffer[places] @ weights)


class SparseDesign(Design):
    """A design on a CSR or CSC matrix or array, with indices of either size."""

    # Here predictions are not centred exactly either. A column this close to constant is full.
    fragile_below = 1e-2

    def __init__(self, X: Any, weights: Float64, fit_intercept: bool) -> None:
        self.by_rows = X.format == "csr"
        super().__init__(X, weights, fit_intercept)

    def _size_in_predictions(self, raw: Float64) -> Float64:
        return raw

    def _readable(self) -> float:
        return 0.0 if self.by_rows else READABLE

    def _chosen_product(self, features: Index, right: Float64) -> Float64:
        return np.asarray(self.X[:, features].T @ right)

    def _parts(self) -> Iterator[tuple[slice, slice, Any]]:
        """Walk through X along its compressed axis, a block of stored values at a time."""
        n, p = self.shape
        ahead = n if self.by_rows else p
        for part in _slices(ahead, max(1, self.X.nnz // max(ahead, 1))):
            rows, columns = (part, slice(0, p)) if self.by_rows else (slice(0, n), part)
            yield rows, columns, self.X[rows, columns].astype(np.float64)

    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        mean, square = np.zeros((2, self.shape[1]))
        for rows, columns, part in self._parts():
            mean[columns] += part.T @ weights[rows]
            part.data **= 2
            square[columns] += part.T @ weights[rows]
        return mean, square

    def _centred(self, features: Index) -> Float64:
        return np.asarray(self.X[:, features].toarray() - self.mean[features], dtype=np.float64)

    def _transposed_product(self, right: Float64) -> Float64:
        if self.X.dtype == np.float64:
            return np.asarray(self.X.T @ right)
        result = np.zeros((self.shape[1], *right.shape[1:]))
        for rows, columns, part in self._parts():
            result[columns] += part.T @ right[rows]
        return result

    def gram(self) -> Float64:
        self.passes += 1
        weights = self.root**2
        gram = -np.multiply.outer(self.mean, self.mean)
        for rows, columns, part in self._parts():
            for _, others, other in [(rows, columns, part)] if self.by_rows else self._parts():
                weighted = other.copy()
                weighted.data *= weights[rows][_row_numbers(other)]
                gram[columns, others] += (part.T @ weighted).toarray()
        for where in _slices(self.fragile.size, self.shape[0]):
            features = self.fragile[where]
            gram[:, features] = self.product(self.block(features))
            gram[features] = gram[:, features].T
        return gram

    def columns(self) -> Columns:
        return SparseColumns(self)


def _row_numbers(matrix: Any) -> Index:
    """The row of each stored value."""
    if matrix.format == "csc":
        return np.asarray(matrix.indices, dtype=np.intp)
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


class SparseColumns(Columns):
    """Columns of a sparse X as they are, with their means beside them; fragile ones centred."""

    def __init__(self, design: SparseDesign) -> None:
        self.design = design
        self.features = np.empty(0, dtype=np.intp)
        self.mean = design.mean.copy()
        self.mean[design.fragile] = 0.0
        self.chosen = sparse.csc_array((design.shape[0], 0), dtype=np.float64)

    def append(self, features: Index) -> None:
        design = self.design
        new = sparse.csc_array(design.X[:, features], dtype=np.float64)
        centred = np.flatnonzero(np.isin(features, design.fragile))
        for column in centred:
            full = design._centred(features[[column]])
            new = sparse.hstack([new[:, :column], full, new[:, column + 1 :]], format="csc")
        self.chosen = sparse.hstack([self.chosen, new], format="csc")
        self.features = np.append(self.features, features)

    def products(self, first: int) -> Float64:
        design, features = self.design, self.features[first:]
        gram = np.empty((self.features.size, features.size))
        for where in _slices(features.size, design.shape[0]):
            block = design.block(features[where])
            gram[:, where] = self.chosen.T @ (design.root[:, None] * block)
        gram[design.spread[self.features] == 0.0] = 0.0
        return gram

    def predict(self, theta: Float64) -> Float64:
        shifted = self.chosen @ theta - self.mean[self.features] @ theta
        return np.asarray((self.design.root * shifted.T).T)

    def correlations(self, residual: Float64) -> Float64:
        root = self.design.root
        z = self.chosen.T @ (root * residual.T).T
        return np.asarray(z - np.multiply.outer(self.mean[self.features], root @ residual))

    def cross(self, left: Index, right: Index, weights: Float64) -> Float64:
        first = self.chosen[:, left]
        second = first.copy() if left is right else self.chosen[:, right]
        second.data *= (self.design.root**2 * weights)[second.indices]
        return np.asarray((first.T @ second).toarray())

    def stored(self, places: Index) -> int:
        return int(np.diff(self.chosen.indptr)[places].sum())

    def total(self, places: Index, weights: Float64) -> Float64:
        return np.asarray(self.chosen[:, places].T @ (self.design.root * weights))
