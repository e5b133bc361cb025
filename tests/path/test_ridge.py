"""Without L1 penalty (l1_ratio=0): ridge regression, and the same for logistic loss."""

from fractions import Fraction

import numpy as np
import pytest
import random_problems
from logistic_oracle import Logistic
from numpy.testing import assert_allclose, assert_array_equal
from oracle import Lasso
from random_problems import CONTAINERS
from scipy import sparse
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale
from sklearn.utils import check_array

from hplasso import (
    CertificateDisplay,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    RegularizationPathDisplay,
    enet_path,
    logistic_path,
)
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.dense import DenseColumns
from hplasso._design.factory import checked_design
from hplasso._estimators.classification import LogisticData, encode
from hplasso._estimators.problem import FitOptions
from hplasso._path import ridge_steps
from hplasso._path.ridge_tracer import RidgeTracer
from hplasso._validation.weights import checked_penalty_weights

X, y = load_diabetes(return_X_y=True)
IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
RNG = np.random.default_rng(0)
WIDE = RNG.standard_normal((40, 150)) * 10.0 ** RNG.uniform(-1, 1, 150) + RNG.normal(size=150)
RESPONSE = WIDE[:, :5].sum(axis=1) + RNG.standard_normal(40)
PENALTY_WEIGHTS = RNG.exponential(size=150) + 0.1
PENALTY_WEIGHTS[[3, 7]] = 0.0


@pytest.fixture(params=["direct", "by products"])
def route(request, monkeypatch):
    """Systems solved directly, and by conjugate gradients."""
    if request.param == "by products":
        monkeypatch.setattr(ridge_steps, "DIRECT", 0)


def stacked(X, y, alpha, penalty_weights, sample_weight, fit_intercept=True):
    """The least-squares problem, with a row more for each penalty: matrix and right side."""
    v = sample_weight / sample_weight.sum()
    means = (v @ X, v @ y) if fit_intercept else (0.0, 0.0)
    rows = np.diag(np.sqrt(alpha * penalty_weights))
    matrix = np.vstack([np.sqrt(v)[:, None] * (X - means[0]), rows])
    return matrix, np.append(np.sqrt(v) * (y - means[1]), np.zeros(X.shape[1]))


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("container", ["dense C", "dense F", "csr array", "csc int64"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-3, 1.0])
def test_least_squares_of_more_rows(container, fit_intercept, alpha):
    weights = np.random.default_rng(1).exponential(size=40) * (np.arange(40) % 9 > 0)
    for p in (20, 150):
        features = WIDE[:, :p] * (np.abs(WIDE[:, :p]) > 0.2)
        problem = stacked(features, RESPONSE, alpha, PENALTY_WEIGHTS[:p], weights, fit_intercept)
        coef = np.linalg.lstsq(*problem, rcond=None)[0]
        model = HadamardElasticNet(
            alpha,
            l1_ratio=0.0,
            fit_intercept=fit_intercept,
            penalty_weights=PENALTY_WEIGHTS[:p],
            tol=1e-13,
        ).fit(CONTAINERS[container](features), RESPONSE, sample_weight=weights)
        assert_allclose(model.coef_, coef, rtol=1e-5, atol=1e-5)
        assert model.dual_gap_ <= 1e-13 * np.average(RESPONSE**2, weights=weights)


def exact_ridge(X, y, alpha):
    """Minimum and minimiser for X and y of integers, without intercept, in rational numbers."""
    n, p = X.shape
    gram = [[Fraction(int(g), n) for g in row] for row in X.T @ X]
    right = [Fraction(int(c), n) for c in X.T @ y]
    rows = [[*row, c] for row, c in zip(gram, right, strict=True)]
    for j in range(p):
        rows[j][j] += alpha
    for j in range(p):
        for i in range(p):
            if i != j:
                share = rows[i][j] / rows[j][j]
                rows[i] = [a - share * b for a, b in zip(rows[i], rows[j], strict=True)]
    return [rows[j][p] / rows[j][j] for j in range(p)]


def exact_objective(X, y, alpha, coef):
    rows, targets = X.astype(int).tolist(), y.astype(int).tolist()
    loss = sum(
        (t - sum(a * b for a, b in zip(row, coef, strict=True))) ** 2
        for row, t in zip(rows, targets, strict=True)
    )
    return loss / (2 * len(rows)) + alpha * sum(c**2 for c in coef) / 2


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("shape", [(12, 4), (4, 9)])
@pytest.mark.parametrize("tol", [1e-1, 1e-4, 1e-10])
def test_the_gap_is_never_below_the_truth(shape, tol):
    """In exact arithmetic; rounding of the gap itself set aside."""
    rng = np.random.default_rng(sum(shape))
    features, target = rng.integers(-9, 10, shape), rng.integers(-20, 21, shape[0])
    for alpha in (Fraction(1, 16), Fraction(2)):
        model = HadamardElasticNet(float(alpha), l1_ratio=0, fit_intercept=False, tol=tol)
        model.fit(features.astype(float), target)
        best = exact_objective(features, target, alpha, exact_ridge(features, target, alpha))
        reached = exact_objective(features, target, alpha, [Fraction(c) for c in model.coef_])
        assert 0 <= reached - best <= model.dual_gap_ * (1 + 1e-6) + 1e-28
        assert model.dual_gap_ <= tol * np.mean(target**2)


def test_the_gap_of_any_coefficients_bounds_their_distance():
    """Where a bound is tight: an error of the direction of a single feature of unit length."""
    features = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    target = np.array([3.0, -1.0, 2.0, 0.0])
    start = np.array([0.4, 0.3])
    # one sweep is exact, so that the start itself is looked at through tol
    model = HadamardElasticNet(1.0, l1_ratio=0, warm_start=True, tol=1.0)
    model.coef_ = start
    model.fit(features, target)
    assert model.n_iter_ == 0
    assert_array_equal(model.coef_, start)
    rest = features.T @ (target - 1.0 - features @ start) / 4 - start
    assert_allclose(model.dual_gap_, 0.5 * rest @ rest)


def test_what_rounding_does_not_explain_counts_however_small_the_penalty():
    """Of the feature with next to no penalty: e^2 / (2 rho) for what is left of its equation."""
    few = np.where(np.arange(4) == 3, 1e-18, 1.0)
    labels = encode(SPECIES == 1, IRIS, np.ones(150), None)
    options = FitOptions(l1_ratio=0.0, tol=1e-8)
    weights = checked_penalty_weights(few, 4)
    tracer = LogisticData(IRIS, SPECIES == 1, labels, weights, options).problem().tracer()
    tracer.solve(0.01)
    certifier, iterate = tracer.problem.certifier, tracer.iterate
    errors, ridge = iterate.rounding.of(certifier.design.rounding, slice(None)), 0.01 * few
    for times, counts in ((0.5, False), (20.0, True)):
        z = ridge * iterate.dense(tracer.problem.working_set.features)
        z[3] += times * errors[3]
        expected = 0.5 * (times * errors[3]) ** 2 / ridge[3]
        gap = certifier.of_iterate(0.01, iterate._replace(z=z)).gap
        assert gap == pytest.approx(expected, rel=1e-3) if counts else gap < 1e-3 * expected


def test_one_sweep_is_enough_for_squared_loss():
    for data, target in ((X, y), (WIDE, RESPONSE)):
        model = HadamardElasticNet(0.1, l1_ratio=0, tol=1e-12).fit(data, target)
        assert model.n_iter_ == 1
        other = model.set_params(solver="alternating").fit(data, target)
        assert other.n_iter_ == 1
        theirs = Ridge(0.1 * len(target)).fit(data, target)
        assert_allclose(other.coef_, theirs.coef_, rtol=1e-8, atol=1e-10)
        assert_allclose(other.mu_ * other.nu_, other.coef_)


def test_the_dual_system_is_refined_where_the_penalty_is_weak():
    """A single solution of it is off by rounding times its condition number, 1e12 here."""
    alpha = 1e-10
    features = WIDE[:30] * np.geomspace(1.0, 1e2, 150)
    model = HadamardElasticNet(alpha, l1_ratio=0, tol=1e-16).fit(features, RESPONSE[:30])
    theirs = Ridge(alpha * 30, solver="svd").fit(features, RESPONSE[:30])
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("size", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("p", [20, 150])
def test_a_code_for_missing_values(size, p):
    """One entry is so large that squares of its column leave no digits for those of others."""
    features = WIDE[:, :p].copy()
    features[5, 2] = features[9, 11] = size
    matrix, right = stacked(features, RESPONSE, 0.1, np.ones(p), np.ones(40))
    lengths = np.linalg.norm(matrix, axis=0)
    scaled = np.linalg.lstsq(matrix / lengths, right, rcond=1e-15)[0]
    model = HadamardElasticNet(0.1, l1_ratio=0, tol=1e-10).fit(features, RESPONSE)
    assert_allclose(model.coef_ * lengths, scaled, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("p", [8, 40])
def test_two_codes_in_one_row(p):
    """Products of columns hide the way on which the two make up for each other."""
    rng = np.random.default_rng(0)
    features, response, weights = rng.normal(size=(18, p)), rng.normal(size=18), np.ones(18)
    features[3, 0], features[3, 1] = 1e12, 1e11
    oracle = Lasso(features, response, 0.1, weights, np.ones(p), l1_ratio=0.0)
    model = HadamardElasticNet(0.1, l1_ratio=0, tol=1e-10).fit(features, response)
    best, _, least, _ = oracle.minimum(model.coef_, model.intercept_)
    reached = oracle.exact_objective(model.coef_, oracle.exact_intercept(model.coef_))
    assert 1e-10 * response.var() >= model.dual_gap_ >= reached - least
    assert_allclose(model.coef_, best.astype(np.float64), rtol=1e-4, atol=1e-6)


def test_what_a_path_shares_is_computed_once(monkeypatch):
    counts = []
    for name in ("outer", "products"):
        plain = getattr(DenseColumns, name)

        def counted(self, *arguments, name=name, plain=plain):
            counts.append(name)
            return plain(self, *arguments)

        monkeypatch.setattr(DenseColumns, name, counted)
    targets = np.column_stack([RESPONSE, RESPONSE**2])
    enet_path(WIDE, targets, l1_ratio=0, alphas=[3.0, 1.0, 0.7, 0.1])
    assert counts == ["outer"]
    enet_path(WIDE[:, :20], targets, l1_ratio=0, alphas=[3.0, 1.0, 0.7], precompute=False)
    assert counts in (["outer"], ["outer", "products"])


def test_neither_system_is_larger_than_needed(monkeypatch):
    sizes = []
    for name in ("solve_semidefinite", "dgetrf"):
        plain = getattr(ridge_steps, name)

        def counted(matrix, *rest, plain=plain, **named):
            sizes.append(matrix.shape)
            return plain(matrix, *rest, **named)

        monkeypatch.setattr(ridge_steps, name, counted)
    HadamardElasticNet(0.1, l1_ratio=0).fit(X, y)
    HadamardElasticNet(0.1, l1_ratio=0).fit(WIDE, RESPONSE)
    assert sizes == [(10, 10), (40, 40)]
    HadamardLogisticRegression(0.1, l1_ratio=0).fit(WIDE, RESPONSE > 0)
    assert set(sizes[2:]) == {(40, 40)}


@pytest.mark.parametrize("data", [(X, y), (WIDE, RESPONSE)], ids=["tall", "wide"])
def test_path(data):
    features, target = data[0] - data[0].mean(axis=0), data[1] - data[1].mean()
    alphas = [10.0, 0.1, 1e-3]
    given, coefs, gaps, sweeps = enet_path(
        features, target, l1_ratio=0, alphas=alphas[::-1], tol=1e-12, return_n_iter=True
    )
    assert_array_equal(given, alphas)
    assert sweeps == [1, 1, 1]
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        theirs = Ridge(alpha * len(target), fit_intercept=False, solver="svd")
        assert_allclose(coef, theirs.fit(features, target).coef_, rtol=1e-7, atol=1e-9)
    assert (gaps <= 1e-12 * target @ target / len(target)).all()


def test_path_that_ends_without_penalty():
    """Least squares, of a basic solution where columns depend on each other."""
    for features, target in ((X, y), (WIDE, RESPONSE)):
        target = target - target.mean()
        features = features - features.mean(axis=0)
        _, coefs, _ = enet_path(features, target, l1_ratio=0, alphas=[0.1, 0.0], tol=1e-10)
        best = np.linalg.lstsq(features, target, rcond=None)[0]
        assert_allclose(features @ coefs[:, -1], features @ best, rtol=1e-6, atol=1e-6)


def test_nothing_is_penalised():
    free = HadamardElasticNet(0.1, l1_ratio=0, penalty_weights=np.zeros(10), tol=1e-12).fit(X, y)
    matrix = np.column_stack([X, np.ones(len(y))])
    assert_allclose(free.coef_, np.linalg.lstsq(matrix, y, rcond=None)[0][:-1], rtol=1e-9)


@pytest.mark.parametrize("alpha", [1e-3, 0.3])
@pytest.mark.parametrize("solver", ["auto", "alternating"])
def test_non_negative(alpha, solver):
    for features, target in ((X, y), (WIDE, RESPONSE)):
        problem = stacked(features, target, alpha, np.ones(features.shape[1]), np.ones(len(target)))
        coef, _ = nnls(*problem, maxiter=10_000)
        model = HadamardElasticNet(alpha, l1_ratio=0, positive=True, tol=1e-12, solver=solver)
        model.fit(features, target)
        assert_allclose(model.coef_, coef, rtol=1e-7, atol=1e-7)
        assert_array_equal(model.coef_ == 0, coef < 1e-12)
        assert model.dual_gap_ <= 1e-12 * target.var()
    theirs = ElasticNet(0.01, l1_ratio=0, positive=True, tol=1e-10, max_iter=100_000)
    with pytest.warns(UserWarning, match="zero l1 penalization"):
        theirs.fit(X, y)
    _, coefs, _ = enet_path(
        X - X.mean(axis=0), y - y.mean(), l1_ratio=0, alphas=[1.0, 0.01], positive=True, tol=1e-12
    )
    assert_allclose(coefs[:, 1], theirs.coef_, rtol=1e-6, atol=1e-6)


def test_several_targets_precompute_and_single_precision():
    targets = np.column_stack([y, y**2 / 100])
    theirs = Ridge(0.01 * len(y)).fit(X, targets).coef_
    for precompute in (True, False, (X - X.mean(axis=0)).T @ (X - X.mean(axis=0))):
        model = HadamardElasticNet(0.01, l1_ratio=0, precompute=precompute).fit(X, targets)
        assert_allclose(model.coef_, theirs, rtol=1e-8)
    both = HadamardElasticNet(0.01, l1_ratio=0).fit(WIDE, np.column_stack([RESPONSE, RESPONSE**2]))
    assert_allclose(both.coef_[0], Ridge(0.4).fit(WIDE, RESPONSE).coef_, rtol=1e-7, atol=1e-9)
    single = HadamardElasticNet(0.01, l1_ratio=0).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, theirs[0], rtol=1e-5)
    coef = single.coef_.astype(np.float64)
    centred, target = X.astype(np.float32).astype(np.float64), y - y.mean()
    centred -= centred.mean(axis=0)
    rest = centred.T @ (target - centred @ coef) / len(y) - 0.01 * coef
    distance = best_below(centred, target, coef, rest)
    assert 0.9 * distance <= single.dual_gap_ <= 2.0 * distance + 1e-14 * y.var()


def best_below(centred, target, coef, rest):
    """How far the objective is above its minimum, at alpha = .01: half a quadratic form."""
    hessian = centred.T @ centred / len(target) + 0.01 * np.eye(coef.size)
    return 0.5 * rest @ np.linalg.solve(hessian, rest)


def test_warm_start():
    model = HadamardElasticNet(0.01, l1_ratio=0, warm_start=True, tol=1e-10).fit(WIDE, RESPONSE)
    assert model.fit(WIDE, RESPONSE).n_iter_ == 0
    model.coef_ = np.random.default_rng(5).standard_normal(150)
    theirs = Ridge(0.4).fit(WIDE, RESPONSE)
    assert_allclose(model.fit(WIDE, RESPONSE).coef_, theirs.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_logistic(classes, fit_intercept, C):
    for features in (IRIS[:100:2] if classes == 2 else IRIS[::3], WIDE):
        codes = np.random.default_rng(2).integers(0, classes, len(features))
        weights = np.random.default_rng(3).exponential(size=len(features))
        model = HadamardLogisticRegression(
            C, l1_ratio=0, fit_intercept=fit_intercept, tol=1e-12
        ).fit(features, codes, sample_weight=weights)
        theirs = LogisticRegression(C=C, fit_intercept=fit_intercept, tol=1e-10, max_iter=100_000)
        theirs.fit(features, codes, sample_weight=weights)
        assert_allclose(model.coef_, theirs.coef_, rtol=1e-3, atol=2e-4)
        alpha, flat = 1.0 / (C * weights.sum()), np.ones(features.shape[1])
        oracle = Logistic(features, codes, alpha, 0.0, weights, flat, fit_intercept)
        reached = oracle.objective(model.coef_, model.intercept_)
        assert reached <= oracle.objective(theirs.coef_, theirs.intercept_) + 1e-12
        assert reached - oracle.lower_bound(model.coef_, model.intercept_) <= 1e-10
        if classes == 3:
            assert_allclose(model.coef_.sum(axis=0), 0.0, atol=1e-7)
            assert_allclose(model.intercept_.sum(), 0.0, atol=1e-12)


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_the_gap_of_logistic_fits_is_never_below_the_truth(classes, tol):
    codes = np.random.default_rng(6).integers(0, classes, 40)
    parameters = {"C": 0.02, "l1_ratio": 0, "penalty_weights": PENALTY_WEIGHTS}
    oracle = Logistic(WIDE, codes, 1.0 / (0.02 * 40), 0.0, np.ones(40), PENALTY_WEIGHTS)
    best = HadamardLogisticRegression(tol=1e-15, **parameters).fit(WIDE, codes)
    _, ridge = oracle.penalties()
    residual = oracle.residual(best.coef_, best.intercept_)
    assert_allclose(residual.sum(axis=0), 0.0, atol=1e-14)
    assert_allclose((WIDE.T @ residual).T, ridge * best.coef_, atol=1e-9)
    least = oracle.objective(best.coef_, best.intercept_)
    model = HadamardLogisticRegression(tol=tol, **parameters).fit(WIDE, codes)
    distance = oracle.objective(model.coef_, model.intercept_) - least
    assert -1e-14 <= distance <= model.dual_gap_ + 1e-14
    assert model.dual_gap_ <= tol * np.log(classes)


def test_weights_of_classes_and_features_without_penalty():
    given, weights = {0: 1.0, 1: 3.0, 2: 0.5}, np.random.default_rng(4).exponential(size=150)
    model = HadamardLogisticRegression(l1_ratio=0, tol=1e-12, class_weight=given)
    theirs = LogisticRegression(tol=1e-10, max_iter=100_000, class_weight=given)
    model.fit(IRIS, SPECIES, sample_weight=weights)
    assert_allclose(model.coef_, theirs.fit(IRIS, SPECIES, sample_weight=weights).coef_, atol=1e-5)
    free = HadamardLogisticRegression(l1_ratio=0, tol=1e-12, penalty_weights=[1.0, 1e-9, 2.0, 0.5])
    none = HadamardLogisticRegression(l1_ratio=0, tol=1e-12, penalty_weights=[1.0, 0.0, 2.0, 0.5])
    assert_allclose(
        none.fit(IRIS, SPECIES).predict_proba(IRIS),
        free.fit(IRIS, SPECIES).predict_proba(IRIS),
        atol=1e-6,
    )


def test_a_dependent_feature_without_penalty_makes_no_difference():
    twins = np.column_stack([WIDE, WIDE[:, 3], np.ones(40)])
    weights = np.append(PENALTY_WEIGHTS, [0.0, 0.0])
    for make, target in (
        (HadamardElasticNet, RESPONSE),
        (HadamardLogisticRegression, RESPONSE > 0),
    ):
        one = make(0.1, l1_ratio=0, penalty_weights=PENALTY_WEIGHTS, tol=1e-10).fit(WIDE, target)
        two = make(0.1, l1_ratio=0, penalty_weights=weights, tol=1e-10).fit(twins, target)
        of_one, of_two = one.coef_.ravel(), two.coef_.ravel()
        assert_allclose(of_two[3] + of_two[150], of_one[3], rtol=1e-5)
        assert_allclose(of_two[150], of_two[3], rtol=1e-5)  # of least norm
        assert of_two[151] == 0.0


def test_logistic_path():
    Cs, coefs, _, gaps, sweeps = logistic_path(
        IRIS, SPECIES, l1_ratio=0, Cs=[1.0, 0.01, 0.1], tol=1e-11, return_n_iter=True
    )
    assert min(sweeps) >= 1  # every C is solved
    for C, coef, gap in zip(Cs, np.moveaxis(coefs, -1, 0), gaps, strict=True):
        theirs = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(IRIS, SPECIES)
        assert_allclose(coef, theirs.coef_, atol=1e-5)
        assert gap <= 1e-11 * np.log(3)


def test_separable_classes():
    cells, malignant = load_breast_cancer(return_X_y=True)
    model = HadamardLogisticRegression(1e4, l1_ratio=0, tol=1e-10).fit(scale(cells), malignant)
    theirs = LogisticRegression(C=1e4, tol=1e-12, max_iter=1000, solver="newton-cholesky")
    assert_allclose(model.coef_, theirs.fit(scale(cells), malignant).coef_, rtol=1e-5)


def test_automatic_grids_are_refused():
    message = "Automatic alpha grid generation is not supported for l1_ratio=0. Please supply a"
    with pytest.raises(ValueError, match=message):
        enet_path(X, y, l1_ratio=0)
    with pytest.raises(ValueError, match=message):
        HadamardElasticNetCV(l1_ratio=[0.5, 0.0]).fit(X, y)
    with pytest.raises(ValueError, match=r"Automatic C grid .*appropriate `Cs=` argument"):
        logistic_path(IRIS, SPECIES, l1_ratio=0)
    with pytest.raises(ValueError, match=r"Automatic C grid .*appropriate `Cs=` argument"):
        HadamardLogisticRegressionCV(l1_ratios=[0, 1]).fit(IRIS, SPECIES)


@pytest.mark.parametrize("data", [(X, y), (WIDE, RESPONSE)], ids=["tall", "wide"])
def test_cross_validation(data):
    parameters = {"l1_ratio": [0.5, 0, 1], "alphas": [1.0, 0.1, 0.001], "cv": 3}
    model = HadamardElasticNetCV(tol=1e-9, **parameters).fit(*data)
    for number, (train, test) in enumerate(KFold(3).split(data[0])):
        for alpha, error in zip(model.alphas_, model.mse_path_[1, :, number], strict=True):
            ridge = Ridge(alpha * len(train)).fit(data[0][train], data[1][train])
            assert_allclose(error, np.mean((data[1][test] - ridge.predict(data[0][test])) ** 2))
    others = HadamardElasticNetCV(tol=1e-9, **parameters | {"l1_ratio": [0.5, 1]}).fit(*data)
    assert_allclose(model.mse_path_[[0, 2]], others.mse_path_, rtol=1e-6)
    only = HadamardElasticNetCV(tol=1e-9, **parameters | {"l1_ratio": 0}).fit(*data)
    assert only.l1_ratio_ == 0.0
    assert_allclose(only.mse_path_, model.mse_path_[1])
    ridge = Ridge(only.alpha_ * len(data[1])).fit(*data)
    assert_allclose(only.coef_, ridge.coef_, rtol=1e-6, atol=1e-8)


def test_cross_validation_of_classes():
    Cs = [0.01, 1.0, 30.0]
    model = HadamardLogisticRegressionCV(Cs=Cs, l1_ratios=[1, 0], cv=3, tol=1e-10)
    model.fit(IRIS, SPECIES)
    only = HadamardLogisticRegressionCV(Cs=Cs, l1_ratios=[0], cv=3, tol=1e-10).fit(IRIS, SPECIES)
    assert_allclose(only.scores_[:, 0], model.scores_[:, 1], rtol=1e-8)
    other = HadamardLogisticRegressionCV(Cs=Cs, l1_ratios=[1], cv=3, tol=1e-10).fit(IRIS, SPECIES)
    assert_allclose(other.scores_[:, 0], model.scores_[:, 0], rtol=1e-6)
    theirs = LogisticRegression(C=only.C_, tol=1e-10, max_iter=10_000).fit(IRIS, SPECIES)
    assert_allclose(only.coef_, theirs.coef_, atol=1e-4)


def test_displays():
    pytest.importorskip("matplotlib").use("agg")
    net = HadamardElasticNet(0.1, l1_ratio=0)
    display = RegularizationPathDisplay.from_estimator(net, X, y)
    assert_allclose(display.penalties[[0, -1]], [0.1 * 1000**0.5, 0.1 / 1000**0.5])
    theirs = Ridge(display.penalties[3] * len(y)).fit(X, y)
    assert_allclose(display.coefs[:, 3], theirs.coef_, rtol=1e-6)
    display = RegularizationPathDisplay.from_estimator(
        HadamardLogisticRegression(5.0, l1_ratio=0), IRIS, SPECIES
    )
    assert_allclose(display.penalties[[0, -1]], [5.0 / 1000**0.5, 5.0 * 1000**0.5])
    with pytest.raises(ValueError, match="no grid of penalties to draw"):
        RegularizationPathDisplay.from_estimator(net.set_params(alpha=0.0), X, y)
    logistic = HadamardLogisticRegression(5.0, l1_ratio=0, tol=1e-10)
    display = CertificateDisplay.from_estimator(logistic, IRIS, SPECIES)
    assert (np.diff(display.gaps) < 0).all()
    assert (display.objectives - display.bound <= display.gaps + 1e-15).all()
    assert_array_equal(display.surrogates, display.objectives)


@pytest.mark.parametrize("positive", [False, True])
def test_verbose(capsys, positive):
    HadamardElasticNet(0.25, l1_ratio=0, positive=positive, verbose=2).fit(X, y)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert all(line.lstrip().startswith("alpha=0.25") for line in lines)
    assert lines[-1].endswith(" 1 sweep") or positive
    HadamardLogisticRegression(0.25, l1_ratio=0, verbose=1).fit(IRIS, SPECIES)
    assert capsys.readouterr().err.startswith("C=0.25: 12 coefficients")


def test_too_few_sweeps():
    with pytest.warns(match="after 2 sweeps"):
        HadamardLogisticRegression(100.0, l1_ratio=0, max_iter=2).fit(IRIS, SPECIES)


def test_no_pass_over_X_is_wasted(monkeypatch):
    """A fit from zero reads X for the moments, at zero, and for the certificate of the solution."""
    passes = []
    plain = RidgeTracer.solve

    def counted(self, alpha):
        point = plain(self, alpha)
        passes.append(self.problem.design.passes)
        return point

    monkeypatch.setattr(RidgeTracer, "solve", counted)
    HadamardElasticNet(0.1, l1_ratio=0).fit(WIDE, RESPONSE)
    assert passes == [3]


def test_conjugate_gradients_where_they_cost_less(monkeypatch):
    """Few numbers in X, many equations; a factorisation where they do not get there."""
    rng = np.random.default_rng(8)
    words = sparse.random(600, 700, density=0.005, format="csr", random_state=0)
    target = words @ rng.standard_normal(700) + rng.standard_normal(600)
    factorised = []
    plain = ridge_steps.dgetrf

    def counted(matrix, **named):
        factorised.append(len(matrix))
        return plain(matrix, **named)

    monkeypatch.setattr(ridge_steps, "dgetrf", counted)
    theirs = Ridge(0.6, solver="cholesky").fit(words.toarray(), target)
    model = HadamardElasticNet(1e-3, l1_ratio=0, tol=1e-12).fit(words, target)
    assert not factorised
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(ridge_steps, "MAX_STEPS", 3)
    model.fit(words, target)
    assert factorised == [600]
    assert model.n_iter_ == 2
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-6, atol=1e-8)


def test_a_feature_without_penalty_is_not_forgotten():
    """All but that one is as in the solution; the columns have nothing to do with each other."""
    features = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    target = np.array([3.0, 0.0, 1.0, -2.0])
    model = HadamardElasticNet(1.0, l1_ratio=0, penalty_weights=[0.0, 1.0], warm_start=True)
    model.coef_ = np.array([0.0, 0.75])
    assert_allclose(model.fit(features, target).coef_, [1.0, 0.75])
    assert model.n_iter_ == 1


def test_columns_apart_from_the_dual_system(monkeypatch):
    """The longer half of them, with the penalties that they have."""
    monkeypatch.setattr(ridge_steps, "APART", 1.0)
    alphas = [1.0, 0.3, 0.01]
    _, coefs, _ = enet_path(WIDE, RESPONSE, l1_ratio=0, alphas=alphas, tol=1e-13)
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        theirs = Ridge(alpha * 40, fit_intercept=False, solver="svd").fit(WIDE, RESPONSE)
        assert_allclose(coef, theirs.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("container", list(CONTAINERS))
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_products_of_samples(container, fit_intercept):
    """Z diag(scale) Z', also with columns far from zero."""
    weights = np.random.default_rng(1).exponential(size=40)
    weights /= weights.sum()
    data = np.round(16.0 * WIDE * (np.abs(WIDE) > 0.3)) / 16.0
    data[:, 4] += 4096.0
    centred = data - weights @ data if fit_intercept else data
    root, scale = np.sqrt(weights), np.random.default_rng(2).exponential(size=150)
    expected = root[:, None] * (centred * scale) @ centred.T * root
    X = check_array(CONTAINERS[container](data), accept_sparse=["csr", "csc"])
    columns = checked_design(X, weights, fit_intercept).columns()
    columns.append(np.arange(150))
    assert_allclose(columns.outer(scale), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("classes", [2, 3])
def test_warm_start_of_classes_from_afar(classes):
    codes = np.random.default_rng(7).integers(0, classes, 40)
    model = HadamardLogisticRegression(1e3, l1_ratio=0, tol=1e-11, warm_start=True)
    right = model.fit(WIDE, codes).coef_
    assert model.fit(WIDE, codes).n_iter_ == 0
    model.coef_ = np.random.default_rng(8).standard_normal(right.shape)
    assert_allclose(model.fit(WIDE, codes).coef_, right, atol=1e-4 * np.abs(right).max())


def test_what_is_left_of_the_dual_equations_survives_a_shortened_step(monkeypatch):
    """After half of a step a is that of the coefficients still, so that r - a is exact."""
    codes = np.random.default_rng(2).integers(0, 3, 40)
    plain, steps = CurvedTerm.line_search, []

    def shortened(self, working_set, state, theta, goal, penalty):
        steps.append(goal)
        if len(steps) < 12:
            goal = theta + 0.5 * (goal - theta)
        theta, state = plain(self, working_set, state, theta, goal, penalty)
        return theta.copy(), state

    monkeypatch.setattr(CurvedTerm, "line_search", shortened)
    HadamardLogisticRegression(100.0, l1_ratio=0, tol=1e-13).fit(WIDE, codes)
    assert len(steps) <= 25


def test_classes_of_samples_far_from_zero_with_weights_of_zero():
    """Means that are left in columns of the dual form must not cost the others' digits."""
    rng = np.random.RandomState(42)
    data, codes, weights = rng.rand(120, 240), rng.randint(0, 3, 120), rng.randint(0, 5, 120)
    train = np.arange(120) % 4 != 0
    data, codes, weights = data[train], codes[train], weights[train]
    model = HadamardLogisticRegression(100.0, l1_ratio=0, tol=1e-8)
    whole = clone(model).fit(data, codes, weights)
    kept = weights > 0
    part = clone(model).fit(data[kept], codes[kept], weights[kept])
    centred = clone(model).fit(data - data.mean(axis=0), codes, weights)
    assert whole.n_iter_ <= 15
    for other in (part, centred):
        assert_allclose(whole.coef_, other.coef_, atol=1e-3 * np.abs(whole.coef_).max())


@pytest.mark.parametrize("seed", [100455, 102739])
def test_steps_from_a_singular_matrix_are_taken_back(seed):
    """They would grow until they overflow; NumPy's warnings are errors here."""
    lines, _ = random_problems.examine(seed, "all")
    assert not [line for line in lines if "overflow" in line or "invalid" in line], lines


@pytest.mark.parametrize("seed", [0, 11])
def test_outputs_that_cancel_do_not_hide_the_last_steps(seed):
    """Of a sample between two classes, large terms: their rounding is that of the loss."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((30, 6)) * 10.0 ** rng.uniform(-3, 3, 6)
    codes = (data / np.abs(data).max(axis=0) @ rng.standard_normal((6, 2))).argmax(axis=1)
    codes[:2] = 0, 1
    weights, few = 10.0 ** rng.uniform(-2, 2, 30), np.where(np.arange(6) == 4, 0.0, 1.0)
    model = HadamardLogisticRegression(1e3, l1_ratio=0.0, tol=1e-8, penalty_weights=few)
    model.fit(data, codes, sample_weight=weights)  # a warning is an error
    residual = weights * (codes - model.predict_proba(data)[:, 1])
    slope = data.T @ residual - few * model.coef_[0] / 1e3
    assert np.abs(slope).max() <= 1e-8 * np.abs(data.T @ (weights * codes)).max()


def test_the_gap_is_no_more_than_the_objective():
    """Which is not below zero, however little a penalty that is divided by."""
    few = np.where(np.arange(4) == 3, 1e-24, 1.0)
    labels = encode(SPECIES == 1, IRIS, np.ones(150), None)
    weights = checked_penalty_weights(few, 4)
    data = LogisticData(IRIS, SPECIES == 1, labels, weights, FitOptions(l1_ratio=0.0))
    tracer = data.problem().tracer()
    tracer.solve(0.01)
    certifier, iterate = tracer.problem.certifier, tracer.iterate
    z = iterate.z + 900.0 * iterate.rounding.of(certifier.design.rounding, slice(None))
    theta = iterate.dense(tracer.problem.working_set.features)
    objective = iterate.state.loss + 0.005 * few @ theta**2
    gap = certifier.of_iterate(0.01, iterate._replace(z=z)).gap
    assert gap == pytest.approx(objective)


@pytest.mark.parametrize("size", [1e6, 1e9, 1e12, 1e15])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_a_class_without_the_code_is_not_left_in_the_tail(size, l1_ratio):
    """Two classes share a code, the third has its coefficient from the other rows alone.

    There it has odds of 1 to 2 at one, of 4 to 5 at zero. What rounding leaves of the correlations
    of those that share the code says nothing of its own.
    """
    column = np.repeat([0.0, 1.0, size], [9, 3, 2])[:, None]
    codes = np.repeat([0, 2, 1, 2, 0, 1], [5, 4, 2, 1, 1, 1])
    model = HadamardLogisticRegression(1.0, l1_ratio=l1_ratio, penalty_weights=[0.0], tol=1e-10)
    model.fit(column, codes)  # a warning is an error
    assert model.coef_[2, 0] - model.coef_[0, 0] == pytest.approx(np.log(5 / 8), rel=1e-4)
    assert model.coef_[1, 0] - model.coef_[0, 0] == pytest.approx(0.0, abs=10.0 / size)


@pytest.mark.parametrize("seed", [5, 10, 14, 32])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.1, 0.5])
def test_a_class_that_a_feature_of_no_penalty_separates(seed, l1_ratio):
    """Its steps move outputs to the end, and the optimum is at infinity: no reason for more."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((30, 3))
    codes = np.where(data[:, 0] > 0.7, 2, rng.integers(2, size=30))
    model = HadamardLogisticRegression(10.0, l1_ratio=l1_ratio, penalty_weights=[0, 1, 1])
    model.fit(data, codes)  # a warning is an error
    assert model.dual_gap_ <= 1e-4 * np.log(3)
    assert model.n_iter_[0] <= 25
