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
from hplasso._path.streamed_tracer import StreamedTracer
from hplasso._penalties.l1 import L1Penalty

POISSON = FamilyLosses(Family(1.0, "log"))
TWO_CLASSES = ClassLosses(np.arange(2), np.ones(2))


def sums_of(make_loss, X, y, weights, request):
    """The sums of a loss of one output over all rows, centred at zero."""
    theta = np.stack([at.theta[:, None] for at in request.points], axis=-1)
    intercepts = np.stack([at.intercept for at in request.points], axis=-1)
    kernel = LossKernel(make_loss, np.zeros(X.shape[1]), theta, intercepts, tuple(request.own))
    return kernel(Block(0, 0, X, y, weights, None))


def loss_of(make_loss, X, y, weights, n_sampled, null_intercept=0.0):
    """The loss, of which a sample has the first rows, and the requests that it gets."""
    requests, first = [], slice(n_sampled)

    def evaluate(request):
        requests.append(request)
        return sums_of(make_loss, X, y, weights, request)

    null = Coefficients(np.zeros(X.shape[1]), np.array([null_intercept]))
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


def solved(loss, alphas, **settings):
    """The points at some alphas."""
    settings = PathSettings(L1Penalty(np.ones(loss.lengths.size)), **settings)
    return StreamedTracer(loss, settings).trace(alphas)


# Counts 1 and 100, of which the second is rare.
RARE = np.array([[0.0], [1.0]]), np.array([1.0, 100.0]), np.array([0.99, 0.01])


def test_half_of_a_step_that_goes_too_far_is_next():
    X, y, weights = RARE
    alpha, mean = 0.1, weights @ y
    loss, requests = loss_of(POISSON, X, y, weights, 2, np.log(mean))
    (point,) = solved(loss, [alpha], tol=1e-12)

    def objective(at):
        outputs = X @ at.theta + at.intercept
        return weights @ (np.exp(outputs) - y * outputs) + alpha * np.abs(at.theta).sum()

    null, *tried = (each.points[0] for each in requests)
    # H is the variance of x times the mean; the intercept follows by the mean of x.
    step = (0.01 * (100.0 - mean) - alpha) / (0.01 * 0.99 * mean)
    for n_halved in range(4):
        at = tried[n_halved]
        np.testing.assert_allclose(at.theta, step / 2**n_halved, rtol=1e-9)
        np.testing.assert_allclose(at.intercept, np.log(mean) - 0.01 * at.theta, rtol=1e-9)
        assert (objective(at) > objective(null)) == (n_halved < 3)
    # The residuals of the rows, times their weights, are -alpha and alpha.
    low, high = np.log([1.0 + alpha / 0.99, 100.0 - alpha / 0.01])
    np.testing.assert_allclose(point.values, [high - low], rtol=1e-9)
    assert point.intercept == pytest.approx(low, rel=1e-9)
    assert point.outcome is Outcome.CONVERGED


def test_a_fit_that_ends_early_says_so():
    X, y, weights = RARE
    loss, _ = loss_of(POISSON, X, y, weights, 2, np.log(weights @ y))
    (point,) = solved(loss, [0.1], tol=1e-12, max_iter=1)
    assert point.outcome is Outcome.MAX_ITER


@pytest.mark.parametrize("null_intercept", [-4.0, 0.0, 10.0])
def test_the_loss_without_features_is_that_of_the_best_intercept(null_intercept):
    """Counts 1 and 99 at x = -1 and 1: means are 50, and residuals -49 and 49."""
    X, y = np.array([[-1.0], [1.0]]), np.array([1.0, 99.0])
    loss, _ = loss_of(POISSON, X, y, np.ones(2), 2, null_intercept)
    tracer = StreamedTracer(loss, PathSettings(L1Penalty(np.ones(1))))
    assert tracer.alpha_max() == pytest.approx(49.0, rel=1e-7)
    (point,) = solved(loss, [0.5], tol=1e-3)
    half_deviance = 0.5 * (np.log(1.0 / 50.0) + 99.0 * np.log(99.0 / 50.0))
    assert point.gap_tol == pytest.approx(1e-3 * half_deviance, rel=1e-2)


def test_where_a_path_begins_with_a_feature_without_penalty():
    """The free feature tells two groups apart, whose means are then fitted."""
    group, x = np.repeat([0.0, 1.0], 3), np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    y = np.array([0.0, 200.0, 400.0, 10.0, 20.0, 60.0])
    loss, _ = loss_of(POISSON, np.column_stack([group, x]), y, np.ones(6), 6, np.log(y.mean()))
    tracer = StreamedTracer(loss, PathSettings(L1Penalty(np.array([0.0, 1.0]))))
    # Residuals are -200, 0, 200 and -20, -10, 30.
    assert tracer.alpha_max() == pytest.approx((400.0 + 50.0) / 6.0, rel=1e-6)


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


def test_a_sample_that_misleads_is_left_aside():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((300, 20))
    X[:30] *= 2.0
    y = rng.poisson(np.exp(0.7 * X[:, 0] - 0.5 * X[:, 1])).astype(float)
    loss, requests = loss_of(POISSON, X, y, np.ones(300), 30, np.log(y.mean()))
    points = solved(loss, 0.3 * 0.85 ** np.arange(40), tol=1e-9)
    assert all(point.converged for point in points)
    assert len(requests) <= 20  # 26, if slow points did not get Hessians of their own


def test_which_points_get_hessians_of_their_own():
    assert own_points([False] * OWN, 10**6) == list(range(OWN))
    assert own_points([False] * 64, 1) == [8, 24, 40, 56]
    assert own_points([False] * 64, 10**6) == [32]
    slow = [k in (3, 5, 8) for k in range(64)]
    assert own_points(slow, 10**6) == [3, 5, 8]
    assert own_points([k >= 48 for k in range(64)], 10**6) == [50, 54, 58, 62]
