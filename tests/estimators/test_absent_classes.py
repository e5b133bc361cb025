"""Classes whose samples all have weight zero, and folds that lack a class."""

from dataclasses import replace

import numpy as np
import pytest
import random_logistic_problems
from logistic_oracle import Logistic
from numpy.testing import assert_allclose, assert_array_equal
from random_problems import CONTAINERS
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from sklearn.preprocessing import scale

from hplasso import (
    CertificateDisplay,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    RegularizationPathDisplay,
    logistic_path,
)

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
NAMES = np.array(["ab", "c", "de", "f"])


def draw(n_classes, absent, seed=0):
    """Data (60, 8), codes, and weights that are zero for the absent classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 8)) + rng.choice([0.0, 3.0, -20.0], 8)
    truth = rng.standard_normal((8, n_classes))
    codes = (scale(X) @ truth + rng.gumbel(size=(60, n_classes))).argmax(axis=1)
    codes[:n_classes] = np.arange(n_classes)
    weights = rng.uniform(0.5, 2.0, 60)
    weights[np.isin(codes, absent)] = 0.0
    return X, codes, weights


CASES = [(3, [0]), (3, [1]), (3, [2]), (4, [1]), (4, [0, 3]), (4, [2]), (3, [0, 2]), (2, [0])]
CASES = [*CASES, (2, [1]), (4, [0, 1, 2])]


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("n_classes", "absent"), CASES)
def test_the_problem_of_all_classes_is_solved(n_classes, absent, fit_intercept, l1_ratio):
    X, codes, weights = draw(n_classes, absent)
    model = HadamardLogisticRegression(
        0.3, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-10
    ).fit(X, codes, sample_weight=weights)
    alpha = 1.0 / (0.3 * weights.sum())
    oracle = Logistic(X, codes, alpha, l1_ratio, weights, np.ones(8), fit_intercept)
    bound = oracle.lower_bound(model.coef_, model.intercept_)
    above = oracle.objective(model.coef_, model.intercept_) - bound
    assert above <= 1e-9
    assert model.dual_gap_ <= 1e-10 * np.log(n_classes)
    assert_array_equal(model.classes_, np.arange(n_classes))
    probabilities = model.predict_proba(X)
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-15)
    assert np.isfinite(model.predict_log_proba(X)).all()
    assert_allclose(model.to_sklearn().predict_proba(X), probabilities, rtol=1e-12, atol=1e-300)
    if fit_intercept:
        assert probabilities[:, absent].max() < 1e-300
        assert np.isfinite(model.intercept_).all()
        rows = model.coef_ if n_classes == 2 else model.coef_[absent]
        assert not rows.any()
        others = np.delete(model.intercept_, absent if n_classes > 2 else 0)
        assert abs(others.sum()) < 1e-12
    else:
        assert probabilities[:, absent].max() > 1e-5
        assert model.coef_.any()


@pytest.mark.parametrize("container", list(CONTAINERS))
@pytest.mark.parametrize(("n_classes", "absent"), [(4, [1]), (3, [1]), (4, [0, 2]), (2, [0])])
def test_as_if_the_samples_were_not_there(n_classes, absent, container):
    dense, codes, weights = draw(n_classes, absent, seed=1)
    kept = weights > 0.0
    X = CONTAINERS[container](dense)
    whole = HadamardLogisticRegression(0.2, tol=1e-13).fit(X, NAMES[codes], weights)
    assert len(whole.classes_) == n_classes
    if n_classes - len(absent) == 1:
        assert_array_equal(whole.predict(X), NAMES[codes[kept][0]])
        assert (whole.dual_gap_, whole.n_iter_) == (0.0, 0)
        return
    only = HadamardLogisticRegression(0.2, tol=1e-13)
    only.fit(CONTAINERS[container](dense[kept]), NAMES[codes[kept]], weights[kept])
    present = np.delete(np.arange(n_classes), absent)
    assert_allclose(whole.predict_proba(X)[:, present], only.predict_proba(X), rtol=1e-7)
    assert whole.dual_gap_ == pytest.approx(only.dual_gap_, abs=1e-13)
    if len(present) > 2:
        assert_allclose(whole.coef_[present], only.coef_, atol=1e-8)
        assert_allclose(whole.intercept_[present], only.intercept_, atol=1e-7)
    else:  # two classes of more, under the penalties of both
        assert_allclose(whole.coef_[present[1]] - whole.coef_[present[0]], only.coef_[0], atol=1e-8)


@pytest.mark.parametrize("first", [0, 40])
def test_random_problems_with_classes_of_weight_zero(first):
    for seed in range(first, first + 40):
        X, labels, parameters, sample_weight, oracle, _ = random_logistic_problems.draw(seed)
        rng = np.random.default_rng([seed, 1])
        n_classes = oracle.n_classes
        absent = rng.choice(n_classes, rng.integers(1, n_classes), replace=False)
        kept = ~np.isin(oracle.codes, absent)
        oracle = replace(oracle, sample_weight=oracle.sample_weight * kept)
        parameters["C"] = 1.0 / (oracle.alpha * oracle.sample_weight.sum())
        model = HadamardLogisticRegression(tol=1e-10, **parameters)
        model.fit(X, labels, sample_weight=sample_weight * kept)
        coef, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        above = oracle.objective(coef, intercept) - oracle.lower_bound(coef, intercept)
        allowed = 1e-5 if X.dtype == np.float32 else 1e-9
        assert above <= allowed, f"seed {seed}"
        assert 0.0 <= model.dual_gap_ <= allowed, f"seed {seed}"
        if oracle.fit_intercept:
            largest = float(model.predict_proba(X)[:, absent].max())
            assert largest < 1e-300, f"seed {seed}"


def test_a_little_weight_leads_to_the_same_coefficients():
    X, codes, weights = draw(3, [1])
    little = np.where(codes == 1, 1e-10, weights)
    oracle = Logistic(X, codes, 1 / (0.3 * little.sum()), 0.5, little, np.ones(8))
    model = HadamardLogisticRegression(0.3, l1_ratio=0.5, tol=1e-13).fit(X, codes, weights)
    assert_allclose(model.coef_, oracle.solve()[0], atol=1e-6)


def test_far_outputs_of_those_that_take_part():
    X, codes, weights = draw(4, [2])
    # each of the others has a feature that speaks against it, and these are large everywhere
    X = np.hstack([X, 1e4 - 10.0 * np.eye(4)[codes][:, [0, 1, 3]]])
    model = HadamardLogisticRegression(10.0).fit(X, codes, weights)
    outputs = np.delete(X @ model.coef_.T + model.intercept_, 2, axis=1)
    assert outputs.max() < -1000.0
    assert model.predict_proba(X)[:, 2].max() < 1e-300


def test_single_precision():
    X, codes, weights = draw(4, [2])
    model = HadamardLogisticRegression().fit(X.astype(np.float32), codes, weights)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert float(model.predict_proba(X.astype(np.float32))[:, 2].max()) < 1e-300


def test_class_weight():
    only = HadamardLogisticRegression(0.3, tol=1e-12).fit(IRIS[50:], SPECIES[50:])
    model = HadamardLogisticRegression(0.3, tol=1e-12, class_weight={0: 0.0}).fit(IRIS, SPECIES)
    assert_allclose(model.predict_proba(IRIS)[:, 1:], only.predict_proba(IRIS), rtol=1e-7)
    weights = np.where(SPECIES == 0, 0.0, 1.0 + np.arange(150) % 3)
    balanced = HadamardLogisticRegression(0.3, tol=1e-12, class_weight="balanced")
    expected = balanced.fit(IRIS[50:], SPECIES[50:], weights[50:]).predict_proba(IRIS)
    balanced.fit(IRIS, SPECIES, weights)
    assert_allclose(balanced.predict_proba(IRIS)[:, 1:], expected, rtol=1e-7)


def test_bootstrap_samples_without_a_class():
    X, y = make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)
    kept = np.concatenate([np.flatnonzero(y == 0)[:2], np.flatnonzero(y != 0)])
    bagging = BaggingClassifier(HadamardLogisticRegression(), n_estimators=20, random_state=0)
    bagging.fit(X[kept], y[kept])
    counts = [np.isin(kept[sample], kept[:2]).any() for sample in bagging.estimators_samples_]
    assert not all(counts)  # some have lacked it
    assert_allclose(bagging.predict_proba(X).sum(axis=1), 1.0)
    assert bagging.score(X[kept], y[kept]) > 0.6


@pytest.mark.parametrize(("n_classes", "absent"), [(4, [1]), (3, [1]), (2, [0]), (4, [0, 2])])
def test_warm_start_and_path(n_classes, absent):
    X, codes, weights = draw(n_classes, absent)
    model = HadamardLogisticRegression(0.3, l1_ratio=0.5, tol=1e-9).fit(X, codes, weights)
    again = HadamardLogisticRegression(0.3, l1_ratio=0.5, tol=1e-9, warm_start=True)
    again.coef_ = model.coef_
    again.fit(X, codes, weights)
    assert again.n_iter_[0] <= 0.5 * model.n_iter_[0]
    assert_allclose(again.coef_, model.coef_, atol=1e-7)
    _, coefs, intercepts, gaps = logistic_path(
        X,
        codes,
        Cs=[0.03, 0.3],
        l1_ratio=0.5,
        sample_weight=weights,
        tol=1e-10,
        coef_init=np.ones_like(model.coef_),
    )
    assert_allclose(np.atleast_3d(coefs.T).T[..., 1], model.coef_, atol=1e-4)
    assert_allclose(intercepts.T[1], np.squeeze(model.intercept_), atol=1e-3)
    assert (gaps <= 1e-9).all()


def test_path_of_its_coefficients():
    X, codes, weights = draw(3, [1])
    model = HadamardLogisticRegression(0.3, l1_ratio=0.5, tol=1e-10)
    first = float(logistic_path(X, codes, Cs=1, l1_ratio=0.5, sample_weight=weights)[0][0])
    for target in (1, 2):
        display = RegularizationPathDisplay.from_estimator(
            model, X, codes, sample_weight=weights, target=target
        )
        assert display.penalties[0] == pytest.approx(first)
        some = slice(None, None, 20)
        expected = logistic_path(
            X, codes, Cs=display.penalties[some], l1_ratio=0.5, sample_weight=weights, tol=1e-10
        )[1][target]
        assert_allclose(display.coefs[:, some], expected, atol=1e-5)
        assert display.coefs.any() == (target == 2)
    display = CertificateDisplay.from_estimator(model, X, codes, sample_weight=weights)
    assert display.gaps[-1] <= 1e-10


def splits(lacking):
    """Three folds; the first has all samples of these classes as test samples, among others."""
    first = np.flatnonzero(np.isin(SPECIES, lacking) | (np.arange(150) % 5 == 0))
    train = np.setdiff1d(np.arange(150), first)
    rest = np.arange(150)
    return [(train, first), (rest[::2], rest[1::2]), (rest[1::2], rest[::2])]


METRICS = {
    "neg_log_loss": lambda y, p: -log_loss(y, p, labels=[0, 1, 2]),
    "neg_brier_score": lambda y, p: -brier_score_loss(y, p, labels=[0, 1, 2]),
    "accuracy": lambda y, p: accuracy_score(y, p.argmax(axis=1)),
}


@pytest.mark.parametrize("scoring", list(METRICS))
@pytest.mark.parametrize("lacking", [[0], [1], [0, 1]])
def test_training_samples_of_a_fold_without_a_class(lacking, scoring):
    cv = splits(lacking)
    model = HadamardLogisticRegressionCV(Cs=[0.05, 0.5], cv=cv, scoring=scoring, tol=1e-10)
    model.fit(IRIS, SPECIES)
    for fold, (train, test) in enumerate(cv):
        weights = np.isin(np.arange(150), train).astype(float)
        for column, C in enumerate([0.05, 0.5]):
            single = HadamardLogisticRegression(C, tol=1e-10).fit(IRIS, SPECIES, weights)
            found = model.coefs_paths_[fold, 0, column]
            assert_allclose(found[:, :4], single.coef_, atol=1e-4)
            assert_allclose(found[:, 4], single.intercept_, rtol=1e-3)
            expected = METRICS[scoring](SPECIES[test], single.predict_proba(IRIS[test]))
            assert_allclose(model.scores_[fold, 0, column], expected, rtol=1e-4)
    assert not model.coefs_paths_[0, :, :, lacking, :4].any()


@pytest.mark.skipif(
    "use_legacy_attributes" not in LogisticRegressionCV().get_params(),
    reason="the attributes have their shapes from scikit-learn 1.9 on",
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("scoring", "rtol"), [("accuracy", 0.0), ("neg_log_loss", 1e-3)])
def test_scores_of_logistic_regression_cv(scoring, rtol):
    """Its saga goes to an intercept of minus infinity, in very many steps."""
    (train, test), *others = splits([0])
    if scoring == "neg_log_loss":  # where the class has no sample: the rest of its probability
        test = test[SPECIES[test] != 0]
    parameters = {"Cs": [0.2, 0.5], "cv": [(train, test), *others], "scoring": scoring}
    ours = HadamardLogisticRegressionCV(**parameters, tol=1e-10).fit(IRIS, SPECIES)
    saga = LogisticRegressionCV(
        solver="saga", l1_ratios=(1,), use_legacy_attributes=False, tol=1e-9, **parameters
    )
    theirs = saga.set_params(max_iter=20_000).fit(IRIS, SPECIES)
    assert_allclose(ours.scores_[0], theirs.scores_[0], rtol=rtol)
    assert_allclose(ours.scores_[1:], theirs.scores_[1:], rtol=1e-5)
    assert ours.C_ == theirs.C_


def test_two_classes_and_a_fold_with_one():
    y = (SPECIES == 1).astype(int)
    cv = splits([1])
    model = HadamardLogisticRegressionCV(Cs=3, cv=cv, scoring="accuracy").fit(IRIS, y)
    assert not model.coefs_paths_[0, ..., :4].any()
    assert_allclose(model.scores_[0], np.mean(y[cv[0][1]] == 0))
    assert (model.coefs_paths_[0, ..., 4] < -690.0).all()


def test_folds_without_a_class_are_not_averaged():
    model = HadamardLogisticRegressionCV(Cs=4, cv=splits([0]), refit=False).fit(IRIS, SPECIES)
    best = model.scores_[1:, 0].argmax(axis=1)
    expected = model.coefs_paths_[[1, 2], 0, best].mean(axis=0)
    assert_allclose(np.hstack([model.coef_, model.intercept_[:, None]]), expected)
    assert pytest.approx(model.Cs_[best].mean()) == model.C_
    alone = HadamardLogisticRegressionCV(Cs=[0.1], cv=splits([0])[:1], refit=False)
    assert_allclose(alone.fit(IRIS, SPECIES).coef_, alone.coefs_paths_[0, 0, 0, :, :4])


def test_no_weight_at_all():
    with pytest.raises(ValueError, match="leaves no sample of positive weight"):
        HadamardLogisticRegression(class_weight={0: 0, 1: 0, 2: 0}).fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="at least 2 classes"):
        HadamardLogisticRegression().fit(IRIS, np.zeros(150))
