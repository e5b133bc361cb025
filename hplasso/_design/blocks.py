"""Blocks: how much of X is taken at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import iadd

from .._numerics.typing import Float64

# Elements of X in a block that has to be copied, 1 MB of float64: calls against caches. The Gram
# matrix of 20,000 x 200 takes 100 ms in blocks of 2^13, 70 from 2^15 to 2^21 (constants.py).
BLOCK = 2**17
# Numbers of the largest Hessian of a curved loss that is formed, if it can do without (256 MB): a
# bound of memory.
LARGEST_FORMED = 2**25


def slices(count: int, width: int) -> Iterator[slice]:
    """Cut range(count) so that each part, times `width`, is about a block."""
    step = max(1, BLOCK // max(width, 1))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def total(parts: Iterable[Float64]) -> Float64:
    """The sum of new arrays, one for each block."""
    return reduce(iadd, parts)
