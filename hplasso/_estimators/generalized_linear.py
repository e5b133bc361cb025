"""Generalized linear models: checked data, and their problem on a design."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._datafit.newton import CurvedTerm
from .._design.factory import check_range, checked_design
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._losses.offset import OffsetLoss
from .._losses.tweedie import TweedieLoss
from .._numerics.typing import Float64, Mask
from .._path.interpolation import trace_log_interpolated
from .._path.progress import PathPoint
from .._path.tracer import Tracer
from .._validation.arrays import checked_array
from .._validation.weights import PenaltyWeights, normalised_weights
from .problem import FitOptions, Problem, UnpenalisedProblem
from .regression import AlphaScale

# scikit-learn's names of the losses, for errors; of other powers it is the last.
LOSS_NAMES = {1.0: "HalfPoissonLoss", 2.0: "HalfGammaLoss"}
OTHER_LOSS = "HalfTweedieLoss"


class GeneralizedLinear(UnpenalisedProblem):
    """Tweedie deviance of targets y (n,), under weights (n,) that sum to one."""

    def __init__(
        self,
        X: Any,
        y: Float64,
        weights: Float64,
        power: float,
        fit_intercept: bool,
        left_out: Mask | None = None,
        offset: Float64 | None = None,
    ) -> None:
        self.design = checked_design(X, weights, fit_intercept, left_out).leave_means()
        loss: Loss = TweedieLoss(y, weights, power)
        if offset is not None:
            loss = OffsetLoss(loss, offset[:, None])
        self.term = CurvedTerm(self.design, loss, fit_intercept)
        self.terms = [self.term]
        self.working_set = WorkingSet(self.term.design)

    def scale(self, l1_ratio: float) -> AlphaScale:
        """What the user calls alpha."""
        return AlphaScale(l1_ratio)

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones."""
        return trace_log_interpolated(tracer, self.term, alphas, early_stop)


class GeneralizedLinearData(NamedTuple):
    """X (n, p), y (n,), weights (n,) that sum to one, the power, penalty weights, and options.

    An `offset` is of shape (n,).
    """

    X: Any
    y: Float64
    weights: Float64
    power: float
    penalty: PenaltyWeights
    options: FitOptions
    offset: Float64 | None = None

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        X, y, weights, power, penalty, options, offset = self
        unpenalised = GeneralizedLinear(
            X, y, weights, power, options.fit_intercept, penalty.left_out, offset
        )
        return Problem(unpenalised, options, penalty.weights, X.dtype)

    @property
    def raw_weights(self) -> Float64:
        """The weights (n,)."""
        return self.weights

    def reweighted(self, weights: Float64, total: float = 1.0) -> GeneralizedLinearData:
        """The same under other weights, which are to sum to one; their sum is of no account."""
        return self._replace(weights=weights)

    def with_offset(self, offset: Any) -> GeneralizedLinearData:
        """The same with what the user adds to the linear model, which is checked; None is zero."""
        if offset is not None:
            offset = checked_array(offset, (self.X.shape[0],), "offset")
        return self._replace(offset=offset)

    def without_penalty(self) -> GeneralizedLinearData:
        """The same where no feature has a penalty, at any alpha."""
        none = self.penalty._replace(weights=np.zeros_like(self.penalty.weights))
        return self._replace(penalty=none, options=replace(self.options, l1_ratio=1.0))

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (p,)."""
        return checked_array(coefficients, (self.X.shape[1],), name)


def generalized_linear_data(
    X: Any,
    y: Any,
    sample_weight: Any,
    power: float,
    penalty: PenaltyWeights,
    options: FitOptions,
) -> GeneralizedLinearData:
    """The data of a problem, from X and y that have been validated, and sample weights.

    Raises
    ------
    ValueError
        If the sample weights, or values of y, are not what they have to be.
    """
    y = checked_targets(y, power)
    return GeneralizedLinearData(
        X, y, normalised_weights(sample_weight, X), power, penalty, options
    )


def checked_targets(y: Any, power: float) -> Float64:
    """Targets as float64; a ValueError where the loss is not defined for them."""
    y = np.asarray(y, dtype=np.float64)
    check_range("y", float(np.abs(y).max()))
    if (y < 0.0).any() or (power == 2.0 and not y.all()):
        name, least = LOSS_NAMES.get(power, OTHER_LOSS), "positive" if power == 2.0 else ">= 0"
        raise ValueError(
            f"Some value(s) of y are out of the valid range of the loss {name!r}. They have to be "
            f"{least}. The smallest is {y.min()}."
        )
    return y


def mean_deviances(y: Float64, outputs: Float64, weights: Float64, power: float) -> Float64:
    """Mean unit deviances of y (n,) at columns of outputs (n, L); the weights sum to one."""
    loss = TweedieLoss(y, weights, power)
    return 2.0 * np.array([weights @ loss.predict(each[:, None]).losses for each in outputs.T])
