"""A Gram matrix as the solvers see it: an operator, which multiplies, and may have no entries."""

from __future__ import annotations

from typing import Any, Protocol, final

from .linalg import plus_diagonal
from .typing import Float64, Index


class Operator(Protocol):
    """A symmetric positive semi-definite matrix G of shape (k, k), known by its products.

    Attributes
    ----------
    matrix : ndarray of shape (k, k), or None
        G itself, where it is formed.
    """

    matrix: Any

    def __len__(self) -> int:
        """k."""

    def __matmul__(self, vector: Float64) -> Float64:
        """G v."""

    def diagonal(self) -> Float64:
        """The diagonal of G."""

    def on(self, kept: Index) -> Operator:
        """G on some coordinates."""

    def plus(self, ridge: Float64) -> Operator:
        """G + diag(ridge)."""


@final
class GramMatrix:
    """G that is formed."""

    __slots__ = ("matrix",)

    def __init__(self, matrix: Float64) -> None:
        self.matrix: Any = matrix

    def __len__(self) -> int:
        return len(self.matrix)

    def __matmul__(self, vector: Float64) -> Float64:
        return self.matrix @ vector

    def diagonal(self) -> Float64:
        return self.matrix.diagonal()

    def on(self, kept: Index) -> GramMatrix:
        return GramMatrix(self.matrix[kept].take(kept, axis=1))

    def plus(self, ridge: Float64) -> GramMatrix:
        return GramMatrix(plus_diagonal(self.matrix, ridge))
