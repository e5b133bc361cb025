"""The parameters of models that choose a penalty: what they may be, and where they go on to."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.metrics import get_scorer_names
from sklearn.utils.metadata_routing import process_routing

from .._estimators.parameters import FIT_CONSTRAINTS
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    NONE,
    Constraint,
    Constraints,
    check_parameters,
    integer,
    one_of,
    real,
)

CV = Constraint(
    "an int in the range [2, inf), an object with a method 'split', an iterable of pairs or None",
    lambda value: value is None or integer(2).holds(value) or _splits(value),
)
N_JOBS = Constraint("an int or None", lambda value: value is None or isinstance(value, int))
SCORER = Constraint(
    "the name of a scorer (sklearn.metrics.get_scorer_names lists them)",
    lambda value: isinstance(value, str) and value in get_scorer_names(),
)
SELECTION_CONSTRAINTS: Constraints = {
    **FIT_CONSTRAINTS,
    "l1_ratio": (real(0.0, 1.0), ARRAY),
    "l1_ratios": (ARRAY,),
    "cv": (CV,),
    "n_jobs": (N_JOBS,),
    "rule": (one_of("min", "1se"),),
    "scoring": (SCORER, Constraint("a callable", callable), NONE),
    "refit": (BOOLEAN,),
    "criterion": (one_of("aic", "aicc", "bic", "ebic"),),
    "noise_variance": (real(0.0, open_low=True), NONE),
    "ebic_gamma": (real(0.0, 1.0),),
}


def _splits(value: Any) -> bool:
    """Whether it is a splitter, or pairs of training and test indices."""
    if isinstance(value, str | int | float | Mapping):
        return False
    if isinstance(value, list | tuple):
        return all(isinstance(pair, Sized) and len(pair) == 2 for pair in value)
    return hasattr(value, "split") or hasattr(value, "__iter__")


def checked_ratios(owner: str, name: str, given: Any) -> list[float]:
    """One or several l1_ratios.

    Raises
    ------
    ValueError
        If there are none, or one is not in [0, 1].
    """
    ratios = np.atleast_1d(given)
    if ratios.ndim != 1 or not ratios.size:
        raise ValueError(f"{name} must be numbers in the range [0, 1]. Got {given!r}.")
    for ratio in ratios.tolist():
        check_parameters(owner, {name: ratio}, {name: (real(0.0, 1.0),)})
    return [float(ratio) for ratio in ratios]


def routed(owner: Any, method: str, sample_weight: Any, params: Mapping[str, Any]) -> Any:
    """What goes to the splitter and the scorer, where scikit-learn's metadata routing is on.

    Raises
    ------
    ValueError
        If there is something to pass on and it is off.
    """
    if get_config()["enable_metadata_routing"]:
        return process_routing(owner, method, sample_weight=sample_weight, **params)
    if params:
        raise ValueError(
            f"Passing {', '.join(sorted(params))} to {type(owner).__name__}.{method} is only "
            "supported if enable_metadata_routing=True, which sklearn.set_config sets."
        )
    return None
