"""The group lasso and the multi-task lasso with their penalty chosen by cross-validation."""

import pickle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, MultiTaskLasso, MultiTaskLassoCV
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit, ShuffleSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    Batches,
    CrossValidationDisplay,
    HadamardGroupLasso,
    HadamardGroupLassoCV,
    HadamardLassoCV,
    HadamardMultiTaskLasso,
    HadamardMultiTaskLassoCV,
    PathSearchCV,
    RegularizationPathDisplay,
    Summary,
)
from hplasso._design.row_folds import Hashed
from hplasso._design.source import Block

rng = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(5), [1, 2, 3, 4, 2])
P = GROUPS.size
TIGHT = {"tol": 1e-15}
ALPHAS = np.geomspace(1.0, 0.02, 9)


def made(n, n_targets, n_features=P):
    """Samples away from the origin, of which some features matter for all targets."""
    X = rng.standard_normal((n, n_features)) + np.arange(n_features)
    Y = X[:, 3:6] @ rng.standard_normal((3, n_targets)) + 0.5 * rng.standard_normal((n, n_targets))
    return X, Y + 10.0


WIDE, TALL = made(20, 2, 40), made(90, 2)
X, Y = TALL
y = Y[:, 0]


def group_lasso(target=y, **options):
    model = HadamardGroupLassoCV(groups=GROUPS, **{"alphas": ALPHAS, **TIGHT, **options})
    return model.fit(X, target)


@parametrize_with_checks(
    [HadamardGroupLassoCV(alphas=4, cv=2), HadamardMultiTaskLassoCV(alphas=4, cv=2)]
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("target", [y, Y, y[:, None]], ids=["one", "two", "column"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "cv", [KFold(3), ShuffleSplit(3, test_size=0.4, random_state=0)], ids=["all", "some"]
)
def test_folds_are_fits_to_their_training_samples(target, fit_intercept, cv):
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    options = {"groups": GROUPS, "fit_intercept": fit_intercept, **TIGHT}
    model = HadamardGroupLassoCV(alphas=ALPHAS, cv=cv, **options)
    model.fit(X, target, sample_weight=weights)
    for number, (train, test) in enumerate(cv.split(X)):
        for alpha, error in zip(ALPHAS, model.mse_path_[:, number], strict=True):
            fold = HadamardGroupLasso(alpha, **options).fit(X[train], target[train], weights[train])
            squares = (fold.predict(X[test]) - target[test]) ** 2
            squares = squares.reshape(len(test), -1).mean(axis=1)
            assert_allclose(error, np.average(squares, weights=weights[test]), rtol=1e-8)
    best = int(model.mse_path_.mean(axis=1).argmin())
    assert model.alpha_ == ALPHAS[best]
    whole = HadamardGroupLasso(model.alpha_, **options).fit(X, target, weights)
    for name in ("coef_", "intercept_", "mu_", "nu_"):
        assert_allclose(getattr(model, name), getattr(whole, name), rtol=1e-7, atol=1e-10)
        assert np.shape(getattr(model, name)) == np.shape(getattr(whole, name))
    assert_array_equal(model.groups_, GROUPS)


@pytest.mark.parametrize("data", [WIDE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_multi_task_lasso_of_scikit_learn(data, fit_intercept):
    options = {"alphas": 8, "eps": 0.05, "cv": KFold(3), "fit_intercept": fit_intercept}
    theirs = MultiTaskLassoCV(max_iter=100_000, tol=1e-11, **options).fit(*data)
    ours = HadamardMultiTaskLassoCV(**options, **TIGHT).fit(*data)
    assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-6)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
    assert np.ndim(ours.n_iter_) == np.ndim(ours.dual_gap_) == 0
    assert isinstance(ours.to_sklearn(), MultiTaskLasso)
    assert ours.to_sklearn().alpha == ours.alpha_


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_groups_of_one_are_the_lasso(rule):
    options = {"alphas": 12, "eps": 0.01, "rule": rule, **TIGHT}
    one, other = HadamardLassoCV(**options).fit(X, y), HadamardGroupLassoCV(**options).fit(X, y)
    assert_allclose(other.alphas_, one.alphas_, rtol=1e-12)
    for name in ("alpha_", "alpha_min_", "alpha_1se_", "mse_path_", "mse_se_", "intercept_"):
        assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-8)
    assert one.alpha_min_ < one.alpha_1se_
    assert_allclose(other.coef_, one.coef_, rtol=1e-8, atol=1e-10)


def test_several_targets_are_the_multi_task_lasso():
    options = {"alphas": ALPHAS, "rule": "1se", **TIGHT}
    one, other = HadamardGroupLassoCV(**options), HadamardMultiTaskLassoCV(**options)
    one.fit(X, Y), other.fit(X, Y)
    assert one.alpha_ == other.alpha_
    assert_array_equal(one.coef_path_, other.coef_path_)
    assert isinstance(one.to_sklearn(), LinearRegression)


def test_sample_weights_are_repeated_rows():
    counts = np.random.default_rng(2).integers(0, 3, len(X))
    folds = np.arange(len(X)) % 3
    weighted = group_lasso(cv=PredefinedSplit(folds))
    weighted.fit(X, y, sample_weight=counts)
    repeated = clone(weighted).set_params(cv=PredefinedSplit(np.repeat(folds, counts)))
    repeated.fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    assert_allclose(weighted.mse_path_, repeated.mse_path_, rtol=1e-7)
    assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_the_path_that_is_kept(target):
    model = group_lasso(target, rule="1se")
    several, shape = np.ndim(target) == 2, (P, ALPHAS.size)
    assert model.coef_path_.shape == ((2, *shape) if several else shape)
    assert model.intercept_path_.shape == (2, ALPHAS.size)[not several :]
    assert model.alpha_ == model.alpha_1se_ > model.alpha_min_
    for i, alpha in enumerate(ALPHAS):
        point, whole = model.at(alpha), HadamardGroupLasso(alpha, groups=GROUPS, **TIGHT)
        whole.fit(X, target)
        for name in ("coef_", "intercept_", "mu_", "nu_"):
            assert_allclose(getattr(point, name), getattr(whole, name), rtol=1e-6, atol=1e-7)
        assert_allclose(point.predict(X), whole.predict(X), rtol=1e-7)
        assert point.dual_gap_ == model.dual_gap_path_[i] <= 1e-12 * Y.var()
        assert point.n_iter_ == model.n_iter_path_[i]
        assert_array_equal(point.groups_, whole.groups_)
    with pytest.raises(ValueError, match="is not on the grid"):
        model.at(0.5)


def test_folds_in_threads_and_copies():
    model = group_lasso(Y)
    threads = group_lasso(Y, n_jobs=2)
    assert_allclose(threads.mse_path_, model.mse_path_, rtol=1e-12)
    assert_array_equal(clone(model).fit(X, Y).coef_, model.coef_)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_offset_and_sparse_samples():
    offset = np.random.default_rng(3).standard_normal(Y.shape)
    model = HadamardMultiTaskLassoCV(alphas=ALPHAS, **TIGHT)
    shifted, plain = clone(model).fit(X, Y, offset=offset), model.fit(X, Y - offset)
    assert_allclose(shifted.mse_path_, plain.mse_path_, rtol=1e-12)
    assert_allclose(shifted.coef_, plain.coef_, rtol=1e-10)
    of_sparse = clone(model).fit(sparse.csr_array(X), Y - offset)
    assert_allclose(of_sparse.mse_path_, plain.mse_path_, rtol=1e-8)


def test_penalty_weights_by_name():
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(P)])
    weights = {"x3": np.inf, "x4": 0.0}
    model = HadamardMultiTaskLassoCV(alphas=4, eps=0.1, penalty_weights=weights, **TIGHT)
    model.fit(frame, Y)
    assert not model.coef_path_[:, 3].any()
    assert model.coef_path_[:, 4].all()
    assert_array_equal(model.coef_path_[:, :, 0].any(axis=0).nonzero()[0], [4])
    assert model.at(model.alphas_[-1]).get_params()["penalty_weights"] == weights


def test_data_in_blocks():
    cuts = [slice(0, 40), slice(40, 41), slice(41, len(X))]
    folds = np.empty(len(X), dtype=int)
    for number, rows in enumerate(cuts):
        folds[rows] = Hashed(3)(Block(number, None, X[rows], Y[rows], None, None))
    model = HadamardMultiTaskLassoCV(alphas=ALPHAS, cv=3, **TIGHT)
    streamed = clone(model).fit(Batches([(X[rows], Y[rows]) for rows in cuts]))
    model.set_params(cv=PredefinedSplit(folds)).fit(X, Y)
    assert_allclose(streamed.mse_path_, model.mse_path_, rtol=1e-8)
    assert_allclose(streamed.coef_, model.coef_, rtol=1e-8, atol=1e-10)
    assert streamed.n_passes_ == 1


@pytest.mark.parametrize(
    ("kind", "options", "target", "message"),
    [
        (HadamardMultiTaskLassoCV, {}, y, "For mono-task outputs, use HadamardLassoCV"),
        (HadamardMultiTaskLassoCV, {"rule": "best"}, Y, "'rule' parameter of HadamardMultiTask"),
        (HadamardGroupLassoCV, {"groups": [0, 1]}, y, "a label for each of the 12 features"),
        (HadamardGroupLassoCV, {"groups": GROUPS, "group_weights": [1.0]}, y, r"shape \(5,\)"),
        (HadamardGroupLassoCV, {"alphas": [1.0, 0.0]}, y, "alphas"),
        (HadamardGroupLassoCV, {"cv": 1}, y, "'cv' parameter of HadamardGroupLassoCV"),
    ],
)
def test_what_is_not_right(kind, options, target, message):
    model = kind(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, target)
    assert not hasattr(model, "alpha_")


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_summaries_and_pictures(target):
    plt.switch_backend("agg")
    model = group_lasso(target)
    summary = Summary.from_estimator(model, X, target)
    assert "norms of 5 groups" in str(summary)
    assert "cross-validation, rule='min', 9 values of alpha from 1 to 0.02" in str(summary)
    assert set(summary.tables) == {"coefficients", "cross_validation", "path"}
    counts = [np.atleast_2d(model.at(each).coef_).any(axis=0).sum() for each in ALPHAS]
    for data in ((), (X, target)):
        display = CrossValidationDisplay.from_estimator(model, *data)
        assert_allclose(display.line_.get_ydata(), model.mse_path_.mean(axis=1))
        assert_array_equal(display.n_nonzero, counts)
    if target is y:
        display = RegularizationPathDisplay.from_estimator(model, X, y)
        assert_allclose(display.coefs[:, -1], model.at(ALPHAS[-1]).coef_, rtol=1e-7)
    else:
        with pytest.raises(ValueError, match="y should be a 1d array"):
            RegularizationPathDisplay.from_estimator(model, X, Y)
    plt.close("all")


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_searches_along_paths(target):
    kinds = [HadamardGroupLasso(groups=GROUPS, **TIGHT)]
    kinds += [HadamardMultiTaskLasso(**TIGHT)] if target is Y else []
    for kind in kinds:
        search = PathSearchCV(kind, {"alpha": ALPHAS}, cv=3).fit(X, target)
        grid = GridSearchCV(kind, {"alpha": ALPHAS}, cv=3).fit(X, target)
        assert_allclose(
            search.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"], rtol=1e-8
        )
        assert search.best_params_ == grid.best_params_
        for name in ("coef_", "mu_", "nu_"):
            found, expected = (getattr(each.best_estimator_, name) for each in (search, grid))
            assert_allclose(found, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
def test_a_column_that_is_almost_nothing_without_the_test_samples(target):
    """Its training moments are not the difference of others: most digits would be lost."""
    folds, data = np.arange(len(X)) % 3, X.copy()
    size = np.where(folds == 0, 1e-6, 1e-12)
    data[:, 0] = size * np.random.default_rng(4).standard_normal(len(X))
    weights, cv = {0: 0.0}, PredefinedSplit(folds)
    options = {"groups": GROUPS, "group_weights": weights, **TIGHT}
    model = HadamardGroupLassoCV(alphas=ALPHAS, cv=cv, **options).fit(data, target)
    train, test = folds > 0, folds == 0
    for alpha, error in zip(ALPHAS, model.mse_path_[:, 0], strict=True):
        fold = HadamardGroupLasso(alpha, **options).fit(data[train], target[train])
        assert_allclose(error, ((fold.predict(data[test]) - target[test]) ** 2).mean(), rtol=1e-7)
