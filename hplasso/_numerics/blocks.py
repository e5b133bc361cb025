"""Large arrays by blocks, which fit into a cache and bound what has to be copied."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .typing import Float64

# Elements of a block, 1 MB of float64: calls against caches. The Gram matrix of 20,000 x 200 takes
# 100 ms in blocks of 2^13, 70 from 2^15 to 2^21 (constants.py).
BLOCK = 2**17
# The same of rows whose Gram matrices are added up, 8 MB: memory against calls. Those of 200,000 x
# 200 in Fortran order take 273 ms with 2^17, 250 with 2^19, 220 with 2^20 and 2^21; in C order all
# the same (constants.py).
GRAM_BLOCK = 2**20


def slices(count: int, width: int, block: int = BLOCK) -> Iterator[slice]:
    """Cut range(count) so that each part, times `width`, is about a block."""
    step = max(1, block // max(width, 1))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def empty_beside(rows: Any, width: int) -> Float64:
    """An array of as many rows for these and more columns, in their order: copies are fast then."""
    shape = len(rows), width
    return np.empty(shape, order="F") if rows.strides[0] < rows.strides[1] else np.empty(shape)
