"""Paths of groups: who enters, what is predicted, and how many penalties are solved."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hplasso import group_path
from hplasso._datafit.targets import DataTargets
from hplasso._design.factory import make_design
from hplasso._path.group_restricted import restricted
from hplasso._path.group_tracer import GroupTracer
from hplasso._path.settings import PathSettings
from hplasso._penalties.group import GroupPenalty
from hplasso._penalties.l1 import L1Penalty

rng = np.random.default_rng(0)
N_GROUPS = 60
GROUPS = np.repeat(np.arange(N_GROUPS), [1, 2, 3] * 20)
P = GROUPS.size
X = rng.standard_normal((80, P))
X -= X.mean(axis=0)
Y = X[:, :8] @ rng.standard_normal((8, 2)) + rng.standard_normal((80, 2))
Y -= Y.mean(axis=0)
TARGETS = pytest.mark.parametrize("target", [Y[:, :1], Y], ids=["one", "two"])


def tracer_of(target, start=None, **settings):
    term = DataTargets(make_design(X, np.full(80, 1.0 / 80.0), False), target)
    penalty = GroupPenalty(GROUPS, np.ones(N_GROUPS))
    return GroupTracer(term, penalty, PathSettings(L1Penalty(np.ones(P)), **settings), start)


def norms(values):
    return np.array([np.linalg.norm(values[g == GROUPS]) for g in range(N_GROUPS)])


@TARGETS
@pytest.mark.parametrize("last", [None, 0.16])
def test_the_largest_violators_enter_by_a_step_of_their_own(target, last):
    """Ten groups, or as many as there are already."""
    tracer, alpha = tracer_of(target, tol=1e-10), 0.02
    if last is not None:
        tracer.solve(last)
    at = tracer.observed(alpha, *tracer.position)
    support = np.unique(GROUPS[at.features])
    z = X.T @ (target - X[:, at.features] @ at.theta) / len(X)
    over = norms(z) - alpha
    over[support] = 0.0
    count = 10 if last is None else support.size
    assert 10 <= count < (over > 0.0).sum()
    found, start = restricted(tracer.term, tracer.penalty, alpha, at, False)
    features, theta = found.features, found.theta
    entrants = np.argsort(-over)[:count]
    assert_array_equal(np.unique(GROUPS[features]), np.union1d(support, entrants))
    old = np.isin(GROUPS[features], support)
    assert_array_equal(start[old], theta[old])
    assert_array_equal(theta[old], at.theta)
    for g in entrants:
        part, own, columns = start[GROUPS[features] == g], z[g == GROUPS], X[:, g == GROUPS]
        assert_allclose(part / np.linalg.norm(part), own / np.linalg.norm(own))
        curvature, gram = over[g] / np.linalg.norm(part), columns.T @ columns / len(X)
        assert np.linalg.norm(gram, 2) <= curvature * (1.0 + 1e-12)
        assert curvature <= np.trace(gram) * (1.0 + 1e-12)
    assert not theta[~old].any()


@TARGETS
def test_solutions_know_how_they_move(target):
    """By differences of solutions; with factors of the last step and without them."""
    tracer, step = tracer_of(target, tol=1e-13), 1e-4
    tracer.solve(0.4)
    found = tracer.solution(0.4)
    start = np.zeros((P, target.shape[1]))
    start[found.features] = found.theta
    afresh = tracer_of(target, start=start, tol=1e-13)
    afresh.solve(0.4)
    ends = []
    for alpha in (0.4 + step, 0.4 - step):
        tracer.solve(alpha)
        assert_array_equal(tracer.position[0], found.features)
        ends.append(tracer.position[1])
    assert_allclose(found.slope, (ends[0] - ends[1]) / (2.0 * step), atol=1e-5)
    assert np.abs(found.slope).max() > 0.1
    assert_allclose(afresh.solution(0.4).slope, found.slope, atol=1e-8)


@TARGETS
def test_strides_double_while_all_between_is_certified(target):
    """As far as 16 alphas; the cubic between two solutions is right to the fourth order."""
    alphas = np.linspace(0.4, 0.38, 60)
    options = {"groups": GROUPS, "alphas": alphas, "tol": 1e-10, "return_n_iter": True}
    _, coefs, _, n_iters = group_path(X, np.squeeze(target), **options)
    assert_array_equal(np.flatnonzero(n_iters), [0, 1, 3, 7, 15, 31, 47, 59])
    support = (coefs != 0.0).any(axis=0) if target.shape[1] > 1 else coefs != 0.0
    assert (support == support[:, :1]).all()


@pytest.mark.parametrize(
    ("target", "most"), [(Y[:, 0], {1e-3: 30, 1e-6: 70}), (Y, {1e-3: 16, 1e-6: 84})]
)
def test_much_of_a_path_is_predicted(target, most):
    """Also where groups enter and leave."""
    for tol, count in most.items():
        options = {"groups": GROUPS, "eps": 0.05, "tol": tol, "return_n_iter": True}
        *_, n_iters = group_path(X, target, **options)
        assert np.count_nonzero(n_iters) <= count
        assert sum(n_iters) <= 1.3 * count


@TARGETS
def test_groups_outside_the_safe_sphere_are_dropped(target):
    """Where kappa |z_g| + |Z_g| sqrt(2 gap) < alpha w_g, with the Frobenius norm of Z_g."""
    tracer, alpha, solution = tracer_of(target), 1.0, np.zeros((P, target.shape[1]))
    tracer.solve(alpha)
    features, solution[features] = tracer.position[0], tracer.position[1]
    lengths = np.sqrt(np.bincount(GROUPS, (X**2).mean(axis=0)))
    for noise in (1e-2, 1e-3, 1e-4):
        theta = solution + noise * rng.standard_normal(solution.shape)
        at = tracer.observed(alpha, np.arange(P), theta)
        gap, kappa, _ = at.certificate
        reachable = kappa * norms(X.T @ (target - X @ theta) / len(X))
        possible = reachable + lengths * np.sqrt(2.0 * gap) >= alpha
        left = tracer.certifier.without_zeros(alpha, at)
        assert_array_equal(np.unique(GROUPS[left.features]), np.flatnonzero(possible))
        assert_array_equal(left.theta, theta[possible[GROUPS]])
    assert 0 < possible.sum() < N_GROUPS


@TARGETS
def test_what_rounding_may_hide_is_part_of_the_gap(target):
    tracer = tracer_of(target, tol=1e-10)
    tracer.solve(0.5)
    at = tracer.observed(0.5, *tracer.position)
    hidden = at.state._replace(hidden=0.125)
    gap, kappa, rounding_gap = tracer.certifier.iterate(0.5, *at[:2], hidden).certificate
    assert kappa == at.certificate.kappa
    assert gap == pytest.approx(at.certificate.gap + 0.125, rel=1e-8)
    assert rounding_gap == pytest.approx(at.certificate.rounding_gap + 0.125, rel=1e-8)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_rounding_of_correlations_without_penalty_makes_no_alpha_infeasible(l1_ratio):
    penalty = GroupPenalty(np.array([0, 0, 1, 1]), np.array([0.0, 1.0]), l1_ratio=l1_ratio)
    z, errors = np.array([0.0, 0.0, 3.0, 1.0])[:, None], np.full(2, 1e-12)
    expected = penalty.feasible_alpha(z, errors)
    assert 1.0 < expected < 10.0
    z[0] = 5e-12
    assert penalty.feasible_alpha(z, errors) == pytest.approx(expected, rel=1e-12)
