"""``solver='alternating'``: sweeps alone, on a working set, until the gap is reached."""

from collections.abc import Callable

import numpy as np

from .._penalties.duality_gap import Certificate, certainly_zero, certify
from .._penalties.l1 import feasible_alpha
from .faces import Point, Solution, point_of, violators
from .hadamard import Factors, balance, proximal_seed, sweep
from .linear_solver import LinearSolver
from .restricted_problem import RestrictedProblem


def solve_alternating(
    problem: RestrictedProblem,
    solver: LinearSolver,
    start: Point,
    residual_square: Callable[[], float],
    gap_tol: float,
    max_sweeps: int,
    once: bool = False,
) -> Solution:
    """Sweep until the gap is reached on the working set.

    1. Give violators their seeds.
    2. Sweep over all coordinates that are not at zero.
    3. Certify the product of the factors; with a gap of `gap_tol`, done.

    `residual_square` says ||r||^2 at the start; the linear solver is not needed. Zeros are those
    coordinates that never were violators, and those that the gap certifies. If `once`, there is a
    single sweep.
    """
    if not start.support.size and not violators(problem, start).size:
        return Solution(start, 0)
    point, factors, square = start, balance(start.theta), residual_square()
    for sweeps in range(1, 2 if once else max_sweeps + 1):  # noqa: B007
        proximal_seed(problem, factors, point.z, violators(problem, point))
        _sweep_live(problem, factors)
        before, point = point, point_of(problem, factors.theta)
        decrease = float((point.theta - before.theta) @ (before.z + point.z))
        square = max(0.0, square - decrease)
        certificate = _certify(problem, point, square)
        if certificate.gap <= gap_tol:
            break
    lengths = np.sqrt(problem.diagonal)
    zero = certainly_zero(problem.penalty, point.z, lengths, certificate, problem.positive)
    imbalance = 0.5 * float(problem.penalty @ (np.abs(factors.mu) - np.abs(factors.nu)) ** 2)
    return Solution(point_of(problem, np.where(zero, 0.0, point.theta)), sweeps, imbalance)


def _certify(problem: RestrictedProblem, point: Point, square: float) -> Certificate:
    """The certificate of a point for the restricted problem, at alpha = 1."""
    penalty, rounding_error, on = problem.penalty, problem.rounding_error, point.support
    largest = float(feasible_alpha(point.z, rounding_error, penalty, problem.positive).max())
    values = penalty[on], rounding_error[on], point.z[on], point.theta[on]
    return certify(1.0, largest, *values, lambda kappa: 0.5 * (1.0 - kappa) ** 2 * square)


def _sweep_live(problem: RestrictedProblem, factors: Factors) -> None:
    """Sweep the coordinates that are not at zero, in place; the others would stay anyway."""
    live = np.flatnonzero(factors.theta)
    if live.size:
        factors.become(sweep(problem.on(live), factors.on(live)), live)
