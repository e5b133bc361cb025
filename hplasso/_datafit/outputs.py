"""The outputs that coefficients predict, and how well rounding lets them be known.

A loss of K outputs sees linear = X theta of shape (n, K), without the intercepts. Features with
values such as 999999999 contribute so much that of several outputs only the differences keep their
digits: these *heavy* features are added apart, as what they make of a difference to each sample.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._numerics.blocks import BLOCK, slices
from .._numerics.rounding import ROUNDING, SOLVED, UNIT, CorrelationRounding
from .._numerics.typing import NOBODY, Float64, Index
from .base import Limit

# A coefficient times the length of its column from which on a feature is heavy: smaller values cost
# a block of columns at each state, larger ones the digits of differences, two for this one. From 1
# to infinity, times of paths did not differ, heavy features among them or not (constants.py).
HEAVY = 100.0
# Limits of rounding. Where that of a correlation is more than this part of its limit, it is found
# from the columns themselves, of so many features as make a block.
FINE = 1e-8


class Outputs:
    """What a design predicts for a loss.

    Attributes
    ----------
    unscale : ndarray of shape (n,)
        1 / sqrt(v), zero for samples without weight.
    """

    def __init__(self, design: Design, loss: Loss, fit_intercept: bool) -> None:
        self.design, self.loss, self.fit_intercept = design, loss, fit_intercept
        self.n_outputs = loss.n_outputs
        self.sqrt_weights = design.sqrt_weights
        self.weights = design.sqrt_weights**2
        self.unscale = np.divide(
            1.0, self.sqrt_weights, out=np.zeros_like(self.weights), where=self.sqrt_weights > 0.0
        )

    def linear(self, working_set: WorkingSet, theta: Float64) -> Float64:
        """Outputs without intercept, (n, K)."""
        K, heavy = self.n_outputs, NOBODY
        if K > 1:
            features = working_set.features // K
            heavy = self._heavy(features, self.design.size[features] * np.abs(theta))
        light = np.where(np.isin(features, heavy), 0.0, theta) if heavy.size else theta
        linear = working_set.columns.predict(light).reshape(-1, K) * self.unscale[:, None]
        if heavy.size:
            for part in self._parts(heavy, working_set.features, theta):
                linear += part
        return linear

    def _largest(self, excess: Float64) -> Index:
        """Where this is positive; no more of these positions, the largest, than make a block."""
        on, room = (excess > 0.0).nonzero()[0], max(1, BLOCK // len(self.unscale))
        return on[np.argpartition(-excess[on], room)[:room]] if on.size > room else on

    def _heavy(self, features: Index, effects: Float64) -> Index:
        """The heavy features, or as many of them, the heaviest, as make a block."""
        on = self._largest(effects - HEAVY)
        return np.unique(features[on]) if on.size else NOBODY

    def _parts(self, heavy: Index, pairs: Index, values: Float64) -> Iterator[Float64]:
        """What each of some features contributes to the outputs, (n, K), given values of pairs."""
        features = pairs // self.n_outputs
        for j in heavy:
            on, coefficients = features == j, np.zeros(self.n_outputs)
            coefficients[pairs[on] % self.n_outputs] = values[on]
            x = self.design.block(np.array([j])) * self.unscale[:, None]
            yield x * self.loss.contrasts(coefficients)

    def magnitudes(self, support: Index, values: Float64, state: Any) -> Float64:
        """Upper bounds of the terms that outputs are sums of, in absolute value; (n, K)."""
        sizes = np.abs(state.linear) + np.abs(state.intercept)
        features, outputs = support // self.n_outputs, support % self.n_outputs
        effects = self.design.size[features] * np.abs(values)
        heavy = self._heavy(features, effects)
        light = ~np.isin(features, heavy)
        sizes += np.sqrt(np.bincount(outputs[light], effects[light] ** 2, self.n_outputs))
        for part in self._parts(heavy, support, values):
            sizes += np.abs(part)
        return sizes

    def rounding(
        self, support: Index, values: Float64, state: Any, limit: Limit
    ) -> tuple[CorrelationRounding, float]:
        """Rounding errors of correlations and of the gap, sample by sample.

        Outputs err by their magnitude, and residuals by this times the curvature. Those of an
        output that hardly errs sum to what those of others leave, where they have to vanish.
        """
        error = self.magnitudes(support, values, state)
        hidden = UNIT * self._errors_of_residuals(error, state.prediction)
        residual_scale = float(np.linalg.norm(error))
        limits = np.atleast_1d(1.0 if limit is None else limit)
        least = FINE * limits[:: self.n_outputs if limits.size > 1 else 1]
        excess = self.design.rounding * residual_scale - least
        special = self._largest(excess)
        if not special.size:
            return CorrelationRounding(residual_scale), hidden
        errors = ROUNDING * (np.abs(self.design.block(special)).T @ error)
        vanishing = np.broadcast_to(least == 0.0, self.design.rounding.shape)[special]
        of_others = errors[vanishing].sum(axis=1, keepdims=True)
        errors[vanishing] = np.maximum(errors[vanishing], of_others / SOLVED)
        pairs = np.add.outer(special * self.n_outputs, np.arange(self.n_outputs)).ravel()
        return CorrelationRounding(residual_scale, pairs, errors.ravel()), hidden

    def _errors_of_residuals(self, sizes: Float64, prediction: Any) -> float:
        """Of magnitudes make the errors of sqrt(v) r, in place, and return that of the loss."""
        curvature, square = self.loss.curvature(prediction), 0.0
        for rows in slices(*sizes.shape):
            part, r = sizes[rows], np.abs(prediction.residual[rows])
            part += self.loss.mean_rounding
            square += float(np.linalg.norm(self.weights[rows, None] * (r * part)) ** 2)
            part[:] = curvature.magnitude(part, rows)
            part += r
            part *= self.sqrt_weights[rows, None]
        return sqrt(square)
