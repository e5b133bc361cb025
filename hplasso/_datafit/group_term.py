"""The protocol of a data term for groups of coefficients, as the path of groups sees it.

Coefficients are matrices theta (k, T): those of k features for T targets. A loss that couples its
outputs, that of several classes, has T = 1, and for features the pairs of features and outputs.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index
from .line_search import Penalised


class GroupState(Protocol):
    """A loss at some coefficients.

    `z` (p, T) are the correlations of all features, `intercept` is that of the centred features.
    Rounding may add `rounding` to correlations, and `hidden` to a gap.
    """

    @property
    def z(self) -> Float64: ...
    @property
    def loss(self) -> float: ...
    @property
    def intercept(self) -> Any: ...
    @property
    def rounding(self) -> CorrelationRounding: ...
    @property
    def hidden(self) -> float: ...

    def divergence(self, kappa: float) -> float:
        """What it costs the dual objective to shrink the residual to kappa r."""

    def intercept_cost(self, delta: Float64) -> float:
        """How much L goes up if the best intercepts are moved by delta (K,), to second order."""


class GroupModel(NamedTuple):
    """The loss up to second order, on k features, for each target: 1/2 x'Gx - c'x.

    Attributes
    ----------
    matrix : ndarray of shape (k, k) or (n, k)
        G; or `by_columns`, columns whose Gram matrix G is.
    target : ndarray of shape (k, T)
        c.
    """

    matrix: Float64
    target: Float64
    by_columns: bool = False


class GroupTerm(Protocol):
    """What a path of groups asks of a loss on a design.

    `quadratic` tells whether the loss is, and `convex` likewise; `scale` is the unit of `tol`;
    `norm` bounds the length of any residual on the path; `curvature` bounds the second derivatives
    of the loss in the outputs.
    """

    quadratic: bool
    convex: bool
    scale: float
    curvature: float
    design: AnyDesign
    working_set: WorkingSet
    n_targets: int

    @property
    def norm(self) -> float: ...

    def states(self, features: Index, theta: Float64) -> list[Any]:
        """The states at coefficients (k, T, M) of some features, all others zero."""

    def model(
        self, state: Any, features: Index, theta: Float64, dual: bool, exact: bool
    ) -> GroupModel:
        """The model about a state, at coefficients (k, T) of some features.

        It may be by columns where it is to be solved in the `dual` form, and with the Hessian of
        another state, nearby, unless it has to be `exact`.
        """

    def step(
        self, state: Any, features: Index, theta: Float64, goal: Float64, penalty: Penalised
    ) -> tuple[Float64, Any]:
        """Go from a state at theta to the model's solution, or towards it as far as f goes down."""

    def written_intercept(self, state: Any, features: Index, theta: Float64) -> Float64:
        """The intercept for the features as they were given, not centred."""
