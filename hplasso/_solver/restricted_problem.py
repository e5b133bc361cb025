"""The restricted problem: what is left of the lasso on the features of a working set.

    f(theta) = 1/2 theta'G theta - c'theta + sum_j lambda_j |theta_j|,      z = c - G theta

with the Gram matrix G, the target c and penalties lambda_j >= 0. theta is optimal where
z_j = lambda_j sign(theta_j) on the support and |z_j| <= lambda_j off it (z_j <= lambda_j under
theta >= 0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .._numerics.typing import Float64, Index, Mask
from .cholesky import CholeskyFactor
from .conjugate_gradients import ConjugateGradients

# Below this part of all coordinates, the support's rows of G are gathered for a product with them.
GATHERED = 0.25


@dataclass
class RestrictedProblem:
    """G, c, lambda of the module's head, and what goes with them.

    Attributes
    ----------
    gram, target, penalty : ndarrays of shape (k, k), (k,), (k,)
        G, c and lambda; G may be an Operator, with a FaceGradients for factor.
    slack : ndarray of shape (k,)
        What rounding may add to a correlation z_j.
    positive : bool
        Whether theta >= 0 is asked for.
    columns, response : ndarrays of shape (k, n) and (n,), or None
        C and y with ``G = C C'`` and ``c = C y``, given where n < k.
    free : ndarray of shape (k,), or None
        Coordinates without penalty or sign, no size of which is dearer than another; None where
        there are none.
    factor : FaceFactor or FaceGradients
        For G on a face; it follows the finish from face to face.
    """

    gram: Any
    target: Float64
    penalty: Float64
    rounding_error: Float64
    positive: bool = False
    columns: Float64 | None = None
    response: Float64 | None = None
    free: Mask | None = None
    factor: CholeskyFactor | ConjugateGradients = field(default_factory=CholeskyFactor)

    @property
    def bound(self) -> Float64:
        """What a correlation may reach while its coordinate is at zero, rounding included."""
        return self._limit + self.factor.left

    @cached_property
    def _limit(self) -> Float64:
        """The penalty, rounding included."""
        return self.penalty + self.rounding_error

    @cached_property
    def diagonal(self) -> Float64:
        """The diagonal of G."""
        return self.gram.diagonal()

    def correlations(self, theta: Float64, support: Index) -> Float64:
        """z = c - G theta, the descent direction of the smooth part."""
        if support.size > GATHERED * self.target.size or not isinstance(self.gram, np.ndarray):
            return self.target - self.gram @ theta
        return self.target - theta[support] @ self.gram[support]

    def change(self, theta: Float64, z: Float64, new: Float64, new_z: Float64) -> float:
        """f(new) - f(theta), from differences: exact where f itself would round them away."""
        smooth = -0.5 * float((new - theta) @ (z + new_z))
        return smooth + float(self.penalty @ (np.abs(new) - np.abs(theta)))

    def of_factor(self) -> RestrictedProblem:
        """The same problem with every coordinate held at zero but those of the factor."""
        kept = self.factor.positions
        return RestrictedProblem(
            self.factor.gram,
            self.target[kept],
            self.penalty[kept],
            self.rounding_error[kept],
            self.positive,
            free=None if self.free is None else self.free[kept],
            factor=self.factor,
        )

    def on(self, kept: Index) -> RestrictedProblem:
        """The same problem with every coordinate but `kept` held at zero."""
        dual = self.columns is not None and self.columns.shape[1] < kept.size
        return RestrictedProblem(
            self.gram[kept].take(kept, axis=1),
            self.target[kept],
            self.penalty[kept],
            self.rounding_error[kept],
            self.positive,
            self.columns[kept] if dual and self.columns is not None else None,
            self.response if dual else None,
            None if self.free is None else self.free[kept],
        )
