"""The path function of logistic regression."""

from __future__ import annotations

from typing import Any

from .._numerics.threads import threads_for_data
from .._validation.grids import given_Cs
from .._validation.weights import checked_data
from .classification import LogisticData, encode
from .parameters import FitOptions, path_function
from .problem import DATA_ACCEPTED, gaps_of, sweeps_of


@path_function
def logistic_path(
    X: Any,
    y: Any,
    *,
    Cs: Any = 100,
    eps: float = 1e-2,
    l1_ratio: float = 1.0,
    fit_intercept: bool = True,
    class_weight: Any = None,
    sample_weight: Any = None,
    penalty_weights: Any = None,
    coef_init: Any = None,
    solver: str = "auto",
    max_iter: int = 100,
    tol: float = 1e-4,
    verbose: bool | int = 0,
    return_n_iter: bool = False,
) -> tuple[Any, ...]:
    """Compute the path of logistic regression: solutions for an increasing sequence of C.

    For each `C` of the sequence, the minimiser of::

        C * sum_i s_i loss_i + sum_j w_j (l1_ratio |coef_j| + (1 - l1_ratio) / 2 * coef_j^2)

    with the loss of :class:`HadamardLogisticRegression`, sample weights s and penalty weights w.
    Each solution is the start of the next; some are means of their neighbours, which are certified
    like the others.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
    y : array-like of shape (n_samples,)
        Class labels of any type.
    Cs : int or array-like, default=100
        Number of values on a geometric grid that starts at the largest C for which all penalised
        coefficients are zero (:func:`sklearn.svm.l1_min_c` computes the same number for the plain
        problem); or the values themselves, in any order.
    eps : float, default=1e-2
        Length of the path: ``C_first / C_last``. Used if `Cs` is an int.
    l1_ratio : float, default=1.0
        Share of the L1 penalty, in [0, 1]. For 0, a ridge penalty alone, the values of C have to be
        given: no coefficient enters that a grid could begin at.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    class_weight : dict or 'balanced', default=None
        As in :class:`HadamardLogisticRegression`.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    coef_init : array-like of shape (n_features,) or (n_classes, n_features), default=None
        Coefficients to start from.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardLogisticRegression`.
    max_iter : int, default=100
        Largest number of sweeps for each C.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    verbose : bool or int, default=0
        1 prints a line for each C on standard error, 2 one for each iteration as well.
    return_n_iter : bool, default=False
        Whether to return the numbers of sweeps.

    Returns
    -------
    Cs : ndarray of shape (n_Cs,)
        The values of C, smallest first.
    coefs : ndarray of shape (n_features, n_Cs) or (n_classes, n_features, n_Cs)
        The coefficients, of `X`'s dtype; with an axis of classes if there are three or more.
    intercepts : ndarray of shape (n_Cs,) or (n_classes, n_Cs)
        The intercepts.
    dual_gaps : ndarray of shape (n_Cs,)
        The duality gap certified for each solution, in the units of the mean loss: of the objective
        divided by ``C * sum(s)``.
    n_iters : list of int
        The sweeps that were made for each C, 0 where all coefficients are zero, or the solution is
        the mean of two others. Returned if `return_n_iter` is True.

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
    HadamardLogisticRegression : The estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from hplasso import logistic_path
    >>> X, y = load_iris(return_X_y=True)
    >>> Cs, coefs, intercepts, dual_gaps = logistic_path(X, y, Cs=4)
    >>> (coefs != 0).sum(axis=(0, 1))
    array([0, 2, 2, 4])
    """
    options = FitOptions(l1_ratio, fit_intercept, False, solver, tol, max_iter, verbose)
    X, y, penalty = checked_data(X, y, penalty_weights, DATA_ACCEPTED)
    data = LogisticData(X, y, encode(y, X, sample_weight, class_weight), penalty, options)
    given = given_Cs(Cs, [l1_ratio])
    if coef_init is not None:
        coef_init = data.checked_start(coef_init, "coef_init")
    with threads_for_data(X.size):
        problem = data.problem()
        grid, (points,) = problem.paths(given, eps, coef_init)
    problem.warn_not_converged(points)
    coefs, intercepts = problem.arrays([points])
    if len(coefs) == 1:
        coefs, intercepts = coefs[0], intercepts[0]
    results = grid, coefs, intercepts, gaps_of(points)
    return (*results, sweeps_of(points)) if return_n_iter else results
