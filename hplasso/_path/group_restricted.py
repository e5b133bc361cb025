"""The restricted problem of a path of groups: the support and who enters, swept and finished."""

from __future__ import annotations

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


def problem_of(
    term: GroupTerm,
    penalty: GroupPenalty,
    alpha: float,
    at: GroupIterate,
    features: Index,
    exact: bool = False,
) -> tuple[GroupProblem, Float64]:
    """The problem of some features, group by group, about an iterate; and where that is there.

    These features are those of the iterate's support, and others. The model is `exact`, or nearly.
    """
    groups = penalty.groups[features]
    known = np.zeros(penalty.groups.size, dtype=bool)
    known[at.features] = True
    theta = np.zeros((features.size, term.n_targets))
    theta[known[features]] = at.theta
    partition = Partition.of_groups(groups)
    weights = alpha * penalty.weights[groups[partition.first]]
    model = term.model(at.state, features, theta, bool(weights.all()), exact)
    kind = ColumnGroups if model.by_columns else GramGroups
    return kind(model.matrix, partition, model.target, weights, penalty.positive), theta


def restricted(
    term: GroupTerm, penalty: GroupPenalty, alpha: float, at: GroupIterate, exact: bool
) -> tuple[GroupProblem, Index, Float64, Float64]:
    """The problem of the support and the entrants, and its features; the model may be `exact`.

    Also the iterate there, and theta to start from: entrants have made a step of their own.
    """
    on, z = penalty.groups_of(at.features), at.state.z
    entering = _entering(on, penalty.correlations(z), alpha * penalty.weights)
    moving = (on | entering)[penalty.groups]
    if penalty.positive:
        moving &= z[:, 0] > at.state.rounding.of(term.design.rounding, ALL)
        moving[at.features] = True
    features = penalty.in_order(moving)
    problem, theta = problem_of(term, penalty, alpha, at, features, exact)
    return problem, features, theta, _seeded(problem, theta, z[features])


def _seeded(problem: GroupProblem, theta: Float64, z: Float64) -> Float64:
    """theta after steps of their own of all groups that have features at zero."""
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
    return start


class Norms:
    """sum_g lambda_g |theta_g| of coefficients on a working set, as line searches see it.

    Parameters
    ----------
    problem : GroupProblem
    positions : ndarray of shape (k,)
        Where the working set has the features of the problem.
    """

    def __init__(self, problem: GroupProblem, positions: Index) -> None:
        self.problem, self.positions = problem, positions

    def rise(self, theta: Float64, start: Float64) -> float:
        norms = self.problem.partition.norms
        before, after = (norms(values[self.positions, None]) for values in (start, theta))
        return float(self.problem.penalty @ (after - before))

    def slope(self, theta: Float64, face: Float64, step: Float64) -> float:
        partition = self.problem.partition
        u = partition.directions(theta[self.positions, None])
        return float(self.problem.penalty @ partition.sums(u[:, 0] * step[self.positions]))


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
