"""Solve the problem on a working set: by the finish, or by sweeps, if these are asked for alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._certificate import Certificate, certainly_zero, certify, reach
from ._face_factor import FaceFactor
from ._hadamard import Factors, balance, descending_sweep, proximal_seed, sweep
from ._newton import (
    NOBODY,
    Face,
    Point,
    descend,
    entered_face,
    finish,
    minimise_on_face,
    point_at,
    point_of,
    violators,
)
from ._problem import RestrictedProblem
from ._typing import Float64, Index, Mask

# What is left of a coordinate's curvature when correlated ones follow it.
FOLLOWED = 0.4
NO_SIGNS: Float64 = np.empty(0)


class Restricted(NamedTuple):
    """A solution on the working set, the sweeps that it took, and g - f at their last factors."""

    point: Point
    sweeps: int
    imbalance: float = 0.0


def solve_with_finish(
    problem: RestrictedProblem,
    start: Point,
    likely: Index,
    square: Callable[[], float],
    gap: float,
    max_sweeps: int,
) -> Restricted:
    """``solver='auto'``: forecast, finish, and again, till nothing wants to move; f never goes up.

    `likely` coordinates are tried on the first face where conjugate gradients solve. The gap asked
    for does not come in: the finish is exact, or the problem's FaceGradients know how exact it has
    to be.
    """
    point, sweeps, fallback = start, 0, _fallback(problem)
    while sweeps < max_sweeps and not point.optimal:
        point = finish(problem, point, forecast(problem, point, likely), fallback)
        sweeps, likely = sweeps + 1, likely[:0]
    return Restricted(point, sweeps)


def finish_from(problem: RestrictedProblem, support: Index, values: Float64) -> Point:
    """The finish alone, from coefficients near the solution, without those that are shrinking.

    A coordinate is shrinking if one proximal step takes it to zero, while the others follow.
    """
    start = point_at(problem, support, values)
    step = FOLLOWED * values * problem.diagonal[support] + start.z[support]
    free = None if problem.free is None else problem.free[support]
    stays = _staying(step, problem.penalty[support], problem.positive, free)
    face = Face(support[stays], np.sign(values[stays]), 0)
    return finish(problem, start, face, _fallback(problem))


def _fallback(problem: RestrictedProblem) -> Callable[[RestrictedProblem, Point], Point]:
    """What goes on where limit points do not: conjugate gradients have no independent support."""
    return descend if isinstance(problem.factor, FaceFactor) else sweep_on


def sweep_on(problem: RestrictedProblem, point: Point) -> Point:
    """Where a sweep takes the support and the leading violators, balanced."""
    start = _let_in_violators(problem, point)
    _, factors, _ = _descend_on_face(problem, start)
    start.theta[problem.factor.places] = factors.theta
    return point_of(problem, start.theta)


def _descend_on_face(
    problem: RestrictedProblem, point: Point
) -> tuple[RestrictedProblem, Factors, Float64]:
    """A sweep by conjugate gradients on the face of a point: its problem, the factors, and z."""
    problem.factor.bring(problem.gram, point.support, point.support.size)
    places, part = problem.factor.places, problem.of_factor()
    return part, *descending_sweep(part, balance(point.theta[places]), point.z[places])


def forecast(problem: RestrictedProblem, point: Point, likely: Index = NOBODY) -> Face:
    """The face that sweeps are heading for.

    Those on a support go to the minimiser on its face, in closed form: coordinates whose sign comes
    out wrong there leave, the leading violators enter. Where conjugate gradients solve, a sweep is
    made instead, and the `likely` coordinates enter.
    """
    if not point.support.size:
        return _first_face(problem, point)
    if not isinstance(problem.factor, FaceFactor):
        return _swept_face(problem, point, likely)
    factor = problem.factor
    factor.bring(problem.gram, point.support, point.support.size)
    signs = np.sign(point.theta)
    values, wrong = minimise_on_face(problem, signs, problem.target - problem.penalty * signs)
    limit = point_at(problem, factor.places, values)
    stays = factor.places[~(wrong | factor.held)]
    return entered_face(limit._replace(support=stays), violators(problem, limit))


def _first_face(problem: RestrictedProblem, point: Point) -> Face:
    """From zero: a sweep on the leading violators, then one proximal step of each."""
    point = _let_in_violators(problem, point)
    problem.factor.bring(problem.gram, point.support, 0)
    face, part = problem.factor.places, problem.of_factor()
    if not face.size:
        return Face(face, NO_SIGNS, 0)
    values = sweep(part, balance(point.theta[face])).theta
    return _proximal_face(part, face, values, part.target - part.gram @ values)


def _swept_face(problem: RestrictedProblem, point: Point, likely: Index) -> Face:
    """A sweep by conjugate gradients on the support, then one proximal step of each.

    The `likely` coordinates are let in then, to the side that they pull to.
    """
    factor = problem.factor
    part, factors, z = _descend_on_face(problem, point)
    face = _proximal_face(part, factor.places, factors.theta, z, ~factor.held)
    support = np.concatenate([face.support, likely])
    signs = np.sign(np.concatenate([face.signs, point.z[likely]]))
    if problem.positive:  # the likely ones may pull the other way still
        signs[:] = 1.0
    return Face(support, signs, face.support.size)


def _proximal_face(
    part: RestrictedProblem, places: Index, values: Float64, z: Float64, free: Mask | bool = True
) -> Face:
    """Where one proximal step takes coordinates; those that are still shrinking go to zero."""
    step = values * part.diagonal + z
    stays = _staying(step, part.penalty, part.positive, part.free) & free
    return Face(places[stays], np.sign(step[stays]), int(np.count_nonzero(stays)))


def _staying(step: Float64, penalty: Float64, positive: bool, free: Mask | None) -> Mask:
    """Which coordinates a proximal step does not take to zero."""
    stays = (step if positive else np.abs(step)) > penalty
    return stays if free is None else stays | free


def _let_in_violators(problem: RestrictedProblem, point: Point) -> Point:
    """A point with the leading violators on its support."""
    entrants = violators(problem, point)
    seeds = proximal_seed(problem, point.z, entrants)
    values = np.concatenate([point.theta[point.support], seeds])
    return point_at(problem, np.concatenate([point.support, entrants]), values)


def solve_alternating(
    problem: RestrictedProblem,
    start: Point,
    likely: Index,
    square: Callable[[], float],
    gap: float,
    max_sweeps: int,
) -> Restricted:
    """``solver='alternating'``: sweeps alone, until the gap is reached on the working set.

    `square` says ||r||^2 at the start; `likely` coordinates are not needed. Zeros are those
    coordinates that never wanted to leave zero, and those that the gap certifies.
    """
    if not start.support.size and not violators(problem, start).size:
        return Restricted(start, 0)
    point, factors, rest = start, balance(start.theta), square()
    for sweeps in range(1, max_sweeps + 1):  # noqa: B007
        entrants = violators(problem, point, np.inf)
        seeds = balance(proximal_seed(problem, point.z, entrants))
        for factor, seed in zip(factors, seeds, strict=True):
            factor[entrants] = seed
        factors = _sweep_live(problem, factors)
        new = point_of(problem, factors.theta)
        rest = max(0.0, rest - float((new.theta - point.theta) @ (point.z + new.z)))
        point = new
        certificate = _certify(problem, point, rest)
        if certificate.gap <= gap:
            break
    lengths = np.sqrt(problem.diagonal)
    zero = certainly_zero(problem.penalty, point.z, lengths, certificate, problem.positive)
    unequal = 0.5 * float(problem.penalty @ (np.abs(factors.mu) - np.abs(factors.nu)) ** 2)
    return Restricted(point_of(problem, np.where(zero, 0.0, point.theta)), sweeps, unequal)


def _certify(problem: RestrictedProblem, point: Point, square: float) -> Certificate:
    """The certificate of a point for the restricted problem, at alpha = 1."""
    penalty, slack, on = problem.penalty, problem.slack, point.support
    level = float(reach(point.z, slack, penalty, problem.positive).max())

    def divergence(kappa: float) -> float:
        return 0.5 * (1.0 - kappa) ** 2 * square

    return certify(1.0, level, penalty[on], slack[on], point.z[on], point.theta[on], divergence)


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
