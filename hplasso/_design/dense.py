"""A dense X: an ndarray of any layout, read-only and memory-mapped ones included."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._numerics.blocks import slices
from .._numerics.linalg import enlarged
from .._numerics.threads import threads_for_pass
from .._numerics.typing import Float64, Index
from .columns import LARGE, BlockwiseColumns, Columns, ColumnStatistics, ProductGram, total
from .container import Container

# The part of all columns that is read one by one where a pass over X would serve as well: several
# readings against one pass that tells about all features. Of 200 x 20,000 it was seen to take 5 %
# of a pass where columns lie in one piece in memory, and 6 % where each element is fetched with its
# neighbours; there 1/16 takes 84 % (constants.py).
CHEAP, CHEAP_ACROSS = 1 / 16, 1 / 128
# Of more than this part of all columns, products are formed with all: multiplications against a
# copy of the chosen ones. Of 400 columns of 5,000, 50 % took as long either way, 70 % took 2.5
# times as long when copied (constants.py).
MOST = 0.5
# Of an X with more rows than columns and more numbers than this (128 MB) no columns are copied:
# memory against time. Logistic fits of 20,000 x 300 and 60,000 x 100 take .57 to .77 of the time
# with columns that are copied, lasso fits of 3,000 x 3,000 .8 to 1.0 (constants.py).
COPIED = 2**24
# Conjugate gradients are used for squared loss if the support exceeds the samples, or this part of
# them where the ridge penalty is at least RIDGED of the squares of the columns: steps that are
# saved with a factor that follows the support, against its Gram matrix. At 1, 0.5 and 0.2, paths of
# 1,000 samples with up to 800 to 2,900 coefficients took 1.0, 0.7 to 1.1 and 0.7 to 2.2 of the
# time, fits with 1,100 coefficients 1.0, 0.7 and 0.5 (constants.py).
FEW, RIDGED = 0.5, 0.01


class DenseContainer(Container):
    """An ndarray of any layout; what has been taken off its columns may be said."""

    def __init__(self, X: Any, origin: Float64 | float = 0.0) -> None:
        self.origin = origin
        (n, p), (down, across), item = X.shape, X.strides, X.itemsize
        self.stored = X
        self._by_rows = abs(down) >= abs(across)
        super().__init__(X.shape, X.size, CHEAP_ACROSS if self._by_rows else CHEAP)
        together = (across == item and down >= p * item) or (down == item and across >= n * item)
        # Whether BLAS can work on X as it lies in memory.
        self.direct = X.dtype == np.float64 and together

    def blocks(self, features: Index | None = None) -> Iterator[tuple[slice, Float64]]:
        for rows in slices(self.shape[0], self.shape[1] if features is None else features.size):
            block = self.stored[rows] if features is None else self.stored[rows][:, features]
            yield rows, block.astype(np.float64, copy=False)

    def in_memory_order(self) -> Iterator[tuple[slice, slice, Any]]:
        n, p = self.shape
        for part in slices(n, p) if self._by_rows else slices(p, n):
            rows, columns = (part, slice(0, p)) if self._by_rows else (slice(0, n), part)
            yield rows, columns, self.stored[rows, columns].astype(np.float64, copy=False)

    def read(self, features: Index, right: Float64) -> Float64:
        blocks = (features[where] for where in slices(features.size, self.shape[0]))
        return np.concatenate([self.columns(block).T @ right for block in blocks])

    def columns(self, features: Index) -> Float64:
        values = self.stored[:, features] if self._by_rows else self.stored.T[features].T
        return values.astype(np.float64, copy=False)

    def rows(self, rows: Index, features: Index | None = None) -> Any:
        if features is not None:
            values = self.stored[rows[:, None], features]
        elif rows.size and (np.diff(rows) == 1).all():  # neighbours: no copy is needed
            values = self.stored[rows[0] : rows[-1] + 1]
        else:
            values = self.stored[rows]
        return values.astype(np.float64, copy=False)

    def gram(self, statistics: ColumnStatistics) -> Float64:
        root, mean = statistics.sqrt_weights, statistics.mean
        # Correcting X'X for the means is to cancel little.
        nearly_centred = bool((np.abs(mean) <= statistics.column_norms).all())
        if not (self.direct and nearly_centred and (root == root[0]).all()):
            return super().gram(statistics)
        with threads_for_pass():
            gram = root[0] ** 2 * (self.stored.T @ self.stored)
        gram -= np.multiply.outer(mean, mean)
        return gram

    def choose(self, statistics: ColumnStatistics) -> Columns:
        copied = self.shape[1] > self.shape[0] or self.n_stored <= COPIED
        return DenseColumns(statistics, self) if copied else super().choose(statistics)


class DenseColumns(BlockwiseColumns):
    """Columns of Z, copied one by one as features enter: the rows of a growing buffer."""

    def __init__(self, statistics: ColumnStatistics, container: DenseContainer) -> None:
        self.statistics, self.container = statistics, container
        self.features, self.size = np.empty(0, dtype=np.intp), 0
        self.buffer = np.empty((0, container.shape[0]))

    def append(self, features: Index) -> None:
        stop = self.size + features.size
        if stop > len(self.buffer):
            self.buffer = enlarged(self.buffer, self.size, stop, self.container.shape[1])
        rows = self.statistics.centre(self.container.columns(features), features).T
        np.multiply(rows, self.statistics.sqrt_weights, out=self.buffer[self.size : stop])
        self.features, self.size = np.concatenate([self.features, features]), stop

    def operator(
        self, support: Index, ridge: Float64 | None = None, products: float = 0.0
    ) -> Any | None:
        """For squared loss, beside a ridge penalty, where the support is large for the samples.

        Few steps are needed then. Fits of 50 to 400 samples and supports of 300 to 2,000 took
        .06 to .87 of the time.
        """
        if products:
            return super().operator(support, products=products)
        squares = self.statistics.column_norms[self.features] ** 2
        ridged = ridge is not None and ridge[support].sum() >= RIDGED * squares[support].sum()
        if support.size <= max(LARGE, self.container.shape[0] * (FEW if ridged else 1.0)):
            return None
        return ProductGram(self.buffer[: self.size].T, squares)

    def products(self, first: int) -> Float64:
        return self.buffer[: self.size] @ self.buffer[first : self.size].T

    def predict(self, theta: Float64) -> Float64:
        return np.asarray(self.buffer[: self.size].T @ theta)

    def correlations(self, residual: Float64) -> Float64:
        return np.asarray(self.buffer[: self.size] @ residual)

    def weighted_gram(
        self, positions: Index, first: int, weights: Float64, right: Float64
    ) -> tuple[Float64, Float64]:
        if not first:
            return super().weighted_gram(positions, first, weights, right)
        new = self.buffer[positions[first:]] * weights
        if positions.size > MOST * self.size:
            gram = (self.buffer[: self.size] @ new.T)[positions]
        else:
            gram = total(block.T @ new[:, rows].T for rows, block in self._blocks(positions))
        return gram, new @ right

    def _outer(self, scale: Float64) -> Float64:
        root, result = np.sqrt(scale), np.zeros((self.container.shape[0],) * 2)
        for part in slices(self.size, self.container.shape[0]):
            block = self.buffer[part] * root[part, None]
            result += block.T @ block
        return result

    def _blocks(self, positions: Index) -> Iterator[tuple[slice, Float64]]:
        for samples in slices(self.container.shape[0], positions.size):
            yield samples, self.buffer[:, samples][positions].T
