"""Logistic regression behind estimators and path functions: checked data, and their problem."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._design.factory import as_array
from .._numerics.typing import Float64
from .._validation.parameters import MAPPING, NONE, Constraints, checked_array, one_of
from .._validation.weights import PenaltyWeights
from .classification import Classification, Labels
from .options import FIT_CONSTRAINTS, FitOptions
from .problem import Problem

LOGISTIC_CONSTRAINTS: Constraints = {
    **FIT_CONSTRAINTS,
    "class_weight": (MAPPING, one_of("balanced"), NONE),
}
# Training data, in the words of scikit-learn's checks.
ACCEPTED: dict[str, Any] = {
    "accept_sparse": ["csc", "csr"],
    "dtype": [np.float64, np.float32],
    "ensure_all_finite": False,  # the design looks
}


class LogisticData(NamedTuple):
    """X (n, p), y (n,), its classes with weights, penalty weights, and the options of the fit."""

    X: Any
    y: Any
    labels: Labels
    penalty: PenaltyWeights
    options: FitOptions

    def classification(self) -> Classification:
        """Logistic regression on the design, which this makes."""
        return Classification(
            self.X, self.labels, self.options.fit_intercept, self.penalty.left_out
        )

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        return self.problem_of(self.classification())

    def problem_of(self, classification: Classification) -> Problem:
        """The problem on a design that has been made."""
        return Problem(classification, self.options, self.penalty.weights, self.X.dtype)

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (1, p) or (K, p)."""
        values = as_array(coefficients)
        shape: tuple[int, ...] = (self.labels.n_rows, self.X.shape[1])
        if shape[0] == 1 and np.ndim(values) == 1:
            shape = shape[1:]
        return np.atleast_2d(checked_array(values, shape, name))
