"""Cross-validation of Poisson, gamma and Tweedie regression."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.metrics import mean_tweedie_deviance
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    CrossValidationDisplay,
    HadamardGammaRegressor,
    HadamardGammaRegressorCV,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    HadamardTweedieRegressor,
    HadamardTweedieRegressorCV,
    RegularizationPathDisplay,
)

rng = np.random.default_rng(0)
N, P = 150, 30
X = rng.standard_normal((N, P)) * (rng.random((N, P)) < 0.6)
OFFSET = rng.normal(size=N)
WEIGHTS = rng.exponential(size=N)
MEAN = np.exp(0.5 + X[:, :3] @ [0.8, -0.6, 0.4] + OFFSET)
NUMBER = rng.poisson(MEAN)
FAMILIES = {
    "poisson": (1.0, HadamardPoissonRegressorCV, HadamardPoissonRegressor, NUMBER * 1.0),
    "gamma": (2.0, HadamardGammaRegressorCV, HadamardGammaRegressor, rng.gamma(2.0, MEAN)),
    "tweedie": (
        1.5,
        HadamardTweedieRegressorCV,
        HadamardTweedieRegressor,
        rng.gamma(np.maximum(2.0 * NUMBER, 1.0)) * (NUMBER > 0),
    ),
}
each_family = pytest.mark.parametrize("family", FAMILIES)


@parametrize_with_checks([kind(alphas=5, cv=3) for _, kind, *_ in FAMILIES.values()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@each_family
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_deviances_are_those_of_single_fits(family, container):
    power, kind, single, y = FAMILIES[family]
    alphas = np.array([0.5, 0.2, 0.1, 0.05])
    model = kind(alphas=alphas, cv=KFold(3), tol=1e-10)
    model.fit(container(X), y, WEIGHTS, OFFSET)
    assert_array_equal(model.alphas_, alphas)
    for fold, (train, test) in enumerate(KFold(3).split(X)):
        for position, alpha in enumerate(alphas):
            fitted = single(alpha=alpha, tol=1e-10)
            fitted.fit(container(X)[train], y[train], WEIGHTS[train], OFFSET[train])
            means = fitted.predict(X[test], OFFSET[test])
            right = mean_tweedie_deviance(y[test], means, sample_weight=WEIGHTS[test], power=power)
            assert model.deviance_path_[position, fold] == pytest.approx(right, rel=1e-5)
    means = model.deviance_path_.mean(axis=1)
    assert model.alpha_ == model.alpha_min_ == alphas[means.argmin()]
    within = means <= means.min() + model.deviance_se_[means.argmin()]
    assert model.alpha_1se_ == alphas[within][0]
    refitted = single(alpha=model.alpha_, tol=1e-10).fit(container(X), y, WEIGHTS, OFFSET)
    assert_allclose(model.coef_, refitted.coef_, atol=1e-5)
    assert model.intercept_ == pytest.approx(refitted.intercept_, abs=1e-5)
    assert model.score(X, y, WEIGHTS, OFFSET) == pytest.approx(
        refitted.score(X, y, WEIGHTS, OFFSET), rel=1e-5
    )


@each_family
def test_the_path_and_the_rules(family):
    _, kind, single, y = FAMILIES[family]
    model = kind(rule="1se", cv=4, alphas=30).fit(X, y, offset=OFFSET)
    assert len(model.alphas_) <= 30
    assert model.alpha_ == model.alpha_1se_ >= model.alpha_min_
    other = model.at(model.alpha_min_)
    assert type(other) is single
    right = single(alpha=model.alpha_min_).fit(X, y, offset=OFFSET)
    assert_allclose(other.predict(X, OFFSET), right.predict(X, OFFSET), rtol=0.05)
    assert (model.dual_gap_path_ >= 0.0).all()
    assert model.n_iter_path_[0] == 0
    assert model.coef_path_.shape == (P, len(model.alphas_))
    with pytest.raises(ValueError, match="is not on the grid"):
        model.at(123.0)
    display = CrossValidationDisplay.from_estimator(model)
    assert display.loss_name == "mean deviance"
    assert_array_equal(display.losses, model.deviance_path_)
    assert len(RegularizationPathDisplay.from_estimator(model, X, y).penalties) > 10


@each_family
def test_folds_at_a_time(family):
    _, kind, _, y = FAMILIES[family]
    models = [kind(alphas=10, cv=3, n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2)]
    assert_array_equal(models[0].deviance_path_, models[1].deviance_path_)


def test_a_training_fold_without_counts():
    y = np.where(np.arange(N) < 50, rng.poisson(3.0, N), 0.0)
    folds = [(np.arange(50, 150), np.arange(50)), (np.arange(100), np.arange(100, 150))]
    model = HadamardPoissonRegressorCV(cv=folds, alphas=5).fit(X, y)
    assert np.isfinite(model.deviance_path_).all()
    assert model.deviance_path_[:, 0].min() > 100.0


def test_grids_end_where_the_fit_is_saturated():
    wide = np.random.default_rng(1).standard_normal((30, 200))
    y = np.random.default_rng(2).poisson(5.0, 30)
    model = HadamardPoissonRegressorCV(cv=2, eps=1e-5, alphas=60).fit(wide, y)
    assert model.stopped_early_
    assert len(model.alphas_) < 60
    model.set_params(early_stop=False).fit(wide, y)
    assert not model.stopped_early_
    assert len(model.alphas_) == 60


def test_splitters_get_what_they_ask_for():
    y, groups = FAMILIES["poisson"][3], np.arange(N) % 7
    with config_context(enable_metadata_routing=True):
        model = HadamardPoissonRegressorCV(cv=GroupKFold(3), alphas=5)
        model.fit(X, y, groups=groups)
        right = HadamardPoissonRegressorCV(cv=GroupKFold(3).split(X, y, groups), alphas=5)
    assert_array_equal(model.deviance_path_, right.fit(X, y).deviance_path_)
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        HadamardPoissonRegressorCV(alphas=5).fit(X, y, groups=groups)


def test_lines_of_progress(capsys):
    HadamardPoissonRegressorCV(cv=2, alphas=5, verbose=1).fit(X, FAMILIES["poisson"][3])
    lines = capsys.readouterr().err
    assert "fold 1: smallest mean deviance" in lines


def test_parameters_that_are_not_allowed():
    y = FAMILIES["poisson"][3]
    with pytest.raises(ValueError, match="alphas"):
        HadamardPoissonRegressorCV(alphas=[0.1, 0.0]).fit(X, y)
    with pytest.raises(ValueError, match="'l1_ratio' parameter"):
        HadamardPoissonRegressorCV(l1_ratio=[0.5, 1.0]).fit(X, y)
    with pytest.raises(ValueError, match="l1_ratio=0"):
        HadamardPoissonRegressorCV(l1_ratio=0.0).fit(X, y)
    with pytest.raises(ValueError, match="'rule' parameter"):
        HadamardPoissonRegressorCV(rule="max").fit(X, y)
