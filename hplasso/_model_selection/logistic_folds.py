"""Logistic paths on the training samples of folds, and their scores on the test samples."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._design.factory import as_rows
from .._estimators.callbacks import Task, listeners_of
from .._estimators.classification import Classification, Labels
from .._estimators.logistic import HadamardLogisticRegression
from .._estimators.logistic_path import n_rows, path_settings, penalty_of
from .._numerics.typing import Float64, Mask
from .._path.progress import PathPoint, Printer
from .._path.settings import PathSettings
from .folds import Fold
from .scoring import Scorer


class FoldResult(NamedTuple):
    """What a fold gives, for each l1_ratio (R) and C (L): scores (R, L), sweeps (R, L), models.

    The models have shape (R, L, K, p + 1), the intercept last; `failed` did not converge, `errors`
    are those of the scorer. `complete` tells whether the training samples have all classes.
    """

    scores: Float64
    sweeps: Any
    models: Any
    failed: list[tuple[Any, PathPoint]]
    errors: list[Exception]
    complete: bool


class Validation(NamedTuple):
    """What the folds have in common: data, labels, the estimator's parameters, the scorer, its.

    Of the features, some are to be left out; of the parameters, the penalty weights are checked.
    """

    X: Any
    y: Any
    labels: Labels
    left_out: Mask
    parameters: Mapping[str, Any]
    scorer: Scorer
    score_params: Mapping[str, Any]

    def settings(self, labels: Labels, l1_ratio: float) -> PathSettings:
        """The solver's settings for some labels and an l1_ratio."""
        return path_settings({**self.parameters, "l1_ratio": l1_ratio}, labels, self.X)

    def validate(
        self, number: int, fold: Fold, ratios: Sequence[float], Cs: Float64, task: Task
    ) -> FoldResult:
        """Paths on the training samples of a fold, and their scores on the test samples."""
        weights = fold.weights(self.labels.raw)
        labels = self.labels._replace(weights=weights, total=fold.total)
        n_features, fit_intercept = self.X.shape[1], bool(self.parameters["fit_intercept"])
        shape = (len(ratios), len(Cs), n_rows(labels), n_features + fit_intercept)
        models = np.zeros(shape, dtype=self.X.dtype)
        sweeps = np.zeros(shape[:2], dtype=np.int32)
        verbose, failed = int(self.parameters["verbose"]), []
        with task:
            problem = Classification(self.X, labels, fit_intercept, self.left_out)
            for row, ratio in enumerate(ratios):
                settings = self.settings(labels, ratio)
                printer = Printer(verbose, settings.name_alpha, f"fold {number}: ")
                heard = listeners_of(task, *([printer] if verbose >= 2 else []))
                tracer = problem.tracer(replace(settings, listener=heard))
                points = tracer.trace(penalty_of(Cs, ratio, labels))
                for column, (point, model) in enumerate(zip(points, models[row], strict=True)):
                    intercepts = problem.write(point, model[:, :n_features])
                    model[:, n_features:] = intercepts[:, None]
                    sweeps[row, column] = point.sweeps
                failed += [(ratio, point) for point in points if not point.converged]
            scores, errors = self._scores(fold, models)
        if verbose:
            print(f"fold {number}: best score {np.fmax.reduce(scores, None):.6g}", file=sys.stderr)
        complete = len(problem.present) == len(labels.classes)
        return FoldResult(scores, sweeps, models, failed, errors, complete)

    def _scores(self, fold: Fold, models: Any) -> tuple[Float64, list[Exception]]:
        """The scores of models (R, L, K, p + 1) on the test samples, of shape (R, L), and errors.

        A scorer that scikit-learn knows by its name looks at predictions only; for it, samples and
        models are cut down to the features that any model needs.
        """
        n_features, scoring = self.X.shape[1], self.parameters["scoring"]
        features = np.arange(n_features)
        if isinstance(scoring, str) or scoring is None:
            features = np.flatnonzero(models[..., :n_features].any(axis=(0, 1, 2)))
            features = features if features.size else np.zeros(1, dtype=np.intp)
        samples, y = as_rows(self.X, fold.test, features), self.y[fold.test]
        params = {
            name: np.asarray(value)[fold.test] if np.ndim(value) else value
            for name, value in self.score_params.items()
        }
        scores, errors = np.full(models.shape[:2], np.nan), []
        for position in np.ndindex(*scores.shape):
            model = HadamardLogisticRegression()
            model.classes_, model.n_features_in_ = self.labels.classes, features.size
            model.coef_ = models[position][:, features]
            model.intercept_ = np.zeros(len(model.coef_), dtype=models.dtype)
            if models.shape[3] > n_features:
                model.intercept_ = models[position][:, n_features]
            try:
                scores[position] = self.scorer(model, samples, y, **params)
            except Exception as error:
                errors.append(error)
        return scores, errors
