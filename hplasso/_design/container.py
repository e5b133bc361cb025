"""A container: X as it is stored, read in blocks of rows. This is what a new kind of X has to give.

Only `blocks` has to be written. All else is a sum over blocks B with their rows of what multiplies
X, and is overridden where X as it lies in memory allows more:

    moments               m = sum v_B'B,   q = sum v_B'(B * B)         (weights v)
    transposed_product    X'r = sum B'r_B
    read                  the same for some features
    columns, rows         the blocks side by side, or their rows
    gram                  G = sum C'C with C = diag(sqrt v_B) (B - 1 m')
    augmented_gram        the same of [C, ends] over some rows: for cross-validation
    choose                chosen columns that are read from blocks each time
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._numerics.blocks import GRAM_BLOCK, empty_beside, slices
from .._numerics.threads import by_threads, threads_for_pass
from .._numerics.typing import Float64, Index
from .columns import BlockColumns, Columns, ColumnStatistics, total


class Container(ABC):
    """X of shape (n, p), which knows neither weights nor means; all that it answers is float64.

    Attributes
    ----------
    shape : tuple (n, p)
    n_stored : int
        How many numbers X holds.
    cheap_fraction : float
        The part of all columns that is read faster column by column than by a pass over X.
    """

    # What was taken off the columns of X before it was stored: (p,), or zero for all.
    origin: Float64 | float = 0.0
    # X itself, where it is an array or a sparse matrix.
    stored: Any = None
    # Whether `stored` is multiplied as it is: float64, as it lies in memory.
    direct = False
    # Whether chosen columns and products of all of them are centred before they are multiplied.
    centres = True
    # A column is prone to cancellation if its variance is below this part of its mean square: a
    # numerical limit, here of three digits that a correlation loses.
    prone_below = 1e-6

    def __init__(
        self, shape: tuple[int, int], n_stored: int | None = None, cheap_fraction: float = 0.0
    ) -> None:
        self.shape = shape
        self.n_stored = shape[0] * shape[1] if n_stored is None else n_stored
        self.cheap_fraction = cheap_fraction

    @abstractmethod
    def blocks(self, features: Index | None = None) -> Iterator[tuple[slice, Float64]]:
        """Rows and what X holds there, from first to last; of some features as new arrays."""

    def in_memory_order(self) -> Iterator[tuple[slice, slice, Any]]:
        """X in the order of memory: rows, columns, all of one or the other, and what is there.

        Arrays, or sparse arrays.
        """
        return ((rows, slice(0, self.shape[1]), block) for rows, block in self.blocks())

    def moments(self, weights: Float64, means: bool = True) -> tuple[Float64, Float64]:
        """Weighted means of the columns, if `means` are asked for, and of their squares."""
        mean, square = np.zeros((2, self.shape[1]))
        for rows, columns, part in self.in_memory_order():
            if means:
                mean[columns] += weights[rows] @ part
            square[columns] += weights[rows] @ self.squared(part)
        return mean, square

    def squared(self, part: Any) -> Any:
        """The squares of what is in a part of X, which is not used after that."""
        return part**2

    def transposed_product(self, right: Float64) -> Float64:
        """X'right, for `right` of shape (n,) or (n, k)."""
        if self.direct:
            return np.asarray(self.stored.T @ right)
        result = np.zeros((self.shape[1], *right.shape[1:]))
        for rows, columns, part in self.in_memory_order():
            result[columns] += part.T @ right[rows]
        return result

    def read(self, features: Index, right: Float64) -> Float64:
        """X'right for some columns of X and `right` of shape (n,)."""
        return total(block.T @ right[rows] for rows, block in self.blocks(features))

    def columns(self, features: Index) -> Float64:
        """Columns of X, of shape (n, k), as a new array."""
        return np.concatenate([block for _, block in self.blocks(features)])

    def rows(self, rows: Index, features: Index | None = None) -> Any:
        """Some rows of some columns, or of all: an array or a sparse matrix."""
        values = np.empty((rows.size, self.shape[1] if features is None else features.size))
        for part, block in self.blocks(features):
            inside = (rows >= part.start) & (rows < part.stop)
            values[inside] = block[rows[inside] - part.start]
        return values

    def gram(self, statistics: ColumnStatistics) -> Float64:
        """G = Z'Z of all features, of shape (p, p); what `centres` does not cover is not exact."""
        gram = np.zeros((self.shape[1],) * 2)
        with threads_for_pass():
            for rows, block in self.blocks():
                block = statistics.sqrt_weights[rows, None] * (block - statistics.mean)
                gram += block.T @ block
        return gram

    def augmented_gram(self, statistics: ColumnStatistics, rows: Index, ends: Float64) -> Float64:
        """The Gram matrix of [Z, ends] on some rows, for `ends` of shape (n, q), the last sqrt v.

        Of shape (p + q, p + q); inexact for cancellation-prone columns.
        """
        p, size = self.shape[1], self.shape[1] + ends.shape[1]

        def of_run(run: slice) -> Float64:
            gram, chosen = np.zeros((size, size)), rows[run]
            # All threads have half a block together: rows that are not neighbours are copied, too.
            for where in slices(chosen.size, p, GRAM_BLOCK * chosen.size // (2 * rows.size)):
                part = chosen[where]
                values = self.rows(part)
                block = empty_beside(values, size)
                np.subtract(values, statistics.mean, out=block[:, :p])
                block[:, :p] *= statistics.sqrt_weights[part, None]
                block[:, p:] = ends[part]
                gram += block.T @ block
            return gram

        return np.asarray(sum(by_threads(rows.size, of_run)))

    def choose(self, statistics: ColumnStatistics) -> Columns:
        """An empty set of columns of Z, to be filled."""
        return BlockColumns(statistics, self.blocks)
