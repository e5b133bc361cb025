"""Moments of rows, block by block: all that least squares needs to know of the data.

Of rows a_i of length q with weights w_i >= 0 they are

    W = sum_i w_i,        m = sum_i w_i a_i / W,        S = sum_i w_i (a_i - m)(a_i - m)',

and those of two sets of rows are merged, with d = m_b - m_a, by

    m = m_a + W_b / W d,        S = S_a + S_b + W_a W_b / W d d'

(Chan, Golub and LeVeque 1983). The mean of the first rows of a block is taken off all of them
before they are multiplied, and means are kept as such an origin and a shift, so that columns far
from zero keep their digits. Nothing here depends on the number of rows. The moments of no rows, or
of rows without weight, are the neutral element.

References
----------
T. F. Chan, G. H. Golub and R. J. LeVeque, Algorithms for computing the sample variance: analysis
and recommendations, The American Statistician 37 (1983) 242-247.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .._numerics.blocks import GRAM_BLOCK, empty_beside, slices
from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Mask

# A column whose variance is below this part of its squared mean is constant to rounding: a
# numerical limit.
CONSTANT = (8.0 * UNIT) ** 2


class Moments(NamedTuple):
    """W, m = origin + shift of shape (q,), and S of shape (q, q); how many rows have weight."""

    weight: float
    origin: Float64
    shift: Float64
    products: Float64
    n_rows: int

    @classmethod
    def of_none(cls, size: int) -> Moments:
        """Those of no rows."""
        return cls(0.0, np.zeros(size), np.zeros(size), np.zeros((size, size)), 0)

    @property
    def mean(self) -> Float64:
        """m."""
        return self.origin + self.shift

    @property
    def constant(self) -> Mask:
        """Which columns are constant to rounding."""
        least = CONSTANT * self.weight * self.mean**2
        return np.asarray(self.products.diagonal() <= least)

    def mean_about(self, other: Moments) -> Float64:
        """How far m is from that of others."""
        return (self.origin - other.origin) + (self.shift - other.shift)

    def merge(self, other: Moments) -> Moments:
        """Those of these rows and some others."""
        if not (self.weight and other.weight):
            return self if self.weight else other
        weight, n_rows = self.weight + other.weight, self.n_rows + other.n_rows
        between = other.mean_about(self)
        shift = self.shift + other.weight / weight * between
        products = self.products + other.products
        products += np.multiply.outer(self.weight * other.weight / weight * between, between)
        return Moments(weight, self.origin, shift, products, n_rows)


class ColumnMoments(NamedTuple):
    """W, m = origin + shift and the diagonal of S of the columns of X, (p,), without the others."""

    weight: float
    origin: Float64
    shift: Float64
    squares: Float64

    @property
    def mean(self) -> Float64:
        """m."""
        return self.origin + self.shift

    @property
    def constant(self) -> Mask:
        """Which columns are constant to rounding."""
        return np.asarray(self.squares <= CONSTANT * self.weight * self.mean**2)

    def merge(self, other: ColumnMoments) -> ColumnMoments:
        """Those of these rows and some others."""
        if not (self.weight and other.weight):
            return self if self.weight else other
        weight = self.weight + other.weight
        between = (other.origin - self.origin) + (other.shift - self.shift)
        shift = self.shift + other.weight / weight * between
        squares = self.squares + other.squares
        squares += self.weight * other.weight / weight * between**2
        return ColumnMoments(weight, self.origin, shift, squares)


def column_moments_of(X: Any, weights: Float64) -> ColumnMoments:
    """The moments of the columns of X (n, p), dense or CSR."""
    total, none = float(weights.sum()), np.zeros(X.shape[1])
    if not total:
        return ColumnMoments(0.0, none, none, none)
    origin = np.asarray(weights @ X, dtype=np.float64) / total
    if sparse.issparse(X):
        squares = np.asarray(weights @ X.power(2), dtype=np.float64) - total * origin**2
        return ColumnMoments(total, origin, none, np.maximum(squares, 0.0))
    shift, squares = none.copy(), none.copy()
    for rows in slices(*X.shape):
        centred = X[rows] - origin
        shift += weights[rows] @ centred
        squares += weights[rows] @ centred**2
    shift /= total
    return ColumnMoments(total, origin, shift, np.maximum(squares - total * shift**2, 0.0))


def moments_of(X: Any, targets: Float64, weights: Float64 | None = None) -> Moments:
    """The moments of rows [x_i, y_i] of X (n, p), dense or CSR, and targets (n, T)."""
    size = X.shape[1] + targets.shape[1]
    if weights is None:
        weights = np.ones(len(targets))
    if sparse.issparse(X):
        return _of_sparse(X, targets, weights)
    total, moments = float(weights.sum()), Moments.of_none(size)
    if not total:
        return moments
    # Blocks of fewer rows than columns would spend their time on adding up products.
    p, parts = X.shape[1], list(slices(len(targets), size, max(GRAM_BLOCK, size**2)))
    origin = np.hstack([X[parts[0]], targets[parts[0]]]).mean(axis=0, dtype=np.float64)
    equal, sums, products = bool((weights == weights[0]).all()), moments.shift, moments.products
    for part in parts:
        rows = empty_beside(X[part], size)
        np.subtract(X[part], origin[:p], out=rows[:, :p])
        np.subtract(targets[part], origin[p:], out=rows[:, p:])
        sums += weights[part] @ rows
        if not equal:
            rows *= np.sqrt(weights[part])[:, None]
        products += rows.T @ rows
    if equal:
        products *= weights[0]
    shift = sums / total
    products -= total * np.multiply.outer(shift, shift)
    np.fill_diagonal(products, np.maximum(products.diagonal(), 0.0))
    return Moments(total, origin, shift, products, int(np.count_nonzero(weights)))


def _of_sparse(X: Any, targets: Float64, weights: Float64) -> Moments:
    """The same of sparse rows, which are centred after they have been multiplied."""
    p, total = X.shape[1], float(weights.sum())
    moments = Moments.of_none(p + targets.shape[1])
    if not total:
        return moments
    mean, products = moments.shift, moments.products
    mean[:p], mean[p:] = X.T @ weights / total, weights @ targets / total
    residual = weights[:, None] * (targets - mean[p:])
    products[:p, :p] = (X.T @ X.multiply(weights[:, None])).toarray()
    products[:p, :p] -= total * np.multiply.outer(mean[:p], mean[:p])
    products[:p, p:] = X.T @ residual - np.multiply.outer(mean[:p], residual.sum(axis=0))
    products[p:, :p] = products[:p, p:].T
    products[p:, p:] = (targets - mean[p:]).T @ residual
    return moments._replace(weight=total, n_rows=int(np.count_nonzero(weights)))
