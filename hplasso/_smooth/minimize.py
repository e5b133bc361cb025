"""Minimise any smooth function with an L1 penalty, in SciPy's manner."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from .._numerics.error_state import own_error_state
from .._numerics.typing import Float64
from .._validation.choices import Differences
from .._validation.parameters import OPTIONS, SMOOTH_CONSTRAINTS, check_arguments, check_parameters
from .._validation.weights import checked_penalty_weights
from .objective import CONVERGED, ROUNDED, Evaluation, Objective, Progress, SmoothFunction, Stop
from .orthant import finish, without_shrinking
from .product import balance, descend_by_factors

DEFAULTS = {"c": 0.3, "maxcor": 20, "maxiter": 15_000, "maxfun": 15_000}


@check_arguments(SMOOTH_CONSTRAINTS)
def minimize_l1(
    fun: Callable[..., Any],
    x0: Any,
    alpha: float,
    *,
    args: Any = (),
    jac: Callable[..., Any] | bool | Differences | None = None,
    penalty_weights: Any = None,
    positive: bool = False,
    n_factors: int = 2,
    convex: bool = False,
    f_min: float | None = None,
    tol: float = 1e-8,
    options: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
) -> OptimizeResult:
    r"""Minimise a smooth function of one or more variables with an L1 penalty.

    Minimises

    .. math::

        F(x) = \text{fun}(x) + \alpha \sum_j w_j |x_j|

    for any differentiable `fun`, convex or not. x is written as a product of factors, x = mu * nu,
    which turns the penalty into ``alpha / 2 * sum_j w_j (mu_j^2 + nu_j^2)`` and F into a smooth
    function of the factors. L-BFGS-B of SciPy minimises it until the factors show the signs of x.
    Then a proximal step says what is zero, and L-BFGS-B goes on with the signs as bounds. What
    violates its optimality condition enters, until nothing does. Zeros are exact: they follow from
    a condition on the gradient, not from small values.

    Parameters
    ----------
    fun : callable
        The function, ``fun(x, *args) -> float``, with x of shape (p,). If ``jac=True`` it returns
        a pair, the value and the gradient. It may change the x that it is given.
    x0 : array-like of shape (p,)
        Where to start.
    alpha : float
        The penalty, not negative.
    args : tuple, default=()
        Further arguments of `fun` and `jac`.
    jac : {callable, '2-point', '3-point', 'cs', bool}, default=None
        The gradient of `fun`, as ``jac(x, *args) -> array of shape (p,)``; True if `fun` returns it
        as well. Otherwise it is estimated by finite differences, with p or more evaluations of
        `fun` each time: '2-point' (also None and False), '3-point' or, for functions of complex
        numbers, 'cs'. Where these are not exact, no smaller violations are asked for than about
        ``1e-7`` ('3-point': ``1e-8``) times ``max(1, |fun|) / alpha``, or .1 if that is less. Where
        `fun` returns a number in single precision, steps and errors are those of such numbers.
    penalty_weights : array-like of shape (p,), default=None
        The weights w, not negative, all one by default. Weight zero means no penalty; inf, that x_j
        is zero.
    positive : bool, default=False
        Whether x is confined to ``x >= 0``. `fun` is not evaluated elsewhere.
    n_factors : int, default=2
        The number K of factors. With more than two, the penalty is that of the fractional norm,
        ``alpha * sum_j w_j |x_j|**(2 / K)``, which is not convex. Every zero is then a local
        minimum, as the penalty is infinitely steep there: the result is stationary, and depends on
        `x0` and ``options['c']``.
    convex : bool, default=False
        Whether `fun` is known to be convex.
    f_min : float, default=None
        A lower bound of `fun`, 0 for most losses. If `fun` is convex, a gap is computed from it.
    tol : float, default=1e-8
        The largest violation, `kkt`, that ends the run.
    options : dict, default=None
        ``c`` (.3): the size of all factors but the first at the start, if that is at least twice
        the size that balanced factors have; otherwise it is twice that. ``maxcor`` (20): the steps
        that L-BFGS-B remembers. ``maxiter`` and ``maxfun`` (15000): the largest numbers of
        iterations and of evaluations of `fun`.
    callback : callable, default=None
        Called after each iteration, as ``callback(intermediate_result=...)`` with attributes x and
        fun if its only parameter has this name, or ``callback(x)``. If it raises StopIteration the
        run ends.

    Returns
    -------
    res : scipy.optimize.OptimizeResult
        With the attributes

        x : ndarray of shape (p,)
            The solution, with exact zeros; if there is no success, the best point that was seen.
        fun : float
            F there, penalty included.
        jac : ndarray of shape (p,)
            The gradient of `fun` there, without the penalty.
        factors : ndarray of shape (n_factors, p)
            Factors of x of equal sizes; the first has the signs.
        kkt : float
            The largest violation of the optimality conditions: of ``|jac_j + alpha w_j sign(x_j)|``
            where x_j is not zero and ``|jac_j| - alpha w_j`` where it is, relative to alpha w_j, or
            to a millionth of the largest gradient where that is more; without penalty, to the
            largest gradient. That is the one at `x0`, or, if F was still falling fast where it was
            small beside that one, the one there.
        gap : float
            A bound of ``F(x) - min F``, if `fun` is convex, `f_min` is given and there are two
            factors; NaN otherwise. Infinite where a coordinate without penalty has a gradient.
        nit, nfev, njev : int
            Numbers of iterations, and of evaluations of `fun` and of the gradient.
        success : bool
            Whether ``kkt <= tol``, or no more than what finite differences hide (see `jac`).
        status : int
            0: success, 1: too many iterations or evaluations, 2: rounding does not let violations
            get smaller, 3: `fun` or `jac` failed after the start, 99: the callback ended the run.
        message : str
            The status in words.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it has to be, or `fun` or its gradient are not finite at `x0`.
        What `fun` raises at `x0` is not caught.

    See Also
    --------
    HadamardLasso : For least squares, exact.
    HadamardLogisticRegression : For logistic regression.

    Notes
    -----
    For non-convex `fun` the result is a stationary point of F, in general a local minimum; other
    starts may lead to others.

    The penalty has a corner at zero, so that methods for smooth functions cannot be used on F
    itself. In the factors there is no corner, for any `fun` (Hoff 2017; Ziyin and Wang 2023). The
    factors start unbalanced, at ``(x0 / c, c)``: with factors of equal sizes all steps of a
    gradient method keep the signs of x0.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198, sections 2 and 3.

    L. Ziyin and Z. Wang, "spred: solving L1 penalty with SGD", ICML 2023.

    C. Poon and G. Peyre, "Smooth bilevel programming for sparse regularization", NeurIPS 2021.

    Examples
    --------
    Robust regression, with a loss that grows like the absolute value of large residuals:

    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import minimize_l1
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = X / X.std(axis=0), (y - np.median(y)) / y.std()
    >>> def pseudo_huber(coef):
    ...     root = np.sqrt(1.0 + (X @ coef - y) ** 2)
    ...     return (root - 1.0).mean(), X.T @ ((X @ coef - y) / root) / len(y)
    >>> res = minimize_l1(pseudo_huber, np.zeros(10), 0.1, jac=True, convex=True, f_min=0.0)
    >>> res.success, np.flatnonzero(res.x)
    (True, array([2, 3, 6, 8]))
    >>> bool(res.gap < 1e-7)
    True
    """
    settings = checked_options(options)
    start = checked_start(x0, positive)
    weights, left_out = checked_penalty_weights(penalty_weights, start.size)
    start[left_out] = 0.0
    penalty = np.where(left_out, np.inf, alpha * weights)
    arguments = args if isinstance(args, tuple) else (args,)
    function = SmoothFunction(fun, jac, arguments, bool(positive), settings["maxfun"])
    progress = Progress(callback, settings["maxiter"])
    with own_error_state():
        objective = Objective(function, start, penalty, 2.0 / n_factors, bool(positive))
        if f_min is not None and f_min > objective.start.value:
            raise ValueError(
                f"f_min must be a lower bound of fun. Got {f_min}, and fun(x0) is "
                f"{objective.start.value}."
            )
        try:
            at, status = solve(objective, int(n_factors), tol, settings, progress)
            message = MESSAGES[status]
        except Stop as stop:
            at, status, message = objective.best, stop.status, stop.reason
        bounded = convex and n_factors == 2 and f_min is not None
        return OptimizeResult(
            x=at.x + 0.0,  # no negative zeros
            fun=at.objective,
            jac=at.gradient,
            factors=balance(at.x, int(n_factors)),
            kkt=objective.kkt(at),
            gap=objective.gap(at, float(f_min or 0.0)) if bounded else np.nan,
            nit=progress.nit,
            nfev=function.nfev,
            njev=function.njev,
            success=status == CONVERGED,
            status=status,
            message=message,
        )


MESSAGES = {
    CONVERGED: "The optimality conditions hold to tol.",
    ROUNDED: (
        "Rounding does not let the violations of the optimality conditions get smaller. A larger "
        "tol, or an exact gradient, helps."
    ),
}


def solve(
    objective: Objective,
    n_factors: int,
    tol: float,
    settings: Mapping[str, Any],
    progress: Progress,
) -> tuple[Evaluation, int]:
    """By the factors to the signs, by a proximal step to a face, from face to face to the end.

    From a bad x0, with gradients of 1e20, those that are small beside them tell nothing: as long as
    F still falls, violations are judged by gradients where it has come to.
    """
    at, maxcor = objective.start, settings["maxcor"]
    if objective.power < 1.0 or objective.kkt(at) > max(tol, objective.gradient_error(at)):
        before, at = descend_by_factors(objective, n_factors, settings["c"], maxcor, progress)
        at = without_shrinking(objective, before, at)
        if at.objective > objective.start.objective:  # g went down alone, from unbalanced factors
            at = objective.start
    at, status = finish(objective, at, tol, maxcor, progress)
    before = objective.start
    while status == CONVERGED and progress.falls and at is not before:
        objective.scale = np.minimum(objective.scale, objective.scale_at(at))
        before, (at, status) = at, finish(objective, at, tol, maxcor, progress)
    return at, status


def checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options with their defaults."""
    given = {} if options is None else options
    unknown = [name for name in given if name not in DEFAULTS]
    if unknown:
        raise ValueError(
            f"Unknown options: {', '.join(map(repr, unknown))}. Known are {', '.join(DEFAULTS)}."
        )
    settings = DEFAULTS | dict(given)
    check_parameters("options of minimize_l1", settings, OPTIONS)
    return settings


def checked_start(x0: Any, positive: bool) -> Float64:
    """x0 as an array of shape (p,), not negative if that is asked for."""
    array = np.atleast_1d(np.asarray(x0))
    if array.ndim != 1 or not array.size:
        raise ValueError(f"x0 must have one dimension, and not be empty. Got shape {array.shape}.")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"x0 must be of real numbers. Got dtype {array.dtype}.")
    start = array.astype(np.float64)
    if not np.isfinite(start).all():
        where = int(np.argmin(np.isfinite(start)))
        raise ValueError(f"x0 must be finite. Got x0[{where}] == {start[where]}.")
    return np.maximum(start, 0.0) if positive else start
