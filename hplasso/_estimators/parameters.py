"""The parameters of estimators: the options that all fits share, and those to pass on."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

from .._validation.parameters import check_parameters

# What fitted linear models have in common with those of scikit-learn.
ATTRIBUTES = (
    "coef_",
    "intercept_",
    "classes_",
    "n_iter_",
    "dual_gap_",
    "n_features_in_",
    "feature_names_in_",
)


@dataclass(frozen=True)
class FitOptions:
    """How to fit, whatever the loss is: the parameters of these names, which have been checked."""

    l1_ratio: float = 1.0
    fit_intercept: bool = True
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    verbose: bool | int = 0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> FitOptions:
        """Those among the parameters of an estimator; others have their defaults."""
        names = [field.name for field in fields(cls) if field.name in parameters]
        return cls(**{name: parameters[name] for name in names})


def options_of(estimator: Any) -> FitOptions:
    """The options of an estimator, all of whose parameters are checked."""
    parameters = estimator.get_params(deep=False)
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
