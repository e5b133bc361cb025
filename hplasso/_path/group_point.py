"""Groups of coefficients at one alpha: their duality gap, and a point of the path made from them.

As for single coefficients (`duality_gap`), with norms of groups in place of absolute values: kappa
R is feasible for the dual problem when kappa |z_g| <= lambda_g for all groups, and

    gap = (1 - kappa)^2 / 2 ||R||^2  +  sum_g (lambda_g |theta_g| - kappa <z_g, theta_g>).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .._datafit.targets import Targets, TargetStates
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .._penalties.group import GroupPenalty
from .certification import NEGLIGIBLE
from .path_point import outcome_of
from .progress import PathPoint
from .settings import PathSettings


class GroupIterate(NamedTuple):
    """theta (k, T) of some features, all others zero; z (p, T), the loss, and the certificate."""

    features: Index
    theta: Float64
    z: Float64
    loss: float
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class GroupCertifier:
    """Judges coefficients of some features, which stand group by group."""

    targets: Targets
    penalty: GroupPenalty
    settings: PathSettings

    @property
    def gap_tol(self) -> float:
        """The largest gap that is good enough."""
        return self.settings.tol * self.targets.scale

    @cached_property
    def _rounding(self) -> Float64:
        """The rounding of the columns of each group, (n_groups,)."""
        return self.penalty.norms(self.targets.design.rounding[:, None])

    @cached_property
    def _lengths(self) -> Float64:
        """No less than the largest singular value of Z_g, of each group."""
        return self.penalty.norms(self.targets.design.column_norms[:, None])

    def suffices(self, certificate: Certificate) -> bool:
        """Whether the gap is within the tolerance, or is what rounding contributes, negligible."""
        gap, _, rounding_gap = certificate
        return gap <= self.gap_tol or gap <= min(rounding_gap, NEGLIGIBLE * self.targets.scale)

    def observe(self, alphas: Float64, features: Index, theta: Float64) -> list[GroupIterate]:
        """Coefficients (k, T, M) with what they are worth at M alphas: a pass over X."""
        self.targets.working_set.admit(features)
        states = self.targets.states(features, theta)
        sizes = self.targets.norm + self.targets.sizes(features, theta).sum(axis=0)
        found = []
        for m, alpha in enumerate(alphas):
            z, values = states.z[..., m], theta[..., m]
            certificate = self._certificate(
                float(alpha), features, values, states, m, sizes[m] * self._rounding
            )
            loss = 0.5 * float(states.squares[m])
            found.append(GroupIterate(features, values, z, loss, certificate))
        return found

    def _certificate(
        self,
        alpha: float,
        features: Index,
        theta: Float64,
        states: TargetStates,
        m: int,
        errors: Float64,
    ) -> Certificate:
        """That of the m-th of some coefficients; rounding may add `errors` to each |z_g|."""
        penalty, z = self.penalty, states.z[..., m]
        feasible = float(penalty.feasible_alpha(penalty.norms(z), errors).max(initial=0.0))
        kappa = alpha / feasible if feasible > alpha else 1.0
        inner = penalty.sums_of(features, z[features] * theta)
        lengths = np.sqrt(penalty.sums_of(features, theta**2))
        gap = 0.5 * (1.0 - kappa) ** 2 * float(states.squares[m])
        gap += float(np.abs(alpha * penalty.weights * lengths - kappa * inner).sum())
        hidden = float(states.hidden[m])
        gap += hidden * (hidden > NEGLIGIBLE * self.targets.scale)
        return Certificate(gap, kappa, float(errors @ lengths) + hidden)

    def without_zeros(self, alpha: float, at: GroupIterate) -> GroupIterate:
        """The same without groups that are surely zero, by the gap-safe sphere rule."""
        reachable = at.certificate.kappa * self.penalty.norms(at.z)
        reachable += self._lengths * np.sqrt(2.0 * at.certificate.gap)
        possible = (reachable >= alpha * self.penalty.weights)[self.penalty.groups[at.features]]
        if possible.all():
            return at
        theta = at.theta[possible]
        return self.observe(np.array([alpha]), at.features[possible], theta[..., None])[0]

    def returned(self, alpha: float, at: GroupIterate) -> GroupIterate:
        """The same in the type that is returned; the gap has what the rounding costs."""
        dtype = self.settings.dtype
        if dtype == np.float64:
            return at
        features, theta = self.penalty.nonzero(at.features, at.theta.astype(dtype))
        theta = theta.astype(np.float64)
        (at,) = self.observe(np.array([alpha]), features, theta[..., None])
        written = self.targets.intercept - self.targets.design.mean[features] @ theta
        delta = 0.5 * float(np.finfo(dtype).eps) * written
        gap, kappa, rounding_gap = at.certificate
        cost = 0.5 * float(delta @ delta)
        return at._replace(certificate=Certificate(gap + cost, kappa, rounding_gap + cost))

    def point(self, alpha: float, at: GroupIterate, sweeps: int) -> PathPoint:
        """What is returned of an iterate; of T targets, pairs j T + t stand for features j."""
        outcome = outcome_of(self, at.certificate, sweeps)
        intercept: Any = self.targets.intercept
        n_targets = intercept.size
        pairs = (at.features[:, None] * n_targets + np.arange(n_targets)).ravel()
        values = at.theta.ravel()
        on = np.flatnonzero(values)
        if n_targets == 1:
            intercept = float(intercept[0])
        return PathPoint(
            alpha,
            pairs[on],
            values[on],
            intercept,
            at.certificate.gap,
            self.gap_tol,
            outcome,
            sweeps,
        )
