"""Relaxed fits: beside scikit-learn's fits without penalty, loops over folds, and glmnet."""

import json
import pickle
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from sklearn.metrics import log_loss, mean_squared_error, mean_tweedie_deviance
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    CrossValidationDisplay,
    HadamardElasticNet,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardRelaxed,
    HadamardRelaxedCV,
    HadamardTweedieRegressor,
    lasso_path,
)
from hplasso._design.dense import DenseContainer
from hplasso._estimators.linear_model import options_of
from hplasso._model_selection import relaxation, single_penalty

sys.path.insert(0, str(Path(__file__).parent.parent / "references"))
import glmnet_relaxed

rng = np.random.default_rng(0)
N, P = 120, 12
X = rng.standard_normal((N, P)) + 0.5
SIGNAL = (X[:, :3] - 0.5) @ [1.0, -0.8, 0.6]
Y = SIGNAL + rng.standard_normal(N)
WEIGHTS = rng.integers(0, 4, N).astype(float)
OFFSET = 0.3 * rng.standard_normal(N)
TIGHT = {"tol": 1e-12}
EXACT = {"tol": 1e-12, "max_iter": 100_000}
# An estimator, the target, and scikit-learn's estimator without penalty.
MODELS = {
    "lasso": (HadamardLasso(alpha=0.2, **TIGHT), Y, LinearRegression()),
    "elastic net": (HadamardElasticNet(alpha=0.3, l1_ratio=0.7, **TIGHT), Y, LinearRegression()),
    "two classes": (
        HadamardLogisticRegression(C=0.1, **TIGHT),
        Y > 0.0,
        LogisticRegression(C=1e15, **EXACT),
    ),
    "three classes": (
        HadamardLogisticRegression(C=0.1, **TIGHT),
        np.digitize(Y, [-0.7, 0.7]),
        LogisticRegression(C=1e15, **EXACT),
    ),
    "poisson": (
        HadamardPoissonRegressor(alpha=0.3, **TIGHT),
        rng.poisson(np.exp(SIGNAL)).astype(float),
        PoissonRegressor(alpha=0.0, **EXACT),
    ),
    "gamma": (
        HadamardGammaRegressor(alpha=0.1, **TIGHT),
        rng.gamma(2.0, np.exp(SIGNAL)),
        GammaRegressor(alpha=0.0, **EXACT),
    ),
    "tweedie": (
        HadamardTweedieRegressor(alpha=0.3, **TIGHT),
        rng.gamma(2.0, np.exp(SIGNAL)) * (rng.random(N) < 0.8),
        TweedieRegressor(alpha=0.0, power=1.5, **EXACT),
    ),
}
SCORES = {"lasso": "neg_mean_squared_error", "two classes": "neg_log_loss"}
each_model = pytest.mark.parametrize("name", MODELS)


def outputs_of(model, samples):
    """What tells models apart: probabilities, or predictions."""
    return getattr(model, "predict_proba", model.predict)(samples)


@each_model
def test_the_refit_is_that_of_scikit_learn_on_the_support(name):
    estimator, y, peer = MODELS[name]
    model = HadamardRelaxed(estimator).fit(X, y, sample_weight=WEIGHTS)
    penalised = clone(estimator).fit(X, y, sample_weight=WEIGHTS)
    support = np.atleast_2d(penalised.coef_).any(axis=0)
    assert 2 <= support.sum() < P
    peer = clone(peer).fit(X[:, support], y, sample_weight=WEIGHTS)
    assert_allclose(outputs_of(model, X), outputs_of(peer, X[:, support]), rtol=1e-5, atol=1e-6)
    assert not np.atleast_2d(model.coef_)[:, ~support].any()
    if name != "three classes":  # whose coefficients and intercepts are free by a constant
        tolerance = 1e-10 if isinstance(peer, LinearRegression) else 1e-5
        assert_allclose(model.coef_[..., support], peer.coef_, rtol=tolerance, atol=tolerance)
        assert_allclose(model.intercept_, peer.intercept_, rtol=tolerance, atol=tolerance)
    assert_array_equal(model.coef_penalised_, penalised.coef_)
    assert_array_equal(model.intercept_penalised_, penalised.intercept_)
    assert model.refit_exists_


def test_every_support_of_a_path():
    alphas, coefs, _ = lasso_path(X, Y, fit_intercept=True, tol=1e-12)
    tested = set()
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        model = HadamardRelaxed(HadamardLasso(alpha=alpha)).fit(X, Y)
        support = model.coef_penalised_ != 0.0
        assert_array_equal(support, coef != 0.0)
        if support.any():
            peer = LinearRegression().fit(X[:, support], Y)
            assert_allclose(model.coef_[support], peer.coef_, rtol=1e-10, atol=1e-10)
            assert_allclose(model.intercept_, peer.intercept_, rtol=1e-10, atol=1e-10)
        tested.add(tuple(support))
    assert len(tested) >= P


@each_model
def test_logistic_refits_are_exact_at_the_default_tolerance(name):
    estimator, y, _ = MODELS[name]
    exact = HadamardRelaxed(estimator).fit(X, y)
    loose = HadamardRelaxed(clone(estimator).set_params(tol=1e-4)).fit(X, y)
    assert_allclose(loose.coef_refitted_, exact.coef_refitted_, rtol=1e-4, atol=1e-4)


@each_model
def test_a_mixture_of_the_two_fits(name):
    estimator, y, _ = MODELS[name]
    model = HadamardRelaxed(estimator, gamma=0.3).fit(X, y)
    for what in ("coef", "intercept"):
        penalised, refitted = (
            getattr(model, f"{what}_{fit}_") for fit in ("penalised", "refitted")
        )
        assert np.abs(penalised - refitted).max() > 1e-3
        assert_allclose(getattr(model, f"{what}_"), 0.3 * penalised + 0.7 * refitted)
        assert_array_equal(getattr(model, f"{what}_"), getattr(model.estimator_, f"{what}_"))
    assert type(model.estimator_) is type(estimator)
    assert_allclose(model.estimator_.mu_ * model.estimator_.nu_, model.coef_)
    assert not hasattr(model.estimator_, "dual_gap_")
    assert hasattr(model, "predict_proba") == is_classifier(estimator) == is_classifier(model)
    assert is_regressor(estimator) == is_regressor(model)
    assert_array_equal(model.predict(X), model.estimator_.predict(X))
    assert model.score(X, y, sample_weight=WEIGHTS) == model.estimator_.score(X, y, WEIGHTS)
    if is_classifier(model):
        for method in ("predict_proba", "predict_log_proba", "decision_function"):
            assert_array_equal(getattr(model, method)(X), getattr(model.estimator_, method)(X))
        assert_array_equal(model.classes_, np.unique(y))
    whole = HadamardRelaxed(estimator, gamma=1.0).fit(X, y)
    assert_array_equal(whole.coef_, clone(estimator).fit(X, y).coef_)
    assert model.estimator_.to_sklearn().predict(X).shape == y.shape


@pytest.mark.parametrize("name", ["lasso", "two classes", "poisson"])
def test_an_offset_is_in_both_fits(name):
    estimator, y, _ = MODELS[name]
    model = HadamardRelaxed(estimator).fit(X, y, sample_weight=WEIGHTS, offset=OFFSET)
    means = getattr(model, "predict_proba", model.predict)(X, offset=OFFSET)
    residual = WEIGHTS * (y - (means if means.ndim == 1 else means[:, 1]))
    support = np.atleast_2d(model.coef_).any(axis=0)
    scale = np.abs(X).T @ np.abs(residual)
    assert abs(residual.sum()) < 1e-9 * np.abs(residual).sum()
    assert (np.abs(X.T @ residual)[support] < 1e-9 * scale[support]).all()
    assert model.score(X, y, offset=OFFSET) == model.estimator_.score(X, y, offset=OFFSET)


def test_of_three_classes_a_feature_is_in_for_all():
    estimator, y, _ = MODELS["three classes"]
    model = HadamardRelaxed(estimator).fit(X, y)
    some = model.coef_penalised_ != 0.0
    partly = some.any(axis=0) & ~some.all(axis=0)
    assert partly.any()
    assert model.coef_refitted_[:, partly].all()


def test_positive_holds_for_the_refit():
    rng = np.random.default_rng(0)
    many = np.column_stack([X[:, 0], X[:, 0] + 0.3 * X[:, 5], X[:, 1]])
    y = 2.0 * many[:, 0] - 0.2 * many[:, 1] + 0.1 * rng.standard_normal(N)
    free, bounded = (
        HadamardRelaxed(HadamardElasticNet(alpha=1.0, l1_ratio=0.1, positive=bound)).fit(many, y)
        for bound in (False, True)
    )
    assert free.coef_[1] < 0.0 < bounded.coef_penalised_[1]
    assert bounded.coef_[1] == 0.0
    peer = LinearRegression(positive=True).fit(many[:, bounded.coef_penalised_ != 0.0], y)
    assert_allclose(bounded.coef_[bounded.coef_penalised_ != 0.0], peer.coef_, atol=1e-9)


def test_penalty_weights_and_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"x{j}" for j in range(P)])
    weights = {"x7": 0.0, "x0": np.inf}
    model = HadamardRelaxed(HadamardLasso(alpha=0.3, penalty_weights=weights)).fit(frame, Y)
    kept = ["x1", "x2", "x7"]
    assert list(model.feature_names_in_[model.coef_ != 0.0]) == kept
    assert_allclose(
        model.coef_[model.coef_ != 0.0], LinearRegression().fit(frame[kept], Y).coef_, rtol=1e-10
    )


@pytest.mark.parametrize("kind", ["csr", "float32"])
@pytest.mark.parametrize("name", ["lasso", "three classes", "poisson"])
def test_kinds_of_data(name, kind):
    estimator, y, _ = MODELS[name]
    estimator = clone(estimator).set_params(tol=1e-4 if kind == "float32" else 1e-12)
    data = X.astype(np.float32) if kind == "float32" else sparse.csr_array(X).asformat(kind)
    grid = {"Cs" if hasattr(estimator, "C") else "alphas": [0.03, 0.1, 0.3]}
    for model in (HadamardRelaxed(estimator), HadamardRelaxedCV(estimator, cv=3, **grid)):
        one, other = clone(model).fit(X, y), clone(model).fit(data, y)
        tolerance = 1e-3 if kind == "float32" else 1e-8
        assert_allclose(other.coef_, one.coef_, rtol=tolerance, atol=tolerance)
        assert other.coef_.dtype == data.dtype
    assert_allclose(other.scores_, one.scores_, rtol=tolerance)


@pytest.mark.parametrize("name", ["lasso", "three classes", "poisson"])
def test_large_means_cost_no_digits(name):
    estimator, y, _ = MODELS[name]
    shifted = X + 1e5 * (np.arange(P) % 3 == 0)
    shifted[:, -1] = 7.0  # a constant
    grid = {"Cs" if hasattr(estimator, "C") else "alphas": [0.05, 0.1], "cv": 3}
    one = HadamardRelaxedCV(estimator, **grid).fit(X * (np.arange(P) < P - 1), y)
    other = HadamardRelaxedCV(estimator, **grid).fit(shifted, y)
    assert_allclose(other.coef_, one.coef_, rtol=1e-7, atol=1e-7)
    assert_allclose(other.scores_, one.scores_, rtol=1e-7)


def test_nothing_selected_is_its_own_refit():
    model = HadamardRelaxed(HadamardLasso(alpha=100.0)).fit(X, Y)
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(Y.mean())
    assert model.refit_exists_


@pytest.mark.parametrize("repeats", [1, 2])
def test_columns_that_depend_on_each_other(repeats):
    rng = np.random.default_rng(0)
    twins = np.column_stack([X, X[:, 0]])
    wide = rng.standard_normal((10, 40))
    for data, y in ((twins, Y), (wide, Y[:10])):
        net = HadamardElasticNet(alpha=0.1, l1_ratio=0.1)
        data, y = np.repeat(data, repeats, axis=0), np.repeat(y, repeats)
        model = HadamardRelaxed(net)
        with pytest.warns(ConvergenceWarning, match="depend on each other.*gamma=1"):
            model.fit(data, y)
        assert not model.refit_exists_
        assert_array_equal(model.coef_, clone(net).fit(data, y).coef_)
        assert_array_equal(model.coef_refitted_, model.coef_)
        HadamardRelaxed(net, gamma=1.0).fit(data, y)  # asks for none


def test_a_refit_may_go_through_the_samples():
    rng = np.random.default_rng(0)
    wide, y = rng.standard_normal((20, 40)), rng.standard_normal(20)
    model = HadamardRelaxed(HadamardLasso(alpha=0.003)).fit(wide, y)
    assert np.count_nonzero(model.coef_) == 19
    assert_allclose(model.predict(wide), y, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-10])
def test_classes_that_are_separated(n_classes, tol):
    y = np.digitize(X[:, 0], [0.5, 1.0][: n_classes - 1])
    apart = X.copy()
    apart[:, 0] += 2.0 * y
    apart[:, 1] = (apart[:, 0] - 2.5) ** 2
    model = HadamardRelaxed(HadamardLogisticRegression(C=1.0, tol=tol))
    with pytest.warns(ConvergenceWarning, match="are separated.*gamma=1"):
        model.fit(apart, y)
    assert not model.refit_exists_
    assert_array_equal(model.coef_, model.coef_penalised_)


def test_classes_that_are_separated_but_for_some():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((100, 2))
    y = (rng.random(100) < 0.5).astype(int)
    data[:, 0] = np.where(y, rng.random(100) < 0.5, 0.0)  # one only where y is one
    model = HadamardRelaxed(HadamardLogisticRegression(C=1.0))
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        model.fit(data, y)
    assert np.abs(model.coef_).max() < 10.0


@pytest.mark.parametrize(
    "case",
    json.loads((Path(glmnet_relaxed.__file__).with_suffix(".json")).read_text()),
    ids=lambda case: case["data"],
)
def test_glmnet(case):
    samples, y = getattr(glmnet_relaxed, case["data"])()
    n, n_folds = len(y), case["folds"]
    rows, lambdas = np.arange(n), np.array(case["lambda"])
    cv = [(rows[rows % n_folds != k], rows[rows % n_folds == k]) for k in range(n_folds)]
    kinds = {"gaussian": HadamardLasso, "poisson": HadamardPoissonRegressor}
    classes = "nomial" in case["family"]
    unit = len(cv[0][0]) if classes else 1  # of C and lambda
    grid = {"Cs": 1.0 / (unit * lambdas)} if classes else {"alphas": lambdas}
    estimator = kinds.get(case["family"], HadamardLogisticRegression)(**TIGHT)
    model = HadamardRelaxedCV(estimator, gammas=case["gamma"], cv=cv, **grid).fit(samples, y)
    halves = 2.0 if classes else 1.0
    assert_allclose(-halves * model.scores_.mean(axis=-1), case["mean"], rtol=1e-7)
    assert_allclose(halves * model.scores_se_, case["error"], rtol=1e-6)
    for rule in ("min", "1se"):
        penalty = getattr(model, f"{'C' if classes else 'alpha'}_{rule}_")
        penalty = 1.0 / (unit * penalty) if classes else penalty
        assert_allclose([penalty, getattr(model, f"gamma_{rule}_")], case[rule])
    if case["family"] == "gaussian":
        exactly = HadamardRelaxedCV(estimator, gammas=[0.0], cv=cv, **grid).fit(samples, y)
        assert_allclose(-exactly.scores_[0].mean(axis=-1), case["mean"][0], rtol=1e-5)


def loss_of(model, samples, y, weights):
    """The mean loss of a fitted model."""
    if is_classifier(model):
        probabilities = model.predict_proba(samples)
        return log_loss(y, probabilities, sample_weight=weights, labels=model.classes_)
    power = {"Poisson": 1.0, "Gamma": 2.0, "Tweedie": 1.5}
    powers = [value for key, value in power.items() if key in type(model.estimator_).__name__]
    return mean_tweedie_deviance(
        y, model.predict(samples), sample_weight=weights, power=powers[0] if powers else 0.0
    )


@each_model
def test_scores_are_those_of_single_fits(name):
    estimator, y, _ = MODELS[name]
    by_C = hasattr(estimator, "C")
    penalties = [0.03, 0.06, 0.1] if by_C else [0.5, 0.2, 0.05]
    penalty, gammas = "C" if by_C else "alpha", [0.0, 0.4, 1.0]
    model = HadamardRelaxedCV(
        estimator, gammas=gammas[::-1], cv=KFold(2), **{f"{penalty}s": penalties[::-1]}
    ).fit(X, y, sample_weight=WEIGHTS)
    assert_array_equal(getattr(model, f"{penalty}s_"), penalties)
    assert_array_equal(model.gammas_, gammas)
    expected = np.empty((3, 3, 2))
    for fold, (train, test) in enumerate(KFold(2).split(X)):
        for column, value in enumerate(penalties):
            for row, gamma in enumerate(gammas):
                own = clone(estimator).set_params(**{penalty: value})
                own = HadamardRelaxed(own, gamma=gamma).fit(X[train], y[train], WEIGHTS[train])
                expected[row, column, fold] = loss_of(own, X[test], y[test], WEIGHTS[test])
    assert_allclose(-model.scores_, expected, rtol=1e-7)
    assert model.refits_exist_.all()
    row, column = np.unravel_index(expected.mean(axis=-1).argmin(), (3, 3))
    assert model.gamma_ == model.gamma_min_ == gammas[row]
    assert getattr(model, f"{penalty}_") == penalties[column]
    chosen = clone(estimator).set_params(**{penalty: penalties[column]})
    chosen = HadamardRelaxed(chosen, gamma=gammas[row]).fit(X, y, WEIGHTS)
    assert_allclose(model.coef_, chosen.coef_)
    assert_allclose(model.intercept_, chosen.intercept_)
    assert getattr(model.estimator_, penalty) == penalties[column]


@pytest.mark.parametrize(
    ("name", "scoring"),
    [
        ("lasso", "neg_mean_squared_error"),
        ("elastic net", lambda model, samples, y: -mean_squared_error(y, model.predict(samples))),
        ("two classes", "neg_log_loss"),
        ("three classes", "neg_log_loss"),
        ("poisson", "neg_mean_poisson_deviance"),
        ("gamma", "neg_mean_gamma_deviance"),
    ],
)
def test_a_scorer_of_the_loss_says_the_same(name, scoring):
    estimator, y, _ = MODELS[name]
    grid = {"Cs" if hasattr(estimator, "C") else "alphas": 5, "eps": 0.3, "cv": 2}
    weights = {"sample_weight": WEIGHTS} if isinstance(scoring, str) else {}
    one = HadamardRelaxedCV(estimator, **grid).fit(X, y, **weights)
    other = HadamardRelaxedCV(estimator, scoring=scoring, **grid).fit(X, y, **weights)
    assert_allclose(other.scores_, one.scores_, rtol=1e-8)
    assert_allclose(other.coef_, one.coef_)


@pytest.mark.parametrize("name", ["lasso", "three classes", "poisson"])
def test_offsets_in_folds(name):
    estimator, y, _ = MODELS[name]
    shift = OFFSET[:, None] * [0.0, 1.0, -1.0] if name == "three classes" else OFFSET
    values = [0.06, 0.1]
    penalty = "C" if hasattr(estimator, "C") else "alpha"
    model = HadamardRelaxedCV(estimator, gammas=[0.0], cv=KFold(2), **{f"{penalty}s": values})
    model.fit(X, y, offset=shift)
    for column, value in enumerate(getattr(model, f"{penalty}s_")):
        for fold, (train, test) in enumerate(KFold(2).split(X)):
            own = HadamardRelaxed(clone(estimator).set_params(**{penalty: value}))
            own.fit(X[train], y[train], offset=shift[train])
            if is_classifier(own):
                loss = log_loss(y[test], own.predict_proba(X[test], shift[test]))
            else:
                means = own.predict(X[test], offset=shift[test])
                loss = mean_tweedie_deviance(y[test], means, power=float(name == "poisson"))
            assert -model.scores_[0, column, fold] == pytest.approx(loss, rel=1e-8)
    with pytest.raises(ValueError, match="scoring must be None with an offset"):
        model.set_params(scoring="accuracy").fit(X, y, offset=shift)


def test_gamma_one_is_cross_validation_without_relaxing():
    plain = HadamardLassoCV(cv=4, rule="1se").fit(X, Y)
    model = HadamardRelaxedCV(gammas=[1.0], cv=4, rule="1se").fit(X, Y)
    assert_array_equal(model.alphas_, plain.alphas_)
    assert_allclose(-model.scores_[0], plain.mse_path_)
    assert_allclose(model.scores_se_[0], plain.mse_se_)
    assert (model.alpha_, model.alpha_min_) == (plain.alpha_, plain.alpha_min_)
    assert_allclose(model.coef_, plain.coef_)


@pytest.mark.parametrize("n_features", [P, 400])  # by moments, and without
def test_each_support_is_refitted_once(n_features, monkeypatch):
    rng = np.random.default_rng(0)
    supports = Counter()
    original = relaxation._without_penalty

    def counted(problem, support):
        supports[id(problem), support.tobytes()] += 1
        return original(problem, support)

    monkeypatch.setattr(relaxation, "_without_penalty", counted)
    wide = np.column_stack([X, rng.standard_normal((N, n_features - P))])
    model = HadamardRelaxedCV(alphas=40, eps=0.1, cv=[(np.arange(80), np.arange(80, N))])
    model.fit(wide, Y)
    assert set(supports.values()) == {1}
    assert len(supports) - 1 < len(model.alphas_) - 5  # one is that of the refit to all samples


def test_on_moments_refits_do_not_read_the_data(monkeypatch):
    estimator = HadamardLasso()
    data = single_penalty.data_of(BaseEstimator(), estimator, options_of(estimator), X, Y, None)
    problem = data.problem(100)
    assert problem.unpenalised.working_set.complete
    points = problem.trace(np.geomspace(1.0, 0.01, 20))
    for name in ("columns", "rows", "read", "transposed_product", "gram"):
        monkeypatch.setattr(DenseContainer, name, lambda *args: pytest.fail("X is read"))
    monkeypatch.setattr(DenseContainer, "choose", lambda *args: None)
    path = relaxation.relaxed_path(data, problem, points)
    support = path.penalised.coefs[0, :, -1] != 0.0
    peer = LinearRegression().fit(X[:, support], Y)
    assert_allclose(path.refitted.coefs[0, support, -1], peer.coef_, rtol=1e-10)


@pytest.mark.parametrize("name", ["lasso", "three classes", "poisson"])
def test_without_intercept(name):
    estimator, y, peer = MODELS[name]
    estimator = clone(estimator).set_params(fit_intercept=False)
    model = HadamardRelaxed(estimator, gamma=0.0).fit(X, y)
    support = np.atleast_2d(model.coef_).any(axis=0)
    peer = clone(peer).set_params(fit_intercept=False).fit(X[:, support], y)
    assert_allclose(outputs_of(model, X), outputs_of(peer, X[:, support]), rtol=1e-5, atol=1e-6)
    assert_array_equal(model.intercept_, np.zeros_like(model.intercept_))


def test_ties_go_to_the_stronger_penalty_and_then_to_the_larger_gamma():
    rng = np.random.default_rng(0)
    model = HadamardRelaxedCV(alphas=[300.0, 200.0, 0.1], cv=3, rule="1se")
    noise = rng.standard_normal(N)
    model.fit(X, noise)  # nothing is selected but at 0.1
    assert (model.alpha_min_, model.gamma_min_) == (300.0, 1.0)
    assert (model.alpha_, model.gamma_) == (300.0, 1.0)


def test_the_rules_on_all_pairs():
    chosen = set()
    for seed in range(8):
        noise = np.random.default_rng(seed).standard_normal(N)
        model = HadamardRelaxedCV(alphas=30, eps=0.02, cv=4).fit(X, 0.5 * SIGNAL + noise)
        means, errors = model.scores_.mean(axis=-1), model.scores_se_
        row, column = np.unravel_index(means.argmax(), means.shape)
        assert (model.gamma_min_, model.alpha_min_) == (model.gammas_[row], model.alphas_[column])
        within = means >= means.max() - errors[row, column]
        column = within.any(axis=0).argmax()
        row = np.flatnonzero(within[:, column])[-1]
        assert (model.gamma_1se_, model.alpha_1se_) == (model.gammas_[row], model.alphas_[column])
        chosen |= {(model.gamma_min_, model.gamma_1se_)}
    assert len(chosen) > 2


def test_relaxing_pays_where_few_features_matter():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((80, 120))
    truth = 3.0 * wide[:, 0] - 2.0 * wide[:, 1]
    y = truth + rng.standard_normal(80)
    model, plain = HadamardRelaxedCV(cv=3, n_jobs=2).fit(wide, y), HadamardLassoCV().fit(wide, y)
    assert list(np.flatnonzero(model.coef_)) == [0, 1]
    assert np.count_nonzero(plain.coef_) > 5
    errors = [mean_squared_error(truth, each.predict(wide)) for each in (model, plain)]
    assert errors[0] < 0.6 * errors[1]
    assert model.stopped_early_
    serial = HadamardRelaxedCV(cv=3).fit(wide, y)
    assert_allclose(serial.scores_, model.scores_)
    longer = HadamardRelaxedCV(cv=2, gammas=[1.0], early_stop=False).fit(wide, y)
    assert len(longer.alphas_) == 100 > len(model.alphas_)


@pytest.mark.parametrize("name", ["lasso", "two classes"])
def test_clone_pickle_search_and_pipeline(name):
    estimator, y, _ = MODELS[name]
    grid = {"Cs" if hasattr(estimator, "C") else "alphas": 4, "eps": 0.1, "cv": 3}
    model = HadamardRelaxedCV(estimator, **grid).fit(X, y)
    assert clone(model).get_params(deep=False).keys() == model.get_params(deep=False).keys()
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    scores = cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3)
    assert scores.shape == (3,)
    search = GridSearchCV(HadamardRelaxed(estimator), {"gamma": [0.0, 1.0]}, cv=3).fit(X, y)
    assert search.best_params_["gamma"] in (0.0, 1.0)


def test_another_estimator_leaves_nothing_of_the_last():
    model = HadamardRelaxedCV(HadamardLogisticRegression(), Cs=3, cv=3).fit(X, Y > 0.0)
    assert model.C_ in model.Cs_
    model.set_params(estimator=None, Cs=None, alphas=3).fit(X, Y)
    assert not [name for name in vars(model) if name.startswith("C_") or name == "Cs_"]
    assert not hasattr(model, "classes_")
    assert not hasattr(model, "predict_proba")


def test_a_scorer_that_raises_an_error_ranks_last():
    calls = []

    def scorer(model, X, y):
        calls.append(model)
        if len(calls) == 5:
            raise ValueError("of the fifth")
        return model.score(X, y)

    model = HadamardRelaxedCV(cv=3, alphas=4, scoring=scorer)
    with (
        pytest.warns(UserWarning, match=r"failed for 1 of 60(?s:.*)of the fifth"),
        pytest.warns(UserWarning, match="scores are non-finite"),
    ):
        model.fit(X, Y)
    assert np.isnan(model.scores_).sum() == 1
    assert np.isfinite(model.scores_[list(model.gammas_).index(model.gamma_)]).any()

    def always(model, X, y):
        raise ValueError("of all")

    with pytest.raises(ValueError, match="of all"):
        model.set_params(scoring=always).fit(X, Y)


def test_a_scorer_of_classes_says_that_there_are_none():
    with pytest.raises(AttributeError, match="predict_proba"):
        HadamardRelaxedCV(cv=3, alphas=3, scoring="neg_log_loss").fit(X, Y)


def test_metadata_is_routed():
    groups = np.arange(N) % 7
    with config_context(enable_metadata_routing=True):
        splitter = GroupKFold(3).set_split_request(groups=True)
        model = HadamardRelaxedCV(alphas=4, cv=splitter).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False).fit(X, Y, WEIGHTS, groups=groups)
        scores = cross_val_score(model, X, Y, params={"sample_weight": WEIGHTS, "groups": groups})
    same = HadamardRelaxedCV(alphas=4, cv=list(GroupKFold(3).split(X, Y, groups)))
    assert_allclose(same.fit(X, Y, sample_weight=WEIGHTS).scores_, model.scores_)
    rows = list(KFold(5).split(X))
    for score, (train, test) in zip(scores, rows, strict=True):
        own = GroupKFold(3).split(X[train], Y[train], groups[train])
        same.set_params(cv=list(own)).fit(X[train], Y[train], sample_weight=WEIGHTS[train])
        assert score == pytest.approx(same.score(X[test], Y[test]))
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        same.fit(X, Y, groups=groups)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (HadamardElasticNet(0.1, l1_ratio=0.5), Y),
        (HadamardPoissonRegressor(0.01, l1_ratio=0.5), None),
    ],
)
def test_equal_columns_under_a_bound_have_no_refit(estimator, target):
    """One is at zero in it, as columns under a bound may be anyway; any other split would do."""
    many = np.column_stack([X[:, 0], X])
    target = np.exp(SIGNAL / SIGNAL.max()) if target is None else target
    model = HadamardRelaxed(clone(estimator).set_params(positive=True))
    with pytest.warns(ConvergenceWarning, match="depend"):
        model.fit(many, target)
    assert model.coef_penalised_[:2].all()
    assert_array_equal(model.coef_, model.coef_penalised_)


def test_weights_are_repeats():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 4, N)
    folds = np.arange(N) % 4
    cv = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(4)]
    repeated = np.repeat(np.arange(N), counts)
    again = [
        (np.flatnonzero(folds[repeated] != k), np.flatnonzero(folds[repeated] == k))
        for k in range(4)
    ]
    one = HadamardRelaxedCV(alphas=10, cv=cv, rule="1se").fit(X, Y, sample_weight=counts)
    other = HadamardRelaxedCV(alphas=10, cv=again, rule="1se").fit(X[repeated], Y[repeated])
    assert_allclose(other.scores_, one.scores_)
    assert_allclose(other.coef_, one.coef_)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"estimator": HadamardLassoCV()},
            "'estimator' parameter.*single penalty.*HadamardLassoCV",
        ),
        ({"estimator": LinearRegression()}, "'estimator' parameter.*LinearRegression"),
        ({"estimator": HadamardLasso(tol=-1.0)}, "'tol' parameter of HadamardLasso"),
        ({"Cs": 3}, "Cs must be None for HadamardLasso: write alphas"),
        ({"estimator": HadamardLogisticRegression(), "alphas": 3}, "write Cs instead"),
        ({"alphas": [0.0, 1.0]}, "alphas"),
        ({"estimator": HadamardElasticNet(l1_ratio=0.0)}, "not supported for l1_ratio=0"),
        ({"gammas": ()}, "gammas must be numbers"),
        ({"gammas": [0.5, 1.5]}, r"'gammas' parameter.*\[0.0, 1.0\].*1.5"),
        ({"gammas": 0.5}, "'gammas' parameter.*array-like"),
        ({"eps": 0.0}, "'eps' parameter"),
        ({"cv": 1}, "'cv' parameter"),
        ({"scoring": "loss"}, "'scoring' parameter"),
        ({"rule": "best"}, "'rule' parameter"),
        ({"early_stop": 1}, "'early_stop' parameter"),
    ],
)
def test_bad_parameters(parameters, words):
    model = HadamardRelaxedCV(**parameters)
    with pytest.raises(ValueError, match=words):
        model.fit(X, Y)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_bad_input_of_a_single_fit():
    with pytest.raises(ValueError, match=r"'gamma' parameter of HadamardRelaxed.*\[0.0, 1.0\]"):
        HadamardRelaxed(gamma=1.5).fit(X, Y)
    with pytest.raises(ValueError, match="MultiOutputRegressor"):
        HadamardRelaxed().fit(X, np.column_stack([Y, Y]))
    with pytest.raises(ValueError, match=r"offset must have shape \(120,\)"):
        HadamardRelaxed().fit(X, Y, offset=OFFSET[:-1])
    with pytest.raises(TypeError, match="Write"):
        HadamardRelaxed(alpha=1.0)
    model = HadamardRelaxed(HadamardLasso(alpha=0.1)).fit(X, Y)
    before = vars(model).copy()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), Y)
    assert vars(model) == before


def test_verbose_tells_of_folds(capsys):
    HadamardRelaxedCV(alphas=4, cv=3, verbose=1).fit(X, Y)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["fold 0", "fold 1", "fold 2"]
    assert "refits at 4 of 4 penalties" in lines[0]


def test_not_converged_paths_warn_once():
    estimator = HadamardLogisticRegression(max_iter=1, tol=1e-12)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        HadamardRelaxedCV(estimator, Cs=[0.01, 1.0], gammas=[1.0], cv=3).fit(X, Y > 0.0)
    messages = [str(each.message) for each in caught]
    assert sum("did not converge for 3 fit(s)" in message for message in messages) == 1


@pytest.mark.parametrize("name", ["lasso", "two classes"])
def test_the_picture_is_that_of_the_gamma_chosen(name):
    pytest.importorskip("matplotlib").use("agg")
    estimator, y, _ = MODELS[name]
    penalty = "C" if hasattr(estimator, "C") else "alpha"
    model = HadamardRelaxedCV(estimator, cv=2, rule="1se", **{f"{penalty}s": 2}).fit(X, y)
    display = CrossValidationDisplay.from_estimator(model)
    row = list(model.gammas_).index(model.gamma_)
    assert_array_equal(display.losses, -model.scores_[row])
    assert_array_equal(display.penalties, getattr(model, f"{penalty}s_"))
    rules = [rule for rule in ("min", "1se") if getattr(model, f"gamma_{rule}_") == model.gamma_]
    assert display.chosen == {rule: getattr(model, f"{penalty}_{rule}_") for rule in rules}
    assert display.ax_.get_ylabel() == f"mean loss,\ngamma={model.gamma_:g}"
    scored = HadamardRelaxedCV(estimator, cv=2, scoring=SCORES[name], **{f"{penalty}s": 2})
    display = CrossValidationDisplay.from_estimator(scored.fit(X, y))
    assert display.loss_name.startswith(SCORES[name].removeprefix("neg_").replace("_", " "))


class Witness:
    """A callback that counts the tasks that end, by name."""

    def __init__(self):
        self.ended = Counter()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended[context.task_name] += 1


def test_callbacks_hear_of_folds_and_penalties():
    pytest.importorskip("sklearn.callback", reason="from scikit-learn 1.9 on")
    for grid, path in (({"alphas": 4}, {"path": 1}), ({"alphas": [0.1, 0.2, 0.3, 0.4]}, {})):
        witness = Witness()
        HadamardRelaxedCV(cv=3, **grid).set_callbacks(witness).fit(X, Y)
        assert witness.ended == {"fit": 1, "fold": 3, "penalty": 12, "refit": 1, **path}


def test_selection_keeps_all_that_is_not_zero():
    model = HadamardRelaxed(HadamardLasso(alpha=0.02))
    selector = SelectFromModel(model).fit(X, Y)
    assert_array_equal(selector.get_support(), selector.estimator_.coef_ != 0.0)
    assert 5 < selector.get_support().sum() < P


def test_what_a_support_lacks_larger_ones_lack(monkeypatch):
    rng = np.random.default_rng(0)
    tried = []
    original = relaxation._without_penalty

    def counted(problem, support):
        outcome, refit = original(problem, support)
        tried.append((support, outcome))
        return outcome, refit

    monkeypatch.setattr(relaxation, "_without_penalty", counted)
    wide = rng.standard_normal((40, 80))
    y = wide[:, 0] + 0.1 * rng.standard_normal(40) > 0.0
    model = HadamardRelaxedCV(
        HadamardLogisticRegression(),
        Cs=np.geomspace(0.1, 10.0, 20),
        cv=[(range(30), range(30, 40))],
    )
    with pytest.warns(ConvergenceWarning, match="separated"):
        model.set_params(gammas=[0.5]).fit(wide, y)
    separated = [support for support, outcome in tried[:-1] if outcome.name == "SEPARATED"]
    assert 0 < len(separated) < (~model.refits_exist_).sum()
    for number, support in enumerate(separated):
        assert not any(support[other].all() for other in separated[:number])


CHECKED = [
    HadamardRelaxed(HadamardLasso(alpha=0.01)),
    HadamardRelaxed(HadamardLogisticRegression(C=0.03)),
    HadamardRelaxedCV(alphas=3, cv=2),
    HadamardRelaxedCV(HadamardLogisticRegression(), Cs=[0.03], gammas=[0.0], cv=2),
]


@parametrize_with_checks(CHECKED)
def test_checks_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of data that are separated
        check(estimator)
