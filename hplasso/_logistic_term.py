"""Logistic loss, of two classes or more.

With K outputs f_i = b + x_i'theta for C classes, and probabilities P,

    loss(y, f) = log sum_c exp f_c - f_y,        r = Y - P,        Hessian  P_k (delta_kl - P_l).

For C >= 3 classes K = C. Two classes have one output, the other's is held at zero. Y marks the
classes, shape (n, C). The intercepts b are at their optimum in every state, so that sum_i v_i r_ik
= 0 for every output k: kappa r is feasible for the dual problem together with r. Its value there
is in terms of Q = (1 - kappa) Y + kappa P, and its divergence is that of Kullback and Leibler,

    sum_i v_i sum_c Q_ic log(Q_ic / P_ic).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax, xlogy

from ._certificate import ROUNDING
from ._correlations import Correlations
from ._data_terms import Model
from ._design import Design
from ._stacked import AnyDesign, StackedDesign
from ._typing import Float64, Index
from ._working_set import WorkingSet

# Part of the decrease promised by slope alone that a step has to make (Armijo), and the shortest.
SUFFICIENT, SHORTEST = 1e-4, 1e-12
MAX_INTERCEPT_STEPS = 100


class LogisticState(NamedTuple):
    """Outputs without intercept (n, K), intercept (K,), log P (n, C), sqrt(v) r (n K,), and L."""

    linear: Float64
    intercept: Float64
    log_probabilities: Float64
    residual: Float64
    loss: float
    marks: Float64
    weights: Float64

    def divergence(self, kappa: float) -> float:
        shrunk = (1.0 - kappa) * self.marks + kappa * np.exp(self.log_probabilities)
        terms = xlogy(shrunk, shrunk) - shrunk * self.log_probabilities
        return max(0.0, float(self.weights @ terms.sum(axis=1)))


class LogisticTerm:
    """Logistic loss of marks Y, of shape (n, C), under the design's weights."""

    def __init__(self, design: Design, marks: Float64, fit_intercept: bool) -> None:
        self.base = design
        self.marks = marks
        self.weights = design.root**2
        self.fit_intercept = fit_intercept
        self.n_outputs = 1 if marks.shape[1] == 2 else marks.shape[1]
        self.design: AnyDesign = design
        if self.n_outputs > 1:
            self.design = StackedDesign(design, self.n_outputs)
        self.shares = self.weights @ marks
        self._scale_back = np.divide(
            1.0, design.root, out=np.zeros_like(design.root), where=design.root > 0.0
        )
        self.norm = 1.0
        start = np.zeros((len(marks), self.n_outputs))
        self.null_state = self._state(start, np.zeros(self.n_outputs))
        self.scale = self.null_state.loss
        self._correlations = Correlations(self.design)

    def state(self, working_set: WorkingSet, theta: Float64) -> LogisticState:
        if not theta.any():
            return self.null_state
        return self._state(self._linear(working_set, theta), self.null_state.intercept)

    def _linear(self, working_set: WorkingSet, theta: Float64) -> Float64:
        predicted = working_set.columns.predict(theta).reshape(-1, self.n_outputs)
        return predicted * self._scale_back[:, None]

    def _state(self, linear: Float64, intercept: Float64) -> LogisticState:
        """The state with these outputs, where the search for the intercept starts as given."""
        if self.fit_intercept:
            find = _binary_intercept if self.n_outputs == 1 else _intercepts
            intercept = find(linear, self.weights, self.shares, intercept)
        log_p = log_probabilities(linear + intercept)
        p = np.exp(log_p)
        residual = (self.marks - p)[:, 1:] if self.n_outputs == 1 else self.marks - p
        if self.n_outputs == 1:  # to the last digit: 1 - P_1 = P_0
            residual = np.where(self.marks[:, 1:] > 0.0, p[:, :1], -p[:, 1:])
        loss = -float(self.weights @ (self.marks * log_p).sum(axis=1))
        residual = (self.base.root[:, None] * residual).ravel()
        return LogisticState(linear, intercept, log_p, residual, loss, self.marks, self.weights)

    def correlations(
        self,
        working_set: WorkingSet,
        state: LogisticState,
        limit: Float64 | float | None,
        positive: bool,
    ) -> Float64:
        return self._correlations.at(state.residual, working_set, limit, positive)

    def model(
        self,
        working_set: WorkingSet,
        state: LogisticState,
        support: Index,
        z: Float64,
        penalty: Float64,
        likely: Index,
    ) -> Model:
        moving = np.abs(z) > penalty
        moving[likely] = True
        moving[support] = False
        where = np.concatenate([support, moving.nonzero()[0]])
        gram = self._hessian(working_set, state, where)
        places = np.searchsorted(where[support.size :], likely) + support.size
        return Model(where, gram, np.arange(support.size), places, self._square(state), 1)

    def _square(self, state: LogisticState) -> float:
        """||H^-1/2 r||^2: (1 - P_y) / P_y from each sample."""
        with np.errstate(over="ignore"):
            odds = np.expm1(-(self.marks * state.log_probabilities).sum(axis=1))
        return float(self.weights @ np.minimum(odds, 1e300))

    def _hessian(self, working_set: WorkingSet, state: LogisticState, where: Index) -> Float64:
        """The Hessian of L, the intercepts eliminated, on coordinates of the working set."""
        columns, places, outputs = working_set.columns.split(where)
        groups = [np.flatnonzero(outputs == k) for k in range(self.n_outputs)]
        root = self.base.root
        hessian = np.empty((where.size, where.size))
        totals = np.empty((where.size, self.n_outputs))
        between = np.empty((self.n_outputs, self.n_outputs))
        for k, left in enumerate(groups):
            for m, right in enumerate(groups[: k + 1]):
                curvature = self._curvature(state, k, m)
                first = places[left]
                second = first if m == k else places[right]
                block = columns.cross(first, second, curvature)
                hessian[np.ix_(left, right)] = block
                hessian[np.ix_(right, left)] = block.T
                totals[left, m] = columns.total(first, root * curvature)
                totals[right, k] = columns.total(second, root * curvature)
                between[k, m] = between[m, k] = self.weights @ curvature
        if self.fit_intercept:
            hessian -= totals @ np.linalg.pinv(between, hermitian=True) @ totals.T
        return hessian

    def _curvature(self, state: LogisticState, k: int, m: int) -> Float64:
        """P_k (delta_km - P_m)."""
        log_p = state.log_probabilities
        if self.n_outputs == 1:
            return np.exp(log_p[:, 0] + log_p[:, 1])
        if k == m:
            return -np.exp(log_p[:, k]) * np.expm1(log_p[:, k])
        return -np.exp(log_p[:, k] + log_p[:, m])

    def advance(
        self,
        working_set: WorkingSet,
        state: LogisticState,
        theta: Float64,
        goal: Float64,
        penalty: tuple[Float64, Float64 | None],
    ) -> tuple[Float64, LogisticState]:
        """Line search on f, from the whole step down."""
        linear = self._linear(working_set, goal)
        way, change = goal - theta, linear - state.linear
        here = _cost(theta, penalty)
        rounded = ROUNDING * (state.loss + here)
        slope = _cost(goal, penalty) - here
        slope -= float(state.residual @ (self.base.root[:, None] * change).ravel())
        fraction = 1.0
        while fraction > SHORTEST:
            new = goal if fraction == 1.0 else theta + fraction * way
            outputs = linear if fraction == 1.0 else state.linear + fraction * change
            at_new = self._state(outputs, state.intercept)
            rise = at_new.loss - state.loss + _cost(new, penalty) - here
            if rise <= SUFFICIENT * fraction * min(slope, 0.0) + rounded:
                return new, at_new
            fraction *= 0.5
        return theta, state

    def rows(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None


def _cost(theta: Float64, penalty: tuple[Float64, Float64 | None]) -> float:
    """The penalty of theta."""
    weights, ridge = penalty
    cost = float(weights @ np.abs(theta))
    return cost if ridge is None else cost + 0.5 * float(ridge @ theta**2)


def log_probabilities(outputs: Float64) -> Float64:
    """log P, of shape (n, C); accurate in both tails."""
    if outputs.shape[1] > 1:
        return np.asarray(log_softmax(outputs, axis=1))
    return np.hstack([log_expit(-outputs), log_expit(outputs)])


def _binary_intercept(
    linear: Float64, weights: Float64, shares: Float64, start: Float64
) -> Float64:
    """b with sum_i v_i expit(f_i + b) = share of the second class: Newton, kept in a bracket."""
    outputs, share = linear[:, 0], shares[1]
    rest = np.log(shares[1]) - np.log(shares[0])
    low, high = rest - outputs.max(), rest - outputs.min()
    b = float(np.clip(start[0], low, high))
    for _ in range(MAX_INTERCEPT_STEPS):
        p = expit(outputs + b)
        excess = float(weights @ p) - share
        low, high = (low, b) if excess > 0.0 else (b, high)
        curvature = float(weights @ (p * (1.0 - p)))
        step = -excess / curvature if curvature > 0.0 else np.inf
        new = b + step if low <= b + step <= high else 0.5 * (low + high)
        if np.abs(excess) <= ROUNDING * share or new == b:
            break
        b = new
    return np.array([b])


def _intercepts(linear: Float64, weights: Float64, shares: Float64, start: Float64) -> Float64:
    """b with sum_i v_i P_ik = the share of class k, of mean zero.

    Newton; where that does not lower the loss, b_k += log(share_k / sum_i v_i P_ik), which does
    (iterative scaling).
    """

    def loss(b: Float64) -> float:
        return float(weights @ logsumexp(linear + b, axis=1) - b @ shares)

    b, value = start, loss(start)
    for _ in range(MAX_INTERCEPT_STEPS):
        p = softmax(linear + b, axis=1)
        total = weights @ p
        excess = total - shares
        if np.abs(excess).max() <= ROUNDING:
            break
        curvature = np.diag(total) - (p * weights[:, None]).T @ p
        new = b - np.linalg.lstsq(curvature, excess, rcond=1e-12)[0]
        at_new = loss(new)
        if not at_new <= value:
            new = b + np.log(shares / total)
            at_new = loss(new)
        if not at_new <= value + ROUNDING * abs(value):
            break
        b, value = new - new.mean(), at_new
    return b
