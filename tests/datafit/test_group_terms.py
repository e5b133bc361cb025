"""Data terms for groups of coefficients, by their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

from hplasso._datafit.curved_groups import CurvedGroups
from hplasso._datafit.newton import CurvedTerm
from hplasso._datafit.targets import DataTargets, GramTargets
from hplasso._design.factory import make_design
from hplasso._losses.softmax import make_loss

rng = np.random.default_rng(0)
N, P = 12, 30
X = rng.standard_normal((N, P)) + rng.standard_normal(P)
WEIGHTS = rng.random(N)
WEIGHTS /= WEIGHTS.sum()
Y = rng.standard_normal((N, 2)) + 3.0
FEATURES = np.array([4, 1, 20, 7])


def weighted(values, fit_intercept):
    """Values under square roots of the weights, centred if there is an intercept."""
    return np.sqrt(WEIGHTS)[:, None] * (values - fit_intercept * (WEIGHTS @ values))


@pytest.mark.parametrize("T", [1, 2])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("by_gram", [True, False])
def test_least_squares(T, fit_intercept, by_gram):
    Z, R = weighted(X, fit_intercept), weighted(Y[:, :T], fit_intercept)
    design = make_design(X, WEIGHTS, fit_intercept)
    targets = DataTargets(design, Y[:, :T])
    if by_gram:
        targets = GramTargets(design, Y[:, :T], Z.T @ Z)
    theta, before = rng.standard_normal((FEATURES.size, T, 3)), design.passes
    states = targets.states(FEATURES, theta)
    assert design.passes - before == (0 if by_gram else 3 * T)
    assert targets.scale == pytest.approx((R**2).sum())
    assert targets.norm == pytest.approx(np.sqrt((R**2).sum()))
    for m, state in enumerate(states):
        residual = R - Z[:, FEATURES] @ theta[..., m]
        assert_allclose(state.z, Z.T @ residual, atol=1e-12)
        assert state.loss == pytest.approx(0.5 * (residual**2).sum())
        dual = residual * R - 0.5 * residual**2  # at kappa = 1, and at 0.7
        shrunk = 0.7 * residual * R - 0.5 * (0.7 * residual) ** 2
        products = (theta[..., m] * (Z[:, FEATURES].T @ residual)).sum()
        assert state.divergence(0.7) == pytest.approx((dual - shrunk).sum() - 0.3 * products)
        assert_allclose(state.intercept, np.squeeze(fit_intercept * (WEIGHTS @ Y[:, :T])))
        assert 0.0 < state.hidden < 1e-13
        written = targets.written_intercept(state, FEATURES, theta[..., m])
        means = fit_intercept * (WEIGHTS @ (Y[:, :T] - X[:, FEATURES] @ theta[..., m]))
        assert_allclose(written, means, atol=1e-12)
    model = targets.model(states[0], FEATURES, theta[..., 0], False, False)
    assert_allclose(model.matrix, Z[:, FEATURES].T @ Z[:, FEATURES], atol=1e-12)
    assert_allclose(model.target, Z[:, FEATURES].T @ R, atol=1e-12)


@pytest.mark.parametrize("T", [1, 2])
def test_least_squares_by_columns_where_there_are_more_of_them(T):
    Z, R = weighted(X, True), weighted(Y[:, :T], True)
    targets = DataTargets(make_design(X, WEIGHTS, True), Y[:, :T])
    for size, dual, by_columns in ((N, True, False), (N + 1, True, True), (N + 1, False, False)):
        features = rng.permutation(P)[:size]
        theta = np.zeros((size, T))
        (state,) = targets.states(features, theta[..., None])
        model = targets.model(state, features, theta, dual, False)
        assert model.by_columns == by_columns
        matrix = Z[:, features] if by_columns else Z[:, features].T @ Z[:, features]
        assert_allclose(model.matrix, matrix, atol=1e-12)
        assert_allclose(model.target, Z[:, features].T @ R, atol=1e-12)


def curved(K, fit_intercept):
    """A loss of K classes, two for K = 1, with its labels."""
    y = np.arange(N) % max(K, 2)
    design = make_design(X, WEIGHTS, fit_intercept)
    loss = make_loss(y, max(K, 2), WEIGHTS)
    return CurvedGroups(CurvedTerm(design, loss, fit_intercept)), y


def derivatives(K, y, linear, features):
    """Of the loss of outputs by the pairs j K + k: -gradient (p K, 1), Hessian of some (k, k)."""
    if K == 1:
        means, observed = expit(linear), (y[:, None] == 1).astype(float)
        curvatures = (means * (1.0 - means))[..., None]
    else:
        means, observed = softmax(linear, axis=1), (y[:, None] == np.arange(K)).astype(float)
        curvatures = means[:, :, None] * (np.eye(K) - means[:, None])
    z = X.T @ (WEIGHTS[:, None] * (observed - means))
    columns = X[:, features // K, None] * np.eye(K)[features % K]  # (n, k, K)
    ones = np.repeat(np.eye(K)[None], N, axis=0)
    between = [
        np.einsum("i,iak,ikl,ibl->ab", WEIGHTS, one, curvatures, other)
        for one, other in ((columns, columns), (columns, ones), (ones, ones))
    ]
    return z.reshape(-1, 1), between


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_curved_losses(K, fit_intercept):
    term, y = curved(K, fit_intercept)
    for size in (6, 15):
        features = rng.permutation(P * K)[:size]
        theta = 0.3 * rng.standard_normal((size, 1))
        (state,) = term.states(features, theta[..., None])
        dense = np.zeros((P * K, 1))
        dense[features] = theta
        outputs = (X - fit_intercept * (WEIGHTS @ X)) @ dense.reshape(P, K) + state.intercept
        z, (hessian, mixed, total) = derivatives(K, y, outputs, features)
        assert_allclose(state.z, z, atol=1e-10)
        if fit_intercept:
            hessian = hessian - mixed @ np.linalg.pinv(total) @ mixed.T
        written = term.written_intercept(state, features, theta)
        shift = fit_intercept * (WEIGHTS @ X) @ dense.reshape(P, K)
        assert_allclose(written, state.intercept - shift, atol=1e-12)
        for dual in (False, True):
            model = term.model(state, features, theta, dual, True)
            assert model.by_columns == (dual and K == 1 and size > N)
            matrix = model.matrix.T @ model.matrix if model.by_columns else model.matrix
            assert_allclose(matrix, hessian, atol=1e-10)
            assert_allclose(model.target, hessian @ theta + z[features], atol=1e-10)


def test_an_exact_model_has_the_hessian_of_its_own_state():
    term, _ = curved(3, True)
    features, theta = np.arange(6), 0.3 * rng.standard_normal((6, 1))
    states = [term.states(features, part * theta[..., None])[0] for part in (1.0, 1.0 + 1e-4)]
    first, near, exact = (
        term.model(state, features, theta, False, exact).matrix
        for state, exact in zip(states[:1] + states[1:] * 2, (False, False, True), strict=True)
    )
    assert_allclose(near, first, rtol=1e-14)
    afresh, _ = curved(3, True)
    expected = afresh.model(states[1], features, theta, False, False).matrix
    assert_allclose(exact, expected, rtol=1e-14)
    assert np.abs(exact - first).max() > 1e-8


def test_columns_without_curvature_are_zero():
    """Outputs of 1e5, all on the right side."""
    term, y = curved(1, True)
    theta = np.linalg.lstsq(X - WEIGHTS @ X, 2e5 * y - 1e5, rcond=None)[0][:, None]
    (state,) = term.states(np.arange(P), theta[..., None])
    model = term.model(state, np.arange(P), theta, True, False)
    assert model.by_columns
    assert not model.matrix.any()
