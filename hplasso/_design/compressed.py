"""A few rows that have the moments of many: least squares cannot tell the two apart.

With m and S of rows of length q (`moments`), R'R = S / W by a pivoted Cholesky factorisation, and a
matrix Q of r + 1 rows and r orthonormal columns that sum to zero, the r + 1 <= q + 1 rows of

    sqrt(r + 1) Q R

have, with equal weights, mean zero and the same products. (Q is a Householder reflection without
its first column.) A solver of least squares that gets them, and m as the origin of the features,
finds the solutions, the losses and the gaps of all the rows, whatever the penalty is.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from .._numerics.linalg import pivoted_root
from .._numerics.typing import Float64, Index
from .moments import Moments


class CompressedRows(NamedTuple):
    """X of few rows, about an origin, for the features; it is to have been of a dtype.

    Attributes
    ----------
    values : ndarray of shape (n, p)
    origin : ndarray of shape (p,)
        What has been taken off each column.
    dtype : type
    """

    values: Float64
    origin: Float64
    dtype: Any

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.values.shape
        return n, p

    @property
    def size(self) -> int:
        return self.values.size


class Compressed(NamedTuple):
    """Rows, targets (n, T), weights (n,) that sum to W, and the number of the part of each row.

    `squares` (p,) are those of the features of all parts, about their means.
    """

    X: CompressedRows
    targets: Float64
    weights: Float64
    part: Index
    squares: Float64


def compressed(parts: list[Moments], n_targets: int, centre: bool, dtype: Any) -> Compressed:
    """Rows with the moments of each part of the data, features and targets; parts may be empty.

    With `centre` the origin of the features is their mean, else it is zero.
    """
    whole = reduce(Moments.merge, parts)
    p, constant = whole.mean.size - n_targets, whole.constant
    away = whole.mean  # what means are away from the origin
    away[:p] *= not centre
    blocks, weights = [], []
    for part in parts:
        rows = _rows(part) + part.mean_about(whole) + away
        rows[:, constant] = away[constant]
        blocks.append(rows)
        weights.append(np.full(len(rows), part.weight / len(rows)))
    number = np.repeat(np.arange(len(parts)), [len(rows) for rows in blocks])
    together = np.concatenate(blocks)
    origin = whole.mean[:p] - away[:p]
    X = CompressedRows(np.asfortranarray(together[:, :p]), origin, dtype)
    squares = whole.products.diagonal()[:p].copy()
    return Compressed(X, together[:, p:].copy(), np.concatenate(weights), number, squares)


def _rows(moments: Moments) -> Float64:
    """sqrt(r + 1) Q R, at least one row."""
    live = ~moments.constant
    root, _ = pivoted_root(moments.products * np.logical_and.outer(live, live))
    rows = np.concatenate([np.zeros((1, live.size)), root])
    m = len(rows)
    reflector = np.full(m, 1.0 / np.sqrt(m))
    reflector[0] -= 1.0  # maps the first unit vector to equal numbers
    length = reflector @ reflector
    if length:
        rows -= np.multiply.outer(2.0 / length * reflector, reflector @ rows)
    return rows * np.sqrt(m / max(moments.weight, np.finfo(float).tiny))
