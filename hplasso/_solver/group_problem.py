"""The restricted problem of groups, on a Gram matrix or on columns: what the updates ask of it.

For coefficients theta (k, T) of k features, which form groups, and T targets,

    f(theta) = 1/2 <theta, G theta> - <c, theta> + sum_g lambda_g |theta_g|,      G = C'C.

With r_g = |theta_g|, the directions u_g = theta_g / r_g and q_g = lambda_g / r_g, f is smooth where
no group is zero, and

    Hess f = M - sum_g q_g u_g u_g',        M = I o (G + Q),        Q = diag(q of each feature)

with a block of M for each target. Systems are solved in the smaller of two ways.

*Primal*, k x k, from G. For one target the Hessian is formed. For several it never is: by
Woodbury's formula, with the u_g as the columns of U, and the matrix S that says which group a
feature is in,

    Hess^-1 b = M^-1 b + M^-1 U E^-1 U'M^-1 b,        E = diag(1/q) - U'M^-1 U,

where U'M^-1 U = S' ((G + Q)^-1 o u u') S.

*Dual*, n x n, from the columns C (n, k), where k > n: with K = I + C Q^-1 C',

    (G + Q)^-1 = Q^-1 - Q^-1 C'K^-1 C Q^-1,        E = S' (Q^-1 C'K^-1 C Q^-1 o u u') S.
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
SINGULAR, SHIFT = 1e-14, 1e-12


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
    """

    def __init__(self, partition: Partition, target: Float64, penalty: Float64) -> None:
        self.partition, self.target, self.penalty = partition, target, penalty

    @cached_property
    def row_penalty(self) -> Float64:
        """lambda of the group of each feature, (k,)."""
        return self.penalty[self.partition.groups]

    def objective(self, theta: Float64) -> float:
        """f(theta)."""
        loss = float(((0.5 * self.image(theta) - self.target) * theta).sum())
        return loss + float(self.penalty @ self.partition.norms(theta))

    def on(self, chosen: Mask) -> tuple[Self, Mask]:
        """The problem of some groups, by a mask, and which features these are."""
        partition, rows = self.partition.on(chosen)
        return self._on(rows, partition, self.penalty[chosen]), rows

    @abstractmethod
    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> Self:
        """The problem of some features."""

    @abstractmethod
    def image(self, theta: Float64) -> Float64:
        """G theta."""

    @abstractmethod
    def block_norm(self, group: int) -> float:
        """No less than the largest eigenvalue of the block of G of a group."""

    @abstractmethod
    def ridge(self, scale: Float64) -> Float64:
        """(D G D + Lambda)^-1 D c for D = diag(scale), a number for each feature."""

    @abstractmethod
    def products(self, v: Float64) -> Float64:
        """S' (G o v v') S, for v (k, T)."""

    @abstractmethod
    def solve_hessian(self, theta: Float64, right: Float64) -> Float64:
        """Hess f(theta)^-1 right, for `right` of shape (k, T)."""

    def curvatures(self, theta: Float64) -> Float64:
        """q, of each group; zero where there is no penalty."""
        norms = self.partition.norms(theta)
        return np.divide(self.penalty, norms, out=np.zeros_like(norms), where=norms > 0.0)


class GramGroups(GroupProblem):
    """On G (k, k)."""

    def __init__(
        self, gram: Float64, partition: Partition, target: Float64, penalty: Float64
    ) -> None:
        super().__init__(partition, target, penalty)
        self.gram = gram

    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> GramGroups:
        return GramGroups(self.gram[rows][:, rows], partition, self.target[rows], penalty)

    def image(self, theta: Float64) -> Float64:
        return np.asarray(self.gram @ theta)

    def block_norm(self, group: int) -> float:
        part = self.partition.part(group)
        return float(np.linalg.norm(self.gram[part, part]))

    def ridge(self, scale: Float64) -> Float64:
        system = self.gram * scale
        system *= scale[:, None]
        system = plus_diagonal(system, self.row_penalty)
        return solve_shifted(system, scale[:, None] * self.target)

    def products(self, v: Float64) -> Float64:
        return self.partition.products(self.gram, v)

    def solve_hessian(self, theta: Float64, right: Float64) -> Float64:
        partition, q = self.partition, self.curvatures(theta)
        u = partition.directions(theta)
        matrix = plus_diagonal(self.gram, q[partition.groups])
        if theta.shape[1] == 1:
            for group, curvature in enumerate(q):
                part = partition.part(group)
                matrix[part, part] -= curvature * np.multiply.outer(u[part, 0], u[part, 0])
            return solve_shifted(matrix, right)
        inverse, on = _inverse(matrix), q > 0.0
        solution, numbers = inverse @ right, np.zeros(q.size)
        if not on.any():
            return solution
        coupling = partition.products(inverse, u)[np.ix_(on, on)]
        ends = partition.sums((u * solution).sum(axis=1))[on]
        numbers[on] = solve_shifted(plus_diagonal(-coupling, 1.0 / q[on]), ends)
        return np.asarray(solution + inverse @ (numbers[partition.groups, None] * u))


class ColumnGroups(GroupProblem):
    """On the columns C (n, k); all groups are penalised."""

    def __init__(
        self, columns: Float64, partition: Partition, target: Float64, penalty: Float64
    ) -> None:
        super().__init__(partition, target, penalty)
        self.columns = columns

    def _on(self, rows: Mask, partition: Partition, penalty: Float64) -> ColumnGroups:
        return ColumnGroups(self.columns[:, rows], partition, self.target[rows], penalty)

    def image(self, theta: Float64) -> Float64:
        return np.asarray(self.columns.T @ (self.columns @ theta))

    def block_norm(self, group: int) -> float:
        return float((self.columns[:, self.partition.part(group)] ** 2).sum())

    def ridge(self, scale: Float64) -> Float64:
        right = scale[:, None] * self.target
        factor = self._dual_factor(scale**2 / self.row_penalty)
        between = self._between(factor, scale / self.row_penalty, right)
        return (right - scale[:, None] * between) / self.row_penalty[:, None]

    def products(self, v: Float64) -> Float64:
        if v.shape[1] > 1:
            return self.partition.products(self.columns.T @ self.columns, v)
        of_groups = self._of_groups(v[:, 0])
        return np.asarray(of_groups.T @ of_groups)

    def solve_hessian(self, theta: Float64, right: Float64) -> Float64:
        partition, u = self.partition, self.partition.directions(theta)
        q = self.curvatures(theta)[partition.groups]
        factor = self._dual_factor(1.0 / q)

        def solve(values: Float64) -> Float64:
            return (values - self._between(factor, 1.0 / q, values)) / q[:, None]

        solution = solve(right)
        ends = partition.sums((u * solution).sum(axis=1))
        numbers = solve_shifted(self._coupling(factor, 1.0 / q, u), ends)
        return np.asarray(solution + solve(numbers[partition.groups, None] * u))

    def _dual_factor(self, weights: Float64) -> Float64:
        """The Cholesky factor of K = I + C diag(weights) C'."""
        root = self.columns * np.sqrt(weights)
        return _factor(plus_diagonal(root @ root.T, np.ones(len(root))))

    def _between(self, factor: Float64, weights: Float64, right: Float64) -> Float64:
        """C' K^-1 C diag(weights) right."""
        inside = self.columns @ (weights[:, None] * right)
        return np.asarray(self.columns.T @ dpotrs(factor, inside, lower=1)[0])

    def _coupling(self, factor: Float64, weights: Float64, u: Float64) -> Float64:
        """E, for Q^-1 = diag(weights)."""
        if u.shape[1] > 1:
            half = _half(factor, self.columns * weights)
            return self.partition.products(half.T @ half, u)
        half = _half(factor, self._of_groups(weights * u[:, 0]))
        return np.asarray(half.T @ half)

    def _of_groups(self, values: Float64) -> Float64:
        """C diag(values) S."""
        return self.partition.sums((self.columns * values).T).T


def _half(factor: Float64, right: Float64) -> Float64:
    """L^-1 right, for the factor L of K = L L'."""
    half = solve_triangular(factor, right, lower=True, overwrite_b=True, check_finite=False)
    return np.asarray(half)


def solve_shifted(matrix: Float64, right: Float64) -> Float64:
    """matrix^-1 right; where it is singular to rounding, with a little more on the diagonal."""
    return np.asarray(dpotrs(_factor(matrix), right, lower=1)[0])


def _inverse(matrix: Float64) -> Float64:
    """The inverse, likewise."""
    lower = np.tril(dpotri(_factor(matrix), lower=1)[0])
    return np.asarray(lower + np.tril(lower, -1).T)


def _factor(matrix: Float64) -> Float64:
    """The Cholesky factor, in the lower triangle, likewise."""
    size = np.abs(matrix.diagonal())
    size[size == 0.0] = size.max(initial=0.0) or 1.0
    factor, info = dpotrf(matrix.T, lower=1, clean=0)
    shift = SHIFT
    while (info or (factor.diagonal() ** 2 <= SINGULAR * size).any()) and shift < np.inf:
        shifted = plus_diagonal(matrix, shift * size)
        factor, info = dpotrf(shifted.T, lower=1, clean=0, overwrite_a=1)
        shift *= 10.0
    return np.asarray(factor)
