"""The table of a path: penalties, how many coefficients there are, and what they explain."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import d2_log_loss_score

from .._estimators.lazily import applied
from .._estimators.linear_regressor import LinearRegressor
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
        columns["explained"] = np.array([explained(last.at(each), samples) for each in penalties])
        caption += f"; explained: {explained_name(last)}"
    for measure in Measure:
        gaps = getattr(last, f"{measure.attribute}_path_", None)
        if gaps is not None:
            columns[measure.attribute] = gaps
    return Table(caption, columns, _evenly(len(penalties)))


def explained(model: Any, samples: Samples) -> float:
    """R^2 of least squares, or D^2: the part of the deviance that is explained."""
    X, y, sample_weight, offset = samples
    if not is_classifier(model):
        return float(applied(model.score, X, offset, y=y, sample_weight=sample_weight))
    known = {"sample_weight": sample_weight, "labels": model.classes_}
    return float(d2_log_loss_score(y, applied(model.predict_proba, X, offset), **known))


def explained_name(last: Any) -> str:
    """Which of the two that is."""
    return "R^2" if is_least_squares(last) else "D^2"


def is_least_squares(last: Any) -> bool:
    """Whether the loss is the squared error, as an estimator of this package has it."""
    return isinstance(getattr(last, "estimator_", last), LinearRegressor)


def _evenly(length: int) -> list[int]:
    """Positions on a path, its ends among them."""
    return sorted(set(np.linspace(0, length - 1, N_SHOWN).round().astype(int).tolist()))
