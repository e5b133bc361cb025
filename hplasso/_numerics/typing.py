"""The array types that the annotations speak of, and empty arrays of them."""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

NOBODY: Index = np.empty(0, dtype=np.intp)
NOTHING: Float64 = np.empty(0)
