"""What every estimator of least squares can do once it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from .._numerics.error_state import in_own_error_state
from .._path.progress import PathPoint
from .._solver.hadamard import balance
from .callbacks import LinearModel, chosen_parameters, fitted_as


class LinearRegressor(LinearModel, RegressorMixin, BaseEstimator):
    """Coefficients and intercept: how they are set, and what is done with them."""

    coef_: Any

    def _set_attributes(
        self,
        points: Sequence[PathPoint],
        intercepts: Sequence[float],
        dtype: Any,
        n_features: int,
        flat: bool = True,
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

    @in_own_error_state
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

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For whatever knows scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.Lasso or sklearn.linear_model.ElasticNet
            As fitted, without penalty weights and `solver`; cross-validated ones at the alpha
            that was chosen.
        """
        check_is_fitted(self)
        parameters = chosen_parameters(self)
        if isinstance(parameters["precompute"], str):
            parameters["precompute"] = False
        return fitted_as(ElasticNet if "l1_ratio" in parameters else Lasso, parameters, self)

    @property
    def sparse_coef_(self) -> Any:
        """Sparse representation of the fitted `coef_`."""
        return sparse.csr_matrix(self.coef_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
