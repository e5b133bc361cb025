"""The line search of Newton's method: how far it goes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import hplasso._datafit.line_search
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
from hplasso._design.working_set import GrowingSet
from hplasso._losses.softmax import make_loss


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
    working_set = GrowingSet(design)
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


def test_a_step_goes_on_only_where_it_moved_an_output_far():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = (X @ [3.0, -2.0, 0.0] + rng.logistic(size=60) > 0.0).astype(int)
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    working_set = GrowingSet(term.design)
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
    working_set = GrowingSet(term.design)
    working_set.admit(np.arange(3))
    start, goal = np.array([1.0, 0.0, 0.0]), np.array([1.0 + 1e-12, -0.05, 0.0])
    state = term.state(working_set, start)
    theta, _ = term.line_search(working_set, state, start, goal, (np.full(3, 0.01), None))
    assert theta[1] < -0.15
    assert theta[0] == goal[0]
