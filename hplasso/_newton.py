"""The finish: where the alternation goes, in closed form.

On a face of the problem, a support A with signs s that are held, the sweeps of `_hadamard` converge
to the solution of

    G_AA theta_A = c_A - lambda_A s_A,

which is also Newton's step on g at balanced factors. Solve it; the coordinates whose sign came out
wrong leave; solve again, until the signs agree: a *limit point*, the minimiser of f on its face.
It is taken if f went down (a primal-dual active set, or semismooth Newton, step). Where it did not,
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

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrs

from ._linalg import independent_cholesky
from ._problem import RestrictedProblem
from ._typing import Float64, Index

# Along a path one to three limit points settle an alpha; a support that takes more is better
# served by another sweep.
MAX_LIMIT_POINTS = 5
MIN_ENTRANTS = 10
# Curvature, relative to that of the single coordinate, that is rounding of a dependent column's.
CURVATURE_NOISE = 1e-13


class Point(NamedTuple):
    """theta, its correlations z = c - G theta, and whether it is optimal, to rounding."""

    theta: Float64
    z: Float64
    optimal: bool = False


def leading_violators(problem: RestrictedProblem, theta: Float64, z: Float64) -> Index:
    """The violators that pull hardest for their penalty, at most as many as the support holds."""
    wanting = problem.violators(theta, z)
    room = max(MIN_ENTRANTS, int(np.count_nonzero(theta)))
    if wanting.size <= room:
        return wanting
    dearness = problem.penalty[wanting] / np.abs(z[wanting])
    return wanting[np.argpartition(dearness, room)[:room]]


def active_face(problem: RestrictedProblem, theta: Float64, z: Float64) -> tuple[Index, Float64]:
    """Support and signs after one proximal step of every coordinate, the present support first.

    At a limit point: its support, and the violators. In the middle of the alternation: a forecast,
    as small coordinates that are still shrinking come out as zero.
    """
    support = np.flatnonzero(theta)
    step = theta[support] * problem.gram.diagonal()[support] + z[support]
    pull = step if problem.positive else np.abs(step)
    stays = (pull > problem.penalty[support]) | problem.free[support]
    entrants = leading_violators(problem, theta, z)
    return (
        np.concatenate([support[stays], entrants]),
        np.sign(np.concatenate([step[stays], z[entrants]])),
    )


def limit_point(problem: RestrictedProblem, face: Index, signs: Float64, n_trusted: int) -> Point:
    """Solve on the face; drop what changes sign, or depends on the rest; until nothing does."""
    values = np.empty(0)
    while face.size:
        gram = problem.gram.take(face, axis=0).take(face, axis=1)
        factor, kept = independent_cholesky(gram, n_trusted)
        n_trusted = int(np.count_nonzero(kept < n_trusted))
        face, signs = face[kept], signs[kept]
        values = dpotrs(factor, problem.target[face] - problem.penalty[face] * signs, lower=1)[0]
        agrees = (values * signs > 0.0) | problem.free[face]
        if agrees.all():
            break
        n_trusted = int(np.count_nonzero(agrees[:n_trusted]))
        face, signs = face[agrees], signs[agrees]
    theta = np.zeros_like(problem.target)
    if face.size:
        theta[face] = values
    return Point(theta, problem.correlations(theta))


def finish(problem: RestrictedProblem, start: Point, forecast: Point) -> Point:
    """Limit points from `forecast` on, each below the one before, the first below `start`.

    The support of `start` is independent; that of `forecast` need not be.
    """
    point, guide = start, forecast
    for _ in range(MAX_LIMIT_POINTS):
        face, signs = active_face(problem, guide.theta, guide.z)
        n_trusted = int(np.count_nonzero(point.theta[face])) if guide is point else 0
        new = limit_point(problem, face, signs, n_trusted)
        optimal = problem.violators(new.theta, new.z).size == 0
        if optimal:
            return new._replace(optimal=True)
        if problem.change(*point[:2], *new[:2]) >= 0.0:
            new = descend(problem, point)
            if problem.change(*point[:2], *new[:2]) >= 0.0:  # nothing left but rounding
                return point._replace(optimal=True)
        point = guide = new
    return point


def descend(problem: RestrictedProblem, point: Point) -> Point:
    """From the minimiser of the face of `point`, let in the leading violator; f goes down."""
    theta = settle(problem, point.theta.copy())
    z = problem.correlations(theta)
    wanting = problem.violators(theta, z)
    if wanting.size:
        excess = np.abs(z[wanting]) - problem.penalty[wanting]
        entrant = int(wanting[np.argmax(excess / np.sqrt(problem.gram.diagonal()[wanting]))])
        theta = settle(problem, let_in(problem, theta, z, entrant))
        z = problem.correlations(theta)
    return Point(theta, z)


def settle(problem: RestrictedProblem, theta: Float64) -> Float64:
    """Walk to the minimiser of theta's own face, dropping what reaches zero on the way."""
    support = np.flatnonzero(theta)
    while support.size:
        signs = np.sign(theta[support])
        gram = problem.gram.take(support, axis=0).take(support, axis=1)
        factor, kept = independent_cholesky(gram, support.size)
        theta[np.delete(support, kept)] = 0.0
        support, signs = support[kept], signs[kept]
        target = problem.target[support] - problem.penalty[support] * signs
        goal = dpotrs(factor, target, lower=1)[0]
        theta, arrived = _advance(problem, theta, support, goal - theta[support], 1.0)
        if arrived:
            break
        support = np.flatnonzero(theta)
    return theta


def let_in(problem: RestrictedProblem, theta: Float64, z: Float64, entrant: int) -> Float64:
    """Bring in one coordinate, the others of the face following, as far as f goes down.

    With theta_A = minimiser of its face, the way is d_e = s_e, d_A = -G_AA^-1 G_Ae s_e; f falls on
    it at the rate |z_e| - lambda_e, with the curvature G_ee - G_eA G_AA^-1 G_Ae: none, if the
    column depends on those of the support.
    """
    support = np.flatnonzero(theta)
    sign = np.sign(z[entrant])
    cross = problem.gram[support, entrant]
    curvature = problem.gram[entrant, entrant]
    follow = np.empty(0)
    if support.size:
        factor, _ = independent_cholesky(problem.gram[np.ix_(support, support)], support.size)
        follow = dpotrs(factor, cross, lower=1)[0]
        curvature -= cross @ follow
    slope = np.abs(z[entrant]) - problem.penalty[entrant]
    curved = curvature > CURVATURE_NOISE * problem.gram[entrant, entrant]
    length = slope / curvature if curved else np.inf
    face = np.append(support, entrant)
    return _advance(problem, theta, face, sign * np.append(-follow, 1.0), length)[0]


def _advance(
    problem: RestrictedProblem, theta: Float64, face: Index, way: Float64, length: float
) -> tuple[Float64, bool]:
    """Go `length` along `way`, or to where the first penalised coordinate reaches zero."""
    here = theta[face]
    shrinks = np.flatnonzero((here * way < 0.0) & ~problem.free[face])
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
