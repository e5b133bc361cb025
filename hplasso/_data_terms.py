"""The loss, seen from the solver. No other file knows it.

Inside the package the objective is, with weights v_i >= 0 that sum to one and penalty weights w_j,

    f(theta) = L(theta) + alpha sum_j w_j |theta_j|,
    L(theta) = 1/2 sum_i v_i (y_i - b - x_i'theta)^2,

minimised over b as well: b = m_y - m'theta with the weighted means m_y of y and m of X's columns.
With the design's Z, and y weighted and centred in the same way, L = 1/2 ||y - Z theta||^2. n and
p count samples and features, theta holds the coefficients, z = Z'(y - Z theta) = -grad L, `square`
is ||y - Z theta||^2.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ._certificate import ROUNDING
from ._correlations import Correlations
from ._design import Design
from ._typing import Float64
from ._working_set import WorkingSet


class DataTerm(Protocol):
    """What the path driver asks of a loss.

    `scale` is the loss of the model without features, the unit of `tol`; `norm` the length of y.
    """

    scale: float
    norm: float

    def observe(
        self,
        working_set: WorkingSet,
        theta: Float64,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, float]:
        """z of all features and `square`, for coefficients on the working set.

        z_j may be off its true value where both are sure to be below the `limit` (`_correlations`).
        """
        ...

    def rows(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        """The columns of Z in the working set, as rows, and y; for the dual form.

        Only where there are more of them than samples.
        """
        ...


class LeastSquares:
    """Squared loss from the data: an observation is a pass over X at most."""

    def __init__(self, design: Design, y: Float64, fit_intercept: bool) -> None:
        self.design = design
        weights = design.root**2
        self.offset = 0.0
        if fit_intercept:
            self.offset = float(weights @ y)
            self.offset += float(weights @ (y - self.offset))  # to the last digit
        self.response = design.root * (y - self.offset)
        self.scale = float(self.response @ self.response)
        if self.scale <= ROUNDING**2 * float(weights @ y**2):  # y is constant
            self.response[:] = self.scale = 0.0
        self.norm = float(np.sqrt(self.scale))
        self.correlations = Correlations(design)

    def observe(
        self,
        working_set: WorkingSet,
        theta: Float64,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, float]:
        residual = self.response
        if theta.any():
            residual = residual - working_set.columns.predict(theta)
        z = self.correlations.at(residual, working_set, limit, positive)
        return z, float(residual @ residual)

    def rows(self, working_set: WorkingSet) -> tuple[Float64, Float64] | tuple[None, None]:
        if working_set.features.size <= self.design.shape[0]:
            return None, None
        return self.design.block(working_set.features).T, self.response


class LeastSquaresMoments:
    """Squared loss from G = Z'Z, c = Z'y and ||y||^2, which say all about it: X is not needed."""

    def __init__(self, gram: Float64, target: Float64, scale: float) -> None:
        self.gram = gram
        self.target = target
        self.scale = scale
        self.norm = float(np.sqrt(scale))

    def observe(
        self,
        working_set: WorkingSet,
        theta: Float64,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, float]:
        support = np.flatnonzero(theta)
        z = self.target - theta[support] @ self.gram[support]
        return z, max(0.0, self.scale - float(theta @ (self.target + z)))

    def rows(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None
