"""The fit of cross-validated logistic regression: paths on folds, in memory or in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._design.source import Source
from .._estimators.classification import LogisticData
from .._estimators.fit_method import Task, fit_method
from .._estimators.linear_classifier import LinearClassifier
from .._estimators.linear_model import options_of
from .._estimators.problem import FitOptions, Problem, gaps_of, sweeps_of
from .._estimators.streamed_data import StreamedLabels, streamed_labels
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import PathPoint
from .._solver.hadamard import balance
from .._validation.arrays import GivenGrid, check_one_target, checked_ratios, given_Cs
from .._validation.choices import Rule
from .._validation.parameters import SELECTION_CONSTRAINTS
from .._validation.weights import PenaltyWeights, raw_weights
from .folds import Fold, checked_folds, routed
from .kept_path import KEPT, compact, finished_path, saturated_paths
from .logistic_folds import (
    FoldResult,
    Validation,
    averaged,
    check_streamed_scoring,
    streamed_result,
)
from .rules import choose, print_end_of_grid
from .scoring import Scorer, warn_failed
from .streamed_folds import assigned
from .streamed_validation import validate_streamed


class LogisticCV(LinearClassifier):
    """What :class:`HadamardLogisticRegressionCV` does in `fit`; abstract."""

    _constraints = SELECTION_CONSTRAINTS
    Cs: Any
    l1_ratios: Any
    eps: float
    cv: Any
    scoring: Any
    refit: bool
    rule: Rule
    early_stop: bool
    n_jobs: int | None
    verbose: bool | int
    C_: float
    C_min_: float
    C_1se_: float
    Cs_: Float64
    l1_ratio_: float
    l1_ratios_: Float64
    scores_: Float64
    scores_se_: Float64
    stopped_early_: bool
    coef_path_: Any
    intercept_path_: NDArray[Any]
    dual_gap_path_: Float64
    n_iter_path_: NDArray[Any]
    coefs_paths_: NDArray[Any]

    @fit_method
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
        """Choose C by cross-validation, and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,), default=None
            Class labels of any type; None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and, if given, for the scores.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.
        **params : dict
            Parameters for the splitter and the scorer; only if scikit-learn's metadata routing is
            enabled.

        Returns
        -------
        self : HadamardLogisticRegressionCV
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be, or a fold is empty.
        Exception
            What the scorer raises, if it does so for every model.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.
        UserWarning
            If the scorer raised an error for some models, or scores are NaN or infinite.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegressionCV
        >>> X, y = load_iris(return_X_y=True)
        >>> model = HadamardLogisticRegressionCV().fit(X, y)
        >>> bool(model.C_1se_ <= model.C_)
        True
        """
        name = type(self).__name__
        options = options_of(self)
        ratios = checked_ratios(name, "l1_ratios", self.l1_ratios)
        given = given_Cs(self.Cs, ratios)
        if self.rule == "1se" and not self.refit:
            raise ValueError("rule='1se' needs refit=True. Got refit=False.")
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputClassifier({name}())")
        data = self._validated(X, y, sample_weight, offset, options)
        extra = routed(self, "fit", sample_weight, params)
        if isinstance(data, StreamedLabels):
            return self._fit_streamed(data, given, ratios)
        folds = self._folds(data, sample_weight, extra)
        score_params = dict(extra.scorer.score) if extra else {}
        if not extra and sample_weight is not None:
            score_params["sample_weight"] = raw_weights(sample_weight, data.X)
        stops = int(self.early_stop and given.penalties is None)
        with Task.of_fit(self, len(folds) + 1 + stops) as task, threads_for_data(data.X.size):
            problem = data.problem()
            stored = problem.unpenalised.design.container.stored  # in order, if it was not
            data = data._replace(X=stored)
            self.l1_ratios_, Cs = np.array(ratios), self._grid(given, problem, ratios)
            paths = saturated_paths(problem, dict.fromkeys(ratios, Cs), task) if stops else {}
            self.Cs_ = Cs[: max(map(len, paths.values()), default=given.length)].copy()
            self.stopped_early_ = len(self.Cs_) < given.length
            self.classes_ = data.labels.classes
            validation = Validation(data, Scorer(self.scoring, self.classes_), score_params)
            results = self._cross_validate(problem, validation, folds, task)
            with task.subtask("refit"):
                self._choose([fold.test_weights.sum() for fold in folds])
                if self.refit:
                    self._refit(problem.at(self.l1_ratio_), paths.get(self.l1_ratio_))
                else:
                    self._average([result.complete for result in results])
        self.mu_, self.nu_ = balance(self.coef_)
        return self

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        check_streamed_scoring(self.scoring)
        assignment = assigned(self.cv, source.n_rows)
        return streamed_labels(source, self.class_weight, penalty, options, assignment)

    def _fit_streamed(self, data: StreamedLabels, given: GivenGrid, ratios: list[float]) -> Self:
        """The same for data in blocks: all folds, and all rows, share each pass."""
        with Task.of_fit(self):
            problem = data.problem()
            self.l1_ratios_, self.classes_ = np.array(ratios), data.classes
            self.Cs_, self.stopped_early_ = self._grid(given, problem, ratios).copy(), False
            paths, folds = validate_streamed(data, dict.fromkeys(ratios, self.Cs_))
            self._set_folds(problem, [streamed_result(fold, self.scoring) for fold in folds])
            self._choose(data.fold_weights)
            if self.refit:
                path = paths[self.l1_ratio_]
                fitted = path[int(np.flatnonzero(self.Cs_ == self.C_)[0])]
                self._refit(problem.at(self.l1_ratio_), path, fitted)
            else:
                self._average([True] * len(folds))
        self.mu_, self.nu_ = balance(self.coef_)
        self._count_passes(data)
        return self

    def _folds(self, data: LogisticData, sample_weight: Any, extra: Any) -> list[Fold]:
        """The folds of the splitter."""
        splitter = check_cv(self.cv, data.y, classifier=True)
        splits = splitter.split(data.X, data.y, **(extra.splitter.split if extra else {}))
        weighted = sample_weight is not None or self.class_weight is not None
        return checked_folds(splits, data.labels.raw, weighted, self.rule)

    def _grid(self, given: GivenGrid, problem: Problem, ratios: list[float]) -> Float64:
        """The values of C: from where a coefficient enters at the smallest l1_ratio."""
        low, high = min(ratios), max(ratios)
        return problem.at(low).grid(given, self.eps * (low / high) if high else self.eps)

    def _cross_validate(
        self, problem: Problem, validation: Validation, folds: list[Fold], task: Task
    ) -> list[FoldResult]:
        """Set what the folds give, and return it."""
        length = len(self.l1_ratios_) * len(self.Cs_)
        tasks = [task.subtask("fold", length) for _ in folds]
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(validation.validate)(number, fold, self.l1_ratios_, self.Cs_, part)
            for number, (fold, part) in enumerate(zip(folds, tasks, strict=True))
        )
        warn_failed([error for result in results for error in result.errors], length * len(folds))
        self._set_folds(problem, results)
        return list(results)

    def _set_folds(self, problem: Problem, results: Sequence[FoldResult]) -> None:
        """Set what the folds give."""
        for ratio in self.l1_ratios_:
            failed = [point for result in results for own, point in result.failed if own == ratio]
            problem.at(ratio).warn_not_converged(failed)
        self.scores_ = np.stack([result.scores for result in results])
        self.n_iter_ = np.stack([result.sweeps for result in results])
        self.coefs_paths_ = np.stack([result.models for result in results])

    def _choose(self, fold_weights: list[float]) -> None:
        """Set what the rules say of C and l1_ratio."""
        row, best, simplest, self.scores_se_ = choose(-self.scores_, fold_weights)
        self.l1_ratio_ = float(self.l1_ratios_[row])
        self.C_min_, self.C_1se_ = float(self.Cs_[best]), float(self.Cs_[simplest])
        self.C_ = self.C_min_ if self.rule == "min" else self.C_1se_
        if self.verbose:
            print_end_of_grid("C", self.C_min_, self.Cs_, self.stopped_early_)

    def _refit(
        self,
        problem: Problem,
        traced: list[PathPoint] | None,
        fitted: PathPoint | None = None,
    ) -> None:
        """Fit to all samples at what was chosen, and along the grid of C, if not done already."""
        fitted = fitted or problem.solve(self.C_, listener=problem.printer())
        self._set_attributes(problem, fitted)
        points = finished_path(problem, self.Cs_, traced, [self.C_min_, self.C_1se_], fitted)
        coefs, intercepts = problem.arrays([points])
        single = len(coefs) == 1
        self.coef_path_ = compact(sparse.csc_array(coefs[0])) if single else coefs
        self.intercept_path_ = intercepts[0] if single else intercepts
        self.dual_gap_path_ = gaps_of(points)
        self.n_iter_path_ = np.array(sweeps_of(points), dtype=np.int32)

    def _average(self, complete: list[bool]) -> None:
        """Average the best models of the folds, of those that lack no class if there are any."""
        for name in KEPT:  # of an earlier fit
            self.__dict__.pop(name, None)
        model, (ratios, Cs) = averaged(self.scores_, self.coefs_paths_, complete)
        n_features = self.n_features_in_
        self.coef_ = model[:, :n_features].copy()
        self.intercept_ = np.zeros(len(model), dtype=model.dtype)
        if self.fit_intercept:
            self.intercept_ = model[:, n_features].copy()
        self.C_ = float(self.Cs_[Cs].mean())
        self.l1_ratio_ = float(self.l1_ratios_[ratios].mean())
        self.dual_gap_ = np.nan
