"""Cross-validated least squares: paths on the training samples of each fold, a fit on all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from .._estimators.callbacks import Task, fit_method, listeners_of
from .._estimators.least_squares_path import (
    ACCEPTED,
    SHARED_CONSTRAINTS,
    alpha_grid,
    checked_alphas,
    checked_precompute,
    path_settings,
)
from .._estimators.linear_regressor import LinearRegressor
from .._estimators.regression import Regression
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.interpolation import trace_by_chords
from .._path.progress import PathPoint, Printer, warn_not_converged
from .._path.settings import PathSettings, alpha_unit
from .._solver.hadamard import balance
from .._validation.grids import check_grid
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    NONE,
    Constraints,
    check_one_target,
    check_parameters,
    integer,
    real,
)
from .._validation.weights import normalised_weights, penalty_weights_of
from .folds import Folds, checked_folds
from .kept_path import coefficient_columns, fitted_at, trace_kept
from .rules import CV_CONSTRAINTS, check_rule, checked_ratios, choose, print_end_of_grid, routed

ESTIMATOR_CONSTRAINTS: Constraints = {
    "eps": (real(0.0, 1.0, open_low=True),),
    "alphas": (integer(1), ARRAY, NONE),
    "l1_ratio": (real(0.0, 1.0), ARRAY),
    "fit_intercept": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
    **CV_CONSTRAINTS,
}


class Grid(NamedTuple):
    """The alphas (L,) for one l1_ratio, in the user's units, and the settings of its path."""

    l1_ratio: float
    alphas: Float64
    settings: PathSettings


class LeastSquaresCV(LinearRegressor):
    """What :class:`HadamardLassoCV` and :class:`HadamardElasticNetCV` have in common."""

    _constraints = ESTIMATOR_CONSTRAINTS
    _single: Any  # the estimator at a single alpha

    @fit_method
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose alpha by cross-validation, and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Target values.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and for the mean squared error of each fold. The mean over
            the folds is not weighted.
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
        """
        parameters = self.get_params(deep=False)
        name, given_ratio = type(self).__name__, parameters.setdefault("l1_ratio", 1.0)
        check_parameters(name, parameters, self._constraints)
        l1_ratios = checked_ratios(name, "l1_ratio", given_ratio)
        given = checked_alphas(self.alphas)
        check_grid("alphas", given, l1_ratios)
        check_one_target(
            name,
            y,
            f"sklearn.multioutput.MultiOutputRegressor({name}()), which chooses for each, or "
            f"sklearn.model_selection.GridSearchCV over {self._single.__name__}, for all alike",
        )
        X, y = validate_data(self, X, y, **ACCEPTED | {"multi_output": False})
        y = np.asarray(y, dtype=np.float64)
        n_features = X.shape[1]
        precompute = checked_precompute(self.precompute, n_features)
        parameters["penalty_weights"], left_out = penalty_weights_of(self)
        weights = normalised_weights(sample_weight, X)
        extra = routed(self, "fit", sample_weight, params)
        splits = check_cv(self.cv).split(X, y, **(extra.splitter.split if extra else {}))
        folds = checked_folds(splits, weights, sample_weight is not None)
        check_rule(self.rule, len(folds))
        length = given if isinstance(given, int) else len(given)
        with Task.of_fit(self, len(folds) + 1) as task, threads_for_data(X.size):
            problems = Folds(
                X,
                y,
                weights,
                self.fit_intercept,
                precompute if isinstance(precompute, bool | str) else True,
                folds,
                length * len(l1_ratios),
                left_out,
            )
            grids = []
            for l1_ratio in l1_ratios:
                settings = path_settings(parameters, l1_ratio, X.dtype)
                grid = given
                if isinstance(grid, int):
                    first = problems.full.tracer(0, settings).alpha_max() / l1_ratio
                    grid = alpha_grid(first, self.eps, grid)
                grids.append(Grid(l1_ratio, grid, settings))
            errors = self._cross_validate(problems, grids, task)
            chosen = self._choose(grids, errors, folds)
            with task.subtask("refit"):
                self._refit(problems.full, chosen, X)
        return self

    def _cross_validate(self, problems: Folds, grids: Sequence[Grid], task: Task) -> Float64:
        """The mean squared errors, of shape (n_l1_ratios, n_alphas, n_folds)."""
        length = sum(len(grid.alphas) for grid in grids)
        tasks = [task.subtask("fold", length) for _ in problems.folds]
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(_validate_fold)(problems, number, grids, part, int(self.verbose))
            for number, part in enumerate(tasks)
        )
        for index, grid in enumerate(grids):
            points = [point for _, paths in results for point in paths[index]]
            warn_not_converged(points, grid.settings.name_alpha)
        return np.stack([errors for errors, _ in results], axis=-1)

    def _choose(self, grids: Sequence[Grid], errors: Float64, folds: Any) -> Grid:
        """Set what is known of the alphas; return the grid of the best l1_ratio."""
        weights_of_folds = [fold.test_weights.sum() for fold in folds]
        chosen, best, simplest, errors_of_means = choose(
            np.moveaxis(errors, 2, 0), weights_of_folds
        )
        alphas = grids[chosen].alphas
        self.alpha_min_, self.alpha_1se_ = float(alphas[best]), float(alphas[simplest])
        self.alpha_ = self.alpha_min_ if self.rule == "min" else self.alpha_1se_
        if self.verbose:
            print_end_of_grid("alpha", self.alpha_min_, alphas)
        several = len(grids) > 1
        self.mse_path_ = errors if several else errors[0]
        self.mse_se_ = errors_of_means if several else errors_of_means[0]
        same = np.ndim(self.alphas) > 0 or not several
        self.alphas_ = alphas.copy() if same else np.stack([grid.alphas for grid in grids])
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = grids[chosen].l1_ratio
        return grids[chosen]

    def _refit(self, full: Regression, grid: Grid, X: Any) -> None:
        """Fit to all samples at the alpha of the rule, and along its grid."""
        unit, alphas, settings = alpha_unit(grid.l1_ratio), grid.alphas, grid.settings
        (fitted,) = full.tracer(0, settings).trace([unit * self.alpha_])
        printer = Printer(int(self.verbose), settings.name_alpha, "all samples: ")
        quiet = replace(settings, listener=printer if printer.iterations else None)
        points = trace_kept(
            partial(trace_by_chords, full.tracer(0, quiet)),
            unit * alphas,
            np.isin(alphas, [self.alpha_min_, self.alpha_1se_]),
            fitted,
        )
        warn_not_converged(points, settings.name_alpha)
        self._set_attributes([fitted], [full.intercept(fitted)], X.dtype, X.shape[1])
        self._path_alphas = alphas.copy()
        self.coef_path_ = coefficient_columns(points, X.shape[1], X.dtype)
        self.intercept_path_ = np.array([*map(full.intercept, points)], dtype=X.dtype)
        self.dual_gap_path_ = np.array([point.gap for point in points])
        self.n_iter_path_ = np.array([point.sweeps for point in points])

    def at(self, alpha: float) -> Any:
        """The model at another alpha of the grid, from the path on all samples.

        Parameters
        ----------
        alpha : float
            One of `alphas_`, such as `alpha_1se_`; of several l1_ratios, of the row of `l1_ratio_`.

        Returns
        -------
        model : HadamardLasso or HadamardElasticNet
            Fitted, with the parameters of this estimator, at `l1_ratio_` if there are several.

        Raises
        ------
        ValueError
            If `alpha` is not on the grid.
        """
        check_is_fitted(self)
        model, position = fitted_at(self, self._single, "alpha", alpha, self._path_alphas)
        model.mu_, model.nu_ = balance(model.coef_)
        model.intercept_ = self.intercept_path_[position] if self.fit_intercept else 0.0
        model.n_iter_ = int(self.n_iter_path_[position])
        return model

    def get_metadata_routing(self) -> Any:
        """How scikit-learn's metadata routing passes parameters on: to the splitter.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            The routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(splitter=check_cv(self.cv), method_mapping=mapping)


def _validate_fold(
    problems: Folds, number: int, grids: Sequence[Grid], task: Task, verbose: int
) -> tuple[Float64, list[list[PathPoint]]]:
    """Mean squared errors (n_l1_ratios, n_alphas) of a fold; what did not converge."""
    errors: list[Float64] = []
    failed: list[list[PathPoint]] = []
    with task:
        regression = problems.training(number)
        for grid in grids:
            printer = Printer(verbose, grid.settings.name_alpha, f"fold {number}: ")
            listener = listeners_of(task, *([printer] if verbose >= 2 else []))
            settings = replace(grid.settings, listener=listener)
            points = regression.tracer(0, settings).trace(alpha_unit(grid.l1_ratio) * grid.alphas)
            intercepts = [regression.intercept(point) for point in points]
            errors.append(problems.mean_squares(number, points, intercepts))
            failed.append([point for point in points if not point.converged])
    if verbose:
        best = min(float(error.min()) for error in errors)
        print(f"fold {number}: smallest mean squared error {best:.6g}", file=sys.stderr)
    return np.stack(errors), failed
