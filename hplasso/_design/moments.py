"""Moments of rows, block by block: all that least squares needs to know of the data.

Of rows a_i of length q with weights w_i >= 0 they are

    W = sum_i w_i,        m = sum_i w_i a_i / W,        S = sum_i w_i (a_i - m)(a_i - m)',

and those of two sets of rows are merged, with d = m_b - m_a, by

    m = m_a + W_b / W d,        S = S_a + S_b + W_a W_b / W d d'

(Chan, Golub and LeVeque 1983). An origin is taken off rows before they are multiplied, and means
are kept as that and a shift. It is the mean of the first rows of a block, and zero for sparse ones;
columns that turn out to be far from it are gone through again about their mean, so that all keep
their digits. Nothing here depends on the number of rows. The moments of no rows, or of rows without
weight, are the neutral element.

References
----------
T. F. Chan, G. H. Golub and R. J. LeVeque, Algorithms for computing the sample variance: analysis
and recommendations, The American Statistician 37 (1983) 242-247.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._numerics.blocks import GRAM_BLOCK, empty_beside, slices
from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Mask
from .rows import as_array, is_sparse

# A column whose variance is below this part of its squared mean is constant to rounding: a
# numerical limit.
CONSTANT = (8.0 * UNIT) ** 2
# A mean whose square is more than so many variances away from the origin costs digits: two of them
# against one more reading of a block. It may be so far that the next origin is another one that is
# far away: so many times, which nothing but numbers of very different size needs.
FAR, MOST_ORIGINS = 100.0, 5


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
        products += np.multiply.outer(self.weight * (other.weight / weight) * between, between)
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
        squares += self.weight * (other.weight / weight) * between**2
        return ColumnMoments(weight, self.origin, shift, squares)


def column_moments_of(X: Any, weights: Float64) -> ColumnMoments:
    """The moments of the columns of X (n, p), dense or CSR."""
    total, none = float(weights.sum()), np.zeros(X.shape[1])
    if not total:
        return ColumnMoments(0.0, none, none, none)
    origin = np.asarray(weights @ X, dtype=np.float64) / total
    if not is_sparse(X):
        return ColumnMoments(total, origin, *_about(X, weights, origin))
    shift, squares = none.copy(), weights @ X.power(2) - total * origin**2
    far = (total * origin**2 > FAR * squares).nonzero()[0]
    if far.size:
        shift[far], squares[far] = _about(X[:, far], weights, origin[far])
    return ColumnMoments(total, origin, shift, np.maximum(squares, 0.0))


def _about(X: Any, weights: Float64, origin: Float64) -> tuple[Float64, Float64]:
    """How far the means of columns are from an origin, and the diagonal of S."""
    total, shift, squares = float(weights.sum()), np.zeros_like(origin), np.zeros_like(origin)
    for rows in slices(*X.shape):
        centred = as_array(X[rows]) - origin
        shift += weights[rows] @ centred
        squares += weights[rows] @ centred**2
    shift /= total
    return shift, np.maximum(squares - total * shift**2, 0.0)


def moments_of(X: Any, targets: Float64, weights: Float64 | None = None) -> Moments:
    """The moments of rows [x_i, y_i] of X (n, p), dense or CSR, and targets (n, T)."""
    size = X.shape[1] + targets.shape[1]
    if weights is None:
        weights = np.ones(len(targets))
    total = float(weights.sum())
    if not total:
        return Moments.of_none(size)
    moments = _of_sparse if is_sparse(X) else _of_dense
    origin = _first_origin(X, targets, weights)
    for _ in range(MOST_ORIGINS):
        shift, products = moments(X, targets, weights, origin)
        away = shift**2 > CONSTANT * (origin + shift) ** 2
        far = away & (total * shift**2 > FAR * products.diagonal())
        if not far.any():
            break
        origin = origin + np.where(far, shift, 0.0)
    return Moments(total, origin, shift, products, int(np.count_nonzero(weights)))


def _first_origin(X: Any, targets: Float64, weights: Float64) -> Float64:
    """About the mean: that of the first rows; of sparse X zero, and the mean of the targets."""
    origin, p = np.zeros(X.shape[1] + targets.shape[1]), X.shape[1]
    if is_sparse(X):
        origin[p:] = weights @ targets / weights.sum()
        return origin
    first = next(slices(len(targets), origin.size, GRAM_BLOCK))
    total = float(weights[first].sum())
    if total:
        origin[:p], origin[p:] = weights[first] @ X[first], weights[first] @ targets[first]
        origin /= total
    return origin


def _of_dense(
    X: Any, targets: Float64, weights: Float64, origin: Float64
) -> tuple[Float64, Float64]:
    """How far m is from an origin, and S."""
    p, size = X.shape[1], origin.size
    sums, products = np.zeros(size), np.zeros((size, size))
    equal = bool((weights == weights[0]).all())
    # Blocks of fewer rows than columns would spend their time on adding up products.
    for part in slices(len(targets), size, max(GRAM_BLOCK, size**2)):
        rows = empty_beside(X[part], size)
        np.subtract(X[part], origin[:p], out=rows[:, :p])
        np.subtract(targets[part], origin[p:], out=rows[:, p:])
        sums += weights[part] @ rows
        if not equal:
            rows *= np.sqrt(weights[part])[:, None]
        products += rows.T @ rows
    if equal:
        products *= weights[0]
    return _centred(sums, products, float(weights.sum()))


def _of_sparse(
    X: Any, targets: Float64, weights: Float64, origin: Float64
) -> tuple[Float64, Float64]:
    """The same; columns whose origin is not zero are filled, by blocks of rows."""
    p, size = X.shape[1], origin.size
    sums, products = np.zeros(size), np.zeros((size, size))
    full = origin[:p].nonzero()[0]
    if full.size:
        others = np.ones(p)
        others[full] = 0.0
        full_columns, X = X[:, full], X.multiply(others[None]).tocsr()
    ends = np.concatenate([full, np.arange(p, size)])
    weighted = X.multiply(weights[:, None]).tocsr()
    sums[:p], products[:p, :p] = X.T @ weights, as_array(X.T @ weighted)
    for part in slices(len(targets), ends.size):
        rows = targets[part]
        if full.size:
            rows = np.hstack([as_array(full_columns[part]), rows])
        rows = rows - origin[ends]
        sums[ends] += weights[part] @ rows
        products[:p, ends] += weighted[part].T @ rows
        products[np.ix_(ends, ends)] += rows.T @ (weights[part, None] * rows)
    products[ends, :p] = products[:p, ends].T
    return _centred(sums, products, float(weights.sum()))


def _centred(sums: Float64, products: Float64, total: float) -> tuple[Float64, Float64]:
    """How far means are from the origin, and products about them."""
    shift = sums / total
    products -= total * np.multiply.outer(shift, shift)
    np.fill_diagonal(products, np.maximum(products.diagonal(), 0.0))
    return shift, products
