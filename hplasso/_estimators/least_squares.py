"""Estimators of penalised least squares at one alpha."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils.validation import validate_data

from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import stack_level, warn_not_converged
from .._path.settings import alpha_unit
from .._validation.parameters import BOOLEAN, Constraints, check_parameters, checked_array, real
from .._validation.weights import normalised_weights, penalty_weights_of
from .callbacks import Task, fit_method
from .least_squares_path import (
    ACCEPTED,
    SHARED_CONSTRAINTS,
    as_columns,
    checked_precompute,
    path_settings,
)
from .linear_regressor import LinearRegressor
from .regression import regression_of

ESTIMATOR_CONSTRAINTS: Constraints = {
    "alpha": (real(0.0),),
    "l1_ratio": (real(0.0, 1.0),),
    "fit_intercept": (BOOLEAN,),
    "warm_start": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
}


class LeastSquaresEstimator(MultiOutputMixin, LinearRegressor):
    """What :class:`HadamardLasso` and :class:`HadamardElasticNet` have in common."""

    _constraints = ESTIMATOR_CONSTRAINTS

    @fit_method
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Target values. Several targets are fitted one by one; they share what is computed from
            `X` alone.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        check_input : bool, default=True
            Without effect, as `X` and `y` are always checked. For compatibility.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.
        """
        parameters = self.get_params(deep=False)
        check_parameters(
            type(self).__name__, {"check_input": check_input}, {"check_input": (BOOLEAN,)}
        )
        l1_ratio = parameters.setdefault("l1_ratio", 1.0)
        check_parameters(type(self).__name__, parameters, self._constraints)
        X, y = validate_data(self, X, y, **ACCEPTED)
        targets = as_columns(y)
        n_features = X.shape[1]
        weights = normalised_weights(sample_weight, X)
        precompute = checked_precompute(self.precompute, n_features)
        starts = self._starts(targets.shape[1], n_features)
        parameters["penalty_weights"], left_out = penalty_weights_of(self)
        settings = path_settings(parameters, l1_ratio, X.dtype)
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=stack_level(),
            )
        points = []
        with Task.of_fit(self), threads_for_data(X.size):
            regression = regression_of(
                X, targets, weights, self.fit_intercept, precompute, 1, left_out=left_out
            )
            for target, start in enumerate(starts):
                points += regression.tracer(target, settings, start).trace(
                    [float(self.alpha * alpha_unit(l1_ratio))]
                )
        warn_not_converged(points, settings.name_alpha)
        intercepts = [regression.intercept(point) for point in points]
        self._set_attributes(points, intercepts, X.dtype, n_features, np.ndim(y) == 1)
        return self

    def _starts(self, n_targets: int, n_features: int) -> list[Float64 | None]:
        """The coefficients to start from, for each target."""
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return [None] * n_targets
        shape = (n_features,) if n_targets == 1 else (n_targets, n_features)
        coef = checked_array(self.coef_, shape, "With warm_start=True, coef_ of the last fit")
        return list(np.atleast_2d(coef))
