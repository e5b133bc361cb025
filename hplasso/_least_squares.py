"""Estimators of penalised least squares: fit, predict, fitted attributes."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from ._base import (
    BOOLEAN,
    Constraints,
    check_parameters,
    checked_array,
    normalised_weights,
    real,
)
from ._hadamard import balance
from ._least_squares_path import (
    ACCEPTED,
    SHARED_CONSTRAINTS,
    as_columns,
    checked_precompute,
    path_settings,
)
from ._linalg import threads_for_data
from ._path import PathPoint
from ._regression import Regression
from ._typing import Float64

ESTIMATOR_CONSTRAINTS: Constraints = {
    "alpha": (real(0.0),),
    "l1_ratio": (real(0.0, 1.0, open_low=True),),
    "fit_intercept": (BOOLEAN,),
    "warm_start": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
}


class LeastSquaresEstimator(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What :class:`HadamardLasso` and :class:`HadamardElasticNet` have in common."""

    coef_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
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
        l1_ratio = parameters.setdefault("l1_ratio", 1.0)
        check_parameters(type(self).__name__, parameters, ESTIMATOR_CONSTRAINTS)
        X, y = validate_data(self, X, y, **ACCEPTED)
        targets = as_columns(y)
        n_features = X.shape[1]
        weights = normalised_weights(sample_weight, X)
        precompute = checked_precompute(self.precompute, n_features)
        starts = self._starts(targets.shape[1], n_features)
        settings = path_settings(parameters, l1_ratio, n_features, X.dtype)
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=2,
            )
        points = []
        with threads_for_data(X.size):
            regression = Regression(X, targets, weights, self.fit_intercept, precompute, 1)
            for target, start in enumerate(starts):
                points += regression.tracer(target, settings, start).trace(
                    [float(self.alpha * l1_ratio)]
                )
        intercepts = [regression.intercept(point) for point in points]
        self._set_attributes(points, intercepts, X.dtype, n_features, np.ndim(y) == 1)
        return self

    def _starts(self, n_targets: int, n_features: int) -> list[Float64 | None]:
        """The coefficients to start from, for each target."""
        if not self.warm_start or not hasattr(self, "coef_"):
            return [None] * n_targets
        shape = (n_features,) if n_targets == 1 else (n_targets, n_features)
        coef = checked_array(self.coef_, shape, "With warm_start=True, coef_ of the last fit")
        return list(np.atleast_2d(coef))

    def _set_attributes(
        self,
        points: list[PathPoint],
        intercepts: list[float],
        dtype: Any,
        n_features: int,
        flat: bool,
    ) -> None:
        """Turn the solutions into scikit-learn's attributes."""
        single = len(points) == 1
        coef = np.array([point.dense(n_features) for point in points], dtype=dtype)
        gaps = np.array([point.gap for point in points])
        self.coef_ = coef[0] if single else coef
        self.mu_, self.nu_ = balance(self.coef_)
        self.dual_gap_ = gaps[0] if single else gaps
        self.n_iter_ = points[0].sweeps if single else [point.sweeps for point in points]
        if self.fit_intercept:
            intercept = np.array(intercepts, dtype=dtype)
            self.intercept_ = intercept[0] if flat else intercept
        else:
            self.intercept_ = 0.0

    def predict(self, X: Any) -> Any:
        """Predict with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predicted values.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)
        return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    @property
    def sparse_coef_(self) -> Any:
        """Sparse representation of the fitted `coef_`."""
        return sparse.csr_matrix(self.coef_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
