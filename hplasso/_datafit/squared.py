"""The loss, as the path driver sees it; and the squared loss.

Inside the package the objective is, with weights v_i >= 0 that sum to one and penalty weights w_j,

    f(theta) = L(theta) + alpha sum_j w_j (|theta_j| + ratio/2 theta_j^2),
    L(theta) = sum_i v_i loss(y_i, b + x_i'theta),

minimised over b as well. Squared loss, 1/2 (y - f)^2, is here; logistic loss, in `newton`.
For squared loss, b = m_y - m'theta with the weighted means m_y of y and m of X's columns, so that
L = 1/2 ||y - Z theta||^2 with the design's Z, and y weighted and centred in the same way. n and p
count samples and features, theta holds the coefficients, z = -grad L = Z'r.

A loss answers with *states*: what it is like at some theta. About a state it has a quadratic
*model*, which goes to the solver; and it *advances* towards the model's solution.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from .._design.correlations import ALL, Correlations
from .._design.design import Design
from .._design.working_set import WorkingSet
from .._numerics.operator import Operator
from .._numerics.rounding import ROUNDING, UNIT, CorrelationRounding
from .._numerics.typing import Float64, Index
from .iterate import Iterate


class State(Protocol):
    """A loss at some coefficients; `intercept` is that of the centred features."""

    intercept: Any

    @property
    def loss(self) -> float:
        """L."""

    def divergence(self, kappa: float) -> float:
        """What it costs the dual objective to shrink the residual to kappa r: zero for kappa = 1.

        L + L*(-kappa r) + kappa r'(Z theta), with the convex conjugate L*.
        """


class Model(NamedTuple):
    """L(theta) up to second order, on the coordinates of the working set that are to move.

    Attributes
    ----------
    where : ndarray of shape (k,) or slice
        The coordinates.
    gram, target : Operator and ndarray of shape (k,)
        Its Hessian on them, and its descent direction where they are zero.
    support : ndarray
        Places within `where` of the support.
    """

    where: Any
    gram: Operator
    target: Float64
    support: Index


class DataTerm(Protocol):
    """What the path driver asks of a loss.

    `scale` is the loss of the model without features, the unit of `tol`; `norm` bounds the length
    of any residual on the path; models may be `exact`.
    """

    exact: bool
    scale: float
    norm: float

    def state(self, working_set: WorkingSet, theta: Float64) -> Any:
        """The state at coefficients on the working set."""
        ...

    def correlations(
        self,
        working_set: WorkingSet,
        state: Any,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, Index | slice]:
        """z of all features, and for which it is exact.

        For the others both it and its true value are sure to be below the `limit`
        (`correlations`).
        """
        ...

    def rounding(
        self, support: Index, values: Float64, state: Any, limit: Float64 | float | None
    ) -> tuple[CorrelationRounding, float]:
        """What rounding may add to correlations, and hide from the gap, at coefficients.

        `values` are those of the features in `support`; the limit is that of `correlations`.
        """
        ...

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalty: Float64,
        predicted: Index,
        matrix_free: bool,
    ) -> Model:
        """The model about a place, for a support, those that want in, and the likely ones.

        The penalty is that of the working set. If it may be `matrix_free`, the Gram matrix can be an
        operator.
        """
        ...

    def refresh(self) -> None:
        """The next model has to be exact about its state; others may be nearly so."""
        ...

    def model_square(self, state: Any) -> float:
        """||r||^2 of the model, written as a sum of squares: 1/2 ||r - A (theta - start)||^2."""
        ...

    def line_search(
        self,
        working_set: WorkingSet,
        state: Any,
        theta: Float64,
        goal: Float64,
        penalty: tuple[Float64, Float64 | None],
        modelled: bool = True,
    ) -> tuple[Float64, Any]:
        """Go from theta to the model's solution, or towards it as far as f goes down.

        Or to another goal, which was not `modelled`.
        """
        ...

    def hessian_product(self, state: Any, change: Float64) -> Float64:
        """B change: how far r falls, to first order, if Z theta changes by so much.

        Z'B Z is the Hessian of L. The change is of one theta, or of several, as columns.
        """
        ...

    def hessian_root(self, state: Any, columns: Float64) -> Iterable[Float64]:
        """Blocks of rows A with A'A = C'B C, where C is for each output the same columns (n, q)."""
        ...

    def correlate(self, state: Any, columns: Float64) -> Float64:
        """columns'r, (q, K), for columns (n, q); where r cancels between outputs, so does this."""
        ...

    def image(self, columns: Float64, values: Float64) -> Float64:
        """What r sees of columns values, (n K,), for (n, q) and (q, K)."""
        ...

    def refined(self, state: Any, change: Float64) -> tuple[Any, float]:
        """The state with the r that is left if Z theta changes by so much, and its divergence.

        That is L + L*(-r) + r'Z theta, which is zero for the state's own r.
        """
        ...

    def dual_form(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        """The columns of Z in the working set, as rows, and y; for the dual form.

        Only for squared loss, and only where there are more of them than samples.
        """
        ...


class SquaredState(NamedTuple):
    """r, ||r||^2 and m_y."""

    residual: Float64
    square: float
    intercept: float

    @property
    def loss(self) -> float:
        return 0.5 * self.square

    def divergence(self, kappa: float) -> float:
        return 0.5 * (1.0 - kappa) ** 2 * self.square


class LeastSquares:
    """Squared loss from the data: exact models, on the whole working set."""

    exact = True

    def __init__(self, design: Design, y: Float64) -> None:
        self.design = design
        weights = design.sqrt_weights**2
        self.offset = 0.0
        if design.fit_intercept:
            self.offset = float(weights @ y)
            self.offset += float(weights @ (y - self.offset))  # to the last digit
        self.response = design.sqrt_weights * (y - self.offset)
        self.scale = float(self.response @ self.response)
        if self.scale <= ROUNDING**2 * float(weights @ y**2):  # y is constant
            self.response[:] = self.scale = 0.0
        self.norm = float(np.sqrt(self.scale))
        self._correlations = Correlations(design)
        self._target = np.empty(0)  # c
        self._columns: Any = None  # that it is of

    def state(self, working_set: WorkingSet, theta: Float64) -> SquaredState:
        residual = self.response
        if theta.any():
            residual = residual - working_set.columns.predict(theta)
        return SquaredState(residual, float(residual @ residual), self.offset)

    def correlations(
        self,
        working_set: WorkingSet,
        state: SquaredState,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, Index | slice]:
        return self._correlations.at(state.residual, working_set, limit, positive)

    def rounding(
        self, support: Index, values: Float64, state: SquaredState, limit: Any
    ) -> tuple[CorrelationRounding, float]:
        """z is that of the r at hand; hidden is only r'(r - y + Z theta).

        Its terms are as likely of either sign; their squares add up to the square of this, or less.
        """
        sizes = self.design.size[support] * np.abs(values)
        hidden = UNIT * float(np.abs(state.residual).max()) * float(np.sqrt(sizes @ sizes))
        return CorrelationRounding(self.norm + float(sizes.sum())), hidden

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalty: Float64,
        predicted: Index,
        matrix_free: bool,
    ) -> Model:
        gram = working_set.operator(support, matrix_free)
        return Model(ALL, gram, self._targets(working_set), support)

    def _targets(self, working_set: WorkingSet) -> Float64:
        """c = Z'y on the working set."""
        columns, known = working_set.columns, self._target.size
        if columns is not self._columns:
            self._columns, self._target, known = columns, np.empty(0), 0
        if known < working_set.features.size:
            new = columns.correlations(self.response)[known:]
            self._target = np.concatenate([self._target, new])
        return self._target

    def refresh(self) -> None:
        pass

    def model_square(self, state: SquaredState) -> float:
        return state.square

    def line_search(
        self,
        working_set: WorkingSet,
        state: Any,
        theta: Float64,
        goal: Float64,
        penalty: tuple[Float64, Float64 | None],
        modelled: bool = True,
    ) -> tuple[Float64, Any]:
        return goal, self.state(working_set, goal)

    def hessian_product(self, state: SquaredState, change: Float64) -> Float64:
        return change

    def hessian_root(self, state: SquaredState, columns: Float64) -> Iterable[Float64]:
        return [columns]

    def correlate(self, state: SquaredState, columns: Float64) -> Float64:
        return columns.T @ state.residual[:, None]

    def image(self, columns: Float64, values: Float64) -> Float64:
        return columns @ values[:, 0]

    def refined(self, state: SquaredState, change: Float64) -> tuple[SquaredState, float]:
        return state._replace(residual=state.residual - change), 0.5 * float(change @ change)

    def dual_form(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        if working_set.features.size <= self.design.shape[0]:
            return None, None
        return self.design.block(working_set.features).T, self.response


class LeastSquaresMoments(LeastSquares):
    """Squared loss from G = Z'Z, c = Z'y and ||y||^2, which say all about it: X is not needed.

    The residual of a state is z = c - G theta, of all features.
    """

    def __init__(self, gram: Float64, target: Float64, data: LeastSquares) -> None:
        self.gram, self.target, self.design = gram, target, data.design
        self.response = data.response
        self.scale, self.norm, self.offset = data.scale, data.norm, data.offset

    def state(self, working_set: WorkingSet, theta: Float64) -> SquaredState:
        support = np.flatnonzero(theta)
        z = self.target - theta[support] @ self.gram[support]
        square = max(0.0, self.scale - float(theta @ (self.target + z)))
        return SquaredState(z, square, self.offset)

    def correlations(
        self,
        working_set: WorkingSet,
        state: SquaredState,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, slice]:
        return state.residual, ALL

    def rounding(
        self, support: Index, values: Float64, state: SquaredState, limit: Any
    ) -> tuple[CorrelationRounding, float]:
        """Here all that correlations are off by is hidden."""
        sizes = self.design.size[support] * np.abs(values)
        length = float(np.sqrt(sizes @ sizes))
        return CorrelationRounding(self.norm + float(sizes.sum())), UNIT * (
            self.norm + length
        ) * length

    def _targets(self, working_set: WorkingSet) -> Float64:
        return self.target

    def dual_form(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None
