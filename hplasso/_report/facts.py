"""What is to be said of a model besides its tables: data, penalty, certificate, versions."""

import platform
from importlib import import_module
from typing import Any

import numpy as np

from .._estimators.linear_model import chosen_parameters
from .._model_selection.fitted_pipeline import FittedPipeline
from .._model_selection.kept_path import own_grid
from .._model_selection.rules import end_of_grid
from .._path.progress import Measure
from .coefficients import intercept
from .path import Samples, explained, explained_name, is_least_squares, null_log_loss

Facts = dict[str, str]
# Packages whose versions are told.
PACKAGES = {"hplasso": "hplasso", "scikit-learn": "sklearn", "NumPy": "numpy", "SciPy": "scipy"}
# What `tol` is relative to.
SCALES = {
    Measure.DUAL_GAP: "the loss of the model without features",
    Measure.KKT_RESIDUAL: "the largest correlation of a feature with the residual of the model "
    "without features",
}


def data_facts(fitted: FittedPipeline, samples: Samples | None) -> Facts:
    """What is known of the data."""
    last, facts = fitted.last, dict[str, str]()
    if samples is not None:
        weighted = ", weighted" if samples.sample_weight is not None else ""
        facts["samples"] = f"{len(samples.y)}{weighted}"
    facts["features"] = str(last.n_features_in_)
    if fitted.makers():
        facts["features"] += f", made by {', '.join(fitted.makers())}"
    if hasattr(last, "classes_"):
        facts["classes"] = ", ".join(str(label) for label in last.classes_)
    return facts


def penalty_facts(fitted: FittedPipeline) -> Facts:
    """The penalty, and how it was chosen."""
    last = fitted.last
    parameters = chosen_parameters(getattr(last, "estimator_", last))
    name = "C" if "C" in parameters else "alpha"
    ratio = parameters.get("l1_ratio", 1.0)
    kind = {1.0: "L1", 0.0: "ridge"}.get(ratio, f"L1 and ridge, l1_ratio={ratio:.4g}")
    kind = getattr(last, "_penalty_words", kind)
    weighted = "" if parameters.get("penalty_weights") is None else ", with penalty weights"
    facts = {"penalty": f"{kind}{weighted}, {name}={parameters[name]:.4g}"}
    if hasattr(last, "coef_penalised_"):
        gamma = getattr(last, "gamma_", getattr(last, "gamma", None))
        facts["relaxed"] = f"gamma={gamma:.4g}"
    return facts | _choice(fitted, name, ratio)


def _choice(fitted: FittedPipeline, name: str, ratio: float) -> Facts:
    """How the penalty was chosen."""
    last, search = fitted.last, fitted.search
    if not hasattr(last, f"{name}_"):
        return {"chosen by": "the user, a fixed value"} if search is None else _search(search)
    penalties: Any = own_grid(last, ratio)
    first, end = penalties[[0, -1]]
    grid = f"{len(penalties)} values of {name} from {first:.4g} to {end:.4g}"
    if hasattr(last, "criterion_"):
        return {"chosen by": f"criterion={last.criterion!r}, {grid}"}
    best, stopped_early = getattr(last, f"{name}_min_"), last.stopped_early_
    facts = {"chosen by": f"cross-validation, rule={last.rule!r}, {grid}{_ratios(last)}"}
    note = end_of_grid(name, best, penalties, stopped_early)
    return facts | ({"note": note} if note else {})


def _ratios(last: Any) -> str:
    """The values of l1_ratio to choose from, where there are several; after a comma."""
    ratios = np.unique(getattr(last, "l1_ratios_", getattr(last, "l1_ratio", 1.0)))
    several = ratios.size > 1
    return f", and of l1_ratio: {', '.join(f'{each:.4g}' for each in ratios)}" if several else ""


def _search(search: Any) -> Facts:
    """A grid search, and what it chose."""
    rule = f", rule={search.rule!r}" if hasattr(search, "rule") else ""
    n_candidates = len(search.cv_results_["params"])
    kind = type(search).__name__
    pairs = [f"{name}={_value(value)}" for name, value in search.best_params_.items()]
    return {
        "chosen by": f"{kind}{rule}, {n_candidates} candidates, {search.n_splits_} folds",
        "best parameters": ", ".join(pairs),
    }


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else repr(value)


def certificate_facts(last: Any, samples: Samples | None) -> Facts:
    """How good the coefficients are, beside the tolerance."""
    tol = getattr(last, "estimator_", last).tol
    for measure in Measure:
        values = getattr(last, f"{measure.attribute}_", None)
        if values is not None and np.isfinite(values).all():
            scale = SCALES[measure]
            if measure is Measure.DUAL_GAP and is_least_squares(last):
                of_y = "y" if samples is None or samples.offset is None else "y - offset"
                about = " about its mean" if last.fit_intercept else ""
                scale = f"the mean square of {of_y}{about}"
            gap = f"{np.max(values):.2g} (tol={tol:.2g}, relative to {scale})"
            return {measure.value: gap, "sweeps": ", ".join(map(str, _sweeps(last)))}
    reason = "the coefficients are means over folds, as refit was False"
    if hasattr(last, "coef_penalised_"):
        reason = "a mixture of two fits is not the solution of one problem"
    return {"certificate": f"none: {reason}"}


def _sweeps(last: Any) -> Any:
    """The sweeps of the fit to all samples, for each target."""
    own = last.at(last.C_) if hasattr(last, "C_1se_") else last
    return np.atleast_1d(own.n_iter_)


def fit_facts(last: Any, samples: Samples | None) -> Facts:
    """The intercept, and what the model explains of given data."""
    facts = {"intercept": intercept(last)}
    if samples is not None:
        part = explained(last, samples, null_log_loss(last, samples))
        value = f"{explained_name(last)} = {part:.4g}"
        facts["explained"] = f"{value} on the data given here"
    return facts


def versions() -> Facts:
    """Those of this package, of Python, and of what fits are made with."""
    found = {name: import_module(module).__version__ for name, module in PACKAGES.items()}
    return found | {"Python": platform.python_version()}
