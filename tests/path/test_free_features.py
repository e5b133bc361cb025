"""Features without penalty where Hessians are known by their products alone."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import log_softmax

import hplasso._design.columns
import hplasso._design.multi_output
import hplasso._path.model_step
from hplasso import HadamardElasticNet, HadamardLogisticRegression, HadamardPoissonRegressor
from hplasso._design.columns import BlockwiseColumns
from hplasso._design.multi_output import MultiOutputColumns
from hplasso._design.sparse import SparseColumns
from hplasso._numerics.linalg import GramMatrix, scaled_inverse_root
from hplasso._path.free_features import SchurComplement

N, P, FREE = 500, 900, 4
rng = np.random.default_rng(0)
AGE = rng.uniform(18.0, 90.0, N)
# far from zero, of very different lengths, and nearly a function of each other
FEATURES = np.column_stack([AGE, AGE**2, 1e4 * rng.standard_normal(N), rng.random(N) < 0.3])
SPARSE = sparse.random(N, P, density=0.03, format="csc", random_state=1)
X = sparse.csc_array(sparse.hstack([FEATURES, SPARSE]))
WEIGHTS = np.concatenate([np.zeros(FREE), rng.uniform(0.5, 2.0, P)])
SIGNAL = SPARSE @ (2.0 * rng.standard_normal(P) * (rng.random(P) < 0.3)) + 0.03 * (AGE - 50.0)
NUMBERS = SIGNAL + rng.standard_normal(N)
CODES = (SIGNAL + rng.logistic(size=N) > 0.0) * 1
COUNTS = rng.poisson(np.exp(np.clip(SIGNAL, -3.0, 2.0)))
CLASSES = np.digitize(NUMBERS, [-1.5, 0.0, 1.5])

TASKS = {
    "numbers": (HadamardElasticNet(0.003, l1_ratio=0.8), NUMBERS),
    "codes": (HadamardLogisticRegression(3.0), CODES),
    "codes, ridge": (HadamardLogisticRegression(10.0, l1_ratio=0.2), CODES),
    "codes, no intercept": (HadamardLogisticRegression(3.0, fit_intercept=False), CODES),
    "counts": (HadamardPoissonRegressor(0.003), COUNTS),
    "classes": (HadamardLogisticRegression(3.0, l1_ratio=0.8), CLASSES),
}


@pytest.fixture
def by_products(monkeypatch):
    """No Hessian is formed that could be by its products; how many models had none."""
    models, original = [], hplasso._path.model_step.without_free

    def without_free(*arguments):
        models.append(original(*arguments))
        return models[-1]

    monkeypatch.setattr(hplasso._path.model_step, "without_free", without_free)
    monkeypatch.setattr(hplasso._design.columns, "FASTER", 1e-3)
    monkeypatch.setattr(hplasso._design.columns, "LARGE", 50)
    monkeypatch.setattr(hplasso._design.multi_output, "CHEAP", 0.0)
    return models


def residual_and_loss(model, features, y):
    """The residual y - E[y], and the loss, for the estimator's mean."""
    outputs = features @ model.coef_.T + model.intercept_
    if isinstance(model, HadamardElasticNet):
        return y - outputs, 0.5 * np.mean((y - outputs) ** 2)
    if isinstance(model, HadamardPoissonRegressor):
        return y - np.exp(outputs), np.mean(np.exp(outputs) - y * outputs)
    outputs = np.column_stack([np.zeros(N), outputs]) if outputs.shape[1] == 1 else outputs
    log_p = log_softmax(outputs, axis=1)
    labels = (y[:, None] == np.arange(outputs.shape[1])) * 1.0
    residual = labels - np.exp(log_p)
    loss = -np.mean(log_p[np.arange(N), y])
    return residual[:, 1:] if outputs.shape[1] == 2 else residual, loss


def objective(model, features, y):
    _, loss = residual_and_loss(model, features, y)
    classes = isinstance(model, HadamardLogisticRegression)
    alpha = 1.0 / (model.C * N) if classes else model.alpha
    size = np.abs(model.coef_)
    ratio = model.l1_ratio
    return loss + alpha * (WEIGHTS * (ratio * size + 0.5 * (1.0 - ratio) * size**2)).sum()


@pytest.mark.parametrize("container", [sparse.csc_array, sparse.csr_array, np.asarray])
@pytest.mark.parametrize("task", TASKS)
def test_the_same_minimum_as_with_formed_hessians(by_products, monkeypatch, task, container):
    model, y = TASKS[task]
    features = container(X.toarray() if container is np.asarray else X)
    model = model.set_params(penalty_weights=WEIGHTS, tol=1e-7).fit(features, y)
    if task != "numbers" or container is not np.asarray:
        assert by_products
    least = objective(model, X, y)
    z = residual_and_loss(model, X, y)[0].T @ FEATURES / N
    assert np.abs(z / np.linalg.norm(FEATURES, axis=0)).max() < 1e-12
    for kind in (SparseColumns, BlockwiseColumns, MultiOutputColumns):
        monkeypatch.setattr(kind, "operator", lambda *arguments, **options: None)
    formed = model.set_params(tol=1e-12).fit(features, y)
    assert abs(least - objective(formed, X, y)) <= 1e-7


def test_gaps_of_weak_penalties_are_met(by_products):
    """Where supports outgrow the samples, and columns depend on others."""
    for seed in range(6):
        random = np.random.default_rng(seed)
        codes = random.integers(0, 3, N) if seed % 2 else CODES
        model = HadamardLogisticRegression(
            C=10.0 ** random.uniform(0.5, 2.0), l1_ratio=0.9, penalty_weights=WEIGHTS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(X, codes)
        assert np.count_nonzero(model.coef_) > 150
    assert len(by_products) > 20


def test_a_schur_complement_against_its_definition():
    rows = np.random.default_rng(2).standard_normal((30, 8)) * 10.0 ** np.arange(-4, 4)
    rows[:, 7] = rows[:, 5] - rows[:, 6]
    gram = rows.T @ rows
    on, free = np.arange(5), np.array([5, 6, 7])  # the last depends on the others
    root = scaled_inverse_root(gram[np.ix_(free, free)])
    between = gram[np.ix_(on, free)] @ root
    schur = SchurComplement(GramMatrix(gram[np.ix_(on, on)]), between)
    left = rows[:, on] - rows[:, free] @ np.linalg.lstsq(rows[:, free], rows[:, on], rcond=None)[0]
    expected, vector = left.T @ left, np.array([1e4, 1e3, 100.0, 10.0, 1.0])
    assert_allclose(schur @ vector, expected @ vector, rtol=1e-7)
    kept = np.array([1, 3])
    ridge = np.array([2.0, 3.0])
    assert_allclose(
        schur.on(kept).plus(ridge) @ vector[kept],
        expected[np.ix_(kept, kept)] @ vector[kept] + ridge * vector[kept],
        rtol=1e-7,
    )
    assert len(schur.on(kept)) == 2
    assert_allclose(schur.diagonal(), gram.diagonal()[on])
