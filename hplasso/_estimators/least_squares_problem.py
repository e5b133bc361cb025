"""Least squares behind estimators and path functions: checked data, and their problem."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from .._numerics.typing import Float64
from .._validation.parameters import (
    ARRAY,
    BOOLEAN,
    RANDOM_STATE,
    Constraints,
    checked_array,
    one_of,
)
from .._validation.weights import PenaltyWeights, normalised_weights
from .options import FIT_CONSTRAINTS, FitOptions
from .problem import Problem
from .regression import Regression, regression_of

LEAST_SQUARES_CONSTRAINTS: Constraints = {
    "precompute": (BOOLEAN, one_of("auto"), ARRAY),
    "copy_X": (BOOLEAN,),
    "positive": (BOOLEAN,),
    **FIT_CONSTRAINTS,
    "random_state": (RANDOM_STATE,),
    "selection": (one_of("cyclic", "random"),),
}
# Training data, in the words of scikit-learn's checks.
ACCEPTED: dict[str, Any] = {
    "accept_sparse": ["csc", "csr"],
    "dtype": [np.float64, np.float32],
    "y_numeric": True,
    "ensure_all_finite": False,  # the design looks
}


class LeastSquaresData(NamedTuple):
    """X (n, p), targets (n, T), weights (n,), the penalty weights, and the options of the fit.

    The weights sum to one. `flat` says whether y had one dimension. `precompute` is True, False,
    'auto' or a Gram matrix (p, p); `Xy` (p, T) goes with that.
    """

    X: Any
    targets: Float64
    weights: Float64
    penalty: PenaltyWeights
    options: FitOptions
    flat: bool = True
    precompute: bool | str | Float64 = "auto"
    Xy: Float64 | None = None

    def problem(self, n_solutions: int) -> Problem:
        """The problem; of each target, `n_solutions` are to come."""
        X, Y, weights, penalty, options, _, precompute, Xy = self
        regression = regression_of(
            X, Y, weights, options.fit_intercept, precompute, n_solutions, Xy, penalty.left_out
        )
        return self.problem_of(regression)

    def problem_of(self, regression: Regression) -> Problem:
        """The problem on a design that has been made."""
        return Problem(regression, self.options, self.penalty.weights, self.X.dtype)

    def with_gram(self, precompute: Any, Xy: Any = None) -> LeastSquaresData:
        """The same, with what the user says of the Gram matrix, which is checked."""
        n_features, n_targets = self.X.shape[1], self.targets.shape[1]
        if Xy is not None:
            shape = (n_features,) if np.ndim(Xy) == 1 else (n_features, n_targets)
            Xy = _as_columns(checked_array(Xy, shape, "Xy"))
        if not isinstance(precompute, str):
            scalar = np.ndim(precompute) == 0
            shape = (n_features, n_features)
            precompute = (
                bool(precompute) if scalar else checked_array(precompute, shape, "precompute")
            )
        return self._replace(precompute=precompute, Xy=Xy)


def least_squares_data(
    X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
) -> LeastSquaresData:
    """The data of a problem, from X and y that have been validated, and sample weights.

    Raises
    ------
    ValueError
        If the sample weights, or y, are not what they have to be.
    """
    targets = _as_columns(y)
    weights = normalised_weights(sample_weight, X)
    return LeastSquaresData(X, targets, weights, penalty, options, np.ndim(y) == 1)


def _as_columns(y: Any) -> Float64:
    """A validated y as float64 of shape (n_samples, n_targets)."""
    if not isinstance(y, np.ndarray):  # a sparse matrix: this says so
        check_array(y, ensure_2d=False, input_name="y")
    y = np.asarray(y, dtype=np.float64)
    return y[:, None] if y.ndim == 1 else y
