"""The tracer where there is no L1 penalty: ridge regression, and the same for other losses.

Nothing is at zero then: there is no working set, nothing to screen, and no need of a second factor.
A sweep is one ridge regression in mu, with nu held at one: a Newton step (`ridge_steps`).

References
----------
A. E. Hoerl and R. W. Kennard, Ridge regression: biased estimation for nonorthogonal problems,
Technometrics 12 (1970) 55-67.
"""

from dataclasses import replace

import numpy as np

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._design.working_set import WorkingSet
from .._numerics.typing import Float64
from .._penalties.duality_gap import Certificate
from .orthogonal import assured
from .path_point import point_of_iterate
from .problem import PathProblem
from .progress import Iteration, Listener, PathPoint
from .ridge_steps import (
    RidgeMemory,
    RidgeSystem,
    coordinates_of,
    loses_digits,
    newton_step,
    ridge_system,
)
from .stagnation import MAX_STALLED, Stagnation
from .stationarity import certifier_for
from .tracer import PathTracer, Tracer


class SupportTracer(Tracer):
    """Where coefficients may be zero all the same: by working sets, for an L1 penalty of zero.

    That is, where they are confined to be non-negative; or where they have no penalty at all, and
    columns that depend on others are left out.
    """

    def __init__(self, problem: PathProblem, start: Float64 | None = None) -> None:
        self.problem = problem
        self._path = PathTracer(problem, start)
        self.memory = self._path.memory

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from where it is."""
        listener = self.problem.settings.listener
        heard = None if listener is None else OfAlpha(listener, alpha)
        penalty = self.problem.penalty.ridge_alone(alpha)
        settings = replace(self.problem.settings, penalty=penalty, solver="auto", listener=heard)
        self._path.problem = certified(replace(self.problem, settings=settings))
        point, self.memory = self._path.solve(0.0), self._path.memory
        return point._replace(alpha=alpha)


class RidgeTracer(Tracer):
    """Walks along a path on which alpha weighs the ridge penalty.

    Parameters
    ----------
    problem : PathProblem
        With a working set of all features.
    start : ndarray of shape (p,), optional
        Coefficients to start from. Columns may depend on each other.
    """

    def __init__(self, problem: PathProblem, start: Float64 | None = None) -> None:
        self.problem, self._system = problem, ridge_system(problem)
        features = problem.working_set.features
        theta = np.zeros(features.size)
        if start is not None:
            theta = np.where(problem.design.column_norms[features] > 0.0, start[features], 0.0)
        iterate = problem.start_at(theta)
        dual = np.zeros(problem.design.shape[0])
        self.memory = RidgeMemory(iterate, dual, not iterate.support.size)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from where it is: only what was given may be good enough."""
        if alpha == 0.0:
            return self._without_penalty()
        self.memory, point = ridge_step(self._system.at(alpha), self.memory)
        return point

    def _without_penalty(self) -> PathPoint:
        """The solution at an alpha of zero."""
        problem, working_set = self.problem, self.problem.working_set
        if not working_set.complete:
            working_set = WorkingSet(problem.design)
        return SupportTracer(replace(problem, working_set=working_set)).solve(0.0)


def ridge_step(system: RidgeSystem, memory: RidgeMemory) -> tuple[RidgeMemory, PathPoint]:
    """Solve at the alpha of a system.

    1. Scale the dual solution of the last alpha, so that theta stays.
    2. Newton's steps, until the gap is within the tolerance, or they stop to help.
    3. Refine the certificate, where that may help; remember the solution.
    """
    problem, alpha = system.problem, system.alpha
    memory = memory._replace(dual=memory.dual * (alpha / memory.alpha), alpha=alpha)
    by_square_root = loses_digits(system)
    memory, certificate, sweeps = _steps(system, memory, by_square_root)
    if not problem.certifier.suffices(certificate) and by_square_root:
        certificate = min(certificate, _refined(system, memory.iterate))
    iterate, certificate = assured(problem, memory.iterate, alpha, certificate, sweeps)
    exact = memory.dual_is_exact and iterate is memory.iterate
    memory = memory._replace(iterate=iterate, solved=True, dual_is_exact=exact)
    return memory, point_of_iterate(problem.certifier, alpha, iterate, certificate, sweeps)


def _steps(
    system: RidgeSystem, memory: RidgeMemory, by_square_root: bool
) -> tuple[RidgeMemory, Certificate, int]:
    """Newton's steps; the certificate of where they end, and how many they are."""
    problem, certifier = system.problem, system.problem.certifier
    sweeps, moved = 0, memory.solved
    certificate = certifier.of_iterate(system.alpha, memory.iterate)
    stagnation = Stagnation(0.0, *certificate[:2], system.objective(memory.iterate))
    while certificate.gap > 0.0 if moved else not certifier.suffices(certificate):
        if sweeps == problem.settings.max_iter or stagnation.rounds >= MAX_STALLED:
            break
        sweeps, moved = sweeps + 1, False
        new = newton_step(system, memory, certificate.gap, by_square_root)
        objective = system.objective(new.iterate)
        if not objective <= 2.0 * stagnation.objective + certifier.gap_tol:
            memory = memory._replace(products_failed=new.products_failed)
            break  # the matrix was singular
        certificate = certifier.of_step(system.alpha, memory.iterate, new.iterate)
        memory = new
        problem.report(system.alpha, new.iterate, certificate.gap, sweeps)
        stagnation = stagnation.after(certificate, objective, False, certifier.gap_tol)
    return memory, certificate, sweeps


def _refined(system: RidgeSystem, iterate: Iterate) -> Certificate:
    """The certificate of the iterate with the residual that a few more steps would leave."""
    problem, on, best = system.problem, coordinates_of(system), Certificate(np.inf, 0.0, 0.0)
    certifier = problem.certifier
    values = on.values(iterate.theta[system.live].reshape(-1, system.n_outputs))
    for state, divergence in on.refined(problem.term, iterate.state, values):
        there = problem.observe(iterate.theta, iterate.support, state)
        best = min(best, certifier.of_refined(system.alpha, there, divergence))
    return best


def certified(problem: PathProblem) -> PathProblem:
    """The problem with the certifier that its penalty needs."""
    ridged = problem.penalty.ridge(0.0, ALL).any()
    certifier = certifier_for(
        not ridged, problem.term, problem.working_set, problem.design, problem.settings
    )
    return replace(problem, certifier=certifier)


class OfAlpha(Listener):
    """Passes on what it hears, as of another alpha."""

    def __init__(self, listener: Listener, alpha: float) -> None:
        self.listener, self.alpha = listener, alpha
        self.iterations, self.every_sweep = listener.iterations, listener.every_sweep

    def point(self, point: PathPoint) -> None:
        self.listener.point(point._replace(alpha=self.alpha))

    def iteration(self, iteration: Iteration) -> None:
        self.listener.iteration(iteration._replace(alpha=self.alpha))
