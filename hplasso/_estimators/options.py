"""The options of a fit that all estimators and path functions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .._solver.working_set_solvers import SOLVERS
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    MAPPING,
    NONE,
    RANDOM_STATE,
    Constraints,
    integer,
    one_of,
    real,
)

L1_RATIO: Constraints = {"l1_ratio": (real(0.0, 1.0),)}
FIT_CONSTRAINTS: Constraints = {
    "fit_intercept": (BOOLEAN,),
    "max_iter": (integer(1),),
    "tol": (real(0.0),),
    "solver": (one_of(*SOLVERS),),
    "penalty_weights": (ARRAY, MAPPING, NONE),
    "verbose": (BOOLEAN, integer(0)),
}
# Parameters without effect, for compatibility.
RANDOM_CONSTRAINTS: Constraints = {
    "random_state": (RANDOM_STATE,),
    "selection": (one_of("cyclic", "random"),),
}


@dataclass(frozen=True)
class FitOptions:
    """How to fit, whatever the loss is; each is what the parameter of this name says."""

    l1_ratio: float = 1.0
    fit_intercept: bool = True
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    verbose: int = 0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> FitOptions:
        """Those among the checked parameters of an estimator; others have their defaults."""
        types: dict[str, Any] = {field.name: type(field.default) for field in fields(cls)}
        given = [name for name in types if name in parameters]
        return cls(**{name: types[name](parameters[name]) for name in given})
