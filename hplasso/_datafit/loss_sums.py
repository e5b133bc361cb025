"""A curved loss on data in blocks: sums over rows, which say all about it at some coefficients.

With rows a_i = [x_i - c, 1], a centre c, and the weights v_i, residuals r_i and curvatures D_i of a
loss at outputs f_i = theta'(x_i - c) + b (and an offset), they are, for several theta at once,

    L = sum_i v_i loss_i,    sum_i v_i a_i r_i',    sum_i v_i a_i D_i,    sum_i v_i r_i'D_i^+ r_i,

and, for some of them, the Hessian sum_i v_i (a_i a_i') kron D_i. Their size depends on the numbers
of features, outputs and theta alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from .._design.rows import weighted_products, with_ones
from .._design.source import Block
from .._losses.base import LARGEST, Curvature, Loss
from .._numerics.typing import Float64, Mask

# A loss from y (n,), weights (n,) and an offset (n, K) or None.
MakeLoss = Callable[[Any, Float64, Any], Loss]
# Numbers of the rows or the outputs that are worked on at a time, 8 MB of float64: calls against
# caches. At 2^16 and 2^22, paths and fits took 1.10 and 1.00 of the time (constants.py).
AT_A_TIME = 2**20
# Against overflow of exp.
LARGEST_LOSS = 700.0


class LossSums(NamedTuple):
    """The sums at L theta of p features and K outputs, H of them with a Hessian.

    Attributes
    ----------
    losses, squares : ndarrays of shape (L,)
        The first and the fourth of the sums; of residuals without weight there are none.
    lengths : ndarray of shape (L,)
        sum_i v_i |r_i|^2.
    gradients : ndarray of shape (p + 1, K, L)
        The second.
    slopes : ndarray of shape (p + 1, K, K, L)
        The third.
    steepest : ndarray of shape (L,)
        The largest |D_i^+ r_i| of any row with weight: the range over outputs, if K > 1.
    hessians : ndarray of shape (H, (p + 1) K, (p + 1) K)
        Coordinates are pairs of features and outputs.
    """

    losses: Float64
    squares: Float64
    lengths: Float64
    gradients: Float64
    slopes: Float64
    steepest: Float64
    hessians: Float64

    def merge(self, other: LossSums) -> LossSums:
        return LossSums(
            self.losses + other.losses,
            self.squares + other.squares,
            self.lengths + other.lengths,
            self.gradients + other.gradients,
            self.slopes + other.slopes,
            np.maximum(self.steepest, other.steepest),
            self.hessians + other.hessians,
        )

    def only(self, live: Mask) -> LossSums:
        """The same where the columns of other features, (p K,) of them, are zero."""
        K = self.gradients.shape[1]
        rows = np.append(live[::K], True)
        pairs = np.append(live, np.ones(K, dtype=bool))
        return self._replace(
            gradients=self.gradients * rows[:, None, None],
            slopes=self.slopes * rows[:, None, None, None],
            hessians=self.hessians * np.logical_and.outer(pairs, pairs),
        )


@dataclass(frozen=True)
class LossKernel:
    """The sums over the rows of a block.

    Attributes
    ----------
    make_loss : callable
    centre : ndarray of shape (p,)
        c; of sparse blocks it has to be zero.
    theta, intercepts : ndarrays of shapes (p, K, L) and (K, L)
    curved : tuple of int
        At which theta Hessians are asked for.
    """

    make_loss: MakeLoss
    centre: Float64
    theta: Float64
    intercepts: Float64
    curved: tuple[int, ...] = ()

    def __call__(self, block: Block) -> LossSums:
        n, p = block.X.shape
        step = max(1, AT_A_TIME // max(p + 1, self.intercepts.size))
        parts = []
        for start in range(0, max(n, 1), step):
            rows = slice(start, start + step)
            offset = None if block.offset is None else block.offset[rows]
            parts.append(self._of_few(block.X[rows], block.y[rows], block.weights[rows], offset))
        return reduce(LossSums.merge, parts)

    def _of_few(self, X: Any, y: Any, weights: Float64, offset: Any) -> LossSums:
        """The same of some rows, those of no weight left out."""
        kept = np.flatnonzero(weights)
        if kept.size < weights.size:
            X, y, weights = X[kept], y[kept], weights[kept]
            offset = None if offset is None else offset[kept]
        p, K, L = self.theta.shape
        if not kept.size:
            return self._of_none()
        rows = with_ones(X, self.centre)
        outputs = outputs_of(rows, self.theta, self.intercepts)
        loss = self.make_loss(y, weights, offset)
        weights = loss.weights
        residuals, curvatures = np.empty_like(outputs), []
        losses, squares, steepest = np.empty((3, L))
        for k in range(L):
            prediction = loss.predict(outputs[:, :, k])
            residuals[:, :, k] = prediction.residual
            losses[k] = weights @ prediction.losses
            squares[k] = loss.model_square(prediction)
            curvatures.append(loss.curvature(prediction))
            steepest[k] = _steepest(prediction, curvatures[-1], K)
        lengths = np.einsum("i,ikl,ikl->l", weights, residuals, residuals)
        residuals *= weights[:, None, None]
        gradients = np.asarray(rows.T @ residuals.reshape(-1, K * L)).reshape(p + 1, K, L)
        slopes = _slopes(rows, weights, curvatures, K)
        hessians = [_hessian(rows, weights, curvatures[k], K) for k in self.curved]
        stacked_hessians = np.reshape(hessians, (-1, (p + 1) * K, (p + 1) * K))
        return LossSums(losses, squares, lengths, gradients, slopes, steepest, stacked_hessians)

    def _of_none(self) -> LossSums:
        """Those of no rows."""
        (p, K, L), none = self.theta.shape, np.zeros(self.theta.shape[2])
        size = (p + 1) * K
        return LossSums(
            none,
            none,
            none,
            np.zeros((p + 1, K, L)),
            np.zeros((p + 1, K, K, L)),
            none,
            np.zeros((len(self.curved), size, size)),
        )


def outputs_of(rows: Any, theta: Float64, intercepts: Float64) -> Float64:
    """Outputs (n, K, L) of rows a_i, for theta (p, K, L) and intercepts (K, L)."""
    stacked = np.concatenate([theta, intercepts[None]])
    outputs = rows @ stacked.reshape(len(stacked), -1)
    return np.asarray(outputs).reshape(-1, *intercepts.shape)


def _steepest(prediction: Any, curvature: Curvature, n_outputs: int) -> float:
    """The largest |D^+ r|; of several outputs r is Y - P, and its range 1 / P_y."""
    if n_outputs > 1:
        return float(np.exp(min(prediction.losses.max(), LARGEST_LOSS)))
    residual = np.abs(prediction.residual[:, 0])
    return float((residual / np.maximum(curvature.diagonal(0), 1.0 / LARGEST)).max())


def _slopes(rows: Any, weights: Float64, curvatures: list[Any], n_outputs: int) -> Float64:
    """sum_i v_i a_i D_i, of shape (p + 1, K, K, L)."""
    K, L = n_outputs, len(curvatures)
    entries = np.empty((weights.size, K, K, L))
    for k, curvature in enumerate(curvatures):
        if K > 1:
            q = curvature.coupling
            entries[..., k] = -q[:, :, None] * q[:, None, :]
        for output in range(K):
            entries[:, output, output, k] = curvature.diagonal(output)
    entries *= weights[:, None, None, None]
    return np.asarray(rows.T @ entries.reshape(weights.size, -1)).reshape(-1, K, K, L)


def _hessian(rows: Any, weights: Float64, curvature: Any, n_outputs: int) -> Float64:
    """sum_i v_i (a_i a_i') kron D_i, of shape ((p + 1) K, (p + 1) K)."""
    size = rows.shape[1]
    hessian = np.empty((size, n_outputs, size, n_outputs))
    for k in range(n_outputs):
        hessian[:, k, :, k] = weighted_products(rows, weights * curvature.diagonal(k))
        for m in range(k):
            part = weighted_products(
                rows, weights * curvature.coupling[:, k] * curvature.coupling[:, m]
            )
            hessian[:, k, :, m] = hessian[:, m, :, k] = -part
    return hessian.reshape(size * n_outputs, size * n_outputs)
