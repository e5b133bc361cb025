"""Screening: which features enter the working set, by their correlations at an iterate.

Before a penalty is solved these are the predicted entrants: features whose correlations come near
their limit if they go on as between the last two solved points; or, at the first penalty, those
that the sequential strong rule does not rule out. Afterwards they are the violators of optimality.

References
----------
R. Tibshirani et al., Strong rules for discarding predictors in lasso-type problems, Journal of the
Royal Statistical Society B 74 (2012) 245-266.
"""

import numpy as np

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._numerics.typing import NOBODY, Float64, Index
from .predictor import Predictor
from .problem import PathProblem

# The least number of violators admitted at a time, if there are as many. Fewer keep the Gram matrix
# small, more save rounds, each of which may read X (constants.py). Of a sparse X also as many as
# would have half as many numbers together as there are samples, if they are as dense as those that
# have come before: cold fits to counts of 20,000 x 50,000 take .8 of the time, and to text at weak
# penalties .7 to 1.1. Frequent words are dense: taken to be as dense as X, a fit to text took 1.15
# times as long.
MIN_ADMITTED = 20
# What a predicted correlation may lack of its limit, as a part of the way to the next alpha. More
# admits features in vain, less leaves violators to another round. Where conjugate gradients solve,
# a feature more costs little and a round more costs much (constants.py).
NEAR, NEAR_MATRIX_FREE = 0.1, 0.75


def feasible_alphas(
    problem: PathProblem, iterate: Iterate, features: Index | slice = ALL
) -> Float64:
    """The smallest alpha at which each of some features is feasible."""
    errors = iterate.rounding.of(problem.design.rounding, features)
    return problem.penalty.feasible_alpha(iterate.z[features], errors, features)


def number_above(problem: PathProblem, iterate: Iterate, alpha: float) -> int:
    """How many features are not feasible at an alpha, those of the working set among them."""
    return int(np.count_nonzero(feasible_alphas(problem, iterate) > alpha))


def violators(problem: PathProblem, iterate: Iterate, alpha: float) -> Index:
    """The violators at an alpha that are outside the working set.

    If they are more than the support has already, the largest of them.
    """
    if problem.working_set.whole:
        return NOBODY
    alpha = max(alpha, 0.0)
    features = _above_limit(problem, iterate.z, alpha)
    beyond = features[feasible_alphas(problem, iterate, features) > alpha]
    return _largest(problem, iterate, beyond)


def predicted_entrants(
    problem: PathProblem, iterate: Iterate, predictor: Predictor, alpha: float, matrix_free: bool
) -> Index:
    """Features that may be needed at `alpha`, the next one.

    Without two solved points, those that the sequential strong rule admits:
    |z_j| >= w_j (2 alpha - alpha_old).
    """
    if problem.working_set.whole:
        return NOBODY
    if not predictor.can_predict(alpha):
        return violators(problem, iterate, 2.0 * alpha - iterate.feasible_alpha)
    part = NEAR_MATRIX_FREE if matrix_free else NEAR
    near = alpha - part * max(0.0, predictor.alpha - alpha)
    features = _above_limit(problem, predictor.correlations(alpha), near)
    return _largest(problem, iterate, features)


def _above_limit(problem: PathProblem, z: Float64, alpha: float) -> Index:
    """Features outside the working set whose correlations z exceed their limit at an alpha."""
    penalty = problem.penalty
    features = (penalty.abs_correlation(z) > penalty.limit(alpha)).nonzero()[0]
    return features[problem.working_set.position[features] < 0]


def _largest(problem: PathProblem, iterate: Iterate, features: Index) -> Index:
    """Those of the largest feasible alpha, if they are more than the support has already."""
    density = max(problem.working_set.columns.density, 1.0 / problem.design.shape[1])
    room = max(MIN_ADMITTED, int(0.5 / density), iterate.support.size)
    if features.size <= room:
        return features
    alphas = feasible_alphas(problem, iterate, features)
    return features[np.argpartition(-alphas, room)[:room]]
