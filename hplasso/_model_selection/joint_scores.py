"""Scores of many models at once: to rounding, those that scikit-learn's scorers give to each.

For a model at a time, scikit-learn's checks of samples, labels and predictions take as long as the
fits where data are small: a third of the quick start's search, half of the cross-validation of 569
x 30 for ten values of C. So models are scored together where that is known to give the same: by
scikit-learn's metrics of several targets for regressors, by the formulas below for classifiers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

from .._estimators.along_path import outputs_of
from .._estimators.elastic_net import HadamardElasticNet
from .._estimators.group_lasso import HadamardGroupLasso
from .._estimators.group_logistic import HadamardGroupLogisticRegression
from .._estimators.lasso import HadamardLasso
from .._estimators.logistic import HadamardLogisticRegression
from .._numerics.blocks import slices
from .._numerics.typing import Float64, Index
from .path_fit import attempt

# Metrics of the columns of several targets, and their signs as scores; those of one target are
# what the scorers of these names, or `score`, give for these estimators.
COLUMN_METRICS: dict[Any, tuple[Any, float]] = {
    None: (r2_score, 1.0),
    "r2": (r2_score, 1.0),
    "neg_mean_squared_error": (mean_squared_error, -1.0),
    "neg_root_mean_squared_error": (root_mean_squared_error, -1.0),
    "neg_mean_absolute_error": (mean_absolute_error, -1.0),
}
REGRESSORS = (HadamardLasso, HadamardElasticNet, HadamardGroupLasso)
CLASSIFIERS = (HadamardLogisticRegression, HadamardGroupLogisticRegression)


def joint_scores(
    scoring: Any,
    makes: Sequence[Callable[[], Any]],
    X: Any,
    y: Any,
    offset: Any = None,
    labelled: bool = False,
    **params: Any,
) -> list[float] | None:
    """The scores of models of one class, fitted to the same targets, each made by a function.

    None where they are not known, or something raises an error: it is to be raised by the models
    that it is about. Unless it is `labelled`, a scorer does not know the classes that y lacks.
    """
    if not (scoring is None or isinstance(scoring, str)) or np.ndim(y) != 1:
        return None
    first = makes[0]()
    if type(first) in REGRESSORS and scoring in COLUMN_METRICS and first.coef_.ndim == 1:
        together: Any = _of_regressors
    elif type(first) in CLASSIFIERS and scoring in CLASS_SCORES:
        together = _of_classifiers
        classes = attempt(np.unique, y)
        if not np.array_equal(classes, first.classes_) and not labelled:
            return None
    else:
        return None
    scores = list[float]()
    for part in slices(len(makes), max(len(y) * np.size(first.intercept_), first.coef_.size)):
        models = [make() for make in makes[part]]
        found = attempt(together, scoring, models, X, y, offset, **params)
        if np.shape(found) != (len(models),):
            return None
        scores += found.tolist()
    return scores


def _of_regressors(
    scoring: Any, models: Sequence[Any], X: Any, y: Any, offset: Any, **params: Any
) -> Float64:
    """With contiguous columns, sums have the rounding of one model alone.

    So that equal models have equal scores.
    """
    metric, sign = COLUMN_METRICS[scoring]
    targets, predictions = np.tile(y, (len(models), 1)).T, outputs_of(models, X).T
    return np.asarray(sign * metric(targets, predictions, multioutput="raw_values", **params))


def _of_classifiers(
    scoring: Any, models: Sequence[Any], X: Any, y: Any, offset: Any, sample_weight: Any = None
) -> Float64:
    """The mean over the samples, for labels y that are among the classes."""
    outputs, codes = outputs_of(models, X), np.searchsorted(models[0].classes_, y)
    if offset is not None:
        outputs = outputs + np.reshape(offset, outputs.shape[1:])
    return np.asarray(np.average(CLASS_SCORES[scoring](outputs, codes), 1, sample_weight))


def _right(outputs: Any, codes: Index) -> Any:
    """Whether the class of each sample is the predicted one, for outputs (models, n, K)."""
    single = outputs.shape[2] == 1
    return codes == (outputs[:, :, 0] > 0 if single else outputs.argmax(axis=2))


def _log_probabilities(outputs: Any, codes: Index) -> Any:
    """Of the class of each sample; probabilities below the unit of rounding are taken for it."""
    if outputs.shape[2] == 1:
        p = expit(np.where(codes == 1, outputs[:, :, 0], -outputs[:, :, 0]))
    else:
        p = softmax(outputs, axis=2)[:, np.arange(codes.size), codes]
    least = np.finfo(p.dtype).eps
    return np.log(np.clip(p, least, 1 - least))


CLASS_SCORES: dict[Any, Callable[[Any, Index], Any]] = {
    None: _right,
    "accuracy": _right,
    "neg_log_loss": _log_probabilities,
}
