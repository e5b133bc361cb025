"""What every estimator of a linear model has: parameters, validated data, the name of a penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from .._validation.parameters import Constraints, check_parameters
from .._validation.sklearn_names import PENALTY
from .._validation.weights import PenaltyWeights, penalty_weights_of
from .callbacks import CallbackSupportMixin
from .options import FitOptions


class LinearModel(CallbackSupportMixin, BaseEstimator, ABC):
    """The base of all estimators; abstract, as it leaves the parameters to them."""

    _constraints: Constraints  # what the parameters may be
    _accepted: Mapping[str, Any]  # what X and y may be, in the words of scikit-learn's checks

    @abstractmethod
    def __init__(self) -> None: ...

    @abstractmethod
    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        """The data of a problem, from X and y that have been validated."""

    def _validated(self, X: Any, y: Any, sample_weight: Any, options: FitOptions) -> Any:
        """The data of the problem of this estimator, which learns the names of the features."""
        X, y = validate_data(self, X, y, **self._accepted)
        return self._data(X, y, sample_weight, penalty_weights_of(self), options)

    @property
    def penalty(self) -> str:
        """The kind of penalty: 'l1' where `l1_ratio` is one, 'elasticnet' otherwise."""
        parameters = chosen_parameters(self)
        ratios = parameters.get("l1_ratio", parameters.get("l1_ratios", 1.0))
        return "l1" if all(ratio == 1.0 for ratio in np.ravel(ratios)) else "elasticnet"

    @penalty.setter
    def penalty(self, kind: Any) -> None:
        raise AttributeError(
            f"penalty of {type(self).__name__} can not be set, as it follows from l1_ratio. "
            f"{PENALTY}"
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def checked_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator, checked; with an l1_ratio of one if it has none."""
    parameters = {"l1_ratio": 1.0} | estimator.get_params(deep=False)
    check_parameters(type(estimator).__name__, parameters, estimator._constraints)
    return parameters


def chosen_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator, with the penalty that it has chosen itself, if any."""
    parameters: dict[str, Any] = estimator.get_params(deep=False)
    chosen = {name: getattr(estimator, f"{name}_", None) for name in ("alpha", "C", "l1_ratio")}
    return parameters | {name: value for name, value in chosen.items() if value is not None}
