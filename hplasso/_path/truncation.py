"""How far a model of a curved loss is solved where it is known by its products alone.

A product with the Hessian then costs as much as a gradient, and the next model has the curvatures
of where it is. So models are solved in step with the gap: roughly and in few steps at first, when a
goal far away would be given up by the line search; better and better towards the end, so that
Newton's method converges as fast as it does (inexact Newton methods).

References
----------
R. S. Dembo, S. C. Eisenstat and T. Steihaug, Inexact Newton methods, SIAM Journal on Numerical
Analysis 19 (1982) 400-408.
S. C. Eisenstat and H. F. Walker, Choosing the forcing terms in an inexact Newton method, SIAM
Journal on Scientific Computing 17 (1996) 16-32.
"""

from typing import NamedTuple

import numpy as np

from .._numerics.typing import Float64
from .._solver.conjugate_gradients import MAX_STEPS
from .memory import Memory
from .problem import PathProblem

# What a model leaves of its equations, as a part of the penalty: this part of what its iterate
# leaves, and no more than ROUGHEST. Less takes more steps for each model, more takes more models:
# both at 0.3, 0.6 and 1, text data at C = 10 took 640, 440 and 410 products, at C = 100 1,050, 830
# and 900 (constants.py).
FORCING, ROUGHEST = 0.6, 0.6
# Where the last model has left a part of the gap, FORCING is the square of that, down to this:
# less solves models that are not the last too well, more makes more models of a tight tolerance. At
# 0.6, 0.1 and 0.01, text data took 730, 640 and 650 products to a tolerance of 1e-6 at C = 10, and
# 830, 960 and 1,070 to one of 1e-4 at C = 100 (constants.py).
LEAST_FORCING = 0.1
# The steps of a model are this many times sqrt(objective / gap): with fewer the last models are not
# solved, with more there are steps towards goals that the line search gives up. From 14 to 45, text
# data took 790 +- 5 % products at C = 10, 1,100 to 1,220 at C = 30 (constants.py).
STEPS = 20.0
# Where whole steps let the gap go down slowly, a model has up to this times as many: columns of
# very different lengths, or nearly dependent ones, need them.
MOST_EFFORT = 16.0
# Where the line search has cut a step, the diagonal of the next model is larger by a part
# (Levenberg and Marquardt): it is multiplied by as much as the step was too long, up to RAISE, from
# LEAST_RAISED on and to LARGEST_DAMPING at most; after each whole step it is divided by LOWER. More
# takes more models, less more steps that are cut: text data at C = 30 did not settle without. Some
# in step with the gap took 15 % fewer products at C = 10, and was not there after 100 models where
# columns have very different lengths (constants.py).
RAISE, LEAST_RAISED, LARGEST_DAMPING, LOWER = 10.0, 0.02, 100.0, 4.0
# On the way to a far alpha, a step is repeated while the gap is more than this part of the
# objective, or the line search has cut it: rough supports grow from one alpha to the next, and at
# C = 100 never settled; repeats of more than MOST_REPEATS are hopeless (constants.py).
SETTLED, MOST_REPEATS = 0.4, 8
# A step of less than this part of the way to the goal was cut.
WHOLE = 0.99
# A numerical limit, against division by zero.
TINY = 1e-300


class Truncation(NamedTuple):
    """How far a model is solved.

    Attributes
    ----------
    accuracy : float
        What may be left of each equation, as a part of its penalty.
    max_steps : int
        How many steps conjugate gradients have.
    damping : float
        By which part the diagonal is larger.
    gap : float
        The gap of the iterate.
    """

    accuracy: float
    max_steps: int
    damping: float
    gap: float


def truncation_at(
    problem: PathProblem, memory: Memory, alpha: float, gap: float, penalty: Float64, theta: Float64
) -> Truncation:
    """That of the model about the iterate, whose penalties and coefficients are given.

    In the end it is as accurate as a `gap` needs: where z_j is off by a part eta of its penalty,
    the gap is 2 eta times the penalty of theta, or less. As the gap goes down faster, models are
    solved better (Eisenstat and Walker, their second choice).
    """
    iterate = memory.iterate
    left = problem.certifier.of_iterate(alpha, iterate).gap
    value = 2.0 * (float(penalty @ np.abs(theta)) or 0.5 * problem.term.scale)
    beyond = max(0.0, iterate.feasible_alpha / alpha - 1.0)
    last_alpha, last_gap = memory.last_gap
    lowered = left / last_gap if alpha == last_alpha and last_gap > 0.0 else 1.0
    forcing = min(FORCING, max(LEAST_FORCING, lowered**2))
    forced = forcing * min(left / value, beyond)
    ratio = left / max(problem.objective(iterate, alpha), TINY)
    steps = memory.effort * STEPS / max(ratio, TINY) ** 0.5
    accuracy = min(ROUGHEST, max(gap / value, forced))
    max_steps = int(min(MAX_STEPS * memory.effort, max(STEPS, steps)))
    return Truncation(accuracy, max_steps, memory.damping, left)


def damping_after(damping: float, before: Float64, goal: Float64, theta: Float64) -> float:
    """The damping of the next model, after a step from coefficients towards a goal to theta."""
    distance = float(np.abs(goal - before).sum())
    part = float(np.abs(theta - before).sum()) / distance if distance > 0.0 else 1.0
    if part >= WHOLE:
        return damping / LOWER
    raised = min(RAISE, max(2.0, 0.5 / max(part, TINY)))
    return min(LARGEST_DAMPING, max(damping, LEAST_RAISED) * raised)


def effort_after(before: Memory, memory: Memory, slow: bool) -> float:
    """The effort of the next model: more where whole steps have let the gap go down slowly."""
    if slow and not was_cut(before, memory):
        return min(MOST_EFFORT, 2.0 * memory.effort)
    return max(1.0, 0.5 * memory.effort)


def was_cut(before: Memory, memory: Memory) -> bool:
    """Whether the line search has cut the last step."""
    return memory.damping > before.damping and memory.damping >= LEAST_RAISED


def has_settled(problem: PathProblem, before: Memory, memory: Memory, alpha: float) -> bool:
    """Whether the iterate is near enough to the solution at an alpha to go on to the next."""
    if not memory.used_matrix_free or problem.term.quadratic:
        return True
    iterate = memory.iterate
    gap = problem.certifier.of_iterate(alpha, iterate).gap
    return not was_cut(before, memory) and gap <= SETTLED * problem.objective(iterate, alpha)
