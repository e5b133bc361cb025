"""The finish: where the alternation goes, in closed form.

On a face of the problem, a support A with signs s that are held, the sweeps of `_hadamard` converge
to the solution of

    G_AA theta_A = c_A - lambda_A s_A,

which is also Newton's step on g at balanced factors. Solve it; the coordinates whose sign came out
wrong leave; solve again, until the signs agree: a *limit point*, the minimiser of f on its face.
It is taken if f went down (a primal-dual active set, or semismooth Newton, step); the factor of
G_AA follows from face to face (`_face_factor`). Where f did not go down,
*descend*: walk from the last point towards the minimiser of its own face plus the one coordinate
that wants in most, stopping to drop whatever reaches zero on the way. There f goes down at every
step, and ends in the minimiser of a face again.

Why it ends: each point taken is the minimiser of its face, with a smaller f than the one before,
and there are finitely many faces.

Dependent columns: the support is kept independent. A coordinate whose column depends on the
support's is left out of a limit point; if it still wants in when the others have settled, the
descent moves along the null vector that brings it in, on which the fit stands still and the
penalty falls, until a coordinate of the support reaches zero and makes room (a pivot of the
simplex method).

References
----------
H. Lee, A. Battle, R. Raina and A. Y. Ng, Efficient sparse coding algorithms, NeurIPS 2006 (the
descent, with one coordinate entering at a time: their feature-sign search).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._problem import RestrictedProblem
from ._typing import Float64, Index, Mask

# Along a path one to three limit points settle an alpha. A quadratic model of another loss is worth
# no more than these.
MAX_LIMIT_POINTS = 5
# At most this many coordinates enter at a time, and no more than a GROWTH-th of the support: each
# turns the direction of the others, and of too many at a time most have to go again.
MIN_ENTRANTS = 10
GROWTH = 8
# Curvature, relative to that of the single coordinate, that is rounding of a dependent column's.
CURVATURE_NOISE = 1e-13
NOBODY: Index = np.empty(0, dtype=np.intp)


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


def violators(problem: RestrictedProblem, point: Point, room: float | None = None) -> Index:
    """The zero coordinates that optimality lets go, rounding set aside.

    Those that pull hardest for their penalty: `room` of them, by default few beside the support.
    """
    pull = point.z if problem.positive else np.abs(point.z)
    wanting = (pull > problem.bound).nonzero()[0]
    if not wanting.size:
        return wanting
    wanting = wanting[point.theta[wanting] == 0.0]
    room = max(MIN_ENTRANTS, point.support.size // GROWTH) if room is None else room
    if wanting.size <= room:
        return wanting
    dearness = problem.penalty[wanting] / pull[wanting]
    return wanting[np.argpartition(dearness, int(room))[: int(room)]]


def entered_face(point: Point, entrants: Index) -> Face:
    """The face of a limit point and the coordinates that enter."""
    support = np.concatenate([point.support, entrants])
    signs = np.sign(np.concatenate([point.theta[point.support], point.z[entrants]]))
    return Face(support, signs, point.support.size)


def limit_point(problem: RestrictedProblem, face: Face) -> Point:
    """Solve on the face; what depends on the rest, or changes sign, is dropped until nothing is."""
    factor = problem.factor
    factor.bring(problem.gram, face.support, face.n_trusted)
    signs = np.zeros(len(problem.target))
    signs[face.support] = face.signs
    right = problem.target - problem.penalty * signs
    while True:
        values, wrong = minimise_on_face(problem, signs, right)
        if not wrong.any():
            active = ~factor.held
            return point_at(problem, factor.places[active], values[active])
        factor.hold(wrong)


def minimise_on_face(
    problem: RestrictedProblem, signs: Float64, right: Float64
) -> tuple[Float64, Mask]:
    """The minimiser on the factor's face, and which of its coordinates have the wrong sign there.

    `signs` and ``right = c - lambda o signs`` are of all coordinates.
    """
    support = problem.factor.places
    values = problem.factor.solve(right[support])
    wrong = ~problem.factor.held & (values * signs[support] <= 0.0)
    if problem.free is not None:
        wrong &= ~problem.free[support]
    return values, wrong


def finish(
    problem: RestrictedProblem,
    start: Point,
    face: Face,
    fallback: Callable[[RestrictedProblem, Point], Point],
) -> Point:
    """Limit points, each below the one before: the first on `face`, and below `start`.

    Where f does not go down, the `fallback`, such as `descend`, takes the next step.
    """
    point = _limit_points(problem, start, face, fallback)
    if problem.factor.refine():
        point = _limit_points(problem, point, entered_face(point, NOBODY), fallback)
    return point


def _limit_points(
    problem: RestrictedProblem,
    point: Point,
    face: Face,
    fallback: Callable[[RestrictedProblem, Point], Point],
) -> Point:
    """`finish`, as exact as the factor is."""
    for _ in range(MAX_LIMIT_POINTS):
        new = limit_point(problem, face)
        entrants = violators(problem, new)
        if not entrants.size:
            return new._replace(optimal=True)
        if problem.change(point.theta, point.z, new.theta, new.z) >= 0.0:
            new = fallback(problem, point)
            if problem.change(point.theta, point.z, new.theta, new.z) >= 0.0:
                return point._replace(optimal=True)  # nothing left but rounding
            entrants = violators(problem, new)
        point, face = new, entered_face(new, entrants)
    return point


def descend(problem: RestrictedProblem, point: Point) -> Point:
    """From the minimiser of the face of `point`, let in the leading violator; f goes down."""
    point = settle(problem, point.theta)
    wanting = violators(problem, point)
    if not wanting.size:
        return point
    excess = np.abs(point.z[wanting]) - problem.penalty[wanting]
    entrant = int(wanting[np.argmax(excess / np.sqrt(problem.diagonal[wanting]))])
    return settle(problem, let_in(problem, point, entrant))


def settle(problem: RestrictedProblem, theta: Float64) -> Point:
    """Walk to the minimiser of theta's own face, dropping what reaches zero on the way."""
    factor = problem.factor
    support = theta.nonzero()[0]
    arrived = False
    while support.size and not arrived:
        factor.bring(problem.gram, support, support.size)
        face = factor.places
        if factor.active.size < support.size:
            kept = np.zeros_like(theta)
            kept[face] = theta[face]
            theta = kept
        right = problem.target[face] - problem.penalty[face] * np.sign(theta[face])
        theta, arrived = _advance(problem, theta, face, factor.solve(right) - theta[face], 1.0)
        support = theta.nonzero()[0]
    return point_of(problem, theta)


def let_in(problem: RestrictedProblem, point: Point, entrant: int) -> Float64:
    """Bring in one coordinate, the others of the face following, as far as f goes down.

    With theta_A = minimiser of its face, the way is d_e = s_e, d_A = -G_AA^-1 G_Ae s_e; f falls on
    it at the rate |z_e| - lambda_e, with the curvature G_ee - G_eA G_AA^-1 G_Ae: none, if the
    column depends on those of the support.
    """
    factor = problem.factor
    factor.bring(problem.gram, point.support, point.support.size)
    support, sign = factor.active, np.sign(point.z[entrant])
    follow = factor.solve(problem.gram[factor.places, entrant])[~factor.held]
    curvature = problem.diagonal[entrant] - problem.gram[support, entrant] @ follow
    slope = np.abs(point.z[entrant]) - problem.penalty[entrant]
    curved = curvature > CURVATURE_NOISE * problem.diagonal[entrant]
    length = slope / curvature if curved else np.inf
    face = np.append(support, entrant)
    return _advance(problem, point.theta, face, sign * np.append(-follow, 1.0), length)[0]


def _advance(
    problem: RestrictedProblem, theta: Float64, face: Index, way: Float64, length: float
) -> tuple[Float64, bool]:
    """Go `length` along `way`, or to where the first penalised coordinate reaches zero."""
    here = theta[face]
    shrinking = here * way < 0.0
    if problem.free is not None:
        shrinking &= ~problem.free[face]
    shrinks = shrinking.nonzero()[0]
    reach = -here[shrinks] / way[shrinks]
    first = reach.min(initial=np.inf)
    theta = theta.copy()
    if length < first:
        theta[face] = here + length * way
        return theta, True
    if np.isfinite(first):
        theta[face] = here + first * way
        theta[face[shrinks[reach == first]]] = 0.0
    return theta, False
