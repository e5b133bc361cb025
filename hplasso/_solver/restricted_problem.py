"""The restricted problem: the lasso on the features of a working set.

    f(theta) = 1/2 theta'G theta - c'theta + sum_j lambda_j |theta_j|,      z = c - G theta

with the Gram matrix G, the target c and penalties lambda_j >= 0. theta is optimal where
z_j = lambda_j sign(theta_j) on the support and |z_j| <= lambda_j off it (z_j <= lambda_j under
theta >= 0).
"""

from __future__ import annotations

from typing import NamedTuple

from .._numerics.linalg import Operator
from .._numerics.typing import Float64, Index, Mask

# If the support is less than this part of all coordinates, a product with theta gathers its rows
# of G: that reads less of G, and copies it. Of 300 coordinates the two take equally long at 0.28,
# of 1000 at 0.31; of 100, the copy takes a microsecond more (constants.py).
GATHERED = 0.25


class RestrictedProblem(NamedTuple):
    """G, c, lambda of the module's head, and what goes with them.

    Attributes
    ----------
    operator : Operator
        G, of shape (k, k).
    target, penalty : ndarrays of shape (k,)
        c and lambda.
    rounding_error : ndarray of shape (k,)
        The rounding error of each correlation z_j.
    positive : bool
        Whether theta >= 0 is asked for.
    columns, response : ndarrays of shape (k, n) and (n,), or None
        The dual form: C and y with ``G = C C'`` and ``c = C y``, given where n < k.
    unpenalised : ndarray of shape (k,), or None
        Which coordinates have neither a penalty nor a sign to keep; None where there are none.
    """

    operator: Operator
    target: Float64
    penalty: Float64
    rounding_error: Float64
    positive: bool = False
    columns: Float64 | None = None
    response: Float64 | None = None
    unpenalised: Mask | None = None

    @property
    def limit(self) -> Float64:
        """What a correlation may reach while its coordinate is at zero, rounding included."""
        return self.penalty + self.rounding_error

    @property
    def diagonal(self) -> Float64:
        """The diagonal of G."""
        return self.operator.diagonal()

    def correlations(self, theta: Float64, support: Index) -> Float64:
        """z = c - G theta, the descent direction of the smooth part."""
        matrix = self.operator.matrix
        if matrix is None or support.size > GATHERED * self.target.size:
            return self.target - self.operator @ theta
        return self.target - theta[support] @ matrix[support]

    def on(self, kept: Index, operator: Operator | None = None) -> RestrictedProblem:
        """The problem with all other coordinates at zero; `operator` is G on `kept`, if known."""
        columns, unpenalised = self.columns, self.unpenalised
        dual = columns is not None and columns.shape[1] < kept.size
        return RestrictedProblem(
            self.operator.on(kept) if operator is None else operator,
            self.target[kept],
            self.penalty[kept],
            self.rounding_error[kept],
            self.positive,
            columns[kept] if dual and columns is not None else None,
            self.response if dual else None,
            None if unpenalised is None else unpenalised[kept],
        )
