"""What estimators of logistic regression at a single C have in common: the fit, and the score."""

from typing import Any, Self

import numpy as np
from sklearn.metrics import accuracy_score

from .._design.sources import source_of
from .._numerics.threads import threads_for_data
from .._path.progress import PathPoint
from .._validation.arrays import check_one_target
from .block_scores import block_accuracy
from .fit_method import Task
from .lazily import applied
from .linear_classifier import LinearClassifier
from .linear_model import options_of
from .problem import Problem


class LogisticEstimator(LinearClassifier):
    """Logistic regression at a single C; abstract, as `LinearModel` is."""

    C: float

    def _fitted(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Self:
        """Fit to data that have not been checked."""
        data = self._checked(X, y, sample_weight, offset)
        start = self._last_coefficients(data)
        with Task.of_fit(self), threads_for_data(data.X.size):
            problem = data.problem()
            point = problem.solve(self.C, start=start, listener=problem.printer())
        problem.warn_not_converged([point])
        self._set_solution(problem, data, [point])
        self._count_passes(data)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Any:
        """The data of the problem, from parameters and arguments of `fit` that are checked."""
        options, name = options_of(self), type(self).__name__
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputClassifier({name}())")
        return self._validated(X, y, sample_weight, offset, options)

    def _set_solution(self, problem: Problem, data: Any, points: list[PathPoint]) -> None:
        """Be fitted: at the only one of the solutions of the problem."""
        self.classes_ = data.labels.classes
        self._set_attributes(problem, points[0])
        self.n_iter_ = np.array([points[0].sweeps], dtype=np.int32)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> float:
        """The accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Samples.
        y : array-like of shape (n_samples,), default=None
            True labels; None where `X` is :class:`Batches`.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        score : float
            :func:`sklearn.metrics.accuracy_score` of the predictions.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from hplasso import HadamardLogisticRegression
        >>> X, y = load_iris(return_X_y=True)
        >>> round(HadamardLogisticRegression(C=0.5).fit(X, y).score(X, y), 2)
        0.97
        """
        source = source_of(X, y, sample_weight, offset)
        if source is not None:
            return block_accuracy(self, source)
        labels = applied(self.predict, X, offset)
        return float(accuracy_score(y, labels, sample_weight=sample_weight))
