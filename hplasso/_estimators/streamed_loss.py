"""Curved losses on data in blocks, as problems: what is computed of blocks, and of a sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from .._datafit.held_out import HeldOutKernel
from .._datafit.loss_sums import LossKernel, LossSums
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint
from .._path.settings import PathSettings
from .._path.streamed_certificate import Coefficients
from .._path.streamed_model import Request, StreamedLoss
from .._path.streamed_tracer import StreamedTracer
from .._path.tracer import Tracer
from .._penalties.l1 import L1Penalty
from .classification import ClassRows, CScale, Labels, LogisticData
from .generalized_linear import GeneralizedLinearData
from .problem import FitOptions, PenaltyScale, Problem, UnpenalisedProblem
from .regression import AlphaScale

# The sample is solved to no more than this part of the loss: it is off by more than that.
SAMPLE_TOL = 1e-5
# Where folds take part, a sample of all rows is solved to this part of the tolerance, as the
# certificates of sums are not as tight as those of rows: a path of 20,000 x 100 took .8 s with 1,
# .65 with .2, .52 with .1 and .6 with .03.
EASED = 0.1


class StreamedProblem(UnpenalisedProblem):
    """A curved loss on data in blocks; abstract.

    Attributes
    ----------
    data : StreamedData (`streamed_data`)
    n_outputs : int
    null : Coefficients
        Without features.
    """

    data: Any
    n_outputs: int
    convex = True

    @property
    def terms(self) -> list[Any]:  # type: ignore[override]
        return [self]

    @property
    @abstractmethod
    def null_intercept(self) -> Float64:
        """The intercepts without features, (K,), and without an offset."""

    @abstractmethod
    def sampled(self, options: FitOptions) -> Any | None:
        """The data of the sample as data in memory, if it says enough to start from."""

    @cached_property
    def _in_memory(self) -> UnpenalisedProblem | None:
        """The same loss on the sample, if that is all of the data, and no folds take part."""
        if not self.data.survey.complete or self.data.assignment is not None:
            return None
        data = self.sampled(self.data.options)
        return None if data is None else data.problem().unpenalised

    @cached_property
    def centre(self) -> Float64:
        """What is taken off each feature: sparse ones stay as they are."""
        if self._in_memory is not None:
            return self._in_memory.design.mean
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
        none = Coefficients(np.zeros(lengths.size), null_with_offset(self))
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
        tol = self.data.options.tol
        tol = EASED * tol if self.data.survey.complete else max(tol, SAMPLE_TOL)
        options = replace(self.data.options, tol=tol, verbose=0)
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
        if self._in_memory is not None:
            return self._in_memory.tracer(target, settings, start)
        return StreamedTracer(self.loss, settings, start)

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        """A path, to its end; by passes all of its points are solved at the same time."""
        if self._in_memory is not None:
            return self._in_memory.interpolated(tracer, alphas)
        return tracer.trace(alphas)

    def without(self, features: Any) -> Any:
        raise TypeError("Data in blocks cannot be fitted without some of the features.")

    @property
    def means(self) -> Float64:
        return self.centre


def held_out(problem: StreamedProblem, points: Sequence[PathPoint]) -> HeldOutKernel:
    """The losses of models on other rows, without the weights of classes."""
    p, K = problem.centre.size, problem.n_outputs
    theta = np.stack([point.dense(p * K).reshape(p, K) for point in points], axis=-1)
    intercepts = np.stack([np.atleast_1d(point.intercept) for point in points], axis=-1)
    make_loss, codes = problem.data.losses
    return HeldOutKernel(make_loss, problem.centre, theta, intercepts, codes)


def null_with_offset(problem: StreamedProblem) -> Float64:
    """About the intercepts without features, (K,): with an offset, those of the sample."""
    null, data, sample = problem.null_intercept, problem.data, problem.data.survey.sample
    said = sample.offset is not None and problem.sampled(data.options) is not None
    if not (said and data.options.fit_intercept):
        return null
    loss = data.make_loss(sample.y, sample.weights / sample.weights.sum(), sample.offset)
    intercepts, _ = loss.profile_intercept(np.zeros((len(sample.y), problem.n_outputs)), null)
    return np.asarray(intercepts)


class StreamedFamily(StreamedProblem):
    """The deviance of a generalized linear model with the logarithm as its link."""

    n_outputs = 1

    def __init__(self, data: Any) -> None:
        self.data = data

    def scale(self, l1_ratio: float) -> PenaltyScale:
        return AlphaScale(l1_ratio)

    @property
    def null_intercept(self) -> Float64:
        survey = self.data.survey
        if not self.data.options.fit_intercept:
            return np.zeros(1)
        return np.array([np.log(survey.range[2] / survey.columns.weight)])

    def sampled(self, options: FitOptions) -> Any | None:
        sample, data = self.data.survey.sample, self.data
        weights = sample.weights / sample.weights.sum()
        if data.options.fit_intercept and not weights @ sample.y > 0.0:
            return None
        return GeneralizedLinearData(
            sample.X, sample.y, weights, data.family, data.penalty, options, sample.offset
        )


class StreamedClasses(StreamedProblem):
    """Logistic regression."""

    separable = True

    def __init__(self, data: Any) -> None:
        self.data = data
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
