"""Tweedie losses with a log link: of Poisson, of gamma, and of the powers between them.

Half of the unit deviance of power q, 1 <= q <= 2, at the mean m = exp(f):

    y (y^(1-q) - m^(1-q)) / (1-q) - (y^(2-q) - m^(2-q)) / (2-q)

with y log(y/m) and log(y/m) as the limits. It is convex in f: with u = y m^(1-q), which goes down
with f, and v = m^(2-q), which goes up,

    r = u - v,       D = (q-1) u + (2-q) v,

and the divergence of the residual that another output has, with u' and v', is

    KL(u'/(q-1), u/(q-1)) + KL(v'/(2-q), v/(2-q)),        KL(a, b) = a log(a/b) - a + b,

where the first term is left out for q = 1 and the second for q = 2. The loss itself is that of
f' = log y, where u' = v' = y^(2-q).

References
----------
Bent Jorgensen, The theory of dispersion models, Chapman & Hall (1997), chapter 4.
"""

from math import exp, log
from typing import Any, NamedTuple, final

import numpy as np
from scipy.special import logsumexp

from .._numerics.typing import Float64
from .base import Loss, SingleCurvature, relative_entropy

# Outputs beyond this are taken for it: against overflow of exp and of the inverse of its values.
LARGEST = 600.0
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
    """Targets y >= 0 of shape (n,), positive for q = 2, and weights that sum to one.

    Where all targets are zero, the means go to zero: the intercept ends where the outputs are at
    -LARGEST or below.
    """

    def __init__(self, y: Float64, weights: Float64, power: float) -> None:
        self.y, self.weights, self.power = y[:, None], weights, power
        self._least = self.y ** (2.0 - power)
        self._positive: Any = y.nonzero()[0] if (y == 0.0).any() else slice(None)
        with np.errstate(divide="ignore"):
            self.null_intercept = max(float(np.log(weights @ y)), -LARGEST)
        self.residual_bound = self.bound_residual(np.zeros_like(self.y))

    def bound_residual(self, null: Float64) -> float:
        """From |r| <= 2 loss + y^(2-q), and v loss <= L."""
        _, balanced = self.profile_intercept(null, np.zeros(1))
        largest = max(self.weights @ at.losses for at in (self.predict(null), balanced))
        smallest = self.weights[self.weights > 0.0].min()
        least = np.sqrt(self.weights @ self._least[:, 0] ** 2)
        return float(2.0 * largest / np.sqrt(smallest) + least)

    def predict(self, outputs: Float64) -> TweediePrediction:
        outputs = np.clip(outputs, -LARGEST, LARGEST)
        down = self.y * np.exp((1.0 - self.power) * outputs)
        return self._predict(down, np.exp((2.0 - self.power) * outputs))

    def _predict(self, down: Float64, up: Float64) -> TweediePrediction:
        on = self._positive  # elsewhere u is zero, and v tends to it
        losses = up[:, 0] / (2.0 - self.power) if self.power < 2.0 else np.empty(len(up))
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
        lowest, highest = float(linear.min()), float(linear.max())
        down, up = self.y * np.exp(falls * (linear - lowest)), np.exp(rises * (linear - highest))
        sums = float(self.weights @ down[:, 0]), float(self.weights @ up[:, 0])
        if min(sums) < TINY:
            return self._far_intercept(linear)
        b = log(sums[0]) - log(sums[1]) + falls * lowest - rises * highest
        if max(abs(lowest + b), abs(highest + b)) > LARGEST:
            return np.array([b]), self.predict(linear + b)
        down *= exp(falls * (lowest + b))
        up *= exp(rises * (highest + b))
        return np.array([b]), self._predict(down, up)

    def _far_intercept(self, linear: Float64) -> tuple[Float64, TweediePrediction]:
        """The same where all targets are zero, or those that are not have other outputs by far."""
        output, weights = linear[:, 0], self.weights
        down = logsumexp((1.0 - self.power) * output, b=weights * self.y[:, 0])
        up = logsumexp((2.0 - self.power) * output, b=weights)
        b = np.array([down - up if np.isfinite(down) else -LARGEST - output.max()])
        return b, self.predict(linear + b)

    def curvature(self, prediction: TweediePrediction) -> SingleCurvature:
        down, up = prediction.down[:, 0], prediction.up[:, 0]
        return SingleCurvature((self.power - 1.0) * down + (2.0 - self.power) * up)

    def dual_divergence(self, prediction: TweediePrediction, change: Float64) -> float:
        down, up = self._moved(prediction, change)
        return float(self.weights @ self._entropies(prediction.down, prediction.up, down, up))

    def _entropies(self, down: Float64, up: Float64, by: Float64, and_by: Float64) -> Float64:
        """The divergences where u and v change `by` and `and_by`, of shape (n,)."""
        total = np.zeros(len(down))
        for factor, value, change in ((self.power - 1.0, down, by), (2.0 - self.power, up, and_by)):
            if factor > 0.0:
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
        and_by[positive] = up[positive] * np.expm1((2.0 - q) * shift)
        return by, and_by


def _shift(down: Float64, up: Float64, change: Float64, q: float) -> Float64:
    """t with ``u exp((1-q) t) - v exp((2-q) t) = u - v - change``, by Newton's method in a bracket.

    It has the sign of the change, and is no longer than if u, or v, alone made the change.
    """
    rises, size = change > 0.0, np.abs(change)
    high = np.log1p(np.divide(size, up, where=rises, out=np.zeros_like(up))) / (2.0 - q)
    low = -np.log1p(np.divide(size, down, where=~rises, out=np.zeros_like(up))) / (q - 1.0)
    shift = np.zeros_like(change)
    for _ in range(MAX_STEPS):
        less, more = down * np.expm1((1.0 - q) * shift), up * np.expm1((2.0 - q) * shift)
        excess = less - more + change  # it goes down with t
        low, high = np.where(excess > 0.0, shift, low), np.where(excess > 0.0, high, shift)
        slope = (q - 1.0) * (down + less) + (2.0 - q) * (up + more)
        new = shift + excess / slope
        new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
        step, shift = new - shift, new
        if (np.abs(step) <= SMALL_STEP * np.abs(shift)).all():
            break
    return shift
