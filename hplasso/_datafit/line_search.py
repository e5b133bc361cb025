"""The line search of Newton's method, for any curved loss.

The whole step to the model's solution is tried first, then a half, a quarter and so on, until the
objective f does not go up. Changes of f are sums of differences, sample by sample: differences of
sums over many samples err by more than the last steps gain.

Two kinds of outliers need more. One whose outputs move by millions is a wall: halving would only
halve the distance from it, at each step anew, so the minimum along the line is found by bisection.
One in the tail of an exponential is one unit of its output from the model's solution, where it has
hundreds to go: there the step is doubled as long as f falls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._numerics.typing import Float64
from .curved_state import CurvedState

# The part of a step that is not worth trying: its change of f is rounding.
SHORTEST = 1e-12
# Where a loss is an exponential, the model's solution moves its output by one unit, or two outputs
# by half of one each. Steps that move all by less are not doubled: a lower value costs a product
# with X at ordinary steps, a higher one the doubling where it is needed (constants.py).
FAR = 0.2
# A step that is cut is cut where f is lowest, to within so many units of the outputs: a smaller
# value costs states in a bisection, a larger one Newton steps after it (constants.py).
WIDE = 10.0
# A step is doubled while f falls by this part of the slope at its start: below it the next model
# does better than another doubling (constants.py).
STEEP = 0.25
# A limit of rounding: a coefficient that moves by no more than this part of it has settled.
SETTLED = 1e-9

Penalty = tuple[Float64, Float64 | None]
At = Callable[[Float64, Float64], CurvedState]


class Line(NamedTuple):
    """From a state at theta to a goal: coefficients, outputs without intercept, and intercepts."""

    at: At  # the state with these outputs; the search for the intercept starts as given
    state: CurvedState
    theta: Float64
    goal: Float64
    linear: Float64  # at the goal
    change: Float64
    shift: Float64
    penalty: Penalty

    def point(self, fraction: float) -> tuple[Float64, CurvedState]:
        """Coefficients and state at a fraction of the step."""
        if fraction == 1.0:
            return self.goal, self.at(self.linear, self.state.intercept + self.shift)
        outputs = self.state.linear + fraction * self.change
        theta = self.theta + fraction * (self.goal - self.theta)
        return theta, self.at(outputs, self.state.intercept + fraction * self.shift)

    def rise(self, theta: Float64, state: CurvedState) -> float:
        """f at a point less f at the start."""
        increase = state.prediction.losses - self.state.prediction.losses
        rise = float(state.outputs.weights @ increase)
        return rise + _rise_of_penalty(self.theta, theta, self.penalty)


def line_search(
    at: At,
    linear_of: Callable[[Float64], Float64],
    state: CurvedState,
    theta: Float64,
    goal: Float64,
    penalty: Penalty,
    modelled: bool,
) -> tuple[Float64, CurvedState]:
    """Coefficients between theta and goal, or beyond, at which f is no higher than at theta.

    `linear_of` are the outputs of coefficients. A goal that was not `modelled` is not passed.
    """
    linear = linear_of(goal)
    change = linear - state.linear
    shift = _intercept_change(state, change)
    line, fraction = Line(at, state, theta, goal, linear, change, shift, penalty), 1.0
    while fraction > SHORTEST:
        new, after = line.point(fraction)
        rise = line.rise(new, after)
        if rise <= 0.0 or rise <= state.rounding_of_loss():
            break
        fraction *= 0.5
    else:
        return theta, state
    if fraction == 1.0 and not modelled:
        return new, after
    longest = float(np.abs(change + shift).max())
    if fraction < 1.0:
        if fraction * longest <= WIDE:
            return new, after
        return _bisect(line, fraction, WIDE / longest)
    if longest < FAR:
        return new, after
    return _go_beyond(line, linear_of, after)


def _bisect(line: Line, fraction: float, width: float) -> tuple[Float64, CurvedState]:
    """The lowest point between a fraction of a step, at which f is not up, and twice that."""
    low, high, found = fraction, 2.0 * fraction, line.point(fraction)
    direction = line.goal - line.theta
    while high - low > width:
        middle = 0.5 * (low + high)
        new, state = line.point(middle)
        if _slope(state, line.change, np.sign(new), new, direction, line.penalty) > 0.0:
            high = middle
        else:
            low, found = middle, (new, state)
    return found


def _go_beyond(
    line: Line, linear_of: Callable[[Float64], Float64], state: CurvedState
) -> tuple[Float64, CurvedState]:
    """From the goal go on in the same direction, twice as far each time, while f falls."""
    theta, goal = line.theta, line.goal
    moving = np.abs(goal - theta) > SETTLED * np.abs(goal)
    if not moving.any():
        return goal, state
    direction, signs = (goal - theta) * (moving & (goal != 0.0)), np.sign(goal)

    def slope(at: CurvedState, here: Float64, change: Float64) -> float:
        return _slope(at, change, signs, here, direction, line.penalty)

    # what has settled moves by rounding only, which may hide how f falls
    settled = not moving[theta != 0.0].all()
    change = linear_of(direction) if settled else state.linear - line.state.linear
    length, at_goal = 1.0, slope(state, goal, change)
    if at_goal >= 0.0:
        return goal, state
    steep = min(STEEP * slope(line.state, theta, change), 0.0)
    if at_goal >= steep:
        return goal, state
    crossing = goal * direction < 0.0
    limit = 1.0 + float((-goal[crossing] / direction[crossing]).min(initial=np.inf))
    here, change = goal, linear_of(direction)
    while slope(state, here, change) < steep and 2.0 * length <= limit:
        new = goal + (2.0 * length - 1.0) * direction
        after = line.at(state.linear + length * change, state.intercept)
        if slope(after, new, change) > 0.0:
            break
        here, state, length = new, after, 2.0 * length
    return here, state


def _slope(
    state: CurvedState,
    change: Float64,
    signs: Float64,
    theta: Float64,
    direction: Float64,
    penalty: Penalty,
) -> float:
    """The derivative of f along a direction of theta and a change of the outputs."""
    weights, ridge = penalty
    effects = state.outputs.weights @ (state.prediction.residual * change).sum(axis=1)
    slope = weights @ (signs * direction) - effects
    return float(slope + (0.0 if ridge is None else ridge @ (theta * direction)))


def _intercept_change(state: CurvedState, change: Float64) -> Float64:
    """To first order, what a change of the outputs does to the best intercept, if there is one.

    Of several intercepts, nothing: their own search is as fast.
    """
    of = state.outputs
    if of.n_outputs > 1 or not of.fit_intercept:
        return np.zeros(of.n_outputs)
    curvature = of.weights * state.curvature().diagonal(0)
    total = float(curvature.sum())
    return np.array([-(curvature @ change[:, 0]) / total if total > 0.0 else 0.0])


def _rise_of_penalty(theta: Float64, new: Float64, penalty: Penalty) -> float:
    """The penalty of new less that of theta."""
    weights, ridge = penalty
    rise = float(weights @ (np.abs(new) - np.abs(theta)))
    return rise if ridge is None else rise + 0.5 * float(ridge @ (new**2 - theta**2))
