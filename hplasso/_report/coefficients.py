"""The table of coefficients: by the names of features, largest first."""

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from .._design.rows import as_array
from .table import RowNames, Table

# How many features a text shows.
N_SHOWN = 20


def coefficient_table(last: Any, names: Any, probabilities: Any = None) -> Table:
    """Coefficients that are not zero, for any class or target, with selection probabilities."""
    coefs = np.atleast_2d(as_array(last.coef_))
    sizes = np.abs(coefs).max(axis=0)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    labels = ["coefficient"]
    if len(coefs) > 1:
        is_class = is_classifier(last)
        labels = last.classes_.tolist() if is_class else [f"y{row}" for row in range(len(coefs))]
    columns = dict(zip(labels, coefs[:, order], strict=True))
    if probabilities is not None:
        name = "selection_probability"
        while name in columns:  # a class is called that
            name += "_"
        columns[name] = probabilities[order]
    caption = f"Coefficients that are not zero: {order.size} of {sizes.size}, the largest first"
    shown = range(min(order.size, N_SHOWN))
    return Table(caption + _scale(last), columns, shown, RowNames("feature", names[order]))


def intercept(last: Any) -> str:
    """The intercept, or that of each class, in words."""
    values = np.atleast_1d(last.intercept_)
    if len(values) > 1 and is_classifier(last):
        pairs = zip(last.classes_.tolist(), values, strict=True)
        return ", ".join(f"{label}: {value:.4g}" for label, value in pairs)
    return ", ".join(f"{value:.4g}" for value in values)


def _scale(last: Any) -> str:
    """What coefficients change, where that is not the mean of y itself; after a comma."""
    family = getattr(getattr(last, "estimator_", last), "_family", None)
    if is_classifier(last) and len(last.classes_) == 2:
        return f", for the log odds of {last.classes_[1]}"
    return ", for the logarithm of the mean" if family is not None and family.link == "log" else ""
