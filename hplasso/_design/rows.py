"""What is computed from the rows of a block, an array or a CSR matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from .._numerics.typing import Float64


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix: taking something off its columns would fill it."""
    return bool(sparse.issparse(X))


def as_array(values: Any) -> Any:
    """Values that may be stored as a sparse matrix, as an array."""
    return values.toarray() if sparse.issparse(values) else values


def stacked(parts: Sequence[Any]) -> Any:
    """Rows below each other."""
    if is_sparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)


def with_ones(X: Any, centre: Float64) -> Any:
    """The rows [x_i - centre, 1]; of a sparse X the centre has to be zero."""
    n, p = X.shape
    if is_sparse(X):
        return sparse.hstack([X, np.ones((n, 1))], format="csr", dtype=np.float64)
    rows = np.empty((n, p + 1))
    np.subtract(X, centre, out=rows[:, :p])
    rows[:, p] = 1.0
    return rows


def weighted_products(rows: Any, weights: Float64) -> Float64:
    """sum_i weights_i a_i a_i', of shape (q, q), for rows a_i; no weight is negative."""
    if is_sparse(rows):
        return np.asarray((rows.T @ rows.multiply(weights[:, None])).toarray())
    weighted = rows * np.sqrt(weights)[:, None]
    return np.asarray(weighted.T @ weighted)
