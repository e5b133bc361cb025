"""The loss of any number of classes, and their probabilities."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit, log_softmax

from .._numerics.typing import Float64, Index
from .base import Loss
from .logistic import LogisticLoss
from .softmax import SoftmaxLoss


def make_loss(codes: Index, n_classes: int, weights: Float64) -> Loss:
    """The loss of classes numbered from zero: one output for two classes, else one for each."""
    if n_classes == 2:
        return LogisticLoss(codes, weights)
    return SoftmaxLoss(codes, n_classes, weights)


def log_probabilities(outputs: Float64) -> Float64:
    """log P of all classes, of shape (n, C)."""
    if outputs.shape[1] > 1:
        return np.asarray(log_softmax(outputs, axis=1))
    return np.hstack([log_expit(-outputs), log_expit(outputs)])
