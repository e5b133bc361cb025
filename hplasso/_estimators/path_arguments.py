"""The arguments of path functions as types, without those that tell what is returned.

The overloads of a path function have them all; `Paths` and the others are what these return.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from numpy.typing import NDArray

from .._validation.choices import (
    Balanced,
    FamilyName,
    GroupWeighting,
    Link,
    Selection,
    Solver,
)

Array = NDArray[Any]
# Of least squares: alphas, coefs, dual_gaps; n_iters and intercepts on request.
Paths = tuple[Array, Array, Array]
PathsWithSweeps = tuple[Array, Array, Array, list[Any]]
PathsWithIntercepts = tuple[Array, Array, Array, Array]
PathsWithBoth = tuple[Array, Array, Array, list[Any], Array]
# Of the others: alphas or Cs, coefs, intercepts, dual_gaps; n_iters on request.
CurvedPath = tuple[Array, Array, Array, Array]
CurvedPathWithSweeps = tuple[Array, Array, Array, Array, list[int]]


class PathArguments(TypedDict, total=False):
    """Those that all path functions have."""

    eps: float
    coef_init: Any
    verbose: bool | int
    fit_intercept: bool
    sample_weight: Any
    offset: Any
    penalty_weights: Any
    solver: Solver
    max_iter: int
    tol: float


class LassoPathArguments(PathArguments, total=False):
    """Those of `lasso_path`."""

    alphas: Any
    precompute: Any
    Xy: Any
    copy_X: bool
    check_input: bool
    positive: bool
    random_state: Any
    selection: Selection


class ElasticNetPathArguments(LassoPathArguments, total=False):
    """Those of `enet_path`."""

    l1_ratio: float


class GroupPathArguments(TypedDict, total=False):
    """Those of `group_path`."""

    groups: Any
    group_weights: GroupWeighting | Any
    l1_ratio: float
    eps: float
    alphas: Any
    coef_init: Any
    verbose: bool | int
    fit_intercept: bool
    sample_weight: Any
    offset: Any
    positive: bool
    solver: Solver
    max_iter: int
    tol: float


class LogisticPathArguments(PathArguments, total=False):
    """Those of `logistic_path`."""

    Cs: Any
    l1_ratio: float
    class_weight: Mapping[Any, float] | Balanced | None
    early_stop: bool


class GeneralizedLinearPathArguments(PathArguments, total=False):
    """Those of `glm_path`."""

    family: FamilyName
    power: float
    link: Link
    alphas: Any
    l1_ratio: float
    positive: bool
