"""Scores of logistic models on held-out samples, by scikit-learn's scorers."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import brier_score_loss, get_scorer, get_scorer_names, log_loss, make_scorer

from ._base import NONE, Constraint

SCORING = (
    Constraint(
        "the name of a scorer (sklearn.metrics.get_scorer_names lists them)",
        lambda value: isinstance(value, str) and value in get_scorer_names(),
    ),
    Constraint("a callable", callable),
    NONE,
)
# Metrics of probabilities that have to be told of classes that a test set lacks.
OF_PROBABILITIES = {"neg_log_loss": log_loss, "neg_brier_score": brier_score_loss}


def scorer_of(scoring: Any) -> Any:
    """The scorer of a name or a callable; None is accuracy."""
    return get_scorer("accuracy" if scoring is None else scoring)


def scorer_for(scoring: Any, classes: Any) -> Any:
    """The scorer for test sets that may lack some of the classes."""
    if not isinstance(scoring, str) or scoring not in OF_PROBABILITIES:
        return scorer_of(scoring)
    labels: dict[str, Any] = {"labels": classes}
    if scoring == "neg_brier_score" and len(classes) == 2:
        labels = {"pos_label": classes[1]}
    return make_scorer(
        OF_PROBABILITIES[scoring],
        greater_is_better=False,
        response_method="predict_proba",
        **labels,
    )
