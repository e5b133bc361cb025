"""The multi-task lasso, as the user sees it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.linear_model import MultiTaskLasso
from sklearn.utils.validation import check_is_fitted

from .._penalties.group import GroupPenalty
from .._validation.choices import Selection, Solver
from .._validation.parameters import explain_names
from .fit_method import fit_method
from .group_estimator import GroupEstimator, GroupRegressor
from .group_lasso import group_path
from .group_regression import GroupData
from .linear_model import chosen_parameters, fitted_as
from .regression import LeastSquaresData


class TaskGroups(GroupRegressor):
    """What estimators have in common that group the coefficients of each feature; abstract."""

    path = staticmethod(group_path)

    @property
    def _penalty_words(self) -> str:
        return "norms of the coefficients of each feature"

    def _grouped(self, data: LeastSquaresData) -> GroupData:
        if data.flat:
            single = type(self).__name__.replace("MultiTask", "")
            raise ValueError(f"For mono-task outputs, use {single}")
        weights = data.penalty.weights
        return GroupData(data, GroupPenalty(np.arange(weights.size), weights), None)

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For tools that take scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.MultiTaskLasso
            As fitted, without penalty weights and `solver`; a cross-validated one at the alpha
            that was chosen.

        Examples
        --------
        >>> from sklearn.datasets import load_linnerud
        >>> from hplasso import HadamardMultiTaskLasso
        >>> X, Y = load_linnerud(return_X_y=True)
        >>> HadamardMultiTaskLasso(alpha=20.0).fit(X, Y).to_sklearn()
        MultiTaskLasso(alpha=20.0)
        """
        check_is_fitted(self)
        return fitted_as(MultiTaskLasso, chosen_parameters(self), self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        return tags


class HadamardMultiTaskLasso(TaskGroups, GroupEstimator):
    r"""Linear model of several targets, with each feature in or out for all of them.

    A drop-in replacement of :class:`sklearn.linear_model.MultiTaskLasso`. For n samples and targets
    Y, the coefficients :math:`\Theta` and the intercepts b minimise

    .. math::

        \frac{1}{2n} \|Y - 1 b^\top - X \Theta\|_F^2 + \alpha \sum_j w_j \|\Theta_j\|_2

    where :math:`\Theta_j` are the coefficients of a feature for all targets, and w the penalty
    weights; or the same with sample weights, as in :class:`HadamardLasso`.

    The coefficients of a feature are written as a product of a number and a vector,
    :math:`\Theta_j = m_j v_j`, which turns their norm into ridge penalties on both. A sweep updates
    all vectors in closed form while the numbers are held, by one ridge regression for all targets,
    then the numbers. Every fit starts with a sweep, unless its solution is zero. Newton's method on
    the features that it shows follows, and is accepted if the objective goes down. The result is
    certified by a duality gap.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty, not negative.
    fit_intercept : bool, default=True
        Whether to fit intercepts, which are not penalised. If not, the data are expected to be
        centred.
    copy_X : bool, default=True
        Without effect, because `X` is never changed. For compatibility.
    max_iter : int, default=1000
        Largest number of sweeps.
    tol : float, default=1e-4
        Largest duality gap, relative to ``||Y - mean(Y)||^2 / n_samples`` (weighted); to
        ``||Y||^2 / n_samples`` without an intercept.
    warm_start : bool, default=False
        Whether to start from the coefficients of the last fit.
    random_state : int, RandomState instance or None, default=None
        Without effect, because nothing is random. For compatibility.
    selection : {'cyclic', 'random'}, default='cyclic'
        Without effect, because coordinates are not updated one by one. For compatibility.
    solver : {'auto', 'alternating'}, default='auto'
        As in :class:`HadamardGroupLasso`.
    penalty_weights : array-like of shape (n_features,) or dict, default=None
        Penalty weights w, not negative, all one by default. A feature of weight zero is not
        penalised, one of weight inf is left out. A dict or a pandas.Series with names is matched by
        the names of the features; those that it does not have get weight one.
    verbose : bool or int, default=0
        1 prints a line for each fit on standard error, 2 one for each iteration as well.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
        Coefficients, of `X`'s dtype.
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercepts; 0.0 without `fit_intercept`.
    mu_ : ndarray of shape (n_features,)
        The number m of each feature: the square root of the norm of its coefficients.
    nu_ : ndarray of shape (n_targets, n_features)
        The vectors v: ``mu_ * nu_ == coef_`` to rounding.
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
    HadamardMultiTaskLassoCV : The same with alpha chosen by cross-validation.
    HadamardGroupLasso : For groups of features.
    group_path : Solutions for a sequence of alphas: with several targets and ``groups=None``.
    HadamardLasso : Takes several targets, too, and fits them one by one.
    sklearn.linear_model.MultiTaskLasso : The same problem, by coordinate descent.

    References
    ----------
    G. Obozinski, B. Taskar and M. I. Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Statistics and Computing 20 (2010) 231-252.

    P. D. Hoff, "Lasso, fractional norm and structured sparse estimation using a Hadamard product
    parametrization", Computational Statistics & Data Analysis 115 (2017) 186-198.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from hplasso import HadamardMultiTaskLasso
    >>> X, Y = load_linnerud(return_X_y=True)
    >>> model = HadamardMultiTaskLasso(alpha=20.0).fit(X, Y)
    >>> model.coef_.shape
    (3, 3)
    >>> model.coef_.any(axis=0)
    array([False,  True,  True])
    """

    @explain_names
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        random_state: Any = None,
        selection: Selection = "cyclic",
        solver: Solver = "auto",
        penalty_weights: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection
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
        y : array-like of shape (n_samples, n_targets), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        offset : array-like of shape (n_samples, n_targets), default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.

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
        >>> from sklearn.datasets import load_linnerud
        >>> from hplasso import HadamardMultiTaskLasso
        >>> X, Y = load_linnerud(return_X_y=True)
        >>> HadamardMultiTaskLasso(alpha=20.0).fit(X, Y).intercept_.round(1)
        array([206.8,  40.3,  52.2])
        """
        return self._fitted(X, y, sample_weight, offset)
