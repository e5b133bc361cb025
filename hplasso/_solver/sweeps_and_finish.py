"""``solver='auto'``: sweeps, each with the finish from the face that it shows, on a working set."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._numerics.typing import Float64, Index
from .alternating import solve_alternating
from .conjugate_gradients import descending_sweep
from .faces import Face, Point, Solution, increase, largest_violators, point_at, violators
from .feature_sign import feature_sign_step
from .finish import finish, towards_limit_point
from .hadamard import Factors, balance, joint_seed, proximal_seed, sweep
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
    knows how exact it has to be. Where that is not exact either, a model is `solve_truncated`.
    """
    if not start.support.size and not violators(problem, start, solver.accuracy).size:
        return Solution(start._replace(optimal=True), 0)
    if once and not solver.exact:
        return solve_truncated(problem, solver, start)
    last, max_taken = Round(start, start), MODEL_ROUNDS if once else max_sweeps
    while True:
        last = next_round(problem, solver, last, max_sweeps)
        ended = last.sweeps >= max_sweeps or last.n_taken >= max_taken or solver.failed
        if last.lowest.optimal or ended:
            return Solution(last.lowest, last.sweeps)


def solve_truncated(problem: RestrictedProblem, solver: LinearSolver, start: Point) -> Solution:
    """One sweep over the support and all violators, and towards the limit point on its face.

    For a model of another loss whose Hessian is known by its products alone: one costs as much as a
    gradient of the loss, so that a model is worth a few of them, and the next one has the true
    curvatures. If f is not below that of the start, the product of the swept factors is taken.
    """
    solver.refine()
    entrants = violators(problem, start)
    factors = balance(start.theta)
    swept = sweep_on(problem, solver, start, factors, entrants)
    new = towards_limit_point(problem, solver, swept.point, swept.face)
    if increase(problem, start, new) < 0.0:
        return Solution(new, 1)
    unequal = np.abs(factors.mu) - np.abs(factors.nu)
    return Solution(swept.point, 1, 0.5 * float(problem.penalty @ unequal**2))


def next_round(
    problem: RestrictedProblem, solver: LinearSolver, last: Round, max_sweeps: int
) -> Round:
    """From one round to the next.

    1. Sweep over the support and the violators that are larger than all of it.
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
    lowest, sweeps = last.lowest, last.sweeps + n_sweeps
    if not last.sweeps or increase(problem, lowest, point) < 0.0:
        lowest = point
    new = finish(problem, solver, lowest, swept.face)
    if new is lowest and solver.exact:
        in_vain = last.n_sweeps >= MOST_SWEEPS or not swept.complete
        if in_vain or _is_dependent(problem, solver, swept.face):
            new = _by_feature_signs(problem, solver, lowest)
    if new is lowest and increase(problem, before, point) == 0.0:
        new = new._replace(optimal=True)
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
    if change >= 0.0:  # without a change, what was shrinking is at zero now
        return (lowest if change else new)._replace(optimal=True)
    return new


def sweep_on(
    problem: RestrictedProblem,
    solver: LinearSolver,
    point: Point,
    factors: Factors,
    entrants: Index | None = None,
) -> Swept:
    """Sweep the factors of a point and of entrants, in place; read their face.

    These are the largest violators, if none are given. Those whose columns depend on the support
    stay out.
    """
    support, seed = point.support, proximal_seed if entrants is None else joint_seed
    if entrants is None:
        entrants = violators(problem, point, solver.accuracy)
        if entrants.size:
            entrants = largest_violators(problem, point, beyond_support(problem, point, entrants))
    if entrants.size:
        seed(problem, factors, point.z, entrants)
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
    face = _proximal_face(part, positions, theta, swept.z[positions])
    complete = not solving or solver.active.size == support.size
    return Swept(swept, face, complete)


def beyond_support(problem: RestrictedProblem, point: Point, entrants: Index) -> Index:
    """The violators whose correlation exceeds all of the support's, relative to the penalty.

    Where penalties have just become smaller, the support has the correlations of the old ones, and
    most of the violators are none any more as soon as it has moved.
    """
    support = point.support
    if not entrants.size or not support.size:
        return entrants
    penalty = problem.penalty[support]
    ratios = np.abs(point.z[support])
    largest = np.divide(ratios, penalty, out=np.zeros_like(ratios), where=penalty > 0.0).max()
    limit = max(1.0, LARGER * largest) * problem.penalty[entrants]
    return entrants[np.abs(point.z[entrants]) > limit]


def _sweep_of(part: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep: by factorisations, or, where these would cost more, by conjugate gradients."""
    factorised = part.operator.matrix is not None and len(part.target) <= FACTORISED
    return sweep(part, factors) if factorised else descending_sweep(part, factors)


def _proximal_face(part: RestrictedProblem, positions: Index, theta: Float64, z: Float64) -> Face:
    """Where one proximal step takes coordinates; those that are still shrinking go to zero."""
    step = theta * part.diagonal + z
    stays = (step if part.positive else np.abs(step)) > part.penalty
    if part.unpenalised is not None:
        stays |= part.unpenalised
    if not stays.all():
        positions, step = positions[stays], step[stays]
    return Face(positions, np.sign(step), positions.size)


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
