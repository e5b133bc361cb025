"""The multi-task lasso with its penalty chosen by cross-validation, as the user sees it."""

from typing import Any

from .._estimators.multi_task_lasso import HadamardMultiTaskLasso, TaskGroups
from .._validation.choices import Rule, Selection, Solver
from .._validation.parameters import explain_names
from .group_cv import GroupCV


class HadamardMultiTaskLassoCV(TaskGroups, GroupCV):
    """The multi-task lasso, with the weight of its penalty chosen by cross-validation.

    A drop-in replacement of :class:`sklearn.linear_model.MultiTaskLassoCV`, with the
    one-standard-error rule in addition. The objective is that of :class:`HadamardMultiTaskLasso`.

    Parameters
    ----------
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero for the whole data; or positive alphas themselves, in
        any order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit intercepts, which are not penalised. If not, the data are expected to be
        centred.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||Y - mean(Y)||^2 / n_samples`` (weighted) of the samples
        that are fitted; to ``||Y||^2 / n_samples`` without an intercept.
    copy_X : bool, default=True
        Without effect, because `X` is never changed. For compatibility.
    cv : int, splitter or iterable, default=None
        How to split: a number of folds of :class:`sklearn.model_selection.KFold` (None: 5), a
        splitter, or an iterable of pairs of training and test indices.
    verbose : bool or int, default=False
        1 prints a line for each fold on standard error, and one if the smallest alpha of the grid
        is the best; 2 prints one for each alpha and each iteration as well.
    n_jobs : int, default=None
        How many folds to work on at a time, in threads that share `X`; None is 1 unless in a
        joblib context, -1 is one for each processor. The result is the same to rounding.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, because coordinates are not updated one by one. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardMultiTaskLasso`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the alpha of the smallest mean squared error, averaged over the folds.
        - '1se': the largest alpha whose mean squared error is within one standard error of the
          smallest: the simplest model that is not clearly worse (Breiman et al. 1984).

    Attributes
    ----------
    alpha_ : float
        The alpha chosen by the rule.
    alpha_min_, alpha_1se_ : float
        The alphas of either rule.
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients at `alpha_`, fitted to all samples.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercepts; 0.0 without `fit_intercept`.
    mu_ : ndarray of shape (n_features,)
        The number m of each feature: the square root of the norm of its coefficients.
    nu_ : ndarray of shape (n_targets, n_features)
        The vectors v: ``mu_ * nu_ == coef_`` to rounding.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error on the test samples of each fold, the mean over
        the targets.
    mse_se_ : ndarray of shape (n_alphas,)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    stopped_early_ : bool
        False: the grid never ends early.
    coef_path_ : ndarray of shape (n_targets, n_features, n_alphas)
        Coefficients at each of the alphas, fitted to all samples. Like those of :func:`group_path`,
        some are interpolated; those of the two rules are not.
    intercept_path_ : ndarray of shape (n_targets, n_alphas)
        Their intercepts.
    dual_gap_path_ : ndarray of shape (n_alphas,)
        Their certified duality gaps, in the units of the objective.
    n_iter_path_ : ndarray of shape (n_alphas,)
        Sweeps for each of them.
    dual_gap_ : float
        Certified duality gap at `alpha_`, in the units of the objective.
    n_iter_ : int
        Sweeps of the fit to all samples at `alpha_`.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardMultiTaskLasso : The same at a given alpha.
    HadamardGroupLassoCV : For groups of features.
    CrossValidationDisplay : The errors as a picture.
    sklearn.linear_model.MultiTaskLassoCV : The same problem, by coordinate descent.

    Notes
    -----
    Training data are not copied: a fold gives weight zero to the samples left out. Where there are
    many more samples than features, all folds together read `X` once: the Gram matrix of a fold is
    that of all samples less that of its test samples, corrected for the means.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    G. Obozinski, B. Taskar and M. I. Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Statistics and Computing 20 (2010) 231-252.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from hplasso import HadamardMultiTaskLassoCV
    >>> X, Y = load_linnerud(return_X_y=True)
    >>> model = HadamardMultiTaskLassoCV().fit(X, Y)
    >>> model.mse_path_.shape
    (100, 5)
    >>> model.coef_.any(axis=0)
    array([False,  True, False])
    """

    _single = HadamardMultiTaskLasso

    @explain_names
    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        selection: Selection = "cyclic",
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
    ) -> None:
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.rule = rule
