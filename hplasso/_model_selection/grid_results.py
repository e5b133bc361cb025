"""The results of a search, put together by scikit-learn's own from what each candidate gave."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

from .path_scores import Failure, Outcome

# A training and a test sample, told apart by what they have to do with the former.
SAMPLES = np.array([[0.0, 1.0], [1.0, 0.0]])


class Recall(BaseEstimator):
    """An estimator whose fits recall outcomes, one after the other, as a search asks for them.

    It takes pairs of samples, as kernels are: what else samples may be is not looked for, which
    took more than half of the time. Its tags, which a search asks for twice a fit, are made once.
    """

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self.outcomes = outcomes

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_tags__(self) -> Any:
        return self._tags

    @cached_property
    def _tags(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        return tags

    def set_params(self, **parameters: Any) -> Self:
        """The parameters of a candidate make no difference."""
        return self

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fail as the candidate did, or have its scores."""
        self.outcome_ = next(self.outcomes)
        if self.outcome_.failure is not None:
            raise RuntimeError(self.outcome_.failure.text)
        return self


def recall_score(estimator: Recall, X: Any, y: Any = None, name: str | None = None) -> Any:
    """The score of that name, or all that the scorer returned."""
    scores = estimator.outcome_.test if X[0, 0] else estimator.outcome_.train
    if isinstance(scores, Failure):
        raise RuntimeError(scores.text)
    if name is None:
        return scores
    if isinstance(scores[name], str):  # a traceback
        raise RuntimeError(scores[name])
    return scores[name]


def results_of(
    param_grid: Any,
    outcomes: Sequence[Sequence[Outcome]],
    names: Iterable[str] | None,
    error_score: Any,
    return_train_score: bool,
) -> tuple[dict[str, Any], bool]:
    """`cv_results_`, and whether there are several metrics, as a grid search has them.

    Of each candidate there is an outcome for each fold. `names` are those of several metrics, if
    they are known.

    Warns
    -----
    FitFailedWarning
        If fits failed.
    UserWarning
        If scorers did, or scores are not finite.
    """
    scoring: Any = recall_score
    if names is not None:
        scoring = {name: partial(recall_score, name=name) for name in names}
    search = GridSearchCV(
        Recall(outcome for candidate in outcomes for outcome in candidate),
        param_grid,
        scoring=scoring,
        n_jobs=1,  # in order
        refit=False,
        cv=[([0], [1])] * len(outcomes[0]),
        error_score=error_score,
        return_train_score=return_train_score,
    )
    search.fit(SAMPLES)
    results = search.cv_results_
    for name in ("fit_time", "score_time"):
        times = np.array([[getattr(each, name) for each in candidate] for candidate in outcomes])
        results[f"mean_{name}"], results[f"std_{name}"] = times.mean(axis=1), times.std(axis=1)
    return results, search.multimetric_
