"""The Hessian by its products: that of `hessian`, and where it is used."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import hplasso._design.columns
import hplasso._design.dense
import hplasso._design.multi_output
import hplasso._design.sparse
from hplasso._datafit.hessian import Hessian
from hplasso._datafit.hessian_operator import of_one_output, of_outputs
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
from hplasso._design.sparse import SparsePairs
from hplasso._design.working_set import WorkingSet
from hplasso._losses.softmax import make_loss


def working_set_of(n, p, density, fit_intercept):
    X = sparse.random(n, p, density=density, format="csc", random_state=0)
    weights = np.random.default_rng(1).exponential(size=n)
    weights /= weights.sum()
    working_set = WorkingSet(make_design(X, weights, fit_intercept))
    working_set.admit(np.flatnonzero(np.diff(X.indptr))[::-1])
    return working_set, weights


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_products_are_those_of_the_formed_hessian(fit_intercept):
    working_set, weights = working_set_of(3000, 500, 0.004, fit_intercept)
    rng = np.random.default_rng(2)
    loss = make_loss(rng.integers(0, 2, 3000), 2, weights)
    prediction = loss.predict(rng.standard_normal((3000, 1)))
    where = rng.permutation(working_set.features.size)[:400]
    formed = Hessian(working_set.design, loss, fit_intercept).at(working_set, prediction, where)
    columns = working_set.columns.operator(where, products=60.0)
    curvature = columns.weights * loss.curvature(prediction).diagonal(0)
    operator = of_one_output(columns, curvature, fit_intercept)
    vector = rng.standard_normal(400) / np.sqrt(formed.diagonal())
    assert operator.matrix is None
    assert len(operator) == 400
    assert_allclose(operator @ vector, formed @ vector, rtol=1e-9, atol=1e-15)
    least = curvature.sum() * columns.squares(weights)  # under the mean curvature
    assert (formed.diagonal() < least).any()
    assert (formed.diagonal() > least).any()
    assert_allclose(operator.diagonal(), np.maximum(formed.diagonal(), least), rtol=1e-9)
    kept, ridge = np.arange(0, 400, 3), rng.exponential(size=400)
    both = operator.plus(ridge).plus(ridge).on(kept)
    right = (formed + 2 * np.diag(ridge))[np.ix_(kept, kept)]
    assert_allclose(both @ vector[kept], right @ vector[kept], rtol=1e-9)
    assert_allclose(both.diagonal(), operator.diagonal()[kept] + 2 * ridge[kept])


def test_small_or_full_ones_are_formed():
    working_set, _ = working_set_of(3000, 500, 0.004, True)
    columns = working_set.columns
    assert columns.operator(np.arange(100), products=60.0) is None
    assert columns.operator(np.arange(400), products=60.0) is not None
    working_set, _ = working_set_of(300, 500, 0.9, True)
    assert working_set.columns.operator(np.arange(400), products=60.0) is None


def test_the_largest_are_never_formed():
    working_set, _ = working_set_of(3, 7000, 0.9, True)
    columns = working_set.columns
    products = 1e9
    assert columns.operator(np.arange(5792), products=products) is None
    assert columns.operator(np.arange(5793), products=products) is not None
    X = np.random.default_rng(0).standard_normal((3, 7000))
    working_set = WorkingSet(make_design(X, np.full(3, 1 / 3), True))
    working_set.admit(np.arange(7000))
    assert working_set.columns.operator(np.arange(5792), products=products) is None
    assert working_set.columns.operator(np.arange(5793), products=products) is not None


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize(
    ("K", "container", "copied"),
    [
        (4, sparse.csc_array, True),
        (40, sparse.csc_array, True),
        (4, np.asarray, True),
        (1, np.asarray, True),
        (1, np.asarray, False),
    ],
)
def test_products_of_outputs(fit_intercept, K, container, copied, monkeypatch):
    monkeypatch.setattr(hplasso._design.multi_output, "CHEAP", 0.0)
    if not copied:
        monkeypatch.setattr(hplasso._design.dense, "COPIED", 1)
    rng, n, p = np.random.default_rng(3), 300, 60 if K > 1 else 250
    X = container(sparse.random(n, p, density=0.2, format="csc", random_state=1).toarray())
    weights = rng.exponential(size=n)
    weights /= weights.sum()
    design, n_classes = make_design(X, weights, fit_intercept), max(K, 2)
    loss = make_loss(rng.integers(0, n_classes, n), n_classes, weights)
    term = CurvedTerm(design, loss, fit_intercept)
    working_set = WorkingSet(term.design)
    working_set.admit(rng.permutation(p * K)[:200])
    state = term.state(working_set, 0.1 * rng.standard_normal(200))
    where = rng.permutation(200)[:180]
    formed = Hessian(design, term.loss, fit_intercept).at(working_set, state.prediction, where)
    assert working_set.columns.operator(where) is None  # squared loss has no outputs to couple
    columns = working_set.columns.operator(where, products=1.0)
    assert isinstance(columns, SparsePairs) == (K == 40)  # few of all pairs
    squares = term.design.column_norms[working_set.features[where]] ** 2
    operator = of_outputs(columns, state, squares)
    vector = rng.standard_normal(180)
    assert_allclose(operator @ vector, formed @ vector, rtol=1e-9, atol=1e-13)
    ratios = operator.diagonal() / formed.diagonal()  # of mean curvatures to those of the samples
    assert 0.3 < ratios.min() < 1.0 < ratios.max() < 3.0
    kept, ridge = np.arange(0, 180, 3), rng.exponential(size=180)
    right = (formed + np.diag(ridge))[np.ix_(kept, kept)]
    part = operator.plus(ridge).on(kept)
    assert_allclose(part @ vector[kept], right @ vector[kept], rtol=1e-9, atol=1e-13)


def test_many_outputs_are_coupled_by_products_where_these_cost_less(monkeypatch):
    rng, K, n, p = np.random.default_rng(4), 20, 100, 30
    weights = np.full(n, 1 / n)
    term = CurvedTerm(
        make_design(rng.standard_normal((n, p)), weights, True),
        make_loss(np.arange(n) % K, K, weights),
        True,
    )
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(p * K))
    columns = working_set.columns
    assert columns.operator(np.arange(600), products=60.0) is None  # nothing costs much
    monkeypatch.setattr(hplasso._design.multi_output, "CHEAP", 1e6)
    assert columns.operator(np.arange(149), products=60.0) is None  # small ones are formed
    assert columns.operator(np.arange(600), products=60.0) is not None
    working_set = WorkingSet(make_design(rng.standard_normal((n, 3 * n)), weights, True))
    assert working_set.columns.operator(np.arange(0), products=60.0) is None


def test_pairs_are_copied_where_they_are_few_and_hold_little(monkeypatch):
    working_set, _ = working_set_of(300, 200, 0.1, True)
    columns, n_outputs = working_set.columns, 30
    few = np.arange(columns.features.size)
    many = np.repeat(few, 4)
    assert isinstance(columns.pairs(few, few % n_outputs, n_outputs), SparsePairs)
    outputs = np.arange(many.size) % n_outputs
    assert not isinstance(columns.pairs(many, outputs, n_outputs), SparsePairs)
    monkeypatch.setattr(hplasso._design.sparse, "LARGEST_FORMED", 2 * 300 * 20 - 1)
    assert not isinstance(columns.pairs(few, few % n_outputs, n_outputs), SparsePairs)
