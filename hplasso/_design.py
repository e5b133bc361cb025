"""The door to the designs: here, and behind it, dense is told from sparse, and nowhere else."""

from __future__ import annotations

from typing import Any

from scipy import sparse

from ._dense_design import DenseDesign
from ._design_base import Columns, Design
from ._sparse_design import SparseDesign
from ._typing import Float64

__all__ = ["Columns", "Design", "as_array", "make_design"]


def make_design(X: Any, weights: Float64, fit_intercept: bool) -> Design:
    """The design of an array or a sparse matrix that has been validated."""
    kind = SparseDesign if sparse.issparse(X) else DenseDesign
    return kind(X, weights, fit_intercept)


def as_array(values: Any) -> Any:
    """Values that may be stored as a sparse matrix, as an array."""
    return values.toarray() if sparse.issparse(values) else values
