"""HadamardLogisticRegression and logistic_path as scikit-learn's users meet them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import random_logistic_problems
from logistic_oracle import Logistic
from numpy.testing import assert_allclose, assert_array_equal
from random_problems import CONTAINERS
from scipy import sparse
from scipy.special import entr, expit, log_softmax
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import l1_min_c
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import HadamardLogisticRegression, logistic_path

SETS = {
    "breast_cancer": load_breast_cancer,
    "iris": load_iris,
    "wine": load_wine,
    "digits": load_digits,
}
BINARY = make_classification(80, 30, n_informative=6, random_state=0)
MULTI = make_classification(90, 20, n_informative=8, n_classes=3, random_state=1)
TIGHT = {"C": 0.1, "tol": 1e-12}


def load(name):
    X, y = SETS[name](return_X_y=True)
    return StandardScaler().fit_transform(X), y


def objective(model, X, y, C, l1_ratio=1.0):
    """Mean loss plus penalty, from coefficients and intercept."""
    outputs = X @ model.coef_.T + model.intercept_
    if outputs.shape[1] == 1:
        outputs = np.hstack([np.zeros_like(outputs), outputs])
    loss = -log_softmax(outputs, axis=1)[np.arange(len(y)), y].mean()
    size = l1_ratio * np.abs(model.coef_) + 0.5 * (1 - l1_ratio) * model.coef_**2
    return loss + size.sum() / (C * len(y))


@parametrize_with_checks(
    [
        HadamardLogisticRegression(),
        HadamardLogisticRegression(l1_ratio=0.5),
        HadamardLogisticRegression(l1_ratio=0),
        HadamardLogisticRegression(fit_intercept=False),
        HadamardLogisticRegression(solver="alternating"),
    ],
    expected_failed_checks=lambda estimator: (
        {}
        if estimator.fit_intercept
        else {
            "check_class_weight_classifiers": "needs an intercept: LogisticRegression("
            "fit_intercept=False) of scikit-learn, whatever its solver, does not pass it either"
        }
    ),
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_fifty_random_problems(first):
    seeds = range(first, first + 50)
    wrong = [line for seed in seeds for line in random_logistic_problems.check(seed)]
    assert not wrong, "\n".join(wrong)


def test_fifty_random_problems_of_every_kind():
    found = [random_logistic_problems.examine(seed, "all") for seed in range(50)]
    wrong = [line for lines, _ in found for line in lines]
    assert not wrong, "\n".join(wrong)
    assert sum(warned for _, warned in found) <= 2  # outliers in multinomial problems


@pytest.mark.parametrize(
    ("name", "C"), [("breast_cancer", 0.1), ("iris", 0.1), ("wine", 0.1), ("digits", 0.01)]
)
def test_same_objective_as_saga(name, C):
    X, y = load(name)
    ours = HadamardLogisticRegression(C, tol=1e-10).fit(X, y)
    saga = LogisticRegression(C=C, l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=100_000)
    if "penalty" in saga.get_params() and saga.penalty == "l2":  # before scikit-learn 1.8
        saga.set_params(penalty="l1", l1_ratio=None)
    theirs = saga.fit(X, y)
    best, reached = objective(theirs, X, y, C), objective(ours, X, y, C)
    assert_allclose(reached, best, rtol=1e-8)
    assert reached <= best * (1 + 1e-10)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


def test_ten_classes_are_certified():
    X, y = load("digits")
    model = HadamardLogisticRegression(0.05, tol=1e-10).fit(X, y)
    assert model.coef_.shape == (10, 64)
    oracle = Logistic(X, y, 1 / (0.05 * len(y)), 1.0, np.ones(len(y)), np.ones(64))
    reached = oracle.objective(model.coef_, model.intercept_)
    assert reached - oracle.lower_bound(model.coef_, model.intercept_) <= 1e-9 * reached


REFERENCES = json.loads(
    (Path(__file__).parent.parent / "references/glmnet_logistic.json").read_text()
)


@pytest.mark.parametrize(
    "case", REFERENCES, ids=lambda case: f"{case['data']}-{case['alpha']}-{case['l1_ratio']}"
)
def test_same_as_glmnet(case):
    X, y = load(case["data"])
    C, l1_ratio = 1.0 / (case["alpha"] * len(y)), case["l1_ratio"]
    model = HadamardLogisticRegression(C, l1_ratio=l1_ratio, tol=1e-12).fit(X, y)
    assert_allclose(objective(model, X, y, C, l1_ratio), case["objective"], rtol=1e-8)
    assert objective(model, X, y, C, l1_ratio) <= case["objective"] * (1 + 1e-12)
    assert abs(np.count_nonzero(model.coef_) - case["n_nonzero"]) <= 1


@pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
@pytest.mark.parametrize("container", list(CONTAINERS))
def test_containers_agree(container, data):
    X, y = data[0] * (np.abs(data[0]) > 0.5), data[1]
    expected = HadamardLogisticRegression(**TIGHT).fit(X, y)
    stored = CONTAINERS[container](X)
    model = HadamardLogisticRegression(**TIGHT).fit(stored, y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-7)
    assert_allclose(model.intercept_, expected.intercept_, atol=1e-7)
    assert_allclose(model.predict_proba(stored), expected.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
def test_weights_are_repetitions_and_class_weights_are_weights(data):
    X, y = data
    repeats = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = HadamardLogisticRegression(**TIGHT).fit(X, y, sample_weight=repeats)
    repeated = HadamardLogisticRegression(**TIGHT).fit(
        np.repeat(X, repeats, axis=0), np.repeat(y, repeats)
    )
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-7)
    by_class = {0: 2.0, 1: 0.5, 2: 3.0}
    chosen = {label: by_class[label] for label in np.unique(y)}
    named = HadamardLogisticRegression(class_weight=chosen, **TIGHT).fit(X, y)
    factors = np.array([by_class[label] for label in y])
    assert_allclose(
        named.coef_, HadamardLogisticRegression(**TIGHT).fit(X, y, factors).coef_, atol=1e-7
    )
    balanced = HadamardLogisticRegression(class_weight="balanced", **TIGHT).fit(X, y)
    factors = len(y) / (len(chosen) * np.bincount(y)[y])
    assert_allclose(
        balanced.coef_, HadamardLogisticRegression(**TIGHT).fit(X, y, factors).coef_, atol=1e-7
    )


@pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_path_points_are_fits(data, fit_intercept):
    X, y = data
    shared = {"tol": 1e-12, "fit_intercept": fit_intercept, "l1_ratio": 0.8}
    Cs, coefs, intercepts, gaps, n_iters = logistic_path(
        X, y, Cs=6, eps=0.05, return_n_iter=True, **shared
    )
    assert coefs.shape == ((30, 6) if len(np.unique(y)) == 2 else (3, 20, 6))
    assert intercepts.shape == (*coefs.shape[:-2], 6)
    assert gaps.shape == (6,) == (len(n_iters),)
    assert not coefs[..., 0].any()
    assert (np.abs(coefs).sum(axis=tuple(range(coefs.ndim - 1)))[1:] > 0).all()
    for i, C in enumerate(Cs):
        model = HadamardLogisticRegression(C, **shared).fit(X, y)
        assert_allclose(model.coef_, np.atleast_2d(coefs[..., i]), atol=1e-6)
        assert_allclose(model.intercept_, np.atleast_1d(intercepts[..., i]), atol=1e-6)


def test_first_C_is_scikit_learns():
    X, y = BINARY
    Cs = logistic_path(X, y, Cs=3, fit_intercept=False)[0]
    assert_allclose(Cs[0], l1_min_c(X, y, loss="log", fit_intercept=False))
    assert_allclose(Cs[-1], 100 * Cs[0])
    given = logistic_path(X, y, Cs=[10.0, 0.1, 1.0])[0]
    assert_array_equal(given, [0.1, 1.0, 10.0])


def test_labels_of_any_type():
    X, codes = MULTI
    expected = HadamardLogisticRegression().fit(X, codes)
    for labels in (np.array(["a", "b", "c"]), np.array([-3.0, 0.0, 7.0]), [10, 20, 30]):
        labels = np.asarray(labels)
        model = HadamardLogisticRegression().fit(X, labels[codes])
        assert_array_equal(model.classes_, labels)
        assert_array_equal(model.coef_, expected.coef_)
        assert_array_equal(model.predict(X), labels[expected.predict(X)])
    model = HadamardLogisticRegression().fit(X, pd.Categorical.from_codes(codes, ["a", "b", "c"]))
    assert_array_equal(model.coef_, expected.coef_)


def test_fitted_attributes():
    X, y = MULTI
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(20)])
    model = HadamardLogisticRegression(0.1).fit(frame, y)
    assert model.n_features_in_ == 20
    assert list(model.feature_names_in_) == list(frame)
    assert_allclose(model.mu_ * model.nu_, model.coef_, rtol=1e-14)
    assert_allclose(np.abs(model.mu_), model.nu_)
    assert model.n_iter_.shape == (1,)
    assert 0 <= model.dual_gap_ <= 1e-4 * np.log(3)
    assert model.intercept_.sum() == pytest.approx(0.0, abs=1e-12)
    assert model.score(frame, y) > 0.6
    assert_allclose(np.exp(model.predict_log_proba(frame)), model.predict_proba(frame))
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(frame), model.predict(frame))


def test_sparsify_and_densify():
    X, y = BINARY
    model = HadamardLogisticRegression(0.1).fit(X, y)
    coef, scores = model.coef_, model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    assert_allclose(model.decision_function(X), scores)
    assert_array_equal(model.densify().coef_, coef)
    model.warm_start = True
    assert_allclose(model.sparsify().fit(X, y).coef_, coef, atol=1e-3)


def test_float32_is_kept():
    X, y = BINARY
    model = HadamardLogisticRegression(0.1, tol=1e-8).fit(X.astype(np.float32), y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    double = HadamardLogisticRegression(0.1, tol=1e-8).fit(X.astype(np.float32).astype(float), y)
    assert_allclose(model.coef_, double.coef_, atol=1e-5)


@pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
def test_warm_start_from_anywhere(data):
    X, y = data
    expected = HadamardLogisticRegression(**TIGHT).fit(X, y)
    model = HadamardLogisticRegression(0.01, warm_start=True, tol=1e-12).fit(X, y)
    model.set_params(C=0.1).fit(X, y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    model.coef_ = np.random.default_rng(0).normal(size=model.coef_.shape)
    assert_allclose(model.fit(X, y).coef_, expected.coef_, atol=1e-6)
    steps = clone(expected).set_params(warm_start=True).fit(X, y).fit(X, y).n_iter_
    assert steps[0] <= 2


def test_unpenalised_features():
    X, y = BINARY
    weights = np.ones(30)
    weights[[3, 7]] = 0.0
    model = HadamardLogisticRegression(1e-3, penalty_weights=weights, tol=1e-10).fit(X, y)
    assert_array_equal(np.flatnonzero(model.coef_), [3, 7])
    plain = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    if plain.penalty == "l2":  # before scikit-learn 1.8
        plain.set_params(penalty=None, C=1.0)
    assert_allclose(model.coef_[0, [3, 7]], plain.fit(X[:, [3, 7]], y).coef_[0], rtol=1e-4)


def test_alternating_reaches_the_same():
    X, y = BINARY
    exact = HadamardLogisticRegression(0.2, tol=1e-10).fit(X, y)
    model = HadamardLogisticRegression(0.2, tol=1e-6, solver="alternating", max_iter=10_000)
    model.fit(X, y)
    assert_allclose(model.coef_, exact.coef_, atol=1e-3)
    assert model.n_iter_ > exact.n_iter_
    assert 0 <= model.dual_gap_ <= 1e-6 * np.log(2)


def test_in_a_grid_search():
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), HadamardLogisticRegression())
    name = "hadamardlogisticregression__C"
    search = GridSearchCV(pipeline, {name: [0.01, 0.1, 1.0]}, scoring="neg_log_loss").fit(X, y)
    assert search.best_params_[name] == 1.0
    assert search.best_score_ > -0.1


def test_warns_of_what_was_not_reached():
    X, y = BINARY
    with pytest.warns(ConvergenceWarning, match=r"C=5, .*gap .* asked for .* Increase max_iter"):
        HadamardLogisticRegression(5.0, tol=1e-12, max_iter=2).fit(X, y)


class TestHardCases:
    """Each is certified at the default settings of accuracy, and nothing warns."""

    def check(self, X, y, C=1.0, tol=1e-8, **parameters):
        model = HadamardLogisticRegression(C, tol=tol, **parameters).fit(X, y)
        assert np.isfinite(model.coef_).all()
        assert np.isfinite(model.predict_log_proba(X)).all()
        codes = np.unique(y, return_inverse=True)[1]
        shares = np.bincount(codes) / len(codes)
        assert 0 <= model.dual_gap_ <= -tol * (shares @ np.log(shares))
        return model

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_separable_with_hardly_a_penalty(self, n_classes):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(100, 5))
        y = np.digitize(X[:, 0] + X[:, 1], [0.0] if n_classes == 2 else [-0.7, 0.7])
        assert self.check(X, y, C=1e6).score(X, y) == 1.0

    def test_huge_margins(self):
        rng = np.random.default_rng(0)
        X = 1e4 * rng.normal(size=(60, 3))
        y = (X[:, 0] + 100 * rng.normal(size=60) > 0).astype(int)
        model = self.check(X, y)
        probabilities = model.predict_proba(1e4 * X)
        assert_allclose(probabilities.sum(axis=1), 1.0)

    def test_one_positive_among_many(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(100_000, 4))
        y = np.zeros(100_000, dtype=int)
        X[17, 0], y[17] = 8.0, 1
        model = self.check(X, y, C=10.0)
        assert model.predict_proba(X)[:, 1].mean() == pytest.approx(1e-5, rel=1e-6)

    @pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
    def test_constant_and_duplicated_features(self, data):
        X, y = data
        expected = HadamardLogisticRegression(**TIGHT).fit(X, y)
        wide = np.hstack([X, np.full((len(y), 1), 7.0), X])
        model = self.check(wide, y, 0.1, 1e-10)
        p = X.shape[1]
        assert not model.coef_[:, p].any()
        assert_allclose(model.predict_proba(wide), expected.predict_proba(X), atol=1e-5)

    def test_twenty_classes_of_sparse_data(self):
        y = np.repeat(np.arange(20), 50)
        X = sparse.random(1000, 60_000, density=5e-4, format="csr", random_state=0)
        marks = sparse.csr_array((np.ones(1000), (np.arange(1000), y + 100)), shape=X.shape)
        model = self.check(sparse.csr_array(X) + marks, y, C=1.0, tol=1e-4)
        assert model.coef_.shape == (20, 60_000)
        assert model.score(X + sparse.csr_matrix(marks), y) > 0.9

    def test_a_class_with_a_single_sample(self):
        X, y = MULTI
        y = np.where(y == 2, 1, y)
        y[5] = 2
        assert self.check(X, y).coef_.shape == (3, 20)

    def test_more_features_than_samples_and_four_classes(self):
        X, y = make_classification(
            60, 2000, n_informative=10, n_redundant=0, n_classes=4, random_state=0
        )
        self.check(X, y, C=1.0)


@pytest.mark.parametrize("data", [BINARY, MULTI], ids=["binary", "multinomial"])
def test_hopeless_starts_do_no_harm(data):
    X, y = data
    expected = logistic_path(X, y, Cs=[0.1], tol=1e-10)[1]
    for seed in range(5):
        start = 1e3 * np.random.default_rng(seed).standard_normal(expected.shape[:-1])
        assert_allclose(
            logistic_path(X, y, Cs=[0.1], tol=1e-10, coef_init=start)[1], expected, atol=1e-5
        )


def test_several_unpenalised_features_far_apart_in_scale():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8)) * 10.0 ** rng.uniform(-2, 2, 8)
    y = (X[:, 0] / np.abs(X[:, 0]).max() + 0.5 * rng.standard_normal(60) > 0).astype(int)
    for free in range(1, 5):
        weights = np.repeat([0.0, 1.0], [free, 8 - free])
        model = HadamardLogisticRegression(0.05, penalty_weights=weights, tol=1e-10).fit(X, y)
        assert model.coef_[0, :free].all()
        assert model.dual_gap_ <= 1e-10 * np.log(2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": 1e308}, "C=1e[+]308 is too large"),
        ({"class_weight": {0: np.nan}}, "class_weight must be finite"),
        ({"C": 0.0}, r"'C' parameter .* float in the range \(0.0, inf\). Got 0.0"),
        ({"C": -1.0}, r"'C' parameter"),
        ({"C": np.inf}, r"'C' parameter"),
        ({"l1_ratio": -0.1}, r"'l1_ratio' parameter .* \[0.0, 1.0\]"),
        ({"l1_ratio": 1.1}, r"'l1_ratio' parameter"),
        ({"tol": -1.0}, r"'tol' parameter"),
        ({"max_iter": 0}, r"'max_iter' parameter"),
        ({"class_weight": "even"}, r"'class_weight' parameter .* dict, .*balanced"),
        ({"class_weight": {0: 1.0, 5: 2.0}}, "not in class_weight"),
        ({"class_weight": {0: -1.0, 1: 2.0}}, "must not be negative"),
        ({"class_weight": {0: 0.0, 1: 0.0}}, "leaves no sample of positive weight"),
        ({"solver": "saga"}, r"'solver' parameter .*'auto', 'alternating'"),
        ({"penalty_weights": np.ones(3)}, r"penalty_weights must have shape \(30,\)"),
    ],
)
def test_bad_parameters(parameters, message):
    model = HadamardLogisticRegression(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(*BINARY)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(80), "at least 2 classes"),
        (np.linspace(0, 1, 80), "Unknown label type"),
        (np.zeros((80, 2)), "1d array"),
        (np.zeros(79), "inconsistent numbers of samples"),
    ],
)
def test_bad_targets(y, message):
    for fit in (HadamardLogisticRegression().fit, logistic_path):
        with pytest.raises(ValueError, match=message):
            fit(BINARY[0], y)


def test_bad_arguments_of_the_path():
    X, y = BINARY
    for arguments, message in (
        ({"Cs": [0.0, 1.0]}, r"Cs\[0\] == 0.0, must be > 0"),
        ({"Cs": 0}, "'Cs' parameter"),
        ({"eps": 0.0}, "'eps' parameter"),
        ({"coef_init": np.ones(3)}, r"coef_init must have shape \(30,\)"),
        ({"sample_weight": -np.ones(80)}, "Negative values in sample_weight"),
        ({"sample_weight": np.zeros(80)}, "at least one non-zero"),
        ({"sample_weight": np.full(80, 1e307)}, "sum of the sample weights overflows"),
    ):
        with pytest.raises(ValueError, match=message):
            logistic_path(X, y, **arguments)


def test_tight_on_many_samples():
    """The last steps are worth less than the rounding of a sum over many equal samples."""
    rng = np.random.default_rng(0)
    X = (rng.random((60_000, 30)) < 0.02).astype(float)
    X[:, 15:] = np.maximum(X[:, 15:], X[:, :15] * (rng.random((60_000, 15)) < 0.7))
    outputs = 1.5 * X @ rng.standard_normal(30) - 3.5
    y = (rng.random(60_000) < expit(outputs)).astype(int)
    _, _, _, gaps = logistic_path(sparse.csc_array(X), y, Cs=10, tol=1e-11)
    share = y.mean()
    assert gaps.max() <= 1e-11 * (entr(share) + entr(1.0 - share))


def test_grid_does_not_depend_on_the_start():
    X, y = load_breast_cancer(return_X_y=True)
    start = HadamardLogisticRegression().fit(X, y).coef_
    plain, started = (logistic_path(X, y, Cs=5, coef_init=init) for init in (None, start))
    assert_allclose(started[0], plain[0])


def test_a_class_of_next_to_no_weight():
    y = np.r_[0, np.ones(29)]
    weights = np.r_[1e-20, np.ones(29)]
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = HadamardLogisticRegression(C=1e-3).fit(X, y, weights)
    assert_allclose(model.intercept_, np.log(29 / 1e-20))


@pytest.mark.parametrize("kind", [HadamardLogisticRegression, LogisticRegression])
def test_numbers_that_look_like_a_regression_target_are_warned_of(kind):
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.warns(UserWarning, match="number of unique classes is greater than 50%"):
        kind(C=1e-3).fit(X, np.arange(30))
