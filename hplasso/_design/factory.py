"""Arrays, sparse matrices and containers become designs: dense or sparse is decided here.

Weights become the statistics of columns. Folds of a cross-validation ask for two things besides:
the same X under other weights, whose moments they know, and the sums over some samples that lead to
these.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite

from .._numerics.blocks import slices
from .._numerics.rounding import ROUNDING, UNIT
from .._numerics.typing import Float64, Index, Mask
from .columns import ColumnStatistics
from .compressed import CompressedRows
from .container import Container
from .dense import DenseContainer
from .design import Design
from .source import Block, Source, refuse_not_finite
from .sparse import SparseContainer

# Numerical limits: sums of squares of larger numbers overflow, of smaller ones vanish.
LARGEST, SMALLEST = 1e145, 1e-145


class NotFinite(ValueError):
    """X holds NaN or infinity."""

    def __init__(self, X: Any, message: str) -> None:
        super().__init__(message)
        self.X = X


def checked_design(
    X: Any, weights: Float64, fit_intercept: bool, left_out: Mask | None = None
) -> Design:
    """The design of X, validated except for its numbers: an array, sparse matrix or container.

    The column norms tell whether all numbers are finite; a pass over X for that alone would take a
    good part of the time of a fit.

    Raises
    ------
    NotFinite
        If they are not.
    ValueError
        If they are too large or small to be squared.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        design = make_design(X, weights, fit_intercept, left_out)
    check_columns(X, design)
    return design


def check_columns(X: Any, design: Design, power: int = 2) -> None:
    """Raise `NotFinite` or ValueError, as `checked_design` does, if the design of X says so.

    That is for squares; or for another power.
    """
    size = float(design.column_norms.max())
    if not np.isfinite(size):
        size = _largest(X)
    elif not size:  # columns are constant, or their squares have vanished
        size = min(_largest(X), 1.0)
    check_range("a column of X", size, power)


def check_range(name: str, size: float, power: int = 2) -> None:
    """Raise a ValueError if squares, or other powers, would leave the range of float64."""
    smallest, largest = (limit ** (2 / power) for limit in (SMALLEST, LARGEST))
    if size != 0.0 and not smallest <= size <= largest:
        what = "squares" if power == 2 else "fourth powers"
        raise ValueError(
            f"The size of {name} is {size:.1e}; it has to be 0 or in the range "
            f"[{smallest:.0e}, {largest:.0e}], so that {what} can be computed. Scale the data."
        )


def check_block(block: Block, squares: Float64, weight: float, **values: Any) -> None:
    """Raise a ValueError if a block has numbers that are not finite, or too large to be squared.

    They are those of X, and other `values` by their names; `squares` are the weighted squares of
    all their columns.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.sqrt(squares / weight) if weight else np.zeros(1)
    if (sizes <= LARGEST).all():
        return
    refuse_not_finite(block)
    for name, others in ({"a column of X": block.X} | values).items():
        check_range(name, max(float(abs(others).max()), 1.0))


class Largest(NamedTuple):
    """The largest absolute value."""

    value: float

    def merge(self, other: Largest) -> Largest:
        return max(self, other)


def largest_of(block: Block) -> Largest:
    """That of a block's X."""
    return Largest(float(abs(block.X).max()) if block.X.shape[0] else 0.0)


def check_vanished(source: Source, squares: Float64, numeric: bool = True) -> None:
    """Raise a ValueError if no column of blocks has a square, as all numbers are too small.

    They may be constant as well, or zero: in that case a pass tells.
    """
    if not squares.any():
        largest: Largest = source.reduce(largest_of, numeric)
        check_range("a column of X", min(largest.value, 1.0))


def _largest(X: Any) -> float:
    """The largest absolute value of X, if all numbers are finite."""
    if isinstance(X, Container | CompressedRows):
        return max(_largest(block) for _, block in as_container(X).blocks())
    try:
        assert_all_finite(X, input_name="X")
    except ValueError as error:
        raise NotFinite(X, str(error)) from None
    return float(abs(X).max())


def make_design(
    X: Any, weights: Float64, fit_intercept: bool, left_out: Mask | None = None
) -> Design:
    """The design of an array, a sparse matrix or a container, by a pass for means and squares."""
    container, nothing = as_container(X), np.zeros(X.shape[1], dtype=bool)
    left_out = nothing if left_out is None else left_out
    moments = container.moments(weights, fit_intercept)
    statistics = column_statistics(container, weights, fit_intercept, left_out, moments, nothing)
    return Design(container, statistics)


def as_container(X: Any) -> Container:
    """The container of an array, a sparse matrix or compressed rows; one is returned as it is.

    A sparse matrix with several entries for an element, or unsorted ones, is put in order first, in
    a copy.
    """
    if isinstance(X, Container):
        return X
    if isinstance(X, CompressedRows):
        return DenseContainer(X.values, X.origin)
    if not sparse.issparse(X):
        return DenseContainer(X)
    X = type(X)((X.data, X.indices, X.indptr), shape=X.shape)  # the caller's is left as it is
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return SparseContainer(X)


def reweighted(
    design: Design, weights: Float64, mean: Float64, square: Float64, doubtful: Mask
) -> Design:
    """The design of the same X under other weights, given the moments that they lead to.

    Those of `doubtful` columns are computed again, from the columns themselves.
    """
    statistics = column_statistics(
        design.container, weights, design.fit_intercept, design.left_out, (mean, square), doubtful
    )
    return Design(design.container, statistics, design.passes)


def leaving_out(design: Design, features: Mask) -> Design:
    """The design with some more features left out, by a mask."""
    return Design(design.container, design.statistics.without(features), design.passes)


def augmented_gram_of(design: Design, rows: Index, response: Float64) -> Float64:
    """The Gram matrix of [Z, response, sqrt v] on some rows, for a response (n, T).

    Of shape (p + T + 1, p + T + 1); inexact for cancellation-prone columns.
    """
    ends = np.column_stack([response, design.sqrt_weights])
    return design.container.augmented_gram(design.statistics, rows, ends)


def column_statistics(
    X: Container,
    weights: Float64,
    fit_intercept: bool,
    left_out: Mask,
    moments: tuple[Float64, Float64],
    doubtful: Mask,
) -> ColumnStatistics:
    """The statistics under weights, given the weighted means of columns and of their squares.

    They are computed again from `doubtful` columns and those that are prone to cancellation.
    """
    left = left_out & np.isfinite(moments[1])  # NaN stays for whoever looks for it
    mean, square = (np.where(left, 0.0, moment) for moment in moments)
    mean = mean if fit_intercept else np.zeros_like(mean)
    variance = square - mean**2
    close = (square > 0.0) & (variance <= X.prone_below * square)
    prone = np.flatnonzero(doubtful | close)
    for where in slices(prone.size, X.shape[0]):
        features = prone[where]
        values = X.columns(features)
        if fit_intercept:  # to the last digit
            mean[features] += weights @ (values - mean[features])
        variance[features] = weights @ (values - mean[features]) ** 2
    vanishing = variance[prone] <= (4.0 * UNIT) ** 2 * square[prone]
    variance[prone[vanishing & np.isfinite(square[prone])]] = 0.0
    norms, raw = np.sqrt(variance), np.sqrt(square)
    raw[prone] = norms[prone]
    rounding, size = ROUNDING * raw, norms if X.centres else raw
    prone, constant = prone[norms[prone] > 0.0], np.flatnonzero(norms == 0.0)
    return ColumnStatistics(
        np.sqrt(weights), fit_intercept, left_out, mean, norms, prone, constant, rounding, size
    )
