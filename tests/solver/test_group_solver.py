"""Sweeps and Newton's method for groups, on a Gram matrix and on columns."""

import numpy as np
import pytest

from hplasso._solver.group_hadamard import (
    balance_groups,
    group_sweep,
    imbalance,
    product,
    system_of,
)
from hplasso._solver.group_newton import face_gradient, newton
from hplasso._solver.group_problem import ColumnGroups, GramGroups
from hplasso._solver.partition import Partition

SIZES = [3, 1, 4, 2]


def problems(n, T, seed=0):
    """The same problem on a Gram matrix and on columns, and some theta."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(SIZES)), SIZES)
    columns, theta = rng.standard_normal((n, groups.size)), rng.standard_normal((groups.size, T))
    target = columns.T @ rng.standard_normal((n, T))
    penalty = np.array([0.5, 1.0, 2.0, 0.3])
    partition = Partition.of_groups(groups)
    on_gram = GramGroups(columns.T @ columns, partition, target, penalty)
    return on_gram, ColumnGroups(columns, partition, target, penalty), theta


def solve_hessian(problem, theta, right):
    system = problem.system(problem.partition.norms(theta))
    return system.solve_hessian(problem.partition.directions(theta), right)


def surrogate(problem, m, v):
    """g(m, v), from its definition."""
    theta = np.repeat(m, SIZES)[:, None] * v
    squares = m**2 + [np.sum(part**2) for part in np.split(v, np.cumsum(SIZES)[:-1])]
    loss = 0.5 * np.sum(theta * (problem.gram @ theta)) - np.sum(problem.target * theta)
    return loss + 0.5 * problem.penalty @ squares


@pytest.mark.parametrize("n", [6, 30])
@pytest.mark.parametrize("T", [1, 3])
def test_updates_minimise_the_surrogate(n, T):
    on_gram, on_columns, theta = problems(n, T)
    factors = balance_groups(on_gram, theta)
    np.testing.assert_allclose(product(on_gram, factors), theta)
    assert surrogate(on_gram, *factors) == pytest.approx(on_gram.objective(theta))
    swept = group_sweep(on_gram, factors, system_of(on_gram, factors))
    rng, value = np.random.default_rng(1), surrogate(on_gram, *swept)
    difference = value - on_gram.objective(product(on_gram, swept))
    assert imbalance(on_gram, swept) == pytest.approx(difference)
    assert value < surrogate(on_gram, factors.m, swept.v) <= surrogate(on_gram, *factors)
    for _ in range(20):  # v is the best for the old m, m for the new v
        other = swept.v + 1e-3 * rng.standard_normal(swept.v.shape)
        assert surrogate(on_gram, factors.m, other) > surrogate(on_gram, factors.m, swept.v)
        other = swept.m + 1e-3 * rng.standard_normal(swept.m.shape)
        assert surrogate(on_gram, other, swept.v) > value
    dual = group_sweep(on_columns, factors, system_of(on_columns, factors))
    np.testing.assert_allclose(dual.v, swept.v, rtol=1e-8)
    np.testing.assert_allclose(dual.m, swept.m, rtol=1e-8)


@pytest.mark.parametrize("n", [6, 30])
@pytest.mark.parametrize("T", [1, 3])
def test_newton_steps_solve_with_the_hessian(n, T):
    on_gram, on_columns, theta = problems(n, T)
    right = np.random.default_rng(2).standard_normal(theta.shape)
    for problem in (on_gram, on_columns):
        solution, step = solve_hessian(problem, theta, right), 1e-5
        ends = [face_gradient(problem, theta + sign * step * solution) for sign in (-1.0, 1.0)]
        np.testing.assert_allclose((ends[0] - ends[1]) / (2.0 * step), right, atol=1e-6)


@pytest.mark.parametrize("T", [1, 3])
def test_newton_ends_where_the_gradient_vanishes_and_groups_leave(T):
    for seed in range(10):
        on_gram, on_columns, theta = problems(30, T, seed)
        on_gram.penalty *= 10.0
        on_columns.penalty *= 10.0
        found, left, _ = newton(on_gram, theta, 1e-14)
        assert on_gram.objective(found) < on_gram.objective(theta)
        assert left <= 1e-14
        rows = on_gram.live(found)
        problem = on_gram.on(rows)
        assert np.abs(face_gradient(problem, found[rows])).max(initial=0.0) < 1e-6
        assert not found[~rows].any()
        np.testing.assert_allclose(newton(on_columns, theta, 1e-14).theta, found, atol=1e-6)


def test_groups_of_one_have_the_limit_point_in_a_single_step():
    rng = np.random.default_rng(0)
    columns = rng.standard_normal((20, 4))
    theta, penalty = np.array([[1.0], [-2.0], [1.5], [2.5]]), np.full(4, 0.1)
    gram, target = columns.T @ columns, columns.T @ (columns @ theta)
    problem = GramGroups(gram, Partition.of_groups(np.arange(4)), target, penalty)
    step = solve_hessian(problem, theta, face_gradient(problem, theta))
    expected = np.linalg.solve(gram, target - penalty[:, None] * np.sign(theta))
    np.testing.assert_allclose(theta + step, expected, rtol=1e-10)


def test_a_singular_hessian_still_gives_a_solution():
    """Equal columns in two groups: their difference does not matter."""
    rng = np.random.default_rng(0)
    columns = np.repeat(rng.standard_normal((10, 1)), 2, axis=1)
    for T in (1, 2):
        target = columns.T @ rng.standard_normal((10, T))
        groups = Partition.of_groups(np.arange(2))
        problem = GramGroups(columns.T @ columns, groups, target, np.array([0.1, 0.1]))
        theta = np.repeat(target[:1], 2, axis=0) / 20.0
        found = newton(problem, theta, 1e-12).theta
        assert np.isfinite(found).all()
        assert np.abs(face_gradient(problem, found)).max() < 1e-5


def test_steps_that_turn_groups_round_lower_the_objective():
    """Also where no whole step does, because columns of several groups are nearly parallel.

    Of the last two problems not even the step as far as the first of them, without halving.
    """
    for seed in (*range(20), 118, 308):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 4, rng.integers(2, 6))
        groups, T = np.repeat(np.arange(sizes.size), sizes), int(rng.integers(1, 3))
        k, n = groups.size, rng.integers(3, 12)
        mixing = np.eye(k) + rng.choice([0.0, 1.0, 3.0]) * rng.standard_normal((k, 1))
        columns = rng.standard_normal((n, k)) @ mixing
        target = columns.T @ rng.standard_normal((n, T))
        penalty = rng.choice([0.1, 2.0], sizes.size)
        problem = GramGroups(columns.T @ columns, Partition.of_groups(groups), target, penalty)
        theta = rng.standard_normal((k, T))
        found, left, _ = newton(problem, theta, 1e-10)
        assert problem.objective(found) < problem.objective(theta)
        assert left <= 1e-10
        rows = problem.live(found)
        problem = problem.on(rows)
        assert np.abs(face_gradient(problem, found[rows])).max(initial=0.0) < 1e-5
