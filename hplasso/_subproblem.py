"""Solve the problem on a working set: sweeps, and, unless they are asked for alone, the finish."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ._certificate import Certificate, certainly_zero, certify, reach
from ._hadamard import Factors, balance, proximal_seed, sweep
from ._newton import Face, Point, finish, forecast_face, point_of, violators
from ._problem import RestrictedProblem
from ._typing import Float64

# A start is far where correlations exceed their penalties so many times; then the penalty goes down
# by this factor at a time.
FAR = 3.0
STEP = 0.65


class Restricted(NamedTuple):
    """A solution on the working set, and the sweeps that it took."""

    point: Point
    sweeps: int


def solve_with_finish(
    problem: RestrictedProblem, start: Point, square: float, gap: float, max_sweeps: int
) -> Restricted:
    """``solver='auto'``: sweep, finish, and again, until nothing wants to move; f never goes up.

    The finish is exact, so the gap asked for does not come in. From a start that is far away the
    penalty is lowered by steps: a limit point forgives a few wrong signs, not dozens.
    """
    point, sweeps = start, 0
    for factor in _approach(problem, start.z):
        stage = problem if factor == 1.0 else replace(problem, penalty=factor * problem.penalty)
        point = point._replace(optimal=False)
        while sweeps < max_sweeps and not point.optimal:
            point = finish(stage, point, forecast(stage, point))
            sweeps += 1
    return Restricted(point, sweeps)


def _approach(problem: RestrictedProblem, z: Float64) -> Iterable[float]:
    """Factors of the penalty, down to 1, from about where the correlations z are optimal."""
    pull = z if problem.positive else np.abs(z)
    far = pull > FAR * problem.bound
    far &= problem.penalty > 0.0
    if not far.any():
        return (1.0,)
    level = float((pull[far] / problem.penalty[far]).max())
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
    face = forecast_face(part, live, values)
    return face._replace(n_trusted=face.support.size if point.support.size else 0)


def solve_alternating(
    problem: RestrictedProblem, start: Point, square: float, gap: float, max_sweeps: int
) -> Restricted:
    """``solver='alternating'``: sweeps alone, until the gap is reached on the working set.

    `square` is ||r||^2 at the start. Zeros are those coordinates that never wanted to leave zero,
    and those that the gap certifies.
    """
    point, factors = start, balance(start.theta)
    for sweeps in range(1, max_sweeps + 1):  # noqa: B007
        entrants = violators(problem, point, np.inf)
        seeds = balance(proximal_seed(problem, point.z, entrants))
        for factor, seed in zip(factors, seeds, strict=True):
            factor[entrants] = seed
        factors = _sweep_live(problem, factors)
        new = point_of(problem, factors.theta)
        square -= float((new.theta - point.theta) @ (point.z + new.z))
        point = new
        certificate = _certify(problem, point, square)
        if certificate.gap <= gap:
            break
    lengths = np.sqrt(problem.diagonal)
    zero = certainly_zero(problem.penalty, point.z, lengths, certificate, problem.positive)
    return Restricted(point_of(problem, np.where(zero, 0.0, point.theta)), sweeps)


def _certify(problem: RestrictedProblem, point: Point, square: float) -> Certificate:
    """The certificate of a point for the restricted problem, at alpha = 1."""
    penalty, slack, on = problem.penalty, problem.slack, point.support
    level = float(reach(point.z, slack, penalty, problem.positive).max())
    return certify(1.0, level, penalty[on], slack[on], point.z[on], point.theta[on], square)


def _sweep_live(problem: RestrictedProblem, factors: Factors) -> Factors:
    """A sweep of the coordinates that are not at zero, where they would stay anyway."""
    live = np.flatnonzero(factors.theta)
    new = sweep(problem.on(live), Factors(factors.mu[live], factors.nu[live]))
    for factor, values in zip(factors, new, strict=True):
        factor[:] = 0.0
        factor[live] = values
    return factors


SOLVERS = {"auto": solve_with_finish, "alternating": solve_alternating}
