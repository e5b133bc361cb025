"""A curved loss on a design: states, Newton's models about them, and steps to their solutions.

The intercepts b are at their optimum in every state, so that sum_i v_i r_ik = 0 for every output k,
and kappa r is feasible for the dual problem whenever |kappa z_j| <= lambda_j.

The model about a state is Newton's. Its Hessian costs more than all else here; where it does, one
of an earlier state serves as long as the curvatures have not drifted far (`hessian`).
"""

from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np

from .._design.correlations import Correlations
from .._design.design import Design
from .._design.multi_output import MultiOutputDesign
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._numerics.linalg import GramMatrix, Operator
from .._numerics.rounding import ROUNDING, UNIT, CorrelationRounding
from .._numerics.typing import Float64, Index
from .base import Limit, Model, Penalty
from .curved_state import CurvedState, state_at
from .hessian import Hessian
from .hessian_operator import of_columns
from .iterate import Iterate
from .line_search import SinglePenalty, line_search
from .outputs import Outputs

# A limit of rounding: an error that is less than this part of all limits, or of the loss without
# features, need not be known better.
NEGLIGIBLE = 1e-12
# A formed Hessian has room for so many entrants; for more as long as all coordinates together can
# be independent, or, beside a ridge penalty, for as many as are in the support. Less makes more
# models, more makes Hessians of coordinates that have to leave again (constants.py). Without a
# limit the Hessians of one fit to 1,814 x 10,346 had up to 4,900 coordinates, for 1,000 that stayed
# in, and it took 34 s in place of 4; 97 cold fits to 20 data sets took 1.04 times as long in the
# mean.
FEWEST_ENTRANTS = 40


def scale_of(null_loss: float, rounding: float) -> float:
    """The unit of gaps: the loss without features, of which rounding of the intercept makes a part.

    Where that is all, y is constant; then the loss of which it is NEGLIGIBLE.
    """
    return null_loss if null_loss > rounding else rounding / NEGLIGIBLE


class CurvedTerm:
    """A loss under the design's weights."""

    def __init__(self, design: Design, loss: Loss, fit_intercept: bool) -> None:
        self.loss, self.quadratic, self.convex = loss, loss.quadratic, loss.convex
        self.n_outputs = loss.n_outputs
        single = self.n_outputs == 1
        self.design = design if single else MultiOutputDesign(design, self.n_outputs)
        self.outputs = Outputs(design, loss, fit_intercept)
        start = np.zeros((design.shape[0], self.n_outputs))
        intercept = np.zeros(self.n_outputs) + fit_intercept * loss.null_intercept
        self.null_state = state_at(self.outputs, start, intercept)
        error = ROUNDING * (np.abs(self.null_state.intercept) + loss.mean_rounding)
        self.scale = scale_of(self.null_state.loss, self.null_state.intercept_cost(error))
        self.negligible = NEGLIGIBLE * self.scale
        self._largest_rounding = float(design.rounding.max(initial=0.0))
        self._correlations = Correlations(self.design)
        self._hessian = Hessian(design, loss, fit_intercept)

    @cached_property
    def norm(self) -> float:
        return self.loss.bound_residual(np.zeros((self.outputs.weights.size, self.n_outputs)))

    def state(self, working_set: WorkingSet, theta: Float64) -> CurvedState:
        if not theta.any():
            return self.null_state
        linear = self.outputs.linear(working_set, theta)
        return state_at(self.outputs, linear, self.null_state.intercept)

    def imbalance(self, state: CurvedState) -> float:
        """|sum_i v_i r_i|: zero where the intercept is at its optimum."""
        sums = self.outputs.weights @ state.prediction.residual
        return float(np.abs(sums).max()) if self.outputs.fit_intercept else 0.0

    def interpolate(self, first: CurvedState, last: CurvedState, fraction: float) -> CurvedState:
        """The state at the mean of the outputs of two others, the last with this weight."""
        linear = (1.0 - fraction) * first.linear + fraction * last.linear
        intercept = (1.0 - fraction) * first.intercept + fraction * last.intercept
        return state_at(self.outputs, linear, intercept)

    def correlations(
        self, working_set: WorkingSet, state: CurvedState, limit: Limit, positive: bool
    ) -> tuple[Float64, Index | slice]:
        return self._correlations.at(state.residual, working_set, limit, positive)

    def rounding(
        self, support: Index, values: Float64, state: CurvedState, limit: Limit
    ) -> tuple[CorrelationRounding, float]:
        """From bounds, the largest output for all samples, where these are small enough."""
        effects = self.outputs.design.size[support // self.n_outputs] * values
        largest = float(np.abs(state.linear).max() + np.abs(state.intercept).max())
        largest += sqrt(effects @ effects) + self.loss.mean_rounding
        residual_scale = sqrt(state.residual @ state.residual)
        hidden = UNIT * largest * max(1.0, residual_scale)
        residual_scale += self.loss.curvature_bound(state.prediction) * largest
        lowest = 1.0 if limit is None else limit
        if isinstance(lowest, np.ndarray):
            lowest = float(lowest.min())
        fine = self._largest_rounding * residual_scale <= NEGLIGIBLE * lowest
        if fine and hidden <= self.negligible:
            return CorrelationRounding(residual_scale), hidden
        return self.outputs.rounding(support, values, state, limit)

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalties: Penalty,
        predicted: Index,
        products: float,
    ) -> Model:
        z = iterate.z[working_set.features]
        size = np.abs(z)
        moving = size > penalties[0]
        columns: Any = None
        if products:  # there is another model before what is predicted could enter
            moving[support] = False
            where = np.concatenate([support, moving.nonzero()[0]])
            columns = working_set.columns.operator(where, products=products)
        if columns is not None:
            squares = self.design.column_norms[working_set.features[where]] ** 2
            operator: Operator = of_columns(columns, iterate.state, squares)
        else:
            moving[predicted] = True
            moving[support] = False
            doubled = support.size if penalties[1] is not None else 0
            room = max(FEWEST_ENTRANTS, min(self.design.shape) - support.size, doubled)
            entrants = few_entrants(moving.nonzero()[0], room, size, penalties[0])
            where = np.concatenate([support, entrants])
            gram = self._hessian.at(working_set, iterate.state.prediction, where)
            operator = GramMatrix(gram)
        target = operator @ iterate.theta[where] + z[where]
        return Model(where, operator, target, np.arange(support.size))

    def refresh(self) -> None:
        self._hessian.forget()

    def line_search(
        self,
        working_set: WorkingSet,
        state: CurvedState,
        theta: Float64,
        goal: Float64,
        penalty: Penalty,
        modelled: bool = True,
    ) -> tuple[Float64, CurvedState]:
        penalised = SinglePenalty(*penalty)
        return line_search(working_set, state, theta, goal, penalised, self.negligible, modelled)

    def image(self, columns: Float64, values: Float64) -> Float64:
        image = np.zeros((len(columns), self.n_outputs))
        for column, value in zip(columns.T, values, strict=True):
            image += column[:, None] * self.loss.contrasts(value)
        return image.ravel()

    def dual_form(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None


def few_entrants(entrants: Index, room: int, size: Float64, penalty: Float64) -> Index:
    """Of entrants, no more than there is room for: |z_j| is largest, for lambda_j."""
    if entrants.size <= room:
        return entrants
    size, penalty = size[entrants], penalty[entrants]
    ratio = np.divide(size, penalty, out=np.full(size.size, np.inf), where=penalty > 0.0)
    return entrants[np.argpartition(-ratio, room)[:room]]
