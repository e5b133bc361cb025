"""Newton's step from the root of a Hessian, for columns that hold codes such as 999999999.

    (A'A + diag(rho)) d = e,        [A; diag(sqrt(rho))] = Q R,        R'R d = e.

In A'A the squares of such values, of 1e14 and more, round away what the other rows add to them, and
what tells two classes apart that share a code: a penalty, or a difference of their probabilities.
In A they do not, nor in R.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg.lapack import dgeqp3, dtrtrs

from .._datafit.base import DataTerm
from .._design.design import Design
from .._numerics.typing import Float64, Index, Mask

# The part of a column's length that rounding may leave where it depends on others.
DEPENDENT = 1e-15
# A column whose square is so many times its penalty leaves too few digits of it in a Hessian.
LONG = 1e10
# What Newton's steps are made for the sake of the residual alone.
MENDING = 3


class LongColumns(NamedTuple):
    """The longest column of a design, if there is one, its square, and that of most columns."""

    longest: Index
    square: float
    usual: float

    def too_long(self, ridge: float) -> bool:
        """Whether it leaves too few digits, of a ridge penalty if there is one, or of others."""
        return self.square > LONG * (ridge or self.usual)


def long_columns(column_norms: Float64) -> LongColumns:
    """What there is to say of columns of these lengths."""
    largest = float(column_norms.max(initial=0.0))
    usual = float(np.square(np.median(column_norms[column_norms > 0.0]))) if largest else 1.0
    longest = (column_norms == largest).nonzero()[0][:1]
    return LongColumns(longest, float(np.square(largest)), usual)


class Coordinates(NamedTuple):
    """Features of a design as few columns, whose values under each of K outputs say all there is.

    With Z = [Z_F, Z_R], the long columns F apart, and ridge penalties P,

        Z_R P_R^-1/2 = W Q',    Q'Q = I:    columns = [Z_F, sqrt(v), W],    rho = (P_F, 0, 1),

    sqrt(v) for an intercept, if there is one, and theta_R = P_R^-1/2 Q t for the values t of W:
    what Z_R takes to zero has no place in a solution.
    """

    columns: Float64  # (n, q)
    rho: Float64
    long: Mask
    basis: Float64  # P_R^-1/2 Q
    root: Float64  # P_R^1/2, (r, 1)
    moving: Any = True  # which values, under which outputs, are to move
    fixed: Any = 0.0  # what else than ridge penalties pulls at them

    @property
    def inside(self) -> slice:
        """The places of W."""
        return slice(len(self.rho) - self.basis.shape[1], None)

    def values(self, theta: Float64) -> Float64:
        """Those of the columns for coefficients (p, K); of the intercept, zero."""
        values = np.zeros((self.rho.size, theta.shape[1]))
        values[: np.count_nonzero(self.long)] = theta[self.long]
        values[self.inside] = (self.root**2 * self.basis).T @ theta[~self.long]
        return values

    def coefficients(self, values: Float64) -> Float64:
        """What has such values, (p, K)."""
        theta = np.empty((self.long.size, values.shape[1]))
        theta[self.long] = values[: np.count_nonzero(self.long)]
        theta[~self.long] = self.basis @ values[self.inside]
        return theta

    def step(self, term: DataTerm, state: Any, values: Float64) -> Float64:
        """Newton's step of the values, for the residual of the state."""
        target = state.correlate(self.columns) - self.rho[:, None] * values - self.fixed
        step, told = np.zeros(values.shape), np.broadcast_to(self.moving, values.shape).copy()
        if values.shape[1] > 1:  # what has no penalty may as well stay as it is under one output
            unpenalised = (self.rho == 0.0) & told.all(axis=1)
            told[unpenalised, -1] = False
        rho = np.repeat(self.rho, values.shape[1])[told.ravel()]
        blocks = (block[:, told.ravel()] for block in state.hessian_root(self.columns))
        step[told] = solve_rooted(blocks, rho, target[told])
        return step

    def refined(self, term: DataTerm, state: Any, values: Float64) -> Iterator[tuple[Any, float]]:
        """The states with the residuals that a few more steps would leave, and their divergences.

        The last digit of a coefficient may be too much for its correlation; a dual point is no
        function of what can be written down.
        """
        change, refined = np.zeros(values.size // len(values) * len(self.columns)), state
        for _ in range(MENDING):
            step = self.step(term, refined, values)
            values = values + step
            change = change + term.image(self.columns, step)
            refined, extra = state.refined(change)
            yield refined, extra


def coordinates(design: Design, features: Index, penalties: Float64, long: Mask) -> Coordinates:
    """The coordinates of features with these penalties, of which some are `long`."""
    root = np.sqrt(penalties[~long, None])
    basis, W = np.linalg.qr(design.block(features[~long]).T / root)
    free = np.zeros(int(design.fit_intercept))
    columns = [design.block(features[long]), np.outer(design.sqrt_weights, free + 1.0), W.T]
    rho = np.concatenate([penalties[long], free, np.ones(len(W))])
    return Coordinates(np.hstack(columns), rho, long, basis / root, root)


def solve_rooted(blocks: Iterable[Float64], rho: Float64, target: Float64) -> Float64:
    """(A'A + diag(rho))^-1 target, for A in blocks of rows; 0 where columns depend on others.

    With the largest rows first, and columns chosen by their length, rounding of large rows stays
    out of small ones (Cox and Higham); not if there are several blocks.
    """
    blocks = iter(blocks)
    matrix = next(blocks)
    for block in blocks:
        matrix = np.asarray(np.linalg.qr(np.concatenate([matrix, block]), mode="r"))
    penalised = rho.nonzero()[0]
    rows = np.zeros((penalised.size, rho.size))
    rows[np.arange(penalised.size), penalised] = np.sqrt(rho[penalised])
    matrix = np.concatenate([matrix, rows])
    matrix = matrix[np.argsort(-np.abs(matrix).max(axis=1))]
    length = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    factor, order = dgeqp3(matrix)[:2]
    order = order[: len(factor)] - 1
    pivots = np.abs(factor.diagonal())
    rank = int(np.argmax(np.append(pivots <= DEPENDENT * length[order], True)))
    on, factor = order[:rank], factor[:rank, :rank]
    solution = np.zeros_like(target)
    if rank:
        half = dtrtrs(factor, target[on], trans=1)[0]
        solution[on] = dtrtrs(factor, half)[0]
    return solution
