"""The design of a dense X: an ndarray of any layout, read-only and memory-mapped ones included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._numerics.linalg import room_for
from .._numerics.threads import LARGE_DATA, threads_for_pass
from .._numerics.typing import Float64, Index
from .base import MOST, Columns, Design, slices

# The part of all columns that takes less time to read one by one than a pass takes, with a margin:
# where they lie in one piece in memory, and where each element is fetched with its neighbours.
CHEAP, CHEAP_ACROSS = 1 / 16, 1 / 128


class DenseDesign(Design):
    """A design on an ndarray of any layout, read-only and memory-mapped ones included."""

    prone_below = 1e-6

    def _size_in_predictions(self, raw: Float64) -> Float64:
        return self.column_norms

    def _by_rows(self) -> bool:
        return abs(self.X.strides[0]) >= abs(self.X.strides[1])

    def _cheap_fraction(self) -> float:
        return CHEAP_ACROSS if self._by_rows() else CHEAP

    def _direct(self) -> bool:
        """Whether BLAS can work on X as it lies in memory."""
        (n, p), (down, across), item = self.shape, self.X.strides, self.X.itemsize
        together = (across == item and down >= p * item) or (down == item and across >= n * item)
        return self.X.dtype == np.float64 and together

    def _blocks(self) -> Iterator[tuple[slice, slice, Float64]]:
        """Walk through X in the order of memory: rows, columns, and the block as float64."""
        n, p = self.shape
        by_rows = self._by_rows()
        for part in slices(n, p) if by_rows else slices(p, n):
            rows, columns = (part, slice(0, p)) if by_rows else (slice(0, n), part)
            yield rows, columns, self.X[rows, columns].astype(np.float64, copy=False)

    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        mean, square = np.zeros((2, self.shape[1]))
        equal = (weights == weights[0]).all()
        for rows, columns, block in self._blocks():
            if self.fit_intercept:
                mean[columns] += weights[rows] @ block
            if equal:
                square[columns] += weights[0] * np.einsum("ij,ij->j", block, block)
            else:
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
        blocks = (features[where] for where in slices(features.size, self.shape[0]))
        return np.concatenate([self._rows(block) @ right for block in blocks])

    def _nearly_centred(self) -> bool:
        """Whether weights are equal, and correcting X'X for the means cancels little."""
        equal = bool((self.sqrt_weights == self.sqrt_weights[0]).all())
        return equal and bool((np.abs(self.mean) <= self.column_norms).all())

    def gram(self) -> Float64:
        self.passes += 1
        n, p = self.shape
        gram = np.zeros((p, p))
        with threads_for_pass():
            if self._direct() and self._nearly_centred():
                gram = self.sqrt_weights[0] ** 2 * (self.X.T @ self.X)
                gram -= np.multiply.outer(self.mean, self.mean)
            else:
                for rows in slices(n, p):
                    block = self.sqrt_weights[rows, None] * (self.X[rows] - self.mean)
                    gram += block.T @ block
        gram[self.constant] = 0.0
        gram[:, self.constant] = 0.0
        return gram

    def augmented_gram(self, rows: Index, response: Float64) -> Float64:
        p = self.shape[1]
        ends = np.stack([response, self.sqrt_weights], axis=1)
        augmented_gram = np.zeros((p + 2, p + 2))
        together = bool((np.diff(rows) == 1).all())
        with threads_for_pass():
            if together and self._direct() and self._nearly_centred():
                these = slice(rows[0], rows[-1] + 1)
                augmented_gram[:p, :p], augmented_gram[:p, p:] = self._moments_together(
                    these, ends[these]
                )
            else:
                for where in slices(rows.size, p):
                    part = rows[where]
                    block = self.sqrt_weights[part, None] * (self.X[part] - self.mean)
                    augmented_gram[:p, :p] += block.T @ block
                    augmented_gram[:p, p:] += block.T @ ends[part]
        augmented_gram[p:, :p] = augmented_gram[:p, p:].T
        augmented_gram[p:, p:] = ends[rows].T @ ends[rows]
        return augmented_gram

    def _moments_together(self, part: slice, ends: Float64) -> tuple[Float64, Float64]:
        """Z'Z and Z'ends of neighbouring samples, straight from X."""
        block, root, mean = self.X[part], self.sqrt_weights[0], self.mean
        shift = np.multiply.outer(block.sum(axis=0) - 0.5 * len(block) * mean, mean)
        gram = root**2 * (block.T @ block - shift - shift.T)
        return gram, root * (block.T @ ends - np.multiply.outer(mean, ends.sum(axis=0)))

    def rows(self, rows: Index, features: Index) -> Any:
        whole = 2 * features.size > self.shape[1]
        block = self.X[rows][:, features] if whole else self.X[rows[:, None], features]
        return block.astype(np.float64, copy=False)

    def columns(self) -> Columns:
        wide = self.shape[1] > self.shape[0]
        return DenseColumns(self) if wide or self.n_stored < LARGE_DATA else ReadColumns(self)


class ReadColumns(Columns):
    """Columns of Z read from X each time, in blocks of rows: for a tall X, too large to copy."""

    def __init__(self, design: DenseDesign) -> None:
        self.design = design
        self.features = np.empty(0, dtype=np.intp)

    def _blocks(self, features: Index) -> Iterator[tuple[slice, Float64]]:
        """Rows, and what Z holds there in some columns."""
        design = self.design
        constant = design.column_norms[features] == 0.0
        for rows in slices(design.shape[0], features.size):
            block = design.X[rows][:, features] - design.mean[features]
            block = block * design.sqrt_weights[rows, None]
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

    def weighted_gram(self, left: Index, right: Index, weights: Float64) -> Float64:
        result = np.zeros((left.size, right.size))
        same = left is right
        both = left if same else np.concatenate([left, right])
        for rows, block in self._blocks(self.features[both]):
            if same:
                block = np.sqrt(weights[rows, None]) * block
                result += block.T @ block
            else:
                other = block[:, left.size :]
                result += block[:, : left.size].T @ (weights[rows, None] * other)
        return result

    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64
    ) -> Float64:
        result = np.zeros((positions.size, positions.size - first))
        for rows, block in self._blocks(self.features[positions]):
            scaled = block * weights[rows][:, outputs]
            result += scaled.T @ scaled[:, first:]
        return result

    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        result = np.zeros((positions.size, weights.shape[1]))
        for rows, block in self._blocks(self.features[positions]):
            result += block.T @ weights[rows]
        return result

    def _outer(self, scale: Float64) -> Float64:
        whole = self.design.block(self.features)
        return np.asarray((whole * scale) @ whole.T)


class DenseColumns(Columns):
    """Columns of Z, copied one by one as features enter: the rows of a growing buffer."""

    def __init__(self, design: DenseDesign) -> None:
        self.design = design
        self.size = 0
        self.buffer = np.empty((0, design.shape[0]))

    def append(self, features: Index) -> None:
        stop = self.size + features.size
        if stop > len(self.buffer):
            rows = min(room_for(stop), self.design.shape[1])
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

    def weighted_gram(self, left: Index, right: Index, weights: Float64) -> Float64:
        if left is not right:
            return self._times(left, (self.buffer[right] * weights).T)
        root, result = np.sqrt(weights), np.zeros((right.size, right.size))
        for samples, block in self._blocks(right):
            block *= root[samples]
            result += block @ block.T
        return result

    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64
    ) -> Float64:
        result = np.zeros((positions.size, positions.size - first))
        for samples, block in self._blocks(positions):
            block *= weights.T[:, samples][outputs]
            result += block @ block[first:].T
        return result

    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        return self._times(positions, weights)

    def _outer(self, scale: Float64) -> Float64:
        root, result = np.sqrt(scale), np.zeros((self.design.shape[0],) * 2)
        for part in slices(self.size, self.design.shape[0]):
            block = self.buffer[part] * root[part, None]
            result += block.T @ block
        return result

    def _times(self, positions: Index, right: Float64) -> Float64:
        """Some columns, as rows, times `right`: with all, if they are most of these."""
        if positions.size > MOST * self.size:
            return np.asarray((self.buffer[: self.size] @ right)[positions])
        result = np.zeros((positions.size, right.shape[1]))
        for samples, block in self._blocks(positions):
            result += block @ right[samples]
        return result

    def _blocks(self, positions: Index) -> Iterator[tuple[slice, Float64]]:
        """Some columns, as rows, copied for some samples after the other."""
        for samples in slices(self.design.shape[0], positions.size):
            yield samples, self.buffer[:, samples][positions]
