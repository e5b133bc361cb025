"""Blocks whose numbers are of very different size, or are not what they have to be."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Lasso, PoissonRegressor

from hplasso import (
    Batches,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
)

rng = np.random.default_rng(0)
X = rng.standard_normal((200, 4))
y = X @ [1.0, -1.0, 0.0, 0.0] + rng.standard_normal(200)
COUNTS = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
HALVES = slice(100), slice(100, None)


def halves(*arrays):
    return Batches([tuple(array[half] for array in arrays) for half in HALVES])


def objective(model, X, y, weights):
    """In more digits than those of the model."""
    left = y.astype(np.longdouble) - X.astype(np.longdouble) @ model.coef_
    left -= weights @ left / weights.sum()
    return weights @ left**2 / (2 * weights.sum()) + 0.1 * np.abs(model.coef_).sum()


@pytest.mark.parametrize("value", [-1e6, 1e9, 1e100])
@pytest.mark.parametrize("light", [0.0, 1e-300])
def test_rows_of_no_weight_have_no_effect(value, light):
    weights = rng.random(200)
    weights[[0, 150]] = light
    placeholders, targets, kept = X.copy(), y.copy(), weights > 1e-6
    placeholders[[0, 150], [0, 2]] = value
    targets[0] = value
    blocks = halves(placeholders, targets, weights)
    model = HadamardLasso(0.1, tol=1e-12).fit(blocks)
    without = HadamardLasso(0.1, tol=1e-14).fit(X[kept], y[kept], weights[kept])
    np.testing.assert_allclose(model.coef_, without.coef_, rtol=1e-11, atol=1e-13)
    least = objective(without, X[kept], y[kept], weights[kept])
    assert objective(model, X[kept], y[kept], weights[kept]) - least <= model.dual_gap_ + 1e-15
    assert model.score(blocks) == pytest.approx(without.score(X[kept], y[kept], weights[kept]))


def test_the_penalty_does_not_depend_on_rows_of_no_weight():
    weights, placeholders = np.ones(200), X.copy()
    weights[::40], placeholders[::40] = 0.0, -1e9
    model, other = (
        HadamardLassoCV(cv=4, tol=1e-12).fit(Batches([(rows, y, weights)]))
        for rows in (placeholders, X)
    )
    np.testing.assert_allclose(model.mse_path_, other.mse_path_, rtol=1e-8)
    assert model.alpha_ == pytest.approx(other.alpha_, rel=1e-10)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e8])
def test_columns_of_sparse_blocks_that_are_far_from_zero(far):
    away = np.array([far, 0.0, 0.0, -far])
    columns = X + away
    columns[:, 1:3] *= rng.random((200, 2)) < 0.2
    near = columns - away
    model = HadamardLasso(0.1, tol=1e-12).fit(halves(sparse.csr_array(columns), y))
    theirs = Lasso(0.1, tol=1e-14, max_iter=100_000).fit(near, y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=1e-10)
    least = objective(HadamardLasso(0.1, tol=1e-14).fit(near, y), near, y, np.ones(200))
    assert objective(model, near, y, np.ones(200)) - least <= model.dual_gap_ + 1e-14


@pytest.mark.parametrize("scale", [1e-140, 1e140])
def test_only_ratios_of_weights_matter(scale):
    moved = X + np.repeat([0.0, 3.0], 100)[:, None]
    weights = np.full(200, scale)
    for model, targets in ((HadamardLasso(0.1), y), (HadamardPoissonRegressor(0.1), COUNTS)):
        model.set_params(tol=1e-12).fit(halves(moved, targets, weights))
        plain = type(model)(0.1, tol=1e-12).fit(moved, targets)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-10, atol=1e-12)


MODELS = [HadamardLasso(), HadamardPoissonRegressor(), HadamardLogisticRegression()]


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("scale", [1e-170, 1e-150, 1e150, 1e160, 1e300])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_numbers_whose_squares_are_none(model, scale, container):
    """Without other warnings before; in memory it is the same."""
    targets = (COUNTS > 1).astype(float)
    words = r"The size of a column of X is .*; it has to be 0 or in the range"
    for data in ((halves(container(X * scale), targets),), (container(X * scale), targets)):
        with pytest.raises(ValueError, match=words):
            model.fit(*data)


def test_a_column_of_nothing_is_no_error():
    for nothing in (np.zeros((200, 2)), np.full((200, 2), 3.0)):
        for data in ((halves(nothing, y),), (nothing, y)):
            assert not HadamardLasso().fit(*data).coef_.any()


@pytest.mark.parametrize("scale", [1e160, 1e-160])
def test_targets_whose_squares_are_none(scale):
    with pytest.raises(ValueError, match="The size of y is"):
        HadamardLasso().fit(halves(X, y * scale))


@pytest.mark.parametrize("scale", [1e-160, 1e160, 1e307])
@pytest.mark.parametrize("model", [HadamardLasso(), HadamardPoissonRegressor()], ids=repr)
def test_weights_that_squares_cannot_be_multiplied_by(model, scale):
    with pytest.raises(ValueError, match=r"The sum of sample_weight.* has to be in the range"):
        model.fit(halves(X, COUNTS, np.full(200, scale)))


@pytest.mark.parametrize("constant", [0.0, 2.0, 0.1])
def test_scores_of_targets_that_are_constant(constant):
    targets = np.full(200, constant)
    blocks = halves(X, targets)
    assert HadamardLasso(0.1).fit(X, targets).score(blocks) == 1.0
    assert HadamardLasso(0.1).fit(X, y).score(blocks) == 0.0
    weights = np.zeros(200)
    weights[3] = 1.0
    assert HadamardLasso(0.1).fit(X, y).score(halves(X, y, weights)) == 0.0


def test_counts_that_are_all_zero():
    """Without an intercept; with one, there is no best."""
    model = HadamardPoissonRegressor(0.1, l1_ratio=0.0, fit_intercept=False, tol=1e-13)
    theirs = PoissonRegressor(alpha=0.1, fit_intercept=False, tol=1e-10).fit(X, 0.0 * y)
    np.testing.assert_allclose(model.fit(halves(X, 0.0 * y)).coef_, theirs.coef_, atol=1e-7)
    with pytest.raises(ValueError, match="without an intercept it may be"):
        HadamardPoissonRegressor().fit(halves(X, 0.0 * y))


class Device:
    """An array on a device, which NumPy would copy."""

    def __dlpack_device__(self):
        return 2, 0

    def __array__(self, dtype=None, copy=None):
        raise AssertionError


@pytest.mark.parametrize(
    ("blocks", "error", "message"),
    [
        ([(X, y), (X, y + 1j)], ValueError, "y of block 1 is complex, which is not supported."),
        ([(X, y, y + 1j)], ValueError, "sample_weight of block 0 is complex"),
        ([(X[None], y)], ValueError, "In block 0: Found array with dim 3"),
        ([(X + 1j, y)], ValueError, "In block 0: Complex data not supported"),
        ([(np.full(X.shape, "a"), y)], ValueError, "In block 0: could not convert"),
        ([(Device(), y)], TypeError, "X of block 0 is on a device"),
        ([(X, y), (X, Device())], TypeError, "y of block 1 is on a device"),
        (lambda: None, TypeError, "factory must return an iterator over blocks (X, y). Got None."),
    ],
)
def test_blocks_that_are_no_data(blocks, error, message):
    for model in (HadamardLasso(), HadamardPoissonRegressor()):
        with pytest.raises(error, match=re.escape(message)):
            model.fit(Batches(blocks))


def test_a_block_of_numbers_without_squares_is_one_among_others():
    tiny = X.copy()
    tiny[:1] = 1e-160
    blocks = Batches([(tiny[:1], y[:1]), (tiny[1:], y[1:])])
    near = HadamardLasso(0.01, tol=1e-12).fit(tiny, y).coef_
    np.testing.assert_allclose(HadamardLasso(0.01, tol=1e-12).fit(blocks).coef_, near, rtol=1e-10)


def test_a_class_without_weight_has_no_balanced_weight():
    classes = np.arange(200) % 3
    model = HadamardLogisticRegression(class_weight="balanced")
    with pytest.raises(ValueError, match=r"every class needs weight\. Class 2 has none"):
        model.fit(halves(X, classes, (classes < 2).astype(float)))
