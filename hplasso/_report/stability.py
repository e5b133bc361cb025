"""The table of selection probabilities."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._model_selection.fitted_pipeline import FittedPipeline
from .._model_selection.stability_selection import HadamardStabilitySelection
from .._validation.parameters import InvalidParameterError
from .coefficients import N_SHOWN
from .facts import Facts
from .table import RowNames, Table


def checked_selector(stability: Any) -> FittedPipeline:
    """The parameter `stability`: a fitted selector, or a pipeline that ends with one."""
    fitted = FittedPipeline.of(stability) if hasattr(stability, "fit") else None
    if fitted is None or not isinstance(fitted.last, HadamardStabilitySelection):
        got = repr(stability) if fitted is None else type(fitted.last).__name__
        raise InvalidParameterError(
            "stability must be a fitted HadamardStabilitySelection, or a pipeline that ends with "
            f"one. Got {got}."
        )
    check_is_fitted(stability)
    return fitted


def stability_table(selector: HadamardStabilitySelection, names: Any) -> Table:
    """Features that any resample selects, the most probable first; those selected are shown."""
    order = np.argsort(-selector.scores_, kind="stable")
    order = order[: np.count_nonzero(selector.scores_)]
    selected = selector.get_support()[order]
    columns: dict[str, Any] = {
        "selection_probability": selector.scores_[order],
        "selected": selected,
    }
    n_selected = int(selected.sum())
    caption = f"Features selected: {n_selected} of {selector.n_features_in_}, the surest first"
    shown = range(min(n_selected, N_SHOWN))
    return Table(caption, columns, shown, RowNames("feature", names[order]))


def stability_facts(selector: HadamardStabilitySelection) -> Facts:
    """What the probabilities stand for."""
    resamples = f"{selector.n_resamples}, by resampling={selector.resampling!r}"
    facts = {"resamples": resamples, "threshold": f"{selector.threshold_:.4g}"}
    if np.isfinite(selector.max_false_):
        bound = f"at most {selector.max_false_:.2g} are expected"
        facts["false selections"] = bound
    return facts


def probabilities_of(names: Any, selection: FittedPipeline) -> Any:
    """The selection probabilities of features, by their names.

    Raises
    ------
    ValueError
        If the selector has not seen one of them.
    """
    known = dict(zip(selection.feature_names(), selection.last.scores_, strict=True))
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"stability must know all features of the model by name. {missing[0]!r} and "
            f"{len(missing) - 1} more are not among those that it was fitted to."
        )
    return np.array([known[name] for name in names])
