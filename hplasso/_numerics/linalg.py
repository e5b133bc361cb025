"""Factorisations of small dense symmetric matrices, straight on LAPACK; Gram matrices as operators.

The matrices here have the size of a support (tens to a few thousand); for the smaller ones the
wrappers of :mod:`scipy.linalg` cost more than the factorisation itself. The solvers see a Gram
matrix as an operator, which multiplies, and may have no entries.
"""

from __future__ import annotations

from typing import Any, Protocol, final

import numpy as np
from scipy.linalg import eigh, lstsq, qr
from scipy.linalg.lapack import dposv, dpotrf, dpotrs, dpstrf, dsyevd, dtrtrs

from .rounding import UNIT
from .typing import Float64, Index

# A column whose squared distance from the span of the others is below this part of its squared
# length counts as dependent. Rounding leaves about (number of columns) * 2e-16 of an exact
# dependence; columns correlated by .999 are seven orders of magnitude above the limit.
DEPENDENCE = 1e-10
# The part of a squared length that rounding may leave, and a ridge penalty has to exceed.
LOST = 1e-14

# A part of a diagonal of one that rounding leaves where a matrix is singular.
SINGULAR = 1e-14

# Against division by zero: a matrix of one number is no smaller.
TINY = 1e-300

# The least room to spare in an array that grows: memory against copies (constants.py).
ROOM = 32
# A limit of rounding: of columns of length one, those depend on others of which less is left.
INDEPENDENT = 1e-13


def room_for(size: int) -> int:
    """How many rows and columns to make in a matrix that has to hold `size` and goes on growing."""
    return size + max(ROOM, size // 4)


def enlarged(array: Any, kept: int, size: int, most: int | None = None) -> Any:
    """The first of some values or rows in an array for `size` of them that goes on growing.

    It has twice as many, or the `most` that there will be: what is not written takes no memory.
    """
    size += max(ROOM, size)
    larger = np.empty((size if most is None else min(size, most), *array.shape[1:]), array.dtype)
    larger[:kept] = array[:kept]
    return larger


def solve_positive(matrix: Float64, target: Float64) -> Float64:
    """``matrix^-1 target`` of a symmetric positive definite matrix, which is overwritten.

    A matrix that is singular to rounding has the solution of least norm, the limit of a
    vanishing ridge.
    """
    backup = matrix.diagonal().copy()
    _, solution, info = dposv(matrix.T, target, lower=1, overwrite_a=1)  # symmetric: .T is free
    if info == 0:
        return np.asarray(solution)
    # LAPACK wrote into one triangle and the diagonal; the other triangle is still intact.
    intact = np.tril(matrix, -1)
    restored = intact + intact.T + np.diag(backup)
    return np.asarray(lstsq(restored, target, check_finite=False)[0])


def solve_semidefinite(matrix: Float64, target: Float64) -> Float64:
    """``matrix^-1 target`` of a positive semi-definite matrix, which is overwritten.

    It is brought to a diagonal of one first. If it is singular then, to rounding, the solution is
    the one of least norm.
    """
    scale = _inverse_lengths(matrix)
    matrix *= scale
    matrix *= scale[:, None]
    factor, info = dpotrf(matrix.T, lower=1, clean=0)
    if info == 0 and (factor.diagonal() ** 2 > SINGULAR).all():
        return np.asarray(scale * dpotrs(factor, scale * target, lower=1)[0])
    values, vectors = eigh(matrix, check_finite=False)
    kept = values > SINGULAR * len(values)
    parts = (vectors.T @ (scale * target))[kept] / values[kept]
    return np.asarray(scale * (vectors[:, kept] @ parts))


def _inverse_lengths(matrix: Float64) -> Float64:
    """What brings the diagonal to one from both sides; 0 where there is nothing on it."""
    length = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    return np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)


def pivoted_root(matrix: Float64) -> tuple[Float64, Index]:
    """R of shape (r, q) with R'R = matrix, which is positive semi-definite of rank r to rounding.

    And the r columns at which R is upper triangular, in their order.
    """
    length = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    live = np.flatnonzero(length)
    if not live.size:
        return np.zeros((0, length.size)), live
    scale = 1.0 / length[live]
    scaled = matrix[np.ix_(live, live)] * scale[:, None] * scale
    factor, pivots, rank, _ = dpstrf(scaled, tol=UNIT, overwrite_a=1)
    order, root = live[pivots - 1], np.zeros((rank, length.size))
    root[:, order] = np.triu(factor)[:rank] * length[order]
    return root, order[:rank]


def inverse_root(matrix: Float64) -> Float64:
    """R with ``R R' = matrix^+``, of a positive semi-definite matrix.

    Compute ``b'R R'b`` as the squared norm of R'b, without forming R R'. A matrix that is singular
    up to rounding gives R elements of 1e8. R'b stays accurate for b in the range of the matrix,
    while rounding errors of R R' would be as large as its elements.
    """
    if len(matrix) == 1:
        return 1.0 / np.sqrt(np.maximum(matrix, TINY))
    values, vectors, info = dsyevd(matrix)
    if info:
        raise np.linalg.LinAlgError("Eigenvalues of a small matrix did not converge.")
    kept = values > UNIT * len(values) * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def scaled_inverse_root(matrix: Float64) -> Float64:
    """The same of a matrix whose diagonal is brought to one first, as columns of any units need."""
    scale = _inverse_lengths(matrix)
    values, vectors = eigh(matrix * scale * scale[:, None], check_finite=False)
    kept = values > SINGULAR * len(values)
    return np.asarray(scale[:, None] * vectors[:, kept] / np.sqrt(values[kept]))


def plus_diagonal(gram: Float64, ridge: Float64) -> Float64:
    """gram + diag(ridge)."""
    gram = gram.copy()
    gram.ravel()[:: len(gram) + 1] += ridge
    return gram


def squares_to_tell(squares: Float64, ridge: Float64 | None = None) -> Float64:
    """Squared lengths, a DEPENDENCE-th of which is the limit of what depends on others.

    What a ridge adds is there whatever the columns: with that in the squares, a column is kept
    apart by it unless rounding exceeds it.
    """
    if ridge is None:
        return squares
    apart = np.maximum(0.5 * ridge, LOST * squares)
    return np.minimum(squares, apart / DEPENDENCE)


def independent_cholesky(
    gram: Float64, n_trusted: int = 0, ridge: Float64 | None = None
) -> tuple[Float64, Index]:
    """Cholesky factor of the largest independent part of a Gram matrix, found in one go.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
        Positive semi-definite, left as it is.
    n_trusted : int
        The first `n_trusted` columns stay whenever they are independent among themselves: the
        later columns are the ones to leave.
    ridge : ndarray of shape (k,), optional
        What of the diagonal is that of a ridge penalty.

    Returns
    -------
    factor : ndarray of shape (r, r)
        Lower triangle of the Cholesky factor of ``gram[kept][:, kept]``.
    kept : ndarray of shape (r,)
        The columns of the factor, in its order.
    """
    squares = squares_to_tell(gram.diagonal(), ridge)
    factor = _whole_factor(gram, squares)
    if factor is not None:
        return factor, np.arange(len(gram))
    kept, others = np.arange(n_trusted), np.arange(n_trusted, len(gram))
    if _whole_factor(gram[:n_trusted, :n_trusted], squares[:n_trusted]) is None:
        kept = _independent_of(gram, kept[:0], kept, squares[:n_trusted])
    kept = np.append(kept, _independent_of(gram, kept, others, squares[n_trusted:]))
    return dpotrf(gram[np.ix_(kept, kept)], lower=1, clean=0)[0], kept


def column_rank(block: Float64) -> int:
    """How many columns are independent: from their products, or by QR where these do not tell."""
    lengths = np.sqrt((block**2).sum(axis=0))
    block = block[:, lengths > 0.0] / lengths[lengths > 0.0]
    if _whole_factor(block.T @ block, np.ones(block.shape[1])) is not None:
        return block.shape[1]
    return independent_qr(block)[1].size


def independent_qr(block: Float64) -> tuple[Float64, Index]:
    """R (r, r) of the independent ones of columns of length one, and which these are, in order."""
    root, order = qr(block, mode="r", pivoting=True, check_finite=False)
    sizes = np.abs(root.diagonal())
    rank = int(np.count_nonzero(sizes > INDEPENDENT * sizes.max(initial=0.0)))
    return root[:rank, :rank], order[:rank]


def _whole_factor(gram: Float64, squares: Float64) -> Float64 | None:
    """The Cholesky factor of all columns, if they are independent."""
    factor, info = dpotrf(gram.T, lower=1, clean=0)
    if info:  # what is in the factor means nothing
        return None
    above = np.count_nonzero(factor.diagonal() ** 2 > DEPENDENCE * squares)
    return factor if above == len(gram) else None


def _independent_of(gram: Float64, kept: Index, group: Index, squares: Float64) -> Index:
    """The columns of `group` that are independent of `kept` and of each other.

    A pivoted Cholesky factorisation of the Schur complement, scaled to unit columns so that the
    limit does not depend on the features' units; `squares` are `squares_to_tell` of the group.
    """
    length = np.sqrt(squares)
    group, length = group[length > 0], length[length > 0]
    if not group.size:
        return group
    schur = gram[np.ix_(group, group)] / length / length[:, None]
    if kept.size:
        base = dpotrf(gram[np.ix_(kept, kept)], lower=1, clean=0)[0]
        rows = dtrtrs(base, gram[np.ix_(kept, group)] / length, lower=1)[0]
        schur -= rows.T @ rows
    return group[independent_pivots(schur)]


def independent_pivots(schur: Float64) -> Index:
    """The independent ones of columns of length one, given what others leave of their products."""
    if not schur.size or schur.diagonal().max() <= DEPENDENCE:  # LAPACK tests no first pivot
        return np.empty(0, dtype=np.intp)
    _, pivots, rank, _ = dpstrf(schur, lower=1, tol=DEPENDENCE)
    return np.sort(pivots[:rank] - 1)


class Operator(Protocol):
    """A symmetric positive semi-definite matrix G of shape (k, k), known by its products.

    Attributes
    ----------
    matrix : ndarray of shape (k, k), or None
        G itself, where it is formed.
    """

    matrix: Any

    def __len__(self) -> int:
        """k."""

    def __matmul__(self, vector: Float64) -> Float64:
        """G v."""

    def diagonal(self) -> Float64:
        """The diagonal of G."""

    def on(self, kept: Index) -> Operator:
        """G on some coordinates."""

    def plus(self, ridge: Float64) -> Operator:
        """G + diag(ridge)."""


@final
class GramMatrix:
    """G that is formed."""

    __slots__ = ("matrix",)

    def __init__(self, matrix: Float64) -> None:
        self.matrix: Any = matrix

    def __len__(self) -> int:
        return len(self.matrix)

    def __matmul__(self, vector: Float64) -> Float64:
        return self.matrix @ vector

    def diagonal(self) -> Float64:
        return self.matrix.diagonal()

    def on(self, kept: Index) -> GramMatrix:
        return GramMatrix(self.matrix[kept].take(kept, axis=1))

    def plus(self, ridge: Float64) -> GramMatrix:
        return GramMatrix(plus_diagonal(self.matrix, ridge))
