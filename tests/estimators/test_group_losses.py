"""Logistic and Poisson regression with groups, as users see them."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    Batches,
    HadamardGroupLogisticRegression,
    HadamardGroupPoissonRegressor,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardRelaxed,
    HadamardStabilitySelection,
    PathSearchCV,
    RegularizationPathDisplay,
    Summary,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
import random_group_losses

rng = np.random.default_rng(3)
GROUPS = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 5])
X = rng.standard_normal((90, GROUPS.size))
OUTPUTS = X[:, 1:6] @ rng.standard_normal((5, 3))
two = (OUTPUTS[:, 0] + rng.logistic(size=90) > 0.0).astype(int)
three = np.array(["a", "b", "c"])[(OUTPUTS + rng.gumbel(size=(90, 3))).argmax(axis=1)]
counts = rng.poisson(np.exp(0.4 * OUTPUTS[:, 1]))
TIGHT = {"groups": GROUPS, "tol": 1e-12}


@parametrize_with_checks([HadamardGroupLogisticRegression(), HadamardGroupPoissonRegressor(0.1)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def logistic(C=0.2, X=X, y=three, sample_weight=None, **options):
    return HadamardGroupLogisticRegression(C, **TIGHT | options).fit(X, y, sample_weight)


def poisson(alpha=0.1, X=X, y=counts, sample_weight=None, **options):
    return HadamardGroupPoissonRegressor(alpha, **TIGHT | options).fit(X, y, sample_weight)


@pytest.mark.parametrize("first", [0, 15])
def test_random_problems(first):
    found = [random_group_losses.faults(number) for number in range(first, first + 10)]
    wrong = [line for lines, _ in found for line in lines]
    assert not wrong, "\n".join(wrong)
    assert not any(warned for _, warned in found)


@pytest.mark.parametrize("C", [0.05, 0.5, 20.0])
def test_groups_of_one_are_those_of_single_coefficients(C):
    one = HadamardLogisticRegression(C, tol=1e-12).fit(X, two)
    other = logistic(C, y=two, groups=None)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(other.coef_ != 0, one.coef_ != 0)
    np.testing.assert_allclose(logistic(C, y=two, l1_ratio=1.0).coef_, one.coef_, rtol=1e-7)
    one = HadamardPoissonRegressor(0.1 / C, tol=1e-12).fit(X, counts)
    other = poisson(0.1 / C, groups=None)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-8, atol=1e-10)
    one = HadamardPoissonRegressor(0.1 / C, tol=1e-12, positive=True).fit(X, counts)
    other = poisson(0.1 / C, groups=None, positive=True)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-8, atol=1e-10)
    assert (other.coef_ >= 0.0).all()


def test_grouped_classes_are_those_of_glmnet():
    """glmnet 4.1-6, iris, type.multinomial="grouped", lambda=0.1, thresh=1e-15."""
    data, species = load_iris(return_X_y=True)
    Z = StandardScaler().fit_transform(data)
    model = HadamardGroupLogisticRegression(1.0 / (150 * 0.1), tol=1e-12).fit(Z, species)
    expected = [
        [0.0, 0.176543317627, -0.662828959536, -1.21931655403],
        [0.0, -0.182056620081, 0.120979042316, -0.0764680955495],
        [0.0, 0.0055133024539, 0.54184991722, 1.29578464958],
    ]
    np.testing.assert_allclose(model.coef_, expected, atol=3e-6)
    intercept = [-0.297884493666, 0.620401061009, -0.322516567343]
    np.testing.assert_allclose(model.intercept_, intercept, atol=3e-6)


@pytest.mark.parametrize("solve", [logistic, poisson])
def test_groups_are_in_or_out_as_a_whole(solve):
    model = solve()
    on = np.array([(model.coef_[..., g == GROUPS] != 0.0).all() for g in range(6)])
    out = np.array([(model.coef_[..., g == GROUPS] == 0.0).all() for g in range(6)])
    assert (on | out).all()
    assert on.any()
    assert out.any()
    np.testing.assert_array_equal(on, model.mu_ > 0.0)
    np.testing.assert_allclose(model.mu_[model.groups_] * model.nu_, model.coef_, atol=1e-14)
    lengths = np.array([np.linalg.norm(model.nu_[..., g == GROUPS]) for g in range(6)])
    np.testing.assert_allclose(lengths, model.mu_, atol=1e-14)


def test_an_l1_ratio_of_one_is_the_penalty_of_single_classes():
    one = HadamardLogisticRegression(0.5, tol=1e-12).fit(X, three)
    other = logistic(0.5, l1_ratio=1.0)
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize(("solve", "y"), [(logistic, two), (logistic, three), (poisson, counts)])
def test_sample_weights_are_repeated_rows(solve, y):
    counts = np.random.default_rng(1).integers(1, 4, len(y))
    weighted = solve(y=y, sample_weight=counts)
    repeated = solve(X=np.repeat(X, counts, axis=0), y=np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-8)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-8)


@pytest.mark.parametrize(("solve", "y"), [(logistic, two), (logistic, three), (poisson, counts)])
def test_the_same_in_any_container(solve, y):
    few = X * (np.abs(X) > 1.0)
    expected = solve(X=few, y=y)
    for container in (sparse.csr_array(few), sparse.csc_array(few), np.asfortranarray(few)):
        np.testing.assert_allclose(solve(X=container, y=y).coef_, expected.coef_, atol=1e-8)
    single = solve(X=few.astype(np.float32), y=y, tol=1e-5)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, expected.coef_, atol=1e-2)


@pytest.mark.parametrize("n", [90, 12])
def test_more_columns_than_samples_are_solved_in_the_dual_form(n):
    wide = np.random.default_rng(2).standard_normal((n, 60))
    groups, y = np.repeat(np.arange(12), 5), two[:n]
    model = logistic(2.0, X=wide, y=y, groups=groups)
    z = wide.T @ (y - model.predict_proba(wide)[:, 1])
    norms = np.array([np.linalg.norm(z[groups == g]) for g in range(12)])
    on = model.mu_ > 0.0
    np.testing.assert_allclose(norms[on], np.sqrt(5) / 2.0, rtol=1e-5)
    assert (norms[~on] <= np.sqrt(5) / 2.0 * (1.0 + 1e-6)).all()
    assert on.sum() * 5 > 12


def test_sweeps_alone_reach_the_gap():
    for solve in (logistic, poisson):
        exact, swept = solve(), solve(solver="alternating", max_iter=5000, tol=1e-8)
        np.testing.assert_allclose(swept.coef_, exact.coef_, atol=1e-3)
        assert swept.n_iter_ > exact.n_iter_


@pytest.mark.parametrize(("solve", "y"), [(logistic, two), (logistic, three), (poisson, counts)])
def test_a_warm_start_has_nothing_to_do(solve, y):
    model = solve(y=y, warm_start=True, tol=1e-8)
    coefficients = model.coef_.copy()
    assert model.n_iter_ > 0
    model.fit(X, y)
    assert model.n_iter_ == 0
    np.testing.assert_allclose(model.coef_, coefficients, rtol=1e-12)


@pytest.mark.parametrize(("solve", "y"), [(logistic, two), (logistic, three), (poisson, counts)])
def test_a_start_that_is_worse_than_zero_is_left(solve, y):
    model, alone = solve(y=y, warm_start=True), solve(y=y)
    model.coef_ = 1e3 * np.ones_like(model.coef_)
    model.fit(X, y)
    assert model.n_iter_ == alone.n_iter_
    np.testing.assert_allclose(model.coef_, alone.coef_, rtol=1e-10)


def test_penalties_that_leave_nothing_and_everything():
    assert not logistic(1e-6).coef_.any()
    assert not poisson(1e6).coef_.any()
    free = poisson(0.0)
    theirs = PoissonRegressor(alpha=0.0, solver="newton-cholesky", tol=1e-10).fit(X, counts)
    np.testing.assert_allclose(free.coef_, theirs.coef_, atol=1e-5)
    weights = np.array([0.0, 0.0, 0.0, np.inf, np.inf, np.inf])
    part = logistic(1.0, y=two, group_weights=weights)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X[:, :6], two)
    np.testing.assert_allclose(part.coef_[:, :6], theirs.coef_, atol=1e-4)
    assert not part.coef_[:, 6:].any()


def test_a_class_without_weight_is_as_if_it_were_not_there():
    weight = (three != "b").astype(float)
    model = logistic(y=three, sample_weight=weight)
    assert model.coef_.shape == (3, GROUPS.size)
    assert not model.coef_[1].any()
    # of two rows c and -c of a group, the norm is sqrt(2) |c|; of one row 2 c, it is 2 |c|
    halves = logistic(0.2 * np.sqrt(2.0), X=X[weight > 0], y=three[weight > 0])
    np.testing.assert_allclose(model.coef_[2] - model.coef_[0], halves.coef_[0], atol=1e-7)
    assert (model.predict_proba(X)[:, 1] < 1e-300).all()


def test_offsets_and_class_weights():
    offset = np.random.default_rng(5).standard_normal(len(X))
    model = HadamardGroupPoissonRegressor(0.1, **TIGHT).fit(X, counts, offset=offset)
    scale = np.exp(offset).mean()  # the weights are divided by their sum
    rescaled = poisson(0.1 / scale, y=counts / np.exp(offset), sample_weight=np.exp(offset))
    np.testing.assert_allclose(model.coef_, rescaled.coef_, atol=1e-7)
    balanced = logistic(y=three, class_weight="balanced")
    labels, number = np.unique(three, return_counts=True)
    weights = dict(zip(labels, len(three) / (3 * number), strict=True))
    by_hand = logistic(y=three, sample_weight=np.array([weights[each] for each in three]))
    np.testing.assert_allclose(balanced.coef_, by_hand.coef_, atol=1e-8)


@pytest.mark.parametrize(
    ("estimator", "y", "grid"),
    [
        (HadamardGroupLogisticRegression(groups=GROUPS, tol=1e-8), two, {"C": [0.1, 1.0]}),
        (HadamardGroupLogisticRegression(groups=GROUPS, tol=1e-8), three, {"C": [0.1, 1.0]}),
        (HadamardGroupPoissonRegressor(groups=GROUPS, tol=1e-8), counts, {"alpha": [0.3, 0.05]}),
    ],
)
def test_searches_go_along_a_path(estimator, y, grid):
    ours = PathSearchCV(estimator, grid, cv=3).fit(X, y)
    theirs = GridSearchCV(estimator, grid, cv=3).fit(X, y)
    scores = "mean_test_score"
    np.testing.assert_allclose(ours.cv_results_[scores], theirs.cv_results_[scores], atol=1e-5)
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_allclose(ours.best_estimator_.coef_, theirs.best_estimator_.coef_, atol=1e-3)


def test_names_pickles_summaries_and_displays():
    frame = pd.DataFrame(X, columns=[f"{'abcdef'[g]}{j}" for j, g in enumerate(GROUPS)])
    model = HadamardGroupLogisticRegression(0.2, groups=lambda name: name[0], tol=1e-12)
    model.fit(frame, three)
    assert model.group_labels_.tolist() == list("abcdef")
    np.testing.assert_allclose(model.coef_, logistic().coef_, rtol=1e-10)
    assert "norms of 6 groups" in str(Summary.from_estimator(model, frame, three))
    display = RegularizationPathDisplay.from_estimator(logistic(y=two), X, two)
    assert display.coefs.shape[0] == GROUPS.size
    again = pickle.loads(pickle.dumps(logistic()))
    np.testing.assert_array_equal(again.predict(X), logistic().predict(X))
    converted = logistic(l1_ratio=0.5).to_sklearn()
    assert converted.l1_ratio == LogisticRegression().l1_ratio
    assert isinstance(poisson().to_sklearn(), PoissonRegressor)


@pytest.mark.parametrize("kind", [HadamardRelaxed, HadamardStabilitySelection])
def test_what_does_not_take_groups_says_so(kind):
    with pytest.raises(ValueError, match="none with groups"):
        kind(HadamardGroupLogisticRegression(groups=GROUPS)).fit(X, two)


def test_what_is_not_right_says_so():
    with pytest.raises(TypeError, match="does not take data in blocks"):
        HadamardGroupLogisticRegression().fit(Batches([(X, two)]), None)
    with pytest.raises(ValueError, match="a label for each of the 20 features"):
        HadamardGroupPoissonRegressor(groups=[0, 1]).fit(X, counts)
    with pytest.raises(ValueError, match=r"MultiOutputClassifier\(HadamardGroupLogistic"):
        HadamardGroupLogisticRegression().fit(X, np.stack([two, two], axis=1))
    with pytest.raises(ValueError, match="Some value"):
        poisson(y=counts - 1.0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        logistic(50.0, max_iter=2)


@pytest.mark.parametrize(("solve", "y"), [(logistic, two), (logistic, three), (poisson, counts)])
def test_float32_gaps_cover_the_rounding_of_intercepts(solve, y):
    far = (X + 1e4).astype(np.float32)
    with pytest.warns(ConvergenceWarning, match="What is left is rounding"):
        model = solve(X=far, y=y)
    if solve is poisson:
        curvature = np.atleast_2d(counts.mean())
    else:
        means = solve(X=far.astype(float) - 1e4, y=y).predict_proba(far.astype(float) - 1e4)
        curvature = np.diag(means.mean(axis=0)) - means.T @ means / len(X)
        curvature = curvature[: np.size(model.intercept_), : np.size(model.intercept_)]
    error = 0.5 * np.finfo(np.float32).eps * np.atleast_1d(model.intercept_).astype(float)
    assert model.dual_gap_ == pytest.approx(0.5 * error @ curvature @ error, rel=1e-2)
