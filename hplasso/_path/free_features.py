"""Features without penalty, F, where a Hessian H is known by its products alone.

In a model of the others, P, they are at their best, as an intercept is in each state:

    H_PP - H_PF H_FF^+ H_FP        and        z_P - H_PF H_FF^+ z_F

take the place of H and z, and a step d_P takes d_F = H_FF^+ (z_F - H_FP d_P) along. A dual point is
feasible only if it is orthogonal to their columns, so that a gap asks for z_F = 0 to the last
digit, while what is left of z_P may be a part of the penalties. So after each step Newton's method
goes on with F alone (`with_best_free`). F is small, and so is what is formed.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

import numpy as np

from .._datafit.base import Model, State
from .._datafit.iterate import Iterate
from .._numerics.linalg import (
    Operator,
    independent_cholesky,
    scaled_inverse_root,
    solve_semidefinite,
)
from .._numerics.typing import Float64, Index
from .problem import PathProblem

# Beside more of them, or where H_PF has more numbers (64 MB), Hessians are formed: a model takes a
# product for each of them, and a matrix of so many columns is factorised (constants.py).
FEW, LARGEST_BETWEEN = 500, 2**23
# Newton's steps after a model, a limit of what may be spent. They end where z'H^+ z does not go
# down by this factor: what is left then is rounding, or will be solved by the next model.
MOST_STEPS, FALLING = 10, 0.5


@final
class SchurComplement:
    """H_PP - C C', an `Operator`, with H_PP by its products and C = H_PF R, R R' = H_FF^+."""

    matrix: Any = None

    def __init__(self, operator: Operator, between: Float64) -> None:
        self._operator, self._between = operator, between

    def __len__(self) -> int:
        return len(self._operator)

    def __matmul__(self, vector: Float64) -> Float64:
        product = self._operator @ vector
        return np.asarray(product - self._between @ (self._between.T @ vector))

    def diagonal(self) -> Float64:
        """That of H_PP: it tells how far coordinates may go."""
        return self._operator.diagonal()

    def on(self, kept: Index) -> SchurComplement:
        return SchurComplement(self._operator.on(kept), self._between[kept])

    def plus(self, ridge: Float64) -> SchurComplement:
        return SchurComplement(self._operator.plus(ridge), self._between)


class FreePart(NamedTuple):
    """What a model has lost: positions of F in the working set, R, C, and R'z_F."""

    positions: Index
    root: Float64
    between: Float64
    shift: Float64

    def step(self, step: Float64) -> Float64:
        """d_F for d_P."""
        return np.asarray(self.root @ (self.shift - self.between.T @ step))


def free_positions(problem: PathProblem) -> Index:
    """The features without penalty that are in the working set, by their positions there."""
    weights, features = problem.penalty.weights, problem.working_set.features
    free = (weights[features] == 0.0) & (problem.design.column_norms[features] > 0.0)
    return free.nonzero()[0]


def has_few_free(problem: PathProblem) -> bool:
    """Whether there is F, and models can do without it."""
    if problem.penalty.all_penalised or problem.penalty.positive:
        return False
    size, n_free = problem.working_set.features.size, free_positions(problem).size
    return 0 < n_free <= FEW and size * n_free <= LARGEST_BETWEEN


def without_free(problem: PathProblem, iterate: Iterate, model: Model) -> tuple[Model, FreePart]:
    """A model by products, on P alone; and what it takes along."""
    where = np.arange(iterate.theta.size)[model.where]
    is_free = problem.penalty.weights[problem.working_set.features[where]] == 0.0
    free, kept = is_free.nonzero()[0], (~is_free).nonzero()[0]
    columns = np.empty((where.size, free.size))
    for column, position in zip(columns.T, free, strict=True):
        unit = np.zeros(where.size)
        unit[position] = 1.0
        column[:] = model.gram @ unit
    root = scaled_inverse_root(columns[free])
    z, between = iterate.z[problem.working_set.features[where]], columns[kept] @ root
    part = FreePart(where[free], root, between, root.T @ z[free])
    gram = SchurComplement(model.gram.on(kept), between)
    target = gram @ iterate.theta[where[kept]] + z[kept] - between @ part.shift
    support = np.flatnonzero(np.isin(where[kept], where[model.support]))
    return Model(where[kept], gram, target, support), part


def with_best_free(
    problem: PathProblem, iterate: Iterate, theta: Float64, state: State, most: float = np.inf
) -> tuple[Float64, State]:
    """Coefficients with the best ones of F, and the state there, after a step from an iterate.

    Not if that lets f go down by more than `most`. What depends on others may stay at zero.
    """
    free = free_positions(problem)
    return _newton(problem, iterate, theta, state, free[theta[free] != 0.0], most)


def free_alone(problem: PathProblem, zero: Iterate, alpha: float) -> Iterate:
    """From zero, the fit of F alone, where a curved loss begins; zero if that is hard to find."""
    weights, lengths = problem.penalty.weights, problem.design.column_norms
    free, long = ((weights == 0.0) & (lengths > 0.0)).nonzero()[0], problem.long_columns
    outliers = long is not None and long.too_long(0.0)
    if problem.term.quadratic or problem.penalty.positive or outliers or not 0 < free.size <= FEW:
        return zero
    problem.working_set.admit(free)
    free, zero = free_positions(problem), zero.grown(problem.working_set.features.size)
    matrix = zero.state.hessian_on(problem.working_set, free)
    free = free[independent_cholesky(matrix)[1]]
    theta, state = _newton(problem, zero, zero.theta, zero.state, free)
    iterate = problem.observe(theta, theta.nonzero()[0], state, alpha)
    return iterate if iterate.feasible_alpha < np.inf else zero


def _newton(
    problem: PathProblem,
    iterate: Iterate,
    theta: Float64,
    state: State,
    free: Index,
    most: float = np.inf,
) -> tuple[Float64, State]:
    """`with_best_free` for these."""
    term, working_set = problem.term, problem.working_set
    errors = iterate.rounding.of(problem.design.rounding, working_set.features[free])
    none, last = np.zeros_like(theta), np.inf
    for _ in range(MOST_STEPS):
        z = working_set.columns.correlations(state.residual)[free]
        if (np.abs(z) <= errors).all():
            break
        step = solve_semidefinite(state.hessian_on(working_set, free), z)
        decrement, goal = float(z @ step), theta.copy()
        if not decrement < min(FALLING * last, 2.0 * most):
            break
        goal[free] += step
        theta, state = term.line_search(working_set, state, theta, goal, (none, None))
        last = decrement
    return theta, state
