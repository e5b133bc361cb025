"""Tall arrays: what one pass by threads finds, against the design that reads X again and again."""

import numpy as np
import pytest

from hplasso import HadamardLasso, lasso_path
from hplasso._design.design import Design
from hplasso._design.factory import checked_design
from hplasso._design.tall import TALL, design_and_moments, is_tall
from hplasso._numerics.threads import LARGE_DATA, threads_for_data

EPS = np.finfo(float).eps


def tall_data(rng, n=500, dtype=np.float64, order="C"):
    """Columns of several sizes; the fifth is constant, the sixth far from zero."""
    X = rng.standard_normal((n, 7)) * [1.0, 1e-3, 1e3, 1.0, 0.0, 1.0, 1.0]
    X += [0.0, 0.0, 0.0, 5.0, 3.0, 1e4, 0.0]
    weights = rng.random(n) * (rng.random(n) < 0.8)
    return np.array(X, dtype, order=order), rng.standard_normal((n, 2)) + 7.0, weights


@pytest.mark.parametrize("n_stored", [0, LARGE_DATA])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_pass_finds_the_moments_of_the_design(n_stored, fit_intercept, order, dtype):
    X, Y, weights = tall_data(np.random.default_rng(0), dtype=dtype, order=order)
    weights /= weights.sum()
    left_out = np.arange(7) == 6
    with threads_for_data(n_stored):
        design, gram, z = design_and_moments(X, Y, weights, fit_intercept, left_out)
    assert design.passes == 1.0
    exact = X.astype(np.longdouble)
    mean = weights @ exact * fit_intercept
    Z = np.sqrt(weights)[:, None] * (exact - mean)
    centred = np.sqrt(weights)[:, None] * (Y - weights @ Y * fit_intercept)
    Z[:, left_out | ((np.ptp(X, axis=0) == 0.0) & fit_intercept)] = 0.0
    norms = np.sqrt((Z**2).sum(axis=0)).astype(float)
    lengths = np.sqrt((centred**2).sum(axis=0)).astype(float)
    np.testing.assert_array_less(
        np.abs(gram - Z.T @ Z), 100.0 * EPS * np.multiply.outer(norms, norms) + 1e-300
    )
    np.testing.assert_array_less(
        np.abs(z - Z.T @ centred), 100.0 * EPS * np.multiply.outer(norms, lengths) + 1e-300
    )
    other = checked_design(X, weights, fit_intercept, left_out)
    np.testing.assert_allclose(design.mean, other.mean, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(design.column_norms, other.column_norms, rtol=1e-13)
    np.testing.assert_array_equal(design.constant, other.constant)


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((LARGE_DATA // 20, 20))
    return X, X[:, :3].sum(axis=1) + rng.standard_normal(len(X))


def test_fits_and_paths_of_tall_data_read_them_once(large, monkeypatch):
    X, y = large
    assert is_tall(X)
    assert not is_tall(X[1:])
    assert not is_tall(np.empty((TALL - 1, 1)).repeat(LARGE_DATA, axis=1))
    readings = []
    monkeypatch.setattr(Design, "gram", lambda self: readings.append("gram"))
    monkeypatch.setattr(Design, "correlations", lambda self, r: readings.append("correlations"))
    model = HadamardLasso(0.1, tol=1e-10).fit(X, y)
    lasso_path(X, y, alphas=5)
    assert not readings
    monkeypatch.undo()
    residual = y - model.predict(X)
    z = X.T @ residual / len(y)
    on = np.flatnonzero(model.coef_)
    np.testing.assert_array_equal(on, [0, 1, 2])
    np.testing.assert_allclose(z[on], 0.1, rtol=1e-9)
    assert np.abs(z).max() <= 0.1 * (1.0 + 1e-9)
    assert abs(residual.mean()) < 1e-12


def test_numbers_of_tall_data_are_checked(large):
    X, y = large
    X = X.copy()
    X[-1, 3] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        HadamardLasso(0.1).fit(X, y)
    X[-1, 3] = 1e200
    with pytest.raises(ValueError, match="size of a column of X"):
        HadamardLasso(0.1).fit(X, y)
