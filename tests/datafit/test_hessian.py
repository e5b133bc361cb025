"""The Hessian of logistic loss: its values, and how old it may be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import softmax
from sklearn.datasets import make_classification

import hplasso._datafit.hessian
import hplasso._datafit.line_search
import hplasso._datafit.outputs
import hplasso._design.base
import hplasso._design.dense
import hplasso._design.sparse
from hplasso import HadamardLogisticRegression, logistic_path
from hplasso._datafit.hessian import Hessian
from hplasso._datafit.newton import CurvedTerm
from hplasso._datafit.squared import LeastSquares
from hplasso._design.checked import make_design
from hplasso._design.multi_output import MultiOutputDesign
from hplasso._design.working_set import WorkingSet
from hplasso._losses.softmax import make_loss

CONTAINERS = [np.asfortranarray, np.ascontiguousarray, sparse.csc_array, sparse.csr_array]


class Case:
    """A Hessian on a working set, and its value from the formula, on all coordinates at once."""

    def __init__(self, container, n_classes, fit_intercept, n=60, p=8):
        rng = np.random.default_rng(n_classes)
        self.X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.6) + 0.5
        self.weights = rng.exponential(size=n)
        self.weights /= self.weights.sum()
        codes = np.arange(n) % n_classes
        self.loss = make_loss(codes, n_classes, self.weights)
        self.n_outputs, self.fit_intercept = self.loss.n_outputs, fit_intercept
        base = make_design(container(self.X), self.weights, fit_intercept)
        design = MultiOutputDesign(base, n_classes) if n_classes > 2 else base
        self.working_set = WorkingSet(design)
        self.working_set.admit(rng.permutation(p * self.n_outputs))
        self.hessian = Hessian(base, self.loss, fit_intercept)
        self.outputs = rng.normal(size=(n, self.n_outputs))

    def at(self, shift, where):
        """The Hessian that is given, and the one that is right, with outputs shifted by some."""
        outputs = self.outputs + shift * self.X[:, :1] * np.arange(1, self.n_outputs + 1)
        given = self.hessian.at(self.working_set, self.loss.predict(outputs), where)
        features = self.working_set.features[where]
        columns, outs = features // self.n_outputs, features % self.n_outputs
        full = outputs if self.n_outputs > 1 else np.hstack([np.zeros_like(outputs), outputs])
        P = softmax(full, axis=1)[:, -self.n_outputs :]
        D = -P[:, :, None] * P[:, None, :]
        D[:, range(self.n_outputs), range(self.n_outputs)] += P
        Z = np.zeros((len(self.X), where.size, self.n_outputs))
        Z[:, range(where.size), outs] = self.X[:, columns]
        curved = np.einsum("i,iak,ikm->iam", self.weights, Z, D)
        right = np.einsum("iam,ibm->ab", curved, Z)
        if self.fit_intercept:
            T, M = curved.sum(axis=0), np.einsum("i,ikm->km", self.weights, D)
            right -= T @ np.linalg.pinv(M, hermitian=True, rcond=1e-12) @ T.T
        return given, right


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_values(container, fit_intercept, n_classes):
    """On coordinates in any order, and on more of them later."""
    case = Case(container, n_classes, fit_intercept)
    order = np.random.default_rng(0).permutation(case.working_set.features.size)
    for where in (order[:3], order[[2, 5, 1]], order[:1], order, order[::-1]):
        assert_allclose(*case.at(0.0, where), atol=1e-12)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_values_in_small_blocks_of_columns_that_are_not_copied(container, n_classes, monkeypatch):
    monkeypatch.setattr(hplasso._design.dense, "LARGE_DATA", 1)
    for module in (hplasso._design.base, hplasso._design.sparse):
        monkeypatch.setattr(module, "BLOCK", 24)
    case = Case(container, n_classes, True)
    order = np.random.default_rng(0).permutation(case.working_set.features.size)
    for where in (order[:3], order[[2, 5, 1]], order):
        assert_allclose(*case.at(0.0, where), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_kept_while_residuals_are_nearly_the_same(n_classes, monkeypatch):
    monkeypatch.setattr(hplasso._datafit.hessian, "CHEAP", 1.0)
    case, where = Case(np.asarray, n_classes, True), np.arange(5)
    first, right = case.at(0.0, where)
    assert_allclose(first, right, atol=1e-12)
    again, right = case.at(1e-3, where)
    assert_array_equal(again, first)
    assert np.abs(again - right).max() > 1e-7
    wider, _ = case.at(1e-3, np.arange(8))
    assert_allclose(wider[:5, :5], first, atol=1e-14)
    assert_allclose(wider, case.at(0.0, np.arange(8))[1], atol=1e-12)
    assert_allclose(*case.at(2.0, where), atol=1e-12)  # too far: begun again
    kept, right = case.at(2.001, where)
    assert np.abs(kept - right).max() > 1e-7
    case.hessian.forget()
    assert_allclose(*case.at(2.001, where), atol=1e-12)


def test_of_two_classes_that_of_each_state_where_it_is_cheap():
    case, where = Case(np.asarray, 2, True), np.arange(5)
    for shift in (0.0, 1e-3, 2e-3):
        assert_allclose(*case.at(shift, where), atol=1e-12)


def counted(monkeypatch):
    """How many Hessians are asked for, and begun."""
    counts = dict.fromkeys(("at", "_begin"), 0)

    def counting(name):
        original = getattr(Hessian, name)

        def method(self, *args):
            counts[name] += 1
            return original(self, *args)

        monkeypatch.setattr(Hessian, name, method)

    counting("at")
    counting("_begin")
    return counts


def test_a_path_of_several_classes_begins_few_hessians(monkeypatch):
    X, y = make_classification(300, 20, n_informative=8, n_classes=3, random_state=0)
    counts = counted(monkeypatch)
    logistic_path(X, y, Cs=30, eps=0.01, tol=1e-8)
    assert 10 < counts["_begin"] < 0.7 * counts["at"]


def test_a_tight_fit_begins_new_hessians(monkeypatch):
    """An old one would do in the end, in many more steps."""
    X, y = make_classification(300, 20, n_informative=8, n_classes=3, random_state=0)
    counts = counted(monkeypatch)
    HadamardLogisticRegression(1.0, tol=1e-12).fit(X, y)
    assert counts["_begin"] >= 2
    assert counts["at"] <= 15


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_longest_residual_is_as_long_as_it_is_said(n_classes):
    case = Case(np.asarray, n_classes, False)
    term = CurvedTerm(case.hessian.design, case.loss, False)
    codes = np.arange(60) % n_classes
    wrong = 100.0 * (np.eye(n_classes)[codes - 1])
    outputs = wrong if n_classes > 2 else wrong[:, 1:] - wrong[:, :1]
    residual = np.sqrt(case.weights)[:, None] * case.loss.predict(outputs).residual
    assert np.linalg.norm(residual) == pytest.approx(term.norm)


@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.1, 0.17, 0.3, 0.45, 0.7])
@pytest.mark.parametrize("ridge", [None, 0.1])
def test_a_step_goes_on_while_f_falls(fraction, ridge, monkeypatch):
    """Twice as far each time, until f falls at less than a quarter of its first rate, or rises."""
    monkeypatch.setattr(hplasso._datafit.line_search, "FAR", 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    X -= X.mean(axis=0)
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    design = make_design(X, weights, False)
    term = CurvedTerm(design, make_loss(y, 2, weights), False)
    working_set = WorkingSet(design)
    working_set.admit(np.arange(3))
    way, penalty = fraction * np.array([2.0, -1.5, 0.0]), np.full(3, 0.01)
    rho = None if ridge is None else np.full(3, ridge)

    def slope(length):
        theta = length * way
        residual = y - 1.0 / (1.0 + np.exp(-X @ theta))
        abs_correlation = residual @ X / 60 - (0.0 if ridge is None else ridge * theta)
        return (penalty * np.sign(way) - abs_correlation) @ way

    length = 1.0
    while slope(length) < 0.25 * slope(0.0) and slope(2.0 * length) <= 0.0:
        length *= 2.0
    zero = np.zeros(3)
    state = term.state(working_set, zero)
    theta, after = term.line_search(working_set, state, zero, way, (penalty, rho))
    assert_allclose(theta, length * way)
    assert_allclose(after.linear[:, 0], X @ theta, atol=1e-12)


def test_a_step_goes_on_only_where_it_moved_an_output_far():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(3))
    zero, way = np.zeros(3), np.array([2.0, -1.5, 0.0]) / np.abs(X @ [2.0, -1.5, 0.0]).max()
    state = term.state(working_set, zero)
    for largest, goes_on in ((0.18, False), (0.22, True)):
        theta, _ = term.line_search(
            working_set, state, zero, largest * way, (np.full(3, 0.01), None)
        )
        assert (theta[0] > 1.5 * largest * way[0]) == goes_on


def test_a_step_that_goes_on_leaves_what_has_settled(monkeypatch):
    """It moves by rounding only, which is not to grow."""
    monkeypatch.setattr(hplasso._datafit.line_search, "FAR", 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(3))
    start, goal = np.array([1.0, 0.0, 0.0]), np.array([1.0 + 1e-12, -0.05, 0.0])
    state = term.state(working_set, start)
    theta, _ = term.line_search(working_set, state, start, goal, (np.full(3, 0.01), None))
    assert theta[1] < -0.15
    assert theta[0] == goal[0]


@pytest.mark.parametrize(("block", "n_special"), [(1, 1), (60, 1), (120, 2), (300, 5), (9999, 6)])
def test_rounding_is_looked_at_closely_of_a_block_of_features(block, n_special, monkeypatch):
    """Of the longest columns, if rounding could hide more than a small part of all limits."""
    monkeypatch.setattr(hplasso._datafit.outputs, "BLOCK", block)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 6)) * [1.0, 5.0, 2.0, 6.0, 3.0, 4.0], np.arange(60) % 2
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    rounding, _ = term.rounding(np.arange(0), np.zeros(0), term.null_state, 1e-12)
    largest_violators = np.argsort(-np.linalg.norm(X, axis=0))[:n_special]
    assert_array_equal(np.sort(rounding.special), np.sort(largest_violators))
    assert rounding.errors.shape == (n_special,)
    assert not term.rounding(np.arange(0), np.zeros(0), term.null_state, 1.0)[0].special.size


def test_losses_of_sure_predictions_are_known_to_the_last_digit():
    loss = make_loss(np.array([0, 1, 2]), 3, np.full(3, 1 / 3))
    outputs = np.array([[50.0, 0.0, 0.0], [1.0, 101.0, 1.0], [0.0, 0.0, 300.0]])
    expected = 2.0 * np.exp([-50.0, -100.0, -300.0])
    assert_allclose(loss.predict(outputs).losses, expected, rtol=1e-12)


def test_a_constant_target_leaves_nothing_but_its_mean():
    weights = np.random.default_rng(0).dirichlet(np.ones(60))
    X = np.random.default_rng(1).normal(size=(60, 2))
    term = LeastSquares(
        make_design(X, weights, True), np.where(weights > 0.01, 0.1, np.nextafter(0.1, 1.0))
    )
    assert term.loss.intercept == pytest.approx(0.1)
    assert term.scale == 0.0
    assert not term.response.any()
