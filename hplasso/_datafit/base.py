"""The protocol of a data term: a loss on a design, as the path sees it.

Inside the package the objective is, with weights v_i >= 0 that sum to one and penalty weights w_j,

    f(theta) = L(theta) + alpha sum_j w_j (|theta_j| + ratio/2 theta_j^2),
    L(theta) = sum_i v_i loss(y_i, b + x_i'theta),

minimised over b as well. n and p count samples and features, theta holds the coefficients, and with
the design's Z and the residual r, z = -grad L = Z'r are the correlations.

A data term answers with *states*: the loss at some theta. About a state it has a quadratic *model*,
which goes to the solver; and a *line search* towards the model's solution.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from .._design.working_set import WorkingSet
from .._numerics.linalg import Operator
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index
from .iterate import Iterate

# Of correlations: none, or one for all features or for each.
Limit = Float64 | float | None
# L1 and ridge penalties of the working set.
Penalty = tuple[Float64, Float64 | None]


class State(Protocol):
    """A loss at some coefficients; `intercept` is that of the centred features."""

    intercept: Any
    residual: Float64

    @property
    def loss(self) -> float:
        """L."""

    def divergence(self, kappa: float) -> float:
        """What it costs the dual objective to shrink the residual to kappa r: zero for kappa = 1.

        L + L*(-kappa r) + kappa r'(Z theta), with the convex conjugate L*.
        """

    def intercept_cost(self, delta: Float64) -> float:
        """How much L goes up if the best intercepts are moved by delta (K,), to second order."""

    def model_square(self) -> float:
        """||r||^2 of the model, written as a sum of squares: 1/2 ||r - A (theta - start)||^2."""

    def hessian_product(self, change: Float64) -> Float64:
        """B change: how far r falls, to first order, if Z theta changes by so much.

        Z'B Z is the Hessian of L. The change is of one theta, or of several, as columns.
        """

    def hessian_on(self, working_set: WorkingSet, where: Index) -> Float64:
        """The Hessian of L on some coordinates of the working set, as a new matrix (k, k)."""

    def hessian_root(self, columns: Float64) -> Iterable[Float64]:
        """Blocks of rows A with A'A = C'B C, where C is for each output the same columns (n, q)."""

    def correlate(self, columns: Float64) -> Float64:
        """columns'r, (q, K), for columns (n, q); where r cancels between outputs, so does this."""

    def refined(self, change: Float64) -> tuple[Any, float]:
        """The state with the r that is left if Z theta changes by so much, and its divergence.

        That is L + L*(-r) + r'Z theta, which is zero for the state's own r.
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
        Positions within `where` of the support.
    """

    where: Any
    gram: Operator
    target: Float64
    support: Index


class DataTerm(Protocol):
    """What the path driver asks of a loss on a design.

    `quadratic` tells whether the loss is, so that every model is exact; `convex`, whether it is, so
    that there is a dual problem; `scale` is the unit of `tol`: the loss without features, or twice
    that for squared loss; `norm` bounds the length of any residual on the path.
    """

    quadratic: bool
    convex: bool
    scale: float
    norm: float

    def state(self, working_set: WorkingSet, theta: Float64) -> Any:
        """The state at coefficients on the working set."""

    def correlations(
        self, working_set: WorkingSet, state: Any, limit: Limit, positive: bool
    ) -> tuple[Float64, Index | slice]:
        """z of all features, and for which it is exact.

        For the others both it and its true value are sure to be below the `limit`
        (`correlations`).
        """

    def rounding(
        self, support: Index, values: Float64, state: Any, limit: Limit
    ) -> tuple[CorrelationRounding, float]:
        """What rounding may add to correlations, and hide from the gap, at coefficients.

        `values` are those of the features in `support`; the limit is that of `correlations`.
        """

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalties: Penalty,
        predicted: Index,
        products: float,
    ) -> Model:
        """The model about an iterate, for a support, the KKT violators and predicted entrants.

        Penalties are those of the working set. Its Hessian may be an operator where so many
        `products` cost less than to form it.
        """

    def refresh(self) -> None:
        """The next model has to be exact about its state; others may be nearly so."""

    def line_search(
        self,
        working_set: WorkingSet,
        state: Any,
        theta: Float64,
        goal: Float64,
        penalty: Penalty,
        modelled: bool = True,
    ) -> tuple[Float64, Any]:
        """Go from theta to the model's solution, or towards it as far as f goes down.

        Or to another goal, which was not `modelled`.
        """

    def image(self, columns: Float64, values: Float64) -> Float64:
        """The change of Z theta by columns values, (n K,), for (n, q) and (q, K)."""

    def dual_form(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        """The columns of Z in the working set, as rows, and y; for the dual form.

        Only for squared loss, and only where there are more of them than samples.
        """
