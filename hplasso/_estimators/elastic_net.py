"""The elastic net, as the user sees it: the path function and the estimator."""

from typing import Any, Literal, Unpack, overload

from .._validation.choices import Selection, Solver
from .._validation.parameters import explain_names, path_function
from .linear_regressor import LeastSquaresEstimator, least_squares_path, path_data
from .path_arguments import (
    ElasticNetPathArguments,
    Paths,
    PathsWithBoth,
    PathsWithIntercepts,
    PathsWithSweeps,
)
from .problem import FitOptions


@overload
def enet_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[False] = ...,
    return_intercept: Literal[False] = ...,
    **arguments: Unpack[ElasticNetPathArguments],
) -> Paths: ...
@overload
def enet_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[True],
    return_intercept: Literal[False] = ...,
    **arguments: Unpack[ElasticNetPathArguments],
) -> PathsWithSweeps: ...
@overload
def enet_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[False] = ...,
    return_intercept: Literal[True],
    **arguments: Unpack[ElasticNetPathArguments],
) -> PathsWithIntercepts: ...
@overload
def enet_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[True],
    return_intercept: Literal[True],
    **arguments: Unpack[ElasticNetPathArguments],
) -> PathsWithBoth: ...
@overload
def enet_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: bool = ...,
    return_intercept: bool = ...,
    **arguments: Unpack[ElasticNetPathArguments],
) -> tuple[Any, ...]: ...
@path_function
def enet_path(
    X: Any,
    y: Any = None,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    check_input: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    fit_intercept: bool = False,
    return_intercept: bool = False,
    positive: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_weights: Any = None,
    solver: Solver = "auto",
    max_iter: int = 1000,
    tol: float = 1e-4,
    random_state: Any = None,
    selection: Selection = "cyclic",
) -> tuple[Any, ...]:
    r"""Compute the path of the elastic net: solutions for a decreasing sequence of penalties.

    For each `alpha` of the sequence, the coefficients :math:`\theta` and the intercept b minimise

    .. math::

        \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - b - x_i^\top \theta)^2
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with the sample weights s, the penalty weights w and r = `l1_ratio`. As in
    :func:`sklearn.linear_model.enet_path`, b is zero by default; `fit_intercept` fits one.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
        :class:`Batches` bring `y` and the sample weights with them; of Dask arrays and data frames
        no more than blocks are computed at a time.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        Target values. The columns are fitted one by one, on one grid of alphas. None where `X` is
        :class:`Batches`.
    l1_ratio : float, default=0.5
        Share of the L1 penalty, in [0, 1]. For 0, ridge regression, the alphas have to be given:
        there is no penalty at which a grid could begin.
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero; or the alphas themselves, in any order. None means 100.
    precompute : bool, 'auto' or array-like of shape (n_features, n_features), default='auto'
        The Gram matrix ``X.T @ (s[:, None] * X)``, with weights s of mean one; or True to form it
        before anything else. With 'auto' and False it is formed where that is expected to save
        time, when there are many more samples than features. A given one is computed again, with
        a warning, where `fit_intercept` finds `X` not centred.
    Xy : array-like of shape (n_features,) or (n_features, n_targets), default=None
        ``X.T @ (s * y)``, for y less the offset; used if the Gram matrix is given.
    copy_X : bool, default=True
        Without effect, because `X` is never changed. For compatibility.
    check_input : bool, default=True
        Without effect, because `X` and `y` are always checked. For compatibility.
    coef_init : array-like of shape (n_features,), default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        1 prints a line for each alpha on standard error, 2 one for each iteration as well;
        with ``solver='alternating'``, for each working set.
    return_n_iter : bool, default=False
        Whether to return the numbers of sweeps.
    fit_intercept : bool, default=False
        Whether to fit an intercept at each alpha, which is not penalised. The solutions and
        ``alpha_max`` are then those of the estimator; centred `X` and `y` give the same
        coefficients. Sparse `X` stays sparse.
    return_intercept : bool, default=False
        Whether to return the intercepts.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    offset : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
        What is added to the linear model of each sample, zero by default: a known part of `y`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardElasticNet`.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y||^2 / n_samples``, or with an intercept to
        ``||y - mean(y)||^2 / n_samples`` (weighted). Between two alphas that are solved, others get
        a weighted mean of the two solutions where its gap is no larger; for ``tol <= 1e-9`` or
        ``l1_ratio=0`` every alpha is solved.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, because coordinates are not updated one by one. For compatibility.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The alphas, largest first.
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
        The coefficients, of `X`'s dtype.
    dual_gaps : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
        The duality gap certified for each solution, in the units of the objective.
    n_iters : list of int, or list of such lists
        The sweeps that were made for each alpha, 0 where all coefficients are zero, or the solution
        is a weighted mean of two others. Returned if `return_n_iter` is True.
    intercepts : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
        The intercepts, of `X`'s dtype; zero without `fit_intercept`. Returned, as the last, if
        `return_intercept` is True.

    Raises
    ------
    ValueError
        If a parameter, `X`, `y` or a weight is not what it has to be.

    Warns
    -----
    ConvergenceWarning
        If the gap asked for was not reached.

    See Also
    --------
    lasso_path : Without ridge penalty.
    HadamardElasticNet : The estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import enet_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> alphas, coefs, dual_gaps = enet_path(X, y - y.mean(), alphas=5, l1_ratio=0.8)
    >>> (coefs != 0).sum(axis=0)
    array([ 0,  9,  9, 10, 10])
    """
    options = FitOptions(l1_ratio, fit_intercept, positive, solver, tol, max_iter, verbose)
    data = path_data(X, y, sample_weight, offset, penalty_weights, options)
    data = data.with_gram(precompute, Xy)
    return least_squares_path(data, alphas, eps, coef_init, return_n_iter, return_intercept)


class HadamardElasticNet(LeastSquaresEstimator):
    r"""Linear model with L1 and ridge penalties, fitted exactly by alternating ridge regressions.

    A drop-in replacement of :class:`sklearn.linear_model.ElasticNet`. The coefficients
    :math:`\theta` and the intercept b minimise

    .. math::

        \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - b - x_i^\top \theta)^2
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with sample weights s, penalty weights w and r = `l1_ratio`. The ridge penalty adds to the
    diagonal of the Gram matrix. All else is as in :class:`HadamardLasso`.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 the fit is ordinary least squares, for which
        :class:`sklearn.linear_model.LinearRegression` is better.
    l1_ratio : float, default=0.5
        Share r of the L1 penalty, in [0, 1]. With 0 the fit is a ridge regression, and no
        coefficient is zero unless `positive` makes it so.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    precompute : bool, 'auto' or array-like of shape (n_features, n_features), default=False
        The Gram matrix ``X.T @ (s[:, None] * X)``, with weights s of mean one; or True to form it
        before anything else. With False and 'auto', which mean the same, it is formed where that is
        expected to save time, when there are many more samples than features. A given one is
        computed again, with a warning, where `fit_intercept` finds `X` not centred.
    copy_X : bool, default=True
        Without effect, because `X` is never changed. For compatibility.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted); to
        ``||y||^2 / n_samples`` without an intercept.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, because coordinates are not updated one by one. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': a sweep, then, in closed form, the solution with the support and signs that the
          sweep shows, and so on from one support to the next. There are more sweeps where this does
          not lower the objective. Exact to rounding on the working set; as exact as `tol` asks on
          large supports of very sparse columns, and on those of more than 150 features that are
          more than half as many as the samples.
        - 'alternating': sweeps alone, the alternating ridge regressions of Hoff (2017), until the
          duality gap is reached. Linear convergence: for study, and for comparison. Coefficients
          are set to zero where the gap certifies it; others may be very small instead.

        With ``l1_ratio=0`` both are the same: a sweep is one ridge regression, with the factor nu
        held at one, and its own limit.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised in either way, one of weight inf is left out. A dict or a pandas.Series with names
        is matched by the names of the features; those that it does not have get weight one.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well;
        with ``solver='alternating'``, for each working set.

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
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    enet_path : Solutions for a sequence of alphas.
    HadamardLasso : Without ridge penalty.
    sklearn.linear_model.ElasticNet : The same problem, by coordinate descent.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", Journal of
    the Royal Statistical Society B 67 (2005) 301-320.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardElasticNet
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardElasticNet(alpha=0.1, l1_ratio=0.9).fit(X, y)
    >>> list(model.feature_names_in_[model.coef_ == 0])
    []
    """

    path = staticmethod(enet_path)

    @explain_names
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: Selection = "cyclic",
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
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
