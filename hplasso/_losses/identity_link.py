"""Tweedie losses with an identity link: the outputs are the means themselves.

With the terms u = y m^(1-q) and v = m^(2-q) of `tweedie`, at the mean m = f > 0,

    r = (u - v) / m,       D = (q u + (1-q) v) / m^2,       whose mean is v / m^2.

Where a mean is not positive, the loss is infinite. It is not convex, or, for Poisson, convex, and
has no slope that ends at zero.
"""

from typing import NamedTuple, final

import numpy as np

from .._numerics.typing import Float64
from .base import UNBOUNDED, Loss, SingleCurvature
from .tweedie import LEAST_CURVATURE, MAX_STEPS, SMALL_STEP, TweedieLoss


class MeanPrediction(NamedTuple):
    """r, of shape (n, 1), D, and the losses, of shape (n,)."""

    residual: Float64
    curvature: Float64
    losses: Float64


@final
class IdentityLink(Loss):
    """A Tweedie loss as a function of the means; samples without weight may have any."""

    convex = False
    mean_rounding = 0.0

    def __init__(self, loss: TweedieLoss) -> None:
        self.loss, self.weights = loss, loss.weights
        self.null_intercept = float(loss.weights @ loss.y[:, 0])
        self._counted = loss.weights > 0.0

    def bound_residual(self, null: Float64) -> float:
        return UNBOUNDED

    def predict(self, outputs: Float64) -> MeanPrediction:
        q, inside = self.loss.power, outputs > 0.0
        mean = np.where(inside, outputs, 1.0)
        at = self.loss.predict(np.log(mean))
        least = LEAST_CURVATURE * at.up
        curvature = np.maximum(q * at.down + (1.0 - q) * at.up, least) / mean**2
        outside = ~inside[:, 0] & self._counted
        return MeanPrediction(
            at.residual / mean, curvature[:, 0], np.where(outside, np.inf, at.losses)
        )

    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, MeanPrediction]:
        """By Newton's method, between where a mean is zero and where none is below its target.

        The residuals' sum is positive at the first, if its target is, and not at the other.
        """
        on = self._counted
        low = -float(linear[on].min())
        high = max(float((self.loss.y - linear)[on].max()), low)
        b, step, highest = float(start[0]), 0.0, abs(high)
        for _ in range(MAX_STEPS):
            b += step
            if not low < b <= high:
                b = 0.5 * (low + high)
            prediction = self.predict(linear + b)
            excess = float(self.weights @ prediction.residual[:, 0])
            low, high = (b, high) if excess > 0.0 else (low, b)
            step = excess / float(self.weights @ prediction.curvature)
            if abs(step) <= SMALL_STEP * (abs(b) + highest) or high <= low:
                break
        return np.array([b]), prediction

    def curvature(self, prediction: MeanPrediction) -> SingleCurvature:
        return SingleCurvature(prediction.curvature)

    def dual_divergence(self, prediction: MeanPrediction, change: Float64) -> float:
        return np.inf
