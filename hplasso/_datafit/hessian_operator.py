"""The Hessian of a loss by its products, the intercepts eliminated: matrix-free.

With the columns S of some coordinates and the curvatures B of the outputs, H = S'B S. Of one output
and d_i = v_i D_i, B is

    diag(d) - d d' / sum_i d_i,      without an intercept  diag(d);

of several it couples them (`OutputHessian`). A product costs two products with S;
what is formed is of the length of a column or a row. The curvatures are always those of the state
at hand: there is nothing that an older one would save.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np

from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index

# Against division by zero: a total curvature is no smaller.
TINY = float(np.finfo(np.float64).tiny)


@final
class HessianOperator:
    """H, an `Operator`.

    Parameters
    ----------
    columns : object with `predict`, `correlations` and `on`
        S by its products.
    curved : callable
        B times what S predicts, which may be overwritten.
    diagonal : ndarray of shape (k,)
        About the diagonal of H.
    ridge : ndarray of shape (k,), optional
        What is added to it.
    """

    matrix: Any = None

    def __init__(
        self,
        columns: Any,
        curved: Callable[[Float64], Float64],
        diagonal: Float64,
        ridge: Float64 | float = 0.0,
    ) -> None:
        self._columns, self._curved = columns, curved
        self._diagonal, self._ridge = diagonal, ridge

    def __len__(self) -> int:
        return len(self._diagonal)

    def __matmul__(self, vector: Float64) -> Float64:
        product: Float64 = self._columns.correlations(self._curved(self._columns.predict(vector)))
        product += self._ridge * vector
        return product

    def diagonal(self) -> Float64:
        """It tells how far coordinates may go."""
        return self._diagonal + self._ridge

    def on(self, kept: Index) -> HessianOperator:
        ridge = self._ridge[kept] if isinstance(self._ridge, np.ndarray) else self._ridge
        return HessianOperator(self._columns.on(kept), self._curved, self._diagonal[kept], ridge)

    def plus(self, ridge: Float64) -> HessianOperator:
        return HessianOperator(self._columns, self._curved, self._diagonal, self._ridge + ridge)


def of_columns(columns: Any, state: Any, squares: Float64) -> HessianOperator:
    """H at a state, on columns of these squared lengths, given by their products."""
    if columns.weights is None:
        return of_outputs(columns, state, squares)
    curvature = columns.weights * state.curvature().diagonal(0)
    return of_one_output(columns, curvature, state.outputs.fit_intercept)


def of_one_output(columns: Any, curvature: Float64, centred: bool) -> HessianOperator:
    """H for d, (n,), on `SparseMatrix` columns; `centred` where there is an intercept.

    The diagonal is at least that under the mean of the curvatures: a coordinate whose samples have
    no curvature left by now may not go too far, either.
    """
    total = max(float(curvature.sum()), TINY)

    def curved(image: Float64) -> Float64:
        if centred:
            image -= (curvature @ image) / total
        image *= curvature
        return image

    squares: Float64 = columns.squares(curvature)
    if centred:
        squares = squares - columns.correlations(curvature) ** 2 / total
    least = total * columns.squares(columns.weights) / columns.weights.sum()
    diagonal = np.maximum(squares, np.maximum(least, UNIT * least.max(initial=0.0)))
    return HessianOperator(columns, curved, diagonal)


def of_outputs(columns: Any, state: Any, squares: Float64) -> HessianOperator:
    """H at a state, on columns of these squared lengths; its diagonal under mean curvatures."""
    hessian, of = state.hessian(), state.outputs
    means = hessian.curvature.means(of.weights)
    diagonal = squares * np.maximum(means, TINY)[columns.outputs]
    return HessianOperator(columns, hessian.product, diagonal)
