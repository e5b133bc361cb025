"""`minimize_l1`: any smooth function with an L1 penalty."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq, check_grad, minimize, rosen, rosen_der
from scipy.special import expit

from hplasso import HadamardLasso, HadamardLogisticRegression, minimize_l1
from hplasso._smooth.objective import Evaluation, Objective, SmoothFunction
from hplasso._smooth.orthant import FaceProblem, polish, without_shrinking
from hplasso._smooth.product import (
    ENOUGH,
    WINDOW,
    balance,
    descend_by_factors,
    factored,
    unbalance,
)


def autoregressive(n, p, rho, rng):
    """Normal features, neighbours correlated by rho."""
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1.0 - rho**2) * X[:, j]
    return X


class Regression:
    """Least squares or logistic loss on generated data: the function, alpha, the exact solution."""

    def __init__(self, kind, rho, feasible_alpha, seed=0, n=300, p=1000):
        rng = np.random.default_rng(seed)
        self.X, self.kind = autoregressive(n, p, rho, rng), kind
        coef = np.where(rng.permutation(p) < 20, rng.standard_normal(p), 0.0)
        outcome = self.X @ coef
        if kind == "squared":
            self.y = outcome + 0.5 * outcome.std() * rng.standard_normal(n)
        else:
            self.y = np.where(rng.random(n) < expit(outcome), 1.0, -1.0)
        self.zero = np.zeros(p)
        self.alpha = feasible_alpha * np.abs(self(self.zero)[1]).max()

    def __call__(self, x):
        n = len(self.y)
        if self.kind == "squared":
            residual = self.X @ x - self.y
            return 0.5 * residual @ residual / n, self.X.T @ residual / n
        margins = self.y * (self.X @ x)
        return np.logaddexp(0.0, -margins).mean(), -self.X.T @ (self.y * expit(-margins)) / n

    def objective(self, x):
        return self(x)[0] + self.alpha * np.abs(x).sum()

    def exact(self, **parameters):
        parameters |= {"tol": 1e-12, "fit_intercept": False}
        if self.kind == "squared":
            return HadamardLasso(self.alpha, **parameters).fit(self.X, self.y).coef_
        C = 1.0 / (self.alpha * len(self.y))
        return HadamardLogisticRegression(C=C, **parameters).fit(self.X, self.y).coef_[0]


CONVEX = {"jac": True, "convex": True, "f_min": 0.0}
EIGHT = [
    (kind, rho, feasible_alpha)
    for kind in ("squared", "logistic")
    for rho in (0.3, 0.9)
    for feasible_alpha in (0.1, 0.01)
]


@pytest.mark.parametrize(("kind", "rho", "feasible_alpha"), EIGHT)
def test_convex_problems_have_the_exact_support_and_an_honest_gap(kind, rho, feasible_alpha):
    problem = Regression(kind, rho, feasible_alpha)
    exact = problem.exact()
    least = problem.objective(exact)
    for c in (1.0, 0.3, 0.1):
        res = minimize_l1(problem, problem.zero, problem.alpha, **CONVEX, options={"c": c})
        assert res.success
        assert res.kkt <= 1e-8
        assert_array_equal(res.x != 0.0, exact != 0.0)
        assert_allclose(res.fun, least, rtol=1e-10)
        assert -1e-14 * least <= res.fun - least + 1e-15 <= res.gap + 1e-14 * least
        assert_allclose(res.x, exact, atol=1e-6 * np.abs(exact).max())


def test_the_gap_by_hand():
    """h = 8 at x = (2, 0) with the gradient (-1.5, 1), penalties of one, and 3 below h."""
    function = SmoothFunction(lambda x: (8.0, np.array([-1.5, 1.0])), True, (), False, np.inf)
    objective = Objective(function, np.array([2.0, 0.0]), np.ones(2), 1.0, False)
    # 2 - 3 is negative, and rho = 1.5 times the penalty
    assert objective.gap(objective.start, 3.0) == pytest.approx(0.5 * (8.0 + 2.0 - 3.0))


def test_gap_bounds_the_distance_on_the_way():
    problem = Regression("logistic", 0.9, 0.1)
    least = problem.objective(problem.exact())
    gaps = []
    for maxiter in (2, 5, 10, 20, 40):
        options = {"maxiter": maxiter}
        res = minimize_l1(problem, problem.zero, problem.alpha, **CONVEX, options=options)
        assert (res.success, res.status, res.nit) == (False, 1, maxiter)
        assert res.gap >= res.fun - least > 0.0
        gaps.append(res.gap)
    assert gaps[-1] < 1e-2 * gaps[0]


def test_fewer_evaluations_than_l_bfgs_on_positive_and_negative_parts():
    problem, counts = Regression("squared", 0.9, 0.1), []
    p, near = problem.zero.size, 1e-6 * problem(problem.zero)[0]
    least = problem.objective(problem.exact())

    class Near(Exception):
        pass

    def counted(x):
        counts[-1] += 1
        if problem.objective(x) - least <= near:
            raise Near
        return problem(x)

    def split(parts):
        value, gradient = counted(parts[:p] - parts[p:])
        slope = np.concatenate([gradient, -gradient]) + problem.alpha
        return value + problem.alpha * parts.sum(), slope

    counts.append(0)
    assert "Near" in minimize_l1(counted, problem.zero, problem.alpha, jac=True).message
    counts.append(0)
    options, bounds = {"ftol": 0.0, "gtol": 0.0}, [(0.0, None)] * (2 * p)
    with pytest.raises(Near):
        minimize(split, np.zeros(2 * p), jac=True, bounds=bounds, options=options)
    ours, theirs = counts
    assert ours < theirs


SMALL = Regression("squared", 0.5, 0.1, n=60, p=15)


@pytest.mark.parametrize("kind", ["squared", "logistic"])
@pytest.mark.parametrize("positive", [False, True])
def test_penalty_weights_and_signs(kind, positive):
    problem = Regression(kind, 0.5, 0.1, n=80, p=12)
    weights = np.linspace(0.2, 2.0, 12)
    weights[[0, 7]], weights[[3, 5]] = 0.0, np.inf
    if kind == "squared":
        exact = problem.exact(penalty_weights=weights, positive=positive)
    elif positive:
        exact = bounded(problem, weights)
    else:
        exact = problem.exact(penalty_weights=weights)
    res = minimize_l1(
        problem, np.ones(12), problem.alpha, jac=True, penalty_weights=weights, positive=positive
    )
    assert res.success
    assert_allclose(res.x, exact, atol=1e-6)
    assert_array_equal(res.x[[3, 5]], 0.0)
    assert_array_equal(res.x == 0.0, np.abs(exact) < 1e-9)


def bounded(problem, weights):
    """The solution under x >= 0, by SciPy."""
    penalty = np.where(np.isinf(weights), 0.0, problem.alpha * weights)

    def penalised(x):
        value, gradient = problem(x)
        return value + penalty @ x, gradient + penalty

    bounds = [(0.0, 0.0 if np.isinf(weight) else None) for weight in weights]
    options = {"ftol": 0.0, "gtol": 1e-12}
    return minimize(penalised, np.zeros(12), jac=True, bounds=bounds, options=options).x


def test_gap_is_infinite_where_a_coordinate_without_penalty_has_a_gradient():
    weights = np.where(np.arange(15) == 4, 0.0, 1.0)
    res = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, **CONVEX, penalty_weights=weights)
    assert res.success
    assert res.gap == np.inf or (res.gap < 1e-6 and res.jac[4] == 0.0)


@pytest.mark.parametrize("without", [{"convex": False}, {"f_min": None}, {"n_factors": 3}])
def test_no_gap_without_a_reason(without):
    res = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, **(CONVEX | without))
    assert np.isnan(res.gap)


@pytest.mark.parametrize("jac", [None, False, "2-point", "3-point", "cs", "callable"])
@pytest.mark.parametrize("positive", [False, True])
def test_gradients_of_every_kind(jac, positive):
    def fun(x, shift):
        assert not positive or (x.real >= 0.0).all()
        residual = SMALL.X @ x - SMALL.y
        return 0.5 * (residual @ residual) / len(SMALL.y) + shift

    def gradient(x, shift):
        return SMALL(x)[1]

    kind = gradient if jac == "callable" else jac
    res = minimize_l1(fun, SMALL.zero, SMALL.alpha, args=2.0, jac=kind, positive=positive)
    exact = SMALL.exact(positive=positive)
    assert res.success
    assert_allclose(res.x, exact, atol=1e-6)
    assert_array_equal(res.x != 0.0, exact != 0.0)
    assert_allclose(res.fun, SMALL.objective(exact) + 2.0, rtol=1e-10)


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
@pytest.mark.parametrize("positive", [False, True])
def test_finite_differences_at_and_off_zero(jac, positive):
    def fun(x):
        return (x**3).sum() + x[0] * np.exp(x[1])

    at = np.array([0.0, 1e-9, 2.0])
    gradient = SmoothFunction(fun, jac, (), positive, np.inf)(at)[1]
    expected = [np.exp(1e-9), 3e-18, 12.0]
    assert_allclose(gradient, expected, atol={"2-point": 1e-6, "3-point": 1e-8, "cs": 1e-14}[jac])


def test_result_has_what_scipy_has_and_factors_of_equal_sizes():
    calls = []

    def fun(x):
        calls.append(x)
        return SMALL(x)

    res = minimize_l1(fun, SMALL.zero, SMALL.alpha, jac=True)
    assert (res.nfev, res.njev) == (len(calls), len(calls))
    assert 0 < res.nit < res.nfev
    assert res.status == 0
    assert "tol" in res.message
    assert_allclose(res.jac, SMALL(res.x)[1], rtol=1e-12)
    assert_allclose(res.fun, SMALL.objective(res.x), rtol=1e-14)
    assert res.factors.shape == (2, 15)
    assert_allclose(res.factors.prod(axis=0), res.x, rtol=1e-14)
    assert_allclose(np.abs(res.factors[0]), res.factors[1])
    assert not np.signbit(res.x[res.x == 0.0]).any()


def test_optimal_start_needs_no_iteration():
    res = minimize_l1(SMALL, SMALL.zero, 20.0 * SMALL.alpha, **CONVEX)
    assert (res.nit, res.nfev, res.success, res.gap) == (0, 1, True, 0.0)
    again = minimize_l1(SMALL, SMALL.exact(), SMALL.alpha, **CONVEX)
    assert (again.nit, again.success) == (0, True)


def test_without_penalty_it_is_the_minimum():
    res = minimize_l1(SMALL, SMALL.zero, 0.0, jac=True)
    assert res.success
    assert_allclose(res.x, np.linalg.lstsq(SMALL.X, SMALL.y, rcond=None)[0], atol=1e-6)


# Signs


def locked(problem, signs):
    """The minimiser with these signs, where balanced factors end."""
    X = problem.X * signs
    model = HadamardLasso(problem.alpha, tol=1e-13, fit_intercept=False, positive=True)
    return signs * model.fit(X, problem.y).coef_


def test_balanced_factors_lock_the_signs_and_ours_do_not():
    exact = SMALL.exact()
    wrong = np.where(exact > 0.0, -1.0, 1.0)
    objective = objective_of(SMALL, SMALL.alpha, wrong)

    factors = balance(wrong, 2)
    for _ in range(3000):
        factors = factors - 0.1 * factored(objective, factors)[1]
    end = factors.prod(axis=0)
    assert_allclose(end, locked(SMALL, wrong), atol=1e-4)
    assert SMALL.objective(end) > 1.5 * SMALL.objective(exact)
    for start in (wrong, locked(SMALL, wrong), 0.09 * wrong):  # .09 is c^2
        res = minimize_l1(SMALL, start, SMALL.alpha, jac=True)
        assert res.success
        assert_allclose(res.x, exact, atol=1e-6)


@pytest.mark.parametrize("n_factors", [2, 3, 4])
@pytest.mark.parametrize("c", [0.1, 0.3, 1.0, 2])
def test_start_is_nowhere_balanced(n_factors, c):
    sizes = np.concatenate([[0.0, c**n_factors], np.geomspace(1e-12, 1e6, 400)])
    x = sizes * np.where(np.arange(402) % 2, -1.0, 1.0)
    factors = unbalance(x, np.ones(402), n_factors, c)
    assert_allclose(factors.prod(axis=0), x, rtol=1e-12)
    assert (factors[1:] > 0.0).all()
    ratio = np.abs(factors[0]) / factors[1]
    assert (np.abs(np.log(ratio[1:])) > np.log(2.5)).all()


@pytest.mark.parametrize("n_factors", [2, 3, 4])
def test_gradient_of_the_factors(n_factors):
    rng = np.random.default_rng(0)
    penalty = np.array([0.3, 0.7, 1.1, 0.0])
    objective = Objective(
        SmoothFunction(lambda x: (rosen(x), rosen_der(x)), True, (), False, np.inf),
        np.ones(4),
        penalty,
        2.0 / n_factors,
        False,
    )
    factors = rng.standard_normal((n_factors, 4))
    factors[1:, 3] = 1.0  # no penalty: one factor beside ones

    def value(flat):
        whole = factors.copy()
        whole[moving] = flat
        return factored(objective, whole)[0]

    def gradient(flat):
        whole = factors.copy()
        whole[moving] = flat
        return factored(objective, whole)[1][moving]

    moving = np.ones(factors.shape, dtype=bool)
    moving[1:, 3] = False
    assert not factored(objective, factors)[1][~moving].any()
    assert (
        check_grad(value, gradient, factors[moving])
        < 1e-3 * np.abs(gradient(factors[moving])).max()
    )
    x = factors.prod(axis=0)
    balanced = balance(x, n_factors)
    balanced[:, 3] = 1.0
    balanced[0, 3] = x[3]
    extra = penalty @ np.abs(x) ** (2.0 / n_factors)
    assert_allclose(factored(objective, balanced)[0], rosen(x) + extra, rtol=1e-12)


# Fractional norms


@pytest.mark.parametrize("start", [0.0, 0.1, 3.0])
def test_three_factors_on_one_variable(start):
    def slope(x):  # of 1/2 (x - 3)^2 + .3 x^(2/3)
        return x - 3.0 + 0.2 * x ** (-1.0 / 3.0)

    res = minimize_l1(
        lambda x: (0.5 * (x[0] - 3.0) ** 2, x - 3.0), [start], 0.3, jac=True, n_factors=3
    )
    assert res.success
    assert_allclose(res.x, brentq(slope, 1.0, 3.0), rtol=1e-7)
    assert_allclose(res.fun, 0.61425640, rtol=1e-7)


@pytest.mark.parametrize("n_factors", [3, 4, 6])
@pytest.mark.parametrize("positive", [False, True])
def test_fractional_norms_end_in_stationary_points(n_factors, positive):
    problem, q = Regression("squared", 0.5, 0.1, n=80, p=30), 2.0 / n_factors
    weights = np.linspace(0.5, 1.5, 30)
    weights[2] = 0.0
    res = minimize_l1(
        problem,
        problem.zero,
        problem.alpha,
        jac=True,
        n_factors=n_factors,
        penalty_weights=weights,
        positive=positive,
        options={"c": 1.0},
    )
    on = res.x != 0.0
    steepness = problem.alpha * weights[on] * q * np.abs(res.x[on]) ** (q - 1.0)
    assert res.success
    assert 2 < on.sum() < 25
    assert not positive or (res.x >= 0.0).all()
    slope = problem(res.x)[1][on] + steepness * np.sign(res.x[on])
    assert (
        np.abs(slope / np.maximum(steepness, np.abs(problem(problem.zero)[1]).max())).max() < 1e-7
    )
    penalty = problem.alpha * weights @ np.abs(res.x) ** q
    assert_allclose(res.fun, problem(res.x)[0] + penalty, rtol=1e-13)
    assert res.factors.shape == (n_factors, 30)


def test_one_proximal_step_says_what_is_still_shrinking():
    penalty, length = 0.4, 0.7
    for abs_correlation in (0.1, 0.27, 0.29, 0.9):  # the step goes to zero up to length * penalty
        x = np.array([0.5 * abs_correlation, 5.0])  # the second tells the length of the step
        gradient = np.array([(x[0] - abs_correlation) / length, 0.0])
        before = Evaluation(x - [0.0, 1.0], 0.0, gradient - [0.0, 1.0 / length], 9.0)
        function = SmoothFunction(lambda x: (0.0, np.zeros(2)), True, (), False, np.inf)
        objective = Objective(function, x, np.array([penalty, 0.0]), 1.0, False)
        there = without_shrinking(objective, before, Evaluation(x, 0.0, gradient, 9.0))
        assert (there.x[0] == 0.0) == (abs_correlation <= length * penalty)
        assert there.x[1] == 5.0


def test_where_the_last_step_shows_no_curvature_nothing_goes_to_zero():
    x, gradient = np.array([0.1, 5.0]), np.array([0.0, -1.0])
    before = Evaluation(x - [0.0, 1.0], 0.0, np.zeros(2), 9.0)
    function = SmoothFunction(lambda x: (0.0, np.zeros(2)), True, (), False, np.inf)
    objective = Objective(function, x, np.array([0.4, 0.0]), 1.0, False)
    here = Evaluation(x, 0.0, gradient, 9.0)
    assert without_shrinking(objective, before, here) is here


def test_the_factors_are_left_when_they_gain_no_more():
    problem, points = Regression("squared", 0.9, 0.05, n=60, p=80), []
    function = SmoothFunction(problem, True, (), True, np.inf)
    objective = Objective(function, problem.zero, np.full(80, problem.alpha), 1.0, False)
    descend_by_factors(objective, 2, 0.1, 10, points.append)
    heights = np.array([point.objective for point in points])
    assert len(heights) > 2 * WINDOW
    gained = heights[0] - heights[-1]
    assert heights[WINDOW] - heights[2 * WINDOW] > ENOUGH * gained
    assert heights[-1 - WINDOW] - heights[-1] < 2.0 * ENOUGH * gained


# Functions that are not convex


def test_a_function_that_is_not_convex():
    start = np.array([-1.2, 1.0, 1.0, 0.3])
    res = minimize_l1(rosen, start, 0.5, jac=rosen_der)
    assert res.success
    on = res.x != 0.0
    assert_allclose(res.jac[on], -0.5 * np.sign(res.x[on]), atol=1e-6)
    assert (np.abs(res.jac[~on]) <= 0.5).all()
    assert res.fun < rosen(start) + 0.5 * np.abs(start).sum()


def test_a_start_where_some_gradients_vanish():
    """At zero this one pulls in the second coordinate alone; in the first that is a minimum."""

    def fun(x):
        return float((x[0] ** 2 - 1.0) ** 2 - x[1] + x[1] ** 2)

    res = minimize_l1(fun, [0.0, 0.0], 0.1)
    assert res.success
    assert_allclose(res.x, [0.0, 0.45], atol=1e-5)
    right = brentq(lambda t: 4.0 * t * (t**2 - 1.0) + 0.1, 0.9, 1.0)
    for start in (-1.0, 1.0):
        res = minimize_l1(fun, [start, 0.0], 0.1)
        assert_allclose(res.x, [start * right, 0.45], atol=1e-5)


def test_a_function_without_curvature():
    """Where nothing curves there is no length of a step; one weight is infinite."""
    res = minimize_l1(
        lambda x: (x[0] + 2.0, np.eye(3)[0]),
        np.ones(3),
        0.5,
        jac=True,
        positive=True,
        penalty_weights=[1.0, 1.0, np.inf],
    )
    assert res.success
    assert_array_equal(res.x, 0.0)
    assert res.fun == 2.0


# What goes wrong


def failing(after, how):
    """The small problem, whose function fails after so many calls; and the values before."""
    values = []

    def fun(x):
        if len(values) == after:
            return how(x)
        values.append(SMALL.objective(x))
        return SMALL(x)

    return fun, values


def raise_it(x):
    raise RuntimeError("no more")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (raise_it, "fun raised RuntimeError('no more')"),
        (lambda x: (np.nan, x), "fun was nan"),
        (lambda x: (-np.inf, x), "fun was -inf"),
        (lambda x: (1.0, np.where(x == x[3], np.nan, x)), "the gradient that fun returns"),
    ],
)
@pytest.mark.parametrize("after", [3, 12, 30])
def test_failure_on_the_way_leaves_the_best_point(how, reason, after):
    fun, values = failing(after, how)
    res = minimize_l1(fun, SMALL.zero, SMALL.alpha, **CONVEX)
    assert (res.success, res.status) == (False, 3)
    assert reason in res.message
    assert_allclose(res.fun, min(values), rtol=1e-14)
    assert_allclose(SMALL.objective(res.x), res.fun, rtol=1e-14)
    assert np.isfinite(res.gap)
    assert res.gap >= res.fun - SMALL.objective(SMALL.exact())


def test_wrong_shape_on_the_way_is_an_error():
    fun, _ = failing(5, lambda x: (1.0, x[:3]))
    with pytest.raises(ValueError, match=r"shape \(15,\), that of x0. Got shape \(3,\)"):
        minimize_l1(fun, SMALL.zero, SMALL.alpha, jac=True)


def test_interrupts_are_not_caught():
    def stop(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minimize_l1(failing(5, stop)[0], SMALL.zero, SMALL.alpha, jac=True)


def test_functions_may_change_what_they_are_given():
    kept = np.zeros(15)

    def fun(x):
        value, gradient = SMALL(x)
        x[:] = np.nan
        kept[:] = gradient
        return value, kept  # the same array each time

    start = np.full(15, 0.1)
    expected = minimize_l1(SMALL, start, SMALL.alpha, jac=True)
    res = minimize_l1(fun, start, SMALL.alpha, jac=True, callback=lambda x: x.fill(7.0))
    assert_array_equal(res.x, expected.x)
    assert_array_equal(start, 0.1)


def test_callback_in_both_forms_and_how_it_ends_the_run():
    points, results = [], []

    def hear(intermediate_result):
        results.append(intermediate_result)

    res = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, jac=True, callback=points.append)
    minimize_l1(SMALL, SMALL.zero, SMALL.alpha, jac=True, callback=hear)
    assert len(points) == len(results) == res.nit
    assert_array_equal(points, [result.x for result in results])
    assert_allclose([SMALL.objective(x) for x in points], [result.fun for result in results])
    assert_array_equal(points[-1], res.x)

    def stop(intermediate_result):
        if intermediate_result.fun <= results[9].fun:
            raise StopIteration

    halted = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, jac=True, callback=stop)
    assert (halted.success, halted.status, halted.nit) == (False, 99, 10)
    assert halted.message == "`callback` raised `StopIteration`."
    assert halted.fun == min(result.fun for result in results[:10])


def test_limits():
    calls = []

    def fun(x):
        calls.append(x)
        return SMALL(x)

    res = minimize_l1(fun, SMALL.zero, SMALL.alpha, jac=True, options={"maxfun": 9})
    assert (res.success, res.status, res.nfev, len(calls)) == (False, 1, 9, 9)
    assert "maxfun=9" in res.message


def test_what_rounding_hides_is_said():
    res = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, **CONVEX, tol=0.0)
    assert res.success or res.status == 2
    assert res.kkt < 1e-13
    assert res.gap < 1e-13
    if not res.success:
        assert "Rounding" in res.message


def test_works_in_any_error_state():
    with np.errstate(all="raise"):
        for n_factors in (2, 3):
            res = minimize_l1(SMALL, SMALL.zero, SMALL.alpha, jac=True, n_factors=n_factors)
            assert res.success


def test_the_function_runs_in_its_caller_s_error_state():
    def fun(x):
        assert np.geterr() == {
            "divide": "ignore",
            "over": "raise",
            "under": "warn",
            "invalid": "call",
        }
        return SMALL(x)

    with np.errstate(divide="ignore", over="raise", under="warn", invalid="call"):
        assert minimize_l1(fun, SMALL.zero, SMALL.alpha, jac=True).success


@pytest.mark.parametrize("start", [[1, 2, -3] * 5, np.full(15, 0.5, dtype=np.float32)])
def test_start_of_any_real_type(start):
    res = minimize_l1(SMALL, start, SMALL.alpha, jac=True)
    assert res.x.dtype == np.float64
    assert_allclose(res.x, SMALL.exact(), atol=1e-6)


@pytest.mark.parametrize("jac", [lambda x: 2.0 * x[0] - 4.0, lambda x: 2.0 * x - 4.0])
def test_the_gradient_of_a_single_variable_may_be_a_number(jac):
    found = minimize_l1(lambda x: (x[0] - 2.0) ** 2, 0.0, 1.0, jac=jac)
    assert found.x == pytest.approx([1.5])


def test_a_single_variable_may_be_a_number():
    res = minimize_l1(lambda x: float((x[0] - 3.0) ** 2), 1.0, 1.0)
    assert_allclose(res.x, [2.5], atol=1e-6)


BAD = [
    ({"alpha": -1.0}, "'alpha' parameter of minimize_l1 must be a float in the range"),
    ({"alpha": np.nan}, "'alpha'"),
    ({"alpha": "1"}, "'alpha'"),
    ({"alpha": [0.1]}, "'alpha'"),
    ({"fun": 3}, "'fun' parameter of minimize_l1 must be a callable"),
    ({"jac": "4-point"}, "'jac'"),
    ({"n_factors": 1}, "'n_factors'"),
    ({"n_factors": 2.5}, "'n_factors'"),
    ({"convex": 1}, "'convex'"),
    ({"positive": None}, "'positive'"),
    ({"tol": -1e-3}, "'tol'"),
    ({"f_min": "0"}, "'f_min'"),
    ({"f_min": 9.0}, "f_min must be a lower bound of fun. Got 9.0"),
    ({"callback": 1}, "'callback'"),
    ({"options": {"maxcorr": 3}}, "Unknown options: 'maxcorr'. Known are c, maxcor"),
    ({"options": {"c": 0.0}}, "'c' parameter of options of minimize_l1"),
    ({"options": {"maxiter": 0}}, "'maxiter'"),
    ({"options": {"maxfun": 0}}, "'maxfun'"),
    ({"penalty_weights": np.ones(3)}, r"penalty_weights must have shape \(15,\)"),
    ({"penalty_weights": -np.ones(15)}, "penalty_weights must not be negative"),
    (
        {"penalty_weights": {"a": 1.0}},
        "'penalty_weights' parameter of minimize_l1 must be an array",
    ),
    ({"f_min": -np.inf}, r"a float in the range \(-inf, inf\)"),
    ({"x0": np.full(15, np.inf)}, r"x0 must be finite. Got x0\[0\] == inf"),
    ({"x0": np.zeros((3, 5))}, r"x0 must have one dimension, and not be empty. Got shape \(3, 5\)"),
    ({"x0": []}, "x0 must have one dimension, and not be empty"),
    ({"x0": np.zeros(15, dtype=complex)}, "x0 must be of real numbers"),
    ({"x0": ["a"] * 15}, "x0 must be of real numbers"),
    ({"fun": lambda x: (np.nan, x)}, "fun is nan at x0"),
    ({"fun": lambda x: (1.0, x * np.nan)}, r"the gradient that fun returns\[0\] is nan at x0"),
    ({"fun": lambda x: 1.0}, "fun must return a pair"),
    ({"fun": lambda x: (1j, x)}, "fun must return a real number. Got 1j"),
    ({"fun": lambda x: (x, x)}, "fun must return a real number"),
    ({"fun": lambda x: (1.0, x[1:])}, r"Got shape \(14,\)"),
    ({"fun": lambda x: (1.0, x + 0j)}, "must be of real numbers"),
    ({"fun": lambda x: 1.0, "jac": lambda x: None}, "gradient that jac returns"),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_bad_input(changes, words):
    arguments = {"fun": SMALL, "x0": SMALL.zero, "alpha": SMALL.alpha, "jac": True} | changes
    fun, x0, alpha = (arguments.pop(name) for name in ("fun", "x0", "alpha"))
    with pytest.raises((TypeError, ValueError), match=words):
        minimize_l1(fun, x0, alpha, **arguments)


def test_errors_of_the_function_at_the_start_are_its_own():
    with pytest.raises(RuntimeError, match="no more"):
        minimize_l1(raise_it, SMALL.zero, SMALL.alpha, jac=True)


# Parts


def objective_of(problem, alpha, x0, q=1.0):
    function = SmoothFunction(problem, True, (), False, np.inf)
    return Objective(function, x0, np.full(x0.size, alpha), q, False)


@pytest.mark.parametrize("q", [1.0, 2.0 / 3.0])
def test_gradient_on_a_face(q):
    x = np.where(np.arange(15) % 3, 0.4, 0.0) * np.where(np.arange(15) % 2, 1.0, -1.0)
    objective = objective_of(SMALL, SMALL.alpha, x, q)
    face = FaceProblem(objective, objective.start, np.arange(15) == (0 if q == 1.0 else 99))
    v = face.start + 0.1
    error = check_grad(lambda v: face.evaluate(v)[0], lambda v: face.evaluate(v)[1], v)
    assert error < 1e-6
    assert_allclose(face.x(face.start), x)


def test_newton_steps_on_a_face_keep_what_a_bound_stops():
    """Others are solved for as if it stayed, which it does, though it is correlated with them."""
    problem = Regression("squared", 0.9, 0.1, n=60, p=15)
    best = problem.exact()
    g = problem(best)[1]
    zero = np.flatnonzero((best == 0.0) & (np.abs(g) < 0.9 * problem.alpha))
    on = best != 0.0
    beside = zero[np.abs(problem.X[:, zero].T @ problem.X[:, on]).max(axis=1).argmax()]
    objective = objective_of(problem, problem.alpha, np.where(on, 1.1 * best, 0.0))
    at = objective.start
    face = FaceProblem(objective, at, np.arange(15) == beside)
    v, slope = face.start, face.gradient(face.start, at)
    assert 0.0 < slope[v == 0.0] < 1.0
    found = polish(face, v, slope, np.eye(v.size), at, 1e-9, lambda new: None)
    assert_allclose(found.x, best, atol=1e-8 * np.abs(best).max())


def test_violations_are_those_of_the_optimality_conditions():
    problem = Regression("squared", 0.5, 0.1, n=60, p=6)
    x = np.array([0.0, 0.0, 0.5, -0.5, 0.2, 0.0])
    penalty = np.array([1e-3, 10.0, 0.2, 0.3, 0.0, np.inf])
    function = SmoothFunction(problem, True, (), False, np.inf)
    g = problem(x)[1]
    unit = np.abs(g[:5]).max()
    for positive in (False, True):
        objective = Objective(function, x, penalty, 1.0, positive)
        at_zero = max((-g[0] if positive else abs(g[0])) - 1e-3, 0.0) / 1e-3
        expected = [at_zero, 0.0, abs(g[2] + 0.2) / 0.2, abs(g[3] - 0.3) / 0.3, abs(g[4]) / unit, 0]
        assert_allclose(objective.violations(objective.start), expected, rtol=1e-12)
    # With q = 1/2, whatever is at zero may stay there, and the penalty is steeper near zero.
    x, g = 0.1 * x, problem(0.1 * x)[1]
    objective = Objective(function, x, penalty, 0.5, False)
    unit = objective.scale[4]
    steep = 0.5 * penalty / np.sqrt(np.abs(x), where=x != 0.0, out=np.ones(6))
    of_penalised = [abs(g[2] + steep[2]) / max(0.2, steep[2])]
    of_penalised += [abs(g[3] - steep[3]) / max(0.3, steep[3])]
    expected = [0.0, 0.0, *of_penalised, abs(g[4]) / unit, 0.0]
    assert_allclose(objective.violations(objective.start), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", [819, 0, 1, 2])
def test_steps_that_end_at_the_bound_are_no_progress_by_themselves(seed):
    """A robust loss far from its minimum, where the Hessian is next to nothing."""
    rng = np.random.RandomState(seed)
    X, y = rng.randn(5, 2), 1000.0 * rng.randn(5)
    alpha = 0.1

    def huber(x):
        assert np.isfinite(x).all()
        assert (x >= 0.0).all()
        size = np.sqrt(1.0 + (X @ x - y) ** 2)
        return size.sum(), X.T @ ((X @ x - y) / size)

    def penalised(x):
        value, gradient = huber(x)
        return value + alpha * x.sum(), gradient + alpha

    best = minimize(penalised, np.zeros(2), jac=True, bounds=[(0, None)] * 2, tol=1e-12)
    for start in (np.zeros(2), np.ones(2)):
        res = minimize_l1(huber, start, alpha, jac=True, positive=True)
        assert res.success
        assert res.fun == pytest.approx(best.fun, rel=1e-9)


def test_a_hessian_that_is_zero_to_rounding_gives_no_step():
    """At x of 1e14 differences of gradients are rounding; the function hears of no NaN."""
    rng, scale = np.random.RandomState(0), 1e14
    X = rng.randn(30, 10)
    y = X[:, 0] + 0.1 * rng.randn(30)

    def loss(x):
        assert np.isfinite(x).all()
        rest = X @ (x / scale) - y
        return 0.5 * rest @ rest, X.T @ rest / scale

    res = minimize_l1(loss, np.zeros(10), 5.0 / scale, jac=True)
    assert not res.success
    assert "Rounding" in res.message


@pytest.mark.parametrize("alpha", [0.01, 0.0])
@pytest.mark.parametrize("size", [1.0, 5.0, 12.0])
def test_a_start_of_huge_gradients_is_no_measure_of_success(alpha, size):
    """Counts, whose gradient is up to 1e20 at the start: to be optimal beside that says nothing."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 5))
    y = rng.poisson(np.exp(X[:, 0]))

    def loss(coef):
        return np.mean(np.exp(X @ coef) - y * (X @ coef)), X.T @ (np.exp(X @ coef) - y) / len(y)

    least = minimize_l1(loss, np.zeros(5), alpha, jac=True).fun
    x0 = size * np.random.default_rng(1).standard_normal(5)
    result = minimize_l1(loss, x0, alpha, jac=True)
    assert result.success
    assert result.fun == pytest.approx(least, rel=1e-9)


def test_what_has_converged_is_not_pursued():
    """Into the errors of finite differences, or towards an infimum of zero."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 30))
    y = X[:, :3] @ [1.0, -2.0, 1.0] + rng.standard_normal(100)
    for alpha in (0.0, 1e-12):
        result = minimize_l1(lambda x: 0.5 * ((X @ x - y) ** 2).mean(), np.zeros(30), alpha)
        assert result.success
        assert result.nfev < 3000  # 31 for each gradient
    signs = np.sign(X[:, 0])

    def separable(x):
        margin = signs * (X @ x)
        return np.logaddexp(0.0, -margin).mean(), -X.T @ (signs / (1.0 + np.exp(margin))) / 100

    result = minimize_l1(separable, np.zeros(30), 0.0, jac=True)
    assert result.success
    assert result.nfev < 100


def test_no_success_where_finite_differences_hide_everything():
    target = 1e-12 * np.array([3.0, -2.0, 0.1])
    result = minimize_l1(lambda x: 0.5 * ((x - target) ** 2).sum(), np.zeros(3), 1e-12)
    assert result.status == 2
    assert result.kkt > 0.1


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_differences_of_a_function_in_single_precision(jac):
    """A step of 1.5e-8 is lost in single precision, so that x0 seems to be optimal."""
    target = np.array([3.0, -2.0, 0.1], dtype=np.float32)

    def half_square(x):
        return np.float32(0.5 * ((x.astype(np.float32) - target) ** 2).sum())

    result = minimize_l1(half_square, np.zeros(3), 1.0, jac=jac)
    assert result.success
    assert_allclose(result.x, [2.0, -1.0, 0.0], atol=2e-3)


@pytest.mark.parametrize("seed", [2077, 2605])
def test_the_result_is_not_above_the_start(seed):
    """Of a function with many local minima, where the function of the factors starts far above."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 30)), int(rng.integers(2, 8))
    X, y = rng.uniform(0.5, 4) * rng.standard_normal((n, p)), rng.uniform(-3, 3, n)

    def fun(x):
        angle = X @ x - y
        return np.mean(1.0 - np.cos(angle)), X.T @ np.sin(angle) / n

    x0, alpha = rng.standard_normal(p) * rng.choice([0.3, 1, 3]), rng.choice([0.001, 0.01, 0.1])
    result = minimize_l1(fun, x0, alpha, jac=True)
    assert result.success
    assert result.fun <= fun(x0)[0] + alpha * np.abs(x0).sum() + 1e-9
