"""The protocol of a loss: a function of the predictions; nothing here knows of X or a solver.

With weights v_i >= 0 that sum to one, and outputs f of shape (n, K), the intercept included,

    L(f) = sum_i v_i loss(y_i, f_i),       residual r_i = -loss',       curvature D_i = loss'',

where loss(y, .) is convex in f and zero at its minimum. D_i is a K x K matrix. A residual s that
balances, sum_i v_i s_i = 0, is a point of the dual problem. Its *divergence* from the prediction,

    sum_i v_i [loss(y_i, f_i) + loss*(y_i, -s_i) + s_i'f_i],       zero for s = r,

is Bregman's; loss* is the convex conjugate, of which loss*(y, 0) = 0. A loss that is not convex
says so: it has no dual problem, and in place of curvatures that are not positive it gives others.

A loss of one output defines the abstract methods; the others follow from the curvature. It
overrides those of which it knows more, or knows it to more digits.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.linalg.blas import dnrm2
from scipy.special import xlog1py

from .._numerics.typing import Float64

# Against overflow: the inverse of a curvature is no larger.
LARGEST = 1e200
# More than the length of any residual, where there is no bound of it.
UNBOUNDED = 1e100


class Curvature(Protocol):
    """D: a symmetric positive semidefinite K x K matrix for each sample.

    That of several outputs has `coupling`, q of shape (n, K), too: D_kl = -q_k q_l for k != l.
    """

    def diagonal(self, k: int) -> Float64:
        """D_kk, of shape (n,)."""

    def means(self, weights: Float64) -> Float64:
        """sum_i v_i D_ikk, of shape (K,)."""

    def total(self, weights: Float64) -> Float64:
        """sum_i v_i D_i, of shape (K, K)."""

    def product(
        self, outputs: Float64, rows: slice = slice(None), out: Float64 | None = None
    ) -> Float64:
        """D times changes of the outputs, of shape (n, K, m), or of some samples.

        In `out`, if it is given, which may be the outputs.
        """

    def magnitude(self, sizes: Float64, rows: slice = slice(None)) -> Float64:
        """|D| sizes, (n, K), for sizes of that shape, not negative; or those of some samples."""

    def root(self, rows: slice) -> Float64:
        """R with R'R = D for some samples, of shape (m, K, K)."""


class Loss(ABC):
    """What a data term asks of a loss.

    Attributes
    ----------
    quadratic : bool
        Whether the curvature is constant.
    convex : bool
        Whether loss(y, .) is convex, and smooth wherever it is finite.
    n_outputs : int
        K.
    weights : ndarray of shape (n,)
        v.
    mean_rounding : float
        Rounding of a residual beside that of the outputs, in units of rounding times the curvature:
        one for a mean exp(f); zero where residuals are known to their own last digit.
    largest_curvature : float
        No less than any eigenvalue of any D_i, wherever the outputs are.
    null_intercept : float or ndarray of shape (K,)
        About the intercepts of a fit without features.
    """

    quadratic = False
    convex = True
    n_outputs = 1
    mean_rounding = 1.0
    largest_curvature = np.inf
    null_intercept: Any = 0.0
    weights: Float64

    @abstractmethod
    def predict(self, outputs: Float64) -> Any:
        """A record of the loss at outputs of shape (n, K), with what its own formulas need.

        Its `residual` is r, of shape (n, K), and `losses` are those of the samples, of shape (n,).
        """

    @abstractmethod
    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, Any]:
        """The intercept b, (K,), that minimises L(linear + b), and the prediction there."""

    @abstractmethod
    def curvature(self, prediction: Any) -> Curvature:
        """D."""

    @abstractmethod
    def dual_divergence(self, prediction: Any, change: Float64) -> float:
        """The divergence of the residual r - change; inf where the conjugate is infinite."""

    def divergence(self, prediction: Any, kappa: float) -> float:
        """The divergence of the residual kappa r, for 0 <= kappa <= 1."""
        return self.dual_divergence(prediction, (1.0 - kappa) * prediction.residual)

    def model_square(self, prediction: Any) -> float:
        """sum_i v_i r_i'D_i^-1 r_i."""
        curvature = np.maximum(self.curvature(prediction).diagonal(0), 1.0 / LARGEST)
        return float(self.weights @ (prediction.residual[:, 0] ** 2 / curvature))

    def curvature_bound(self, prediction: Any) -> float:
        """A bound of (sum_i v_i |D_i|^2)^1/2."""
        # without the squares, which may overflow
        return float(dnrm2(np.sqrt(self.weights) * self.curvature(prediction).diagonal(0)))

    @abstractmethod
    def bound_residual(self, null: Float64) -> float:
        """A bound of the length of sqrt(v) r wherever L is no larger than without features.

        The outputs without features are these, (n, K), plus intercepts, at their optimum or zero.
        """

    def contrasts(self, values: Float64) -> Float64:
        """Values of the outputs, (K,), as far as they make a difference to each sample, (n, K)."""
        return values[None]

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        """columns' residual, of shapes (n, q) and (n, K)."""
        return columns.T @ residual


class SingleCurvature(NamedTuple):
    """The curvature of a loss of one output, of shape (n,)."""

    values: Float64

    def diagonal(self, k: int) -> Float64:
        return self.values

    def means(self, weights: Float64) -> Float64:
        return np.array([weights @ self.values])

    def total(self, weights: Float64) -> Float64:
        return self.means(weights)[:, None]

    def product(
        self, outputs: Float64, rows: slice = slice(None), out: Float64 | None = None
    ) -> Float64:
        return np.multiply(self.values[rows, None, None], outputs, out=out)

    def magnitude(self, sizes: Float64, rows: slice = slice(None)) -> Float64:
        return self.values[rows, None] * sizes

    def root(self, rows: slice) -> Float64:
        return np.sqrt(self.values[rows, None, None])


def relative_entropy(mean: Float64, change: Float64) -> Float64:
    """q log(q / m) - q + m for q = m + change, elementwise; inf where q < 0.

    Without cancellation: its first order in the change is left out.
    """
    part = np.divide(change, mean, out=np.zeros_like(mean), where=mean > 0.0)
    outside = (part < -1.0) | ((mean <= 0.0) & (change != 0.0))
    part[outside] = 0.0
    terms = mean * (xlog1py(1.0 + part, part) - part)
    terms[outside] = np.inf
    return np.asarray(terms)
