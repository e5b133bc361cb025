"""Least squares by orthogonal factors, where Gram matrices have lost what matters.

Columns that share a code such as 999999999 in one row are the same to fifteen digits, and so are
their products with others; what they differ in may carry the whole fit. Taking off means loses it
as well. So columns stay as they are, an intercept is one more column of ones, and on a face, of all
that is not at zero or has no penalty,

    B = [diag(sqrt v) X; diag(sqrt rho)] = Q R        (rows by size, columns pivoted),

which is exact in each row next to its own size (Cox and Higham 1998). With e = [r; -sqrt(rho)
theta], what B'e has beyond lambda s leads both to a dual point d and to the minimiser on the face:

    h = R^-T (B'e - lambda s),        d = e - Q h,        theta + R^-1 h,

again and again, for the last digits. d is kept as a sum of two vectors, `dual` and `low_part`. Sums
that may cancel are rounded once (`exact_sums`). The gap of theta is 1/2 ||r - d||^2
and what `ridged_gap` says of z = X'diag(sqrt v) d; what is left to rounding is counted in.

`descend_by_faces` goes from face to face: what reaches zero on the way leaves, the largest violator
enters. A column that depends on others comes in along the null vector, on which the fit stands
still, until a coefficient reaches zero (as in `feature_sign`).

References
----------
A. J. Cox and N. J. Higham, Stability of Householder QR factorization for weighted least squares
problems, Numerical Analysis 1997, Longman (1998) 57-73.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.linalg.lapack import dgeqrf, dormqr

from .._datafit.iterate import Iterate
from .._design.design import Design
from .._numerics.blocks import slices
from .._numerics.rounding import ROUNDING, UNIT, exact_sums
from .._numerics.typing import Float64, Index, Mask
from .._penalties.duality_gap import Certificate, ridged_gap
from .._solver.faces import move_to_zero
from .problem import PathProblem

# What is left of a column's length where it depends on others: a numerical limit.
DEPENDENT = 1e-14
# Rounds that refine a dual point, each some digits more; and faces in a row on which nothing but
# the last digits moves: numerical limits.
REFINEMENTS, STILL = 4, 4
# A gap within the tolerance is lowered as long as it halves, down to this part of the tolerance:
# digits against faces, on few and small problems.
HALVED, POLISHED = 0.5, 1e-8
# A part of its penalty by which the correlation of a dependent column differs as rounding: a
# numerical limit.
SLIGHT = 1e-6
# Multiplications for one penalty, a second or two; and faces: limits of cost.
MOST_WORK, MOST_FACES = 1e9, 300
# What a term of an exact sum takes, in multiplications.
SUMMED = 200


class Dual(NamedTuple):
    """u = sqrt(v) d of the dual point d + rest, the step on the face, and what of that is kept.

    The `size` is that of u and of what it was computed from, to rounding; `left` is how far d is
    from one that has all correlations of the face right, which are `z` then.
    """

    weighted: Float64
    low_part: Float64
    size: Float64
    left: float
    z: Float64
    step: Float64
    kept: Mask


class CertifiedPoint(NamedTuple):
    """A certificate, and the coefficients of all features that it is of."""

    certificate: Certificate
    theta: Float64


@dataclass
class DataProblem:
    """1/2 sum_i v_i (y_i - b - x_i'theta)^2 + sum_j lambda_j |theta_j| + rho_j/2 theta_j^2.

    Attributes
    ----------
    design : Design
        With nothing taken off the columns. If it has an intercept, b is free, else it is zero.
    response : ndarray of shape (n,)
        sqrt(v) y.
    penalty, ridge : ndarrays of shape (p,)
        lambda and rho.
    positive : bool
        Whether theta >= 0 is asked for.
    dtype : type
        Of coefficients that are returned.
    summed : float
        What exact sums have taken so far, in multiplications.
    """

    design: Design
    response: Float64
    penalty: Float64
    ridge: Float64
    positive: bool
    dtype: Any
    summed: float = 0.0

    @property
    def unpenalised(self) -> Mask:
        """What has neither penalty nor sign."""
        live = self.design.column_norms > 0.0
        return live & (self.penalty == 0.0) & (self.ridge == 0.0) & (not self.positive)

    def work(self, size: int) -> float:
        """What a step on a face of this size takes, in multiplications, without exact sums."""
        n, p = self.design.shape
        return float((size + 1) ** 2 * (n + size) + 4 * n * p)

    def exact_sums(self, left: Float64, right: Float64, more: Float64) -> Float64:
        """left @ right + more, rounded once; what that takes is added up."""
        self.summed += SUMMED * left.size
        return exact_sums(left, right, more)

    def blurred(self, theta: Float64) -> float:
        """What the last digits of theta may add to the objective."""
        on = theta.nonzero()[0]
        moved = self.design.sqrt_weights * (np.abs(self.design.values(on)) @ np.abs(theta[on]))
        return 0.5 * float(np.finfo(self.dtype).eps) ** 2 * float(moved @ moved)

    def residual(self, theta: Float64) -> tuple[Float64, float]:
        """r at the best intercept; and the length of what is rounded in it."""
        on, root = theta.nonzero()[0], self.design.sqrt_weights
        y = np.divide(self.response, root, out=np.zeros_like(root), where=root > 0.0)
        residual = self.exact_sums(self.design.values(on), -theta[on], y)
        size = np.abs(residual)
        for _ in range(2 * self.design.fit_intercept):
            shift = float(root**2 @ residual)
            residual, size = residual - shift, size + abs(shift)
        return root * residual, ROUNDING * float(np.sqrt(root**2 @ size**2))

    def correlations(self, dual: Dual, on: Index) -> tuple[Float64, Float64, Float64]:
        """z of all features, exact where that matters, and what rounding may change in it.

        And in that of a column that depends on others, given those of the others.
        """
        design = self.design
        z, errors = np.zeros((2, self.penalty.size))
        whole = dual.weighted + design.sqrt_weights * dual.low_part
        for where in slices(z.size, whole.size):
            values = design.values(np.arange(z.size)[where])
            z[where] = values.T @ whole
            errors[where] = ROUNDING * (np.abs(values).T @ dual.size)
        abs_z = z if self.positive else np.abs(z)
        dependent, doubtful = errors.copy(), abs_z + errors > self.penalty
        doubtful[on] = True
        chosen = (doubtful & (design.column_norms > 0.0)).nonzero()[0]
        for where in slices(chosen.size, whole.size):
            features = chosen[where]
            values = design.values(features)
            more = values.T @ (design.sqrt_weights * dual.low_part)
            z[features] = self.exact_sums(values.T, dual.weighted, more)
            errors[features] = ROUNDING * np.abs(z[features])
        return z, errors, dependent


class Face:
    """Columns on which z_j = lambda_j s_j + rho_j theta_j is to hold, and their factor."""

    def __init__(self, problem: DataProblem, features: Index) -> None:
        design, ridge = problem.design, problem.ridge[features]
        self.features, self._root, self._ridge = features, design.sqrt_weights, np.sqrt(ridge)
        self._exact_sums = problem.exact_sums
        self._blank = UNIT * float(np.sqrt(problem.response @ problem.response))
        self._values = design.values(features)
        below = np.diag(self._ridge)[ridge > 0.0]
        if design.fit_intercept:
            self._values = np.column_stack([self._values, np.ones(design.shape[0])])
            below = np.pad(below, ((0, 0), (0, 1)))
        matrix = np.concatenate([self._root[:, None] * self._values, below])
        lengths = np.sqrt((matrix**2).sum(axis=0))
        self._length = np.where(lengths > 0.0, lengths, 1.0)
        order = np.argsort(-np.abs(matrix).max(axis=1, initial=0.0))
        firm = np.ones(lengths.size, dtype=bool)
        firm[: features.size] = problem.penalty[features] + ridge == 0.0
        Q, self._R, self._kept = factorised((matrix / self._length)[order], firm)
        self._Q = np.empty_like(Q)
        self._Q[order] = Q
        self._scaled = matrix / self._length

    def dual(self, residual: Float64, theta: Float64, target: Float64) -> Dual:
        """From r, and theta and lambda s on the face."""
        n, size, ridged = residual.size, self.features.size, self._ridge > 0.0
        root, pad = self._root, self._length.size - self.features.size
        weighted, below = root * residual, self._ridge * theta
        low_part, step = np.zeros(n), np.zeros(self._length.size)
        least = np.inf
        for _ in range(REFINEMENTS):
            right = np.pad(target + self._ridge * below, (0, pad))
            lacking = self._exact_sums(self._values.T, weighted, -right) / self._length
            half = self._back(lacking[self._kept], trans="T")
            left = float(np.sqrt(half @ half))
            if not left < least:
                break
            least, change = left, self._Q @ half
            step[self._kept] += self._back(half)
            below = below.copy()
            below[ridged] += change[n:]
            before, low_part = weighted, -change[:n]
            weighted = weighted + root * low_part
        kept = np.zeros(self._length.size, dtype=bool)
        kept[self._kept] = True
        if least < np.inf:  # the last change stays apart: it may be lost in the sum
            weighted = before
        sizes = np.abs(weighted) + root * (np.abs(low_part) + UNIT * np.abs(residual) + self._blank)
        z, step = target + self._ridge * below, (step / self._length)[:size]
        return Dual(weighted, low_part, sizes, left, z, step, kept[:size])

    def null_vector(self, position: int) -> Float64:
        """The way on which a dependent column of the face comes in while the fit stands still."""
        direction = np.zeros(self._length.size)
        direction[self._kept] = -self._back(self._Q.T @ self._scaled[:, position])
        direction[position] = 1.0
        return (direction / self._length)[: self.features.size]

    def _back(self, right: Float64, trans: str = "N") -> Float64:
        return np.asarray(solve_triangular(self._R, right, trans=trans, check_finite=False))


def factorised(matrix: Float64, first: Mask) -> tuple[Float64, Float64, Index]:
    """Q and R of independent columns of length one, and which; the `first`, if they are, stay."""
    kept = np.arange(matrix.shape[1])
    Q, R, pivots = qr(matrix, mode="economic", pivoting=True)
    if R.shape[0] < kept.size or not (np.abs(R.diagonal()) > DEPENDENT).all():
        kept = first.nonzero()[0]
        kept = kept[_pivots(matrix[:, kept])]
        others = (~first).nonzero()[0]
        reflectors, tau, *_ = dgeqrf(matrix[:, kept])
        remaining = matrix[:, others]
        if tau.size and others.size:
            remaining = dormqr("L", "T", reflectors, tau, remaining, 64 * others.size)[0][
                tau.size :
            ]
        kept = np.append(kept, others[_pivots(remaining)])
        Q, R, pivots = qr(matrix[:, kept], mode="economic", pivoting=True)
        rank = np.count_nonzero(np.abs(R.diagonal()) > UNIT)
        Q, R, pivots = Q[:, :rank], R[:rank, :rank], pivots[:rank]
    return Q, R, kept[pivots]


def _pivots(matrix: Float64) -> Index:
    """Independent ones of columns of length one, or what others leave of them."""
    if not matrix.size:
        return np.arange(0)
    R, pivots = qr(matrix, mode="r", pivoting=True)
    return np.asarray(pivots[: np.count_nonzero(np.abs(R.diagonal()) > DEPENDENT)])


def appraise(
    problem: DataProblem, theta: Float64, signs: Float64, face: Face
) -> tuple[CertifiedPoint, Float64, Dual]:
    """Of theta as it is written; how far its correlations exceed their limits; the dual point."""
    penalty, ridge, on = problem.penalty, problem.ridge, face.features
    target, residual = penalty * signs, problem.residual(theta)[0]
    dual = face.dual(residual, theta[on], target[on])
    with np.errstate(over="ignore"):
        theta = theta.astype(problem.dtype, copy=False).astype(np.float64, copy=False)
    residual, rounding = problem.residual(theta)
    z, errors, dependent = problem.correlations(dual, on)
    known = dual.kept | (np.abs(z[on] - dual.z) <= dependent[on])
    z[on[known]], errors[on[known]] = (
        dual.z[known],
        ROUNDING * np.abs(dual.z[known] - target[on[known]]),
    )
    abs_z = z if problem.positive else np.abs(z)
    beyond = np.maximum(abs_z - penalty - errors, 0.0)
    firm = (ridge == 0.0) & (abs_z + errors > penalty) & (problem.design.column_norms > 0.0)
    kappa = float(np.min(penalty[firm] / (abs_z + errors)[firm], initial=1.0))
    root = problem.design.sqrt_weights
    point = (
        np.divide(dual.weighted, root, out=np.zeros_like(root), where=root > 0.0) + dual.low_part
    )
    apart = residual - kappa * point
    gap = 0.5 * (float(np.sqrt(apart @ apart)) + rounding + dual.left) ** 2
    gap += ridged_gap(penalty, ridge, kappa * z, theta, problem.positive)
    rounding_gap = float(errors @ np.abs(theta)) + 0.5 * rounding**2
    near = (ridge > 0.0) & (abs_z + errors > penalty)
    rounding_gap += float((errors[near] ** 2 / ridge[near]).sum())
    certificate = Certificate(gap + rounding_gap, kappa, rounding_gap + problem.blurred(theta))
    return CertifiedPoint(certificate, theta), beyond, dual


def assured(
    problem: PathProblem, iterate: Iterate, alpha: float, certificate: Certificate, sweeps: int
) -> tuple[Iterate, Certificate]:
    """A certificate that rounding leaves no doubt about, of an iterate or of a better one.

    The iterate stays if all sweeps have been made, or sweeps alone are asked for.
    """
    term, certifier, settings = problem.term, problem.certifier, problem.settings
    if not term.quadratic:
        return iterate, certificate
    doubt, (gap, kappa, rounding_gap) = certifier.doubt(alpha, iterate), certificate
    doubted = Certificate(gap + doubt, kappa, rounding_gap + doubt)
    moves = sweeps < settings.max_iter and settings.solver == "auto"
    if certifier.suffices(doubted) or (doubt == 0.0 and not moves):
        return iterate, doubted
    data, theta = data_problem(problem, alpha), iterate.dense(problem.working_set.features)
    size = int(np.count_nonzero(data.unpenalised | (theta != 0.0)))
    if data.work(size) + SUMMED * data.response.size * size > MOST_WORK:
        return iterate, doubted if doubt < np.inf else certificate
    better, new = descend_by_faces(data, theta, certifier.gap_tol, MOST_FACES if moves else 1)
    if doubted <= better:
        return iterate, doubted
    if new is not theta:
        problem.working_set.admit(new.nonzero()[0])
        new = new[problem.working_set.features]
        state = term.state(problem.working_set, new)
        iterate = problem.observe(new, new.nonzero()[0], state, alpha)
    return iterate, better


def data_problem(problem: PathProblem, alpha: float) -> DataProblem:
    """The problem at one alpha, in terms of the data."""
    penalty, settings = problem.penalty, problem.settings
    term: Any = problem.term  # of squared loss
    weights = penalty.parts(alpha, slice(None))[0], penalty.ridge(alpha, slice(None))
    design = term.design.uncentred()
    return DataProblem(design, term.response, *weights, penalty.positive, settings.dtype)


def least(first: CertifiedPoint, second: CertifiedPoint) -> CertifiedPoint:
    """The one with the smaller gap."""
    return second if second.certificate.gap < first.certificate.gap else first


def descend_by_faces(
    problem: DataProblem, theta: Float64, gap_tol: float, faces: int
) -> CertifiedPoint:
    """The best of theta and what follows, face by face, until the gap is within the tolerance."""
    best, signs = CertifiedPoint(Certificate(np.inf, 0.0, np.inf), theta), np.sign(theta)
    inside, work, idle, before = theta != 0.0, 0.0, 0, np.inf
    for _ in range(faces):
        face = Face(problem, (inside | problem.unpenalised).nonzero()[0])
        found, beyond, dual = appraise(problem, theta, signs, face)
        shut = (beyond > 0.0) & (problem.penalty == 0.0) & (problem.ridge == 0.0)
        if shut.any():  # a dual point that is orthogonal to these as well
            shut[face.features] = True
            wider = Face(problem, shut.nonzero()[0])
            found = least(found, appraise(problem, theta, np.sign(theta), wider)[0])
        best, gap = least(best, found), found.certificate.gap
        settled = gap <= gap_tol and (gap > HALVED * before or gap <= POLISHED * gap_tol)
        before = gap
        work += problem.work(face.features.size)
        if settled or work + problem.summed > MOST_WORK or idle > STILL:
            break
        theta, arrived = _go_along(problem, theta, signs, face.features, dual.step)
        z, _, dependent = problem.correlations(dual, face.features)
        if arrived:
            theta, arrived = _pivoted(problem, theta, signs, face, dual, (z, dependent))
        inside = theta != 0.0
        idle = idle + 1 if arrived else 0
        beyond[inside] = 0.0
        if arrived and beyond.any():
            lengths = np.where(problem.design.column_norms > 0.0, problem.design.column_norms, 1.0)
            inside[int(np.argmax(beyond / lengths))] = True
            idle = 0
        signs = np.where(theta != 0.0, np.sign(theta), np.sign(z))
    return best


def _pivoted(
    problem: DataProblem,
    theta: Float64,
    signs: Float64,
    face: Face,
    dual: Dual,
    correlations: tuple[Float64, Float64],
) -> tuple[Float64, bool]:
    """Move along the null vector of a dependent column, as f goes down on it; or stay."""
    on = face.features
    target = (problem.penalty * signs)[on]
    z, dependent = correlations
    lacking = z[on] - problem.ridge[on] * theta[on] - target
    slight = np.abs(lacking) <= SLIGHT * problem.penalty[on] + dependent[on]
    lacking[dual.kept | slight | (problem.penalty[on] == 0.0)] = 0.0
    if not lacking.any():
        return theta, True
    position = int(np.argmax(np.abs(lacking)))
    direction = np.sign(lacking[position]) * face.null_vector(position)
    moved, through = _go_along(problem, theta, signs, on, direction, np.inf)
    return (theta, True) if through else (moved, False)


def _go_along(
    problem: DataProblem,
    theta: Float64,
    signs: Float64,
    on: Index,
    direction: Float64,
    length: float = 1.0,
) -> tuple[Float64, bool]:
    """Go `length` along `direction`, or to where the first that has a sign reaches zero."""
    shrinking = ((problem.penalty[on] > 0.0) | problem.positive) & (signs[on] * direction < 0.0)
    theta, first = move_to_zero(theta, on, direction, shrinking, length)
    return theta, length < first or not np.isfinite(first)
