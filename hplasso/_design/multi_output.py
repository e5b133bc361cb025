"""One design for the coefficients of several outputs: pairs (feature, output) as features.

With K outputs the coefficients are a matrix, and so is the residual, of shape (n, K):

    Z = design kron I_K,        theta = (theta_11, .., theta_1K, theta_21, ..),        z = Z'r.

Pair j K + k is feature j for output k. Nothing is repeated but arrays of length p.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .._numerics.typing import Float64, Index
from .columns import Columns, Costs, PairProducts, is_formed
from .design import Design

# As many multiplications of dense matrices take as long as to couple an output of a sample with
# the others: of products against a Hessian (constants.py).
COUPLED = 50
# A Hessian of no more multiplications (some .1 s) is formed in any case. A weak penalty of several
# classes makes it nearly singular, as a constant added to the coefficients of a feature makes no
# difference to the loss: conjugate gradients do not get there then, a factorisation does
# (constants.py).
CHEAP = 1.5e9


class MultiOutputDesign:
    """A design of shape (n K, p K) made of one of shape (n, p), with what a path reads of a Design.

    Attributes
    ----------
    single : Design
        Of shape (n, p): the design of a single output.
    """

    def __init__(self, design: Design, n_outputs: int) -> None:
        n, p = design.shape
        self.single, self.n_outputs = design, n_outputs
        self.shape = (n * n_outputs, p * n_outputs)
        self.n_stored, self.cheap_columns = design.n_stored, design.cheap_columns
        self.column_norms = np.repeat(design.column_norms, n_outputs)
        self.rounding = np.repeat(design.rounding, n_outputs)

    @cached_property
    def mean(self) -> Float64:
        """The means of the columns, for each output; few ask for them."""
        return np.repeat(self.single.mean, self.n_outputs)

    @property
    def passes(self) -> float:
        """How many times X has been read."""
        return self.single.passes

    def correlations(self, residual: Float64) -> Float64:
        """z = Z'r of all pairs, for r of shape (n K,)."""
        return self.single.correlations(residual.reshape(-1, self.n_outputs)).ravel()

    def read(self, pairs: Index, residual: Float64) -> Float64:
        """z of some pairs."""
        outputs = residual.reshape(-1, self.n_outputs)
        z = np.empty(pairs.size)
        for k in range(self.n_outputs):
            of_k = np.flatnonzero(pairs % self.n_outputs == k)
            if of_k.size:
                z[of_k] = self.single.read(pairs[of_k] // self.n_outputs, outputs[:, k])
        return z

    def block(self, pairs: Index) -> Float64:
        """Columns of Z, of shape (n K, k)."""
        n, K = self.single.shape[0], self.n_outputs
        block = np.zeros((n, K, pairs.size))
        block[:, pairs % K, np.arange(pairs.size)] = self.single.block(pairs // K)
        return block.reshape(n * K, pairs.size)

    def columns(self) -> MultiOutputColumns:
        """An empty set of pairs, to be filled."""
        return MultiOutputColumns(self)


class MultiOutputColumns:
    """Chosen pairs, on the columns of the features that occur in them."""

    def __init__(self, stacked: MultiOutputDesign) -> None:
        self.n_outputs = stacked.n_outputs
        self.columns: Columns = stacked.single.columns()
        self.position = np.full(stacked.single.shape[1], -1, dtype=np.intp)
        self.size = 0
        self.positions = self.outputs = np.empty(0, dtype=np.intp)

    def append(self, pairs: Index) -> None:
        """Add pairs."""
        features = pairs // self.n_outputs
        new = np.unique(features[self.position[features] < 0])
        if new.size:
            self.columns.append(new)
            self.position[new] = np.arange(self.size, self.size + new.size)
            self.size += new.size
        self.positions = np.append(self.positions, self.position[features])
        self.outputs = np.append(self.outputs, pairs % self.n_outputs)

    def split(self, where: Index) -> tuple[Columns, Index, Index]:
        """The columns, and for some pairs the position among them and the output."""
        return self.columns, self.positions[where], self.outputs[where]

    def operator(
        self, support: Index, ridge: Float64 | None = None, products: float = 0.0
    ) -> Any | None:
        """For a curved loss, some pairs by their products, where these cost less than a Hessian."""
        n, k, K = self.columns.statistics.sqrt_weights.size, support.size, self.n_outputs
        gram, product = self.costs(support)
        cost = min(gram, n * k**2) + k**3 / 3 + COUPLED * n * K**2
        formed = cost <= CHEAP or is_formed(k, cost, products * K * (product + COUPLED * n))
        if formed or not products:
            return None
        return self.columns.pairs(self.positions[support], self.outputs[support], K)

    @property
    def density(self) -> float:
        """That of the columns."""
        return self.columns.density

    def costs(self, where: Index) -> Costs:
        """Those of the columns, for one output."""
        return self.columns.costs(self.positions[where])

    def products(self, first: int) -> Float64:
        """Gram block of all pairs with those from the given one on."""
        gram = self.columns.products(0)
        same = self.outputs[:, None] == self.outputs[first:]
        return gram[np.ix_(self.positions, self.positions[first:])] * same

    def outer(self, scale: Float64) -> Float64:
        """Z diag(scale) Z', for pairs that are all there, with the same scale for each output."""
        first = self.outputs == 0
        of_columns = np.empty(self.size)
        of_columns[self.positions[first]] = scale[first]
        return np.asarray(np.kron(self.columns.outer(of_columns), np.eye(self.n_outputs)))

    def predict(self, theta: Float64) -> Float64:
        """Z theta, of shape (n K,)."""
        return self._all().predict(theta)

    def correlations(self, residual: Float64) -> Float64:
        """Z'r, for r of shape (n K,)."""
        return self._all().correlations(residual)

    def _all(self) -> PairProducts:
        return PairProducts(self.columns, self.n_outputs, self.positions, self.outputs)


AnyDesign = Design | MultiOutputDesign
