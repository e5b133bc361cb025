"""Logistic regression with a penalty on groups of coefficients, as the user sees it."""

from collections.abc import Mapping
from typing import Any, Self

from .._validation.choices import Balanced, GroupWeighting, Solver
from .._validation.parameters import explain_names
from .fit_method import fit_method
from .group_loss import GroupLossEstimator
from .logistic_estimator import LogisticEstimator


class HadamardGroupLogisticRegression(GroupLossEstimator, LogisticEstimator):
    r"""Logistic regression with a penalty on groups of coefficients, certified by a duality gap.

    A group of features is in the model as a whole, or not at all: the levels of a categorical
    feature, or the basis functions of a spline. The coefficients :math:`\theta` and the intercept
    b, which is not penalised, minimise

    .. math::

        C \sum_i s_i \, \text{loss}(y_i, b + x_i^\top \theta) + \sum_g w_g \|\theta_g\|_2

    with sample weights s and the weights w of the groups g. The loss is that of
    :class:`HadamardLogisticRegression`. With three or more classes, a group has the coefficients of
    its features for all classes. So with ``groups=None`` each feature is in the model for all
    classes or for none. Groups of features do not overlap.

    The loss is replaced by its quadratic model about the present coefficients. As in
    :class:`HadamardGroupLasso` the coefficients of a group are written as a product of a number
    and a vector, which turns the norm into ridge penalties on both. A sweep first updates all
    vectors in closed form, with the numbers fixed, and then all numbers. Newton's method on the
    groups that are not zero follows. A line search takes the coefficients towards the solution of
    the model. The objective never goes up.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the strength of the penalty, positive.
    groups : array-like, dict, callable or None, default=None
        Which group each feature is in, as in :class:`HadamardGroupLasso`; None: each feature is a
        group of its own.
    group_weights : 'sqrt', array-like of shape (n_groups,) or dict, default='sqrt'
        Weights w of the groups, not negative, in the order of ``group_labels_``. 'sqrt' is the
        square root of the number of features. A group of weight zero is not penalised, one of
        weight inf is left out. Groups that a dict does not have get their 'sqrt'.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, as in :class:`HadamardGroupLasso`.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, as ``{label: weight}``, which multiply the sample weights; one for
        those that are left out. 'balanced' makes the classes' sums of weights equal.
    max_iter : int, default=100
        Largest number of sweeps. Each quadratic model of the loss takes one.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then Newton's method on the groups that are not
          zero.
        - 'alternating': sweeps alone, until the duality gap is reached. Linear convergence: for
          study, and for comparison; needs a larger `max_iter`. Groups are set to zero where the gap
          certifies it; others may be very small instead.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, of `X`'s dtype; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; zero without `fit_intercept`. With three or more classes the mean of those of
        positive weight is zero.
    groups_ : ndarray of shape (n_features,)
        The number of each feature's group.
    group_labels_ : ndarray of shape (n_groups,)
        The labels of the groups: sorted, or in the order of the lists.
    mu_ : ndarray of shape (n_groups,)
        The number of each group: the square root of the norm of its coefficients, zero where the
        group is not in the model.
    nu_ : ndarray of the shape of `coef_`
        The vectors: ``mu_[groups_] * nu_ == coef_`` to rounding.
    dual_gap_ : float
        Certified duality gap, in the units of the mean loss: the objective, divided by
        ``C * sum(s)``, is no further than this from its minimum. For float32 it covers the rounding
        of the coefficients as well.
    n_iter_ : ndarray of shape (1,)
        Sweeps that were made; 0 where all coefficients were zero from the start, and where a warm
        start met the gap asked for.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardGroupLasso : Least squares with groups.
    HadamardLogisticRegression : For single coefficients.

    Notes
    -----
    The norm of a group depends on the units of its features. Give features of a group one scale:
    dummy variables and spline bases have it; other features are best standardised.

    A class whose samples all have weight zero keeps its place in `classes_`, as in
    :class:`HadamardLogisticRegression`.

    References
    ----------
    L. Meier, S. van de Geer and P. Buehlmann, "The group lasso for logistic regression", Journal of
    the Royal Statistical Society B 70 (2008) 53-71.

    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import StandardScaler
    >>> from hplasso import HadamardGroupLogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> Z = StandardScaler().set_output(transform="pandas").fit_transform(X)
    >>> kind = lambda name: name.removeprefix("mean ").removeprefix("worst ").removesuffix(" error")
    >>> model = HadamardGroupLogisticRegression(C=0.01, groups=kind).fit(Z, y)
    >>> model.group_labels_[model.mu_ > 0].tolist()
    ['concave points', 'radius']
    """

    @explain_names
    def __init__(
        self,
        C: float = 1.0,
        *,
        groups: Any = None,
        group_weights: GroupWeighting | Any = "sqrt",
        l1_ratio: float = 0.0,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | Balanced | None = None,
        max_iter: int = 100,
        warm_start: bool = False,
        solver: Solver = "auto",
        verbose: bool | int = 0,
    ) -> None:
        self.C = C
        self.groups = groups
        self.group_weights = group_weights
        self.l1_ratio = l1_ratio
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.warm_start = warm_start
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
            Class labels of any type; not None.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

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
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardGroupLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> model = HadamardGroupLogisticRegression(C=0.5).fit(X, y)
        >>> model.coef_.any(axis=0)  # a feature is in the model for all classes, or for none
        array([ True, False,  True,  True])
        """
        return self._fitted(X, y, sample_weight, offset)
