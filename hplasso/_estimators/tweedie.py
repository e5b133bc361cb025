"""Poisson, gamma and Tweedie regression, as the user sees them."""

from typing import Any

from .._validation.choices import Link, Solver
from .._validation.parameters import explain_names
from .generalized_linear_regressor import GeneralizedLinearRegressor


class HadamardPoissonRegressor(GeneralizedLinearRegressor):
    r"""Poisson regression with an L1 or elastic-net penalty, certified by a duality gap.

    For counts, or other targets that are not negative. A drop-in replacement of
    :class:`sklearn.linear_model.PoissonRegressor`, which has a ridge penalty only. The
    coefficients :math:`\theta` and the intercept b, which is not penalised, minimise

    .. math::

        \frac{1}{\sum_i s_i} \sum_i s_i \, \text{loss}(y_i, m_i)
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with sample weights s, penalty weights w and r = `l1_ratio`. The loss is half of the Poisson
    deviance at the mean :math:`m = \exp(b + x^\top \theta)`,

    .. math::

        \text{loss}(y, m) = y \log \frac{y}{m} - y + m .

    It is convex, and the solution is certified by a duality gap.

    The loss is replaced by its quadratic model about the present coefficients. As in
    :class:`HadamardLasso` the coefficients of the model are written as a product,
    ``coef = mu * nu``. Ridge regressions in mu and nu by turns show a support with signs, and a
    linear system gives the solution for these. A line search takes the coefficients there. The
    objective never goes up.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 there is none, whatever the penalty weights. If
        columns depend on each other, there are many solutions then, and the result is a sparse one.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty; 0 is that of
        :class:`sklearn.linear_model.PoissonRegressor`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    max_iter : int, default=1000
        Largest number of sweeps. Each quadratic model of the loss takes at least one, and mostly no
        more.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then, in closed form, its solution with the
          support and signs that the sweep shows, and so on from one support to the next.
        - 'alternating': sweeps alone: ridge-penalised Newton steps in mu and in nu (Hoff 2017).
          Linear convergence: for study, and for comparison; needs a larger `max_iter`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, of `X`'s dtype, on the scale of the link: of the logarithm of the mean, or of
        the mean itself.
    intercept_ : float
        Intercept. If all `y` with a positive weight are zero, the means go to zero, and the
        intercept ends at -600.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients, but not that of
        the intercept.
    n_iter_ : int
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardPoissonRegressorCV : With the penalty chosen by cross-validation.
    glm_path : Solutions for a sequence of alphas.
    HadamardGammaRegressor : For positive targets whose spread grows with their mean.
    HadamardTweedieRegressor : For what lies between the two.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Bent Jorgensen, "The theory of dispersion models", Chapman & Hall (1997), chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = rng.poisson(np.exp(1.0 + X[:, 0] - 0.5 * X[:, 3]))
    >>> model = HadamardPoissonRegressor(alpha=0.5).fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    >>> print(f"{model.score(X, y):.2f}")
    0.86
    """

    _power = 1.0

    @explain_names
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.verbose = verbose


class HadamardGammaRegressor(GeneralizedLinearRegressor):
    r"""Gamma regression with an L1 or elastic-net penalty, certified by a duality gap.

    For positive targets whose standard deviation grows with their mean, such as costs. A drop-in
    replacement of :class:`sklearn.linear_model.GammaRegressor`, which has a ridge penalty only. The
    coefficients :math:`\theta` and the intercept b, which is not penalised, minimise

    .. math::

        \frac{1}{\sum_i s_i} \sum_i s_i \, \text{loss}(y_i, m_i)
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with sample weights s, penalty weights w and r = `l1_ratio`. The loss is half of the gamma
    deviance at the mean :math:`m = \exp(b + x^\top \theta)`,

    .. math::

        \text{loss}(y, m) = \log \frac{m}{y} + \frac{y}{m} - 1 .

    It is convex, and the solution is certified by a duality gap.

    The loss is replaced by its quadratic model about the present coefficients. As in
    :class:`HadamardLasso` the coefficients of the model are written as a product,
    ``coef = mu * nu``. Ridge regressions in mu and nu by turns show a support with signs, and a
    linear system gives the solution for these. A line search takes the coefficients there. The
    objective never goes up.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 there is none, whatever the penalty weights. If
        columns depend on each other, there are many solutions then, and the result is a sparse one.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty; 0 is that of
        :class:`sklearn.linear_model.GammaRegressor`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    max_iter : int, default=1000
        Largest number of sweeps. Each quadratic model of the loss takes at least one, and mostly no
        more.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then, in closed form, its solution with the
          support and signs that the sweep shows, and so on from one support to the next.
        - 'alternating': sweeps alone: ridge-penalised Newton steps in mu and in nu (Hoff 2017).
          Linear convergence: for study, and for comparison; needs a larger `max_iter`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, of `X`'s dtype, on the scale of the link: of the logarithm of the mean, or of
        the mean itself.
    intercept_ : float
        Intercept.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients, but not that of
        the intercept.
    n_iter_ : int
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardGammaRegressorCV : With the penalty chosen by cross-validation.
    glm_path : Solutions for a sequence of alphas.
    HadamardPoissonRegressor : For counts.
    HadamardTweedieRegressor : For what lies between the two.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Bent Jorgensen, "The theory of dispersion models", Chapman & Hall (1997), chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardGammaRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> y = rng.gamma(2.0, np.exp(1.0 + X[:, 0] - 0.5 * X[:, 3]))
    >>> model = HadamardGammaRegressor(alpha=0.2).fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    """

    _power = 2.0

    @explain_names
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.verbose = verbose


class HadamardTweedieRegressor(GeneralizedLinearRegressor):
    r"""Tweedie regression with an L1 or elastic-net penalty.

    For targets that are zero or positive, such as the cost of claims in a year, and for others
    whose variance is a power of their mean. It is a drop-in replacement of
    :class:`sklearn.linear_model.TweedieRegressor`, which has a ridge penalty only. The coefficients
    :math:`\theta` and the intercept b, which is not penalised, minimise

    .. math::

        \frac{1}{\sum_i s_i} \sum_i s_i \, \text{loss}(y_i, m_i)
        + \alpha \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with sample weights s, penalty weights w and r = `l1_ratio`. The loss is half of the unit
    deviance of power q at the mean :math:`m = \exp(b + x^\top \theta)`,

    .. math::

        \text{loss}(y, m) = y \, \frac{y^{1-q} - m^{1-q}}{1-q} - \frac{y^{2-q} - m^{2-q}}{2-q} ,

    for q = 1 that of Poisson, and for q = 2 that of gamma. With a log link and q from 1 to 2 it is
    convex, and the solution is certified by a duality gap. The same is true of the normal
    distribution, q = 0 with an identity link. Elsewhere it is not convex: the solution is a local
    minimum. In place of the gap it has a KKT residual, which says how far it is from the conditions
    of a minimum.

    The loss is replaced by its quadratic model about the present coefficients. As in
    :class:`HadamardLasso` the coefficients of the model are written as a product,
    ``coef = mu * nu``. Ridge regressions in mu and nu by turns show a support with signs, and a
    linear system gives the solution for these. A line search takes the coefficients there. The
    objective never goes up.

    Parameters
    ----------
    power : float, default=1.5
        The power q of the variance as a function of the mean, at most 0 or at least 1: 0 is the
        normal distribution, 1 Poisson, 2 gamma, 3 the inverse Gaussian, and between 1 and 2 are
        sums of a Poisson number of gamma variables. Targets have to be positive from 2 on, and not
        negative from 1 on; with an identity link positive, too. (scikit-learn's default is 0.)
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 there is none, whatever the penalty weights. If
        columns depend on each other, there are many solutions then, and the result is a sparse one.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty; 0 is that of
        :class:`sklearn.linear_model.TweedieRegressor`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    link : {'auto', 'log', 'identity'}, default='auto'
        What is linear in the features: the logarithm of the mean, or the mean itself. As in
        scikit-learn, 'auto' is 'identity' for powers up to 0, and 'log' for the others.
    max_iter : int, default=1000
        Largest number of sweeps. Each quadratic model of the loss takes at least one, and mostly no
        more.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features; or largest KKT
        residual, relative to the largest correlation of a feature with the residual of that model.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then, in closed form, its solution with the
          support and signs that the sweep shows, and so on from one support to the next.
        - 'alternating': sweeps alone: ridge-penalised Newton steps in mu and in nu (Hoff 2017).
          Linear convergence: for study, and for comparison; needs a larger `max_iter`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, of `X`'s dtype, on the scale of the link: of the logarithm of the mean, or of
        the mean itself.
    intercept_ : float
        Intercept. If all `y` with a positive weight are zero, the means go to zero, and the
        intercept ends at ``-600 / (2 - power)``.
    mu_, nu_ : ndarrays of shape (n_features,)
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients, but not that of
        the intercept. Only where the loss is convex.
    kkt_residual_ : float
        Where it is not: by how much, at most, an optimality condition is missed, in the units of
        the gradient. For float32 it is that of the coefficients before they are rounded.
    n_iter_ : int
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_passes_ : int
        How many times the data were read; only if they came in blocks.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardTweedieRegressorCV : With the penalty chosen by cross-validation.
    glm_path : Solutions for a sequence of alphas.
    HadamardPoissonRegressor, HadamardGammaRegressor : The two ends.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Bent Jorgensen, "The theory of dispersion models", Chapman & Hall (1997), chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardTweedieRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 10))
    >>> number = rng.poisson(np.exp(X[:, 0] - 0.5 * X[:, 3]))
    >>> y = rng.gamma(np.maximum(2.0 * number, 1e-9)) * (number > 0)
    >>> model = HadamardTweedieRegressor(alpha=0.3).fit(X, y)
    >>> model.coef_.nonzero()[0]
    array([0, 3])
    """

    kkt_residual_: float

    @explain_names
    def __init__(
        self,
        *,
        power: float = 1.5,
        alpha: float = 1.0,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        link: Link = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.power = power
        self.link = link
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.verbose = verbose
