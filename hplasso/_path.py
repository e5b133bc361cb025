"""The path driver: one alpha after the other, each from the solution of the one before.

At each alpha:

1. admit the features that the sequential strong rule does not rule out;
2. solve on the working set (`_subproblem`);
3. observe the correlations of all features: one pass over X; certify (`_certificate`);
4. gap <= tol: done. Otherwise admit the violators and go to 2.

After the strong rule step 4 rarely goes round again, so that an alpha costs about one pass.

References
----------
R. Tibshirani et al., Strong rules for discarding predictors in lasso-type problems, Journal of the
Royal Statistical Society B 74 (2012) 245-266.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ._certificate import Certificate, certify
from ._data_terms import DataTerm
from ._design import Design
from ._linalg import independent_cholesky
from ._problem import RestrictedProblem
from ._subproblem import SOLVERS
from ._typing import Float64, Index, Mask
from ._working_set import WorkingSet

# The least number of violators admitted at a time, if there are as many.
MIN_ADMITTED = 20
# Rounds that may pass with nothing new to admit and no smaller gap.
MAX_STALLED = 3
# What the alternation leaves to the certificate of the gap that is asked for.
INNER_SHARE = 0.3


@dataclass(frozen=True)
class PathSettings:
    """What stays the same along a path.

    `penalty_weights` w has shape (p,); `dtype` is that of the coefficients that are returned.
    """

    penalty_weights: Float64
    positive: bool = False
    solver: str = "auto"
    tol: float = 1e-4
    max_iter: int = 1000
    verbose: int = 0
    dtype: Any = np.float64


@dataclass(frozen=True)
class PathPoint:
    """The solution at one alpha: coefficients `values` of the `features`, all others zero.

    It has converged if its gap, before the values were rounded to a shorter type, is the one asked
    for, or as small as rounding allows.
    """

    alpha: float
    features: Index
    values: Float64
    gap: float
    gap_asked: float
    converged: bool
    sweeps: int

    def dense(self, n_features: int) -> Float64:
        """The coefficients as an array of shape (n_features,)."""
        theta = np.zeros(n_features)
        theta[self.features] = self.values
        return theta


class Observation(NamedTuple):
    """Coefficients on the working set, and what a pass over X said of them."""

    theta: Float64
    z: Float64
    square: float
    rounding: Float64


class PathTracer:
    """Walks along a path for one target; keeps the place between two alphas.

    Parameters
    ----------
    term : DataTerm
    working_set : WorkingSet
        May be shared with other targets; it grows.
    design : Design
        For what it says of the columns' lengths; no pass over X is made through it.
    settings : PathSettings
    start : ndarray of shape (p,), optional
        Coefficients to start from.
    """

    def __init__(
        self,
        term: DataTerm,
        working_set: WorkingSet,
        design: Design,
        settings: PathSettings,
        start: Float64 | None = None,
    ) -> None:
        self.term = term
        self.working_set = working_set
        self.design = design
        self.settings = settings
        self.place = self._observe(self._independent_start(start))

    def _independent_start(self, start: Float64 | None) -> Float64:
        """Start coefficients on the working set, those of dependent columns left out."""
        working_set = self.working_set
        if start is None:
            return np.zeros(working_set.features.size)
        support = np.flatnonzero((start != 0.0) & (self.design.spread > 0.0))
        working_set.admit(support)
        places = working_set.position[support]
        if places.size:
            gram = working_set.gram[np.ix_(places, places)]
            _, kept = independent_cholesky(gram, places.size)
            support, places = support[kept], places[kept]
        theta = np.zeros(working_set.features.size)
        theta[places] = start[support]
        if self.settings.positive:
            np.maximum(theta, 0.0, out=theta)
        return theta

    def _observe(self, theta: Float64) -> Observation:
        z, square = self.term.observe(self.working_set, theta)
        length = self.term.norm + self.design.size[self.working_set.features] @ np.abs(theta)
        return Observation(theta, z, square, self.design.rounding * length)

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero.

        Moves the place there: to the fit of the features without penalty, if there are any.
        """
        weights = self.settings.penalty_weights
        penalised = weights > 0.0
        if not penalised.any():
            return 0.0
        if not penalised.all():
            # |z_j| <= |column j| |y|, so that nothing penalised enters at this alpha
            lengths = self.design.spread[penalised] * self.term.norm / weights[penalised]
            self.solve(2.0 * float(lengths.max(initial=0.0)))
        return float(np.max(self._pull(self.place.z)[penalised] / weights[penalised], initial=0.0))

    def trace(self, alphas: Iterable[float]) -> list[PathPoint]:
        """Solve at each alpha in turn; one warning at the end for those that did not converge."""
        points = [self.solve(float(alpha)) for alpha in alphas]
        _warn_not_converged([point for point in points if not point.converged])
        return points

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from the present place."""
        penalty = alpha * self.settings.penalty_weights
        asked = self.settings.tol * self.term.scale
        certificate = self._certify(penalty)
        sweeps, stalled = 0, 0
        entrants = self._strong(alpha)
        work = entrants.size > 0 or self.place.theta.any()
        while work and sweeps < self.settings.max_iter and stalled < MAX_STALLED:
            self._admit(entrants)
            before = certificate.gap
            sweeps += self._solve_restricted(penalty, asked, self.settings.max_iter - sweeps)
            certificate = self._certify(penalty)
            if certificate.gap <= max(asked, certificate.floor):
                break
            entrants = self._leading(self._violators(penalty), penalty)
            going = entrants.size > 0 or certificate.gap < 0.5 * before
            stalled = 0 if going else stalled + 1
        point = self._point(alpha, certificate, asked, sweeps)
        _report(point, self.settings.verbose)
        return point

    def _certify(self, penalty: Float64) -> Certificate:
        place, features = self.place, self.working_set.features
        support = np.flatnonzero(place.theta)
        return certify(
            penalty,
            place.rounding,
            place.z,
            features[support],
            place.theta[support],
            place.square,
            self.settings.positive,
        )

    def _pull(self, z: Float64) -> Float64:
        return z if self.settings.positive else np.abs(z)

    def _outside(self, mask: Mask) -> Index:
        """Features of the mask that are not in the working set yet."""
        features = np.flatnonzero(mask)
        return features[self.working_set.position[features] < 0]

    def _violators(self, penalty: Float64) -> Index:
        place = self.place
        return self._outside(self._pull(place.z) > penalty + place.rounding)

    def _strong(self, alpha: float) -> Index:
        """Features outside the working set that may enter on the way from the present place.

        Sequential strong rule: |z_j| >= w_j (2 alpha_new - alpha_old). None, if none has to.
        """
        weights = self.settings.penalty_weights
        violators = self._violators(alpha * weights)
        in_set = self.working_set.features
        if not violators.size and not self.place.theta.any():
            inner = self._pull(self.place.z)[in_set] > alpha * weights[in_set]
            return in_set[inner]
        pull = self._pull(self.place.z)
        reach = np.divide(pull, weights, out=np.zeros_like(pull), where=weights > 0.0)
        bound = 2.0 * alpha - float(reach.max(initial=0.0))
        mask = (pull >= weights * bound) & (pull > 0.0) if bound > 0.0 else pull > 0.0
        return self._leading(self._outside(mask), alpha * weights)

    def _leading(self, features: Index, penalty: Float64) -> Index:
        """The hardest-pulling of the features, no more than the working set has already."""
        room = max(MIN_ADMITTED, self.working_set.features.size)
        if features.size <= room:
            return features
        dearness = penalty[features] / np.abs(self.place.z[features])
        return features[np.argpartition(dearness, room)[:room]]

    def _admit(self, features: Index) -> None:
        self.working_set.admit(features)
        grown = np.zeros(self.working_set.features.size)
        grown[: self.place.theta.size] = self.place.theta
        self.place = self.place._replace(theta=grown)

    def _solve_restricted(self, penalty: Float64, asked: float, max_sweeps: int) -> int:
        """Move the place to the solution on the working set; return the sweeps taken."""
        place, features = self.place, self.working_set.features
        problem = RestrictedProblem(
            self.working_set.gram,
            self.working_set.gram @ place.theta + place.z[features],
            penalty[features],
            place.rounding[features],
            self.settings.positive,
        )
        solve = SOLVERS[self.settings.solver]
        solution = solve(problem, place.theta, place.square, INNER_SHARE * asked, max_sweeps)
        self.place = self._observe(solution.theta)
        return solution.sweeps

    def _point(
        self, alpha: float, certificate: Certificate, asked: float, sweeps: int
    ) -> PathPoint:
        support = np.flatnonzero(self.place.theta)
        features = self.working_set.features[support]
        values = self.place.theta[support]
        rounded = values.astype(self.settings.dtype).astype(np.float64)
        gap = certificate.gap
        converged = gap <= max(asked, certificate.floor)
        if self.settings.dtype != np.float64:
            gap += self._price(alpha, support, values, rounded)
        return PathPoint(alpha, features, rounded, gap, asked, converged, sweeps)

    def _price(self, alpha: float, support: Index, values: Float64, rounded: Float64) -> float:
        """f(rounded) - f(values): what it costs to return coefficients of a shorter type."""
        step, features = rounded - values, self.working_set.features[support]
        gram = self.working_set.gram[np.ix_(support, support)]
        smooth = 0.5 * step @ gram @ step - self.place.z[features] @ step
        penalty = alpha * self.settings.penalty_weights[features]
        return max(0.0, float(smooth + penalty @ (np.abs(rounded) - np.abs(values))))


def _report(point: PathPoint, verbose: int) -> None:
    if verbose:
        print(
            f"alpha {point.alpha:.6g}: {point.features.size} coefficients, "
            f"gap {point.gap:.3e} (asked {point.gap_asked:.3e}), {point.sweeps} sweeps",
            file=sys.stderr,
        )


def _warn_not_converged(points: list[PathPoint]) -> None:
    if not points:
        return
    worst = max(points, key=lambda point: point.gap)
    warnings.warn(
        f"Objective did not converge at {len(points)} value(s) of alpha. Worst at alpha="
        f"{worst.alpha:.6g}, after {worst.sweeps} sweeps: duality gap {worst.gap:.3e}, asked for "
        f"{worst.gap_asked:.3e} = tol * ||y||^2 / n. Increase max_iter or tol, or scale the "
        "features.",
        ConvergenceWarning,
        stacklevel=4,
    )
