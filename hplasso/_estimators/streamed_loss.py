"""Curved losses on data in blocks: their data, by a first pass, and their problems."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from .._datafit.loss_sums import LossKernel, LossSums
from .._design.source import Source
from .._design.survey import Survey, SurveyKernel
from .._losses.base import Loss
from .._losses.offset import OffsetLoss
from .._losses.softmax import make_loss
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint
from .._path.settings import PathSettings
from .._path.streamed_certificate import Coefficients
from .._path.streamed_model import Request, StreamedLoss
from .._path.streamed_tracer import StreamedTracer
from .._path.tracer import Tracer
from .._penalties.l1 import L1Penalty
from .._validation.arrays import checked_array
from .._validation.weights import PenaltyWeights
from .classification import ClassRows, CScale, Labels, LogisticData
from .generalized_linear import Family, GeneralizedLinearData
from .problem import FitOptions, PenaltyScale, Problem, UnpenalisedProblem, entries_of
from .regression import AlphaScale

# Numbers of a sample, 32 MB of float64: memory against passes, as its path is the start, and its
# Hessians stand for those of all rows. A hundred penalties of 1,000,000 x 100 took 6 passes with
# 2^20 numbers, 5 with 2^22 and 2^24 (constants.py).
SAMPLE = 2**22
# The sample is solved to no more than this part of the loss: it is off by more than that.
SAMPLE_TOL = 1e-5


class Extent(NamedTuple):
    """How large the data are: shape and numbers, as of an array."""

    shape: tuple[int | None, int]
    size: int = 0


@dataclass(frozen=True)
class ClassLosses:
    """Makes the loss of classes from labels.

    Attributes
    ----------
    classes : ndarray of shape (C,)
    factors : ndarray of shape (C,)
        What multiplies the weights of each class.
    """

    classes: Any
    factors: Float64

    def codes(self, y: Any) -> Index:
        """The numbers of labels; errors if one has not been there before."""
        codes = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
        if not (self.classes[codes] == y).all():
            raise ValueError("The data changed between passes: there are other classes now.")
        return np.asarray(codes)

    def __call__(self, y: Any, weights: Float64, offset: Any) -> Loss:
        codes = self.codes(y)
        loss: Loss = make_loss(codes, len(self.classes), weights * self.factors[codes])
        if offset is None:
            return loss
        return OffsetLoss(loss, self.of_outputs(offset))

    def of_outputs(self, offset: Float64) -> Float64:
        """The offset of the outputs, (n, 1) or (n, K)."""
        n_outputs = 1 if len(self.classes) == 2 else len(self.classes)
        columns = offset[:, None] if offset.ndim == 1 else offset
        if columns.shape[1] != n_outputs:
            raise ValueError(f"offset must have {n_outputs} columns. Got {columns.shape[1]}.")
        return np.asarray(columns)


@dataclass(frozen=True)
class FamilyLosses:
    """Makes the loss of a family."""

    family: Family

    def __call__(self, y: Any, weights: Float64, offset: Any) -> Loss:
        return self.family.loss(y, weights, offset)


class StreamedProblem(UnpenalisedProblem):
    """A curved loss on data in blocks; abstract.

    Attributes
    ----------
    data : StreamedData
    n_outputs : int
    null : Coefficients
        Without features.
    """

    data: StreamedData
    n_outputs: int
    convex = True

    @property
    def terms(self) -> list[Any]:  # type: ignore[override]
        return [self]

    @property
    @abstractmethod
    def null_intercept(self) -> Float64:
        """About the intercepts without features, (K,)."""

    @abstractmethod
    def sampled(self, options: FitOptions) -> Any | None:
        """The data of the sample as data in memory, if it says enough to start from."""

    @cached_property
    def centre(self) -> Float64:
        """What is taken off each feature: sparse ones stay as they are."""
        columns = self.data.survey.columns
        none = self.data.survey.sample.is_sparse or not self.data.options.fit_intercept
        return np.zeros(columns.mean.size) if none else columns.mean

    @cached_property
    def loss(self) -> StreamedLoss:
        """The loss, as the path sees it."""
        data, columns = self.data, self.data.survey.columns
        mean_square = columns.squares / columns.weight
        if not data.options.fit_intercept:
            mean_square = mean_square + columns.mean**2
        dead = data.penalty.left_out | (columns.constant & data.options.fit_intercept)
        lengths = np.repeat(np.where(dead, 0.0, np.sqrt(mean_square)), self.n_outputs)
        none = Coefficients(np.zeros(lengths.size), self.null_intercept)
        sample = data.survey.sample

        def evaluate(request: Request) -> LossSums:
            sums: LossSums = data.source.reduce(self.kernel(request), data.numeric)
            return sums

        return StreamedLoss(
            evaluate,
            lambda request: self.kernel(request)(sample.block),
            data.weight,
            data.weight_of(sample.y, sample.weights),
            self._starts,
            none,
            lengths,
            data.options.fit_intercept,
        )

    def kernel(self, request: Request) -> LossKernel:
        """What a pass has to compute of each block."""
        points = request.points
        theta = np.stack([at.theta.reshape(-1, self.n_outputs) for at in points], axis=-1)
        intercepts = np.stack([at.intercept for at in points], axis=-1)
        return LossKernel(self.data.make_loss, self.centre, theta, intercepts, tuple(request.own))

    def _starts(self, alphas: Sequence[float]) -> list[Coefficients]:
        """The solutions of the sample, for the solver's alphas; or none."""
        options = replace(self.data.options, tol=max(self.data.options.tol, SAMPLE_TOL), verbose=0)
        data = self.sampled(options)
        if data is None:
            return [self.loss.null] * len(alphas)
        problem: Problem = data.problem()
        order = np.argsort(alphas)[::-1]
        tracer = problem.tracer()
        points = problem.unpenalised.interpolated(tracer, np.asarray(alphas)[order])
        away = self.centre - problem.unpenalised.design.mean
        found: list[Any] = [None] * len(alphas)
        for i, point in zip(order, points, strict=True):
            theta = point.dense(self.centre.size * self.n_outputs)
            shift = away @ theta.reshape(-1, self.n_outputs)
            free = self.data.options.fit_intercept
            intercept = np.atleast_1d(point.intercept) + shift if free else np.zeros(shift.size)
            found[i] = Coefficients(theta, intercept)
        return found

    def tracer(self, target: int, settings: PathSettings, start: Float64 | None = None) -> Tracer:
        return StreamedTracer(self.loss, settings, start)

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path: all of its points are solved, at the same time."""
        return tracer.trace(alphas)

    def without(self, features: Any) -> Any:
        raise TypeError("Data in blocks cannot be fitted without some of the features.")

    def intercepts(self, points: list[PathPoint]) -> Float64:
        """b - c'theta of points of one output, with the centre c."""
        features, columns, values = entries_of(points)
        shifts = np.bincount(columns, self.centre[features] * values, len(points))
        return np.reshape([point.intercept for point in points], len(points)) - shifts


class StreamedFamily(StreamedProblem):
    """The deviance of a generalized linear model."""

    n_outputs = 1

    def __init__(self, data: StreamedFamilyData) -> None:
        self.data: Any = data

    def scale(self, l1_ratio: float) -> PenaltyScale:
        return AlphaScale(l1_ratio)

    @property
    def null_intercept(self) -> Float64:
        family, survey = self.data.family, self.data.survey
        mean = survey.range[2] / survey.columns.weight
        start = np.log(mean) if family.link == "log" else mean
        return np.array([start * self.data.options.fit_intercept])

    def sampled(self, options: FitOptions) -> Any | None:
        sample, data = self.data.survey.sample, self.data
        weights = sample.weights / sample.weights.sum()
        if data.family.link == "log" and not weights @ sample.y > 0.0:
            return None
        return GeneralizedLinearData(
            sample.X, sample.y, weights, data.family, data.penalty, options, sample.offset
        )


class StreamedClasses(StreamedProblem):
    """Logistic regression."""

    separable = True

    def __init__(self, data: StreamedLabels) -> None:
        self.data: Any = data
        n_classes = len(data.classes)
        self.n_outputs = 1 if n_classes == 2 else n_classes
        self.class_rows = ClassRows(np.arange(n_classes), self.n_outputs)
        self.n_rows = self.n_outputs

    def scale(self, l1_ratio: float) -> PenaltyScale:
        return CScale(l1_ratio, self.data.weight)

    @property
    def null_intercept(self) -> Float64:
        logs = np.log(self.data.totals)
        null = logs[1:] - logs[0] if self.n_outputs == 1 else logs - logs.mean()
        return null * float(self.data.options.fit_intercept)

    def sampled(self, options: FitOptions) -> Any | None:
        sample, data = self.data.survey.sample, self.data
        codes = data.make_loss.codes(sample.y)
        weights = sample.weights * data.make_loss.factors[codes]
        if not np.bincount(codes, weights, len(data.classes)).all():
            return None
        labels = Labels(data.classes, codes, weights / weights.sum(), float(weights.sum()))
        made = LogisticData(sample.X, sample.y, labels, data.penalty, options)
        if sample.offset is None:
            return made
        return made._replace(offset=data.make_loss.of_outputs(sample.offset))

    def solver_penalty(self, penalty: L1Penalty) -> L1Penalty:
        return self.class_rows.solver_penalty(penalty)

    def solver_start(self, coefficients: Float64) -> Float64:
        return self.class_rows.solver_start(coefficients)

    def features_of(self, point: PathPoint) -> Index:
        return np.unique(point.features // self.n_outputs)

    def write(self, points: list[PathPoint], coefs: Float64) -> Float64:
        intercepts = [
            self.class_rows.write(point, coefs[..., i], self.centre)
            for i, point in enumerate(points)
        ]
        return np.stack(intercepts, axis=-1)

    def identified(self, coefs: Float64) -> Float64:
        return self.class_rows.identified(coefs)


@dataclass(frozen=True)
class StreamedData(ABC):
    """Data in blocks that have been surveyed; abstract."""

    source: Source
    survey: Survey
    penalty: PenaltyWeights
    options: FitOptions
    numeric = True

    @property
    def X(self) -> Extent:
        """How large X is."""
        return Extent((self.source.n_rows, self.source.n_features))

    @property
    @abstractmethod
    def weight(self) -> float:
        """That of all rows, as the loss has it."""

    @abstractmethod
    def weight_of(self, y: Any, weights: Float64) -> float:
        """That of some rows."""

    @property
    @abstractmethod
    def make_loss(self) -> Callable[..., Loss]:
        """The loss from a block's rows."""

    @abstractmethod
    def unpenalised(self) -> StreamedProblem:
        """The loss without a penalty."""

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        return Problem(self.unpenalised(), self.options, self.penalty.weights, np.float64)


@dataclass(frozen=True)
class StreamedFamilyData(StreamedData):
    """Targets of a family."""

    family: Family

    @property
    def weight(self) -> float:
        return self.survey.columns.weight

    def weight_of(self, y: Any, weights: Float64) -> float:
        return float(weights.sum())

    @property
    def make_loss(self) -> Callable[..., Loss]:
        return FamilyLosses(self.family)

    def unpenalised(self) -> StreamedProblem:
        return StreamedFamily(self)

    def without_penalty(self) -> StreamedFamilyData:
        """The same where no feature has a penalty, at any alpha."""
        none = self.penalty._replace(weights=np.zeros_like(self.penalty.weights))
        return replace(self, penalty=none, options=replace(self.options, l1_ratio=1.0))

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (p,)."""
        return checked_array(coefficients, (self.source.n_features,), name)


@dataclass(frozen=True)
class StreamedLabels(StreamedData):
    """Labels of classes (C,), with what multiplies the weights of each."""

    classes: Any
    factors: Float64
    numeric = False

    @property
    def labels(self) -> StreamedLabels:
        """The classes."""
        return self

    @property
    def totals(self) -> Float64:
        """The weights of the classes."""
        of_classes = [self.survey.totals[label] for label in self.classes.tolist()]
        return np.asarray(of_classes * self.factors)

    @property
    def weight(self) -> float:
        return float(self.totals.sum())

    def weight_of(self, y: Any, weights: Float64) -> float:
        return float(weights @ self.factors[self.make_loss.codes(y)])

    @property
    def make_loss(self) -> ClassLosses:
        return ClassLosses(self.classes, self.factors)

    def unpenalised(self) -> StreamedProblem:
        return StreamedClasses(self)

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (K, p)."""
        n_rows = 1 if len(self.classes) == 2 else len(self.classes)
        return checked_array(coefficients, (n_rows, self.source.n_features), name)


def surveyed(source: Source, classes: bool) -> Survey:
    """The first pass.

    Raises
    ------
    ValueError
        If a block is not what it has to be, or no row has weight.
    """
    n_kept = max(1, SAMPLE // source.n_features)
    quota = n_kept if source.n_blocks is None else -(-n_kept // source.n_blocks)
    survey: Survey = source.reduce(SurveyKernel(classes, n_kept, quota), not classes)
    if not survey.columns.weight:
        raise ValueError("There are no samples, or none of them has a positive weight.")
    return survey


def streamed_family(
    source: Source, family: Family, penalty: PenaltyWeights, options: FitOptions
) -> StreamedFamilyData:
    """The data of a generalized linear model, by a pass.

    Raises
    ------
    ValueError
        If the loss is not convex, or targets are out of its range.
    """
    if not (family.link == "log" and 1.0 <= family.power <= 2.0):
        raise ValueError(
            "For data in blocks the loss has to be convex: link='log' and a power from 1 to 2. "
            f"Got link={family.link!r} and power={family.power:g}."
        )
    survey = surveyed(source, classes=False)
    low, high, total = survey.range
    family.checked_targets(np.array([low, high]))
    if not total > 0.0:
        raise ValueError("The mean of y has to be positive. It is 0.")
    return StreamedFamilyData(source, survey, penalty, options, family)


def streamed_labels(
    source: Source, class_weight: Any, penalty: PenaltyWeights, options: FitOptions
) -> StreamedLabels:
    """The data of logistic regression, by a pass.

    Raises
    ------
    ValueError
        If there are less than two classes, one has no weight, or `class_weight` is not right.
    """
    survey = surveyed(source, classes=True)
    found = sorted(survey.totals)
    classes = np.unique(np.array(found, dtype=survey.sample.y.dtype))
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes[0]!r}"
        )
    totals = np.array([survey.totals[label] for label in classes.tolist()])
    factors = _factors(class_weight, classes, totals)
    if not (totals * factors).all():
        label = classes[np.flatnonzero(totals * factors == 0.0)[0]]
        raise ValueError(
            f"In data in blocks every class needs weight. Class {label!r} has none: leave its rows "
            "out."
        )
    return StreamedLabels(source, survey, penalty, options, classes, factors)


def _factors(class_weight: Any, classes: Any, totals: Float64) -> Float64:
    """What multiplies the weights of each class; 'balanced' is that of all weights."""
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        return np.asarray(totals.sum() / (len(classes) * totals))
    given = compute_class_weight(class_weight, classes=classes, y=classes)
    if not np.isfinite(given).all() or (given < 0.0).any():
        raise ValueError(
            f"class_weight must be finite and must not be negative. Got {class_weight!r}."
        )
    return np.asarray(given)
