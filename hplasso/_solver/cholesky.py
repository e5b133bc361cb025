"""The Cholesky factor of a support's Gram matrix, kept while the support changes.

From one face of a problem to the next a few coordinates enter and a few leave. With G_FF = L L' for
the coordinates F of the factor, those that enter are appended to L. Those that leave stay in F,
held at zero: with the unit columns E_H of the held ones and W = L^-1 E_H,

    argmin 1/2 theta'G_FF theta - b'theta  over theta_H = 0   =   L^-T (u - W (W'W)^-1 W'u),

where u = L^-1 b. When too many are held, L is computed anew.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs

from .._numerics.linalg import (
    DEPENDENCE,
    independent_cholesky,
    independent_pivots,
    room_for,
    squares_to_tell,
)
from .._numerics.typing import Float64, Index, Mask

NOTHING, NO_POSITIONS = np.empty((0, 0), order="F"), np.empty(0, dtype=np.intp)
NOT_HELD = np.empty(0, dtype=bool)
# At most a HELD-th of all coordinates is held.
HELD = 8
# The factor of fewer coordinates is computed anew in less time than it takes to change it.
SMALL = 128
TINY = float(np.finfo(np.float64).tiny)


class CholeskyFactor:
    """The factor of an independent set of coordinates.

    Attributes
    ----------
    places : ndarray of shape (r,)
        The coordinates F, in the order of the factor.
    held : ndarray of shape (r,)
        Which of them are held at zero.
    failed : bool
        Never; conjugate gradients may.
    left : float
        What is left of the equations, but for rounding.
    """

    failed, left = False, 0.0

    def __init__(self, ridge: Float64 | None = None) -> None:
        self._ridge = ridge  # what of the diagonal of G, of all coordinates, is that of a penalty
        self.positions: Index = NO_POSITIONS
        self.fixed: Mask = NOT_HELD
        self._lower: Float64 = NOTHING  # L in its first rows and columns
        self._gram: Float64 = NOTHING  # G_FF likewise
        self._out: Index = NO_POSITIONS  # H, in the order of the columns of W
        self._half: Float64 = NOTHING  # W
        self._middle: Float64 | None = None  # factor of W'W

    @property
    def gram(self) -> Float64:
        """G_FF, of shape (r, r)."""
        size = self.positions.size
        return self._gram[:size, :size]

    @property
    def active(self) -> Index:
        """The coordinates that are not held."""
        return self.positions[~self.fixed]

    def update(self, gram: Float64, wanted: Index, n_trusted: int, solving: bool = True) -> None:
        """Change F and H so that F without H is `wanted`, less what depends on the rest of it.

        Of dependent coordinates those stay that have been in F before, or, in a new factor, the
        first `n_trusted`. `gram` is that of all coordinates. Where no equations are going to be
        solved, but G_FF is needed, few coordinates come without a factor, all of them.
        """
        if wanted.size < SMALL or not self._lower.size:
            same = self.positions.size == wanted.size and (self.positions == wanted).all()
            if self._out.size or not same:
                block = gram[wanted].take(wanted, axis=1)
                self._set(wanted, block, NOTHING)
            if not self._lower.size and (solving or wanted.size >= SMALL):
                self._begin(n_trusted)
            return
        position = np.full(len(gram), -1, dtype=np.intp)
        position[self.positions] = np.arange(self.positions.size)
        at = position[wanted]
        known, new = at[at >= 0], wanted[at < 0]
        fixed = np.ones(self.positions.size, dtype=bool)
        fixed[known] = False
        if known.size < self.positions.size or self._out.size:
            self._fix(fixed)
        if new.size:
            self._append(gram, new)

    def fix_at_zero(self, leaving: Mask) -> None:
        """Hold more coordinates at zero, or leave them out."""
        self._fix(self.fixed | leaving)

    def refine(self) -> bool:
        """Conjugate gradients may be made more exact."""
        return False

    def solve(self, right: Float64) -> Float64:
        """The minimiser of 1/2 theta'G_FF theta - right'theta with theta_H = 0."""
        if not right.size:
            return right
        if not self._out.size and len(self._lower) == right.size:  # in one piece of memory
            return np.asarray(dpotrs(self._lower, right, lower=1)[0])
        theta = self._solve_once(right)
        if self._out.size:  # what is held may be close to what is not: W loses digits there
            residual = right - self.gram @ theta
            residual[self._out] = 0.0
            theta += self._solve_once(residual)
        return theta

    def _solve_once(self, right: Float64) -> Float64:
        """`solve` to the precision of W."""
        lower = self._lower[:, : right.size]
        half = dtrtrs(lower, right, lower=1)[0]
        if self._out.size:
            inner = dpotrs(self._middle_factor(), half @ self._half, lower=1)[0]
            half -= self._half @ inner
        solution = dtrtrs(lower, half, lower=1, trans=1)[0]
        if self._out.size:
            solution[self._out] = 0.0
        return np.asarray(solution)

    def _begin(self, n_trusted: int) -> None:
        """A new factor."""
        positions, block = self.positions, self._gram
        lower, kept = independent_cholesky(block, n_trusted, self._ridge_of(positions))
        if kept.size < positions.size:
            self._set(positions[kept], block[np.ix_(kept, kept)], lower)
        else:
            self._lower = lower

    def _ridge_of(self, positions: Index) -> Float64 | None:
        return None if self._ridge is None else self._ridge[positions]

    def _set(self, positions: Index, block: Float64, lower: Float64) -> None:
        """A factor that is known, with nothing held."""
        self.positions, self._gram, self._lower = positions, block, lower
        self.fixed = np.zeros(positions.size, dtype=bool)
        self._out, self._half, self._middle = NO_POSITIONS, NOTHING, None

    def _append(self, gram: Float64, new: Index) -> None:
        """Append coordinates, but those that depend on the active ones and each other."""
        old = self.positions.size
        rows = gram[new]
        across, corner = rows.take(self.positions, axis=1), rows.take(new, axis=1)
        below = dtrtrs(self._lower[:, :old], across.T, lower=1)[0] if old else across.T
        schur = corner - below.T @ below
        factor, info = dpotrf(schur, lower=1)
        squares = squares_to_tell(corner.diagonal(), self._ridge_of(new))
        if info or (factor.diagonal() ** 2 <= DEPENDENCE * squares).any():
            length = np.sqrt(np.maximum(squares, TINY))
            schur /= length
            schur /= length[:, None]
            kept = independent_pivots(schur)
            if self._held_make_dependent(below / length, schur.diagonal(), kept):
                stays = (~self.fixed).nonzero()[0]
                block = self.gram[stays].take(stays, axis=1)
                self._set(self.positions[stays], block, NOTHING)
                self._begin(self.positions.size)
                self._append(gram, new)
                return
            if not kept.size:
                return
            new, across, below = new[kept], across[kept], below[:, kept]
            corner = corner[np.ix_(kept, kept)]
            factor = dpotrf(corner - below.T @ below, lower=1)[0]
        self._extend(new, across, corner, below, factor)

    def _held_make_dependent(self, below: Float64, schur: Float64, kept: Index) -> bool:
        """Whether a column that is not kept depends on F, and not on its active part."""
        if not self._out.size:
            return False
        out = np.delete(np.arange(schur.size), kept)
        inner = self._half.T @ below[:, out]
        free_squares = schur[out] + (inner * dpotrs(self._middle_factor(), inner, lower=1)[0]).sum(
            axis=0
        )
        return bool((free_squares > DEPENDENCE).any())

    def _middle_factor(self) -> Float64:
        """The factor of W'W."""
        if self._middle is None:
            self._middle = dpotrf(self._half.T @ self._half, lower=1)[0]
        return self._middle

    def _extend(
        self, new: Index, across: Float64, corner: Float64, below: Float64, factor: Float64
    ) -> None:
        """Write what belongs to new coordinates."""
        old, size = self.positions.size, self.positions.size + new.size
        self._reserve(size)
        self._gram[old:size, :old], self._gram[:old, old:size] = across, across.T
        self._gram[old:size, old:size] = corner
        self._lower[old:size, :old], self._lower[old:size, old:size] = below.T, factor
        self.positions = np.concatenate([self.positions, new])
        self.fixed = np.concatenate([self.fixed, np.zeros(new.size, dtype=bool)])
        if self._out.size and new.size:
            residual = -dtrtrs(factor, below.T @ self._half, lower=1)[0]
            self._half, self._middle = np.concatenate([self._half, residual]), None

    def _reserve(self, size: int) -> None:
        """Make room for so many coordinates."""
        old = self.positions.size
        if size > len(self._gram):
            shape = (room_for(size), room_for(size))
            gram, lower = np.empty(shape), np.empty(shape, order="F")
            gram[:old, :old], lower[:old, :old] = self._gram[:old, :old], self._lower[:old, :old]
            self._gram, self._lower = gram, lower

    def _fix(self, fixed: Mask) -> None:
        """Hold just these at zero, or, if they are many, go on without them."""
        if fixed.size < SMALL or np.count_nonzero(fixed) > fixed.size // HELD:
            stays = (~fixed).nonzero()[0]  # independent, as they have been with the others
            block = self.gram[stays].take(stays, axis=1)
            self._set(self.positions[stays], block, dpotrf(block.T, lower=1, clean=0)[0])
            return
        stay = fixed[self._out]
        new = (fixed & ~self.fixed).nonzero()[0]
        if not new.size and stay.all():
            return
        unit = np.zeros((fixed.size, new.size), order="F")
        unit[new, np.arange(new.size)] = 1.0
        columns = dtrtrs(self._lower[:, : fixed.size], unit, lower=1, overwrite_b=1)[0]
        if stay.any():
            columns = np.concatenate([self._half[:, stay], columns], axis=1)
        self._half = columns
        self._out, self.fixed = np.concatenate([self._out[stay], new]), fixed
        self._middle = None
