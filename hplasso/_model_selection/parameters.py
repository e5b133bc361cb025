"""What the parameters of cross-validation may be."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

import numpy as np

from .._validation.parameters import (
    Constraint,
    Constraints,
    check_parameters,
    integer,
    one_of,
    real,
)

CV = Constraint(
    "an int in the range [2, inf), an object with a method 'split', an iterable of pairs or None",
    lambda value: value is None or integer(2).holds(value) or _splits(value),
)
N_JOBS = Constraint("an int or None", lambda value: value is None or isinstance(value, int))
CV_CONSTRAINTS: Constraints = {"cv": (CV,), "n_jobs": (N_JOBS,), "rule": (one_of("min", "1se"),)}


def _splits(value: Any) -> bool:
    """Whether it is a splitter, or pairs of training and test indices."""
    if isinstance(value, str | int | float | Mapping):
        return False
    if isinstance(value, list | tuple):
        return all(isinstance(pair, Sized) and len(pair) == 2 for pair in value)
    return hasattr(value, "split") or hasattr(value, "__iter__")


def checked_ratios(owner: str, name: str, given: Any) -> list[float]:
    """One or several l1_ratios.

    Raises
    ------
    ValueError
        If there are none, or one is not in [0, 1].
    """
    ratios = np.atleast_1d(given)
    if ratios.ndim != 1 or not ratios.size:
        raise ValueError(f"{name} must be numbers in the range [0, 1]. Got {given!r}.")
    for ratio in ratios.tolist():
        check_parameters(owner, {name: ratio}, {name: (real(0.0, 1.0),)})
    return [float(ratio) for ratio in ratios]
