"""What solves the equations of a face, while coordinates enter and leave."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from hplasso import HadamardLasso, lasso_path
from hplasso._design.factory import make_design
from hplasso._numerics.linalg import GramMatrix
from hplasso._solver import cholesky
from hplasso._solver.cholesky import CholeskyFactor
from hplasso._solver.conjugate_gradients import ConjugateGradients
from hplasso._solver.linear_solver import on_face

SIZE = 400


def gram_of(rng, n_dependent=0):
    """The Gram matrix of random columns, the last ones of which depend on the first."""
    columns = rng.standard_normal((SIZE, 500)) * 10.0 ** rng.integers(-3, 4, (SIZE, 1))
    for j in range(n_dependent):
        columns[-1 - j] = columns[j] - 2.0 * columns[j + 1]
    return columns @ columns.T


def solution(gram, right, active):
    """Of the equations of the active coordinates, scaled to unit columns."""
    length = np.sqrt(gram.diagonal()[active])
    block = gram[np.ix_(active, active)] / length / length[:, None]
    return np.linalg.solve(block, right[active] / length) / length


@pytest.mark.parametrize("size", [20, 250])
@pytest.mark.parametrize("seed", range(3))
def test_a_factor_follows_a_changing_face(size, seed, monkeypatch):
    begun, begin = [], cholesky.independent_cholesky
    monkeypatch.setattr(
        cholesky, "independent_cholesky", lambda *args: begun.append(1) or begin(*args)
    )
    rng = np.random.default_rng(seed)
    gram, right = gram_of(rng), rng.standard_normal(SIZE)
    factor = CholeskyFactor()
    wanted = rng.permutation(SIZE)[:size]
    n_held = 0
    for _ in range(30):
        factor.update(GramMatrix(gram), wanted, 0)
        assert_array_equal(np.sort(factor.active), np.sort(wanted))
        values = factor.solve(right[factor.positions])
        if factor.fixed is not None:
            assert not values[factor.fixed].any()
        assert_allclose(
            on_face(factor, values), solution(gram, right, factor.active), rtol=1e-7, atol=1e-30
        )
        n_held = max(n_held, np.count_nonzero(factor.fixed))
        staying = wanted[rng.random(wanted.size) > 0.03]
        entering = np.setdiff1d(np.arange(SIZE), staying)
        wanted = np.concatenate([staying, rng.choice(entering, 3, replace=False)])
    assert (n_held > 0) == (size > 100)  # small factors are computed anew each time
    assert len(begun) == (1 if size > 100 else 30)


def test_a_column_may_depend_on_one_that_is_held():
    rng = np.random.default_rng(0)
    gram, right = gram_of(rng, n_dependent=1), rng.standard_normal(SIZE)
    factor = CholeskyFactor()
    face = np.arange(200)
    factor.update(GramMatrix(gram), face, 0)
    factor.update(GramMatrix(gram), np.append(face, SIZE - 1), 200)
    assert_array_equal(factor.active, face)  # the last one depends on the first two
    factor.fix_at_zero(factor.positions == 0)
    factor.update(GramMatrix(gram), np.append(face[1:], SIZE - 1), 199)  # now it does not
    assert_array_equal(np.sort(factor.active), np.append(face[1:], SIZE - 1))
    values = factor.solve(right[factor.positions])
    assert_allclose(on_face(factor, values), solution(gram, right, factor.active), rtol=1e-7)


def test_columns_may_depend_on_some_of_many_that_are_held():
    rng = np.random.default_rng(0)
    gram, right = gram_of(rng, n_dependent=2), rng.standard_normal(SIZE)
    factor, late = CholeskyFactor(), [SIZE - 1, SIZE - 2]
    factor.update(GramMatrix(gram), np.arange(200), 0)
    factor.fix_at_zero(np.isin(factor.positions, [0, 1, 5, 7, 9]))
    rest = np.setdiff1d(np.arange(200), [0, 1, 5, 7, 9])
    factor.update(GramMatrix(gram), np.append(rest, late), rest.size)
    assert_array_equal(np.sort(factor.active), np.sort(np.append(rest, late)))
    values = factor.solve(right[factor.positions])
    assert_allclose(on_face(factor, values), solution(gram, right, factor.active), rtol=1e-7)


@pytest.mark.parametrize("unit", [2.0**-60, 2.0**60])
def test_a_face_is_solved_alike_in_all_units(unit):
    rng = np.random.default_rng(0)
    gram, right = gram_of(rng), rng.standard_normal(SIZE)
    factor = CholeskyFactor()
    factor.update(GramMatrix(gram), np.arange(200), 0)
    factor.fix_at_zero(factor.positions < 6)
    values = factor.solve(right[factor.positions])
    assert_array_equal(factor.solve(unit * right[factor.positions]), unit * values)


def test_only_dependent_columns_are_looked_at_one_by_one(monkeypatch):
    """Independent ones are appended by a single factorisation, that of what is new."""
    rng = np.random.default_rng(0)
    gram, sizes, looked = gram_of(rng, n_dependent=1), [], []
    original, pivots = cholesky.dpotrf, cholesky.independent_pivots
    monkeypatch.setattr(
        cholesky, "dpotrf", lambda a, **kw: sizes.append(len(a)) or original(a, **kw)
    )
    monkeypatch.setattr(
        cholesky, "independent_pivots", lambda schur: looked.append(1) or pivots(schur)
    )
    factor = CholeskyFactor()
    factor.update(GramMatrix(gram), np.arange(200), 0)
    sizes.clear()
    factor.update(GramMatrix(gram), np.arange(203), 200)
    assert sizes == [3]
    assert not looked
    factor.update(GramMatrix(gram), np.append(np.arange(203), SIZE - 1), 203)
    assert looked
    assert factor.active.size == 203


def test_a_few_are_held_and_many_are_left_out():
    rng = np.random.default_rng(0)
    gram = gram_of(rng)
    for n_leaving, stays in ((25, True), (26, False)):  # an eighth of them
        factor = CholeskyFactor()
        factor.update(GramMatrix(gram), np.arange(200), 0)
        factor.fix_at_zero(factor.positions < n_leaving)
        assert factor.positions.size == (200 if stays else 200 - n_leaving)
        assert_array_equal(factor.active, np.arange(n_leaving, 200))


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("ridge", [None, 0.3])
def test_gradients_solve_what_the_gram_matrix_would(fit_intercept, ridge):
    rng = np.random.default_rng(0)
    X = sparse.random(2000, 300, density=0.003, format="csc", random_state=0)
    design = make_design(X, np.full(2000, 1 / 2000), fit_intercept)
    columns = design.columns()
    columns.append(np.flatnonzero(design.column_norms))
    k = columns.features.size
    gram = columns.products(0)
    operator = columns.operator(np.arange(k))
    if ridge is not None:
        gram, operator = gram + ridge * np.eye(k), operator.plus(np.full(k, ridge))
    vector, right = rng.standard_normal((2, k)) * np.sqrt(gram.diagonal())
    assert_allclose(operator @ vector, gram @ vector, rtol=1e-10, atol=1e-18)
    assert_allclose(operator.diagonal(), gram.diagonal())
    face = rng.permutation(k)[: k // 3]
    gradients = ConjugateGradients(np.zeros(k), np.full(k, 1e-12), np.ones(k))
    gradients.update(operator, face, 0)
    values = gradients.solve(right[face])
    assert np.abs(right[face] - gram[np.ix_(face, face)] @ values).max() <= gradients.accuracy.max()
    assert gradients.refine()
    assert not gradients.refine()
    fixed = np.arange(face.size) < 10
    gradients.fix_at_zero(fixed)
    values = gradients.solve(right[face])
    assert not values[fixed].any()
    rest = right[face] - gram[np.ix_(face, face)] @ values
    assert np.abs(rest[~fixed]).max() <= 2e-12


class Dense:
    """An operator that counts its products."""

    matrix = None

    def __init__(self, gram):
        self.gram, self.products = np.array(gram, dtype=float), 0

    def __len__(self):
        return len(self.gram)

    def __matmul__(self, vector):
        self.products += 1
        return self.gram @ vector

    def diagonal(self):
        return self.gram.diagonal()

    def on(self, kept):
        return Dense(self.gram[np.ix_(kept, kept)])


@pytest.mark.parametrize("right", [[1.0, -1.0], [1.0, 0.0]])
def test_gradients_fail_on_equal_columns_that_have_no_solution(right):
    gradients = ConjugateGradients(np.zeros(2), np.full(2, 1e-9), np.full(2, 1e-9))
    gradients.update(Dense(np.ones((2, 2))), np.arange(2), 2)
    gradients.solve(np.array(right))
    assert gradients.failed


def test_gradients_go_on_from_where_they_were():
    """On most of the coordinates by holding some; on fewer by columns of their own."""
    rng = np.random.default_rng(0)
    C, right = rng.normal(size=(20, 50)), rng.normal(size=20)
    gradients = ConjugateGradients(np.zeros(20), np.full(20, 1e-12), np.full(20, 1e-12))
    for face, fixed in ((np.arange(18), 2), (np.arange(3, 17), 6), (np.arange(4, 9), 0)):
        gradients.update(Dense(C @ C.T), face, 0)
        assert_array_equal(np.sort(gradients.active), face)
        assert np.count_nonzero(gradients.fixed) == fixed
        values = gradients.solve(right[gradients.positions])
        assert not gradients.failed
        expected = np.linalg.solve((C @ C.T)[np.ix_(face, face)], right[face])
        assert_allclose(on_face(gradients, values), expected, rtol=1e-6)
    again = ConjugateGradients(gradients.start, np.full(20, 1e-12), np.full(20, 1e-12))
    again.update(Dense(C @ C.T), face, 0)
    assert_array_equal(again.solve(right[face]), values)
    assert again.operator.products == 1


def duality_gap(X, y, alpha, coef, positive=False):
    """Of a lasso without intercept."""
    residual = y - X @ coef
    z = X.T @ residual / len(y)
    kappa = min(1.0, alpha / (z if positive else np.abs(z)).max())
    gap = 0.5 * (1 - kappa) ** 2 * residual @ residual / len(y)
    return gap + np.sum(alpha * np.abs(coef) - kappa * z * coef)


def relative_gap(X, y, alpha, coef):
    """The same as a part of ||y||^2 / n."""
    return duality_gap(X, y, alpha, coef) / (y @ y / len(y))


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("tol", [1e-4, 1e-10])
def test_path_with_a_large_very_sparse_support(monkeypatch, tol, positive):
    rng = np.random.default_rng(0)
    X = sparse.random(3000, 1500, density=0.002, format="csc", random_state=0)
    X.data[:] = 1.0
    X = sparse.hstack([X, X[:, :50]], format="csc")  # and duplicates
    theta = rng.standard_normal(1550) * (rng.random(1550) < 0.5)
    y = X @ theta + rng.standard_normal(3000)
    y -= y.mean()
    solved = []
    original = ConjugateGradients.solve
    monkeypatch.setattr(
        ConjugateGradients, "solve", lambda self, right: solved.append(1) or original(self, right)
    )
    alphas, coefs, gaps = lasso_path(X, y, alphas=20, eps=0.02, tol=tol, positive=positive)
    assert len(solved) >= 5
    assert (coefs[:, -1] != 0).sum() > 300
    for alpha, coef, gap in zip(alphas, coefs.T, gaps, strict=True):
        exact = duality_gap(X, y, alpha, coef, positive)
        assert max(exact, gap) <= tol * (y @ y) / 3000 * (1 + 1e-6) + 1e-13
        # rounding of correlations is set aside; between two inexact solutions the gap is a bound
        assert exact - 1e-11 <= gap <= (exact if tol < 1e-9 else 2.0 * exact) + 1e-11


def test_conjugate_gradients_that_have_failed_are_not_tried_again(monkeypatch):
    X = sparse.random(3000, 1500, density=0.002, format="csc", random_state=0)
    rng, solved = np.random.default_rng(0), []
    y = X @ rng.standard_normal(1500) + 0.1 * rng.standard_normal(3000)

    def fails(self, right):
        solved.append(1)
        self.failed = True
        return np.zeros(right.size)

    monkeypatch.setattr(ConjugateGradients, "solve", fails)
    _, coefs, gaps = lasso_path(X, y, alphas=5, eps=0.1)
    assert len(solved) == 1
    assert (gaps <= 1e-4 * (y @ y) / 3000).all()
    assert (coefs[:, -1] != 0).sum() > 200


def test_large_very_sparse_supports_with_dependent_columns():
    """Conjugate gradients do not converge on nested indicators: the factor has to take over."""
    rng = np.random.default_rng(0)
    inner, other = rng.integers(0, 400, 1000), rng.integers(0, 300, 1000)
    rows, parts = np.arange(1000), []
    for codes, size in ((inner // 10, 40), (inner, 400), (other, 300), (other // 6, 50)):
        parts.append(sparse.csc_matrix((np.ones(1000), (rows, codes)), shape=(1000, size)))
    X = sparse.hstack(parts, format="csc")
    y = X @ rng.standard_normal(790) + 0.3 * rng.standard_normal(1000)
    y -= y.mean()
    for alpha in (1e-3, 1e-5, 1e-7):
        model = HadamardLasso(alpha, fit_intercept=False, tol=1e-8).fit(X, y)
        assert relative_gap(X, y, alpha, model.coef_) <= 1e-8
        assert model.n_iter_ < 100
    with pytest.warns(UserWarning, match="alpha=0"):
        model = HadamardLasso(0.0, fit_intercept=False).fit(X, y)
    best = np.linalg.lstsq(X.toarray(), y, rcond=None)[0]
    assert_allclose(np.sum((y - X @ model.coef_) ** 2), np.sum((y - X @ best) ** 2), rtol=1e-9)


@pytest.mark.parametrize("distance", [1e-2, 1e-4])
def test_large_supports_with_nearly_equal_columns(distance):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((500, 400))
    X = np.hstack([X, X[:, :100] + distance * rng.standard_normal((500, 100))])
    y = X[:, :250] @ rng.standard_normal(250) + 0.1 * rng.standard_normal(500)
    y -= y.mean()
    alphas, coefs, _ = lasso_path(X, y, alphas=20, eps=1e-3, tol=1e-12)
    gaps = [relative_gap(X, y, alpha, coef) for alpha, coef in zip(alphas, coefs.T, strict=True)]
    assert max(gaps) <= 1e-12


def test_large_positive_supports_with_features_without_penalty():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 600))
    y = X[:, :220] @ np.abs(rng.standard_normal(220)) + rng.standard_normal(400)
    weights = np.ones(600)
    weights[::10] = 0.0
    model = HadamardLasso(1e-3, positive=True, penalty_weights=weights, tol=1e-8).fit(X, y)
    assert (model.coef_ != 0).sum() > 150
    assert model.dual_gap_ <= 1e-8 * y.var()
