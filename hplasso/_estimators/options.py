"""The options of a fit that all estimators and path functions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .._solver.sweeps_and_finish import SOLVERS
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    MAPPING,
    NONE,
    Constraints,
    integer,
    one_of,
    real,
)

FIT_CONSTRAINTS: Constraints = {
    "l1_ratio": (real(0.0, 1.0),),
    "fit_intercept": (BOOLEAN,),
    "max_iter": (integer(1),),
    "tol": (real(0.0),),
    "solver": (one_of(*SOLVERS),),
    "penalty_weights": (ARRAY, MAPPING, NONE),
    "verbose": (BOOLEAN, integer(0)),
}


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
