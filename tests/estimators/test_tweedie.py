"""Poisson, gamma and Tweedie regression against scikit-learn, and certified from raw data."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import xlogy
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    Batches,
    CertificateDisplay,
    HadamardGammaRegressor,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    HadamardTweedieRegressor,
    RegularizationPathDisplay,
    glm_path,
)

FAMILIES = {
    "poisson": (1.0, HadamardPoissonRegressor(), PoissonRegressor()),
    "gamma": (2.0, HadamardGammaRegressor(), GammaRegressor()),
    "tweedie": (1.5, HadamardTweedieRegressor(), TweedieRegressor(power=1.5, link="log")),
}
REFERENCES = Path(__file__).parent.parent / "references"
GLMNET = json.loads((REFERENCES / "glmnet_poisson.json").read_text())
GLUM = json.loads((REFERENCES / "glum_gamma.json").read_text())
each_family = pytest.mark.parametrize("family", FAMILIES)


def losses(y, outputs, power):
    """Half of the unit deviances, from their definition."""
    mean = np.exp(outputs)
    if power == 1.0:
        return xlogy(y, y) - y * outputs - y + mean
    if power == 2.0:
        return outputs - np.log(y) + y / mean - 1.0
    first = y * (y ** (1.0 - power) - mean ** (1.0 - power)) if (y > 0.0).all() else None
    if first is None:
        some = np.where(y > 0.0, y, 1.0)
        first = y * (some ** (1.0 - power) - mean ** (1.0 - power))
    second = y ** (2.0 - power) - mean ** (2.0 - power)
    return first / (1.0 - power) - second / (2.0 - power)


def residuals(y, outputs, power):
    return y * np.exp((1.0 - power) * outputs) - np.exp((2.0 - power) * outputs)


def dual_losses(y, residual, power):
    """``min_f loss(f) + s f`` for residuals s, by bisection for the f that has them."""
    low, high = np.full(y.shape, -80.0), np.full(y.shape, 80.0)
    for _ in range(200):
        middle = 0.5 * (low + high)
        above = residuals(y, middle, power) > residual
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return losses(y, middle, power) + residual * middle


class Sample:
    """Generated data, and what is known of the problem without the package."""

    def __init__(self, power, n=150, p=20, seed=0, density=1.0, weighted=True):
        rng = np.random.default_rng(seed)
        self.power, self.X = power, rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
        mean = np.exp(0.5 + self.X[:, :3] @ [0.6, -0.5, 0.3])
        number = rng.poisson(mean)
        gammas = rng.gamma(np.maximum(2.0 * number, 1.0)) * (number > 0)
        self.y = {1.0: number * 1.0, 2.0: rng.gamma(2.0, mean)}.get(power, gammas)
        raw = rng.exponential(size=n) if weighted else np.ones(n)
        self.sample_weight, self.weights = raw, raw / raw.sum()

    def objective(self, coef, intercept, alpha, l1_ratio=1.0, penalty=1.0):
        loss = self.weights @ losses(self.y, self.X @ coef + intercept, self.power)
        each = l1_ratio * np.abs(coef) + 0.5 * (1.0 - l1_ratio) * coef**2
        return loss + alpha * (penalty * each).sum()

    def gap(self, coef, intercept, alpha, penalty=1.0):
        """The duality gap of the lasso, at the residual times kappa."""
        residual = residuals(self.y, self.X @ coef + intercept, self.power)
        z = self.X.T @ (self.weights * residual)
        kappa = min(1.0, (alpha * penalty / np.abs(z)).min())
        dual = self.weights @ dual_losses(self.y, kappa * residual, self.power)
        return self.objective(coef, intercept, alpha, 1.0, penalty) - dual

    def null_loss(self):
        return self.weights @ losses(self.y, np.log(self.weights @ self.y), self.power)

    def minimum(self, alpha, l1_ratio):
        """By L-BFGS-B for coef = u - v with u, v >= 0."""
        p = self.X.shape[1]

        def function(x):
            coef = x[:p] - x[p : 2 * p]
            residual = self.weights * residuals(self.y, self.X @ coef + x[-1], self.power)
            slope = -self.X.T @ residual + alpha * (1.0 - l1_ratio) * coef
            value = self.objective(coef, x[-1], alpha, l1_ratio)
            value += alpha * l1_ratio * ((x[:-1]).sum() - np.abs(coef).sum())
            gradient = np.r_[slope + alpha * l1_ratio, alpha * l1_ratio - slope, -residual.sum()]
            return value, gradient

        bounds = [(0.0, None)] * (2 * p) + [(None, None)]
        options = {"maxiter": 10_000, "maxfun": 100_000, "ftol": 1e-16, "gtol": 1e-11}
        start = np.zeros(2 * p + 1)
        return minimize(function, start, jac=True, bounds=bounds, options=options).fun


@parametrize_with_checks([model.set_params(alpha=0.1) for _, model, _ in FAMILIES.values()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@each_family
@pytest.mark.parametrize("alpha", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_ridge_penalty_is_that_of_scikit_learn(family, alpha, fit_intercept):
    power, model, peer = FAMILIES[family]
    sample = Sample(power)
    data = sample.X, sample.y, sample.sample_weight
    model = type(model)(alpha=alpha, l1_ratio=0.0, tol=1e-12, fit_intercept=fit_intercept)
    model.fit(*data)
    options = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 1000}
    peer.set_params(alpha=alpha, fit_intercept=fit_intercept, **options).fit(*data)
    assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    assert model.intercept_ == pytest.approx(peer.intercept_, abs=1e-6)
    assert_allclose(model.predict(sample.X), peer.predict(sample.X), rtol=1e-5)
    assert model.score(*data) == pytest.approx(peer.score(*data), rel=1e-5)


@pytest.mark.parametrize("power", [1.0, 1.2, 1.5, 1.9, 2.0])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_the_gap_is_that_of_the_raw_data(power, container, tol):
    sample = Sample(power, p=200, density=0.3 if container is sparse.csr_array else 1.0)
    model = HadamardTweedieRegressor(power=power, alpha=0.1, tol=tol)
    model.fit(container(sample.X), sample.y, sample.sample_weight)
    gap = sample.gap(model.coef_, model.intercept_, 0.1)
    assert gap <= tol * sample.null_loss() + 1e-13
    assert model.dual_gap_ == pytest.approx(gap, rel=1e-3, abs=1e-13)
    assert 0 < np.count_nonzero(model.coef_) < 150
    assert_allclose(model.mu_ * model.nu_, model.coef_, rtol=1e-14)
    assert model.n_iter_ >= 1


@each_family
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_the_objective_is_that_of_another_solver(family, l1_ratio, seed):
    power, model, _ = FAMILIES[family]
    sample = Sample(power, seed=seed)
    model = type(model)(alpha=0.15, l1_ratio=l1_ratio, tol=1e-11)
    model.fit(sample.X, sample.y, sample.sample_weight)
    right = sample.minimum(0.15, l1_ratio)
    assert sample.objective(model.coef_, model.intercept_, 0.15, l1_ratio) == pytest.approx(
        right, rel=1e-9
    )


@each_family
def test_sweeps_alone_lead_there_as_well(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    fits = [
        type(model)(alpha=0.1, tol=1e-9, solver=solver, max_iter=20_000).fit(sample.X, sample.y)
        for solver in ("auto", "alternating")
    ]
    assert_allclose(fits[0].coef_, fits[1].coef_, atol=1e-4)
    assert fits[1].n_iter_ > fits[0].n_iter_


@each_family
def test_positive_coefficients_and_penalty_weights(family):
    power, model, _ = FAMILIES[family]
    sample, weights = Sample(power), np.ones(20)
    weights[[1, 5]] = 0.0, np.inf
    model = type(model)(alpha=0.1, tol=1e-10, penalty_weights=weights)
    model.fit(sample.X, sample.y, sample.sample_weight)
    residual = residuals(sample.y, sample.X @ model.coef_ + model.intercept_, power)
    z = sample.X.T @ (sample.weights * residual)
    assert abs(z[1]) < 1e-6
    assert model.coef_[1] < 0.0
    assert model.coef_[5] == 0.0
    model.set_params(positive=True, penalty_weights=None)
    model.fit(sample.X, sample.y, sample.sample_weight)
    residual = residuals(sample.y, sample.X @ model.coef_ + model.intercept_, power)
    z = sample.X.T @ (sample.weights * residual)
    assert (model.coef_ >= 0.0).all()
    assert_allclose(z[model.coef_ > 0.0], 0.1, atol=1e-6)
    assert (z <= 0.1 + 1e-6).all()
    assert z.min() < -0.1


@each_family
def test_weights_are_repetitions(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    times = np.random.default_rng(1).integers(0, 3, len(sample.y))
    rows = np.repeat(np.arange(len(times)), times)
    model = type(model)(alpha=0.1, tol=1e-12)
    weighted = model.fit(sample.X, sample.y, times).coef_
    assert_allclose(model.fit(sample.X[rows], sample.y[rows]).coef_, weighted, atol=1e-6)


@each_family
@pytest.mark.parametrize("tol", [1e-4, 1e-9])
def test_paths_are_certified(family, tol):
    power, model, _ = FAMILIES[family]
    sample = Sample(power, n=100, p=150)
    options = {"family": family, "sample_weight": sample.sample_weight, "tol": tol}
    alphas, coefs, intercepts, gaps, n_iters = glm_path(
        sample.X, sample.y, alphas=30, eps=0.05, return_n_iter=True, **options
    )
    assert not coefs[:, 0].any()
    assert coefs[:, 1].any()
    for alpha, coef, intercept, gap in zip(alphas, coefs.T, intercepts, gaps, strict=True):
        exact = sample.gap(coef, intercept, alpha)
        assert exact <= tol * sample.null_loss() + 1e-13
        assert gap == pytest.approx(exact, rel=1e-3, abs=1e-12)
    single = type(model)(alpha=alphas[20], tol=1e-12)
    single.fit(sample.X, sample.y, sample.sample_weight)
    assert_allclose(coefs[:, 20], single.coef_, atol=0.1 if tol > 1e-5 else 1e-3)
    assert n_iters[0] == 0
    given = glm_path(sample.X, sample.y, alphas=[0.1, 0.3], coef_init=coefs[:, 5], **options)
    assert_array_equal(given[0], [0.3, 0.1])


def test_a_path_of_one_power():
    sample = Sample(1.2)
    _, coefs, *_ = glm_path(
        sample.X, sample.y, family="tweedie", power=1.2, alphas=[0.1], tol=1e-10
    )
    model = HadamardTweedieRegressor(power=1.2, alpha=0.1, tol=1e-10).fit(sample.X, sample.y)
    assert_allclose(coefs[:, 0], model.coef_, atol=1e-8)


@each_family
def test_warm_starts_take_no_sweep_where_they_suffice(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    model = type(model)(alpha=0.1, warm_start=True).fit(sample.X, sample.y)
    assert model.n_iter_ > 0
    assert model.fit(sample.X, sample.y).n_iter_ == 0


@each_family
def test_estimators_of_scikit_learn(family):
    power, model, peer = FAMILIES[family]
    sample = Sample(power)
    model = type(model)(alpha=0.1).fit(sample.X, sample.y)
    other = model.to_sklearn()
    assert type(other) is type(peer)
    assert other.alpha == 0.1
    assert_allclose(other.predict(sample.X), model.predict(sample.X), rtol=1e-12)
    assert other.score(sample.X, sample.y) == pytest.approx(model.score(sample.X, sample.y))
    search = GridSearchCV(type(model)(), {"alpha": [0.01, 0.1, 10.0]}).fit(sample.X, sample.y)
    assert search.best_params_["alpha"] < 10.0


@each_family
def test_displays(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    model = type(model)(alpha=0.1)
    assert len(RegularizationPathDisplay.from_estimator(model, sample.X, sample.y).penalties) > 50
    assert CertificateDisplay.from_estimator(model, sample.X, sample.y).gaps[-1] > 0.0


def random_problem(seed):
    """X of columns of all sizes, y, weights or ones, an offset or None, and parameters."""
    rng = np.random.default_rng(seed)
    n, p, power = int(rng.integers(10, 200)), int(rng.integers(1, 60)), rng.choice([1, 1.5, 2, 1.1])
    X = rng.standard_normal((n, p)) * (rng.random((n, p)) < rng.choice([0.1, 0.5, 1.0]))
    X *= 10.0 ** rng.uniform(-2, 2, p)
    if seed % 5 == 0 and p > 3:
        X[:, 0] = X[:, 1]
    offset = rng.standard_normal(n) * rng.choice([1.0, 5.0]) if seed % 2 else None
    outputs = X @ (rng.standard_normal(p) / np.maximum(np.abs(X).max(axis=0), 1e-9))
    outputs = (
        outputs * rng.choice([0.3, 1.0, 3.0]) + rng.normal() + (0 if offset is None else offset)
    )
    means = np.exp(np.clip(outputs, -20.0, 15.0))
    y = {1.0: rng.poisson(means) * 1.0, 2.0: rng.gamma(2.0, means / 2.0) + 1e-8}.get(
        power, rng.gamma(2.0, means / 2.0) * (rng.random(n) < 0.6)
    )
    y[0] = 1.0
    weights = rng.exponential(size=n) * (rng.random(n) < 0.9) if seed % 3 else np.ones(n)
    weights[0] = 1.0
    parameters = {
        "power": power,
        "l1_ratio": rng.choice([1.0, 0.5, 0.1]),
        "fit_intercept": rng.random() < 0.8,
        "positive": rng.random() < 0.2,
    }
    return sparse.csr_array(X) if seed % 4 == 0 else X, y, weights, offset, parameters


@pytest.mark.parametrize("seed", range(150))
def test_random_problems(seed):
    """The gap of the raw data is within the tolerance, and within what is reported."""
    X, y, weights, offset, parameters = random_problem(seed)
    power, l1_ratio = parameters["power"], parameters["l1_ratio"]
    v, shift = weights / weights.sum(), np.zeros(len(y)) if offset is None else offset
    null = 0.0
    if parameters["fit_intercept"]:
        null = np.log(v @ (y * np.exp((1.0 - power) * shift)) / (v @ np.exp((2.0 - power) * shift)))
    null_loss = v @ losses(y, null + shift, power)
    largest = np.abs(X.T @ (v * residuals(y, null + shift, power))).max() / l1_ratio
    alpha = (largest or 1.0) * 10.0 ** np.random.default_rng(seed).uniform(-3.0, 0.0)
    model = HadamardTweedieRegressor(alpha=alpha, tol=1e-10, **parameters)
    model.fit(X, y, weights, offset)
    coef, outputs = model.coef_, X @ model.coef_ + model.intercept_ + shift
    residual, ridge = residuals(y, outputs, power), alpha * (1.0 - l1_ratio)
    each = l1_ratio * np.abs(coef) + 0.5 * (1.0 - l1_ratio) * coef**2
    primal = v @ losses(y, outputs, power) + alpha * each.sum()
    z = X.T @ (v * residual) - ridge * coef
    beyond = np.maximum(z, 0.0) if parameters["positive"] else np.abs(z)
    kappa = min(1.0, (alpha * l1_ratio / np.maximum(beyond, 1e-300)).min())
    dual = v @ dual_losses(y, kappa * residual, power) - kappa * (v * residual) @ shift
    gap = primal - dual + 0.5 * ridge * kappa**2 * coef @ coef
    rounding = 1e-13 * (v @ (np.abs(residual) * (1.0 + np.abs(outputs))) + primal)
    assert gap <= 1e-10 * null_loss + rounding
    assert gap <= model.dual_gap_ + rounding
    if parameters["fit_intercept"]:
        assert abs(v @ residual) <= 1e-9 * (v @ np.abs(residual))
    assert (coef >= 0.0).all() or not parameters["positive"]


# Hard cases


@pytest.mark.parametrize(("power", "least"), [(1.0, -600.0), (1.5, -1200.0), (1.984375, -38400.0)])
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
def test_targets_that_are_all_zero(power, least, container):
    X, y = container(np.eye(6)[:, :3]), np.zeros(6)
    model = HadamardTweedieRegressor(power=power, alpha=0.1).fit(X, y)
    assert not model.coef_.any()
    assert model.intercept_ == least
    assert model.dual_gap_ < 1e-100
    assert model.score(X, y) == 1.0
    # of those that have a weight, too
    weights = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    model.fit(X, np.array([0.0, 0.0, 0.0, 0.0, 0.0, 3.0]), weights)
    assert model.intercept_ == least


@pytest.mark.parametrize("power", [1.9, 1.99, 1.999])
@pytest.mark.parametrize("factor", [1.0, 2.5, 5.0])
@pytest.mark.parametrize("alpha", [0.1, 0.01, 0.001])
def test_powers_near_two_and_targets_of_zero(power, factor, alpha):
    """Means to a small power: predictions of exp(-600) are far from the best."""
    X, rises = np.array([[1.0], [factor]]), 2.0 - power
    model = HadamardTweedieRegressor(power=power, alpha=alpha, fit_intercept=False)
    model.fit(X, np.zeros(2))

    def objective(c):
        return np.exp(rises * c * X).sum() / (2.0 * rises) + alpha * abs(c)

    def slope(c):
        return (X * np.exp(rises * c * X)).sum() / 2.0 - alpha

    best = brentq(slope, -700.0 / rises / factor, 0.0) if slope(0.0) > 0.0 else 0.0
    assert objective(model.coef_[0]) - objective(best) <= model.dual_gap_ + 1e-13
    assert model.dual_gap_ <= 1.001e-4 * objective(0.0)


@pytest.mark.parametrize(
    ("power", "target", "long", "weight"),
    [(1.0, 0.0, 200.0, 1.5e-5), (1.02, 0.0, 200.0, 1e-11), (2.0, 3e-3, -200.0, 1.5e-5)],
)
def test_outputs_that_are_far_from_their_targets(power, target, long, weight):
    """A sample of little weight at -1000 or 1000, where the loss goes on as it did before."""
    X, y, weights, alpha = np.array([[1.0], [long]]), np.array([target, 1.0]), [1.0, weight], 1e-4
    model = HadamardTweedieRegressor(power=power, alpha=alpha, fit_intercept=False, tol=1e-10)
    model.fit(X, y, weights)

    def objective(c):
        f, q, total = X[:, 0] * c, power, 1.0 + weight
        falls = -y * f if q == 1.0 else y * np.exp((1.0 - q) * f) / (q - 1.0)
        rises = f if q == 2.0 else np.exp((2.0 - q) * f) / (2.0 - q)
        return (np.array(weights) @ (falls + rises)) / total + alpha * abs(c)

    found = minimize_scalar(objective, bounds=(-8.0, 0.0), options={"xatol": 1e-12})
    assert abs(long * found.x) > 700.0
    assert model.coef_[0] == pytest.approx(found.x, rel=1e-5)
    assert objective(model.coef_[0]) - found.fun <= model.dual_gap_ + 1e-14


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_one_huge_target(power):
    sample = Sample(power)
    sample.y[3] = 1e9
    model = HadamardTweedieRegressor(power=power, alpha=0.5, tol=1e-8)
    model.fit(sample.X, sample.y, sample.sample_weight)
    gap = sample.gap(model.coef_, model.intercept_, 0.5)
    assert gap <= 1.01e-8 * sample.null_loss()


def test_a_group_without_counts():
    groups = np.repeat(np.eye(5), 20, axis=0)
    y = np.random.default_rng(0).poisson(3.0, 100) * (groups[:, 4] == 0.0)
    model = HadamardPoissonRegressor(alpha=1e-5, tol=1e-9).fit(groups, y)
    means = model.predict(np.eye(5))
    assert means[4] < 1e-3
    assert_allclose(means[:4], [y[20 * k : 20 * (k + 1)].mean() for k in range(4)], rtol=1e-3)


def test_predictions_that_overflow_are_infinite():
    model = HadamardPoissonRegressor(alpha=0.01).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 9.0])
    assert model.predict([[1e4]]) == np.inf


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_targets_that_are_not_allowed(power):
    names = {1.0: "HalfPoissonLoss", 1.5: "HalfTweedieLoss", 2.0: "HalfGammaLoss"}
    message = rf"Some value\(s\) of y are out of the valid range of the loss '{names[power]}'"
    X, model = np.eye(3), HadamardTweedieRegressor(power=power)
    with pytest.raises(ValueError, match=message):
        model.fit(X, [1.0, 2.0, -1.0])
    if power == 2.0:
        with pytest.raises(ValueError, match=message):
            model.fit(X, [1.0, 2.0, 0.0])
    with pytest.raises(ValueError, match="takes one target"):
        model.fit(X, np.ones((3, 2)))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, [1.0, 2.0, np.nan])
    assert not hasattr(model, "coef_")


def test_parameters_that_are_not_allowed():
    X, y = np.eye(3), [1.0, 2.0, 3.0]
    for power in (0.1, 0.9, np.nan, np.inf, "1"):
        with pytest.raises(ValueError, match="'power' parameter of HadamardTweedieRegressor"):
            HadamardTweedieRegressor(power=power).fit(X, y)
    with pytest.raises(ValueError, match="'link' parameter of HadamardTweedieRegressor"):
        HadamardTweedieRegressor(link="logit").fit(X, y)
    with pytest.raises(ValueError, match="'family' parameter of glm_path must be"):
        glm_path(X, y, family="normal")
    with pytest.raises(ValueError, match="alphas"):
        glm_path(X, y, alphas=[0.1, 0.0])


@each_family
def test_float32(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    model = type(model)(alpha=0.1).fit(sample.X.astype(np.float32), sample.y)
    assert model.coef_.dtype == np.float32
    sample.weights = np.full(len(sample.y), 1.0 / len(sample.y))
    assert sample.gap(model.coef_.astype(float), model.intercept_, 0.1) <= 1e-4 * sample.null_loss()


# Offsets


@each_family
def test_an_offset_is_a_feature_whose_coefficient_is_one(family):
    """The exponential of an offset is divided out: u and v change by powers of it."""
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    offset = np.random.default_rng(2).normal(size=len(sample.y))
    model = type(model)(alpha=0.1, tol=1e-12)
    model.fit(sample.X, sample.y, sample.sample_weight, offset)
    outputs = sample.X @ model.coef_ + model.intercept_ + offset
    residual = residuals(sample.y, outputs, power)
    assert sample.weights @ residual == pytest.approx(0.0, abs=1e-12)
    z = sample.X.T @ (sample.weights * residual)
    on = model.coef_ != 0.0
    assert on.any()
    assert_allclose(z[on], 0.1 * np.sign(model.coef_[on]), atol=1e-6)
    assert (np.abs(z) <= 0.1 + 1e-6).all()
    assert_allclose(model.predict(sample.X, offset), np.exp(outputs))
    again = type(model)(alpha=0.1, tol=1e-12)
    again.fit(sample.X, sample.y, sample.sample_weight, offset + 3.0)
    assert_allclose(again.coef_, model.coef_, atol=1e-8)
    assert again.intercept_ == pytest.approx(model.intercept_ - 3.0)
    kappa = min(1.0, (0.1 / np.abs(z)).min())
    dual = dual_losses(sample.y, kappa * residual, power) - kappa * residual * offset
    primal = losses(sample.y, outputs, power)
    gap = sample.weights @ (primal - dual) + 0.1 * np.abs(model.coef_).sum()
    assert model.dual_gap_ == pytest.approx(gap, abs=1e-13)


@pytest.mark.parametrize("case", GLMNET, ids=lambda case: f"{case['alpha']}-{case['l1_ratio']}")
def test_coefficients_are_those_of_glmnet(case):
    """Those that ``references/glmnet_poisson.py`` has stored."""
    X, y = load_diabetes(return_X_y=True)
    offset = np.log1p(np.arange(len(y)) % 5)
    model = HadamardPoissonRegressor(alpha=case["alpha"], l1_ratio=case["l1_ratio"], tol=1e-13)
    model.fit(X / X.std(axis=0), np.floor(y / 10.0), offset=offset)
    assert_allclose(model.coef_, case["coef"], atol=1e-6)
    assert model.intercept_ == pytest.approx(case["intercept"], abs=1e-6)


@pytest.mark.parametrize("case", GLUM, ids=lambda case: f"{case['alpha']}-{case['l1_ratio']}")
def test_coefficients_are_those_of_glum(case):
    """Those that ``references/glum_gamma.py`` has stored."""
    X, y = load_diabetes(return_X_y=True)
    model = HadamardGammaRegressor(alpha=case["alpha"], l1_ratio=case["l1_ratio"], tol=1e-13)
    model.fit(X / X.std(axis=0), y, sample_weight=1.0 + np.arange(len(y)) % 5)
    assert_allclose(model.coef_, case["coef"], atol=1e-8)
    assert model.intercept_ == pytest.approx(case["intercept"], abs=1e-8)


@pytest.mark.parametrize("n_alphas", [1, 12])
def test_exposure_is_an_offset_or_a_weight(n_alphas):
    sample = Sample(1.0)
    exposure = np.random.default_rng(3).uniform(0.1, 2.0, len(sample.y))
    y = np.random.default_rng(4).poisson(exposure * (1.0 + sample.y)) * 1.0
    alphas, options = np.geomspace(0.5, 0.05, n_alphas), {"tol": 1e-12}
    counts = glm_path(sample.X, y, alphas=alphas, offset=np.log(exposure), **options)
    scaled = alphas * len(y) / exposure.sum()
    rates = glm_path(sample.X, y / exposure, alphas=scaled, sample_weight=exposure, **options)
    assert counts[1].any()
    assert_allclose(counts[1], rates[1], atol=1e-10)
    assert_allclose(counts[2], rates[2], atol=1e-10)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_large_offsets(container):
    """Of samples that were counted for hardly any time, or for ages, in other units."""
    sample = Sample(1.0)
    model = HadamardPoissonRegressor(alpha=0.1, tol=1e-9)
    right = model.fit(container(sample.X), sample.y).coef_
    for offset in (-700.0, 700.0):
        model.fit(container(sample.X), sample.y, offset=np.full(len(sample.y), offset))
        assert_allclose(model.coef_, right, atol=1e-5)
        mixed = np.where(np.arange(len(sample.y)) % 10 == 0, -700.0, 0.0)
        y = np.where(mixed < 0.0, 0.0, sample.y)
        model.fit(container(sample.X), y, offset=mixed)
        weights = (mixed == 0.0) * 1.0
        assert_allclose(
            model.predict(container(sample.X)),
            HadamardPoissonRegressor(alpha=0.1 / weights.mean(), tol=1e-9)
            .fit(container(sample.X), y, weights)
            .predict(container(sample.X)),
            rtol=1e-4,
        )


@each_family
def test_scores_with_an_offset(family):
    power, model, _ = FAMILIES[family]
    sample = Sample(power)
    offset = np.random.default_rng(2).normal(size=len(sample.y))
    data = sample.X, sample.y, sample.sample_weight, offset
    nothing = type(model)(alpha=1e6, tol=1e-10).fit(*data)
    assert nothing.score(*data) == pytest.approx(0.0, abs=1e-12)
    model = type(model)(alpha=0.05).fit(*data)
    loss, null = (
        sample.weights @ losses(sample.y, np.log(each.predict(sample.X, offset)), power)
        for each in (model, nothing)
    )
    assert model.score(*data) == pytest.approx(1.0 - loss / null)
    assert model.score(*data) > model.score(*data[:3])


def test_offsets_are_requested_as_weights_are():
    sample, model = Sample(1.0), HadamardPoissonRegressor()
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(offset=True, sample_weight=True)
        model.set_score_request(offset=True, sample_weight=True)
        model.set_predict_request(offset=True)
        offset = np.linspace(-1.0, 1.0, len(sample.y))
        params = {"offset": offset, "sample_weight": sample.sample_weight}
        search = GridSearchCV(model, {"alpha": [0.01, 0.1]}, cv=3)
        search.fit(sample.X, sample.y, **params)
        rows = next(KFold(3).split(sample.X))
        parts = [
            [sample.X[i], sample.y[i], *(value[i] for value in (sample.sample_weight, offset))]
            for i in rows
        ]
        right = HadamardPoissonRegressor(alpha=0.1).fit(*parts[0]).score(*parts[1])
    assert search.cv_results_["split0_test_score"][1] == pytest.approx(right)


def test_offsets_that_are_not_allowed():
    sample, model = Sample(1.0), HadamardPoissonRegressor()
    for offset, message in (
        (np.ones(3), r"offset must have shape \(150,\)"),
        (np.full(150, np.nan), "offset contains NaN"),
        ("a", "offset"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(sample.X, sample.y, offset=offset)
    model.fit(sample.X, sample.y)
    with pytest.raises(ValueError, match="offset must have shape"):
        model.predict(sample.X, np.ones(3))


def test_float32_gaps_cover_the_rounding_of_intercepts_of_large_counts():
    rng = np.random.default_rng(0)
    X = (0.3 * rng.standard_normal((100, 6)) + 1e3).astype(np.float32)
    exact = X.astype(np.float64)
    y = rng.poisson(np.exp(exact[:, 0] - 991.0))
    with pytest.warns(ConvergenceWarning, match="What is left is rounding"):
        model = HadamardPoissonRegressor(10.0, tol=1e-12).fit(X, y)
    best = HadamardPoissonRegressor(10.0, tol=1e-14).fit(exact, y)

    def objective(fitted):
        linear = exact @ fitted.coef_.astype(np.float64) + float(fitted.intercept_)
        return np.mean(np.exp(linear) - y * linear) + 10.0 * np.abs(fitted.coef_).sum()

    error = 0.5 * np.finfo(np.float32).eps * float(model.intercept_)
    assert objective(model) - objective(best) <= model.dual_gap_
    assert model.dual_gap_ == pytest.approx(0.5 * y.mean() * error**2, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_best_coefficient_that_is_infinite(seed):
    """Counts that are all zero where an indicator without penalty is one: numbers and a warning."""
    rng = np.random.default_rng(seed)
    indicator = rng.random(100) < 0.15
    X = np.column_stack([indicator, rng.standard_normal((100, 5))])
    y = rng.poisson(np.exp(0.4 * X[:, 1] + 1.0)) * ~indicator
    weights = [0, 1, 1, 1, 1, 1]
    with pytest.warns(ConvergenceWarning, match="duality gap"):
        alphas, coefs, intercepts, gaps = glm_path(X, y, alphas=20, penalty_weights=weights)
    assert np.isfinite(coefs).all()
    assert np.isfinite(gaps).all()
    assert np.exp(intercepts + coefs[0]).max() < 1e-12
    others = glm_path(X[~indicator, 1:], y[~indicator], alphas=alphas * y.size / sum(~indicator))
    assert_allclose(coefs[1:, -1], others[1][:, -1], rtol=0.05)


@pytest.mark.parametrize("value", [3.0, 0.1, 1e5])
def test_constant_targets_have_nothing_to_fit(value):
    X, y = np.random.default_rng(0).standard_normal((30, 5)), np.full(30, value)
    for model in (
        HadamardPoissonRegressor(),
        HadamardGammaRegressor(),
        HadamardTweedieRegressor(),
        HadamardPoissonRegressorCV(cv=3),
    ):
        for data in ((X, y), (Batches(lambda: [(X, y)]),)):
            model.fit(*data)
            assert not model.coef_.any()
            assert_allclose(model.predict(X), value, rtol=1e-12)
    assert not glm_path(X, y)[1].any()
