"""The first pass over data in blocks: what has to be known before a loss can be formed.

How much weight there is, that of each class (of classes), the means of features, and a sample: the
rows of the smallest hashes, which depend on nothing but their places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .._numerics.typing import Float64, Index
from .factory import check_block
from .moments import ColumnMoments, column_moments_of
from .rows import is_sparse, stacked
from .source import Block


class Sample(NamedTuple):
    """Rows with their hashes."""

    keys: Any
    X: Any
    y: Any
    weights: Float64
    offset: Any

    @property
    def block(self) -> Block:
        """The same as a block."""
        return Block(0, 0, self.X, self.y, self.weights, self.offset)

    @property
    def is_sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return is_sparse(self.X)

    def first(self, count: int) -> Sample:
        """Those of the smallest hashes, if there are more."""
        if self.keys.size <= count:
            return self
        return self.at(np.argsort(self.keys, kind="stable")[:count])

    def at(self, rows: Index) -> Sample:
        """Those at some places."""
        offset = None if self.offset is None else self.offset[rows]
        return Sample(self.keys[rows], self.X[rows], self.y[rows], self.weights[rows], offset)

    def and_others(self, other: Sample) -> Sample:
        """Both."""
        if not (self.keys.size and other.keys.size):
            return self if self.keys.size else other
        if self.is_sparse != other.is_sparse:
            raise ValueError("X is an array in some blocks and a sparse matrix in others.")
        offset = None if self.offset is None else np.concatenate([self.offset, other.offset])
        return Sample(
            np.concatenate([self.keys, other.keys]),
            stacked([self.X, other.X]),
            np.concatenate([self.y, other.y]),
            np.concatenate([self.weights, other.weights]),
            offset,
        )


class Survey(NamedTuple):
    """What is seen of blocks.

    Attributes
    ----------
    columns : ColumnMoments
        Those of X; they have the weight of all rows.
    totals : dict
        The weight of each class, if targets are labels.
    range : tuple of float
        The smallest and the largest target, and the sum of weights times targets; of numbers.
    n_rows : int
        How many have weight.
    sample : Sample
    n_kept : int
        The largest number of rows in it.
    """

    columns: ColumnMoments
    totals: dict[Any, float]
    range: tuple[float, float, float]
    n_rows: int
    sample: Sample
    n_kept: int

    @property
    def complete(self) -> bool:
        """Whether the sample holds all rows that have weight."""
        return bool(self.sample.keys.size == self.n_rows)

    def merge(self, other: Survey) -> Survey:
        totals = dict(self.totals)
        for label, weight in other.totals.items():
            totals[label] = totals.get(label, 0.0) + weight
        (low, high, total), (low_2, high_2, total_2) = self.range, other.range
        sample = self.sample.and_others(other.sample).first(self.n_kept)
        return Survey(
            self.columns.merge(other.columns),
            totals,
            (min(low, low_2), max(high, high_2), total + total_2),
            self.n_rows + other.n_rows,
            sample,
            self.n_kept,
        )


@dataclass(frozen=True)
class SurveyKernel:
    """Surveys a block, with no more than `quota` rows in the sample.

    Attributes
    ----------
    classes : bool
        Whether targets are labels.
    n_kept, quota : int
    """

    classes: bool
    n_kept: int
    quota: int

    def __call__(self, block: Block) -> Survey:
        weights = block.weights
        with np.errstate(over="ignore", invalid="ignore"):
            columns = column_moments_of(block.X, weights)
        check_block(block, columns.squares, columns.weight)
        y = column_or_1d(block.y)
        totals: dict[Any, float] = {}
        extent = np.inf, -np.inf, 0.0
        if self.classes:
            check_classification_targets(y)
            labels, codes = np.unique(y, return_inverse=True)
            found = np.bincount(codes.ravel(), weights, len(labels))
            totals = dict(zip(labels.tolist(), found.tolist(), strict=True))
        elif y.size:
            extent = float(y.min()), float(y.max()), float(weights @ y)
        rows = Sample(block.keys, block.X, y, weights, block.offset)
        kept = np.flatnonzero(weights)
        if kept.size < weights.size:
            rows = rows.at(kept)
        sample = rows.first(self.quota)
        return Survey(columns, totals, extent, kept.size, sample, self.n_kept)
