"""What arrays, grids of penalties and lists of l1_ratios may be."""

import math
import numbers
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import assert_all_finite, check_array, check_scalar

from .._numerics.elsewhere import refuse_not_in_memory
from .._numerics.typing import Float64
from .parameters import check_parameters, real


def as_floats(values: Any, name: str, **options: Any) -> Float64:
    """An array of float64, for scikit-learn's check; its errors name the argument."""
    refuse_not_in_memory(name, values)
    if isinstance(values, numbers.Number):
        raise ValueError(f"{name} must be an array-like. Got {values!r}.")
    try:
        array = check_array(values, ensure_2d=False, dtype=np.float64, input_name=name, **options)
    except (TypeError, ValueError, OverflowError) as error:
        if name in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} cannot be taken as numbers: {error}") from error
    return np.asarray(array)


def check_samples_given(X: Any, y: Any, sample_weight: Any, offset: Any) -> None:
    """Raise a ValueError if some of the optional data are given without the others they need.

    A TypeError, if they are not in memory.
    """
    given = {"X": X, "y": y, "sample_weight": sample_weight, "offset": offset}
    for name, values in given.items():
        refuse_not_in_memory(name, values)
    if (X is None) != (y is None):
        raise ValueError("X and y must be given both, or neither.")
    if X is None and not (sample_weight is None and offset is None):
        raise ValueError("sample_weight and offset must be None where X and y are not given.")


def check_one_target(owner: str, y: Any, instead: str) -> None:
    """Raise a ValueError if y has several columns, which says what to use instead."""
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y should be a 1d array, got an array of shape {shape} instead: {owner} takes one "
            f"target. For several, use {instead}."
        )


def checked_numbers(y: Any) -> Float64:
    """A validated y as float64: objects among its values, such as None, may not be numbers."""
    y = np.asarray(y, dtype=np.float64)
    if not np.isfinite(y).all():
        assert_all_finite(y, input_name="y")
    return y


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


def checked_offset(values: Any, shape: tuple[int, ...], weights: Float64) -> Float64:
    """An offset, for sample weights (n,); without weight it may be -inf, an exposure of zero.

    Raises
    ------
    ValueError
        If it is not finite elsewhere, or of another shape.
    """
    offset = as_floats(values, "offset", ensure_all_finite=False)
    if offset.shape == shape:
        offset = np.where(weights.reshape(-1, *[1] * (len(shape) - 1)) > 0.0, offset, 0.0)
    return checked_array(offset, shape, "offset")


class GivenGrid(NamedTuple):
    """A grid as it was given: the penalties, strongest first, or only their number."""

    length: int
    penalties: Float64 | None = None


def checked_grid(values: Any, name: str, *, open_low: bool = False) -> Float64:
    """Penalties in increasing order, none of them negative, or zero if the range is open.

    Raises
    ------
    TypeError
        If one is not a number.
    ValueError
        If one is out of range, or there are none.
    """
    if len(values) == 0:
        raise ValueError(f"{name} must hold at least one number. Got {values!r}.")
    with suppress(ValueError):  # of a ragged list
        array = np.asarray(values)
        if array.ndim == 1 and array.dtype.kind in "fiu" and np.isfinite(array).all():
            lowest = array.min()
            if lowest > 0.0 or (lowest == 0.0 and not open_low):
                return np.sort(array.astype(np.float64))
    # Something is wrong, or not of a plain type; one by one this takes as long as some fits.
    bounds = {"min_val": 0.0, "include_boundaries": "neither" if open_low else "left"}
    for index, value in enumerate(values):
        check_scalar(value, f"{name}[{index}]", numbers.Real, **bounds)
        if not math.isfinite(value):
            raise ValueError(f"{name}[{index}] == {value}, must be finite.")
    return np.sort(np.asarray(values, dtype=np.float64))


def given_alphas(alphas: Any, l1_ratios: list[float], open_low: bool = False) -> GivenGrid:
    """The alphas, or their number, 100 for None; errors as of `given_Cs`.

    If `open_low`, zero is not among them.
    """
    alphas = 100 if alphas is None else alphas
    if isinstance(alphas, numbers.Integral):
        return automatic_grid("alphas", int(alphas), l1_ratios)
    return GivenGrid(len(alphas), checked_grid(alphas, "alphas", open_low=open_low)[::-1])


def given_Cs(Cs: Any, l1_ratios: list[float]) -> GivenGrid:
    """The values of C, or their number; errors as of `checked_grid` and `automatic_grid`."""
    if isinstance(Cs, numbers.Integral):
        return automatic_grid("Cs", int(Cs), l1_ratios)
    return GivenGrid(len(Cs), checked_grid(Cs, "Cs", open_low=True))


def automatic_grid(name: str, length: int, l1_ratios: list[float]) -> GivenGrid:
    """A grid that begins where the first feature enters.

    Raises
    ------
    ValueError
        If there is no L1 penalty: no feature enters.
    """
    if 0.0 in l1_ratios:
        raise ValueError(
            f"Automatic {name.removesuffix('s')} grid generation is not supported for l1_ratio=0. "
            "Please supply a grid by providing your estimator with the appropriate "
            f"`{name}=` argument."
        )
    return GivenGrid(length)


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
