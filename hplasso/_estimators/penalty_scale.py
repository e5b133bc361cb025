"""What the user calls the penalty, alpha or C, and the alpha of the solver for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .._design.factory import SMALLEST
from .._numerics.typing import Float64

# The first penalty of a grid where no feature has anything to say, as in scikit-learn.
SMALLEST_FIRST = float(np.finfo(np.float64).resolution)


class PenaltyScale(ABC):
    """Translates between the user's penalty and the solver's alpha, at one l1_ratio.

    The solver's alpha weighs the L1 penalty against the mean loss; the ridge penalty, where that is
    alone. `unit` is the solver's alpha for a penalty of one.
    """

    name: str

    def __init__(self, l1_ratio: float) -> None:
        self.l1_ratio = float(l1_ratio)
        self.unit = self.l1_ratio or 1.0

    @property
    def ridge_ratio(self) -> float:
        """The ridge penalty as a multiple of the L1 penalty."""
        return (1.0 - self.l1_ratio) / self.l1_ratio if self.l1_ratio > 0.0 else np.inf

    @abstractmethod
    def alphas(self, penalties: Any) -> Any:
        """The solver's alphas for the user's penalties."""

    @abstractmethod
    def penalties(self, alphas: Any) -> Any:
        """The user's penalties for the solver's alphas."""

    @abstractmethod
    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        """`n` penalties, evenly on a log scale, the strongest first: where features enter.

        `alpha_max` is the solver's; `eps` is the length of the grid, the last alpha over the first.
        """

    def name_alpha(self, alpha: float) -> str:
        """An alpha of the solver in the user's terms."""
        return f"{self.name}={self.penalties(alpha):.6g}"


class AlphaScale(PenaltyScale):
    """alpha, as of the lasso: a multiple of the solver's."""

    name = "alpha"

    def alphas(self, penalties: Any) -> Any:
        return self.unit * penalties

    def penalties(self, alphas: Any) -> Any:
        return alphas / self.unit

    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        first = alpha_max / self.l1_ratio
        if first <= SMALLEST_FIRST:
            return np.full(n, SMALLEST_FIRST)
        return first * np.geomspace(1.0, eps, n)


class CScale(PenaltyScale):
    """C, as of logistic regression: what weighs the loss, summed under weights of sum `total`.

    So alpha is l1_ratio / (C total) for the L1 penalty, and 1 / (C total) for the ridge penalty
    where that is alone.
    """

    name = "C"

    def __init__(self, l1_ratio: float, total: float) -> None:
        super().__init__(l1_ratio)
        self.total = total

    def alphas(self, penalties: Any) -> Any:
        """The solver's alphas for values of C.

        Raises
        ------
        ValueError
            If a C is so large that nothing is left of the penalty.
        """
        with np.errstate(over="ignore"):
            alphas = self.unit / (np.asarray(penalties) * self.total)
        if alphas.min() < SMALLEST:
            raise ValueError(
                f"C={np.max(penalties):.6g} is too large: the penalty is less than {SMALLEST:.0e} "
                "of the loss."
            )
        return alphas

    def penalties(self, alphas: Any) -> Any:
        return self.unit / (alphas * self.total)

    def grid(self, alpha_max: float, eps: float, n: int) -> Float64:
        first = self.penalties(max(alpha_max, SMALLEST_FIRST))
        return np.asarray(first * np.geomspace(1.0, 1.0 / eps, n))
