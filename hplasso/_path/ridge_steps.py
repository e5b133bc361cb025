"""Newton's steps where there is a ridge penalty and no L1 penalty.

With ridge penalties rho_j > 0, P = diag(rho), and the Hessian Z'B Z of the loss (B = I for squared
loss),

    f(theta) = L(theta) + 1/2 theta'P theta,        e = z - P theta = -grad f,

a step d solves

    (Z'B Z + P) d = e                                                          primal, p x p
    theta = P^-1 Z'a,     (I + B K) d_a = r - a,     K = Z P^-1 Z'             dual, n x n

In the dual form a is the residual r at the solution, and the difference of the two is what is left
of the equations, to the last digit. Where both systems are large, or X is very sparse, conjugate
gradients solve the first one, by products with Z, B and Z'. In the dual form the coefficients t of
features of columns F without penalty are found together with d_a,

    (I + B K) d_a + B F d_t = r - a,        F'(a + d_a) = rho_F (t + d_t),

and so are those of columns so long that they would leave no digits in K for the others.

References
----------
C. Saunders, A. Gammerman and V. Vovk, Ridge regression learning algorithm in dual variables, ICML
1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lu_solve
from scipy.linalg.lapack import dgetrf

from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._design.design import Design
from .._numerics.linalg import plus_diagonal, solve_semidefinite
from .._numerics.rounding import SOLVED
from .._numerics.threads import LARGE_DATA
from .._numerics.typing import NOBODY, Float64, Index
from .._solver.conjugate_gradients import conjugate_gradients
from .certification import weighed_features
from .problem import PathProblem
from .square_root_newton import LONG, Coordinates, coordinates

# Systems of more than DIRECT equations are solved by conjugate gradients, which bounds memory;
# those of more than FEW if all the MAX_STEPS that these may take cost less, as long as they are
# enough (constants.py).
DIRECT, FEW, MAX_STEPS = 3000, 500, 1000
# What conjugate gradients leave of the gap within the tolerance; and of the present gap, if another
# Newton step has to follow anyway: less makes more products, more makes more steps (constants.py).
INNER_PART, LEFT = 0.3, 0.01
# A column whose square is so many times the usual one, for its penalty, is kept out of K: it would
# leave no digits there for the others, a numerical limit.
APART = 1e6
TINY = 1e-300


class RidgeMemory(NamedTuple):
    """What is remembered between two penalties.

    Attributes
    ----------
    iterate : Iterate
    dual : ndarray of shape (n,)
        a at that iterate.
    dual_is_exact : bool
        Whether theta = P^-1 Z'a.
    alpha : float
        The last.
    solved : bool
        Whether there was one.
    products_failed : bool
        Whether conjugate gradients have failed.
    """

    iterate: Iterate
    dual: Float64
    dual_is_exact: bool
    alpha: float = 1.0
    solved: bool = False
    products_failed: bool = False


@dataclass(frozen=True, eq=False)
class RidgeSystem:
    """The systems that steps solve, at one alpha.

    Attributes
    ----------
    problem : PathProblem
    alpha : float
    live, apart : ndarrays
        Positions of columns that are not constant; of those that stay out of K.
    weights : ndarray of shape (p,)
        rho at alpha = 1, of the working set, which has all features.
    ridge : ndarray
        rho of the live columns.
    """

    problem: PathProblem
    alpha: float
    live: Index
    apart: Index
    weights: Float64
    ridge: Float64

    def at(self, alpha: float) -> RidgeSystem:
        """That of another alpha."""
        ridge = alpha * self.weights[self.live]
        return RidgeSystem(self.problem, alpha, self.live, self.apart, self.weights, ridge)

    @property
    def base(self) -> Design:
        """The design of a single output."""
        return self.problem.design.single

    @property
    def n_outputs(self) -> int:
        return self.problem.design.shape[1] // self.base.shape[1]

    def objective(self, iterate: Iterate) -> float:
        """f at an iterate."""
        return float(iterate.state.loss + 0.5 * self.ridge @ iterate.theta[self.live] ** 2)


def ridge_system(problem: PathProblem) -> RidgeSystem:
    """That of a problem, at an alpha of one."""
    weights = problem.penalty.ridge(1.0, problem.working_set.features)
    squares = problem.design.column_norms[problem.working_set.features] ** 2
    live = (squares > 0.0).nonzero()[0]
    # What stays out of K: without penalty, or with next to none for its length.
    long = squares * np.median(weights) > APART * np.median(squares) * weights
    apart = ((squares > 0.0) & (long | (weights == 0.0))).nonzero()[0]
    return RidgeSystem(problem, 1.0, live, apart, weights, weights[live])


def newton_step(
    system: RidgeSystem, memory: RidgeMemory, gap: float, by_square_root: bool
) -> RidgeMemory:
    """One step from an iterate of this gap: a ridge regression, and a line search towards it."""
    problem, iterate, live = system.problem, memory.iterate, system.live
    n, p = problem.design.shape
    direct = _is_direct(system, memory.products_failed)
    complete = problem.working_set.complete
    by_dual = direct and p > n and not complete and not by_square_root
    goal, dual, failed = iterate.theta.copy(), memory.dual, memory.products_failed
    if by_square_root:
        goal[live] = _square_root_goal(system, iterate)
    elif by_dual:
        goal, dual = _dual_goal(system, memory)
    elif direct:
        goal[live] += _primal_step(system, iterate)
    else:
        step, failed = _step_by_products(system, iterate, gap)
        goal[live] += step
    none, full = np.zeros((2, iterate.theta.size))
    full[live] = system.ridge
    theta, state = problem.term.line_search(
        problem.working_set, iterate.state, iterate.theta, goal, (none, full)
    )
    if by_dual and memory.dual_is_exact:  # as far as theta went
        dual = memory.dual + _part_of_way(iterate.theta, theta, goal) * (dual - memory.dual)
    exact = by_dual and (memory.dual_is_exact or theta is goal)
    iterate = problem.observe(theta, theta.nonzero()[0], state)
    return memory._replace(iterate=iterate, dual=dual, dual_is_exact=exact, products_failed=failed)


def _part_of_way(start: Float64, theta: Float64, goal: Float64) -> float:
    """How far theta is on the way from start to goal."""
    direction = goal - start
    return float(direction @ (theta - start)) / max(float(direction @ direction), TINY)


def _is_direct(system: RidgeSystem, failed: bool) -> bool:
    """Whether to solve a system by a factorisation."""
    design = system.problem.design
    size, step = min(design.shape), 4.0 * design.n_stored
    if system.problem.working_set.complete or size <= min(FEW, DIRECT):
        return True
    return size <= DIRECT and (failed or size**3 <= MAX_STEPS * step)


def _gradient(system: RidgeSystem, iterate: Iterate) -> Float64:
    """e = z - P theta, of the live columns."""
    features = system.problem.working_set.features[system.live]
    return iterate.z[features] - system.ridge * iterate.theta[system.live]


def _primal_step(system: RidgeSystem, iterate: Iterate) -> Float64:
    """d, with the p x p matrix."""
    term, live, none = system.problem.term, system.live, np.zeros(iterate.theta.size)
    term.refresh()
    model = term.model(system.problem.working_set, iterate, live, (none, None), NOBODY, False)
    gram = model.gram.matrix
    if live.size < len(gram):
        on = live if model.where is ALL else np.arange(live.size)
        gram = gram[on].take(on, axis=1)
    return solve_semidefinite(plus_diagonal(gram, system.ridge), _gradient(system, iterate))


def _dual_goal(system: RidgeSystem, memory: RidgeMemory) -> tuple[Float64, Float64]:
    """theta + d and a + d_a, with the n x n matrix."""
    problem, iterate, apart = system.problem, memory.iterate, system.apart
    working_set, state = problem.working_set, iterate.state
    columns = working_set.columns
    inside = np.zeros(iterate.theta.size, dtype=bool)
    inside[system.live] = system.ridge > 0.0
    inside[apart] = False
    scale = np.divide(1.0, system.weights, out=np.zeros_like(system.weights), where=inside)
    outer = working_set.outer(scale) / system.alpha
    if memory.dual_is_exact:
        dual, right = memory.dual, state.residual - memory.dual
    else:
        dual = np.zeros(state.residual.size)
        fixed = columns.predict(np.where(inside, iterate.theta, 0.0))
        right = state.residual + state.hessian_product(fixed)
    matrix = state.hessian_product(outer)
    matrix.flat[:: state.residual.size + 1] += 1.0
    *factor, singular = dgetrf(matrix, overwrite_a=1)
    if singular:  # beside values that are far larger than others
        return np.asarray(iterate.theta), memory.dual
    change = lu_solve(factor, right, check_finite=False)
    goal = iterate.theta.copy()
    if apart.size:
        move, along = _moves_apart(system, iterate, factor, dual + change)
        change -= along
        goal[apart] += move
    dual = _centred(system.base, dual + change)
    return np.where(inside, scale / system.alpha * columns.correlations(dual), goal), dual


def _moves_apart(
    system: RidgeSystem, iterate: Iterate, factor: Any, dual: Float64
) -> tuple[Float64, Float64]:
    """d_t, and (I + B K)^-1 B F d_t, which it takes from d_a."""
    problem, apart = system.problem, system.apart
    ridge = system.alpha * system.weights[apart]
    block = problem.design.block(problem.working_set.features[apart])
    curved = iterate.state.hessian_product(block)
    curved = lu_solve(factor, curved, check_finite=False)
    right = block.T @ dual - ridge * iterate.theta[apart]
    move = solve_semidefinite(plus_diagonal(block.T @ curved, ridge), right)
    return move, curved @ move


def _centred(base: Design, dual: Float64) -> Float64:
    """a as it has to be where there is an intercept: it sums to zero for each output."""
    if not base.fit_intercept:
        return dual
    each, root = dual.reshape(base.shape[0], -1), base.sqrt_weights
    return np.asarray((each - np.multiply.outer(root, root @ each)).ravel())


def _step_by_products(system: RidgeSystem, iterate: Iterate, gap: float) -> tuple[Float64, bool]:
    """d, by conjugate gradients; and whether they were not enough."""
    problem, ridge, live = system.problem, system.ridge, system.live
    columns, state = problem.working_set.columns, iterate.state
    whole = np.zeros(iterate.theta.size)

    def curved(direction: Float64) -> tuple[Float64, Float64]:
        whole[live] = direction
        image = columns.predict(whole)
        return image, state.hessian_product(image)

    is_enough, residual = _tolerance(system, iterate, gap), _gradient(system, iterate)
    squares = problem.design.column_norms[problem.working_set.features[live]] ** 2
    image, product = curved(residual / (squares + ridge))
    curvature = float(image @ product) / max(float(image @ image), TINY)
    scale = 1.0 / (curvature * squares + ridge)

    def hessian_product(direction: Float64) -> Float64:
        return columns.correlations(curved(direction)[1])[live] + ridge * direction

    found = conjugate_gradients(hessian_product, residual, scale, is_enough, MAX_STEPS)
    return found.step, not found.enough


def _tolerance(system: RidgeSystem, iterate: Iterate, gap: float) -> Any:
    """Whether a step with the equations' residual is good enough, as a function of the two."""
    problem, ridge = system.problem, system.ridge
    features, theta = problem.working_set.features[system.live], iterate.theta[system.live]
    errors = iterate.rounding.of(problem.design.rounding, features)
    weighed = weighed_features(problem.certifier, ridge, errors)
    half_inverse = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=weighed)
    largest = np.where(weighed, np.inf, 0.5 * errors * np.where(ridge > 0.0, 1.0, SOLVED))
    enough = INNER_PART * problem.certifier.gap_tol
    if not problem.term.quadratic:
        enough = max(enough, min(LEFT, gap / problem.term.scale) * gap)

    def is_enough(step: Float64, residual: Float64) -> bool:
        sizes, left = np.where(weighed, 0.0, np.abs(theta + step)), np.abs(residual)
        remaining = float(half_inverse @ residual**2) + float(left @ sizes)
        return remaining <= enough and bool((left <= largest).all())

    return is_enough


def loses_digits(system: RidgeSystem) -> bool:
    """Whether there are columns beside whose squares a penalty is rounded away; and few."""
    problem, ridge = system.problem, system.ridge
    if problem.term.quadratic or problem.working_set.complete:
        return False
    squares = problem.design.column_norms[problem.working_set.features[system.live]] ** 2
    penalised = ridge > 0.0
    if not penalised.any():
        return False
    usual = np.median(ridge[penalised])
    if (squares <= LONG * np.where(penalised, ridge, usual)).all():
        return False
    n, p = (size // system.n_outputs for size in problem.design.shape)
    return n * p <= LARGE_DATA and system.n_outputs * min(n, p) <= FEW


def coordinates_of(system: RidgeSystem) -> Coordinates:
    """What is to be solved for where columns are long."""
    K, base = system.n_outputs, system.base
    features = system.problem.working_set.features[system.live][::K] // K
    penalties = system.ridge[::K]
    long = base.column_norms[features] ** 2 > LONG * penalties
    return coordinates(base, features, penalties, long)


def _square_root_goal(system: RidgeSystem, iterate: Iterate) -> Float64:
    """theta + d of the live columns, from the square root of the Hessian."""
    on, term = coordinates_of(system), system.problem.term
    values = on.values(iterate.theta[system.live].reshape(-1, system.n_outputs))
    return on.coefficients(values + on.step(term, iterate.state, values)).ravel()
