"""The loss of the normal distribution in the words of the others: 1/2 (y - f)^2."""

from typing import NamedTuple, final

import numpy as np

from .._numerics.typing import Float64
from .base import Loss, SingleCurvature


class NormalPrediction(NamedTuple):
    """r, of shape (n, 1), and the losses, of shape (n,)."""

    residual: Float64
    losses: Float64


@final
class NormalLoss(Loss):
    """Targets y of shape (n,), and weights that sum to one."""

    mean_rounding = 0.0

    def __init__(self, y: Float64, weights: Float64) -> None:
        self.y, self.weights = y[:, None], weights
        self.null_intercept = float(weights @ y)

    def bound_residual(self, null: Float64) -> float:
        return float(np.sqrt(2.0 * self.weights @ self.predict(null).losses))

    def predict(self, outputs: Float64) -> NormalPrediction:
        residual = self.y - outputs
        return NormalPrediction(residual, 0.5 * residual[:, 0] ** 2)

    def profile_intercept(
        self, linear: Float64, start: Float64
    ) -> tuple[Float64, NormalPrediction]:
        b = self.weights @ (self.y - linear)
        return b, self.predict(linear + b)

    def curvature(self, prediction: NormalPrediction) -> SingleCurvature:
        return SingleCurvature(np.ones(len(self.y)))

    def dual_divergence(self, prediction: NormalPrediction, change: Float64) -> float:
        return float(0.5 * self.weights @ change[:, 0] ** 2)
