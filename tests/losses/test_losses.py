"""Each loss against the definitions: residuals, curvatures, divergences, intercepts, bounds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from poisson import PoissonLoss
from scipy.optimize import check_grad

import hplasso._losses.softmax
from hplasso._losses.base import Loss
from hplasso._losses.identity_link import IdentityLink
from hplasso._losses.normal import NormalLoss
from hplasso._losses.offset import OffsetLoss
from hplasso._losses.softmax import make_loss
from hplasso._losses.tweedie import TweedieLoss, _shift

N = 12
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(N))
LOSSES = {
    "logistic": make_loss(np.arange(N) % 2, 2, WEIGHTS),
    "softmax": make_loss(np.arange(N) % 3, 3, WEIGHTS),
    "poisson": PoissonLoss(np.arange(N) % 4 * 1.0, WEIGHTS),
    "normal": NormalLoss(np.arange(N) % 4 - 1.0, WEIGHTS),
    "tweedie 1": TweedieLoss(np.arange(N) % 4 * 1.0, WEIGHTS, 1.0),
    "tweedie 1.5": TweedieLoss(np.arange(N) % 4 * 1.0, WEIGHTS, 1.5),
    "tweedie 2": TweedieLoss(np.arange(N) % 4 + 0.5, WEIGHTS, 2.0),
    "offset": OffsetLoss(
        TweedieLoss(np.arange(N) % 4 * 1.0, WEIGHTS, 1.5), np.linspace(-1.0, 1.0, N)[:, None]
    ),
    "offset of classes": OffsetLoss(
        make_loss(np.arange(N) % 3, 3, WEIGHTS), np.linspace(-1.0, 1.0, 3 * N).reshape(N, 3)
    ),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
POSITIVE = np.arange(N) % 4 + 0.5
NOT_CONVEX = {
    **{f"tweedie {q}": TweedieLoss(POSITIVE, WEIGHTS, q) for q in (-1.0, 0.0, 2.5, 3.0)},
    "tweedie of any sign": TweedieLoss(POSITIVE - 2.0, WEIGHTS, -0.5),
    **{
        f"identity {q}": IdentityLink(TweedieLoss(POSITIVE, WEIGHTS, q))
        for q in (-1.0, 1.0, 1.5, 2.0, 3.0)
    },
}


def outputs_of(loss, scale=1.0):
    return scale * np.random.default_rng(1).standard_normal((N, loss.n_outputs))


def curvatures(loss, outputs):
    """D from differences of residuals, (n, K, K)."""
    step, columns = 1e-6, []
    for k in range(loss.n_outputs):
        moved = np.zeros(outputs.shape)
        moved[:, k] = step
        after, before = (loss.predict(outputs + sign * moved).residual for sign in (1.0, -1.0))
        columns.append((before - after) / (2.0 * step))
    return np.stack(columns, axis=2)


@each_loss
def test_residuals_are_slopes(loss):
    outputs = outputs_of(loss)

    def value(flat):
        return loss.predict(flat.reshape(outputs.shape)).losses.sum()

    def slope(flat):
        return -loss.predict(flat.reshape(outputs.shape)).residual.ravel()

    assert check_grad(value, slope, outputs.ravel()) < 1e-6
    assert loss.predict(outputs).losses.min() >= 0.0


@each_loss
def test_curvatures_are_those_of_differences(loss):
    outputs, rng = outputs_of(loss), np.random.default_rng(2)
    D, K = curvatures(loss, outputs), loss.n_outputs
    curvature = loss.curvature(loss.predict(outputs))
    for k in range(K):
        assert_allclose(curvature.diagonal(k), D[:, k, k], atol=1e-8)
        for m in range(K):
            if m != k:
                assert_allclose(
                    -curvature.coupling[:, k] * curvature.coupling[:, m], D[:, k, m], atol=1e-8
                )
    changes, sizes = rng.standard_normal((N, K, 2)), rng.random((N, K))
    product = D @ changes
    assert_allclose(curvature.product(changes), product, atol=1e-7)
    assert curvature.product(changes, out=changes) is changes
    assert_allclose(changes, product, atol=1e-7)
    magnitude = (np.abs(D) @ sizes[:, :, None])[:, :, 0]
    assert_allclose(curvature.magnitude(sizes), magnitude, atol=1e-7)
    assert_allclose(curvature.magnitude(sizes[3:9], slice(3, 9)), magnitude[3:9], atol=1e-7)
    total = np.tensordot(WEIGHTS, D, 1)
    assert_allclose(curvature.total(WEIGHTS), total, atol=1e-8)
    assert_allclose(curvature.means(WEIGHTS), total.diagonal(), atol=1e-8)
    root = curvature.root(slice(3, 9))
    assert_allclose(root.transpose(0, 2, 1) @ root, D[3:9], atol=1e-8)
    length = np.sqrt(WEIGHTS @ np.linalg.norm(D, 2, axis=(1, 2)) ** 2)
    assert length <= loss.curvature_bound(loss.predict(outputs)) * (1.0 + 1e-7)


def test_the_bound_of_logistic_curvatures_is_reached_at_even_odds():
    loss = LOSSES["logistic"]
    even = loss.predict(np.zeros((N, 1)))
    assert_allclose(loss.curvature_bound(even), loss.curvature(even).diagonal(0))


def test_samples_that_are_certain_diverge_by_nothing():
    loss = LOSSES["logistic"]
    wrong = loss.predict(np.full((N, 1), 800.0)).residual
    certain = loss.predict(np.where(wrong == 0.0, 800.0, -800.0))
    assert (certain.residual == 0.0).all()
    assert loss.dual_divergence(certain, certain.residual) == 0.0


@each_loss
def test_model_square(loss):
    """sum_i v_i r_i'D_i^+ r_i."""
    outputs = outputs_of(loss)
    r, inverse = loss.predict(outputs).residual, np.linalg.pinv(curvatures(loss, outputs), 1e-6)
    square = WEIGHTS @ np.einsum("ik,ikl,il->i", r, inverse, r)
    assert loss.model_square(loss.predict(outputs)) == pytest.approx(square, rel=1e-5)
    if loss.n_outputs == 1:
        assert Loss.model_square(loss, loss.predict(outputs)) == pytest.approx(square, rel=1e-5)


@each_loss
def test_divergences(loss):
    """At kappa, and of any residual; of the second order: 1/2 d'D^-1 d for a change of r by d."""
    outputs = outputs_of(loss)
    prediction = loss.predict(outputs)
    for kappa in (0.0, 0.3, 0.99, 1.0):
        change = (1.0 - kappa) * prediction.residual
        expected = loss.dual_divergence(prediction, change)
        assert loss.divergence(prediction, kappa) == pytest.approx(expected, abs=1e-15)
        assert Loss.divergence(loss, prediction, kappa) == expected
    assert loss.divergence(prediction, 0.0) == pytest.approx(WEIGHTS @ prediction.losses)
    bent = (
        1e-4
        * curvatures(loss, outputs)
        @ np.random.default_rng(3).standard_normal((N, loss.n_outputs, 1))
    )
    d, inverse = bent[:, :, 0], np.linalg.pinv(curvatures(loss, outputs), 1e-6)
    half = 0.5 * WEIGHTS @ np.einsum("ik,ikl,il->i", d, inverse, d)
    assert loss.dual_divergence(prediction, d) == pytest.approx(half, rel=1e-3)
    # outside of the domain, which has an end on one side at least; except for the normal one
    assert isinstance(loss, NormalLoss) or np.inf in (
        loss.dual_divergence(prediction, d + far) for far in (-1e3, 1e3)
    )


@each_loss
@pytest.mark.parametrize("scale", [1.0, 5.0, 30.0])
def test_residuals_balance_at_the_profiled_intercept(loss, scale):
    outputs = outputs_of(loss, scale)
    b, prediction = loss.profile_intercept(outputs, np.zeros(loss.n_outputs))
    assert b.shape == (loss.n_outputs,)
    assert_allclose(prediction.residual, loss.predict(outputs + b).residual, atol=1e-12)
    size = max(1.0, (WEIGHTS @ np.abs(prediction.residual)).max())
    assert np.abs(WEIGHTS @ prediction.residual).max() <= 1e-12 * size


@each_loss
def test_residuals_are_no_longer_than_their_bound(loss):
    """Where the loss is no larger than without features."""
    null = WEIGHTS @ loss.predict(np.zeros((N, loss.n_outputs))).losses
    rng, found = np.random.default_rng(4), 0
    for scale in np.geomspace(0.01, 100.0, 200):
        prediction = loss.predict(scale * rng.standard_normal((N, loss.n_outputs)))
        if WEIGHTS @ prediction.losses <= null:
            found += 1
            assert np.linalg.norm(
                np.sqrt(WEIGHTS)[:, None] * prediction.residual
            ) <= loss.bound_residual(np.zeros((N, loss.n_outputs)))
    assert found > 5


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_longest_residual_is_as_long_as_it_is_said(n_classes):
    codes, weights = np.arange(60) % n_classes, np.random.default_rng(5).dirichlet(np.ones(60))
    loss = make_loss(codes, n_classes, weights)
    wrong = 100.0 * (np.eye(n_classes)[codes - 1])
    outputs = wrong if n_classes > 2 else wrong[:, 1:] - wrong[:, :1]
    residual = np.sqrt(weights)[:, None] * loss.predict(outputs).residual
    assert np.linalg.norm(residual) == pytest.approx(loss.bound_residual(0.0 * outputs))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_losses_of_sure_predictions_are_known_to_the_last_digit(n_classes):
    """So are the divergences of what is left of their residuals."""
    codes = np.arange(6) % n_classes
    loss = make_loss(codes, n_classes, np.full(6, 1 / 6))
    margins = np.array([10.0, 20.0, 30.0, 40.0, 100.0, 300.0])
    outputs = margins[:, None] * np.eye(n_classes)[codes]
    if n_classes == 2:
        outputs = outputs[:, 1:] - outputs[:, :1]
    prediction = loss.predict(outputs)
    odds = (n_classes - 1) * np.exp(-margins.astype(np.longdouble))
    expected, wrong = np.log1p(odds), odds / (1 + odds)
    assert_allclose(prediction.losses, expected.astype(float), rtol=1e-14)
    for kappa in (0.0, 0.5, 0.9):
        left = kappa * wrong
        terms = (1 - left) * (np.log1p(-left) + expected) + left * np.log(max(kappa, 1e-300))
        assert loss.divergence(prediction, kappa) == pytest.approx(float(terms.mean()), rel=1e-13)


@pytest.mark.parametrize("scale", [5, 30, 100])
@pytest.mark.parametrize("seed", range(5))
def test_intercepts_balance_the_residuals(scale, seed):
    rng = np.random.default_rng(seed)
    codes = np.append(np.arange(3), rng.integers(0, 3, 57))
    weights = np.full(60, 1 / 60)
    for n_classes in (2, 3):
        loss = make_loss(np.minimum(codes, n_classes - 1), n_classes, weights)
        outputs = scale * rng.standard_normal((60, loss.n_outputs))
        _, prediction = loss.profile_intercept(outputs, np.zeros(loss.n_outputs))
        assert np.abs(weights @ prediction.residual).max() <= 1e-12


@pytest.mark.parametrize("loss", NOT_CONVEX.values(), ids=NOT_CONVEX)
def test_losses_that_are_not_convex(loss):
    """Residuals are slopes; curvatures are those of differences where these are large enough."""
    outputs = np.random.default_rng(1).uniform(0.4, 3.0, (N, 1))
    flat, step = outputs.ravel(), 1e-5

    def losses(values):
        return loss.predict(values[:, None]).losses

    slopes = (losses(flat - step) - losses(flat + step)) / (2.0 * step)
    prediction = loss.predict(outputs)
    assert_allclose(prediction.residual[:, 0], slopes, rtol=1e-6, atol=1e-6)
    D, curvature = curvatures(loss, outputs)[:, 0, 0], loss.curvature(prediction).diagonal(0)
    means = flat if isinstance(loss, IdentityLink) else np.exp(flat)
    power = (loss.loss if isinstance(loss, IdentityLink) else loss).power
    of_means = means**-power if isinstance(loss, IdentityLink) else means ** (2.0 - power)
    assert_allclose(curvature, np.maximum(D, 0.03 * of_means), rtol=1e-5, atol=1e-7)
    assert curvature.min() > 0.0
    assert not loss.convex
    assert loss.dual_divergence(prediction, 0.1 * prediction.residual) == np.inf


@pytest.mark.parametrize("loss", NOT_CONVEX.values(), ids=NOT_CONVEX)
def test_intercepts_that_are_not_of_convex_losses(loss):
    """The residuals balance, and the loss is lower than on either side.

    No offset is too far, except for means of powers below 0, whose losses do not rise towards zero.
    """
    held = loss is NOT_CONVEX["identity -1.0"]
    for scale in (0.1, 1.0) if held else (0.1, 1.0, 30.0):
        linear = np.random.default_rng(5).uniform(-scale, scale, (N, 1))
        b, prediction = loss.profile_intercept(linear, np.zeros(1))
        assert_allclose(prediction.residual, loss.predict(linear + b).residual, rtol=1e-9)
        sizes = WEIGHTS @ np.abs(prediction.residual)
        assert np.abs(WEIGHTS @ prediction.residual) <= 1e-9 * max(1.0, sizes)
        with np.errstate(all="raise"):
            sides = [WEIGHTS @ loss.predict(linear + b + side).losses for side in (-1e-3, 1e-3)]
        assert WEIGHTS @ prediction.losses <= min(sides) + 1e-12


def test_losses_of_means_that_are_not_positive_are_infinite():
    loss = IdentityLink(TweedieLoss(POSITIVE, np.append(WEIGHTS[:-1], 0.0), 2.0))
    outputs = np.full((N, 1), 2.0)
    outputs[[0, -1]] = -1.0  # the last has no weight
    assert_array_equal(np.isinf(loss.predict(outputs).losses), np.arange(N) == 0)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_a_change_of_tweedie_residuals_is_undone_to_rounding(power):
    """Where the change is far larger than the parts of the residual, and far smaller."""
    rng = np.random.default_rng(0)
    down, up = 10.0 ** rng.uniform(-6.0, 6.0, (2, 2_000))
    change = 10.0 ** rng.uniform(-8.0, 6.0, 2_000) * rng.choice([-1.0, 1.0], 2_000)
    shift = _shift(down, up, change, power)
    first, second = down * np.exp((1.0 - power) * shift), up * np.exp((2.0 - power) * shift)
    left = np.abs(first - second - (down - up - change))
    assert (left <= 1e-14 * (first + second + np.abs(down - up - change))).all()
    assert (np.sign(shift) == np.sign(change)).all()


@pytest.mark.parametrize("size", [30.0, 100.0, 300.0])
@pytest.mark.parametrize("seed", [0, 4, 6])
def test_intercepts_beside_outputs_that_are_almost_certain(seed, size, monkeypatch):
    """The loss is nearly made of planes there; Newton's steps go far beyond where they meet."""
    rng = np.random.default_rng(seed)
    codes, rounds, one_by_one = rng.integers(0, 10, 30), [], hplasso._losses.softmax._one_by_one
    codes[:10] = np.arange(10)
    loss = make_loss(codes, 10, np.full(30, 1 / 30))
    monkeypatch.setattr(
        hplasso._losses.softmax, "_one_by_one", lambda *args: rounds.append(1) or one_by_one(*args)
    )
    linear = size * rng.normal(size=(30, 2)) @ rng.normal(size=(2, 10))
    b, prediction = loss.profile_intercept(linear, np.zeros(10))
    assert np.abs(loss.weights @ prediction.residual).max() <= 1e-15 * size + 1e-13
    assert b.mean() == pytest.approx(0.0, abs=1e-9 * size)
    assert len(rounds) <= 2
