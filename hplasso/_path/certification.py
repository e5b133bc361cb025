"""What coefficients are worth as a solution, and the point of a path that they make."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg.lapack import dtrtrs

from .._datafit.base import DataTerm, Model
from .._datafit.iterate import Iterate
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import independent_cholesky
from .._numerics.rounding import CorrelationRounding
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate, certify, ridged_gap
from .._solver.finish import Point, step_on
from .._solver.restricted_problem import RestrictedProblem
from .progress import Outcome, PathPoint
from .settings import PathSettings

# The part of the loss without features that rounding may contribute to a gap unseen.
NEGLIGIBLE = 1e-12
# A gap is due to rounding if it is no more than so many times the estimate of that.
DUE = 10.0
# Of features without penalty no more numbers than these (64 MB) are looked at for their own sake.
FEW = 2**23


class DivergenceBound(NamedTuple):
    """What the divergence of kappa r lies below, as it is convex: from that of 0 to that of r.

    The latter, which is zero for the residual of coefficients, is left out.
    """

    at_zero: float

    @property
    def loss(self) -> float:
        return self.at_zero

    def divergence(self, kappa: float) -> float:
        return (1.0 - kappa) * self.at_zero


class Certifier:
    """Of coefficients on the features of a working set.

    Attributes
    ----------
    asked : float
        The gap that is asked for, in the units of the objective.
    """

    def __init__(
        self, term: DataTerm, working_set: WorkingSet, design: AnyDesign, settings: PathSettings
    ) -> None:
        self.term, self.working_set, self.settings = term, working_set, settings
        self.design, self.rounding, self.mean = design, design.rounding, design.mean
        self.gap_tol = settings.tol * term.scale
        self.negligible = NEGLIGIBLE * term.scale
        self.all_penalised = bool(settings.penalty_weights.all())

    def rounding_error(self, rounding: CorrelationRounding, features: Index | slice) -> Float64:
        """What rounding may add to the correlations of some features."""
        return rounding.of(self.rounding, features)

    @cached_property
    def free(self) -> tuple[Index, Float64] | None:
        """The features without any penalty and their Gram matrix; None if that is too large."""
        design: Any = self.design
        unpenalised = (self.settings.penalty_weights == 0.0) & (design.column_norms > 0.0)
        features = unpenalised.nonzero()[0]
        if features.size * design.shape[0] > FEW:
            return None
        block = design.block(features)
        return features, block.T @ block

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """What rounding of correlations may hide of the gap, for squared loss; 0 if negligible.

        A dual point that is feasible without any slack is smaller by a part of slack_j / lambda_j,
        and orthogonal to the features without penalty.
        """
        weights = self.settings.penalty_weights[self.working_set.features[iterate.support]]
        size = float(weights @ np.abs(iterate.theta[iterate.support]))
        hidden = (
            iterate.rounding.residual_scale * self.largest_relative_error * size
            + self._hidden_by_free(iterate)
        )
        return hidden if hidden > self.negligible else 0.0

    @cached_property
    def largest_relative_error(self) -> float:
        """The largest rounding of a correlation, as a part of the penalty weight."""
        weights = self.settings.penalty_weights
        parts = np.divide(self.rounding, weights, out=np.zeros_like(weights), where=weights > 0.0)
        return float(parts.max(initial=0.0))

    def _hidden_by_free(self, iterate: Iterate) -> float:
        """|P r| |y| with the projection P on the features without penalty; inf if one is missing.

        Under theta >= 0, these are those that are not at zero.
        """
        if self.all_penalised or self.free is None:
            return 0.0
        features, gram = self.free
        theta = np.zeros(iterate.z.size)
        theta[self.working_set.features[iterate.support]] = iterate.theta[iterate.support]
        on, z = theta[features] != 0.0, iterate.z[features]
        missing = z[~on] > 0.0 if self.settings.positive else ~on
        if missing.any():
            return np.inf
        factor, kept = independent_cholesky(gram[on][:, on])
        if kept.size < np.count_nonzero(on):
            return np.inf
        half = dtrtrs(factor, z[on], lower=1)[0] if kept.size else z[on]
        return float(np.sqrt(half @ half)) * self.term.norm

    def of_iterate(self, alpha: float, iterate: Iterate) -> Certificate:
        """The certificate of a place."""
        on, theta = self.working_set.features[iterate.support], iterate.theta[iterate.support]
        z, rounding_error, divergence = (
            iterate.z[on],
            self.rounding_error(iterate.rounding, on),
            iterate.state.divergence,
        )
        if self.settings.ridged:
            ridge, of_loss = self.settings.ridge(alpha, on), divergence
            z = z - ridge * theta
            square = float(ridge @ theta**2)

            def divergence(kappa: float) -> float:
                return of_loss(kappa) + 0.5 * (1.0 - kappa) ** 2 * square

        penalty = alpha * self.settings.penalty_weights[on]
        certificate = certify(
            alpha, iterate.feasible_alpha, penalty, rounding_error, z, theta, divergence
        )
        return self.honest(certificate, iterate.hidden)

    def refined(
        self, iterate: Iterate, model: Model, problem: RestrictedProblem, point: Point
    ) -> tuple[Any, float]:
        """The state with the residual that Newton's step would leave, and its divergence.

        The last digit of a coefficient may be too much for its correlation; a dual point is no
        function of what can be written down. `point` is the place in the problem of the model.
        """
        step = step_on(problem, point)
        if step is None or self.working_set.complete:
            return iterate.state, np.inf
        direction = np.zeros(self.working_set.features.size)
        direction[model.where] = step
        return iterate.state.refined(self.working_set.columns.predict(direction))

    def of_refined(self, alpha: float, iterate: Iterate, extra: float) -> Certificate:
        """The certificate of a place with a mended residual, whose divergence is the price."""
        bound = DivergenceBound(iterate.state.divergence(0.0))
        gap, kappa, rounding_gap = self.of_iterate(alpha, iterate._replace(state=bound))
        if self.settings.ridged and iterate.feasible_alpha < np.inf:
            as_it_is = self._gap_at_residual(alpha, iterate) + iterate.hidden
            gap, kappa = min((gap, kappa), (as_it_is, 1.0))
        return Certificate(gap + extra, kappa, rounding_gap)

    def _gap_at_residual(self, alpha: float, iterate: Iterate) -> float:
        """The gap at the residual as it is, which a ridge makes feasible."""
        settings, theta = self.settings, np.zeros(iterate.z.size)
        theta[self.working_set.features[iterate.support]] = iterate.theta[iterate.support]
        penalty, ridge = alpha * settings.penalty_weights, settings.ridge(alpha, slice(None))
        return ridged_gap(penalty, ridge, iterate.z, theta, settings.positive)

    def honest(self, certificate: Certificate, hidden: float) -> Certificate:
        """A certificate with what rounding may hide from its gap, unless that is negligible."""
        gap, kappa, rounding_gap = certificate
        return Certificate(gap + hidden * (hidden > self.negligible), kappa, rounding_gap + hidden)

    def suffices(self, certificate: Certificate) -> bool:
        """Whether the gap is the one asked for, or what rounding contributes, and negligible."""
        return certificate.gap <= max(self.gap_tol, min(certificate.rounding_gap, self.negligible))

    def point_at(
        self, alpha: float, iterate: Iterate, certificate: Certificate, sweeps: int
    ) -> PathPoint:
        """What is returned of a place."""
        values, intercept = iterate.theta[iterate.support], iterate.state.intercept
        return self.point(alpha, iterate.support, values, intercept, certificate, sweeps)

    def point(
        self,
        alpha: float,
        support: Index,
        values: Float64,
        intercept: Any,
        certificate: Certificate,
        sweeps: int = 0,
    ) -> PathPoint:
        """What is returned of coefficients on a support in the working set."""
        gap, kappa, rounding_gap = certificate
        if self.settings.dtype != np.float64:
            exact, values = values, self._rounded(values)
            extra, intercept = self._rounding_cost(alpha, support, exact, values)
            certificate = Certificate(gap + extra, kappa, rounding_gap + extra)
        outcome, gap = self._outcome(certificate, sweeps), certificate.gap
        features = self.working_set.features[support]
        return PathPoint(alpha, features, values, intercept, gap, self.gap_tol, outcome, sweeps)

    def _outcome(self, certificate: Certificate, sweeps: int) -> Outcome:
        if self.suffices(certificate):
            return Outcome.CONVERGED
        if certificate.gap <= DUE * certificate.rounding_gap:
            return Outcome.ROUNDING
        return Outcome.MAX_ITER if sweeps >= self.settings.max_iter else Outcome.STALLED

    def _rounded(self, values: Float64) -> Float64:
        """Coefficients as they are returned, in a shorter type."""
        with np.errstate(over="ignore"):
            rounded = values.astype(self.settings.dtype).astype(np.float64)
        if not np.isfinite(rounded).all():
            raise ValueError(
                f"A coefficient of {np.abs(values).max():.1e} is out of the range of X's type, "
                f"{np.dtype(self.settings.dtype)}. Scale the data, or pass X as float64."
            )
        return rounded

    def _rounding_cost(
        self, alpha: float, support: Index, values: Float64, rounded: Float64
    ) -> tuple[float, Any]:
        """What it costs to return a shorter type: f(rounded) - f(values); and the intercept.

        That is rounded, too: by delta, at a cost of no more than delta^2 / 2, beside a loss.
        """
        states = []
        for on_support in (values, rounded):
            theta = np.zeros(self.working_set.features.size)
            theta[support] = on_support
            states.append(self.term.state(self.working_set, theta))
        before, after = states
        features = self.working_set.features[support]
        weights = self.settings.penalty_weights[features]
        ridge = self.settings.ridge(alpha, features)
        penalty = alpha * float(weights @ (np.abs(rounded) - np.abs(values)))
        penalty += 0.5 * float(ridge @ (rounded**2 - values**2))
        written = np.atleast_1d(after.intercept)
        shift = self.mean[features] * rounded
        written = written - np.bincount(features % written.size, shift, written.size)
        delta = 0.5 * float(np.finfo(self.settings.dtype).eps) * written * (self.term.scale > 0.0)
        extra = max(0.0, after.loss - before.loss + penalty) + 0.5 * float(delta @ delta)
        return extra, after.intercept
