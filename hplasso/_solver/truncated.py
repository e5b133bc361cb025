"""A truncated model: one sweep, and some way to the limit point of the face that it shows.

For a model of another loss whose Hessian G is known by its products alone: one costs as much as a
gradient of the loss, so that a model is worth a few of them, and the next one has the true
curvatures. None is made twice: points carry their correlations z along, which conjugate residuals
leave behind them. Where f at the end is above that of the start, the product of the swept
factors is the goal.
"""

from typing import Any

import numpy as np

from .._numerics.typing import NOTHING, Float64, Mask
from .conjugate_gradients import OWN_OPERATOR, conjugate_residuals, descending_sweep
from .faces import Face, Point, Solution, first_to_leave, increase, proximal_face, violators
from .hadamard import balance, joint_seed
from .restricted_problem import RestrictedProblem

# With more faces there are steps for signs that the next model decides anew; with fewer the goal is
# further from a limit point: 10 took 7 % more products on text data (constants.py).
MAX_FACES = 5
# However many steps are left, a face has no fewer: a limit of what may be spent beyond the last.
MIN_STEPS = 3


def solve_truncated(
    problem: RestrictedProblem, start: Point, tolerance: Float64, max_steps: int
) -> Solution:
    """One sweep over the support and all violators, and at most some steps to the limit point.

    Of each equation there, `tolerance` may be left. Correlations at the solution are not returned.
    """
    factors, z, entrants = balance(start.theta), start.z, violators(problem, start)
    if entrants.size:
        z = joint_seed(problem, factors, z, entrants)
    factors, z = descending_sweep(problem, factors, z)
    swept = _point(factors.theta, z)
    face = proximal_face(problem, np.arange(z.size), swept.theta, z)
    theta, change = _towards_limit_point(problem, swept, face, tolerance, max_steps)
    if increase(problem, start, swept) + change <= 0.0:  # rounding hides the last of it
        return Solution(_point(theta, NOTHING), 1)
    unequal = np.abs(factors.mu) - np.abs(factors.nu)
    return Solution(swept, 1, 0.5 * float(problem.penalty @ unequal**2))


def _point(theta: Float64, z: Float64) -> Point:
    return Point(theta, z, theta.nonzero()[0])


def _at_zero(problem: RestrictedProblem, point: Point, leaving: Mask) -> Point:
    """The point with some coordinates at zero."""
    change = np.where(leaving, point.theta, 0.0)
    if not change.any():
        return point
    return _point(point.theta - change, point.z + problem.operator @ change)


def _towards_limit_point(
    problem: RestrictedProblem, before: Point, face: Face, tolerance: Float64, max_steps: int
) -> tuple[Float64, float]:
    """Coefficients nearer to the minimiser on a face, and how f changes; wrong signs leave.

    Without coordinates off the face, where these are many: that takes a copy of its columns.
    """
    signs = np.zeros(before.theta.size)
    signs[face.support] = face.signs
    start = _at_zero(problem, before, before.theta * signs <= 0.0)
    change = increase(problem, before, start)
    on: Any = slice(None)
    if face.support.size < OWN_OPERATOR * signs.size:
        on = face.support
        problem = problem.on(on)
    part = _point(start.theta[on], start.z[on])
    end = _on_faces(problem, part, signs[on], tolerance[on], max_steps)
    theta = np.zeros(signs.size)
    theta[on] = end.theta
    return theta, change + increase(problem, part, end)


def _on_faces(
    problem: RestrictedProblem, point: Point, signs: Float64, tolerance: Float64, left: int
) -> Point:
    """From a point with these signs to the minimiser with them, or without some."""
    inverse, goal = 1.0 / problem.diagonal, problem.penalty * signs
    active = signs != 0.0

    def is_enough(step: Float64, residual: Float64) -> bool:
        return bool((np.abs(residual) * active <= tolerance).all())

    for _ in range(MAX_FACES):
        found = conjugate_residuals(
            problem.operator.__matmul__,
            point.z - goal,
            active * inverse,
            is_enough,
            max(left, MIN_STEPS),
        )
        left -= len(found.lengths)
        before, point = point, _point(point.theta + found.step, found.residual + goal)
        wrong = active & (point.theta * signs <= 0.0)
        if not wrong.any():
            return point
        leaving = first_to_leave(before.theta, point.theta, wrong)
        point, active = _at_zero(problem, point, leaving), active & ~leaving
    return _at_zero(problem, point, point.theta * signs <= 0.0)
