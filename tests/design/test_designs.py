"""What a design answers, against the matrix that it stands for, written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris, make_regression

import hplasso._design.dense
import hplasso._design.factory
import hplasso._design.sparse
import hplasso._numerics.blocks
from hplasso import (
    HadamardElasticNet,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    lasso_path,
)
from hplasso._design.container import Container
from hplasso._design.factory import NotFinite, augmented_gram_of, checked_design, make_design
from hplasso._design.multi_output import MultiOutputDesign

N, P, CONSTANT, EMPTY, FRAGILE = 23, 9, 3, 4, 5


class RowBlocks(Container):
    """The least that a container of its own kind has to bring: a list of blocks of rows."""

    def __init__(self, X):
        super().__init__(X.shape)
        self.parts = np.array_split(X, 4)

    def blocks(self, features=None):
        start = 0
        for part in self.parts:
            yield slice(start, start + len(part)), part if features is None else part[:, features]
            start += len(part)


CONTAINERS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr float32": lambda X: sparse.csr_matrix(X.astype(np.float32)),
    "csc float32": lambda X: sparse.csc_matrix(X.astype(np.float32)),
    "row blocks": RowBlocks,
}


@pytest.fixture(params=list(CONTAINERS))
def container(request):
    return CONTAINERS[request.param]


@pytest.fixture(params=[True, False], ids=["small blocks", "one block"], autouse=True)
def _blocks(request, monkeypatch):
    if request.param:
        for module in (hplasso._numerics.blocks, hplasso._design.sparse):
            monkeypatch.setattr(module, "BLOCK", 24)
        monkeypatch.setattr(hplasso._design.dense, "COPIED", 1)  # columns are not copied


class Case:
    """X, weights, the design, and the matrix Z."""

    def __init__(self, container, weighted, fit_intercept):
        rng = np.random.default_rng(0)
        X = rng.integers(-8, 9, (N, P)) * (rng.random((N, P)) < 0.6) / 8.0
        X[:, CONSTANT], X[:, EMPTY] = 7.0, 0.0
        X[:, FRAGILE] = 4096.0 + rng.integers(-8, 9, N) / 8.0
        self.X, self.weights = X, np.ones(N)
        if weighted:
            self.weights = rng.integers(1, 5, N).astype(float)
            self.weights[7] = 0.0
        self.weights /= self.weights.sum()
        self.design = make_design(container(X), self.weights, fit_intercept)
        self.sqrt_weights = np.sqrt(self.weights)
        self.mean = self.weights @ X.astype(np.longdouble) * fit_intercept
        self.Z = (self.sqrt_weights[:, None] * (X - self.mean)).astype(np.float64)
        self.Z[:, [EMPTY, *[CONSTANT] * fit_intercept]] = 0.0
        self.residual = rng.normal(size=(N, 3))
        if fit_intercept:
            self.residual -= np.outer(self.sqrt_weights, self.sqrt_weights @ self.residual)


@pytest.fixture(params=[True, False], ids=["weighted", "equal"])
def weighted(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["intercept", "none"])
def case(request, container, weighted):
    return Case(container, weighted, request.param)


def close(actual, expected, size=1.0):
    assert np.shape(actual) == np.shape(expected)
    assert_allclose(actual, expected, rtol=1e-10, atol=1e-11 * size)


def test_columns_that_it_describes(case):
    design = case.design
    assert design.shape == (N, P)
    assert_allclose(design.mean, case.mean.astype(float), rtol=1e-13)
    close(design.column_norms, np.linalg.norm(case.Z, axis=0))
    assert_array_equal(design.constant, np.flatnonzero(~case.Z.any(axis=0)))
    if case.mean.any():
        assert FRAGILE in design.cancellation_prone
        assert CONSTANT not in design.cancellation_prone
    assert (design.rounding[design.column_norms > 0.0] > 0.0).all()
    assert (design.size >= 0.99 * design.column_norms).all()


def test_products_with_residuals(case):
    design, r = case.design, case.residual
    passes = design.passes
    close(design.correlations(r[:, 0]), case.Z.T @ r[:, 0], 100.0)
    assert design.passes == passes + 1
    close(design.product(r), case.Z.T @ r, 100.0)
    for features in (np.array([6, 0, 8]), np.array([8, FRAGILE, 1, CONSTANT, EMPTY, 2])):
        passes = design.passes
        close(design.read(features, r[:, 1]), case.Z[:, features].T @ r[:, 1], 100.0)
        assert design.passes == pytest.approx(passes + features.size / P)
        close(design.block(features), case.Z[:, features])


def test_gram_matrices(case):
    design = case.design
    gram, expected = design.gram(), case.Z.T @ case.Z
    size = np.abs(expected).max()
    close(gram, expected, size)
    spoilt = expected.copy()
    for column in (*design.cancellation_prone, *design.constant):
        spoilt[column] = spoilt[:, column] = np.nan
    design.recompute(spoilt)
    close(spoilt, expected, size)


@pytest.mark.parametrize("rows", [np.arange(5, 17), np.array([3, 0, 21, 7, 8, 9])])
def test_augmented_gram_matrix_of_some_rows(case, rows):
    response = case.residual[:, 0]
    everything = np.column_stack([case.Z, response, case.sqrt_weights])[rows]
    kept = np.setdiff1d(np.arange(P + 2), [*case.design.cancellation_prone, FRAGILE, CONSTANT])
    augmented_gram = augmented_gram_of(case.design, rows, response)
    close(augmented_gram[np.ix_(kept, kept)], (everything.T @ everything)[np.ix_(kept, kept)])


@pytest.mark.parametrize("features", [np.array([7, 2]), np.array([8, 6, 5, 3, 1, 0])])
def test_elements(case, features):
    rows = np.array([4, 20, 4, 0])
    part = case.design.container.rows(rows, features)
    part = part.toarray() if sparse.issparse(part) else part
    assert part.dtype == np.float64
    assert_array_equal(part, case.X[np.ix_(rows, features)])


def test_chosen_columns(case):
    columns, order = case.design.columns(), np.array([7, FRAGILE, 0, CONSTANT, 2, 8, EMPTY])
    columns.append(order[:3])
    columns.append(order[3:])
    Z, r = case.Z[:, order], case.residual
    theta = np.random.default_rng(1).normal(size=(order.size, 3))
    theta[1] = 0.0  # of the fragile one, which predictions need not centre exactly
    theta[3] = 0.0
    size = np.abs(Z).max() ** 2
    for first in (0, 4):
        close(columns.products(first), Z.T @ Z[:, first:], size)
    close(columns.correlations(r[:, 0]), Z.T @ r[:, 0], 100.0)
    close(columns.correlations(r), Z.T @ r, 100.0)
    close(columns.predict(theta[:, 0]), Z @ theta[:, 0])
    close(columns.predict(theta), Z @ theta)


def test_pairs_of_features_and_outputs(case):
    stacked = MultiOutputDesign(case.design, 3)
    assert stacked.shape == (3 * N, 3 * P)
    close(stacked.column_norms, np.linalg.norm(np.kron(case.Z, np.eye(3)), axis=0))
    Z, r = np.kron(case.Z, np.eye(3)), case.residual.ravel()
    close(stacked.correlations(r), Z.T @ r, 100.0)
    pairs = np.array([22, 3, 4, 1, 20])
    close(stacked.read(pairs, r), Z[:, pairs].T @ r, 100.0)
    columns = stacked.columns()
    columns.append(pairs[:2])
    columns.append(pairs[2:])
    theta = np.random.default_rng(1).normal(size=pairs.size)
    close(columns.products(0), Z[:, pairs].T @ Z[:, pairs])
    close(columns.products(3), Z[:, pairs].T @ Z[:, pairs[3:]])
    close(columns.correlations(r), Z[:, pairs].T @ r, 100.0)
    close(columns.predict(theta), Z[:, pairs] @ theta)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gram_matrices_by_their_products(container, fit_intercept, weighted, monkeypatch):
    monkeypatch.setattr(hplasso._design.sparse, "LARGE", 2)
    monkeypatch.setattr(hplasso._design.sparse, "DENSE_FACTOR", 0.1)
    case = Case(container, weighted, fit_intercept)
    columns, order = case.design.columns(), np.array([7, 0, 2, 8, 6])
    rng = np.random.default_rng(1)
    for new in (order[:3], order[3:]):
        columns.append(new)
        size = columns.features.size
        Z, vector, ridge = (
            case.Z[:, order[:size]],
            rng.normal(size=size),
            rng.exponential(size=size),
        )
        operator = columns.operator(np.arange(size))
        assert operator._columns is columns.chosen  # not a copy
        assert len(operator) == size
        close(operator @ vector, Z.T @ (Z @ vector))
        close(operator.diagonal(), (Z**2).sum(axis=0))
        kept = np.array([2, 0])
        for gram, added in ((operator, 0.0), (operator.plus(ridge), ridge)):
            expected = Z.T @ Z + np.diag(added * np.ones(size))
            close(gram @ vector, expected @ vector)
            close(gram.diagonal(), expected.diagonal())
            part = expected[np.ix_(kept, kept)]
            close(gram.on(kept) @ vector[kept], part @ vector[kept])
            close(gram.on(kept).diagonal(), part.diagonal())
    assert columns.operator(np.arange(1)) is None
    monkeypatch.setattr(hplasso._design.sparse, "DENSE_FACTOR", 100)
    assert columns.operator(np.arange(5)) is None


def test_blocks_of_rows(case):
    X = case.design.container
    for features in (None, np.array([7, 2, FRAGILE])):
        blocks = list(X.blocks(features))
        expected = case.X if features is None else case.X[:, features]
        assert_array_equal(np.concatenate([block for _, block in blocks]), expected)
        assert all(block.dtype == np.float64 for _, block in blocks)
        rows = np.concatenate([np.arange(N)[where] for where, _ in blocks])
        assert_array_equal(rows, np.arange(N))


def test_a_container_owes_its_blocks_alone():
    assert Container.__abstractmethods__ == {"blocks"}
    assert {name for name in vars(RowBlocks) if not name.startswith("_")} == {"blocks"}


TALL, WIDE = (
    make_regression(*shape, n_informative=8, noise=5.0, bias=20.0, random_state=0)
    for shape in ((200, 12), (60, 200))
)
CELLS = load_breast_cancer(return_X_y=True)
IRIS = load_iris(return_X_y=True)
WEIGHTS = np.random.default_rng(1).integers(0, 4, 60)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: lasso_path(*WIDE, alphas=20, eps=0.01, tol=1e-10)[1],
        lambda: lasso_path(*TALL, alphas=20, eps=0.01, tol=1e-10)[1],
        lambda: HadamardLasso(2.0, tol=1e-10).fit(*WIDE, WEIGHTS).coef_,
        lambda: HadamardLasso(2.0, tol=1e-10, fit_intercept=False).fit(*WIDE).coef_,
        lambda: HadamardElasticNet(2.0, l1_ratio=0.0, tol=1e-10).fit(*WIDE).coef_,
        lambda: HadamardLassoCV(alphas=20, cv=3, eps=0.01, tol=1e-10).fit(*TALL).mse_path_,
        lambda: HadamardLassoCV(alphas=20, cv=3, eps=0.05, tol=1e-10).fit(*WIDE).mse_path_,
        lambda: HadamardLogisticRegression(0.1, tol=1e-10).fit(*CELLS).coef_,
        lambda: HadamardLogisticRegression(1.0, tol=1e-10).fit(*IRIS).coef_,
        lambda: HadamardLogisticRegression(1.0, l1_ratio=0.0, tol=1e-10).fit(*IRIS).coef_,
    ],
    ids=[
        *("wide path", "tall path", "weighted", "no intercept", "ridge", "tall folds"),
        *("wide folds", "two classes", "three classes", "ridge classes"),
    ],
)
def test_fits_on_blocks_of_rows(fit, monkeypatch):
    """Whatever is fitted, a container that has its blocks alone gives what an array gives."""
    expected, made = fit(), []

    def as_row_blocks(X):
        made.append(X if isinstance(X, RowBlocks) else RowBlocks(X))
        return made[-1]

    monkeypatch.setattr(hplasso._design.factory, "as_container", as_row_blocks)
    found = fit()
    assert made
    assert np.count_nonzero(expected) > 3
    assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_numbers_that_are_not_finite_in_a_container():
    X = np.ones((8, 2))
    X[5, 1] = np.nan
    with pytest.raises(NotFinite, match="Input X contains NaN"):
        checked_design(RowBlocks(X), np.full(8, 1 / 8), True)
    X[5, 1] = 1e200
    with pytest.raises(ValueError, match=r"size of a column of X is 1\.0e\+200"):
        checked_design(RowBlocks(X), np.full(8, 1 / 8), True)


def test_dense_gram_matrices_are_left_unformed_beside_a_ridge():
    """With more coefficients than samples, or than half of them where the ridge is not small."""
    n, p = 400, 500
    columns = make_design(
        np.random.default_rng(0).normal(size=(n, p)), np.full(n, 1 / n), True
    ).columns()
    columns.append(np.arange(p))
    support = np.arange(201)
    for ridge, unformed in ((None, False), (1e-3, False), (0.02, True)):
        ridge = None if ridge is None else np.full(p, ridge)
        assert (columns.operator(support, ridge) is not None) == unformed
        assert columns.operator(support[1:], ridge) is None
        assert columns.operator(np.arange(400), ridge) is None or unformed
        assert columns.operator(np.arange(401), ridge) is not None
