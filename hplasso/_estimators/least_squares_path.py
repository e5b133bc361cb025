"""The path functions of penalised least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numerics.threads import threads_for_data
from .._validation.grids import given_alphas
from .._validation.parameters import checked_array
from .._validation.weights import checked_data
from .parameters import FitOptions, path_function
from .problem import gaps_of, sweeps_of
from .regression import ACCEPTED, LeastSquaresData, least_squares_data


@path_function
def lasso_path(
    X: Any,
    y: Any,
    *,
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
    penalty_weights: Any = None,
    solver: str = "auto",
    max_iter: int = 1000,
    tol: float = 1e-4,
    random_state: Any = None,
    selection: str = "cyclic",
) -> tuple[Any, ...]:
    """Compute the lasso path: solutions for a decreasing sequence of penalties.

    For each `alpha` of the sequence, the minimiser of::

        1 / (2 * sum(s)) * sum_i s_i (y_i - b - x_i'coef)^2 + alpha * sum_j w_j |coef_j|

    with the sample weights s, the penalty weights w and the intercept b. As in
    :func:`sklearn.linear_model.lasso_path`, b is zero by default; `fit_intercept` fits one.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target values. The columns are fitted one by one, on one grid of alphas.
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
        ``X.T @ (s * y)``; used if the Gram matrix is given.
    copy_X : bool, default=True
        Without effect, as `X` is never changed. For compatibility.
    check_input : bool, default=True
        Without effect, as `X` and `y` are always checked. For compatibility.
    coef_init : array-like of shape (n_features,), default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        1 prints a line for each alpha on standard error, 2 one for each iteration as well.
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
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardLasso`.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y||^2 / n_samples``, or with an intercept to
        ``||y - mean(y)||^2 / n_samples`` (weighted). Between two alphas that are solved, others get
        the mean of the two solutions where its gap is no larger; for ``tol <= 1e-9`` every alpha is
        solved.
    random_state : int, RandomState instance or None, default=None
        Without effect, as nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, as coordinates are not updated one by one. For compatibility.

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
        is the mean of two others. Returned if `return_n_iter` is True.
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
    HadamardLasso : The estimator.
    enet_path : With a ridge penalty in addition.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import lasso_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> alphas, coefs, dual_gaps = lasso_path(X, y - y.mean(), alphas=5)
    >>> (coefs != 0).sum(axis=0)
    array([ 0,  4,  7,  9, 10])
    >>> *_, intercepts = lasso_path(X, y, alphas=5, fit_intercept=True, return_intercept=True)
    >>> intercepts.round(1)
    array([152.1, 152.1, 152.1, 152.1, 152.1])
    """
    options = FitOptions(1.0, fit_intercept, positive, solver, tol, max_iter, verbose)
    data = _data(X, y, sample_weight, penalty_weights, options).with_gram(precompute, Xy)
    return _path(data, alphas, eps, coef_init, return_n_iter, return_intercept)


@path_function
def enet_path(
    X: Any,
    y: Any,
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
    penalty_weights: Any = None,
    solver: str = "auto",
    max_iter: int = 1000,
    tol: float = 1e-4,
    random_state: Any = None,
    selection: str = "cyclic",
) -> tuple[Any, ...]:
    """Compute the path of the elastic net: solutions for a decreasing sequence of penalties.

    For each `alpha` of the sequence, the minimiser of::

        1 / (2 * sum(s)) * sum_i s_i (y_i - b - x_i'coef)^2
            + alpha * sum_j w_j (l1_ratio |coef_j| + (1 - l1_ratio) / 2 * coef_j^2)

    with the sample weights s, the penalty weights w and the intercept b. As in
    :func:`sklearn.linear_model.enet_path`, b is zero by default; `fit_intercept` fits one.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target values. The columns are fitted one by one, on one grid of alphas.
    l1_ratio : float, default=0.5
        Share of the L1 penalty, in [0, 1]. For 0, ridge regression, the alphas have to be given:
        no coefficient enters that a grid could begin at.
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
        ``X.T @ (s * y)``; used if the Gram matrix is given.
    copy_X : bool, default=True
        Without effect, as `X` is never changed. For compatibility.
    check_input : bool, default=True
        Without effect, as `X` and `y` are always checked. For compatibility.
    coef_init : array-like of shape (n_features,), default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        1 prints a line for each alpha on standard error, 2 one for each iteration as well.
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
        the mean of the two solutions where its gap is no larger; for ``tol <= 1e-9`` or
        ``l1_ratio=0`` every alpha is solved.
    random_state : int, RandomState instance or None, default=None
        Without effect, as nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, as coordinates are not updated one by one. For compatibility.

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
        is the mean of two others. Returned if `return_n_iter` is True.
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
    data = _data(X, y, sample_weight, penalty_weights, options).with_gram(precompute, Xy)
    return _path(data, alphas, eps, coef_init, return_n_iter, return_intercept)


def _data(
    X: Any, y: Any, sample_weight: Any, penalty_weights: Any, options: FitOptions
) -> LeastSquaresData:
    """What a path function is given, checked."""
    accepted = ACCEPTED | {"multi_output": True}
    X, y, penalty = checked_data(X, y, penalty_weights, accepted)
    return least_squares_data(X, y, sample_weight, penalty, options)


def _path(
    data: LeastSquaresData,
    alphas: Any,
    eps: float,
    coef_init: Any,
    return_n_iter: bool,
    return_intercept: bool,
) -> tuple[Any, ...]:
    """What a path function returns."""
    if coef_init is not None:
        coef_init = checked_array(coef_init, (data.X.shape[1],), "coef_init")
    given = given_alphas(alphas, [data.options.l1_ratio])
    with threads_for_data(data.X.size):
        problem = data.problem(given.length)
        grid, paths = problem.paths(given, eps, coef_init)
    problem.warn_not_converged([point for path in paths for point in path])
    coefs, intercepts = problem.arrays(paths)
    results: list[Any] = [coefs, np.array([gaps_of(path) for path in paths])]
    if return_n_iter:
        results.append([sweeps_of(path) for path in paths])
    if return_intercept:
        results.append(intercepts)
    return (grid, *(result[0] for result in results)) if data.flat else (grid, *results)
