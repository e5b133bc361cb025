"""Newton's steps from the square root of the Hessian, where columns hold codes.

Models by their Hessian lose what such columns leave to a penalty (`square_root_newton`). So where
rounds do not lower the gap, steps follow from the square root of the Hessian, on the face that a
round has shown: its support A with signs s, and one violator more at a time,

    (A'A + diag(rho))_AA d_A = (z - rho theta - lambda s)_A.
"""

from typing import NamedTuple

import numpy as np

from .._datafit.iterate import Iterate
from .._numerics.threads import LARGE_DATA
from .._numerics.typing import NOBODY, Float64, Index
from .._penalties.duality_gap import Certificate
from .memory import Memory
from .problem import PathProblem
from .square_root_newton import Coordinates, coordinates

# Steps at a time, and coordinates of a face, at most: limits of cost, for problems that are few.
STEPS, LARGEST = 30, 500
# A round has helped that leaves less than this part of the gap (constants.py).
HELPED = 0.9


class SquareRootFace(NamedTuple):
    """A support in the working set, its columns, their values under each output, and where."""

    support: Index
    on: Coordinates
    values: Float64
    where: tuple[Index, Index]


def has_long_columns(problem: PathProblem, iterate: Iterate, alpha: float) -> bool:
    """Whether columns are too long for their penalty, or beside others; on few samples."""
    long_columns, penalty = problem.long_columns, problem.penalty
    if long_columns is None:
        return False
    ridge = float(penalty.ridge(alpha, long_columns.longest)[0]) if penalty.ridged else 0.0
    if not long_columns.too_long(ridge):
        return False
    size = iterate.support.size
    return 0 < size <= LARGEST and problem.design.shape[0] * size <= LARGE_DATA


def polished(problem: PathProblem, memory: Memory, alpha: float, gap_tol: float) -> Memory:
    """After a step that has not helped, Newton's steps; they are not tried in vain again."""
    if not has_long_columns(problem, memory.iterate, alpha):
        return memory
    (last, before), certifier = memory.last_gap, problem.certifier
    iterate = memory.iterate
    gap = certifier.of_iterate(alpha, iterate).gap
    if last == alpha and gap >= before * HELPED and gap > gap_tol:
        iterate = _polished(problem, iterate, alpha)
        least = problem.objective(memory.iterate, alpha) - certifier.gap_tol
        gap = np.inf if problem.objective(iterate, alpha) >= least else gap
    return memory._replace(iterate=iterate, last_gap=(alpha, gap))


def _polished(problem: PathProblem, iterate: Iterate, alpha: float) -> Iterate:
    """Newton's steps on the face of the iterate, while f falls; then with a violator."""
    entrants = NOBODY
    for _ in range(STEPS):
        if not has_long_columns(problem, iterate, alpha):
            break
        before = problem.objective(iterate, alpha)
        iterate = _step(problem, iterate, alpha, entrants)
        if problem.objective(iterate, alpha) < before - problem.certifier.gap_tol:
            entrants = NOBODY
            continue
        stayed = entrants[iterate.theta[entrants] == 0.0]
        entrants = _largest_violator(problem, iterate, alpha)
        if stayed.size or not entrants.size:
            break
    return iterate


def _largest_violator(problem: PathProblem, iterate: Iterate, alpha: float) -> Index:
    """Of the coordinates at zero the one that exceeds its penalty most, if one does."""
    features = problem.working_set.features
    penalty, _ = problem.penalties(alpha)
    errors = iterate.rounding.of(problem.design.rounding, features)
    certain = problem.penalty.abs_correlation(iterate.z[features]) - errors
    at_zero = (iterate.theta == 0.0) & (penalty > 0.0)
    excess = np.divide(certain, penalty, out=np.zeros_like(certain), where=at_zero)
    return np.argsort(excess)[-1:] if excess.max(initial=0.0) > 1.0 else NOBODY


def _step(problem: PathProblem, iterate: Iterate, alpha: float, entrants: Index) -> Iterate:
    """Newton's step; what would change its sign goes to zero."""
    term, features = problem.term, problem.working_set.features
    face, penalties = _face(problem, iterate, alpha, entrants), problem.penalties(alpha)
    goal = iterate.theta.copy()
    goal[face.support] += face.on.step(term, iterate.state, face.values)[face.where]
    signs = np.sign(np.where(iterate.theta == 0.0, iterate.z[features], iterate.theta))
    goal[(goal * signs < 0.0) & ((penalties[0] > 0.0) | problem.penalty.positive)] = 0.0
    theta, state = term.line_search(
        problem.working_set, iterate.state, iterate.theta, goal, penalties
    )
    return problem.observe(theta, theta.nonzero()[0], state, alpha)


def _face(problem: PathProblem, iterate: Iterate, alpha: float, entrants: Index) -> SquareRootFace:
    """The face of the iterate, with entrants on the side that they are correlated to."""
    penalty, base = problem.penalty, problem.design.single
    support = np.concatenate([iterate.support, entrants])
    pairs = problem.working_set.features[support]
    n_outputs = problem.design.shape[1] // base.shape[1]
    features, rows = np.unique(pairs // n_outputs, return_inverse=True)
    where, theta = (rows, pairs % n_outputs), iterate.theta[support]
    ridge = np.zeros(features.size)
    if penalty.ridged:
        ridge = penalty.ridge(alpha, features * n_outputs)
    on = coordinates(base, features, ridge, np.ones(features.size, dtype=bool))
    values, fixed = np.zeros((2, on.rho.size, n_outputs))
    moving = np.zeros(values.shape, dtype=bool)
    moving[features.size :] = moving[where] = True  # the intercept is among those
    values[where] = theta
    signs = np.sign(np.where(theta == 0.0, iterate.z[pairs], theta))
    fixed[where] = alpha * penalty.weights[pairs] * signs
    return SquareRootFace(support, on._replace(moving=moving, fixed=fixed), values, where)


def refined_by_square_root(problem: PathProblem, iterate: Iterate, alpha: float) -> Certificate:
    """The certificate of the iterate with the residual that a few more steps would leave."""
    face, best = _face(problem, iterate, alpha, NOBODY), Certificate(np.inf, 0.0, 0.0)
    for state, divergence in face.on.refined(problem.term, iterate.state, face.values):
        there = problem.observe(iterate.theta, iterate.support, state, alpha)
        best = min(best, problem.certifier.of_refined(alpha, there, divergence))
    return best
