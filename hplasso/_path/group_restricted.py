"""The restricted problem of a path of groups: the support and who enters, swept and finished."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._datafit.group_term import GroupTerm
from .._design.correlations import ALL
from .._numerics.typing import Float64, Index, Mask
from .._penalties.group import GroupPenalty
from .._solver.group_hadamard import (
    balance_groups,
    group_sweep,
    imbalance,
    product,
    proximal_step,
    system_of,
)
from .._solver.group_newton import newton
from .._solver.group_problem import ColumnGroups, GramGroups, GroupProblem, GroupSystem
from .._solver.partition import Partition
from .group_point import GroupIterate

# No fewer groups than these enter at a time, if there are more, and no more than there are on the
# support: rounds against groups that have to leave again.
MIN_ENTRANTS = 10
# Below this part of the largest penalty the dual form loses digits: a numerical limit.
SMALLEST = 1e-8
# Halvings of the steps that they make: a numerical limit.
MAX_HALVED = 30


class Restricted(NamedTuple):
    """The restricted problem about an iterate.

    Attributes
    ----------
    problem : GroupProblem
    features : ndarray of shape (k,)
        Group by group.
    theta : ndarray of shape (k, T)
        The iterate there.
    signs : ndarray of shape (k, 1), or None
        Where coefficients can be zero by themselves, the problem is one of |theta_j|, for these
        signs: L1 penalties are linear then, and parts of its target.
    """

    problem: GroupProblem
    features: Index
    theta: Float64
    signs: Float64 | None

    def signed(self, values: Float64) -> Float64:
        """Coefficients of the problem as those of the features, or the other way round."""
        return values if self.signs is None else self.signs * values


def problem_of(
    term: GroupTerm,
    penalty: GroupPenalty,
    alpha: float,
    at: GroupIterate,
    features: Index,
    exact: bool = False,
) -> Restricted:
    """The problem of some features, group by group, about an iterate.

    These features are those of the iterate's support, and others. The model is `exact`, or nearly.
    """
    groups = penalty.groups[features]
    known = np.zeros(penalty.groups.size, dtype=bool)
    known[at.features] = True
    theta = np.zeros((features.size, term.n_targets))
    theta[known[features]] = at.theta
    partition = Partition.of_groups(groups)
    limits = penalty.limits(alpha)[groups[partition.first]]
    dual = bool(limits.min(initial=np.inf) > SMALLEST * limits.max(initial=0.0))
    model, signs = term.model(at.state, features, theta, dual, exact), None
    matrix, target = model.matrix, model.target
    if penalty.l1_ratio > 0.0:
        signs = np.sign(np.where(theta == 0.0, at.state.z[features], theta))
        matrix = matrix * signs.T if model.by_columns else signs * matrix * signs.T
        target = signs * target - penalty.single_limits(alpha, features)[:, None]
    kind = ColumnGroups if model.by_columns else GramGroups
    problem = kind(matrix, partition, target, limits, penalty.single)
    return Restricted(problem, features, theta, signs)


def restricted(
    term: GroupTerm, penalty: GroupPenalty, alpha: float, at: GroupIterate, exact: bool
) -> tuple[Restricted, Float64]:
    """The problem of the support and the entrants, whose model may be `exact`.

    And where to start: entrants have made a step of their own.
    """
    on, excess = penalty.grouping.of(at.features), penalty.excess(at.state.z, alpha)
    entering = _entering(on, penalty.grouping.norms(excess), penalty.limits(alpha))
    moving = (on | entering)[penalty.groups]
    if penalty.single:
        moving &= excess[:, 0] > at.state.rounding.of(term.design.rounding, ALL)
        moving[at.features] = True
    features = penalty.grouping.in_order(moving)
    found = problem_of(term, penalty, alpha, at, features, exact)
    return found, _seeded(found.problem, found.signed(found.theta), excess[features])


def _seeded(problem: GroupProblem, theta: Float64, z: Float64) -> Float64:
    """theta after steps of their own of all groups that have features at zero.

    Of groups that have much in common they go too far together, and are halved until f goes down.
    """
    start, partition = theta.copy(), problem.partition
    at_zero, norms = (theta == 0.0).all(axis=1), partition.norms(theta)
    for group in np.flatnonzero(partition.sums(at_zero.astype(float))).tolist():
        part, limit = partition.part(group), float(problem.penalty[group])
        curvature = problem.block_norm(group)
        if norms[group] == 0.0:
            start[part] = proximal_step(z[part], limit, curvature)
        else:
            steps = z[part] / (curvature + limit / norms[group])
            start[part] += np.where(at_zero[part, None], steps, 0.0)
    if at_zero.any():
        objective = problem.objective(theta)
        for _ in range(MAX_HALVED):
            if problem.objective(start) < objective:
                break
            start = 0.5 * (theta + start)
    return start


class PenaltyAlong:
    """The penalty of coefficients on a working set, as line searches see it.

    Parameters
    ----------
    penalty : GroupPenalty
    alpha : float
    features, positions : ndarrays of shape (k,)
        The features that move, group by group, and where the working set has them.
    """

    def __init__(
        self, penalty: GroupPenalty, alpha: float, features: Index, positions: Index
    ) -> None:
        groups = penalty.groups[features]
        self.positions, self.partition = positions, Partition.of_groups(groups)
        self.limits = penalty.limits(alpha)[groups[self.partition.first]]
        self.single_limits = penalty.single_limits(alpha, features)

    def rise(self, theta: Float64, start: Float64) -> float:
        before, after = start[self.positions], theta[self.positions]
        norms = self.partition.norms
        rise = float(self.limits @ (norms(after[:, None]) - norms(before[:, None])))
        return rise + float(self.single_limits @ (np.abs(after) - np.abs(before)))

    def gradient(self, theta: Float64, face: Float64) -> Float64:
        gradient, on = np.zeros(theta.size), self.positions
        directions = self.partition.directions(theta[on, None])[:, 0]
        gradient[on] = self.limits[self.partition.groups] * directions
        gradient[on] += self.single_limits * np.sign(face[on])
        return gradient


def _entering(on: Mask, sizes: Float64, limits: Float64) -> Mask:
    """Which groups enter: those that exceed their limits most."""
    over = np.where(on, 0.0, sizes - limits)
    candidates = np.flatnonzero(over > 0.0)
    count = max(MIN_ENTRANTS, int(np.count_nonzero(on)))
    if candidates.size > count:
        candidates = candidates[np.argsort(-over[candidates], kind="stable")[:count]]
    entering = np.zeros(on.size, dtype=bool)
    entering[candidates] = True
    return entering


def swept_and_finished(
    problem: GroupProblem, theta: Float64, goal: float, finish: bool
) -> tuple[Float64, float, GroupSystem | None]:
    """theta after a sweep and the finish, if any; and J - f at the factors that the sweep leaves.

    And the system of the finish. Its first step has that of the sweep, and is taken only if f is
    lower there than at the swept product.
    """
    factors = balance_groups(problem, theta)
    system = system_of(problem, factors)
    factors = group_sweep(problem, factors, system)
    swept, difference = product(problem, factors), imbalance(problem, factors)
    if not finish:
        return swept, difference, None
    finished = newton(problem, theta, goal, system, swept)
    return finished.theta, difference, finished.system
