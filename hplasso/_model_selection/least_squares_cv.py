"""Cross-validated least squares: paths on the training samples of each fold, a fit on all."""

import sys
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.model_selection import PredefinedSplit, check_cv
from sklearn.utils import column_or_1d
from sklearn.utils.parallel import Parallel, delayed

from .._design.source import Source
from .._estimators.fit_method import Task, fit_method, listeners_of
from .._estimators.linear_model import options_of
from .._estimators.linear_regressor import LinearRegressor
from .._estimators.problem import FitOptions, Problem, without_group_ratio
from .._estimators.regression import LeastSquaresData
from .._estimators.streamed import streamed_least_squares
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import PathPoint
from .._validation.arrays import check_one_target, checked_ratios, given_alphas
from .._validation.parameters import SELECTION_CONSTRAINTS
from .._validation.weights import PenaltyWeights
from .alpha_cv import AlphaCV
from .folds import Fold, Folds, checked_folds, routed
from .kept_path import saturated_paths
from .rules import choose
from .streamed_folds import assigned


class Grid(NamedTuple):
    """The alphas (L,) for one l1_ratio, in the user's units."""

    l1_ratio: float
    alphas: Float64


class LeastSquaresCV(AlphaCV, LinearRegressor):
    """What cross-validated estimators of least squares have in common; abstract."""

    _constraints = SELECTION_CONSTRAINTS
    _positive_alphas = False  # else zero is not among them
    mse_path_: Float64
    mse_se_: Float64

    @fit_method
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
        """Choose alpha by cross-validation, and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and for the mean squared error of each fold. The mean over
            the folds is not weighted.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.
        **params : dict
            Parameters for the `split` method of `cv`; only if scikit-learn's metadata routing is
            enabled.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be, or a fold is empty.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLassoCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardLassoCV(rule="1se").fit(X, y).coef_.nonzero()[0]
        array([1, 2, 3, 6, 8, 9])
        """
        return self._fitted(X, y, sample_weight, offset, params)

    def _fitted(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, params: dict[str, Any]
    ) -> Self:
        """Fit to data that have not been checked."""
        options = options_of(self)
        ratios = checked_ratios(type(self).__name__, "l1_ratio", options.l1_ratio)
        extra = routed(self, "fit", sample_weight, params)
        given = given_alphas(self.alphas, ratios, open_low=self._positive_alphas)
        options = replace(options, l1_ratio=ratios[0])
        posed = self._checked(X, y, sample_weight, offset, options)
        data = posed.data
        split_params = extra.splitter.split if extra else {}
        if data.folds is not None:
            splits = PredefinedSplit(data.folds).split()
        else:
            targets = column_or_1d(y) if data.targets.shape[1] == 1 else y
            splits = check_cv(self.cv).split(data.X, targets, **split_params)
        folds = checked_folds(splits, data.weights, sample_weight is not None, self.rule)
        wide = data.X.shape[1] >= data.n_samples  # else no path ends early
        stops = int(wide and self.early_stop and given.penalties is None)
        with Task.of_fit(self, len(folds) + 1 + stops) as task, threads_for_data(data.X.size):
            folded = Folds(data, folds, given.length * len(ratios))
            problem = posed.problem_on(*folded.full)
            grids = [Grid(ratio, problem.at(ratio).grid(given, self.eps)) for ratio in ratios]
            paths = saturated_paths(problem, dict(grids), task) if stops else {}
            length = max(map(len, paths.values()), default=given.length)
            self.stopped_early_ = length < given.length
            grids = [Grid(ratio, alphas[:length].copy()) for ratio, alphas in grids]
            errors = self._cross_validate(folded, posed, problem, grids, task)
            chosen = self._choose(grids, errors, folds)
            with task.subtask("refit"):
                problem, traced = problem.at(chosen.l1_ratio), paths.get(chosen.l1_ratio)
                fitted = problem.solve(self.alpha_, listener=problem.printer())
                self._set_solution(problem, posed, [fitted])
                self._keep_path(problem, chosen.alphas, traced, fitted)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any, options: FitOptions) -> Any:
        """The data of the problem, from arguments of `fit` that are checked."""
        name = type(self).__name__
        instead = (
            f"sklearn.multioutput.MultiOutputRegressor({name}()), which chooses for each, or "
            f"sklearn.model_selection.GridSearchCV over {self._single.__name__}, for all alike"
        )
        check_one_target(name, y, instead)
        data = self._validated(X, y, sample_weight, offset, options).with_gram(self.precompute)
        check_one_target(name, data.targets, instead)
        return data

    def _streamed(
        self, source: Source, penalty: PenaltyWeights, options: FitOptions
    ) -> LeastSquaresData:
        assignment = assigned(self.cv, source.n_rows)
        data = streamed_least_squares(source, penalty, options, assignment)
        self.n_passes_ = source.n_passes
        return data

    def _cross_validate(
        self, folded: Folds, posed: Any, problem: Problem, grids: list[Grid], task: Task
    ) -> Float64:
        """The mean squared errors, of shape (n_l1_ratios, n_alphas, n_folds)."""
        length = sum(len(grid.alphas) for grid in grids)
        tasks = [task.subtask("fold", length) for _ in folded.folds]
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(_validate_fold)(folded, posed, number, grids, part)
            for number, part in enumerate(tasks)
        )
        for index, grid in enumerate(grids):
            points = [point for _, failed in results for point in failed[index]]
            problem.at(grid.l1_ratio).warn_not_converged(points)
        return np.stack([errors for errors, _ in results], axis=-1)

    def _choose(self, grids: list[Grid], losses: Float64, folds: list[Fold]) -> Grid:
        """Set what is known of the alphas; return the grid of the best l1_ratio."""
        fold_weights = [fold.test_weights.sum() for fold in folds]
        choice = choose(np.moveaxis(losses, 2, 0), fold_weights)
        grid = grids[choice.row]
        self._set_alphas(grid.alphas, choice.best, choice.simplest)
        several = len(grids) > 1
        self.mse_path_ = losses if several else losses[0]
        self.mse_se_ = choice.errors if several else choice.errors[0]
        same = np.ndim(self.alphas) > 0 or not several
        self.alphas_ = grid.alphas.copy() if same else np.stack([each.alphas for each in grids])
        if "l1_ratio" in without_group_ratio(self.get_params(deep=False)):
            self.l1_ratio_ = grid.l1_ratio
        return grid

    def _set_solution(self, problem: Problem, posed: Any, points: list[PathPoint]) -> None:
        """Be fitted: at the solution of the problem at the alpha of the rule."""
        self._set_attributes(problem, points)


def _validate_fold(
    folded: Folds, posed: Any, number: int, grids: list[Grid], task: Task
) -> tuple[Float64, list[list[PathPoint]]]:
    """Mean squared errors (n_l1_ratios, n_alphas) of a fold; what did not converge."""
    losses: list[Float64] = []
    failed: list[list[PathPoint]] = []
    with task:
        training = folded.training(number)
        own = posed.problem_on(*training)
        for grid in grids:
            problem = own.at(grid.l1_ratio)
            printer = problem.printer(f"fold {number}: ", verbose_from=2)
            points = problem.trace(grid.alphas, listeners_of(task, printer))
            losses.append(folded.mean_squares(number, points, training.design))
            failed.append([point for point in points if not point.converged])
    if folded.data.options.verbose:
        best = min(float(loss.min()) for loss in losses)
        print(f"fold {number}: smallest mean squared error {best:.6g}", file=sys.stderr)
    return np.stack(losses), failed
