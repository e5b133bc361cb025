"""Breakpoints: what is on the line of a solution needs not be solved, at any tolerance."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.linear_model import lars_path

from hplasso import HadamardLasso, HadamardLassoCV, lasso_path
from hplasso._design.factory import checked_design
from hplasso._estimators.along_path import fit_along_path
from hplasso._estimators.regression import Regression
from hplasso._path.breakpoints import joined
from hplasso._path.interpolation import LinearInterpolation, trace_exactly
from hplasso._path.settings import PathSettings
from hplasso._penalties.l1 import L1Penalty

X, y = load_diabetes(return_X_y=True)
X = X / X.std(axis=0)
TARGET = y - y.mean()
N, P = X.shape
PENALTIES = {
    "lasso": L1Penalty(np.ones(P)),
    "positive": L1Penalty(np.ones(P), positive=True),
    "weights": L1Penalty(np.linspace(0.5, 2.0, P)),
    "free": L1Penalty(np.where(np.arange(P) == 2, 0.0, 1.0)),
}


def tracer_of(penalty, gram=True, tol=1e-12):
    design = checked_design(X, np.full(N, 1.0 / N), True)
    regression = Regression(design, y[:, None], design.gram() if gram else None)
    return regression.tracer(0, PathSettings(penalty, tol=tol))


def solved(tracer, alpha):
    tracer.solve(alpha)
    return tracer.solved_point(alpha)


def test_breakpoints_are_those_of_lars():
    alphas, _, coefs = lars_path(X, TARGET, method="lasso")
    tracer = tracer_of(PENALTIES["lasso"])
    for above, below, first, last in zip(alphas, alphas[1:], coefs.T, coefs.T[1:], strict=False):
        down, up = solved(tracer, 0.7 * above + 0.3 * below).breakpoints
        assert_allclose([up.alpha, down.alpha], [above, below], rtol=1e-9, atol=1e-12)
        assert_allclose(up.iterate.theta, first, atol=1e-9)
        assert_allclose(down.iterate.theta, last, atol=1e-9)
        gone = (first != 0.0) & (last == 0.0)
        assert_array_equal(down.iterate.theta[gone], 0.0)


@pytest.mark.parametrize("name", PENALTIES)
def test_on_the_line_is_what_is_solved_there(name):
    """And its correlations are those of its coefficients; beyond the breakpoint it is not."""
    penalty = PENALTIES[name]
    tracer, other = tracer_of(penalty), tracer_of(penalty)
    for alpha in (20.0, 8.0, 2.0, 0.5):
        point = solved(tracer, alpha)
        for end in point.breakpoints:
            right = solved(other, max(end.alpha, 1e-9)).iterate
            assert_allclose(end.iterate.theta, right.theta, atol=1e-7)
            assert_allclose(end.iterate.z, right.z, atol=1e-7)
            assert end.iterate.feasible_alpha <= end.alpha * (1.0 + 1e-12) + 1e-12
        down, up = point.breakpoints
        beyond = down.alpha - 0.3 * (alpha - down.alpha)
        fraction = (alpha - beyond) / (alpha - down.alpha)
        line = (1.0 - fraction) * point.iterate.theta + fraction * down.iterate.theta
        if down.alpha > 0.0:
            assert np.abs(line - solved(other, beyond).iterate.theta).max() > 1e-3
        assert up.alpha > alpha > down.alpha


def test_no_breakpoints_where_features_are_not_at_hand():
    few = tracer_of(PENALTIES["lasso"], gram=False)
    few.problem.working_set.admit(np.arange(3))
    few.solve(40.0)
    assert not few.problem.working_set.whole
    assert few.solved_point(40.0).breakpoints is None
    assert solved(tracer_of(L1Penalty(np.ones(P), ridge_ratio=0.5)), 20.0).breakpoints is None


def test_joined_points_are_in_order():
    tracer = tracer_of(PENALTIES["lasso"])
    first, near, last = (solved(tracer, alpha) for alpha in (20.0, 19.9, 1.0))
    assert joined(first, near) == [first, near]
    alphas = [point.alpha for point in joined(first, last)]
    assert len(alphas) == 4
    assert alphas == sorted(alphas, reverse=True)


@pytest.mark.parametrize("unknown", [0, 1])
def test_one_end_whose_breakpoints_are_not_known(unknown):
    """As where columns of its support depend on others: only the other's line counts."""
    tracer, grid = tracer_of(PENALTIES["lasso"], tol=1e-4), np.geomspace(19.0, 1.1, 40)
    ends = [solved(tracer, alpha) for alpha in (20.0, 1.0)]
    line = [grid <= ends[1].breakpoints[1].alpha, grid >= ends[0].breakpoints[0].alpha][unknown]
    assert 0 < line.sum() < 30
    ends[unknown] = ends[unknown]._replace(breakpoints=None)
    assert len(joined(*ends)) == 3
    points = LinearInterpolation(tracer, exact=True).between(*ends, list(grid))
    other = tracer_of(PENALTIES["lasso"])
    for point, on_line in zip(points, line, strict=True):
        assert not (on_line and point.sweeps)
        assert_allclose(point.dense(P), other.trace([point.alpha])[0].dense(P), atol=1e-7)


@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-13])
@pytest.mark.parametrize("name", PENALTIES)
def test_paths_solve_few_of_many_alphas(name, tol):
    penalty, grid = PENALTIES[name], np.geomspace(40.0, 0.04, 150)
    tracer = tracer_of(penalty, tol=tol)
    points = trace_exactly(tracer, grid)
    assert sum(point.sweeps > 0 for point in points) < 40
    other = tracer_of(penalty)
    for point in points[::7]:
        right = other.trace([point.alpha])[0]
        assert point.converged
        assert_array_equal(np.sort(point.features), np.sort(right.features))
        assert_allclose(point.dense(P), right.dense(P), atol=1e-7)
        assert point.gap <= 1e-12 * TARGET.var()


def test_tight_paths_are_exact_where_they_are_not_solved():
    alphas, coefs, gaps, n_iters = lasso_path(X, TARGET, tol=1e-12, return_n_iter=True)
    assert np.count_nonzero(n_iters) < 40
    assert gaps.max() <= 1e-12 * TARGET.var()
    for position in range(0, 100, 9):
        model = HadamardLasso(alphas[position], tol=1e-13).fit(X, TARGET)
        assert_allclose(coefs[:, position], model.coef_, atol=1e-8)


def test_folds_have_the_errors_of_their_own_fits():
    folds = [(np.arange(0, N, 2), np.arange(1, N, 2)), (np.arange(1, N, 2), np.arange(0, N, 2))]
    model = HadamardLassoCV(alphas=60, cv=folds, tol=1e-4).fit(X, y)
    for position in range(0, 60, 7):
        single = HadamardLasso(model.alphas_[position], tol=1e-13)
        for number, (train, test) in enumerate(folds):
            residuals = y[test] - single.fit(X[train], y[train]).predict(X[test])
            assert_allclose(model.mse_path_[position, number], np.mean(residuals**2), rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_features_of_no_penalty_that_may_be_at_zero(seed):
    """Under theta >= 0 they enter as soon as their correlation is not negative."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(60, 12)) @ rng.normal(size=(12, 12))
    target = A @ rng.normal(size=12) + 3.0 * rng.normal(size=60)
    options = {"positive": True, "penalty_weights": np.where(rng.random(12) < 0.4, 0.0, 1.0)}
    centred = A - A.mean(axis=0)
    alphas = np.geomspace(np.abs(centred.T @ target).max() / 60, 1e-3, 40)
    makes = fit_along_path(HadamardLasso(**options), "alpha", alphas, A, target)
    for alpha, make in zip(alphas, makes, strict=True):
        exact = HadamardLasso(alpha, tol=1e-13, **options).fit(A, target)
        assert_array_equal(make().coef_ != 0.0, exact.coef_ != 0.0)
