"""Scores of predictions for data that come in blocks, from sums over the blocks."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted, validate_data

from .._design.compressed import compressed
from .._design.moments import Moments, moments_of
from .._design.source import Block, Source, refuse_not_finite
from .._design.target_moments import TargetMoments, as_columns
from .._numerics.rounding import UNIT
from .generalized_linear import Family
from .lazily import applied


def block_r2(model: Any, source: Source) -> float:
    """R^2 of a regressor, in one pass: that of a few rows with the same moments."""
    moments: TargetMoments = source.reduce(Residuals(_checked(model, source)))
    few = compressed([moments.moments], moments.n_targets, False, np.float64)
    residuals, targets, weights = few.X.values, few.targets, few.weights
    if len(weights) == 1:  # in place of rows that are all equal
        repeats = min(moments.moments.n_rows, 2)
        residuals, targets, weights = (
            np.repeat(values, repeats, axis=0) for values in (residuals, targets, weights)
        )
    return float(r2_score(targets, targets - residuals, sample_weight=weights))


def block_accuracy(model: Any, source: Source) -> float:
    """The accuracy of a classifier, in one pass."""
    sums: Sums = source.reduce(Correct(_checked(model, source)), numeric=False)
    return _mean(sums)


def block_log_loss(model: Any, source: Source) -> float:
    """The negative mean log loss of a classifier, in one pass."""
    sums: Sums = source.reduce(LogProbabilities(_checked(model, source)), numeric=False)
    return _mean(sums)


def block_d2(model: Any, family: Family, source: Source) -> float:
    """D^2 of a generalized linear model, in two passes: the best intercept alone, deviances."""
    model = _checked(model, source)
    above, below = source.reduce(InterceptSums(family)).values
    mean = above / below if below else 0.0
    intercept = np.log(max(mean, np.finfo(float).tiny)) if family.link == "log" else mean
    deviance, null_deviance = _mean(source.reduce(Deviances(model, family, float(intercept))))
    if null_deviance <= UNIT:
        return float(deviance <= UNIT)
    return float(1.0 - deviance / null_deviance)


def _checked(model: Any, source: Source) -> Any:
    """A copy of a fitted model, which has seen the names of the features."""
    check_is_fitted(model)
    validate_data(model, source.example, skip_check_array=True, reset=False)
    model = copy(model)
    vars(model).pop("feature_names_in_", None)  # blocks are arrays without names
    return model


class Sums(NamedTuple):
    """Weighted sums, and that of the weights."""

    weight: float
    values: Any

    def merge(self, other: Sums) -> Sums:
        return Sums(self.weight + other.weight, self.values + other.values)


def _mean(sums: Sums) -> Any:
    if not sums.weight:
        raise ValueError("There are no samples, or none of them has a positive weight.")
    return sums.values / sums.weight


def _predictions(model: Any, name: str, block: Block) -> Any:
    """Those of a method of a model for the rows of a block, of which there is at least one."""
    refuse_not_finite(block)
    with config_context(assume_finite=True):
        return applied(getattr(model, name), block.X, block.offset)


@dataclass(frozen=True)
class Residuals:
    """The moments of residuals and targets."""

    model: Any

    def __call__(self, block: Block) -> TargetMoments:
        targets = as_columns(block.y)
        n_rows, n_targets = targets.shape  # a score counts those without weight, too
        if not n_rows:
            return TargetMoments(Moments.of_none(2 * n_targets), n_targets, block.flat)
        predictions = as_columns(_predictions(self.model, "predict", block))
        if predictions.shape != targets.shape:
            raise ValueError(
                f"y of block {block.number} has {n_targets} columns, and the model predicts "
                f"{predictions.shape[1]}."
            )
        moments = moments_of(targets - predictions, targets, block.weights)
        return TargetMoments(moments._replace(n_rows=n_rows), n_targets, block.flat)


@dataclass(frozen=True)
class Correct:
    """The weight of the rows whose class is predicted."""

    model: Any

    def __call__(self, block: Block) -> Sums:
        if not len(block.y):
            return Sums(0.0, 0.0)
        correct = np.asarray(block.y == _predictions(self.model, "predict", block))
        return Sums(float(block.weights.sum()), float(block.weights @ correct))


@dataclass(frozen=True)
class LogProbabilities:
    """The weighted sum of the logarithms of the probabilities of the rows' classes."""

    model: Any

    def __call__(self, block: Block) -> Sums:
        if not len(block.y):
            return Sums(0.0, 0.0)
        classes = self.model.classes_
        is_class = np.asarray(block.y)[:, None] == classes
        if not is_class.any(axis=1).all():
            raise ValueError(f"y of block {block.number} has labels other than {list(classes)}.")
        logs = _predictions(self.model, "predict_log_proba", block)
        return Sums(float(block.weights.sum()), float(block.weights @ logs[is_class]))


@dataclass(frozen=True)
class InterceptSums:
    """Of whose quotient the best intercept alone, with the offset, is the link.

    Without an offset, that is the mean of y. With one, o, and the logarithm as the link, it is
    sum_i w_i y_i exp((1 - q) o_i) / sum_i w_i exp((2 - q) o_i) for the power q.
    """

    family: Family

    def __call__(self, block: Block) -> Sums:
        y, weights, power = block.y, block.weights, self.family.power
        if block.offset is None:
            return Sums(1.0, np.array([weights @ y, weights.sum()]))
        if self.family.link != "log":
            raise ValueError("offset must be None with link='identity' for data in blocks.")
        above = weights @ (y * np.exp((1.0 - power) * block.offset))
        return Sums(1.0, np.array([above, weights @ np.exp((2.0 - power) * block.offset)]))


@dataclass(frozen=True)
class Deviances:
    """Of the predictions, and of an intercept alone, with the offset."""

    model: Any
    family: Family
    intercept: float

    def __call__(self, block: Block) -> Sums:
        if not len(block.y):
            return Sums(0.0, np.zeros(2))
        weights = block.weights
        try:
            y = self.family.checked_targets(block.y)
        except ValueError as error:
            raise ValueError(f"In block {block.number}: {error}") from error
        refuse_not_finite(block)
        with config_context(assume_finite=True):
            outputs = self.model._outputs(block.X, block.offset)
        null = np.full_like(outputs, self.intercept)
        if block.offset is not None:
            null = null + block.offset
        both = np.stack([outputs, null], axis=1)
        return Sums(float(weights.sum()), self.family.mean_deviances(y, both, weights))
