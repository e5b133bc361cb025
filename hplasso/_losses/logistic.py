"""Logistic loss: two classes, of which the second has an output f and the first has zero.

With signs y = -1 and 1, the margin y f, and u = 1 - P_y, the probability of the wrong class,

    loss(y, f) = log(1 + exp(-y f)) = -log(1 - u),       r = y u,       D = u (1 - u).

The losses of two classes and of more (`softmax`) have in common that the convex conjugate is minus
the entropy of the probabilities Q = (1 - kappa) Y + kappa P, and the divergence of kappa r that of
Kullback and Leibler, sum_i v_i sum_c Q_ic log(Q_ic / P_ic). With u = 1 - P_y for the true class y
it is

    kappa u log kappa + (1 - kappa u) (log(1 - kappa u) - log P_y)        from each sample.
"""

from math import cosh, inf, isfinite, sinh
from typing import Any, NamedTuple

import numpy as np

from .._numerics.typing import Float64
from .base import Loss, SingleCurvature, relative_entropy

# Newton's method squares its error: a step of an intercept that is so small is the last, as its
# square is rounding.
SMALL_STEP = 3e-7
# Against overflow of the odds: margins beyond the first are cut off, and longer steps than the
# second take new exponentials; multiplied by MAX_STEPS steps, the odds stay finite.
LARGEST_MARGIN, LONGEST_STEP = 600.0, 1.0
# A limit that is not reached: the bracket is halved where Newton's step leaves it.
MAX_STEPS = 100
# Against overflow of exp.
LARGEST_LOSS = 700.0


class ClassPrediction(NamedTuple):
    """r, of shape (n, K); u = 1 - P_y and -log P_y for the true classes y, of shape (n,)."""

    residual: Float64
    wrong: Float64
    losses: Float64


Profile = tuple[Float64, ClassPrediction]


class ClassLoss(Loss):
    """Minus the logarithm of the probability of the true class."""

    mean_rounding, largest_curvature = 0.0, 0.5

    def model_square(self, prediction: ClassPrediction) -> float:
        """(1 - P_y) / P_y from each sample."""
        return float(self.weights @ np.expm1(np.minimum(prediction.losses, LARGEST_LOSS)))

    def divergence(self, prediction: ClassPrediction, kappa: float) -> float:
        wrong = kappa * prediction.wrong
        terms = (1.0 - wrong) * (np.log1p(-wrong) + prediction.losses)
        if kappa > 0.0:
            terms += wrong * np.log(kappa)
        return max(0.0, float(self.weights @ terms))


class LogisticLoss(ClassLoss):
    """Two classes, coded 0 and 1; without an intercept one of them may have no weight."""

    def __init__(self, codes: Any, weights: Float64) -> None:
        self.signs, self.weights = 2.0 * codes - 1.0, weights
        first, second = float(weights @ (codes == 0)), float(weights @ codes)
        self._balanced = float(np.log(second) - np.log(first)) if first and second else 0.0
        self._signed_weights = weights * self.signs

    def bound_residual(self, null: Float64) -> float:
        return 1.0

    def predict(self, outputs: Float64) -> ClassPrediction:
        margins = self.signs * outputs[:, 0]
        return self._predict(margins, _odds(margins))

    def _predict(self, margins: Float64, odds: Float64) -> ClassPrediction:
        wrong = 1.0 / (1.0 + odds)
        right = odds * wrong
        if margins.max() > LARGEST_MARGIN:  # there the odds were cut off
            far = margins > LARGEST_MARGIN
            wrong[far] = np.exp(-margins[far])
        # to the last digit, however close to zero
        losses = np.maximum(-margins, 0.0) - np.log1p(-np.minimum(wrong, right))
        return ClassPrediction((self.signs * wrong)[:, None], wrong, losses)

    def profile_intercept(self, linear: Float64, start: Float64) -> Profile:
        """Newton's method on sum_i v_i r_i = 0, kept in a bracket.

        A step multiplies all odds by one of two numbers: no exponential is taken again.
        """
        b, low, high = float(start[0]), -inf, inf
        margins = self.signs * linear[:, 0]
        odds = _odds(margins + b * self.signs)
        for _ in range(MAX_STEPS):
            wrong = 1.0 / (1.0 + odds)
            right = odds * wrong
            imbalance = float(self._signed_weights @ wrong)
            curvature = float(self.weights @ (wrong * right))
            step = imbalance / curvature if curvature > 0.0 else inf
            if not (abs(step) <= SMALL_STEP or isfinite(low + high)):
                # at its ends all P_i are too small, or too large
                balanced = self._balanced
                low, high = balanced - float(linear.max()), balanced - float(linear.min())
            low, high = (low, min(high, b)) if imbalance < 0.0 else (max(low, b), high)
            new = b + step if low <= b + step <= high else 0.5 * (low + high)
            step, b = new - b, new
            if abs(step) <= LONGEST_STEP:
                odds *= cosh(step) + sinh(step) * self.signs
            else:
                odds = _odds(margins + b * self.signs)
            if abs(step) <= SMALL_STEP:
                break
        return np.array([b]), self._predict(margins + b * self.signs, odds)

    def curvature(self, prediction: ClassPrediction) -> SingleCurvature:
        return SingleCurvature(prediction.wrong * (1.0 - prediction.wrong))

    def curvature_bound(self, prediction: ClassPrediction) -> float:
        return 0.25

    def dual_divergence(self, prediction: ClassPrediction, change: Float64) -> float:
        """Q - P is the change of the true class, and its opposite of the other one."""
        wrong, moved = prediction.wrong[:, None], change * np.sign(prediction.residual)
        both = np.hstack([1.0 - wrong, wrong]), np.hstack([moved, -moved])
        return float(self.weights @ relative_entropy(*both).sum(axis=1))


def _odds(margins: Float64) -> Float64:
    """P_y / (1 - P_y) for y f = margins; from them come both, each to the last digit."""
    return np.exp(np.minimum(np.maximum(margins, -LARGEST_MARGIN), LARGEST_MARGIN))
