"""The border: what parameters and weights may be; the estimators check them before any work."""

from __future__ import annotations

import math
import numbers
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_scalar
from sklearn.utils.validation import validate_data

from ._sklearn_names import advice
from ._typing import Float64, Mask

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
    """Raise an error for the first parameter that satisfies none of its constraints."""
    for name, choices in constraints.items():
        if not any(choice.holds(values[name]) for choice in choices):
            *others, last = (choice.words for choice in choices)
            allowed = f"{', '.join(others)} or {last}" if others else last
            raise InvalidParameterError(
                f"The {name!r} parameter of {owner} must be {allowed}. "
                f"Got {values[name]!r} instead.{advice(name, values[name])}"
            )


def raw_weights(sample_weight: Any, X: Any) -> Float64:
    """Sample weights as an array of shape (n,).

    Raises
    ------
    ValueError
        If they are not one finite, non-negative number for each sample, or all zero.
    """
    n_samples = X.shape[0]
    if sample_weight is None:
        return np.ones(n_samples)
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, sample_weight)
    weights = as_floats(sample_weight, "sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    check_consistent_length(X, weights)
    if (weights < 0.0).any():
        raise ValueError(f"Negative values in sample_weight: {weights.min()} is not allowed.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return np.asarray(weights)


def normalised_weights(sample_weight: Any, X: Any) -> Float64:
    """Sample weights as an array of shape (n,) that sums to one; errors as of `raw_weights`."""
    weights = raw_weights(sample_weight, X)
    weights = weights / weights.max()  # so that their sum can not overflow
    return np.asarray(weights / weights.sum())


class PenaltyWeights(NamedTuple):
    """Penalty weights of shape (p,), all finite, and which features are left out."""

    weights: Float64
    left_out: Mask


def checked_penalty_weights(
    penalty_weights: Any, n_features: int, names: Any = None
) -> PenaltyWeights:
    """Penalty weights for features of these names; ones by default.

    Features of infinite weight are left out; their weight is of no account, and one.

    Raises
    ------
    ValueError
        If they are not one non-negative number for each feature, or labels among them are not
        names of features.
    """
    given = _in_order(penalty_weights, names)
    if given is None:
        return PenaltyWeights(np.ones(n_features), np.zeros(n_features, dtype=bool))
    weights = as_floats(given, "penalty_weights", ensure_all_finite=False)
    if weights.shape != (n_features,):
        raise ValueError(
            f"penalty_weights must have shape ({n_features},), one for each feature. "
            f"Got shape {weights.shape}."
        )
    if np.isnan(weights).any():
        raise ValueError(
            "Input penalty_weights contains NaN. A weight must be a number, not negative, or inf "
            "to leave the feature out."
        )
    if (weights < 0.0).any():
        raise ValueError(f"penalty_weights must not be negative. Got {weights.min()}.")
    left_out = np.isinf(weights)
    return PenaltyWeights(np.where(left_out, 1.0, weights), left_out)


def penalty_weights_of(estimator: Any) -> PenaltyWeights:
    """Those of an estimator that has seen its features; errors as of `checked_penalty_weights`."""
    names = getattr(estimator, "feature_names_in_", None)
    return checked_penalty_weights(estimator.penalty_weights, estimator.n_features_in_, names)


def feature_names(X: Any) -> Any:
    """The names of the features of a data frame as scikit-learn takes them; None if it has none."""
    reader = BaseEstimator()
    validate_data(reader, X, skip_check_array=True)
    return getattr(reader, "feature_names_in_", None)


def _in_order(penalty_weights: Any, names: Any) -> Any:
    """Weights that come with the names of features in the order of those; others as they are."""
    given = penalty_weights
    if isinstance(given, Mapping):
        labels, values = list(given), list(given.values())
    elif hasattr(given, "index") and not callable(given.index) and np.ndim(given) == 1:
        labels, values = list(given.index), list(given)  # a pandas.Series
        if labels == list(range(len(labels))):
            return values
    else:
        return given
    if names is None and labels:
        raise ValueError(
            f"penalty_weights have labels, {_some(labels)}, and X has no feature names. Give X as "
            "a data frame whose columns have names, or penalty_weights as an array."
        )
    known = set() if names is None else set(names)
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise ValueError(f"penalty_weights have labels that X has not: {_some(unknown)}.")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ValueError(f"penalty_weights have labels more than once: {_some(twice)}.")
    weights = dict(zip(labels, values, strict=True))
    return None if names is None else [weights.get(name, 1.0) for name in names]


def _some(labels: Sequence[Any]) -> str:
    """The first labels of many."""
    shown = ", ".join(repr(label) for label in labels[:N_SHOWN])
    return shown if len(labels) <= N_SHOWN else f"{shown} and {len(labels) - N_SHOWN} more"


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
