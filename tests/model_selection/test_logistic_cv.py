"""Cross-validated logistic regression, against scikit-learn, glmnet and fits fold by fold."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import HadamardLogisticRegression, HadamardLogisticRegressionCV, logistic_path

X, y = load_breast_cancer(return_X_y=True)
X = scale(X)
IRIS, SPECIES = load_iris(return_X_y=True)
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
REFERENCES = json.loads((Path(__file__).parent.parent / "references/glmnet_cv.json").read_text())


@parametrize_with_checks(
    [HadamardLogisticRegressionCV(Cs=5, cv=3, rule="1se")],
    expected_failed_checks=lambda estimator: {
        "check_non_transformer_estimators_n_iter": "n_iter_ is 0 where nothing has entered yet; "
        "scikit-learn excepts its LogisticRegressionCV from this check as well"
    },
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.skipif(
    "use_legacy_attributes" not in LogisticRegressionCV().get_params(),
    reason="the attributes have their shapes from scikit-learn 1.9 on",
)
@pytest.mark.parametrize(("weights", "l1_ratios"), [(None, (1.0,)), (WEIGHTS, (0.5, 1.0))])
def test_same_as_logistic_regression_cv(weights, l1_ratios):
    parameters = {"Cs": [0.02, 0.1], "cv": FOLDS, "l1_ratios": l1_ratios}
    some = X[:, ::3]  # of all, saga needs 30,000 iterations
    ours = HadamardLogisticRegressionCV(tol=1e-13, **parameters).fit(some, y, sample_weight=weights)
    theirs = LogisticRegressionCV(
        solver="saga",
        tol=1e-11,
        max_iter=100_000,
        scoring="neg_log_loss",
        use_legacy_attributes=False,
        **parameters,
    ).fit(some, y, sample_weight=weights)
    assert ours.C_ == theirs.C_
    assert ours.l1_ratio_ == theirs.l1_ratio_
    assert_allclose(ours.scores_, theirs.scores_, rtol=1e-8)
    assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, atol=1e-7)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    assert_allclose(ours.score(some, y), theirs.score(some, y), rtol=1e-8)


@pytest.mark.parametrize("reference", [r for r in REFERENCES if r["data"] == "breast_cancer"])
def test_one_standard_error_as_in_glmnet(reference):
    fold = np.arange(560) % reference["folds"]
    cv = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(fold.max() + 1)]
    n_training = 560 - 560 // reference["folds"]
    Cs = 1.0 / (n_training * np.array(reference["lambda"]))
    model = HadamardLogisticRegressionCV(Cs=Cs, cv=cv, tol=1e-10, rule="1se").fit(X[:560], y[:560])
    # glmnet's deviance keeps probabilities 1e-5 away from 0 and 1
    assert_allclose(-2.0 * model.scores_.mean(axis=0)[0], reference["mean"], rtol=2e-5)
    assert_allclose(2.0 * model.scores_se_[0], reference["error"], rtol=2e-5)
    assert 1.0 / (n_training * model.C_min_) == pytest.approx(reference["min"])
    assert 1.0 / (n_training * model.C_) == pytest.approx(reference["1se"])
    assert model.C_ == model.C_1se_ < model.C_min_


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("neg_log_loss", lambda model, X, y: -log_loss(y, model.predict_proba(X))),
        ("accuracy", lambda model, X, y: (model.predict(X) == y).mean()),
        (None, lambda model, X, y: (model.predict(X) == y).mean()),
        (lambda model, X, y: X.shape[1] + model.coef_[0, 0], lambda m, X, y: 4 + m.coef_[0, 0]),
    ],
)
def test_folds_are_fits_to_their_training_samples(container, scoring, metric):
    data, labels = container(IRIS), np.array(["setosa", "versicolor", "virginica"])[SPECIES]
    model = HadamardLogisticRegressionCV(
        Cs=[0.1, 1.0], cv=FOLDS, tol=1e-12, scoring=scoring, l1_ratios=(0.7, 1.0)
    ).fit(data, labels)
    assert model.coefs_paths_.shape == (4, 2, 2, 3, 5)
    for fold, (train, test) in enumerate(FOLDS.split(IRIS, labels)):
        for row, l1_ratio in enumerate((0.7, 1.0)):
            for column, C in enumerate([0.1, 1.0]):
                single = HadamardLogisticRegression(C, l1_ratio=l1_ratio, tol=1e-12)
                single.fit(data[train], labels[train])
                expected = metric(single, data[test], labels[test])
                assert_allclose(model.scores_[fold, row, column], expected, rtol=1e-5)
    best = HadamardLogisticRegression(model.C_, l1_ratio=model.l1_ratio_, tol=1e-12)
    assert_allclose(model.coef_, best.fit(data, labels).coef_, atol=1e-5)
    assert model.dual_gap_ <= 1e-12 * np.log(3)


def test_brier_score():
    model = HadamardLogisticRegressionCV(Cs=[0.1], cv=FOLDS, scoring="neg_brier_score").fit(X, y)
    train, test = next(iter(FOLDS.split(X, y)))
    single = HadamardLogisticRegression(0.1).fit(X[train], y[train])
    expected = -brier_score_loss(y[test], single.predict_proba(X[test])[:, 1])
    assert_allclose(model.scores_[0, 0, 0], expected, rtol=1e-4)


def test_test_set_without_one_of_the_classes():
    order = np.argsort(SPECIES == 2, kind="stable")
    cv = [(np.arange(20, 150), np.arange(20)), (np.arange(130), np.arange(130, 150))]
    model = HadamardLogisticRegressionCV(Cs=3, cv=cv).fit(IRIS[order], SPECIES[order])
    assert np.isfinite(model.scores_).all()


def test_grid_starts_where_the_first_coefficient_enters():
    model = HadamardLogisticRegressionCV(Cs=5, eps=0.1, cv=3).fit(X, y)
    assert_allclose(model.Cs_, logistic_path(X, y, Cs=5, eps=0.1)[0])
    several = HadamardLogisticRegressionCV(Cs=5, eps=0.1, cv=3, l1_ratios=(0.5, 1.0)).fit(X, y)
    assert_allclose(several.Cs_[[0, -1]], model.Cs_[[0, -1]] * [0.5, 1.0])


def test_best_models_of_the_folds_averaged():
    model = HadamardLogisticRegressionCV(refit=False, Cs=4, cv=FOLDS).fit(X, y)
    best = model.scores_[:, 0].argmax(axis=1)
    models = model.coefs_paths_[np.arange(4), 0, best].mean(axis=0)
    assert_allclose(np.hstack([model.coef_, model.intercept_[:, None]]), models)
    assert pytest.approx(model.Cs_[best].mean()) == model.C_
    assert np.isnan(model.dual_gap_)
    assert model.score(X, y) < 0.0


def test_averages_of_folds_that_disagree():
    rng = np.random.default_rng(1)
    data = rng.standard_normal((60, 6))
    labels = data[:, 0] + 0.5 * data[:, 1] + rng.standard_normal(60) > 0.0
    model = HadamardLogisticRegressionCV(
        refit=False, Cs=[0.1, 0.5, 2.5], l1_ratios=(0.4, 1.0), cv=KFold(3)
    ).fit(data, labels)
    best = [np.unravel_index(scores.argmax(), scores.shape) for scores in model.scores_]
    rows, columns = np.transpose(best)
    assert set(columns) == {0, 1, 2}
    assert set(rows) == {0, 1}
    assert pytest.approx(model.Cs_[columns].mean()) == model.C_
    assert model.l1_ratio_ == pytest.approx(model.l1_ratios_[rows].mean())
    models = np.mean([model.coefs_paths_[i, *where] for i, where in enumerate(best)], axis=0)
    assert_allclose(np.hstack([model.coef_, model.intercept_[:, None]]), models)


def test_without_intercept():
    model = HadamardLogisticRegressionCV(fit_intercept=False, Cs=4).fit(X, y)
    assert model.coefs_paths_.shape == (5, 1, 4, 1, 30)
    assert_array_equal(model.intercept_, [0.0])


def test_class_weights_are_those_of_all_samples():
    balanced = HadamardLogisticRegressionCV(class_weight="balanced", Cs=[0.1]).fit(X, y)
    given = len(y) / (2 * np.bincount(y))
    same = HadamardLogisticRegressionCV(class_weight=dict(enumerate(given)), Cs=[0.1]).fit(X, y)
    assert_allclose(balanced.coefs_paths_, same.coefs_paths_)


def test_two_jobs_give_the_same_numbers():
    models = [HadamardLogisticRegressionCV(n_jobs=n_jobs).fit(IRIS, SPECIES) for n_jobs in (1, 2)]
    assert_array_equal(models[0].coefs_paths_, models[1].coefs_paths_)
    assert_array_equal(models[0].coef_, models[1].coef_)


def test_groups_are_routed_to_the_splitter():
    groups = np.arange(len(y)) % 7
    with config_context(enable_metadata_routing=True):
        model = HadamardLogisticRegressionCV(cv=GroupKFold(3), Cs=3).fit(X, y, groups=groups)
        score = model.score(X, y)
    splits = list(GroupKFold(3).split(X, y, groups))
    same = HadamardLogisticRegressionCV(cv=splits, Cs=3).fit(X, y)
    assert_array_equal(model.scores_, same.scores_)
    assert score == same.score(X, y)
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        same.fit(X, y, groups=groups)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Cs": [0.0, 1.0]}, "Cs"),
        ({"Cs": 0}, "Cs"),
        ({"eps": 2.0}, "eps"),
        ({"l1_ratios": ()}, "l1_ratios"),
        ({"scoring": "loss"}, "scoring"),
        ({"refit": 1}, "refit"),
        ({"refit": False, "rule": "1se"}, "refit=True"),
        ({"rule": "best"}, "rule"),
    ],
)
def test_bad_parameters(parameters, words):
    with pytest.raises(ValueError, match=words):
        HadamardLogisticRegressionCV(**parameters).fit(X[np.argsort(y)], np.sort(y))
