"""Generalized linear models: checked data, and their problem on a design."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from .._datafit.newton import CurvedTerm
from .._design.factory import check_range, checked_design, leaving_out
from .._design.working_set import WorkingSet
from .._losses.base import Loss
from .._losses.identity_link import IdentityLink
from .._losses.normal import NormalLoss
from .._losses.offset import OffsetLoss
from .._losses.tweedie import TweedieLoss
from .._numerics.typing import Float64, Index, Mask
from .._path.interpolation import trace_log_interpolated
from .._path.progress import PathPoint
from .._path.tracer import Tracer
from .._validation.arrays import checked_array, checked_numbers, checked_offset
from .._validation.weights import PenaltyWeights, normalised_weights
from .problem import FitOptions, Problem, UnpenalisedProblem
from .regression import AlphaScale

# scikit-learn's names of the losses, for errors; of other powers and links they are the last.
LOSS_NAMES = {1.0: "HalfPoissonLoss", 2.0: "HalfGammaLoss"}
OTHER_LOSS, LOSS_OF_MEANS = "HalfTweedieLoss", "HalfTweedieLossIdentity"


class Family(NamedTuple):
    """The power of the variance as a function of the mean, and the link, 'log' or 'identity'."""

    power: float
    link: str

    @classmethod
    def of(cls, power: float, link: str = "auto") -> Family:
        """As in scikit-learn: 'auto' is the identity for powers that allow any mean."""
        if link == "auto":
            link = "identity" if power <= 0.0 else "log"
        return cls(float(power), link)

    @property
    def loss_name(self) -> str:
        """scikit-learn's."""
        if self.link == "identity":
            return LOSS_OF_MEANS
        return LOSS_NAMES.get(self.power, OTHER_LOSS)

    def loss(self, y: Float64, weights: Float64, offset: Float64 | None = None) -> Loss:
        """Half of the unit deviance."""
        loss: Loss
        if self.link == "log":
            loss = TweedieLoss(y, weights, self.power)
        elif self.power == 0.0:
            loss = NormalLoss(y, weights)
        else:
            loss = IdentityLink(TweedieLoss(y, weights, self.power))
        return loss if offset is None else OffsetLoss(loss, offset[:, None])

    def means(self, outputs: Float64) -> Float64:
        """The inverse of the link."""
        return np.exp(outputs) if self.link == "log" else outputs

    def checked_targets(self, y: Any) -> Float64:
        """Targets as float64; a ValueError where the loss is not defined for them."""
        y = checked_numbers(y)
        check_range("y", float(np.abs(y).max()))
        outside = y <= 0.0 if self.power >= 2.0 else y < 0.0
        if self.power >= 1.0 and outside.any():
            allowed = "positive" if self.power >= 2.0 else ">= 0"
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {self.loss_name!r}. "
                f"They have to be {allowed}. The smallest is {y.min()}."
            )
        if self.link == "identity" and 1.0 <= self.power < 2.0 and not y.all():
            raise ValueError(
                f"Some values of y are zero. With link='identity' and power={self.power} they have "
                "to be positive: the best mean of the others may be zero, where the loss ends. Use "
                "link='log'."
            )
        return y

    def mean_deviances(self, y: Float64, outputs: Float64, weights: Float64) -> Float64:
        """Mean unit deviances of y (n,) at columns of outputs (n, L); the weights sum to one."""
        loss = self.loss(y, weights)
        return 2.0 * np.array([weights @ loss.predict(each[:, None]).losses for each in outputs.T])


class GeneralizedLinear(UnpenalisedProblem):
    """The deviance of targets y (n,), under weights (n,) that sum to one."""

    def __init__(
        self,
        X: Any,
        y: Float64,
        weights: Float64,
        family: Family,
        fit_intercept: bool,
        left_out: Mask | None = None,
        offset: Float64 | None = None,
    ) -> None:
        self.design = checked_design(X, weights, fit_intercept, left_out).leave_means()
        if family.link == "log" and family.power <= 0.0 and not weights @ y > 0.0:
            raise ValueError(
                f"The mean of y has to be positive with link='log'. It is {weights @ y:.6g}."
            )
        self.term = CurvedTerm(self.design, family.loss(y, weights, offset), fit_intercept)
        if not self.term.scale < np.inf:
            raise ValueError(
                "With link='identity', means have to be positive where all coefficients are zero; "
                "here some are not. Use link='log', or power=0, for which any mean is allowed; or "
                "fit_intercept=True."
            )
        self.terms = [self.term]
        self.working_set = WorkingSet(self.term.design)

    def scale(self, l1_ratio: float) -> AlphaScale:
        """What the user calls alpha."""
        return AlphaScale(l1_ratio)

    def without(self, features: Mask) -> Self:
        """The same with some more features left out; all others are in its working set."""
        other = copy(self)
        other.design = leaving_out(self.design, features)
        other.term = CurvedTerm(other.design, self.term.loss, self.design.fit_intercept)
        other.terms, other.working_set = [other.term], WorkingSet(other.term.design)
        other.working_set.admit(np.flatnonzero(~other.design.left_out))
        return other

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path at decreasing alphas, some of its points between solved ones."""
        return trace_log_interpolated(tracer, self.term, alphas, early_stop)


class GeneralizedLinearData(NamedTuple):
    """X (n, p), y (n,), weights (n,) that sum to one, the family, penalty weights, and options.

    An `offset` is of shape (n,).
    """

    X: Any
    y: Float64
    weights: Float64
    family: Family
    penalty: PenaltyWeights
    options: FitOptions
    offset: Float64 | None = None

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        X, y, weights, family, penalty, options, offset = self
        unpenalised = GeneralizedLinear(
            X, y, weights, family, options.fit_intercept, penalty.left_out, offset
        )
        return Problem(unpenalised, options, penalty.weights, X.dtype)

    @property
    def raw_weights(self) -> Float64:
        """The weights (n,)."""
        return self.weights

    def reweighted(self, weights: Float64, total: float = 1.0) -> GeneralizedLinearData:
        """The same under other weights, which are to sum to one; their sum is of no account."""
        return self._replace(weights=weights)

    def mean_losses(self, rows: Index, outputs: Float64, weights: Float64) -> Float64:
        """Mean unit deviances (L,) at outputs (1, m, L) of some rows, less the offset there.

        The weights (m,) sum to one.
        """
        single = outputs[0] if self.offset is None else outputs[0] + self.offset[rows, None]
        return self.family.mean_deviances(self.y[rows], single, weights)

    def with_offset(self, offset: Any) -> GeneralizedLinearData:
        """The same with what the user adds to the linear model, which is checked; None is zero."""
        if offset is not None:
            offset = checked_offset(offset, self.y.shape, self.weights)
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
    family: Family,
    penalty: PenaltyWeights,
    options: FitOptions,
) -> GeneralizedLinearData:
    """The data of a problem, from X and y that have been validated, and sample weights.

    Raises
    ------
    ValueError
        If the sample weights, or values of y, are not what they have to be.
    """
    y = family.checked_targets(y)
    return GeneralizedLinearData(
        X, y, normalised_weights(sample_weight, X), family, penalty, options
    )
