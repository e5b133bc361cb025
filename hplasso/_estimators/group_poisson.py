"""Poisson regression with a penalty on groups of coefficients, as the user sees it."""

from typing import Any, Self

from .._validation.choices import GroupWeighting, Solver
from .._validation.parameters import explain_names
from .fit_method import fit_method
from .generalized_linear_regressor import GeneralizedLinearRegressor
from .group_loss import GroupLossEstimator


class HadamardGroupPoissonRegressor(GroupLossEstimator, GeneralizedLinearRegressor):
    r"""Poisson regression with a penalty on groups of coefficients, certified by a duality gap.

    For counts, or other targets that are not negative. A group of features is in the model as a
    whole, or not at all: the levels of a categorical feature, or the basis functions of a spline.
    The coefficients :math:`\theta` and the intercept b, which is not penalised, minimise

    .. math::

        \frac{1}{\sum_i s_i} \sum_i s_i \, \text{loss}(y_i, \exp(b + x_i^\top \theta))
        + \alpha \sum_g w_g \|\theta_g\|_2

    with sample weights s and the weights w of the groups g. The loss is half of the Poisson
    deviance, as in :class:`HadamardPoissonRegressor`. Groups do not overlap.

    The algorithm is that of :class:`HadamardGroupLogisticRegression`.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative. With 0 no group is penalised.
    groups : array-like, dict, callable or None, default=None
        Which group each feature is in, as in :class:`HadamardGroupLasso`; None: each feature is a
        group of its own.
    group_weights : 'sqrt', array-like of shape (n_groups,) or dict, default='sqrt'
        Weights w of the groups, not negative, in the order of ``group_labels_``. 'sqrt' is the
        square root of the number of features. A group of weight zero is not penalised, one of
        weight inf is left out. Groups that a dict does not have get their 'sqrt'.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, as in :class:`HadamardGroupLasso`.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    max_iter : int, default=1000
        Largest number of sweeps. Each quadratic model of the loss takes one.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative. Then a group that is in the model
        may have zeros.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then Newton's method on the groups that are not
          zero.
        - 'alternating': sweeps alone, until the duality gap is reached. Linear convergence: for
          study, and for comparison. Groups that are not in the model may be very small instead of
          zero.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, of `X`'s dtype, on the scale of the logarithm of the mean.
    intercept_ : float
        Intercept. If all `y` with a positive weight are zero, the means go to zero, and the
        intercept ends at -600.
    groups_ : ndarray of shape (n_features,)
        The number of each feature's group.
    group_labels_ : ndarray of shape (n_groups,)
        The labels of the groups: sorted, or in the order of the lists.
    mu_ : ndarray of shape (n_groups,)
        The number of each group: the square root of the norm of its coefficients, zero where the
        group is not in the model.
    nu_ : ndarray of shape (n_features,)
        The vectors: ``mu_[groups_] * nu_ == coef_`` to rounding.
    dual_gap_ : float
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients as well.
    n_iter_ : int
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardGroupLasso : Least squares with groups.
    HadamardPoissonRegressor : For single coefficients.

    Notes
    -----
    The norm of a group depends on the units of its features. Give features of a group one scale:
    dummy variables and spline bases have it; other features are best standardised.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables",
    Journal of the Royal Statistical Society B 68 (2006) 49-67.

    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Examples
    --------
    >>> import numpy as np
    >>> from hplasso import HadamardGroupPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> levels = np.eye(4)[rng.integers(4, size=(200, 3))]  # three categorical features
    >>> y = rng.poisson(np.exp(levels[:, 0] @ [0.0, 1.0, 2.0, 0.5]))
    >>> groups = np.repeat(["region", "size", "colour"], 4)
    >>> model = HadamardGroupPoissonRegressor(alpha=0.2, groups=groups)
    >>> model = model.fit(levels.reshape(200, 12), y)
    >>> model.group_labels_[model.mu_ > 0].tolist()
    ['region']
    """

    _power = 1.0

    @explain_names
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        groups: Any = None,
        group_weights: GroupWeighting | Any = "sqrt",
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        solver: Solver = "auto",
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.groups = groups
        self.group_weights = group_weights
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.solver = solver
        self.verbose = verbose

    @fit_method
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,), default=None
            Target values, not negative and not None. They need not be integers.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model of each sample, zero by default: the logarithm of the
            exposure, where `y` is counted over that.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y`, a group or a weight is not what it has to be.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> import numpy as np
        >>> from hplasso import HadamardGroupPoissonRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 6))
        >>> y = rng.poisson(np.exp(X[:, 0] - 0.5 * X[:, 1]))
        >>> groups = [0, 0, 1, 1, 2, 2]
        >>> model = HadamardGroupPoissonRegressor(alpha=0.2, groups=groups).fit(X, y)
        >>> model.coef_.nonzero()[0]
        array([0, 1])
        """
        return self._fitted(X, y, sample_weight, offset)
