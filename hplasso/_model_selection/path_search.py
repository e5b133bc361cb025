"""Grid search along paths, as the user sees it."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing
from sklearn.utils.parallel import Parallel, delayed

from .._design.sources import refuse_elsewhere
from .._estimators.bases import GridSearchCV
from .._estimators.fit_method import Task, fit_method
from .._validation.choices import Rule
from .._validation.parameters import SEARCH_CONSTRAINTS, check_parameters
from .candidates import Parameters, along_penalty, losses_of, penalty_in, simplest
from .grid_results import results_of
from .path_fit import Group, groups_of, prefix_of_last
from .path_scores import SEVERAL, Outcome, Scoring, evaluate, scorers_of

# What names of mean scores begin with.
MEAN = "mean_test_"


class Metadata(NamedTuple):
    """What was given to `fit`: for the splitter, the fit to all samples, and the folds.

    `weights` are sample weights for the scorers, where no metadata routing says what they get.
    """

    split: Parameters
    refit: Parameters
    folds: Parameters
    weights: Any


class PathSearchCV(GridSearchCV):
    """Grid search in which all values of the penalty cost one path, not a fit each.

    In place of :class:`sklearn.model_selection.GridSearchCV`, for a pipeline that ends with an
    estimator of this package, or for such an estimator: the same interface, the same candidates
    and folds, and the same scores, to the tolerance of the fits. For each fold, and each
    combination of the parameters of the other steps, these are fitted once. The last step is
    solved along a path, from the strongest penalty to the weakest: each solution is the start of
    the next, and certified by its duality gap. Other parameters of the last step, such as
    `l1_ratio`, have a path for each of their values.

    Parameters
    ----------
    estimator : estimator
        A :class:`HadamardLasso`, :class:`HadamardElasticNet`, :class:`HadamardGroupLasso`,
        :class:`HadamardMultiTaskLasso`, :class:`HadamardLogisticRegression`,
        :class:`HadamardPoissonRegressor`, :class:`HadamardGammaRegressor`,
        :class:`HadamardTweedieRegressor`, :class:`HadamardGroupLogisticRegression` or
        :class:`HadamardGroupPoissonRegressor`; or a :class:`sklearn.pipeline.Pipeline` of
        transformers that ends with one.
    param_grid : dict or list of dicts
        The values of each parameter, or several such grids. The penalty is `alpha` or `C` of the
        last step, as in ``{"hadamardlasso__alpha": [0.1, 1.0]}``. A grid without it has paths of
        one penalty.
    scoring : str, callable, list, tuple, set or dict, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`; None is the `score` of the estimator.
        Scorers that scikit-learn knows by name, or `make_scorer` makes, are called with the last
        step and transformed samples; other callables with the whole pipeline.
    n_jobs : int, default=None
        How many paths to work on at a time, as for ``joblib.Parallel``; a task is a fold with
        one combination of the parameters of the other steps. None is 1 unless in a joblib context,
        -1 is one for each processor.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all samples; of several metrics, the name of the one
        that chooses. A callable takes `cv_results_` and returns the index of the best.
    cv : int, splitter or iterable, default=None
        How to split: a number of folds (None: 5), stratified for classifiers; a splitter, or an
        iterable of pairs of training and test indices.
    verbose : bool or int, default=0
        1 or more prints how many candidates and folds there are.
    pre_dispatch : int or str, default='2*n_jobs'
        How many tasks are prepared at a time, as for ``joblib.Parallel``.
    error_score : float or 'raise', default=nan
        The score of a candidate whose fit or scorer raised an error, with a warning; with 'raise'
        the error is raised.
    return_train_score : bool, default=False
        Whether to compute the scores of the training samples.
    rule : {'min', '1se'}, default='min'
        - 'min': the candidate of the best mean score.
        - '1se': among those that differ from it in the penalty alone, the one of the strongest
          penalty whose mean score is within one standard error of the best: the simplest model
          that is not clearly worse (Breiman et al. 1984). Folds count alike.

        A callable `refit` chooses by itself.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        The columns of :class:`sklearn.model_selection.GridSearchCV`. The time of a fit is the share
        that each candidate has in the time of all that are fitted together; so are those of scores.
    best_estimator_ : estimator
        The estimator with the parameters chosen, fitted to all samples; only if `refit`. Its
        `n_features_in_`, and `classes_`, are attributes of the search, too, and its methods, such
        as `predict`, methods.
    best_score_ : float
        The mean score of the candidate chosen; not if `refit` is a callable.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its index in `cv_results_`. With several metrics these three are there only if `refit`.
    scorer_ : callable or dict
        The scorer, or those of several metrics by name.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the fit to all samples; only if `refit`.
    multimetric_ : bool
        Whether there are several metrics.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `refit`, and `X` has names that are all strings.

    See Also
    --------
    HadamardLassoCV : Without other steps: folds share passes over the data, and the grid is found.
    HadamardLogisticRegressionCV : The same for classes.
    sklearn.model_selection.GridSearchCV : For any estimator, a fit for each candidate and fold.
    CrossValidationDisplay : The scores as a picture.

    Notes
    -----
    A penalty of zero is no point of a path, and is fitted by itself. With random transformers, the
    candidates of a fold share one fit of these; give them a `random_state` to compare with
    GridSearchCV.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010), section 2.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import PolynomialFeatures, StandardScaler
    >>> from hplasso import HadamardLasso, PathSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> products = PolynomialFeatures(include_bias=False)
    >>> pipeline = make_pipeline(products, StandardScaler(), HadamardLasso())
    >>> grid = {
    ...     "polynomialfeatures__degree": [1, 2],
    ...     "hadamardlasso__alpha": np.geomspace(20.0, 0.2, 30),
    ... }
    >>> search = PathSearchCV(pipeline, grid, rule="1se").fit(X, y)
    >>> search.best_params_["polynomialfeatures__degree"]
    2
    >>> int((search.best_estimator_[-1].coef_ != 0).sum())
    11
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        rule: Rule = "min",
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.rule = rule

    @fit_method
    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Score all candidates, choose one, and fit it to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or other samples
            Training data: what the first step takes.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Targets, which all of these estimators need.
        **params : dict
            Parameters for the `fit` method of the estimator, the scorers and the splitter, as in
            :class:`sklearn.model_selection.GridSearchCV`: `groups` for the splitter, the others for
            `fit`, `sample_weight` for scorers that take it, too; or as scikit-learn's metadata
            routing says, if it is enabled. Those that have an element for each sample are split
            like `X`.

        Returns
        -------
        self : PathSearchCV
            The fitted search.

        Raises
        ------
        TypeError
            If a candidate does not end with an estimator that has a path.
        ValueError
            If a parameter is not what it has to be, all fits fail, or a score is not a number.
        Exception
            What a fit or a scorer raises, with ``error_score='raise'``.

        Warns
        -----
        FitFailedWarning
            If fits failed.
        UserWarning
            If scorers failed, scores are not finite, or scorers do not take the sample weights.
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, PathSearchCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> search = PathSearchCV(HadamardLasso(), {"alpha": [0.01, 0.1, 1.0]}, rule="1se")
        >>> search.fit(X, y).best_params_
        {'alpha': 0.1}
        """
        check_parameters(type(self).__name__, self.get_params(deep=False), SEARCH_CONSTRAINTS)
        candidates = list(ParameterGrid(self.param_grid))
        groups = groups_of(self.estimator, candidates)
        scorers = scorers_of(self.estimator, self.scoring)
        names = scorers if isinstance(self.scoring, SEVERAL) else None
        if names is not None:
            check_refit(self.refit, names)
        for name, values in {"X": X, "y": y}.items():
            refuse_elsewhere(name, values)
        metadata = self._metadata(params)
        X, y, _ = indexable(X, y, metadata.weights)
        raises = isinstance(self.error_score, str)
        scoring = Scoring.of(self.estimator, self.scoring, metadata.weights, raises)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **metadata.split))
        self._check_numbers(len(candidates), len(splits))
        self.n_splits_ = len(splits)
        with Task.of_fit(self, 1 + bool(self.refit)) as task:
            with task.subtask("search", len(groups) * len(splits)) as search:
                outcomes = self._evaluate(groups, splits, scoring, (X, y, metadata.folds), search)
            results, self.multimetric_ = results_of(
                self.param_grid, outcomes, names, self.error_score, self.return_train_score
            )
            if self.multimetric_:
                check_refit(self.refit, [name.removeprefix(MEAN) for name in results])
            if self.refit or not self.multimetric_:
                self._choose(candidates, results)
            if self.refit:
                self._refit(X, y, metadata.refit, task)
        self.cv_results_ = results
        self.scorer_ = scorers if names is not None else scoring.scorer
        return self

    def _metadata(self, params: Mapping[str, Any]) -> Metadata:
        """What was given to `fit`, and goes where."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **params)
            names = get_routing_for_object(self.estimator).consumes("fit", params)
            scorer = check_scoring(self.estimator, self.scoring)
            names |= get_routing_for_object(scorer).consumes("score", params)
            folds = {name: params[name] for name in names}
            return Metadata(routed.splitter.split, routed.estimator.fit, folds, None)
        split = {"groups": params.get("groups")}
        fit = {name: value for name, value in params.items() if name != "groups"}
        weights: Any = fit.get("sample_weight")
        return Metadata(split, fit, fit, np.asarray(weights) if np.ndim(weights) else None)

    def _check_numbers(self, n_candidates: int, n_splits: int) -> None:
        """Raise an error for too few candidates or folds; say how many fits there are."""
        if not n_candidates or not n_splits:
            raise ValueError(
                f"There is nothing to fit: {n_candidates} candidates in param_grid, {n_splits} "
                "folds in cv."
            )
        if self.rule == "1se" and n_splits < 2:
            raise ValueError("rule='1se' needs at least two folds. cv gives one.")
        if self.verbose:
            print(
                f"Fitting {n_splits} folds for each of {n_candidates} candidates, totalling "
                f"{n_splits * n_candidates} fits"
            )

    def _evaluate(
        self,
        groups: Sequence[Group],
        splits: Sequence[tuple[Any, Any]],
        scoring: Scoring,
        data: tuple[Any, Any, Parameters],
        search: Task,
    ) -> list[list[Outcome]]:
        """The outcomes of each candidate in each fold; `data` are X, y and metadata."""
        pairs = list(product(groups, splits))
        tasks = [search.subtask("paths") for _ in pairs]
        found = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)(
            delayed(evaluate)(group.fit, *data, split, scoring, self.return_train_score, task)
            for (group, split), task in zip(pairs, tasks, strict=True)
        )
        outcomes: dict[int, list[Outcome]] = {}
        for (group, _), fold in zip(pairs, found, strict=True):
            for position, outcome in zip(group.positions, fold, strict=True):
                outcomes.setdefault(position, []).append(outcome)
        return [outcomes[position] for position in sorted(outcomes)]

    def _choose(self, candidates: Sequence[Parameters], results: Mapping[str, Any]) -> None:
        """Set what is known of the best candidate."""
        metric = self.refit if self.multimetric_ else "score"
        if callable(self.refit):
            best = self.refit(results)
            if not isinstance(best, int | np.integer):
                raise TypeError(f"refit must return an int, the best index. Got {best!r}.")
            if not 0 <= best < len(candidates):
                raise IndexError(
                    f"refit must return an index of {len(candidates)} candidates. Got {best}."
                )
        else:
            best = int(results[f"rank_test_{metric}"].argmin())
            if self.rule == "1se":
                penalty = penalty_in(candidates[best], prefix_of_last(self.estimator))
                losses = losses_of(results, metric, self.n_splits_)
                line = along_penalty(candidates, best, penalty, losses)
                best = simplest(line, losses) if best in line else best
            self.best_score_ = results[f"mean_test_{metric}"][best]
        self.best_index_, self.best_params_ = best, results["params"][best]

    def _refit(self, X: Any, y: Any, params: Parameters, task: Task) -> None:
        """Fit the best candidate to all samples."""
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        with task.subtask("refit") as refit, refit.given_to(best):
            started = time.perf_counter()
            self.best_estimator_ = best.fit(X, y, **params)
            self.refit_time_ = time.perf_counter() - started
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def check_refit(refit: Any, names: Any) -> None:
    """Raise an error if `refit` does not tell which of several metrics is to choose."""
    if not (refit is False or callable(refit) or (isinstance(refit, str) and refit in names)):
        raise ValueError(
            "For multi-metric scoring, the parameter refit must be set to a scorer key, a callable "
            f"or False. Got {refit!r}."
        )
