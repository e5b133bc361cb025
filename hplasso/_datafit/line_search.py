"""The line search of Newton's method, for any curved loss.

The whole step to the model's solution is tried first, then a half, a quarter and so on, until the
objective f does not go up. Changes of f are sums of differences, sample by sample: differences of
sums over many samples err by more than the last steps gain.

An outlier whose outputs move by millions is a wall: halving would only halve the distance from it,
at each step anew, so the minimum along the line is found by bisection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._design.working_set import WorkingSet
from .._numerics.typing import Float64
from .base import Penalty
from .curved_state import CurvedState, state_at

# A limit of rounding: the change of f over a smaller part of a step is nothing else.
SHORTEST = 1e-12
# A step that is cut is cut where f is lowest, to within so many units of the outputs: a smaller
# value costs states in a bisection, a larger one Newton steps (constants.py). Fits with outliers of
# 1e2 to 1e8 take 1 to 2 % more of them without bisection, and do not reach some tolerances;
# ordinary data make no difference.
WIDE = 10.0


class Line(NamedTuple):
    """From a state at theta to a goal, in coefficients, outputs, and intercepts.

    `linear` are the outputs at the goal, `change` and `shift` how they and the intercepts change.
    """

    state: CurvedState
    theta: Float64
    goal: Float64
    linear: Float64
    change: Float64
    shift: Float64
    penalty: Penalty

    def point(self, fraction: float) -> tuple[Float64, CurvedState]:
        """Coefficients and state at a fraction of the step."""
        state, theta, linear = self.state, self.goal, self.linear
        if fraction < 1.0:
            theta = self.theta + fraction * (self.goal - self.theta)
            linear = state.linear + fraction * self.change
        return theta, state_at(state.outputs, linear, state.intercept + fraction * self.shift)

    def rise(self, theta: Float64, state: CurvedState) -> float:
        """f at a point less f at the start."""
        weights, ridge = self.penalty
        increase = state.prediction.losses - self.state.prediction.losses
        rise = float(state.outputs.weights @ increase)
        rise += float(weights @ (np.abs(theta) - np.abs(self.theta)))
        return rise if ridge is None else rise + 0.5 * float(ridge @ (theta**2 - self.theta**2))

    def slope(self, theta: Float64, state: CurvedState) -> float:
        """The derivative of f along the step, at a point."""
        (weights, ridge), step = self.penalty, self.goal - self.theta
        effects = state.outputs.weights @ (state.prediction.residual * self.change).sum(axis=1)
        slope = weights @ (np.sign(theta) * step) - effects
        return float(slope if ridge is None else slope + ridge @ (theta * step))


def line_search(
    working_set: WorkingSet, state: CurvedState, theta: Float64, goal: Float64, penalty: Penalty
) -> tuple[Float64, CurvedState]:
    """Coefficients between theta and goal at which f is no higher than at theta."""
    linear = state.outputs.linear(working_set, goal)
    change = linear - state.linear
    shift = _intercept_change(state, change)
    line, fraction = Line(state, theta, goal, linear, change, shift, penalty), 1.0
    while fraction > SHORTEST:
        new, after = line.point(fraction)
        rise = line.rise(new, after)
        if rise <= 0.0 or rise <= state.rounding_of_loss():
            break
        fraction *= 0.5
    else:
        return theta, state
    longest = float(np.abs(change + shift).max())
    if fraction == 1.0 or fraction * longest <= WIDE:
        return new, after
    return _bisect(line, fraction, WIDE / longest)


def _bisect(line: Line, fraction: float, width: float) -> tuple[Float64, CurvedState]:
    """The lowest point between a fraction of a step, at which f is not up, and twice that."""
    low, high, found = fraction, 2.0 * fraction, line.point(fraction)
    while high - low > width:
        middle = 0.5 * (low + high)
        point = line.point(middle)
        if line.slope(*point) > 0.0:
            high = middle
        else:
            low, found = middle, point
    return found


def _intercept_change(state: CurvedState, change: Float64) -> Float64:
    """To first order, what a change of the outputs does to the best intercept; of several, zero."""
    of = state.outputs
    if of.n_outputs > 1 or not of.fit_intercept:
        return np.zeros(of.n_outputs)
    curvature = of.weights * state.curvature().diagonal(0)
    total = float(curvature.sum())
    return np.array([-(curvature @ change[:, 0]) / total if total > 0.0 else 0.0])
