"""Logistic regression with its penalty chosen by cross-validation, as the user sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import MethodMapping
from sklearn.utils.validation import check_is_fitted

from .._design.sources import source_of
from .._estimators.logistic import HadamardLogisticRegression
from .._validation.choices import Balanced, Rule, Solver
from .._validation.parameters import explain_names
from .folds import routed, router_of
from .kept_path import fitted_at
from .logistic_cv_fit import LogisticCV
from .scoring import OffsetModel, Scorer, block_scorer, scorer_of


class HadamardLogisticRegressionCV(LogisticCV):
    """Logistic regression whose L1 or elastic-net penalty is chosen by cross-validation.

    It replaces :class:`sklearn.linear_model.LogisticRegressionCV`. Its fitted attributes have the
    shapes of ``use_legacy_attributes=False``. The objective is that of
    :class:`HadamardLogisticRegression`.

    Parameters
    ----------
    Cs : int or array-like, default=10
        Number of values of C on a geometric grid that starts where the first coefficient enters for
        the whole data; or the values themselves, in any order. Of several `l1_ratios` it is one
        grid, from the first of the starts that each would have to the last of the ends.
    eps : float, default=1e-3
        Length of the grid of each of the `l1_ratios`: the smallest C over the largest.
    l1_ratios : array-like, default=(1.0,)
        Shares of the L1 penalty to choose from, in [0, 1]. For 0, a ridge penalty alone, the values
        of C have to be given.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    cv : int, splitter or iterable, default=None
        How to split: a number of folds of :class:`sklearn.model_selection.StratifiedKFold` (None:
        5), a splitter, or an iterable of pairs of training and test indices.
    scoring : str, callable or None, default='neg_log_loss'
        What to choose by: the name of a scorer or a callable ``scorer(estimator, X, y)``; None is
        accuracy. Metrics with a parameter `labels` are told of all classes, as a test set may lack
        some, and of two classes, if they have a `pos_label`, that the second is the positive one. A
        score that is NaN, or that a scorer raises an error for, ranks last, with a warning.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    max_iter : int, default=100
        Largest number of sweeps for each C.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, as ``{label: weight}``, which multiply the sample weights in the
        fits. 'balanced' weights are those of the whole data.
    n_jobs : int, default=None
        How many folds to work on at a time, in threads that share `X`; None is 1 unless in a
        joblib context, -1 is one for each processor. The result is the same to rounding.
    verbose : bool or int, default=0
        1 prints a line for each fold on standard error, and one if the largest C of the grid is the
        best; 2 prints one for each C and each iteration as well.
    refit : bool, default=True
        Whether to fit to all samples at the C that was chosen. If not, the coefficients, intercepts
        and C of the best model of each fold are averaged, and there is no path on all samples.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardLogisticRegression`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the C of the best score, averaged over the folds.
        - '1se': the smallest C whose score is within one standard error of the best: the simplest
          model that is not clearly worse (Breiman et al. 1984). Needs `refit`.
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit to all samples is saturated: see Notes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    C_ : float
        The C chosen by the rule.
    C_min_, C_1se_ : float
        The C of either rule: of the smallest loss, and of the simplest model.
    l1_ratio_ : float
        The share of the L1 penalty that was chosen.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, of `X`'s dtype; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    mu_, nu_ : ndarrays of the shape of `coef_`
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    Cs_ : ndarray of shape (n_cs,)
        The values of C, smallest first.
    stopped_early_ : bool
        Whether the grid ends before `Cs` values, at ``Cs_[-1]``, where the fit is saturated.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        The values of l1_ratio.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        Scores on the test samples of each fold.
    scores_se_ : ndarray of shape (n_l1_ratios, n_cs)
        Standard errors of their means over the folds, which count by the weight of their test
        samples, as in glmnet.
    coef_path_ : ndarray or CSC array of shape (n_features, n_cs), or (n_classes, n_features, n_cs)
        Coefficients at each C for `l1_ratio_`, fitted to all samples; with an axis of classes if
        there are three or more. For two, a ``scipy.sparse.csc_array`` where that takes less
        memory, which is where less than two thirds of the elements (in single precision, half) are
        not zero. Like those of :func:`logistic_path`, some are interpolated; those of the two rules
        are not. Only with `refit`, as the next three.
    intercept_path_ : ndarray of shape (n_cs,) or (n_classes, n_cs)
        Their intercepts.
    dual_gap_path_ : ndarray of shape (n_cs,)
        Their certified duality gaps, in the units of the mean loss.
    n_iter_path_ : ndarray of shape (n_cs,)
        Sweeps for each of them.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_cs, 1 or n_classes, n_features + 1)
        Coefficients of each fold, the intercept last; without it if `fit_intercept` is False.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        Sweeps that were made in the folds; 0 where all coefficients are zero.
    dual_gap_ : float
        Certified duality gap at `C_`, in the units of the mean loss; NaN without `refit`.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardLogisticRegression : The same at a given C.
    CrossValidationDisplay : The scores as a picture.
    sklearn.linear_model.LogisticRegressionCV : The same problem, by other algorithms.

    Notes
    -----
    Training data are not copied: a fold gives weight zero to the samples left out. If a fold has no
    training sample of a class, this is as if its samples had weight zero in
    :class:`HadamardLogisticRegression`.

    With an automatic grid, the path on all samples comes first. The grid ends with the first C
    solved there at which less than 0.001 of the loss without features is left, as with classes that
    a plane separates. It also ends where the explained part grows by less than 1e-4 of itself while
    C grows by a factor e. These are about the limits of glmnet. The second is not used if `tol` is
    larger than 1e-4, which might hide such a change. With several l1_ratios, the paths of the
    smallest and of the largest have to be there.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010) 1-22.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from hplasso import HadamardLogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = HadamardLogisticRegressionCV(rule="1se").fit(scale(X), y)
    >>> int((model.coef_ != 0).sum())
    13
    """

    @explain_names
    def __init__(
        self,
        *,
        Cs: Any = 10,
        eps: float = 1e-3,
        l1_ratios: Any = (1.0,),
        fit_intercept: bool = True,
        cv: Any = None,
        scoring: Any = "neg_log_loss",
        tol: float = 1e-4,
        max_iter: int = 100,
        class_weight: Mapping[Any, float] | Balanced | None = None,
        n_jobs: int | None = None,
        verbose: bool | int = 0,
        refit: bool = True,
        random_state: Any = None,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
    ) -> None:
        self.Cs = Cs
        self.eps = eps
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.scoring = scoring
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.random_state = random_state
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.rule = rule
        self.early_stop = early_stop

    def at(self, C: float) -> HadamardLogisticRegression:
        """The model at another C of the grid, from the path on all samples.

        Parameters
        ----------
        C : float
            One of `Cs_`, such as `C_1se_`.

        Returns
        -------
        model : HadamardLogisticRegression
            Fitted, with the parameters of this estimator, at `l1_ratio_`.

        Raises
        ------
        ValueError
            If `C` is not on the grid, or `refit` was False.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegressionCV
        >>> X, y = load_iris(return_X_y=True)
        >>> model = HadamardLogisticRegressionCV().fit(X, y)
        >>> type(model.at(model.C_1se_)).__name__
        'HadamardLogisticRegression'
        """
        check_is_fitted(self)
        if not hasattr(self, "coef_path_"):
            raise ValueError("There is no path on all samples: at(C) needs refit=True.")
        model, position = fitted_at(self, HadamardLogisticRegression, "C", C, self.Cs_)
        model.intercept_ = np.atleast_1d(self.intercept_path_[..., position]).copy()
        model.n_iter_ = self.n_iter_path_[[position]]
        return model

    def score(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        offset: Any = None,
        **score_params: Any,
    ) -> Any:
        """Score the predictions by `scoring`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Samples.
        y : array-like of shape (n_samples,), default=None
            True labels; None where `X` is :class:`Batches`.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.
        **score_params : dict
            Parameters for the scorer; only if scikit-learn's metadata routing is enabled.

        Returns
        -------
        score : float
            The score; the larger, the better.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegressionCV
        >>> X, y = load_iris(return_X_y=True)
        >>> model = HadamardLogisticRegressionCV(scoring="accuracy").fit(X, y)
        >>> round(model.score(X, y), 2)
        0.97
        """
        source = source_of(X, y, sample_weight, offset)
        if source is not None:
            return block_scorer(self.scoring)(self, source)
        if sample_weight is not None:
            check_consistent_length(y, sample_weight)
        extra = routed(self, "score", sample_weight, score_params)
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        scorer = Scorer(self.scoring, self.classes_)
        model: Any = self if offset is None else OffsetModel.of(self, offset)
        return scorer(model, X, y, **(extra.scorer.score if extra else given))

    def get_metadata_routing(self) -> Any:
        """How scikit-learn's metadata routing passes parameters on: to the splitter and the scorer.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            The routing.
        """
        score = MethodMapping().add(caller="score", callee="score")
        score.add(caller="fit", callee="score")
        return router_of(self).add(scorer=scorer_of(self.scoring), method_mapping=score)
