"""The finish for groups: Newton's method where no group is zero.

There f is smooth, with -grad f = z - lambda u for z = c - G theta and the directions u_g of groups;
its Hessian is in `group_problem`. For groups of one coefficient each the Hessian is G, and a step
is to the minimiser of the face of theta's signs, as in `finish`.

References
----------
L. F. Portugal, J. J. Judice and L. N. Vicente, A comparison of block pivoting and interior-point
algorithms for linear least squares problems with nonnegative variables, Mathematics of Computation
63 (1994) 625-643.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numerics.rounding import ROUNDING
from .._numerics.typing import Float64
from .group_problem import GroupProblem, GroupSystem

# Steps, and halvings of one of them, before sweeps go on: numerical limits.
MAX_STEPS, MAX_HALVED = 20, 12
# What a step leaves less than this part of is zero: a numerical limit. It may enter again.
GONE = 1e-10
# Times that negative coefficients are left out before a step is tried: a numerical limit.
MAX_PIVOTS = 10
# Steps as small as rounding go on while each promises less than this part of the one before.
FASTER = 4.0


class Finished(NamedTuple):
    """Where Newton's method has ended: theta, what f may still lose by the last step's model.

    And the system of the last step, unless groups have left since.
    """

    theta: Float64
    left: float
    system: GroupSystem | None


def newton(
    problem: GroupProblem,
    theta: Float64,
    goal: float,
    system: GroupSystem | None = None,
    other: Float64 | None = None,
) -> Finished:
    """Newton's method from theta, until a step can lower f by no more than a goal.

    The first step may have its `system` already, and goes to the `other` theta if f is lower there.
    A group whose direction a step turns round becomes zero for good, and under theta >= 0 so does a
    coefficient that would be negative; steps are halved until f falls. The last steps may be as
    small as rounding of f, which correlations are not; of groups without penalty, correlations have
    to vanish, and steps go on as far as that.
    """
    rows, found, left = np.arange(len(theta)), np.zeros_like(theta), np.inf
    objective, unpenalised = problem.objective(theta), bool((problem.penalty == 0.0).any())
    for _ in range(MAX_STEPS + len(theta) * problem.positive):  # one feature may go at a time
        if system is None:
            system = problem.system(problem.partition.norms(theta))
        gradient = face_gradient(problem, theta)
        direction = system.solve_hessian(problem.partition.directions(theta), gradient)
        last, left = left, 0.5 * float((direction * gradient).sum())
        step = _pivoted(problem, theta, direction, objective)
        if step is None:
            step = _line_search(problem, theta, direction, objective)
        resolution = ROUNDING * float(np.abs(problem.target * theta).sum())
        if step is None and left <= min(resolution, last / FASTER):
            step = theta + direction, objective
        if other is not None:
            value = problem.objective(other)
            if value < (objective if step is None else step[1]) - resolution:
                step, left = (other, value), np.inf
            other = None
        if step is None:
            break
        theta, objective = step
        live = problem.live(theta)
        if not live.all():
            problem, left, system = problem.on(live), np.inf, None
            rows, theta = rows[live], theta[live]
            if not rows.size:
                return Finished(found, 0.0, None)
        elif left <= goal and not unpenalised:
            break
        else:
            system = None
    found[rows] = theta
    return Finished(found, left, system)


def face_gradient(problem: GroupProblem, theta: Float64) -> Float64:
    """-grad f(theta)."""
    z = problem.target - problem.image(theta)
    return z - problem.row_penalty[:, None] * problem.partition.directions(theta)


def _line_search(
    problem: GroupProblem, theta: Float64, direction: Float64, objective: float
) -> tuple[Float64, float] | None:
    """theta and f after a step that lowers f; None if there is none.

    Groups that a step turns round become zero. Where halving does not make such steps lower f, the
    step ends where the first group turns: f goes down as far as that, if the step is short enough.
    """
    ends = _ends(problem, theta, direction)
    halves, first = 0.5 ** np.arange(MAX_HALVED), min(1.0, float(ends.min()))
    for step in [*halves[halves > first], *first * halves]:
        trial = theta + step * direction
        trial[ends <= step * (1.0 + GONE)] = 0.0
        value = problem.objective(trial)
        if value < objective:
            return trial, value
    return None


def _pivoted(
    problem: GroupProblem, theta: Float64, direction: Float64, objective: float
) -> tuple[Float64, float] | None:
    """Under theta >= 0, theta and f after a step that leaves out what turns negative; or None.

    All of it at a time, as in block pivoting: where features are many, many coefficients have to
    go, and one by one, each at the end of a step, they would take as many systems.
    """
    if not problem.positive:
        return None
    part, start, rows = problem, theta, np.arange(len(theta))
    for _ in range(MAX_PIVOTS):
        live = _ends(part, start, direction) > 1.0 + GONE
        if live.all() or not live.any():
            break
        part, start, rows = part.on(live), start[live], rows[live]
        system = part.system(part.partition.norms(start))
        u = part.partition.directions(start)
        direction = system.solve_hessian(u, face_gradient(part, start))
    trial = np.zeros_like(theta)
    left = _ends(part, start, direction)[:, None] > 1.0 + GONE
    trial[rows] = np.where(left, start + direction, 0.0)
    value = problem.objective(trial)
    return (trial, value) if value < objective else None


def _ends(problem: GroupProblem, theta: Float64, direction: Float64) -> Float64:
    """The step at which the group of each feature turns round, (k,); inf where it never does.

    Under theta >= 0, the step at which the coefficient is zero, if that is shorter.
    """
    u = problem.partition.directions(theta)
    now, then = (problem.partition.sums((u * part).sum(axis=1)) for part in (theta, direction))
    now[problem.penalty == 0.0] = np.inf  # never turns
    ends = _quotients(now, then)[problem.partition.groups]
    return np.minimum(ends, _quotients(theta[:, 0], direction[:, 0])) if problem.positive else ends


def _quotients(now: Float64, then: Float64) -> Float64:
    """The step after which now + step * then is zero, for numbers that go down; else inf."""
    return np.divide(-now, then, out=np.full_like(now, np.inf), where=then < 0.0)
