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

from .._design.columns import Columns
from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.logistic import LogisticLoss, Prediction
from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index

# Multiplications up to which a Hessian costs no more than the rest of a step. Of a single output it
# then is that of each state; of several it takes many small products.
CHEAP = 4e6
# The mean relative change of the residuals up to which others are kept; it grows with this power of
# the cost, up to that of the dearest.
SLIGHT, DEARER, DRIFT = 0.01, 0.3, 0.1
TINY = 1e-300


class Hessian:
    """H under the curvatures of the last state for which it was computed."""

    def __init__(self, design: Design, loss: LogisticLoss, fit_intercept: bool) -> None:
        self.design, self.loss, self.fit_intercept = design, loss, fit_intercept
        self.anchor: Prediction | None = None
        self.kept = np.empty(0, dtype=np.intp)  # coordinates of the working set
        self.block = np.empty((0, 0))
        self.totals = np.empty((0, loss.n_outputs))

    def forget(self) -> None:
        """The next one is to be that of its own state."""
        self.anchor = None

    def at(self, working_set: WorkingSet, prediction: Prediction, where: Index) -> Float64:
        """H on some coordinates of the working set, of shape (k, k); an older one where it does."""
        if self._stale(working_set.columns.cost(where), prediction):
            self._begin(prediction)
        if not self.kept.size:
            self._extend(working_set, where)
            return self._eliminated(self.block.copy(), slice(None))
        position = np.full(working_set.features.size, -1, dtype=np.intp)
        position[self.kept] = np.arange(self.kept.size)
        new = where[position[where] < 0]
        if new.size:
            self._extend(working_set, new)
            position[self.kept] = np.arange(self.kept.size)
        on = position[where]
        return self._eliminated(self.block[on].take(on, axis=1), on)

    def _eliminated(self, block: Float64, on: Index | slice) -> Float64:
        """B - T M^+ T' of coordinates of the Hessian, in place of B."""
        if self.fit_intercept:
            least = UNIT * block.diagonal()  # that is what rounding leaves of a difference
            totals = self.totals[on]
            block -= totals @ self._inverse @ totals.T
            np.fill_diagonal(block, np.maximum(block.diagonal(), least))
        return block

    def _stale(self, cost: float, prediction: Prediction) -> bool:
        if self.anchor is None or (cost <= CHEAP and self.loss.n_outputs == 1):
            return True
        drift = self.loss.weights @ np.abs(prediction.residual - self.anchor.residual)
        allowed = min(DRIFT, SLIGHT * max(1.0, cost / CHEAP) ** DEARER)
        return float(drift.sum()) > allowed * self._size

    def _begin(self, prediction: Prediction) -> None:
        """Forget what is known; take the curvatures of this prediction from here on."""
        outputs, weights = range(self.loss.n_outputs), self.loss.weights
        self.anchor = prediction
        self._size = float((weights @ np.abs(prediction.residual)).sum())
        self.kept = self.kept[:0]
        self.block, self.totals = np.empty((0, 0)), self.totals[:0]
        self._curvatures = [self.loss.curvature(prediction, k) for k in outputs]
        if len(outputs) == 1:
            self._inverse = np.array([[1.0 / max(float(weights @ self._curvatures[0]), TINY)]])
            return
        p = self._probabilities = self.loss.probabilities(prediction)
        between = -(p * weights[:, None]).T @ p
        between[outputs, outputs] = [weights @ curvature for curvature in self._curvatures]
        self._inverse = np.asarray(np.linalg.pinv(between, hermitian=True))

    def _extend(self, working_set: WorkingSet, new: Index) -> None:
        """Add coordinates, under the curvatures of the anchor."""
        old, n_outputs = self.kept.size, self.loss.n_outputs
        kept = np.concatenate([self.kept, new])
        columns, positions, outputs = working_set.columns.split(kept)
        block = np.empty((kept.size, kept.size))
        block[:old, :old] = self.block
        if n_outputs == 1:
            block[:, old:] = self._same_output(columns, positions, old, 0)
        else:  # -P_k P_m for all pairs; then those of the same output, k = m
            block[:, old:] = -columns.scaled_gram(positions, outputs, old, self._probabilities)
            for k in range(n_outputs):
                among = np.flatnonzero(outputs == k)
                first = int(np.searchsorted(among, old))
                if first < among.size:
                    part = self._same_output(columns, positions[among], first, k)
                    block[np.ix_(among, among[first:])] = part
        block[old:, :old] = block[:old, old:].T
        if self.fit_intercept:
            totals = self._totals(columns, positions[old:], outputs[old:])
            self.totals = np.concatenate([self.totals, totals])
        self.kept, self.block = kept, block

    def _same_output(self, columns: Columns, positions: Index, first: int, k: int) -> Float64:
        """B of coordinates of output k with those from `first` on."""
        new = positions[first:] if first else positions
        return columns.weighted_gram(positions, new, self._curvatures[k])

    def _totals(self, columns: Columns, positions: Index, outputs: Index) -> Float64:
        """T of some coordinates."""
        root = self.design.sqrt_weights[:, None]
        if self.loss.n_outputs == 1:
            return columns.weighted_sum(positions, root * self._curvatures[0][:, None])
        totals = np.empty((positions.size, self.loss.n_outputs))
        for k, curvature in enumerate(self._curvatures):
            across = -self._probabilities[:, [k]] * self._probabilities
            across[:, k] = curvature
            among = outputs == k
            totals[among] = columns.weighted_sum(positions[among], root * across)
        return totals
