"""Which features are admitted to the working set: those that reach, or are going to reach, far."""

from __future__ import annotations

import numpy as np

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._design.working_set import WorkingSet
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import feasible_alpha
from .certification import Certifier
from .predictor import Predictor
from .settings import PathSettings

# The least number of violators admitted at a time, if there are as many.
MIN_ADMITTED = 20
# What a correlation may come to lack of its penalty, as a part of the way to the next alpha; more
# where conjugate gradients solve, to which another feature is cheap, and another round is not.
NEAR, NEAR_MATRIX_FREE = 0.1, 0.75


class Screening:
    """Judges features by their correlations at a place of the path."""

    def __init__(
        self, working_set: WorkingSet, certifier: Certifier, settings: PathSettings
    ) -> None:
        self.working_set, self.certifier = working_set, certifier
        self.positive = settings.positive
        weights = settings.penalty_weights
        self.weights = None if (weights == 1.0).all() else weights

    def feasible_alpha(
        self, z: Float64, rounding: CorrelationRounding, features: Index | slice = ALL
    ) -> Float64:
        """The smallest alpha that each of some features is feasible at, given z of all."""
        rounding_error = self.certifier.rounding_error(rounding, features)
        weights = None if self.weights is None else self.weights[features]
        return feasible_alpha(z[features], rounding_error, weights, self.positive)

    def limit(self, alpha: float) -> Float64 | float:
        """What correlations may come to at alpha: one number for all features, or one for each."""
        return alpha if self.weights is None else alpha * self.weights

    def abs_correlation(self, z: Float64) -> Float64:
        """|z|, or z if positive."""
        return z if self.positive else np.abs(z)

    def number_beyond(self, iterate: Iterate, limit: float) -> int:
        """How many features reach beyond `limit`, those of the working set among them."""
        return int(np.count_nonzero(self.feasible_alpha(iterate.z, iterate.rounding) > limit))

    def violators(self, iterate: Iterate, limit: float) -> Index:
        """Features outside the working set that reach beyond `limit`.

        If they are more than the support has already, those that reach furthest.
        """
        limit = max(limit, 0.0)
        features = self._wanting(iterate.z, limit)
        beyond = features[self.feasible_alpha(iterate.z, iterate.rounding, features) > limit]
        return self._largest(iterate, beyond)

    def predicted_entrants(
        self, iterate: Iterate, predictor: Predictor, alpha: float, matrix_free: bool
    ) -> Index:
        """Features that may be needed at `alpha`, the next one.

        Those that come near where correlations go on as before. Where there is no before, those
        that the sequential strong rule admits, |z_j| >= w_j (2 alpha - alpha_old).
        """
        if not predictor.can_predict(alpha):
            return self.violators(iterate, 2.0 * alpha - iterate.feasible_alpha)
        near = alpha - (NEAR_MATRIX_FREE if matrix_free else NEAR) * max(
            0.0, predictor.alpha - alpha
        )
        return self._largest(iterate, self._wanting(predictor.correlations(alpha), near))

    def _wanting(self, z: Float64, alpha: float) -> Index:
        """Features outside the working set whose correlations are too large at alpha."""
        features = (self.abs_correlation(z) > self.limit(alpha)).nonzero()[0]
        return features[self.working_set.position[features] < 0]

    def _largest(self, iterate: Iterate, features: Index) -> Index:
        """Those that reach furthest, if they are more than the support has already."""
        room = max(MIN_ADMITTED, iterate.support.size)
        if features.size <= room:
            return features
        reaching = self.feasible_alpha(iterate.z, iterate.rounding, features)
        return features[np.argpartition(-reaching, room)[:room]]
