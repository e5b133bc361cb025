"""Where the next penalty starts from: the line through the last two solved points."""

from __future__ import annotations

from .._numerics.rounding import NOBODY
from .._numerics.typing import Float64, Index
from .memory import Memory
from .problem import PathProblem


def predicted_start(
    problem: PathProblem, memory: Memory, alpha: float
) -> tuple[Index, Float64] | None:
    """Support and values on the line; a path is linear as long as no sign changes."""
    predictor = memory.predictor
    if problem.settings.solver == "alternating" or not predictor.can_predict(alpha):
        return None
    theta, support = memory.iterate.theta, memory.iterate.support  # in the order of the factor
    goal = theta + predictor.fraction(alpha) * predictor.change(theta)
    support = support[goal[support] * theta[support] > 0.0]
    return support, goal[support]


def predicted_positions(problem: PathProblem, memory: Memory, alpha: float) -> Index:
    """Coordinates at zero that reach their penalty if correlations go on as before.

    Between two solutions, those that are not at zero in the other. Where a quadratic loss is solved
    by a factorisation, the finish finds them itself.
    """
    predictor = memory.predictor
    if (problem.term.quadratic and not memory.used_matrix_free) or not predictor.can_predict(alpha):
        return NOBODY
    theta, other = memory.iterate.theta, predictor.bracketing(alpha)
    if other is not None:
        return other.iterate.support[theta[other.iterate.support] == 0.0]
    z = predictor.correlations(alpha, problem.working_set.features)
    penalty, _ = problem.penalties(alpha)
    return ((problem.penalty.abs_correlation(z) > penalty) & (theta == 0.0)).nonzero()[0]


def extrapolate(problem: PathProblem, memory: Memory, alpha: float) -> Memory:
    """Go to the line through the last two solved points, on a logarithmic scale of alpha.

    Only what is not zero moves, and nothing changes sign; f goes down, or nothing happens. Not
    between the two.
    """
    predictor, iterate, working_set = memory.predictor, memory.iterate, problem.working_set
    if not predictor.can_predict(alpha) or predictor.bracketing(alpha) is not None:
        return memory
    theta = iterate.theta
    goal = theta + predictor.fraction(alpha, logarithmic=True) * predictor.change(theta)
    goal[goal * theta <= 0.0] = 0.0
    theta, state = problem.term.line_search(
        working_set, iterate.state, theta, goal, problem.penalties(alpha)
    )
    z = iterate.z.copy()
    z[working_set.features] = working_set.columns.correlations(state.residual)
    support = theta.nonzero()[0]
    return memory._replace(iterate=iterate._replace(theta=theta, support=support, state=state, z=z))
