"""Sums over blocks against losses in memory, and the certificate that they give."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import check_grad, minimize

from hplasso._datafit.held_out import HeldOutKernel
from hplasso._datafit.loss_sums import LossKernel
from hplasso._design.source import Block
from hplasso._estimators.generalized_linear import Family
from hplasso._estimators.streamed_data import ClassLosses, FamilyLosses
from hplasso._path.streamed_certificate import Coefficients, View, certificate, view
from hplasso._penalties.l1 import L1Penalty

KINDS = {
    "two classes": ClassLosses(np.arange(2), np.array([1.0, 2.0])),
    "three classes": ClassLosses(np.arange(3), np.ones(3)),
    "poisson": FamilyLosses(Family(1.0, "log")),
    "gamma": FamilyLosses(Family(2.0, "log")),
    "tweedie": FamilyLosses(Family(1.5, "log")),
}


def problem(kind, n=80, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X, weights = rng.standard_normal((n, p)) + 3.0, rng.random(n) * (rng.random(n) < 0.9)
    if "classes" in kind:
        K = 1 if kind == "two classes" else 3
        y = rng.integers(0, 2 if K == 1 else 3, n)
    else:
        K, y = 1, rng.gamma(2.0, size=n) if kind != "poisson" else rng.poisson(2.0, n).astype(float)
    theta, intercepts = 0.3 * rng.standard_normal((p, K, 2)), rng.standard_normal((K, 2))
    return X, y, weights, theta, intercepts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_sums_are_the_derivatives_of_the_loss(kind, container):
    X, y, weights, theta, intercepts = problem(kind)
    p, K, _ = theta.shape
    centre = np.zeros(p) if container is sparse.csr_matrix else X.mean(axis=0)
    block = Block(0, 0, container(X), y, weights, None)
    sums = LossKernel(KINDS[kind], centre, theta, intercepts, (1,))(block)

    def loss(flat):
        stacked = flat.reshape(p + 1, K)
        outputs = (X - centre) @ stacked[:-1] + stacked[-1]
        own = KINDS[kind](y, weights, None)
        return own.weights @ own.predict(outputs).losses

    def gradient(flat):
        stacked = flat.reshape(p + 1, K)
        kernel = LossKernel(KINDS[kind], centre, stacked[:-1, :, None], stacked[-1][:, None])
        return -kernel(block).gradients.ravel()

    for k in range(2):
        flat = np.concatenate([theta[..., k], intercepts[None, :, k]]).ravel()
        assert sums.losses[k] == pytest.approx(loss(flat), rel=1e-13)
        assert check_grad(loss, gradient, flat) < 1e-5 * max(1.0, np.abs(gradient(flat)).max())
    step = 1e-6 * np.eye(flat.size)
    differences = [(gradient(flat + e) - gradient(flat - e)) / 2e-6 for e in step]
    np.testing.assert_allclose(sums.hessians[0], differences, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        sums.slopes[..., 1].reshape(-1, K), sums.hessians[0][:, -K:], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kind", ["two classes", "poisson", "gamma"])
def test_sizes_of_residuals(kind):
    """Those of v r^2, v r^2 / D and |r / D|, which say how far residuals may be scaled."""
    X, y, weights, theta, intercepts = problem(kind)
    sums = LossKernel(KINDS[kind], np.zeros(4), theta, intercepts)(Block(0, 0, X, y, weights, None))
    means = np.exp(X @ theta[:, 0] + intercepts[0])
    target, v = y[:, None], weights[:, None]
    residual, curvature = {
        "two classes": (target - means / (1.0 + means), means / (1.0 + means) ** 2),
        "poisson": (target - means, means),
        "gamma": (target / means - 1.0, target / means),
    }[kind]
    if kind == "two classes":
        v = v * (1.0 + target)  # the weights of classes are 1 and 2
    np.testing.assert_allclose(sums.lengths, (v * residual**2).sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose(sums.squares, (v * residual**2 / curvature).sum(axis=0), rtol=1e-10)
    steep = np.abs(residual / curvature)[weights > 0.0].max(axis=0)
    np.testing.assert_allclose(sums.steepest, steep, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_are_merged_and_empty_ones_are_neutral(kind):
    X, y, weights, theta, intercepts = problem(kind)
    kernel = LossKernel(KINDS[kind], X.mean(axis=0), theta, intercepts, (0, 1))
    whole = kernel(Block(0, 0, X, y, weights, None))
    cuts = [0, 0, 13, 50, 80]
    parts = [kernel(Block(0, a, X[a:b], y[a:b], weights[a:b], None)) for a, b in pairwise(cuts)]
    parts.append(kernel(Block(0, 0, X, y, 0.0 * weights, None)))
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    for got, expected in zip(merged, whole, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_losses_and_right_labels_of_rows_that_are_held_out():
    X, y, weights, theta, intercepts = problem("two classes")
    theta[..., 0] = intercepts[:, 0] = 0.0
    make_loss = ClassLosses(np.arange(2), np.ones(2))
    kernel = HeldOutKernel(make_loss, np.ones(4), theta, intercepts, make_loss.codes)
    parts = [
        kernel(Block(0, a, X[a:b], y[a:b], weights[a:b], None)) for a, b in [(0, 30), (30, 80)]
    ]
    found = parts[0].merge(parts[1])
    outputs = (X - 1.0) @ theta[:, 0] + intercepts[0]
    losses = np.logaddexp(0.0, np.where(y == 1, -1.0, 1.0)[:, None] * outputs)
    np.testing.assert_allclose(found.losses, weights @ losses, rtol=1e-12)
    # An output of zero is the first class, as in predict.
    right = [weights @ (y == 0), weights @ (y == (outputs[:, 1] > 0.0))]
    np.testing.assert_allclose(found.right, right, rtol=1e-12)
    assert found.weight == pytest.approx(weights.sum(), rel=1e-14)


def lowest(kind, X, y, weights, alpha, ridge=0.0):
    """The minimum of the objective, by L-BFGS-B on both signs of the coefficients."""
    own = KINDS[kind](y, weights, None)
    total, p = own.weights.sum(), X.shape[1]
    K = own.n_outputs

    def value(flat):
        plus, minus, b = np.split(flat, [p * K, 2 * p * K])
        prediction = own.predict(X @ (plus - minus).reshape(p, K) + b)
        residual = own.weights[:, None] * prediction.residual / total
        z = (X.T @ residual).ravel() - ridge * (plus - minus)
        f = own.weights @ prediction.losses / total + alpha * (plus.sum() + minus.sum())
        f += 0.5 * ridge * np.sum((plus - minus) ** 2)
        return f, np.concatenate([alpha - z, alpha + z, -residual.sum(axis=0)])

    bounds = [(0, None)] * (2 * p * K) + [(None, None)] * K
    start = np.concatenate([np.full(2 * p * K, 1e-3), np.zeros(K)])
    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10}
    return minimize(value, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options)


def seen_at(kind, data, theta, tilt):
    """What is seen at coefficients, with the intercepts this far from their optimum."""
    X, y, weights = data
    own, centre = KINDS[kind](y, weights, None), X.mean(axis=0)
    start = np.zeros((1, own.n_outputs)) + own.null_intercept
    b, _ = own.profile_intercept((X - centre) @ theta, start.ravel())
    at = Coefficients(theta.ravel(), b + tilt)
    kernel = LossKernel(KINDS[kind], centre, theta[..., None], at.intercept[:, None])
    return view(kernel(Block(0, 0, X, y, weights, None)), 0, at, own.weights.sum(), True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gap_is_never_below_the_distance_to_the_minimum(kind):
    rng = np.random.default_rng(4)
    alpha, seen_finite = 0.05, 0
    for seed in range(4):
        X, y, weights, theta, _ = problem(kind, seed=seed)
        p, K, _ = theta.shape
        minimum = lowest(kind, X, y, weights, alpha).fun
        for size in (0.0, 1e-3, 0.03, 0.3, 3.0):
            for tilt in (0.0, 1e-3, 0.1, 2.0):  # of the intercepts, from about their optimum
                theta = size * rng.standard_normal((p, K))
                seen = seen_at(kind, (X, y, weights), theta, tilt * rng.standard_normal(K))
                f = seen.loss + alpha * np.abs(theta).sum()
                gap = certificate(seen, alpha, L1Penalty(np.ones(p * K)), np.full(p * K, 3.0)).gap
                assert gap >= f - minimum - 1e-9
                seen_finite += gap < f
    assert seen_finite > 10  # the bound says more than that the objective is positive


@pytest.mark.parametrize("kind", KINDS)
def test_the_gap_with_a_ridge(kind):
    rng = np.random.default_rng(5)
    X, y, weights, theta, _ = problem(kind)
    p, K, _ = theta.shape
    alpha, ratio = 0.02, 1e-3
    penalty, lengths = L1Penalty(np.ones(p * K), ratio), np.full(p * K, 3.0)
    best = lowest(kind, X, y, weights, alpha, alpha * ratio)
    plus, minus, _ = np.split(best.x, [p * K, 2 * p * K])
    assert (plus - minus).any()
    gaps = []
    for away in (1e-6, 1e-4, 1e-2):
        theta = (plus - minus + away * rng.standard_normal(p * K)).reshape(p, K)
        seen = seen_at(kind, (X, y, weights), theta, 0.0)
        f = seen.loss + alpha * np.abs(theta).sum() + 0.5 * alpha * ratio * np.sum(theta**2)
        gaps.append(certificate(seen, alpha, penalty, lengths).gap)
        assert gaps[-1] >= f - best.fun - 1e-9
    assert gaps[0] < 1e-6
    # Where features hardly matter, the minimum is at zero, and far from it the penalty is all.
    data = 1e-3 * X, y, weights
    null = seen_at(kind, data, np.zeros((p, K)), 0.0)
    for size in (1.0, 10.0, 100.0):
        theta = size * rng.standard_normal((p, K))
        seen = seen_at(kind, data, theta, 0.0)
        f = seen.loss + alpha * np.abs(theta).sum() + 0.5 * alpha * np.sum(theta**2)
        gap = certificate(seen, alpha, L1Penalty(np.ones(p * K), 1.0), 1e-3 * lengths).gap
        assert gap >= f - null.loss - 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_divergences_are_below_their_bound(kind):
    """Of a residual that is scaled a little, where balanced intercepts leave it as it is."""
    X, y, weights, theta, _ = problem(kind)
    own = KINDS[kind](y, weights, None)
    seen = seen_at(kind, (X, y, weights), theta[..., 0], 0.0)
    outputs = (X - X.mean(axis=0)) @ theta[..., 0] + seen.at.intercept
    total, prediction = own.weights.sum(), own.predict(outputs)
    for kappa in (0.9, 0.95, 0.99):
        lost = own.divergence(prediction, kappa) / total
        assert lost <= seen.divergence(kappa) < np.inf
    assert seen.divergence(0.99) < 0.1 * seen.loss


def test_the_gap_by_hand():
    """Where a residual may be scaled at no cost, kappa = 1/2 leaves the ridge's part alone."""
    none, at = np.zeros(1), Coefficients(np.array([5.0]), np.zeros(1))
    seen = View(
        at, 9.0, np.array([2.5]), none, 0.0, none[:, None], none[:, None], 0.0, 0.0, 0.0, 9.0
    )
    found = certificate(seen, 1.0, L1Penalty(np.ones(1), 0.1), none)
    # z less the ridge, 0.1 times 5, is 2, twice the penalty.
    assert found.kappa == pytest.approx(0.5)
    assert found.gap == pytest.approx(0.5 * 0.5**2 * 0.1 * 5.0**2)
