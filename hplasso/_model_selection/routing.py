"""Metadata routing of scikit-learn: what goes on to the splitter and to the scorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import process_routing


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
