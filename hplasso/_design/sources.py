"""Whether data come in blocks, and from where: `Batches`, Dask, or an array in memory.

Nothing is pulled into memory that is elsewhere, unless it is asked for.
"""

from __future__ import annotations

from typing import Any

from .._numerics.elsewhere import is_dask, refuse_not_in_memory
from .batches import Batches, BatchSource
from .source import Source


def source_of(X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Source | None:
    """The source of data that come in blocks; None if they are in memory.

    Raises
    ------
    TypeError
        If they are somewhere else, or some of them are.
    ValueError
        If something is given beside `Batches`.
    """
    others = {"y": y, "sample_weight": sample_weight, "offset": offset}
    if isinstance(X, Batches):
        for name, values in others.items():
            if values is not None:
                raise ValueError(f"{name} must be None where X is Batches, which brings its own.")
        return BatchSource(X)
    if is_dask(X):
        from .dask_source import DaskSource

        for name, values in others.items():
            if not is_dask(values):
                refuse_elsewhere(name, values)
        return DaskSource(X, y, sample_weight, offset)
    for name, values in {"X": X, **others}.items():
        refuse_elsewhere(name, values)
    return None


def refuse_elsewhere(name: str, values: Any) -> None:
    """Raise a TypeError for values that are not in the memory of the processor, or not yet."""
    if isinstance(values, Batches):
        raise TypeError(f"{name} is Batches, but this does not take data in blocks. Give arrays.")
    refuse_not_in_memory(name, values)
