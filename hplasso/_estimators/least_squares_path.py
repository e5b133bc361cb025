"""The path functions of penalised least squares, and what they share with the estimators."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_X_y

from .._numerics.error_state import in_own_error_state
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.interpolation import trace_by_chords
from .._path.progress import Printer, warn_not_converged
from .._path.settings import PathSettings, alpha_unit, ridge_ratio_of
from .._penalties.l1 import L1Penalty
from .._solver.sweeps_and_finish import SOLVERS
from .._validation.grids import check_grid, checked_grid
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    MAPPING,
    NONE,
    RANDOM_STATE,
    Constraints,
    check_parameters,
    checked_array,
    integer,
    one_of,
    real,
)
from .._validation.sklearn_names import explain_names
from .._validation.weights import checked_penalty_weights, feature_names, normalised_weights
from .regression import regression_of

SHARED_CONSTRAINTS: Constraints = {
    "precompute": (BOOLEAN, one_of("auto"), ARRAY),
    "copy_X": (BOOLEAN,),
    "max_iter": (integer(1),),
    "tol": (real(0.0),),
    "positive": (BOOLEAN,),
    "random_state": (RANDOM_STATE,),
    "selection": (one_of("cyclic", "random"),),
    "solver": (one_of(*SOLVERS),),
    "penalty_weights": (ARRAY, MAPPING, NONE),
    "verbose": (BOOLEAN, integer(0)),
}
PATH_CONSTRAINTS: Constraints = {
    "l1_ratio": (real(0.0, 1.0),),
    "eps": (real(0.0, 1.0, open_low=True),),
    "alphas": (integer(1), ARRAY, NONE),
    "fit_intercept": (BOOLEAN,),
    "check_input": (BOOLEAN,),
    "return_n_iter": (BOOLEAN,),
    "return_intercept": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
}

# Training data, in the words of scikit-learn's checks.
ACCEPTED: dict[str, Any] = {
    "accept_sparse": ["csc", "csr"],
    "dtype": [np.float64, np.float32],
    "multi_output": True,
    "y_numeric": True,
    "ensure_all_finite": False,  # but by the design
}


@explain_names
@in_own_error_state
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
        As of :class:`HadamardLasso`.
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
    return _path("lasso_path", X, y, 1.0, locals())


@explain_names
@in_own_error_state
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
        As of :class:`HadamardElasticNet`.
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
    return _path("enet_path", X, y, l1_ratio, locals())


def _path(
    name: str, X: Any, y: Any, l1_ratio: float, parameters: Mapping[str, Any]
) -> tuple[Any, ...]:
    """What `enet_path` and `lasso_path` do."""
    check_parameters(name, {"l1_ratio": l1_ratio, **parameters}, PATH_CONSTRAINTS)
    names = None if parameters["penalty_weights"] is None else feature_names(X)
    X, y = check_X_y(X, y, **ACCEPTED)
    targets = as_columns(y)
    n_features, n_targets = X.shape[1], targets.shape[1]
    weights = normalised_weights(parameters["sample_weight"], X)
    penalty_weights, left_out = checked_penalty_weights(
        parameters["penalty_weights"], n_features, names
    )
    parameters = {**parameters, "penalty_weights": penalty_weights}
    settings = path_settings(parameters, l1_ratio, X.dtype)
    Xy, coef_init = parameters["Xy"], parameters["coef_init"]
    if Xy is not None:
        shape = (n_features,) if np.ndim(Xy) == 1 else (n_features, n_targets)
        Xy = as_columns(checked_array(Xy, shape, "Xy"))
    if coef_init is not None:
        coef_init = checked_array(coef_init, (n_features,), "coef_init")
    grid = checked_alphas(parameters["alphas"])
    check_grid("alphas", grid, [l1_ratio])
    length = grid if isinstance(grid, int) else len(grid)
    precompute = checked_precompute(parameters["precompute"], n_features)
    with threads_for_data(X.size):
        regression = regression_of(
            X, targets, weights, bool(parameters["fit_intercept"]), precompute, length, Xy, left_out
        )
        start = None if isinstance(grid, int) else coef_init  # a grid begins at zero
        tracers = [regression.tracer(target, settings, start) for target in range(n_targets)]
        if isinstance(grid, int):
            first = max(tracer.alpha_max() for tracer in tracers) / l1_ratio
            grid = alpha_grid(first, parameters["eps"], grid)
        if start is not coef_init:
            tracers = [regression.tracer(t, settings, coef_init) for t in range(n_targets)]
        paths = [trace_by_chords(tracer, alpha_unit(l1_ratio) * grid) for tracer in tracers]
    warn_not_converged([point for path in paths for point in path], settings.name_alpha)
    coefs = np.zeros((n_targets, n_features, len(grid)), dtype=X.dtype)
    for path, coef in zip(paths, coefs, strict=True):
        rows = np.concatenate([point.features for point in path])
        columns = np.repeat(np.arange(len(path)), [point.features.size for point in path])
        coef[rows, columns] = np.concatenate([point.values for point in path])
    gaps = np.array([[point.gap for point in path] for path in paths])
    results: list[Any] = [coefs, gaps]
    if parameters["return_n_iter"]:
        results.append([[point.sweeps for point in path] for path in paths])
    if parameters["return_intercept"]:
        intercepts = [[regression.intercept(point) for point in path] for path in paths]
        results.append(np.array(intercepts, dtype=X.dtype))
    return (grid, *(result[0] for result in results)) if np.ndim(y) == 1 else (grid, *results)


def path_settings(parameters: Mapping[str, Any], l1_ratio: float, dtype: Any) -> PathSettings:
    """The solver's settings from the parameters that estimators and path functions share.

    Penalty weights have been checked. Inside, alpha weighs the L1 penalty alone, or the ridge
    penalty where it is alone.
    """
    verbose, unit = int(parameters["verbose"]), alpha_unit(l1_ratio)

    def name_alpha(alpha: float) -> str:
        return f"alpha={alpha / unit:.6g}"

    return PathSettings(
        L1Penalty(
            parameters["penalty_weights"],
            ridge_ratio_of(l1_ratio),
            bool(parameters["positive"]),
        ),
        parameters["solver"],
        float(parameters["tol"]),
        int(parameters["max_iter"]),
        Printer(verbose, name_alpha) if verbose else None,
        dtype,
        name_alpha,
    )


def alpha_grid(alpha_max: float, eps: float, n_alphas: int) -> Float64:
    """`n_alphas` values from `alpha_max` down to ``eps * alpha_max``, evenly on a log scale."""
    resolution = float(np.finfo(np.float64).resolution)
    if alpha_max <= resolution:
        return np.full(n_alphas, resolution)
    return alpha_max * np.geomspace(1.0, eps, n_alphas)


def checked_alphas(alphas: Any) -> int | Float64:
    """The number of alphas, which is 100 for None, or the alphas in decreasing order."""
    if alphas is None:
        return 100
    if isinstance(alphas, numbers.Integral):
        return int(alphas)
    return checked_grid(alphas, "alphas")[::-1]


def checked_precompute(precompute: Any, n_features: int) -> bool | str | Float64:
    """True, False, 'auto', or a Gram matrix of the right shape."""
    if isinstance(precompute, str):
        return precompute
    if np.ndim(precompute) == 0:
        return bool(precompute)
    return checked_array(precompute, (n_features, n_features), "precompute")


def as_columns(y: Any) -> Float64:
    """A validated y as float64 of shape (n_samples, n_targets)."""
    if not isinstance(y, np.ndarray):  # a sparse matrix: this says so
        check_array(y, ensure_2d=False, input_name="y")
    y = np.asarray(y, dtype=np.float64)
    return y[:, None] if y.ndim == 1 else y
