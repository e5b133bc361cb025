"""The candidates of a search, fitted and scored fold by fold."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import cross_validate
from sklearn.utils.metadata_routing import get_routing_for_object

from .._estimators.fit_method import Task
from .._path.progress import warn
from .joint_scores import joint_scores
from .path_fit import PathFit, attempt
from .scoring import free_parameters

# What the names of scorers stand for, and `make_scorer` makes: these see predictions only.
METRIC_SCORER = type(get_scorer("r2"))
SEVERAL = (list, tuple, set, Mapping)


class Failure(NamedTuple):
    """The traceback of an error."""

    text: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        return cls("".join(traceback.format_exception(error)))


class Outcome(NamedTuple):
    """What a candidate gives in a fold: its share of the times, scores, the failure of its fit.

    `test` and `train` are what the scorer returns, or its failure; None where there is none.
    """

    fit_time: float
    score_time: float
    test: Any
    train: Any
    failure: Failure | None


class Scoring(NamedTuple):
    """How models are scored: by the parameter `scoring` of a search, and the scorer that it means.

    `weights` are sample weights for the scorer, if scikit-learn's metadata routing is off; if it is
    on, they come with the samples. `raises`: errors are not to be kept as failures.
    """

    given: Any
    scorer: Any
    weights: Any
    raises: bool

    @classmethod
    def of(cls, estimator: Any, scoring: Any, weights: Any, raises: bool) -> Scoring:
        """That of an estimator."""
        scorer = check_scoring(estimator, scoring, raise_exc=raises)
        if weights is not None and not weights_are_taken(estimator, scoring):
            weights = None
        return cls(scoring, scorer, weights, raises)

    @property
    def sees_predictions_only(self) -> bool:
        """Whether scores depend on the samples by the predictions alone."""
        several = isinstance(self.given, Mapping)
        parts = self.given.values() if several else [self.given]
        return all(isinstance(part, (str, METRIC_SCORER, *SEVERAL)) for part in parts)

    def attempt(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, or its failure."""
        result = attempt(function, *args, **kwargs)
        return self.settled(result) if isinstance(result, Exception) else result

    def settled(self, error: Exception) -> Failure:
        """The failure that an error is, if it is not raised."""
        if self.raises:
            raise error
        return Failure.of(error)


def scorers_of(estimator: Any, scoring: Any) -> dict[str, Any]:
    """The scorers of a search by their names; a single one is 'score'."""
    if isinstance(scoring, Mapping):
        return {name: check_scoring(estimator, each) for name, each in scoring.items()}
    if isinstance(scoring, SEVERAL):
        return {name: get_scorer(name) for name in scoring}
    return {"score": check_scoring(estimator, scoring)}


def weights_are_taken(estimator: Any, scoring: Any) -> bool:
    """Whether any scorer takes sample weights; a warning for each that does not."""
    taken = []
    for name, scorer in scorers_of(estimator, scoring).items():
        metric = isinstance(scorer, METRIC_SCORER)
        function = estimator.score if scoring is None else scorer
        names = free_parameters(scorer) if metric else inspect.signature(function).parameters
        taken.append("sample_weight" in names)
        if not taken[-1]:
            warn(
                f"The scoring {name}={scorer} does not support sample_weight, which may lead to "
                "statistically incorrect results when fitting with sample_weight."
            )
    return any(taken)


class PathScorer:
    """Keeps the scores of all models of a `PathFit`, of the test samples, then the training ones.

    It is a scorer to `cross_validate`, and the number that it returns is of no account.
    """

    def __init__(self, scoring: Scoring, rows: tuple[Any, Any]) -> None:
        self.scoring = scoring
        self.rows = iter(rows)
        self.scores: list[list[Any]] = []
        self.failures: list[Failure | None] = []

    def __call__(self, paths: PathFit, X: Any, y: Any = None, **params: Any) -> float:
        scoring, rows = self.scoring, next(self.rows)
        if scoring.weights is not None:
            params = {"sample_weight": scoring.weights[rows]}
        self.failures = [
            scoring.settled(make) if isinstance(make, Exception) else None for make in paths.models_
        ]
        # Where there is no scorer, params are those of the score of the whole pipeline.
        transformed = scoring.sees_predictions_only or (scoring.given is None and not params)
        samples = scoring.attempt(paths.transform, X) if transformed else X
        if isinstance(samples, Failure):
            self.scores.append([samples] * len(paths.models_))
            return 0.0

        def score(make: Callable[[], Any]) -> Any:
            model = make() if transformed else paths.whole(make())
            return scoring.scorer(model, samples, *([] if y is None else [y]), **params)

        together = None
        if transformed and not any(self.failures):
            together = joint_scores(scoring.given, paths.models_, samples, y, **params)
        self.scores.append(
            together
            or [
                failure or scoring.attempt(score, make)
                for make, failure in zip(paths.models_, self.failures, strict=True)
            ]
        )
        return 0.0

    def get_metadata_routing(self) -> Any:
        """That of the scorer."""
        return get_routing_for_object(self.scoring.scorer)


def evaluate(
    paths: PathFit,
    X: Any,
    y: Any,
    params: Mapping[str, Any],
    split: tuple[Any, Any],
    scoring: Scoring,
    return_train_score: bool,
    task: Task,
) -> list[Outcome]:
    """What all candidates of a `PathFit` give in a fold, of which `split` has the rows.

    `params` are those of fits, and of the scorer where they come with the samples.
    """
    train, test = split
    scorer = PathScorer(scoring, (test, train))
    with task:
        times = cross_validate(
            paths,
            X,
            y,
            cv=[split],
            scoring=scorer,
            params=params,
            return_train_score=return_train_score,
            error_score="raise",
        )
    n_candidates = len(scorer.failures)
    times_each = times["fit_time"][0] / n_candidates, times["score_time"][0] / n_candidates
    tested, *trained = scorer.scores
    of_training = trained[0] if trained else [None] * n_candidates
    scores = zip(tested, of_training, scorer.failures, strict=True)
    return [Outcome(*times_each, *each) for each in scores]
