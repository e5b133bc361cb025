"""HadamardElasticNet and enet_path."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracle import Lasso as Oracle
from random_problems import CONTAINERS
from scipy import sparse
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet
from sklearn.linear_model import enet_path as reference_path
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import HadamardElasticNet, HadamardLasso, enet_path, lasso_path
from hplasso._design.dense import DenseColumns

X, y = load_diabetes(return_X_y=True)
WIDE = make_regression(40, 200, n_informative=15, noise=3.0, random_state=0)


@parametrize_with_checks(
    [
        HadamardElasticNet(),
        HadamardElasticNet(l1_ratio=0.9, positive=True),
        HadamardElasticNet(l1_ratio=0),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:With alpha=0")
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("l1_ratio", [0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("parameters", [{}, {"positive": True}, {"fit_intercept": False}])
def test_same_as_elastic_net(l1_ratio, parameters):
    ours = HadamardElasticNet(0.01, l1_ratio=l1_ratio, tol=1e-12, **parameters).fit(X, y)
    theirs = ElasticNet(0.01, l1_ratio=l1_ratio, tol=1e-13, max_iter=1_000_000, **parameters)
    theirs.fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_)
    assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    assert ours.dual_gap_ <= 1e-12 * y.var()


@pytest.mark.parametrize("container", list(CONTAINERS))
@pytest.mark.parametrize("data", [(X, y), WIDE], ids=["tall", "wide"])
def test_a_ridge_penalty_is_more_rows(container, data):
    """The elastic net is a lasso on data with one row more for each feature."""
    features, target = data[0] * (np.abs(data[0]) > 0.02), data[1]
    n, p = features.shape
    weights = np.random.default_rng(0).exponential(size=p)
    alpha, l1_ratio = 0.02 * target.std(), 0.7
    model = HadamardElasticNet(
        alpha, l1_ratio=l1_ratio, fit_intercept=False, penalty_weights=weights, tol=1e-12
    ).fit(CONTAINERS[container](features), target)
    rows = np.diag(np.sqrt(n * alpha * (1 - l1_ratio) * weights))
    scale = np.sqrt((n + p) / n)  # the oracle takes the mean over n + p rows
    oracle = Oracle(
        scale * np.vstack([features, rows]),
        scale * np.append(target, np.zeros(p)),
        alpha * l1_ratio,
        np.ones(n + p),
        weights,
        fit_intercept=False,
    )
    objective = oracle.objective(model.coef_, 0.0)
    assert objective - oracle.lower_bound(model.coef_) <= 1e-10 * objective
    assert oracle.kkt_violation(model.coef_) <= 1e-8 * alpha
    assert model.dual_gap_ <= 1e-12 * target @ target / n


def test_path_is_scikit_learns():
    centred = y - y.mean()
    alphas, coefs, gaps = enet_path(X, centred, l1_ratio=0.6, alphas=20, tol=1e-10)
    given = reference_path(X, centred, l1_ratio=0.6, alphas=alphas, tol=1e-12, max_iter=100_000)
    assert_allclose(coefs, given[1], atol=1e-4)
    assert_allclose(alphas[0], np.abs(X.T @ centred).max() / len(y) / 0.6)
    assert (gaps <= 1e-10 * centred @ centred / len(y)).all()
    lasso = lasso_path(X, centred, alphas=20)
    for ours, theirs in zip(enet_path(X, centred, l1_ratio=1.0, alphas=20), lasso, strict=True):
        assert_array_equal(ours, theirs)


def test_path_points_are_fits():
    features, target = WIDE[0] - WIDE[0].mean(axis=0), WIDE[1] - WIDE[1].mean()
    shared = {"l1_ratio": 0.3, "tol": 1e-12}
    alphas, coefs, _ = enet_path(features, target, alphas=8, eps=0.05, **shared)
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        model = HadamardElasticNet(alpha, **shared).fit(features, target)
        assert_allclose(model.coef_, coef, atol=1e-6)


def test_dependent_columns_share_by_the_ridge():
    features = np.repeat(WIDE[0][:, :10], 2, axis=1)
    model = HadamardElasticNet(0.5, l1_ratio=0.5, tol=1e-12).fit(features, WIDE[1])
    assert_allclose(model.coef_[::2], model.coef_[1::2], atol=1e-8)


def test_several_targets_and_warm_starts():
    targets = np.column_stack([y, y**2 / 100])
    both = HadamardElasticNet(0.01, tol=1e-12).fit(X, targets)
    for target, coef in zip(targets.T, both.coef_, strict=True):
        single = HadamardElasticNet(0.01, tol=1e-12, warm_start=True).fit(X, target)
        assert_allclose(coef, single.coef_, rtol=1e-8, atol=1e-8)
        assert_allclose(single.set_params(alpha=0.01).fit(X, target).coef_, coef, atol=1e-8)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_warm_start_with_more_coefficients_than_samples(container):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 200))
    target = features[:, :10] @ rng.standard_normal(10)
    features = container(np.hstack([features, features]))  # each column twice
    model = HadamardElasticNet(1e-3, warm_start=True).fit(features, target)
    assert np.count_nonzero(model.coef_) > 50
    solution = model.coef_
    model.fit(features, target)
    assert model.n_iter_ <= 1
    assert_allclose(model.coef_, solution, atol=1e-8)
    with pytest.warns(UserWarning, match="With alpha=0"):  # where those columns are dependent
        model.set_params(alpha=0.0, tol=1e-12).fit(features, target)
    assert_allclose(model.predict(features), target, atol=1e-5)


def test_alternating_reaches_the_same():
    features, target = WIDE
    exact = HadamardElasticNet(2.0, tol=1e-12).fit(features, target)
    model = HadamardElasticNet(2.0, tol=1e-8, solver="alternating", max_iter=10_000)
    assert_allclose(model.fit(features, target).coef_, exact.coef_, atol=1e-2)


@pytest.mark.parametrize("l1_ratio", [-0.5, 1.5, "half"])
def test_bad_ratio(l1_ratio):
    with pytest.raises(ValueError, match=r"'l1_ratio' parameter of .* in the range \[0.0, 1.0\]"):
        HadamardElasticNet(l1_ratio=l1_ratio).fit(X, y)
    with pytest.raises(ValueError, match=r"'l1_ratio' parameter of enet_path"):
        enet_path(X, y, l1_ratio=l1_ratio)


def test_the_lasso_has_no_ratio():
    assert "l1_ratio" not in HadamardLasso().get_params()


@pytest.mark.parametrize("max_iter", [1, 3, 10])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
def test_the_gap_of_an_unfinished_fit_is_by_its_definition(l1_ratio, max_iter):
    data, target = make_regression(60, 30, n_informative=5, noise=5.0, random_state=0)
    rng = np.random.default_rng(0)
    shares, weights = rng.uniform(0.5, 2.0, 60), rng.uniform(0.5, 2.0, 30)
    model = HadamardElasticNet(
        3.0, l1_ratio=l1_ratio, solver="alternating", max_iter=max_iter, penalty_weights=weights
    )
    with pytest.warns(ConvergenceWarning):
        model.set_params(tol=1e-8).fit(data + 1.0, target, sample_weight=shares)
    shares /= shares.sum()
    residual = target - model.predict(data + 1.0)
    penalty, ridge = 3.0 * l1_ratio * weights, 3.0 * (1.0 - l1_ratio) * weights
    z = (data + 1.0).T @ (shares * residual) - ridge * model.coef_
    kappa = min(1.0, 1.0 / np.max(np.abs(z) / penalty))
    square, ridge_square = shares @ residual**2, ridge @ model.coef_**2
    primal = 0.5 * square + penalty @ np.abs(model.coef_) + 0.5 * ridge_square
    dual = kappa * shares @ (residual * (target - shares @ target))
    dual -= 0.5 * kappa**2 * (square + ridge_square)
    assert kappa < 1.0
    assert model.dual_gap_ == pytest.approx(primal - dual, rel=1e-8)


@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_supports_beyond_the_samples_have_no_gram_matrix(tol, monkeypatch):
    """The gap is that of the lasso on [X; sqrt(n ridge) I], and of nothing of this package."""
    formed, products = [], DenseColumns.products

    def counted(self, first):
        formed.append(self.size)
        return products(self, first)

    monkeypatch.setattr(DenseColumns, "products", counted)
    rng = np.random.default_rng(8)
    n, p, ratio = 60, 800, 0.01
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 2.0, p)
    y = X[:, :5].sum(axis=1) + rng.normal(size=n)
    alpha = 0.02 * np.abs(X.T @ (y - y.mean())).max() / n / ratio
    model = HadamardElasticNet(alpha, l1_ratio=ratio, tol=tol).fit(X, y)
    coef, support = model.coef_, np.count_nonzero(model.coef_)
    X, y = X - X.mean(axis=0), y - y.mean()
    lasso, ridge = alpha * ratio, alpha * (1.0 - ratio)
    residual = y - X @ coef
    kappa = min(1.0, lasso / np.abs(X.T @ residual / n - ridge * coef).max())
    squares = residual @ residual / n + ridge * coef @ coef
    primal = 0.5 * squares + lasso * np.abs(coef).sum()
    dual = kappa * residual @ y / n - 0.5 * kappa**2 * squares
    null_loss = 0.5 * y @ y / n
    assert support > 5 * n
    assert max(formed) < support
    assert primal - dual <= tol * null_loss + 1e-13 * null_loss
    assert model.dual_gap_ == pytest.approx(primal - dual, rel=1e-6, abs=1e-13 * null_loss)
