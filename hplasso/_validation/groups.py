"""What groups of features and their weights may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import column_or_1d

from .._numerics.typing import Float64, Index, Mask
from .arrays import as_floats

# How many features an error lists.
N_SHOWN = 10


class Groups(NamedTuple):
    """The number of each feature's group (p,), the labels of groups, and their sizes."""

    numbers: Index
    labels: Any

    @property
    def sizes(self) -> Index:
        return np.bincount(self.numbers, minlength=len(self.labels))


class GroupWeights(NamedTuple):
    """Weights of groups, all finite, and which features are left out: those of infinite weight."""

    weights: Float64
    left_out: Mask


def checked_groups(groups: Any, n_features: int, names: Any = None) -> Groups:
    """Which group each feature is in.

    `groups` is None, where each feature is one of its own; labels, one for each feature; a function
    that gives a label for the name of a feature; or lists of features, by their numbers or names,
    or a dict of such lists by their labels.

    Raises
    ------
    ValueError
        If each feature is not in just one group.
    TypeError
        If a name is needed and there is none.
    """
    if groups is None:
        return Groups(np.arange(n_features), np.arange(n_features) if names is None else names)
    if callable(groups):
        if names is None:
            raise TypeError("groups is a function of names, and X has no feature names.")
        return _of_labels([groups(name) for name in names], n_features)
    if isinstance(groups, Mapping):
        return _of_lists(list(groups.values()), list(groups), n_features, names)
    if _are_lists(groups):
        return _of_lists(list(groups), list(range(len(groups))), n_features, names)
    indexed = hasattr(groups, "reindex") and hasattr(groups, "index")  # a pandas.Series
    if names is not None and indexed and set(groups.index) == set(names):
        groups = groups.reindex(names)
    return _of_labels(column_or_1d(groups), n_features)


def _of_labels(given: Any, n_features: int) -> Groups:
    """The groups of labels, one for each feature."""
    labels = _as_array(given)
    if labels.shape != (n_features,):
        raise ValueError(
            f"groups must have a label for each of the {n_features} features, or be lists of "
            f"features. Got {labels.shape[0]} labels."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("groups contains NaN or infinity.")
    if labels.dtype == object and any(label is None for label in labels):
        raise ValueError("groups contains labels that are missing: None.")
    try:
        found, numbers = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"groups: labels must be of one type, to be sorted: {error}.") from error
    return Groups(numbers.ravel(), found)


def _as_array(labels: Any) -> Any:
    """Labels in an array; those that are tuples, or of several types, as objects."""
    kinds = {type(label) for label in labels}
    if len(kinds) <= 1 and tuple not in kinds:
        return np.asarray(labels)
    found = np.empty(len(labels), dtype=object)
    found[:] = list(labels)
    return found


def _are_lists(groups: Any) -> bool:
    """Whether they are lists of features, or rows of them, and not labels."""
    if isinstance(groups, np.ndarray) and groups.dtype != object:
        return groups.ndim == 2 and groups.shape[1] > 1
    return any(isinstance(group, list | tuple | set | range | np.ndarray) for group in groups)


def _of_lists(lists: Sequence[Any], labels: Any, n_features: int, names: Any) -> Groups:
    """The groups of lists of features."""
    position = {} if names is None else {name: j for j, name in enumerate(names)}
    for label, group in zip(labels, lists, strict=True):
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise TypeError(f"groups: group {label!r} must be a list of features. Got {group!r}.")
    features = [[_number(each, position, n_features) for each in group] for group in lists]
    for label, group in zip(labels, features, strict=True):
        if not group:
            raise ValueError(f"groups: group {label!r} has no features.")
    counts = Counter(j for group in features for j in group)
    wrong = [j for j in range(n_features) if counts[j] != 1]
    if wrong:
        shown = [f"{j if names is None else names[j]} ({counts[j]})" for j in wrong[:N_SHOWN]]
        raise ValueError(
            "groups must have each feature just once. Features that are not, and how often they "
            f"are there: {', '.join(shown)}."
        )
    numbers = np.empty(n_features, dtype=np.intp)
    for number, group in enumerate(features):
        numbers[group] = number
    return Groups(numbers, _as_array(labels))


def _number(feature: Any, position: Mapping[Any, int], n_features: int) -> int:
    """The number of a feature that is given by its name or number."""
    if isinstance(feature, str):
        if feature not in position:
            raise ValueError(f"groups: X has no feature {feature!r}.")
        return position[feature]
    whole = isinstance(feature, int | np.integer) and not isinstance(feature, bool)
    if whole and 0 <= feature < n_features:
        return int(feature)
    raise ValueError(
        f"groups: {feature!r} is not the name of a feature, or a number from 0 to {n_features - 1}."
    )


def checked_group_weights(weights: Any, groups: Groups) -> GroupWeights:
    """The weights of groups: 'sqrt' of their sizes, numbers in the order of the labels, or a dict.

    Raises
    ------
    ValueError
        If they are not one non-negative number for each group, or a dict has other labels.
    """
    if isinstance(weights, str):
        return GroupWeights(np.sqrt(groups.sizes), np.zeros(groups.numbers.size, dtype=bool))
    if hasattr(weights, "to_dict") and set(weights.index) <= set(groups.labels):
        weights = weights.to_dict()  # a pandas.Series
    if isinstance(weights, Mapping):
        known = list(np.asarray(groups.labels).tolist())
        unknown = [label for label in weights if label not in known]
        if unknown:
            raise ValueError(f"group_weights have labels that groups do not have: {unknown}.")
        sizes = dict(zip(known, np.sqrt(groups.sizes).tolist(), strict=True))
        weights = [weights.get(label, size) for label, size in sizes.items()]
    values = as_floats(weights, "group_weights", ensure_all_finite=False)
    if values.shape != (len(groups.labels),):
        raise ValueError(
            f"group_weights must have shape ({len(groups.labels)},), one for each group. "
            f"Got shape {values.shape}."
        )
    if np.isnan(values).any() or (values < 0.0).any():
        raise ValueError(f"group_weights must not be negative or NaN. Got {values.min()}.")
    out = np.isinf(values)
    return GroupWeights(np.where(out, 1.0, values), out[groups.numbers])
