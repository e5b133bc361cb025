"""The path driver where a curved loss with an L1 penalty meets columns that hold codes.

Models by their Hessian lose what such columns leave to a penalty (`square_root_newton`). So where
rounds do not lower the gap, Newton's steps follow from the root of the Hessian, on the face that a
round has shown: its support A with signs s, and one coordinate more at a time that wants in,

    (A'A + diag(rho))_AA d_A = (z - rho theta - lambda s)_A.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._numerics.rounding import NOBODY
from .._numerics.threads import LARGE_DATA
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .square_root_newton import LONG, Coordinates, coordinates
from .tracer import PathTracer

# Steps at a time, and coordinates of a face, at most.
STEPS, LARGEST = 30, 500
# A round has helped that leaves less of the gap.
HELPED = 0.9


class RootedFace(NamedTuple):
    """A support in the working set, its columns, their values under each output, and where."""

    support: Index
    on: Coordinates
    values: Float64
    where: tuple[Index, Index]


class RootedTracer(PathTracer):
    """Parameters are those of :class:`PathTracer`."""

    _before = np.nan, np.inf  # the last alpha, and the gap there

    @cached_property
    def _longest(self) -> Index:
        """The longest column, if there is one."""
        return (self.design.column_norms == self.design.column_norms.max(initial=0.0)).nonzero()[0][
            :1
        ]

    @cached_property
    def _length(self) -> float:
        """The square of its length."""
        return float(np.square(self.design.column_norms.max(initial=0.0)))

    @cached_property
    def _usual(self) -> float:
        """The square of a column's length, for most of them."""
        lengths = self.design.column_norms
        return float(np.square(np.median(lengths[lengths > 0.0]))) if self._length else 1.0

    def _long(self, alpha: float) -> bool:
        """Whether there are columns too long for their penalty, or beside others; on few of all."""
        ridge = self.settings.ridge(alpha, self._longest) if self.settings.ridged else np.zeros(1)
        if self._length <= LONG * (float(ridge[0]) or self._usual):
            return False
        size = self.iterate.support.size
        return 0 < size <= LARGEST and self.design.shape[0] * size <= LARGE_DATA

    def _solve_restricted(
        self,
        alpha: float,
        gap_tol: float,
        max_sweeps: int,
        start: tuple[Index, Float64] | None = None,
    ) -> int:
        sweeps = super()._solve_restricted(alpha, gap_tol, max_sweeps, start)
        if not self._long(alpha):
            return sweeps
        (last, before), gap = self._before, self.certifier.of_iterate(alpha, self.iterate).gap
        if last == alpha and gap >= before * HELPED and gap > gap_tol:
            objective = self._objective(alpha)
            self._polish(alpha)
            if (
                self._objective(alpha) >= objective - self.certifier.gap_tol
            ):  # nor will it help again
                gap = np.inf
        self._before = alpha, gap
        return sweeps

    def _polish(self, alpha: float) -> None:
        """Newton's steps on the face of the place, while f falls; then with who wants in."""
        entrants = NOBODY
        for _ in range(STEPS):
            if not self._long(alpha):
                return
            before = self._objective(alpha)
            self._step(alpha, entrants)
            if self._objective(alpha) < before - self.certifier.gap_tol:
                entrants = NOBODY
                continue
            stayed = entrants[self.iterate.theta[entrants] == 0.0]
            entrants = self._wanting(alpha)
            if stayed.size or not entrants.size:
                return

    def _wanting(self, alpha: float) -> Index:
        """Of the coordinates at zero the one that exceeds its penalty most, if one does."""
        iterate, features = self.iterate, self.working_set.features
        penalty, _ = self._penalties(alpha)
        abs_correlation = np.abs(iterate.z[features]) - self.certifier.rounding_error(
            iterate.rounding, features
        )
        violators = (iterate.theta == 0.0) & (penalty > 0.0)
        excess = np.divide(
            abs_correlation, penalty, out=np.zeros_like(abs_correlation), where=violators
        )
        return np.argsort(excess)[-1:] if excess.max(initial=0.0) > 1.0 else NOBODY

    def _step(self, alpha: float, entrants: Index) -> None:
        """Newton's step; what would change its sign goes to zero."""
        iterate, features = self.iterate, self.working_set.features
        face, penalties = self._face(alpha, entrants), self._penalties(alpha)
        goal = iterate.theta.copy()
        goal[face.support] += face.on.step(self.term, iterate.state, face.values)[face.where]
        signs = np.sign(np.where(iterate.theta == 0.0, iterate.z[features], iterate.theta))
        goal[(goal * signs < 0.0) & (penalties[0] > 0.0)] = 0.0
        theta, state = self.term.line_search(
            self.working_set, iterate.state, iterate.theta, goal, penalties
        )
        self.iterate = self._observe(theta, theta.nonzero()[0], state, alpha)

    def _face(self, alpha: float, entrants: Index) -> RootedFace:
        """The face of the place, with those that enter on the side that they pull to."""
        iterate, base = self.iterate, self.design.single
        support = np.concatenate([iterate.support, entrants])
        pairs, n_outputs = self.working_set.features[support], self.design.shape[1] // base.shape[1]
        features, rows = np.unique(pairs // n_outputs, return_inverse=True)
        where, theta = (rows, pairs % n_outputs), iterate.theta[support]
        ridge = np.zeros(features.size)
        if self.settings.ridged:
            ridge = self.settings.ridge(alpha, features * n_outputs)
        on = coordinates(base, features, ridge, np.ones(features.size, dtype=bool))
        values, abs_correlation = np.zeros((2, on.rho.size, n_outputs))
        moving = np.zeros(values.shape, dtype=bool)
        moving[features.size :] = moving[where] = True  # the intercept is among those
        values[where] = theta
        signs = np.sign(np.where(theta == 0.0, iterate.z[pairs], theta))
        abs_correlation[where] = alpha * self.settings.penalty_weights[pairs] * signs
        return RootedFace(support, on._replace(moving=moving, fixed=abs_correlation), values, where)

    def _refined(self, alpha: float) -> Certificate:
        """The certificate of the place with the residual that a few more steps would leave."""
        if not self._long(alpha):
            return super()._refined(alpha)
        iterate, face = self.iterate, self._face(alpha, NOBODY)
        best = Certificate(np.inf, 0.0, 0.0)
        for state, extra in face.on.refined(self.term, iterate.state, face.values):
            there = self._observe(iterate.theta, iterate.support, state, alpha)
            best = min(best, self.certifier.of_refined(alpha, there, extra))
        return best
