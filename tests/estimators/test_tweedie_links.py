"""Tweedie regression of all powers and links: where the loss is not convex, KKT residuals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import TweedieRegressor
from sklearn.metrics import d2_tweedie_score, mean_tweedie_deviance

from hplasso import (
    CertificateDisplay,
    HadamardElasticNet,
    HadamardTweedieRegressor,
    HadamardTweedieRegressorCV,
    RegularizationPathDisplay,
    glm_path,
)

N, P = 120, 12
NOT_CONVEX = [
    (3.0, "log"),
    (2.5, "log"),
    (0.0, "log"),
    (-1.0, "log"),
    (1.0, "identity"),
    (1.5, "identity"),
    (2.0, "identity"),
    (3.0, "identity"),
    (-1.0, "identity"),
]
each_family = pytest.mark.parametrize(("power", "link"), NOT_CONVEX)


def sample(power, link, seed=0, spread=0.3):
    """X, y, weights, an offset: means between 0.2 and 5, for an identity link as well."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, (N, P))
    offset = rng.uniform(-0.3, 0.3, N)
    outputs = spread * (X[:, 0] - 0.8 * X[:, 1] + 0.5 * X[:, 2]) + offset
    means = np.exp(outputs) if link == "log" else 1.5 + outputs
    y = rng.normal(means, 0.3) if power <= 0.0 else rng.gamma(4.0, means / 4.0)
    return X, y, rng.exponential(size=N) + 0.1, offset


def losses_and_residuals(y, outputs, power, link):
    """Up to what y alone contributes."""
    means = np.exp(outputs) if link == "log" else outputs
    if not (means > 0.0).all():
        return np.full(y.shape, np.inf), np.zeros(y.shape)
    if power == 1.0:
        losses = means - y * np.log(means)
    elif power == 2.0:
        losses = np.log(means) + y / means
    else:
        losses = means ** (2.0 - power) / (2.0 - power) - y * means ** (1.0 - power) / (1.0 - power)
    slope = means if link == "log" else 1.0
    return losses, (y - means) * means**-power * slope


class Objective:
    """That of weights, penalty and offset, from raw data."""

    def __init__(self, X, y, weights, offset, power, link, alpha, l1_ratio):
        self.X, self.y, self.weights, self.offset = X, y, weights / weights.sum(), offset
        self.family = power, link
        self.l1, self.ridge = alpha * l1_ratio, alpha * (1.0 - l1_ratio)

    def smooth(self, coef, intercept):
        """The loss with the ridge, and its gradient in coefficients and intercept."""
        outputs = self.X @ coef + intercept + self.offset
        losses, residuals = losses_and_residuals(self.y, outputs, *self.family)
        value = self.weights @ losses + 0.5 * self.ridge * coef @ coef
        weighted = self.weights * residuals
        return value, self.ridge * coef - self.X.T @ weighted, -weighted.sum()

    def value(self, coef, intercept):
        return self.smooth(coef, intercept)[0] + self.l1 * np.abs(coef).sum()

    def kkt_residual(self, coef, intercept):
        _, gradient, slope = self.smooth(coef, intercept)
        on = np.abs(gradient + self.l1 * np.sign(coef))
        off = np.abs(gradient) - self.l1
        return max(np.where(coef != 0.0, on, off).max(), abs(slope))

    def descended(self, coef, intercept):
        """The objective where another solver ends that starts there."""

        def halves(variables):
            value, gradient, slope = self.smooth(
                variables[:P] - variables[P : 2 * P], variables[-1]
            )
            value += self.l1 * variables[: 2 * P].sum()
            return value, np.concatenate([gradient + self.l1, self.l1 - gradient, [slope]])

        start = np.concatenate([np.maximum(coef, 0.0), np.maximum(-coef, 0.0), [intercept]])
        bounds = [(0.0, None)] * (2 * P) + [(None, None)]
        options = {"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10}
        return minimize(
            halves, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        ).fun


@each_family
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_a_local_minimum_with_its_kkt_residual(power, link, l1_ratio, container):
    X, y, weights, offset = sample(power, link)
    alpha, tol = 0.02, 1e-9
    model = HadamardTweedieRegressor(
        power=power, link=link, alpha=alpha, l1_ratio=l1_ratio, tol=tol
    ).fit(container(X), y, weights, offset)
    objective = Objective(X, y, weights, offset, power, link, alpha, l1_ratio)
    true = objective.kkt_residual(model.coef_, model.intercept_)
    null = HadamardTweedieRegressor(power=power, link=link, alpha=1e3).fit(X, y, weights, offset)
    assert_array_equal(null.coef_, 0.0)
    largest = np.abs(objective.smooth(null.coef_, null.intercept_)[1]).max()
    assert true - 1e-15 <= model.kkt_residual_ <= tol * largest * (1.0 + 1e-6)
    assert not hasattr(model, "dual_gap_")
    value = objective.value(model.coef_, model.intercept_)
    assert value - objective.descended(model.coef_, model.intercept_) <= 1e-10
    assert value < objective.value(null.coef_, null.intercept_) - 1e-3
    if l1_ratio == 1.0:
        assert 0 < np.count_nonzero(model.coef_) < P


@each_family
def test_a_ridge_penalty_is_that_of_scikit_learn(power, link):
    if (power, link) == (-1.0, "identity"):
        pytest.skip("scikit-learn begins at means that are not positive")
    X, y, weights, _ = sample(power, link)
    peer = TweedieRegressor(power=power, link=link, alpha=0.05, tol=1e-9, max_iter=10_000)
    if link == "identity":  # it begins at means of the intercept
        peer.set_params(warm_start=True)
        peer.coef_, peer.intercept_ = np.zeros(P), np.average(y, weights=weights)
    peer.fit(X, y, weights)
    model = HadamardTweedieRegressor(power=power, link=link, alpha=0.05, l1_ratio=0.0, tol=1e-10)
    model.fit(X, y, weights)
    assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-6)
    assert_allclose(model.score(X, y, weights), peer.score(X, y, weights), atol=1e-6)
    assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("link", ["auto", "identity"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_the_normal_distribution_is_least_squares(link, l1_ratio):
    X, y, weights, _ = sample(0.0, "identity")
    y = y - 2.0  # means of any sign
    model = HadamardTweedieRegressor(
        power=0, link=link, alpha=0.02, l1_ratio=l1_ratio, tol=1e-12
    ).fit(X, y, weights)
    right = HadamardElasticNet(alpha=0.02, l1_ratio=l1_ratio, tol=1e-12).fit(X, y, weights)
    assert_allclose(model.coef_, right.coef_, atol=1e-9)
    assert_allclose(model.intercept_, right.intercept_, atol=1e-9)
    assert model.dual_gap_ <= 1e-12 * y.var()
    assert not hasattr(model, "kkt_residual_")
    assert_allclose(model.score(X, y, weights), right.score(X, y, weights), rtol=1e-12)
    assert (model.predict(X) < 0.0).any()


@each_family
def test_paths_begin_where_the_first_feature_enters(power, link):
    X, y, weights, offset = sample(power, link)
    tol, name = 1e-6, {"family": "tweedie", "power": power, "link": link}
    alphas, coefs, intercepts, residuals = glm_path(
        X, y, **name, alphas=15, eps=0.05, sample_weight=weights, offset=offset, tol=tol
    )
    assert not coefs[:, 0].any()
    assert coefs[:, 1].any()
    for alpha, coef, intercept, residual in zip(
        alphas, coefs.T, intercepts, residuals, strict=True
    ):
        objective = Objective(X, y, weights, offset, power, link, alpha, 1.0)
        true = objective.kkt_residual(coef, intercept)
        assert true - 1e-13 <= residual <= tol * alphas[0] * (1.0 + 1e-9)


def test_positive_coefficients():
    X, y, _, _ = sample(3.0, "log")
    model = HadamardTweedieRegressor(power=3, alpha=0.01, positive=True, tol=1e-9).fit(X, y)
    assert model.coef_.min() == 0.0 < model.coef_.max()
    outputs = X @ model.coef_ + model.intercept_
    gradient = -X.T @ losses_and_residuals(y, outputs, 3.0, "log")[1] / N + 0.01
    assert np.where(model.coef_ > 0.0, np.abs(gradient), -gradient).max() <= model.kkt_residual_


def test_what_certifies_is_called_by_its_name(capsys):
    X, y, _, _ = sample(3.0, "log")
    model = HadamardTweedieRegressor(power=3, alpha=0.01, tol=1e-8, max_iter=1, verbose=2)
    with pytest.warns(ConvergenceWarning, match=r"KKT residual .*, asked for .* max_iter"):
        model.fit(X, y)
    printed = capsys.readouterr().err
    assert "KKT residual" in printed
    assert "gap" not in printed
    assert hasattr(model, "kkt_residual_")
    model.set_params(power=1.5, max_iter=1000).fit(X, y)
    assert not hasattr(model, "kkt_residual_")
    assert "duality gap" in capsys.readouterr().err
    display = CertificateDisplay.from_estimator(model.set_params(power=3), X, y)
    assert "KKT residual" in [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert display.bound == min(display.objectives)
    assert len(RegularizationPathDisplay.from_estimator(model, X, y).penalties) > 10


@pytest.mark.parametrize(("power", "link"), [(3.0, "log"), (2.0, "identity"), (0.0, "identity")])
def test_cross_validation(power, link):
    X, y, weights, offset = sample(power, link)
    folds = [(np.arange(60), np.arange(60, N)), (np.arange(60, N), np.arange(60))]
    model = HadamardTweedieRegressorCV(power=power, link=link, alphas=8, eps=0.4, cv=folds)
    model.set_params(tol=1e-8).fit(X, y, weights, offset)
    single = HadamardTweedieRegressor(power=power, link=link, tol=1e-8)
    for position in (2, 7):
        single.set_params(alpha=model.alphas_[position])
        for number, (training, test) in enumerate(folds):
            single.fit(X[training], y[training], weights[training], offset[training])
            right = mean_tweedie_deviance(
                y[test],
                single.predict(X[test], offset[test]),
                sample_weight=weights[test],
                power=power,
            )
            assert_allclose(model.deviance_path_[position, number], right, rtol=1e-6)
    name = "dual_gap" if power == 0.0 else "kkt_residual"
    other = model.at(model.alphas_[3])
    assert getattr(other, f"{name}_") == getattr(model, f"{name}_path_")[3]
    assert not {"dual_gap_", "kkt_residual_"} - {f"{name}_"} & set(vars(model))
    means = model.predict(X)
    assert_allclose(
        model.score(X, y, weights),
        d2_tweedie_score(y, means, sample_weight=weights, power=power),
        rtol=1e-10,
    )


def test_what_an_identity_link_does_not_allow():
    X, y, _, _ = sample(1.0, "identity")
    model = HadamardTweedieRegressor(power=1, link="identity", alpha=0.1)
    with pytest.raises(ValueError, match=r"y are zero.*link='identity'.*link='log'"):
        model.fit(X, np.where(y > 1.0, y, 0.0))
    with pytest.raises(ValueError, match=r"means have to be positive where all coefficients"):
        model.set_params(fit_intercept=False).fit(X, y)
    assert not hasattr(model, "coef_")
    model.fit(X, y, offset=np.full(N, 1.0))  # means of one
    assert model.kkt_residual_ < 1e-4
    with pytest.raises(ValueError, match=r"loss 'HalfTweedieLossIdentity'. They have to be >= 0"):
        model.fit(X, -y)
    with pytest.raises(ValueError, match=r"mean of y has to be positive with link='log'. It is -"):
        HadamardTweedieRegressor(power=0, link="log").fit(X, -y)
    with pytest.raises(ValueError, match=r"loss 'HalfTweedieLoss'. They have to be positive"):
        HadamardTweedieRegressor(power=3).fit(X, y - y.min())


def test_exposures_of_zero_count_for_nothing():
    X, y, weights, offset = sample(1.5, "log")
    weights[:5], offset[:5] = 0.0, -np.inf  # the logarithm of the exposure
    model = HadamardTweedieRegressor(alpha=0.02, tol=1e-10).fit(X, y, weights, offset)
    right = HadamardTweedieRegressor(alpha=0.02, tol=1e-10)
    right.fit(X[5:], y[5:], weights[5:], offset[5:])
    assert_allclose(model.coef_, right.coef_, atol=1e-8)
    score = model.score(X, y, weights, offset)
    assert_allclose(score, right.score(X[5:], y[5:], weights[5:], offset[5:]), rtol=1e-8)
    with pytest.raises(ValueError, match="offset contains infinity"):
        model.fit(X, y, np.ones(N), offset)
