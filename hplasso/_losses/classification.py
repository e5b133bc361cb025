"""What the losses of two classes (`logistic`) and of more (`softmax`) have in common.

The convex conjugate is minus the entropy of the probabilities Q = (1 - kappa) Y + kappa P, and the
divergence of kappa r that of Kullback and Leibler, sum_i v_i sum_c Q_ic log(Q_ic / P_ic). With
u = 1 - P_y for the true class y it is

    kappa u log kappa + (1 - kappa u) (log(1 - kappa u) - log P_y)        from each sample.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, log_softmax

from .._numerics.typing import Float64
from .base import Loss

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

    mean_rounding = 0.0

    def model_square(self, prediction: ClassPrediction) -> float:
        """(1 - P_y) / P_y from each sample."""
        return float(self.weights @ np.expm1(np.minimum(prediction.losses, LARGEST_LOSS)))

    def divergence(self, prediction: ClassPrediction, kappa: float) -> float:
        wrong = kappa * prediction.wrong
        terms = (1.0 - wrong) * (np.log(1.0 - wrong) + prediction.losses)
        if kappa > 0.0:
            terms += wrong * np.log(kappa)
        return max(0.0, float(self.weights @ terms))


def log_probabilities(outputs: Float64) -> Float64:
    """log P of all classes, of shape (n, C)."""
    if outputs.shape[1] > 1:
        return np.asarray(log_softmax(outputs, axis=1))
    return np.hstack([log_expit(-outputs), log_expit(outputs)])
