"""Relaxed paths on the training samples of folds, and their scores on the test samples."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._estimators.fit_method import Task, listeners_of
from .._estimators.problem import Problem
from .._numerics.typing import Float64, Mask
from .._path.progress import PathPoint
from .folds import Fold
from .relaxation import LinearModels, Refit, RelaxedPath, relaxed_path
from .scoring import Scorer


class FoldResult(NamedTuple):
    """What a fold gives: scores (G, L), where there are refits (L,), points that are not solved.

    And what scorers raised.
    """

    scores: Float64
    refits: Mask
    failed: list[PathPoint]
    errors: list[Exception]


class Validation(NamedTuple):
    """What the folds have in common: data, penalties (L,), gammas (G,), and how to score."""

    data: Any
    problem_of: Callable[[int], Problem]
    penalties: Float64
    gammas: Float64
    held_out: HeldOutLoss | HeldOutScore

    def validate(self, number: int, fold: Fold, task: Task) -> FoldResult:
        """The relaxed path of the training samples of a fold, scored on the test samples."""
        with task:
            problem = self.problem_of(number)
            printer = problem.printer(f"fold {number}: ", verbose_from=2)
            points = problem.trace(self.penalties, listeners_of(task, printer))
            data = self.data.reweighted(fold.weights(self.data.raw_weights), fold.total)
            path = relaxed_path(data, problem, points, self.held_out.all_features)
            scores, errors = self.held_out.scores(problem, fold, path, self.gammas)
        refits = np.array([refit is Refit.EXISTS for refit in path.refits])
        if problem.options.verbose:
            words = f"best score {np.fmax.reduce(scores, None):.6g}, refits at {refits.sum()} of"
            print(f"fold {number}: {words} {refits.size} penalties", file=sys.stderr)
        failed = [point for point in points if not point.converged]
        return FoldResult(scores, refits, failed, errors)


class HeldOutLoss(NamedTuple):
    """Scores by the loss of the estimator, for sample weights (n,): minus the mean."""

    data: Any
    sample_weights: Float64

    @property
    def all_features(self) -> bool:
        """Whether it looks at more than the features of the supports."""
        return False

    def scores(
        self, problem: Problem, fold: Fold, path: RelaxedPath, gammas: Float64
    ) -> tuple[Float64, list[Exception]]:
        """Scores (G, L) of a path on the test samples of a fold."""
        samples = problem.unpenalised.design.container.rows(fold.test, path.features)
        weights = self.sample_weights[fold.test]
        weights = weights / weights.sum()
        penalised, refitted = (
            np.stack([samples @ coefs for coefs in models.coefs]) + models.intercepts[:, None]
            for models in (path.penalised, path.refitted)
        )
        outputs = (gamma * penalised + (1.0 - gamma) * refitted for gamma in gammas)
        return -np.stack([self.data.mean_losses(fold.test, each, weights) for each in outputs]), []


class HeldOutScore(NamedTuple):
    """Scores by a scorer, of models of an estimator's kind, and of these classes if it has any.

    `params` are those of the scorer.
    """

    model: Any
    classes: Any
    X: Any
    y: Any
    scorer: Scorer
    params: Mapping[str, Any]

    @property
    def all_features(self) -> bool:
        """Whether the scorer may look at more than predictions."""
        return not self.scorer.at_predictions_only

    def scores(
        self, problem: Problem, fold: Fold, path: RelaxedPath, gammas: Float64
    ) -> tuple[Float64, list[Exception]]:
        """Scores (G, L) of a path on the test samples of a fold."""
        samples, labels = self.X[:, path.features][fold.test], self.y[fold.test]
        params = {
            name: np.asarray(value)[fold.test] if np.ndim(value) else value
            for name, value in self.params.items()
        }
        scores, errors = [], list[Exception]()
        for gamma in gammas:
            models = self._fitted(path.penalised.mixed(path.refitted, gamma))
            makes = [partial(copy, model) for model in models]
            found, failed = self.scorer.scores(makes, samples, labels, **params)
            scores.append(found)
            errors += failed
        return np.array(scores), errors

    def _fitted(self, models: LinearModels) -> list[Any]:
        """The estimators of linear models."""
        fitted = []
        for coefs, intercepts in zip(
            np.moveaxis(models.coefs, -1, 0), models.intercepts.T, strict=True
        ):
            model = copy(self.model)
            model.n_features_in_ = coefs.shape[1]
            if self.classes is None:
                model.coef_, model.intercept_ = coefs[0], intercepts[0]
            else:
                model.coef_, model.intercept_, model.classes_ = coefs, intercepts, self.classes
            fitted.append(model)
        return fitted
