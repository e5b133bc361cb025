"""The group lasso, as the user sees it: the path function and the estimator."""

from __future__ import annotations

from typing import Any, Literal, Self, Unpack, overload

from .._design.sources import source_of
from .._numerics.threads import threads_for_data
from .._numerics.typing import Index
from .._validation.arrays import checked_array, given_alphas
from .._validation.choices import GroupWeighting, Solver
from .._validation.parameters import explain_names, path_function
from .._validation.weights import checked_data, feature_names
from .fit_method import fit_method
from .group_estimator import GroupEstimator, GroupRegressor, penalty_of_groups, words_of
from .group_regression import GroupData
from .path_arguments import (
    GroupPathArguments,
    Paths,
    PathsWithBoth,
    PathsWithIntercepts,
    PathsWithSweeps,
)
from .problem import DATA_ACCEPTED, FitOptions, gaps_of, sweeps_of
from .regression import LeastSquaresData, least_squares_data


@overload
def group_path(
    X: Any,
    y: Any,
    *,
    return_n_iter: Literal[False] = ...,
    return_intercept: Literal[False] = ...,
    **arguments: Unpack[GroupPathArguments],
) -> Paths: ...
@overload
def group_path(
    X: Any,
    y: Any,
    *,
    return_n_iter: Literal[True],
    return_intercept: Literal[False] = ...,
    **arguments: Unpack[GroupPathArguments],
) -> PathsWithSweeps: ...
@overload
def group_path(
    X: Any,
    y: Any,
    *,
    return_n_iter: Literal[False] = ...,
    return_intercept: Literal[True],
    **arguments: Unpack[GroupPathArguments],
) -> PathsWithIntercepts: ...
@overload
def group_path(
    X: Any,
    y: Any,
    *,
    return_n_iter: Literal[True],
    return_intercept: Literal[True],
    **arguments: Unpack[GroupPathArguments],
) -> PathsWithBoth: ...
@overload
def group_path(
    X: Any,
    y: Any,
    *,
    return_n_iter: bool = ...,
    return_intercept: bool = ...,
    **arguments: Unpack[GroupPathArguments],
) -> tuple[Any, ...]: ...
@path_function
def group_path(
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    group_weights: GroupWeighting | Any = "sqrt",
    l1_ratio: float = 0.0,
    eps: float = 1e-3,
    alphas: Any = 100,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    fit_intercept: bool = False,
    return_intercept: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    positive: bool = False,
    solver: Solver = "auto",
    max_iter: int = 1000,
    tol: float = 1e-4,
) -> tuple[Any, ...]:
    r"""Compute the path of the group lasso: solutions for a decreasing sequence of penalties.

    For each `alpha` of the sequence, the coefficients :math:`\theta` and the intercept b minimise

    .. math::

        \frac{1}{2 \sum_i s_i} \sum_i s_i (y_i - b - x_i^\top \theta)^2
        + \alpha (1 - r) \sum_g w_g \|\theta_g\|_2 + \alpha r \|\theta\|_1

    with the sample weights s, the weights w of the groups g, and r = `l1_ratio`. As in
    :func:`sklearn.linear_model.lasso_path`, b is zero by default; `fit_intercept` fits one. Of
    several targets the squared errors are added up, and :math:`\theta_g` are the coefficients of a
    group for all of them. So ``groups=None`` is the path of the multi-task lasso then.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target values.
    groups : array-like, dict, callable or None, default=None
        As in :class:`HadamardGroupLasso`.
    group_weights : 'sqrt', array-like of shape (n_groups,) or dict, default='sqrt'
        As in :class:`HadamardGroupLasso`.
    l1_ratio : float, default=0.0
        As in :class:`HadamardGroupLasso`.
    eps : float, default=1e-3
        Length of the path: ``alpha_min / alpha_max``. Used if `alphas` is an int.
    alphas : int or array-like, default=100
        Number of alphas on a geometric grid from ``alpha_max`` down, the smallest alpha at which
        all penalised groups are zero; or the alphas themselves, which have to be positive, in any
        order. None means 100.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        1 prints a line for each alpha on standard error, 2 one for each iteration as well.
    return_n_iter : bool, default=False
        Whether to return the numbers of sweeps.
    fit_intercept : bool, default=False
        Whether to fit an intercept at each alpha, which is not penalised.
    return_intercept : bool, default=False
        Whether to return the intercepts.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    offset : array-like of the shape of y, default=None
        What is added to the linear model of each sample, zero by default: a known part of `y`.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative; for a single target.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardGroupLasso`.
    max_iter : int, default=1000
        Largest number of sweeps at each alpha.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y||^2 / n_samples``, or with an intercept to
        ``||y - mean(y)||^2 / n_samples`` (weighted). Between two alphas that are solved, the other
        solutions are interpolated, if their gap is at most this.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The alphas, largest first.
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
        The coefficients, of `X`'s dtype.
    dual_gaps : ndarray of shape (n_alphas,)
        The duality gap certified for each solution, in the units of the objective.
    n_iters : list of int
        The sweeps that were made for each alpha, 0 where all coefficients are zero, or the solution
        is predicted by two others. Returned if `return_n_iter` is True.
    intercepts : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
        The intercepts, of `X`'s dtype; zero without `fit_intercept`. Returned, as the last, if
        `return_intercept` is True.

    Raises
    ------
    ValueError
        If a parameter, `X`, `y`, a group or a weight is not what it has to be.

    Warns
    -----
    ConvergenceWarning
        If the gap asked for was not reached.

    See Also
    --------
    HadamardGroupLasso : The estimator.
    lasso_path : For single coefficients.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables",
    Journal of the Royal Statistical Society B 68 (2006) 49-67.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import group_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> groups = [0, 0, 1, 1, 2, 2, 2, 2, 2, 2]  # person, body, blood
    >>> alphas, coefs, dual_gaps = group_path(X, y - y.mean(), groups=groups, alphas=5)
    >>> (coefs != 0).sum(axis=0)
    array([ 0,  8, 10, 10, 10])
    """
    options = FitOptions(1.0, fit_intercept, positive, solver, tol, max_iter, verbose)
    if source_of(X, y, sample_weight, offset) is not None:
        raise TypeError("group_path does not take data in blocks. Give X and y as arrays.")
    names = feature_names(X)
    X, y, penalty = checked_data(X, y, None, DATA_ACCEPTED | {"multi_output": True})
    data = least_squares_data(X, y, sample_weight, penalty, options).with_offset(offset)
    grouped = with_groups(data, groups, group_weights, names, l1_ratio)
    if coef_init is not None:
        shape = (X.shape[1],) if data.flat else (data.targets.shape[1], X.shape[1])
        coef_init = checked_array(coef_init, shape, "coef_init")
    given = given_alphas(alphas, [1.0], open_low=True)
    with threads_for_data(X.size):
        problem = grouped.problem(given.length)
        grid, (points,) = problem.paths(given, eps, coef_init)
    problem.warn_not_converged(points)
    coefs, intercepts = problem.arrays([points])
    results: list[Any] = [coefs[0] if data.flat else coefs, gaps_of(points)]
    if return_n_iter:
        results.append(sweeps_of(points))
    if return_intercept:
        results.append(intercepts[0] if data.flat else intercepts)
    return (grid, *results)


def with_groups(
    data: LeastSquaresData, groups: Any, group_weights: Any, names: Any, l1_ratio: float
) -> GroupData:
    """The data with groups and their weights, which are checked."""
    penalty, of_features, labels = penalty_of_groups(
        groups, group_weights, l1_ratio, data.X.shape[1], names, data.options
    )
    if penalty.single and data.targets.shape[1] > 1:
        what = "positive=True" if penalty.positive else f"l1_ratio={l1_ratio}"
        raise ValueError(f"{what} with groups takes one target. Got several.")
    return GroupData(data._replace(penalty=of_features), penalty, labels)


class FeatureGroups(GroupRegressor):
    """What estimators with groups of features have in common; abstract."""

    groups: Any
    group_weights: Any
    l1_ratio: float
    # Weights belong to groups.
    penalty_weights: Any = None
    groups_: Index
    group_labels_: Any

    @property
    def _penalty_words(self) -> str:
        return words_of(len(self.group_labels_), self.l1_ratio)

    def _grouped(self, data: LeastSquaresData) -> GroupData:
        names = getattr(self, "feature_names_in_", None)
        return with_groups(data, self.groups, self.group_weights, names, self.l1_ratio)


class HadamardGroupLasso(FeatureGroups, GroupEstimator):
    r"""Linear model with a penalty on groups of coefficients, fitted by alternating ridge updates.

    A group of features is in the model as a whole, or not at all. Examples are the levels of a
    categorical feature, or the basis functions of a spline. The coefficients :math:`\theta` and the
    intercept b minimise, for n samples,

    .. math::

        \frac{1}{2n} \|y - b - X \theta\|^2 + \alpha \sum_g w_g \|\theta_g\|_2

    with the weights w of the groups g; or the same with sample weights, as in
    :class:`HadamardLasso`. Groups do not overlap.

    The coefficients of a group are written as a product of a number and a vector,
    :math:`\theta_g = m_g v_g`, which turns its norm into ridge penalties on both. A sweep first
    updates all vectors in closed form, with the numbers fixed, and then all numbers. Newton's
    method on the groups that are not zero starts from the same point, and the better of the two
    results is taken. This is repeated until the duality gap is small enough.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative.
    groups : array-like, dict, callable or None, default=None
        Which group each feature is in:

        - an array-like of shape (n_features,): a label for each feature;
        - a list of lists of features, by their numbers or names, each feature in one of them;
        - a dict of such lists, by the labels of the groups;
        - a function that gives a label for the name of a feature, where `X` has names;
        - None: each feature is a group of its own.
    group_weights : 'sqrt', array-like of shape (n_groups,) or dict, default='sqrt'
        Weights w of the groups, not negative, in the order of ``group_labels_``. 'sqrt' is the
        square root of the number of features. A group of weight zero is not penalised, one of
        weight inf is left out. Groups that a dict does not have get their 'sqrt'.
    l1_ratio : float, default=0.0
        Share r of the L1 penalty, in [0, 1]. The penalty is that of the *sparse group lasso*,
        :math:`\alpha (1 - r) \sum_g w_g \|\theta_g\|_2 + \alpha r \|\theta\|_1`; for a single
        target. Then single coefficients of a group in the model can be zero. Weights do not
        multiply the L1 part, but coefficients of groups of weight zero are not in it.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised. If not, the data are expected to be
        centred.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||y - mean(y)||^2 / n_samples`` (weighted); to
        ``||y||^2 / n_samples`` without an intercept.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    positive : bool, default=False
        Whether the coefficients are confined to be non-negative; for a single target. Then a group
        that is in the model may have zeros.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': rounds of a sweep and Newton's method on the groups that are not zero, until the
          gap is small enough.
        - 'alternating': sweeps alone, until the duality gap is reached. Linear convergence: for
          study, and for comparison. Groups are set to zero where the gap certifies it; others may
          be very small instead.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, of `X`'s dtype.
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
    dual_gap_ : float
        Certified duality gap, in the units of the objective: the objective is no further than this
        from its minimum. For float32 it covers the rounding of the coefficients as well.
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
    group_path : Solutions for a sequence of alphas.
    HadamardGroupLassoCV : The same with alpha chosen by cross-validation.
    HadamardMultiTaskLasso : For several targets, each feature in or out for all of them.
    HadamardLasso : For single coefficients.

    Notes
    -----
    The norm of a group depends on the units of its features. Give features of a
    group one scale: dummy variables and spline bases have it; other features are best
    standardised.

    Of several targets the squared errors are added up, and a group holds the coefficients of all
    targets.

    References
    ----------
    M. Yuan and Y. Lin, "Model selection and estimation in regression with grouped variables",
    Journal of the Royal Statistical Society B 68 (2006) 49-67.

    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardGroupLasso
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> groups = {"person": ["age", "sex"], "body": ["bmi", "bp"],
    ...           "blood": ["s1", "s2", "s3", "s4", "s5", "s6"]}
    >>> model = HadamardGroupLasso(alpha=0.5, groups=groups).fit(X, y)
    >>> model.group_labels_[model.mu_ > 0].tolist()
    ['body', 'blood']
    """

    path = staticmethod(group_path)

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
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        offset : array-like of the shape of y, default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.

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
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardGroupLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = HadamardGroupLasso(alpha=0.5, groups=[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]).fit(X, y)
        >>> model.coef_.nonzero()[0]
        array([2, 3, 4, 5, 6, 7, 8, 9])
        """
        return self._fitted(X, y, sample_weight, offset)
