"""Relaxed fits whose penalty and gamma are chosen by cross-validation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import MethodMapping
from sklearn.utils.parallel import Parallel, delayed

from .._estimators.fit_method import Task, fit_method
from .._estimators.linear_model import options_of
from .._estimators.problem import Problem
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64, Mask
from .._validation.arrays import GivenGrid, check_one_target, checked_ratios
from .._validation.choices import Rule
from .._validation.parameters import RELAXED_CONSTRAINTS, check_parameters, explain_names
from .._validation.weights import raw_weights
from .folds import Fold, checked_folds, routed, router_of
from .kept_path import saturated_paths
from .relaxed_folds import FoldResult, HeldOutLoss, HeldOutScore, Validation
from .relaxed_model import RelaxedModel
from .resamples import problems_of
from .rules import choose, print_end_of_grid
from .scoring import Scorer, scorer_of, warn_failed
from .single_penalty import checked_estimator, data_of, given_penalties


class HadamardRelaxedCV(RelaxedModel):
    """Relaxed fits with the penalty and gamma chosen by cross-validation.

    For each fold there is one path of penalised fits, and each distinct support on it is refitted
    once, without penalty. The mixtures of both, as of :class:`HadamardRelaxed`, are scored on the
    test samples for each penalty and each gamma. The pair that the rule chooses is fitted to all
    samples.

    Parameters
    ----------
    estimator : estimator of this package with a single penalty, default=None
        Such as :class:`HadamardElasticNet`, :class:`HadamardLogisticRegression` or
        :class:`HadamardPoissonRegressor`; None is ``HadamardLasso()``. Its parameters are those of
        the fits, except for the penalty, and for `precompute`, `warm_start` and `verbose`, which
        have no effect in the folds.
    alphas : int or array-like, default=None
        Number of alphas on a geometric grid from the smallest alpha at which all penalised
        coefficients are zero for the whole data, or the alphas themselves, which have to be
        positive, in any order; None means 100.
    Cs : int or array-like, default=None
        The same for an estimator whose penalty is C.
    gammas : array-like of float, default=(0.0, 0.25, 0.5, 0.75, 1.0)
        Weights of the penalised fit, in [0, 1]: 0 is the refit, 1 no relaxation.
    eps : float, default=1e-3
        Length of a grid that is not given: the weakest penalty over the strongest.
    cv : int, splitter or iterable, default=None
        How to split: a number of folds of :class:`sklearn.model_selection.KFold`, or of
        :class:`sklearn.model_selection.StratifiedKFold` for classifiers (None: 5), a splitter, or
        an iterable of pairs of training and test indices.
    scoring : str or callable, default=None
        The name of a scorer, or a scorer. None is minus the mean loss of the estimator on the test
        samples: the squared error, the deviance, or the log loss, which take less time. A score
        that is NaN, or that a scorer raises an error for, ranks last, with a warning; if it raises
        one for all, that is raised.
    rule : {'min', '1se'}, default='min'
        - 'min': the pair of the best mean score over the folds.
        - '1se': the strongest penalty at which the mean score of any gamma is within one standard
          error of the best; of these gammas the largest.

        If several pairs have the same score, also for 'min', the strongest penalty is taken, then
        the largest gamma, as in glmnet.
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit to all samples is saturated: see
        :class:`HadamardLassoCV` and :func:`logistic_path`.
    n_jobs : int, default=None
        How many folds to work on at a time, in threads that share `X`; None is 1 unless in a
        joblib context, -1 is one for each processor. The result is the same to rounding.
    verbose : bool or int, default=0
        1 prints a line for each fold on standard error, and one if the weakest penalty of the grid
        is the best; 2 prints one for each penalty and each iteration as well.

    Attributes
    ----------
    alpha_, C_ : float
        The penalty chosen by the rule; one of the two.
    gamma_ : float
        The gamma chosen by the rule.
    alpha_min_, alpha_1se_, C_min_, C_1se_ : float
        The penalties of either rule.
    gamma_min_, gamma_1se_ : float
        Their gammas.
    scores_ : ndarray of shape (n_gammas, n_penalties, n_folds)
        Scores on the test samples of each fold, the larger the better: minus the mean loss for
        ``scoring=None``.
    scores_se_ : ndarray of shape (n_gammas, n_penalties)
        Standard errors of their means over the folds, which count by the weight of their test
        samples, as in glmnet.
    alphas_, Cs_ : ndarray of shape (n_penalties,)
        The penalties, strongest first; one of the two.
    gammas_ : ndarray of shape (n_gammas,)
        The gammas, smallest first.
    refits_exist_ : ndarray of bool of shape (n_penalties, n_folds)
        Whether there is a fit without penalty; where there is none, the penalised fit counts for
        all gammas.
    stopped_early_ : bool
        Whether the grid ends before the number asked for, where the fit is saturated.
    estimator_ : estimator
        A fitted estimator of the same class, with the relaxed coefficients. It has no duality gap,
        because a mixture is not the solution of a problem.
    coef_ : ndarray of shape (n_features,), (1, n_features) or (n_classes, n_features)
        The relaxed coefficients at the penalty and gamma chosen, fitted to all samples.
    intercept_ : float or ndarray of shape (1,) or (n_classes,)
        The relaxed intercept.
    coef_penalised_, intercept_penalised_ : ndarrays of these shapes
        Those of the penalised fit.
    coef_refitted_, intercept_refitted_ : ndarrays of these shapes
        Those of the fit without penalty.
    refit_exists_ : bool
        Whether there is a fit without penalty. If not, all are those of the penalised fit.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted; of classifiers only.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardRelaxed : The same at a given penalty and gamma; when there is no refit.
    HadamardLassoCV, HadamardLogisticRegressionCV : Without relaxed fits.
    CrossValidationDisplay : The scores as a picture, at the gamma chosen.

    Notes
    -----
    A value of C weighs the sum over the training samples of a fold, and in the end over all
    samples, as in :class:`HadamardLogisticRegressionCV`; glmnet holds the penalty of the mean
    loss instead.

    A penalised fit that predicts well selects more features than matter, or shrinks much. A refit
    needs fewer features, from a stronger penalty. With much noise, shrinkage is useful, and
    cross-validation finds a gamma near 1 (Hastie, Tibshirani and Tibshirani 2020).

    References
    ----------
    N. Meinshausen, "Relaxed lasso", Computational Statistics & Data Analysis 52 (2007) 374-393.

    T. Hastie, R. Tibshirani and R. J. Tibshirani, "Best subset, forward stepwise or lasso? Analysis
    and recommendations based on extensive comparisons", Statistical Science 35 (2020) 579-592.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardLassoCV, HadamardRelaxedCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = 3.0 * X[:, 0] - 2.0 * X[:, 3] + rng.standard_normal(100)
    >>> model = HadamardRelaxedCV().fit(X, y)
    >>> model.gamma_, model.coef_.nonzero()[0]
    (0.0, array([0, 3]))
    >>> len(HadamardLassoCV().fit(X, y).coef_.nonzero()[0])
    7
    """

    alpha_: float
    alpha_min_: float
    alpha_1se_: float
    alphas_: Float64
    C_: float
    C_min_: float
    C_1se_: float
    Cs_: Float64
    gamma_: float
    gamma_min_: float
    gamma_1se_: float
    gammas_: Float64
    scores_: Float64
    scores_se_: Float64
    refits_exist_: Mask
    stopped_early_: bool

    @explain_names
    def __init__(
        self,
        estimator: Any = None,
        *,
        alphas: Any = None,
        Cs: Any = None,
        gammas: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
        eps: float = 1e-3,
        cv: Any = None,
        scoring: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.estimator = estimator
        self.alphas = alphas
        self.Cs = Cs
        self.gammas = gammas
        self.eps = eps
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.early_stop = early_stop
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_method
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
        """Choose the penalty and gamma by cross-validation, and fit the model with them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,), default=None
            Target values, or class labels, as the estimator takes them; not None.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and for the scores of each fold. The mean over the folds is
            not weighted.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each. Only for ``scoring=None``, as scorers do not pass it on.
        **params : dict
            Parameters for the splitter and the scorer; only if scikit-learn's metadata routing is
            enabled.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be, or a fold is empty.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached, or there is no fit without penalty at the penalty
            chosen.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardRelaxedCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardRelaxedCV(rule="1se").fit(X, y).coef_.nonzero()[0]
        array([2, 3, 6, 8])
        """
        name = type(self).__name__
        check_parameters(name, self.get_params(deep=False), RELAXED_CONSTRAINTS)
        self.gammas_ = np.unique(checked_ratios(name, "gammas", self.gammas))
        if self.scoring is not None and offset is not None:
            raise ValueError("scoring must be None with an offset: scorers do not pass it on.")
        model = checked_estimator(self)
        options = replace(options_of(model), verbose=self.verbose)
        given = given_penalties(self, model, options.l1_ratio)
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputRegressor({name}())")
        data = data_of(self, model, options, X, y, sample_weight).with_offset(offset)
        y, extra = column_or_1d(y), routed(self, "fit", sample_weight, params)
        splitter = check_cv(self.cv, y, classifier=is_classifier(model))
        splits = splitter.split(data.X, y, **(extra.splitter.split if extra else {}))
        folds = checked_folds(splits, data.raw_weights, sample_weight is not None, self.rule)
        held_out = self._held_out(model, data, y, sample_weight, extra)
        stops = int(self.early_stop and given.penalties is None)
        with Task.of_fit(self, len(folds) + 1 + stops) as task, threads_for_data(data.X.size):
            problem, problem_of = problems_of(data, folds, 1.0, given.length)
            penalties = self._penalties(problem, given, stops, task)
            validation = Validation(data, problem_of, penalties, self.gammas_, held_out)
            results = self._cross_validate(validation, folds, task)
            problem.warn_not_converged([point for result in results for point in result.failed])
            chosen = self._choose(problem.scale.name, penalties, folds)
            with task.subtask("refit"):
                model.set_params(**{problem.scale.name: chosen})
                self._relax(model, self.gamma_, X, y, sample_weight, offset)
        return self

    def _held_out(
        self, model: Any, data: Any, y: Any, sample_weight: Any, extra: Any
    ) -> HeldOutLoss | HeldOutScore:
        """How to score on the test samples."""
        if self.scoring is None:
            return HeldOutLoss(data, raw_weights(sample_weight, data.X))
        params = dict(extra.scorer.score) if extra else {}
        if not extra and sample_weight is not None:
            params["sample_weight"] = raw_weights(sample_weight, data.X)
        classes = np.unique(y) if is_classifier(model) else None
        return HeldOutScore(model, classes, data.X, y, Scorer(self.scoring, classes), params)

    def _penalties(self, problem: Problem, given: GivenGrid, stops: int, task: Task) -> Float64:
        """The penalties, strongest first, to where the fit to all samples is saturated."""
        penalties = problem.grid(given, self.eps)
        if stops:
            (path,) = saturated_paths(problem, {problem.options.l1_ratio: penalties}, task).values()
            penalties = penalties[: len(path)]
        self.stopped_early_ = len(penalties) < given.length
        return penalties

    def _cross_validate(
        self, validation: Validation, folds: list[Fold], task: Task
    ) -> list[FoldResult]:
        """Set what the folds give, and return it."""
        tasks = [task.subtask("fold", len(validation.penalties)) for _ in folds]
        results = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
            delayed(validation.validate)(number, fold, own)
            for number, (fold, own) in enumerate(zip(folds, tasks, strict=True))
        )
        self.scores_ = np.stack([result.scores for result in results], axis=-1)
        warn_failed([error for result in results for error in result.errors], self.scores_.size)
        self.refits_exist_ = np.stack([result.refits for result in results], axis=-1)
        return list(results)

    def _choose(self, name: str, penalties: Float64, folds: list[Fold]) -> float:
        """Set what the rules say of gamma and the penalty of this name; return the penalty.

        To `choose`, the pairs come in the order of simplicity: by penalty, strongest first, then by
        gamma, largest first.
        """
        n_gammas, n_penalties, n_folds = self.scores_.shape
        losses = -self.scores_[::-1].T.reshape(n_folds, 1, n_penalties * n_gammas)
        choice = choose(losses, [fold.test_weights.sum() for fold in folds])
        self.scores_se_ = choice.errors.reshape(n_penalties, n_gammas).T[::-1]
        for other in ("alpha", "C"):  # of a fit before
            for attribute in (f"{other}_", f"{other}s_", f"{other}_min_", f"{other}_1se_"):
                self.__dict__.pop(attribute, None)
        setattr(self, f"{name}s_", penalties.copy())
        for rule, pair in (("min", choice.best), ("1se", choice.simplest)):
            penalty, position = divmod(pair, n_gammas)
            chosen = float(penalties[penalty]), float(self.gammas_[::-1][position])
            for kind, value in zip((name, "gamma"), chosen, strict=True):
                setattr(self, f"{kind}_{rule}_", value)
                if rule == self.rule:
                    setattr(self, f"{kind}_", value)
        if self.verbose:
            best = getattr(self, f"{name}_min_")
            print_end_of_grid(name, best, penalties, self.stopped_early_)
        return float(getattr(self, f"{name}_"))

    def get_metadata_routing(self) -> Any:
        """How scikit-learn's metadata routing passes parameters on: to the splitter and the scorer.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            The routing.
        """
        router = router_of(self)
        if self.scoring is None:
            return router
        score = MethodMapping().add(caller="fit", callee="score")
        return router.add(scorer=scorer_of(self.scoring), method_mapping=score)
