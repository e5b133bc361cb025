"""Scores of logistic models on held-out samples, by scikit-learn's scorers."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, get_scorer_names

from ._base import NONE, Constraint
from ._reports import stack_level

SCORING = (
    Constraint(
        "the name of a scorer (sklearn.metrics.get_scorer_names lists them)",
        lambda value: isinstance(value, str) and value in get_scorer_names(),
    ),
    Constraint("a callable", callable),
    NONE,
)


def scorer_of(scoring: Any) -> Any:
    """The scorer of a name or a callable; None is accuracy."""
    return get_scorer("accuracy" if scoring is None else scoring)


class Scorer:
    """The scorer of a name or a callable, for test sets that may lack some of the classes.

    As in scikit-learn, a metric with a parameter `labels` is told of the classes, and of two also
    which is the positive one, if it has a `pos_label`. What a scorer was made with stays.
    """

    def __init__(self, scoring: Any, classes: Any) -> None:
        self.scorer, choices = scorer_of(scoring), []
        if hasattr(self.scorer, "set_score_request"):  # a metric made a scorer
            choices = [{"labels": classes}]
            if len(classes) == 2:
                choices.insert(0, {"labels": classes, "pos_label": classes[1]})
        self.known = next((known for known in choices if _accepts(self.scorer, known)), {})

    def __call__(self, model: Any, X: Any, y: Any, **params: Any) -> Any:
        if not self.known:
            return self.scorer(model, X, y, **params)
        return _score(self.scorer, model, X, y, **self.known | params)


def _score(scorer: Any, model: Any, X: Any, y: Any, **params: Any) -> Any:
    """The score, with parameters for the metric; routing is the public way for them."""
    with config_context(enable_metadata_routing=True):
        return scorer(model, X, y, **params)


def _accepts(scorer: Any, known: Mapping[str, Any]) -> bool:
    """Whether a scorer's metric has these parameters, and none of them yet; found by trying."""
    classes = known["labels"]
    model = LogisticRegression()
    model.classes_ = classes
    model.coef_ = np.zeros((1 if len(classes) == 2 else len(classes), 1))
    model.intercept_ = np.zeros(len(model.coef_))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _score(scorer, model, np.zeros((len(classes), 1)), classes, **known)
        except Exception:
            return False
    return not any("overlap" in str(warning.message) for warning in caught)


def warn_failed(failures: Sequence[Exception], n_scores: int) -> None:
    """One warning for the models whose scoring raised an error; the error, if that are all."""
    if not failures:
        return
    if len(failures) == n_scores:
        raise failures[0]
    details = "".join(traceback.format_exception(failures[0]))
    warnings.warn(
        f"Scoring failed for {len(failures)} of {n_scores} models. Their scores are set to nan. "
        f"Details of the first failure:\n{details}",
        UserWarning,
        stacklevel=stack_level(),
    )
