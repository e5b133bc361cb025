"""Logistic paths on the training samples of folds, and their scores on the test samples."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._estimators.classification import LogisticData
from .._estimators.fit_method import Task, listeners_of
from .._estimators.logistic import HadamardLogisticRegression
from .._estimators.problem import sweeps_of
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint
from .folds import Fold
from .rules import smallest
from .scoring import Scorer
from .streamed_validation import StreamedFold

# Scores that are sums over samples.
STREAMED_SCORES = ("neg_log_loss", "accuracy", None)


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
    """What the folds have in common: the data, the scorer, and the parameters of that."""

    data: LogisticData
    scorer: Scorer
    score_params: Mapping[str, Any]

    def validate(
        self, number: int, fold: Fold, ratios: Sequence[float], Cs: Float64, task: Task
    ) -> FoldResult:
        """Paths on the training samples of a fold, and their scores on the test samples."""
        n_features = self.data.X.shape[1]
        n_columns = n_features + self.data.options.fit_intercept
        shape = (len(ratios), len(Cs), self.data.labels.n_rows, n_columns)
        models = np.zeros(shape, dtype=self.data.X.dtype)
        sweeps = np.zeros(shape[:2], dtype=np.int32)
        failed: list[tuple[float, PathPoint]] = []
        with task:
            weights = fold.weights(self.data.raw_weights)
            problem = self.data.reweighted(weights, fold.total).problem()
            for ratio, path_models, path_sweeps in zip(ratios, models, sweeps, strict=True):
                printer = problem.at(ratio).printer(f"fold {number}: ", verbose_from=2)
                points = problem.at(ratio).trace(Cs, listeners_of(task, printer))
                coefs = np.moveaxis(path_models[..., :n_features], 0, -1)  # a view: (K, p, L)
                intercepts = problem.unpenalised.write(points, coefs)
                path_models[..., n_features:] = intercepts.T[..., None]
                path_sweeps[:] = sweeps_of(points)
                failed += [(ratio, point) for point in points if not point.converged]
            scores, errors = self._scores(fold, models)
        if self.data.options.verbose:
            print(f"fold {number}: best score {np.fmax.reduce(scores, None):.6g}", file=sys.stderr)
        complete = problem.unpenalised.complete
        return FoldResult(scores, sweeps, models, failed, errors, complete)

    def _scores(self, fold: Fold, models: Any) -> tuple[Float64, list[Exception]]:
        """The scores of models (R, L, K, p + 1) on the test samples, of shape (R, L), and errors.

        For a scorer that looks at predictions only, samples and models are cut down to the features
        that any model needs.
        """
        X, y = self.data.X, self.data.y
        n_features = X.shape[1]
        features = np.arange(n_features)
        if self.scorer.at_predictions_only:
            features = np.flatnonzero(models[..., :n_features].any(axis=(0, 1, 2)))
            features = features if features.size else np.zeros(1, dtype=np.intp)
        columns = X if features.size == n_features else X[:, features]
        samples, labels = columns[fold.test], y[fold.test]
        params = {
            name: np.asarray(value)[fold.test] if np.ndim(value) else value
            for name, value in self.score_params.items()
        }
        offset = None if self.data.offset is None else self.data.offset[fold.test]
        positions = np.ndindex(*models.shape[:2])
        makes = [partial(self._model, models[position], features) for position in positions]
        scores, errors = self.scorer.scores(makes, samples, labels, offset, **params)
        return scores.reshape(models.shape[:2]), errors

    def _model(self, rows: Any, features: Index) -> HadamardLogisticRegression:
        """The estimator of some coefficients and intercepts (K, p + 1), on some features."""
        n_features = self.data.X.shape[1]
        model = HadamardLogisticRegression()
        model.classes_, model.n_features_in_ = self.data.labels.classes, features.size
        model.coef_ = rows[:, features]
        model.intercept_ = np.zeros(len(rows), dtype=rows.dtype)
        if rows.shape[1] > n_features:
            model.intercept_ = rows[:, n_features]
        return model


def averaged(scores: Float64, models: Any, complete: Sequence[bool]) -> tuple[Any, Any]:
    """The mean of the best models of the folds, of those that are complete, if there are any.

    And their positions, in the axes of l1_ratios and of values of C.
    """
    folds = np.flatnonzero(complete) if any(complete) else np.arange(len(complete))
    flat = [smallest(-scores[fold]) for fold in folds]
    positions = np.unravel_index(flat, scores.shape[1:])
    return models[(folds, *positions)].mean(axis=0), positions


def check_streamed_scoring(scoring: Any) -> None:
    """Raise a ValueError for scores that are not sums over samples, for data in blocks."""
    if scoring not in STREAMED_SCORES:
        raise ValueError(
            "For data in blocks scoring must be 'neg_log_loss', 'accuracy' or None (accuracy), "
            f"because scores are added up block by block. Got {scoring!r}."
        )


def streamed_result(fold: StreamedFold, scoring: Any) -> FoldResult:
    """What a fold of data in blocks gives."""
    problem, held_out = fold.problem, fold.held_out
    sums = -held_out.losses if scoring == "neg_log_loss" else held_out.right
    shape = len(fold.paths), -1
    scores = (sums / held_out.weight).reshape(shape)
    models: list[Any] = []
    for points in fold.paths.values():
        coefs, intercepts = problem.arrays([points])
        rows = [coefs, intercepts[:, None]] if problem.options.fit_intercept else [coefs]
        models.append(np.moveaxis(np.concatenate(rows, axis=1), -1, 0))
    sweeps = np.array([sweeps_of(points) for points in fold.paths.values()], dtype=np.int32)
    failed = [
        (ratio, point)
        for ratio, points in fold.paths.items()
        for point in points
        if not point.converged
    ]
    return FoldResult(scores, sweeps, np.stack(models), failed, [], True)
