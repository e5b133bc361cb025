"""The restricted problem of a path of groups: the support and who enters, swept and finished."""

from __future__ import annotations

import numpy as np

from .._datafit.targets import Targets
from .._numerics.typing import Float64, Index, Mask
from .._penalties.group import GroupPenalty
from .._solver.group_hadamard import (
    balance_groups,
    group_objective,
    group_sweep,
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


def problem_of(
    targets: Targets, penalty: GroupPenalty, alpha: float, features: Index
) -> GroupProblem:
    """The problem of some features, group by group."""
    targets.working_set.admit(features)
    positions, groups = targets.working_set.position[features], penalty.groups[features]
    partition, target = Partition.of_groups(groups), targets.target(positions)
    weights = alpha * penalty.weights[groups[partition.first]]
    columns = targets.columns(positions) if weights.all() else None
    if columns is not None:
        return ColumnGroups(columns, partition, target, weights)
    return GramGroups(targets.gram(positions), partition, target, weights)


def restricted(
    targets: Targets, penalty: GroupPenalty, alpha: float, at: GroupIterate
) -> tuple[GroupProblem, Index, Float64]:
    """The problem of the support and the entrants, its features, and theta to start from."""
    on = np.zeros(penalty.weights.size, dtype=bool)
    on[penalty.groups[at.features]] = True
    entering = _entering(on, penalty.norms(at.z), alpha * penalty.weights)
    features = penalty.features(on | entering)
    problem = problem_of(targets, penalty, alpha, features)
    groups, partition = penalty.groups[features], problem.partition
    theta = np.zeros((features.size, at.z.shape[1]))
    theta[on[groups]] = at.theta
    for group in np.flatnonzero(entering[groups[partition.first]]).tolist():
        part, limit = partition.part(group), float(problem.penalty[group])
        theta[part] = proximal_step(at.z[features[part]], limit, problem.block_norm(group))
    return problem, features, theta


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
    """theta after a sweep and the finish, if any; and g at the factors that the sweep leaves.

    And the system of the finish. Its first step has that of the sweep, and is taken only if f is
    lower there than at the swept product.
    """
    factors = balance_groups(problem, theta)
    system = system_of(problem, factors)
    factors = group_sweep(problem, factors, system)
    swept, surrogate = product(problem, factors), group_objective(problem, factors)
    if not finish:
        return swept, surrogate, None
    finished = newton(problem, theta, goal, system, swept)
    return finished.theta, surrogate, finished.system
