"""The settings of the solver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._penalties.l1 import L1Penalty
from .progress import Listener


@dataclass(frozen=True)
class PathSettings:
    """What stays the same along a path.

    `dtype` is that of the coefficients that are returned, `name_alpha` says an alpha in the user's
    terms, `listener` hears of what is done.
    """

    penalty: L1Penalty
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    listener: Listener | None = None
    dtype: Any = np.float64
    name_alpha: Callable[[float], str] = "alpha={:.6g}".format
