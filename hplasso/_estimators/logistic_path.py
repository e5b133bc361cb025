"""The path function of logistic regression, and what it shares with the estimator."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_X_y
from sklearn.utils.multiclass import check_classification_targets

from .._design.factory import SMALLEST, as_array
from .._numerics.error_state import in_own_error_state
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.log_interpolation import trace_by_means
from .._path.progress import PathPoint, Printer, warn_not_converged
from .._path.settings import PathSettings, alpha_unit, ridge_ratio_of
from .._penalties.l1 import L1Penalty
from .._solver.sweeps_and_finish import SOLVERS
from .._validation.grids import check_grid, checked_grid
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    MAPPING,
    NONE,
    Constraints,
    check_parameters,
    checked_array,
    integer,
    one_of,
    real,
)
from .._validation.sklearn_names import explain_names
from .._validation.weights import checked_penalty_weights, feature_names
from .classification import Classification, Labels, encode

SHARED_CONSTRAINTS: Constraints = {
    "l1_ratio": (real(0.0, 1.0),),
    "tol": (real(0.0),),
    "fit_intercept": (BOOLEAN,),
    "class_weight": (MAPPING, one_of("balanced"), NONE),
    "max_iter": (integer(1),),
    "solver": (one_of(*SOLVERS),),
    "penalty_weights": (ARRAY, MAPPING, NONE),
    "verbose": (BOOLEAN, integer(0)),
}
PATH_CONSTRAINTS: Constraints = {
    "Cs": (integer(1), ARRAY),
    "eps": (real(0.0, 1.0, open_low=True),),
    "return_n_iter": (BOOLEAN,),
    **SHARED_CONSTRAINTS,
}

# The smallest penalty of a grid, where no feature has anything to say.
TINY = float(np.finfo(np.float64).resolution)
# Training data, in the words of scikit-learn's checks.
ACCEPTED: dict[str, Any] = {
    "accept_sparse": ["csc", "csr"],
    "dtype": [np.float64, np.float32],
    "ensure_all_finite": False,  # but by the design
}


@explain_names
@in_own_error_state
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
        As of :class:`HadamardLogisticRegression`.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    coef_init : array-like of shape (n_features,) or (n_classes, n_features), default=None
        Coefficients to start from.
    solver : {'auto', 'alternating'}, default='auto'
        As of :class:`HadamardLogisticRegression`.
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
    parameters = locals()
    check_parameters("logistic_path", parameters, PATH_CONSTRAINTS)
    names = None if penalty_weights is None else feature_names(X)
    X, y = check_X_y(X, y, **ACCEPTED)
    check_classification_targets(y)
    labels = encode(y, X, sample_weight, class_weight)
    grid: Any = checked_Cs(Cs)
    check_grid("Cs", grid, [l1_ratio])
    parameters["penalty_weights"], left_out = checked_penalty_weights(
        penalty_weights, X.shape[1], names
    )
    settings = path_settings(parameters, labels, X)
    if coef_init is not None:
        coef_init = checked_coefficients(coef_init, labels, X, "coef_init")
    with threads_for_data(X.size):
        problem = Classification(X, labels, fit_intercept, left_out)
        start = None if isinstance(grid, int) else coef_init  # a grid begins at zero
        tracer = problem.tracer(settings, start)
        if isinstance(grid, int):
            first = l1_ratio / (max(tracer.alpha_max(), TINY) * labels.total)
            grid = first * np.geomspace(1.0, 1.0 / eps, grid)
        if start is not coef_init:
            tracer = problem.tracer(settings, coef_init)
        points = trace_by_means(tracer, problem.term, penalty_of(grid, l1_ratio, labels))
    warn_not_converged(points, settings.name_alpha)
    gaps = np.array([point.gap for point in points])
    results = grid, *path_arrays(problem, points, X), gaps
    return (*results, [point.sweeps for point in points]) if return_n_iter else results


def path_arrays(
    problem: Classification, points: Sequence[PathPoint], X: Any
) -> tuple[Float64, Float64]:
    """Coefficients (K, p, L) and intercepts (K, L) of a path of L points; for two classes no K."""
    n_outputs = n_rows(problem.labels)
    coefs = np.zeros((n_outputs, X.shape[1], len(points)), dtype=X.dtype)
    intercepts = np.zeros((n_outputs, len(points)), dtype=X.dtype)
    for i, point in enumerate(points):
        intercepts[:, i] = problem.write(point, coefs[..., i])
    return (coefs[0], intercepts[0]) if n_outputs == 1 else (coefs, intercepts)


def path_settings(parameters: Mapping[str, Any], labels: Labels, X: Any) -> PathSettings:
    """The solver's settings from the parameters that estimator and path function share.

    Penalty weights have been checked. Inside, alpha = l1_ratio / (C S) weighs the L1 penalty of
    the mean loss; alpha = 1 / (C S) the ridge penalty, where it is alone.
    """
    l1_ratio, total = float(parameters["l1_ratio"]), labels.total
    verbose, unit = int(parameters["verbose"]), alpha_unit(l1_ratio)

    def name_alpha(alpha: float) -> str:
        return f"C={unit / (alpha * total):.6g}"

    return PathSettings(
        L1Penalty(
            parameters["penalty_weights"],
            ridge_ratio_of(l1_ratio),
        ),
        parameters["solver"],
        float(parameters["tol"]),
        int(parameters["max_iter"]),
        Printer(verbose, name_alpha) if verbose else None,
        X.dtype,
        name_alpha,
    )


def penalty_of(Cs: Float64, l1_ratio: float, labels: Labels) -> Float64:
    """The solver's alpha for values of C: its weight against the mean loss.

    Raises
    ------
    ValueError
        If one is so large that nothing is left of the penalty.
    """
    with np.errstate(over="ignore"):
        alphas = alpha_unit(l1_ratio) / (Cs * labels.total)
    if alphas.min() < SMALLEST:
        raise ValueError(
            f"C={Cs.max():.6g} is too large: the penalty is less than {SMALLEST:.0e} of the loss."
        )
    return np.asarray(alphas)


def n_rows(labels: Labels) -> int:
    """Rows of coefficients: one for each class, but a single one for two."""
    return 1 if len(labels.classes) == 2 else len(labels.classes)


def checked_coefficients(values: Any, labels: Labels, X: Any, name: str) -> Float64:
    """Coefficients as an array of shape (1, p) or (K, p)."""
    values = as_array(values)
    shape: tuple[int, ...] = (n_rows(labels), X.shape[1])
    if shape[0] == 1 and np.ndim(values) == 1:
        shape = shape[1:]
    return np.atleast_2d(checked_array(values, shape, name))


def checked_Cs(Cs: Any) -> int | Float64:
    """The number of values, or the values in increasing order."""
    if isinstance(Cs, numbers.Integral):
        return int(Cs)
    return checked_grid(Cs, "Cs", open_low=True)
