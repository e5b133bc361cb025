"""The projection on features without penalty: what their correlations may hide of the residual."""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr, solve_triangular

from .._design.multi_output import AnyDesign
from .._numerics.typing import Float64, Index

# A limit of rounding: of columns of length one, those depend on others of which less is left.
INDEPENDENT = 1e-13


class Projection:
    """P on the span of some columns, which may depend on each other or nearly so.

    Parameters
    ----------
    design : Design or MultiOutputDesign
    features : ndarray of shape (k,)
        None of their columns is zero.
    """

    def __init__(self, design: AnyDesign, features: Index) -> None:
        lengths = design.column_norms[features]
        block = design.block(features) / lengths
        root, order = qr(block, mode="r", pivoting=True, check_finite=False)
        sizes = np.abs(root.diagonal())
        rank = int(np.count_nonzero(sizes > INDEPENDENT * sizes.max(initial=0.0)))
        self._features, self._root = features[order[:rank]], root[:rank, :rank]
        self._lengths = lengths[order[:rank], None]

    def length(self, z: Float64) -> float:
        """|P r|, from the correlations z (p, T) of all features."""
        right = z[self._features] / self._lengths
        half = solve_triangular(self._root, right, trans="T", check_finite=False)
        return float(np.sqrt((half**2).sum()))
