"""The algorithm: an L1 penalty as two ridge penalties, minimised by turns.

For the restricted problem f of `restricted_problem`, write theta = mu o nu, element by element. As
|mu_j nu_j| <= (mu_j^2 + nu_j^2) / 2, with equality just where |mu_j| = |nu_j|,

    g(mu, nu) = 1/2 theta'G theta - c'theta + 1/2 sum_j lambda_j (mu_j^2 + nu_j^2)  >=  f(mu o nu),

and both have the same minimum (Hoff 2017, section 2). g is smooth, and quadratic in each factor
for a given other one: a ridge regression, solved in closed form. With D = diag(nu), Lambda =
diag(lambda),

    mu  <-  argmin_mu g(mu, nu)  =  (D G D + Lambda)^-1 D c                        primal, k x k
                                 =  Lambda^-1 D C (I + C'D Lambda^-1 D C)^-1 y     dual, n x n

One *sweep* is this update of mu and then the same one of nu. Neither lets g go up. *Balancing*,
(mu, nu) <- (sign(theta) sqrt|theta|, sqrt|theta|), keeps theta and lowers g to f(theta). Where the
systems are too large to be factorised, and the finish follows anyway, some conjugate gradients
towards each update take its place (`conjugate_gradients`): they, too, never let g go up.

Balanced factors are safe here, as each update is exact. *Simultaneous* gradient steps keep
mu = s nu, for any pattern of signs s in which they start: no sign ever changes, and a coordinate of
the wrong sign ends at a saddle of g, with theta_j = 0 and |z_j| > lambda_j.

Zero is absorbing: from nu_j = 0 follows mu_j = 0, for ever. A coordinate that is to enter starts
from the factor of one proximal step of its own (`proximal_seed`); none is ever set to zero because
it looks small.

A coordinate without penalty needs no second factor: that is 1 in either update, which leaves the
ordinary regression coefficient in the other. Under theta >= 0 an update stops where the first
coordinate reaches zero, and that coordinate stays there: g is convex on the segment to the
minimiser, so it has gone down.

References
----------
P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
C. Poon and G. Peyre, Smooth bilevel programming for sparse regularization, NeurIPS 2021.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._numerics.linalg import solve_positive
from .._numerics.typing import Float64, Index
from .restricted_problem import RestrictedProblem


class Factors(NamedTuple):
    """The two factors of theta = mu o nu, each of shape (k,)."""

    mu: Float64
    nu: Float64

    @property
    def theta(self) -> Float64:
        return self.mu * self.nu

    def on(self, positions: Index) -> Factors:
        """The factors of some coordinates."""
        return Factors(self.mu[positions], self.nu[positions])

    def become(self, new: Factors, positions: Index) -> None:
        """Change to other factors of some coordinates, in place; all others are zero then."""
        for factor, values in zip(self, new, strict=True):
            factor[:] = 0.0
            factor[positions] = values


def balance(theta: Float64) -> Factors:
    """The factors of theta with |mu| = |nu|, where g(mu, nu) = f(theta)."""
    nu = np.sqrt(np.abs(theta))
    return Factors(np.copysign(nu, theta), nu)


def hadamard_objective(problem: RestrictedProblem, factors: Factors) -> float:
    """g(mu, nu)."""
    theta = factors.theta
    loss = 0.5 * theta @ (problem.operator @ theta) - problem.target @ theta
    return float(loss + 0.5 * problem.penalty @ (factors.mu**2 + factors.nu**2))


def ridge_update(gram: Float64, target: Float64, penalty: Float64, nu: Float64) -> Float64:
    """mu = argmin_mu g(mu, nu) = (D G D + Lambda)^-1 D c."""
    system = gram * nu
    system *= nu[:, None]
    system.ravel()[:: len(nu) + 1] += penalty
    return solve_positive(system, nu * target)


def ridge_update_dual(
    columns: Float64, response: Float64, penalty: Float64, nu: Float64
) -> Float64:
    """mu = argmin_mu g(mu, nu) = Lambda^-1 D C (I + C'D Lambda^-1 D C)^-1 y."""
    system = (columns.T * (nu**2 / penalty)) @ columns
    system.ravel()[:: len(response) + 1] += 1.0
    residual = solve_positive(system, response)  # y - C'(mu o nu), by the update's own equation
    return nu / penalty * (columns @ residual)


def sweep(problem: RestrictedProblem, factors: Factors) -> Factors:
    """Minimise g over mu, then over nu."""
    mu = _update(problem, factors.mu, factors.nu)
    nu = _update(problem, factors.nu, mu)
    return Factors(_one_without_penalty(problem, mu), nu)


def _update(problem: RestrictedProblem, factor: Float64, other: Float64) -> Float64:
    """The minimiser of g over one factor, primal or dual, whichever system is smaller."""
    other = _one_without_penalty(problem, other)
    if problem.columns is not None and problem.response is not None and problem.penalty.all():
        new = ridge_update_dual(problem.columns, problem.response, problem.penalty, other)
    else:
        new = ridge_update(problem.operator.matrix, problem.target, problem.penalty, other)
    return stop_at_zero(factor, other, new) if problem.positive else new


def _one_without_penalty(problem: RestrictedProblem, factor: Float64) -> Float64:
    """A factor, 1 where there is no penalty."""
    return factor if problem.unpenalised is None else np.where(problem.unpenalised, 1.0, factor)


def stop_at_zero(factor: Float64, other: Float64, new: Float64) -> Float64:
    """Go from `factor` towards `new` until the first coordinate of theta would turn negative."""
    crossing = new * other < 0.0
    if not crossing.any():
        return new
    fractions = factor[crossing] / (factor[crossing] - new[crossing])
    stopped = factor + fractions.min() * (new - factor)
    stopped[np.flatnonzero(crossing)[fractions == fractions.min()]] = 0.0
    return stopped


def proximal_seed(
    problem: RestrictedProblem, factors: Factors, z: Float64, entrants: Index
) -> None:
    """Give each entrant, in place, the factors of one proximal step of its own from zero."""
    correlation = z[entrants]
    size = (np.abs(correlation) - problem.penalty[entrants]) / problem.diagonal[entrants]
    factors.mu[entrants], factors.nu[entrants] = balance(np.copysign(size, correlation))


def joint_seed(
    problem: RestrictedProblem, factors: Factors, z: Float64, entrants: Index
) -> Float64:
    """Give entrants, in place, such factors that g is lowest along their proximal steps together.

    Of many that have much in common, equal columns above all, the steps of their own go too far.
    Returns the correlations there.
    """
    proximal_seed(problem, factors, z, entrants)
    step = np.zeros_like(z)
    step[entrants] = factors.mu[entrants] * factors.nu[entrants]
    slope = float(z @ step - problem.penalty @ np.abs(step))
    image = problem.operator @ step
    curvature = float(step @ image)
    part = slope / curvature if slope < curvature else 1.0
    factors.mu[entrants] *= np.sqrt(part)
    factors.nu[entrants] *= np.sqrt(part)
    return z - part * image
