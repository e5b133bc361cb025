"""The path function of generalized linear models."""

from typing import Any, Literal, Unpack, overload

from .._design.sources import source_of
from .._numerics.threads import threads_for_data
from .._validation.arrays import check_one_target, given_alphas
from .._validation.choices import FamilyName, Link, Solver
from .._validation.parameters import path_function
from .._validation.weights import checked_data, checked_penalty_weights
from .generalized_linear import Family, generalized_linear_data
from .path_arguments import CurvedPath, CurvedPathWithSweeps, GeneralizedLinearPathArguments
from .problem import DATA_ACCEPTED, FitOptions, gaps_of, sweeps_of
from .streamed_data import streamed_family

# Of the families that have no other.
POWERS = {"poisson": 1.0, "gamma": 2.0}


@overload
def glm_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[False] = ...,
    **arguments: Unpack[GeneralizedLinearPathArguments],
) -> CurvedPath: ...
@overload
def glm_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[True],
    **arguments: Unpack[GeneralizedLinearPathArguments],
) -> CurvedPathWithSweeps: ...
@overload
def glm_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: bool = ...,
    **arguments: Unpack[GeneralizedLinearPathArguments],
) -> tuple[Any, ...]: ...
@path_function
def glm_path(
    X: Any,
    y: Any = None,
    *,
    family: FamilyName = "poisson",
    power: float = 1.5,
    link: Link = "auto",
    alphas: Any = 100,
    eps: float = 1e-2,
    l1_ratio: float = 1.0,
    fit_intercept: bool = True,
    positive: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_weights: Any = None,
    coef_init: Any = None,
    solver: Solver = "auto",
    max_iter: int = 1000,
    tol: float = 1e-4,
    verbose: bool | int = 0,
    return_n_iter: bool = False,
) -> tuple[Any, ...]:
    r"""Compute the path of a generalized linear model.

    For each `alpha` of a decreasing sequence, the coefficients :math:`\theta` and the intercept b
    minimise

    .. math::

        \frac{1}{\sum_i s_i} \sum_i s_i \, \text{loss}(y_i, m_i)
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with the loss of :class:`HadamardPoissonRegressor`, :class:`HadamardGammaRegressor` or
    :class:`HadamardTweedieRegressor`, half of the unit deviance at the mean
    :math:`m_i = \exp(b + x_i^\top \theta)` (with an identity link, without exp), sample weights s,
    penalty weights w and r = `l1_ratio`. Each solution is the start of the next. Some are weighted
    means of their neighbours, which are certified like the others.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
        :class:`Batches` bring `y` and the sample weights with them; of Dask arrays and data frames
        no more than blocks are computed at a time.
    y : array-like of shape (n_samples,), default=None
        Target values, not negative; positive for 'gamma'. They need not be integers; None where
        `X` is :class:`Batches`.
    family : {'poisson', 'gamma', 'tweedie'}, default='poisson'
        Which deviance is the loss.
    power : float, default=1.5
        For 'tweedie', the power of the variance, at most 0 or at least 1.
    link : {'auto', 'log', 'identity'}, default='auto'
        For 'tweedie', as in :class:`HadamardTweedieRegressor`; for the others it is the logarithm.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero; or the alphas themselves, which have to be positive, in
        any order. None means 100.
    eps : float, default=1e-2
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. For 0, a ridge penalty alone, the alphas have to be
        given: there is no penalty at which a grid could begin.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    offset : array-like of shape (n_samples,), default=None
        What is added to the linear model of each sample, zero by default: the logarithm of the
        exposure, where `y` is counted over that.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    coef_init : array-like of shape (n_features,), default=None
        Coefficients to start from.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardPoissonRegressor`.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    verbose : bool or int, default=0
        1 prints a line for each alpha on standard error, 2 one for each iteration as well.
    return_n_iter : bool, default=False
        Whether to return the numbers of sweeps.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The alphas, largest first.
    coefs : ndarray of shape (n_features, n_alphas)
        The coefficients, of `X`'s dtype.
    intercepts : ndarray of shape (n_alphas,)
        The intercepts.
    dual_gaps : ndarray of shape (n_alphas,)
        The duality gap certified for each solution, in the units of the objective; its KKT residual
        where the loss is not convex, as in :class:`HadamardTweedieRegressor`.
    n_iters : list of int
        The sweeps that were made for each alpha, 0 where all coefficients are zero, or the solution
        is a weighted mean of two others. Returned if `return_n_iter` is True.

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
    HadamardPoissonRegressor : An estimator.
    logistic_path : The same for classes.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import glm_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = rng.poisson(np.exp(1.0 + X[:, 0] - 0.5 * X[:, 3]))
    >>> alphas, coefs, intercepts, dual_gaps = glm_path(X, y, alphas=3, eps=0.1)
    >>> (coefs != 0).sum(axis=0)
    array([0, 2, 2])
    """
    options = FitOptions(l1_ratio, fit_intercept, positive, solver, tol, max_iter, verbose)
    check_one_target("glm_path", y, "a path for each of them")
    of = Family(POWERS[family], "log") if family in POWERS else Family.of(power, link)
    data: Any
    source = source_of(X, y, sample_weight, offset)
    if source is not None:
        penalty = checked_penalty_weights(penalty_weights, source.n_features, source.names)
        data = streamed_family(source, of, penalty, options)
    else:
        X, y, penalty = checked_data(X, y, penalty_weights, DATA_ACCEPTED)
        data = generalized_linear_data(X, y, sample_weight, of, penalty, options)
        data = data.with_offset(offset)
    given = given_alphas(alphas, [l1_ratio], open_low=True)
    if coef_init is not None:
        coef_init = data.checked_start(coef_init, "coef_init")
    with threads_for_data(data.X.size):
        problem = data.problem()
        grid, (points,) = problem.paths(given, eps, coef_init)
    problem.warn_not_converged(points)
    (coefs,), (intercepts,) = problem.arrays([points])
    results = grid, coefs, intercepts, gaps_of(points)
    return (*results, sweeps_of(points)) if return_n_iter else results
