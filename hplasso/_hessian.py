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
        outputs = range(self.loss.n_outputs)
        curvature, weights = self.loss.curvature, self.loss.weights
        self.anchor = prediction
        self.kept = self.kept[:0]
        self.block, self.totals = np.empty((0, 0)), self.totals[:0]
        between = np.array(
            [[weights @ curvature(prediction, k, m) for m in outputs] for k in outputs]
        )
        if len(outputs) == 1:
            self._inverse = 1.0 / np.maximum(between, TINY)
        else:
            self._inverse = np.linalg.pinv(between, hermitian=True)

    def _extend(self, working_set: WorkingSet, anchor: Prediction, new: Index) -> None:
        """Add coordinates, under the curvatures of the anchor."""
        old = self.kept.size
        kept = np.concatenate([self.kept, new])
        columns, places, outputs = working_set.columns.split(kept)
        block = np.empty((kept.size, kept.size))
        block[:old, :old] = self.block
        totals = np.empty((kept.size, self.loss.n_outputs))
        totals[:old] = self.totals
        for k in range(self.loss.n_outputs):
            right = np.flatnonzero(outputs[old:] == k) + old
            for m in range(self.loss.n_outputs if right.size else 0):
                curvature = self.loss.curvature(anchor, k, m)
                totals[right, m] = columns.total(places[right], self.design.root * curvature)
                left = np.flatnonzero(outputs == m)
                if left.size:
                    same = left.size == right.size and m == k
                    second = places[right]
                    first = second if same else places[left]
                    part = columns.cross(first, second, curvature)
                    block[np.ix_(left, right)] = part
                    block[np.ix_(right, left)] = part.T
        self.kept, self.block, self.totals = kept, block, totals
