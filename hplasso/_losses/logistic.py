"""Logistic loss as a function of the outputs, for two classes or more; nothing here knows of X.

With C classes, outputs f and probabilities P,

    loss(y, f) = log sum_c exp f_c - f_y,        r = Y - P,        Hessian  P_k (delta_kl - P_l),

where Y marks the classes. C >= 3 classes have K = C outputs; of two classes, the second alone has
one, and the other's is held at zero. A single class has one that makes no difference: its loss is
zero. Losses differ in how they compute this to the last digit.
"""

from __future__ import annotations

from math import cosh, inf, isfinite, sinh
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp

from .._numerics.linalg import solve_positive
from .._numerics.typing import Float64, Index

# Newton's method squares its error: a step of an intercept that is so small is the last.
SHORT = 3e-7
# Margins may be as large before the odds, multiplied for MAX_STEPS steps of this length, overflow.
LARGEST, LONGEST = 600.0, 1.0
# The imbalance of several outputs that is left to rounding.
BALANCED = 1e-13
# A step of intercepts, as a part of them, that is left to it, too.
SETTLED = 1e-15
MAX_STEPS = 100
TINY = 1e-200


class Prediction(NamedTuple):
    """r, of shape (n, K); 1 - P_y and -log P_y for the true classes y, of shape (n,)."""

    residual: Float64
    wrong: Float64
    losses: Float64


class LogisticLoss(Protocol):
    """What the data term asks of the loss; `weights` v of shape (n,) sum to one."""

    n_outputs: int
    weights: Float64

    def predict(self, outputs: Float64) -> Prediction:
        """All there is to know at outputs of shape (n, K)."""
        ...

    def probabilities(self, prediction: Prediction) -> Float64:
        """P, of shape (n, K)."""
        ...

    def curvature(self, prediction: Prediction, k: int) -> Float64:
        """P_k (1 - P_k), of shape (n,)."""
        ...

    def contrasts(self, values: Float64) -> Float64:
        """Values of the outputs, (K,), as far as they make a difference to each sample, (n, K)."""
        ...

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        """columns' residual, of (n, q) and (n, K)."""
        ...

    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, Prediction]:
        """The intercept b that minimises the loss of outputs linear + b, and what they predict."""
        ...


def make_loss(codes: Index, n_classes: int, weights: Float64) -> LogisticLoss:
    """The loss of classes numbered from zero."""
    if n_classes == 2:
        return BinaryLoss(codes, weights)
    return MultinomialLoss(codes, n_classes, weights)


class BinaryLoss:
    """Two classes; without an intercept one of them may have no weight."""

    n_outputs = 1

    def __init__(self, codes: Any, weights: Float64) -> None:
        self.signs = 2.0 * codes - 1.0
        self.weights = weights
        frequencies = float(weights @ (codes == 0)), float(weights @ codes)
        self._balanced = (
            float(np.log(frequencies[1]) - np.log(frequencies[0])) if all(frequencies) else 0.0
        )
        self._signed_weights = weights * self.signs

    def predict(self, outputs: Float64) -> Prediction:
        margins = self.signs * outputs[:, 0]
        return self._predict(margins, _odds(margins))

    def _predict(self, margins: Float64, odds: Float64) -> Prediction:
        wrong = 1.0 / (1.0 + odds)
        right = odds * wrong
        if margins.max() > LARGEST:  # there the odds were cut off
            far = margins > LARGEST
            wrong[far] = np.exp(-margins[far])
        losses = np.maximum(-margins, 0.0) - np.log(np.maximum(wrong, right))
        return Prediction((self.signs * wrong)[:, None], wrong, losses)

    def probabilities(self, prediction: Prediction) -> Float64:
        return np.abs((self.signs > 0.0) - prediction.wrong)[:, None]

    def curvature(self, prediction: Prediction, k: int) -> Float64:
        return prediction.wrong * (1.0 - prediction.wrong)

    def contrasts(self, values: Float64) -> Float64:
        return values[None]

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        return columns.T @ residual

    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, Prediction]:
        """Newton's method on sum_i v_i r_i = 0, kept in a bracket.

        A step multiplies all odds by one of two numbers: no exponential is taken again.
        """
        b, low, high = float(start[0]), -inf, inf
        margins = self.signs * linear[:, 0]
        odds = _odds(margins + b * self.signs)
        for _ in range(MAX_STEPS):
            wrong = 1.0 / (1.0 + odds)
            right = odds * wrong
            lack = float(self._signed_weights @ wrong)
            total = float(self.weights @ (wrong * right))
            step = lack / total if total > 0.0 else inf
            if not (abs(step) <= SHORT or isfinite(low + high)):
                # at its ends all P_i are too small, or too large
                balanced = self._balanced
                low, high = balanced - float(linear.max()), balanced - float(linear.min())
            low, high = (low, min(high, b)) if lack < 0.0 else (max(low, b), high)
            new = b + step if low <= b + step <= high else 0.5 * (low + high)
            step, b = new - b, new
            if abs(step) <= LONGEST:
                odds *= cosh(step) + sinh(step) * self.signs
            else:
                odds = _odds(margins + b * self.signs)
            if abs(step) <= SHORT:
                break
        return np.array([b]), self._predict(margins + b * self.signs, odds)


def _odds(margins: Float64) -> Float64:
    """P_y / (1 - P_y) for y f = margins; from them come both, each to the last digit."""
    return np.exp(np.minimum(np.maximum(margins, -LARGEST), LARGEST))


class MultinomialLoss:
    """Any number of classes. A constant added to all outputs of a sample makes no difference."""

    def __init__(self, codes: Index, n_classes: int, weights: Float64) -> None:
        self.codes, self.rows = codes, np.arange(codes.size)
        self.weights = weights
        self.n_outputs = n_classes
        self.frequencies = np.bincount(codes, weights=weights, minlength=n_classes)

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
        return Prediction(residual, wrong, losses)

    def probabilities(self, prediction: Prediction) -> Float64:
        p = -prediction.residual
        p[self.rows, self.codes] = 1.0 - prediction.wrong
        return p

    def curvature(self, prediction: Prediction, k: int) -> Float64:
        size = np.abs(prediction.residual[:, k])  # P_k, or 1 - P_k where k is the true class
        return size * (1.0 - size)

    def contrasts(self, values: Float64) -> Float64:
        return values - values[self.codes, None]

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        """As what each class takes from each other one, which cancels in their sum."""
        outputs = range(self.n_outputs)
        of = [self.codes == y for y in outputs]
        taken = np.stack([columns[of[y]].T @ residual[of[y]] for y in outputs])
        return np.asarray((taken - taken.transpose(2, 1, 0)).sum(axis=0))

    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, Prediction]:
        """Newton's method for sum_i v_i r_ik = 0; where it fails, one intercept after the other.

        The mean of b is zero.
        """
        b = self._newton(linear, start)
        prediction = self.predict(linear + b)
        for _ in range(MAX_STEPS):
            if np.abs(self.weights @ prediction.residual).max() <= BALANCED:
                break
            before, b = b, self._newton(linear, self._one_by_one(linear, b))
            prediction = self.predict(linear + b)
            if np.abs(b - before).max() <= SETTLED * np.abs(b).max():
                break
        return b, prediction

    def _newton(self, linear: Float64, start: Float64) -> Float64:
        """Newton's method, as long as it helps."""
        b, best, worst = start, start, np.inf
        for _ in range(MAX_STEPS):
            outputs = linear + b
            p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            total = self.weights @ p
            excess = total - self.frequencies
            size = float(np.abs(excess).max())
            if not size < worst:
                return best
            best, worst = b, size
            curvature = np.diag(total) - (p * self.weights[:, None]).T @ p
            curvature += total.mean()  # a constant in all intercepts makes no difference
            step = -solve_positive(curvature, excess)
            b = b + step - step.mean()
            if np.abs(step).max() <= SHORT:
                break
        return np.asarray(b)

    def _one_by_one(self, linear: Float64, b: Float64) -> Float64:
        """Each intercept at its optimum in turn: class k against the others."""
        b = b.copy()
        for k in range(self.n_outputs):
            outputs = linear + b
            others = logsumexp(np.delete(outputs, k, axis=1), axis=1)
            against = BinaryLoss((self.codes == k).astype(np.float64), self.weights)
            b[k] = against.profile_intercept((linear[:, k] - others)[:, None], b[[k]])[0][0]
        return np.asarray(b - b.mean())


def log_probabilities(outputs: Float64) -> Float64:
    """log P of all classes, of shape (n, C)."""
    if outputs.shape[1] > 1:
        return np.asarray(log_softmax(outputs, axis=1))
    return np.hstack([log_expit(-outputs), log_expit(outputs)])
