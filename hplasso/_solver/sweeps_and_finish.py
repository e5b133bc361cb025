"""``solver='auto'``: sweeps, each with the finish from the face that it shows, on a working set."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._numerics.typing import Index
from .alternating import solve_alternating
from .conjugate_gradients import descending_sweep
from .faces import (
    MIN_ENTRANTS,
    Face,
    Point,
    Solution,
    increase,
    largest_violators,
    point_at,
    proximal_face,
    violators,
    without_rounding,
)
from .feature_sign import feature_sign_step
from .finish import finish
from .hadamard import Factors, balance, proximal_seed, sweep
from .linear_solver import LinearSolver
from .restricted_problem import RestrictedProblem

# After a round of so many sweeps without a limit point, a feature-sign step: columns that are
# nearly dependent need very many. More sweeps take longer there; with fewer, feature-sign steps do
# what sweeps would (constants.py).
MOST_SWEEPS = 8
# Of these rounds a quadratic model of another loss is worth no more than so many: with more, a
# model is solved that the next one replaces; with fewer, there are more models (constants.py).
MODEL_ROUNDS = 5
# Up to this size the systems of a sweep are factorised, in k^3 / 3 multiplications each; some
# conjugate gradients towards their solutions, with k^2 each, cost less for larger ones
# (constants.py).
FACTORISED = 256
# A violator is larger than the support by more than rounding: a numerical limit.
LARGER = 1.0 + 1e-9


class Round(NamedTuple):
    """What rounds of sweeps have led to.

    Attributes
    ----------
    lowest : Point
        The point with the smallest f of all products and limit points.
    point : Point
        The product of the factors.
    factors : Factors or None
        Where the next sweeps start; None where that is at the balanced factors of the point.
    n_sweeps : int
        How many sweeps the next round has.
    sweeps : int
        How many were made.
    n_taken : int
        How many rounds have led to a limit point.
    """

    lowest: Point
    point: Point
    factors: Factors | None = None
    n_sweeps: int = 1
    sweeps: int = 0
    n_taken: int = 0


class Swept(NamedTuple):
    """Where a sweep leads: the product of the factors, and the face that they show.

    `complete` says whether no violator was left out because its column depends on others.
    """

    point: Point
    face: Face
    complete: bool


def solve_with_finish(
    problem: RestrictedProblem,
    solver: LinearSolver,
    start: Point,
    residual_square: Callable[[], float],
    gap_tol: float,
    max_sweeps: int,
    once: bool = False,
) -> Solution:
    """Rounds of sweeps and limit points (`next_round`) until no coordinate has to move.

    If `once`, as for a model of another loss, no more than MODEL_ROUNDS lead to a limit point each.
    Neither `residual_square` nor `gap_tol` is needed: the finish is exact, or the linear solver
    knows how exact it has to be.
    """
    if not start.support.size and not violators(problem, start, solver.accuracy).size:
        return Solution(start._replace(optimal=True), 0)
    last, max_taken = Round(start, start), MODEL_ROUNDS if once else max_sweeps
    while True:
        last = next_round(problem, solver, last, max_sweeps)
        ended = last.sweeps >= max_sweeps or last.n_taken >= max_taken or solver.failed
        if last.lowest.optimal or ended:
            lowest = last.lowest if once else without_rounding(problem, last.lowest)
            return Solution(lowest, last.sweeps)


def next_round(
    problem: RestrictedProblem, solver: LinearSolver, last: Round, max_sweeps: int
) -> Round:
    """From one round to the next.

    1. Sweep over the support and the violators; of many, those that are larger than all of it.
    2. Take limit points, from the face that the factors show: the first if f there is below that of
       their product, the others each below the one before. No violators: it is optimal.
    3. What sweeps cannot do, or not in MOST_SWEEPS, a feature-sign step does: they leave out
       columns that depend on others.
    4. Where none of these lets f go down, the point is optimal as well.
    5. The next sweeps start from the new point; without one, from where the factors are, and are
       twice as many.
    """
    point, n_sweeps = last.point, min(last.n_sweeps, max_sweeps - last.sweeps)
    factors = balance(point.theta) if last.factors is None else last.factors
    for _ in range(n_sweeps):
        before, swept = point, sweep_on(problem, solver, point, factors)
        point = swept.point
    sweeps, new = last.sweeps + n_sweeps, finish(problem, solver, point, swept.face)
    taken, lowest = new.optimal, last.lowest
    if not taken:
        change = increase(problem, lowest, new)
        if change < 0.0 or (change == 0.0 and not last.sweeps):
            taken, lowest = new is not point, new
    if not taken:
        new, in_vain = lowest, last.n_sweeps >= MOST_SWEEPS or not swept.complete
        if solver.exact and (in_vain or _is_dependent(problem, solver, swept.face)):
            new = _by_feature_signs(problem, solver, lowest)
        if new is lowest and increase(problem, before, point) == 0.0:
            new = _at_rest(problem, lowest)
        if new is lowest:
            return Round(lowest, point, factors, 2 * last.n_sweeps, sweeps, last.n_taken)
    return Round(new, new, None, 1, sweeps, last.n_taken + 1)


def _is_dependent(problem: RestrictedProblem, solver: LinearSolver, face: Face) -> bool:
    """Whether columns of a face depend on others of it, so that its system leaves them out."""
    solver.update(problem.operator, face.support, face.n_trusted)
    return solver.active.size < face.support.size


def _by_feature_signs(problem: RestrictedProblem, solver: LinearSolver, lowest: Point) -> Point:
    """Where a feature-sign step leads; optimal if f does not go down."""
    new = feature_sign_step(problem, solver, lowest)
    change = increase(problem, lowest, new)
    return new if change < 0.0 else _at_rest(problem, lowest if change else new)


def _at_rest(problem: RestrictedProblem, point: Point) -> Point:
    """The point as the solution; what is shrinking is at zero, unless f would go up."""
    support = point.support
    part = problem.on(support)
    stays = proximal_face(part, support, point.theta[support], point.z[support]).support
    left = point_at(problem, stays, point.theta[stays])
    if increase(problem, point, left) <= 0.0:
        point = left
    return point._replace(optimal=True)


def sweep_on(
    problem: RestrictedProblem, solver: LinearSolver, point: Point, factors: Factors
) -> Swept:
    """Sweep the factors of a point and of its violators, in place; read their face.

    Of many violators only the largest come in, and none whose column depends on the support.
    """
    support, entrants = point.support, violators(problem, point, solver.accuracy)
    if entrants.size > MIN_ENTRANTS:
        entrants = largest_violators(problem, point, beyond_support(problem, point, entrants))
    if entrants.size:
        proximal_seed(problem, factors, point.z, entrants)
        support = np.concatenate([support, entrants])
    solving = entrants.size > 0
    solver.update(problem.operator, support, point.support.size, solving)
    positions = solver.positions
    part = problem.on(positions, solver.operator)
    new = _sweep_of(part, factors.on(positions))
    factors.become(new, positions)
    theta = new.theta
    moving = theta.nonzero()[0]
    swept = point_at(problem, positions[moving], theta[moving])
    face = proximal_face(part, positions, theta, swept.z[positions])
    complete = solver.active.size == support.size
    return Swept(swept, face, complete)


def beyond_support(problem: RestrictedProblem, point: Point, entrants: Index) -> Index:
    """The violators whose correlation exceeds all of the support's, relative to the penalty.

    Where penalties have just become smaller, the support has the correlations of the old ones, and
    most of the violators are none any more as soon as it has moved.
    """
    support = point.support
    if not support.size:
        return entrants
    penalty = problem.penalty[support]
    ratios = np.abs(point.z[support])
    largest = np.divide(ratios, penalty, out=np.zeros_like(ratios), where=penalty > 0.0).max()
    limit = max(1.0, LARGER * largest) * problem.penalty[entrants]
    return entrants[np.abs(point.z[entrants]) > limit]


def _sweep_of(part: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep: by factorisations, or, where these would cost more, by conjugate gradients."""
    factorised = part.operator.matrix is not None and len(part.target) <= FACTORISED
    if factorised:
        return sweep(part, factors)
    return descending_sweep(part, factors, part.target - part.operator @ factors.theta)[0]


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
