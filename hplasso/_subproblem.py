"""Solve the problem on a working set: sweeps, and, unless they are asked for alone, the finish."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ._certificate import Certificate, certainly_zero, certify
from ._hadamard import Factors, balance, seeded, sweep
from ._newton import Point, finish, leading_violators
from ._problem import RestrictedProblem
from ._typing import Float64, Index

# A start is far where correlations exceed their penalties so many times; then the penalty goes down
# by this factor at a time.
FAR = 3.0
STEP = 0.65


class Restricted(NamedTuple):
    """A solution on the working set, and the sweeps that it took."""

    theta: Float64
    sweeps: int


def solve_with_finish(
    problem: RestrictedProblem, start: Float64, square: float, gap: float, max_sweeps: int
) -> Restricted:
    """``solver='auto'``: sweep, finish, and again, until nothing wants to move; f never goes up.

    The finish is exact, so the gap asked for does not come in. From a start that is far away the
    penalty is lowered by steps: a limit point forgives a few wrong signs, not dozens.
    """
    point = Point(start, problem.correlations(start))
    sweeps = 0
    for factor in _approach(problem, point.z):
        stage = replace(problem, penalty=factor * problem.penalty)
        point = point._replace(optimal=False)
        while sweeps < max_sweeps and not point.optimal:
            point = finish(stage, point, forecast(stage, point))
            sweeps += 1
    return Restricted(point.theta, sweeps)


def _approach(problem: RestrictedProblem, z: Float64) -> Float64:
    """Factors of the penalty, down to 1, from about where the correlations z are optimal."""
    penalised = problem.penalty > 0.0
    pull = z if problem.positive else np.abs(z)
    level = float(np.max(pull[penalised] / problem.penalty[penalised], initial=1.0))
    if level <= FAR:
        return np.ones(1)
    return np.geomspace(level, 1.0, 1 + int(np.ceil(np.log(level) / -np.log(STEP))))[1:]


def forecast(problem: RestrictedProblem, point: Point) -> Point:
    """One sweep on the support, or, where there is none yet, on the leading violators."""
    theta = point.theta.copy()
    if not theta.any():
        theta = seeded(problem, theta, point.z, leading_violators(problem, theta, point.z))
    live = np.flatnonzero(theta)
    if not live.size:
        return point
    part = problem.on(live)
    values = sweep(part, balance(theta[live])).theta
    theta[live] = values
    z = np.zeros_like(theta)
    z[live] = part.correlations(values)  # off `live` a forecast has nothing to say
    return Point(theta, z)


def solve_alternating(
    problem: RestrictedProblem, start: Float64, square: float, gap: float, max_sweeps: int
) -> Restricted:
    """``solver='alternating'``: sweeps alone, until the gap is reached on the working set.

    `square` is ||r||^2 at the start. Zeros are those coordinates that never wanted to leave zero,
    and those that the gap certifies.
    """
    theta, z = start, problem.correlations(start)
    factors = balance(theta)
    sweeps = 0
    while True:
        entrants = problem.violators(theta, z)
        seeds = balance(seeded(problem, theta, z, entrants))
        for factor, seed in zip(factors, seeds, strict=True):
            factor[entrants] = seed[entrants]
        factors = _sweep_live(problem, factors)
        sweeps += 1
        new, new_z = factors.theta, problem.correlations(factors.theta)
        square -= float((new - theta) @ (z + new_z))
        theta, z = new, new_z
        certificate = _certify_restricted(problem, theta, z, square)
        if certificate.gap <= gap or sweeps >= max_sweeps:
            break
    lengths = np.sqrt(problem.gram.diagonal())
    zero = certainly_zero(problem.penalty, z, lengths, certificate, problem.positive)
    return Restricted(np.where(zero, 0.0, theta), sweeps)


def _sweep_live(problem: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep of the coordinates that are not at zero, where they would stay anyway."""
    live = np.flatnonzero(factors.theta)
    new = sweep(problem.on(live), Factors(factors.mu[live], factors.nu[live]))
    for factor, values in zip(factors, new, strict=True):
        factor[:] = 0.0
        factor[live] = values
    return factors


def _certify_restricted(
    problem: RestrictedProblem, theta: Float64, z: Float64, square: float
) -> Certificate:
    support: Index = np.flatnonzero(theta)
    return certify(
        problem.penalty, problem.slack, z, support, theta[support], square, problem.positive
    )


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
