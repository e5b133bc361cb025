"""What cross-validated estimators and searches have seen: the losses of folds, by candidate."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from .._numerics.typing import Float64
from .._validation.choices import PenaltyName
from .candidates import along_penalty, differing, losses_of, penalty_in, simplest
from .kept_path import n_nonzero, own_grid
from .path_fit import prefix_of_last
from .rules import standard_errors


class Measure(NamedTuple):
    """The name of what folds are judged by, and its sign as a loss: -1 for scores."""

    name: str
    sign: float = 1.0

    @classmethod
    def of(cls, scoring: Any, default: str) -> "Measure":
        """That of a parameter `scoring`; `default` is the score where it is None."""
        if not isinstance(scoring, str):
            return cls("score" if scoring else default, -1.0)
        return cls(scoring.removeprefix("neg_"), 1.0 if scoring.startswith("neg_") else -1.0)


class FoldLosses(NamedTuple):
    """The losses of candidates, in rows, in folds; standard errors of their means.

    `candidates` has a column for each parameter; `chosen` are positions by the name of the rule.
    `line` has the positions of candidates along the penalty, the strongest first, all else as
    chosen. `n_nonzero` are numbers of features where the path on all samples is kept.
    """

    measure: Measure
    losses: Float64
    errors: Float64
    candidates: Mapping[str, Any]
    chosen: Mapping[str, int]
    penalty: str
    line: Sequence[int]
    common: Mapping[str, Any]  # what the candidates of the line have in common, of several values
    n_nonzero: Any = None
    stopped_early: bool = False

    @property
    def penalty_name(self) -> PenaltyName:
        """The same without the names of steps."""
        return "C" if self.penalty.endswith("C") else "alpha"

    def penalties(self) -> Float64:
        """The penalties of the line."""
        column = self.candidates[self.penalty]
        return np.array([float(column[position]) for position in self.line])

    def chosen_penalties(self) -> dict[str, float]:
        """Those that rules choose, by the names of these."""
        column, line = self.candidates[self.penalty], set(self.line)
        return {rule: float(column[at]) for rule, at in self.chosen.items() if at in line}


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
    known = isinstance(search, GridSearchCV | RandomizedSearchCV)
    if not known or not hasattr(search, "best_index_"):
        return ""
    best = search.cv_results_["params"][search.best_index_]
    return penalty_in(best, prefix_of_last(search.estimator))


def fold_losses(estimator: Any) -> FoldLosses | None:
    """What a fitted estimator or search has seen, if it has seen any losses of folds."""
    if hasattr(estimator, "cv_results_"):
        return _of_search(estimator)
    if hasattr(estimator, "gammas_"):
        return _of_relaxed(estimator)
    if hasattr(estimator, "alpha_1se_"):
        return _of_alphas(estimator)
    return _of_classifier(estimator) if hasattr(estimator, "C_1se_") else None


def _of_alphas(estimator: Any) -> FoldLosses:
    """Squared errors or deviances, at the l1_ratio chosen."""
    squares, common = hasattr(estimator, "mse_path_"), {}
    names = ("mse_path_", "mse_se_") if squares else ("deviance_path_", "deviance_se_")
    losses, errors = (getattr(estimator, name) for name in names)
    if losses.ndim == 3:
        row = list(np.atleast_1d(estimator.l1_ratio)).index(estimator.l1_ratio_)
        losses, errors, common = losses[row], errors[row], {"l1_ratio": estimator.l1_ratio_}
    measure = Measure("mean_squared_error" if squares else "mean_deviance")
    alphas = own_grid(estimator, getattr(estimator, "l1_ratio_", 1.0))
    return _of_path(estimator, "alpha", alphas, measure, losses, errors, common)


def _of_classifier(estimator: Any) -> FoldLosses:
    """Scores, at the l1_ratio chosen."""
    ratios, measure = estimator.l1_ratios_, Measure.of(estimator.scoring, "accuracy")
    row = int(np.argmin(np.abs(ratios - estimator.l1_ratio_)))
    common = {"l1_ratio": float(ratios[row])} if len(ratios) > 1 else {}
    losses, errors = -estimator.scores_[:, row].T, estimator.scores_se_[row]
    return _of_path(estimator, "C", estimator.Cs_, measure, losses, errors, common)


def _of_path(
    estimator: Any,
    name: str,
    penalties: Any,
    measure: Measure,
    losses: Float64,
    errors: Float64,
    common: Mapping[str, Any],
) -> FoldLosses:
    """Of an estimator that has chosen a penalty alone."""
    rules = {rule: getattr(estimator, f"{name}_{rule}_") for rule in ("min", "1se")}
    return FoldLosses(
        measure,
        losses,
        errors,
        {name: penalties},
        {rule: _position(penalties, value) for rule, value in rules.items()},
        name,
        range(len(penalties)),
        common,
        n_nonzero(estimator.coef_path_) if hasattr(estimator, "coef_path_") else None,
        estimator.stopped_early_,
    )


def _of_relaxed(estimator: Any) -> FoldLosses:
    """Of relaxed fits: all gammas at one penalty after the other."""
    name, gammas = ("C" if hasattr(estimator, "Cs_") else "alpha"), estimator.gammas_
    penalties = getattr(estimator, f"{name}s_")
    chosen = {}
    for rule in ("min", "1se"):
        penalty, gamma = (getattr(estimator, f"{kind}_{rule}_") for kind in (name, "gamma"))
        chosen[rule] = _position(penalties, penalty) * gammas.size + _position(gammas, gamma)
    candidates: dict[str, Any] = {
        name: np.repeat(penalties, gammas.size),
        "gamma": np.tile(gammas, penalties.size),
    }
    scores = estimator.scores_
    unscored = estimator.scoring is None
    return FoldLosses(
        Measure("mean_loss") if unscored else Measure.of(estimator.scoring, ""),
        -scores.transpose(1, 0, 2).reshape(-1, scores.shape[-1]),
        estimator.scores_se_.T.ravel(),
        candidates,
        chosen,
        name,
        np.flatnonzero(candidates["gamma"] == estimator.gamma_).tolist(),
        {"gamma": estimator.gamma_},
        stopped_early=estimator.stopped_early_,
    )


def _of_search(search: Any) -> FoldLosses | None:
    """Scores of a search, by the metric that chooses, or the first of several.

    The line has no candidates whose scores are not finite. Folds count alike.
    """
    if not hasattr(search, "best_index_"):
        return None
    results, metric, scoring = search.cv_results_, "score", search.scoring
    if search.multimetric_:
        metrics = [name.removeprefix("mean_test_") for name in results if "mean_test_" in name]
        metric = search.refit if isinstance(search.refit, str) else metrics[0]
        scoring = scoring.get(metric) if isinstance(scoring, Mapping) else metric
    losses, penalty = losses_of(results, metric, search.n_splits_), penalty_parameter(search)
    candidates, best = results["params"], int(search.best_index_)
    line = along_penalty(candidates, best, penalty, losses)
    names = dict.fromkeys(name for candidate in candidates for name in candidate)
    varied = set().union(*(differing(each, candidates[best]) for each in candidates)) - {penalty}
    return FoldLosses(
        Measure.of(scoring, "accuracy" if is_classifier(search.estimator) else "score"),
        losses,
        standard_errors(losses.T, np.ones(losses.shape[1])),
        {name: [candidate.get(name) for candidate in candidates] for name in names},
        _chosen(search, results[f"rank_test_{metric}"], line, losses),
        penalty,
        line,
        {name: value for name, value in candidates[best].items() if name in varied},
    )


def _chosen(search: Any, ranks: Any, line: Sequence[int], losses: Float64) -> dict[str, int]:
    """The positions of the candidates of the rules, and of the one that `refit` chose."""
    best, chosen = int(search.best_index_), dict[str, int]()
    if line:
        chosen["min"] = min(sorted(line), key=ranks.__getitem__)
    if line and search.n_splits_ > 1:
        chosen["1se"] = simplest(line, losses)
    if callable(search.refit):
        chosen["refit"] = best
    return chosen or {"min": best}


def _position(values: Any, value: float) -> int:
    """Where the value is."""
    return int(np.flatnonzero(values == value)[0])
