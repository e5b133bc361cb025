"""Certification: the duality gap of an iterate, with what rounding may hide of it."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg.lapack import dtrtrs

from .._datafit.base import DataTerm
from .._datafit.iterate import Iterate
from .._datafit.line_search import has_settled
from .._design.correlations import ALL
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import independent_cholesky
from .._numerics.rounding import SOLVED
from .._numerics.typing import Float64, Index, Mask
from .._penalties.duality_gap import Certificate, certify, ridged_gap
from .progress import Measure
from .settings import PathSettings

# The part of `DataTerm.scale` that rounding may contribute to a gap unseen: a numerical
# limit, some thousand units of rounding.
NEGLIGIBLE = 1e-12
# Of features without penalty no more numbers than these (64 MB) are looked at for their own sake:
# it bounds memory, and gaps beside more of them are as without rounding.
FEW = 2**23
# A part of `DataTerm.scale` that rounding of a single correlation may add to the gap: a
# numerical limit, some units of rounding.
SPOILT = 1e-15


class DivergenceBound(NamedTuple):
    """An upper bound of the divergence of kappa r, which is convex: linear from kappa = 0 to 1.

    The divergence of r itself, zero for the residual of coefficients, is left out.
    """

    at_zero: float

    @property
    def loss(self) -> float:
        return self.at_zero

    def divergence(self, kappa: float) -> float:
        return (1.0 - kappa) * self.at_zero


class Certifier(ABC):
    """Judges coefficients on the features of a working set.

    Attributes
    ----------
    gap_tol : float
        The largest gap that is good enough, in the units of the objective.
    measure : Measure
        What stands for the gap, and is called that.
    unit : float
        What users are told instead of a gap of one.
    """

    measure = Measure.DUAL_GAP
    unit = 1.0

    def __init__(
        self, term: DataTerm, working_set: WorkingSet, design: AnyDesign, settings: PathSettings
    ) -> None:
        self.term, self.working_set, self.settings = term, working_set, settings
        self.design, self.penalty = design, settings.penalty
        self.gap_tol = settings.tol * term.scale
        self.negligible = NEGLIGIBLE * term.scale

    @abstractmethod
    def of_iterate(self, alpha: float, iterate: Iterate) -> Certificate:
        """The certificate of an iterate."""

    def of_step(self, alpha: float, before: Iterate, iterate: Iterate) -> Certificate:
        """The certificate of an iterate, and of the step to it.

        If that has moved outputs far, they may be in the tail of an exponential, where a
        correlation is small however far its coefficient has to go: of a feature without penalty,
        more than its rounding is too much, unless it is too little to matter.
        """
        return self.of_iterate(alpha, iterate)

    @abstractmethod
    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """What rounding of correlations may hide of the gap; 0 if negligible."""

    def of_refined(self, alpha: float, iterate: Iterate, divergence: float) -> Certificate:
        """The certificate of an iterate with a refined residual r, of this divergence."""
        bound = DivergenceBound(iterate.state.divergence(0.0))
        gap, kappa, rounding_gap = self.of_iterate(alpha, iterate._replace(state=bound))
        if self.penalty.ridged and iterate.feasible_alpha < np.inf:
            unscaled = self._gap_at_residual(alpha, iterate) + iterate.hidden
            gap, kappa = min((gap, kappa), (unscaled, 1.0))
        return Certificate(gap + divergence, kappa, rounding_gap)

    def _gap_at_residual(self, alpha: float, iterate: Iterate) -> float:
        """The gap at the residual as it is, which a ridge makes feasible."""
        penalty, ridge = self.penalty.parts(alpha, ALL)
        assert ridge is not None
        theta = iterate.dense(self.working_set.features)
        return ridged_gap(penalty, ridge, iterate.z, theta, self.penalty.positive)

    def with_hidden(self, certificate: Any, hidden: float) -> Certificate:
        """A certificate with what rounding may hide from its gap, unless that is negligible.

        Or several, as arrays.
        """
        gap, kappa, rounding_gap = certificate
        return Certificate(gap + hidden * (hidden > self.negligible), kappa, rounding_gap + hidden)

    def suffices(self, certificate: Certificate) -> bool:
        """Whether the gap is within the tolerance, or is what rounding contributes, negligible."""
        gap, _, rounding_gap = certificate
        return gap <= self.gap_tol or gap <= min(rounding_gap, self.negligible)

    @cached_property
    def _unpenalised(self) -> tuple[Index, Float64] | None:
        """The features without any penalty and their Gram matrix; None if that is too large."""
        design: Any = self.design
        unpenalised = (self.penalty.weights == 0.0) & (design.column_norms > 0.0)
        features = unpenalised.nonzero()[0]
        if features.size * design.shape[0] > FEW:
            return None
        if self.working_set.complete:
            return features, self.working_set.gram[np.ix_(features, features)]
        block = design.block(features)
        return features, block.T @ block

    def hidden_by_unpenalised(self, iterate: Iterate) -> float:
        """|P r| |y|, P the projection on features without penalty; inf if one of them is missing.

        Under theta >= 0, these are those that are not at zero.
        """
        if self.penalty.all_penalised or self._unpenalised is None:
            return 0.0
        features, gram = self._unpenalised
        theta = iterate.dense(self.working_set.features)
        on, z = theta[features] != 0.0, iterate.z[features]
        missing = z[~on] > 0.0 if self.penalty.positive else ~on
        if missing.any():
            return np.inf
        factor, kept = independent_cholesky(gram[on][:, on])
        if kept.size < np.count_nonzero(on):
            return np.inf
        half = dtrtrs(factor, z[on], lower=1)[0] if kept.size else z[on]
        return float(np.sqrt(half @ half)) * self.term.norm


class L1Certifier(Certifier):
    """Where there is an L1 penalty, or none at all."""

    def of_iterate(self, alpha: float, iterate: Iterate) -> Certificate:
        on, theta = self.working_set.features[iterate.support], iterate.theta[iterate.support]
        z, errors = iterate.z[on], iterate.rounding.of(self.design.rounding, on)
        penalty, ridge = self.penalty.parts(alpha, on)
        divergence = iterate.state.divergence
        if ridge is not None:
            of_loss, square = divergence, float(ridge @ theta**2)
            z = z - ridge * theta

            def divergence(kappa: float) -> float:
                return of_loss(kappa) + 0.5 * (1.0 - kappa) ** 2 * square

        certificate = certify(alpha, iterate.feasible_alpha, penalty, errors, z, theta, divergence)
        return self.with_hidden(certificate, iterate.hidden)

    def of_step(self, alpha: float, before: Iterate, iterate: Iterate) -> Certificate:
        certain = self.term.quadratic or self.penalty.all_penalised
        if certain or has_settled(before.state, iterate.state):
            return self.of_iterate(alpha, iterate)
        free = (self.penalty.weights == 0.0).nonzero()[0]
        errors = iterate.rounding.of(self.design.rounding, free)
        missed = self.penalty.abs_correlation(iterate.z[free]) > errors
        if (missed & (SOLVED * errors > self.gap_tol)).any():
            iterate = iterate._replace(feasible_alpha=np.inf)
        return self.of_iterate(alpha, iterate)

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """That is for squared loss alone.

        A dual point that is feasible without rounding is smaller by a part of
        rounding_error_j / lambda_j, and orthogonal to the features without penalty. The penalty
        of theta is at most the loss without features, which mostly tells enough.
        """
        relative_error = iterate.rounding.residual_scale * self._largest_relative_error
        if self.penalty.all_penalised and relative_error <= NEGLIGIBLE * alpha:
            return 0.0
        weights = self.penalty.weights[self.working_set.features[iterate.support]]
        size = float(weights @ np.abs(iterate.theta[iterate.support]))
        hidden = relative_error * size + self.hidden_by_unpenalised(iterate)
        return hidden if hidden > self.negligible else 0.0

    @cached_property
    def _largest_relative_error(self) -> float:
        """The largest rounding error of a correlation, as a part of the penalty weight."""
        weights, errors = self.penalty.weights, self.design.rounding
        parts = np.divide(errors, weights, out=np.zeros_like(weights), where=weights > 0.0)
        return float(parts.max(initial=0.0))


class RidgeCertifier(Certifier):
    """Where there is a ridge penalty and no L1 penalty.

    With e = z - P theta = -grad f the gap is 1/2 sum_j e_j^2 / rho_j, as the residual is feasible
    for the dual problem as it is. Of a feature without any penalty, or with so little that rounding
    of z_j alone would spoil the gap, e_j has to vanish up to rounding; if it has a penalty, e_j
    counts unless the rounding of z_j alone explains it.
    """

    def of_iterate(self, alpha: float, iterate: Iterate) -> Certificate:
        """The certificate of an iterate: all but worthless where a feature without penalty counts.

        That is where its correlation is not zero to rounding.
        """
        return self._of(alpha, iterate)

    def of_step(self, alpha: float, before: Iterate, iterate: Iterate) -> Certificate:
        """The same; after a far step what rounding of z_j explains is a part of the gap."""
        settled = self.term.quadratic or has_settled(before.state, iterate.state)
        return self._of(alpha, iterate, settled)

    def of_refined(self, alpha: float, iterate: Iterate, divergence: float) -> Certificate:
        """The same of another dual point, which differs by rounding.

        What that explains of z_j is not missing from rho_j theta_j.
        """
        certificate = self._of(alpha, iterate, refined=True)
        return certificate._replace(gap=certificate.gap + divergence)

    def _of(
        self, alpha: float, iterate: Iterate, settled: bool = True, refined: bool = False
    ) -> Certificate:
        ridge, on = self.penalty.ridge(alpha, ALL), self.working_set.features[iterate.support]
        errors, sizes = iterate.rounding.of(self.design.rounding, ALL), np.zeros(ridge.size)
        sizes[on] = np.abs(iterate.theta[iterate.support])
        gradient = np.maximum(iterate.z, 0.0) if self.penalty.positive else iterate.z.copy()
        gradient[on] = iterate.z[on] - ridge[on] * iterate.theta[iterate.support]
        gradient, weighed = np.abs(gradient), weighed_features(self, ridge, errors)
        value = iterate.state.loss + 0.5 * float(ridge @ sizes**2)
        allowed = SOLVED * errors
        if not settled:
            allowed = np.where(allowed > self.gap_tol, errors, allowed)
        if (gradient > allowed)[~weighed].any():
            return self.with_hidden(Certificate(value, 0.0, 0.0), iterate.hidden)
        if not settled:
            gradient = np.where(weighed, gradient, np.maximum(gradient, errors))
        counted = weighed | ((ridge > 0.0) & (gradient >= errors))
        half_inverse = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=counted)
        sizes[weighed | (refined & (ridge > 0.0))] = 0.0
        gap = min(value, float(half_inverse @ gradient**2 + gradient @ sizes))  # f >= 0
        left = np.where(weighed, 2.0 * errors, gradient)  # what rounding leaves of the equations
        rounding_gap = float(half_inverse @ left**2 + errors @ sizes)
        return self.with_hidden(Certificate(gap, 1.0, rounding_gap), iterate.hidden)

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """All, if a penalty is too small to mean something beside rounding."""
        ridge = self.penalty.ridge(alpha, ALL)
        errors = iterate.rounding.of(self.design.rounding, ALL)
        too_small = ~weighed_features(self, ridge, errors)
        hidden = self.hidden_by_unpenalised(iterate)
        hidden = np.inf if too_small[ridge > 0.0].any() else hidden
        return hidden if hidden > self.negligible else 0.0


def weighed_features(certifier: Certifier, ridge: Float64, rounding_error: Float64) -> Mask:
    """Which features have a penalty that means something beside rounding."""
    return np.asarray(rounding_error**2 < SPOILT * certifier.term.scale * ridge)
