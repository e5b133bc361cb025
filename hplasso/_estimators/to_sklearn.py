"""Estimators of scikit-learn itself, with the coefficients of a fitted one of this package."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

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


def fitted_as(kind: Any, parameters: Mapping[str, Any], fitted: Any) -> Any:
    """An estimator of a kind, with the parameters that it knows, fitted as `fitted`."""
    known = kind().get_params()
    model = kind(**{name: value for name, value in parameters.items() if name in known})
    for name in ATTRIBUTES:
        if hasattr(fitted, name):
            setattr(model, name, deepcopy(getattr(fitted, name)))
    return model
