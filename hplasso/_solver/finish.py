"""The finish: where the alternation converges to, in closed form.

On a face of the problem, a support A with given signs s, the sweeps of `hadamard` converge to the
solution of

    G_AA theta_A = c_A - lambda_A s_A,

if that has these signs. Solving it is Newton's method for f on the orthant of s. It is not Newton's
method for g: with d for the step of theta, that solves, at balanced factors,

    [G_AA + diag((lambda_A - s_A z_A) / (2 |theta_A|))] d = z_A - lambda_A s_A,

and agrees with the finish only at the fixed point, where z_A = lambda_A s_A.

From the face that a sweep shows, coordinates whose sign comes out wrong leave, and the system is
solved again, until all signs are right: then the solution is a *limit point*, the minimiser of f on
its face. It is taken if f there is below that of the swept product. Violators enter; so it goes on
as long as f goes down, and the linear solver is updated from face to face (`linear_solver`).

Why it ends: each point taken is the minimiser of its face, with a smaller f than the one before,
and there are finitely many faces.
"""

import numpy as np

from .._numerics.typing import NOBODY, Float64, Mask
from .faces import (
    Face,
    Point,
    entered_face,
    first_to_leave,
    increase,
    largest_violators,
    point_at,
    violators,
)
from .linear_solver import LinearSolver, on_face
from .restricted_problem import RestrictedProblem


def finish(problem: RestrictedProblem, solver: LinearSolver, start: Point, face: Face) -> Point:
    """The last of the limit points from `face` on with f below that of `start`; or `start`.

    Where several coordinates have left at once and f is not below, it may be that some of them
    should have stayed, as others left: from that face once more, few at a time. The linear solver
    refines its solutions when that has settled.
    """
    best = start
    while True:
        point = limit_point(problem, solver, best, face)
        entrants = violators(problem, point, solver.accuracy)
        several = face.support.size - point.support.size > 1
        if entrants.size and several and solver.exact and increase(problem, best, point) >= 0.0:
            point = limit_point(problem, solver, best, face, few=True)
            entrants = violators(problem, point, solver.accuracy)
        if not entrants.size:
            best = Point(*point[:3], optimal=True)
        elif not solver.failed and increase(problem, best, point) < 0.0:
            best, face = point, entered_face(point, largest_violators(problem, point, entrants))
            continue
        if best is start or not solver.refine():
            return best
        face = entered_face(best, NOBODY)


def limit_point(
    problem: RestrictedProblem, solver: LinearSolver, before: Point, face: Face, few: bool = False
) -> Point:
    """Solve on a face; wrong signs leave, and dependent columns, until there are none."""
    signs = np.zeros(len(problem.target))
    signs[face.support] = face.signs
    right = problem.target - problem.penalty * signs
    solver.update(problem.operator, face.support, face.n_trusted)
    while True:
        values, wrong = minimiser_on(problem, solver, signs, right)
        if solver.failed or not np.count_nonzero(wrong):
            return point_at(problem, solver.active, on_face(solver, values))
        leaving = first_to_leave(before.theta[solver.positions], values, wrong, few)
        solver.fix_at_zero(leaving if solver.fixed is None else solver.fixed | leaving)


def minimiser_on(
    problem: RestrictedProblem, solver: LinearSolver, signs: Float64, right: Float64
) -> tuple[Float64, Mask]:
    """Where G_AA theta_A = c_A - lambda_A s_A, A the face of the solver; which signs are wrong.

    `signs` and ``right = c - lambda o signs`` are those of all coordinates.
    """
    positions = solver.positions
    values = solver.solve(right[positions])
    wrong = values * signs[positions] <= 0.0
    if solver.fixed is not None:
        wrong &= ~solver.fixed
    if problem.unpenalised is not None:
        wrong &= ~problem.unpenalised[positions]
    return values, wrong


def step_to_minimiser(
    problem: RestrictedProblem, solver: LinearSolver, start: Point
) -> Float64 | None:
    """The step to the minimiser on the face of a point; None if its columns are dependent.

    G_AA d_A = z_A - lambda_A s_A: z has still what is rounded away in c = G theta + z, where G is
    large. None, too, if the linear solver is not exact.
    """
    support, signs = start.support, np.sign(start.theta)
    if not support.size or not solver.exact:
        return None
    solver.update(problem.operator, support, support.size)
    positions = solver.positions
    if solver.active.size < support.size:
        return None
    step = np.zeros_like(start.theta)
    step[positions] = solver.solve((start.z - problem.penalty * signs)[positions])
    return step
