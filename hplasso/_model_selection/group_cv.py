"""Cross-validated least squares with a penalty on groups."""

from typing import Any, Self

import numpy as np

from .._estimators.fit_method import fit_method
from .._estimators.group_estimator import GroupRegressor, balanced_groups
from .._estimators.group_regression import GroupData
from .._estimators.problem import FitOptions
from .._validation.parameters import CONSTRAINTS, SELECTION_CONSTRAINTS, Constraints
from .least_squares_cv import LeastSquaresCV

# Of groups the share of the L1 penalty is one number.
OF_GROUPS: Constraints = {**SELECTION_CONSTRAINTS, "l1_ratio": CONSTRAINTS["l1_ratio"]}
# What is known of groups, if they are not those of the targets.
GROUPS = ("groups_", "group_labels_")


class GroupCV(GroupRegressor, LeastSquaresCV):
    """What cross-validated estimators with a penalty on groups have in common; abstract."""

    _constraints = OF_GROUPS
    _positive_alphas = True
    # Of what estimators of single coefficients have.
    early_stop = False

    @fit_method
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
        """Choose alpha by cross-validation, and fit the model with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Target values; None where `X` is :class:`Batches`. The multi-task lasso takes no single
            target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits and for the mean squared error of each fold. The mean over
            the folds is not weighted.
        offset : array-like of the shape of y, default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.
        **params : dict
            Parameters for the `split` method of `cv`; only if scikit-learn's metadata routing is
            enabled.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y`, a group or a weight is not what it has to be, or a fold is
            empty.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.

        Examples
        --------
        >>> from sklearn.datasets import load_linnerud
        >>> from hplasso import HadamardMultiTaskLassoCV
        >>> X, Y = load_linnerud(return_X_y=True)
        >>> HadamardMultiTaskLassoCV(alphas=[500.0, 200.0, 50.0]).fit(X, Y).alpha_
        200.0
        """
        return self._fitted(X, y, sample_weight, offset, params)

    def at(self, alpha: float) -> Any:
        """The model at another alpha of the grid, from the path on all samples.

        Parameters
        ----------
        alpha : float
            One of `alphas_`, such as `alpha_1se_`.

        Returns
        -------
        model : object
            The estimator at a single alpha, such as HadamardGroupLasso, fitted, with the parameters
            of this one.

        Raises
        ------
        ValueError
            If `alpha` is not on the grid.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardGroupLassoCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = HadamardGroupLassoCV(groups=[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]).fit(X, y)
        >>> simple = model.at(model.alphas_[20])
        >>> len(model.mu_.nonzero()[0]), len(simple.mu_.nonzero()[0])
        (3, 2)
        """
        model = super().at(alpha)
        known = {name: value for name, value in vars(self).items() if name in GROUPS}
        vars(model).update(known)
        groups = known.get("groups_", np.arange(self.n_features_in_))
        model.mu_, model.nu_ = balanced_groups(model.coef_, groups)
        return model

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, options: FitOptions
    ) -> GroupData:
        grouped: GroupData = self._validated(X, y, sample_weight, offset, options)
        return grouped
