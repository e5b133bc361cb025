"""The Hessian of a logistic loss on chosen coordinates, the intercepts eliminated.

For coordinates a = (column i, output k) and b = (column j, output m), with the curvatures
D_km = P_k (delta_km - P_m),

    B_ab = Z_i' D_km Z_j,      T_am = Z_i' sqrt(v) D_km,      M_km = sum_i v_i D_km,
    H = B - T M^+ T'.

B costs far more than a gradient when there are many samples. A quasi-Newton method does with an
older one: as long as the curvatures have drifted by little, H is kept, and columns are added to it
as coordinates come in, under the curvatures it was begun with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._design import Design
from ._logistic_loss import LogisticLoss, Prediction
from ._typing import Float64, Index
from ._working_set import WorkingSet

# Multiplications below which a Hessian costs no more than all the rest of a step.
CHEAP = 1e6
# The mean relative change of the curvatures up to which a dearer one is kept.
DRIFT = 0.1
TINY = 1e-300


class Hessian:
    """H under the curvatures of the last state for which it was computed."""

    def __init__(self, design: Design, loss: LogisticLoss, fit_intercept: bool) -> None:
        self.design, self.loss, self.fit_intercept = design, loss, fit_intercept
        self.anchor: Prediction | None = None
        self.kept = np.empty(0, dtype=np.intp)  # coordinates of the working set
        self.block = np.empty((0, 0))
        self.totals = np.empty((0, loss.n_outputs))

    def at(
        self, working_set: WorkingSet, prediction: Prediction, where: Index, fresh: bool
    ) -> Float64:
        """H on some coordinates of the working set, of shape (k, k).

        It is computed anew if it has to be `fresh`, or where an older one would not do.
        """
        position = np.full(working_set.features.size, -1, dtype=np.intp)
        if fresh or self._stale(working_set.columns.stored(where), prediction):
            self._begin(prediction)
        position[self.kept] = np.arange(self.kept.size)
        new = where[position[where] < 0]
        if new.size:
            self._extend(working_set, self.anchor or prediction, new)
            position[new] = np.arange(self.kept.size - new.size, self.kept.size)
        on = position[where]
        hessian = self.block[on].take(on, axis=1)
        if self.fit_intercept:
            totals = self.totals[on]
            hessian -= totals @ self._inverse @ totals.T
        return hessian

    def _stale(self, stored: int, prediction: Prediction) -> bool:
        if self.anchor is None or stored**2 < CHEAP * self.design.shape[0]:
            return True
        weights, old, new = self.loss.weights, self.anchor.wrong, prediction.wrong
        return float(weights @ np.abs(new - old)) > DRIFT * float(weights @ old)

    def _begin(self, prediction: Prediction) -> None:
        """Forget what is known; take the curvatures of this prediction from here on."""
        self.anchor = prediction
        self.kept = self.kept[:0]
        self.block, self.totals = np.empty((0, 0)), self.totals[:0]
        p, weights = self.loss.probabilities(prediction), self.loss.weights
        between: Float64 = -(p * weights[:, None]).T @ p
        for k in range(len(between)):
            between[k, k] = weights @ self.loss.curvature(prediction, k)
        if len(between) == 1:
            inverse: Any = 1.0 / np.maximum(between, TINY)
        else:
            inverse = np.linalg.pinv(between, hermitian=True)
        self._inverse = np.asarray(inverse)

    def _extend(self, working_set: WorkingSet, anchor: Prediction, new: Index) -> None:
        """Add coordinates, under the curvatures of the anchor."""
        old, root, n_outputs = self.kept.size, self.design.root, self.loss.n_outputs
        kept = np.concatenate([self.kept, new])
        columns, places, outputs = working_set.columns.split(kept)
        p = self.loss.probabilities(anchor)
        block = np.empty((kept.size, kept.size))
        block[:old, :old] = self.block
        if n_outputs > 1:  # -P_k P_m for all, k = m comes below
            block[:, old:] = -columns.scaled_cross(places, outputs, old, p)
        totals = np.empty((kept.size, n_outputs))
        totals[:old] = self.totals
        for k in range(n_outputs):
            left = np.flatnonzero(outputs == k)
            right = left[left >= old]
            if not right.size:
                continue
            curvature = self.loss.curvature(anchor, k)
            across = -p[:, [k]] * p
            across[:, k] = curvature
            totals[right] = columns.total(places[right], root[:, None] * across)
            first = places[left]
            second = first if right.size == left.size else places[right]
            block[np.ix_(left, right)] = columns.cross(first, second, curvature)
        block[old:, :old] = block[:old, old:].T
        self.kept, self.block, self.totals = kept, block, totals
