"""What the user sees of logistic regression: the path function and the estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, Unpack, overload

from .._design.sources import source_of
from .._numerics.threads import threads_for_data
from .._validation.arrays import given_Cs
from .._validation.choices import Balanced, Solver
from .._validation.parameters import explain_names, path_function
from .._validation.weights import checked_data, checked_penalty_weights
from .classification import LogisticData, encode
from .fit_method import fit_method
from .logistic_estimator import LogisticEstimator
from .path_arguments import CurvedPath, CurvedPathWithSweeps, LogisticPathArguments
from .problem import DATA_ACCEPTED, FitOptions, gaps_of, sweeps_of
from .streamed_data import streamed_labels


@overload
def logistic_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[False] = ...,
    **arguments: Unpack[LogisticPathArguments],
) -> CurvedPath: ...
@overload
def logistic_path(
    X: Any,
    y: Any = None,
    *,
    return_n_iter: Literal[True],
    **arguments: Unpack[LogisticPathArguments],
) -> CurvedPathWithSweeps: ...
@overload
def logistic_path(
    X: Any, y: Any = None, *, return_n_iter: bool = ..., **arguments: Unpack[LogisticPathArguments]
) -> tuple[Any, ...]: ...
@path_function
def logistic_path(
    X: Any,
    y: Any = None,
    *,
    Cs: Any = 100,
    eps: float = 1e-2,
    l1_ratio: float = 1.0,
    fit_intercept: bool = True,
    class_weight: Mapping[Any, float] | Balanced | None = None,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_weights: Any = None,
    coef_init: Any = None,
    solver: Solver = "auto",
    max_iter: int = 100,
    tol: float = 1e-4,
    verbose: bool | int = 0,
    return_n_iter: bool = False,
    early_stop: bool = True,
) -> tuple[Any, ...]:
    r"""Compute the path of logistic regression: solutions for an increasing sequence of C.

    For each `C` of the sequence, the coefficients :math:`\theta` and the intercept b minimise

    .. math::

        C \sum_i s_i \, \text{loss}(y_i, b + x_i^\top \theta)
        + \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with the loss of :class:`HadamardLogisticRegression`, sample weights s, penalty weights w and
    r = `l1_ratio`.
    Each solution is the start of the next; some are weighted means of their neighbours, which are
    certified like the others.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
        Training data, used as they are: not copied, not changed. float32 is kept as it is; other
        types than float32 and float64 are converted to float64. COO is converted to CSC.
        :class:`Batches` bring `y` and the sample weights with them; of Dask arrays and data frames
        no more than blocks are computed at a time.
    y : array-like of shape (n_samples,), default=None
        Class labels of any type; None where `X` is :class:`Batches`.
    Cs : int or array-like, default=100
        Number of values on a geometric grid that starts at the largest C for which all penalised
        coefficients are zero (:func:`sklearn.svm.l1_min_c` computes the same number for the plain
        problem); or the values themselves, in any order.
    eps : float, default=1e-2
        Length of the path: ``C_first / C_last``. Used if `Cs` is an int.
    l1_ratio : float, default=1.0
        Share of the L1 penalty, in [0, 1]. For 0, a ridge penalty alone, the values of C have to be
        given: there is no penalty at which a grid could begin.
    fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    class_weight : dict or 'balanced', default=None
        As in :class:`HadamardLogisticRegression`.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Sample weights s, all one by default.
    offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
        What is added to the linear model of each sample, zero by default; of three or more
        classes that of each.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    coef_init : array-like of shape (n_features,) or (n_classes, n_features), default=None
        Coefficients to start from.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardLogisticRegression`.
    max_iter : int, default=100
        Largest number of sweeps for each C.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    verbose : bool or int, default=0
        1 prints a line for each C on standard error, 2 one for each iteration as well.
    return_n_iter : bool, default=False
        Whether to return the numbers of sweeps.
    early_stop : bool, default=True
        Whether a grid that is not given ends where the fit is saturated: see Notes.

    Returns
    -------
    Cs : ndarray of shape (n_Cs,)
        The values of C, smallest first; with `early_stop` they may be less than were asked for.
    coefs : ndarray of shape (n_features, n_Cs) or (n_classes, n_features, n_Cs)
        The coefficients, of `X`'s dtype; with an axis of classes if there are three or more.
    intercepts : ndarray of shape (n_Cs,) or (n_classes, n_Cs)
        The intercepts.
    dual_gaps : ndarray of shape (n_Cs,)
        The duality gap certified for each solution, in the units of the mean loss: of the objective
        divided by ``C * sum(s)``.
    n_iters : list of int
        The sweeps that were made for each C, 0 where all coefficients are zero, or the solution is
        a weighted mean of two others. Returned if `return_n_iter` is True.

    Raises
    ------
    ValueError
        If a parameter, `X`, `y` or a weight is not what it has to be.

    Warns
    -----
    ConvergenceWarning
        If the gap asked for was not reached.

    See Also
    --------
    HadamardLogisticRegression : The estimator.

    Notes
    -----
    With `early_stop`, a path whose values of C are not given ends with the first C that is solved
    at which less than 0.001 of the loss without features is left, as with classes that a plane
    separates. It also ends where the explained part grows by less than 1e-4 of itself while C grows
    by a factor e. These are about the limits of glmnet. The second is not used if `tol` is larger
    than 1e-4, which might hide such a change.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from hplasso import logistic_path
    >>> X, y = load_iris(return_X_y=True)
    >>> Cs, coefs, intercepts, dual_gaps = logistic_path(X, y, Cs=4)
    >>> (coefs != 0).sum(axis=(0, 1))
    array([0, 2, 2, 4])
    """
    options = FitOptions(l1_ratio, fit_intercept, False, solver, tol, max_iter, verbose)
    data: Any
    source = source_of(X, y, sample_weight, offset)
    if source is not None:
        penalty = checked_penalty_weights(penalty_weights, source.n_features, source.names)
        data = streamed_labels(source, class_weight, penalty, options)
    else:
        X, y, penalty = checked_data(X, y, penalty_weights, DATA_ACCEPTED)
        data = LogisticData(X, y, encode(y, X, sample_weight, class_weight), penalty, options)
        data = data.with_offset(offset)
    given = given_Cs(Cs, [l1_ratio])
    if coef_init is not None:
        coef_init = data.checked_start(coef_init, "coef_init")
    with threads_for_data(data.X.size):
        problem = data.problem()
        grid, (points,) = problem.paths(given, eps, coef_init, early_stop)
    problem.warn_not_converged(points)
    coefs, intercepts = problem.arrays([points])
    if len(coefs) == 1:
        coefs, intercepts = coefs[0], intercepts[0]
    results = grid, coefs, intercepts, gaps_of(points)
    return (*results, sweeps_of(points)) if return_n_iter else results


class HadamardLogisticRegression(LogisticEstimator):
    r"""Logistic regression with an L1 or elastic-net penalty, certified by a duality gap.

    It replaces :class:`sklearn.linear_model.LogisticRegression`, whose default is ``l1_ratio=0``.
    The coefficients :math:`\theta` and the intercept b, which is not penalised, minimise

    .. math::

        C \sum_i s_i \, \text{loss}(y_i, b + x_i^\top \theta)
        + \sum_j w_j \Bigl( r |\theta_j| + \frac{1 - r}{2} \theta_j^2 \Bigr)

    with sample weights s, penalty weights w and r = `l1_ratio`. With two classes the loss is
    :math:`\log(1 + \exp(\mp (b + x_i^\top \theta)))`. With more, it is the cross-entropy of the
    softmax of one such function for each class: the multinomial problem, not one class against
    the rest.

    The loss is replaced by its quadratic model about the present coefficients. As in
    :class:`HadamardLasso` the coefficients of the model are written as a product,
    ``coef = mu * nu``. Ridge regressions in mu and nu by turns show a support with signs, and a
    linear system gives the solution for these. A line search takes the coefficients there. The
    objective never goes up.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the strength of the penalty, positive.
    l1_ratio : float, default=1.0
        Share r of the L1 penalty, in [0, 1]. The rest is a ridge penalty.
    tol : float, default=1e-4
        Largest duality gap, relative to the loss of the model without features.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict or 'balanced', default=None
        Weights of the classes, as ``{label: weight}``, which multiply the sample weights; one for
        those that are left out. 'balanced' makes the classes' sums of weights equal.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    max_iter : int, default=100
        Largest number of sweeps. Each quadratic model of the loss takes at least one, and mostly no
        more. A fit from scratch reaches a large C by steps from smaller ones, which take at most
        half of the sweeps.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit. Coefficients that are zero there can
        become non-zero.
    solver : {'auto', 'alternating'}, default='auto'
        - 'auto': for each quadratic model a sweep, then, in closed form, its solution with the
          support and signs that the sweep shows, and so on from one support to the next.
        - 'alternating': sweeps alone: ridge-penalised Newton steps in mu and in nu (Hoff 2017).
          Linear convergence: for study, and for comparison; needs a larger `max_iter`.

        With ``l1_ratio=0`` both are the same: a sweep is one ridge-penalised Newton step, with the
        factor nu held at one.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
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
    mu_, nu_ : ndarrays of the shape of `coef_`
        Balanced factors of the coefficients: ``mu_ * nu_ == coef_`` to rounding, ``|mu_| == nu_``.
    dual_gap_ : float
        Certified duality gap, in the units of the mean loss: the objective, divided by
        ``C * sum(s)``, is no further than this from its minimum. For float32 it covers the rounding
        of the coefficients, but not that of the intercept.
    n_iter_ : ndarray of shape (1,)
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
    logistic_path : Solutions for a sequence of C.
    sklearn.linear_model.LogisticRegression : The same problem, by other algorithms.

    Notes
    -----
    A class whose samples all have weight zero keeps its place in `classes_`. With an intercept, its
    coefficients are zero, its probability is below 1e-300 on the training samples that have a
    weight, and the other classes and `dual_gap_` are as if its samples were not there. Without an
    intercept it takes part in the probabilities like any other.

    References
    ----------
    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    J. D. Lee, Y. Sun and M. A. Saunders, "Proximal Newton-type methods for minimizing composite
    functions", SIAM Journal on Optimization 24 (2014) 1420-1443.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from hplasso import HadamardLogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), HadamardLogisticRegression(C=0.1)).fit(X, y)
    >>> int((model[-1].coef_ != 0).sum())
    8
    >>> print(f"{model.score(X, y):.3f}")
    0.974
    """

    @explain_names
    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 1.0,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | Balanced | None = None,
        random_state: Any = None,
        max_iter: int = 100,
        warm_start: bool = False,
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.random_state = random_state
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.penalty_weights = penalty_weights
        self.verbose = verbose

    @fit_method
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,), default=None
            Class labels of any type; None where `X` is :class:`Batches`.
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
            If a parameter, `X`, `y` or a weight is not what it has to be.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).coef_.shape
        (3, 4)
        """
        return self._fitted(X, y, sample_weight, offset)
