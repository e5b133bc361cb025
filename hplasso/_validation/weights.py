"""What sample weights and penalty weights may be."""

import numbers
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_X_y
from sklearn.utils.validation import validate_data

from .._numerics.elsewhere import refuse_not_in_memory
from .._numerics.typing import Float64, Mask
from .arrays import as_floats

# How many labels an error lists.
N_SHOWN = 10


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
    if weights.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!")
    if (weights < 0.0).any():
        raise ValueError(f"Negative values in sample_weight: {weights.min()} is not allowed.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return np.asarray(weights)


def normalised_weights(sample_weight: Any, X: Any) -> Float64:
    """Sample weights as an array of shape (n,) that sums to one; errors as of `raw_weights`."""
    weights = raw_weights(sample_weight, X)
    weights = weights / weights.max()  # so that their sum cannot overflow
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


def checked_data(
    X: Any, y: Any, penalty_weights: Any, accepted: Mapping[str, Any], names: Any = None
) -> tuple[Any, Any, PenaltyWeights]:
    """X and y as scikit-learn accepts them, and penalty weights for the names of X, or for these.

    Errors are scikit-learn's, and those of `checked_penalty_weights`.
    """
    refuse_not_in_memory("X", X)
    refuse_not_in_memory("y", y)
    if penalty_weights is not None:
        own = feature_names(X)
        names = names if own is None else own
    X, y = check_X_y(X, y, **accepted)
    return X, y, checked_penalty_weights(penalty_weights, X.shape[1], names)


def feature_names(X: Any) -> Any:
    """The names of the columns of a data frame, as scikit-learn takes them; None without."""
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
        raise ValueError(f"penalty_weights have labels that X does not have: {_some(unknown)}.")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ValueError(f"penalty_weights have labels more than once: {_some(twice)}.")
    weights = dict(zip(labels, values, strict=True))
    return None if names is None else [weights.get(name, 1.0) for name in names]


def _some(labels: Sequence[Any]) -> str:
    """The first labels of many."""
    shown = ", ".join(repr(label) for label in labels[:N_SHOWN])
    return shown if len(labels) <= N_SHOWN else f"{shown} and {len(labels) - N_SHOWN} more"
