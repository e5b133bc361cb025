"""The group lasso with its penalty chosen by cross-validation, as the user sees it."""

from typing import Any

from .._estimators.group_lasso import FeatureGroups, HadamardGroupLasso, group_path
from .._validation.choices import GroupWeighting, Rule, Solver
from .._validation.parameters import explain_names
from .group_cv import GroupCV


class HadamardGroupLassoCV(FeatureGroups, GroupCV):
    """Linear model with a penalty on groups, whose weight is chosen by cross-validation.

    The objective is that of :class:`HadamardGroupLasso`. The groups are checked once, on all
    samples, and are the same for each fold.

    Parameters
    ----------
    groups : array-like, dict, callable or None, default=None
        Which group each feature is in, as in :class:`HadamardGroupLasso`.
    group_weights : 'sqrt', array-like of shape (n_groups,) or dict, default='sqrt'
        Weights of the groups, as in :class:`HadamardGroupLasso`.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, as in :class:`HadamardGroupLasso`.
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised groups are zero for the whole data; or positive alphas themselves, in any
        order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted) of the samples
        that are fitted; to ``||y||^2 / n_samples`` without an intercept.
    cv : int, splitter or iterable, default=None
        How to split: a number of folds of :class:`sklearn.model_selection.KFold` (None: 5), a
        splitter, or an iterable of pairs of training and test indices.
    verbose : bool or int, default=False
        1 prints a line for each fold on standard error, and one if the smallest alpha of the grid
        is the best; 2 prints one for each alpha and each iteration as well.
    n_jobs : int, default=None
        How many folds to work on at a time, in threads that share `X`; None is 1 unless in a
        joblib context, -1 is one for each processor. The result is the same to rounding.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative; for a single target.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardGroupLasso`.
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
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients at `alpha_`, fitted to all samples.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept.
    groups_ : ndarray of shape (n_features,)
        The number of each feature's group.
    group_labels_ : ndarray of shape (n_groups,)
        The labels of the groups: sorted, or in the order of the lists.
    mu_ : ndarray of shape (n_groups,)
        The number m of each group: the square root of the norm of its coefficients, zero where the
        group is not in the model.
    nu_ : ndarray of shape (n_features,) or (n_targets, n_features)
        The vectors v: ``mu_[groups_] * nu_ == coef_`` to rounding.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared error on the test samples of each fold; of several targets, the mean over
        these.
    mse_se_ : ndarray of shape (n_alphas,)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    stopped_early_ : bool
        False: the grid never ends early.
    coef_path_ : ndarray or CSC array of shape (n_features, n_alphas)
        Coefficients at each of the alphas, fitted to all samples: a
        ``scipy.sparse.csc_array`` where that takes less memory, which is where less than two
        thirds of the elements (in single precision, half) are not zero. With `y` of two dimensions,
        an ndarray of shape (n_targets, n_features, n_alphas). Like those of :func:`group_path`,
        some are interpolated; those of the two rules are not.
    intercept_path_ : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
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
    HadamardGroupLasso : The same at a given alpha.
    HadamardMultiTaskLassoCV : For several targets, each feature in or out for all of them.
    CrossValidationDisplay : The errors as a picture.

    Notes
    -----
    Training data are not copied: a fold gives weight zero to the samples left out. Where there are
    many more samples than features, all folds together read `X` once: the Gram matrix of a fold is
    that of all samples less that of its test samples, corrected for the means.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables",
    Journal of the Royal Statistical Society B 68 (2006) 49-67.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardGroupLassoCV
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> groups = {"age": ["age"], "sex": ["sex"], "body": ["bmi", "bp"],
    ...           "cholesterol": ["s1", "s2", "s3", "s4"], "other": ["s5", "s6"]}
    >>> model = HadamardGroupLassoCV(groups=groups, rule="1se").fit(X, y)
    >>> model.group_labels_[model.mu_ > 0].tolist()
    ['sex', 'body', 'cholesterol', 'other']
    """

    _single = HadamardGroupLasso
    path = staticmethod(group_path)

    @explain_names
    def __init__(
        self,
        *,
        groups: Any = None,
        group_weights: GroupWeighting | Any = "sqrt",
        l1_ratio: float = 0.0,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: Solver = "auto",
        rule: Rule = "min",
    ) -> None:
        self.groups = groups
        self.group_weights = group_weights
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.solver = solver
        self.rule = rule
