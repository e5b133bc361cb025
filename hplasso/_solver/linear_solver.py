"""What solves the linear systems of a face: the protocol of `cholesky` and `conjugate_gradients`.

From one face to the next a few coordinates enter and a few leave, so that a linear solver keeps
what it has computed. It knows two sets: the coordinates F of its equations, and the part H of them
that is fixed at zero. The face is F without H.
"""

from typing import Any, Protocol

from .._numerics.linalg import Operator
from .._numerics.typing import Float64, Index, Mask


class LinearSolver(Protocol):
    """Minimises 1/2 theta'G_FF theta - b'theta with theta_H = 0, for any b.

    Attributes
    ----------
    positions : ndarray of shape (r,)
        The coordinates F, in the order of the equations.
    fixed : ndarray of shape (r,), or None
        Which of them are fixed at zero: H; None where it is empty.
    exact : bool
        Whether solutions are exact up to rounding; then dependent columns are left out.
    accuracy : ndarray of shape (k,), or None
        What may be left of the equation of each coordinate of the problem; None if `exact`.
    failed : bool
        Whether a solution has not been found; another solver has to find it.
    start : ndarray of shape (k,)
        Where the next solution starts, if it is approached.
    """

    positions: Index
    fixed: Mask | None
    exact: bool
    accuracy: Any
    failed: bool
    start: Any

    @property
    def operator(self) -> Operator:
        """G_FF."""

    @property
    def active(self) -> Index:
        """The face: the coordinates that are not fixed at zero."""

    def update(
        self, operator: Operator, support: Index, n_trusted: int, solving: bool = True
    ) -> None:
        """Change F and H so that the face is the support; if `exact`, an independent part of it.

        Of dependent coordinates those stay that have been in F before, or else the first
        `n_trusted`. `operator` is G of all coordinates. Unless equations are going to be
        solved, only `positions`, `fixed` and `operator` have to be right.
        """

    def fix_at_zero(self, fixed: Mask) -> None:
        """Change H to these coordinates of F, a mask; they may leave F instead."""

    def solve(self, right: Float64) -> Float64:
        """The minimiser, for b of shape (r,)."""

    def refine(self) -> bool:
        """Solve as exactly as will be needed from here on; returns whether that is new."""


def on_face(solver: LinearSolver, values: Any) -> Any:
    """Of values for the coordinates F of a solver those on the face."""
    return values if solver.fixed is None else values[~solver.fixed]
