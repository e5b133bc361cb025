"""The tracer: one penalty after the other, each from what is remembered of those before."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._numerics.rounding import SOLVED
from .._numerics.typing import Float64, Index
from .._solver.cholesky import CholeskyFactor
from .breakpoints import with_breakpoints
from .memory import Memory
from .path_point import point_of_iterate
from .penalty_step import rounds, solve_penalty
from .predictor import Predictor, SolvedPoint
from .problem import PathProblem
from .progress import PathPoint


class Tracer(ABC):
    """Walks along a path for one target.

    Attributes
    ----------
    problem : PathProblem
    memory : Memory or RidgeMemory
        What is remembered between two penalties.
    """

    problem: PathProblem
    memory: Any

    @property
    def iterate(self) -> Iterate:
        """Where it is."""
        iterate: Iterate = self.memory.iterate
        return iterate

    @abstractmethod
    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from where it is."""

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero: none without L1."""
        return np.inf

    def trace(self, alphas: Iterable[float]) -> list[PathPoint]:
        """Solve at each alpha in turn."""
        points = []
        for alpha in alphas:
            points.append(self.solve(float(alpha)))
            self.tell(points[-1])
        return points

    def solved(self, point: PathPoint) -> PathPoint:
        """The solution at the alpha of a point of the path, if that has not been solved itself."""
        return point

    def tell(self, point: PathPoint) -> None:
        """Tell the listener, if there is one, of a point."""
        listener = self.problem.settings.listener
        if listener is not None:
            listener.point(point)


class PathTracer(Tracer):
    """By working sets: for an L1 penalty, or where coefficients are zero for another reason.

    Parameters
    ----------
    problem : PathProblem
    start : ndarray of shape (p,), optional
        Coefficients to start from.
    """

    def __init__(self, problem: PathProblem, start: Float64 | None = None) -> None:
        self.problem = problem
        matrix_free = problem.settings.solver == "auto"
        self.memory: Memory = Memory(problem.start(start), CholeskyFactor(), matrix_free)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha (`penalty_step.solve_penalty`)."""
        self.memory, point = solve_penalty(self.problem, self.memory, alpha)
        return point

    def solve_from(self, alpha: float, support: Index, values: Float64) -> PathPoint:
        """Solve at one alpha, from coefficients on the working set that are near the solution."""
        self.memory, point = rounds(self.problem, self.memory, alpha, 0, (support, values))
        return point

    def solved(self, point: PathPoint) -> PathPoint:
        """The same; from its coefficients, where it is on the line of another solution."""
        if point.sweeps or not point.features.size:
            return point
        features = self.problem.working_set.features
        theta = point.dense(self.problem.design.shape[1])[features]
        support = theta.nonzero()[0]
        return self.solve_from(point.alpha, support, theta[support])

    def move_to(self, alpha: float, theta: Float64, support: Index, state: Any) -> PathPoint:
        """Move to coefficients on the working set; what they are worth at one alpha."""
        iterate = self.problem.observe(theta, support, state, alpha)
        self.memory = self.memory.at(iterate)
        certifier = self.problem.certifier
        certificate = certifier.of_iterate(alpha, iterate)
        return point_of_iterate(certifier, alpha, iterate, certificate, 0)

    def solved_point(self, alpha: float) -> SolvedPoint:
        """The iterate as the solution that has just been found at one alpha."""
        return with_breakpoints(self.problem, self.memory, alpha)

    def return_to(self, point: SolvedPoint, before: SolvedPoint | None = None) -> None:
        """Go back to a solved point, as if from another: by default, the last that was solved."""
        iterate = point.iterate.grown(self.problem.working_set.features.size)
        predictor: Predictor = self.memory.predictor.add(point, before)
        self.memory = self.memory._replace(iterate=iterate, predictor=predictor)

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero, for a tracer at zero.

        It moves there: to the fit of the features without penalty, if there are any. The listener
        hears nothing of it. Another fit of these may differ by rounding: there is room for it.
        """
        problem, weights = self.problem, self.problem.penalty.weights
        penalised, room = weights > 0.0, np.zeros(weights.size)
        if not penalised.all():
            # |z_j| <= |column j| |r|, so that nothing penalised enters at this alpha
            bounds = problem.design.column_norms[penalised] * problem.term.norm / weights[penalised]
            quiet = replace(problem, settings=replace(problem.settings, listener=None))
            alpha = 2.0 * float(bounds.max(initial=0.0))
            self.memory, _ = solve_penalty(quiet, self.memory, alpha)
            at = self.iterate  # at that alpha, correlations were not looked at closely
            iterate = problem.observe(at.theta, at.support, at.state)
            self.memory = self.memory.at(iterate)
            room = SOLVED * iterate.rounding.of(problem.design.rounding, ALL)
        abs_correlation = problem.penalty.abs_correlation(self.iterate.z) + room
        return float(np.max(abs_correlation[penalised] / weights[penalised], initial=0.0))
