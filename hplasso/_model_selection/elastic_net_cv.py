"""The elastic net with its penalty chosen by cross-validation, as the user sees it."""

from typing import Any

from .._estimators.elastic_net import HadamardElasticNet, enet_path
from .._validation.choices import Rule, Selection, Solver
from .._validation.parameters import explain_names
from .least_squares_cv import LeastSquaresCV


class HadamardElasticNetCV(LeastSquaresCV):
    """Linear model with L1 and ridge penalties, their weights chosen by cross-validation.

    A drop-in replacement of :class:`sklearn.linear_model.ElasticNetCV`, with the one-standard-error
    rule in addition. The objective is that of :class:`HadamardElasticNet`.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Share of the L1 penalty, in [0, 1]; of several, the one with the smallest error is chosen.
        For 0 (ridge regression) the alphas have to be given.
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero for the whole data; or the alphas themselves, in any
        order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    precompute : bool, 'auto' or array-like of shape (n_features, n_features), default='auto'
        Whether to form the Gram matrix before anything else. With False and 'auto', which mean the
        same, it is formed where that is expected to save time, when there are many more samples
        than features. A matrix has the effect of True, because the folds need more than it holds.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted) of the samples
        that are fitted; to ``||y||^2 / n_samples`` without an intercept.
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
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, because coordinates are not updated one by one. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardElasticNet`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the alpha of the smallest mean squared error, averaged over the folds.
        - '1se': the largest alpha whose mean squared error is within one standard error of the
          smallest: the simplest model that is not clearly worse (Breiman et al. 1984).
    early_stop : bool, default=True
        Whether a grid that is not given ends where the model goes through the samples: see Notes.

    Attributes
    ----------
    alpha_ : float
        The alpha chosen by the rule.
    alpha_min_, alpha_1se_ : float
        The alphas of either rule.
    l1_ratio_ : float
        The share of the L1 penalty that was chosen.
    coef_ : ndarray of shape (n_features,)
        Coefficients at `alpha_`, fitted to all samples.
    sparse_coef_ : sparse matrix of shape (1, n_features)
        The same, sparse.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Mean squared error on the test samples of each fold.
    mse_se_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas)
        The alphas, largest first.
    stopped_early_ : bool
        Whether the grids end before `alphas` values, where the model goes through the samples.
    coef_path_ : ndarray or CSC array of shape (n_features, n_alphas)
        Coefficients at each of the alphas of `l1_ratio_`, fitted to all samples: a
        ``scipy.sparse.csc_array`` where that takes less memory, which is where less than two
        thirds of the elements (in single precision, half) are not zero. Like those of
        :func:`enet_path`, some are interpolated; those of the two rules are not.
    intercept_path_ : ndarray of shape (n_alphas,)
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
    HadamardElasticNet : The same at a given alpha.
    CrossValidationDisplay : The errors as a picture.
    sklearn.linear_model.ElasticNetCV : The same problem, by coordinate descent.

    Notes
    -----
    Training data are not copied: a fold gives weight zero to the samples left out. Where there are
    many more samples than features, all folds together read `X` once: the Gram matrix of a fold is
    that of all samples less that of its test samples, corrected for the means.

    With an automatic grid, and as many features as samples or more, the path on all samples comes
    first. The grid ends with the first alpha solved there at which the model goes through the
    samples: less than 0.001 of ``||y - mean(y)||^2`` is left, and there are 0.9 coefficients or
    more for each sample. With hardly any noise, fewer coefficients explain as much, and the grid
    goes on. With several l1_ratios, the paths of the smallest and of the largest have to be there.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010) 1-22.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardElasticNetCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = HadamardElasticNetCV(l1_ratio=[0.5, 0.9, 1.0]).fit(X, y)
    >>> model.l1_ratio_
    1.0
    >>> model.mse_path_.shape
    (3, 100, 5)
    """

    _single = HadamardElasticNet
    path = staticmethod(enet_path)
    l1_ratio_: float

    @explain_names
    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: Selection = "cyclic",
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.rule = rule
        self.early_stop = early_stop
