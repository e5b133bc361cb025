"""The Cholesky factor of a support's Gram matrix, updated as coordinates enter and leave.

From one face of a problem to the next a few coordinates enter and a few leave. With G_FF = L L' for
the coordinates F of the factor, those that enter are appended to L. Those that leave stay in F,
fixed at zero: with the unit columns E_H of these and W = L^-1 E_H,

    argmin 1/2 theta'G_FF theta - b'theta  over theta_H = 0   =   L^-T (u - W (W'W)^-1 W'u),

where u = L^-1 b. When too many are fixed, L is computed anew.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs

from .._numerics.linalg import (
    DEPENDENCE,
    GramMatrix,
    Operator,
    independent_cholesky,
    independent_pivots,
    room_for,
    squares_to_tell,
)
from .._numerics.typing import NOBODY, Float64, Index, Mask
from .linear_solver import on_face

NO_MATRIX = np.empty((0, 0), order="F")
# At most this part of the coordinates is fixed at zero: more of them make each solution more
# expensive, with fewer the factor is computed anew more often. With none, paths and fits of large
# supports take 1.4 to 1.9 times as long (constants.py).
FIXED_PART = 1 / 8
# The factor of fewer coordinates is computed anew in less time than it takes to update it
# (constants.py).
SMALL = 128
# No division by zero for a column of zeros: a numerical limit.
LEAST_SQUARE = float(np.finfo(np.float64).tiny)


@final
class CholeskyFactor:
    """A `LinearSolver`: the factor of an independent set of coordinates.

    Parameters
    ----------
    ridge : ndarray of shape (k,), optional
        What of the diagonal of G is that of a ridge penalty.
    """

    exact, failed, accuracy = True, False, None
    start: Any = None

    def __init__(self, ridge: Float64 | None = None) -> None:
        self._ridge = ridge
        self.positions: Index = NOBODY
        self.fixed: Mask | None = None
        self._lower: Float64 = NO_MATRIX  # L in its first rows and columns
        self._gram: Float64 = NO_MATRIX  # G_FF likewise
        self._constraint: ZeroConstraint | None = None  # where coordinates are fixed

    @property
    def operator(self) -> GramMatrix:
        size = self.positions.size
        return GramMatrix(self._gram[:size, :size])

    @property
    def active(self) -> Index:
        return on_face(self, self.positions)

    def update(
        self, operator: Operator, support: Index, n_trusted: int, solving: bool = True
    ) -> None:
        if support.size < SMALL or not self._lower.size:
            same = self.positions.size == support.size and (self.positions == support).all()
            if self._constraint is not None or not same:
                self._set(support, operator.on(support).matrix, NO_MATRIX)
            if not self._lower.size and (solving or support.size >= SMALL):
                self._factorise(n_trusted)
            return
        in_factor = np.full(len(operator), -1, dtype=np.intp)
        in_factor[self.positions] = np.arange(self.positions.size)
        at = in_factor[support]
        known, new = at[at >= 0], support[at < 0]
        if known.size < self.positions.size or self._constraint is not None:
            fixed = np.ones(self.positions.size, dtype=bool)
            fixed[known] = False
            self.fix_at_zero(fixed)
        if new.size:
            self._append(operator.matrix, new)

    def fix_at_zero(self, fixed: Mask) -> None:
        if fixed.size < SMALL or np.count_nonzero(fixed) > fixed.size * FIXED_PART:
            self._leave_out(fixed)
            return
        constraint = self._constraint
        known = NOBODY if constraint is None else constraint.at
        new = (fixed if self.fixed is None else fixed & ~self.fixed).nonzero()[0]
        stay = fixed[known]
        if not new.size and stay.all():
            return
        unit = np.zeros((fixed.size, new.size), order="F")
        unit[new, np.arange(new.size)] = 1.0
        columns = dtrtrs(self._lower[:, : fixed.size], unit, lower=1, overwrite_b=1)[0]
        if constraint is not None and stay.any():
            columns = np.concatenate([constraint.half[:, stay], columns], axis=1)
        at = np.concatenate([known[stay], new])
        self.fixed, self._constraint = None, None
        if at.size:
            self.fixed, self._constraint = fixed, ZeroConstraint(at, columns)

    def refine(self) -> bool:
        return False

    def solve(self, right: Float64) -> Float64:
        if not right.size:
            return right
        if self._constraint is None and len(self._lower) == right.size:  # in one piece of memory
            return np.asarray(dpotrs(self._lower, right, lower=1)[0])
        lower, constraint = self._lower[:, : right.size], self._constraint
        theta = _solve_with(lower, constraint, right)
        if constraint is not None:  # a fixed column may be close to another: W loses digits there
            residual = right - self.operator @ theta
            residual[constraint.at] = 0.0
            theta += _solve_with(lower, constraint, residual)
        return theta

    def _set(self, positions: Index, gram: Float64, lower: Float64) -> None:
        """Change F, with nothing fixed, and the factor, if it is known."""
        self.positions, self._gram, self._lower = positions, gram, lower
        self.fixed, self._constraint = None, None

    def _factorise(self, n_trusted: int) -> None:
        """Compute the factor; F without what depends on others."""
        positions, gram = self.positions, self._gram
        ridge = None if self._ridge is None else self._ridge[positions]
        lower, kept = independent_cholesky(gram, n_trusted, ridge)
        if kept.size < positions.size:
            self._set(positions[kept], gram[np.ix_(kept, kept)], lower)
        else:
            self._lower = lower

    def _leave_out(self, leaving: Mask) -> None:
        """Compute the factor without some coordinates; the others are independent still."""
        stay = (~leaving).nonzero()[0]
        gram = self.operator.on(stay).matrix
        self._set(self.positions[stay], gram, dpotrf(gram.T, lower=1, clean=0)[0])

    def _append(self, gram: Float64, new: Index) -> None:
        """Append coordinates, without what depends on the active ones and each other."""
        old, rows = self.positions.size, gram[new]
        across, corner = rows.take(self.positions, axis=1), rows.take(new, axis=1)
        below = dtrtrs(self._lower[:, :old], across.T, lower=1)[0] if old else across.T
        schur = corner - below.T @ below  # what F leaves of G_NN, of the new coordinates N
        factor, info = dpotrf(schur, lower=1)
        ridge = None if self._ridge is None else self._ridge[new]
        squares = squares_to_tell(corner.diagonal(), ridge)
        if info or (factor.diagonal() ** 2 <= DEPENDENCE * squares).any():
            length = np.sqrt(np.maximum(squares, LEAST_SQUARE))
            schur /= length
            schur /= length[:, None]
            kept = independent_pivots(schur)
            out = np.delete(np.arange(new.size), kept)
            below_out = below[:, out] / length[out]
            constraint, fixed = self._constraint, self.fixed
            freed = constraint is not None and constraint.frees(below_out, schur.diagonal()[out])
            if fixed is not None and freed:
                self._leave_out(fixed)
                self._append(gram, new)
                return
            if not kept.size:
                return
            new, across, below = new[kept], across[kept], below[:, kept]
            corner = corner[np.ix_(kept, kept)]
            factor = dpotrf(corner - below.T @ below, lower=1)[0]
        self._extend(new, across, corner, below, factor)

    def _extend(
        self, new: Index, across: Float64, corner: Float64, below: Float64, factor: Float64
    ) -> None:
        """Write what belongs to new coordinates."""
        old, size = self.positions.size, self.positions.size + new.size
        self._gram = _with_room(self._gram, old, size, "C")
        self._lower = _with_room(self._lower, old, size, "F")
        self._gram[old:size, :old], self._gram[:old, old:size] = across, across.T
        self._gram[old:size, old:size] = corner
        self._lower[old:size, :old], self._lower[old:size, old:size] = below.T, factor
        self.positions = np.concatenate([self.positions, new])
        if self._constraint is not None and self.fixed is not None:
            self.fixed = np.concatenate([self.fixed, np.zeros(new.size, dtype=bool)])
            rows = -dtrtrs(factor, below.T @ self._constraint.half, lower=1)[0]
            self._constraint = self._constraint.extended(rows)


@final
class ZeroConstraint:
    """theta_H = 0: where H is in F, and W."""

    def __init__(self, at: Index, half: Float64) -> None:
        self.at, self.half = at, half

    def extended(self, rows: Float64) -> ZeroConstraint:
        """With W's rows of new coordinates."""
        return ZeroConstraint(self.at, np.concatenate([self.half, rows]))

    @cached_property
    def inner(self) -> Float64:
        """The factor of W'W."""
        return np.asarray(dpotrf(self.half.T @ self.half, lower=1)[0])

    def project(self, vector: Float64) -> Float64:
        """u - W (W'W)^-1 W'u."""
        return vector - self.half @ dpotrs(self.inner, vector @ self.half, lower=1)[0]

    def frees(self, below: Float64, squares: Float64) -> bool:
        """Whether a column depends on F, and not on its active part.

        The columns have length one; `below` is L^-1 G_FN, `squares` what F leaves of their squared
        length.
        """
        across = self.half.T @ below
        squares = squares + (across * dpotrs(self.inner, across, lower=1)[0]).sum(axis=0)
        return bool((squares > DEPENDENCE).any())


def _solve_with(lower: Float64, constraint: ZeroConstraint | None, right: Float64) -> Float64:
    """The minimiser to the precision of W."""
    half = dtrtrs(lower, right, lower=1)[0]
    if constraint is not None:
        half = constraint.project(half)
    solution = dtrtrs(lower, half, lower=1, trans=1)[0]
    if constraint is not None:
        solution[constraint.at] = 0.0
    return np.asarray(solution)


def _with_room(matrix: Float64, used: int, size: int, order: Any) -> Float64:
    """A matrix with room for `size` rows and columns, the first `used` of which are as before."""
    if size <= len(matrix):
        return matrix
    grown = np.empty((room_for(size), room_for(size)), order=order)
    grown[:used, :used] = matrix[:used, :used]
    return grown
