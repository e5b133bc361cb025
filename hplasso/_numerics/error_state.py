"""NumPy's error state inside the package, which is its own, whatever the caller's is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def own_error_state() -> Iterator[None]:
    """The state that the package is written for, as a context.

    What is too small becomes zero, which is meant: probabilities vanish, outliers overshadow
    other numbers. The rest is warned of where it is not expected.
    """
    with np.errstate(over="warn", divide="warn", invalid="warn", under="ignore"):
        yield


# A decorator of functions that run in that state; each call has a context of its own.
in_own_error_state = own_error_state()
