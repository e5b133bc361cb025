"""The Hessian of a curved loss: its values, and how old it may be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import softmax
from sklearn.datasets import make_classification

import hplasso._datafit.hessian
import hplasso._design.dense
import hplasso._design.sparse
import hplasso._numerics.blocks
from hplasso import HadamardLogisticRegression, logistic_path
from hplasso._datafit.hessian import Hessian
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
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


@pytest.mark.parametrize("n_classes", [3, 5])
def test_a_constant_of_all_outputs_has_no_curvature_whatever_the_frequencies(n_classes):
    """Rounding gives it some: an inverse of that is nothing but rounding, 1e15 times as large.

    Without features all samples have the same curvature, and the Hessian is a Kronecker product.
    """
    rng = np.random.default_rng(0)
    where = np.arange(2 * n_classes)
    for _ in range(10):
        codes = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 1000)]
        X, n = rng.normal(size=(codes.size, 2)), codes.size
        loss = make_loss(codes, n_classes, np.full(n, 1 / n))
        base = make_design(np.asfortranarray(X), loss.weights, True)
        working_set = WorkingSet(MultiOutputDesign(base, n_classes))
        working_set.admit(where)
        p = np.bincount(codes) / n
        outputs = np.zeros((n, 1)) + np.log(p)
        given = Hessian(base, loss, True).at(working_set, loss.predict(outputs), where)
        assert_allclose(
            given, np.kron(np.cov(X.T, bias=True), np.diag(p) - np.outer(p, p)), atol=1e-14
        )
        assert_array_equal(given, given.T)
        state = CurvedTerm(base, loss, True).null_state
        image = np.zeros((n, n_classes, where.size))
        image[:, where % n_classes, where] = X[:, where // n_classes] / np.sqrt(n)
        image = image.reshape(n * n_classes, where.size)
        product = image.T @ state.hessian_product(image)
        assert_allclose(product, given, atol=1e-14)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_values_in_small_blocks_of_columns_that_are_not_copied(container, n_classes, monkeypatch):
    monkeypatch.setattr(hplasso._design.dense, "COPIED", 1)
    for module in (hplasso._numerics.blocks, hplasso._design.sparse):
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
