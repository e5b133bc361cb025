"""Which features are admitted to the working set: those that reach, or are going to reach, far."""

from __future__ import annotations

import numpy as np

from .._datafit.iterate import Observation
from .._design.correlations import ALL
from .._design.working_set import WorkingSet
from .._numerics.rounding import Noise
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import reach
from .certification import Appraisal
from .predictor import Knots
from .settings import PathSettings

# The least number of violators admitted at a time, if there are as many.
MIN_ADMITTED = 20
# What a correlation may come to lack of its penalty, as a part of the way to the next alpha; more
# where conjugate gradients solve, to which another feature is cheap, and another round is not.
NEAR, NEAR_LEAN = 0.1, 0.75


class Admission:
    """Judges features by their correlations at a place of the path."""

    def __init__(
        self, working_set: WorkingSet, appraisal: Appraisal, settings: PathSettings
    ) -> None:
        self.working_set, self.appraisal = working_set, appraisal
        self.positive = settings.positive
        weights = settings.penalty_weights
        self.weights = None if (weights == 1.0).all() else weights

    def reach(self, z: Float64, noise: Noise, features: Index | slice = ALL) -> Float64:
        """The smallest alpha that each of some features is feasible at, given z of all."""
        slack = self.appraisal.slack(noise, features)
        weights = None if self.weights is None else self.weights[features]
        return reach(z[features], slack, weights, self.positive)

    def bound(self, alpha: float) -> Float64 | float:
        """What correlations may come to at alpha: one number for all features, or one for each."""
        return alpha if self.weights is None else alpha * self.weights

    def pull(self, z: Float64) -> Float64:
        """|z|, or z if positive."""
        return z if self.positive else np.abs(z)

    def number_beyond(self, place: Observation, bound: float) -> int:
        """How many features reach beyond `bound`, those of the working set among them."""
        return int(np.count_nonzero(self.reach(place.z, place.noise) > bound))

    def outside(self, place: Observation, bound: float) -> Index:
        """Features outside the working set that reach beyond `bound`.

        If they are more than the support has already, those that reach furthest.
        """
        bound = max(bound, 0.0)
        features = self._wanting(place.z, bound)
        beyond = features[self.reach(place.z, place.noise, features) > bound]
        return self._foremost(place, beyond)

    def awaited(self, place: Observation, knots: Knots, alpha: float, lean: bool) -> Index:
        """Features that may be needed at `alpha`, the next one.

        Those that come near where correlations go on as before. Where there is no before, those
        that the sequential strong rule admits, |z_j| >= w_j (2 alpha - alpha_old).
        """
        if not knots.lead_to(alpha):
            return self.outside(place, 2.0 * alpha - place.level)
        near = alpha - (NEAR_LEAN if lean else NEAR) * max(0.0, knots.alpha - alpha)
        return self._foremost(place, self._wanting(knots.correlations(alpha), near))

    def _wanting(self, z: Float64, alpha: float) -> Index:
        """Features outside the working set whose correlations are too large at alpha."""
        features = (self.pull(z) > self.bound(alpha)).nonzero()[0]
        return features[self.working_set.position[features] < 0]

    def _foremost(self, place: Observation, features: Index) -> Index:
        """Those that reach furthest, if they are more than the support has already."""
        room = max(MIN_ADMITTED, place.support.size)
        if features.size <= room:
            return features
        reaching = self.reach(place.z, place.noise, features)
        return features[np.argpartition(-reaching, room)[:room]]
