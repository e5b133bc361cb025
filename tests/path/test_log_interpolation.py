"""Logistic paths by means: what is not solved is as good as asked, and its gap is the true one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import softmax, xlogy
from sklearn.datasets import make_classification

from hplasso import HadamardLogisticRegression, logistic_path

TALL = make_classification(600, 30, n_informative=8, random_state=0)
WIDE = make_classification(60, 400, n_informative=10, random_state=1)
SPARSE = sparse.random(300, 80, density=0.1, format="csr", random_state=2), TALL[1][:300]
MULTI = make_classification(200, 20, n_informative=8, n_classes=3, random_state=3)
ALL = [TALL, WIDE, SPARSE, MULTI]


def gap_of(X, y, C, coef, intercept, weights, l1_ratio, s):
    """The duality gap of coefficients (K, p), in units of the mean loss, from nothing else."""
    s, penalty = s / s.sum(), weights / (C * s.sum())
    outputs = X @ coef.T + intercept
    if outputs.shape[1] == 1:
        outputs = np.hstack([np.zeros_like(outputs), outputs])
    P, Y = softmax(outputs, axis=1), np.eye(outputs.shape[1])[y]
    R = (Y - P)[:, -len(coef) :]
    ridge = (1.0 - l1_ratio) * penalty
    z = (X.T @ (s[:, None] * R)).T - ridge * coef
    kappa = min(1.0, 1.0 / np.max(np.abs(z) / (l1_ratio * penalty)))
    Q = Y + kappa * (P - Y)
    primal = -s @ xlogy(Y, P).sum(axis=1)
    primal += np.sum(penalty * l1_ratio * np.abs(coef) + 0.5 * ridge * coef**2)
    return primal + s @ xlogy(Q, Q).sum(axis=1) + 0.5 * kappa**2 * np.sum(ridge * coef**2)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("data", ALL, ids=["tall", "wide", "sparse", "multinomial"])
@pytest.mark.parametrize("tol", [1e-3, 1e-5])
def test_no_gap_is_larger_than_said_or_asked(data, l1_ratio, tol):
    X, y = data
    rng = np.random.default_rng(0)
    weights, s = rng.uniform(0.5, 2.0, X.shape[1]), rng.uniform(0.5, 2.0, len(y))
    Cs, coefs, intercepts, gaps, sweeps = logistic_path(
        X, y, l1_ratio=l1_ratio, eps=0.05, tol=tol, penalty_weights=weights, sample_weight=s,
        return_n_iter=True,
    )  # fmt: skip
    shares = np.bincount(y, weights=s) / s.sum()
    gap_tol = -tol * xlogy(shares, shares).sum()
    assert 3 < sweeps.count(0) <= 75  # at most three between two that are solved
    for i, C in enumerate(Cs):
        coef, b = np.atleast_2d(coefs[..., i]), intercepts[..., i]
        true = gap_of(X, y, C, coef, b, weights, l1_ratio, s)
        assert true - 1e-12 <= gaps[i] <= gap_tol


def test_the_looser_the_fewer_are_solved():
    solved = [
        np.count_nonzero(logistic_path(*TALL, tol=tol, return_n_iter=True)[4])
        for tol in (1e-2, 1e-4, 1e-6, 1e-12)
    ]
    assert solved == sorted(solved)
    assert solved[0] < 50
    assert solved[-1] >= 97  # not the first, where all are zero


def test_Cs_of_any_kind():
    first = logistic_path(*TALL, Cs=1)[0][0]
    Cs = first * np.array([0.2, 0.5, 1.0, 1.0, 1.2, 1.2, 1.2, 1.2, 2.0, 2.0, 2.1, 2.2, 2.3, 50.0])
    _, coefs, _, gaps = logistic_path(*TALL, Cs=Cs)
    assert (gaps <= 1e-4 * np.log(2.0)).all()
    assert not coefs[:, :4].any()
    assert_allclose(np.diff(coefs[:, 4:8]), 0.0, atol=1e-3)
    model = HadamardLogisticRegression(C=Cs[-1], tol=1e-12).fit(*TALL)
    assert_allclose(coefs[:, -1], model.coef_[0], atol=0.05)


def test_points_are_heard_of_in_order(capsys):
    logistic_path(*TALL, Cs=30, verbose=1)
    lines = capsys.readouterr().err.splitlines()
    heard = [float(line.split("C=")[1].split(":")[0]) for line in lines]
    assert len(heard) == 30
    assert heard == sorted(heard)
