"""The restricted problem of groups, on a Gram matrix or on columns: what the updates ask of it.

For coefficients theta (k, T) of k features, which form groups, and T targets,

    f(theta) = 1/2 <theta, G theta> - <c, theta> + sum_g lambda_g |theta_g|,      G = C'C.

Where no group is zero f is smooth: with r_g = |theta_g|, u_g = theta_g / r_g, q_g = lambda_g / r_g,

    Hess f = M - sum_g q_g u_g u_g',        M = I o (G + Q),        Q = diag(q of each feature)

with a block of M for each target. At balanced factors (m_g^2 = r_g) the ridge regression of a sweep
has the same matrix, as D G D + Lambda = D (G + Q) D: so m v = (G + Q)^-1 c. One factorisation
serves both, in the smaller of two ways. *Primal*, k x k, from G. *Dual*, n x n, from the columns C
(n, k), where k > n: with K = I + C Q^-1 C',

    (G + Q)^-1 = Q^-1 - Q^-1 C'K^-1 C Q^-1.

The last term of the Hessian is taken in by Woodbury's formula: with the u_g as the columns of U,
and the matrix S that says which group a feature is in,

    Hess^-1 b = M^-1 b + M^-1 U E^-1 U'M^-1 b,

    E = diag(1/q) - U'M^-1 U = diag(1/q) - S' ((G + Q)^-1 o u u') S           primal
                             = S' (Q^-1 C'K^-1 C Q^-1 o u u') S               dual.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Self

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from .._numerics.linalg import plus_diagonal
from .._numerics.typing import Float64, Mask
from .partition import Partition

# A matrix is singular to rounding where a squared pivot is not more than SINGULAR of the diagonal
# element, which then gets SHIFT of it in addition: numerical limits.
SINGULAR, SHIFT = 1e-12, 1e-10


class GroupProblem(ABC):
    """min over theta (k, T) of f.

    Attributes
    ----------
    partition : Partition
        Of the k features into groups.
    target : ndarray of shape (k, T)
        c.
    penalty : ndarray of shape (n_groups,)
        lambda.
    positive : bool
        Whether theta >= 0, which has T = 1.
    """

    def __init__(
        self, partition: Partition, target: Float64, penalty: Float64, positive: bool
    ) -> None:
        self.partition, self.target, self.penalty = partition, target, penalty
        self.positive = positive

    @cached_property
    def row_penalty(self) -> Float64:
        """lambda of the group of each feature, (k,)."""
        return self.penalty[self.partition.groups]

    def objective(self, theta: Float64) -> float:
        """f(theta)."""
        loss = float(((0.5 * self.image(theta) - self.target) * theta).sum())
        return loss + float(self.penalty @ self.partition.norms(theta))

    def live(self, theta: Float64) -> Mask:
        """The features (k,) of groups that are not zero; under theta >= 0, those that are not."""
        live = (self.partition.norms(theta) > 0.0)[self.partition.groups]
        return live & (theta[:, 0] > 0.0) if self.positive else live

    def on(self, rows: Mask) -> Self:
        """The problem of some features, by a mask."""
        partition, groups = self.partition.on(rows)
        return self._on(rows, partition, self.penalty[groups])

    def system(self, sizes: Float64) -> GroupSystem:
        """G + Q, factorised, for q = lambda / sizes; where there is no penalty it is zero."""
        q = np.divide(self.penalty, sizes, out=np.zeros_like(sizes), where=sizes > 0.0)
        return self._system(q)

    @abstractmethod
    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> Self:
        """The problem of some features."""

    @abstractmethod
    def _system(self, q: Float64) -> GroupSystem:
        """G + Q, factorised."""

    @abstractmethod
    def image(self, theta: Float64) -> Float64:
        """G theta."""

    @abstractmethod
    def block_norm(self, group: int) -> float:
        """No less than the largest eigenvalue of the block of G of a group."""

    @abstractmethod
    def products(self, v: Float64) -> Float64:
        """S' (G o v v') S, for v (k, T)."""


class GroupSystem(ABC):
    """G + Q, factorised.

    Attributes
    ----------
    partition : Partition
    q : ndarray of shape (n_groups,)
    """

    def __init__(self, partition: Partition, q: Float64) -> None:
        self.partition, self.q = partition, q

    @abstractmethod
    def solve(self, right: Float64) -> Float64:
        """(G + Q)^-1 right, for `right` of shape (k, T)."""

    @abstractmethod
    def coupling(self, u: Float64) -> Float64:
        """E of the groups that are penalised, for u (k, T)."""

    def solve_hessian(self, u: Float64, right: Float64) -> Float64:
        """Hess^-1 right, for the directions u (k, T)."""
        solution, on = self.solve(right), self.q > 0.0
        if not on.any():
            return solution
        ends, numbers = self.partition.sums((u * solution).sum(axis=1)), np.zeros(on.size)
        numbers[on] = solve_shifted(self.coupling(u), ends[on])
        return np.asarray(solution + self.solve(numbers[self.partition.groups, None] * u))


class GramGroups(GroupProblem):
    """On G (k, k)."""

    def __init__(
        self,
        gram: Float64,
        partition: Partition,
        target: Float64,
        penalty: Float64,
        positive: bool = False,
    ) -> None:
        super().__init__(partition, target, penalty, positive)
        self.gram = gram

    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> GramGroups:
        gram, target = self.gram[rows][:, rows], self.target[rows]
        return GramGroups(gram, partition, target, penalty, self.positive)

    def _system(self, q: Float64) -> GramSystem:
        return GramSystem(self.gram, self.partition, q)

    def image(self, theta: Float64) -> Float64:
        return np.asarray(self.gram @ theta)

    def block_norm(self, group: int) -> float:
        part = self.partition.part(group)
        return float(np.linalg.norm(self.gram[part, part]))

    def products(self, v: Float64) -> Float64:
        return self.partition.products(self.gram, v)


class GramSystem(GroupSystem):
    """From G."""

    def __init__(self, gram: Float64, partition: Partition, q: Float64) -> None:
        super().__init__(partition, q)
        self._factor = factorised(plus_diagonal(gram, q[partition.groups]))

    def solve(self, right: Float64) -> Float64:
        return np.asarray(dpotrs(self._factor, right, lower=1)[0])

    def coupling(self, u: Float64) -> Float64:
        on = self.q > 0.0
        if u.shape[1] > 1:
            lower = np.tril(dpotri(self._factor, lower=1)[0])
            products = self.partition.products(lower + np.tril(lower, -1).T, u)
        else:
            columns = np.zeros((len(u), on.size))
            columns[np.arange(len(u)), self.partition.groups] = u[:, 0]
            half = half_solved(self._factor, columns)
            products = half.T @ half
        return plus_diagonal(-products[np.ix_(on, on)], 1.0 / self.q[on])


class ColumnGroups(GroupProblem):
    """On the columns C (n, k); all groups are penalised."""

    def __init__(
        self,
        columns: Float64,
        partition: Partition,
        target: Float64,
        penalty: Float64,
        positive: bool = False,
    ) -> None:
        super().__init__(partition, target, penalty, positive)
        self.columns = columns

    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> ColumnGroups:
        columns, target = self.columns[:, rows], self.target[rows]
        return ColumnGroups(columns, partition, target, penalty, self.positive)

    def _system(self, q: Float64) -> ColumnSystem:
        return ColumnSystem(self.columns, self.partition, q)

    def image(self, theta: Float64) -> Float64:
        return np.asarray(self.columns.T @ (self.columns @ theta))

    def block_norm(self, group: int) -> float:
        return float((self.columns[:, self.partition.part(group)] ** 2).sum())

    def products(self, v: Float64) -> Float64:
        if v.shape[1] > 1:
            return self.partition.products(self.columns.T @ self.columns, v)
        of_groups = self.partition.sums((self.columns * v[:, 0]).T)
        return np.asarray(of_groups @ of_groups.T)


class ColumnSystem(GroupSystem):
    """From C."""

    def __init__(self, columns: Float64, partition: Partition, q: Float64) -> None:
        super().__init__(partition, q)
        self._columns, self._inverse = columns, 1.0 / q[partition.groups]
        root = columns * np.sqrt(self._inverse)
        self._factor = factorised(plus_diagonal(root @ root.T, np.ones(len(root))))

    def solve(self, right: Float64) -> Float64:
        scaled = self._inverse[:, None] * right
        inside = dpotrs(self._factor, self._columns @ scaled, lower=1)[0]
        return np.asarray(scaled - self._inverse[:, None] * (self._columns.T @ inside))

    def coupling(self, u: Float64) -> Float64:
        if u.shape[1] > 1:
            half = half_solved(self._factor, self._columns * self._inverse)
            return self.partition.products(half.T @ half, u)
        of_groups = self.partition.sums((self._columns * (self._inverse * u[:, 0])).T)
        half = half_solved(self._factor, of_groups.T)
        return np.asarray(half.T @ half)


def half_solved(factor: Float64, right: Float64) -> Float64:
    """L^-1 right."""
    half = solve_triangular(factor, right, lower=True, check_finite=False)
    return np.asarray(half)


def solve_shifted(matrix: Float64, right: Float64) -> Float64:
    """matrix^-1 right; where it is singular to rounding, with a little more on the diagonal."""
    return np.asarray(dpotrs(factorised(matrix), right, lower=1)[0])


def factorised(matrix: Float64) -> Float64:
    """The Cholesky factor L, in the lower triangle, likewise."""
    size = np.abs(matrix.diagonal())
    size[size == 0.0] = size.max(initial=0.0) or 1.0
    factor, info = dpotrf(matrix.T, lower=1, clean=0)
    shift = SHIFT
    while (info or (factor.diagonal() ** 2 <= SINGULAR * size).any()) and shift < np.inf:
        shifted = plus_diagonal(matrix, shift * size)
        factor, info = dpotrf(shifted.T, lower=1, clean=0, overwrite_a=1)
        shift *= 10.0
    return np.asarray(factor)
