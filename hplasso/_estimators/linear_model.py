"""What every estimator of a linear model has: parameters, validated data, the name of a penalty."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from .._design.source import Source
from .._design.sources import source_of
from .._numerics.threads import threads_for_data, threads_for_pass
from .._numerics.typing import Float64
from .._validation.arrays import checked_array
from .._validation.parameters import CONSTRAINTS, PENALTY, check_parameters
from .._validation.weights import PenaltyWeights, checked_penalty_weights
from .bases import BaseEstimator, CallbackSupportMixin
from .problem import DATA_ACCEPTED, FitOptions, without_group_ratio

# What fitted linear models have in common with those of scikit-learn.
ATTRIBUTES = (
    "coef_",
    "intercept_",
    "classes_",
    "n_iter_",
    "dual_gap_",
    "kkt_residual_",
    "n_features_in_",
    "feature_names_in_",
)


class LinearModel(CallbackSupportMixin, BaseEstimator, ABC):
    """The base of all estimators; abstract, as it leaves the parameters to them."""

    _constraints = CONSTRAINTS
    _accepted = DATA_ACCEPTED
    fit_intercept: bool
    penalty_weights: Any
    warm_start: bool
    coef_: Any
    intercept_: Any
    mu_: NDArray[Any]
    nu_: NDArray[Any]
    dual_gap_: Any
    n_iter_: Any
    n_passes_: int

    @abstractmethod
    def __init__(self) -> None: ...

    @abstractmethod
    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        """The data of a problem, from X and y that have been validated."""

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        """The data of a problem, from a source of blocks."""
        raise TypeError(
            f"{type(self).__name__} does not take data in blocks. Give X and y as arrays."
        )

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, options: FitOptions
    ) -> Any:
        """The data of the problem of this estimator, which learns the names of the features."""
        vars(self).pop("n_passes_", None)
        source = source_of(X, y, sample_weight, offset)
        if source is None:
            X, y = validate_data(self, X, y, **self._accepted)
        else:
            validate_data(self, source.example, skip_check_array=True)
        names = getattr(self, "feature_names_in_", None)
        penalty = checked_penalty_weights(self.penalty_weights, self.n_features_in_, names)
        if source is not None:
            return self._streamed(source, penalty, options)
        return self._data(X, y, sample_weight, penalty, options).with_offset(offset)

    def _count_passes(self, data: Any) -> None:
        """Set how many times data in blocks have been read."""
        if hasattr(data, "source"):
            self.n_passes_ = data.source.n_passes

    def _last_coefficients(self, data: Any) -> Float64 | None:
        """The coefficients to start from, those of the last fit, if the start is to be warm."""
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return None
        return data.checked_start(self.coef_, "With warm_start=True, coef_ of the last fit")

    def _outputs(self, X: Any, offset: Any = None) -> Any:
        """The linear model at some samples, with an offset if there is one."""
        X = self._samples(X)
        with threads_for_data(X.size):
            outputs = self._linear(X)
        return (
            outputs if offset is None else outputs + checked_array(offset, outputs.shape, "offset")
        )

    def _samples(self, X: Any) -> Any:
        """Samples to predict for, validated."""
        check_is_fitted(self)
        return validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)

    def _linear(self, X: Any) -> Any:
        """The linear model at samples that have been validated."""
        with threads_for_pass():
            return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    @property
    def penalty(self) -> str:
        """The kind of penalty: 'l1' where `l1_ratio` is one, or for groups; else 'elasticnet'."""
        parameters = without_group_ratio(chosen_parameters(self))
        ratios = parameters.get("l1_ratio", parameters.get("l1_ratios", 1.0))
        return "l1" if all(ratio == 1.0 for ratio in np.ravel(ratios)) else "elasticnet"

    @penalty.setter
    def penalty(self, kind: Any) -> None:
        raise AttributeError(
            f"penalty of {type(self).__name__} cannot be set, as it follows from l1_ratio. "
            f"{PENALTY}"
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@cache
def parameter_names(kind: Any) -> tuple[str, ...]:
    """Those of an estimator; to read the signature takes as long as to solve a small problem."""
    return tuple(kind().get_params(deep=False))


def options_of(estimator: Any) -> FitOptions:
    """The options of an estimator, all of whose parameters are checked."""
    kind: Any = type(estimator)
    parameters = {name: getattr(estimator, name) for name in parameter_names(kind)}
    check_parameters(type(estimator).__name__, parameters, estimator._constraints)
    return FitOptions.of(parameters)


def chosen_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator, with the penalty that it has chosen itself, if any."""
    parameters: dict[str, Any] = estimator.get_params(deep=False)
    chosen = {name: getattr(estimator, f"{name}_", None) for name in ("alpha", "C", "l1_ratio")}
    return parameters | {name: value for name, value in chosen.items() if value is not None}


def fitted_as(kind: Any, parameters: Mapping[str, Any], fitted: Any) -> Any:
    """An estimator of a kind, with the parameters that it knows, fitted as `fitted`."""
    known = kind().get_params()
    model = kind(**{name: value for name, value in parameters.items() if name in known})
    for name in ATTRIBUTES:
        if hasattr(fitted, name):
            setattr(model, name, deepcopy(getattr(fitted, name)))
    return model
