"""A face of a large sparse problem, solved by conjugate gradients; G is never formed.

It takes the place of `cholesky` where the columns of the support hold far fewer numbers than
its Gram matrix would: a product G v = C (C'v) is then cheap, and from the solution at the last
alpha some ten of them are enough. Faces are solved roughly at first, which tells who leaves and who
wants in; only when these have settled, to the tolerance. On dependent columns conjugate gradients
may not converge at all; then they have `failed`, and the factor has to do it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .._numerics.typing import Float64, Index, Mask

MAX_STEPS = 200
# Roughly: to this part of the geometric mean of the tolerance and the penalty.
ROUGH = 0.3
# A face with less than this part of the coordinates is worth columns of its own.
MOST = 0.7


class Operator(Protocol):
    """A Gram matrix G that is known by its products."""

    def __len__(self) -> int:
        """k."""
        ...

    def __matmul__(self, vector: Float64) -> Float64:
        """G v."""
        ...

    def diagonal(self) -> Float64:
        """The diagonal of G."""
        ...

    def on(self, kept: Index) -> Operator:
        """G on some coordinates."""
        ...

    def plus(self, ridge: Float64) -> Operator:
        """G + diag(ridge)."""
        ...


class ConjugateGradients:
    """The coordinates of a face, with the attributes and methods of a FaceFactor.

    Dependent ones are kept. After a solve that did not converge `failed` is true.

    Parameters
    ----------
    theta : ndarray of shape (k,)
        Where to start.
    tolerance : ndarray of shape (k,)
        What may be left of each equation in the end.
    penalty : ndarray of shape (k,)
        What the correlations are to come to.

    Attributes
    ----------
    left : ndarray of shape (k,)
        What may be left of each equation for now.
    """

    def __init__(self, theta: Float64, tolerance: Float64, penalty: Float64) -> None:
        self.positions: Index = np.empty(0, dtype=np.intp)
        self.fixed: Mask = np.empty(0, dtype=bool)
        self.gram: Operator
        self.failed = False
        self._theta = theta.copy()
        self._tolerance = tolerance
        self.left = np.maximum(tolerance, ROUGH * np.sqrt(tolerance * penalty))

    def refine(self) -> bool:
        """Solve to the tolerance from here on; returns whether that is new."""
        rough = self.left is not self._tolerance
        self.left = self._tolerance
        return rough

    @property
    def active(self) -> Index:
        """The coordinates that are not held at zero."""
        return self.positions[~self.fixed]

    def update(self, gram: Operator, wanted: Index, n_trusted: int, solving: bool = True) -> None:
        """Change the face to the coordinates `wanted`, dependent or not; others may be held."""
        free = np.zeros(len(gram), dtype=bool)
        free[wanted] = True
        known = int(np.count_nonzero(free[self.positions]))
        if known < wanted.size or known < MOST * self.positions.size:
            whole = wanted.size >= MOST * len(gram)
            self.positions = np.arange(len(gram)) if whole else wanted
            self.gram = gram if whole else gram.on(wanted)
        self.fixed = ~free[self.positions]

    def fix_at_zero(self, leaving: Mask) -> None:
        """Hold more coordinates at zero."""
        self.fixed = self.fixed | leaving

    def solve(self, right: Float64) -> Float64:
        """The minimiser of 1/2 theta'G theta - right'theta with those held at zero, nearly."""
        free, tolerance = ~self.fixed, self.left[self.positions]
        scale = free / self.gram.diagonal()
        theta = np.where(free, self._theta[self.positions], 0.0)
        residual = right - self.gram @ theta
        direction = scale * residual
        square = float(residual @ direction)
        for _ in range(MAX_STEPS):
            if (np.abs(residual) * free <= tolerance).all():
                break
            image = self.gram @ direction
            curvature = float(direction @ image)
            if not curvature > 0.0:
                self.failed = True
                break
            length = square / curvature
            theta += length * direction
            residual -= length * image
            preconditioned = scale * residual
            square_before, square = square, float(residual @ preconditioned)
            direction = preconditioned + (square / square_before) * direction
        else:
            self.failed = True
        self._theta[self.positions] = theta
        return theta
