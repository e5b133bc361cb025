"""Interpolated paths: what is not solved is as good as asked, and its gap is the true one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_regression

from hplasso import enet_path, lasso_path

WIDE = make_regression(60, 800, n_informative=10, noise=20.0, random_state=0)
TALL = make_regression(600, 40, n_informative=10, noise=20.0, random_state=1)
SPARSE = (
    sparse.random(150, 400, density=0.05, format="csc", random_state=2),
    WIDE[1].repeat(3)[:150],
)


def gap_of(X, y, alpha, coef, weights, l1_ratio=1.0, positive=False, sample_weight=None):
    """The duality gap of coefficients, from nothing else; features without penalty are fitted."""
    s = np.ones(len(y)) if sample_weight is None else sample_weight / sample_weight.mean()
    residual, lasso = y - X @ coef, alpha * l1_ratio * weights
    ridge = alpha * (1.0 - l1_ratio) * weights
    z = X.T @ (s * residual) / len(y) - ridge * coef
    fixed = weights > 0.0
    abs_correlation = z if positive else np.abs(z)
    feasible_alpha = np.max(abs_correlation[fixed] / lasso[fixed], initial=1.0)
    square = residual @ (s * residual) / len(y) + ridge @ coef**2
    gap = 0.5 * (1.0 - 1.0 / feasible_alpha) ** 2 * square
    return gap + np.sum(lasso * np.abs(coef) - z * coef / feasible_alpha)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("data", [WIDE, TALL, SPARSE], ids=["wide", "tall", "sparse"])
@pytest.mark.parametrize("tol", [1e-3, 1e-5])
def test_no_gap_is_larger_than_said_or_asked(data, l1_ratio, positive, tol):
    X, y = data
    rng = np.random.default_rng(0)
    weights, s = rng.uniform(0.5, 2.0, X.shape[1]), rng.uniform(0.5, 2.0, len(y))
    weights[:2] = 0.0
    alphas, coefs, gaps, sweeps = enet_path(
        X, y, l1_ratio=l1_ratio, eps=0.01, tol=tol, positive=positive, penalty_weights=weights,
        sample_weight=s, return_n_iter=True,
    )  # fmt: skip
    scale = np.average(y**2, weights=s)
    assert (10 if l1_ratio == 1.0 else 1) < sweeps.count(0) < 95  # with a ridge term paths bend
    for alpha, coef, gap in zip(alphas, coefs.T, gaps, strict=True):
        true = gap_of(X, y, alpha, coef, weights, l1_ratio, positive, s)
        assert true - 1e-11 * scale <= gap <= tol * scale


def test_the_looser_the_fewer_are_solved():
    solved = [
        np.count_nonzero(lasso_path(*WIDE, eps=0.01, tol=tol, return_n_iter=True)[3])
        for tol in (1e-2, 1e-4, 1e-6, 1e-9)
    ]
    assert solved == sorted(solved)
    assert solved[0] < 40
    assert solved[-1] == 99  # all but the first, where all coefficients are zero


def test_interpolation_on_a_path_without_events_is_exact():
    X, y = TALL
    alphas = np.linspace(1e-3, 0.0, 50)
    _, coefs, gaps, sweeps = lasso_path(X, y, alphas=alphas, return_n_iter=True)
    assert sweeps.count(0) > 30
    assert gaps.max() <= 1e-12 * np.mean(y**2)
    assert_allclose(np.diff(coefs, n=2), 0.0, atol=1e-9)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_single_precision(l1_ratio):
    X, y = WIDE[0].astype(np.float32), WIDE[1].astype(np.float32)
    alphas, coefs, gaps, sweeps = enet_path(X, y, l1_ratio=l1_ratio, return_n_iter=True)
    assert coefs.dtype == np.float32
    assert sweeps.count(0) > 10
    X, y = X.astype(float), y.astype(float)
    for alpha, coef, gap in zip(alphas, coefs.T.astype(float), gaps, strict=True):
        reached = gap_of(X, y, alpha, coef, np.ones(800), l1_ratio)
        # rounded residuals are feasible only when shrunk, which the certificate need not do
        assert reached <= gap + 1e-6 * np.mean(y**2)


def test_alphas_of_any_kind():
    X, y = WIDE
    first = np.abs(X.T @ y).max() / len(y)
    alphas = first * np.array([5.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1, 0.0])
    _, coefs, gaps = lasso_path(X, y, alphas=alphas)
    assert (gaps <= 1e-4 * np.mean(y**2)).all()
    assert not coefs[:, :4].any()
    assert_array_equal(coefs[:, 4], coefs[:, 6])


def test_several_targets_share_a_working_set():
    X, y = WIDE
    targets = np.stack([y, X @ np.linspace(-1.0, 1.0, 800), y[::-1]], axis=1)
    alphas, coefs, gaps = lasso_path(X, targets, eps=0.02, tol=1e-5)
    for target, path, certified in zip(targets.T, coefs, gaps, strict=True):
        for alpha, coef, gap in zip(alphas, path.T, certified, strict=True):
            true = gap_of(X, target, alpha, coef, np.ones(800))
            assert_allclose(gap, true, rtol=1e-6, atol=1e-11 * np.mean(target**2))


def test_points_are_heard_of_in_order(capsys):
    lasso_path(*WIDE, alphas=30, verbose=1)
    lines = capsys.readouterr().err.splitlines()
    heard = [float(line.split("alpha=")[1].split(":")[0]) for line in lines]
    assert len(heard) == 30
    assert heard == sorted(heard, reverse=True)


def test_alternation_alone():
    X, y = TALL
    _, _, gaps, sweeps = lasso_path(X, y, eps=0.1, solver="alternating", return_n_iter=True)
    assert (gaps <= 1e-4 * np.mean(y**2)).all()
    assert sweeps.count(0) > 30
