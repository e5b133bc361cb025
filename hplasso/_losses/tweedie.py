"""Tweedie losses with a log link: of Poisson, of gamma, and of other powers.

Half of the unit deviance of power q, q <= 0 or q >= 1, at the mean m = exp(f):

    y (y^(1-q) - m^(1-q)) / (1-q) - (y^(2-q) - m^(2-q)) / (2-q)

with y log(y/m) and log(y/m) as the limits, and without what y alone contributes where y <= 0. With
u = y m^(1-q) and v = m^(2-q),

    r = u - v,       D = (q-1) u + (2-q) v.

For 1 <= q <= 2 it is convex in f, as u goes down with f, and v goes up. The divergence of
the residual that another output has, with u' and v', is then

    KL(u'/(q-1), u/(q-1)) + KL(v'/(2-q), v/(2-q)),        KL(a, b) = a log(a/b) - a + b,

where the first term is left out for q = 1 and the second for q = 2. The loss itself is that of
f' = log y, where u' = v' = y^(2-q), for any q. Where it is not convex, D is taken to be no less
than a part of its mean, which is v.

References
----------
Bent Jorgensen, The theory of dispersion models, Chapman & Hall (1997), chapter 4.
"""

from math import exp, log
from typing import Any, NamedTuple, final

import numpy as np
from scipy.special import logsumexp

from .._numerics.typing import Float64
from .base import UNBOUNDED, Loss, SingleCurvature, relative_entropy

# Of a convex loss, outputs are cut off where a power of the mean, all that is left of the loss or
# nearly so, has this exponent, or minus that: against overflow of exp, and of the inverse of its
# values. Where there is none, they are so beyond FARTHEST. Of other losses, beyond all of it.
LARGEST, FARTHEST = 600.0, 1e100
# The largest exponent of exp: a numerical limit.
OVERFLOW = 700.0
# Where a loss is not convex, a curvature is no less than this part of its mean: less takes longer
# steps, more of which are cut, more takes shorter ones. 400 random fits to a tolerance of 1e-10
# took 8,300 to 8,700 sweeps from 0.01 to 0.1, 10,600 at 0.3, and 18,800 at 1: Fisher's scoring.
LEAST_CURVATURE = 0.03
# Newton's steps towards a given residual, and the length of the last: numerical limits.
MAX_STEPS, SMALL_STEP = 100, 1e-15
# Against sums that underflow.
TINY = 1e-200


class TweediePrediction(NamedTuple):
    """r, u and v, of shape (n, 1), and the losses, of shape (n,)."""

    residual: Float64
    down: Float64
    up: Float64
    losses: Float64


@final
class TweedieLoss(Loss):
    """Targets y of shape (n,), in the range of the power, and weights that sum to one.

    They are positive for q >= 2, and not negative for q >= 1. Where their mean is not positive, the
    means go to zero: the intercept ends where v is exp(-LARGEST) or less.
    """

    def __init__(self, y: Float64, weights: Float64, power: float) -> None:
        self.y, self.weights, self.power = y[:, None], weights, power
        self.convex = 1.0 <= power <= 2.0
        self._largest = LARGEST / max(1.0, abs(1.0 - power), abs(2.0 - power))
        self._vanishing = -LARGEST / (2.0 - power) if 1.0 <= power < 2.0 else -self._largest
        self._lowest, self._highest = -self._largest, self._largest
        if self.convex:
            self._lowest, self._highest = _limits(self.y, weights, power, self._vanishing)
        self._least = np.maximum(self.y, 0.0) ** (2.0 - power)
        self._positive: Any = (y > 0.0).nonzero()[0] if (y <= 0.0).any() else slice(None)
        self._weights_of_zeros = np.where(y == 0.0, weights, 0.0)
        mean = float(weights @ y)
        self.null_intercept = max(log(mean), self._vanishing) if mean > 0.0 else self._vanishing

    def bound_residual(self, null: Float64) -> float:
        """From |r| <= 2 loss + y^(2-q), and v loss <= L; that is for 1 <= q <= 2."""
        if not self.convex:
            return UNBOUNDED
        _, balanced = self.profile_intercept(null, np.zeros(1))
        largest = max(self.weights @ at.losses for at in (self.predict(null), balanced))
        smallest = self.weights[self.weights > 0.0].min()
        least = np.sqrt(self.weights @ self._least[:, 0] ** 2)
        return float(2.0 * largest / np.sqrt(smallest) + least)

    def predict(self, outputs: Float64) -> TweediePrediction:
        outputs = np.clip(outputs, self._lowest, self._highest)
        down, up = self._terms(outputs, 0.0, 0.0)
        far = np.abs(outputs[:, 0]) > self._largest
        if not far.any():
            return self._predict(down, up)
        with np.errstate(over="ignore", invalid="ignore"):
            prediction = self._predict(down, up)
        parts = (values[far, 0] for values in (self.y, self._least, outputs, down, up))
        prediction.losses[far] = _far_losses(self.power, *parts)
        return prediction

    def _terms(self, outputs: Float64, first: float, last: float) -> tuple[Float64, Float64]:
        """u for outputs less `first`, v for outputs less `last`; one of them may be known."""
        falls, rises = 1.0 - self.power, 2.0 - self.power
        down = self.y
        if falls:  # of targets of zero, the exponent may be anything
            down = self.y * np.exp(np.minimum(falls * (outputs - first), LARGEST))
        return down, np.exp(rises * (outputs - last)) if rises else np.ones_like(outputs)

    def _predict(self, down: Float64, up: Float64) -> TweediePrediction:
        on, q = self._positive, self.power  # elsewhere the terms of y alone are left out
        losses = up[:, 0] / (2.0 - q) if q < 2.0 else np.empty(len(up))
        if q < 1.0:
            losses -= down[:, 0] / (1.0 - q)
        least, falling, rising = self._least[on], down[on], up[on]
        losses[on] = self._entropies(falling, rising, least - falling, least - rising)
        return TweediePrediction(down - up, down, up, losses)

    def profile_intercept(
        self, linear: Float64, start: Float64
    ) -> tuple[Float64, TweediePrediction]:
        """exp(b) = sum_i v_i y_i exp((1-q) linear_i) / sum_i v_i exp((2-q) linear_i).

        With exponentials of no more than one, which the predictions are multiples of.
        """
        falls, rises = 1.0 - self.power, 2.0 - self.power
        ends = lowest, highest = float(linear.min()), float(linear.max())
        first, last = ends[falls > 0.0], ends[rises > 0.0]
        down, up = self._terms(linear, first, last)
        sums = float(self.weights @ down[:, 0]), float(self.weights @ up[:, 0])
        if min(sums) < TINY:
            return self._far_intercept(linear)
        b = log(sums[0]) - log(sums[1]) + falls * first - rises * last
        if max(abs(lowest + b), abs(highest + b)) > self._largest:
            return np.array([b]), self.predict(linear + b)
        if falls:
            down *= exp(falls * (first + b))
        if rises:
            up *= exp(rises * (last + b))
        return np.array([b]), self._predict(down, up)

    def _far_intercept(self, linear: Float64) -> tuple[Float64, TweediePrediction]:
        """The same where all targets are zero, or those that are not have other outputs by far."""
        output, weights, q = linear[:, 0], self.weights, self.power
        down, sign = logsumexp((1.0 - q) * output, b=weights * self.y[:, 0], return_sign=True)
        up = logsumexp((2.0 - q) * output, b=weights)
        balances = sign > 0.0 and np.isfinite(down)
        b = np.array([down - up if balances else self._vanishing - output.max()])
        return b, self.predict(linear + b)

    def curvature(self, prediction: TweediePrediction) -> SingleCurvature:
        down, up = prediction.down[:, 0], prediction.up[:, 0]
        if self.power in (1.0, 2.0):
            return SingleCurvature(up if self.power == 1.0 else down)
        values = (self.power - 1.0) * down + (2.0 - self.power) * up
        return SingleCurvature(values if self.convex else np.maximum(values, LEAST_CURVATURE * up))

    def divergence(self, prediction: TweediePrediction, kappa: float) -> float:
        """Of all targets of zero at once: v becomes kappa v."""
        on = self._positive
        if isinstance(on, slice) or not self.convex:
            return super().divergence(prediction, kappa)
        positive = TweediePrediction(*(values[on] for values in prediction))
        change = (1.0 - kappa) * positive.residual
        entropies = self._entropies(positive.down, positive.up, *self._moved(positive, change))
        lost = relative_entropy(np.ones((1, 1)), np.full((1, 1), kappa - 1.0)) / (2.0 - self.power)
        of_zeros = float(self._weights_of_zeros @ prediction.up[:, 0])
        return float(self.weights[on] @ entropies) + of_zeros * float(lost[0, 0])

    def dual_divergence(self, prediction: TweediePrediction, change: Float64) -> float:
        if not self.convex:
            return np.inf
        down, up = self._moved(prediction, change)
        return float(self.weights @ self._entropies(prediction.down, prediction.up, down, up))

    def _entropies(self, down: Float64, up: Float64, by: Float64, and_by: Float64) -> Float64:
        """The divergences where u and v change `by` and `and_by`, of shape (n,)."""
        total = np.zeros(len(down))
        for factor, value, change in ((self.power - 1.0, down, by), (2.0 - self.power, up, and_by)):
            if factor:
                total += relative_entropy(value, change)[:, 0] / factor
        return total

    def _moved(self, prediction: TweediePrediction, change: Float64) -> tuple[Float64, Float64]:
        """How u and v change where the residual becomes r - change."""
        q, (_, down, up, _) = self.power, prediction
        if q == 1.0 or q == 2.0:
            return (0.0 * change, change) if q == 1.0 else (-change, 0.0 * change)
        by, and_by = np.zeros_like(change), change.copy()
        positive = down > 0.0  # elsewhere u is zero, and v alone makes the residual
        shift = _shift(down[positive], up[positive], change[positive], q)
        by[positive] = down[positive] * np.expm1((1.0 - q) * shift)
        and_by[positive] = _grown(up[positive], (2.0 - q) * shift)
        vanished = (up[positive] == 0.0) & ((2.0 - q) * shift > OVERFLOW)
        and_by[positive] = np.where(vanished, np.inf, and_by[positive])  # by how much is not known
        return by, and_by


def _limits(y: Float64, weights: Float64, q: float, vanishing: float) -> tuple[Any, float]:
    """Where outputs of a convex loss are cut off: below, for each sample, and above.

    For a target of zero that is where its loss is `vanishing`.
    """
    lowest = -LARGEST / (q - 1.0) if q > 1.0 else -FARTHEST
    highest = LARGEST / (2.0 - q) if q < 2.0 else FARTHEST
    return np.where((y > 0.0) & (weights > 0.0)[:, None], lowest, vanishing), highest


def _far_losses(
    q: float, y: Float64, least: Float64, f: Float64, u: Float64, v: Float64
) -> Float64:
    """Losses at outputs f far from log y, from their definition, in which nothing cancels there."""
    falls: Float64 = (u - least) / (q - 1.0) if q > 1.0 else y * (np.log(y) - f)
    return falls + ((v - least) / (2.0 - q) if q < 2.0 else f - np.log(y))


def _grown(up: Float64, exponent: Float64) -> Float64:
    """What is added to v by a factor; where that overflows, v has vanished."""
    return np.asarray(up * np.expm1(np.minimum(exponent, OVERFLOW)))


def _shift(down: Float64, up: Float64, change: Float64, q: float) -> Float64:
    """t with ``u exp((1-q) t) - v exp((2-q) t) = u - v - change``, by Newton's method in a bracket.

    It has the sign of the change, and is no longer than if u, or v, alone made the change.
    """
    rises, size = change > 0.0, np.abs(change)
    most = np.where(rises, np.inf, 0.0)  # there is no bound where v has vanished
    high = np.log1p(np.divide(size, up, where=rises & (up > 0.0), out=most)) / (2.0 - q)
    low = -np.log1p(np.divide(size, down, where=~rises, out=np.zeros_like(up))) / (q - 1.0)
    shift = np.zeros_like(change)
    for _ in range(MAX_STEPS):
        less, more = down * np.expm1((1.0 - q) * shift), _grown(up, (2.0 - q) * shift)
        excess = less - more + change  # it goes down with t
        low, high = np.where(excess > 0.0, shift, low), np.where(excess > 0.0, high, shift)
        slope = (q - 1.0) * (down + less) + (2.0 - q) * (up + more)
        new = shift + excess / slope
        new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
        step, shift = new - shift, new
        if (np.abs(step) <= SMALL_STEP * np.abs(shift)).all():
            break
    return shift
