"""The array types that the annotations speak of, empty arrays of them, and the type of indices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

NOBODY: Index = np.empty(0, dtype=np.intp)
NOTHING: Float64 = np.empty(0)


def index_type(most: int) -> Any:
    """The type of the indices of a sparse array, for numbers up to this one."""
    return np.int32 if most <= np.iinfo(np.int32).max else np.int64
