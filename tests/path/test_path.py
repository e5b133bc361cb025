"""lasso_path and the driver behind it: values, and what they cost."""

import tracemalloc

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from oracle import Lasso as Oracle
from regressions import regression_of
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, make_regression
from sklearn.linear_model import lasso_path as reference_path
from sklearn.preprocessing import StandardScaler

import hplasso._design.correlations
import hplasso._numerics.linalg
import hplasso._solver.cholesky
from hplasso import HadamardElasticNet, HadamardLasso, enet_path, lasso_path
from hplasso._design.correlations import Correlations
from hplasso._design.factory import make_design
from hplasso._design.multi_output import MultiOutputDesign
from hplasso._design.sparse import SparseContainer
from hplasso._design.working_set import WorkingSet
from hplasso._path.settings import PathSettings
from hplasso._penalties.l1 import L1Penalty

DIABETES = load_diabetes(return_X_y=True)
WIDE = make_regression(60, 3000, n_informative=10, noise=5.0, random_state=0)
TALL = make_regression(3000, 30, n_informative=10, noise=5.0, random_state=0)


@pytest.mark.parametrize("positive", [False, True])
def test_same_as_scikit_learn(positive):
    X, y = DIABETES
    y = y - y.mean()
    ours = lasso_path(X, y, alphas=20, eps=1e-2, tol=1e-10, positive=positive, return_n_iter=True)
    theirs = reference_path(
        X, y, alphas=ours[0], tol=1e-12, max_iter=100_000, positive=positive, return_n_iter=True
    )
    for one, other in zip(ours, theirs, strict=True):
        assert np.shape(one) == np.shape(other)
    assert_allclose(ours[0], theirs[0])
    assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)
    assert (ours[2] <= 1e-10 * np.mean(y**2)).all()
    assert isinstance(ours[3], list)


@pytest.mark.parametrize("seed", [2, 18, 116])
def test_positive_where_features_are_expected_that_pull_below_zero_still(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 60))
    y = X[:, :10] @ np.abs(rng.standard_normal(10)) + rng.standard_normal(40)
    y -= y.mean()
    largest = np.abs(X.T @ y).max() / 40
    alphas = np.geomspace(largest, 0.01 * largest, 12)
    coefs = lasso_path(X, y, alphas=alphas, tol=1e-10, positive=True)[1]
    loose = lasso_path(X, y, alphas=alphas, tol=1e-6, positive=True)[1]
    theirs = reference_path(X, y, alphas=alphas, tol=1e-12, max_iter=1_000_000, positive=True)[1]
    assert min(coefs.min(), loose.min()) >= 0.0
    assert_allclose(coefs, theirs, atol=1e-5)


@pytest.mark.skipif(sklearn.__version__ < "1.9", reason="alphas=int is new in scikit-learn 1.9")
def test_grid_is_scikit_learns():
    X, y = DIABETES
    assert_allclose(lasso_path(X, y, alphas=7)[0], reference_path(X, y, alphas=7)[0])
    assert len(lasso_path(X, y)[0]) == len(lasso_path(X, y, alphas=None)[0]) == 100


def test_grid_of_a_constant_target():
    alphas, coefs, _ = lasso_path(DIABETES[0], np.zeros(442), alphas=3)
    assert (alphas > 0).all()
    assert not coefs.any()


def test_grid_starts_where_penalised_features_enter():
    X, y = DIABETES
    weights = np.ones(10)
    weights[2] = 0.0
    coefs = lasso_path(X, y - y.mean(), alphas=20, penalty_weights=weights)[1]
    assert_array_equal(np.flatnonzero(coefs[:, 0]), [2])
    assert np.count_nonzero(coefs[:, 1]) == 2


def test_grid_of_wide_data_with_a_feature_without_penalty():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 1000))
    X[:, 1:40] = X[:, [0]] + 0.1 * X[:, 1:40]  # the first to be taken in for the free one
    y = 10.0 * X[:, 0] + X[:, 999]
    weights = rng.uniform(0.5, 2.0, 1000)
    weights[0] = 0.0
    left = y - X[:, 0] * (X[:, 0] @ y) / (X[:, 0] @ X[:, 0])
    first = (np.abs(X[:, 1:].T @ left) / weights[1:]).max() / 100
    alphas, coefs, _ = lasso_path(X, y, alphas=5, penalty_weights=weights)
    assert_allclose(alphas[0], first, rtol=1e-6)
    assert_array_equal(np.flatnonzero(coefs[:, 0]), [0])


def test_grid_does_not_depend_on_the_start():
    X, y = WIDE
    start = lasso_path(X, y, alphas=[0.1])[1][:, 0]
    plain, started = (lasso_path(X, y, alphas=5, coef_init=init) for init in (None, start))
    assert_array_equal(started[0], plain[0])


@pytest.mark.parametrize("layout", [sparse.csr_array, sparse.csc_array])
def test_columns_of_zeros_cost_nothing(layout, monkeypatch):
    X, y = WIDE
    X = X * (np.abs(X) > 1.5)
    X[:, 500:] = 0.0
    monkeypatch.setattr(SparseContainer, "columns", None)  # no column has to be centred by itself
    model = HadamardLasso(1.0, tol=1e-8).fit(layout(X), y)
    few = HadamardLasso(1.0, tol=1e-8).fit(X[:, :500], y)
    assert_allclose(model.coef_[:500], few.coef_, atol=1e-6)
    assert not model.coef_[500:].any()


def test_gram_and_xy_given():
    X, y = DIABETES
    y = y - y.mean()
    plain = lasso_path(X, y, alphas=10, tol=1e-10)
    given = lasso_path(X, y, alphas=10, tol=1e-10, precompute=X.T @ X, Xy=X.T @ y)
    assert_allclose(given[1], plain[1], rtol=1e-9, atol=1e-9)


def test_weighted_gram_given():
    X, y = DIABETES
    weights = np.random.default_rng(0).exponential(size=442)
    scaled = weights * 442 / weights.sum()
    gram = X.T @ (scaled[:, None] * X)
    plain = lasso_path(X, y, alphas=5, tol=1e-10, sample_weight=weights)
    given = lasso_path(X, y, alphas=5, tol=1e-10, sample_weight=weights, precompute=gram)
    assert_allclose(given[1], plain[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array, sparse.csr_array])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.7])
@pytest.mark.parametrize("data", [TALL, (WIDE[0][:, :200], WIDE[1])], ids=["tall", "wide"])
def test_path_with_intercept_is_that_of_the_estimator(container, l1_ratio, data):
    X, y = container(data[0] + np.linspace(-3.0, 5.0, data[0].shape[1])), data[1] + 100.0
    weights = np.random.default_rng(0).uniform(0.1, 2.0, len(y))
    options = {"l1_ratio": l1_ratio, "tol": 1e-12}
    alphas, coefs, gaps, sweeps, intercepts = enet_path(
        X, y, alphas=5, eps=0.05, fit_intercept=True, return_intercept=True, return_n_iter=True,
        sample_weight=weights, **options,
    )  # fmt: skip
    assert intercepts.shape == alphas.shape == np.shape(sweeps)
    assert not coefs[:, 0].any()
    assert coefs[:, 1].any()
    assert intercepts[0] == pytest.approx(np.average(y, weights=weights))
    for alpha, coef, intercept in zip(alphas, coefs.T, intercepts, strict=True):
        model = HadamardElasticNet(alpha, **options).fit(X, y, weights)
        assert_allclose(coef, model.coef_, rtol=1e-7, atol=1e-9)
        assert intercept == pytest.approx(model.intercept_, rel=1e-9)
    assert (gaps <= 1e-12 * np.var(y) * 2.0).all()


def test_intercepts_of_single_precision_and_of_several_targets():
    X, y = TALL[0].astype(np.float32) + 2.0, TALL[1]
    targets = np.stack([y + 7.0, 50.0 - y, y**2], axis=1)
    options = {"alphas": [30.0, 3.0], "tol": 1e-10, "return_intercept": True}
    alphas, coefs, gaps, intercepts = lasso_path(X, targets, fit_intercept=True, **options)
    assert coefs.shape == (3, 30, 2)
    assert gaps.shape == intercepts.shape == (3, 2)
    assert intercepts.dtype == coefs.dtype == np.float32
    for i, alpha in enumerate(alphas):
        model = HadamardLasso(alpha, tol=1e-10).fit(X, targets)
        assert_allclose(coefs[..., i], model.coef_, rtol=1e-5, atol=1e-5)
        assert_allclose(intercepts[:, i], model.intercept_, rtol=1e-5)
    *_, gaps, none = lasso_path(X, targets, **options)
    assert_array_equal(none, np.zeros((3, 2), dtype=np.float32))
    assert (lasso_path(X, targets, alphas=[3.0])[1] != coefs[..., 1:]).any()


def test_gram_and_xy_given_with_an_intercept():
    X, y = DIABETES
    options = {"alphas": 10, "tol": 1e-10, "fit_intercept": True, "return_intercept": True}
    expected = lasso_path(X, y, **options)
    given = lasso_path(X, y, precompute=X.T @ X, Xy=X.T @ y + 1.0, **options)  # 1 for X'y mistaken
    assert np.abs(given[1] - expected[1]).max() > 1.0  # so they are read
    given = lasso_path(X, y, precompute=X.T @ X, Xy=X.T @ y, **options)
    moved = X + 3.0
    with pytest.warns(UserWarning, match="recomputing Gram matrix"):
        other = lasso_path(moved, y, precompute=moved.T @ moved, Xy=moved.T @ y, **options)
    for path in (given, other):
        assert_allclose(path[0], expected[0])
        assert_allclose(path[1], expected[1], rtol=1e-6, atol=1e-6)
    assert_allclose(given[3], expected[3])
    assert_allclose(other[3], expected[3] - 3.0 * expected[1].sum(axis=0), rtol=1e-8)
    near, high = X + 5e-9, y + 1e9  # as good as centred, except for such a mean of y
    last = lasso_path(near, high, precompute=near.T @ near, Xy=near.T @ high, **options)
    assert_allclose(last[1], expected[1], atol=0.01)


def test_several_targets_share_the_grid():
    X, y = DIABETES
    Y = np.column_stack([y, 2 * y[::-1]])
    alphas, coefs, gaps, sweeps = lasso_path(X, Y, alphas=5, return_n_iter=True)
    assert coefs.shape == (2, 10, 5)
    assert gaps.shape == (2, 5)
    assert [len(line) for line in sweeps] == [5, 5]
    for target, coef in zip(Y.T, coefs, strict=True):
        assert_allclose(coef, lasso_path(X, target, alphas=alphas)[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("solver", ["auto", "alternating"])
def test_several_targets_share_a_growing_working_set(solver):
    X, y = make_regression(50, 200, n_informative=5, noise=5.0, random_state=0)
    Y = np.column_stack([y, -y, y[::-1]])
    alphas, coefs, _ = lasso_path(X, Y, alphas=5, eps=0.3, solver=solver, tol=1e-8, max_iter=10_000)
    for target, coef in zip(Y.T, coefs, strict=True):
        single = lasso_path(X, target, alphas=alphas, tol=1e-10)[1]
        assert_allclose(coef, single, atol=1e-2 * np.abs(single).max())


def test_sparse_tall_data_are_read_as_often_as_dense_ones():
    X = sparse.random(2000, 50, density=0.05, format="csc", random_state=0)
    y = X @ np.arange(50.0) + np.random.default_rng(0).normal(size=2000)
    for container in (sparse.csr_array, sparse.csc_array, sparse.csc_array.toarray):
        data = container(sparse.csc_array(X))
        regression = regression_of(data, y[:, None], np.full(2000, 1 / 2000), True, "auto", 1)
        assert regression.working_set.complete
        assert regression.design.passes == 3
        dense = X.toarray() - X.toarray().mean(axis=0)
        assert_allclose(regression.working_set.gram, dense.T @ dense / 2000, atol=1e-12)


@pytest.mark.parametrize("n_features", [20, 800])
def test_cold_fit_at_a_small_alpha_takes_few_sweeps(n_features):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, n_features)), rng.normal(size=100)
    alpha_max = np.abs(X.T @ (y - y.mean())).max() / 100
    for factor in (1e-3, 1e-100):
        model = HadamardLasso(factor * alpha_max, tol=1e-8).fit(X, y)
        assert model.dual_gap_ <= 1e-8 * y.var()
        assert model.n_iter_ <= 120  # 85 steps to a millionth of alpha_max, and some rounds


def correlated_neighbours(n_samples, n_features, n_targets=1):
    """Columns correlated by .99, of which many come and go; a few of them make y."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((n_samples, n_features))
    for j in range(1, n_features):
        X[:, j] = 0.99 * X[:, j - 1] + np.sqrt(1.0 - 0.99**2) * X[:, j]
    causes = X[:, :: n_features // 40]
    Y = causes @ rng.standard_normal((causes.shape[1], n_targets))
    return X, Y + 0.1 * rng.standard_normal((n_samples, n_targets))


def test_cold_fit_prunes_features_that_went():
    X, Y = correlated_neighbours(200, 2000)
    y = Y[:, 0]
    model = HadamardLasso(alpha=0.003 * np.abs(X.T @ (y - y.mean())).max() / len(y))
    model.fit(X, y)
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.0 * X.nbytes  # all that ever entered take more than five times X
    problem = Oracle(X, y, model.alpha, np.ones(len(X)), np.ones(X.shape[1]))
    gap = problem.objective(model.coef_, model.intercept_) - problem.lower_bound(model.coef_)
    assert gap <= 1e-10 * np.var(y)


@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("parameters", [{}, {"positive": True}, {"l1_ratio": 0.9}])
def test_fits_that_prune_agree_with_paths_that_do_not(container, parameters):
    X, Y = correlated_neighbours(100, 500)
    X, y = X - X.mean(axis=0), Y[:, 0] - Y.mean()
    parameters = {"l1_ratio": 1.0, "tol": 1e-12, **parameters}
    alphas, coefs, _ = enet_path(X, y, eps=3e-3, **parameters)
    model = HadamardElasticNet(alphas[-1], fit_intercept=False, **parameters)
    assert_allclose(model.fit(container(X), y).coef_, coefs[:, -1], atol=1e-7)


def test_far_steps_after_a_start_that_is_worse_than_zero():
    """Its features are pruned, and still there is a target, and a solution, of that size."""
    X, Y = correlated_neighbours(200, 400, n_targets=2)
    Y /= np.abs(X.T @ Y).max(axis=0) / len(Y)  # the first features enter at 1
    alphas = np.array([1.1, 0.15, 0.1])
    options = {"coef_init": np.full(400, 1e3), "tol": 1e-8}
    for some in (alphas, alphas[1:]):
        together = lasso_path(X, Y, alphas=some, **options)[1]
        for target, y in enumerate(Y.T):
            expected = lasso_path(X, y, alphas=some, tol=1e-12)[1]
            assert_allclose(together[target], expected, atol=1e-4)
            assert_allclose(lasso_path(X, y, alphas=some, **options)[1], expected, atol=1e-4)


@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("formed", [False, True])
def test_working_set_that_lets_go(container, n_outputs, formed):
    X = container(TALL[0][:60])
    design = make_design(X, np.full(60, 1 / 60), True)
    if n_outputs > 1:
        design = MultiOutputDesign(design, n_outputs)
    features = np.array([4, 17, 9, 2, 25])
    working_set = WorkingSet(design)
    working_set.admit(features)
    if formed:
        assert working_set.gram.shape == (5, 5)
    working_set.prune(np.array([3, 0]))
    working_set.admit(np.array([9, 11]))
    fresh = WorkingSet(design)
    fresh.admit(np.array([2, 4, 9, 11]))
    residual = np.random.default_rng(0).standard_normal(60 * n_outputs)
    assert_array_equal(working_set.features, fresh.features)
    assert_array_equal(working_set.position, fresh.position)
    assert_allclose(working_set.gram, fresh.gram, atol=1e-12)
    assert_allclose(
        working_set.columns.correlations(residual), fresh.columns.correlations(residual)
    )


def test_coef_init_does_not_matter_in_the_end():
    X, y = WIDE
    start = np.random.default_rng(0).normal(size=3000)
    first = lasso_path(X, y, alphas=[1.0], tol=1e-10, coef_init=start)
    assert_allclose(first[1], lasso_path(X, y, alphas=[1.0], tol=1e-10)[1], rtol=1e-7, atol=1e-7)


def test_a_path_that_begins_far_above_the_first_entry():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2000))
    y = 3 * X[:, 0] + X[:, 1]
    first = np.abs(X.T @ y).max() / 60
    start = np.zeros(2000)
    start[-5:] = 3.0
    alphas = [1e3 * first, first / 5]
    _, coefs, gaps = lasso_path(X, y, alphas=alphas, coef_init=start, tol=1e-10)
    assert_allclose(coefs, lasso_path(X, y, alphas=alphas, tol=1e-10)[1], atol=1e-8)
    assert_array_equal(np.count_nonzero(coefs, axis=0), [0, 2])
    assert (gaps <= 1e-10 * (y @ y)).all()


@pytest.mark.parametrize("container", [sparse.csc_array, sparse.csr_array])
def test_sparse_data_with_several_entries_for_an_element(container):
    X, y = WIDE
    X = X[:, :300] * (np.abs(X[:, :300]) > 1.0)
    parts = sparse.coo_array(X)
    rows, columns = (np.tile(axis, 10) for axis in (parts.row, parts.col))
    split = sparse.coo_array((np.tile(parts.data / 10, 10), (rows, columns)), shape=X.shape)
    ordered = container(X)
    order = np.argsort(columns if container is sparse.csc_array else rows, kind="stable")
    indices = (rows if container is sparse.csc_array else columns)[order]
    stored = container((split.data[order], indices, 10 * ordered.indptr), shape=X.shape)
    data, expected = stored.data.copy(), lasso_path(X, y, alphas=40, tol=1e-10)
    _, coefs, gaps = lasso_path(stored, y, alphas=expected[0], tol=1e-10)
    assert_allclose(coefs, expected[1], atol=1e-6)
    assert_array_equal(stored.data, data)
    assert (gaps <= 1e-10 * (y @ y)).all()


def test_every_solution_takes_a_sweep():
    _, coefs, _, sweeps = lasso_path(*WIDE, alphas=30, eps=0.01, tol=1e-9, return_n_iter=True)
    assert_array_equal(np.array(sweeps) > 0, coefs.any(axis=0))


def standardised_path(X, y, n_alphas, eps, **parameters):
    """A path with an intercept, and the design that it read."""
    X = StandardScaler().fit_transform(X)
    n, p = X.shape
    weights, y = np.full(n, 1.0 / n), np.asarray(y, dtype=float)[:, None]
    regression = regression_of(X, y, weights, True, "auto", n_alphas)
    penalty = L1Penalty(np.ones(p), positive=parameters.pop("positive", False))
    tracer = regression.tracer(0, PathSettings(penalty, **parameters))
    points = tracer.trace(tracer.alpha_max() * np.geomspace(1.0, eps, n_alphas))
    return points, regression


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("seed", range(3))
def test_few_passes_over_wide_data(seed, order):
    X, y = make_regression(60, 3000, n_informative=10, noise=5.0, random_state=seed)
    X = np.asarray(StandardScaler().fit_transform(X), order=order)
    points, regression = standardised_path(X, y, 100, 0.01, tol=1e-6)
    assert regression.design.passes <= 30
    assert max(point.gap for point in points) <= 1e-6 * regression.terms[0].scale


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("container", ["F", "C", sparse.csc_array, sparse.csr_array])
def test_correlations_are_exact_or_below_the_limit(container, positive, monkeypatch):
    parts = [slice(0, 100), slice(100, 490), slice(490, 500)]
    monkeypatch.setattr(hplasso._design.correlations, "slices", lambda count, width: parts)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 500)) * (rng.random((40, 500)) < 0.5) * rng.gamma(1.0, size=500)
    X[:, 7] = 1.0
    stored = np.asarray(X, order=container) if container in ("F", "C") else container(X)
    design = make_design(stored, np.full(40, 1 / 40), True)
    working_set = WorkingSet(design)
    working_set.admit(np.arange(3))
    correlations = Correlations(design)
    centred = (X - X.mean(axis=0)) / np.sqrt(40)
    residual, way = rng.normal(size=(2, 40)) - rng.normal(size=(2, 40)).mean(axis=1)[:, None]
    estimated = 0
    for step in range(30):
        residual = residual + 0.02 * way + 0.002 * rng.normal(size=40)
        residual -= residual.mean()
        exact = centred.T @ residual
        limit = (0.8 if step % 2 else 1.2) * np.abs(exact).max()
        z, known = correlations.at(residual, working_set, limit, positive)
        true, said = (exact, z) if positive else (np.abs(exact), np.abs(z))
        correct = np.isclose(z, exact, rtol=0, atol=1e-12)
        assert (correct | ((true < limit) & (said < limit))).all()
        assert correct[:3].all()
        assert correct[known].all()
        estimated += (~correct).any()
    assert estimated > 5
    assert design.passes < 20


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("container", [np.asfortranarray, sparse.csc_array])
def test_correlations_of_a_column_that_the_residual_moves_along(container, sign):
    """Its correlation grows as fast as Cauchy and Schwarz allow, and is read in time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 500)) * (rng.random((30, 500)) < 0.5) * rng.gamma(1.0, size=500)
    design = make_design(container(X), np.full(30, 1 / 30), True)
    working_set, Z = WorkingSet(design), (X - X.mean(axis=0)) / np.sqrt(30)
    lengths = np.linalg.norm(Z, axis=0)
    for feature in [int(np.argmax(lengths)), *range(20)]:
        way = sign * Z[:, feature] / lengths[feature]
        start = rng.normal(size=30)
        start -= start.mean()
        start -= (start @ way) * way  # so that nothing is known of the feature's correlation
        correlations, passes = Correlations(design), design.passes
        correlations.at(start, working_set)
        residual = start + 0.5 * way
        limit = np.full(500, np.inf)
        limit[feature] = 0.49 * lengths[feature]
        for bound in (limit, 0.49 * lengths[feature]):
            z, exact = correlations.at(residual, working_set, bound)
            assert z[feature] == pytest.approx(0.5 * sign * lengths[feature])
            assert feature in np.arange(500)[exact]
        assert design.passes < passes + 3


def test_correlations_that_rounding_has_spoilt_are_read():
    """Of two residuals that are nearly the same, what they differ by is known to few digits."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.normal(size=(40, 500)))
    design, Z = make_design(X, np.full(40, 1 / 40), True), (X - X.mean(axis=0)) / np.sqrt(40)
    first, way = rng.normal(size=(2, 40))
    first, way = first - first.mean(), way - way.mean()
    second = first + 1e-9 * way
    working_set, correlations = WorkingSet(design), Correlations(design)
    for residual in (first, second):
        correlations.at(residual, working_set)
    rest = first - first @ second / (second @ second) * second
    residual = 2.0**30 * rest  # a combination of the two, exactly
    exact = Z.T @ residual
    for feature in range(20):
        limit = np.full(500, np.inf)
        limit[feature] = np.abs(exact[feature]) - 1e-11
        z, _ = correlations.at(residual, working_set, limit)
        assert z[feature] == pytest.approx(exact[feature], abs=1e-12)
    assert design.passes < 4


def test_three_passes_over_tall_data_for_all_alphas():
    for X, y in (TALL, load_breast_cancer(return_X_y=True)):
        points, regression = standardised_path(X, y, 100, 0.01)
        assert regression.design.passes == 3  # means, Gram matrix, correlations with y
        assert all(point.converged for point in points)


def test_the_gram_matrix_of_all_features_is_formed_where_it_pays():
    rng = np.random.default_rng(0)
    X, y, shares = rng.normal(size=(600, 560)), rng.normal(size=(600, 1)), np.full(600, 1 / 600)
    for n_alphas, formed in ((1, False), (100, True)):
        regression = regression_of(X, y, shares, True, "auto", n_alphas)
        assert regression.working_set.complete == formed
    regression = regression_of(X[:400], y[:400], shares[:400] * 1.5, True, "auto", 100)
    assert not regression.working_set.complete


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**60])
def test_passes_do_not_depend_on_units(unit):
    points, regression = standardised_path(*WIDE, 50, 0.05, tol=1e-6)
    scaled, same = standardised_path(WIDE[0], WIDE[1] * unit, 50, 0.05, tol=1e-6)
    assert same.design.passes == regression.design.passes
    for point, other in zip(points, scaled, strict=True):
        assert_allclose(other.values, point.values * unit, rtol=1e-12)


def test_all_zero_takes_one_pass_beyond_the_means():
    X, y = WIDE
    points, regression = standardised_path(X, y, 1, 1.0)
    assert points[0].features.size == 0
    assert regression.design.passes == 2


def test_few_factorisations(monkeypatch):
    count = 0
    original = hplasso._numerics.linalg.dpotrf

    def counted(*args, **kwargs):
        nonlocal count
        count += 1
        return original(*args, **kwargs)

    monkeypatch.setattr(hplasso._numerics.linalg, "dpotrf", counted)
    monkeypatch.setattr(hplasso._solver.cholesky, "dpotrf", counted)
    points, _ = standardised_path(*WIDE, 100, 0.01)
    sweeps = sum(point.sweeps for point in points)
    assert sweeps >= 90
    # two for each sweep; most supports that the factors show are right, or were there before
    assert count - 2 * sweeps <= len(points)


def test_wide_path_never_forms_the_gram_matrix_of_all_features():
    _, regression = standardised_path(*WIDE, 20, 0.1)
    assert regression.working_set.features.size < 300


def test_estimator_uses_the_same_driver():
    X, y = WIDE
    alphas, coefs, _ = lasso_path(X, y, alphas=4, tol=1e-10)
    for alpha, coef in zip(alphas, coefs.T, strict=True):
        model = HadamardLasso(alpha, fit_intercept=False, tol=1e-10).fit(X, y)
        assert_allclose(model.coef_, coef, rtol=1e-8, atol=1e-9)
