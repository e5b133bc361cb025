"""Scores of many models at once: those of scikit-learn's scorers, or none."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import cross_val_score

from hplasso import (
    HadamardGroupLasso,
    HadamardGroupLogisticRegression,
    HadamardLasso,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardPoissonRegressor,
    HadamardRelaxedCV,
    PathSearchCV,
)
from hplasso._model_selection.joint_scores import CLASS_SCORES, COLUMN_METRICS, joint_scores
from hplasso._model_selection.scoring import Scorer

RNG = np.random.default_rng(0)
WEIGHTS = RNG.uniform(0.0, 2.0, 60) * (RNG.uniform(size=60) > 0.1)


def samples(n_classes, dtype=np.float64):
    X, codes = make_classification(
        60, 8, n_informative=4, n_classes=n_classes, random_state=0, n_clusters_per_class=1
    )
    return X.astype(dtype), codes


def makes_of(models):
    return [partial(lambda model: model, model) for model in models]


def classifiers(n_classes, dtype=np.float64, labels=("a", "b", "c")):
    """Models, samples and text labels, some of which the models are sure of and wrong about."""
    X, codes = samples(n_classes, dtype)
    y = np.array(labels)[codes]
    models = [HadamardLogisticRegression(C).fit(X[:40], y[:40]) for C in (0.01, 0.1, 1.0)]
    models += [HadamardLogisticRegression(1.0).fit(X[:40], y[:40])]
    models[3].coef_ = 1000.0 * models[3].coef_
    return models, X, y


@pytest.mark.parametrize("scoring", CLASS_SCORES)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_scores_of_classifiers(scoring, n_classes, dtype, weights, container):
    models, X, y = classifiers(n_classes, dtype)
    X, scorer = container(X), get_scorer(scoring or "accuracy")
    expected = [scorer(model, X, y, sample_weight=weights) for model in models]
    found = joint_scores(scoring, makes_of(models), X, y, sample_weight=weights)
    assert len(set(expected)) > 2
    assert_allclose(found, expected, rtol=1e-13 if dtype is np.float64 else 1e-6)


@pytest.mark.parametrize("scoring", COLUMN_METRICS)
@pytest.mark.parametrize("kind", [HadamardLasso, HadamardGroupLasso])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_scores_of_regressors(scoring, kind, weights):
    X, y = samples(3)
    models = [kind(alpha).fit(X, y) for alpha in (0.5, 0.1, 0.01)]
    scorer = get_scorer(scoring or "r2")
    expected = [scorer(model, X, y, sample_weight=weights) for model in models]
    found = joint_scores(scoring, makes_of(models), X, y, sample_weight=weights)
    assert_allclose(found, expected, rtol=1e-13)


def test_groups_of_classifiers():
    X, y = samples(3)
    models = [
        HadamardGroupLogisticRegression(C=C, groups=np.arange(8) // 2).fit(X, y)
        for C in (0.05, 0.5)
    ]
    expected = [model.score(X, y) for model in models]
    assert_allclose(joint_scores(None, makes_of(models), X, y), expected, rtol=1e-13)


@pytest.mark.parametrize("scoring", CLASS_SCORES)
def test_scores_of_outputs_of_zero_and_of_sure_predictions(scoring):
    """At zero the first class is predicted; no probability is one."""
    X = np.array([[-1000.0], [1000.0], [0.0]])
    model = HadamardLogisticRegression().fit(X[:2], [0, 1])
    model.coef_, model.intercept_ = np.ones((1, 1)), np.zeros(1)
    scorer = get_scorer(scoring or "accuracy")
    for rows, labels in (([0, 1], [0, 1]), ([0, 1, 2], [0, 1, 0]), ([0, 1, 2], [0, 1, 1])):
        (found,) = joint_scores(scoring, makes_of([model]), X[rows], labels)
        assert found == pytest.approx(scorer(model, X[rows], labels), rel=1e-13, abs=0.0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_offsets_are_added_to_the_outputs(n_classes):
    models, X, y = classifiers(n_classes)
    offset = np.random.default_rng(1).normal(size=(60, n_classes if n_classes > 2 else 1))
    expected = [model.score(X, y, offset=offset) for model in models]
    found = joint_scores(None, makes_of(models), X, y, offset[:, 0] if n_classes == 2 else offset)
    assert_allclose(found, expected, rtol=1e-13)
    assert found != joint_scores(None, makes_of(models), X, y)


def test_equal_models_have_equal_scores():
    models, X, y = classifiers(3)
    for scoring in CLASS_SCORES:
        found = joint_scores(scoring, makes_of([models[2]] * 7), X[:13], y[:13])
        assert len(set(found)) == 1


def test_labels_that_the_samples_lack():
    """A scorer that is told of all classes knows the score, one that is not raises an error."""
    models, X, y = classifiers(3)
    kept = y != "b"
    makes = makes_of(models)
    assert joint_scores("neg_log_loss", makes, X[kept], y[kept]) is None
    scorer = Scorer("neg_log_loss", models[0].classes_)
    found, errors = scorer.scores(makes, X[kept], y[kept])
    assert errors == []
    expected = [scorer(model, X[kept], y[kept]) for model in models]
    assert_allclose(found, expected, rtol=1e-13)


def test_what_is_not_known_together_is_left_to_the_scorers():
    models, X, y = classifiers(2)
    makes = makes_of(models)
    assert joint_scores("roc_auc", makes, X, y) is None
    assert joint_scores(get_scorer("accuracy"), makes, X, y) is None
    assert joint_scores("accuracy", makes, X, np.where(y == "a", "a", "z")) is None
    assert joint_scores("accuracy", makes, X, y, sample_weight=np.zeros(60)) is None
    assert joint_scores("accuracy", makes, X, y, normalize=False) is None
    assert joint_scores("accuracy", makes, np.full_like(X, np.nan), y) is None
    counts = [HadamardPoissonRegressor().fit(X, y == "a")]
    assert joint_scores(None, makes_of(counts), X, y == "a") is None

    class Own(HadamardLogisticRegression):
        def predict(self, X):
            return np.full(len(X), "a")

    assert joint_scores(None, makes_of([Own().fit(X, y)]), X, y) is None


def without_joint_scores(monkeypatch):
    """All models are scored one by one."""
    monkeypatch.setattr("hplasso._model_selection.scoring.joint_scores", lambda *_, **__: None)


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("given", [{}, {"sample_weight": WEIGHTS}, {"offset": True}])
def test_cross_validation_has_the_scores_of_the_scorers(monkeypatch, scoring, n_classes, given):
    X, y = samples(n_classes)
    if "offset" in given:
        offset = RNG.normal(size=(60, n_classes))
        given = {"offset": offset if n_classes > 2 else offset[:, 0]}
    search = HadamardLogisticRegressionCV(Cs=[0.1, 1.0, 10.0], cv=3, scoring=scoring)
    found = search.fit(X, y, **given).scores_
    without_joint_scores(monkeypatch)
    assert_allclose(found, search.fit(X, y, **given).scores_, rtol=1e-13)


def test_scores_of_relaxed_fits(monkeypatch):
    X, y = samples(3)
    for estimator, grid, scoring in (
        (HadamardLogisticRegression(), {"Cs": 10}, "neg_log_loss"),
        (HadamardLasso(), {"alphas": 10}, "neg_mean_absolute_error"),
    ):
        search = HadamardRelaxedCV(estimator, cv=3, scoring=scoring, **grid)
        with monkeypatch.context() as patch:
            found = search.fit(X, y).scores_
            without_joint_scores(patch)
            assert_allclose(found, search.fit(X, y).scores_, rtol=1e-12)


@pytest.mark.parametrize("scoring", [None, "accuracy", "neg_log_loss"])
def test_scores_of_searches(scoring):
    """Those of a callable, which are not known together."""
    X, y = samples(3)
    grid = {"C": [0.1, 1.0, 10.0]}
    found = PathSearchCV(HadamardLogisticRegression(), grid, scoring=scoring, cv=3).fit(X, y)
    scorer = get_scorer(scoring or "accuracy")
    other = PathSearchCV(HadamardLogisticRegression(), grid, scoring=scorer, cv=3).fit(X, y)
    names = [f"split{fold}_test_score" for fold in range(3)]
    for name in names:
        assert_allclose(found.cv_results_[name], other.cv_results_[name], rtol=1e-13)
    assert_array_equal(found.best_params_["C"], other.best_params_["C"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("estimator", [HadamardLogisticRegression(), HadamardLasso()])
def test_targets_in_a_column(estimator):
    """Also where there are as many candidates as samples in a test set."""
    X, y = samples(2)
    grid = {"C" if hasattr(estimator, "C") else "alpha": np.geomspace(0.01, 1.0, 20)}
    search = PathSearchCV(estimator, grid, cv=3)
    in_column = search.fit(X, y[:, None]).cv_results_["mean_test_score"]
    assert_allclose(in_column, search.fit(X, y).cv_results_["mean_test_score"], rtol=1e-12)


@pytest.mark.parametrize("kind", [HadamardLasso, HadamardGroupLasso])
def test_models_without_intercept(kind):
    X, y = samples(2)
    search = PathSearchCV(kind(fit_intercept=False), {"alpha": [0.1, 0.01]}, cv=3).fit(X, y)
    model = kind(search.best_params_["alpha"], fit_intercept=False)
    scores = cross_val_score(model, X, y, cv=3)
    assert search.best_score_ == pytest.approx(scores.mean(), abs=1e-3)


def test_own_scorers_are_asked():
    X, y = samples(2)
    constant = make_scorer(lambda y, predicted: 0.25)
    search = HadamardLogisticRegressionCV(Cs=[1.0], cv=3, scoring=constant)
    assert_array_equal(search.fit(X, y).scores_, 0.25)
