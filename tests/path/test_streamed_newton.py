"""Newton's method by passes: what it asks for, the models between passes, and why it ends."""

import numpy as np
import pytest

from hplasso._datafit.loss_sums import LossKernel
from hplasso._design.source import Block
from hplasso._estimators.generalized_linear import Family
from hplasso._estimators.streamed_data import ClassLosses, FamilyLosses
from hplasso._path.progress import Outcome
from hplasso._path.settings import PathSettings
from hplasso._path.streamed_certificate import Coefficients
from hplasso._path.streamed_model import OWN, Models, Request, StreamedLoss, own_points
from hplasso._path.streamed_newton import Newton, run_together
from hplasso._penalties.l1 import L1Penalty

POISSON = FamilyLosses(Family(1.0, "log"))
TWO_CLASSES = ClassLosses(np.arange(2), np.ones(2))


def sums_of(make_loss, X, y, weights, request):
    """The sums of a loss of one output over all rows, centred at zero."""
    theta = np.stack([at.theta[:, None] for at in request.points], axis=-1)
    intercepts = np.stack([at.intercept for at in request.points], axis=-1)
    kernel = LossKernel(make_loss, np.zeros(X.shape[1]), theta, intercepts, tuple(request.own))
    return kernel(Block(0, 0, X, y, weights, None))


def loss_of(make_loss, X, y, weights, n_sampled):
    """The loss, of which a sample has the first rows, and the requests that it gets."""
    requests, first = [], slice(n_sampled)

    def evaluate(request):
        requests.append(request)
        return sums_of(make_loss, X, y, weights, request)

    null = Coefficients(np.zeros(X.shape[1]), np.zeros(1))
    loss = StreamedLoss(
        evaluate,
        lambda request: sums_of(make_loss, X[first], y[first], weights[first], request),
        weights.sum(),
        weights[first].sum(),
        lambda alphas: [null] * len(alphas),
        null,
        np.sqrt(weights @ X**2 / weights.sum()),
        True,
    )
    return loss, requests


def solved(loss, alpha, **settings):
    """The point at one alpha."""
    newton = Newton(loss, PathSettings(L1Penalty(np.ones(loss.lengths.size)), **settings))
    (points,) = run_together([newton.steps([alpha])], lambda each: {0: loss.evaluate(each[0])})
    return points[0]


def test_half_of_a_step_that_goes_too_far_is_next():
    """Of counts 1 and 99 at x = -1 and 1, from means of 1: the first step is 49 - alpha and 49."""
    alpha = 0.5
    X, y = np.array([[-1.0], [1.0]]), np.array([1.0, 99.0])
    loss, requests = loss_of(POISSON, X, y, np.ones(2), 2)
    point = solved(loss, alpha, tol=1e-12)
    tried = np.array([[*each.points[0].theta, *each.points[0].intercept] for each in requests])
    # exp(98 / 2^k) falls below 99 * 98 / 2^k, twice what f was, at k = 4.
    halved = np.array([49.0 - alpha, 49.0]) / 2.0 ** np.arange(5)[:, None]
    np.testing.assert_allclose(tried[:6], [[0.0, 0.0], *halved], rtol=1e-8)
    # At the solution means are 50 - (49 - alpha) and 50 + (49 - alpha).
    low, high = np.log([1.0 + alpha, 99.0 - alpha])
    np.testing.assert_allclose(point.values, [0.5 * (high - low)], rtol=1e-9)
    assert point.intercept == pytest.approx(0.5 * (high + low), rel=1e-9)
    assert point.outcome is Outcome.CONVERGED


def test_a_fit_that_ends_early_says_so():
    X, y = np.array([[-1.0], [1.0]]), np.array([1.0, 99.0])
    loss, _ = loss_of(POISSON, X, y, np.ones(2), 2)
    assert solved(loss, 0.5, tol=1e-12, max_iter=1).outcome is Outcome.MAX_ITER


def hessian_of(X, weights, at):
    """H of logistic regression, the intercept eliminated, and below it how that follows theta."""
    p = 1.0 / (1.0 + np.exp(-(X @ at.theta + at.intercept)))
    curvature = weights * p * (1.0 - p)
    mean = curvature @ X / curvature.sum()
    hessian = (X - mean).T @ (curvature[:, None] * (X - mean)) / weights.sum()
    return np.vstack([hessian, mean])


def test_hessians_of_the_sample_are_corrected_by_those_of_the_data():
    rng = np.random.default_rng(0)
    X, weights = rng.standard_normal((80, 3)) + 1.0, 0.5 + rng.random(80)
    y = rng.integers(0, 2, 80)
    loss, _ = loss_of(TWO_CLASSES, X, y, weights, 50)
    points = [Coefficients(0.1 * k * np.ones(3), np.array([-0.2 * k])) for k in range(7)]
    request = Request(points, [1, 6])
    views, hessians = loss.views(request, loss.evaluate(request))
    models = Models(loss, views, hessians)
    every = [hessian_of(X, weights, at) for at in points]
    sampled = [hessian_of(X[:50], weights[:50], at) for at in points]
    # Neighbours share Hessians of the sample: those of the points 0 to 3, and of 4 to 7.
    expected = {1: every[1], 3: every[1] + sampled[0] - sampled[1], 6: every[6]}
    expected |= dict.fromkeys([4, 5], every[6] + sampled[4] - sampled[6])
    for k, model in expected.items():
        np.testing.assert_allclose(models.at(k), model, rtol=1e-10, atol=1e-12)
    for k, own in {1: 1, 3: 1, 5: 6}.items():
        np.testing.assert_allclose(models.at(k, sampled=False), every[own], rtol=1e-10)


def test_which_points_get_hessians_of_their_own():
    assert own_points([False] * OWN, 10**6) == list(range(OWN))
    assert own_points([False] * 64, 1) == [8, 24, 40, 56]
    assert own_points([False] * 64, 10**6) == [32]
    slow = [k in (3, 5, 8) for k in range(64)]
    assert own_points(slow, 10**6) == [3, 5, 8]
    assert own_points([k >= 48 for k in range(64)], 10**6) == [50, 54, 58, 62]
