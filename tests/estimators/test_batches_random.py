"""Small problems in blocks against the same in memory: random ones, and those that went wrong."""

import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from hplasso import (
    Batches,
    HadamardElasticNet,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardTweedieRegressor,
    glm_path,
    logistic_path,
)
from hplasso._estimators import streamed_data

KINDS = {
    "lasso": HadamardLasso(),
    "elastic net": HadamardElasticNet(),
    "poisson": HadamardPoissonRegressor(),
    "gamma": HadamardGammaRegressor(),
    "tweedie": HadamardTweedieRegressor(power=1.5),
    "classes": HadamardLogisticRegression(),
}


def drawn(kind, seed):
    """A model, X, y, weights, and where blocks end."""
    rng = np.random.default_rng([seed, len(kind)])
    n, p = int(rng.integers(30, 200)), int(rng.integers(2, 12))
    X = rng.standard_normal((n, p)) * 10.0 ** rng.uniform(-1, 1, p)
    if rng.random() < 0.3:
        X = sparse.csr_matrix(X * (rng.random((n, p)) < 0.3))
    elif rng.random() < 0.3:
        X += 1e3 * rng.random(p)
    linear = np.asarray(X @ (rng.random(p) < 0.5))
    linear = (linear - linear.mean()) / max(linear.std(), 1e-9)
    weights = rng.random(n) * (rng.random(n) < 0.9)
    if kind == "classes":  # with four the solution need not be unique
        y = np.digitize(linear + rng.logistic(size=n), [0.0, 1.5][: 1 + seed % 2])
    elif kind == "gamma":
        y = rng.gamma(2.0, np.exp(0.5 * linear))
    else:
        y = rng.poisson(np.exp(0.5 * linear)).astype(float)
    alpha = 10.0 ** rng.uniform(-2, -0.5)
    factors = rng.choice([0.5, 1.0, 2.0, np.inf], p)
    factors[0] = 1.0
    model = KINDS[kind].set_params(penalty_weights=factors, tol=1e-13, fit_intercept=True)
    model.set_params(**({"C": 1.0 / (alpha * n)} if kind == "classes" else {"alpha": alpha}))
    if kind not in ("lasso", "classes"):
        model.set_params(l1_ratio=float(rng.choice([1.0, 0.5])), positive=bool(rng.random() < 0.3))
    cuts = [0, *np.sort(rng.integers(0, n + 1, 4)).tolist(), n]
    return model, X, y, weights, cuts


@pytest.mark.parametrize("kind", KINDS)
def test_random_problems_have_the_solution_of_the_laptop(kind, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 300)
    for seed in range(8):
        model, X, y, weights, cuts = drawn(kind, seed)
        inside = model.fit(X, y, weights)
        coef, intercept = inside.coef_, inside.intercept_
        blocks = [(X[a:b], y[a:b], weights[a:b]) for a, b in pairwise(cuts)]
        model.fit(Batches(blocks))
        scale = max(np.abs(coef).max(), 1e-300)
        np.testing.assert_allclose(model.coef_ / scale, coef / scale, atol=1e-5, err_msg=str(seed))
        np.testing.assert_allclose(
            model.intercept_, intercept, rtol=1e-6, atol=1e-4, err_msg=str(seed)
        )


def test_constant_columns_do_not_warn():
    rng = np.random.default_rng(0)
    for n in range(5, 45):
        X = np.column_stack([np.full(n, 1.0 / 3.0), rng.standard_normal(n)])
        for model in (HadamardLasso(0.1), HadamardPoissonRegressor(0.1)):
            model.fit(Batches([(X, 1.0 + rng.random(n), rng.random(n))]))
            assert model.coef_[0] == 0.0


@pytest.mark.parametrize(
    "model", [HadamardPoissonRegressor(0.1, l1_ratio=0.0), HadamardLogisticRegression(l1_ratio=0.0)]
)
def test_ridge_with_a_feature_without_penalty(model):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    if isinstance(model, HadamardLogisticRegression):
        y = y > 0.0
    model.set_params(penalty_weights=[0.0, 1.0])
    coef = model.fit(X, y).coef_
    model.fit(Batches([(X, y)]))
    np.testing.assert_allclose(model.coef_, coef, atol=1e-6)
    assert model.dual_gap_ < 1e-4
    assert model.n_passes_ < 10


@pytest.mark.parametrize("away", [1e3, 1e5])
@pytest.mark.parametrize("kind", [HadamardPoissonRegressor, HadamardGammaRegressor])
def test_columns_far_from_zero_without_an_intercept(kind, away):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2)) + away * np.array([1.0, -2.0])
    y = rng.gamma(2.0, np.exp(0.5 * (X[:, 0] - away)))
    model = kind(0.01, fit_intercept=False, tol=1e-8 if away < 1e4 else 1e-5)
    coef = model.fit(X, y).coef_
    model.fit(Batches([(X, y)]))
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-5)
    assert model.n_passes_ < 10


def test_a_sample_that_does_not_determine_free_coefficients(monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 260)  # 20 rows, 2 x 3 free coefficients
    rng = np.random.default_rng(3)
    X = rng.standard_normal((180, 13))
    y = (X[:, :3] + rng.gumbel(size=(180, 3))).argmax(axis=1)
    factors = [0.0, *[1.0] * 11, 0.0]
    settings = {"Cs": 8, "eps": 1e-2, "penalty_weights": factors}
    inside = logistic_path(X, y, early_stop=False, **settings)
    blocks = logistic_path(Batches([(X, y)]), **settings)
    np.testing.assert_allclose(blocks[0], inside[0], rtol=1e-8)
    free = np.equal(factors, 0.0)
    for coefs in (blocks[1], inside[1]):  # a constant for all classes makes no difference
        coefs[:, free] -= coefs[:, free].mean(axis=0)
    np.testing.assert_allclose(blocks[1], inside[1], atol=0.02)


def test_a_sample_in_which_features_are_zero(monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 1)
    X = np.zeros((18, 1))
    X[[0, 2, 5, 7, 13]] = [[-2.0], [1.0], [-1.0], [1.0], [1.5]]
    y = np.array([5, 1, 1, 1, 3, 2, 1, 1, 1, 1, 1, 0, 1, 0, 1, 2, 0, 1.0])
    for start in range(6):
        rows = np.roll(np.arange(18), start)
        settings = {"alphas": 8, "eps": 1e-2, "fit_intercept": False, "tol": 1e-12}
        inside = glm_path(X[rows], y[rows], **settings)
        blocks = glm_path(Batches([(sparse.csr_matrix(X[rows]), y[rows])]), **settings)
        np.testing.assert_allclose(blocks[1], inside[1], atol=1e-5)


@pytest.mark.parametrize(
    ("n_classes", "density"),
    [
        (2, 0.3),
        (2, 1.0),
        (3, 1.0),
        (3, 0.3),
    ],
)
def test_small_samples_converge(n_classes, density, monkeypatch):
    rng = np.random.default_rng(0)
    for seed in range(6):
        X = rng.standard_normal((120, 4)) * (rng.random((120, 4)) < density)
        y = (X[:, :n_classes] + rng.gumbel(size=(120, n_classes))).argmax(axis=1)
        monkeypatch.setattr(streamed_data, "SAMPLE", 80)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            settings = {"Cs": 8, "eps": 1e-2, "class_weight": "balanced"}
            found = logistic_path(Batches([(X, y)]), **settings)
        inside = logistic_path(X, y, early_stop=False, **settings)
        np.testing.assert_allclose(found[1], inside[1], atol=0.05, err_msg=str(seed))


def test_curved_losses_have_a_budget_of_memory_too():
    X = np.random.default_rng(0).standard_normal((3, 400))
    with (
        sklearn.config_context(working_memory=0.5),
        pytest.raises(ValueError, match="working_memory allows"),
    ):
        HadamardLogisticRegression(tol=0.5).fit(Batches([(X, [0, 1, 1])]))


ROWS = np.random.default_rng(0).standard_normal((6, 2))
HALVES = np.array([0, 1, 0, 1, 1, 0])


@pytest.mark.parametrize(
    ("model", "blocks", "message"),
    [
        (HadamardLogisticRegression(), [(ROWS, ROWS[:, 0])], "continuous"),
        (HadamardLogisticRegression(), [(ROWS, np.where(HALVES, np.nan, 1.0))], "y .*NaN"),
        (HadamardLogisticRegression(), [(ROWS, np.stack([HALVES] * 2, axis=1))], "one|1d"),
        (HadamardPoissonRegressor(), [(ROWS, np.stack([HALVES] * 2, axis=1))], "one|1d"),
        (
            HadamardLogisticRegression(),
            [(ROWS, HALVES), (sparse.csr_matrix(ROWS), HALVES)],
            "sparse matrix in others",
        ),
    ],
)
def test_bad_targets_and_mixed_blocks_have_clear_errors(model, blocks, message):
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(Batches(blocks))


def test_memory_does_not_grow_with_the_number_of_blocks():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 150))
    blocks, peaks = (X, X[:, 0] + rng.standard_normal(200)), {}
    model = HadamardLassoCV(cv=5, alphas=2)
    for count in (2, 2, 64):
        tracemalloc.start()
        model.fit(Batches([blocks] * count))
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[64] < 1.4 * peaks[2]
