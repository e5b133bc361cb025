"""What estimators of relaxed fits have in common: the fit at one penalty, and what is handed on."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._estimators.bases import BaseEstimator, CallbackSupportMixin, MetaEstimatorMixin
from .._estimators.lazily import applied
from .._estimators.linear_model import options_of
from .._estimators.problem import forget_certificate
from .._numerics.error_state import Function
from .._numerics.threads import threads_for_data
from .._path.progress import warn
from .._solver.hadamard import balance
from .relaxation import LinearModels, Refit, on_features, refitted
from .single_penalty import data_of, estimator_of


def _if_estimator_has(name: str) -> Callable[[Function], Function]:
    """Make a method one that is there if the estimator has one of this name."""

    def check(owner: Any) -> bool:
        getattr(estimator_of(owner), name)  # an AttributeError says that it has not
        return True

    return cast(Callable[[Function], Function], available_if(check))


class RelaxedModel(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator, ABC):
    """The base of both; abstract, as it leaves the parameters to them."""

    estimator: Any
    estimator_: Any
    coef_: NDArray[Any]
    intercept_: Any
    coef_penalised_: NDArray[Any]
    intercept_penalised_: Any
    coef_refitted_: NDArray[Any]
    intercept_refitted_: Any
    refit_exists_: bool
    classes_: NDArray[Any]

    @abstractmethod
    def __init__(self) -> None: ...

    def _relax(
        self, model: Any, gamma: float, X: Any, y: Any, sample_weight: Any, offset: Any
    ) -> None:
        """Fit a model and relax it: set the attributes of both fits, and of their mixture."""
        data = data_of(self, model, options_of(model), X, y, sample_weight).with_offset(offset)
        applied(model.fit, X, offset, y=y, sample_weight=sample_weight)
        coefs = np.atleast_2d(model.coef_)
        features = np.flatnonzero(coefs.any(axis=0))
        penalised = LinearModels(coefs[:, features, None], np.atleast_1d(model.intercept_)[:, None])
        refit, outcome = penalised, Refit.EXISTS
        if features.size:
            with threads_for_data(data.X.size):
                problem = on_features(data, features).problem(1)
                refit, (outcome,) = refitted(problem, penalised)
        if outcome is not Refit.EXISTS and gamma < 1.0:
            warn(
                f"There is no fit without penalty to relax to: {outcome.value}. The coefficients "
                "are those of the penalised fit, as with gamma=1. A stronger penalty has a smaller "
                "support.",
                ConvergenceWarning,
            )
        self.refit_exists_ = outcome is Refit.EXISTS
        self.coef_penalised_, self.intercept_penalised_ = model.coef_, model.intercept_
        self.coef_refitted_, self.intercept_refitted_ = _as_fitted(model, features, refit)
        mixture = penalised.mixed(refit, gamma)
        self._set_model(model, *_as_fitted(model, features, mixture))

    def _set_model(self, model: Any, coef: Any, intercept: Any) -> None:
        """Take a model with other coefficients, of which nothing is certified."""
        forget_certificate(model)
        model.coef_, model.intercept_ = coef, intercept
        model.mu_, model.nu_ = balance(coef)
        self.estimator_, self.coef_, self.intercept_ = model, coef, intercept
        self.__dict__.pop("classes_", None)  # of a fit before
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_

    @property
    def penalty(self) -> str:
        """The kind of penalty, by which ``SelectFromModel`` keeps all coefficients but zeros."""
        return str(estimator_of(self).penalty)

    def predict(self, X: Any, offset: Any = None) -> Any:
        """Predict with `estimator_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of the shape of the linear model, default=None
            What is added to the linear model of each sample, zero by default.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted values, or class labels.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, HadamardRelaxed
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardRelaxed(HadamardLasso(alpha=0.8)).fit(X, y).predict(X[:2]).round(1)
        array([205.9,  77. ])
        """
        check_is_fitted(self)
        return applied(self.estimator_.predict, X, offset)

    @_if_estimator_has("predict_proba")
    def predict_proba(self, X: Any, offset: Any = None) -> Any:
        """Probabilities of the classes; of classifiers only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of the shape of the linear model, default=None
            What is added to the linear model of each sample, zero by default.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.preprocessing import scale
        >>> from hplasso import HadamardLogisticRegression, HadamardRelaxed
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> X = scale(X)
        >>> model = HadamardRelaxed(HadamardLogisticRegression(C=0.01)).fit(X, y)
        >>> model.predict_proba(X[:1]).round(3)
        array([[1., 0.]])
        """
        check_is_fitted(self)
        return applied(self.estimator_.predict_proba, X, offset)

    @_if_estimator_has("predict_log_proba")
    def predict_log_proba(self, X: Any, offset: Any = None) -> Any:
        """Logarithms of the probabilities of the classes; of classifiers only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of the shape of the linear model, default=None
            What is added to the linear model of each sample, zero by default.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.preprocessing import scale
        >>> from hplasso import HadamardLogisticRegression, HadamardRelaxed
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> X = scale(X)
        >>> model = HadamardRelaxed(HadamardLogisticRegression(C=0.01)).fit(X, y)
        >>> model.predict_log_proba(X[3:4]).round(1)
        array([[-0. , -4.2]])
        """
        check_is_fitted(self)
        return applied(self.estimator_.predict_log_proba, X, offset)

    @_if_estimator_has("decision_function")
    def decision_function(self, X: Any, offset: Any = None) -> Any:
        """Outputs of the linear model; of classifiers only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of the shape of the linear model, default=None
            What is added to the linear model of each sample, zero by default.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the logarithm of the odds of ``classes_[1]``.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.preprocessing import scale
        >>> from hplasso import HadamardLogisticRegression, HadamardRelaxed
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> X = scale(X)
        >>> model = HadamardRelaxed(HadamardLogisticRegression(C=0.01)).fit(X, y)
        >>> model.decision_function(X[:2]).round(1)
        array([-14.7, -10.7])
        """
        check_is_fitted(self)
        return applied(self.estimator_.decision_function, X, offset)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> float:
        """The score of `estimator_`: R^2, the accuracy, or D^2.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Samples.
        y : array-like of shape (n_samples,), default=None
            Target values, or class labels; None where `X` is :class:`Batches`.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like of the shape of the linear model, default=None
            What is added to the linear model of each sample, zero by default.

        Returns
        -------
        score : float
            The score; the larger, the better.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, HadamardRelaxed
        >>> X, y = load_diabetes(return_X_y=True)
        >>> round(HadamardRelaxed(HadamardLasso(alpha=0.8)).fit(X, y).score(X, y), 2)
        0.48
        """
        check_is_fitted(self)
        score = self.estimator_.score
        return float(applied(score, X, offset, y=y, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = get_tags(estimator_of(self))
        tags.target_tags.multi_output = False
        return tags


def _as_fitted(model: Any, features: Any, models: LinearModels) -> tuple[Any, Any]:
    """Coefficients of the features, and the intercept, in the shapes that the model has."""
    coef, intercepts = np.zeros_like(model.coef_), models.intercepts[:, 0]
    coef[..., features] = models.coefs[..., 0].reshape(*coef.shape[:-1], features.size)
    return coef, intercepts.copy() if np.ndim(model.intercept_) else intercepts[0]
