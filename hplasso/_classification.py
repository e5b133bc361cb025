"""From validated arrays to logistic paths: weights, the design, the loss and the tracer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from ._base import raw_weights
from ._design import checked_design
from ._logistic_loss import make_loss
from ._logistic_term import LogisticTerm
from ._path import PathTracer
from ._reports import PathPoint
from ._settings import PathSettings
from ._typing import Float64
from ._working_set import WorkingSet


class Labels(NamedTuple):
    """Classes (C,), the number of each sample's (n,), weights (n,) that sum to one, their sum S."""

    classes: Any
    codes: Any
    weights: Float64
    total: float

    @property
    def raw(self) -> Float64:
        """The weights (n,) as they were given, those of the classes included."""
        return self.weights * self.total


def encode(y: Any, X: Any, sample_weight: Any, class_weight: Any) -> Labels:
    """Number the classes, and multiply the weights of samples and classes.

    Raises
    ------
    ValueError
        If there is only one class, one of weight zero, or an unknown one in `class_weight`.
    """
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes[0]!r}"
        )
    weights = raw_weights(sample_weight, X)
    check_shares(classes, codes, weights)
    if class_weight is not None:
        given = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
        if not np.isfinite(given).all() or (given < 0.0).any():
            raise ValueError(
                f"class_weight must be finite and must not be negative. Got {class_weight!r}."
            )
        weights = weights * given[codes]
        check_shares(classes, codes, weights)
    total = float(weights.sum())
    return Labels(classes, codes, weights / total, total)


def check_shares(classes: Any, codes: Any, weights: Float64, where: str = "") -> None:
    """Raise a ValueError if a class has no weight, or all together have too much."""
    with np.errstate(over="ignore"):
        shares = np.bincount(codes, weights=weights, minlength=len(classes))
    if not shares.all():
        raise ValueError(
            f"The training samples{where} of class {classes[np.argmin(shares)]} all have weight "
            "zero, or are none. Each class needs at least one of positive weight."
        )
    if not np.isfinite(shares.sum()):
        raise ValueError("The sum of the sample weights overflows. Scale them down.")


class Classification:
    """Logistic regression on X of shape (n, p).

    Parameters
    ----------
    X : ndarray or sparse matrix
    labels : Labels
    fit_intercept : bool
    """

    def __init__(self, X: Any, labels: Labels, fit_intercept: bool) -> None:
        self.base = checked_design(X, labels.weights, fit_intercept)
        self.base.leave_means()
        self.labels = labels
        loss = make_loss(labels.codes, len(labels.classes), labels.weights)
        self.term = LogisticTerm(self.base, loss, fit_intercept)
        self.working_set = WorkingSet(self.term.design)

    def tracer(self, settings: PathSettings, start: Float64 | None = None) -> PathTracer:
        """The path driver; `settings` are for the features, `start` of shape (K, p)."""
        start = None if start is None else start.T.ravel()
        return PathTracer(self.term, self.working_set, self.term.design, settings, start)

    def write(self, point: PathPoint, coefficients: Float64) -> Float64:
        """Fill in coefficients of shape (K, p), zero so far; return the intercepts, b - m'theta."""
        n_outputs = self.term.n_outputs
        features, outputs = point.features // n_outputs, point.features % n_outputs
        coefficients[outputs, features] = point.values
        shift = self.base.mean[features] * point.values
        intercepts = point.intercept - np.bincount(outputs, shift, n_outputs)
        if n_outputs > 1:  # a constant added to all makes no difference
            intercepts = intercepts - intercepts.mean()
        return np.asarray(intercepts)
