"""Solve the problem on a working set: sweeps, and, unless they are asked for alone, the finish."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ._certificate import certainly_zero, certify
from ._hadamard import Factors, balance, proximal_seed, sweep
from ._newton import Face, Point, finish, forecast_face, violators
from ._problem import RestrictedProblem
from ._typing import Float64

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
    point = _point(problem, start)
    sweeps = 0
    for factor in _approach(problem, point.z):
        stage = replace(problem, penalty=factor * problem.penalty)
        point = point._replace(optimal=False)
        while sweeps < max_sweeps and not point.optimal:
            point = finish(stage, point, forecast(stage, point))
            sweeps += 1
    return Restricted(point.theta, sweeps)


def _point(problem: RestrictedProblem, theta: Float64) -> Point:
    support = np.flatnonzero(theta)
    return Point(theta, problem.correlations(support, theta[support]), support)


def _approach(problem: RestrictedProblem, z: Float64) -> Float64:
    """Factors of the penalty, down to 1, from about where the correlations z are optimal."""
    penalised = problem.penalty > 0.0
    pull = z if problem.positive else np.abs(z)
    level = float(np.max(pull[penalised] / problem.penalty[penalised], initial=1.0))
    if level <= FAR:
        return np.ones(1)
    return np.geomspace(level, 1.0, 1 + int(np.ceil(np.log(level) / -np.log(STEP))))[1:]


def forecast(problem: RestrictedProblem, point: Point) -> Face:
    """One sweep on the support, or, where there is none yet, on the leading violators."""
    live, values = point.support, point.theta[point.support]
    if not live.size:
        live = violators(problem, point)
        values = proximal_seed(problem, point.z, live)
    if not live.size:
        return Face(live, values, 0)
    part = problem.on(live)
    values = sweep(part, balance(values)).theta
    face = forecast_face(problem, live, values, part.target - part.gram @ values)
    return face._replace(n_trusted=face.support.size if point.support.size else 0)


def solve_alternating(
    problem: RestrictedProblem, start: Float64, square: float, gap: float, max_sweeps: int
) -> Restricted:
    """``solver='alternating'``: sweeps alone, until the gap is reached on the working set.

    `square` is ||r||^2 at the start. Zeros are those coordinates that never wanted to leave zero,
    and those that the gap certifies.
    """
    point = _point(problem, start)
    factors = balance(start)
    sweeps = 0
    while True:
        entrants = violators(problem, point, np.inf)
        for factor, seeds in zip(
            factors, balance(proximal_seed(problem, point.z, entrants)), strict=True
        ):
            factor[entrants] = seeds
        factors = _sweep_live(problem, factors)
        sweeps += 1
        new = _point(problem, factors.theta)
        square -= float((new.theta - point.theta) @ (point.z + new.z))
        point = new
        values = point.theta[point.support]
        certificate = certify(
            problem.penalty, problem.slack, point.z, point.support, values, square, problem.positive
        )
        if certificate.gap <= gap or sweeps >= max_sweeps:
            break
    lengths = np.sqrt(problem.diagonal)
    zero = certainly_zero(problem.penalty, point.z, lengths, certificate, problem.positive)
    return Restricted(np.where(zero, 0.0, point.theta), sweeps)


def _sweep_live(problem: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep of the coordinates that are not at zero, where they would stay anyway."""
    live = np.flatnonzero(factors.theta)
    new = sweep(problem.on(live), Factors(factors.mu[live], factors.nu[live]))
    for factor, values in zip(factors, new, strict=True):
        factor[:] = 0.0
        factor[live] = values
    return factors


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
