"""Squared loss: 1/2 (y - f)^2, whose curvature is one everywhere.

Its intercept has a closed form, b = m_y - m'theta with the weighted means of y and of the features.
So all there is to know of y is a response that is weighted, and centred as the features are.
"""

from .._numerics.rounding import ROUNDING
from .._numerics.typing import Float64


class SquaredLoss:
    """The squared loss of targets.

    Attributes
    ----------
    intercept : float
        m_y, or zero without an intercept.
    response : ndarray of shape (n,)
        sqrt(v) (y - m_y), the residual without features.
    square : float
        Its square; zero where y is constant up to rounding.
    """

    quadratic = True
    convex = True

    def __init__(self, y: Float64, sqrt_weights: Float64, fit_intercept: bool) -> None:
        weights, self.intercept = sqrt_weights**2, 0.0
        if fit_intercept:
            self.intercept = float(weights @ y)
            self.intercept += float(weights @ (y - self.intercept))  # to the last digit
        self.response = sqrt_weights * (y - self.intercept)
        self.square = float(self.response @ self.response)
        if self.square <= ROUNDING**2 * float(weights @ y**2):
            self.response[:] = self.square = 0.0
