"""Columns with values that are far larger than the others, such as a code for what is missing."""

import warnings

import numpy as np
import pytest
import random_logistic_problems
import random_problems
from extended import SoftmaxLoss, minimise
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning

from hplasso import HadamardLasso, HadamardLogisticRegression

LARGE = 1e12  # larger ones make no difference to the solution
SIZES = [1e3, 1e6, 1e9, 1e12, 1e16, 1e100, 1e140]


@pytest.fixture(
    params=[np.asarray, sparse.csr_array, sparse.csc_array], ids=["dense", "csr", "csc"]
)
def container(request):
    return request.param


def minimum(X, codes, alpha, weights):
    """Coefficients and intercepts, (K, p + 1), in extended precision."""
    (n, p), n_classes = X.shape, codes.max() + 1
    K = 1 if n_classes == 2 else n_classes
    A = np.einsum("ij,kl->ikjl", np.hstack([X, np.ones((n, 1))]), np.eye(K)).reshape(n * K, -1)
    l1 = np.repeat(np.r_[np.full(p, alpha), 0.0], K)
    loss = SoftmaxLoss(codes, n_classes, weights / weights.sum())
    theta = minimise(loss, A, l1, np.zeros_like(l1), np.zeros_like(l1)).reshape(-1, K).T
    return theta.astype(np.float64)


@pytest.mark.parametrize("size", SIZES)
def test_one_outlier_among_four(size, container):
    X, y = np.array([[size], [3.0], [3.0], [0.0]]), np.array([1, 1, 1, 0])
    model = HadamardLogisticRegression(tol=1e-10).fit(container(X), y)
    best = minimum(np.minimum(X, LARGE), y, 0.25, np.ones(4))
    assert_allclose(np.r_[model.coef_[0], model.intercept_], best[0], rtol=1e-6)
    assert 0.0 <= model.dual_gap_ <= 1e-10


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("n_classes", "seed"), [(2, 1), (3, 1), (3, 20)])
def test_codes_among_others(n_classes, seed, size, container):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, 4)) + 3.0
    codes = np.digitize(X[:, 0] + X[:, 1] + rng.normal(size=50), [6.0, 7.0][: n_classes - 1])
    X[:3, 0], X[7, 2] = size, -size
    weights = rng.exponential(size=50)
    C = 1.0 / (0.05 * weights.sum())
    model = HadamardLogisticRegression(C, tol=1e-10, max_iter=1000)
    model.fit(container(X), codes, weights)
    best = minimum(np.clip(X, -LARGE, LARGE), codes, 0.05, weights)[:, :4]
    assert_allclose(model.coef_, best, atol=1e-5)


def test_most_of_a_column_may_be_codes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (X[:, 0] + 0.5 * rng.normal(size=40) > 0).astype(int)
    X[:30, 1] = 999999999.0
    model = HadamardLogisticRegression(0.5, tol=1e-10).fit(X, y)
    assert_allclose(model.coef_, minimum(X, y, 1 / 20, np.ones(40))[:, :3], atol=1e-5)


@pytest.mark.parametrize("module", [random_problems, random_logistic_problems])
def test_random_problems_with_outliers(module):
    wrong, warned = [], 0
    for seed in range(30):
        lines, has_warned = module.examine(seed, "outliers")
        wrong, warned = wrong + lines, warned + has_warned
    assert not wrong, "\n".join(wrong)
    assert warned <= 1


def test_a_singular_model_does_not_lead_to_infinity():
    """Beside a code of 1e10 a model was solved with coefficients that are infinite."""
    lines, _ = random_logistic_problems.examine(400003, "all")
    assert not lines, "\n".join(lines)


def test_raw_breast_cancer_at_a_weak_penalty():
    X, y = load_breast_cancer(return_X_y=True)
    model = HadamardLogisticRegression(1e4).fit(X, y)
    share = y.mean()
    null = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert 0.0 <= model.dual_gap_ <= 1e-4 * null


def test_gap_that_rounding_leaves_is_warned_of():
    """Whatever rounding contributes: a gap above what is asked for is never accepted in silence."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(20, 2)), np.arange(20) % 2
        X[rng.integers(20), 0] = 1e9
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = HadamardLogisticRegression(1e9).fit(X, y)
        assert bool(caught) == (model.dual_gap_ > 1e-4 * np.log(2))


def twins():
    """Two columns that differ by a millionth, and a target that needs their difference."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 30))
    return np.stack([first, first + 1e-4 * second], axis=1), 1e6 * second


def test_advice_names_the_cause():
    X, y = twins()
    with pytest.warns(ConvergenceWarning, match=r"gap .* asked for .* What is left is rounding"):
        HadamardLasso(1e-9, tol=1e-16).fit(X.astype(np.float32), y)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 60)), rng.normal(size=30)
    with pytest.warns(ConvergenceWarning, match=r"max_iter was reached. Increase max_iter or tol"):
        HadamardLasso(0.01, solver="alternating", max_iter=3, tol=1e-8).fit(X, y)
    HadamardLasso(0.01, tol=0.0).fit(X, y)  # what rounding leaves of an ordinary problem is no gap
