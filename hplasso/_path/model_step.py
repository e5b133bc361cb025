"""One step at a penalty: from an iterate to the solution of its model on the working set.

1. The loss is replaced by its quadratic model about the iterate; on the working set, with the
   penalty, that is a restricted problem.
2. Sweeps and the finish solve it (`sweeps_and_finish`), or sweeps alone.
3. A line search goes towards the solution, all the way where the loss is quadratic.
4. The correlations of all features are observed there.
5. Where columns hold codes, and steps do not help, others follow (`square_root_polish`).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .._datafit.squared import Model
from .._design.correlations import ALL
from .._numerics.linalg import plus_diagonal
from .._numerics.rounding import NOBODY
from .._numerics.typing import Float64, Index
from .._solver.cholesky import CholeskyFactor
from .._solver.conjugate_gradients import ConjugateGradients
from .._solver.finish import Point, point_at
from .._solver.restricted_problem import RestrictedProblem
from .._solver.working_set_solvers import SOLVERS
from .certification import rounding_errors
from .memory import Memory
from .prediction import predicted_positions
from .problem import PathProblem
from .square_root_polish import polished

# What the alternation leaves of the gap to the certificate: less makes more sweeps, more makes more
# rounds; only for solver='alternating' (constants.py).
INNER_PART = 0.3
# What conjugate gradients may leave of the gap. They stop as soon as it is enough, so that little
# is left to what else adds to the gap (constants.py).
MATRIX_FREE_PART = 0.9


class ModelProblem(NamedTuple):
    """A model about an iterate, its restricted problem, and the iterate as a point of that."""

    model: Model
    restricted: RestrictedProblem
    point: Point


def model_step(
    problem: PathProblem,
    memory: Memory,
    alpha: float,
    gap_tol: float,
    max_sweeps: int,
    start: tuple[Index, Float64] | None = None,
) -> tuple[Memory, int]:
    """Move the iterate by a step; returns also the sweeps made.

    They start from the iterate, or from other coefficients, if these are given.
    """
    iterate, settings, term = memory.iterate, problem.settings, problem.term
    predicted = predicted_positions(problem, memory, alpha)
    support = iterate.support if start is None else start[0]
    model, restricted, point = model_problem(problem, memory, alpha, gap_tol, support, predicted)
    if start is not None:
        point = point_at(restricted, *start)
    matrix_free = isinstance(restricted.factor, ConjugateGradients)
    every_sweep = settings.listener is not None and settings.listener.every_sweep
    max_sweeps = 1 if matrix_free or every_sweep else max_sweeps
    solution = SOLVERS[settings.solver](
        restricted,
        point,
        predicted if matrix_free else NOBODY,
        partial(term.model_square, iterate.state),
        INNER_PART * gap_tol,
        max_sweeps,
        once=not term.exact,
    )
    if restricted.factor.failed:
        memory, sweeps = model_step(
            problem, without_matrix_free(problem, memory), alpha, gap_tol, max_sweeps
        )
        return memory, solution.sweeps + sweeps
    goal, support = solution.point.theta, solution.point.support
    if model.where is not ALL:
        goal, support = np.zeros(iterate.theta.size), model.where[support]
        goal[model.where] = solution.point.theta
    theta, state = term.line_search(
        problem.working_set, iterate.state, iterate.theta, goal, problem.penalties(alpha)
    )
    if theta is not goal:
        support = theta.nonzero()[0]
    iterate = problem.observe(theta, support, state, alpha)
    memory = memory._replace(
        iterate=iterate, used_matrix_free=matrix_free, imbalance=solution.imbalance
    )
    if problem.long_columns is not None:
        memory = polished(problem, memory, alpha, gap_tol)
    return memory, solution.sweeps


def model_problem(
    problem: PathProblem,
    memory: Memory,
    alpha: float,
    gap_tol: float,
    support: Index,
    predicted: Index,
) -> ModelProblem:
    """The model about the iterate, for a support, the violators and the predicted positions."""
    working_set, iterate, term = problem.working_set, memory.iterate, problem.term
    penalty, ridge = problem.penalties(alpha)
    penalised = problem.penalty.unequal_weights is None or bool(penalty.all())
    matrix_free = memory.matrix_free and penalised
    model = term.model(working_set, iterate, support, penalty, predicted, matrix_free)
    on, gram, target = model.where, model.gram, model.target
    theta, z, penalty = iterate.theta[on], iterate.z[working_set.features[on]], penalty[on]
    if ridge is not None:
        gram = plus_diagonal(gram, ridge[on])
        z = z - ridge[on] * theta
    # Elsewhere the support is independent, of at most n columns.
    dual = problem.settings.solver == "alternating" and ridge is None
    columns, response = term.dual_form(working_set) if dual else (None, None)
    positive = problem.penalty.positive
    unpenalised = None if positive or penalised else penalty == 0.0
    errors = rounding_errors(iterate.rounding, problem.design, working_set.features[on])
    factor = memory.cholesky
    if ridge is not None or not term.exact:
        factor = CholeskyFactor(None if ridge is None else ridge[on])
    if not isinstance(gram, np.ndarray):
        factor = conjugate_gradients(problem, memory, alpha, MATRIX_FREE_PART * gap_tol, penalty)
    restricted = RestrictedProblem(
        gram, target, penalty, errors, positive, columns, response, unpenalised, factor
    )
    return ModelProblem(model, restricted, Point(theta, z, model.support))


def conjugate_gradients(
    problem: PathProblem, memory: Memory, alpha: float, gap: float, penalty: Float64
) -> ConjugateGradients:
    """Conjugate gradients that solve just as well as the gap needs.

    Where z_j is off by a part eta of its penalty, the gap is 2 eta times the penalty of theta,
    or less. The start is where the last two solutions point.
    """
    theta, predictor = memory.iterate.theta, memory.predictor
    value = float(penalty @ np.abs(theta)) or 0.5 * problem.term.scale
    tolerance = gap / (2.0 * value) * penalty
    if predictor.can_predict(alpha):
        theta = theta + predictor.fraction(alpha) * predictor.change(theta)
    return ConjugateGradients(theta, tolerance, penalty)


def without_matrix_free(problem: PathProblem, memory: Memory) -> Memory:
    """No conjugate gradients from here on; what solves exactly needs an independent support."""
    iterate, coefficients = memory.iterate, np.zeros(problem.design.shape[1])
    coefficients[problem.working_set.features] = iterate.theta
    theta = problem.independent_start(coefficients)
    state = problem.term.state(problem.working_set, theta)
    iterate = problem.observe(theta, theta.nonzero()[0], state, iterate.exact_from or None)
    return memory._replace(iterate=iterate, matrix_free=False, used_matrix_free=False)
