"""One step at a penalty: from an iterate to the solution of its model on the working set.

1. The loss is replaced by its quadratic model about the iterate; on the working set, with the
   penalty, that is a restricted problem.
2. Sweeps and the finish solve it (`sweeps_and_finish`), or sweeps alone.
3. A line search goes towards the solution, all the way where the loss is quadratic.
4. The correlations of all features are observed there.
5. Where columns hold codes, and steps do not help, others follow (`square_root_polish`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._datafit.base import Model, State
from .._design.columns import is_too_large
from .._design.correlations import ALL
from .._numerics.typing import NOBODY, Float64, Index
from .._solver.cholesky import CholeskyFactor
from .._solver.conjugate_gradients import ConjugateGradients
from .._solver.faces import Point, Solution, point_at
from .._solver.linear_solver import LinearSolver
from .._solver.restricted_problem import RestrictedProblem
from .._solver.sweeps_and_finish import SOLVERS
from .._solver.truncated import solve_truncated
from .free_features import FreePart, has_few_free, with_best_free, without_free
from .memory import Memory
from .problem import PathProblem
from .screening import MIN_ADMITTED
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
# A model with a formed Hessian leaves features without penalty to `with_best_free` as soon as they
# let f go down by less than this part of the gap: more makes Newton's steps for what the next model
# does as well, less makes models whose Hessian is old, or too large to leave z_F no more than
# rounding. On six tasks 1 took 1.0 to 1.26 of the time of 0.01, and 0.001 took 1.0 to 1.08
# (constants.py).
FREE_PART = 0.01


class ModelProblem(NamedTuple):
    """A model about an iterate: the restricted problem, its solver, and the iterate as a point.

    `penalties` are those of the working set; a `truncation` says that it is to be truncated, and
    `free` what it takes along.
    """

    model: Model
    restricted: RestrictedProblem
    linear_solver: LinearSolver
    point: Point
    penalties: tuple[Float64, Float64 | None]
    truncation: Truncation | None = None
    free: FreePart | None = None

    def starting(self, support: Index, values: Float64, size: int) -> ModelProblem:
        """From these coefficients, given on a working set of this size."""
        theta = np.zeros(size)
        theta[support] = values
        if self.free is not None:
            support = np.flatnonzero(theta[self.model.where])
            values = theta[self.model.where][support]
        return self._replace(point=point_at(self.restricted, support, values))

    def goal(self, theta: Float64, point: Point) -> tuple[Float64, Index]:
        """Where a solution takes coefficients theta of the working set; and its support."""
        where, goal, support = self.model.where, point.theta, point.support
        if where is not ALL:
            goal, support = np.zeros(theta.size), where[support]
            goal[where] = point.theta
        if self.free is not None:
            positions = self.free.positions
            goal[positions] = theta[positions] + self.free.step(point.theta - theta[where])
            support = np.concatenate([support, positions])
        return goal, support


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
        about = about.starting(*start, iterate.theta.size)
    solution = solve_model(problem, about, iterate.state, gap_tol, max_sweeps)
    linear_solver, truncation = about.linear_solver, about.truncation
    if linear_solver.failed:
        memory, sweeps = model_step(
            problem, without_matrix_free(problem, memory), alpha, gap_tol, max_sweeps
        )
        return memory, solution.sweeps + sweeps
    goal, support = about.goal(iterate.theta, solution.point)
    theta, state = term.line_search(
        problem.working_set, iterate.state, iterate.theta, goal, about.penalties
    )
    if truncation is not None:
        # without a limit point, whose signs were many, the model went too far as well
        end = iterate.theta if solution.imbalance else theta
        damping = damping_after(truncation.damping, iterate.theta, goal, end)
        memory = memory._replace(damping=damping, last_gap=(alpha, truncation.gap))
    if has_few_free(problem) and not (linear_solver.exact and term.quadratic):
        most = FREE_PART * gap_tol if linear_solver.exact else np.inf
        theta, state = with_best_free(problem, iterate, theta, state, most)
    if theta is not goal:
        support = theta.nonzero()[0]
    if truncation is not None and has_outgrown_rank(problem, support):
        memory = memory._replace(matrix_free=False)
    iterate = problem.observe(theta, support, state, alpha)
    memory = memory._replace(
        iterate=iterate, used_matrix_free=not linear_solver.exact, imbalance=solution.imbalance
    )
    if problem.long_columns is not None:
        memory = polished(problem, memory, alpha, gap_tol)
    return memory, solution.sweeps


def has_outgrown_rank(problem: PathProblem, support: Index) -> bool:
    """Whether a truncated model has left more coefficients than columns can be independent.

    There is a solution with no more of them than that, which a formed Hessian finds, unless it is
    too large, or a ridge penalty makes columns independent.
    """
    outgrown = support.size > min(problem.design.shape) and not problem.penalty.ridged
    return outgrown and not is_too_large(support.size)


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
    some_free = not problem.penalty.all_penalised
    matrix_free = memory.matrix_free and (not some_free or has_few_free(problem))
    predicted = NOBODY if term.quadratic else predicted_positions(problem, memory, alpha)
    products = PRODUCTS[memory.solved] if matrix_free else 0.0
    model = term.model(working_set, iterate, support, penalties, predicted, products)
    free = None
    if model.gram.matrix is None and some_free:
        model, free = without_free(problem, iterate, model)
    on, operator, target = model.where, model.gram, model.target
    theta, z, penalty = iterate.theta[on], iterate.z[working_set.features[on]], penalty[on]
    if free is not None:
        z = z - free.between @ free.shift
    if ridge is not None:
        operator = operator.plus(ridge[on])
        z = z - ridge[on] * theta
    # Elsewhere the support is independent, of at most n columns.
    dual = problem.settings.solver == "alternating" and ridge is None
    columns, response = term.dual_form(working_set) if dual else (None, None)
    positive = problem.penalty.positive
    unpenalised = None if positive or penalty.all() else penalty == 0.0
    errors = iterate.rounding.of(problem.design.rounding, working_set.features[on])
    linear_solver: LinearSolver = memory.cholesky
    truncation = None
    if operator.matrix is None and term.quadratic:
        gap = MATRIX_FREE_PART * gap_tol
        linear_solver = conjugate_gradients(problem, memory, alpha, gap, penalty, on)
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
    return ModelProblem(model, restricted, linear_solver, point, penalties, truncation, free)


def predicted_positions(problem: PathProblem, memory: Memory, alpha: float) -> Index:
    """Coordinates at zero that reach their penalty if correlations go on as before.

    Between two solutions, those that are not at zero in the other. For squared loss the finish
    finds them itself; of another loss, 100 penalties of the leukemia data take 52 models without
    this, and 44 with it. More of them than are in the support already tell that correlations do not
    go on like that: with these, fits to 1,814 x 10,346 took up to 3.5 times as long.
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
    found = ((abs_correlation > problem.penalties(alpha)[0]) & (theta == 0.0)).nonzero()[0]
    return found if found.size <= max(MIN_ADMITTED, memory.iterate.support.size) else NOBODY


def conjugate_gradients(
    problem: PathProblem, memory: Memory, alpha: float, gap: float, penalty: Float64, on: Any
) -> ConjugateGradients:
    """Conjugate gradients that solve just as well as the gap needs.

    Where z_j is off by a part eta of its penalty, the gap is 2 eta times the penalty of theta,
    or less. The start is where the last two solutions point.
    """
    theta, predictor = memory.iterate.theta, memory.predictor
    value = float(penalty @ np.abs(theta[on])) or 0.5 * problem.term.scale
    tolerance = gap / (2.0 * value) * penalty
    if predictor.can_predict(alpha):
        theta = theta + predictor.fraction(alpha) * predictor.change(theta)
    return ConjugateGradients(theta[on], tolerance, penalty)


def without_matrix_free(problem: PathProblem, memory: Memory) -> Memory:
    """No conjugate gradients from here on; what solves exactly needs an independent support."""
    iterate, coefficients = memory.iterate, np.zeros(problem.design.shape[1])
    coefficients[problem.working_set.features] = iterate.theta
    theta = problem.independent_start(coefficients)
    state = problem.term.state(problem.working_set, theta)
    iterate = problem.observe(theta, theta.nonzero()[0], state, iterate.exact_from or None)
    return memory._replace(iterate=iterate, matrix_free=False, used_matrix_free=False)
