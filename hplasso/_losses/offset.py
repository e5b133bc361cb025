"""A loss at outputs to which an offset is added: a known part of the linear model."""

from typing import Any, final

import numpy as np

from .._numerics.typing import Float64
from .base import Curvature, Loss


@final
class OffsetLoss(Loss):
    """Another loss at f + offset, of shape (n, K).

    Rounding of an output is that of the offset, too.
    """

    def __init__(self, loss: Loss, offset: Float64) -> None:
        self.loss, self.offset = loss, offset
        self.n_outputs, self.weights, self.convex = loss.n_outputs, loss.weights, loss.convex
        self.null_intercept = loss.null_intercept
        self.largest_curvature = loss.largest_curvature
        self.mean_rounding = loss.mean_rounding + float(np.abs(offset).max())

    def bound_residual(self, null: Float64) -> float:
        return self.loss.bound_residual(null + self.offset)

    def predict(self, outputs: Float64) -> Any:
        return self.loss.predict(outputs + self.offset)

    def profile_intercept(self, linear: Float64, start: Float64) -> tuple[Float64, Any]:
        return self.loss.profile_intercept(linear + self.offset, start)

    def curvature(self, prediction: Any) -> Curvature:
        return self.loss.curvature(prediction)

    def dual_divergence(self, prediction: Any, change: Float64) -> float:
        return self.loss.dual_divergence(prediction, change)

    def divergence(self, prediction: Any, kappa: float) -> float:
        return self.loss.divergence(prediction, kappa)

    def model_square(self, prediction: Any) -> float:
        return self.loss.model_square(prediction)

    def curvature_bound(self, prediction: Any) -> float:
        return self.loss.curvature_bound(prediction)

    def contrasts(self, values: Float64) -> Float64:
        return self.loss.contrasts(values)

    def correlate(self, columns: Float64, residual: Float64) -> Float64:
        return self.loss.correlate(columns, residual)
