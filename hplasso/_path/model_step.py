"""One step at a penalty: from an iterate to the solution of its model on the working set.

1. The loss is replaced by its quadratic model about the iterate; on the working set, with the
   penalty, that is a restricted problem.
2. Sweeps and the finish solve it (`sweeps_and_finish`), or sweeps alone.
3. A line search goes towards the solution, all the way where the loss is quadratic.
4. The correlations of all features are observed there.
5. Where columns hold codes, and steps do not help, others follow (`square_root_polish`).
"""

from typing import NamedTuple

import numpy as np

from .._datafit.base import Model, State
from .._design.correlations import ALL
from .._numerics.typing import NOBODY, Float64, Index
from .._solver.cholesky import CholeskyFactor
from .._solver.conjugate_gradients import ConjugateGradients
from .._solver.faces import Point, Solution, point_at
from .._solver.linear_solver import LinearSolver
from .._solver.restricted_problem import RestrictedProblem
from .._solver.sweeps_and_finish import SOLVERS
from .._solver.truncated import solve_truncated
from .memory import Memory
from .problem import PathProblem
from .square_root_polish import polished
from .truncation import Truncation, damping_after, truncation_at

# What the alternation leaves of the gap to the certificate: less makes more sweeps, more makes more
# rounds; only for solver='alternating' (constants.py).
INNER_PART = 0.3
# A Hessian is not formed where that would cost more than so many products with its columns: what a
# model of a curved loss takes by conjugate gradients, from 20 products at first to 100 in the end
# (constants.py). After a solved penalty they are more, because a Hessian serves several models:
# 120 in place of 60 took .56 of the time on a path of counts with supports of 900, .77 on one of
# classes, 1.0 to 1.06 elsewhere, and up to 3 times as long for fits from scratch.
PRODUCTS = (60.0, 120.0)
# What conjugate gradients may leave of the gap. They stop as soon as it is enough, so that little
# is left to what else adds to the gap (constants.py).
MATRIX_FREE_PART = 0.9


class ModelProblem(NamedTuple):
    """A model about an iterate: the restricted problem, its solver, and the iterate as a point.

    `penalties` are those of the working set; a `truncation` says that it is to be truncated.
    """

    model: Model
    restricted: RestrictedProblem
    linear_solver: LinearSolver
    point: Point
    penalties: tuple[Float64, Float64 | None]
    truncation: Truncation | None = None


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
    iterate, term = memory.iterate, problem.term
    support = iterate.support if start is None else start[0]
    about = model_problem(problem, memory, alpha, gap_tol, support)
    if start is not None:
        about = about._replace(point=point_at(about.restricted, *start))
    solution = solve_model(problem, about, iterate.state, gap_tol, max_sweeps)
    model, linear_solver, truncation = about.model, about.linear_solver, about.truncation
    if linear_solver.failed:
        memory, sweeps = model_step(
            problem, without_matrix_free(problem, memory), alpha, gap_tol, max_sweeps
        )
        return memory, solution.sweeps + sweeps
    goal, support = solution.point.theta, solution.point.support
    if model.where is not ALL:
        goal, support = np.zeros(iterate.theta.size), model.where[support]
        goal[model.where] = solution.point.theta
    theta, state = term.line_search(
        problem.working_set, iterate.state, iterate.theta, goal, about.penalties
    )
    if truncation is not None:
        # without a limit point, whose signs were many, the model went too far as well
        end = iterate.theta if solution.imbalance else theta
        damping = damping_after(truncation.damping, iterate.theta, goal, end)
        memory = memory._replace(damping=damping, last_gap=(alpha, truncation.gap))
    if theta is not goal:
        support = theta.nonzero()[0]
    iterate = problem.observe(theta, support, state, alpha)
    memory = memory._replace(
        iterate=iterate, used_matrix_free=not linear_solver.exact, imbalance=solution.imbalance
    )
    if problem.long_columns is not None:
        memory = polished(problem, memory, alpha, gap_tol)
    return memory, solution.sweeps


def solve_model(
    problem: PathProblem, about: ModelProblem, state: State, gap_tol: float, max_sweeps: int
) -> Solution:
    """The solution of a model about a state, as exact as it is worth."""
    settings, truncation = problem.settings, about.truncation
    if truncation is not None:
        tolerance = truncation.accuracy * about.restricted.penalty
        return solve_truncated(about.restricted, about.point, tolerance, truncation.max_steps)
    every_sweep = settings.listener is not None and settings.listener.every_sweep
    single = every_sweep or not about.linear_solver.exact
    return SOLVERS[settings.solver](
        about.restricted,
        about.linear_solver,
        about.point,
        state.model_square,
        INNER_PART * gap_tol,
        1 if single else max_sweeps,
        once=not problem.term.quadratic,
    )


def model_problem(
    problem: PathProblem, memory: Memory, alpha: float, gap_tol: float, support: Index
) -> ModelProblem:
    """The model about the iterate, for a support, the violators and the predicted positions."""
    working_set, iterate, term = problem.working_set, memory.iterate, problem.term
    penalties = penalty, ridge = problem.penalties(alpha)
    penalised = problem.penalty.unequal_weights is None or bool(penalty.all())
    matrix_free = memory.matrix_free and penalised
    predicted = NOBODY if term.quadratic else predicted_positions(problem, memory, alpha)
    products = PRODUCTS[memory.solved] if matrix_free else 0.0
    model = term.model(working_set, iterate, support, penalties, predicted, products)
    on, operator, target = model.where, model.gram, model.target
    theta, z, penalty = iterate.theta[on], iterate.z[working_set.features[on]], penalty[on]
    if ridge is not None:
        operator = operator.plus(ridge[on])
        z = z - ridge[on] * theta
    # Elsewhere the support is independent, of at most n columns.
    dual = problem.settings.solver == "alternating" and ridge is None
    columns, response = term.dual_form(working_set) if dual else (None, None)
    positive = problem.penalty.positive
    unpenalised = None if positive or penalised else penalty == 0.0
    errors = iterate.rounding.of(problem.design.rounding, working_set.features[on])
    linear_solver: LinearSolver = memory.cholesky
    truncation = None
    if operator.matrix is None and term.quadratic:
        gap = MATRIX_FREE_PART * gap_tol
        linear_solver = conjugate_gradients(problem, memory, alpha, gap, penalty)
    elif operator.matrix is None:
        gap = MATRIX_FREE_PART * gap_tol
        truncation = truncation_at(problem, memory, alpha, gap, penalty, theta)
        added = truncation.damping * operator.diagonal()
        operator, target = operator.plus(added), target + added * theta
        linear_solver = ConjugateGradients(theta, truncation.accuracy * penalty, penalty)
    elif ridge is not None or not term.quadratic:
        linear_solver = CholeskyFactor(None if ridge is None else ridge[on])
    restricted = RestrictedProblem(
        operator, target, penalty, errors, positive, columns, response, unpenalised
    )
    point = Point(theta, z, model.support)
    return ModelProblem(model, restricted, linear_solver, point, penalties, truncation)


def predicted_positions(problem: PathProblem, memory: Memory, alpha: float) -> Index:
    """Coordinates at zero that reach their penalty if correlations go on as before.

    Between two solutions, those that are not at zero in the other. For squared loss the finish
    finds them itself; of another loss, 100 penalties of the leukemia data take 52 models without
    this, and 44 with it.
    """
    predictor, theta = memory.predictor, memory.iterate.theta
    if not predictor.can_predict(alpha):
        return NOBODY
    other = predictor.bracketing(alpha)
    if other is not None:
        return other.iterate.support[theta[other.iterate.support] == 0.0]
    abs_correlation = problem.penalty.abs_correlation(
        predictor.correlations(alpha, problem.working_set.features)
    )
    return ((abs_correlation > problem.penalties(alpha)[0]) & (theta == 0.0)).nonzero()[0]


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
