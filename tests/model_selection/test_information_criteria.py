"""HadamardLassoIC, against scikit-learn's LassoLarsIC and the formulas of the criteria."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import comb
from sklearn.datasets import load_diabetes, make_regression
from sklearn.linear_model import Lasso, LassoLarsIC, LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import HadamardLasso, HadamardLassoIC

X, y = load_diabetes(return_X_y=True)


@parametrize_with_checks(
    [HadamardLassoIC("ebic")],
    expected_failed_checks=lambda estimator: {
        f"check_sample_weight_equivalence_on_{kind}_data": "a criterion counts samples: weights "
        "say how exact they are, and a repeated one is two"
        for kind in ("dense", "sparse")
    },
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("criterion", ["aic", "bic"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_same_as_lasso_lars_ic(criterion, fit_intercept):
    lars = LassoLarsIC(criterion, fit_intercept=fit_intercept).fit(X, y)
    predictor = lars.alphas_[lars.alphas_ > 0]
    # at a knot a coefficient is just zero: on its way in, as above it, or out, as below it
    sides = [
        HadamardLassoIC(criterion, alphas=predictor * side, fit_intercept=fit_intercept).fit(X, y)
        for side in (1 + 1e-9, 1 - 1e-9)
    ]
    ours = np.minimum(sides[0].criterion_, sides[1].criterion_)
    assert_allclose(ours, lars.criterion_[: len(predictor)], rtol=1e-7)
    assert sides[0].noise_variance_ == pytest.approx(lars.noise_variance_)
    assert sides[0].alpha_ == pytest.approx(lars.alpha_)
    assert_allclose(sides[0].coef_, lars.coef_, atol=1e-4)


def test_formulas():
    n, p = X.shape
    sigma2 = 3000.0
    for criterion in ("aic", "aicc", "bic", "ebic"):
        model = HadamardLassoIC(criterion, alphas=[1.0, 0.1], noise_variance=sigma2, ebic_gamma=0.5)
        model.fit(X, y)
        for alpha, value in zip(model.alphas_, model.criterion_, strict=True):
            lasso = HadamardLasso(alpha, tol=1e-10).fit(X, y)
            d = (lasso.coef_ != 0).sum()
            penalty = {
                "aic": 2 * d,
                "aicc": 2 * d + 2 * d * (d + 1) / (n - d - 1),
                "bic": np.log(n) * d,
                "ebic": np.log(n) * d + 2 * 0.5 * np.log(comb(p, d)),
            }[criterion]
            squares = ((y - lasso.predict(X)) ** 2).sum()
            assert value == pytest.approx(
                n * np.log(2 * np.pi * sigma2) + squares / sigma2 + penalty
            )


@pytest.mark.parametrize("criterion", ["aic", "aicc", "bic", "ebic"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weighted_criterion(criterion, container, fit_intercept):
    weights = np.random.default_rng(0).uniform(0.1, 3.0, len(y))
    weights[::4] = 0.0
    kept = weights > 0.0
    n, p = kept.sum(), X.shape[1]
    model = HadamardLassoIC(criterion, alphas=[1.0, 0.1], fit_intercept=fit_intercept)
    model.fit(container(X), y, sample_weight=5.0 * weights)
    s = weights[kept] * n / weights.sum()
    least_squares = LinearRegression(fit_intercept=fit_intercept).fit(X[kept], y[kept], s)
    squares = s @ (y[kept] - least_squares.predict(X[kept])) ** 2
    s2 = squares / (n - p - fit_intercept)
    assert model.noise_variance_ == pytest.approx(s2)
    for alpha, value in zip(model.alphas_, model.criterion_, strict=True):
        lasso = Lasso(alpha, tol=1e-12, max_iter=10**6, fit_intercept=fit_intercept)
        left = y[kept] - lasso.fit(X[kept], y[kept], s).predict(X[kept])
        d = np.count_nonzero(lasso.coef_)
        k = {
            "aic": 2 * d,
            "aicc": 2 * d + 2 * d * (d + 1) / (n - d - 1),
            "bic": np.log(n) * d,
            "ebic": np.log(n) * d + 2 * np.log(comb(p, d)),
        }[criterion]
        assert value == pytest.approx(n * np.log(2 * np.pi * s2) + s @ left**2 / s2 + k)


def test_samples_without_weight_are_not_there():
    weights = np.random.default_rng(1).uniform(0.1, 3.0, len(y))
    weights[:200] = 0.0
    ours = HadamardLassoIC("bic").fit(X, y, weights)
    rest = HadamardLassoIC("bic").fit(X[200:], y[200:], weights[200:])
    same = HadamardLassoIC("bic").fit(X, y, np.full(len(y), 7.0))
    plain = HadamardLassoIC("bic").fit(X, y)
    for one, other in [(ours, rest), (same, plain)]:
        for name in ("alphas_", "criterion_", "coef_", "noise_variance_", "degrees_of_freedom_"):
            assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9)
    assert np.abs(ours.criterion_ - plain.criterion_).max() > 1.0


def test_samples_of_positive_weight_are_counted():
    weights = np.zeros(len(y))
    weights[:11] = 1.0
    with pytest.raises(ValueError, match="11 samples of 10 features"):
        HadamardLassoIC().fit(X, y, weights)
    weights[11] = 1e-3
    HadamardLassoIC().fit(X, y, weights)


@pytest.mark.parametrize("apart", [1e-5, 1e-7, 1e-9])
def test_losses_keep_their_digits_beside_nearly_dependent_features(apart):
    # in the moments of the data, a loss cancels that is small beside the products with coefficients
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6))
    X[:, 1] = X[:, 0] + apart * rng.standard_normal(200)
    y = X[:, 2] + rng.standard_normal(200)
    weights = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    model = HadamardLassoIC("bic", alphas=[0.2, 0.1, 0.02], penalty_weights=weights, tol=1e-12)
    model.fit(X, y)
    difference = X[:, 1] - X[:, 0]  # the same space, spanned well
    spanned = np.column_stack([X[:, 0], difference / difference.std(), X[:, 2:], np.ones(200)])
    left = y - spanned @ np.linalg.lstsq(spanned, y, rcond=None)[0]
    assert model.noise_variance_ == pytest.approx(left @ left / (200 - 7), rel=1e-9)
    for alpha, criterion, size in zip(
        model.alphas_, model.criterion_, model.degrees_of_freedom_, strict=True
    ):
        lasso = HadamardLasso(alpha, penalty_weights=weights, tol=1e-14).fit(spanned[:, :6], y)
        squares = ((y - lasso.predict(spanned[:, :6])) ** 2).sum()
        assert size == np.count_nonzero(lasso.coef_)
        expected = squares / model.noise_variance_ + np.log(200) * size
        constant = 200 * np.log(2 * np.pi * model.noise_variance_)
        assert criterion - constant == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 1e-7])
def test_noise_variance_of_a_copy_beside_a_near_copy(apart):
    """They are two columns of three, whichever have coefficients."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((36, 4))
        X[:, 1], X[:, 2] = X[:, 0] + apart * rng.standard_normal(36), X[:, 0]
        y = X[:, 3] + rng.standard_normal(36)
        spanned = np.column_stack([X[:, [0, 3]], (X[:, 1] - X[:, 0]) / apart, np.ones(36)])
        left = y - spanned @ np.linalg.lstsq(spanned, y, rcond=None)[0]
        found = HadamardLassoIC(alphas=3).fit(X, y).noise_variance_
        assert found == pytest.approx(left @ left / (36 - 4), rel=1e-6)


def test_noise_variance_of_dependent_features():
    model = HadamardLassoIC().fit(np.hstack([X, X[:, :3], np.ones((len(y), 1))]), y)
    left = y - LinearRegression().fit(X, y).predict(X)
    assert model.noise_variance_ == pytest.approx((left**2).sum() / (len(y) - 11))


def test_finds_the_features_that_matter():
    wide, target, truth = make_regression(
        80, 300, n_informative=5, noise=2.0, coef=True, random_state=0
    )
    model = HadamardLassoIC("ebic", noise_variance=4.0).fit(wide, target)
    found = set(np.flatnonzero(model.coef_))
    assert set(np.flatnonzero(truth)) <= found
    assert len(found) < 15
    assert_array_equal(model.degrees_of_freedom_ <= 80, True)
    same = HadamardLassoIC("ebic", noise_variance=4.0).fit(sparse.csc_array(wide), target)
    assert_allclose(same.criterion_, model.criterion_, rtol=1e-9)


def test_too_few_samples_for_aicc():
    model = HadamardLassoIC("aicc", noise_variance=1.0).fit(X[:8], y[:8])
    assert model.degrees_of_freedom_[np.argmin(model.criterion_)] < 7


def test_noise_variance_that_can_not_be_estimated():
    with pytest.raises(ValueError, match=r"11 samples of 10 features.*Give noise_variance"):
        HadamardLassoIC().fit(X[:11], y[:11])
    HadamardLassoIC(fit_intercept=False).fit(X[:11], y[:11])


@pytest.mark.parametrize(
    "parameters",
    [{"criterion": "cp"}, {"noise_variance": 0.0}, {"ebic_gamma": 2.0}, {"alphas": "many"}],
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        HadamardLassoIC(**parameters).fit(X, y)


@pytest.mark.parametrize("seed", range(40))
def test_at_knots_no_coefficient_is_rounding_alone(seed):
    """The feature that enters at a knot is not in yet."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(20, 90)), int(rng.integers(2, 12))
    A = rng.standard_normal((n, p))
    target = A[:, 0] + rng.standard_normal(n)
    criterion = ["aic", "bic"][seed % 2]
    lars = LassoLarsIC(criterion).fit(A, target)
    knots = lars.alphas_ > 1e-12
    model = HadamardLassoIC(criterion, alphas=lars.alphas_[knots]).fit(A, target)
    assert_allclose(model.criterion_, lars.criterion_[knots], rtol=1e-9)
    assert np.abs(model.coef_[model.coef_ != 0.0]).min(initial=1.0) > 1e-9
    assert np.count_nonzero(model.coef_) == model.degrees_of_freedom_.max(
        initial=0, where=model.alphas_ == model.alpha_
    )


@pytest.mark.parametrize("max_iter", [1, 3])
def test_the_model_is_the_point_of_the_path(max_iter):
    """It is not solved anew from nothing, which so few sweeps may not do."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        A = rng.standard_normal((72, 25)) @ rng.standard_normal((25, 25))
        target = A[:, :5].sum(axis=1) + rng.standard_normal(72)
        weights = np.where(rng.random(25) < 0.2, 0.0, 1.0)
        model = HadamardLassoIC(max_iter=max_iter, noise_variance=1.0, penalty_weights=weights)
        model.fit(A, target)  # a warning is an error
        best = model.alphas_ == model.alpha_
        assert_array_equal(model.degrees_of_freedom_[best], np.count_nonzero(model.coef_))
        assert model.dual_gap_ <= 1e-4 * target.var()
        assert model.n_iter_ >= 1


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_noise_variance_of_non_negative_least_squares(fit_intercept):
    """As in scikit-learn, features at zero count, too, as if they were not bounded."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 20))
    y = X[:, 0] - X[:, 1] + rng.standard_normal(60) + fit_intercept
    lars = LassoLarsIC("bic", positive=True, fit_intercept=fit_intercept)
    if fit_intercept:  # it takes the residuals of centred data
        X, y = X - X.mean(axis=0), y - y.mean()
    model = HadamardLassoIC("bic", positive=True, fit_intercept=fit_intercept).fit(X, y)
    assert model.noise_variance_ == pytest.approx(lars.fit(X, y).noise_variance_)
