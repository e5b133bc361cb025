"""The design: all that the solver may ask of X, dense or sparse.

With weights v_i >= 0 that sum to one and the weighted column means m, the solver sees the matrix

    Z = diag(sqrt v) (X - 1 m'),        G = Z'Z,        z = Z'r,

(m = 0 without an intercept), though Z is never formed: X is neither copied nor changed, whatever
its layout. A design answers with correlations Z'r, in one pass over X, and with blocks of exactly
centred columns, as float64.

Precision. Z'r is computed as X' (sqrt(v) r) less the share of the means, which is small as r is
orthogonal to sqrt(v) but for rounding: good as long as a column's mean does not dwarf its spread.
*Fragile* columns, where it does, are treated in small blocks that are centred first; of constant
columns nothing is left. Blocks of float32 are widened on the way: all arithmetic is in float64.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np

from .._numerics.rounding import ROUNDING
from .._numerics.threads import threads_for_pass
from .._numerics.typing import Float64, Index, Mask

# Elements of X taken at a time where a block has to be copied: 1 MB of float64.
BLOCK = 2**17
# Of more than this part of all columns, products are formed with all.
MOST = 0.5
# Means of up to so many times the spread may be left in. Of a value that takes nine tenths of the
# samples, and zero otherwise, the mean is three times the spread.
LEFT = 3.0


class Columns(ABC):
    """Chosen columns of a design's Z, k of them, to which more can be added.

    Places are positions among them, in the order in which they came.
    """

    design: Design

    @abstractmethod
    def append(self, features: Index) -> None:
        """Add columns."""

    @abstractmethod
    def products(self, first: int) -> Float64:
        """Gram block of all columns with those from place `first` on, of shape (k, k - first)."""

    @abstractmethod
    def predict(self, theta: Float64) -> Float64:
        """Z theta, of shape (n,) or (n, K), for theta of shape (k,) or (k, K)."""

    @abstractmethod
    def correlations(self, residual: Float64) -> Float64:
        """Z'r, of shape (k,) or (k, K)."""

    @abstractmethod
    def weighted_gram(self, left: Index, right: Index, weights: Float64) -> Float64:
        """S_left' diag(weights) S_right at these places.

        S_j is Z_j but for a multiple of sqrt(v), one for each column: what makes no difference
        under a free intercept. There is none without an intercept.
        """

    @abstractmethod
    def scaled_gram(
        self, positions: Index, outputs: Index, first: int, weights: Float64
    ) -> Float64:
        """Q'Q_new for Q_a = diag(column outputs[a] of weights) S_places[a], weights (n, K).

        Q_new is what is in Q from `first` on.
        """

    @abstractmethod
    def weighted_sum(self, positions: Index, weights: Float64) -> Float64:
        """S_places' weights, of shape (k, K), for weights (n, K)."""

    def outer(self, scale: Float64) -> Float64:
        """Z diag(scale) Z' of all columns, of shape (n, n), centred where there is an intercept.

        Means that were left in Z would dwarf the rest, and count for nothing.
        """
        products, root = self._outer(scale), self.design.sqrt_weights
        if self.design.fit_intercept:
            products -= np.multiply.outer(products @ root, root)
            products -= np.multiply.outer(root, root @ products)
        return products

    @abstractmethod
    def _outer(self, scale: Float64) -> Float64:
        """`outer`, as Z is."""

    def cost(self, positions: Index) -> float:
        """Of `weighted_gram` of these columns with each other, in multiplications of dense ones."""
        return float(positions.size**2 * self.design.shape[0])

    def operator(self, support: Index) -> Any | None:
        """The Gram matrix by its products, where on a support these cost less than to form it."""
        return None

    def split(self, where: Index) -> tuple[Columns, Index, Index]:
        """The columns, the places in them, and the outputs that they are for: a single one here."""
        return self, where, np.zeros(where.size, dtype=np.intp)


class Design(ABC):
    """What the solver may ask of X, of shape (n, p), under weights v of shape (n,).

    Attributes
    ----------
    mean, spread : ndarrays of shape (p,)
        m, and the length of the columns of Z; 0 for constant columns under an intercept.
    fragile, constant : ndarrays
        The fragile columns that are not constant; those of length 0.
    rounding : ndarray of shape (p,)
        Rounding error of a correlation, for an r of length one.
    size : ndarray of shape (p,)
        Length of the columns as they come into predictions.
    left_out : ndarray of shape (p,)
        Which columns are to be zero, as if they were constant.
    n_stored : int
        How many numbers X holds.
    readable : int
        As many columns are read faster by themselves than by a pass over X.
    passes : float
        How many times X has been read; columns read by themselves count for their part of it.
    """

    # A column is fragile if its variance is below this part of its mean square.
    prone_below: float

    def __init__(
        self, X: Any, weights: Float64, fit_intercept: bool, left_out: Mask | None = None
    ) -> None:
        self.X = X
        self.shape: tuple[int, int] = X.shape
        self.n_stored = int(X.size)
        self.fit_intercept = fit_intercept
        self.cheap_columns = int(self._cheap_fraction() * self.shape[1])
        self.passes = 1.0
        nothing = np.zeros(self.shape[1], dtype=bool)
        self.left_out = nothing if left_out is None else left_out
        self._weigh(weights, *self._moments(weights), nothing)

    def _weigh(self, weights: Float64, mean: Float64, square: Float64, doubtful: Mask) -> None:
        """Set all that depends on the weights, given the weighted moments of the columns.

        Those of `doubtful` columns are computed again, from the columns themselves.
        """
        self.sqrt_weights = np.sqrt(weights)
        gone = self.left_out & np.isfinite(square)  # NaN stays for whoever looks for it
        mean, square = np.where(gone, 0.0, mean), np.where(gone, 0.0, square)
        self.mean = mean if self.fit_intercept else np.zeros_like(mean)
        variance = square - self.mean**2
        close = (square > 0.0) & (variance <= self.prone_below * square)
        self.cancellation_prone = np.flatnonzero(doubtful | close)
        variance[self.cancellation_prone] = self._centre_prone(weights, square)
        self.column_norms = np.sqrt(variance)
        raw = np.sqrt(square)
        raw[self.cancellation_prone] = self.column_norms[self.cancellation_prone]
        self.cancellation_prone = self.cancellation_prone[
            self.column_norms[self.cancellation_prone] > 0.0
        ]
        self.constant = np.flatnonzero(self.column_norms == 0.0)
        self.rounding = ROUNDING * raw
        self.size = self._size_in_predictions(raw)

    def _centre_prone(self, weights: Float64, square: Float64) -> Float64:
        """Set the fragile columns' means to the last digit; return their variances."""
        variance = np.zeros(self.cancellation_prone.size)
        for where in slices(self.cancellation_prone.size, self.shape[0]):
            features = self.cancellation_prone[where]
            if self.fit_intercept:
                self.mean[features] += weights @ self._centred(features)
            variance[where] = weights @ self._centred(features) ** 2
        unit, square = float(np.finfo(np.float64).eps), square[self.cancellation_prone]
        variance[(variance <= (4.0 * unit) ** 2 * square) & np.isfinite(square)] = 0.0
        return variance

    def leave_means(self) -> None:
        """Take no means off where they are not much larger than the spread.

        For losses under which a free intercept makes them meaningless: next to an outlier, values
        keep all their digits.
        """
        left = np.abs(self.mean) <= LEFT * self.column_norms
        self.column_norms[left] = np.hypot(self.column_norms[left], self.mean[left])
        self.mean[left] = 0.0

    def uncentred(self) -> Design:
        """The design with nothing taken off the columns: next to an outlier, values keep digits."""
        other = copy(self)
        other.mean = np.zeros_like(self.mean)
        return other

    def values(self, features: Index) -> Float64:
        """Columns of X less the means, of shape (n, k), zero where a column is constant."""
        values = self._centred(features)
        values[:, self.column_norms[features] == 0.0] = 0.0
        return values

    def reweighted(
        self, weights: Float64, mean: Float64, square: Float64, doubtful: Mask
    ) -> Design:
        """The design of the same X under other weights, given the moments that they lead to."""
        other = copy(self)
        other._weigh(weights, mean, square, doubtful)
        return other

    @abstractmethod
    def _cheap_fraction(self) -> float:
        """`cheap_columns`, as a part of all columns."""

    @abstractmethod
    def _moments(self, weights: Float64) -> tuple[Float64, Float64]:
        """Weighted means of the columns and of their squares."""

    @abstractmethod
    def _size_in_predictions(self, raw: Float64) -> Float64:
        """`size`, given the lengths of the columns before centring."""

    @abstractmethod
    def _centred(self, features: Index) -> Float64:
        """Columns of X - 1 m', as float64, of shape (n, k)."""

    @abstractmethod
    def _transposed_product(self, right: Float64) -> Float64:
        """X'right, for `right` of shape (n,) or (n, k)."""

    @abstractmethod
    def gram(self) -> Float64:
        """G = Z'Z of all features, of shape (p, p)."""

    @abstractmethod
    def augmented_gram(self, rows: Index, response: Float64) -> Float64:
        """The Gram matrix of [Z, response, sqrt v] on some rows, of shape (p + 2, p + 2).

        Inexact for fragile columns.
        """

    @abstractmethod
    def rows(self, rows: Index, features: Index) -> Any:
        """Elements of X as it is, in float64: an array or a sparse matrix."""

    @abstractmethod
    def columns(self) -> Columns:
        """An empty set of columns, to be filled."""

    def block(self, features: Index) -> Float64:
        """Columns of Z, of shape (n, k)."""
        block = self.values(features)
        block *= self.sqrt_weights[:, None]
        return block

    def correlations(self, residual: Float64) -> Float64:
        """z = Z'r of all features: the one pass over X that a certificate costs."""
        self.passes += 1
        with threads_for_pass():
            return self.product(residual)

    @abstractmethod
    def _chosen_product(self, features: Index, right: Float64) -> Float64:
        """X'right for some columns of X and `right` of shape (n,)."""

    def read(self, features: Index, residual: Float64) -> Float64:
        """z of some features."""
        self.passes += features.size / self.shape[1]
        if self.cancellation_prone.size and np.isin(features, self.cancellation_prone).any():
            blocks = (features[where] for where in slices(features.size, self.shape[0]))
            return np.concatenate([self.block(block).T @ residual for block in blocks])
        z = self._chosen_product(features, self.sqrt_weights * residual)
        z -= self.mean[features] * float(self.sqrt_weights @ residual)
        z[self.column_norms[features] == 0.0] = 0.0
        return z

    def product(self, right: Float64) -> Float64:
        """Z'right, for `right` of shape (n,) or (n, k)."""
        result = self._transposed_product((self.sqrt_weights * right.T).T)
        if self.fit_intercept:
            result -= np.multiply.outer(self.mean, self.sqrt_weights @ right)
        for where in slices(self.cancellation_prone.size, self.shape[0]):
            features = self.cancellation_prone[where]
            result[features] = self.block(features).T @ right
        result[self.constant] = 0.0
        return result

    def recompute(self, gram: Float64) -> None:
        """Set what a Gram matrix of all features holds of fragile and constant columns."""
        for where in slices(self.cancellation_prone.size, self.shape[0]):
            features = self.cancellation_prone[where]
            gram[:, features] = self.product(self.block(features))
            gram[features] = gram[:, features].T
        gram[self.constant] = 0.0
        gram[:, self.constant] = 0.0


def slices(weighted_sum: int, width: int) -> Iterator[slice]:
    """Cut range(total) so that each part, times `width`, is about a block."""
    step = max(1, BLOCK // max(width, 1))
    return (slice(start, min(start + step, weighted_sum)) for start in range(0, weighted_sum, step))
