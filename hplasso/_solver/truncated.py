"""One step at a quadratic model that need not be solved: a sweep, and some conjugate gradients.

Where a Hessian is known by its products alone, a product costs as much as a gradient of the loss: a
model is worth a few of them, and the next model has the true curvatures. So each is entered by one
sweep (`hadamard`), over the support and all violators; and on the face that it shows the limit
point (`finish`) is approached as long as the linear solver has steps left: where signs come out
wrong, those coordinates leave. What comes out is below the start; how much is asked of it grows
with what is reached (`model_step`), so that in the end models are solved, and Newton's method
converges as it does.
"""

from __future__ import annotations

import numpy as np

from .conjugate_gradients import ConjugateGradients
from .faces import Face, Point, Solution, increase, point_at, violators
from .finish import first_to_leave, minimiser_on
from .hadamard import balance
from .restricted_problem import RestrictedProblem
from .sweeps_and_finish import sweep_on

MAX_FACES = 20


def solve_truncated(
    problem: RestrictedProblem, solver: ConjugateGradients, start: Point
) -> Solution:
    """A sweep, and towards the limit point on its face, if f is lower there."""
    entrants = violators(problem, start)
    if not start.support.size and not entrants.size:
        return Solution(start._replace(optimal=True), 0)
    solver.refine()
    swept = sweep_on(problem, solver, start, balance(start.theta), entrants)
    new = towards_limit_point(problem, solver, swept.point, swept.face)
    return Solution(new if increase(problem, start, new) < 0.0 else swept.point, 1)


def towards_limit_point(
    problem: RestrictedProblem, solver: ConjugateGradients, before: Point, face: Face
) -> Point:
    """Solve on a face, and again without the wrong signs, until the steps are spent."""
    signs = np.zeros(len(problem.target))
    signs[face.support] = face.signs
    right = problem.target - problem.penalty * signs
    solver.start_at(np.where(before.theta * signs > 0.0, before.theta, 0.0))
    solver.update(problem.operator, face.support, face.n_trusted)
    for _ in range(MAX_FACES):
        values, wrong = minimiser_on(problem, solver, signs, right)
        positions, fixed = solver.positions, solver.fixed
        if not wrong.any():
            break
        solver.fix_at_zero(fixed | first_to_leave(before.theta[positions], values, wrong))
    active = ~(fixed | wrong)
    return point_at(problem, positions[active], values[active])
