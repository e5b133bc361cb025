"""The line search of Newton's method, for any curved loss.

The whole step to the model's solution is tried first, then a half, a quarter and so on, until the
objective f does not go up. Changes of f are sums of differences, sample by sample: differences of
sums over many samples err by more than the last steps gain.

Two kinds of outliers need more. One whose outputs move by millions is a wall: halving would only
halve the distance from it, at each step anew, so the minimum along the line is found by bisection.
One in the tail of an exponential is one unit of its output from the model's solution, where it has
hundreds to go: there the step is doubled as long as f falls, except for coordinates that have
arrived.
"""

from math import isfinite
from typing import NamedTuple, Protocol

import numpy as np

from .._design.working_set import WorkingSet
from .._numerics.linalg import inverse_root
from .._numerics.typing import Float64, Index
from .curved_state import CurvedState, state_at

# A limit of rounding: the change of f over a smaller part of a step is nothing else, unless that
# still moves an output far.
SHORTEST = 1e-12
# A goal that was guessed is given up below this part of the way: less makes states for steps that
# save nothing. Cold fits of 20,000 x 50,000 took 130 ms without, and 105 with it.
SHORTEST_GUESS = 0.1
# Newton steps below are those of 120 fits with outliers of 1e2 to 1e8: of two classes and three
# with an L1 penalty, and of two with a ridge penalty. On paths of ordinary data no value of the
# three constants makes a difference.
# Where a loss is an exponential, the model's solution moves its output by one unit, or two outputs
# by half of one each. Steps that move all by less are not doubled: a lower value costs a product
# with X at ordinary steps, a higher one Newton steps (constants.py): 726, 1069 and 447 as it is,
# 734, 1110 and 470 at 1, 751, 1094 and 583 without doubling.
FAR = 0.2
# A step that is cut is cut where f is lowest, to within so many units of the outputs: a smaller
# value costs states in a bisection, a larger one Newton steps (constants.py), 736, 1081 and 455
# without bisection, which does not reach some tolerances.
WIDE = 10.0
# A step is doubled while f falls by this part of the slope at its start: a smaller value costs
# states, a larger one Newton steps (constants.py): 726, 1073 and 418 at 0.05; 760, 1102 and 576 at
# 0.6.
STEEP = 0.25
# Nor is a step doubled that moves an output by more units: an exponential is zero by then, and f
# falls for ever by what rounding leaves of it, where the best coefficient is infinite. A numerical
# limit.
FARTHEST = 1e3
# Coordinates stay at the goal where this part or less is left of the slope along them at the start.
# Of 120 fits to three classes, three rows of four features with codes of 1e9 to 1e20, 22 do not
# converge at 0, and all from 0.0001 to 0.3. Larger values take a few Newton steps less
# (constants.py), but leave behind what has to move with others.
ARRIVED = 0.01
# Means of outputs that change by less leave several intercepts as they are: less computes a product
# with the Hessian in vain, more makes Newton steps for the intercepts (constants.py).
SHIFTED = 0.1
# A limit of rounding: a coefficient that moves by no more than this part of it stays.
SETTLED = 1e-9


class Penalised(Protocol):
    """A penalty of coefficients on the working set."""

    def rise(self, theta: Float64, start: Float64) -> float:
        """What it is at theta, less what it is at the start."""

    def gradient(self, theta: Float64, face: Float64) -> Float64:
        """Its gradient at theta, as it is for coefficients of the face's signs."""


class SinglePenalty(NamedTuple):
    """Of single coefficients: lambda_j |theta_j| + rho_j/2 theta_j^2, or without the ridge."""

    weights: Float64
    ridge: Float64 | None

    def rise(self, theta: Float64, start: Float64) -> float:
        rise = float(self.weights @ (np.abs(theta) - np.abs(start)))
        if self.ridge is not None:
            rise += 0.5 * float(self.ridge @ ((theta - start) * (theta + start)))
        return rise

    def gradient(self, theta: Float64, face: Float64) -> Float64:
        gradient = self.weights * np.sign(face)
        return gradient if self.ridge is None else gradient + self.ridge * theta


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
    penalty: Penalised

    def point(self, fraction: float) -> tuple[Float64, CurvedState]:
        """Coefficients and state at a fraction of the step."""
        state, theta, linear = self.state, self.goal, self.linear
        if fraction < 1.0:
            theta = self.theta + fraction * (self.goal - self.theta)
            linear = state.linear + fraction * self.change
        return theta, state_at(state.outputs, linear, state.intercept + fraction * self.shift)

    def rise(self, theta: Float64, state: CurvedState) -> float:
        """f at a point less f at the start."""
        increase = state.prediction.losses - self.state.prediction.losses
        return float(state.outputs.weights @ increase) + self.penalty.rise(theta, self.theta)

    def goes_down(
        self, theta: Float64, state: CurvedState, features: Index, negligible: float
    ) -> bool:
        """Whether f at a point is no higher than at the start, or higher by negligible rounding."""
        rise, on = self.rise(theta, state), self.theta.nonzero()[0]
        return rise <= 0.0 or (
            rise <= negligible and rise <= self.state.rounding_of_loss(features[on], self.theta[on])
        )

    def slope(
        self, state: CurvedState, change: Float64, theta: Float64, face: Float64, step: Float64
    ) -> float:
        """The derivative of f at theta, on a face, along a step that changes outputs."""
        effects = state.outputs.weights @ (state.prediction.residual * change).sum(axis=1)
        return float(self.penalty.gradient(theta, face) @ step) - float(effects)


def line_search(
    working_set: WorkingSet,
    state: CurvedState,
    theta: Float64,
    goal: Float64,
    penalty: Penalised,
    negligible: float,
    modelled: bool = True,
) -> tuple[Float64, CurvedState]:
    """Coefficients between theta and goal, or beyond, at which f is no higher than at theta.

    Or higher by what rounding explains, if that is `negligible`. A goal that was not `modelled` is
    not passed. Towards one that a singular model has sent to infinity no step is made.
    """
    if not isfinite(goal.sum()):
        return theta, state
    linear = state.outputs.linear(working_set, goal)
    change = linear - state.linear
    shift = _intercept_change(state, change)
    line, fraction = Line(state, theta, goal, linear, change, shift, penalty), 1.0
    longest = float(np.abs(change + shift).max())
    shortest = min(SHORTEST, FAR / max(longest, FAR)) if modelled else SHORTEST_GUESS
    while fraction > shortest:
        new, after = line.point(fraction)
        if line.goes_down(new, after, working_set.features, negligible):
            break
        fraction *= 0.5
    else:
        return theta, state
    if fraction == 1.0 and not modelled:
        return new, after
    if fraction < 1.0:
        if fraction * longest <= WIDE:
            return new, after
        return _bisect(line, fraction, max(WIDE / longest, SHORTEST * fraction), (new, after))
    if longest < FAR:
        return new, after
    return _go_beyond(line, working_set, after)


def has_settled(before: CurvedState, after: CurvedState) -> bool:
    """Whether a step has moved no output far, as steps in the tail of an exponential do.

    Where a residual does not depend on an output, that does not count.
    """
    change = np.abs(after.linear + after.intercept - before.linear - before.intercept)
    curvature = after.curvature()
    return bool(
        (curvature.magnitude(change) <= FAR * curvature.magnitude(np.ones_like(change))).all()
    )


def _bisect(
    line: Line, fraction: float, width: float, found: tuple[Float64, CurvedState]
) -> tuple[Float64, CurvedState]:
    """The lowest point between one, a fraction of a step, at which f is not up, and twice that."""
    low, high = fraction, 2.0 * fraction
    direction = line.goal - line.theta
    while high - low > width:
        middle = 0.5 * (low + high)
        new, state = line.point(middle)
        if line.slope(state, line.change, new, new, direction) > 0.0:
            high = middle
        else:
            low, found = middle, (new, state)
    return found


def _go_beyond(
    line: Line, working_set: WorkingSet, state: CurvedState
) -> tuple[Float64, CurvedState]:
    """From the goal go on in the same direction, twice as far each time, while f falls.

    Coordinates that have arrived at the goal stay: twice as far they would be on the other side of
    their optimum, as far from it as they were.
    """
    theta, goal, outputs = line.theta, line.goal, state.outputs
    moving = (np.abs(goal - theta) > SETTLED * np.abs(goal)) & (goal != 0.0)
    direction = (goal - theta) * moving
    change = outputs.linear(working_set, direction)
    slope = line.slope(state, change, goal, goal, direction)
    if slope >= min(STEEP * line.slope(line.state, change, theta, goal, direction), 0.0):
        return goal, state
    first, last = (
        direction
        * (line.penalty.gradient(here, goal) - working_set.columns.correlations(at.residual))
        for here, at in ((theta, line.state), (goal, state))
    )
    moving &= np.abs(last) > ARRIVED * np.abs(first)
    direction *= moving
    change = outputs.linear(working_set, direction)
    crossing = goal * direction < 0.0
    limit = 1.0 + float((-goal[crossing] / direction[crossing]).min(initial=np.inf))
    limit = min(limit, FARTHEST / max(float(np.abs(change).max()), FARTHEST * SHORTEST))
    steep = min(STEEP * float(first[moving].sum()), 0.0)
    here, length, slope = goal, 1.0, float(last[moving].sum())
    while slope < steep and 2.0 * length <= limit:
        new = goal + (2.0 * length - 1.0) * direction
        after = state_at(outputs, state.linear + length * change, state.intercept)
        slope = line.slope(after, change, new, goal, direction)
        if slope > 0.0:
            break
        here, state, length = new, after, 2.0 * length
    return here, state


def _intercept_change(state: CurvedState, change: Float64) -> Float64:
    """To first order, what a change of the outputs does to the best intercepts.

    Of several, where their means change: else their search starts as near without it.
    """
    of = state.outputs
    if not of.fit_intercept:
        return np.zeros(of.n_outputs)
    if of.n_outputs == 1:
        weights = of.weights * state.curvature().diagonal(0)
        total = float(weights.sum())
        return np.array([-(weights @ change[:, 0]) / total if total > 0.0 else 0.0])
    if np.abs(of.weights @ change).max() < SHIFTED:
        return np.zeros(of.n_outputs)
    curvature = state.curvature()
    root = inverse_root(curvature.total(of.weights))
    sums = of.weights @ curvature.product(change[:, :, None])[:, :, 0]
    return np.asarray(-(root @ (root.T @ sums)))
