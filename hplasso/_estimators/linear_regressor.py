"""What every estimator of least squares has in common: its data, attributes and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scipy import sparse
from sklearn.base import RegressorMixin
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from .._numerics.error_state import in_own_error_state
from .._path.progress import PathPoint
from .._solver.hadamard import balance
from .._validation.weights import PenaltyWeights
from .least_squares_problem import ACCEPTED, LeastSquaresData, least_squares_data
from .linear_model import LinearModel, chosen_parameters
from .options import FitOptions
from .problem import Problem, gaps_of, sweeps_of
from .to_sklearn import fitted_as


class LinearRegressor(RegressorMixin, LinearModel):
    """The base of estimators of least squares; abstract, as `LinearModel` is."""

    coef_: Any
    _accepted = ACCEPTED

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> LeastSquaresData:
        return least_squares_data(X, y, sample_weight, penalty, options)

    def _set_attributes(
        self, problem: Problem, points: Sequence[PathPoint], flat: bool = True
    ) -> None:
        """Turn the solutions, one for each target, into scikit-learn's attributes."""
        single = len(points) == 1
        coefs, intercepts = problem.arrays([[point] for point in points])
        gaps, sweeps = gaps_of(points), sweeps_of(points)
        self.coef_ = coefs[0, :, 0] if single else coefs[..., 0]
        self.mu_, self.nu_ = balance(self.coef_)
        self.dual_gap_ = gaps[0] if single else gaps
        self.n_iter_ = sweeps[0] if single else sweeps
        self.intercept_ = 0.0
        if self.fit_intercept:
            self.intercept_ = intercepts[0, 0] if flat else intercepts[:, 0]

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
