"""The line search of Newton's method: how far it goes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from scipy.special import expit

import hplasso._datafit.line_search
from hplasso._datafit.line_search import _intercept_change
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
from hplasso._design.working_set import WorkingSet
from hplasso._losses.softmax import make_loss
from hplasso._losses.tweedie import TweedieLoss
from hplasso._numerics.typing import NOBODY, NOTHING


@pytest.mark.parametrize("fraction", [0.02, 0.05, 0.1, 0.17, 0.3, 0.45, 0.7])
@pytest.mark.parametrize("ridge", [None, 0.1])
def test_a_step_goes_on_while_f_falls(fraction, ridge, monkeypatch):
    """Twice as far each time, until f falls at less than a quarter of its first rate, or rises."""
    monkeypatch.setattr(hplasso._datafit.line_search, "FAR", 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    X -= X.mean(axis=0)
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    design = make_design(X, weights, False)
    term = CurvedTerm(design, make_loss(y, 2, weights), False)
    working_set = WorkingSet(design)
    working_set.admit(np.arange(3))
    direction, penalty = fraction * np.array([2.0, -1.5, 0.0]), np.full(3, 0.01)
    rho = None if ridge is None else np.full(3, ridge)

    def slope(length):
        theta = length * direction
        residual = y - 1.0 / (1.0 + np.exp(-X @ theta))
        abs_correlation = residual @ X / 60 - (0.0 if ridge is None else ridge * theta)
        return (penalty * np.sign(direction) - abs_correlation) @ direction

    length = 1.0
    while slope(length) < 0.25 * slope(0.0) and slope(2.0 * length) <= 0.0:
        length *= 2.0
    zero = np.zeros(3)
    state = term.state(working_set, zero)
    theta, after = term.line_search(working_set, state, zero, direction, (penalty, rho))
    assert_allclose(theta, length * direction)
    assert_allclose(after.linear[:, 0], X @ theta, atol=1e-12)
    guessed, _ = term.line_search(working_set, state, zero, direction, (penalty, rho), False)
    assert_allclose(guessed, direction)  # is not passed


def test_a_step_goes_on_only_where_it_moved_an_output_far():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(3))
    zero, direction = np.zeros(3), np.array([2.0, -1.5, 0.0]) / np.abs(X @ [2.0, -1.5, 0.0]).max()
    state = term.state(working_set, zero)
    for largest, goes_on in ((0.18, False), (0.22, True)):
        theta, _ = term.line_search(
            working_set, state, zero, largest * direction, (np.full(3, 0.01), None)
        )
        assert (theta[0] > 1.5 * largest * direction[0]) == goes_on


def test_a_step_that_goes_on_leaves_what_has_settled(monkeypatch):
    """It moves by rounding only, which is not to grow."""
    monkeypatch.setattr(hplasso._datafit.line_search, "FAR", 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(3))
    start, goal = np.array([1.0, 0.0, 0.0]), np.array([1.0 + 1e-12, -0.05, 0.0])
    state = term.state(working_set, start)
    theta, _ = term.line_search(working_set, state, start, goal, (np.full(3, 0.01), None))
    assert theta[1] < -0.15
    assert theta[0] == goal[0]


def test_a_step_that_goes_on_leaves_what_has_arrived():
    """Twice as far, a coordinate at its optimum would be as far from it, on the other side."""
    rng = np.random.default_rng(0)
    X = np.zeros((60, 2))
    X[:50, 0], X[50:, 1] = rng.normal(size=50), 1.0  # they share no samples
    y = (np.arange(60) >= 50).astype(int)
    y[:50] = X[:50, 0] + rng.logistic(size=50) > 0.0
    weights, penalty = np.full(60, 1 / 60), np.array([0.01, 1e-12])
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(2))

    def slope(value):
        residual = y[:50] - expit(X[:50, 0] * value)
        return X[:50, 0] @ residual / 60 - 0.01

    best = brentq(slope, 0.0, 10.0)
    start, goal = np.array([best - 0.002, 10.0]), np.array([best, 11.0])  # of one unit in the tail
    state = term.state(working_set, start)
    theta, after = term.line_search(working_set, state, start, goal, (penalty, None))
    assert theta[1] >= 12.0
    assert theta[0] == goal[0]
    assert_allclose(after.linear[:, 0], X @ theta, atol=1e-12)


DIRECTION = np.array([1.0, -0.75, 0.0])


class Search:
    """A line search of two classes along `DIRECTION`; one sample has the given values."""

    def __init__(self, start, outlier, ridge=None):
        rng = np.random.default_rng(0)
        self.X, self.start = rng.normal(size=(60, 3)), np.array(start)
        self.y = (self.X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
        self.X[:, 2], self.X[0], self.y[0] = 0.0, outlier, 0
        weights = np.full(60, 1 / 60)
        self.ridge = np.zeros(3) if ridge is None else np.full(3, ridge)
        self.penalty = np.full(3, 0.01), None if ridge is None else self.ridge
        loss = make_loss(self.y, 2, weights)
        self.term = CurvedTerm(make_design(self.X, weights, False), loss, False)
        self.working_set = WorkingSet(self.term.design)
        self.working_set.admit(np.arange(3))

    def to(self, length):
        state = self.term.state(self.working_set, self.start)
        goal = self.start + length * DIRECTION
        return self.term.line_search(self.working_set, state, self.start, goal, self.penalty)

    def f(self, length):
        theta = self.start + length * DIRECTION
        outputs = self.X @ theta
        loss = np.mean(np.logaddexp(0.0, outputs) - self.y * outputs)
        return loss + np.sum(0.01 * np.abs(theta) + 0.5 * self.ridge * theta**2)


@pytest.mark.parametrize("ridge", [None, 0.75])
def test_a_step_against_a_wall_ends_where_f_is_lowest(ridge):
    """To within ten units of the outlier's output."""
    search = Search([0.0, 0.0, -0.35], [1e4, 0.0, 1e4], ridge)
    lengths = np.linspace(0.0, 1.0, 10_001)
    best = lengths[np.argmin([search.f(length) for length in lengths])]
    theta, _ = search.to(1.0)
    assert search.f(theta[0]) <= search.f(0.0)
    assert theta[0] == pytest.approx(best, abs=1.1e-3)
    assert best > 0.15


@pytest.mark.parametrize("size", [1e10, 1e15, 1e20])
def test_walls_are_found_next_to_the_start_and_far_from_it(size):
    """Where f is lowest, though that is next to nothing of the step, or known to rounding alone."""
    near = Search([-2.0 * np.log(size) / size, 0.0, 0.0], [size, 0.0, 0.0])
    theta, _ = near.to(1.0)
    # the outlier's residual times its value is what is left of the others
    assert theta[0] * size == pytest.approx(-np.log(size), abs=12.0)
    far = Search([-0.3, 0.0, 0.0], [size, 0.0, 0.0])
    theta, _ = far.to(1.0)
    assert theta[0] == pytest.approx(0.0, abs=3e-9)
    assert far.f(theta[0] + 0.3) < far.f(0.0)


def test_what_rounding_hides_of_a_gap_grows_with_the_residuals():
    """Counts of a million: outputs err by their size, and the loss by this times residuals."""
    rng = np.random.default_rng(0)
    y, weights = rng.poisson(1e6, 50).astype(float), np.full(50, 1 / 50)
    design = make_design(rng.normal(size=(50, 2)), weights, True)
    term = CurvedTerm(design, TweedieLoss(y, weights, 1.0), True)
    hidden = term.rounding(NOBODY, NOTHING, term.null_state, 1e6)[1]
    assert hidden >= np.finfo(float).eps * np.log(1e6) * np.linalg.norm(weights * (y - y.mean()))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_intercepts_follow_a_step_to_first_order(n_classes):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 3)) + 2.0, np.arange(60) % n_classes
    weights = rng.random(60)
    weights /= weights.sum()
    design = make_design(X, weights, True).leave_means()
    term = CurvedTerm(design, make_loss(y, n_classes, weights), True)
    working_set = WorkingSet(term.design)
    working_set.admit(np.arange(term.design.shape[1]))
    start = 0.3 * rng.normal(size=term.design.shape[1])
    step = rng.random(start.size)
    if n_classes > 2:  # all outputs together would leave the intercepts alone
        step[np.arange(start.size) % n_classes > 0] = 0.0
    state = term.state(working_set, start)
    change = term.outputs.linear(working_set, start + step) - state.linear
    shift = _intercept_change(state, change)
    there = [term.state(working_set, start + part * step).intercept for part in (1e-4, -1e-4)]
    assert np.abs(shift).max() > 1.0
    assert_allclose(shift, (there[0] - there[1]) / 2e-4, rtol=1e-3)
    centred = change - weights @ change
    assert (_intercept_change(state, centred) == 0.0).all() == (n_classes > 2)
