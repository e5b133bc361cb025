"""How the examples are run for the gallery: in which order, and with warnings as errors."""

from __future__ import annotations

import warnings
from typing import Any


def quick_start_first(filename: str) -> tuple[bool, str]:
    """Sort key of the examples."""
    return filename != "plot_quickstart.py", filename


def strict_warnings(gallery_conf: dict[str, Any], filename: str, when: str) -> None:
    """Turn warnings into errors before an example, and back after it."""
    if when == "before":
        strict_warnings.filters = warnings.filters[:]
        warnings.simplefilter("error")
    else:
        warnings.filters[:] = strict_warnings.filters
