"""Curved losses with large supports: truncated models by conjugate gradients."""

import tracemalloc

import numpy as np
import pytest
from logistic_oracle import Logistic
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import xlogy
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss

import hplasso._datafit.newton
import hplasso._design.columns
import hplasso._design.multi_output
import hplasso._path.model_step
import hplasso._path.penalty_step
from hplasso import HadamardLogisticRegression, HadamardPoissonRegressor
from hplasso._datafit.hessian import Hessian
from hplasso._datafit.newton import FEWEST_ENTRANTS
from hplasso._design.columns import BlockwiseColumns
from hplasso._design.sparse import SparseColumns
from hplasso._path.memory import Memory
from hplasso._path.truncation import (
    LARGEST_DAMPING,
    LEAST_RAISED,
    LOWER,
    MOST_EFFORT,
    damping_after,
    effort_after,
)
from hplasso._solver.faces import Solution

N, P = 2000, 1500
X = sparse.random(N, P, density=0.008, format="csc", random_state=0)
# some columns come twice or three times
X = sparse.csc_array(sparse.hstack([X, X[:, :60], X[:, :30]]))
rng = np.random.default_rng(0)
CODES = (X[:, :P] @ (rng.standard_normal(P) * (rng.random(P) < 0.5)) > 0.3 * rng.normal(size=N)) * 1
WEIGHTS = rng.integers(1, 4, N).astype(float)


@pytest.fixture
def truncated(monkeypatch):
    """The sizes of truncated models, and their sweeps."""
    module, sizes = hplasso._path.model_step, []
    original = module.solve_truncated

    def solve_truncated(problem, start, *how_far):
        solution = original(problem, start, *how_far)
        assert solution.sweeps == 1
        before = start.theta, start.z
        theta = solution.point.theta
        after = theta, problem.target - problem.operator @ theta
        change = -0.5 * (after[0] - before[0]) @ (before[1] + after[1])
        change += problem.penalty @ (np.abs(after[0]) - np.abs(before[0]))
        assert change <= 1e-15
        sizes.append(problem.target.size)
        return solution

    monkeypatch.setattr(module, "solve_truncated", solve_truncated)
    monkeypatch.setattr(hplasso._design.multi_output, "CHEAP", 0.0)
    return sizes


def gap(model, C, l1_ratio=1.0, fit_intercept=True, weights=None):
    """By the oracle, relative to the loss without features."""
    weights = np.ones(N) if weights is None else weights
    problem = Logistic(
        X.toarray(),
        CODES,
        1.0 / (C * weights.sum()),
        l1_ratio,
        weights,
        np.ones(X.shape[1]),
        fit_intercept,
    )
    point = model.coef_, model.intercept_
    part = weights @ CODES / weights.sum() if fit_intercept else 0.5
    null = -part * np.log(part) - (1 - part) * np.log(1 - part)
    return (problem.objective(*point) - problem.lower_bound(*point)) / null


@pytest.mark.parametrize("tol", [1e-4, 1e-8])
@pytest.mark.parametrize(
    ("C", "l1_ratio", "fit_intercept"),
    [(3.0, 1.0, True), (3.0, 1.0, False), (100.0, 1.0, True), (3.0, 0.3, True), (1e4, 1.0, False)],
)
def test_fits_to_the_gap(truncated, C, l1_ratio, fit_intercept, tol):
    model = HadamardLogisticRegression(C=C, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=tol)
    model.fit(X, CODES)
    assert max(truncated) > 400
    assert gap(model, C, l1_ratio, fit_intercept) <= 1.01 * tol + 1e-12


@pytest.mark.parametrize("tol", [1e-4, 1e-8])
@pytest.mark.parametrize("container", [np.asfortranarray, np.ascontiguousarray])
def test_dense_with_more_coefficients_than_samples(truncated, container, tol):
    rng, n, p = np.random.default_rng(5), 100, 1500
    wide = container(rng.standard_normal((n, p)))
    codes = (wide[:, :20].sum(axis=1) > rng.standard_normal(n)) * 1
    model = HadamardLogisticRegression(C=10.0, l1_ratio=0.05, tol=tol).fit(wide, codes)
    assert max(truncated) > n
    assert np.count_nonzero(model.coef_) > n
    problem = Logistic(wide, codes, 1.0 / (10.0 * n), 0.05, np.ones(n), np.ones(p), True)
    point = model.coef_, model.intercept_
    null = -(codes.mean() * np.log(codes.mean()) + (1 - codes.mean()) * np.log(1 - codes.mean()))
    assert problem.objective(*point) - problem.lower_bound(*point) <= 1.01 * tol * null + 1e-12


def test_weights_and_repeated_rows(truncated):
    model = HadamardLogisticRegression(C=3.0, tol=1e-8).fit(X, CODES, sample_weight=WEIGHTS)
    assert gap(model, 3.0, weights=WEIGHTS) <= 1e-8
    rows = np.repeat(np.arange(N), WEIGHTS.astype(int))
    again = HadamardLogisticRegression(C=3.0, tol=1e-8).fit(X.tocsr()[rows], CODES[rows])
    assert len(truncated) > 10
    outputs = X @ (model.coef_ - again.coef_)[0]
    assert np.abs(outputs + model.intercept_ - again.intercept_).max() < 2e-3


def test_the_same_as_with_formed_hessians(truncated, monkeypatch):
    model = HadamardLogisticRegression(C=3.0, l1_ratio=0.9, tol=1e-10).fit(X, CODES)
    made = len(truncated)
    assert made > 5
    monkeypatch.setattr(SparseColumns, "operator", lambda *arguments, **options: None)
    formed = HadamardLogisticRegression(C=3.0, l1_ratio=0.9, tol=1e-10).fit(X, CODES)
    assert len(truncated) == made
    assert_allclose(model.coef_, formed.coef_, atol=1e-4)
    assert_allclose(model.intercept_, formed.intercept_, atol=1e-5)


def test_formed_hessians_have_all_their_rounds_after_products_in_vain(monkeypatch):
    """They begin on an independent part of the support, with a larger gap than there was."""
    made, original = [], hplasso._path.model_step.solve_truncated

    def only_at_first(problem, start, *how_far):
        made.append(start.support.size)
        return original(problem, start, *how_far) if len(made) < 7 else Solution(start, 1)

    monkeypatch.setattr(hplasso._path.model_step, "solve_truncated", only_at_first)
    model = HadamardLogisticRegression(C=3.0, tol=1e-8).fit(X, CODES)
    assert len(made) > 7
    assert gap(model, 3.0) <= 1e-8


def test_small_supports_have_no_truncated_models(truncated):
    HadamardLogisticRegression(C=0.05).fit(X, CODES)
    assert not truncated


def test_memory_does_not_grow_with_the_square_of_the_support():
    n, p = 4000, 12000
    thin = sparse.random(n, p, density=0.001, format="csc", random_state=1)
    codes = (thin @ np.random.default_rng(1).standard_normal(p) > 0) * 1
    tracemalloc.start()
    try:
        model = HadamardLogisticRegression(C=100.0, l1_ratio=0.5, tol=1e-3).fit(thin, codes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    size = np.count_nonzero(model.coef_)
    assert size > 3000
    assert peak < 0.3 * 8 * size**2


def test_warm_start_and_positive(truncated):
    model = HadamardLogisticRegression(C=3.0, warm_start=True).fit(X, CODES)
    assert gap(model, 3.0) <= 1e-4
    made = len(truncated)
    model.set_params(C=3.3).fit(X, CODES)
    assert made < len(truncated) < made + 10
    assert gap(model, 3.3) <= 1e-4


def test_damping_follows_the_line_search():
    zero, goal = np.zeros(3), np.array([1.0, -2.0, 0.0])
    assert damping_after(0.4, zero, goal, goal) == 0.4 / LOWER
    assert damping_after(0.4, zero, goal, 1.5 * goal) == 0.4 / LOWER
    assert damping_after(0.4, zero, zero, zero) == 0.4 / LOWER
    assert damping_after(0.4, zero, goal, 0.5 * goal) == 0.8
    assert damping_after(0.4, zero, goal, 0.1 * goal) == pytest.approx(2.0)
    assert damping_after(0.4, zero, goal, zero) == 4.0
    assert damping_after(0.0, zero, goal, 0.5 * goal) == 2.0 * LEAST_RAISED
    assert damping_after(90.0, zero, goal, zero) == LARGEST_DAMPING


def test_effort_grows_where_whole_steps_are_slow():
    def memory(damping, effort=1.0):
        return Memory(None, None, True, damping=damping, effort=effort)

    whole, cut = (memory(0.4), memory(0.1, 4.0)), (memory(0.1), memory(0.2, 4.0))
    assert effort_after(*whole, slow=True) == 8.0
    assert effort_after(*whole, slow=False) == 2.0
    assert effort_after(*cut, slow=True) == 2.0
    assert effort_after(memory(0.0), memory(0.0), slow=True) == 2.0
    assert effort_after(memory(0.0), memory(0.0), slow=False) == 1.0
    assert effort_after(memory(0.0), memory(0.0, MOST_EFFORT), slow=True) == MOST_EFFORT


def test_columns_of_very_different_lengths(truncated):
    """Long and short ones: a damping that vanished with the gap alone would not be rid of."""
    data = X[:, :P].copy()
    data.data = np.exp(1.5 * np.random.default_rng(3).standard_normal(data.nnz))
    codes = data @ np.random.default_rng(4).standard_normal(P)
    codes = (codes > np.median(codes)) * 1
    model = HadamardLogisticRegression(C=30.0, tol=1e-7).fit(data, codes)
    assert max(truncated) > 400
    problem = Logistic(data.toarray(), codes, 1.0 / (30.0 * N), 1.0, np.ones(N), np.ones(P), True)
    point = model.coef_, model.intercept_
    assert problem.objective(*point) - problem.lower_bound(*point) <= 1e-7


@pytest.mark.parametrize(("tol", "C", "l1_ratio"), [(1e-4, 1.0, 1.0), (1e-8, 0.3, 0.5)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_many_classes_to_the_gap(truncated, tol, C, l1_ratio, fit_intercept):
    """The gap is computed from its own formulas: entropy, and the ridge as squared loss."""
    random, n, p, K = np.random.default_rng(5), 400, 40, 25
    features = random.standard_normal((n, p))
    outputs = features @ (random.standard_normal((p, K)) * (random.random((p, K)) < 0.3))
    codes = (outputs + random.gumbel(size=(n, K))).argmax(axis=1)
    model = HadamardLogisticRegression(
        C=C, l1_ratio=l1_ratio, tol=tol, fit_intercept=fit_intercept
    ).fit(features, codes)
    assert max(truncated) > 300
    lasso, ridge = l1_ratio / (C * n), (1.0 - l1_ratio) / (C * n)
    labels = (codes[:, None] == model.classes_) * 1.0
    p_hat = model.predict_proba(features)
    coef = model.coef_
    residual = labels - p_hat
    if fit_intercept:
        assert np.abs(residual.mean(axis=0)).max() < 1e-9
    z = residual.T @ features / n - ridge * coef
    kappa = min(1.0, lasso / np.abs(z).max())
    q = (1.0 - kappa) * labels + kappa * p_hat
    squares = ridge * (coef**2).sum()
    primal = -np.log(p_hat[np.arange(n), np.searchsorted(model.classes_, codes)]).mean()
    primal += lasso * np.abs(coef).sum() + 0.5 * squares
    dual = -(q * np.log(q)).sum() / n - 0.5 * kappa**2 * squares
    shares = labels.mean(axis=0)
    null = -(shares @ np.log(shares)) if fit_intercept else np.log(len(shares))
    assert primal - dual <= 1.01 * tol * null + 1e-12
    assert model.dual_gap_ == pytest.approx(primal - dual, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("tol", [1e-4, 1e-8])
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
def test_separable_classes_at_a_vanishing_penalty(container, tol):
    rng, n, p, C = np.random.default_rng(6), 80, 1500, 1e6
    wide = container(rng.standard_normal((n, p)) * (rng.random((n, p)) < 0.3))
    codes = np.arange(n) % 2
    model = HadamardLogisticRegression(C=C, tol=tol).fit(wide, codes)
    assert model.score(wide, codes) == 1.0
    dense = wide.toarray() if sparse.issparse(wide) else wide
    problem = Logistic(dense, codes, 1.0 / (C * n), 1.0, np.ones(n), np.ones(p), True)
    point = model.coef_, model.intercept_
    assert problem.objective(*point) - problem.lower_bound(*point) <= 1.01 * tol * np.log(2)


@pytest.mark.parametrize("limit", ["TRUNCATED_IN_VAIN", "MOST_TRUNCATED"])
def test_many_classes_go_on_with_formed_hessians(monkeypatch, truncated, limit):
    """After products in vain, with more columns than are independent, of classes as of features."""
    monkeypatch.setattr(hplasso._path.penalty_step, limit, -1)
    monkeypatch.setattr(hplasso._design.multi_output, "CHEAP", 0.0)
    many, codes = make_classification(
        800, 40, n_informative=20, n_classes=15, n_clusters_per_class=1, random_state=0
    )
    later = HadamardLogisticRegression(C=10.0, tol=1e-6).fit(many, codes)
    n_truncated = len(truncated)
    assert 0 < n_truncated < later.n_iter_
    monkeypatch.setattr(hplasso._path.model_step, "PRODUCTS", (np.inf, np.inf))
    formed = HadamardLogisticRegression(C=10.0, tol=1e-6).fit(many, codes)
    objectives = [
        log_loss(codes, model.predict_proba(many)) + np.abs(model.coef_).sum() / (10.0 * 800)
        for model in (later, formed)
    ]
    assert abs(objectives[0] - objectives[1]) <= 1e-6 * np.log(15)
    assert len(truncated) == n_truncated


def wide_counts():
    """Correlated columns, many more than samples: truncated models let in more than that."""
    random, n, p = np.random.default_rng(0), 200, 2000
    wide = random.standard_normal((n, p)) + 0.7 * random.standard_normal((n, 1))
    return wide, random.poisson(np.exp(np.clip(0.2 * wide[:, :20].sum(axis=1), -3.0, 3.0)))


def test_more_coefficients_than_samples_are_left_to_formed_hessians(truncated):
    """There is a solution with no more of them than samples; with a ridge there may be more."""
    wide, counts = wide_counts()
    model = HadamardPoissonRegressor(0.003, tol=1e-6).fit(wide, counts)
    assert 0 < len(truncated) < model.n_iter_ - 3
    assert np.count_nonzero(model.coef_) <= len(wide)
    mean = model.predict(wide)
    residual = counts - mean
    z = residual @ wide / len(wide)
    assert abs(residual.mean()) < 1e-9
    kappa = min(1.0, 0.003 / np.abs(z).max())
    # the conjugate of exp at the point mean + (1 - kappa) residual, from its definition
    point = counts - kappa * residual
    gap = np.mean(mean - point + point * (np.log(point) - np.log(mean)))
    gap += 0.003 * np.abs(model.coef_).sum() - kappa * z @ model.coef_
    null = np.mean(xlogy(counts, counts) - counts * np.log(counts.mean()))  # half the deviance
    assert gap <= 1e-6 * null
    truncated.clear()
    ridged = HadamardPoissonRegressor(0.003, l1_ratio=0.1).fit(wide, counts)
    assert np.count_nonzero(ridged.coef_) > len(wide)
    assert max(truncated) > len(wide)


def test_formed_hessians_have_room_for_few_entrants(monkeypatch):
    """A working set has far more coordinates than a model lets in."""
    sizes, original = [], Hessian.at

    def at(self, working_set, prediction, where):
        sizes.append((where.size, working_set.features.size))
        return original(self, working_set, prediction, where)

    monkeypatch.setattr(Hessian, "at", at)
    monkeypatch.setattr(BlockwiseColumns, "operator", lambda *arguments, **options: None)
    wide, counts = wide_counts()
    model = HadamardPoissonRegressor(0.003).fit(wide, counts)
    formed, whole = np.array(sizes).T
    assert formed.max() <= len(wide) + FEWEST_ENTRANTS < 0.5 * whole.max()
    assert np.count_nonzero(model.coef_) > 100


@pytest.mark.parametrize("l1_ratio", [1.0, 0.1])
def test_room_grows_with_the_support_beside_a_ridge(monkeypatch, l1_ratio):
    """Without one, more than as many as samples could not be independent."""
    rooms, original = [], hplasso._datafit.newton.few_entrants

    def few_entrants(entrants, room, *others):
        rooms.append(room)
        return original(entrants, room, *others)

    monkeypatch.setattr(hplasso._datafit.newton, "few_entrants", few_entrants)
    monkeypatch.setattr(BlockwiseColumns, "operator", lambda *arguments, **options: None)
    wide, counts = wide_counts()
    model = HadamardPoissonRegressor(0.01, l1_ratio=l1_ratio).fit(wide, counts)
    size, n = np.count_nonzero(model.coef_), len(wide)
    assert (size > n) == (l1_ratio < 1.0)
    assert (rooms[-1] > n) == (l1_ratio < 1.0)
    assert model.n_iter_ < 25
