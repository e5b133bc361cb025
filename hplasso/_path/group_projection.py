"""The projection on features without penalty: what their correlations may hide of the residual."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from .._design.multi_output import AnyDesign
from .._numerics.linalg import independent_qr
from .._numerics.typing import Float64, Index


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
        self._root, kept = independent_qr(design.block(features) / lengths)
        self._features, self._lengths = features[kept], lengths[kept, None]

    def length(self, z: Float64) -> float:
        """|P r|, from the correlations z (p, T) of all features."""
        right = z[self._features] / self._lengths
        half = solve_triangular(self._root, right, trans="T", check_finite=False)
        return float(np.sqrt((half**2).sum()))


class Unpenalised:
    """Features without penalty: how much of r may be along them.

    Their correlations vanish to rounding. But where columns are nearly dependent, much of r may be
    along them all the same. Of those that are at zero under theta >= 0, correlations are at most
    zero, and need not vanish.

    Parameters
    ----------
    design : Design or MultiOutputDesign
    features : ndarray of shape (k,)
        None of their columns is zero.
    positive : bool
        Whether theta >= 0.
    """

    def __init__(self, design: AnyDesign, features: Index, positive: bool) -> None:
        self._design, self._features = design, features
        self._all = None if positive else Projection(design, features)

    def length(self, z: Float64, support: Index) -> float:
        """|P r|, from the correlations z (p, T) of all features and those that are not at zero."""
        if self._all is not None:
            return self._all.length(z)
        on = np.intersect1d(self._features, support)
        return Projection(self._design, on).length(z) if on.size else 0.0
