"""Whether data come in blocks, and from where: `Batches`, Dask, or an array in memory.

Nothing is pulled into memory that is elsewhere, unless it is asked for.
"""

from __future__ import annotations

import sys
from typing import Any

from .batches import Batches, BatchSource
from .source import Source

# What DLPack calls the memory of the processor, plain or pinned.
IN_MEMORY = (1, 3)


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

        return DaskSource(X, y, sample_weight, offset)
    for name, values in {"X": X, **others}.items():
        refuse_elsewhere(name, values)
    return None


def is_dask(values: Any) -> bool:
    """Whether values are a Dask collection; Dask is not imported for that."""
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(values))


def refuse_elsewhere(name: str, values: Any) -> None:
    """Raise a TypeError for values that are not in the memory of the processor, or not yet."""
    kind = f"{type(values).__module__}.{type(values).__qualname__}"
    if is_dask(values):
        raise TypeError(
            f"{name} is a Dask collection ({kind}), which is not supported here. Compute it with "
            f"{name}.compute(), if it fits into memory."
        )
    if callable(getattr(values, "collect", None)) and not hasattr(values, "__array__"):
        raise TypeError(f"{name} is lazy ({kind}), which is not supported. Collect it first.")
    device = getattr(values, "__dlpack_device__", None)
    if callable(device) and device()[0] not in IN_MEMORY:
        raise TypeError(
            f"{name} is on a device ({kind}), which is not supported. Copy it to the memory of "
            "the processor first."
        )
