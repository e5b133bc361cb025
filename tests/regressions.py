"""Least squares on a design, for tests of what is below the estimators."""

from hplasso._estimators.problem import FitOptions
from hplasso._estimators.regression import LeastSquaresData
from hplasso._validation.weights import checked_penalty_weights


def regression_of(X, Y, weights, fit_intercept, precompute, n_alphas):
    """That of X (n, p) and Y (n, T), under weights that sum to one, for so many solutions."""
    penalty, options = checked_penalty_weights(None, X.shape[1]), FitOptions(1.0, fit_intercept)
    data = LeastSquaresData(X, Y, weights, penalty, options, precompute=precompute)
    return data.problem(n_alphas).unpenalised
