"""The Hessian of a loss of one output by its products, the intercept eliminated: matrix-free.

With the columns S of some coordinates, the curvatures D_i and the weights v_i, d_i = v_i D_i:

    H = S' (diag(d) - d d' / sum_i d_i) S,      without an intercept  H = S' diag(d) S.

A product costs two products with S; what is formed is of the length of a column or a row. The
curvatures are always those of the state at hand: there is nothing that an older one would save.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index


@final
class HessianOperator:
    """H, an `Operator`.

    Parameters
    ----------
    columns : ColumnProducts
        S.
    curvature : ndarray of shape (n,)
        d.
    centred : bool
        Whether there is an intercept, which is eliminated.
    diagonal, ridge : ndarrays of shape (k,), optional
        The diagonal of H, if it is known, and what is added to it.
    """

    matrix: Any = None

    def __init__(
        self,
        columns: Any,
        curvature: Float64,
        centred: bool,
        diagonal: Float64 | None = None,
        ridge: Float64 | float = 0.0,
    ) -> None:
        self._columns, self._curvature, self._centred, self._ridge = (
            columns, curvature, centred, ridge,
        )  # fmt: skip
        self._total = max(float(curvature.sum()), float(np.finfo(np.float64).tiny))
        self._diagonal = self._squares() if diagonal is None else diagonal

    def _squares(self) -> Float64:
        """The diagonal of H, at least that under the mean of the curvatures.

        It tells how far coordinates may go: one whose samples have no curvature left by now, too.
        """
        curvature, columns = self._curvature, self._columns
        squares: Float64 = columns.squares(curvature)
        if self._centred:
            squares = squares - columns.correlations(curvature) ** 2 / self._total
        least = self._total * columns.squares(columns.weights) / columns.weights.sum()
        return np.maximum(squares, np.maximum(least, UNIT * least.max(initial=0.0)))

    def __len__(self) -> int:
        return len(self._diagonal)

    def __matmul__(self, vector: Float64) -> Float64:
        image = self._columns.predict(vector)
        if self._centred:
            image -= (self._curvature @ image) / self._total
        image *= self._curvature
        product: Float64 = self._columns.correlations(image)
        product += self._ridge * vector
        return product

    def diagonal(self) -> Float64:
        """As `_squares` has it."""
        return self._diagonal + self._ridge

    def on(self, kept: Index) -> HessianOperator:
        ridge = self._ridge[kept] if isinstance(self._ridge, np.ndarray) else self._ridge
        columns, diagonal = self._columns.on(kept), self._diagonal[kept]
        return HessianOperator(columns, self._curvature, self._centred, diagonal, ridge)

    def plus(self, ridge: Float64) -> HessianOperator:
        ridge = self._ridge + ridge
        return HessianOperator(self._columns, self._curvature, self._centred, self._diagonal, ridge)
