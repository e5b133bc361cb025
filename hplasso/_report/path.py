"""The table of a path: penalties, how many coefficients there are, and what they explain."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import d2_log_loss_score, log_loss

from .._estimators.lazily import applied
from .._estimators.linear_regressor import LinearRegressor
from .._estimators.logistic import HadamardLogisticRegression
from .._model_selection.kept_path import n_nonzero, own_grid
from .._path.progress import Measure
from .table import Table

# How many points a text shows.
N_SHOWN = 10


class Samples(NamedTuple):
    """Data as the last step sees them."""

    X: Any
    y: Any
    sample_weight: Any
    offset: Any


def path_table(last: Any, samples: Samples | None) -> Table | None:
    """The path that an estimator keeps, if it does."""
    if hasattr(last, "criterion_"):
        columns = {"alpha": last.alphas_, "nonzero": last.degrees_of_freedom_}
        columns[last.criterion] = last.criterion_
        return Table("Path, with the criterion", columns, _evenly(len(last.alphas_)))
    if not hasattr(last, "coef_path_"):
        return None
    name = "C" if hasattr(last, "Cs_") else "alpha"
    penalties: Any = own_grid(last, getattr(last, "l1_ratio_", 1.0))
    columns = {name: penalties, "nonzero": n_nonzero(last.coef_path_)}
    caption = "Path on all samples"
    if samples is not None:
        null = null_log_loss(last, samples)
        columns["explained"] = np.array(
            [explained(last.at(each), samples, null) for each in penalties]
        )
        caption += f"; explained: {explained_name(last)}"
    for measure in Measure:
        gaps = getattr(last, f"{measure.attribute}_path_", None)
        if gaps is not None:
            columns[measure.attribute] = gaps
    return Table(caption, columns, _evenly(len(penalties)))


def explained(model: Any, samples: Samples, null: float | None = None) -> float:
    """R^2 of least squares, or D^2: the part of the deviance that is explained.

    For a classifier with an offset, given its `null_log_loss`.
    """
    X, y, sample_weight, offset = samples
    if not is_classifier(model):
        return float(applied(model.score, X, offset, y=y, sample_weight=sample_weight))
    known = {"sample_weight": sample_weight, "labels": model.classes_}
    probabilities = applied(model.predict_proba, X, offset)
    if null is None:
        return float(d2_log_loss_score(y, probabilities, **known))
    return 1.0 - float(log_loss(y, probabilities, **known)) / null


def null_log_loss(last: Any, samples: Samples) -> float | None:
    """That of intercepts alone beside an offset, for a classifier; None without an offset."""
    _, y, sample_weight, offset = samples
    if offset is None or not is_classifier(last) or (present := np.unique(y)).size < 2:
        return None
    offset, nothing = np.asarray(offset, dtype=np.float64), np.zeros((len(y), 1))
    if offset.ndim == 2:
        offset = offset[:, np.isin(last.classes_, present)]
        offset = offset[:, 1] - offset[:, 0] if present.size == 2 else offset
    model = HadamardLogisticRegression().fit(nothing, y, sample_weight, offset)
    probabilities = model.predict_proba(nothing, offset=offset)
    return float(log_loss(y, probabilities, sample_weight=sample_weight, labels=present))


def explained_name(last: Any) -> str:
    """Which of the two that is."""
    return "R^2" if is_least_squares(last) else "D^2"


def is_least_squares(last: Any) -> bool:
    """Whether the loss is the squared error, as an estimator of this package has it."""
    return isinstance(getattr(last, "estimator_", last), LinearRegressor)


def _evenly(length: int) -> list[int]:
    """Positions on a path, its ends among them."""
    return sorted(set(np.linspace(0, length - 1, N_SHOWN).round().astype(int).tolist()))
