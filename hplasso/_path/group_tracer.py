"""The tracer for groups: one penalty after the other.

At each alpha, groups whose correlations exceed their penalty enter, those of the fit so far and the
entrants are swept and finished (`group_restricted`), and the result is certified on all groups;
until none exceeds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._datafit.group_term import GroupTerm
from .._numerics.rounding import SOLVED
from .._numerics.typing import NOBODY, Float64, Index
from .._penalties.group import GroupPenalty
from .._solver.group_problem import GroupSystem
from .._solver.partition import Partition
from .group_point import GroupCertifier, GroupIterate, without_rounding
from .group_restricted import PenaltyAlong, problem_of, restricted, swept_and_finished
from .penalty_step import POLISHED, TOO_MANY
from .progress import Iteration, PathPoint
from .settings import PathSettings
from .stagnation import MAX_STALLED, Stagnation
from .tracer import Tracer

# Restricted problems are solved to this part of the gap that is asked for, or of WORTH times the
# smallest gap so far, if that is more: steps against rounds. With 0.1 in place of 0, fits from
# scratch took .6 to .9 of the time, paths of curved losses .6 to .9, those of least squares .97 to
# 1.03. It is this part of that again after each round in a row without a smaller gap.
RESTRICTED_TOL, WORTH = 0.1, 0.1
# Groups without penalty are fitted this well before a grid begins.
UNPENALISED_TOL = 1e-12


class GroupSolution(NamedTuple):
    """The solution (k, T) at one alpha, and d theta / d alpha there."""

    alpha: float
    features: Index
    theta: Float64
    slope: Float64


class GroupTracer(Tracer):
    """Walks along a path of groups.

    Attributes
    ----------
    term : GroupTerm
    penalty : GroupPenalty
    settings : PathSettings
        Its penalty is of no account.
    position : tuple of ndarrays
        The features that are not zero, and their coefficients (k, T).
    """

    def __init__(
        self,
        term: GroupTerm,
        penalty: GroupPenalty,
        settings: PathSettings,
        start: Float64 | None = None,
    ) -> None:
        self.term, self.penalty, self.settings = term, penalty, settings
        self.certifier = GroupCertifier(term, penalty, settings)
        self._system: GroupSystem | None = None  # that the last solution was found with
        self._solved: GroupIterate | None = None
        self.position = NOBODY, np.zeros((0, term.n_targets))
        if start is not None:
            self._start_at(start)

    def _start_at(self, start: Float64) -> None:
        """Start from coefficients (p, T), as far as they may be, or from zero if that is better."""
        penalty, zero = self.penalty, self.position
        start = np.where(self.term.design.column_norms[:, None] > 0.0, start, 0.0)
        start = np.maximum(start, 0.0) if penalty.positive else start
        order = penalty.grouping.order
        features, theta = penalty.nonzero(order, start[order])
        (null,) = self.term.states(zero[0], zero[1][..., None])
        (state,) = self.term.states(features, theta[..., None])
        if state.loss <= null.loss:
            self.position = features, theta

    def tell(self, point: PathPoint) -> None:
        if self.settings.listener is not None:
            self.settings.listener.point(point)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from where it is."""
        return self.solve_from(alpha, self.observed(alpha, *self.position))

    def solve_from(self, alpha: float, at: GroupIterate) -> PathPoint:
        """Solve at one alpha, from an iterate that has been observed there."""
        certifier, settings, term = self.certifier, self.settings, self.term
        sweeps = idle = 0
        features, theta = self.penalty.nonzero(at.features, at.theta)
        best = at = at._replace(features=features, theta=theta)
        self._system, finish = None, settings.solver == "auto"
        stagnation, patience, exact = Stagnation(), MAX_STALLED if finish else np.inf, False
        polished = term.quadratic or settings.tol > POLISHED
        while sweeps < settings.max_iter and stagnation.rounds < patience:
            if certifier.suffices(best.certificate):
                if polished or not sweeps:
                    break
                polished = True
            found, start = restricted(term, self.penalty, alpha, at, exact)
            features = found.features
            if not features.size:
                break
            goal = RESTRICTED_TOL * max(certifier.gap_tol, WORTH * best.certificate.gap)
            goal *= RESTRICTED_TOL**idle
            end, imbalance, self._system = swept_and_finished(found.problem, start, goal, finish)
            sweeps, entered = sweeps + 1, features.size > at.features.size
            positions = term.working_set.position[features]
            along = PenaltyAlong(self.penalty, alpha, features, positions)
            theta, state = term.step(at.state, features, found.theta, found.signed(end), along)
            at = certifier.iterate(alpha, *self.penalty.nonzero(features, theta), state)
            at = at if finish else certifier.without_zeros(alpha, at)
            self._tell_iteration(alpha, at, sweeps, imbalance)
            gap, objective = at.certificate.gap, certifier.objective(alpha, at)
            exact = gap * stagnation.rate(gap) ** TOO_MANY > certifier.gap_tol
            stagnation = stagnation.after(at.certificate, objective, entered, certifier.gap_tol)
            idle = 0 if gap < best.certificate.gap else idle + 1
            best = best if idle else at
        if best is not at:
            self._system = None
        best = without_rounding(certifier, alpha, best) if finish else best
        best = self._solved = certifier.returned(alpha, best)
        if self._system is not None and self._system.partition.size != best.features.size:
            self._system = None
        self.position = best.features, best.theta
        return certifier.point(alpha, best, sweeps)

    def observed(self, alpha: float, features: Index, theta: Float64) -> GroupIterate:
        """Coefficients with what they are worth at one alpha."""
        return self.certifier.observe(np.array([alpha]), features, theta[..., None])[0]

    def solution(self, alpha: float) -> GroupSolution:
        """Where it is, as the solution that has just been found at one alpha."""
        features, theta = self.position
        if not features.size:
            return GroupSolution(alpha, features, theta, theta)
        groups = self.penalty.groups[features]
        partition, system = Partition.of_groups(groups), self._system
        if system is None:
            assert self._solved is not None
            found = problem_of(self.term, self.penalty, alpha, self._solved, features)
            system = found.problem.system(partition.norms(theta))
        signs = np.sign(theta) if self.penalty.single else 1.0
        u = signs * partition.directions(theta)
        change = self.penalty.limits(1.0)[groups, None] * u
        change += self.penalty.single_limits(1.0, features)[:, None]
        return GroupSolution(alpha, features, theta, -signs * system.solve_hessian(u, change))

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised group is zero.

        Groups without penalty are fitted first, if there are any. Another fit of these may differ
        by rounding: there is room for it.
        """
        penalty, penalised = self.penalty, self.penalty.weights > 0.0
        if not penalised.all():
            lengths = penalty.grouping.norms(self.term.design.column_norms[:, None])[penalised]
            smallest = np.maximum(penalty.l1_ratio, penalty.limits(1.0)[penalised])
            bounds = lengths * self.term.norm / smallest
            settings = replace(self.settings, tol=UNPENALISED_TOL, listener=None)
            other = GroupTracer(self.term, penalty, settings)
            other.solve(2.0 * float(bounds.max(initial=0.0)))
            self.position = other.position
        features, theta = self.position
        (state,) = self.term.states(features, theta[..., None])
        z = np.where(penalised[penalty.groups, None], state.z, 0.0)
        room = np.zeros(penalised.size)
        if not penalised.all():
            room[penalised] = SOLVED * self.certifier.errors(state)[penalised]
        return penalty.feasible_alpha(z, -room)

    def _tell_iteration(
        self, alpha: float, at: GroupIterate, sweeps: int, imbalance: float
    ) -> None:
        """Tell the listener, if it listens to iterations."""
        listener = self.settings.listener
        if listener is None or not listener.iterations:
            return
        objective = self.certifier.objective(alpha, at)
        iteration = Iteration(
            alpha,
            sweeps,
            self.term.working_set.features.size,
            int(np.count_nonzero(at.theta)),
            objective,
            objective + imbalance,
            at.certificate.gap,
            self.certifier.gap_tol,
        )
        listener.iteration(iteration)
