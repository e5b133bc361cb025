"""Codes that several classes share: Newton's steps from the root of the Hessian."""

from collections import Counter

import numpy as np
import pytest
import random_logistic_problems
from extended import LONG, newton_step
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from hplasso import HadamardLogisticRegression, HadamardPoissonRegressor
from hplasso._estimators.classification import Classification, encode
from hplasso._losses import softmax as softmax_loss
from hplasso._path.square_root_newton import coordinates, solve_rooted


def shared_code(size):
    """Two samples of different classes with the same code, among 40 of three classes."""
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(40, 4)), np.arange(40) % 3
    X[[0, 1], 2] = size
    return X, codes


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_root_keeps_what_squares_round_away(n_blocks):
    """Two columns that differ in all rows but the first, which has a code: H itself is singular."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(30, 3))
    A[0, :2] = 1e8, -1e8
    rho, target = np.array([1e-2, 1e-2, 0.0]), np.array([1e3, -1e3, 1.0])
    found = solve_rooted(np.array_split(A, n_blocks), rho, target)
    expected = newton_step(np.vstack([A, np.diag(np.sqrt(rho))]).astype(LONG), target.astype(LONG))
    assert_allclose(found, expected.astype(np.float64), rtol=1e-6)
    squares = np.linalg.solve(A.T @ A + np.diag(rho), target)
    assert abs(squares / expected.astype(np.float64) - 1.0).max() > 0.01


def test_columns_that_depend_on_others_stay_where_they_are():
    A = np.random.default_rng(0).normal(size=(20, 3))
    A = np.hstack([A, A[:, :1]])
    found = solve_rooted([A], np.zeros(4), A.T @ A @ np.ones(4))
    assert_allclose(A @ found, A @ np.ones(4), rtol=1e-10)
    assert (found == 0.0).sum() == 1


def test_columns_of_zeros_stay_where_they_are(capfd):
    assert_array_equal(solve_rooted([np.zeros((3, 2))], np.zeros(2), np.ones(2)), np.zeros(2))
    assert capfd.readouterr() == ("", "")  # LAPACK would complain of a matrix of no size


def problem_of(size):
    X, codes = shared_code(size)
    return X, codes, Classification(X, encode(codes, X, None, None), True)


def test_outputs_keep_the_digits_in_which_classes_differ():
    X, codes, problem = problem_of(1e12)
    theta = np.random.default_rng(1).normal(size=(4, 3))
    theta[2] = 0.01 + np.array([1.0, 2.0, -4.0]) * 1e-14
    problem.working_set.admit(np.arange(12))
    linear, rows = problem.term.outputs.linear(problem.working_set, theta.ravel()), np.arange(40)
    ahead = theta.astype(LONG) - theta.astype(LONG)[:, codes].T[:, :, None]
    expected = np.einsum("ij,ijk->ik", X.astype(LONG), ahead).astype(np.float64)
    assert_allclose(linear - linear[rows, codes][:, None], expected, rtol=1e-13, atol=1e-13)


def test_what_cancels_between_outputs_cancels_in_their_correlations():
    X, codes, problem = problem_of(1e12)
    term, rng = problem.term, np.random.default_rng(2)
    p = rng.dirichlet(np.ones(3), size=40)
    residual = -p
    residual[np.arange(40), codes] = p.sum(axis=1) - p[np.arange(40), codes]
    state = term.null_state._replace(residual=residual.ravel())
    abs_correlation = state.correlate(X)
    off = residual.astype(LONG)
    off[np.arange(40), codes] -= off.sum(axis=1)  # exactly what the others add up to
    assert_allclose(
        abs_correlation, (X.astype(LONG).T @ off).astype(np.float64), rtol=1e-12, atol=1e-3
    )
    assert_allclose(
        abs_correlation.sum(axis=1), 0.0, atol=2.0 * np.abs(abs_correlation).max() * 1e-16
    )


@pytest.mark.parametrize("wide", [False, True])
def test_coordinates_say_all_of_coefficients(wide):
    """Of a wide design, all that a ridge penalty leaves."""
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(10, 30 if wide else 6)), np.arange(10) % 3
    problem = Classification(X, encode(codes, X, None, None), True)
    p = X.shape[1]
    penalties, long = rng.random(p) + 0.1, np.arange(p) == 1
    on = coordinates(problem.design, np.arange(p), penalties, long)
    theta = rng.normal(size=(p, 3))
    back = on.coefficients(on.values(theta))
    block = problem.design.block(np.arange(p))
    assert_allclose(back[1], theta[1], rtol=1e-12)
    assert_allclose(block @ back, on.columns @ on.values(theta), atol=1e-12)
    assert_allclose(block @ back, block @ theta, atol=1e-11)
    assert on.rho.size <= 1 + 1 + 10
    if not wide:
        assert_allclose(back, theta, rtol=1e-10)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.1])
@pytest.mark.parametrize("size", [1e6, 1e9, 1e12])
def test_two_classes_with_one_code(size, l1_ratio):
    X, codes = shared_code(size)
    model = HadamardLogisticRegression(1.0, l1_ratio=l1_ratio, tol=1e-10)
    model.fit(X, codes)  # a warning is an error
    weights = np.ones(40), np.ones(4)
    oracle = random_logistic_problems.Logistic(X, codes, 1.0 / 40, l1_ratio, *weights)
    *_, bound = oracle.minimum(model.coef_, model.intercept_)
    above = float(oracle.exact_objective(model.coef_, model.intercept_) - bound)
    assert above <= model.dual_gap_ + 1e-11  # long doubles of 1e10 have no more digits
    assert model.dual_gap_ <= 1e-10 * np.log(3)


# Without L1 penalty: classes that share codes (the first five), features without penalty, walls on
# the way (71006, 71465). Beside one: 71189 and those after it.
SEEN = [71405, 71417, 71118, 71092, 71197, 71291, 71064, 71370, 71006, 71465, 71189, 71275]


@pytest.mark.parametrize(
    ("seed", "kind"), [*((seed, "all") for seed in SEEN), (0, "outliers"), (39, "outliers")]
)
def test_problems_that_models_do_not_solve(seed, kind):
    lines, warned = random_logistic_problems.examine(seed, kind)
    assert not lines, "\n".join(lines)
    assert not warned


def test_intercepts_stop_where_outputs_have_no_more_digits(monkeypatch):
    """Outputs of 1e9 that two classes share leave an imbalance, which is no reason to go on."""
    counts = Counter()

    def counted(owner, name):
        function = getattr(owner, name)

        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        monkeypatch.setattr(owner, name, call)

    counted(softmax_loss.SoftmaxLoss, "profile_intercept")
    counted(softmax_loss, "_derivatives")
    lines, warned = random_logistic_problems.examine(71437, "all")
    assert not lines, "\n".join(lines)
    assert not warned
    assert counts["_derivatives"] < 40 * counts["profile_intercept"]  # 15; or 80, if they go on


@pytest.mark.parametrize("seed", [157, 100, 103, 110])
def test_codes_under_theta_not_negative(seed):
    """The column of the code alone is long; what enters it, and what leaves, keeps to its side."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 25)), int(rng.integers(2, 8))
    X = rng.standard_normal((n, p))
    X[0, 0] = 999999999.0
    y = rng.poisson(np.exp(X[:, -1])).astype(float)
    y[1] += 1.0
    model = HadamardPoissonRegressor(0.01, positive=True, tol=1e-8).fit(X, y)
    assert (model.coef_ >= 0.0).all()
    scales = np.append(1e-9, np.ones(p - 1))  # of columns for a general method

    def penalised(v):
        outputs = X * scales @ v[:-1] + v[-1]
        rest = np.exp(outputs) - y
        f = np.mean(np.exp(outputs) - y * outputs) + 0.01 * scales @ v[:-1]
        return f, np.append(rest @ (X * scales) / n + 0.01 * scales, rest.mean())

    bounds = [(0.0, None)] * p + [(None, None)]
    best = minimize(penalised, np.zeros(p + 1), jac=True, bounds=bounds, tol=1e-13)
    ours = penalised(np.append(model.coef_ / scales, model.intercept_))[0]
    assert ours <= best.fun + 1e-7 * abs(best.fun)


def coded(seed, n_classes, n, size):
    """Samples of several classes, a tenth of them with a code of this size."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    effects = X @ rng.standard_normal((5, n_classes))
    codes = (effects + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    codes[:n_classes] = np.arange(n_classes)
    X[rng.random(n) < 0.1, 2] = size
    return X, codes


@pytest.mark.parametrize("seed", range(4))
def test_lengths_of_columns_do_not_matter(seed):
    """With the ridge penalty of the scaled column the problem is the same one."""
    X, codes = coded(seed, 6, 45, 1e9)
    scale = np.array([1.0, 1.0, 1e9, 1.0, 1.0])
    model = HadamardLogisticRegression(2.0, l1_ratio=0.0, tol=1e-8).fit(X, codes)
    other = HadamardLogisticRegression(2.0, l1_ratio=0.0, tol=1e-8, penalty_weights=scale**-2.0)
    other.fit(X / scale, codes)
    assert_allclose(other.coef_ / scale, model.coef_, rtol=1e-4, atol=1e-6)


def infinite_code(X, codes, C):
    """The minimum as the code in the third column grows without limit, by a general method.

    The classes that have it, `inside`, share its coefficient t, beside what tells their coded rows
    apart, d; the coefficients of others are t less something, and they are out of these rows.
    """
    n, K = len(codes), int(codes.max()) + 1
    rows, column, others = X[:, 2] > 1e6, X[:, 2], np.delete(X, 2, axis=1)
    inside, hot = np.isin(np.arange(K), codes[rows]), np.eye(K)[codes]
    out = np.where(np.outer(rows, ~inside), 1e30, 0.0)

    def penalised(v):
        theta, (b, d, s) = v[: 4 * K].reshape(K, 4), v[4 * K : -1].reshape(3, K)
        t = v[-1] - s * ~inside
        outputs = others @ theta.T + b - out + np.where(rows[:, None], d, np.outer(column, t))
        p = softmax(outputs, axis=1)
        excess = (p - hot) / n
        value = -np.log(p[np.arange(n), codes]).mean() + (theta**2).sum() / (2 * C * n)
        along = column[~rows] @ excess[~rows] + t / (C * n)
        parts = excess.sum(axis=0), excess[rows].sum(axis=0), -along * ~inside
        slope = np.concatenate([(excess.T @ others + theta / (C * n)).ravel(), *parts])
        return value + (t @ t) / (2 * C * n), np.append(slope, along.sum())

    bounds = [(None, None)] * 6 * K + [(0.0, None)] * K + [(None, None)]
    start = np.zeros(7 * K + 1)
    for _ in range(3):
        found = minimize(penalised, start, jac=True, bounds=bounds, tol=1e-15)
        start = found.x
    return found.fun


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("size", [1e12, 1e14])
@pytest.mark.parametrize(("seed", "n_classes"), [(4, 5), (5, 3), (12, 3), (15, 5)])
def test_tails_are_not_taken_for_an_optimum(seed, n_classes, size):
    """There correlations are all but zero, and so is the penalty of a column of small numbers.

    Each step of Newton's method divides the correlations by e, and f falls far behind them.
    """
    X, codes = coded(seed, n_classes, 50, size)
    scale = np.array([1.0, 1.0, size, 1.0, 1.0])
    model = HadamardLogisticRegression(2.0, l1_ratio=0.0, penalty_weights=scale**-2.0)
    model.fit(X / scale, codes)
    coefficients = (model.coef_ / scale).astype(LONG)
    outputs = X.astype(LONG) @ coefficients.T + model.intercept_
    value = (logsumexp(outputs, axis=1) - outputs[np.arange(50), codes]).mean()
    value += (coefficients**2).sum() / (2.0 * 2.0 * 50)
    assert value - infinite_code(X, codes, 2.0) <= model.dual_gap_ + 1e-6
