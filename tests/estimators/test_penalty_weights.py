"""Penalty weights: infinite ones leave features out, and labels are matched by name."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hplasso import (
    Batches,
    CertificateDisplay,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardGroupLasso,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    RegularizationPathDisplay,
    enet_path,
    glm_path,
    group_path,
    lasso_path,
    logistic_path,
)
from hplasso._design.factory import make_design

N, P = 60, 15
rng = np.random.default_rng(0)
X = rng.standard_normal((N, P))
X[:, 3] = 1e3 * X[:, 4] + rng.standard_normal(N)  # strong, and like another
y = X[:, :6] @ [3.0, -2.0, 1.0, 2e-3, 2.0, 0.5] + rng.standard_normal(N)
labels = (y > 0).astype(int)
three = np.digitize(y, [-1.0, 1.0])
WEIGHTS = rng.uniform(0.5, 2.0, P)
WEIGHTS[2] = 0.0
DROPPED = [0, 3, 14]
KEPT = np.setdiff1d(np.arange(P), DROPPED)
INFINITE = WEIGHTS.copy()
INFINITE[DROPPED] = np.inf
NAMES = [f"f{j}" for j in range(P)]
FRAME = pd.DataFrame(X, columns=NAMES)

REGRESSORS = [
    HadamardLasso(0.3, tol=1e-10),
    HadamardLasso(1e-3, tol=1e-10, fit_intercept=False),
    HadamardLasso(0.3, tol=1e-10, positive=True),
    HadamardLasso(0.3, tol=1e-10, precompute=True),
    HadamardLasso(0.3, tol=1e-6, solver="alternating", max_iter=10000),
    HadamardElasticNet(0.3, tol=1e-10),
    HadamardLassoCV(alphas=7, cv=3, tol=1e-10),
    HadamardElasticNetCV(alphas=7, cv=3, tol=1e-10, l1_ratio=[0.5, 1.0], precompute=False),
    HadamardLassoIC("ebic", alphas=7, tol=1e-10),
]
CLASSIFIERS = [
    HadamardLogisticRegression(tol=1e-10),
    HadamardLogisticRegression(tol=1e-10, l1_ratio=0.5, fit_intercept=False),
    HadamardLogisticRegressionCV(Cs=4, cv=3, tol=1e-10),
]
CASES = [(model, y) for model in REGRESSORS]
CASES += [(model, target) for model in CLASSIFIERS for target in (labels, three)]
FORMS = [
    np.asarray,
    np.asfortranarray,
    sparse.csr_array,
    sparse.csc_array,
    lambda data: data.astype(np.float32),
]


def title(value):
    """What a case is called."""
    return str(value) if hasattr(value, "fit") else None


@pytest.fixture(autouse=True)
def numpy_raises():
    plt.switch_backend("agg")
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield
    plt.close("all")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("model", "target"), CASES, ids=title)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # float32
def test_a_feature_of_infinite_weight_might_as_well_not_be_there(model, target, form):
    data, without = form(X), form(X[:, KEPT])
    fitted = clone(model).set_params(penalty_weights=INFINITE).fit(data, target)
    expected = clone(model).set_params(penalty_weights=WEIGHTS[KEPT]).fit(without, target)
    assert expected.coef_.any()
    assert not fitted.coef_[..., DROPPED].any()
    size = np.abs(expected.coef_).max()
    close = {"rtol": 0.0, "atol": (1e-5 if data.dtype == np.float64 else 1e-2) * size}
    np.testing.assert_allclose(fitted.coef_[..., KEPT], expected.coef_, **close)
    np.testing.assert_allclose(fitted.intercept_, expected.intercept_, rtol=1e-2, atol=1e-4)
    np.testing.assert_allclose(fitted.dual_gap_, expected.dual_gap_, rtol=0.1, atol=1e-6)
    for name in ("alphas_", "Cs_", "mse_path_", "criterion_", "scores_", "noise_variance_"):
        if hasattr(expected, name):
            values = getattr(fitted, name), getattr(expected, name)
            np.testing.assert_allclose(*values, rtol=1e-5 if data.dtype == np.float64 else 1e-2)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "model",
    [
        HadamardLassoCV(alphas=7, cv=3),
        HadamardLassoCV(alphas=7, cv=[(np.arange(20, N), np.arange(30))]),
    ],
)
def test_folds_of_wide_data(model, form):
    wide = np.hstack([X, rng.standard_normal((N, 2 * N))])
    weights = np.append(INFINITE, np.full(2 * N, 1.5))
    kept = np.isfinite(weights)
    fitted = clone(model).set_params(penalty_weights=weights, tol=1e-9).fit(form(wide), y)
    expected = clone(model).set_params(penalty_weights=weights[kept], tol=1e-9)
    expected.fit(form(wide[:, kept]), y)
    np.testing.assert_allclose(fitted.mse_path_, expected.mse_path_, rtol=1e-5)
    np.testing.assert_allclose(fitted.coef_[kept], expected.coef_, atol=1e-5)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left_of_columns_that_are_left_out(form, fit_intercept):
    left_out = np.isinf(INFINITE)
    design = make_design(form(X), np.full(N, 1 / N), fit_intercept, left_out)
    residual, columns = rng.standard_normal(N), design.columns()
    columns.append(np.arange(P))
    assert_array_equal(design.column_norms == 0.0, left_out)
    assert not design.gram()[DROPPED].any()
    assert not columns.products(0)[DROPPED].any()
    for z in (
        design.correlations(residual),
        design.read(np.arange(P), residual),
        columns.correlations(residual),
    ):
        assert_array_equal(z == 0.0, left_out)
    assert not columns.predict(left_out.astype(float)).any()


def test_against_scikit_learn():
    scaled = X[:, KEPT] / np.where(KEPT == 2, 1.0, WEIGHTS[KEPT])
    weights = np.where(np.isinf(INFINITE), np.inf, np.where(INFINITE == 0.0, 1.0, INFINITE))
    expected = Lasso(0.3, tol=1e-12, max_iter=100000).fit(scaled, y).coef_
    model = HadamardLasso(0.3, penalty_weights=weights, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_[KEPT] * weights[KEPT], expected, atol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("path", [lasso_path, enet_path, logistic_path])
def test_paths_leave_features_out(path, form):
    target = labels if path is logistic_path else y
    given = {"tol": 1e-10, "eps": 0.1}
    grid, coefs, *_ = path(form(X), target, penalty_weights=INFINITE, **given)
    same, expected, *_ = path(form(X[:, KEPT]), target, penalty_weights=WEIGHTS[KEPT], **given)
    np.testing.assert_allclose(grid, same)
    assert not coefs[DROPPED].any()
    np.testing.assert_allclose(coefs[KEPT], expected, atol=1e-5)


def test_a_gram_matrix_and_a_start_of_features_that_are_left_out():
    gram, cross, start = X.T @ X, X.T @ y, np.ones(P)
    start[5:] = 0.0
    given = {"alphas": [0.3], "tol": 1e-10, "precompute": gram, "Xy": cross, "coef_init": start}
    _, coefs, _ = lasso_path(X, y, penalty_weights=INFINITE, **given)
    expected = HadamardLasso(0.3, penalty_weights=INFINITE, fit_intercept=False, tol=1e-10)
    np.testing.assert_allclose(coefs[:, 0], expected.fit(X, y).coef_, atol=1e-7)
    np.testing.assert_array_equal(gram, X.T @ X)
    np.testing.assert_array_equal(cross, X.T @ y)


@pytest.mark.parametrize("model", [HadamardLasso(0.3), HadamardLogisticRegression()], ids=title)
def test_a_warm_start_from_a_feature_that_is_left_out_now(model):
    target = labels if isinstance(model, HadamardLogisticRegression) else y
    model = clone(model).set_params(warm_start=True, tol=1e-10).fit(X, target)
    assert model.coef_[..., DROPPED].any()
    model.set_params(penalty_weights=INFINITE).fit(X, target)
    fresh = clone(model).fit(X, target)
    np.testing.assert_allclose(model.coef_, fresh.coef_, atol=1e-6)


@pytest.mark.parametrize(("model", "target"), CASES, ids=title)
def test_all_weights_infinite_is_the_model_without_features(model, target):
    model = clone(model).set_params(penalty_weights=[np.inf] * P).fit(X, target)
    assert not model.coef_.any()
    assert model.dual_gap_ == 0.0
    if not model.fit_intercept:
        assert not np.any(model.intercept_)
    elif model in CLASSIFIERS or hasattr(model, "classes_"):
        shares = np.bincount(target) / N
        np.testing.assert_allclose(model.predict_proba(X[:1])[0], shares, rtol=1e-9)
    else:
        np.testing.assert_allclose(model.intercept_, y.mean())


def test_a_criterion_counts_the_features_that_take_part():
    wide = np.hstack([X, rng.standard_normal((N, N))])
    weights = [1.0] * P + [np.inf] * N
    model = HadamardLassoIC("ebic", penalty_weights=weights).fit(wide, y)
    expected = HadamardLassoIC("ebic").fit(X, y)
    np.testing.assert_allclose(model.criterion_, expected.criterion_, rtol=1e-3)
    with pytest.raises(ValueError, match="60 samples of 60 features"):
        HadamardLassoIC(penalty_weights=[1.0] * 60 + [np.inf] * P).fit(wide, y)


def test_nan_in_a_feature_that_is_left_out_is_refused():
    data = X.copy()
    data[5, DROPPED[0]] = np.nan
    for form in (np.asarray, sparse.csr_array):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            HadamardLasso(penalty_weights=INFINITE).fit(form(data), y)


# What says the same as WEIGHTS to a model of FRAME.
SHUFFLED = rng.permutation(P)
SAID = {
    "list": list(WEIGHTS),
    "series without names": pd.Series(WEIGHTS),
    "series": pd.Series(WEIGHTS, index=NAMES),
    "series in another order": pd.Series(WEIGHTS, index=NAMES).iloc[SHUFFLED],
    "dict": {NAMES[j]: WEIGHTS[j] for j in SHUFFLED},
    "polars series": pl.Series("weights", WEIGHTS),
}


@pytest.mark.parametrize("frame", [FRAME, pl.from_pandas(FRAME)], ids=["pandas", "polars"])
@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_labels_are_names_of_features(said, frame):
    models = [
        (HadamardLasso(0.3), y),
        (HadamardElasticNetCV(cv=3, alphas=5), y),
        (HadamardLassoIC(alphas=5), y),
        (HadamardLogisticRegression(), labels),
        (HadamardLogisticRegressionCV(Cs=3, cv=2), labels),
    ]
    for model, target in models:
        expected = clone(model).set_params(penalty_weights=WEIGHTS).fit(X, target)
        fitted = clone(model).set_params(penalty_weights=said).fit(frame, target)
        np.testing.assert_allclose(fitted.coef_, expected.coef_, rtol=1e-7, atol=1e-9)
        assert fitted.penalty_weights is said or type(fitted.penalty_weights) is type(said)
    for path, target in ((lasso_path, y), (enet_path, y), (logistic_path, labels)):
        grid = {"Cs" if path is logistic_path else "alphas": [0.1, 1.0]}
        expected = path(X, target, penalty_weights=WEIGHTS, **grid)[1]
        coefs = path(frame, target, penalty_weights=said, **grid)[1]
        np.testing.assert_allclose(coefs, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_weights_that_are_not_named_are_one(kind):
    expected = HadamardLasso(0.3, penalty_weights=[1.0, 5.0] + [1.0] * 12 + [0.0]).fit(X, y)
    some = kind({"f14": 0.0, "f1": 5.0})
    model = HadamardLasso(0.3, penalty_weights=some).fit(FRAME, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-7, atol=1e-9)


def test_a_dict_without_entries():
    expected = HadamardLasso(0.3).fit(X, y).coef_
    for data in (X, FRAME):
        model = HadamardLasso(0.3, penalty_weights={}).fit(data, y)
        np.testing.assert_allclose(model.coef_, expected, rtol=1e-7, atol=1e-9)


def test_names_in_a_pipeline():
    weights = {"f1": np.inf, "f14": 0.0}
    model = make_pipeline(StandardScaler(), HadamardLasso(0.3, penalty_weights=weights))
    with pytest.raises(ValueError, match="X has no feature names"):
        model.fit(FRAME, y)
    model.set_output(transform="pandas").fit(FRAME, y)
    assert model[-1].coef_[1] == 0.0
    assert model[-1].coef_[14] != 0.0
    display = RegularizationPathDisplay.from_estimator(model, FRAME, y)
    assert not display.coefs[1].any()
    assert display.coefs[14].all()


@pytest.mark.parametrize(
    "frame", [FRAME, pl.from_pandas(FRAME), X], ids=["pandas", "polars", "array"]
)
def test_displays_match_names(frame):
    weights = {"f1": np.inf, "f14": 0.0}
    for model, target in (
        (HadamardLasso(0.3, penalty_weights=weights), y),
        (HadamardLogisticRegression(penalty_weights=weights), labels),
    ):
        model.fit(FRAME, target)
        display = RegularizationPathDisplay.from_estimator(model, frame, target)
        assert not display.coefs[1].any()
        assert display.coefs[14].all()
        assert CertificateDisplay.from_estimator(model, frame, target).gaps[-1] < 1e-3


@pytest.mark.parametrize(
    ("weights", "data", "message"),
    [
        ({"f1": 1.0, "g": 2.0, "h": 2.0}, FRAME, r"labels that X does not have: 'g', 'h'\."),
        (pd.Series({"f1": 1.0, "g": 2.0}), FRAME, r"labels that X does not have: 'g'\."),
        ({f"g{j}": 1.0 for j in range(12)}, FRAME, "'g9' and 2 more"),
        ({1: 2.0}, FRAME, r"labels that X does not have: 1\."),
        (pd.Series(WEIGHTS, index=SHUFFLED), FRAME, "labels that X does not have"),
        ({"f1": 1.0}, X, "have labels, 'f1', and X has no feature names. Give X as a data frame"),
        (pd.Series(WEIGHTS, index=NAMES), X, "X has no feature names"),
        (pd.Series(WEIGHTS, index=SHUFFLED), X, "X has no feature names"),
        (pd.Series([1.0, 2.0], index=["f1", "f1"]), FRAME, r"labels more than once: 'f1'\."),
        (pd.Series([1.0, 2.0]), FRAME, r"must have shape \(15,\).*Got shape \(2,\)"),
        ({"f1": np.nan}, FRAME, "penalty_weights contains NaN. A weight must be"),
        ({"f1": -1.0}, FRAME, r"penalty_weights must not be negative. Got -1\.0"),
        ([np.nan] * P, X, "penalty_weights contains NaN. A weight must be"),
        ([-np.inf] * P, X, "penalty_weights must not be negative. Got -inf"),
        (np.ones((P, 1)), X, r"Got shape \(15, 1\)"),
        (pd.DataFrame(np.ones((P, 1)), index=NAMES), FRAME, r"Got shape \(15, 1\)"),
    ],
)
def test_weights_that_are_refused(weights, data, message):
    models = [
        HadamardLasso,
        HadamardElasticNet,
        HadamardLassoCV,
        HadamardElasticNetCV,
        HadamardLassoIC,
        HadamardLogisticRegression,
        HadamardLogisticRegressionCV,
    ]
    for model in models:
        with pytest.raises(ValueError, match=message):
            model(penalty_weights=weights).fit(data, labels)
        doc = " ".join(inspect.getdoc(model).split())
        assert "one of weight inf is left out. A dict or a pandas.Series with names is" in doc
    for path in (lasso_path, enet_path, logistic_path):
        with pytest.raises(ValueError, match=message):
            path(data, labels, penalty_weights=weights)


@pytest.mark.parametrize("seed", range(6))
def test_a_grid_begins_where_all_that_is_penalised_is_zero(seed):
    """Also for a fit of its own, whose rounding is another than that of the grid."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 6))
    y, weights = 3.0 * X[:, 0] + rng.standard_normal(40), [0, 1, 1, 1, 1, 1]
    classes, counts = (y > 0).astype(int), rng.poisson(np.exp(0.5 * X[:, 0]))
    options = {"penalty_weights": weights}
    groups = {"groups": [0, 1, 1, 2, 2, 2], "group_weights": [0, 1, 1]}
    for model, name, target, path in (
        (HadamardLasso(**options), "alpha", y, lasso_path),
        (HadamardElasticNet(**options), "alpha", y, enet_path),
        (HadamardLogisticRegression(**options), "C", classes, logistic_path),
        (HadamardPoissonRegressor(**options), "alpha", counts, glm_path),
        (HadamardGroupLasso(**groups), "alpha", y, group_path),
    ):
        grid = {f"{name}s": 3} | (groups if path is group_path else options)
        grid |= {} if path in (logistic_path, glm_path) else {"fit_intercept": True}
        first = path(X, target, **grid)[0][0]
        model.set_params(**{name: first}).fit(X, target)
        assert_array_equal(np.flatnonzero(model.coef_), [0])
    of_blocks = HadamardPoissonRegressorCV(alphas=3, cv=2, **options)
    of_blocks.fit(Batches(lambda: [(X[:20], counts[:20]), (X[20:], counts[20:])]))
    first = HadamardPoissonRegressor(of_blocks.alphas_[0], **options).fit(X, counts)
    assert_array_equal(np.flatnonzero(first.coef_), [0])
    by_criterion = HadamardLassoIC("bic", alphas=30, **options).fit(X, y)
    assert by_criterion.degrees_of_freedom_[0] == 1
