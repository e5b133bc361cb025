"""Breakpoints of a lasso path: how far a solution moves along a line.

While the support S and its signs s stay the same, z_S = alpha w_S s determines the solution: with
d = G_SS^-1 (w_S s),

    d theta_S / d alpha = -d,        d z / d alpha = G_.S d.

So theta and z are linear in alpha up to a *breakpoint* on either side, where a coefficient reaches
zero, or the correlation of another feature its limit. At a solved point that costs one system with
the factor that is there, and a product with the Gram matrix. It is worth that where the working set
is whole, so that no feature outside of it has to be asked for its correlation.

References
----------
M. R. Osborne, B. Presnell and B. A. Turlach, A new approach to variable selection in least squares
problems, IMA Journal of Numerical Analysis 20 (2000) 389-403.
"""

import numpy as np

from .._numerics.linalg import GramMatrix
from .._numerics.typing import Float64, Index
from .memory import Memory
from .predictor import SolvedPoint
from .problem import PathProblem

# Downwards and upwards; of a correlation, to its limit and to minus that.
DIRECTIONS = np.array([[-1.0], [1.0]])
SIGNS = np.array([[[1.0]], [[-1.0]]])


def with_breakpoints(problem: PathProblem, memory: Memory, alpha: float) -> SolvedPoint:
    """The iterate, the solution that has just been found, with its breakpoints where they help."""
    point = SolvedPoint(alpha, memory.iterate)
    tangent = None
    if has_breakpoints(problem) and not memory.used_matrix_free:
        tangent = _tangent(problem, memory)
    if tangent is None:
        return point
    lengths, to_zero = _lengths(problem, point, *tangent)
    down, up = (
        _moved(point, sign * length, *tangent, at.nonzero()[0])
        for sign, length, at in zip((-1.0, 1.0), lengths, to_zero <= lengths[:, None], strict=True)
    )
    return point._replace(breakpoints=(down, up))


def has_breakpoints(problem: PathProblem) -> bool:
    """Whether the path consists of lines, with all features at hand."""
    by_lines = problem.term.quadratic and not problem.penalty.ridged
    return by_lines and problem.settings.solver == "auto" and problem.working_set.whole


def _tangent(problem: PathProblem, memory: Memory) -> tuple[Float64, Float64] | None:
    """How theta on the support, and z of all features, change with alpha; None if dependent."""
    working_set, iterate, factor = problem.working_set, memory.iterate, memory.cholesky
    support, gram = iterate.support, working_set.gram
    factor.update(GramMatrix(gram), support, support.size)
    if factor.active.size < support.size:
        return None
    d = np.zeros(iterate.theta.size)
    d[support] = problem.penalty.weights[working_set.features[support]]
    d *= np.sign(iterate.theta)
    d[factor.positions] = factor.solve(d[factor.positions])
    slope, z = d[support], np.empty(iterate.z.size)
    z[working_set.features] = slope @ gram[support]
    return -slope, z


def _lengths(
    problem: PathProblem, point: SolvedPoint, slope: Float64, z_slope: Float64
) -> tuple[Float64, Float64]:
    """How far alpha may go to the breakpoints; where each coefficient of the support is zero."""
    alpha, iterate, penalty = point.alpha, point.iterate, problem.penalty
    on, weights = problem.working_set.features[iterate.support], penalty.weights
    theta, z = iterate.theta[iterate.support], iterate.z
    moves, rises = DIRECTIONS * slope, DIRECTIONS * z_slope
    shrinks = theta * moves < 0.0
    if not penalty.positive:
        shrinks &= weights[on] > 0.0
    to_zero = np.divide(-theta, moves, out=np.full(moves.shape, np.inf), where=shrinks)
    free = (weights > 0.0) | penalty.positive  # others are never at zero
    free[on] = False
    signs = SIGNS[: 1 if penalty.positive else 2]
    room, closes = alpha * weights - signs * z, signs * rises - DIRECTIONS * weights
    where = free & (closes > 0.0)
    to_limit = np.divide(room, closes, out=np.full(closes.shape, np.inf), where=where)
    lengths = np.minimum(to_zero.min(axis=1, initial=alpha), to_limit.min(axis=(0, 2)))
    return np.maximum(lengths, 0.0), to_zero


def _moved(
    point: SolvedPoint, change: float, slope: Float64, z_slope: Float64, at_zero: Index
) -> SolvedPoint:
    """The point on the line where alpha has changed by so much, with some coefficients at zero."""
    alpha, iterate = point.alpha + change, point.iterate
    values = iterate.theta[iterate.support] + change * slope
    values[at_zero] = 0.0
    theta, z = iterate.theta.copy(), iterate.z + change * z_slope
    theta[iterate.support] = values
    feasible_alpha = alpha + max(0.0, iterate.feasible_alpha - point.alpha)
    return SolvedPoint(alpha, iterate._replace(theta=theta, z=z, feasible_alpha=feasible_alpha))


def joined(first: SolvedPoint, last: SolvedPoint) -> list[SolvedPoint]:
    """Two solved points of decreasing alpha, and their breakpoints between them, where known."""
    down = first if first.breakpoints is None else first.breakpoints[0]
    up = last if last.breakpoints is None else last.breakpoints[1]
    if down.alpha <= last.alpha:  # on the same line
        return [first, last]
    points = [first] if down is first else [first, down]
    if last.alpha < up.alpha < down.alpha:
        # residuals shrink with alpha: that of the first is a bound
        points.append(up._replace(iterate=up.iterate._replace(state=first.iterate.state)))
    return [*points, last]


def is_on_line(first: SolvedPoint, last: SolvedPoint, alpha: float) -> bool:
    """Whether an alpha between two solved points is on the line of one of them."""
    below = first.breakpoints is not None and alpha >= first.breakpoints[0].alpha
    return below or (last.breakpoints is not None and alpha <= last.breakpoints[1].alpha)
