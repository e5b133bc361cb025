"""Refinement: a certificate that rounding keeps above the tolerance is computed to more digits.

The last digit of a coefficient may be too much for its correlation, while a dual point is no
function of what can be written down: so the residual is that which a step more would leave.
"""

from __future__ import annotations

import numpy as np

from .._penalties.duality_gap import Certificate
from .._solver.finish import step_to_minimiser
from .memory import Memory
from .model_step import model_problem
from .problem import PathProblem
from .square_root_polish import has_long_columns, refined_by_square_root


def refined(problem: PathProblem, memory: Memory, alpha: float) -> Certificate:
    """The certificate of the iterate with the residual that another step would leave."""
    if has_long_columns(problem, memory.iterate, alpha):
        return refined_by_square_root(problem, memory.iterate, alpha)
    iterate, working_set = memory.iterate, problem.working_set
    about = model_problem(problem, memory, alpha, 0.0, iterate.support)
    step = step_to_minimiser(about.restricted, about.linear_solver, about.point)
    state, divergence = iterate.state, np.inf
    if step is not None and not working_set.complete:
        direction = np.zeros(working_set.features.size)
        direction[about.model.where] = step
        change = working_set.columns.predict(direction)
        state, divergence = state.refined(change)
    there = problem.observe(iterate.theta, iterate.support, state, alpha)
    return problem.certifier.of_refined(alpha, there, divergence)
