"""What is remembered between two penalties of a path."""

from __future__ import annotations

from typing import NamedTuple

from .._datafit.iterate import Iterate
from .._numerics.typing import Index
from .._solver.cholesky import CholeskyFactor
from .predictor import Predictor, SolvedPoint


class Memory(NamedTuple):
    """What is remembered between two penalties.

    Attributes
    ----------
    iterate : Iterate
        Where the path is.
    cholesky : CholeskyFactor
        That of the support, where the Gram matrix stays the same.
    matrix_free : bool
        Whether conjugate gradients may be tried.
    used_matrix_free : bool
        Whether they were, the last time.
    predictor : Predictor
        The last two solved points.
    imbalance : float
        g - f at the factors of the last sweep.
    solved : bool
        Whether there are solutions on the working set as it is numbered.
    last_gap : (float, float)
        The last alpha and the gap there: of the square root of the Hessian, or before a truncated
        model.
    effort : float
        How many times its usual steps a truncated model gets.
    damping : float
        By which part its diagonal is larger.
    """

    iterate: Iterate
    cholesky: CholeskyFactor
    matrix_free: bool
    used_matrix_free: bool = False
    predictor: Predictor = Predictor()
    imbalance: float = 0.0
    solved: bool = False
    last_gap: tuple[float, float] = (float("nan"), float("inf"))
    effort: float = 1.0
    damping: float = 0.0

    def grown(self, size: int) -> Memory:
        """With an iterate on a working set of this size."""
        return self if self.iterate.theta.size == size else self.at(self.iterate.grown(size))

    def at(self, iterate: Iterate) -> Memory:
        """With another iterate."""
        return Memory(iterate, *self[1:])

    def solved_at(self, alpha: float, iterate: Iterate, solved: bool = True) -> Memory:
        """With an iterate as the solution at an alpha; or not `solved`, one of continuation."""
        predictor = self.predictor.add(SolvedPoint(alpha, iterate))
        return self._replace(iterate=iterate, predictor=predictor, solved=solved)

    def pruned(self, kept: Index) -> Memory:
        """On the positions `kept` of the working set, numbered anew."""
        predictor = self.predictor.prune(kept, self.iterate.theta.size)
        iterate, cholesky = self.iterate.on(kept), CholeskyFactor()
        return self._replace(iterate=iterate, predictor=predictor, cholesky=cholesky)
