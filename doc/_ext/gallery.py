"""How the examples are run for the gallery: in which order, and with warnings as errors."""

from __future__ import annotations

import warnings
from typing import Any

# In the order in which they are read; those that are not here come last, by their names.
ORDER = (
    "table",
    "groups",
    "text",
    "insurance",
    "genes",
    "time_series",
    "digits",
    "choosing_alpha",
    "reporting",
    "weights",
    "large",
    "blocks",
    "dask",
    "any_function",
    "torch_network",
    "path",
    "certificate",
    "drop_in",
    "factors",
    "convergence",
    "prior",
    "griewank",
)


def reading_order(filename: str) -> tuple[int, str]:
    """Sort key of the examples of a section."""
    name = filename.removeprefix("plot_").removesuffix(".py")
    return (ORDER.index(name) if name in ORDER else len(ORDER)), filename


def strict_warnings(gallery_conf: dict[str, Any], filename: str, when: str) -> None:
    """Turn warnings into errors before an example, and back after it."""
    if when == "before":
        strict_warnings.filters = warnings.filters[:]
        warnings.simplefilter("error")
    else:
        warnings.filters[:] = strict_warnings.filters
