"""Solve the problem on a working set: by the finish, or by sweeps, if these are asked for alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._numerics.rounding import NOBODY
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate, certainly_zero, certify
from .._penalties.l1 import feasible_alpha
from .cholesky import CholeskyFactor
from .finish import (
    Face,
    Point,
    feature_sign_step,
    finish,
    goes_down,
    leading,
    point_at,
    point_of,
    rise,
    violators,
)
from .hadamard import Factors, balance, descending_sweep, proximal_seed, sweep
from .restricted_problem import RestrictedProblem

# After so many sweeps in vain, at a time, a descent: columns that are nearly dependent need very
# many. More take longer there; fewer leave to the descent what sweeps would end.
LONGEST = 8
# Of these rounds a quadratic model of another loss is worth no more than so many.
MODEL_ROUNDS = 5
# Up to this size the systems of a sweep are factorised, in k^3 / 3 multiplications each; some
# conjugate gradients towards their solutions, with k^2 each, cost less for larger ones.
FACTORISED = 256
# Harder than the support, by more than rounding.
HARDER = 1.0 + 1e-9


class Restricted(NamedTuple):
    """A solution on the working set, the sweeps that it took, and g - f at their last factors."""

    point: Point
    sweeps: int
    imbalance: float = 0.0


class Swept(NamedTuple):
    """Where a sweep leads: the product of the factors, and the face that they show.

    `complete` says whether no violator was left out because its column depends on others.
    """

    point: Point
    face: Face
    complete: bool


def solve_with_finish(
    problem: RestrictedProblem,
    start: Point,
    predicted: Index,
    square: Callable[[], float],
    gap: float,
    max_sweeps: int,
    once: bool = False,
) -> Restricted:
    """``solver='auto'``: sweeps, each with the finish from the face that it shows.

    1. Sweep over the support and the violators that pull harder than it does.
    2. Take limit points, from the face that the factors show: the first if f there is below that of
       their product, the others each below the one before. Nothing wants to move: done.
    3. Without a limit point, the next sweeps go on from where the factors are, twice as many.

    What sweeps can not do, or not in LONGEST, `feature_sign_step` does: they leave out columns that depend on
    others. If `once`, as for a model of another loss, no more than MODEL_ROUNDS lead to a limit
    point each. `predicted` coordinates are tried on the face where conjugate gradients solve. The gap
    asked for does not come in: the finish is exact, or the problem's FaceGradients know how exact
    it has to be.
    """
    if not start.support.size and not violators(problem, start).size:
        return Restricted(start._replace(optimal=True), 0)
    factors, lowest, point = balance(start.theta), None, start
    sweeps, length, rounds = 0, 1, MODEL_ROUNDS if once else max_sweeps
    while True:
        for _ in range(min(length, max_sweeps - sweeps)):
            before, (point, face, complete) = point, sweep_on(problem, point, factors, predicted)
            sweeps += 1
        if lowest is None or goes_down(problem, lowest, point):
            lowest = point
        new = finish(problem, lowest, face)
        vain = length >= LONGEST or not complete
        if new is lowest and (vain or _is_dependent(problem, face)):
            new = feature_sign_step(problem, lowest)
            change = rise(problem, lowest, new)
            if change >= 0.0:  # without a change, what was shrinking is at zero now
                new = (lowest if change else new)._replace(optimal=True)
        if new is lowest and rise(problem, before, point) == 0.0:
            new = new._replace(optimal=True)
        taken, lowest = new is not lowest, new
        rounds -= taken
        if new.optimal or sweeps >= max_sweeps or not rounds or problem.factor.failed:
            return Restricted(new, sweeps)
        length = 1 if taken else 2 * length
        if taken:
            point, factors = new, balance(new.theta)


def _is_dependent(problem: RestrictedProblem, face: Face) -> bool:
    """Whether columns of a face depend on others of it, so that its system leaves them out."""
    if not isinstance(problem.factor, CholeskyFactor):
        return False
    problem.factor.update(problem.gram, face.support, face.n_trusted)
    return problem.factor.active.size < face.support.size


def sweep_on(
    problem: RestrictedProblem, point: Point, factors: Factors, predicted: Index = NOBODY
) -> Swept:
    """Sweep the factors of a point and of its foremost violators, in place; read their face.

    Of these, those whose columns depend on the support stay out.
    """
    wanted, entrants = point.support, leading(problem, point, largest_violators(problem, point))
    if entrants.size:
        seed(problem, point, factors, entrants)
        wanted = np.concatenate([wanted, entrants])
    n_trusted = point.support.size
    problem.factor.update(problem.gram, wanted, n_trusted, solving=entrants.size > 0)
    positions, part = problem.factor.positions, problem.of_factor()
    new = _sweep_of(part, Factors(factors.mu[positions], factors.nu[positions]))
    for factor, values in zip(factors, new, strict=True):
        factor[:] = 0.0
        factor[positions] = values
    theta = new.theta
    moving = theta.nonzero()[0]
    swept = point_at(problem, positions[moving], theta[moving])
    face = _proximal_face(part, positions, theta, swept.z[positions])
    complete = not entrants.size or problem.factor.active.size == wanted.size
    return Swept(swept, _with_predicted(problem, point, face, predicted), complete)


def largest_violators(problem: RestrictedProblem, point: Point) -> Index:
    """Violators that pull harder for their penalty than anything in the support does.

    Where penalties have just become smaller, the support pulls as hard as it did at the old ones,
    and most of the violators cease to want in as soon as it has moved.
    """
    wanting, support = violators(problem, point), point.support
    if not wanting.size or not support.size:
        return wanting
    penalty = problem.penalty[support]
    abs_correlation = np.abs(point.z[support])
    largest = np.divide(
        abs_correlation, penalty, out=np.zeros_like(abs_correlation), where=penalty > 0.0
    ).max()
    return wanting[np.abs(point.z[wanting]) > max(1.0, HARDER * largest) * problem.penalty[wanting]]


def seed(problem: RestrictedProblem, point: Point, factors: Factors, entrants: Index) -> None:
    """Give coordinates that are at zero the factors of one proximal step, in place."""
    seeds = balance(proximal_seed(problem, point.z, entrants))
    for factor, values in zip(factors, seeds, strict=True):
        factor[entrants] = values


def _sweep_of(part: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep: by factorisations, or, where these would cost more, by conjugate gradients."""
    if isinstance(part.gram, np.ndarray) and len(part.target) <= FACTORISED:
        return sweep(part, factors)
    return descending_sweep(part, factors, part.target - part.gram @ factors.theta)[0]


def _proximal_face(part: RestrictedProblem, positions: Index, theta: Float64, z: Float64) -> Face:
    """Where one proximal step takes coordinates; those that are still shrinking go to zero."""
    step = theta * part.diagonal + z
    stays = (step if part.positive else np.abs(step)) > part.penalty
    if part.free is not None:
        stays |= part.free
    if not stays.all():
        positions, step = positions[stays], step[stays]
    return Face(positions, np.sign(step), positions.size)


def _with_predicted(problem: RestrictedProblem, point: Point, face: Face, predicted: Index) -> Face:
    """The face with the `predicted` coordinates, on the side that they pull to."""
    if not predicted.size:
        return face
    support = np.concatenate([face.support, predicted])
    signs = np.sign(np.concatenate([face.signs, point.z[predicted]]))
    if problem.positive:  # they may pull the other way still
        signs[:] = 1.0
    return Face(support, signs, face.n_trusted)


def solve_alternating(
    problem: RestrictedProblem,
    start: Point,
    predicted: Index,
    square: Callable[[], float],
    gap: float,
    max_sweeps: int,
    once: bool = False,
) -> Restricted:
    """``solver='alternating'``: sweeps alone, until the gap is reached on the working set.

    `square` says ||r||^2 at the start; `predicted` coordinates are not needed. Zeros are those
    coordinates that never wanted to leave zero, and those that the gap certifies.
    """
    if not start.support.size and not violators(problem, start).size:
        return Restricted(start, 0)
    point, factors, square_left = start, balance(start.theta), square()
    for sweeps in range(1, 2 if once else max_sweeps + 1):  # noqa: B007
        seed(problem, point, factors, violators(problem, point))
        factors = _sweep_live(problem, factors)
        new = point_of(problem, factors.theta)
        square_left = max(0.0, square_left - float((new.theta - point.theta) @ (point.z + new.z)))
        point = new
        certificate = _certify(problem, point, square_left)
        if certificate.gap <= gap:
            break
    lengths = np.sqrt(problem.diagonal)
    zero = certainly_zero(problem.penalty, point.z, lengths, certificate, problem.positive)
    unequal = 0.5 * float(problem.penalty @ (np.abs(factors.mu) - np.abs(factors.nu)) ** 2)
    return Restricted(point_of(problem, np.where(zero, 0.0, point.theta)), sweeps, unequal)


def _certify(problem: RestrictedProblem, point: Point, square: float) -> Certificate:
    """The certificate of a point for the restricted problem, at alpha = 1."""
    penalty, rounding_error, on = problem.penalty, problem.rounding_error, point.support
    largest = float(feasible_alpha(point.z, rounding_error, penalty, problem.positive).max())

    def divergence(kappa: float) -> float:
        return 0.5 * (1.0 - kappa) ** 2 * square

    return certify(
        1.0, largest, penalty[on], rounding_error[on], point.z[on], point.theta[on], divergence
    )


def _sweep_live(problem: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep of the coordinates that are not at zero, where they would stay anyway."""
    live = np.flatnonzero(factors.theta)
    if not live.size:
        return factors
    new = sweep(problem.on(live), Factors(factors.mu[live], factors.nu[live]))
    for factor, values in zip(factors, new, strict=True):
        factor[:] = 0.0
        factor[live] = values
    return factors


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
