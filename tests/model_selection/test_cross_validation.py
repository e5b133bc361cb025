"""Cross-validated least squares, against scikit-learn, R's glmnet and fits fold by fold."""

import json
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_diabetes, make_regression
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import ElasticNetCV, LassoCV
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegressionCV,
    HadamardMultiTaskLassoCV,
    HadamardPoissonRegressorCV,
    HadamardRelaxedCV,
)
from hplasso._design.dense import DenseContainer
from hplasso._estimators.problem import FitOptions
from hplasso._estimators.regression import LeastSquaresData
from hplasso._model_selection.folds import Folds, checked_folds
from hplasso._model_selection.rules import choose
from hplasso._path.progress import PathPoint
from hplasso._validation.weights import checked_penalty_weights, raw_weights

X, y = load_diabetes(return_X_y=True)
SHUFFLED = KFold(5, shuffle=True, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
REFERENCES = json.loads((Path(__file__).parent.parent / "references/glmnet_cv.json").read_text())


@parametrize_with_checks(
    [
        HadamardLassoCV(),
        HadamardLassoCV(alphas=10, cv=3, rule="1se"),
        HadamardElasticNetCV(alphas=10, cv=3, l1_ratio=[0.5, 1.0]),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("cv", [5, SHUFFLED])
@pytest.mark.parametrize(
    "parameters", [{}, {"fit_intercept": False}, {"positive": True, "alphas": [1.0, 0.1, 0.01]}]
)
def test_same_as_lasso_cv(weights, cv, parameters):
    ours = HadamardLassoCV(cv=cv, tol=1e-10, **parameters).fit(X, y, sample_weight=weights)
    theirs = LassoCV(cv=cv, tol=1e-10, max_iter=100_000, **parameters)
    theirs.fit(X, y, sample_weight=weights)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert ours.dual_gap_ <= 1e-10 * np.mean(y**2)


@pytest.mark.parametrize("weights", [None, WEIGHTS[:60]])
def test_same_as_lasso_cv_on_wide_data(weights):
    wide, target = make_regression(60, 200, n_informative=8, noise=5.0, random_state=0)
    ours = HadamardLassoCV(cv=SHUFFLED, eps=0.02, tol=1e-10).fit(wide, target, weights)
    theirs = LassoCV(cv=SHUFFLED, eps=0.02, tol=1e-13, max_iter=1_000_000)
    theirs.fit(wide, target, sample_weight=weights)
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)


def test_same_as_elastic_net_cv():
    l1_ratios = [0.3, 0.9, 1.0]
    ours = HadamardElasticNetCV(l1_ratio=l1_ratios, cv=SHUFFLED, tol=1e-10, alphas=30).fit(X, y)
    theirs = ElasticNetCV(l1_ratio=l1_ratios, cv=SHUFFLED, tol=1e-11, alphas=30, max_iter=100_000)
    theirs.fit(X, y)
    assert ours.l1_ratio_ == theirs.l1_ratio_
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=1e-12)
    assert ours.mse_path_.shape == theirs.mse_path_.shape == (3, 30, 5)
    assert ours.mse_se_.shape == (3, 30)
    assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    one = HadamardElasticNetCV(l1_ratio=0.9, cv=SHUFFLED, tol=1e-10, alphas=30).fit(X, y)
    assert_allclose(one.mse_path_, ours.mse_path_[1], rtol=1e-12)


@pytest.mark.parametrize("reference", [case for case in REFERENCES if case["data"] == "diabetes"])
def test_one_standard_error_as_in_glmnet(reference):
    fold = np.arange(len(y)) % reference["folds"]
    cv = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(fold.max() + 1)]
    weights = 1.0 + np.arange(len(y)) % 3 if reference["weighted"] else np.ones(len(y))
    model = HadamardLassoCV(alphas=reference["lambda"], cv=cv, tol=1e-10, rule="1se")
    model.fit(X, y, sample_weight=weights)
    shares = [weights[test].sum() for _, test in cv]
    means = np.average(model.mse_path_, axis=1, weights=shares)
    assert_allclose(means, reference["mean"], rtol=1e-7)
    assert_allclose(model.mse_se_, reference["error"], rtol=1e-7)
    assert model.alpha_min_ == pytest.approx(reference["min"])
    assert model.alpha_1se_ == model.alpha_ == pytest.approx(reference["1se"])
    assert model.alpha_1se_ > model.alpha_min_


def test_the_standard_error_is_that_of_the_best_l1_ratio_and_penalty():
    means = np.array([[1.9, 1.8, 1.7, 1.6], [2.0, 1.4, 1.2, 1.0], [2.5, 2.5, 1.1, 1.5]])
    spreads = np.array([[9.0, 9.0, 9.0, 9.0], [9.0, 0.1, 0.1, 0.3], [0.0, 0.0, 0.0, 0.0]])
    losses = means + np.array([-1.0, -1.0, 2.0])[:, None, None] * spreads  # three folds, as weights
    shares = [1.0, 1.0, 1.0]
    row, best, simplest, errors = choose(losses, shares)
    assert_allclose(errors, losses.std(axis=0, ddof=1) / np.sqrt(3))
    assert (row, best, simplest) == (1, 3, 2)  # 1.2 is within .3 of 1, and 1.4 is not
    weighted = choose(losses, [1.0, 1.0, 2.0])[3]
    assert_allclose(weighted, np.sqrt(2.25 * spreads**2 / 2))


@pytest.mark.parametrize("scale", [1e100, 1e-100])
def test_standard_errors_of_losses_whose_squares_are_out_of_range(scale):
    losses = np.random.default_rng(0).uniform(1.0, 2.0, (5, 1, 20))
    expected, found = choose(losses, [1.0] * 5), choose(losses * scale**2, [1.0] * 5)
    assert_allclose(found.errors / scale**2, expected.errors, rtol=1e-12)
    assert (found.best, found.simplest) == (expected.best, expected.simplest)
    assert (choose(np.ones((5, 1, 3)), [1.0] * 5).errors == 0.0).all()


def test_standard_errors_of_two_folds_and_of_one():
    losses = np.array([[[3.0, 1.0]], [[5.0, 2.0]]])
    row, best, simplest, errors = choose(losses, [1.0, 1.0])
    assert_allclose(errors, [[1.0, 0.5]])
    assert (row, best, simplest) == (0, 1, 1)
    row, best, simplest, errors = choose(losses[:1], [1.0])
    assert (row, best, simplest) == (0, 1, 1)
    assert errors.shape == (1, 2)
    assert np.isnan(errors).all()


def data_of(X, y, fit_intercept, precompute):
    """The data of a problem, with weights of one."""
    weights, penalty = np.ones(len(y)), checked_penalty_weights(None, X.shape[1])
    options = FitOptions(fit_intercept=fit_intercept)
    return LeastSquaresData(X, y[:, None], weights, penalty, options, precompute=precompute)


def awkward(n=120):
    """Tall data: correlated, of all scales, constant, and known to some of the samples only."""
    rng = np.random.default_rng(1)
    data = rng.standard_normal((n, 8)) @ rng.standard_normal((8, 8))
    data[:, 1] *= 1e6
    data[:, 2] += 1e6
    data[:, 3] = 7.0
    data[:, 4] = np.arange(n) < n // 5  # 1 in the first of five folds only
    data[:, 5] = np.where(np.arange(n) < n // 5, 1e4, 1e-3) * rng.standard_normal(n)
    data[:, 6] = data[:, 0]
    target = data[:, 0] + rng.standard_normal(n)
    return data, target


@pytest.mark.parametrize(
    "container", [np.ascontiguousarray, np.asfortranarray, *(sparse.csr_array, sparse.csc_matrix)]
)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "cv",
    [
        KFold(5),
        SHUFFLED,
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=0.3, random_state=0),
        TimeSeriesSplit(3),
        [(np.repeat(np.arange(50), 2), np.arange(60, 90)), (np.arange(120) > 50, np.arange(50))],
    ],
)
def test_folds_are_fits_to_their_training_samples(container, fit_intercept, weighted, cv):
    data, target = awkward()
    weights = np.random.default_rng(2).integers(0, 3, len(target)) if weighted else None
    data = container(data)
    alphas = [0.5, 0.05]
    model = HadamardLassoCV(alphas=alphas, cv=cv, tol=1e-12, fit_intercept=fit_intercept)
    model.fit(data, target, sample_weight=weights)
    assert model.mse_path_.shape[0] == 2
    splits = cv.split(data) if hasattr(cv, "split") else cv
    for column, (train, test) in enumerate(splits):
        own = None if weights is None else weights[train]
        for alpha, error in zip(alphas, model.mse_path_[:, column], strict=True):
            lasso = HadamardLasso(alpha, tol=1e-12, fit_intercept=fit_intercept)
            lasso.fit(data[train], target[train], sample_weight=own)
            squares = (lasso.predict(data[test]) - target[test]) ** 2
            shares = None if weights is None else weights[test]
            assert_allclose(error, np.average(squares, weights=shares), rtol=1e-7)


def test_a_perfect_fit_has_no_error():
    target = X @ np.arange(10.0)
    model = HadamardLassoCV(alphas=[1e-9], tol=1e-14).fit(X, target)
    assert model.mse_path_.max() < 1e-12 * target.var()
    assert model.mse_path_.min() > 0.0


def test_a_column_of_which_little_is_left_for_training():
    """It is 1e7 times as large in the first fold as elsewhere, and matters there all the same."""
    rng = np.random.default_rng(0)
    data, held_out = rng.standard_normal((100, 4)), np.arange(100) < 20
    data[:, 1] *= np.where(held_out, 1e4, 1e-3)
    target = data[:, 0] + 1e3 * data[:, 1] + 0.1 * rng.standard_normal(100)
    model = HadamardLassoCV(alphas=[1e-4], tol=1e-12, cv=KFold(5)).fit(data, target)
    fold = HadamardLasso(1e-4, tol=1e-12).fit(data[~held_out], target[~held_out])
    assert fold.coef_[1] == pytest.approx(900, abs=100)
    errors = (fold.predict(data[held_out]) - target[held_out]) ** 2
    assert_allclose(model.mse_path_[0, 0], errors.mean(), rtol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_errors_far_smaller_than_what_they_are_the_difference_of(fit_intercept):
    rng = np.random.default_rng(0)
    data, coef = rng.standard_normal((60, 5)) + 10.0, rng.standard_normal(5)
    noise = 1e-6 * rng.standard_normal(60)
    splits = list(KFold(3).split(data))
    target = data @ coef + 3.0 + noise
    folds = checked_folds(splits, np.ones(60), False)
    problems = Folds(data_of(data, target, fit_intercept, True), folds, 100)
    features = np.arange(5)
    for number, (_, test) in enumerate(splits):
        design = problems.training(number).design
        for values, errors in ((coef, -noise), (coef + 1.0, data.sum(axis=1) - noise)):
            intercept = 3.0 + design.mean @ values  # of centred features
            point = PathPoint(1.0, features, values, intercept, 0.0, 0.0, True, 0)
            found, rough = problems.mean_squares(number, [point], design), values is not coef
            expected = np.mean(errors[test] ** 2)
            assert_allclose(found, expected, rtol=1e-12 if rough else 1e-6)


def test_all_folds_read_the_data_once(monkeypatch):
    data, target = make_regression(500, 20, random_state=0)
    rows = []
    original = DenseContainer.augmented_gram
    monkeypatch.setattr(
        DenseContainer,
        "augmented_gram",
        lambda self, s, r, ends: rows.append(r) or original(self, s, r, ends),
    )
    folds = checked_folds(KFold(10).split(data), raw_weights(None, data), False)
    problems = Folds(data_of(data, target, True, "auto"), folds, 100)
    for number in range(10):
        problems.training(number)
    assert len(rows) == 10
    assert_array_equal(np.sort(np.concatenate(rows)), np.arange(500))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_lengths_of_columns_in_training_samples(fit_intercept):
    """Fold by fold, where the means differ from those of all samples."""
    data = np.random.default_rng(0).standard_normal((60, 5)) + np.arange(60)[:, None] / 10.0
    splits = list(KFold(3).split(data))
    folds = checked_folds(splits, np.ones(60), False)
    problems = Folds(data_of(data, data[:, 0], fit_intercept, True), folds, 100)
    for number, (train, _) in enumerate(splits):
        part = data[train] - fit_intercept * data[train].mean(axis=0)
        design = problems.training(number).design
        assert_allclose(design.column_norms, np.sqrt((part**2).mean(axis=0)), rtol=1e-10)


@pytest.mark.parametrize("n_features", [5, 80])
@pytest.mark.parametrize("cv", [KFold(3), ShuffleSplit(3, test_size=0.4, random_state=0)])
def test_folds_have_a_gram_matrix_where_all_samples_have_one(cv, n_features):
    data = np.random.default_rng(0).standard_normal((60, n_features))
    folds = checked_folds(cv.split(data), np.ones(60), False)
    problems = Folds(data_of(data, data[:, 0], True, "auto"), folds, 100)
    for training in (problems.full, *map(problems.training, range(3))):
        assert (training.gram is not None) == (n_features == 5)


def test_memory_of_tall_data():
    data = np.random.default_rng(0).standard_normal((100_000, 200))
    target = data[:, 0] + np.random.default_rng(1).standard_normal(100_000)
    tracemalloc.start()
    HadamardLassoCV(cv=10, alphas=20, eps=0.1).fit(data, target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.15 * data.nbytes


def test_memory_of_many_folds():
    data, target = make_regression(300, 100, noise=1.0, random_state=0)
    tracemalloc.start()
    model = HadamardLassoCV(cv=LeaveOneOut(), alphas=[10.0, 1.0]).fit(data, target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # the moments of all folds are 25 MB
    rest = HadamardLasso(1.0).fit(data[1:], target[1:])
    assert_allclose(model.mse_path_[1, 0], (rest.predict(data[:1])[0] - target[0]) ** 2)


@pytest.mark.parametrize("scale", [1.0, 1e308])
def test_a_sample_that_outweighs_all_others(scale):
    weights = np.full(len(y), scale)
    weights[0] *= 1e20 if scale == 1.0 else 1.0
    splits = list(KFold(5).split(X))
    model = HadamardLassoCV(alphas=[1.0, 0.1], cv=splits, tol=1e-8).fit(X, y, weights)
    train, test = splits[0]
    fold = HadamardLasso(0.1, tol=1e-8).fit(X[train], y[train])
    errors = (fold.predict(X[test]) - y[test]) ** 2
    expected = np.average(errors, weights=weights[test] / weights.max())
    assert_allclose(model.mse_path_[1, 0], expected, rtol=1e-6)


def test_two_jobs_give_the_same_numbers():
    models = [HadamardLassoCV(n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2)]
    for name in ("mse_path_", "mse_se_", "coef_", "alpha_"):
        assert_array_equal(getattr(models[0], name), getattr(models[1], name))


def test_pickle_and_clone():
    model = HadamardLassoCV(rule="1se").fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("container", [sparse.csr_matrix, lambda a: a.astype(np.float32)])
def test_containers(container):
    dense = HadamardLassoCV(tol=1e-10).fit(X, y)
    other = HadamardLassoCV(tol=1e-10).fit(container(X), y)
    assert_allclose(other.mse_path_, dense.mse_path_, rtol=1e-4)
    assert other.coef_.dtype == container(X).dtype


def test_inside_other_estimators():
    stack = StackingRegressor([("lasso", HadamardLassoCV())], HadamardElasticNetCV()).fit(X, y)
    assert stack.score(X, y) > 0.4
    both = MultiOutputRegressor(HadamardLassoCV()).fit(X, np.stack([y, -y], axis=1))
    assert_allclose(both.predict(X)[:, 0], -both.predict(X)[:, 1])
    piped = make_pipeline(StandardScaler(), HadamardLassoCV()).fit(X, y)
    assert piped.score(X, y) > 0.4


@pytest.mark.parametrize(
    "model",
    [
        HadamardLassoCV(alphas=3),
        HadamardMultiTaskLassoCV(alphas=3),
        HadamardPoissonRegressorCV(alphas=3),
        HadamardLogisticRegressionCV(Cs=3),
        HadamardRelaxedCV(alphas=3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_generator_of_splits_serves_with_routing(model):
    """It can be gone through once, by the fit."""
    target = (y > y.mean()).astype(int) if is_classifier(model) else np.abs(y)
    if isinstance(model, HadamardMultiTaskLassoCV):
        target = np.column_stack([y, -y])
    with config_context(enable_metadata_routing=True):
        fitted = clone(model).set_params(cv=KFold(3).split(X)).fit(X, target)
    same = clone(model).set_params(cv=list(KFold(3).split(X))).fit(X, target)
    assert_array_equal(fitted.coef_, same.coef_)


def test_groups_are_routed_to_the_splitter():
    groups = np.arange(len(y)) % 7
    with config_context(enable_metadata_routing=True):
        model = HadamardLassoCV(cv=GroupKFold(3)).set_fit_request(sample_weight=True)
        model.fit(X, y, sample_weight=WEIGHTS, groups=groups)
    splits = list(GroupKFold(3).split(X, y, groups))
    same = HadamardLassoCV(cv=splits).fit(X, y, sample_weight=WEIGHTS)
    assert_array_equal(model.mse_path_, same.mse_path_)
    with pytest.raises(
        ValueError, match=r"groups .*only supported if enable_metadata_routing=True"
    ):
        HadamardLassoCV(cv=GroupKFold(3)).fit(X, y, groups=groups)


def test_unpenalised_features_stay():
    weights = np.ones(10)
    weights[0] = 0.0
    model = HadamardLassoCV(penalty_weights=weights, rule="1se").fit(X, y)
    assert model.coef_[0] != 0.0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"rule": "2se"}, "rule"),
        ({"cv": "five"}, "cv"),
        ({"cv": 1}, "cv"),
        ({"cv": []}, "no folds"),
        ({"cv": [([0, 1, 2], [])]}, "test samples of fold 0"),
        ({"cv": [([], [1])]}, "training samples of fold 0"),
        ({"cv": [(np.arange(9), np.arange(9, 20))], "rule": "1se"}, "two folds"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"alphas": [-1.0]}, "alphas"),
        ({"alphas": 0}, "alphas"),
        ({"eps": 0.0}, "eps"),
    ],
)
def test_bad_parameters(parameters, words):
    with pytest.raises(ValueError, match=words):
        HadamardLassoCV(**parameters).fit(X, y)


@pytest.mark.parametrize("l1_ratio", [1.5, [], [0.5, -1.0], "most"])
def test_bad_l1_ratio(l1_ratio):
    with pytest.raises(ValueError, match="l1_ratio"):
        HadamardElasticNetCV(l1_ratio=l1_ratio).fit(X, y)


def test_weights_of_zero_on_a_whole_fold():
    weights = np.ones(len(y))
    weights[:100] = 0.0
    with pytest.raises(ValueError, match="test samples of fold 0 have no sample weight"):
        HadamardLassoCV(cv=KFold(5)).fit(X, y, sample_weight=weights)
