"""The point of a path that a certified iterate becomes, in the type that is returned."""

from typing import Any

import numpy as np

from .._datafit.iterate import Iterate
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .certification import Certifier
from .progress import Measure, Outcome, PathPoint

# A gap is due to rounding if it is no more than so many times the estimate of that: it decides
# which cause a warning names, no more.
DUE = 10.0


def point_of_iterate(
    certifier: Certifier, alpha: float, iterate: Iterate, certificate: Certificate, sweeps: int
) -> PathPoint:
    """What is returned of an iterate."""
    values, intercept = iterate.theta[iterate.support], iterate.state.intercept
    return path_point(certifier, alpha, iterate.support, values, intercept, certificate, sweeps)


def path_point(
    certifier: Certifier,
    alpha: float,
    support: Index,
    values: Float64,
    intercept: Any,
    certificate: Certificate,
    sweeps: int = 0,
) -> PathPoint:
    """What is returned of coefficients on a support in the working set."""
    dtype = certifier.settings.dtype
    if dtype != np.float64:
        exact, values = values, rounded_to(values, dtype)
        cost, intercept = _rounding_cost(certifier, alpha, support, exact, values)
        if certifier.measure is Measure.DUAL_GAP:
            gap, kappa, rounding_gap = certificate
            certificate = Certificate(gap + cost, kappa, rounding_gap + cost)
    features, unit = certifier.working_set.features[support], certifier.unit
    gap, gap_tol = unit * certificate.gap, unit * certifier.gap_tol
    outcome = outcome_of(certifier, certificate, sweeps)
    measure = certifier.measure
    return PathPoint(alpha, features, values, intercept, gap, gap_tol, outcome, sweeps, measure)


def outcome_of(certifier: Any, certificate: Certificate, sweeps: int) -> Outcome:
    """Why a fit has ended, as a certifier sees it."""
    if certifier.suffices(certificate):
        return Outcome.CONVERGED
    gap, _, rounding_gap = certificate
    shorter = certifier.settings.dtype != np.float64  # in it no more is known of a constant y
    if shorter and max(gap, certifier.term.scale) <= rounding_gap:
        return Outcome.CONVERGED
    if gap <= DUE * rounding_gap:
        return Outcome.ROUNDING
    return Outcome.MAX_ITER if sweeps >= certifier.settings.max_iter else Outcome.STALLED


def rounded_to(values: Float64, dtype: Any) -> Float64:
    """Coefficients as they are returned, in a shorter type."""
    with np.errstate(over="ignore"):
        rounded = values.astype(dtype).astype(np.float64)
    if not np.isfinite(rounded).all():
        raise ValueError(
            f"A coefficient of {np.abs(values).max():.1e} is out of the range of X's type, "
            f"{np.dtype(dtype)}. Scale the data, or pass X as float64."
        )
    return rounded


def _rounding_cost(
    certifier: Certifier, alpha: float, support: Index, values: Float64, rounded: Float64
) -> tuple[float, Any]:
    """What it costs to return a shorter type: f(rounded) - f(values); and the intercept.

    That is rounded, too, by delta, which costs more where the loss is curved more.
    """
    term, working_set, states = certifier.term, certifier.working_set, []
    for on_support in (values, rounded):
        theta = np.zeros(working_set.features.size)
        theta[support] = on_support
        states.append(term.state(working_set, theta))
    before, after = states
    features = working_set.features[support]
    penalty, ridge = certifier.penalty.parts(alpha, features)
    increase = float(penalty @ (np.abs(rounded) - np.abs(values)))
    if ridge is not None:
        increase += 0.5 * float(ridge @ (rounded**2 - values**2))
    written = np.atleast_1d(after.intercept)
    shift = certifier.design.mean[features] * rounded
    written = written - np.bincount(features % written.size, shift, written.size)
    unit = float(np.finfo(certifier.settings.dtype).eps)
    delta = 0.5 * unit * written
    cost = max(0.0, after.loss - before.loss + increase) + after.intercept_cost(delta)
    return cost, after.intercept
