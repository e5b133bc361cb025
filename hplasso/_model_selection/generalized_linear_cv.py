"""Cross-validated generalized linear models: paths on the training samples of folds, deviances."""

import sys
from typing import Any, Self

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._design.source import Source
from .._estimators.fit_method import Task, fit_method, listeners_of
from .._estimators.generalized_linear import GeneralizedLinearData
from .._estimators.generalized_linear_regressor import GeneralizedLinearRegressor
from .._estimators.linear_model import options_of
from .._estimators.problem import FitOptions, Problem
from .._estimators.streamed_data import StreamedData, streamed_family
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import PathPoint
from .._validation.arrays import GivenGrid, check_one_target, given_alphas
from .._validation.parameters import CONSTRAINTS, SELECTION_CONSTRAINTS
from .._validation.weights import PenaltyWeights
from .alpha_cv import AlphaCV
from .folds import Fold, checked_folds, routed, side_by_side
from .kept_path import saturated_paths
from .rules import choose
from .streamed_folds import assigned
from .streamed_validation import validate_streamed

# Only one l1_ratio.
ONE_RATIO = {**SELECTION_CONSTRAINTS, "l1_ratio": CONSTRAINTS["l1_ratio"]}


class GeneralizedLinearCV(AlphaCV, GeneralizedLinearRegressor):
    """What the cross-validated regressors with a log link have in common; abstract."""

    _constraints = ONE_RATIO
    deviance_path_: Float64
    deviance_se_: Float64

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
            Target values, not negative; positive for the gamma loss; None where `X` is
            :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and for the mean deviance of each fold. The mean over the
            folds is not weighted.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model of each sample, zero by default, in the fits and where
            they are tested.
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
        >>> import numpy as np
        >>> from hplasso import HadamardPoissonRegressorCV
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 5))
        >>> y = rng.poisson(np.exp(X[:, 0]))
        >>> HadamardPoissonRegressorCV(rule="1se").fit(X, y).coef_.nonzero()[0]
        array([0])
        """
        options, name = options_of(self), type(self).__name__
        given = given_alphas(self.alphas, [options.l1_ratio], open_low=True)
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputRegressor({name}())")
        data = self._validated(X, y, sample_weight, offset, options)
        extra = routed(self, "fit", sample_weight, params)
        if isinstance(data, StreamedData):
            return self._fit_streamed(data, given)
        splits = check_cv(self.cv).split(data.X, data.y, **(extra.splitter.split if extra else {}))
        folds = checked_folds(splits, data.weights, sample_weight is not None, self.rule)
        stops = int(self.early_stop and given.penalties is None)
        with Task.of_fit(self, len(folds) + 1 + stops) as task, threads_for_data(data.X.size):
            problem = data.problem()
            data = data._replace(X=problem.unpenalised.design.container.stored)
            alphas, traced = problem.grid(given, self.eps), None
            if stops:
                (traced,) = saturated_paths(problem, {options.l1_ratio: alphas}, task).values()
                alphas = alphas[: len(traced)]
            self.alphas_, self.stopped_early_ = alphas.copy(), len(alphas) < given.length
            deviances = self._cross_validate(problem, data, folds, task)
            self._choose(deviances, [fold.test_weights.sum() for fold in folds])
            with task.subtask("refit"):
                self._refit(problem, traced)
        return self

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        assignment = assigned(self.cv, source.n_rows)
        return streamed_family(source, self._family, penalty, options, assignment)

    def _fit_streamed(self, data: StreamedData, given: GivenGrid) -> Self:
        """The same for data in blocks: all folds, and all rows, share each pass."""
        ratio = data.options.l1_ratio
        with Task.of_fit(self):
            problem = data.problem()
            self.alphas_, self.stopped_early_ = problem.grid(given, self.eps).copy(), False
            paths, folds = validate_streamed(data, {ratio: self.alphas_})
        points = [point for fold in folds for point in fold.paths[ratio]]
        problem.warn_not_converged([point for point in points if not point.converged])
        deviances = [2.0 * fold.held_out.losses / fold.held_out.weight for fold in folds]
        self._choose(np.stack(deviances, axis=-1), data.fold_weights)
        fitted = paths[ratio][int(np.flatnonzero(self.alphas_ == self.alpha_)[0])]
        self._set_attributes(problem, fitted)
        self._keep_path(problem, self.alphas_, paths[ratio], fitted)
        self._count_passes(data)
        return self

    def _cross_validate(
        self, problem: Problem, data: GeneralizedLinearData, folds: list[Fold], task: Task
    ) -> Float64:
        """The mean deviances, of shape (n_alphas, n_folds)."""
        tasks = [task.subtask("fold", len(self.alphas_)) for _ in folds]
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(_validate_fold)(data, number, fold, self.alphas_, part)
            for number, (fold, part) in enumerate(zip(folds, tasks, strict=True))
        )
        problem.warn_not_converged([point for _, failed in results for point in failed])
        return np.stack([deviances for deviances, _ in results], axis=-1)

    def _choose(self, deviances: Float64, fold_weights: list[float]) -> None:
        """Set what is known of the alphas."""
        _, best, simplest, errors = choose(deviances.T[:, None], fold_weights)
        self.deviance_path_, self.deviance_se_ = deviances, errors[0]
        self._set_alphas(self.alphas_, best, simplest)

    def _refit(self, problem: Problem, traced: list[PathPoint] | None) -> None:
        """Fit to all samples at the alpha of the rule, and along the grid, if not done already."""
        fitted = problem.solve(self.alpha_, listener=problem.printer())
        self._set_attributes(problem, fitted)
        self._keep_path(problem, self.alphas_, traced, fitted)


def _validate_fold(
    data: GeneralizedLinearData, number: int, fold: Fold, alphas: Float64, task: Task
) -> tuple[Float64, list[PathPoint]]:
    """Mean deviances (n_alphas,) on the test samples of a fold; what did not converge."""
    with task:
        problem = data.reweighted(fold.weights(data.raw_weights)).problem()
        printer = problem.printer(f"fold {number}: ", verbose_from=2)
        points = problem.trace(alphas, listeners_of(task, printer))
        deviances = _mean_deviances(data, problem, fold, points)
    if data.options.verbose:
        print(f"fold {number}: smallest mean deviance {deviances.min():.6g}", file=sys.stderr)
    return deviances, [point for point in points if not point.converged]


def _mean_deviances(
    data: GeneralizedLinearData, problem: Problem, fold: Fold, points: list[PathPoint]
) -> Float64:
    """Those of the points of a path, on the test samples."""
    unpenalised, (features, coefs) = problem.unpenalised, side_by_side(points)
    outputs = np.broadcast_to(unpenalised.intercepts(points), (fold.test.size, len(points)))
    if features.size:
        outputs = outputs + unpenalised.design.container.rows(fold.test, features) @ coefs[:, 0]
    weights = fold.test_weights / fold.test_weights.sum()
    return data.mean_losses(fold.test, outputs[None], weights)
