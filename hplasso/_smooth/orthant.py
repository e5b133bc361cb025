"""The finish on faces: exact zeros by optimality, and no corner of the penalty elsewhere.

A face is a support A with signs s. On it, with x_A = s o v^m, v >= 0, the objective is smooth,

    F = h(x) + sum_A lambda_j v_j^e,      m = e = 1 for q = 1;   m = K, e = 2 for q = 2/K,

and L-BFGS-B minimises it with the signs as bounds (for q < 1, v are balanced factors: their signs
are locked, as is wanted here). The first face is that of one proximal step from where the factors
led: what is still shrinking goes to zero. Then, by turns, what reaches zero leaves the face, what
violates its condition at zero enters on the side that lowers F, and each face is solved to FACE_TOL
times the violations before, until none is larger than the tolerance.

F goes down on each face. Once rounding of F hides that, Newton's method goes on from gradients
alone, by conjugate gradients.
"""

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from .._numerics.typing import Float64, Index, Mask
from .objective import CONVERGED, ROUNDED, Evaluation, Objective
from .product import Report, lbfgs

# Each face is solved until its violations are this part of what they were: smaller ones take more
# iterations on faces that change, larger ones more faces. On the problems of `product` .5 takes a
# tenth to a quarter more evaluations (examples/benchmarks/smooth.py).
FACE_TOL = 0.1
# A face, or a Newton step, has made progress if it leaves no more than this part of the violations;
# less is rounding. A numerical limit.
PROGRESS = 0.5
# For q < 1: a coordinate is set to zero where this part of the penalty's slope is more than the
# gradient's, which F then confirms: what it trades is evaluations for local minima.
SHRINKS = 0.5
# The length of a difference of gradients, relative to v: the square root of the unit of rounding
# balances rounding and curvature. A numerical limit.
DIFFERENCE = 1e-8
# Products in one Newton step; a limit for systems on which conjugate gradients do not converge.
MAX_PRODUCTS = 500


def without_shrinking(objective: Objective, before: Evaluation, here: Evaluation) -> Evaluation:
    """Set to zero what is still shrinking, from the last two iterates.

    For q = 1, what one proximal step does, of the length that the iterates show: what has to come
    back violates its condition then. For q < 1, where the penalty's slope is the larger, or the
    smaller half of that and so on, as soon as F does not rise.
    """
    q, g = objective.power, here.gradient
    on = ((here.x != 0.0) & (objective.penalty > 0.0)).nonzero()[0]
    size, penalty, outward = np.abs(here.x[on]), objective.penalty[on], np.sign(here.x[on]) * g[on]
    if q == 1.0:
        direction, bent = here.x - before.x, g - before.gradient
        curvature = float(direction @ bent)
        length = float(direction @ direction) / curvature if curvature > 0.0 else 0.0
        pulled = on[size - length * outward <= length * penalty]
        return without(objective, here, pulled) if pulled.size else here
    pulled = on[outward + SHRINKS * penalty * q * size ** (q - 1.0) > 0.0]
    pulled = pulled[np.argsort(np.abs(here.x[pulled]))]
    while pulled.size:
        new = without(objective, here, pulled)
        if new.objective <= here.objective:
            return new
        pulled = pulled[: pulled.size // 2]
    return here


def without(objective: Objective, at: Evaluation, positions: Index) -> Evaluation:
    """With some coordinates at zero."""
    x = at.x.copy()
    x[positions] = 0.0
    return objective.at(x)


class FaceProblem:
    """F on the face of an evaluation and of what enters, in the variables v."""

    def __init__(self, objective: Objective, at: Evaluation, entering: Mask) -> None:
        x, q = at.x, objective.power
        self.objective = objective
        self.positions = ((x != 0.0) | entering).nonzero()[0]
        on = x[self.positions]
        self.penalty = objective.penalty[self.positions]
        free = self.penalty == 0.0
        pulled = -np.sign(at.gradient[self.positions])
        self.signs = np.where(free, 1.0, np.where(on != 0.0, np.sign(on), pulled))
        self.m = np.where(free | (q == 1.0), 1.0, 2.0 / q)
        self.e = np.where(free, 1.0, self.m * q)
        self.start = np.where(free, on, np.abs(on) ** (1.0 / self.m))
        bounded = ~free | objective.positive
        self.lower = np.where(bounded, 0.0, -np.inf)
        self.scale = objective.scale[self.positions]
        if q < 1.0:  # of a violation relative to the penalty's slope, at the start
            slopes = np.where(free, self.scale, self.penalty * self.e * self.start)
            self.scale = np.full(on.size, slopes[free | (on != 0.0)].min(initial=np.inf))

    def x(self, v: Float64) -> Float64:
        """x of the variables v."""
        x = np.zeros_like(self.objective.penalty)
        x[self.positions] = self.signs * v**self.m
        return x

    def evaluate(self, v: Float64) -> tuple[float, Float64, Evaluation]:
        """F, its gradient with respect to v, and the evaluation."""
        at = self.objective.at(self.x(v))
        return at.objective, self.gradient(v, at), at

    def gradient(self, v: Float64, at: Evaluation) -> Float64:
        """m v^(m - 1) s g + lambda e v^(e - 1)."""
        bent = self.m * v ** (self.m - 1.0) * self.signs * at.gradient[self.positions]
        return bent + self.penalty * self.e * v ** (self.e - 1.0)

    def moving(self, v: Float64, slope: Float64) -> Mask:
        """Which variables no bound stops."""
        return np.asarray((v > self.lower) | (slope < 0.0))

    def violation(self, v: Float64, slope: Float64) -> float:
        """The largest gradient that no bound stops, relative to `scale`."""
        moving = self.moving(v, slope)
        return float((np.abs(slope[moving]) / self.scale[moving]).max(initial=0.0))


def finish(
    objective: Objective, at: Evaluation, tol: float, maxcor: int, report: Report
) -> tuple[Evaluation, int]:
    """From face to face until the violations are at most `tol`; where that ends, and how."""
    violations = objective.violations(at)
    while True:
        kkt, kkt_tol = float(violations.max(initial=0.0)), max(tol, objective.gradient_error(at))
        if kkt <= kkt_tol:
            return at, CONVERGED
        face = FaceProblem(objective, at, violations > kkt_tol)
        new = solve_on(face, at, max(FACE_TOL * kkt, 0.5 * kkt_tol), maxcor, report)
        if objective.power < 1.0:  # v comes near zero, where its gradient vanishes, but not there
            new = without_shrinking(objective, at, new)
        violations = objective.violations(new)
        remaining = float(violations.max(initial=0.0))
        if remaining > max(kkt_tol, PROGRESS * kkt) and not new.objective < at.objective:
            return new if remaining < kkt else at, ROUNDED
        at = new


def solve_on(
    face: FaceProblem, at: Evaluation, tol: float, maxcor: int, report: Report
) -> Evaluation:
    """Minimise on a face, until the violations there are at most `tol`."""
    latest = [at]

    def after_iteration(v: Float64, slope: Float64, new: Evaluation) -> None:
        latest[:] = [new]
        report(new)
        if face.violation(v, slope) <= tol:
            raise StopIteration

    bounds = [(lower, None) for lower in face.lower]
    solution = lbfgs(face.evaluate, face.start, bounds, maxcor, after_iteration)
    v, slope = np.asarray(solution.x), np.asarray(solution.jac)
    if face.violation(v, slope) <= tol:
        return latest[0]
    return polish(face, v, slope, solution.hess_inv, latest[0], tol, report)


def polish(
    face: FaceProblem,
    v: Float64,
    slope: Float64,
    inverse: Any,
    at: Evaluation,
    tol: float,
    report: Report,
) -> Evaluation:
    """Newton's steps without a look at F, as long as they make the gradient smaller."""
    while face.violation(v, slope) > tol:
        moving = face.moving(v, slope)
        step = newton_step(face, v, slope, moving, inverse)
        if not np.isfinite(step).all():
            break
        new_v = np.maximum(v + step, face.lower)
        new = face.objective.at(face.x(new_v))
        new_slope = face.gradient(new_v, new)
        size = np.linalg.norm(new_slope[face.moving(new_v, new_slope)])
        if not size < PROGRESS * np.linalg.norm(slope[moving]):
            break
        at, v, slope = new, new_v, new_slope
        report(at)
    return at


def newton_step(
    face: FaceProblem, v: Float64, slope: Float64, moving: Mask, inverse: Any
) -> Float64:
    """-H^-1 slope of the moving coordinates, by conjugate gradients; the others stay.

    Products with the Hessian H are differences of gradients; what L-BFGS-B has learned of its
    inverse is the preconditioner.
    """

    def whole(part: Float64) -> Float64:
        vector = np.zeros_like(v)
        vector[moving] = part
        return vector

    def slope_at(there: Float64) -> Float64:
        return face.gradient(there, face.objective.at(face.x(there)))

    def product(part: Float64) -> Float64:
        direction = whole(part)
        if not np.isfinite(direction).all():  # of a Hessian that is zero to rounding
            return part
        length = DIFFERENCE * max(1.0, float(np.linalg.norm(v))) / float(np.linalg.norm(direction))
        if not face.objective.positive:
            return ((slope_at(v + length * direction) - slope) / length)[moving]
        # h is not to be evaluated beyond the bound: up to one point, and up to another
        up, down = np.maximum(direction, 0.0), np.maximum(-direction, 0.0)
        return ((slope_at(v + length * up) - slope_at(v + length * down)) / length)[moving]

    shape = (int(moving.sum()),) * 2
    hessian = LinearOperator(shape, matvec=product, dtype=np.float64)
    learned = LinearOperator(
        shape, matvec=lambda part: (inverse @ whole(part))[moving], dtype=np.float64
    )
    with np.errstate(all="ignore"):
        return whole(cg(hessian, -slope[moving], M=learned, maxiter=MAX_PRODUCTS, atol=0.0)[0])
