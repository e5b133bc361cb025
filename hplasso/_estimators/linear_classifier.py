"""What every estimator of logistic regression has in common: its data and predictions."""

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from .._design.rows import as_array
from .._design.source import Source
from .._path.progress import PathPoint
from .._solver.hadamard import balance
from .._validation.choices import Balanced
from .._validation.weights import PenaltyWeights
from .bases import ClassifierMixin
from .classification import LogisticData, encode
from .lazily import applied, lazily
from .linear_model import LinearModel, chosen_parameters, fitted_as
from .problem import FitOptions, Problem, without_group_ratio
from .streamed_data import streamed_labels


class LinearClassifier(ClassifierMixin, LinearModel):
    """The base of estimators of logistic regression; abstract, as `LinearModel` is."""

    class_weight: Mapping[Any, float] | Balanced | None
    classes_: NDArray[Any]
    intercept_: NDArray[Any]
    dual_gap_: float
    n_iter_: NDArray[Any]

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        labels = encode(y, X, sample_weight, self.class_weight)
        return LogisticData(X, y, labels, penalty, options)

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        return streamed_labels(source, self.class_weight, penalty, options)

    def _set_attributes(self, problem: Problem, point: PathPoint) -> None:
        """Turn the solution into scikit-learn's attributes."""
        coefs, intercepts = problem.arrays([[point]])
        self.coef_, self.intercept_ = coefs[..., 0], intercepts[:, 0]
        self.mu_, self.nu_ = balance(self.coef_)
        self.dual_gap_ = point.gap

    def _outputs(self, X: Any, offset: Any = None) -> Any:
        """The linear model at some samples, (n, K), with an offset; of two classes it has one."""
        if np.ndim(offset) == 1 and hasattr(self, "classes_") and len(self.classes_) == 2:
            offset = np.reshape(offset, (-1, 1))
        return super()._outputs(X, offset)

    @lazily
    def decision_function(self, X: Any, offset: Any = None) -> Any:
        """Outputs of the linear model: the logarithms of the odds, or one score for each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the logarithm of the odds of ``classes_[1]``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).decision_function(X[:2]).shape
        (2, 3)
        """
        scores = self._outputs(X, offset)
        return scores.ravel() if scores.shape[1] == 1 else scores

    @lazily
    def predict(self, X: Any, offset: Any = None) -> Any:
        """The most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Class labels.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).predict(X[::50])
        array([0, 1, 2])
        """
        scores = applied(self.decision_function, X, offset)
        chosen = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[chosen]

    @lazily
    def predict_proba(self, X: Any, offset: Any = None) -> Any:
        """Probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; each row sums to one.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).predict_proba(X[:1]).round(3)
        array([[0.985, 0.015, 0.   ]])
        """
        scores = applied(self.decision_function, X, offset)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        return softmax(scores, axis=1)

    @lazily
    def predict_log_proba(self, X: Any, offset: Any = None) -> Any:
        """Logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; finite also where a probability vanishes.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).predict_log_proba(X[60:61]).round(1)
        array([[-2.7, -0.1, -6.3]])
        """
        scores = applied(self.decision_function, X, offset)
        if scores.ndim == 1:
            return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
        return log_softmax(scores, axis=1)

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For tools that take scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.LogisticRegression
            As fitted, without penalty weights and groups; cross-validated ones at the C that was
            chosen.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).to_sklearn().classes_
        array([0, 1, 2])
        """
        check_is_fitted(self)
        parameters = without_group_ratio(chosen_parameters(self)) | {"solver": "saga"}
        default = inspect.signature(LogisticRegression).parameters["penalty"].default
        if default != "deprecated":  # before scikit-learn 1.8
            parameters["penalty"] = "elasticnet"
        return fitted_as(LogisticRegression, parameters, self)

    def sparsify(self) -> Self:
        """Turn `coef_` into a sparse matrix, for smaller models and faster predictions.

        Returns
        -------
        self : object
            The fitted estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> HadamardLogisticRegression(C=0.5).fit(X, y).sparsify().coef_.nnz
        3
        """
        check_is_fitted(self)
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Turn `coef_` into an array, as `fit` left it.

        Returns
        -------
        self : object
            The fitted estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> model = HadamardLogisticRegression(C=0.5).fit(X, y).sparsify()
        >>> type(model.densify().coef_).__name__
        'ndarray'
        """
        check_is_fitted(self)
        self.coef_ = as_array(self.coef_)
        return self
