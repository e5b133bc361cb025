"""The lasso with its penalty chosen by an information criterion, as the user sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import gammaln

from .._estimators.fit_method import Task, fit_method, listeners_of
from .._estimators.linear_model import options_of
from .._estimators.linear_regressor import LinearRegressor
from .._estimators.problem import Problem
from .._numerics.linalg import column_rank
from .._numerics.rounding import ROUNDING
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64, Index
from .._path.certification import FEW
from .._path.interpolation import trace_exactly
from .._path.progress import PathPoint, warn_not_converged
from .._validation.arrays import check_one_target, given_alphas
from .._validation.choices import Criterion, Solver
from .._validation.parameters import SELECTION_CONSTRAINTS, explain_names
from .rules import print_end_of_grid


class HadamardLassoIC(LinearRegressor):
    r"""Linear model with an L1 penalty whose weight is chosen by an information criterion.

    This is :class:`sklearn.linear_model.LassoLarsIC` for data of any shape, dense or sparse, on a
    grid of alphas instead of the knots of the path. With d non-zero coefficients, the residual sum
    of squares RSS and the noise variance :math:`s^2`, the criterion is

    .. math::

        n_{\text{samples}} \log(2 \pi s^2) + \frac{\text{RSS}}{s^2} + k(d)

    where k(d) is ``2 d`` (AIC), ``2 d + 2 d (d + 1) / (n_samples - d - 1)`` (AICc),
    ``log(n_samples) d`` (BIC), or ``log(n_samples) d + 2 gamma log(n_features choose d)`` (EBIC).
    Features that `penalty_weights` leave out are not counted.

    With sample weights, `n_samples` is the number of those of positive weight, and RSS is the
    weighted sum of squares, with the weights scaled to sum to `n_samples`. This is the criterion,
    up to a constant, of a model where the noise of a sample has the variance :math:`s^2` over its
    weight.

    Parameters
    ----------
    criterion : {'aic', 'aicc', 'bic', 'ebic'}, default='aic'
        Akaike's criterion, the same corrected for few samples, the Bayesian criterion, or the
        extended one for many features.
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero; or the alphas themselves, in any order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    precompute : bool, 'auto' or array-like of shape (n_features, n_features), default='auto'
        As in :class:`HadamardLasso`.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted); to
        ``||y||^2 / n_samples`` without an intercept.
    copy_X : bool, default=True
        Without effect, because `X` is never changed. For compatibility.
    verbose : bool or int, default=False
        1 prints a line for each alpha on standard error, and one if the smallest of the grid is the
        best; 2 prints one for each iteration as well.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    noise_variance : float, default=None
        The variance :math:`s^2` of the noise. If None, the RSS of least squares on all features
        (with ``positive=True``, of non-negative least squares), over the number of samples less
        that of independent features and of the intercept. That needs more samples than features. A
        y that is linear in the features counts as known to rounding.
    ebic_gamma : float, default=1.0
        The gamma of 'ebic', from 0 (which is 'bic') to 1.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardLasso`. 'alternating' leaves very small coefficients, which count.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.

    Attributes
    ----------
    alpha_ : float
        The alpha of the smallest criterion.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    criterion_ : ndarray of shape (n_alphas,)
        The criterion at each of them.
    degrees_of_freedom_ : ndarray of shape (n_alphas,)
        The number of non-zero coefficients at each of them. It estimates the degrees of freedom
        without bias (Zou, Hastie and Tibshirani 2007) where their columns are independent, as those
        of a solution found here are; large supports of very sparse columns may not be.
    noise_variance_ : float
        The noise variance that was used.
    coef_ : ndarray of shape (n_features,)
        Coefficients at `alpha_`.
    sparse_coef_ : sparse matrix of shape (1, n_features)
        The same, sparse.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float
        Certified duality gap at `alpha_`, in the units of the objective.
    n_iter_ : int
        Sweeps at `alpha_`.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardLassoCV : Choice by cross-validation.
    sklearn.linear_model.LassoLarsIC : AIC and BIC along the path of least angle regression.

    References
    ----------
    H. Zou, T. Hastie and R. Tibshirani, "On the degrees of freedom of the lasso", Annals of
    Statistics 35 (2007) 2173-2192.

    C. M. Hurvich and C.-L. Tsai, "Regression and time series model selection in small samples",
    Biometrika 76 (1989) 297-307.

    J. Chen and Z. Chen, "Extended Bayesian information criteria for model selection with large
    model spaces", Biometrika 95 (2008) 759-771.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardLassoIC
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardLassoIC("bic").fit(X, y)
    >>> list(model.feature_names_in_[model.coef_ != 0])
    ['sex', 'bmi', 'bp', 's1', 's3', 's5', 's6']
    """

    _constraints = SELECTION_CONSTRAINTS
    alpha_: float
    alphas_: Float64
    criterion_: Float64
    degrees_of_freedom_: Index
    noise_variance_: float

    @explain_names
    def __init__(
        self,
        criterion: Criterion = "aic",
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        verbose: bool | int = False,
        positive: bool = False,
        noise_variance: float | None = None,
        ebic_gamma: float = 1.0,
        solver: Solver = "auto",
        penalty_weights: Any = None,
    ) -> None:
        self.criterion = criterion
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.verbose = verbose
        self.positive = positive
        self.noise_variance = noise_variance
        self.ebic_gamma = ebic_gamma
        self.solver = solver
        self.penalty_weights = penalty_weights

    @fit_method
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None
    ) -> HadamardLassoIC:
        """Fit the path, and keep the solution of the smallest criterion.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter: a weight is not
            a number of samples, which would have to be repeated. One of zero leaves a sample out.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.

        Returns
        -------
        self : HadamardLassoIC
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be, or the noise variance can
            not be estimated.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLassoIC
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardLassoIC("bic").fit(X, y).coef_.nonzero()[0]
        array([1, 2, 3, 4, 6, 8, 9])
        """
        options, name = options_of(self), type(self).__name__
        given = given_alphas(self.alphas, [1.0])
        instead = f"sklearn.multioutput.MultiOutputRegressor({name}())"
        check_one_target(name, y, instead)
        data = self._validated(X, y, sample_weight, offset, options)
        check_one_target(name, data.targets, instead)
        data = data.with_gram(self.precompute)
        n_samples = data.n_samples
        n_features = int((~data.penalty.left_out).sum())
        self._check_size(n_samples, n_features)
        with Task.of_fit(self, given.length) as task, threads_for_data(data.X.size):
            problem = data.problem(given.length)
            self.noise_variance_ = self._noise_variance(problem, n_samples)
            self.alphas_ = problem.grid(given, self.eps).copy()
            tracer = problem.tracer(listener=listeners_of(task, problem.printer()))
            points = trace_exactly(tracer, problem.scale.alphas(self.alphas_))
            losses = [_loss(problem, point) for point in points]
            self.degrees_of_freedom_ = np.array([point.features.size for point in points])
            squares = 2.0 * n_samples * np.array(losses)
            self.criterion_ = self._criterion(squares, n_samples, n_features)
            best = int(np.argmin(self.criterion_))
            points[best] = tracer.solved(points[best])
        self.alpha_ = float(self.alphas_[best])
        if self.verbose:
            print_end_of_grid("alpha", self.alpha_, self.alphas_)
        problem.warn_not_converged(points)
        self._set_attributes(problem, [points[best]])
        return self

    def _check_size(self, n_samples: int, n_features: int) -> None:
        """Raise a ValueError where there are too few samples to estimate the noise variance."""
        if self.noise_variance is None and n_samples <= n_features + self.fit_intercept:
            raise ValueError(
                f"The noise variance cannot be estimated from {n_samples} samples of {n_features} "
                "features: there have to be more samples than coefficients. Give noise_variance."
            )

    def _noise_variance(self, problem: Problem, n_samples: int) -> float:
        """The one given, or that of the residuals of least squares."""
        if self.noise_variance is not None:
            return float(self.noise_variance)
        none = np.zeros_like(problem.penalty_weights)
        tracer = replace(problem, penalty_weights=none).tracer()
        point = tracer.solve(1.0)
        warn_not_converged([point], lambda alpha: "alpha=0 (for the noise variance)")
        design, features = problem.unpenalised.design, point.features
        if self.positive:  # those at zero count as well
            features = np.setdiff1d(np.flatnonzero(~design.left_out), design.constant)
        rank = features.size
        if rank * design.shape[0] <= FEW:  # some may depend on others
            rank = column_rank(design.block(features))
        left = n_samples - rank - int(self.fit_intercept)
        variance = n_samples * 2.0 * _loss(problem, point) / left
        return max(variance, ROUNDING * tracer.problem.term.scale, float(np.finfo(np.float64).tiny))

    def _criterion(self, squares: Float64, n: int, p: int) -> Float64:
        """The criterion, for residual sums of squares."""
        sizes = self.degrees_of_freedom_
        cost = {"aic": 2.0, "aicc": 2.0, "bic": np.log(n), "ebic": np.log(n)}
        penalty = cost[self.criterion] * sizes
        if self.criterion == "aicc":
            with np.errstate(divide="ignore"):
                correction = 2.0 * sizes * (sizes + 1.0) / np.maximum(n - sizes - 1.0, 0.0)
            penalty = penalty + np.where(sizes > 0, correction, 0.0)
        if self.criterion == "ebic":
            choices = gammaln(p + 1.0) - gammaln(sizes + 1.0) - gammaln(p - sizes + 1.0)
            penalty = penalty + 2.0 * self.ebic_gamma * choices
        variance = self.noise_variance_
        return np.asarray(n * np.log(2.0 * np.pi * variance) + squares / variance + penalty)


def _loss(problem: Problem, point: PathPoint) -> float:
    """Half the weighted mean of squared residuals at a point."""
    working_set, term = problem.unpenalised.working_set, problem.unpenalised.terms[0]
    theta = point.dense(problem.penalty_weights.size)[working_set.features]
    return float(term.loss_at(working_set, theta))
