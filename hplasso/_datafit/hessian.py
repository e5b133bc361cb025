"""The Hessian of a loss on chosen coordinates, the intercepts eliminated.

For coordinates a = (column i, output k) and b = (column j, output m), with the curvatures D_km,

    B_ab = Z_i' D_km Z_j,      T_am = Z_i' sqrt(v) D_km,      M_km = sum_i v_i D_km,
    H = B - T M^+ T'.

B costs far more than a gradient when there are many samples. A quasi-Newton method does with an
older one: as long as the curvatures have drifted by little, H is kept, and columns are added to it
as coordinates come in, under the curvatures it was begun with.
"""

from typing import Any

import numpy as np

from .._design.columns import Columns
from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._numerics.linalg import inverse_root
from .._numerics.rounding import UNIT
from .._numerics.typing import Float64, Index

# Multiplications up to which a Hessian costs no more than the rest of a step. Of a single output it
# then is that of each state; of several it takes many small products. A higher value computes more
# Hessians, a lower one takes more steps (constants.py): at 1, paths of 300 x 40 and 4,000 x 150
# took 1.2 to 2.5 times as long.
CHEAP = 4e6
# The mean relative change of the residuals up to which a costlier Hessian is kept: the tolerance at
# the cost CHEAP, the power of the cost that it grows with, and the largest. More saves Hessians and
# takes more steps (constants.py). With none kept, 20 penalties took 4.9 s in place of 2.9 (sparse,
# 30,000 x 300) and 4.5 s in place of 4.1 (dense, 20,000 x 200); small data do not see it. Twelve
# paths took 1.04, 1.00 and 1.00 times as long with a tolerance of 0.01 (tol of 1e-4, 1e-6 and
# 1e-8), and 1.00, 1.03 and 1.04 times with 0.03.
DRIFT_TOL, COST_POWER, LARGEST_DRIFT = 0.015, 0.3, 0.1


class Hessian:
    """H under the curvatures of the last state for which it was computed.

    Attributes
    ----------
    anchor : Prediction or None
        The prediction that the curvatures are those of.
    coordinates : ndarray of shape (k,)
        Positions in the working set that `block`, B, and `totals`, T, are known of.
    """

    _curvature: Any
    _root: Float64  # R R' = M^+
    _size: float  # of the residuals at the anchor

    def __init__(self, design: Design, loss: Loss, fit_intercept: bool) -> None:
        self.design, self.loss, self.fit_intercept = design, loss, fit_intercept
        self.anchor: Any = None
        self.coordinates = np.empty(0, dtype=np.intp)
        self.block = np.empty((0, 0))
        self.totals = np.empty((0, loss.n_outputs * fit_intercept))
        self._intercept_column = design.sqrt_weights[:, None][:, : int(fit_intercept)]

    def forget(self) -> None:
        """The next one is to be that of its own state."""
        self.anchor = None

    def at(self, working_set: WorkingSet, prediction: Any, where: Index) -> Float64:
        """H on some coordinates of the working set, (k, k); an older one where it serves."""
        if self._stale(working_set.columns.costs(where).gram, prediction):
            self._begin(prediction)
        block, totals = self._known(working_set, where)
        if not self.fit_intercept:
            return block
        between = totals @ self._root
        difference = block - between @ between.T
        rounding_error = UNIT * block.diagonal()
        np.fill_diagonal(difference, np.maximum(difference.diagonal(), rounding_error))
        return difference

    def _known(self, working_set: WorkingSet, where: Index) -> tuple[Float64, Float64]:
        """B and T on some coordinates; those that were not known before are now."""
        if not self.coordinates.size:
            self._extend(working_set, where)
            return self.block, self.totals
        position = np.full(working_set.features.size, -1)
        position[self.coordinates] = np.arange(self.coordinates.size)
        new = where[position[where] < 0]
        if new.size:
            self._extend(working_set, new)
            position[self.coordinates] = np.arange(self.coordinates.size)
        on = position[where]
        return self.block[on].take(on, axis=1), self.totals[on]

    def _stale(self, cost: float, prediction: Any) -> bool:
        if self.anchor is None or (cost <= CHEAP and self.loss.n_outputs == 1):
            return True
        drift = self.loss.weights @ np.abs(prediction.residual - self.anchor.residual)
        tolerance = min(LARGEST_DRIFT, DRIFT_TOL * max(1.0, cost / CHEAP) ** COST_POWER)
        return float(drift.sum()) > tolerance * self._size

    def _begin(self, prediction: Any) -> None:
        """Drop all blocks; take the curvatures of this prediction from here on."""
        weights = self.loss.weights
        self.anchor = prediction
        self._size = float((weights @ np.abs(prediction.residual)).sum())
        self.coordinates = self.coordinates[:0]
        self.block, self.totals = np.empty((0, 0)), self.totals[:0]
        curvature: Any = self.loss.curvature(prediction)
        self._curvature = curvature
        self._root = inverse_root(curvature.total(weights))

    def _extend(self, working_set: WorkingSet, new: Index) -> None:
        """Add coordinates, under the curvatures of the anchor."""
        old = self.coordinates.size
        coordinates = np.concatenate([self.coordinates, new]) if old else new
        columns: Any = working_set.columns
        if self.loss.n_outputs == 1:
            block, totals = self._of_one_output(columns, coordinates, old)
        else:
            of, positions, outputs = columns.split(coordinates)
            block, totals = self._of_several_outputs(of, positions, outputs, old)
        if old:
            known = np.concatenate([self.block, block[:old].T])
            block = np.concatenate([known, block], axis=1)
            totals = np.concatenate([self.totals, totals])
        self.coordinates, self.block, self.totals = coordinates, block, totals

    def _of_one_output(
        self, columns: Columns, positions: Index, old: int
    ) -> tuple[Float64, Float64]:
        """Columns of B, and rows of T, of the coordinates from `old` on."""
        curvature = self._curvature.diagonal(0)
        return columns.weighted_gram(positions, old, curvature, self._intercept_column)

    def _of_several_outputs(
        self, columns: Columns, positions: Index, outputs: Index, old: int
    ) -> tuple[Float64, Float64]:
        """The same: -q_k q_m for all pairs; then those of the same output, k = m."""
        coupling, column = self._curvature.coupling, self._intercept_column
        right = self.design.sqrt_weights[:, None] * coupling[:, : self.totals.shape[1]]
        block, totals = columns.scaled_gram(positions, outputs, old, coupling, right)
        block, totals = -block, -totals
        for k in range(self.loss.n_outputs):
            among = np.flatnonzero(outputs == k)
            first = int(np.searchsorted(among, old))
            new = among[first:] - old
            if not new.size:
                continue
            diagonal = self._curvature.diagonal(k)
            own, sums = columns.weighted_gram(positions[among], first, diagonal, column)
            block[np.ix_(among, new)] = own
            if self.fit_intercept:
                totals[new, k] = sums[:, 0]
        return block, totals
