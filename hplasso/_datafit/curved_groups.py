"""A curved loss for groups of coefficients: states, Newton's models about them, and steps.

Coordinates are pairs of features and outputs, theta (k, 1): of several classes the coefficients of
a feature for all of them can be a group. The models and the line search are those of single
coefficients (`hessian`, `line_search`); of one output and more columns than samples, a model can be
by columns, C with C'C = H.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._design.working_set import WorkingSet
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index
from .curved_state import CurvedState
from .group_term import GroupModel
from .hessian import Hessian
from .line_search import Penalised, line_search
from .newton import CurvedTerm


class CurvedGroupState(NamedTuple):
    """The state of the loss, z (p, 1), and rounding."""

    state: CurvedState
    z: Float64
    rounding: CorrelationRounding
    hidden: float

    @property
    def loss(self) -> float:
        return self.state.loss

    @property
    def intercept(self) -> Float64:
        return self.state.intercept

    def divergence(self, kappa: float) -> float:
        return self.state.divergence(kappa)

    def intercept_cost(self, delta: Float64) -> float:
        return self.state.intercept_cost(delta)


class CurvedGroups:
    """A convex loss under the design's weights, for groups."""

    quadratic, convex, n_targets = False, True, 1

    def __init__(self, term: CurvedTerm) -> None:
        self.term, self.design, self.scale = term, term.design, term.scale
        self.curvature = term.loss.largest_curvature
        self.working_set = WorkingSet(term.design)
        self._hessian = Hessian(term.outputs.design, term.loss, term.outputs.fit_intercept)

    @property
    def norm(self) -> float:
        return self.term.norm

    def states(self, features: Index, theta: Float64) -> list[CurvedGroupState]:
        self.working_set.admit(features)
        found = []
        for m in range(theta.shape[2]):
            values = self._on_working_set(features, theta[..., m])
            state = self.term.state(self.working_set, values)
            found.append(self._observed(features, theta[:, 0, m], state))
        return found

    def _on_working_set(self, features: Index, theta: Float64) -> Float64:
        """Coefficients (k, 1) of some features, as those of the working set."""
        values = np.zeros(self.working_set.features.size)
        values[self.working_set.position[features]] = theta[:, 0]
        return values

    def _observed(self, features: Index, theta: Float64, state: CurvedState) -> CurvedGroupState:
        z, _ = self.term.correlations(self.working_set, state, None, False)
        rounding, hidden = self.term.rounding(features, theta, state, None)
        return CurvedGroupState(state, z[:, None], rounding, hidden)

    def model(
        self, state: CurvedGroupState, features: Index, theta: Float64, dual: bool, exact: bool
    ) -> GroupModel:
        self.working_set.admit(features)
        if exact:
            self._hessian.forget()
        z = state.z[features]
        if dual and self.term.n_outputs == 1 and features.size > self.design.shape[0]:
            columns = self._columns(state.state, features)
            return GroupModel(columns, columns.T @ (columns @ theta) + z, by_columns=True)
        positions = self.working_set.position[features]
        gram = self._hessian.at(self.working_set, state.state.prediction, positions)
        return GroupModel(gram, gram @ theta + z)

    def _columns(self, state: CurvedState, features: Index) -> Float64:
        """C (n, k): the weighted columns less their means under the curvatures."""
        root = np.sqrt(state.curvature().diagonal(0))
        columns = self.design.block(features) * root[:, None]
        if self.term.outputs.fit_intercept:
            root = root * self.term.outputs.sqrt_weights
            square = float(root @ root)
            if square > 0.0:
                columns -= root[:, None] * (root @ columns / square)
        return np.asarray(columns)

    def step(
        self,
        state: CurvedGroupState,
        features: Index,
        theta: Float64,
        goal: Float64,
        penalty: Penalised,
    ) -> tuple[Float64, CurvedGroupState]:
        start, end = (self._on_working_set(features, values) for values in (theta, goal))
        new, reached = line_search(
            self.working_set, state.state, start, end, penalty, self.term.negligible
        )
        new = new[self.working_set.position[features]]
        return new[:, None], self._observed(features, new, reached)

    def written_intercept(
        self, state: CurvedGroupState, features: Index, theta: Float64
    ) -> Float64:
        K = self.term.n_outputs
        shifts = np.bincount(features % K, self.design.mean[features] * theta[:, 0], K)
        return np.asarray(state.intercept - shifts)
