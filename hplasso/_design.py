"""The door to the designs: here, and behind it, dense is told from sparse, and nowhere else."""

from __future__ import annotations

from typing import Any

from scipy import sparse

from ._dense_design import DenseDesign
from ._design_base import Columns, Design, slices
from ._sparse_design import SparseDesign
from ._typing import Float64, Index

__all__ = ["Columns", "Design", "as_array", "as_rows", "make_design", "slices"]


def make_design(X: Any, weights: Float64, fit_intercept: bool) -> Design:
    """The design of an array or a sparse matrix that has been validated.

    A sparse matrix with several entries for an element, or unsorted ones, is put in order first, in
    a copy.
    """
    if not sparse.issparse(X):
        return DenseDesign(X, weights, fit_intercept)
    X = type(X)((X.data, X.indices, X.indptr), shape=X.shape)  # the caller's is left as it is
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return SparseDesign(X, weights, fit_intercept)


def as_array(values: Any) -> Any:
    """Values that may be stored as a sparse matrix, as an array."""
    return values.toarray() if sparse.issparse(values) else values


def as_rows(X: Any, rows: Index, features: Index) -> Any:
    """Some rows of some columns, in the same form as X."""
    if features.size == X.shape[1]:
        return X[rows]
    return X[:, features][rows] if sparse.issparse(X) else X[rows[:, None], features]
