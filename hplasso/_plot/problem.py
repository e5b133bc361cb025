"""The problem that an estimator poses on given data, for the pictures of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_X_y
from sklearn.utils.validation import check_is_fitted

from .._estimators.callbacks import chosen_parameters
from .._estimators.classification import Classification, encode
from .._estimators.least_squares_path import ACCEPTED as FOR_REGRESSION
from .._estimators.least_squares_path import alpha_grid, as_columns
from .._estimators.least_squares_path import path_settings as regression_settings
from .._estimators.linear_classifier import LinearClassifier
from .._estimators.linear_regressor import LinearRegressor
from .._estimators.logistic_path import ACCEPTED as FOR_CLASSIFICATION
from .._estimators.logistic_path import TINY, n_rows, penalty_of
from .._estimators.logistic_path import path_settings as classification_settings
from .._estimators.regression import regression_of
from .._numerics.typing import Float64, Mask
from .._path.progress import Iteration, Listener, PathPoint
from .._path.settings import alpha_unit
from .._path.tracer import Tracer
from .._validation.parameters import check_parameters
from .._validation.weights import checked_penalty_weights, feature_names, normalised_weights

# Penalties of a path where an estimator has none of its own, and the last one over the first.
N_PENALTIES, LENGTH = 100, 1e-3


class Recorder(Listener):
    """Keeps each iteration, of one sweep each."""

    iterations = every_sweep = True

    def __init__(self) -> None:
        self.records: list[Iteration] = []

    def iteration(self, iteration: Iteration) -> None:
        self.records.append(iteration)


class Pictured(NamedTuple):
    """A tracer for the estimator's problem, and what translates between it and the user.

    `penalties` are those of a path in the user's terms (alpha, or C), strongest first; `penalty` is
    the estimator's own, `chosen` are those to mark. The solver's alpha is `unit` times that, or for
    C, which is `inverse`, `unit` over it. `rows` are the coefficients of a point of the path, of
    shape (n_rows, n_features).
    """

    tracer: Tracer
    penalties: Float64
    penalty: float
    chosen: dict[str, float]
    unit: float
    inverse: bool
    rows: Callable[[PathPoint], Float64]

    def alphas(self, penalties: Any) -> Float64:
        """The solver's alphas."""
        penalties = np.asarray(penalties, dtype=np.float64)
        return self.unit / penalties if self.inverse else self.unit * penalties

    def coefficients(self) -> Float64:
        """The path, of shape (n_rows, n_features, n_penalties)."""
        points = self.tracer.trace(self.alphas(self.penalties))
        return np.stack([self.rows(point) for point in points], axis=-1)


def unwrapped(estimator: Any, X: Any) -> tuple[Any, Any, Any]:
    """The last step of a pipeline, X as it sees it, and the names of the features, or None."""
    if isinstance(estimator, Pipeline):
        before, last = estimator[:-1], estimator[-1]
        names = None
        if hasattr(X, "columns"):
            names = before.get_feature_names_out() if len(before) else np.asarray(X.columns)
        return last, before.transform(X) if len(before) else X, names
    names = getattr(estimator, "feature_names_in_", getattr(X, "columns", None))
    return estimator, X, None if names is None else np.asarray(names)


def pictured(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None, listener: Listener | None = None
) -> Pictured:
    """The problem of an estimator of this package on some data."""
    if not isinstance(estimator, LinearRegressor | LinearClassifier):
        raise ValueError(
            f"estimator must be one of hplasso. Got {type(estimator).__name__}; "
            "RegularizationPathDisplay.from_path draws any path."
        )
    given = {"l1_ratio": 1.0} | estimator.get_params(deep=False)
    check_parameters(type(estimator).__name__, given, estimator._constraints)
    parameters = {"l1_ratio": 1.0, "positive": False, "solver": "auto"}
    parameters |= chosen_parameters(estimator) | {"verbose": 0}
    if not {"alpha", "C"} & set(parameters):
        check_is_fitted(estimator)
    names = feature_names(X)
    if names is None:
        names = getattr(estimator, "feature_names_in_", None)
    if "class_weight" in parameters:
        X, y = check_X_y(X, y, **FOR_CLASSIFICATION)
        make = _classification
    else:
        X, y = check_X_y(X, y, **FOR_REGRESSION | {"multi_output": False})
        make = _regression
    parameters["penalty_weights"], left_out = checked_penalty_weights(
        parameters["penalty_weights"], X.shape[1], names
    )
    return make(estimator, parameters, X, y, sample_weight, left_out, listener)


def _regression(
    estimator: Any,
    parameters: dict[str, Any],
    X: Any,
    y: Any,
    weights: Any,
    left_out: Mask,
    listener: Any,
) -> Pictured:
    ratio = float(parameters["l1_ratio"])
    settings = regression_settings(parameters, ratio, X.dtype)
    settings = replace(settings, listener=listener)
    weights = normalised_weights(weights, X)
    fit_intercept = parameters["fit_intercept"]
    regression = regression_of(
        X, as_columns(y), weights, fit_intercept, "auto", N_PENALTIES, left_out=left_out
    )
    chosen = _chosen(estimator, parameters, "alpha")
    penalties: Any = getattr(estimator, "alphas_", None)
    if np.ndim(penalties) == 2:  # a row for each l1_ratio
        penalties = penalties[list(estimator.l1_ratio).index(ratio)]
    own = float(parameters["alpha"])
    if not ratio and (penalties is None or np.ndim(penalties) != 1):
        penalties = _around(own)[::-1]
    elif penalties is None or np.ndim(penalties) != 1:
        first = max(regression.tracer(0, settings).alpha_max() / ratio, TINY)
        length = min([LENGTH, *(0.5 * value / first for value in chosen.values() if value > 0.0)])
        penalties = alpha_grid(first, length, N_PENALTIES)
    tracer, unit = regression.tracer(0, settings), alpha_unit(ratio)

    def rows(point: PathPoint) -> Float64:
        return point.dense(X.shape[1])[None]

    return Pictured(tracer, penalties, own, chosen, unit, False, rows)


def _classification(
    estimator: Any,
    parameters: dict[str, Any],
    X: Any,
    y: Any,
    weights: Any,
    left_out: Mask,
    listener: Any,
) -> Pictured:
    labels = encode(y, X, weights, parameters["class_weight"])
    ratio = float(parameters["l1_ratio"])
    settings = replace(classification_settings(parameters, labels, X), listener=listener)
    problem = Classification(X, labels, parameters["fit_intercept"], left_out)
    unit = float(penalty_of(np.ones(1), ratio, labels)[0])
    chosen = _chosen(estimator, parameters, "C")
    penalties, own = getattr(estimator, "Cs_", None), float(parameters["C"])
    if penalties is None and not ratio:
        penalties = _around(own)
    elif penalties is None:
        first = unit / max(problem.tracer(settings).alpha_max(), TINY)
        last = max([first / LENGTH**0.5, *(2.0 * value for value in chosen.values())])
        penalties = np.geomspace(first, last, N_PENALTIES)

    def rows(point: PathPoint) -> Float64:
        coefficients = np.zeros((n_rows(labels), X.shape[1]))
        problem.write(point, coefficients)
        return coefficients

    return Pictured(problem.tracer(settings), penalties, own, chosen, unit, True, rows)


def _around(own: float) -> Float64:
    """A grid around the penalty of an estimator, where no coefficient enters to begin it at.

    Raises
    ------
    ValueError
        If that is zero.
    """
    if not own:
        raise ValueError("There is no grid of penalties to draw for alpha=0 and l1_ratio=0.")
    feasible_alpha = LENGTH**-0.5
    return np.geomspace(own / feasible_alpha, own * feasible_alpha, N_PENALTIES)


def _chosen(estimator: Any, parameters: dict[str, Any], name: str) -> dict[str, float]:
    """The penalties to mark: the best and that of the other rule, or the one of the estimator."""
    rules = {"min": f"{name}_min_", "1se": f"{name}_1se_"}
    if hasattr(estimator, "criterion_"):
        rules = {"min": f"{name}_"}
    marks = {rule: getattr(estimator, attribute, None) for rule, attribute in rules.items()}
    known = {rule: float(value) for rule, value in marks.items() if value is not None}
    return known or {name: float(parameters[name])}


def lower_bound(records: Sequence[Iteration]) -> float:
    """The largest value that the certificates prove the objective not to go below."""
    return max(record.objective - record.gap for record in records)
