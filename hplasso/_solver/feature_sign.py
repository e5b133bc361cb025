"""The feature-sign step, for what sweeps cannot do: a column enters that depends on the support.

Sweeps keep the support independent. A *feature-sign step* goes from a point to the minimiser of its
own face, where it stops to drop each coordinate that reaches zero; then the largest violator
enters. If that depends on the support, the step follows their null vector, on which the fit stands
still and the penalty falls, until a coordinate of the support reaches zero and leaves (a pivot of
the simplex method). f goes down at every step, and it ends in the minimiser of a face. The linear
solver has to be exact, and the Gram matrix formed.

References
----------
H. Lee, A. Battle, R. Raina and A. Y. Ng, Efficient sparse coding algorithms, NeurIPS 2006.
"""

import numpy as np

from .._numerics.typing import Float64, Index
from .faces import Point, move_to_zero, point_of, violators
from .linear_solver import LinearSolver, on_face
from .restricted_problem import RestrictedProblem

# Curvature, relative to that of the single coordinate, that is the rounding error of a dependent
# column's: a numerical limit.
CURVATURE_ROUNDING = 1e-13
# A slope along a null vector, for the length of its longest part and the largest penalty for a
# length, that is rounding: a numerical limit.
SLOPE_ROUNDING = 1e-9


def feature_sign_step(problem: RestrictedProblem, solver: LinearSolver, point: Point) -> Point:
    """From the minimiser of a point's face, let one violator enter; f goes down.

    It is the one with the largest excess over its penalty, for the length of its column.
    """
    point = minimise_on_face(problem, solver, point.theta)
    outside = violators(problem, point)
    if not outside.size:
        return point
    excess = np.abs(point.z[outside]) - problem.penalty[outside]
    entrant = int(outside[np.argmax(excess / np.sqrt(problem.diagonal[outside]))])
    theta = add_entrant(problem, solver, point, entrant)
    return minimise_on_face(problem, solver, theta)


def minimise_on_face(problem: RestrictedProblem, solver: LinearSolver, theta: Float64) -> Point:
    """Go to the minimiser of theta's own face, dropping what reaches zero before."""
    support, arrived = theta.nonzero()[0], False
    while support.size and not arrived:
        solver.update(problem.operator, support, support.size)
        face = solver.positions
        if solver.active.size < support.size:
            theta = drop_dependent(problem, solver, theta)
        else:
            right = problem.target[face] - problem.penalty[face] * np.sign(theta[face])
            direction = solver.solve(right) - theta[face]
            theta, arrived = _move(problem, theta, face, direction, 1.0)
        support = theta.nonzero()[0]
    return point_of(problem, theta)


def add_entrant(
    problem: RestrictedProblem, solver: LinearSolver, point: Point, entrant: int
) -> Float64:
    """Let one coordinate enter, the others of the face following, as far as f goes down.

    With theta_A the minimiser of its face, the direction is d_e = s_e, d_A = -G_AA^-1 G_Ae s_e; f
    falls along it at the rate |z_e| - lambda_e, with the curvature G_ee - G_eA G_AA^-1 G_Ae: none,
    if the column depends on those of the support.
    """
    solver.update(problem.operator, point.support, point.support.size)
    support, sign = solver.active, np.sign(point.z[entrant])
    response = _response(problem, solver, entrant)
    curvature = problem.diagonal[entrant]
    curvature = curvature - problem.operator.matrix[support, entrant] @ response
    slope = np.abs(point.z[entrant]) - problem.penalty[entrant]
    curved = curvature > CURVATURE_ROUNDING * problem.diagonal[entrant]
    length = slope / curvature if curved else np.inf
    direction = sign * np.append(-response, 1.0)
    return _move(problem, point.theta, np.append(support, entrant), direction, length)[0]


def drop_dependent(problem: RestrictedProblem, solver: LinearSolver, theta: Float64) -> Float64:
    """Bring as many coordinates to zero as there are columns that depend on the solver's face.

    The fit stands still on the null vectors of these columns; the sign of the direction is the one
    with which the penalty does not go up. Along those of coordinates without penalty it stands
    still, too, to rounding. What has reached zero is eliminated from the null vectors that are
    left.
    """
    face = solver.active
    extra = np.setdiff1d(theta.nonzero()[0], face)
    responses = np.column_stack([_response(problem, solver, column) for column in extra])
    null, on = np.concatenate([responses, -np.eye(extra.size)]), np.append(face, extra)
    lengths, penalty = np.sqrt(problem.diagonal[on]), problem.penalty[on]
    limit = SLOPE_ROUNDING * float((penalty / lengths).max())
    for i, column in enumerate(extra):
        before, direction = theta, null[:, i] * np.sign(theta[column])
        length = abs(float(theta[column]))
        slope = float((penalty * np.sign(theta[on])) @ direction)
        if slope > limit * float((lengths * np.abs(direction)).max()):
            direction, length = -direction, np.inf
        theta, arrived = _move(problem, theta, on, direction, length)
        if arrived:
            theta[column] = 0.0
        zero = ((theta[on] == 0.0) & (before[on] != 0.0)).nonzero()[0]
        if zero.size != 1:  # more at a time: the face is to be factorised anew
            break
        left = null[:, i + 1 :]
        left -= np.outer(direction, left[zero[0]] / direction[zero[0]])
        left[zero[0]] = 0.0
    return theta


def _response(problem: RestrictedProblem, solver: LinearSolver, column: int) -> Float64:
    """G_AA^-1 G_Aj on the face A of the solver."""
    right = problem.operator.matrix[solver.positions, column]
    return on_face(solver, solver.solve(right))


def _move(
    problem: RestrictedProblem, theta: Float64, face: Index, direction: Float64, length: float
) -> tuple[Float64, bool]:
    """Go `length` along `direction`, or to where the first penalised coordinate reaches zero.

    Returns also whether it is the whole length.
    """
    shrinking = theta[face] * direction < 0.0
    if problem.unpenalised is not None:
        shrinking &= ~problem.unpenalised[face]
    theta, first = move_to_zero(theta, face, direction, shrinking, length)
    return theta, length < first
