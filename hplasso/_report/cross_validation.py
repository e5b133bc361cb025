"""The table of cross-validation: penalties, scores, standard errors, and what the rules choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._model_selection.kept_path import n_nonzero, own_grid
from .._model_selection.path_fit import prefix_of_last
from .._model_selection.path_search import simplest
from .table import Table


@dataclass(frozen=True)
class Scores:
    """Means and standard errors over the folds, of candidates in columns; positions by rule."""

    columns: Mapping[str, Sequence[Any]]
    measure: str
    means: Any
    errors: Any
    marks: Mapping[str, int]
    n_folds: int
    note: str = ""

    def table(self) -> Table:
        """A row for each candidate; those of the rules are shown."""
        rules: Any = np.full(len(self.means), "", dtype=object)
        for position in set(self.marks.values()):
            rules[position] = ", ".join(rule for rule in self.marks if self.marks[rule] == position)
        measured = {self.measure: self.means, "standard_error": self.errors}
        measure = self.measure.replace("_", " ")
        caption = f"Cross-validation: {measure}, {self.n_folds} folds{self.note}"
        shown = list(dict.fromkeys(self.marks.values()))
        return Table(caption, {"rule": rules, **self.columns, **measured}, shown)


def scores_of(last: Any, search: Any = None) -> Scores | None:
    """What a fitted estimator, or the search around it, has seen in cross-validation, if any."""
    if hasattr(last, "gammas_"):
        return _of_relaxed(last)
    if hasattr(last, "alpha_1se_"):
        return _of_alphas(last)
    if hasattr(last, "C_1se_"):
        return _of_classes(last)
    return None if search is None else _of_search(search)


def _of_alphas(last: Any) -> Scores:
    """Of estimators that choose an alpha."""
    squares = hasattr(last, "mse_path_")
    names = ("mse_path_", "mse_se_") if squares else ("deviance_path_", "deviance_se_")
    (losses, errors), note = (getattr(last, name) for name in names), ""
    if losses.ndim == 3:
        row = list(np.atleast_1d(last.l1_ratio)).index(last.l1_ratio_)
        losses, errors, note = losses[row], errors[row], f", l1_ratio={last.l1_ratio_:g}"
    alphas = own_grid(last, getattr(last, "l1_ratio_", 1.0))
    columns = {"alpha": alphas, "nonzero": n_nonzero(last.coef_path_)}
    marks = {"min": _position(alphas, last.alpha_min_), "1se": _position(alphas, last.alpha_1se_)}
    measure = "mean_squared_error" if squares else "mean_deviance"
    return Scores(columns, measure, losses.mean(axis=1), errors, marks, losses.shape[1], note)


def _of_classes(last: Any) -> Scores:
    """Of logistic regression."""
    row = int(np.argmin(np.abs(last.l1_ratios_ - last.l1_ratio_)))
    measure, sign = _measure(last.scoring, "accuracy")
    columns = {"C": last.Cs_}
    if hasattr(last, "coef_path_"):
        columns["nonzero"] = n_nonzero(last.coef_path_)
    marks = {"min": _position(last.Cs_, last.C_min_), "1se": _position(last.Cs_, last.C_1se_)}
    note = f", l1_ratio={last.l1_ratios_[row]:g}" if len(last.l1_ratios_) > 1 else ""
    means, n_folds = sign * last.scores_[:, row].mean(axis=0), len(last.scores_)
    return Scores(columns, measure, means, last.scores_se_[row], marks, n_folds, note)


def _of_relaxed(last: Any) -> Scores:
    """Of relaxed fits: all gammas at one penalty after the other."""
    name = "C" if hasattr(last, "Cs_") else "alpha"
    penalties, gammas = getattr(last, f"{name}s_"), last.gammas_
    columns: dict[str, Any]
    columns = {name: np.repeat(penalties, gammas.size), "gamma": np.tile(gammas, penalties.size)}
    marks = {}
    for rule in ("min", "1se"):
        own = [getattr(last, f"{kind}_{rule}_") for kind in (name, "gamma")]
        marks[rule] = _position(penalties, own[0]) * gammas.size + _position(gammas, own[1])
    measure, sign = ("mean_loss", -1.0) if last.scoring is None else _measure(last.scoring, "")
    means, errors = sign * last.scores_.mean(axis=-1).T.ravel(), last.scores_se_.T.ravel()
    return Scores(columns, measure, means, errors, marks, last.scores_.shape[-1])


def _of_search(search: Any) -> Scores:
    """Of a grid search: by the metric that chooses, or the first of several."""
    results, metric, scoring = search.cv_results_, "score", search.scoring
    if search.multimetric_:
        metric = search.refit if isinstance(search.refit, str) else next(iter(search.scorer_))
        scoring = scoring.get(metric) if isinstance(scoring, Mapping) else metric
    candidates, n_folds = results["params"], search.n_splits_
    names = dict.fromkeys(name for candidate in candidates for name in candidate)
    columns = {name: [candidate.get(name) for candidate in candidates] for name in names}
    measure, sign = _measure(scoring, "score")
    errors = np.full(len(candidates), np.nan)
    if n_folds > 1:
        errors = results[f"std_test_{metric}"] / np.sqrt(n_folds - 1)
    means = sign * results[f"mean_test_{metric}"]
    return Scores(columns, measure, means, errors, _marks(search, metric), n_folds)


def _marks(search: Any, metric: str) -> dict[str, int]:
    """The positions of the candidates of the rules, or of the one that was chosen otherwise."""
    results, best = search.cv_results_, int(search.best_index_)
    if callable(search.refit):
        return {"refit": best}
    if getattr(search, "rule", "min") == "1se":
        best = int(results[f"rank_test_{metric}"].argmin())
    prefix, marks = prefix_of_last(search.estimator), {"min": best}
    if search.n_splits_ > 1 and {f"{prefix}alpha", f"{prefix}C"} & set(results["params"][best]):
        folds = [results[f"split{fold}_test_{metric}"] for fold in range(search.n_splits_)]
        marks["1se"] = simplest(best, results["params"], np.stack(folds), prefix)
    return marks


def _position(values: Any, value: float) -> int:
    """Where the value is."""
    return int(np.flatnonzero(values == value)[0])


def _measure(scoring: Any, default: str) -> tuple[str, float]:
    """The name of a score, and its sign in the table: losses are positive there."""
    if not isinstance(scoring, str):
        return (default if scoring is None else "score"), 1.0
    return scoring.removeprefix("neg_"), -1.0 if scoring.startswith("neg_") else 1.0
