"""What cross-validated estimators and searches have seen: the losses of folds along penalties."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from .._model_selection.path_fit import prefix_of_last
from .._model_selection.rules import choose
from .._numerics.typing import Float64


class FoldLosses(NamedTuple):
    """What a :class:`CrossValidationDisplay` draws, in its words."""

    penalties: Float64
    losses: Float64
    errors: Float64
    chosen: Mapping[str, float]
    penalty_name: str
    loss_name: str
    stopped_early: bool = False


def cross_validated(estimator: Any) -> Any:
    """What has chosen the penalty: the last step of pipelines, the best one of other searches."""
    if isinstance(estimator, Pipeline):
        return cross_validated(estimator[-1])
    if hasattr(estimator, "best_estimator_") and not penalty_parameter(estimator):
        return cross_validated(estimator.best_estimator_)
    return estimator


def penalty_parameter(search: Any) -> str:
    """The name of the penalty of the last step among the parameters of the best candidate, or ''.

    Only grid searches and randomised ones are known: others do not score all candidates alike.
    """
    if not isinstance(search, GridSearchCV | RandomizedSearchCV):
        return ""
    prefix, best = prefix_of_last(search.estimator), getattr(search, "best_params_", {})
    return next((prefix + name for name in ("alpha", "C") if prefix + name in best), "")


def fold_losses(estimator: Any) -> FoldLosses:
    """What a fitted estimator or search has seen.

    Raises
    ------
    ValueError
        If it has seen no losses along penalties.
    """
    if hasattr(estimator, "cv_results_"):
        return _of_search(estimator)
    if hasattr(estimator, "mse_path_"):
        return _of_least_squares(estimator)
    if hasattr(estimator, "deviance_path_"):
        losses, errors = estimator.deviance_path_, estimator.deviance_se_
        return _by_alpha(estimator, estimator.alphas_, losses, errors, "mean deviance")
    if hasattr(estimator, "gammas_"):
        return _of_relaxed(estimator)
    if hasattr(estimator, "scores_"):
        return _of_classifier(estimator)
    raise ValueError(
        "estimator must be cross-validated, or a grid search over alpha or C of its last step. Got "
        f"{type(estimator).__name__}, which has none of mse_path_, deviance_path_, scores_ and "
        "cv_results_."
    )


def _by_alpha(
    estimator: Any, alphas: Float64, losses: Float64, errors: Float64, name: str
) -> FoldLosses:
    """Of an estimator that has chosen an alpha."""
    chosen = {"min": estimator.alpha_min_, "1se": estimator.alpha_1se_}
    return FoldLosses(alphas, losses, errors, chosen, "alpha", name, estimator.stopped_early_)


def _of_least_squares(estimator: Any) -> FoldLosses:
    """Squared errors, at the l1_ratio chosen."""
    losses, errors, alphas = estimator.mse_path_, estimator.mse_se_, estimator.alphas_
    if losses.ndim == 3:
        row = list(np.atleast_1d(estimator.l1_ratio)).index(estimator.l1_ratio_)
        losses, errors = losses[row], errors[row]
        alphas = alphas[row] if alphas.ndim == 2 else alphas
    return _by_alpha(estimator, alphas, losses, errors, "mean squared error")


def _of_relaxed(estimator: Any) -> FoldLosses:
    """Scores of relaxed fits, at the gamma chosen."""
    name, gamma = ("C" if hasattr(estimator, "C_") else "alpha"), estimator.gamma_
    row = list(estimator.gammas_).index(gamma)
    loss = "mean loss" if estimator.scoring is None else loss_name(estimator.scoring)
    return FoldLosses(
        getattr(estimator, f"{name}s_"),
        -estimator.scores_[row],
        estimator.scores_se_[row],
        {estimator.rule: getattr(estimator, f"{name}_")},
        name,
        f"{loss}, gamma={gamma:g}",
        estimator.stopped_early_,
    )


def _of_classifier(estimator: Any) -> FoldLosses:
    """Scores, at the l1_ratio chosen."""
    row = int(np.argmin(np.abs(estimator.l1_ratios_ - estimator.l1_ratio_)))
    return FoldLosses(
        estimator.Cs_,
        -estimator.scores_[:, row].T,
        estimator.scores_se_[row],
        {"min": estimator.C_min_, "1se": estimator.C_1se_},
        "C",
        loss_name(estimator.scoring or "accuracy"),
        estimator.stopped_early_,
    )


def _of_search(search: Any) -> FoldLosses:
    """Scores of the candidates that differ from the best one in the penalty alone.

    Those that are not finite are left out. Folds count alike.
    """
    parameter, metric = penalty_parameter(search), "score"
    scoring = search.scoring or ("accuracy" if is_classifier(search.estimator) else None)
    if search.multimetric_:
        metric = scoring = search.refit
    if not parameter or not isinstance(metric, str):
        raise ValueError(
            "Of a grid search, errors are drawn along the penalty, alpha or C of the last step, "
            "which has to be in the grid; refit has to name one of several metrics. "
            f"Got {search!r}."
        )
    results, best = search.cv_results_, search.best_params_
    folds = [results[f"split{fold}_test_{metric}"] for fold in range(search.n_splits_)]
    losses, differing = -np.array(folds), [_differing(each, best) for each in results["params"]]
    values = {
        position: float(results["params"][position][parameter])
        for position, names in enumerate(differing)
        if names <= {parameter} and np.isfinite(losses[:, position]).all()
    }
    name = parameter.rpartition("__")[2]
    order = sorted(values, key=values.__getitem__, reverse=name == "alpha")
    penalties, losses = np.array([values[position] for position in order]), losses[:, order]
    choice = choose(losses[:, None], [1.0] * len(losses))
    chosen = {"min": float(penalties[choice.best])}
    if len(losses) > 1:
        chosen["1se"] = float(penalties[choice.simplest])
    if best[parameter] not in chosen.values():  # `refit` is a rule of the user's own
        chosen["refit"] = float(best[parameter])
    varied = set().union(*differing) - {parameter}
    others = [f"{key}={value}" for key, value in best.items() if key in varied]
    words = ",\n".join([loss_name(scoring), *others])
    return FoldLosses(penalties, losses.T, choice.errors[0], chosen, name, words)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The names of parameters that are not the same in two candidates."""
    return {
        name
        for name in {*one, *other}
        if not (
            name in one
            and name in other
            and (one[name] is other[name] or np.array_equal(one[name], other[name]))
        )
    }


def loss_name(scoring: Any) -> str:
    """The name of minus a score."""
    name = f"-{scoring}" if isinstance(scoring, str) else "-score"
    return name.replace("_", " ").removeprefix("-neg ")
