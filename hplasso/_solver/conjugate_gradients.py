"""Conjugate gradients: for the systems of a face, and for those of a sweep.

They need G by its products alone (`operator`). Where the columns of the support hold far fewer
numbers than its Gram matrix would, a product G v = C (C'v) is cheap and G is never formed: then
`ConjugateGradients` solves a face, from the solution at the last alpha on in some ten steps. Faces
are solved roughly at first, which tells who leaves and who enters; to the tolerance when that has
settled. On dependent columns conjugate gradients may not converge at all; then they have `failed`,
and a factorisation has to do it.

For a sweep, some steps towards either ridge update are enough (`descending_sweep`): g goes down at
each, and the finish follows. Truncated models (`truncated`) go on by `conjugate_residuals`, as what
they leave of the equations is what the gap is about.
"""

from collections.abc import Callable
from typing import NamedTuple, final

import numpy as np

from .._numerics.linalg import Operator
from .._numerics.typing import NOBODY, Float64, Index, Mask
from .hadamard import Factors, stop_at_zero
from .linear_solver import on_face
from .restricted_problem import RestrictedProblem

# The steps for a face. Without dependent columns there are some ten: then 30 or 800 make no
# difference; with them, this is what is lost before a factorisation takes over (constants.py).
MAX_STEPS = 200
# A first solution of a face is off by this part of the geometric mean of the tolerance and the
# penalty. Larger, more signs are wrong; smaller, there are more steps for faces that are left
# again. On a path of a very sparse X, from 0.03 to 1 the times were within 8 % (constants.py).
ROUGH = 0.3
# A face of less than this part of the coordinates has an operator of its own. To make that takes
# a copy of its columns, to do without it multiplies with coordinates that are zero. On a path of a
# very sparse X, 0.3 took as long, 0.7 had 14 % more products, 0.9 took eight times as long
# (constants.py).
OWN_OPERATOR = 0.5
# What an update of a sweep leaves of the gradient, and its steps. With more, a product is closer to
# that of an exact sweep; the finish follows anyway. From 0.01 to 0.5, and from 1 step to 6, the
# times of a path of a very sparse X were within 4 % (constants.py).
REDUCTION = 0.1
MAX_UPDATE_STEPS = 3


@final
class ConjugateGradients:
    """A `LinearSolver`; dependent coordinates stay on the face.

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
    failed : bool
        Whether a solution did not converge.
    """

    exact = False

    def __init__(self, theta: Float64, tolerance: Float64, penalty: Float64) -> None:
        self.positions: Index = NOBODY
        self.fixed: Mask | None = None
        self.operator: Operator
        self.failed = False
        self.start = theta.copy()
        self._tolerance = tolerance
        self.accuracy = np.maximum(tolerance, ROUGH * np.sqrt(tolerance * penalty))

    @property
    def active(self) -> Index:
        return on_face(self, self.positions)

    def update(
        self, operator: Operator, support: Index, n_trusted: int, solving: bool = True
    ) -> None:
        chosen = np.zeros(len(operator), dtype=bool)
        chosen[support] = True
        known = int(np.count_nonzero(chosen[self.positions]))
        if known < support.size or known < OWN_OPERATOR * self.positions.size:
            whole = support.size >= OWN_OPERATOR * len(operator)
            self.positions = np.arange(len(operator)) if whole else support
            self.operator = operator if whole else operator.on(support)
        fixed = ~chosen[self.positions]
        self.fixed = fixed if fixed.any() else None

    def fix_at_zero(self, fixed: Mask) -> None:
        self.fixed = fixed

    def refine(self) -> bool:
        """Solve to the tolerance from here on; returns whether that is new."""
        rough = self.accuracy is not self._tolerance
        self.accuracy = self._tolerance
        return rough

    def solve(self, right: Float64) -> Float64:
        """The minimiser, to `accuracy`."""
        operator, tolerance = self.operator, self.accuracy[self.positions]
        active = np.ones(right.size, dtype=bool) if self.fixed is None else ~self.fixed
        theta = np.where(active, self.start[self.positions], 0.0)
        found = conjugate_gradients(
            operator.__matmul__,
            right - operator @ theta,
            active / operator.diagonal(),
            lambda step, residual: bool((np.abs(residual) * active <= tolerance).all()),
            MAX_STEPS,
        )
        self.failed |= not found.enough
        self.start[self.positions] = theta = theta + found.step
        return theta


def descending_sweep(
    problem: RestrictedProblem, factors: Factors, z: Float64
) -> tuple[Factors, Float64]:
    """A sweep by conjugate gradients, of coordinates with penalties; z before and after."""
    mu, z = ridge_descent(problem, factors.mu, factors.nu, z)
    nu, z = ridge_descent(problem, factors.nu, mu, z)
    return Factors(mu, nu), z


def ridge_descent(
    problem: RestrictedProblem, mu: Float64, nu: Float64, z: Float64
) -> tuple[Float64, Float64]:
    """From mu towards argmin_mu g(mu, nu) by some conjugate gradients; g goes down at each.

    The gradient is penalty o mu - nu o z. Returns z there, too.
    """
    penalty = problem.penalty
    curvature = nu**2 * problem.diagonal + penalty
    scale = np.divide(1.0, curvature, out=np.zeros_like(mu), where=curvature > 0.0)
    residual = nu * z - penalty * mu
    enough = REDUCTION**2 * float(scale @ residual**2)
    images: list[Float64] = []

    def product(direction: Float64) -> Float64:
        images.append(problem.operator @ (nu * direction))
        return nu * images[-1] + penalty * direction

    found = conjugate_gradients(
        product,
        residual,
        scale,
        lambda step, residual: float(scale @ residual**2) <= enough,
        MAX_UPDATE_STEPS,
    )
    new = mu + found.step
    if problem.positive:
        stopped = stop_at_zero(mu, nu, new)
        if stopped is not new:
            return stopped, z - problem.operator @ (nu * (stopped - mu))
    for length, image in zip(found.lengths, images, strict=False):
        z = z - length * image
    return new, z


class Found(NamedTuple):
    """A step d, the lengths of its parts, what it leaves of the equations; if that is enough."""

    step: Float64
    lengths: list[float]
    residual: Float64
    enough: bool


def conjugate_gradients(
    product: Callable[[Float64], Float64],
    residual: Float64,
    scale: Float64,
    is_enough: Callable[[Float64, Float64], bool],
    max_steps: int,
) -> Found:
    """d with A d = b, given products with A and the `residual` of no step, b.

    `scale` is about the inverse of A's diagonal. `is_enough` judges d and what it leaves of b.
    """
    lengths: list[float] = []
    step, direction = np.zeros_like(residual), scale * residual
    squared_norm = float(residual @ direction)
    for _ in range(max_steps):
        if is_enough(step, residual):
            return Found(step, lengths, residual, True)
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 0.0:
            break
        length = squared_norm / curvature
        lengths.append(length)
        step, residual = step + length * direction, residual - length * image
        preconditioned = scale * residual
        before, squared_norm = squared_norm, float(residual @ preconditioned)
        direction = preconditioned + (squared_norm / before) * direction
    return Found(step, lengths, residual, False)


def conjugate_residuals(
    product: Callable[[Float64], Float64],
    residual: Float64,
    scale: Float64,
    is_enough: Callable[[Float64, Float64], bool],
    max_steps: int,
) -> Found:
    """The same d, by steps that make what is left of b small, in place of d'A d / 2 - b'd.

    Both go down at each. Where what is left decides, and A is far from well conditioned, there are
    fewer of them: fits of text data took .96 of the time in the mean.

    References
    ----------
    D. C.-L. Fong and M. Saunders, CG versus MINRES: an empirical comparison, Sultan Qaboos
    University Journal for Science 17 (2012) 44-62, section 2.
    """
    lengths: list[float] = []
    step, scaled = np.zeros_like(residual), scale * residual
    direction = image = np.zeros_like(residual)
    before = np.inf
    for _ in range(max_steps):
        if is_enough(step, residual):
            return Found(step, lengths, residual, True)
        image_of_scaled = product(scaled)
        curvature = float(scaled @ image_of_scaled)
        if not curvature > 0.0:
            break
        direction = scaled + (curvature / before) * direction
        image = image_of_scaled + (curvature / before) * image
        scaled_image = scale * image
        length = curvature / float(image @ scaled_image)
        lengths.append(length)
        step, residual = step + length * direction, residual - length * image
        scaled, before = scaled - length * scaled_image, curvature
    return Found(step, lengths, residual, False)
