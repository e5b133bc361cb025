"""Data that are not in the memory of the processor, or not yet: they are not pulled in unasked."""

import sys
from typing import Any

# What DLPack calls the memory of the processor, plain or pinned.
IN_MEMORY = (1, 3)


def is_dask(values: Any) -> bool:
    """Whether values are a Dask collection; Dask is not imported for that."""
    dask = sys.modules.get("dask")
    return dask is not None and bool(dask.is_dask_collection(values))


def refuse_not_in_memory(name: str, values: Any) -> None:
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
