"""Relaxed fits at a given penalty."""

from typing import Any, Self

from .._estimators.fit_method import Task, fit_method
from .._validation.arrays import check_one_target
from .._validation.parameters import RELAXED_CONSTRAINTS, check_parameters, explain_names
from .relaxed_model import RelaxedModel
from .single_penalty import checked_estimator


class HadamardRelaxed(RelaxedModel):
    r"""A fit with an L1 penalty, relaxed: mixed with the fit without penalty on its support.

    An L1 penalty selects features, and shrinks the coefficients of those that it selects. The
    *relaxed* fit takes the shrinkage back, in part or altogether,

    .. math::

        \theta = \gamma \, \theta^{\text{penalised}} + (1 - \gamma) \, \theta^{\text{refitted}} ,

    and the intercept alike. The refit minimises the same loss without any penalty on the features
    whose penalised coefficients are not zero.

    Parameters
    ----------
    estimator : estimator of this package with a single penalty, default=None
        Such as :class:`HadamardElasticNet`, :class:`HadamardLogisticRegression` or
        :class:`HadamardPoissonRegressor`; None is ``HadamardLasso()``.
    gamma : float, default=0.0
        Weight of the penalised fit, in [0, 1]: 1 is that fit itself, 0 the refit.

    Attributes
    ----------
    estimator_ : estimator
        A fitted estimator of the same class, with the relaxed coefficients. It has no duality gap,
        because a mixture is not the solution of a problem.
    coef_ : ndarray of shape (n_features,), (1, n_features) or (n_classes, n_features)
        The relaxed coefficients.
    intercept_ : float or ndarray of shape (1,) or (n_classes,)
        The relaxed intercept.
    coef_penalised_, intercept_penalised_ : ndarrays of these shapes
        Those of the penalised fit.
    coef_refitted_, intercept_refitted_ : ndarrays of these shapes
        Those of the fit without penalty.
    refit_exists_ : bool
        Whether there is a fit without penalty. If not, all are those of the penalised fit.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted; of classifiers only.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    HadamardRelaxedCV : The penalty and gamma chosen by cross-validation.
    HadamardLasso : The default estimator.

    Notes
    -----
    *Which features.* With three or more classes a feature takes part in the refit for all classes
    if its penalised coefficient is not zero for any; of the refits with the same probabilities it
    is that whose coefficients have a mean of zero over the classes. ``positive=True`` holds for the
    refit as well.

    *Where there is no refit.* A ``ConvergenceWarning`` gives the reason, and the coefficients are
    those of the penalised fit, which always exists.

    - Columns of the support depend on each other, so that many refits are alike. The supports of
      the lasso have no such columns, except by chance, and no more features than samples. With a
      ridge part of the penalty there may be equal columns, and any number of features.
    - A plane separates the classes on the support, and coefficients grow without end: less than
      0.001 of the loss without features is left then, or the fit without penalty does not converge.
      Where a plane separates some of the samples only, it may end with very large coefficients.

    With about as many features as samples the refit goes through the samples, as least squares
    does; glmnet relaxes supports of up to three features less than there are samples.

    This is the relaxed fit of glmnet (Hastie, Tibshirani and Tibshirani 2020). The relaxed lasso of
    Meinshausen (2007) has a smaller penalty in place of none, on the same support; with orthogonal
    columns the two are the same.

    References
    ----------
    N. Meinshausen, "Relaxed lasso", Computational Statistics & Data Analysis 52 (2007) 374-393.

    T. Hastie, R. Tibshirani and R. J. Tibshirani, "Best subset, forward stepwise or lasso? Analysis
    and recommendations based on extensive comparisons", Statistical Science 35 (2020) 579-592.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardLasso, HadamardRelaxed
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardRelaxed(HadamardLasso(alpha=0.8)).fit(X, y)
    >>> list(model.feature_names_in_[model.coef_ != 0])
    ['bmi', 'bp', 's5']
    >>> model.coef_penalised_[model.coef_ != 0].round()
    array([415.,  58., 355.])
    >>> model.coef_[model.coef_ != 0].round()
    array([603., 262., 544.])
    """

    @explain_names
    def __init__(self, estimator: Any = None, *, gamma: float = 0.0) -> None:
        self.estimator = estimator
        self.gamma = gamma

    @fit_method
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the estimator, and relax the fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,), default=None
            Target values, or class labels, as the estimator takes them; not None.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for both fits.
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
            If there is no fit without penalty, or the gap asked for was not reached.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, HadamardRelaxed
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = HadamardRelaxed(HadamardLasso(alpha=0.8)).fit(X, y)
        >>> model.coef_.nonzero()[0]
        array([2, 3, 8])
        """
        name = type(self).__name__
        check_parameters(name, {"gamma": self.gamma}, RELAXED_CONSTRAINTS)
        model = checked_estimator(self)
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputRegressor({name}())")
        with Task.of_fit(self):
            self._relax(model, float(self.gamma), X, y, sample_weight, offset)
        return self
