"""Poisson loss with a log link: the one file that a new loss takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from hplasso._losses.base import Loss, SingleCurvature, relative_entropy

# Against overflow of exp, and of the inverse of its values.
LARGEST = 600.0


class PoissonPrediction(NamedTuple):
    """r = y - m and m, of shape (n, 1), and m - y - y log(m / y), of shape (n,)."""

    residual: np.ndarray
    losses: np.ndarray
    mean: np.ndarray


class PoissonLoss(Loss):
    """Counts y >= 0, not all zero, of means m = exp(f): r = y - m and D = m."""

    def __init__(self, y, weights):
        self.y, self.weights = y[:, None], weights
        self.log_mean = np.log(weights @ y)

    def bound_residual(self, null):
        """|r| <= 2 loss + y, and v loss <= L <= the loss without features, intercept or not."""
        balanced = self.profile_intercept(null, np.zeros(1))[1]
        largest = max(self.weights @ at.losses for at in (self.predict(null), balanced))
        smallest = self.weights[self.weights > 0.0].min()
        return 2.0 * largest / np.sqrt(smallest) + np.sqrt(self.weights @ self.y[:, 0] ** 2)

    def predict(self, outputs):
        mean = np.exp(np.clip(outputs, -LARGEST, LARGEST))
        residual = self.y - mean
        return PoissonPrediction(residual, relative_entropy(mean, residual)[:, 0], mean)

    def profile_intercept(self, linear, start):
        """sum_i v_i exp(linear_i + b) = sum_i v_i y_i."""
        b = np.array([self.log_mean - logsumexp(linear[:, 0], b=self.weights)])
        return b, self.predict(linear + b)

    def curvature(self, prediction):
        return SingleCurvature(prediction.mean[:, 0])

    def dual_divergence(self, prediction, change):
        """The mean that leaves r - change is m + change."""
        return float(self.weights @ relative_entropy(prediction.mean, change)[:, 0])
