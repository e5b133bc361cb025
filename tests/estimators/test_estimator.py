"""HadamardLasso as scikit-learn's users meet it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import HadamardLasso

X, y = load_diabetes(return_X_y=True)


@parametrize_with_checks(
    [
        HadamardLasso(),
        HadamardLasso(positive=True),
        HadamardLasso(fit_intercept=False),
        HadamardLasso(solver="alternating"),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:With alpha=0")
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("alpha", [2.0, 0.3, 0.02])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"positive": True},
        {"fit_intercept": False},
        {"precompute": True},
        {"copy_X": False, "selection": "random", "random_state": 0},
    ],
)
def test_same_as_lasso(alpha, parameters):
    ours = HadamardLasso(alpha, tol=1e-10, **parameters).fit(X, y)
    theirs = Lasso(alpha, tol=1e-13, max_iter=100_000, **parameters).fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_)
    assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    assert_allclose(ours.predict(X), theirs.predict(X))
    assert ours.dual_gap_ <= 1e-10 * y.var()


def test_grid_search_finds_what_lasso_finds():
    def best(lasso):
        pipeline = make_pipeline(StandardScaler(), lasso)
        name = f"{type(lasso).__name__.lower()}__alpha"
        search = GridSearchCV(pipeline, {name: np.geomspace(10, 0.1, 10)}, cv=3).fit(X, y)
        return search.best_params_[name], search.best_score_

    assert_allclose(best(HadamardLasso()), best(Lasso(tol=1e-8)), rtol=1e-5)


@pytest.mark.parametrize("solver", ["auto", "alternating"])
@pytest.mark.parametrize("container", [np.asarray, np.float32, sparse.csr_array])
def test_attributes(solver, container):
    model = HadamardLasso(0.5, solver=solver, tol=1e-3).fit(container(X), y)
    assert model.coef_.dtype == model.mu_.dtype == container(X).dtype
    assert_allclose(model.mu_ * model.nu_, model.coef_, rtol=4 * np.finfo(model.coef_.dtype).eps)
    assert_array_equal(np.abs(model.mu_), model.nu_)
    assert_array_equal(model.sparse_coef_.toarray()[0], model.coef_)
    assert isinstance(model.n_iter_, int)
    assert model.n_iter_ >= 1
    assert 0 <= model.dual_gap_ <= 1e-3 * y.var()
    assert np.ndim(model.intercept_) == 0
    assert model.n_features_in_ == 10


def test_all_zero_takes_no_sweep():
    model = HadamardLasso(alpha=1e3).fit(X, y)
    assert not model.coef_.any()
    assert model.n_iter_ == 0
    assert model.dual_gap_ == 0
    assert model.intercept_ == pytest.approx(y.mean())


def test_shapes_of_targets_as_lasso_has_them():
    targets = np.column_stack([y, np.sqrt(y), y.std() * np.cos(y)])
    for Y in (y, y[:, None], targets):
        ours, theirs = HadamardLasso(0.1).fit(X, Y), Lasso(0.1, tol=1e-10).fit(X, Y)
        for name in ("coef_", "intercept_", "dual_gap_", "n_iter_"):
            assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name)), name
        assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)
    separate = [HadamardLasso(0.1).fit(X, column).coef_ for column in targets.T]
    assert_allclose(ours.coef_, separate, rtol=1e-9, atol=1e-10)


def test_warm_start_lets_zeros_back_in():
    wide, target = make_regression(60, 200, n_informative=20, noise=1.0, random_state=0)
    model = HadamardLasso(alpha=40.0, warm_start=True).fit(wide, target)
    few = np.count_nonzero(model.coef_)
    model.set_params(alpha=0.5).fit(wide, target)
    cold = HadamardLasso(alpha=0.5).fit(wide, target)
    assert few < np.count_nonzero(model.coef_)
    assert_allclose(model.coef_, cold.coef_, rtol=1e-6, atol=1e-8)
    near = HadamardLasso(alpha=0.6, warm_start=True, tol=1e-8).fit(wide, target)
    near.set_params(alpha=0.5).fit(wide, target)
    assert_allclose(near.coef_, cold.coef_, rtol=1e-6, atol=1e-8)
    assert 0 < near.n_iter_ < cold.n_iter_


@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array, sparse.csr_array])
def test_a_warm_start_that_meets_the_gap_takes_no_sweep(container):
    X, y = make_regression(60, 200, n_informative=20, noise=1.0, random_state=0)
    model = HadamardLasso(alpha=0.5, warm_start=True).fit(container(X), y)
    coef, gap = model.coef_.copy(), model.dual_gap_
    assert model.n_iter_ > 0
    model.fit(container(X), y)
    assert model.n_iter_ == 0
    assert_array_equal(model.coef_, coef)
    assert_allclose(model.dual_gap_, gap, atol=1e-10)


@pytest.mark.parametrize("solver", ["auto", "alternating"])
@pytest.mark.parametrize("positive", [False, True])
def test_warm_start_from_anywhere(solver, positive):
    rng = np.random.default_rng(0)
    doubled = np.hstack([X, X])
    model = HadamardLasso(
        1.0, warm_start=True, solver=solver, positive=positive, tol=1e-6, max_iter=20_000
    ).fit(doubled, y)
    right = model.predict(doubled)
    model.coef_ = rng.normal(scale=1e3, size=20)  # dependent columns, wrong signs
    assert_allclose(model.fit(doubled, y).predict(doubled), right, rtol=1e-2)
    assert model.dual_gap_ <= 1e-6 * y.var()


def test_alpha_zero_is_least_squares():
    with pytest.warns(UserWarning, match="With alpha=0"):
        model = HadamardLasso(alpha=0).fit(X, y)
    design = np.column_stack([np.ones(len(y)), X])
    expected = np.linalg.lstsq(design, y, rcond=None)[0]
    assert_allclose([model.intercept_, *model.coef_], expected, rtol=1e-8)


def test_unpenalised_features_are_regressed_out():
    weights = np.ones(10)
    weights[[2, 8]] = 0.0
    model = HadamardLasso(1.0, penalty_weights=weights, tol=1e-10).fit(X, y)
    base = np.column_stack([np.ones(len(y)), X[:, [2, 8]]])
    project = np.eye(len(y)) - base @ np.linalg.pinv(base)
    rest = Lasso(1.0, fit_intercept=False, tol=1e-13, max_iter=100_000)
    rest.fit(project @ np.delete(X, [2, 8], axis=1), project @ y)
    assert_allclose(np.delete(model.coef_, [2, 8]), rest.coef_, rtol=1e-6, atol=1e-6)


def test_positive_with_unpenalised_features_is_a_constrained_fit():
    model = HadamardLasso(1.0, positive=True, penalty_weights=np.zeros(10), tol=1e-10).fit(X, y)
    expected = nnls(X - X.mean(axis=0), y - y.mean())[0]
    assert_allclose(model.coef_, expected, rtol=1e-8, atol=1e-8)


def test_warns_when_it_does_not_converge():
    model = HadamardLasso(0.01, solver="alternating", max_iter=2, tol=1e-8)
    with pytest.warns(ConvergenceWarning, match=r"gap .* asked for .* Increase max_iter"):
        model.fit(X, y)
    assert model.dual_gap_ > 1e-8 * y.var()
    assert model.n_iter_ == 2


def test_verbose_writes_a_line_on_stderr(capsys):
    HadamardLasso(0.5, verbose=1).fit(X, y)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gap" in captured.err
    assert captured.err.count("\n") == 1


def test_data_stay_as_they_are():
    for layout in (np.ascontiguousarray, np.asfortranarray, sparse.csr_array, sparse.csc_array):
        data, target, weights = layout(X), y.copy(), np.arange(1.0, len(y) + 1)
        copies = [pickle.dumps(item) for item in (data, target, weights)]
        HadamardLasso(0.1, copy_X=False).fit(data, target, weights)
        assert copies == [pickle.dumps(item) for item in (data, target, weights)]


def test_clone_and_pickle():
    model = HadamardLasso(0.2, penalty_weights=np.arange(10)).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)


def test_what_has_no_effect_is_nothing_to_pass_on():
    """As of Lasso: metadata routing knows the sample weights, and not `check_input`."""
    requests = HadamardLasso().get_metadata_routing().fit.requests
    assert "sample_weight" in requests
    assert "check_input" not in requests
