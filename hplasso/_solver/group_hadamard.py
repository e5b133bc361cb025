"""The algorithm for groups: the norm of a group as two ridge penalties, minimised by turns.

For coefficients theta (k, T) of k features and T targets, whose features form groups, write
theta_g = m_g v_g with a number m_g for each group. As m_g |v_g| <= (m_g^2 + |v_g|^2) / 2, with
equality just where |m_g| = |v_g|,

    J(m, v) = 1/2 <theta, G theta> - <c, theta> + 1/2 sum_g lambda_g (m_g^2 + |v_g|^2)
            >= f(theta) = 1/2 <theta, G theta> - <c, theta> + sum_g lambda_g |theta_g|

and both have the same minimum (Hoff 2017, section 4). With D = diag(m_g of each feature) and the
matrix S (k, groups) that says which group a feature is in,

    v  <-  (D G D + Lambda)^-1 D c                                    one ridge regression for all T
    m  <-  (S' (G o v v') S + Lambda)^-1 S' (c o v) 1                 one number for each group

Zero is absorbing, as for single coefficients (`hadamard`): a group that is to enter starts from one
proximal step of its own. *Balancing*, |m_g| = |v_g| = sqrt|theta_g|, keeps theta and lowers J to
f(theta).

References
----------
P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numerics.linalg import plus_diagonal
from .._numerics.typing import Float64
from .group_problem import GroupProblem, GroupSystem, solve_shifted
from .hadamard import stop_at_zero


class GroupFactors(NamedTuple):
    """m (n_groups,) and v (k, T)."""

    m: Float64
    v: Float64


def balance_groups(problem: GroupProblem, theta: Float64) -> GroupFactors:
    """The factors of theta with m_g = |v_g|."""
    m = np.sqrt(problem.partition.norms(theta))
    scale = m[problem.partition.groups, None]
    return GroupFactors(m, np.divide(theta, scale, out=np.zeros_like(theta), where=scale > 0.0))


def product(problem: GroupProblem, factors: GroupFactors) -> Float64:
    """theta."""
    return np.asarray(factors.m[problem.partition.groups, None] * factors.v)


def imbalance(problem: GroupProblem, factors: GroupFactors) -> float:
    """J(m, v) - f(theta) = 1/2 sum_g lambda_g (|m_g| - |v_g|)^2."""
    difference = np.abs(factors.m) - problem.partition.norms(factors.v)
    return 0.5 * float(problem.penalty @ difference**2)


def system_of(problem: GroupProblem, factors: GroupFactors) -> GroupSystem:
    """The matrix of the update of v, which is that of Newton's method at balanced factors."""
    return problem.system(factors.m**2)


def group_sweep(problem: GroupProblem, factors: GroupFactors, system: GroupSystem) -> GroupFactors:
    """Minimise J over v, then over m; `system` is that of the factors.

    Under theta >= 0, each goes towards its minimiser until the first coefficient is zero.
    """
    v = update_vectors(problem, factors.m, system)
    if not problem.positive:
        return GroupFactors(update_numbers(problem, v), v)
    v[:, 0] = stop_at_zero(factors.v[:, 0], np.ones(len(v)), v[:, 0])
    m = update_numbers(problem, v)
    return GroupFactors(stop_at_zero(factors.m, np.ones(len(m)), m), v)


def update_vectors(problem: GroupProblem, m: Float64, system: GroupSystem) -> Float64:
    """v = argmin_v J(m, v) = D^-1 (G + Lambda D^-2)^-1 c."""
    return np.asarray(system.solve(problem.target) / m[problem.partition.groups, None])


def update_numbers(problem: GroupProblem, v: Float64) -> Float64:
    """m = argmin_m J(m, v)."""
    system = plus_diagonal(problem.products(v), problem.penalty)
    return solve_shifted(system, problem.partition.sums((problem.target * v).sum(axis=1)))


def proximal_step(z: Float64, penalty: float, curvature: float) -> Float64:
    """What a group of correlations z comes to from zero in one proximal step of its own."""
    size = float(np.sqrt((z**2).sum()))
    return np.asarray((1.0 - penalty / size) / curvature * z)
