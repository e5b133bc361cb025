"""NumPy's error state inside the package, which is its own, whatever the caller's is."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def own_error_state() -> Any:
    """The state that the package is written for, as a context.

    What is too small becomes zero, which is meant: probabilities vanish, outliers overshadow
    other numbers. The rest is warned of where it is not expected.
    """
    return np.errstate(over="warn", divide="warn", invalid="warn", under="ignore")


def in_own_error_state(function: Function) -> Function:
    """Run a function in the state that the package is written for."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with own_error_state():
            return function(*args, **kwargs)

    return cast(Function, guarded)
