"""Data that break solvers, against the oracle."""

import numpy as np
import pytest
import random_logistic_problems
import random_problems
from numpy.testing import assert_allclose, assert_array_equal
from oracle import Lasso as Oracle
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from hplasso import HadamardLasso, HadamardLogisticRegression, enet_path, lasso_path

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _the_same_data_in_any_order():
    RNG.bit_generator.state = START


def assert_certified(X, y, alpha, tol=1e-12, **parameters):
    """Fit without warnings; the objective is within 1e-10 of its minimum, by the oracle's bound."""
    n, p = X.shape
    model = HadamardLasso(alpha, tol=tol, **parameters).fit(X, y)
    dense = X.toarray() if sparse.issparse(X) else X
    shared = {
        name: parameters[name] for name in ("positive", "fit_intercept") if name in parameters
    }
    oracle = Oracle(dense, y, alpha, np.ones(n), np.ones(p), **shared)
    objective = oracle.objective(model.coef_, model.intercept_)
    assert objective - oracle.lower_bound(model.coef_) <= 1e-10 * objective
    assert np.isfinite(model.coef_).all()
    return model


@pytest.fixture(
    params=[np.asarray, sparse.csc_array, sparse.csr_array], ids=["dense", "csc", "csr"]
)
def container(request):
    return request.param


@pytest.mark.parametrize("positive", [False, True])
def test_support_as_large_as_the_number_of_samples(container, positive):
    X = RNG.normal(size=(30, 300))
    y = X[:, :40].sum(axis=1)
    model = assert_certified(container(X), y, 1e-5, positive=positive)
    if not positive:
        assert np.count_nonzero(model.coef_) == 29


def test_duplicated_columns(container):
    X = np.repeat(RNG.normal(size=(40, 15)), 4, axis=1)
    y = X[:, ::4] @ RNG.normal(size=15) + RNG.normal(size=40)
    for alpha in (0.5, 0.05, 0.001):
        model = assert_certified(container(X), y, alpha)
        assert np.count_nonzero(model.coef_) <= 15  # one of each four does


@pytest.mark.parametrize("alpha", [0.1, 0.01, 0.001])
def test_dependent_one_hot_groups(container, alpha):
    levels = RNG.integers(0, [3, 5, 8, 12], (300, 4))
    X = np.hstack([np.eye(12)[column][:, : column.max() + 1] for column in levels.T])
    y = levels @ [1.0, -0.5, 0.2, 0.0] + RNG.normal(size=300)
    assert_certified(container(X), y, alpha)
    products = np.einsum("ij,ik->ijk", X[:, :8], X[:, 8:16]).reshape(300, -1)
    assert_certified(container(np.hstack([X, products])), y, alpha)


def test_low_rank(container):
    X = RNG.normal(size=(50, 3)) @ RNG.integers(-3, 4, (3, 60))
    y = X @ RNG.normal(size=60) + RNG.normal(size=50)
    for alpha in (10.0, 0.1, 1e-3):
        assert_certified(container(X), y, alpha)


def test_constant_columns(container):
    X = RNG.normal(size=(30, 6))
    X[:, 1], X[:, 3], X[:, 4] = 0.1, 0.0, 1e8 / 3
    y = X[:, 0] + RNG.normal(size=30)
    model = assert_certified(container(X), y, 0.01)
    assert_array_equal(model.coef_[[1, 3, 4]], 0.0)


@pytest.mark.parametrize("precompute", [False, True])
def test_scales_from_1e_minus_12_to_1e12(container, precompute):
    X = RNG.normal(size=(60, 9))
    scale = 10.0 ** np.array([-12, -9, -6, -3, 0, 3, 6, 9, 12])
    y = X.sum(axis=1) + 0.1 * RNG.normal(size=60)
    weights = scale  # the same problem in other units
    base = HadamardLasso(0.2, tol=1e-10).fit(X, y)
    scaled = HadamardLasso(0.2, tol=1e-10, penalty_weights=weights, precompute=precompute)
    scaled.fit(container(X * scale), y)
    assert_allclose(scaled.coef_ * scale, base.coef_, rtol=1e-8, atol=1e-10)
    plain = HadamardLasso(0.2, tol=1e-8, precompute=precompute).fit(container(X * scale), y)
    assert plain.coef_[0] == 0.0
    assert plain.dual_gap_ <= 1e-8 * y.var()


@pytest.mark.parametrize("precompute", [False, True])
def test_means_a_million_times_the_spread(container, precompute):
    X = RNG.normal(size=(80, 12))
    y = X[:, :4].sum(axis=1) + RNG.normal(size=80)
    shift = 1e6 * RNG.choice([-1.0, 1.0], size=12)
    base = HadamardLasso(0.1, tol=1e-12).fit(X, y)
    shifted = HadamardLasso(0.1, tol=1e-10, precompute=precompute).fit(container(X + shift), y)
    assert_allclose(shifted.coef_, base.coef_, rtol=1e-7, atol=1e-9)
    assert_allclose(shifted.predict(container(X + shift)), base.predict(X), atol=1e-7)


def test_correlations_of_999(container):
    X = np.sqrt(0.001) * RNG.normal(size=(100, 80)) + np.sqrt(0.999) * RNG.normal(size=(100, 1))
    y = X[:, 0] - X[:, 1] + 0.1 * RNG.normal(size=100)
    for alpha in (1e-2, 1e-3, 1e-4):
        assert_certified(container(X), y, alpha, tol=1e-11)


def test_constant_target(container):
    X = container(RNG.normal(size=(20, 5)))
    for value in (0.0, 7.0, 0.1, 1e10):
        model = HadamardLasso(1e-6).fit(X, np.full(20, value))
        assert_array_equal(model.coef_, 0.0)
        assert model.intercept_ == pytest.approx(value)
        assert model.dual_gap_ == 0.0


def test_one_sample(container):
    model = HadamardLasso(0.1).fit(container(np.array([[1.0, 2.0]])), [3.0])
    assert_array_equal(model.coef_, 0.0)
    assert model.intercept_ == 3.0
    model = HadamardLasso(0.1, fit_intercept=False).fit(container(np.array([[1.0, 2.0]])), [3.0])
    assert_allclose(model.coef_, [0.0, (3 - 0.1 / 2) / 2])


def test_one_feature(container):
    x, y = RNG.normal(size=30), RNG.normal(size=30)
    x, y = x - x.mean(), y - y.mean()
    model = HadamardLasso(0.01).fit(container(x[:, None]), y)
    cross = x @ y / 30
    assert_allclose(model.coef_, np.sign(cross) * max(abs(cross) - 0.01, 0) / (x @ x / 30))


@pytest.mark.parametrize("positive", [False, True])
def test_alpha_max(container, positive):
    X, y = RNG.normal(size=(25, 40)), RNG.normal(size=25)
    abs_correlation = X.T @ (y - y.mean()) / 25
    alpha_max = abs_correlation.max() if positive else np.abs(abs_correlation).max()
    above = HadamardLasso(alpha_max * (1 + 1e-9), positive=positive).fit(container(X), y)
    below = HadamardLasso(alpha_max * (1 - 1e-6), positive=positive, tol=0).fit(container(X), y)
    assert not above.coef_.any()
    assert np.count_nonzero(below.coef_) == 1
    first = lasso_path(container(X), y - y.mean(), alphas=3, positive=positive)
    assert_allclose(first[0][0], alpha_max)
    assert_array_equal(first[1][:, 0], 0.0)


def test_alphas_in_any_order(container):
    X, y = container(RNG.normal(size=(25, 40))), RNG.normal(size=25)
    shuffled = lasso_path(X, y, alphas=[0.1, 0.5, 0.02])
    ordered = lasso_path(X, y, alphas=[0.5, 0.1, 0.02])
    assert_array_equal(shuffled[0], [0.5, 0.1, 0.02])
    for one, other in zip(shuffled, ordered, strict=True):
        assert_array_equal(one, other)


def test_the_gap_of_float32_coefficients_is_that_of_what_is_returned():
    """Of coefficients that nearly cancel, rounding costs more than the gap that was asked for."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    X[:, 1] = X[:, 0] + 1e-4 * X[:, 1]
    X = X.astype(np.float32).astype(np.float64)
    y = 1e4 * (X[:, 0] - X[:, 1]) + X[:, 2] + 0.1 * rng.normal(size=50)
    with pytest.warns(ConvergenceWarning, match="What is left is rounding"):
        single = HadamardLasso(1e-6, tol=1e-8).fit(X.astype(np.float32), y)
    double = HadamardLasso(1e-6, tol=1e-6).fit(X, y)
    oracle = Oracle(X, y, 1e-6, np.ones(50), np.ones(4))
    rounded, exact = (
        oracle.exact_objective(coef, oracle.exact_intercept(coef))
        for coef in (single.coef_.astype(np.float64), double.coef_)
    )
    gap_tol = 1e-8 * y.var()
    assert rounded - exact > 2.0 * gap_tol
    assert 0.0 <= single.dual_gap_ - (rounded - exact) <= double.dual_gap_ + gap_tol


def test_rounding_of_float32_costs_next_to_nothing_at_a_minimum():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 6)).astype(np.float32), rng.normal(size=50)
    for l1_ratio in (1.0, 0.5):
        gaps = enet_path(X, y, l1_ratio=l1_ratio, alphas=20, eps=0.1, tol=1e-12)[2]
        assert (gaps <= 1e-12 * np.mean(y**2)).all()


def test_float32_with_a_million_samples():
    X = RNG.normal(size=(1_000_000, 4)).astype(np.float32) + np.float32(100.0)
    y = (X[:, 0] - X[:, 1] + RNG.normal(size=1_000_000)).astype(np.float32)
    single = HadamardLasso(0.05, tol=1e-8).fit(X, y)
    double = HadamardLasso(0.05, tol=1e-12).fit(X.astype(np.float64), y)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, double.coef_, rtol=1e-6)
    assert single.dual_gap_ <= 1e-8 * y.var(dtype=np.float64)


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("seed", range(5))
def test_unpenalised_features_with_large_means(layout, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 120)) + 20 * rng.normal(size=120)
    weights = np.r_[np.zeros(6), np.ones(114)]
    y = X[:, :10] / X[:, :10].std(axis=0) @ rng.normal(size=10) + 0.1 * rng.normal(size=60)
    model = HadamardLasso(0.01, tol=1e-10, penalty_weights=weights).fit(layout(X), y)
    assert model.dual_gap_ <= 1e-10 * y.var()


def test_alternation_on_interpolated_data():
    X = np.random.default_rng(0).normal(size=(30, 30))
    model = HadamardLasso(1e-3, solver="alternating", tol=1e-6, max_iter=100_000)
    model.fit(sparse.csr_array(X), X[:, 0])
    assert 0.0 <= model.dual_gap_ <= 1e-6 * X[:, 0].var()


def test_huge_and_tiny_targets():
    X, y = RNG.normal(size=(40, 60)), RNG.normal(size=40)
    base = HadamardLasso(0.1, tol=1e-10).fit(X, y)
    for scale in (1e-100, 1e100):
        scaled = HadamardLasso(0.1 * scale, tol=1e-10).fit(X, y * scale)
        assert_allclose(scaled.coef_ / scale, base.coef_, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", [1834, 2453, 2532, 3265])
def test_sparse_columns_far_from_zero_beside_others(seed):
    """What rounding leaves of a mean shows in products with columns that are not centred."""
    assert not random_problems.check(seed)


def test_last_steps_where_classes_nearly_separate():
    """Outputs are large there, and so is the rounding that a rise of the loss is judged by."""
    X, labels, parameters, _, _, _ = random_logistic_problems.draw(2297)
    model = HadamardLogisticRegression(tol=1e-10, **parameters).fit(X, labels)
    assert model.dual_gap_ <= 1e-10


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_features_without_penalty_where_classes_separate(seed):
    """Of rare classes rounding is far smaller than what common ones leave of their correlations."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 6)) * 10.0 ** rng.uniform(-3, 3, 6)
    codes = np.minimum(rng.geometric(0.35, 30) - 1, 3)
    codes[:4] = np.arange(4)
    X[:, :3] += 6 * np.eye(4)[codes][:, :3] * np.abs(X[:, :3]).max(axis=0)
    weights, few = 10.0 ** rng.uniform(-2, 2, 30), np.where(np.arange(6) == 4, 0.0, 1.0)
    model = HadamardLogisticRegression(1e5, l1_ratio=0.5, tol=1e-6, penalty_weights=few)
    model.fit(X, codes, sample_weight=weights)  # a warning is an error
    alpha = 1.0 / (1e5 * weights.sum())
    oracle = random_logistic_problems.Logistic(X, codes, alpha, 0.5, weights, few)
    *_, bound = oracle.minimum(model.coef_, model.intercept_)
    excess = oracle.exact_objective(model.coef_, model.intercept_) - bound
    assert excess <= model.dual_gap_ + 1e-12
    assert model.dual_gap_ <= 1e-6 * np.log(4)
