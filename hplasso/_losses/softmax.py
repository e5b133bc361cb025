"""Softmax cross-entropy: C >= 3 classes, or a single one, with an output f_c each.

    loss(y, f) = log sum_c exp f_c - f_y,        r = Y - P,        D = diag(P) - P P',

with the probabilities P; Y marks the classes. A constant added to all outputs of a sample makes no
difference. The loss of a single class is zero.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from .._numerics.blocks import slices
from .._numerics.linalg import solve_positive
from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index
from .base import relative_entropy
from .logistic import MAX_STEPS, SMALL_STEP, ClassLoss, ClassPrediction, LogisticLoss, Profile

# Limits of rounding: of the imbalance sum_i v_i r_ik of an output, and of a step of the intercepts,
# as a part of them.
BALANCED = 1e-13
SETTLED = 1e-15
# A mean loss that no solution has, as its classes are less likely than e^-1000: a numerical limit.
ABSURD = 1e3
# What a step or a round of intercepts has helped leaves no more than this part of the imbalance;
# after so many rounds that have not, what is left is rounding. Numerical limits.
LOWER, PATIENCE = 0.9, 10
# Halvings of a step: a numerical limit.
MAX_HALVED = 60
# Against overflow: smaller powers are no divisors.
TINY = 1e-200


class SoftmaxCurvature(NamedTuple):
    """diag(P) - P P', from P and |r|, of shape (n, K)."""

    coupling: Float64  # P
    distances: Float64  # P_k, or 1 - P_k where k is the true class, each to the last digit

    def diagonal(self, k: int) -> Float64:
        return self.distances[:, k] * (1.0 - self.distances[:, k])

    def means(self, weights: Float64) -> Float64:
        return np.asarray(weights @ (self.distances * (1.0 - self.distances)))

    def total(self, weights: Float64) -> Float64:
        scaled = np.sqrt(weights)[:, None] * self.coupling
        total = -(scaled.T @ scaled)
        np.fill_diagonal(total, self.means(weights))
        return total

    def product(
        self, outputs: Float64, rows: slice = slice(None), out: Float64 | None = None
    ) -> Float64:
        p = self.coupling[rows]
        means = np.einsum("ik,ikm->im", p, outputs)[:, None]
        product = np.subtract(outputs, means, out=out)
        product *= p[:, :, None]
        return product

    def magnitude(self, sizes: Float64, rows: slice = slice(None)) -> Float64:
        p, distances = self.coupling[rows], self.distances[rows]
        parts = p * sizes
        of_others = np.maximum(parts.sum(axis=1, keepdims=True) - parts, 0.0)
        return distances * (1.0 - distances) * sizes + p * of_others

    def root(self, rows: slice) -> Float64:
        """sqrt(P_k) (delta_kl - P_l)."""
        p = self.coupling[rows]
        outputs = np.arange(p.shape[1])
        root = np.repeat(-p[:, None, :], outputs.size, axis=1)
        root[:, outputs, outputs] = p @ (1.0 - np.eye(outputs.size))
        return root * np.sqrt(p)[:, :, None]


class SoftmaxLoss(ClassLoss):
    """Classes numbered from zero."""

    def __init__(self, codes: Index, n_classes: int, weights: Float64) -> None:
        self.codes, self.rows = codes, np.arange(codes.size)
        self.weights, self.n_outputs = weights, n_classes
        self.frequencies = np.bincount(codes, weights=weights, minlength=n_classes)
        logs = np.log(np.maximum(self.frequencies, TINY))
        self.null_intercept = logs - logs.mean()

    def bound_residual(self, null: Float64) -> float:
        return float(np.sqrt(2.0))

    def predict(self, outputs: Float64) -> ClassPrediction:
        top = outputs.max(axis=1)
        powers = outputs - top[:, None]
        np.exp(powers, out=powers)
        own = powers[self.rows, self.codes]
        powers[self.rows, self.codes] = 0.0
        others = powers.sum(axis=1)  # without the own class: 1 - P_y to the last digit
        total = own + others
        losses = np.log(total) + top - outputs[self.rows, self.codes]
        accurate = own > TINY  # log 1/P_y to the last digit, however close to zero
        losses[accurate] = np.log1p(others[accurate] / own[accurate])
        residual, wrong = powers, others / total
        residual /= -total[:, None]
        residual[self.rows, self.codes] = wrong
        return ClassPrediction(residual, wrong, losses)

    def curvature(self, prediction: ClassPrediction) -> SoftmaxCurvature:
        return SoftmaxCurvature(self._probabilities(prediction), np.abs(prediction.residual))

    def curvature_bound(self, prediction: ClassPrediction) -> float:
        return 1.0

    def dual_divergence(self, prediction: ClassPrediction, change: Float64) -> float:
        terms = relative_entropy(self._probabilities(prediction), change)
        return float(self.weights @ terms.sum(axis=1))

    def _probabilities(self, prediction: ClassPrediction) -> Float64:
        p = -prediction.residual
        p[self.rows, self.codes] = 1.0 - prediction.wrong
        return p

    def contrasts(self, values: Float64) -> Float64:
        """How far each output is from that of the sample's own class."""
        return values - values[self.codes, None]

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        """The sum over classes of what each takes from another one, which cancels exactly."""
        outputs = range(self.n_outputs)
        of = [self.codes == y for y in outputs]
        taken = np.stack([columns[of[y]].T @ residual[of[y]] for y in outputs])
        return np.asarray((taken - taken.transpose(2, 1, 0)).sum(axis=0))

    def is_balanced(
        self, imbalance: float, outputs: Float64, prediction: ClassPrediction | None = None
    ) -> bool:
        """Whether an imbalance is rounding: half a unit of the last digit of each output."""
        if imbalance <= BALANCED:
            return True
        distances = np.abs((prediction or self.predict(outputs)).residual)
        slopes = (self.weights * np.abs(outputs).max(axis=1)) @ (distances * (1.0 - distances))
        return imbalance <= 0.5 * UNIT * float(slopes.max())

    def profile_intercept(self, linear: Float64, start: Float64) -> Profile:
        """Newton's method for sum_i v_i r_ik = 0; where it fails, one intercept after the other.

        The mean of b is zero. Outputs with a loss of ABSURD that stays are tried by a line search,
        and no more: their intercepts need not be exact.
        """
        b = _newton(self, linear, start)
        prediction = self.predict(linear + b)
        lowest, in_vain = np.inf, 0
        while in_vain < PATIENCE:
            imbalance = float(np.abs(self.weights @ prediction.residual).max())
            if self.is_balanced(imbalance, linear + b, prediction):
                break
            in_vain = in_vain + 1 if imbalance > LOWER * lowest else 0
            lowest = lowest if in_vain else imbalance
            loss, before = float(self.weights @ prediction.losses), b
            b = _newton(self, linear, _one_by_one(self, linear, b))
            prediction = self.predict(linear + b)
            if np.abs(b - before).max() <= SETTLED * np.abs(b).max():
                break
            if self.weights @ prediction.losses > max(ABSURD, LOWER * loss):
                break
        return b, prediction


def _newton(loss: SoftmaxLoss, linear: Float64, start: Float64) -> Float64:
    """Newton's method for the intercepts, as long as the loss goes down."""
    b, (excess, curvature) = start, _derivatives(loss, linear, start)
    small = max(SMALL_STEP, SETTLED * float(np.abs(linear).max()))
    for _ in range(MAX_STEPS):
        imbalance = float(np.abs(excess).max())
        step = -solve_positive(curvature, excess)
        step -= step.mean()
        if np.abs(step).max() <= small:
            return np.asarray(b + step)
        excess, curvature = _derivatives(loss, linear, b + step)
        left = float(np.abs(excess).max())
        helps = left <= LOWER * imbalance
        if not helps and loss.is_balanced(imbalance, linear + b):
            break
        if not helps and excess @ step > 0.0:
            step *= _lowest(loss, linear, b, step)
            if not step.any():
                break
            excess, curvature = _derivatives(loss, linear, b + step)
        b = b + step
    return np.asarray(b)


def _lowest(loss: SoftmaxLoss, linear: Float64, b: Float64, step: Float64) -> float:
    """The part of a step at which the loss, which is convex, is lowest, to within a unit of b.

    Between samples that are certain of their classes it consists of planes, and Newton's steps go
    far beyond the edges where they meet.
    """
    low, high, largest = 0.0, 1.0, float(np.abs(step).max())
    for _ in range(MAX_HALVED):
        if low > 0.0 and (high - low) * largest <= 1.0:
            break
        middle = 0.5 * (low + high)
        if _slope(loss, linear, b + middle * step, step) < 0.0:
            low = middle
        else:
            high = middle
    return low


def _slope(loss: SoftmaxLoss, linear: Float64, b: Float64, step: Float64) -> float:
    """The derivative of the loss along a step of the intercepts."""
    total = 0.0
    for rows in slices(*linear.shape):
        total += float(loss.weights[rows] @ (_probabilities(linear[rows] + b) @ step))
    return total - float(loss.frequencies @ step)


def _derivatives(loss: SoftmaxLoss, linear: Float64, b: Float64) -> tuple[Float64, Float64]:
    """The gradient of the loss for the intercepts, and its Hessian, made regular.

    A constant in all intercepts makes no difference.
    """
    total, coupling = _moments(linear, b, loss.weights)
    return total - loss.frequencies, np.diag(total) - coupling + total.mean()


def _moments(linear: Float64, b: Float64, weights: Float64) -> tuple[Float64, Float64]:
    """sum_i v_i P_i, of shape (K,), and sum_i v_i P_i P_i', (K, K)."""
    total, coupling, root = np.zeros(b.size), np.zeros((b.size, b.size)), np.sqrt(weights)
    for rows in slices(*linear.shape):
        p = _probabilities(linear[rows] + b)
        p *= root[rows, None]
        total += root[rows] @ p
        coupling += p.T @ p
    return total, coupling


def _probabilities(outputs: Float64) -> Float64:
    """P, in place of outputs."""
    outputs -= outputs.max(axis=1, keepdims=True)
    np.exp(outputs, out=outputs)
    outputs /= outputs.sum(axis=1, keepdims=True)
    return outputs


def _one_by_one(loss: SoftmaxLoss, linear: Float64, b: Float64) -> Float64:
    """Each intercept at its optimum in turn: class k against the others."""
    b = b.copy()
    for k in range(loss.n_outputs):
        outputs = linear + b
        others = logsumexp(np.delete(outputs, k, axis=1), axis=1)
        against = LogisticLoss((loss.codes == k).astype(np.float64), loss.weights)
        b[k] = against.profile_intercept((linear[:, k] - others)[:, None], b[[k]])[0][0]
    return np.asarray(b - b.mean())


def make_loss(codes: Index, n_classes: int, weights: Float64) -> ClassLoss:
    """The loss of classes numbered from zero: one output for two classes, else one for each."""
    if n_classes == 2:
        return LogisticLoss(codes, weights)
    return SoftmaxLoss(codes, n_classes, weights)
