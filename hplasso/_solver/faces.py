"""Points and faces of the restricted problem, and what optimality says of them."""

from typing import NamedTuple

import numpy as np

from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index, Mask
from .restricted_problem import RestrictedProblem

# At most this many coordinates enter at a time, and no more than a GROWTH-th of the support.
# Each changes the correlations of the others: with more at a time most have to leave again, with
# fewer there are more faces to solve. GROWTH from 4 to 16: paths within 10 % (constants.py).
MIN_ENTRANTS = 10
GROWTH = 8
# At most this many leave at a time, and no more than a LEAVING-th of the support: on nearly
# saturated supports half of the signs may come out wrong at first. With more at a time a fit there
# takes twice as many solutions, with fewer every path some more (constants.py).
MIN_LEAVING = 5
LEAVING = 16


class Point(NamedTuple):
    """theta, its correlations z = c - G theta, its support, and whether it is optimal.

    The support is in the order of entry. Where the linear solver is exact, it is independent
    wherever a finish starts or ends; conjugate gradients may leave dependent columns in it.
    """

    theta: Float64
    z: Float64
    support: Index
    optimal: bool = False


class Face(NamedTuple):
    """A support with its signs; where columns are dependent, the first `n_trusted` stay."""

    support: Index
    signs: Float64
    n_trusted: int


class Solution(NamedTuple):
    """A solution on the working set, the sweeps that it took, and g - f at their last factors."""

    point: Point
    sweeps: int
    imbalance: float = 0.0


def point_at(problem: RestrictedProblem, support: Index, values: Float64) -> Point:
    """The point with these values on the support."""
    theta = np.zeros(len(problem.target))
    theta[support] = values
    return Point(theta, problem.correlations(theta, support), support)


def point_of(problem: RestrictedProblem, theta: Float64) -> Point:
    """The point theta."""
    support = theta.nonzero()[0]
    return Point(theta, problem.correlations(theta, support), support)


def without_rounding(problem: RestrictedProblem, point: Point) -> Point:
    """The point without coefficients that move their own correlation by less than it errs.

    Where a feature has just reached its limit, as at a breakpoint of a path, that is all of its
    coefficient.
    """
    support, values = point.support, point.theta[point.support]
    shows = np.abs(values) * problem.diagonal[support] > problem.rounding_error[support]
    if problem.unpenalised is not None:
        shows |= problem.unpenalised[support]
    if np.count_nonzero(shows) == support.size:
        return point
    return point_at(problem, support[shows], values[shows])._replace(optimal=point.optimal)


def entered_face(point: Point, entrants: Index) -> Face:
    """The face of a point and of the coordinates that enter."""
    support = np.concatenate([point.support, entrants])
    signs = np.sign(np.concatenate([point.theta[point.support], point.z[entrants]]))
    return Face(support, signs, point.support.size)


def violators(problem: RestrictedProblem, point: Point, accuracy: Float64 | None = None) -> Index:
    """The coordinates at zero that are not optimal there, by more than rounding.

    By more than the accuracy of a linear solver, too, if that is given. Along a coordinate without
    curvature, as of a model where all predictions are certain, there is nothing to find.
    """
    abs_correlation = point.z if problem.positive else np.abs(point.z)
    limit = problem.limit if accuracy is None else problem.limit + accuracy
    beyond = (abs_correlation > limit).nonzero()[0]
    if not beyond.size:
        return beyond
    return beyond[(point.theta[beyond] == 0.0) & (problem.diagonal[beyond] > 0.0)]


def largest_violators(problem: RestrictedProblem, point: Point, entrants: Index) -> Index:
    """Of violators, those with the largest correlation relative to the penalty, few at a time."""
    room = max(MIN_ENTRANTS, point.support.size // GROWTH)
    if entrants.size <= room:
        return entrants
    cost_ratio = problem.penalty[entrants] / np.abs(point.z[entrants])
    return entrants[np.argpartition(cost_ratio, room)[:room]]


def increase(problem: RestrictedProblem, before: Point, after: Point) -> float:
    """f after less f before; 0 if that is rounding.

    It is computed from differences, as f itself would round them away.
    """
    smooth = -0.5 * float((after.theta - before.theta) @ (before.z + after.z))
    size = np.abs(after.theta)
    change = smooth + float(problem.penalty @ (size - np.abs(before.theta)))
    size = problem.penalty @ size + np.abs(problem.target @ after.theta)
    return change if abs(change) > UNIT * float(size) else 0.0


def proximal_face(part: RestrictedProblem, positions: Index, theta: Float64, z: Float64) -> Face:
    """Where one proximal step takes coordinates; those that are still shrinking go to zero."""
    step = theta * part.diagonal + z
    stays = (step if part.positive else np.abs(step)) > part.penalty
    if part.unpenalised is not None:
        stays |= part.unpenalised
    if np.count_nonzero(stays) < stays.size:
        positions, step = positions[stays], step[stays]
    return Face(positions, np.sign(step), positions.size)


def first_to_leave(before: Float64, values: Float64, wrong: Mask, few: bool = False) -> Mask:
    """Of the wrong signs, if they are many, those that reach zero first on the step to `values`.

    If `few`, a MIN_LEAVING-th of the others' number at a time: one, on a small support.
    """
    leaving, room = wrong.nonzero()[0], max(MIN_LEAVING, wrong.size // LEAVING)
    if few:
        room //= MIN_LEAVING
    if leaving.size > room:
        start = np.abs(before[leaving])
        step = start + np.abs(values[leaving])
        fractions = np.divide(start, step, out=np.zeros_like(start), where=step > 0.0)
        wrong[leaving[np.argpartition(fractions, room)[room:]]] = False
    return wrong


def move_to_zero(
    theta: Float64, on: Index, direction: Float64, shrinking: Mask, length: float
) -> tuple[Float64, float]:
    """Go `length` along `direction`, or to where the first of the `shrinking` reaches zero.

    Returns also the length to there: if that is infinite, none does, and with an infinite length
    theta stays.
    """
    start, theta = theta[on], theta.copy()
    positions = shrinking.nonzero()[0]
    distance = np.abs(start[positions] / direction[positions])
    first = float(distance.min(initial=np.inf))
    if length < first:
        theta[on] = start + length * direction
    elif np.isfinite(first):
        theta[on] = start + first * direction
        theta[on[positions[distance == first]]] = 0.0
    return theta, first
