"""The settings of the solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics.typing import Float64, Index
from .progress import Listener


@dataclass(frozen=True)
class PathSettings:
    """What stays the same along a path.

    `penalty_weights` w has shape (p,); a coefficient costs alpha w_j (|theta_j| + ridge_ratio / 2
    theta_j^2), and ridge_weight / 2 w_j theta_j^2 besides, whatever alpha is. Where `ridge_ratio`
    is infinite there is no L1 penalty, and it costs alpha / 2 w_j theta_j^2. `dtype` is that of the
    coefficients that are returned, `name_alpha` says an alpha in the user's terms, `listener` hears
    of what is done.
    """

    penalty_weights: Float64
    ridge_ratio: float = 0.0
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    listener: Listener | None = None
    dtype: Any = np.float64
    name_alpha: Callable[[float], str] = "alpha={:.6g}".format
    ridge_weight: float = 0.0

    @property
    def l1(self) -> bool:
        """Whether there is an L1 penalty."""
        return self.ridge_ratio < np.inf

    @property
    def ridged(self) -> bool:
        """Whether there is a ridge penalty."""
        return self.ridge_ratio > 0.0 or self.ridge_weight > 0.0

    def ridge(self, alpha: float, features: Index | slice) -> Float64:
        """The ridge penalties rho_j of some features."""
        weight = alpha * self.ridge_ratio + self.ridge_weight
        return weight * self.penalty_weights[features]
