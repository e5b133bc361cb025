"""What estimators with a penalty on groups have in common: the fit, and its attributes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import check_is_fitted

from .._design.source import Source
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint
from .._penalties.group import GroupPenalty
from .._validation.arrays import checked_array
from .._validation.groups import checked_group_weights, checked_groups
from .._validation.weights import PenaltyWeights
from .bases import MultiOutputMixin
from .fit_method import Task
from .group_regression import GroupData
from .linear_model import fitted_as, options_of
from .linear_regressor import LinearRegressor, warn_of_no_penalty
from .problem import DATA_ACCEPTED, FitOptions, Problem
from .regression import LeastSquaresData


class GroupRegressor(MultiOutputMixin, LinearRegressor):
    """Least squares with one penalty for each group of coefficients; abstract."""

    _accepted = DATA_ACCEPTED | {"multi_output": True}
    # Of what estimators of single coefficients have.
    precompute: Any = False

    @property
    @abstractmethod
    def _penalty_words(self) -> str:
        """What the penalty of a fit is called in summaries."""

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        return self._grouped(super()._data(X, y, sample_weight, penalty, options))

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        return self._grouped(super()._streamed(source, penalty, options))

    @abstractmethod
    def _grouped(self, data: LeastSquaresData) -> GroupData:
        """The data with their groups."""

    def _set_solution(self, problem: Problem, grouped: GroupData, points: list[PathPoint]) -> None:
        """Be fitted: at the solution of the problem, which is one for all targets."""
        coefs, intercepts = problem.arrays([points])
        flat, groups = grouped.data.flat, grouped.penalty.groups
        self.coef_ = coefs[0, :, 0] if flat else coefs[..., 0]
        self.mu_, self.nu_ = balanced_groups(self.coef_, groups)
        self.dual_gap_, self.n_iter_ = points[0].gap, points[0].sweeps
        self.intercept_ = 0.0
        if self.fit_intercept:
            self.intercept_ = intercepts[0, 0] if flat else intercepts[:, 0]
        if grouped.labels is not None:
            self.groups_, self.group_labels_ = groups, grouped.labels

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For tools that take scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.LinearRegression
            With the coefficients and the intercept of this fit.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardGroupLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardGroupLasso(alpha=0.5).fit(X, y).to_sklearn()
        LinearRegression()
        """
        check_is_fitted(self)
        parameters = {"fit_intercept": self.fit_intercept}
        return fitted_as(LinearRegression, parameters, self)


class GroupEstimator(GroupRegressor):
    """The same at a given alpha; abstract."""

    alpha: float

    def _checked(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None
    ) -> GroupData:
        """The data of the problem, from parameters and arguments of `fit` that are checked."""
        grouped: GroupData = self._validated(X, y, sample_weight, offset, options_of(self))
        return grouped

    def _fitted(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Self:
        """Fit to data that have not been checked."""
        grouped = self._checked(X, y, sample_weight, offset)
        start = self._start(grouped.data)
        alpha = self.alpha
        if alpha == 0:
            warn_of_no_penalty()
            grouped, alpha = grouped.without_penalty(), 1.0
        with Task.of_fit(self), threads_for_data(grouped.X.size):
            problem = grouped.problem(n_solutions=1)
            point = problem.solve(alpha, start=start, listener=problem.printer())
        problem.warn_not_converged([point])
        self._set_solution(problem, grouped, [point])
        return self

    def _start(self, data: LeastSquaresData) -> Float64 | None:
        """The coefficients to start from."""
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return None
        n_targets, n_features = data.targets.shape[1], data.X.shape[1]
        shape = (n_features,) if data.flat else (n_targets, n_features)
        coefs = np.atleast_2d(self.coef_)
        if data.flat and len(coefs) == 1:  # of a y that may have been a column
            coefs = coefs[0]
        return checked_array(coefs, shape, "With warm_start=True, coef_ of the last fit")


def penalty_of_groups(
    groups: Any,
    group_weights: Any,
    l1_ratio: float,
    n_features: int,
    names: Any,
    options: FitOptions,
) -> tuple[GroupPenalty, PenaltyWeights, Any]:
    """The penalty of groups, which are checked; which features are left out, and the labels."""
    found = checked_groups(groups, n_features, names)
    weights, left_out = checked_group_weights(group_weights, found)
    penalty = GroupPenalty(found.numbers, weights, bool(options.positive), float(l1_ratio))
    return penalty, PenaltyWeights(np.ones(left_out.size), left_out), found.labels


def words_of(n_groups: int, l1_ratio: float) -> str:
    """What the penalty of groups is called in summaries."""
    l1 = f" and L1, l1_ratio={l1_ratio:.4g}" if l1_ratio else ""
    return f"norms of {n_groups} groups{l1}"


def balanced_groups(coef: Any, groups: Index) -> tuple[Any, Any]:
    """mu (n_groups,) and nu, of the shape of coefficients (p,) or (T, p), |mu_g| = |nu_g|."""
    squares = (np.atleast_2d(coef).astype(np.float64) ** 2).sum(axis=0)
    mu = np.sqrt(np.sqrt(np.bincount(groups, squares)))
    scale = mu[groups]
    nu = np.divide(coef, scale, out=np.zeros(coef.shape), where=scale > 0.0)
    return mu.astype(coef.dtype), nu.astype(coef.dtype)
