"""Logistic loss as a function of the outputs, for two classes or more; nothing here knows of X.

With C classes, outputs f and probabilities P,

    loss(y, f) = log sum_c exp f_c - f_y,        r = Y - P,        Hessian  P_k (delta_kl - P_l),

where Y marks the classes. C >= 3 classes have K = C outputs; of two classes, the second alone has
one, and the other's is held at zero. Losses differ in how they compute this to the last digit.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import log_expit, log_softmax, softmax

from ._typing import Float64, Index

# An imbalance of the residuals below this is removed to first order: what is left is rounding.
LINEAR = 1e-8
MAX_STEPS = 100
TINY = 1e-200


class Prediction(NamedTuple):
    """P and r, of shape (n, K); 1 - P_y and -log P_y for the true classes y, of shape (n,)."""

    probabilities: Float64
    residual: Float64
    wrong: Float64
    losses: Float64


class LogisticLoss(Protocol):
    """What the data term asks of the loss; `weights` v of shape (n,) sum to one."""

    n_outputs: int
    n_classes: int
    weights: Float64

    def predict(self, outputs: Float64) -> Prediction:
        """All there is to know at outputs of shape (n, K)."""
        ...

    def curvature(self, prediction: Prediction, k: int, m: int) -> Float64:
        """P_k (delta_km - P_m), of shape (n,)."""
        ...

    def best_intercept(self, linear: Float64, start: Float64) -> Float64:
        """The intercept b that minimises the loss of outputs linear + b."""
        ...


def make_loss(codes: Index, n_classes: int, weights: Float64) -> LogisticLoss:
    """The loss of classes numbered from zero."""
    if n_classes == 2:
        return BinaryLoss(codes, weights)
    return MultinomialLoss(codes, n_classes, weights)


class BinaryLoss:
    """Two classes."""

    n_outputs = 1
    n_classes = 2

    def __init__(self, codes: Index, weights: Float64) -> None:
        self.second = codes == 1
        self.weights = weights
        self.share = float(weights @ self.second)

    def predict(self, outputs: Float64) -> Prediction:
        p, small, large = _expit(outputs[:, 0])
        towards = np.where(self.second, outputs[:, 0], -outputs[:, 0])
        wrong = np.where(towards > 0.0, small, large)
        losses = np.maximum(-towards, 0.0) - np.log(large)
        residual = np.where(self.second, wrong, -wrong)
        return Prediction(p[:, None], residual[:, None], wrong, losses)

    def curvature(self, prediction: Prediction, k: int, m: int) -> Float64:
        return prediction.wrong * (1.0 - prediction.wrong)

    def best_intercept(self, linear: Float64, start: Float64) -> Float64:
        """Newton's method on sum_i v_i P_i = the share of the second class, kept in a bracket."""
        outputs = linear[:, 0]
        balanced = np.log(self.share) - np.log1p(-self.share)
        low, high = balanced - outputs.max(), balanced - outputs.min()
        b = min(max(float(start[0]), low), high)
        for _ in range(MAX_STEPS):
            p, small, large = _expit(outputs + b)
            excess = float(self.weights @ p) - self.share
            low, high = (low, b) if excess > 0.0 else (b, high)
            curvature = float(self.weights @ (small * large))
            step = -excess / curvature if curvature > 0.0 else np.inf
            inside = low <= b + step <= high
            new = b + step if inside else 0.5 * (low + high)
            if new == b or (inside and abs(step) <= LINEAR):
                return np.array([new])
            b = new
        return np.array([b])


def _expit(outputs: Float64) -> tuple[Float64, Float64, Float64]:
    """P = 1 / (1 + exp -f); and the smaller and the larger of P and 1 - P."""
    exponential = np.exp(-np.abs(outputs))
    large = 1.0 / (1.0 + exponential)
    small = exponential * large
    return np.where(outputs > 0.0, large, small), small, large


class MultinomialLoss:
    """Three classes or more. A constant added to all outputs of a sample makes no difference."""

    def __init__(self, codes: Index, n_classes: int, weights: Float64) -> None:
        self.codes, self.rows = codes, np.arange(codes.size)
        self.weights = weights
        self.n_outputs = self.n_classes = n_classes
        self.shares = np.bincount(codes, weights=weights, minlength=n_classes)

    def predict(self, outputs: Float64) -> Prediction:
        top = outputs.max(axis=1)
        powers = np.exp(outputs - top[:, None])
        own = powers[self.rows, self.codes].copy()
        powers[self.rows, self.codes] = 0.0
        others = powers.sum(axis=1)  # without the own class: 1 - P_y to the last digit
        total = own + others
        losses = np.log(total) + top - outputs[self.rows, self.codes]
        accurate = own > TINY  # log 1/P_y to the last digit, however close to zero
        losses[accurate] = np.log1p(others[accurate] / own[accurate])
        wrong = others / total
        residual = -powers / total[:, None]
        residual[self.rows, self.codes] = wrong
        powers[self.rows, self.codes] = own
        return Prediction(powers / total[:, None], residual, wrong, losses)

    def curvature(self, prediction: Prediction, k: int, m: int) -> Float64:
        p = prediction.probabilities
        return p[:, k] * (1.0 - p[:, k]) if k == m else -p[:, k] * p[:, m]

    def best_intercept(self, linear: Float64, start: Float64) -> Float64:
        """Newton's method; after a step that did little good, one of iterative scaling, which does:

        b_k += log(share_k / sum_i v_i P_ik). The mean of b is zero.
        """
        b, worst, newton = start, np.inf, True
        for _ in range(MAX_STEPS):
            p = softmax(linear + b, axis=1)
            total = self.weights @ p
            excess = total - self.shares
            newton = not newton or float(np.abs(excess).max()) <= 0.5 * worst
            worst = float(np.abs(excess).max())
            if newton:
                curvature = np.diag(total) - (p * self.weights[:, None]).T @ p
                step = -np.linalg.lstsq(curvature, excess, rcond=1e-12)[0]
            else:
                step = np.log(self.shares / np.maximum(total, TINY))
            b = b + step - step.mean()
            if newton and np.abs(step).max() <= LINEAR:
                break
        return np.asarray(b)


def log_probabilities(outputs: Float64) -> Float64:
    """log P of all classes, of shape (n, C)."""
    if outputs.shape[1] > 1:
        return np.asarray(log_softmax(outputs, axis=1))
    return np.hstack([log_expit(-outputs), log_expit(outputs)])
