"""L-BFGS-B of SciPy, on any variables of which x is a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy.optimize import minimize

from .._numerics.typing import Float64
from .objective import Evaluation

# For SciPy's limits of iterations and evaluations, which are counted elsewhere.
NO_LIMIT = 10**9

Evaluate = Callable[[Float64], tuple[float, Float64, Evaluation]]
Report = Callable[[Evaluation], None]


def lbfgs(
    evaluate: Evaluate,
    start: Float64,
    bounds: Any,
    maxcor: int,
    after: Callable[[Float64, Float64, Evaluation], None],
) -> Any:
    """Minimise what `evaluate` says: a value, its gradient, and the evaluation of F that it is of.

    `after` each iteration hears of the variables, the gradient and the evaluation; it may raise
    StopIteration. Otherwise the run ends where rounding hides any further descent. (The limit that
    L-BFGS-B has for gradients is for distances from bounds as well, which have other units.)
    """
    latest: list[Any] = []

    def value_and_gradient(variables: Float64) -> tuple[float, Float64]:
        value, gradient, at = evaluate(variables)
        latest[:] = [gradient, at]
        return value, gradient

    def after_iteration(intermediate_result: Any) -> None:
        after(intermediate_result.x, *latest)

    return minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=after_iteration,
        options={
            "maxcor": maxcor,
            "maxiter": NO_LIMIT,
            "maxfun": NO_LIMIT,
            "ftol": 0.0,
            "gtol": 0.0,
        },
    )
