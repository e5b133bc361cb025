"""What parameters and arrays may be; estimators and functions check them before any work."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from sklearn.utils import check_array

from .._numerics.typing import Float64
from .sklearn_names import advice

Function = TypeVar("Function", bound=Callable[..., Any])

# How many labels an error lists.
N_SHOWN = 10


class InvalidParameterError(ValueError, TypeError):
    """A parameter is of the wrong type or has the wrong value; both kinds, as in scikit-learn."""


class Constraint(NamedTuple):
    """What a parameter may be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def real(low: float, high: float = math.inf, *, open_low: bool = False) -> Constraint:
    """A finite number from `low` to `high`, ends included or not."""
    words = f"a float in the range {'(' if open_low else '['}{low}, {high}"
    words += ")" if high == math.inf else "]"

    def holds(value: Any) -> bool:
        if not isinstance(value, numbers.Real):
            return False
        try:
            number = float(value)
        except OverflowError:  # an int
            return False
        above = number > low if open_low else number >= low
        return math.isfinite(number) and above and number <= high

    return Constraint(words, holds)


def integer(low: int) -> Constraint:
    """A whole number from `low` on."""

    return Constraint(
        f"an int in the range [{low}, inf)",
        lambda value: isinstance(value, numbers.Integral) and int(value) >= low,
    )


def one_of(*options: str) -> Constraint:
    """One of some strings."""
    return Constraint(
        f"a str among {{{', '.join(map(repr, options))}}}",
        lambda value: isinstance(value, str) and value in options,
    )


BOOLEAN = Constraint("an instance of 'bool'", lambda value: isinstance(value, bool | np.bool_))
NONE = Constraint("None", lambda value: value is None)
ARRAY = Constraint(
    "an array-like",
    lambda value: (
        isinstance(value, list | tuple) or (hasattr(value, "__array__") and np.ndim(value) > 0)
    ),
)
MAPPING = Constraint("a dict", lambda value: isinstance(value, Mapping))
RANDOM_STATE = Constraint(
    "an int in the range [0, 4294967295], a random number generator or None",
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (integer(0).holds(value) and value <= 2**32 - 1)
    ),
)

Constraints = Mapping[str, tuple[Constraint, ...]]


def check_parameters(owner: str, values: Mapping[str, Any], constraints: Constraints) -> None:
    """Raise an error for the first of the values that satisfies none of its constraints."""
    for name, choices in constraints.items():
        if name in values and not any(choice.holds(values[name]) for choice in choices):
            *others, last = (choice.words for choice in choices)
            allowed = f"{', '.join(others)} or {last}" if others else last
            raise InvalidParameterError(
                f"The {name!r} parameter of {owner} must be {allowed}. "
                f"Got {values[name]!r} instead.{advice(name, values[name])}"
            )


def check_arguments(constraints: Constraints) -> Callable[[Function], Function]:
    """Make a function check those of its arguments that there are constraints for."""

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError:  # the call itself says which argument is missing or not known
                return function(*args, **kwargs)
            given.apply_defaults()
            check_parameters(function.__name__, given.arguments, constraints)
            return function(*args, **kwargs)

        return cast(Function, checked)

    return decorate


def as_floats(values: Any, name: str, **options: Any) -> Float64:
    """An array of float64, for scikit-learn's check; its errors name the argument."""
    try:
        array = check_array(values, ensure_2d=False, dtype=np.float64, input_name=name, **options)
    except (TypeError, ValueError, OverflowError) as error:
        if name in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} can not be taken as numbers: {error}") from error
    return np.asarray(array)


def check_one_target(owner: str, y: Any, instead: str) -> None:
    """Raise a ValueError if y has several columns, which says what to use instead."""
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y should be a 1d array, got an array of shape {shape} instead: {owner} takes one "
            f"target. For several, use {instead}."
        )


def checked_array(values: Any, shape: tuple[int, ...], name: str) -> Float64:
    """An array of finite float64 of the given shape.

    Raises
    ------
    ValueError
        If it is not.
    """
    array = as_floats(values, name)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}. Got shape {array.shape}.")
    return np.asarray(array)
