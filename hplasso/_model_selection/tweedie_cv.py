"""Poisson, gamma and Tweedie regression with the penalty chosen by cross-validation."""

from typing import Any

from .._estimators.tweedie import (
    HadamardGammaRegressor,
    HadamardPoissonRegressor,
    HadamardTweedieRegressor,
)
from .._numerics.typing import Float64
from .._validation.choices import Link, Rule, Solver
from .._validation.parameters import explain_names
from .generalized_linear_cv import GeneralizedLinearCV


class HadamardPoissonRegressorCV(GeneralizedLinearCV):
    """Poisson regression with an L1 penalty whose weight is chosen by cross-validation.

    The objective is that of :class:`HadamardPoissonRegressor`. Folds are weights on one `X`,
    which is not copied; each has a path of certified solutions.

    Parameters
    ----------
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty. For 0 the alphas have to
        be given: there is no penalty at which a grid could begin.
    eps : float, default=1e-2
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero for the whole data; or the alphas themselves, which have
        to be positive, in any order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss without features of the samples that are fitted.
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
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardPoissonRegressor`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the alpha of the smallest mean deviance, averaged over the folds.
        - '1se': the largest alpha whose mean deviance is within one standard error of the smallest:
          the simplest model that is not clearly worse (Breiman et al. 1984).
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit is saturated, like that of
        :func:`logistic_path`.

    Attributes
    ----------
    alpha_ : float
        The alpha chosen by the rule.
    alpha_min_, alpha_1se_ : float
        The alphas of either rule.
    coef_ : ndarray of shape (n_features,)
        Coefficients at `alpha_`, fitted to all samples.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    deviance_path_ : ndarray of shape (n_alphas, n_folds)
        Mean unit deviance on the test samples of each fold, as of
        :func:`sklearn.metrics.mean_tweedie_deviance`.
    deviance_se_ : ndarray of shape (n_alphas,)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    stopped_early_ : bool
        Whether the grid ends before `alphas` values, where the fit is saturated.
    coef_path_ : ndarray or CSC array of shape (n_features, n_alphas)
        Coefficients at each of the alphas, fitted to all samples: a ``scipy.sparse.csc_array``
        where that takes less memory. Like those of :func:`glm_path`, some are interpolated; those
        of the two rules are not.
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
    HadamardPoissonRegressor : The same at a given alpha.
    CrossValidationDisplay : The deviances as a picture.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010) 1-22.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardPoissonRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = rng.poisson(np.exp(1.0 + X[:, 0] - 0.5 * X[:, 3]))
    >>> model = HadamardPoissonRegressorCV(rule="1se").fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    """

    _power = 1.0
    _single = HadamardPoissonRegressor

    @explain_names
    def __init__(
        self,
        *,
        l1_ratio: float = 1.0,
        eps: float = 1e-2,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
    ) -> None:
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
        self.penalty_weights = penalty_weights
        self.rule = rule
        self.early_stop = early_stop


class HadamardGammaRegressorCV(GeneralizedLinearCV):
    """Gamma regression with an L1 penalty whose weight is chosen by cross-validation.

    The objective is that of :class:`HadamardGammaRegressor`. Folds are weights on one `X`,
    which is not copied; each has a path of certified solutions.

    Parameters
    ----------
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty. For 0 the alphas have to
        be given: there is no penalty at which a grid could begin.
    eps : float, default=1e-2
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero for the whole data; or the alphas themselves, which have
        to be positive, in any order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss without features of the samples that are fitted.
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
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardPoissonRegressor`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the alpha of the smallest mean deviance, averaged over the folds.
        - '1se': the largest alpha whose mean deviance is within one standard error of the smallest:
          the simplest model that is not clearly worse (Breiman et al. 1984).
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit is saturated, like that of
        :func:`logistic_path`.

    Attributes
    ----------
    alpha_ : float
        The alpha chosen by the rule.
    alpha_min_, alpha_1se_ : float
        The alphas of either rule.
    coef_ : ndarray of shape (n_features,)
        Coefficients at `alpha_`, fitted to all samples.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    deviance_path_ : ndarray of shape (n_alphas, n_folds)
        Mean unit deviance on the test samples of each fold, as of
        :func:`sklearn.metrics.mean_tweedie_deviance`.
    deviance_se_ : ndarray of shape (n_alphas,)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    stopped_early_ : bool
        Whether the grid ends before `alphas` values, where the fit is saturated.
    coef_path_ : ndarray or CSC array of shape (n_features, n_alphas)
        Coefficients at each of the alphas, fitted to all samples: a ``scipy.sparse.csc_array``
        where that takes less memory. Like those of :func:`glm_path`, some are interpolated; those
        of the two rules are not.
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
    HadamardGammaRegressor : The same at a given alpha.
    CrossValidationDisplay : The deviances as a picture.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010) 1-22.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardGammaRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = rng.gamma(2.0, np.exp(1.0 + X[:, 0] - 0.5 * X[:, 3]))
    >>> model = HadamardGammaRegressorCV(rule="1se").fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    """

    _power = 2.0
    _single = HadamardGammaRegressor

    @explain_names
    def __init__(
        self,
        *,
        l1_ratio: float = 1.0,
        eps: float = 1e-2,
        alphas: Any = 100,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
    ) -> None:
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
        self.penalty_weights = penalty_weights
        self.rule = rule
        self.early_stop = early_stop


class HadamardTweedieRegressorCV(GeneralizedLinearCV):
    """Tweedie regression with an L1 penalty whose weight is chosen by cross-validation.

    The objective is that of :class:`HadamardTweedieRegressor`. Folds are weights on one `X`,
    which is not copied; each has a path of solutions, certified where the loss is convex.

    Parameters
    ----------
    power : float, default=1.5
        The power of the variance as a function of the mean, at most 0 or at least 1.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty. For 0 the alphas have to
        be given: there is no penalty at which a grid could begin.
    eps : float, default=1e-2
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised coefficients are zero for the whole data; or the alphas themselves, which have
        to be positive, in any order. None means 100.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    link : {'auto', 'log', 'identity'}, default='auto'
        What is linear in the features: the logarithm of the mean, or the mean itself. As in
        scikit-learn, 'auto' is 'identity' for powers up to 0, and 'log' for the others.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss without features of the samples that are fitted.
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
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardPoissonRegressor`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    rule : {'min', '1se'}, default='min'
        - 'min': the alpha of the smallest mean deviance, averaged over the folds.
        - '1se': the largest alpha whose mean deviance is within one standard error of the smallest:
          the simplest model that is not clearly worse (Breiman et al. 1984).
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit is saturated, like that of
        :func:`logistic_path`.

    Attributes
    ----------
    alpha_ : float
        The alpha chosen by the rule.
    alpha_min_, alpha_1se_ : float
        The alphas of either rule.
    coef_ : ndarray of shape (n_features,)
        Coefficients at `alpha_`, fitted to all samples.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    deviance_path_ : ndarray of shape (n_alphas, n_folds)
        Mean unit deviance on the test samples of each fold, as of
        :func:`sklearn.metrics.mean_tweedie_deviance`.
    deviance_se_ : ndarray of shape (n_alphas,)
        Standard error of its mean over the folds, which count by the weight of their test samples,
        as in glmnet.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas, largest first.
    stopped_early_ : bool
        Whether the grid ends before `alphas` values, where the fit is saturated.
    coef_path_ : ndarray or CSC array of shape (n_features, n_alphas)
        Coefficients at each of the alphas, fitted to all samples: a ``scipy.sparse.csc_array``
        where that takes less memory. Like those of :func:`glm_path`, some are interpolated; those
        of the two rules are not.
    intercept_path_ : ndarray of shape (n_alphas,)
        Their intercepts.
    dual_gap_path_ : ndarray of shape (n_alphas,)
        Their certified duality gaps, in the units of the objective. Only where the loss is convex,
        as `dual_gap_`; elsewhere there are `kkt_residual_path_` and `kkt_residual_`, as in
        :class:`HadamardTweedieRegressor`.
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
    HadamardTweedieRegressor : The same at a given alpha.
    CrossValidationDisplay : The deviances as a picture.

    References
    ----------
    L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
    Wadsworth (1984), section 3.4.3.

    J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models
    via coordinate descent", Journal of Statistical Software 33 (2010) 1-22.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardTweedieRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> number = rng.poisson(np.exp(X[:, 0] - 0.5 * X[:, 3]))
    >>> y = rng.gamma(np.maximum(2.0 * number, 1e-9)) * (number > 0)
    >>> model = HadamardTweedieRegressorCV(rule="1se").fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    """

    _single = HadamardTweedieRegressor
    kkt_residual_: float
    kkt_residual_path_: Float64

    @explain_names
    def __init__(
        self,
        *,
        power: float = 1.5,
        l1_ratio: float = 1.0,
        eps: float = 1e-2,
        alphas: Any = 100,
        fit_intercept: bool = True,
        link: Link = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        rule: Rule = "min",
        early_stop: bool = True,
    ) -> None:
        self.power = power
        self.link = link
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
        self.penalty_weights = penalty_weights
        self.rule = rule
        self.early_stop = early_stop
