"""The candidates of a search, fitted and scored fold by fold."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from typing import Any, NamedTuple

from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import cross_validate
from sklearn.utils.metadata_routing import get_routing_for_object

from .._estimators.fit_method import Task
from .._path.progress import warn
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


def sees_predictions_only(scoring: Any) -> bool:
    """Whether scores depend on the samples by the predictions alone."""
    if isinstance(scoring, Mapping):
        return all(map(sees_predictions_only, scoring.values()))
    return isinstance(scoring, (str, METRIC_SCORER, *SEVERAL))


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
        scoring, models, rows = self.scoring, paths.models_, next(self.rows)
        self.failures = [
            scoring.settled(make) if isinstance(make, Exception) else None for make in models
        ]
        if scoring.weights is not None:
            params = {"sample_weight": scoring.weights[rows]}
        # Where there is no scorer, params are those of the score of the whole pipeline.
        short = sees_predictions_only(scoring.given) or (scoring.given is None and not params)
        seen = scoring.attempt(paths.transform, X) if short else X
        if isinstance(seen, Failure):
            scores: list[Any] = [seen] * len(models)
        else:
            samples = (seen,) if y is None else (seen, y)
            scores = [
                failure or scoring.attempt(self._score, paths, short, make, samples, params)
                for make, failure in zip(models, self.failures, strict=True)
            ]
        self.scores.append(scores)
        return 0.0

    def _score(
        self, paths: PathFit, short: bool, make: Any, samples: Any, params: Mapping[str, Any]
    ) -> Any:
        """The score of one of the models, or of the whole pipeline that ends with it."""
        model = make() if short else paths.whole(make())
        return self.scoring.scorer(model, *samples, **params)

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
    shares = times["fit_time"][0] / n_candidates, times["score_time"][0] / n_candidates
    tested, *trained = scorer.scores
    of_training = trained[0] if trained else [None] * n_candidates
    scores = zip(tested, of_training, scorer.failures, strict=True)
    return [Outcome(*shares, *each) for each in scores]
