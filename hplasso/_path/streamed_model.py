"""Models of a curved loss on data in blocks: their Hessians, and their solutions.

For a few penalties Hessians come from the pass. For many, they are those of a sample, which is
close enough that each pass gains a digit or more. (To correct the gradient of a part of the data by
that of all is known from distributed estimation: Jordan, Lee and Yang 2019.) Some points get
Hessians of their own, which show what the sample is off by at their neighbours.

References
----------
M. I. Jordan, J. D. Lee and Y. Yang, Communication-efficient distributed statistical inference,
Journal of the American Statistical Association 114 (2019) 668-681.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf

from .._datafit.loss_sums import LossSums
from .._datafit.squared import LeastSquares, LeastSquaresMoments
from .._design.factory import make_design
from .._design.working_set import WorkingSet
from .._numerics.linalg import pivoted_root, plus_diagonal
from .._numerics.typing import Float64
from .make_tracer import make_tracer
from .progress import PathPoint
from .settings import PathSettings
from .streamed_certificate import Coefficients, View, eliminated, view

# No more points than this get Hessians of their own in a pass, and of many only as many as cost
# about as much as all gradients, which are so many times as cheap for each coordinate; so many
# neighbours on a path share one of the sample. Paths and a fit took .99 and 1.02 of the time with 1
# and 8 in place of the first, 1.23 and 1.03 with 1 and 16 in place of the last (constants.py).
OWN, GRADIENTS, SHARED = 4, 4.0, 4
# A numerical limit: what is added to a diagonal of one before a matrix counts as indefinite.
DEFINITE = 1e-10
# Models are solved to this part of the square of the tolerance, or of rounding, as gaps of the
# data grow with violations, and those of models with their squares: sweeps against passes.
MODEL_TOL, LEAST_TOL = 0.01, 1e-15


class Request(NamedTuple):
    """The sums that are asked of a pass: at several points, with the Hessians of some of them."""

    points: Sequence[Coefficients]
    own: Sequence[int] = ()


# What answers a request: by a pass, or from a sample.
Evaluate = Callable[[Request], LossSums]
# Where paths may start: coefficients for each alpha.
Starts = Callable[[Sequence[float]], list[Coefficients]]


@dataclass(frozen=True)
class StreamedLoss:
    """A loss on data in blocks.

    Attributes
    ----------
    evaluate, evaluate_sample : callables
        The sums of the data, by a pass, and of the sample.
    weight, sample_weight : float
        The weights of both.
    starts : callable
        The solutions of the sample.
    null : Coefficients
        Without features; the intercepts are about the best.
    lengths : ndarray of shape (p K,)
        About the lengths of the columns, centred; zero where a column is constant.
    fit_intercept : bool
    """

    evaluate: Evaluate
    evaluate_sample: Evaluate
    weight: float
    sample_weight: float
    starts: Starts
    null: Coefficients
    lengths: Float64
    fit_intercept: bool

    def views(self, request: Request, sums: LossSums) -> tuple[list[View], dict[int, Float64]]:
        """What the answer to a request says, and the Hessians."""
        sums = sums.only(self.lengths > 0.0)
        found = [
            view(sums, k, at, self.weight, self.fit_intercept)
            for k, at in enumerate(request.points)
        ]
        return found, {k: sums.hessians[i] / self.weight for i, k in enumerate(request.own)}

    def sample_model(self, at: Coefficients) -> Float64:
        """What `eliminated` gives of the sample at a point."""
        sums = self.evaluate_sample(Request([at], [0])).only(self.lengths > 0.0)
        seen = view(sums, 0, at, self.sample_weight, self.fit_intercept)
        return eliminated(sums.hessians[0] / self.sample_weight, seen)


def solve_model(
    hessian: Float64,
    target: Float64,
    start: Float64,
    alpha: float,
    settings: PathSettings,
) -> PathPoint:
    """The minimiser of 1/2 theta'H theta - target'theta and the penalty.

    It is that of least squares on the rows R of a factor, R'R = H, for R^-T target. A start whose
    gap is small enough stays, so that there is none where correlations have to vanish to rounding:
    those of features without penalty.
    """
    rows, order = pivoted_root(hessian)
    response = np.zeros(1)
    if order.size:
        response = solve_triangular(rows[:, order], target[order], trans="T")
    else:
        rows = np.zeros((1, target.size))
    m = len(rows)
    design = make_design(np.asfortranarray(np.sqrt(m) * rows), np.full(m, 1.0 / m), False)
    data = LeastSquares(design, np.sqrt(m) * response)
    term = LeastSquaresMoments(hessian, target, data)
    tol = max(MODEL_TOL * settings.tol**2, LEAST_TOL)
    settings = replace(settings, tol=tol, listener=None, dtype=np.float64)
    working_set = WorkingSet(design, hessian)
    first = start if settings.penalty.all_penalised else None
    return make_tracer(term, working_set, design, settings, first).solve(alpha)


class Models:
    """H at the points of a pass, and how intercepts follow theta, as one matrix below the other.

    Where the data have not given it, it is that of the sample, which neighbours share, corrected by
    what the sample is off by at the nearest point where the data have.
    """

    def __init__(
        self, loss: StreamedLoss, views: Sequence[View], hessians: dict[int, Float64]
    ) -> None:
        self._loss, self._views = loss, views
        self._own = {k: eliminated(hessian, views[k]) for k, hessian in hessians.items()}
        self._sampled: dict[int, Float64] = {}

    def at(self, k: int, sampled: bool = True) -> Float64:
        """At the k-th point; from what the data have given alone if it is not to be `sampled`."""
        if k in self._own:
            return self._own[k]
        nearest = min(self._own, key=lambda own: abs(own - k))
        own, size = self._own[nearest], self._views[k].z.size
        if not sampled:
            return own
        model = own + (self._sample(k - k % SHARED) - self._sample(nearest))
        return model if is_positive(model[:size]) else own

    def _sample(self, k: int) -> Float64:
        """That of the sample."""
        if k not in self._sampled:
            self._sampled[k] = self._loss.sample_model(self._views[k].at)
        return self._sampled[k]


def own_points(slow: Sequence[bool], n_coordinates: int) -> list[int]:
    """Which points get Hessians of their own: some of the slow ones, or of all, evenly."""
    among = np.flatnonzero(slow) if any(slow) else np.arange(len(slow))
    if len(among) <= OWN:
        return [int(k) for k in among]
    paid = OWN if any(slow) else np.clip(int(GRADIENTS * len(slow) / n_coordinates), 1, OWN)
    parts = np.linspace(0.0, len(among), paid + 1)
    return [int(among[int(middle)]) for middle in 0.5 * (parts[:-1] + parts[1:])]


def is_positive(matrix: Float64) -> bool:
    """Whether a matrix is positive semi-definite to rounding, its scale set aside."""
    if (matrix.diagonal() < 0.0).any():
        return False
    length = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)
    scaled = matrix * inverse[:, None] * inverse
    return dpotrf(plus_diagonal(scaled, np.full(length.size, DEFINITE)), lower=1)[1] == 0
