"""What the user sees of the lasso: the estimator."""

from __future__ import annotations

import warnings
from typing import Any

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
from ._lasso_path import (
    ACCEPTED,
    SHARED_CONSTRAINTS,
    as_columns,
    checked_precompute,
    lasso_path,
    path_settings,
)
from ._linalg import threads_for_data
from ._path import PathPoint
from ._regression import Regression
from ._typing import Float64

ESTIMATOR_CONSTRAINTS: Constraints = {
    "alpha": (real(0.0),),
    "fit_intercept": (BOOLEAN,),
    "warm_start": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
}


class HadamardLasso(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Linear model with an L1 penalty, fitted exactly by alternating ridge regressions.

    A drop-in replacement of :class:`sklearn.linear_model.Lasso`. It minimises::

        1 / (2 * n_samples) * ||y - X coef - intercept||^2 + alpha * ||coef||_1

    or, with sample weights s and penalty weights w::

        1 / (2 * sum(s)) * sum_i s_i (y_i - x_i'coef - intercept)^2 + alpha * sum_j w_j |coef_j|

    The coefficients are written as a product, ``coef = mu * nu``, which turns the L1 penalty into a
    ridge penalty on mu and nu. Each of them is updated in closed form while the other is held: a
    sweep. After each sweep, the limit that the sweeps are heading for is computed in closed form as
    well, and taken if the objective goes down. The result is certified by a duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 the fit is ordinary least squares, which
        :class:`sklearn.linear_model.LinearRegression` does better.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    precompute : bool, 'auto' or array-like of shape (n_features, n_features), default=False
        The Gram matrix ``X.T @ (s[:, None] * X)`` of centred `X`, with weights s of mean one; or
        True to form it before anything else. With False and 'auto', which mean the same, it is
        formed where that is expected to save time, when there are many more samples than features.
    copy_X : bool, default=True
        Without effect, as `X` is never changed. For compatibility.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted).
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Without effect, as nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, as coordinates are not updated one by one. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': sweeps, each followed by the limit in closed form. Exact to rounding on the
          working set; usually a single sweep.
        - 'alternating': sweeps alone, the alternating ridge regressions of Hoff (2017), until the
          duality gap is reached. Linear convergence: for study, and for comparison. Coefficients
          are set to zero where the gap certifies it; others may be very small instead.
    penalty_weights : array-like of shape (n_features,), default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised.
    verbose : bool or int, default=0
        Whether to print a line for each fit on standard error.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, of `X`'s dtype.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,) or (n_targets, n_features)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients as well.
    n_iter_ : int or list of int
        Sweeps; 0 where all coefficients were zero from the start.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    lasso_path : Solutions for a sequence of alphas.
    sklearn.linear_model.Lasso : The same problem, by coordinate descent.

    Notes
    -----
    `X` is neither copied nor changed, dense (in any memory layout) or sparse (CSR, CSC); only the
    columns that take part are. float32 data are kept as they are, the arithmetic is in float64.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    C. Poon and G. Peyre, "Smooth bilevel programming for sparse regularization", Advances in Neural
    Information Processing Systems 34 (2021).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardLasso
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardLasso(alpha=0.5).fit(X, y)
    >>> list(model.feature_names_in_[model.coef_ != 0])
    ['bmi', 'bp', 's3', 's5']
    >>> bool(model.dual_gap_ < 1e-9)
    True
    """

    path = staticmethod(lasso_path)

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> HadamardLasso:
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
        self : HadamardLasso
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
        check_parameters(type(self).__name__, parameters, ESTIMATOR_CONSTRAINTS)
        X, y = validate_data(self, X, y, **ACCEPTED)
        targets = as_columns(y)
        n_features = X.shape[1]
        weights = normalised_weights(sample_weight, X)
        precompute = checked_precompute(self.precompute, n_features)
        starts = self._starts(targets.shape[1], n_features)
        settings = path_settings(parameters, n_features, X.dtype)
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=2,
            )
        points = []
        with threads_for_data(X.shape):
            regression = Regression(X, targets, weights, self.fit_intercept, precompute, 1)
            for target, start in enumerate(starts):
                points += regression.tracer(target, settings, start).trace([float(self.alpha)])
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
