"""The design: all that the solver may ask of X, whatever holds it.

With weights v_i >= 0 that sum to one and the weighted column means m, the solver sees the matrix

    Z = diag(sqrt v) (X - 1 m'),        G = Z'Z,        z = Z'r,

(m = 0 without an intercept), though Z is never formed: X is neither copied nor changed, whatever
its layout. A design answers with correlations Z'r, in one pass over X, and with blocks of exactly
centred columns, as float64.

Precision. Z'r is computed as X' (sqrt(v) r) less a multiple of the means, which is small as r is
orthogonal to sqrt(v) up to rounding: good as long as a column's mean does not dwarf its norm.
*Cancellation-prone* columns, where it does, are treated in small blocks that are centred first; of
constant columns nothing is left. Blocks of float32 are widened on the way: all arithmetic is in
float64.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._numerics.blocks import slices
from .._numerics.threads import threads_for_pass
from .._numerics.typing import Float64, Index
from .columns import Columns, ColumnStatistics
from .container import Container


class Design:
    """X of shape (n, p) under weights v of shape (n,), with what is known of the columns of Z.

    Attributes
    ----------
    container : Container
        What holds X.
    statistics : ColumnStatistics
        All of its fields are attributes of the design, too.
    shape : tuple (n, p)
    n_stored : int
        How many numbers X holds.
    cheap_columns : int
        As many columns are read faster by themselves than by a pass over X.
    passes : float
        How many times X has been read; columns read by themselves count for their part of it.
    """

    def __init__(
        self, container: Container, statistics: ColumnStatistics, passes: float = 1.0
    ) -> None:
        self.container, self.statistics, self.passes = container, statistics, passes
        self.shape, self.n_stored = container.shape, container.n_stored
        self.cheap_columns = int(container.cheap_fraction * self.shape[1])
        self.sqrt_weights, self.fit_intercept = statistics.sqrt_weights, statistics.fit_intercept
        self.mean, self.column_norms = statistics.mean, statistics.column_norms
        self.left_out, self.constant = statistics.left_out, statistics.constant
        self.cancellation_prone = statistics.cancellation_prone
        self.rounding, self.size = statistics.rounding, statistics.size

    @property
    def single(self) -> Design:
        """The design of a single output: itself."""
        return self

    def correlations(self, residual: Float64) -> Float64:
        """z = Z'r of all features: the one pass over X that a certificate costs."""
        self.passes += 1
        with threads_for_pass():
            return self.product(residual)

    def product(self, right: Float64) -> Float64:
        """Z'right, for `right` of shape (n,) or (n, k)."""
        result = self.container.transposed_product((self.sqrt_weights * right.T).T)
        if self.mean.any():
            result -= np.multiply.outer(self.mean, self.sqrt_weights @ right)
        for where in slices(self.cancellation_prone.size, self.shape[0]):
            features = self.cancellation_prone[where]
            result[features] = self.block(features).T @ right
        result[self.constant] = 0.0
        return result

    def read(self, features: Index, residual: Float64) -> Float64:
        """z of some features."""
        self.passes += features.size / self.shape[1]
        if self.cancellation_prone.size and np.isin(features, self.cancellation_prone).any():
            blocks = (features[where] for where in slices(features.size, self.shape[0]))
            return np.concatenate([self.block(block).T @ residual for block in blocks])
        z = self.container.read(features, self.sqrt_weights * residual)
        z -= self.mean[features] * float(self.sqrt_weights @ residual)
        z[self.column_norms[features] == 0.0] = 0.0
        return z

    def values(self, features: Index) -> Float64:
        """Columns of X less the means, of shape (n, k), zero where a column is constant."""
        return self.statistics.centre(self.container.columns(features), features)

    def block(self, features: Index) -> Float64:
        """Columns of Z, of shape (n, k)."""
        block = self.values(features)
        block *= self.sqrt_weights[:, None]
        return block

    def gram(self) -> Float64:
        """G = Z'Z of all features, of shape (p, p)."""
        self.passes += 1
        gram = self.container.gram(self.statistics)
        if not self.container.centres:
            self.recompute(gram)
        gram[self.constant] = gram[:, self.constant] = 0.0
        return gram

    def recompute(self, gram: Float64) -> None:
        """Set what a Gram matrix holds of cancellation-prone and of constant columns."""
        for where in slices(self.cancellation_prone.size, self.shape[0]):
            features = self.cancellation_prone[where]
            gram[:, features] = self.product(self.block(features))
            gram[features] = gram[:, features].T
        gram[self.constant] = gram[:, self.constant] = 0.0

    def columns(self) -> Columns:
        """An empty set of columns of Z, to be filled."""
        return self.container.choose(self.statistics)

    def uncentred(self) -> Design:
        """The design with nothing taken off the columns: next to an outlier, values keep digits."""
        statistics = replace(self.statistics, mean=np.zeros_like(self.mean))
        return Design(self.container, statistics, self.passes)

    def leave_means(self) -> Design:
        """The design that keeps means which are not much larger than the column norms.

        For losses under which a free intercept makes them meaningless: next to an outlier, values
        keep all their digits.
        """
        return Design(self.container, self.statistics.leave_means(), self.passes)
