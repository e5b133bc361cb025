"""The line search of Newton's method: how far it goes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
from hplasso._design.working_set import WorkingSet
from hplasso._losses.softmax import make_loss

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


@pytest.mark.parametrize("length", [0.1, 0.5])
def test_a_step_along_which_f_falls_is_made(length):
    search = Search(np.zeros(3), np.zeros(3))
    theta, after = search.to(length)
    assert_allclose(theta, length * DIRECTION)
    assert_allclose(after.linear[:, 0], search.X @ theta, atol=1e-12)


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
