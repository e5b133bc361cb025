"""The path driver: where it starts from, what it passes on the way, what it keeps."""

from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from regressions import regression_of
from sklearn.datasets import make_classification, make_regression

import hplasso._solver.cholesky
from hplasso import lasso_path, logistic_path
from hplasso._datafit.iterate import Iterate
from hplasso._datafit.newton import CurvedTerm
from hplasso._datafit.squared import SquaredState
from hplasso._design.working_set import WorkingSet
from hplasso._numerics.rounding import CorrelationRounding
from hplasso._path import continuation, penalty_step, ridge_steps, ridge_tracer
from hplasso._path.certification import L1Certifier
from hplasso._path.interpolation import Interpolation
from hplasso._path.model_step import without_matrix_free
from hplasso._path.predictor import Predictor, SolvedPoint
from hplasso._path.progress import Listener
from hplasso._path.settings import PathSettings
from hplasso._path.stagnation import Stagnation
from hplasso._penalties.duality_gap import Certificate
from hplasso._penalties.l1 import L1Penalty
from hplasso._solver.sweeps_and_finish import SOLVERS

TALL = make_regression(200, 30, n_informative=10, noise=5.0, random_state=0)
RNG = np.random.default_rng(0)
WIDE = RNG.standard_normal((300, 600)), RNG.standard_normal(300)
CROSSING = RNG.standard_normal((50, 40)) + 2.0 * RNG.standard_normal((50, 1)), WIDE[1][:50]


def tracer_of(X, y, n_alphas=100, **settings):
    weights = np.full(len(y), 1.0 / len(y))
    regression = regression_of(X, y[:, None], weights, True, "auto", n_alphas)
    return regression.tracer(0, settings_of(np.ones(X.shape[1]), **settings))


def settings_of(weights, ridge_ratio=0.0, **settings):
    return PathSettings(L1Penalty(weights, ridge_ratio), **settings)


def iterate_at(theta, z):
    support = theta.nonzero()[0]
    return Iterate(theta, support, None, z, CorrelationRounding(0.0), 0.0, 1.0, 0.0)


def test_two_solved_points_predict_beyond_and_between():
    rng = np.random.default_rng(0)
    predictor = Predictor()
    first, second = (
        SolvedPoint(alpha, iterate_at(*rng.normal(size=(2, 4)))) for alpha in (4.0, 2.0)
    )
    predictor = predictor.add(first)
    assert not predictor.can_predict(1.0)
    assert predictor.bracketing(3.0) is None
    predictor = predictor.add(second)
    assert predictor.alpha == 2.0
    assert [predictor.can_predict(alpha) for alpha in (5.0, 4.0, 3.0, 2.0, 1.0)] == [
        False,
        False,
        *[True] * 3,
    ]
    assert [predictor.bracketing(alpha) for alpha in (5.0, 4.0, 3.0, 2.0, 1.0)] == [
        None, None, first, None, None,
    ]  # fmt: skip
    assert predictor.fraction(1.0) == 0.5
    assert predictor.fraction(3.0) == -0.5
    assert predictor.fraction(1.0, logarithmic=True) == pytest.approx(1.0)
    assert predictor.fraction(0.5, logarithmic=True) == pytest.approx(2.0)
    before, last = first.iterate, second.iterate
    assert_allclose(predictor.correlations(1.0), 1.5 * last.z - 0.5 * before.z)
    assert_allclose(predictor.correlations(1.0, [2]), (1.5 * last.z - 0.5 * before.z)[[2]])
    assert_allclose(predictor.change(last.theta), last.theta - before.theta)
    grown = np.append(last.theta, 7.0)
    assert_allclose(predictor.change(grown), grown - np.append(before.theta, 0.0))
    predictor = predictor.add(SolvedPoint(2.0, first.iterate))  # once more
    assert predictor.can_predict(1.0)
    assert_array_equal(predictor.change(last.theta), last.theta - before.theta)
    predictor = predictor.add(second, first)
    assert predictor.bracketing(3.0) is first
    predictor = predictor.add(SolvedPoint(1.0, second.iterate))
    assert predictor.bracketing(1.5) is second
    predictor = predictor.add(SolvedPoint(3.0, first.iterate))
    assert not predictor.can_predict(0.5)  # upwards


def heard_by_solver(monkeypatch):
    """Of each call of the solver: the alpha, and theta where it starts."""
    calls, solve = [], SOLVERS["auto"]

    def heard(problem, solver, start, *args, **options):
        calls.append((problem.penalty[0], start.theta))
        return solve(problem, solver, start, *args, **options)

    monkeypatch.setitem(SOLVERS, "auto", heard)
    return calls


def test_a_lasso_starts_where_its_last_two_solutions_point(monkeypatch):
    """Linearly in alpha; what would change its sign is left out."""
    tracer = tracer_of(*CROSSING, tol=1e-12)
    calls, largest = heard_by_solver(monkeypatch), tracer.alpha_max()
    alphas, thetas, crossing = largest * np.geomspace(1.0, 1e-4, 40), [], 0
    for i, alpha in enumerate(alphas):
        n_calls = len(calls)
        tracer.solve(alpha)
        thetas.append(tracer.iterate.theta)
        if i < 3:
            continue
        before, last = thetas[i - 2], thetas[i - 1]
        fraction = (alpha - alphas[i - 1]) / (alphas[i - 1] - alphas[i - 2])
        goal = last + fraction * (last - before)
        crossing += (goal * last < 0.0).sum()
        assert_allclose(calls[n_calls][1], np.where(goal * last > 0.0, goal, 0.0), atol=1e-9)
    assert crossing > 0
    assert len(calls) < 60  # most are right the first time


def test_a_logistic_path_starts_where_its_last_two_solutions_point(monkeypatch):
    """Linearly in log C; what would change its sign goes to zero."""
    X, y = make_classification(300, 10, n_informative=6, flip_y=0.3, random_state=0)
    goals, line_search = [], CurvedTerm.line_search

    def heard(self, working_set, state, theta, goal, *others):
        goals.append((theta, goal))
        return line_search(self, working_set, state, theta, goal, *others)

    monkeypatch.setattr(CurvedTerm, "line_search", heard)
    Cs = logistic_path(X, y, Cs=1)[0][0] * np.geomspace(1.0, 100.0, 25)
    coefs = logistic_path(X, y, Cs=Cs, tol=1e-13, fit_intercept=False)[1]
    found = 0
    for i in range(2, 25):
        before, last = coefs[:, i - 2], coefs[:, i - 1]
        expected = last + (last - before)  # equal steps of log C
        expected[expected * last <= 0.0] = 0.0
        on = last != 0.0
        found += any(
            np.count_nonzero(goal) == np.count_nonzero(expected)
            and np.allclose(np.sort(goal[goal != 0]), np.sort(expected[expected != 0]), rtol=1e-6)
            and np.allclose(np.sort(theta[theta != 0]), np.sort(last[on]), rtol=1e-6)
            for theta, goal in goals
        )
    assert found >= 20


@pytest.fixture
def stages(monkeypatch):
    """The alphas on the way to a part of the largest one, as parts of that."""

    def passed(X, y, factor):
        tracer = tracer_of(X, y, 1)
        largest = tracer.alpha_max()
        calls = heard_by_solver(monkeypatch)
        assert tracer.solve(factor * largest).converged
        alphas = np.array([alpha for alpha, _ in calls]) / largest
        return alphas[alphas > factor * (1.0 + 1e-9)]

    return passed


def test_no_steps_with_the_gram_matrix_of_fewer_features_than_samples(stages):
    X, y = TALL
    assert not stages(X, y, 1e-4).size
    assert not stages(X[:31], y[:31], 1e-4).size
    assert stages(X[:30], y[:30], 1e-4).size
    assert stages(*WIDE, 1e-4).size


def test_few_features_are_approached_by_few_steps(stages, monkeypatch):
    monkeypatch.setattr(continuation, "FEWER", 0.0)
    assert not stages(*TALL, 1 / 2.9).size
    assert_allclose(stages(*TALL, 1e-4), 0.1 ** np.arange(1, 4))


def test_an_alpha_that_is_far_is_approached_by_steps(stages, monkeypatch):
    """Long ones where there are few samples or features, or few come in; or shorter ones."""
    monkeypatch.setattr(continuation, "FEWER", 0.0)
    monkeypatch.setattr(continuation, "FEW", 0)
    assert not stages(*TALL, 1 / 2.9).size
    assert_allclose(stages(*TALL, 1 / 3.1), [3.1**-0.5])
    assert_allclose(stages(*TALL, 2.0**-6), 0.5 ** np.arange(1, 6))
    assert_allclose(stages(*TALL, 1e-9)[-1], 1e-6 / 0.5, rtol=0.05)
    alphas = stages(*WIDE, 0.1)
    ratios = alphas / np.append(1.0, alphas[:-1])
    assert (((ratios > 0.8) & (ratios < 0.9)) | ((ratios > 0.45) & (ratios < 0.6))).all()
    assert 5 < len(alphas) < 14


def test_a_support_that_stays_is_factorised_once(monkeypatch):
    """On a path without events the factor of the face, and its inverse, are there already."""
    made, original = [], hplasso._solver.cholesky.independent_cholesky
    monkeypatch.setattr(
        hplasso._solver.cholesky,
        "independent_cholesky",
        lambda *args: made.append(1) or original(*args),
    )
    tracer = tracer_of(*TALL, tol=1e-10)
    for alpha in (1e-3, 9e-4):
        tracer.solve(alpha)
    assert tracer.iterate.support.size == 30
    made.clear()
    for alpha in (8e-4, 7e-4, 6e-4, 1e-4):
        assert tracer.solve(alpha).converged
    assert not made


def test_what_conjugate_gradients_found_is_kept():
    tracer = tracer_of(*TALL, tol=1e-10)
    point = tracer.solve(0.1 * tracer.alpha_max())
    theta, z = tracer.iterate.theta, tracer.iterate.z
    tracer.memory = without_matrix_free(tracer.problem, tracer.memory)
    assert_allclose(tracer.iterate.theta, theta)
    assert_allclose(tracer.iterate.z, z, atol=1e-9)
    assert tracer.problem.certifier.of_iterate(point.alpha, tracer.iterate).gap <= point.gap_tol


@pytest.mark.parametrize("ridged", [False, True])
def test_interpolation_between_equal_ends_has_the_gap_of_the_ends(ridged):
    """Of coefficients that are no solution, so that the residual has to be scaled down."""
    tracer = tracer_of(*TALL, ridge_ratio=0.5 * ridged)
    alpha = 0.3 * tracer.alpha_max()
    tracer.solve(alpha)
    solution = tracer.iterate
    theta = 0.5 * solution.theta
    state = tracer.problem.term.state(tracer.problem.working_set, theta)
    tracer.move_to(alpha, theta, solution.support, state)
    feasible_alpha = tracer.iterate.feasible_alpha
    assert feasible_alpha > 1.2 * alpha
    ends = [SolvedPoint(part * alpha, tracer.iterate) for part in (1.2, 0.5)]
    interpolation = Interpolation(tracer, ends)
    assert_array_equal(interpolation.support, np.sort(solution.support))
    alphas = [alpha] if ridged else [alpha, 0.9 * alpha]
    values, certificates = interpolation.certified(alphas)
    assert_allclose(values, [theta[interpolation.support]] * len(alphas))
    for at, certificate in zip(alphas, certificates, strict=True):
        exact = tracer.problem.certifier.of_iterate(at, tracer.iterate)
        assert certificate.kappa == pytest.approx(at / feasible_alpha)
        assert certificate.gap == pytest.approx(exact.gap)
        assert certificate.rounding_gap == pytest.approx(exact.rounding_gap)


@pytest.mark.parametrize(
    ("data", "alphas", "solved"),
    [
        # six alphas beyond the first breakpoint; then nine beyond the next
        (TALL, (1.0, 0.01), [6, 19, 24]),
        (WIDE, (0.2, 0.05), np.arange(0, 25, 4)),
    ],
)
def test_so_many_alphas_are_between_two_that_are_solved(data, alphas, solved):
    X, y = data
    y = y - y.mean()
    largest = np.abs(X.T @ y).max() / len(y)
    grid = largest * np.geomspace(*alphas, 25)
    sweeps = np.array(lasso_path(X, y, alphas=grid, tol=0.1, return_n_iter=True)[3])
    assert_array_equal(np.flatnonzero(sweeps), solved)


@pytest.mark.parametrize(("free", "sweeps"), [(False, 5), (True, 25)])
def test_ridge_regression_that_gets_no_better_is_given_up(free, sweeps, monkeypatch):
    """Later where a coefficient without penalty is on its way, of which the gap says nothing."""
    X, y = TALL
    weights = np.full(len(y), 1.0 / len(y))
    regression = regression_of(X, y[:, None], weights, True, "auto", 1)
    penalty_weights = np.ones(X.shape[1])
    penalty_weights[0] = not free
    tracer = regression.tracer(0, settings_of(penalty_weights, np.inf))
    monkeypatch.setattr(ridge_tracer, "newton_step", lambda system, memory, *others: memory)
    monkeypatch.setattr(
        ridge_tracer,
        "assured",
        lambda _, iterate, alpha, certificate, sweeps: (iterate, certificate),
    )
    point = tracer.solve(0.1)
    assert not point.converged
    assert point.sweeps == sweeps
    assert tracer.solve(0.1).sweeps == sweeps


@pytest.mark.parametrize("p", [20, 150])
def test_ridge_regression_takes_a_sweep_or_two_at_an_alpha(p):
    """The dual solution follows when alpha changes."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, p)), rng.standard_normal(40)
    tracer = tracer_of(X, y, ridge_ratio=np.inf, tol=1e-12)
    for alpha in (10.0, 1.0, 0.3, 1e-3, 0.5):
        point = tracer.solve(alpha)
        assert point.sweeps <= 2
        coef = np.zeros(p)
        coef[point.features] = point.values
        Z = X - X.mean(axis=0)
        assert_allclose(coef, np.linalg.solve(Z.T @ Z / 40 + alpha * np.eye(p), Z.T @ y / 40))


def test_the_surrogate_of_alternation_is_above_the_objective():
    class Heard(Listener):
        iterations = every_sweep = True
        all: ClassVar = []

        def point(self, point):
            pass

        def iteration(self, iteration):
            self.all.append(iteration)

    tracer = tracer_of(*TALL, 1, solver="alternating", listener=Heard())
    tracer.solve(0.1 * tracer.alpha_max())
    above = [one.surrogate - one.objective for one in Heard.all]
    assert min(above) >= 0.0
    assert max(above) > 0.0


@pytest.mark.parametrize(("kappa", "sweeps"), [(0.5, 6), (0.0, 26)])
def test_an_alpha_where_nothing_gets_better_is_given_up(kappa, sweeps, monkeypatch):
    """Later where a coefficient without penalty is on its way, of which the gap says nothing."""
    tracer = tracer_of(*TALL)
    alpha = 0.5 * tracer.alpha_max()
    tracer.solve(1.1 * alpha)
    monkeypatch.setattr(penalty_step, "model_step", lambda _, memory, *others: (memory, 1))
    monkeypatch.setattr(L1Certifier, "of_iterate", lambda *args: Certificate(1e9, kappa, 0.0))
    assert tracer.solve(alpha).sweeps == sweeps


def test_conjugate_gradients_take_as_many_steps_whatever_the_units(monkeypatch):
    bent, hessian_product = [], SquaredState.hessian_product
    monkeypatch.setattr(ridge_steps, "DIRECT", 0)
    monkeypatch.setattr(
        SquaredState, "hessian_product", lambda *args: bent.append(1) or hessian_product(*args)
    )
    rng = np.random.default_rng(0)
    X, y, fractions = rng.standard_normal((40, 60)), rng.standard_normal(40), np.full(40, 1 / 40)
    counts = []
    for units in (np.ones(60), 2.0 ** rng.integers(-9, 10, 60)):
        regression = regression_of(X * units, y[:, None], fractions, True, "auto", 1)
        settings = settings_of(units**2, np.inf, tol=1e-6)
        assert regression.tracer(0, settings).solve(0.1).converged
        counts.append(len(bent))
        bent.clear()
    assert counts[0] == counts[1] > 5


def test_what_is_not_zero_at_either_solved_point_is_live():
    predictor = Predictor()
    predictor = predictor.add(SolvedPoint(2.0, iterate_at(np.array([0.0, 3.0, 0.0]), np.zeros(5))))
    predictor = predictor.add(
        SolvedPoint(1.0, iterate_at(np.array([0.0, 0.0, 0.0, 5.0]), np.zeros(5)))
    )
    assert_array_equal(predictor.live(5), [False, True, False, True, False])
    predictor = predictor.prune(np.array([1, 3]), 5)
    assert_array_equal(predictor.live(2), [True, True])
    assert_array_equal(predictor.change(np.array([1.0, 1.0])), [-2.0, 1.0])


def test_features_are_pruned_where_they_are_many(monkeypatch):
    """Where their Gram matrix would fill more than a quarter of X, and half of them went."""
    sizes, prune = [], WorkingSet.prune

    def heard(self, positions):
        sizes.append((self.features.size, positions.size))
        prune(self, positions)

    monkeypatch.setattr(WorkingSet, "prune", heard)
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 500)), rng.standard_normal(40)
    for factor, some in ((0.2, False), (1e-3, True)):
        tracer = tracer_of(X, y, 1, tol=1e-8)
        assert tracer.solve(factor * tracer.alpha_max()).converged
        assert bool(sizes) == some
    for size, kept in sizes:
        assert size**2 > 0.25 * X.size
        assert 0 < kept < 0.5 * size


def test_rounds_after_which_f_was_lower_count_from_there():
    """Towards a lower f kappa may fall back a long way; that it grows again then is progress."""
    stagnation = Stagnation().after(Certificate(0.2, 0.5, 0.0), 1.0, False, 1e-6)
    lower = stagnation.after(Certificate(0.9, 1e-9, 0.0), 0.8, False, 1e-6)
    assert lower.rounds == 0
    for kappa in 1e-9 * 2.0 ** np.arange(1, 20):
        lower = lower.after(Certificate(0.9, kappa, 0.0), 0.8, False, 1e-6)
        assert lower.rounds == 0
    # at the same f it has to be larger than ever
    again = lower.after(Certificate(0.9, 1e-9, 0.0), 0.8, False, 1e-6)
    assert again.after(Certificate(0.9, 2e-9, 0.0), 0.8, False, 1e-6).rounds == 2


def test_rounds_in_which_f_falls_by_a_part_of_the_gap_are_not_in_vain():
    """Where the gap is all of f it is near what is asked for when f itself is."""
    certificate, stagnation, f = Certificate(1.2e-4, 0.0, 0.0), Stagnation(), 1.2e-4
    for _ in range(100):
        stagnation, f = stagnation.after(certificate, f, False, 1e-4), f - 1.3e-6
        assert stagnation.rounds == 0
    for _ in range(9):
        stagnation, f = stagnation.after(certificate, f, False, 1e-4), f - 1e-9
    assert stagnation.rounds > 1
