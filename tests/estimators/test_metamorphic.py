"""What must not change, or must change in a known way, when the data are written differently."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_problems import CONTAINERS
from scipy import sparse
from sklearn.datasets import make_regression

from hplasso import HadamardLasso, lasso_path

X, y = make_regression(40, 60, n_informative=8, noise=5.0, random_state=3)
X[X < -0.5] = 0.0
WEIGHTS = np.random.default_rng(0).integers(0, 4, 40).astype(float)
PENALTY = np.random.default_rng(1).exponential(size=60)
TIGHT = {"alpha": 3.0, "tol": 1e-12, "penalty_weights": PENALTY}
EXACT = {"rtol": 1e-8, "atol": 1e-8}


def fit(data, target=y, weights=None, **parameters):
    return HadamardLasso(**(TIGHT | parameters)).fit(data, target, sample_weight=weights)


@pytest.fixture(params=list(CONTAINERS))
def container(request):
    return CONTAINERS[request.param]


@pytest.fixture(params=[False, True], ids=["auto", "gram"])
def precompute(request):
    return request.param


def test_containers_agree(container, precompute):
    expected = fit(X, weights=WEIGHTS)
    model = fit(container(X), weights=WEIGHTS, precompute=precompute)
    assert_allclose(model.coef_, expected.coef_, **EXACT)
    assert_allclose(model.intercept_, expected.intercept_)
    assert_allclose(model.predict(container(X)), expected.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [sparse.csr_array, sparse.csc_array])
def test_sparse_data_that_are_read_in_parts(layout, dtype):
    rng = np.random.default_rng(2)
    data = rng.integers(-3, 4, (1500, 220)).astype(dtype)
    data[:, 100:] *= rng.random((1500, 120)) < 0.2  # some columns full, others not
    target = data[:, ::20].sum(axis=1) + rng.standard_normal(1500)
    weights = rng.exponential(size=1500)
    parameters = {"alpha": 0.1, "penalty_weights": None, "precompute": True}
    expected = fit(data.astype(np.float64), target, weights, **parameters)
    model = fit(layout(data), target, weights, **parameters)
    assert np.count_nonzero(expected.coef_) > 20
    assert_allclose(model.coef_, expected.coef_, rtol=1e-6, atol=1e-6)


def test_repeated_rows_are_integer_weights(container, precompute):
    repeats = WEIGHTS.astype(int)
    repeated = fit(container(np.repeat(X, repeats, axis=0)), np.repeat(y, repeats))
    weighted = fit(container(X), weights=WEIGHTS, precompute=precompute)
    assert_allclose(weighted.coef_, repeated.coef_, **EXACT)
    assert_allclose(weighted.intercept_, repeated.intercept_)


def test_zero_weight_is_a_dropped_row(container):
    kept = WEIGHTS > 0
    dropped = fit(container(X[kept]), y[kept], WEIGHTS[kept])
    assert_allclose(fit(container(X), weights=WEIGHTS).coef_, dropped.coef_, **EXACT)


def test_only_ratios_of_weights_matter(container):
    once = fit(container(X), weights=WEIGHTS)
    assert_allclose(fit(container(X), weights=1e300 * WEIGHTS).coef_, once.coef_, **EXACT)
    assert_allclose(fit(container(X), weights=7.0).coef_, fit(container(X)).coef_, **EXACT)


def test_doubled_columns_of_half_the_size(container):
    once = fit(container(X), penalty_weights=np.ones(60), alpha=4.0)
    twice = fit(container(np.hstack([X, X]) / 2), penalty_weights=np.ones(120), alpha=2.0)
    assert_allclose((twice.coef_[:60] + twice.coef_[60:]) / 2, once.coef_, **EXACT)


def test_columns_permuted(container):
    order = np.random.default_rng(2).permutation(60)
    permuted = fit(container(X[:, order]), penalty_weights=PENALTY[order])
    assert_allclose(permuted.coef_, fit(container(X)).coef_[order], **EXACT)


def test_target_rescaled(container):
    scaled = fit(container(X), 1e6 * y, alpha=1e6 * TIGHT["alpha"])
    assert_allclose(scaled.coef_ / 1e6, fit(container(X)).coef_, **EXACT)


def test_columns_rescaled(container):
    scale = 10.0 ** np.random.default_rng(3).integers(-2, 3, 60)
    scaled = fit(container(X * scale), penalty_weights=PENALTY * scale)
    assert_allclose(scaled.coef_ * scale, fit(container(X)).coef_, **EXACT)


def test_shifts_go_to_the_intercept(container):
    shift = np.random.default_rng(4).normal(size=60) * 5
    base, shifted = fit(container(X)), fit(container(X + shift), y + 3.0)
    assert_allclose(shifted.coef_, base.coef_, **EXACT)
    assert_allclose(shifted.intercept_, base.intercept_ + 3.0 - shift @ base.coef_)


def test_path_points_are_single_fits(container):
    alphas, coefs, gaps = lasso_path(container(X), y, alphas=10, tol=1e-12)
    for alpha, coef, gap in zip(alphas, coefs.T, gaps, strict=True):
        single = fit(container(X), alpha=alpha, fit_intercept=False, penalty_weights=None)
        assert_allclose(coef, single.coef_, **EXACT)
        assert gap <= 1e-12 * np.mean(y**2)


def test_float32_is_kept(container):
    data = container(X.astype(np.float32))
    model = fit(data, weights=WEIGHTS)
    wide = fit(container(X.astype(np.float32).astype(np.float64)), weights=WEIGHTS)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert_array_equal(model.coef_, wide.coef_.astype(np.float32))
    assert_array_equal(lasso_path(data, y, alphas=3)[1].dtype, np.float32)


def test_frames():
    names = [f"feature {j}" for j in range(60)]
    expected = fit(X)
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        model = fit(frame)
        assert_array_equal(model.feature_names_in_, names)
        assert_allclose(model.coef_, expected.coef_, **EXACT)
        assert_allclose(model.predict(frame), expected.predict(X))


def test_read_only_memory_map(tmp_path):
    for order in "CF":
        stored = np.memmap(tmp_path / order, np.float64, "w+", shape=X.shape, order=order)
        stored[:] = X
        stored.flush()
        mapped = np.memmap(tmp_path / order, np.float64, "r", shape=X.shape, order=order)
        assert_allclose(fit(mapped).coef_, fit(X).coef_, **EXACT)


def test_integers_and_lists():
    whole = np.round(X * 3).astype(int)
    expected = fit(whole.astype(float))
    assert_allclose(fit(whole).coef_, expected.coef_, **EXACT)
    assert_allclose(fit(whole.tolist(), y.tolist()).coef_, expected.coef_, **EXACT)
    assert_allclose(fit(sparse.csr_array(whole)).coef_, expected.coef_, **EXACT)
