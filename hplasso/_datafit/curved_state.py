"""A curved loss at some coefficients, the intercepts at their optimum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .._design.working_set import WorkingSet
from .._losses.base import Curvature
from .._numerics.blocks import BLOCK, slices
from .._numerics.linalg import inverse_root
from .._numerics.rounding import ROUNDING
from .._numerics.typing import Float64, Index
from .hessian import Hessian
from .outputs import Outputs


class OutputHessian(NamedTuple):
    """The Hessian in the outputs sqrt(v) f, the intercepts eliminated, of shape (n K, n K).

    Attributes
    ----------
    outputs : Outputs
    curvature : Curvature
        D.
    root : ndarray of shape (K, q), or None
        R with R R' the pseudoinverse of sum_i v_i D_i; None without intercepts.
    """

    outputs: Outputs
    curvature: Curvature
    root: Float64 | None

    def product(self, change: Float64) -> Float64:
        """Its product with changes of these outputs, of shape (n K,) or (n K, m)."""
        weights, curved = self.outputs.sqrt_weights, self.curvature.product
        outputs = change.reshape(weights.size, self.outputs.n_outputs, -1)
        product, shift = np.empty_like(outputs), np.zeros(outputs.shape[1:])
        parts = list(slices(weights.size, shift.size))  # in a cache
        if self.root is not None:  # no residual sums to anything else than zero
            for rows in parts:
                shift += np.tensordot(weights[rows], curved(outputs[rows], rows), 1)
            shift = self.root @ (self.root.T @ shift)
        for rows in parts:
            shifted = outputs[rows]
            if self.root is not None:
                shifted = np.multiply(weights[rows, None, None], -shift, out=product[rows])
                shifted += outputs[rows]
            curved(shifted, rows, out=product[rows])
        return product.reshape(change.shape)


class CurvedState(NamedTuple):
    """Outputs without intercept (n, K), intercept (K,), their prediction, sqrt(v) r (n K,), L."""

    linear: Float64
    intercept: Float64
    prediction: Any
    residual: Float64
    loss: float
    outputs: Outputs

    def divergence(self, kappa: float) -> float:
        return self.outputs.loss.divergence(self.prediction, kappa)

    def intercept_cost(self, delta: Float64) -> float:
        return 0.5 * float(delta @ self.curvature().total(self.outputs.weights) @ delta)

    def model_square(self) -> float:
        """||H^-1/2 r||^2."""
        return self.outputs.loss.model_square(self.prediction)

    def curvature(self) -> Curvature:
        """D at the prediction."""
        return self.outputs.loss.curvature(self.prediction)

    def hessian(self) -> OutputHessian:
        """That of the loss in the outputs, for several products."""
        curvature, of = self.curvature(), self.outputs
        root = inverse_root(curvature.total(of.weights)) if of.fit_intercept else None
        return OutputHessian(of, curvature, root)

    def hessian_product(self, change: Float64) -> Float64:
        return self.hessian().product(change)

    def hessian_on(self, working_set: WorkingSet, where: Index) -> Float64:
        of = self.outputs
        hessian = Hessian(of.design, of.loss, of.fit_intercept)
        return hessian.at(working_set, self.prediction, where)

    def hessian_root(self, columns: Float64) -> Iterator[Float64]:
        """Blocks of rows whose Gram matrix is A'B A, A = columns kron I_K; for columns (n, q)."""
        K, q = self.outputs.n_outputs, columns.shape[1]
        curvature, step = self.curvature(), max(2 * q, BLOCK // max(q * K**2, 1))
        for first in range(0, len(columns), step):
            rows = slice(first, first + step)
            root = curvature.root(rows)
            yield np.einsum("ikl,ij->ikjl", root, columns[rows]).reshape(-1, q * K)

    def correlate(self, columns: Float64) -> Float64:
        residual = self.residual.reshape(-1, self.outputs.n_outputs)
        return self.outputs.loss.correlate(columns, residual)

    def refined(self, change: Float64) -> tuple[CurvedState, float]:
        of, product = self.outputs, self.hessian_product(change[:, None])[:, 0]
        moved = product.reshape(-1, of.n_outputs) * of.unscale[:, None]
        extra = of.loss.dual_divergence(self.prediction, moved)
        return self._replace(residual=self.residual - product), extra

    def rounding_of_loss(self, support: Index, values: Float64) -> float:
        """What rounding of the outputs, and of the losses, may contribute to a rise of the loss.

        The state is that of coefficients with these values on a support.
        """
        sizes = self.outputs.magnitudes(support, values, self)
        relative_errors = self.outputs.weights @ (np.abs(self.prediction.residual) * sizes)
        return ROUNDING * (self.loss + float(relative_errors.sum()))


def state_at(outputs: Outputs, linear: Float64, intercept: Float64) -> CurvedState:
    """The state with these outputs; the search for the intercept starts as given."""
    if outputs.fit_intercept:
        intercept, prediction = outputs.loss.profile_intercept(linear, intercept)
    else:
        prediction = outputs.loss.predict(linear)
    residual = (outputs.sqrt_weights[:, None] * prediction.residual).ravel()
    value = float(outputs.weights @ prediction.losses)
    return CurvedState(linear, intercept, prediction, residual, value, outputs)
