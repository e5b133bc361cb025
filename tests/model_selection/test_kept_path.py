"""The path on all samples of a cross-validated model, and the models at its penalties."""

import pickle
from collections import Counter

import numpy as np
import pytest
from logistic_oracle import Logistic
from numpy.testing import assert_allclose, assert_array_equal
from oracle import Lasso as Oracle
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.preprocessing import scale

from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    enet_path,
    lasso_path,
    logistic_path,
)
from hplasso._design.design import Design
from hplasso._model_selection.kept_path import compact

DIABETES = load_diabetes(return_X_y=True, as_frame=True)
X, y = DIABETES[0].to_numpy(), DIABETES[1].to_numpy()
WIDE = make_regression(60, 600, n_informative=8, noise=5.0, random_state=0)
CELLS, MALIGNANT = load_breast_cancer(return_X_y=True)
CELLS = scale(CELLS)
IRIS, SPECIES = load_iris(return_X_y=True)


def dense(array):
    return array.toarray() if sparse.issparse(array) else array


def assert_fitted_alike(one, other, **tolerances):
    """Everything that a fit leaves, except for the number of sweeps."""
    assert type(one) is type(other)
    assert one.get_params() == other.get_params()
    assert vars(one).keys() == vars(other).keys()
    for name, value in vars(other).items():
        if name.endswith("_") and name not in ("n_iter_", "dual_gap_"):
            mine = getattr(one, name)
            assert np.shape(mine) == np.shape(value), name
            assert np.asarray(mine).dtype == np.asarray(value).dtype, name
            if np.asarray(value).dtype.kind == "f":
                assert_allclose(mine, value, err_msg=name, **tolerances)
            else:
                assert_array_equal(mine, value)
    assert np.shape(one.n_iter_) == np.shape(other.n_iter_)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("parameters", [{}, {"fit_intercept": False}, {"positive": True}])
@pytest.mark.parametrize("data", [(X, y), WIDE], ids=["tall", "wide"])
def test_path_of_all_samples(container, parameters, data):
    weights = np.random.default_rng(0).uniform(0.1, 2.0, len(data[1]))
    model = HadamardLassoCV(cv=3, eps=0.02, alphas=30, tol=1e-11, **parameters)
    model.fit(container(data[0]), data[1], weights)
    options = {"fit_intercept": True, **parameters, "tol": 1e-11, "sample_weight": weights}
    _, coefs, _, intercepts = lasso_path(
        container(data[0]), data[1], alphas=model.alphas_, return_intercept=True, **options
    )
    assert_allclose(dense(model.coef_path_), coefs, rtol=1e-6, atol=1e-7)
    assert_allclose(model.intercept_path_, intercepts, rtol=1e-8, atol=1e-8)
    assert coefs[:, -1].any()


@pytest.mark.parametrize("tol", [1e-2, 1e-4])
def test_gaps_of_the_path_are_true(tol):
    data, target = WIDE
    ones = np.ones(len(target)), np.ones(data.shape[1])
    model = HadamardLassoCV(cv=3, tol=tol, eps=0.02).fit(data, target)
    assert (model.dual_gap_path_ <= tol * target.var()).all()
    assert (model.n_iter_path_ == 0).sum() > 50
    coefs = dense(model.coef_path_).T
    rows = zip(model.alphas_, coefs, model.intercept_path_, model.dual_gap_path_, strict=True)
    for alpha, coef, intercept, gap in list(rows)[::5]:
        problem = Oracle(data, target, alpha, *ones)
        exact = HadamardLasso(alpha, tol=1e-13).fit(data, target).coef_
        distance = problem.objective(coef, intercept) - problem.lower_bound(exact)
        assert distance <= gap * (1 + 1e-6) + 1e-12 * target.var()


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_the_penalties_of_both_rules_are_solved(rule):
    model = HadamardLassoCV(rule=rule, tol=1e-3).fit(X, y)
    assert model.alpha_min_ < model.alpha_1se_
    for name in ("alpha_min_", "alpha_1se_"):
        alpha = getattr(model, name)
        iterate = model.alphas_.tolist().index(alpha)
        assert model.n_iter_path_[iterate] > 0
        exact = HadamardLasso(alpha, tol=1e-12).fit(X, y)
        assert_array_equal(model.at(alpha).coef_ != 0, exact.coef_ != 0)
    iterate = model.alphas_.tolist().index(model.alpha_)
    assert_array_equal(dense(model.coef_path_)[:, iterate], model.coef_)
    assert model.intercept_path_[iterate] == model.intercept_
    assert model.dual_gap_path_[iterate] == model.dual_gap_
    assert model.n_iter_path_[iterate] == model.n_iter_


def test_refit_is_the_fit_from_scratch():
    model = HadamardLassoCV(cv=3, tol=1e-2).fit(*WIDE)
    single = HadamardLasso(model.alpha_, tol=1e-2, precompute="auto").fit(*WIDE)
    assert_allclose(model.coef_, single.coef_, rtol=1e-10)
    assert model.n_iter_ == single.n_iter_
    model = HadamardLogisticRegressionCV(Cs=[0.01, 0.05, 0.2], cv=3, tol=0.05)
    model.fit(CELLS, MALIGNANT)
    single = HadamardLogisticRegression(model.C_, tol=0.05).fit(CELLS, MALIGNANT)
    assert_allclose(model.coef_, single.coef_, rtol=1e-10)
    assert model.n_iter_path_[model.Cs_ == model.C_] == single.n_iter_


def test_path_costs_no_more_passes_than_a_fold(monkeypatch):
    passes, kept, original = Counter(), [], Design.correlations

    def counted(self, *args, **kwargs):
        kept.append(self)  # so that no other gets its number
        passes[id(self)] += 1
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Design, "correlations", counted)
    data, target = make_regression(200, 2000, n_informative=15, noise=20.0, random_state=0)
    HadamardLassoCV(cv=3, eps=0.02).fit(data, target)
    assert len(passes) == 4
    everything = id(kept[0])
    most = max(count for design, count in passes.items() if design != everything)
    assert passes[everything] <= 1.2 * most


@pytest.mark.parametrize(
    "parameters",
    [
        {"tol": 1e-7},
        {"fit_intercept": False, "positive": True, "solver": "alternating", "tol": 1e-5},
        {"precompute": True, "penalty_weights": np.linspace(0.0, 2.0, 10), "tol": 1e-6},
    ],
)
def test_model_at_another_alpha(parameters):
    model = HadamardLassoCV(eps=0.01, **parameters).fit(*DIABETES)
    found = model.at(model.alpha_1se_)
    known = {name: v for name, v in model.get_params().items() if name in found.get_params()}
    fresh = HadamardLasso(model.alpha_1se_, **known).fit(*DIABETES)
    assert_fitted_alike(found, fresh, atol=5.0)
    assert_array_equal(found.feature_names_in_, DIABETES[0].columns)
    gap, gap_tol = found.dual_gap_, found.tol * np.mean(y**2)
    assert gap <= gap_tol
    problem = Oracle(
        X, y, found.alpha, np.ones(len(y)),
        parameters.get("penalty_weights", np.ones(10)), found.fit_intercept, found.positive,
    )  # fmt: skip
    objectives = [problem.objective(m.coef_, m.intercept_) for m in (found, fresh)]
    assert abs(objectives[0] - objectives[1]) <= gap + fresh.dual_gap_ + 1e-12 * gap_tol


def test_what_the_model_can_do():
    model = HadamardLassoCV(verbose=False, max_iter=500).fit(*DIABETES)
    found = model.at(model.alphas_[40])
    iterate = dense(model.coef_path_)[:, 40], model.intercept_path_[40]
    assert found.alpha == model.alphas_[40]
    assert found.max_iter == 500
    assert_array_equal(found.coef_, iterate[0])
    assert_allclose(found.mu_ * found.nu_, found.coef_)
    assert_allclose(found.predict(DIABETES[0]), X @ iterate[0] + iterate[1])
    assert 0.3 < found.score(*DIABETES) < 0.6
    assert_array_equal(pickle.loads(pickle.dumps(found)).coef_, found.coef_)
    assert_array_equal(pickle.loads(pickle.dumps(model)).at(found.alpha).coef_, found.coef_)
    assert not hasattr(clone(found), "coef_")
    back = found.to_sklearn()
    assert isinstance(back, Lasso)
    assert back.alpha == found.alpha
    assert_allclose(back.predict(DIABETES[0]), found.predict(DIABETES[0]))
    found.coef_[:] = 0.0  # and the path stays what it is
    assert_array_equal(dense(model.coef_path_)[:, 40], iterate[0])


def test_of_several_l1_ratios_the_chosen_one():
    ratios = [0.3, 0.9, 1.0]
    model = HadamardElasticNetCV(l1_ratio=ratios, cv=3, alphas=12, tol=1e-11).fit(*DIABETES)
    row = ratios.index(model.l1_ratio_)
    alpha = model.alphas_[row, 6]
    found = model.at(alpha)
    fresh = HadamardElasticNet(alpha, l1_ratio=model.l1_ratio_, tol=1e-11, precompute="auto")
    assert_fitted_alike(found, fresh.fit(*DIABETES), rtol=1e-6, atol=1e-6)
    expected = enet_path(
        X, y, alphas=model.alphas_[row], l1_ratio=model.l1_ratio_, tol=1e-11, fit_intercept=True
    )[1]
    assert_allclose(dense(model.coef_path_), expected, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match=r"is not on the grid"):
        model.at(model.alphas_[row - 1, 6])
    one = HadamardElasticNetCV(l1_ratio=0.4, cv=3, alphas=[1.0, 0.1]).fit(X, y)
    assert one.at(1.0).l1_ratio == 0.4
    assert isinstance(one.at(0.1).to_sklearn(), ElasticNet)


def test_sparse_where_that_is_smaller():
    wide = HadamardLassoCV(cv=3).fit(*WIDE)
    assert isinstance(wide.coef_path_, sparse.csc_array)
    assert wide.coef_path_.shape == (600, 100)
    assert wide.coef_path_.has_sorted_indices
    tall = HadamardLassoCV(cv=3, eps=0.01, penalty_weights=np.zeros(10)).fit(X, y)
    assert isinstance(tall.coef_path_, np.ndarray)
    weights = np.repeat([0.0, 1e9], [6, 4])  # six of ten are not zero: 72 bytes of 80, 48 of 40
    for dtype, kind in [(np.float64, sparse.csc_array), (np.float32, np.ndarray)]:
        model = HadamardLassoCV(cv=3, alphas=[1.0, 0.5], penalty_weights=weights)
        model.fit(X.astype(dtype), y)
        assert isinstance(model.coef_path_, kind)
        assert_array_equal((dense(model.coef_path_) != 0).sum(axis=0), 6)


@pytest.mark.parametrize("cls", [HadamardLassoCV, HadamardElasticNetCV])
def test_single_precision(cls):
    model = cls(cv=3, alphas=20).fit(WIDE[0].astype(np.float32), WIDE[1])
    found = model.at(model.alpha_1se_)
    for one in (model.coef_path_, model.intercept_path_, found.coef_, found.intercept_):
        assert one.dtype == np.float32
    assert model.dual_gap_path_.dtype == np.float64


def test_penalties_that_are_not_on_the_grid():
    model = HadamardLassoCV(alphas=[0.0, 1e-11, 1.0, 0.25], cv=3).fit(X, y)
    assert model.at(1e-11).alpha == 1e-11
    assert model.at(0).alpha == 0.0
    assert model.at(0.2500001).alpha == 0.25
    with pytest.raises(ValueError, match=r"^alpha=0\.5 is not on the grid.* 0\.25 and 1\.$"):
        model.at(0.5)
    with pytest.raises(ValueError, match=r"^alpha=2\.0 is not on the grid.* 1\.$"):
        model.at(2)
    with pytest.raises(ValueError, match="is not on the grid"):
        model.at(2e-11)
    with pytest.raises(ValueError, match=r"'alpha' parameter of HadamardLassoCV\.at.*'1se'"):
        model.at("1se")
    with pytest.raises(NotFittedError):
        HadamardLassoCV().at(1.0)
    with pytest.raises(NotFittedError):
        HadamardLogisticRegressionCV().at(1.0)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("labels", [SPECIES, SPECIES == 1], ids=["three", "two"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_logistic_path_of_all_samples(container, labels, fit_intercept):
    names, data = np.array(["a", "b", "c"])[labels.astype(int)], container(IRIS)
    weights = np.random.default_rng(0).uniform(0.1, 2.0, len(names))
    common = {"class_weight": {"a": 2.0}, "fit_intercept": fit_intercept, "tol": 1e-11}
    model = HadamardLogisticRegressionCV(Cs=5, l1_ratios=(0.6, 1.0), cv=2, **common)
    model.fit(data, names, weights)
    Cs, coefs, intercepts, _ = logistic_path(
        data, names, Cs=model.Cs_, l1_ratio=model.l1_ratio_, sample_weight=weights, **common
    )
    assert model.coef_path_.shape == coefs.shape
    assert_allclose(dense(model.coef_path_), coefs, atol=1e-5)
    assert_allclose(model.intercept_path_, intercepts, atol=1e-4)
    for C in Cs[1:4]:
        fresh = HadamardLogisticRegression(C, l1_ratio=model.l1_ratio_, **common)
        fresh.fit(data, names, weights)
        assert fresh.coef_.any()
        found = model.at(C)
        assert_fitted_alike(found, fresh, rtol=1e-4, atol=1e-4)
        assert found.dual_gap_ <= 1.1e-11


@pytest.mark.parametrize("tol", [1e-2, 1e-4])
def test_gaps_of_the_logistic_path_are_true(tol):
    model = HadamardLogisticRegressionCV(Cs=30, eps=1e-2, cv=3, tol=tol, rule="1se")
    model.fit(CELLS, MALIGNANT)
    ones = np.ones(len(MALIGNANT)), np.ones(30)
    for C in (*model.Cs_[::4], model.C_1se_, model.C_min_):
        found = model.at(C)
        problem = Logistic(CELLS, MALIGNANT, 1.0 / (C * len(MALIGNANT)), 1.0, *ones)
        true = problem.objective(found.coef_, found.intercept_)
        true -= problem.lower_bound(found.coef_, found.intercept_)
        assert true <= found.dual_gap_ * (1 + 1e-6) + 1e-12
        assert found.dual_gap_ <= tol * np.log(2)
    assert model.n_iter_path_[model.Cs_ == model.C_min_] > 0
    assert (model.n_iter_path_ == 0).sum() > 1
    chosen = model.at(model.C_)
    for name in ("coef_", "intercept_", "mu_", "nu_", "dual_gap_", "classes_"):
        assert_array_equal(getattr(chosen, name), getattr(model, name))


def test_what_the_logistic_model_can_do():
    names = [f"f{i}" for i in range(30)]
    frame = type(DIABETES[0])(CELLS, columns=names).astype(np.float32)
    model = HadamardLogisticRegressionCV(Cs=5, cv=3).fit(frame, MALIGNANT)
    assert isinstance(model.sparsify().coef_path_, sparse.csc_array)
    found = model.at(model.Cs_[2])
    assert found.coef_.dtype == found.intercept_.dtype == np.float32
    assert_array_equal(found.feature_names_in_, names)
    assert found.predict_proba(frame).shape == (569, 2)
    assert found.score(frame, MALIGNANT) > 0.9
    assert_array_equal(pickle.loads(pickle.dumps(found)).coef_, found.coef_)
    assert clone(found).C == found.C
    back = found.to_sklearn()
    assert isinstance(back, LogisticRegression)
    assert_allclose(back.predict_proba(frame), found.predict_proba(frame), rtol=1e-4, atol=1e-6)


def test_no_path_without_refit():
    model = HadamardLogisticRegressionCV(Cs=3, cv=3).fit(IRIS, SPECIES)
    assert model.at(model.Cs_[1]).coef_.any()
    model.set_params(refit=False).fit(IRIS, SPECIES)
    assert not [name for name in vars(model) if "path" in name and name != "coefs_paths_"]
    with pytest.raises(ValueError, match=r"at\(C\) needs refit=True"):
        model.at(model.Cs_[1])


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (HadamardLassoCV(), r"MultiOutputRegressor\(HadamardLassoCV.*over HadamardLasso, "),
        (HadamardElasticNetCV(), r"MultiOutputRegressor\(HadamardElasticNetCV.*ElasticNet, "),
        (HadamardLassoIC(), r"MultiOutputRegressor\(HadamardLassoIC\(\)\)\.$"),
        (HadamardLogisticRegressionCV(), r"Classifier\(HadamardLogisticRegressionCV\(\)\)\.$"),
        (HadamardLogisticRegression(), r"Classifier\(HadamardLogisticRegression\(\)\)\.$"),
    ],
)
def test_several_targets(model, words):
    targets = np.stack([SPECIES == 0, SPECIES == 1], axis=1).astype(int)
    meta = MultiOutputClassifier if "Logistic" in words else MultiOutputRegressor
    for container in (np.asarray, lambda a: a.tolist(), type(DIABETES[0])):
        with pytest.raises(ValueError, match=r"shape \(150, 2\) instead.*" + words):
            model.fit(IRIS, container(targets))
    assert meta(model).fit(IRIS, targets).predict(IRIS).shape == (150, 2)


@pytest.mark.parametrize("density", [0.0, 0.3, 0.6, 0.7, 1.0])
def test_paths_are_kept_in_the_smaller_of_two_forms(density):
    columns = sparse.csc_array(np.ones((20, 50)) * (np.arange(50) < 50 * density))
    parts = columns.data.nbytes + columns.indices.nbytes
    assert sparse.issparse(compact(columns)) == (parts < 8 * 20 * 50)
    assert_array_equal(dense(compact(columns)), columns.toarray())
