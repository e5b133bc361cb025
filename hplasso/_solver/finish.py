"""The finish: where the alternation goes, in closed form.

On a face of the problem, a support A with signs s that are held, the sweeps of `hadamard` converge
to the solution of

    G_AA theta_A = c_A - lambda_A s_A,

if that has these signs. Solving it is Newton's method for f on the orthant of s. It is not Newton's
method for g: with d for the step of theta, that solves, at balanced factors,

    [G_AA + diag((lambda_A - s_A z_A) / (2 |theta_A|))] d = z_A - lambda_A s_A,

and agrees with the finish only at the fixed point, where z_A = lambda_A s_A.

From the face that a sweep shows, coordinates whose sign comes out wrong leave, and the system is
solved again, until all signs are right: then the solution is a *limit point*, the minimiser of f on
its face. It is taken if f there is below that of the swept product. Violators enter; so it goes on
as long as f goes down, and the factor of G_AA follows from face to face (`cholesky`).

What sweeps cannot do, as the support is kept independent, is to bring in a column that depends on
it. Then *descend*: walk from the last point towards the minimiser of its own face, stopping to drop
whatever reaches zero on the way; then move along the null vector that brings the new one in, on
which the fit stands still and the penalty falls, until a coordinate of the support reaches zero and
makes room (a pivot of the simplex method). f goes down at every step, and a descent ends in the
minimiser of a face.

Why it ends: each point taken is the minimiser of its face, with a smaller f than the one before,
and there are finitely many faces.

References
----------
H. Lee, A. Battle, R. Raina and A. Y. Ng, Efficient sparse coding algorithms, NeurIPS 2006 (the
descent, with one coordinate entering at a time: their feature-sign search).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index, Mask
from .cholesky import CholeskyFactor
from .restricted_problem import RestrictedProblem

# At most this many coordinates enter at a time, and no more than a GROWTH-th of the support: each
# turns the direction of the others, and of too many at a time most have to go again.
MIN_ENTRANTS = 10
GROWTH = 8
# At most this many leave at a time, and no more than a LEAVING-th of the support: on nearly
# saturated supports half of the signs may come out wrong at first. With more at a time a fit there
# takes twice as many solutions, with fewer every path some more.
MIN_LEAVING = 5
LEAVING = 16
# Curvature, relative to that of the single coordinate, that is rounding of a dependent column's.
CURVATURE_NOISE = 1e-13


class Point(NamedTuple):
    """theta, its correlations z = c - G theta, its support, and whether it is optimal.

    The support is in the order of entry, and, where a factor solves, independent wherever a finish
    starts or ends. Conjugate gradients may leave dependent columns in it.
    """

    theta: Float64
    z: Float64
    support: Index
    optimal: bool = False


class Face(NamedTuple):
    """A support with its signs; where columns are dependent, the first `n_trusted` stay."""

    support: Index
    signs: Float64
    n_trusted: int


def point_at(problem: RestrictedProblem, support: Index, values: Float64) -> Point:
    """The point with these values on the support."""
    theta = np.zeros(len(problem.target))
    theta[support] = values
    return Point(theta, problem.correlations(theta, support), support)


def point_of(problem: RestrictedProblem, theta: Float64) -> Point:
    """The point theta."""
    support = theta.nonzero()[0]
    return Point(theta, problem.correlations(theta, support), support)


def violators(problem: RestrictedProblem, point: Point) -> Index:
    """The zero coordinates that optimality lets go, rounding set aside."""
    abs_correlation = point.z if problem.positive else np.abs(point.z)
    wanting = (abs_correlation > problem.bound).nonzero()[0]
    return wanting[point.theta[wanting] == 0.0] if wanting.size else wanting


def leading(problem: RestrictedProblem, point: Point, wanting: Index) -> Index:
    """Of coordinates that want in, those that pull hardest for their penalty, few at a time."""
    room = max(MIN_ENTRANTS, point.support.size // GROWTH)
    if wanting.size <= room:
        return wanting
    cost_ratio = problem.penalty[wanting] / np.abs(point.z[wanting])
    return wanting[np.argpartition(cost_ratio, room)[:room]]


def finish(problem: RestrictedProblem, start: Point, face: Face) -> Point:
    """The last of the limit points from `face` on with f below that of `start`; or `start`."""
    point = _limit_points(problem, start, face)
    if point is not start and problem.factor.refine():
        signs = np.sign(point.theta[point.support])
        point = _limit_points(problem, point, Face(point.support, signs, point.support.size))
    return point


def _limit_points(problem: RestrictedProblem, start: Point, face: Face) -> Point:
    """`finish`, as exact as the factor is."""
    best = start
    while True:
        point = limit_point(problem, best, face)
        wanting = violators(problem, point)
        if not wanting.size:
            return Point(*point[:3], optimal=True)
        if problem.factor.failed or not goes_down(problem, best, point):
            return best
        best, face = point, entered_face(point, leading(problem, point, wanting))


def limit_point(problem: RestrictedProblem, before: Point, face: Face) -> Point:
    """Solve on a face; wrong signs leave, and what depends on the rest, until there are none."""
    factor, signs = problem.factor, np.zeros(len(problem.target))
    factor.update(problem.gram, face.support, face.n_trusted)
    signs[face.support] = face.signs
    right = problem.target - problem.penalty * signs
    while True:
        values, wrong = minimiser_on(problem, signs, right)
        if factor.failed or not wrong.any():
            active = ~factor.fixed
            return point_at(problem, factor.positions[active], values[active])
        factor.fix_at_zero(first_to_leave(before.theta[factor.positions], values, wrong))


def minimiser_on(
    problem: RestrictedProblem, signs: Float64, right: Float64
) -> tuple[Float64, Mask]:
    """Where G_AA theta_A = c_A - lambda_A s_A, A the face of the factor; who has a wrong sign.

    `signs` and ``right = c - lambda o signs`` are those of all coordinates.
    """
    factor = problem.factor
    values = factor.solve(right[factor.positions])
    wrong = ~factor.fixed & (values * signs[factor.positions] <= 0.0)
    if problem.free is not None:
        wrong &= ~problem.free[factor.positions]
    return values, wrong


def first_to_leave(before: Float64, values: Float64, wrong: Mask) -> Mask:
    """Of the wrong signs, if they are many, those that reach zero first on the way to `values`."""
    leaving, room = wrong.nonzero()[0], max(MIN_LEAVING, wrong.size // LEAVING)
    if leaving.size > room:
        here, direction = np.abs(before[leaving]), np.abs(before[leaving]) + np.abs(values[leaving])
        part = np.divide(here, direction, out=np.zeros_like(here), where=direction > 0.0)
        wrong[leaving[np.argpartition(part, room)[room:]]] = False
    return wrong


def entered_face(point: Point, entrants: Index) -> Face:
    """The face of a limit point and the coordinates that enter."""
    support = np.concatenate([point.support, entrants])
    signs = np.sign(np.concatenate([point.theta[point.support], point.z[entrants]]))
    return Face(support, signs, point.support.size)


def step_on(problem: RestrictedProblem, start: Point) -> Float64 | None:
    """The step to the minimiser on the face of a point; or None, if its columns are dependent.

    G_FF d_F = z_F - lambda_F s_F. Of z, what is rounded away in
    c = G theta + z, where G is large, is still there.
    """
    factor, face, signs = problem.factor, start.support, np.sign(start.theta)
    if not face.size or not isinstance(factor, CholeskyFactor):
        return None
    factor.update(problem.gram, face, face.size)
    if factor.active.size < face.size:
        return None
    step, positions = np.zeros_like(start.theta), factor.positions
    step[positions] = factor.solve((start.z - problem.penalty * signs)[positions])
    return step


def goes_down(problem: RestrictedProblem, before: Point, after: Point) -> bool:
    """Whether f is smaller after than before, by more than its rounding."""
    return rise(problem, before, after) < 0.0


def rise(problem: RestrictedProblem, before: Point, after: Point) -> float:
    """f after less f before; 0 if that is rounding."""
    change = problem.change(before.theta, before.z, after.theta, after.z)
    size = problem.penalty @ np.abs(after.theta) + np.abs(problem.target @ after.theta)
    return change if abs(change) > UNIT * float(size) else 0.0


def feature_sign_step(problem: RestrictedProblem, point: Point) -> Point:
    """From the minimiser of the face of a point, let in the leading violator; f goes down."""
    point = minimise_on_face(problem, point.theta)
    wanting = violators(problem, point)
    if not wanting.size:
        return point
    excess = np.abs(point.z[wanting]) - problem.penalty[wanting]
    entrant = int(wanting[np.argmax(excess / np.sqrt(problem.diagonal[wanting]))])
    return minimise_on_face(problem, add_entrant(problem, point, entrant))


def minimise_on_face(problem: RestrictedProblem, theta: Float64) -> Point:
    """Walk to the minimiser of theta's own face, dropping what reaches zero on the way."""
    factor = problem.factor
    support = theta.nonzero()[0]
    arrived = False
    while support.size and not arrived:
        factor.update(problem.gram, support, support.size)
        face = factor.positions
        if factor.active.size < support.size:
            extra = np.setdiff1d(support, factor.active)[0]
            theta = drop_dependent(problem, theta, int(extra))
            support = theta.nonzero()[0]
            continue
        right = problem.target[face] - problem.penalty[face] * np.sign(theta[face])
        theta, arrived = _advance(problem, theta, face, factor.solve(right) - theta[face], 1.0)
        support = theta.nonzero()[0]
    return point_of(problem, theta)


def add_entrant(problem: RestrictedProblem, point: Point, entrant: int) -> Float64:
    """Bring in one coordinate, the others of the face following, as far as f goes down.

    With theta_A = minimiser of its face, the way is d_e = s_e, d_A = -G_AA^-1 G_Ae s_e; f falls on
    it at the rate |z_e| - lambda_e, with the curvature G_ee - G_eA G_AA^-1 G_Ae: none, if the
    column depends on those of the support.
    """
    factor = problem.factor
    factor.update(problem.gram, point.support, point.support.size)
    support, sign = factor.active, np.sign(point.z[entrant])
    response = factor.solve(problem.gram[factor.positions, entrant])[~factor.fixed]
    curvature = problem.diagonal[entrant] - problem.gram[support, entrant] @ response
    slope = np.abs(point.z[entrant]) - problem.penalty[entrant]
    curved = curvature > CURVATURE_NOISE * problem.diagonal[entrant]
    length = slope / curvature if curved else np.inf
    face = np.append(support, entrant)
    return _advance(problem, point.theta, face, sign * np.append(-response, 1.0), length)[0]


def drop_dependent(problem: RestrictedProblem, theta: Float64, extra: int) -> Float64:
    """Let go of a coordinate whose column depends on the factor's, or of one of these.

    The fit stands still on their null vector; the way is the one on which the penalty does not go
    up.
    """
    factor = problem.factor
    response = factor.solve(problem.gram[factor.positions, extra])[~factor.fixed]
    face, direction = (
        np.append(factor.active, extra),
        np.append(response, -1.0) * np.sign(theta[extra]),
    )
    up = float((problem.penalty[face] * np.sign(theta[face])) @ direction) > 0.0
    there, arrived = _advance(
        problem,
        theta,
        face,
        -direction if up else direction,
        np.inf if up else abs(float(theta[extra])),
    )
    if arrived:
        there[extra] = 0.0
    return there


def _advance(
    problem: RestrictedProblem, theta: Float64, face: Index, direction: Float64, length: float
) -> tuple[Float64, bool]:
    """Go `length` along `direction`, or to where the first penalised coordinate reaches zero."""
    here = theta[face]
    shrinking = here * direction < 0.0
    if problem.free is not None:
        shrinking &= ~problem.free[face]
    shrinks = shrinking.nonzero()[0]
    distance = -here[shrinks] / direction[shrinks]
    first = distance.min(initial=np.inf)
    theta = theta.copy()
    if length < first:
        theta[face] = here + length * direction
        return theta, True
    if np.isfinite(first):
        theta[face] = here + first * direction
        theta[face[shrinks[distance == first]]] = 0.0
    return theta, False
