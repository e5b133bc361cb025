"""Squared loss on a design, from the data or from their moments.

With Z and y weighted and centred, L = 1/2 ||y - Z theta||^2, r = y - Z theta, and z = c - G theta
for c = Z'y and the Gram matrix G = Z'Z. The model about any state is L itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from .._design.correlations import ALL, Correlations
from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.squared import SquaredLoss
from .._numerics.rounding import UNIT, CorrelationRounding
from .._numerics.typing import Float64, Index
from .base import Limit, Model, Penalty
from .iterate import Iterate

# The relative error of a loss that is reported, above which it is computed from X once more rather
# than from moments: a pass over the support against digits of a criterion.
DIGITS = 1e-10


class SquaredState(NamedTuple):
    """r, or z of all features where the data are not there; ||r||^2 and m_y."""

    residual: Float64
    square: float
    intercept: float

    @property
    def loss(self) -> float:
        return 0.5 * self.square

    def divergence(self, kappa: float) -> float:
        return 0.5 * (1.0 - kappa) ** 2 * self.square

    def intercept_cost(self, delta: Float64) -> float:
        return 0.5 * float(delta @ delta)

    def model_square(self) -> float:
        return self.square

    def hessian_product(self, change: Float64) -> Float64:
        return change

    def hessian_on(self, working_set: WorkingSet, where: Index) -> Float64:
        block = working_set.design.block(working_set.features[where])
        return np.asarray(block.T @ block)

    def hessian_root(self, columns: Float64) -> Iterable[Float64]:
        return [columns]

    def correlate(self, columns: Float64) -> Float64:
        return columns.T @ self.residual[:, None]

    def refined(self, change: Float64) -> tuple[SquaredState, float]:
        return self._replace(residual=self.residual - change), 0.5 * float(change @ change)


class SquaredTerm(ABC):
    """Squared loss: exact models, on the whole working set."""

    def __init__(self, design: Design, loss: SquaredLoss) -> None:
        self.design, self.loss = design, loss
        self.quadratic, self.convex = loss.quadratic, loss.convex
        self.response, self.scale = loss.response, loss.square
        self.norm = sqrt(self.scale)

    @abstractmethod
    def state(self, working_set: WorkingSet, theta: Float64) -> SquaredState:
        """The state at coefficients on the working set."""

    def loss_at(self, working_set: WorkingSet, theta: Float64) -> float:
        """The loss at coefficients on the working set, with digits of its own."""
        return self.state(working_set, theta).loss

    @abstractmethod
    def _targets(self, working_set: WorkingSet) -> Float64:
        """c on the working set."""

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalties: Penalty,
        predicted: Index,
        products: float,
    ) -> Model:
        gram = working_set.operator(support, penalties[1], products > 0.0)
        return Model(ALL, gram, self._targets(working_set), support)

    def refresh(self) -> None:
        return  # models always are exact

    def line_search(
        self,
        working_set: WorkingSet,
        state: Any,
        theta: Float64,
        goal: Float64,
        penalty: Penalty,
        modelled: bool = True,
    ) -> tuple[Float64, Any]:
        return goal, self.state(working_set, goal)

    def image(self, columns: Float64, values: Float64) -> Float64:
        return columns @ values[:, 0]


class LeastSquares(SquaredTerm):
    """Squared loss from the data."""

    def __init__(self, design: Design, y: Float64) -> None:
        super().__init__(design, SquaredLoss(y, design.sqrt_weights, design.fit_intercept))
        self._target = np.empty(0)  # c
        self._columns: Any = None  # that it is of

    @cached_property
    def _correlations(self) -> Correlations:
        return Correlations(self.design)

    def state(self, working_set: WorkingSet, theta: Float64) -> SquaredState:
        residual = self.response
        if theta.any():
            residual = residual - working_set.columns.predict(theta)
        return SquaredState(residual, float(residual @ residual), self.loss.intercept)

    def correlations(
        self, working_set: WorkingSet, state: SquaredState, limit: Limit, positive: bool
    ) -> tuple[Float64, Index | slice]:
        return self._correlations.at(state.residual, working_set, limit, positive)

    def rounding(
        self, support: Index, values: Float64, state: SquaredState, limit: Limit
    ) -> tuple[CorrelationRounding, float]:
        """z is that of the r at hand; hidden is only r'(r - y + Z theta).

        Its terms are as likely of either sign; their squares add up to the square of this, or less.
        """
        sizes = self.design.size[support] * np.abs(values)
        hidden = UNIT * float(np.abs(state.residual).max()) * sqrt(sizes @ sizes)
        return CorrelationRounding(self.norm + float(sizes.sum())), hidden

    def _targets(self, working_set: WorkingSet) -> Float64:
        columns, known = working_set.columns, self._target.size
        if columns is not self._columns:
            self._columns, self._target, known = columns, np.empty(0), 0
        if known < working_set.features.size:
            new = columns.correlations(self.response)[known:]
            self._target = np.concatenate([self._target, new])
        return self._target

    def dual_form(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        if working_set.features.size <= self.design.shape[0]:
            return None, None
        return self.design.block(working_set.features).T, self.response


class LeastSquaresMoments(SquaredTerm):
    """Squared loss from G, c and ||y||^2, which determine it: X is not needed.

    The residual of a state is z = c - G theta, of all features.
    """

    def __init__(self, gram: Float64, target: Float64, data: LeastSquares) -> None:
        super().__init__(data.design, data.loss)
        self.gram, self.target = gram, target

    def state(self, working_set: WorkingSet, theta: Float64) -> SquaredState:
        support = np.flatnonzero(theta)
        z = self.target - theta[support] @ self.gram[support]
        square = max(0.0, self.scale - float(theta @ (self.target + z)))
        return SquaredState(z, square, self.loss.intercept)

    def loss_at(self, working_set: WorkingSet, theta: Float64) -> float:
        """From the residual, where ||y||^2 and Z theta cancel in that of the moments."""
        support = np.flatnonzero(theta)
        square = self.state(working_set, theta).square
        if self._hidden(self.design.size[support] * np.abs(theta[support])) > DIGITS * square:
            columns = self.design.columns()
            columns.append(support)
            residual = self.response - columns.predict(theta[support])
            square = float(residual @ residual)
        return 0.5 * square

    def correlations(
        self, working_set: WorkingSet, state: SquaredState, limit: Limit, positive: bool
    ) -> tuple[Float64, slice]:
        return state.residual, ALL

    def rounding(
        self, support: Index, values: Float64, state: SquaredState, limit: Limit
    ) -> tuple[CorrelationRounding, float]:
        """Here the gap misses all that correlations are off by."""
        sizes = self.design.size[support] * np.abs(values)
        return CorrelationRounding(self.norm + float(sizes.sum())), self._hidden(sizes)

    def _hidden(self, sizes: Float64) -> float:
        """What rounding may be off by in theta'z, and in ||r||^2, for |theta_j| times lengths."""
        length = sqrt(sizes @ sizes)
        return UNIT * (self.norm + length) * length

    def _targets(self, working_set: WorkingSet) -> Float64:
        return self.target

    def dual_form(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None
