"""L-BFGS on the factors: a penalty with corners, minimised as a smooth function.

For x = u_1 o ... o u_K, element by element,

    g(u_1, ..., u_K) = h(x) + 1/K sum_j lambda_j (u_1j^2 + ... + u_Kj^2)
                    >=  h(x) + sum_j lambda_j |x_j|^(2/K),

by the inequality of the means, with equality where all |u_kj| are equal (Hoff 2017, section 2;
Ziyin and Wang 2023). g is as smooth as h, whatever h is. Every local minimum of g is one of the
right-hand side; what other stationary points there are for K = 2 are saddles.

Where two factors have the same size, |u_1j| = |u_2j|, steps of gradient methods keep it so: the
sign of their product never changes, and a coordinate whose sign is wrong ends at zero, at a saddle.
So the start is unbalanced: (x/c^(K-1), c, ..., c), with a larger c_j where c^K is not well above
|x_j|. The product may then go through zero, by its first factor.

The factors are left as soon as they have shown the signs: x comes close to its support fast, and
slowly from there, as what is to be zero shrinks by degrees (`orthant` goes on).

References
----------
P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
L. Ziyin and Z. Wang, spred: solving L1 penalty with SGD, ICML 2023.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .._numerics.typing import Float64
from .objective import Evaluation, Objective

# The factors are left when so many iterations have gained less than this part of all that was
# gained. Fewer leave signs to the finish, more take iterations that go on faster there: on eight
# problems (least squares and logistic, 300 x 1000) WINDOW, ENOUGH = 5, .02 takes the fewest
# evaluations in all, 5, .1 and 5, .3 up to a quarter more (examples/benchmarks/smooth.py).
WINDOW = 5
ENOUGH = 0.02
# How many times as large as the factors of equal sizes all but the first are, at least: near one,
# signs hardly change; large ones make the first factor small, and its steps long.
UNBALANCED = 2.0
# SciPy's limits of iterations and evaluations, which are counted elsewhere, and of violations.
NO_LIMITS = {"maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}

Evaluate = Callable[[Float64], tuple[float, Float64, Evaluation]]
Report = Callable[[Evaluation], None]


def balance(x: Float64, n_factors: int) -> Float64:
    """The factors of x of equal sizes, of shape (K, p); the first has the sign."""
    factors = np.tile(np.abs(x) ** (1.0 / n_factors), (n_factors, 1))
    factors[0] = np.copysign(factors[0], x)
    return factors


def unbalance(x: Float64, penalty: Float64, n_factors: int, c: float) -> Float64:
    """Factors of x from which signs can change: (x/c^(K-1), c, ..., c).

    Coordinates without penalty have one factor, beside ones; those of infinite penalty have zeros.
    """
    sizes = np.maximum(c, UNBALANCED * np.abs(x) ** (1.0 / n_factors))
    sizes[penalty == 0.0] = 1.0
    factors = np.tile(sizes, (n_factors, 1))
    factors[0] = x / sizes ** (n_factors - 1)
    factors[:, np.isinf(penalty)] = 0.0
    return factors


def factored(objective: Objective, factors: Float64) -> tuple[float, Float64, Evaluation]:
    """g, its gradient with respect to the factors, and F at their product."""
    n_factors = len(factors)
    at = objective.at(np.prod(factors, axis=0))
    penalty = np.where(np.isinf(objective.penalty), 0.0, objective.penalty)
    others = np.array([np.prod(np.delete(factors, k, axis=0), axis=0) for k in range(n_factors)])
    gradient = at.gradient * others + 2.0 / n_factors * penalty * factors
    gradient[1:, penalty == 0.0] = 0.0  # of the ones beside coordinates without penalty
    penalty_value = float((penalty / n_factors * factors**2).sum())
    return at.value + penalty_value, gradient, at


def descend_by_factors(
    objective: Objective, n_factors: int, c: float, maxcor: int, report: Report
) -> tuple[Evaluation, Evaluation]:
    """From x0 until the factors have shown the signs; the last two iterates."""
    start = objective.start
    factors = unbalance(start.x, objective.penalty, n_factors, c)
    iterates = deque([start], maxlen=2)
    heights = [np.inf]  # of the iterates, and of the point at hand

    def evaluate(flat: Float64) -> tuple[float, Float64, Evaluation]:
        value, gradient, at = factored(objective, flat.reshape(factors.shape))
        heights[-1] = value
        return value, gradient.ravel(), at

    def after_iteration(flat: Float64, slope: Float64, at: Evaluation) -> None:
        iterates.append(at)
        report(at)
        gained, window = heights[0] - heights[-1], heights[-1 - WINDOW :]
        if len(window) > WINDOW and window[0] - window[-1] <= ENOUGH * gained:
            raise StopIteration
        heights.append(np.inf)

    bounds = [(0.0, None)] * factors.size if objective.positive else None
    lbfgs(evaluate, factors.ravel(), bounds, maxcor, after_iteration)
    return iterates[0], iterates[-1]


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
        options=NO_LIMITS | {"maxcor": maxcor},
    )
