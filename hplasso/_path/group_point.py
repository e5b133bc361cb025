"""Groups of coefficients at one alpha: their duality gap, and a point of the path made from them.

As for single coefficients (`duality_gap`), with norms of groups in place of absolute values: kappa
r is feasible for the dual problem when kappa |z_g| <= lambda_g for all groups, and

    gap = divergence of kappa r  +  sum_g (lambda_g |theta_g| - kappa <z_g, theta_g>).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._datafit.group_term import GroupState, GroupTerm
from .._design.correlations import ALL
from .._numerics.rounding import ROUNDING
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .._penalties.group import GroupPenalty
from .certification import FEW, NEGLIGIBLE
from .group_projection import Unpenalised
from .path_point import outcome_of, rounded_to
from .progress import PathPoint
from .settings import PathSettings


class GroupIterate(NamedTuple):
    """theta (k, T) of some features, all others zero; the loss there, and the certificate."""

    features: Index
    theta: Float64
    state: GroupState
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class GroupCertifier:
    """Judges coefficients of some features, which stand group by group."""

    term: GroupTerm
    penalty: GroupPenalty
    settings: PathSettings

    @property
    def gap_tol(self) -> float:
        """The largest gap that is good enough."""
        return self.settings.tol * self.term.scale

    @cached_property
    def lengths(self) -> Float64:
        """No less than the largest singular value of Z_g, of each group."""
        return self.penalty.grouping.norms(self.term.design.column_norms[:, None])

    def suffices(self, certificate: Certificate) -> bool:
        """Whether the gap is within the tolerance, or is what rounding contributes, negligible."""
        gap, _, rounding_gap = certificate
        return gap <= self.gap_tol or gap <= min(rounding_gap, NEGLIGIBLE * self.term.scale)

    def observe(self, alphas: Float64, features: Index, theta: Float64) -> list[GroupIterate]:
        """Coefficients (k, T, M) with what they are worth at M alphas: a pass over X."""
        states = self.term.states(features, theta)
        return [
            self.iterate(float(alpha), features, theta[..., m], states[m])
            for m, alpha in enumerate(alphas)
        ]

    def iterate(
        self, alpha: float, features: Index, theta: Float64, state: GroupState
    ) -> GroupIterate:
        """Coefficients (k, T) with their state, and what they are worth at an alpha."""
        penalty, z = self.penalty, state.z
        errors = self.errors(state)
        feasible = penalty.feasible_alpha(z, errors, alpha)
        kappa = alpha / feasible if feasible > alpha else 1.0
        inner = penalty.grouping.sums(features, z[features] * theta)
        lengths = np.sqrt(penalty.grouping.sums(features, theta**2))
        gap = state.divergence(kappa) if kappa < 1.0 else 0.0
        of_groups = penalty.limits(alpha) * lengths - kappa * inner
        if penalty.l1_ratio > 0.0:
            sizes = penalty.single_limits(alpha, features)[:, None] * np.abs(theta)
            of_groups += penalty.grouping.sums(features, sizes)
        gap += float(np.abs(of_groups).sum())
        hidden = state.hidden
        if self._unpenalised is not None:
            hidden += self._unpenalised.length(z, features[theta.any(axis=1)]) * self.term.norm
        gap += hidden * (hidden > NEGLIGIBLE * self.term.scale)
        certificate = Certificate(gap, kappa, float(errors @ lengths) + hidden)
        return GroupIterate(features, theta, state, certificate)

    @cached_property
    def _unpenalised(self) -> Unpenalised | None:
        """The features without penalty, if there are any and they are not too many."""
        design, free = self.term.design, (self.penalty.weights == 0.0)[self.penalty.groups]
        features = np.flatnonzero(free & (design.column_norms > 0.0))
        if not features.size or features.size * design.shape[0] > FEW:
            return None
        return Unpenalised(design, features, self.penalty.positive)

    def errors(self, state: GroupState) -> Float64:
        """What rounding may add to |z_g|, (n_groups,)."""
        if not state.rounding.special.size:
            return state.rounding.residual_scale * self._rounding
        errors = state.rounding.of(self.term.design.rounding, ALL)
        return self.penalty.grouping.norms(errors[:, None])

    @cached_property
    def _rounding(self) -> Float64:
        """The rounding of the columns of each group, (n_groups,)."""
        return self.penalty.grouping.norms(self.term.design.rounding[:, None])

    def without_zeros(self, alpha: float, at: GroupIterate) -> GroupIterate:
        """The same without groups that are surely zero, by the gap-safe sphere rule.

        That needs a bound of the curvature of the loss.
        """
        if not self.term.curvature < np.inf:
            return at
        reachable = self.penalty.correlations(at.certificate.kappa * at.state.z, alpha)
        reachable += self.lengths * np.sqrt(2.0 * self.term.curvature * at.certificate.gap)
        possible = (reachable >= self.penalty.limits(alpha))[self.penalty.groups[at.features]]
        if possible.all():
            return at
        theta = at.theta[possible]
        return self.observe(np.array([alpha]), at.features[possible], theta[..., None])[0]

    def returned(self, alpha: float, at: GroupIterate) -> GroupIterate:
        """The same in the type that is returned; the gap has what the rounding costs."""
        dtype = self.settings.dtype
        if dtype == np.float64:
            return at
        features, theta = self.penalty.nonzero(at.features, rounded_to(at.theta, dtype))
        (after,) = self.observe(np.array([alpha]), features, theta[..., None])
        written = self.term.written_intercept(after.state, features, theta)
        delta = 0.5 * float(np.finfo(dtype).eps) * written
        cost = max(0.0, self.objective(alpha, after) - self.objective(alpha, at))
        cost += after.state.intercept_cost(delta)
        gap, kappa, rounding_gap = at.certificate
        return after._replace(certificate=Certificate(gap + cost, kappa, rounding_gap + cost))

    def objective(self, alpha: float, at: GroupIterate) -> float:
        """f."""
        return at.state.loss + self.penalty.value(alpha, at.features, at.theta)

    def point(self, alpha: float, at: GroupIterate, sweeps: int) -> PathPoint:
        """What is returned of an iterate; of T targets, pairs j T + t stand for features j."""
        outcome, n_targets = outcome_of(self, at.certificate, sweeps), self.term.n_targets
        pairs = (at.features[:, None] * n_targets + np.arange(n_targets)).ravel()
        values = at.theta.ravel()
        on = np.flatnonzero(values)
        return PathPoint(
            alpha,
            pairs[on],
            values[on],
            at.state.intercept,
            at.certificate.gap,
            self.gap_tol,
            outcome,
            sweeps,
        )


def without_rounding(certifier: GroupCertifier, alpha: float, at: GroupIterate) -> GroupIterate:
    """The same without groups of which only rounding is left: they change no digit of outputs.

    They are zero, as they have a penalty; they are left where others fit y exactly.
    """
    penalty = certifier.penalty
    sizes = certifier.lengths * np.sqrt(penalty.grouping.sums(at.features, at.theta**2))
    least = ROUNDING * max(certifier.term.norm, float(sizes.max(initial=0.0)))
    stay = ((sizes > least) | (penalty.weights == 0.0))[penalty.groups[at.features]]
    if stay.all():
        return at
    return certifier.observe(np.array([alpha]), at.features[stay], at.theta[stay][..., None])[0]
