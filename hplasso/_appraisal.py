"""What coefficients are worth as a solution, and the point of a path that they make."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._certificate import Certificate, certify
from ._data_terms import DataTerm
from ._knots import Observation
from ._reports import PathPoint
from ._settings import PathSettings
from ._stacked import AnyDesign
from ._typing import Float64, Index
from ._working_set import WorkingSet


class Appraisal:
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
        self.rounding = design.rounding
        self.asked = settings.tol * term.scale

    def slack(self, noise: float, features: Index | slice) -> Float64:
        """What rounding may add to the correlations of some features."""
        return noise * self.rounding[features]

    def of_place(self, alpha: float, place: Observation) -> Certificate:
        """The certificate of a place."""
        on, theta = self.working_set.features[place.support], place.theta[place.support]
        z, slack, divergence = place.z[on], self.slack(place.noise, on), place.state.divergence
        if self.settings.ridged:
            ridge, of_loss = self.settings.ridge(alpha, on), divergence
            z = z - ridge * theta
            square = float(ridge @ theta**2)

            def divergence(kappa: float) -> float:
                return of_loss(kappa) + 0.5 * (1.0 - kappa) ** 2 * square

        penalty = alpha * self.settings.penalty_weights[on]
        return certify(alpha, place.level, penalty, slack, z, theta, divergence)

    def allowed(self, floor: float) -> float:
        """The gap that is asked for, or what rounding contributes, unless that means nothing."""
        return max(self.asked, min(floor, self.term.scale))

    def point_at(
        self, alpha: float, place: Observation, certificate: Certificate, sweeps: int
    ) -> PathPoint:
        """What is returned of a place."""
        values, intercept = place.theta[place.support], place.state.intercept
        return self.point(alpha, place.support, values, intercept, certificate, sweeps)

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
        gap = certificate.gap
        converged = gap <= self.allowed(certificate.floor)
        if self.settings.dtype != np.float64:
            exact, values = values, self._rounded(values)
            price, intercept = self._price(alpha, support, exact, values)
            gap += price
        features = self.working_set.features[support]
        return PathPoint(alpha, features, values, intercept, gap, self.asked, converged, sweeps)

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

    def _price(
        self, alpha: float, support: Index, values: Float64, rounded: Float64
    ) -> tuple[float, Any]:
        """f(rounded) - f(values): what it costs to return a shorter type; and its intercept."""
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
        return max(0.0, after.loss - before.loss + penalty), after.intercept
