"""Data in blocks for curved losses, by a first pass: classes or targets, and a sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from .._design.factory import check_vanished
from .._design.row_folds import Assignment, ByFold
from .._design.source import Source, check_weight
from .._design.survey import Survey, SurveyKernel
from .._design.target_moments import HELD, check_memory
from .._losses.base import Loss
from .._losses.offset import OffsetLoss
from .._losses.softmax import make_loss
from .._numerics.typing import Float64, Index
from .._path.streamed_model import OWN
from .._validation.arrays import checked_array
from .._validation.weights import PenaltyWeights
from .classification import check_class_weights
from .generalized_linear import Family
from .problem import FitOptions, Problem
from .streamed_loss import StreamedClasses, StreamedFamily, StreamedProblem

# Numbers of a sample, 32 MB of float64: memory against passes, as its path is the start, and its
# Hessians stand for those of all rows. Paths and a fit took .99 and 1.21 of the time with 2^17 and
# 2^20 numbers, at most 2.5 times, and more passes (constants.py).
SAMPLE = 2**22


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


@dataclass(frozen=True)
class StreamedData(ABC):
    """Data in blocks that have been surveyed; abstract."""

    source: Source
    survey: Survey
    penalty: PenaltyWeights
    options: FitOptions
    parts: tuple[Survey, ...]
    assignment: Assignment | None
    numeric = True

    def off_fold(self, fold: int) -> Self:
        """The data that are not in a fold.

        Raises
        ------
        ValueError
            If they say too little to be fitted.
        """
        others = [part for number, part in enumerate(self.parts) if number != fold]
        data = replace(self, survey=reduce(Survey.merge, others))
        for name, part in (("training", data.survey), ("test", self.parts[fold])):
            if not part.columns.weight:
                raise ValueError(f"The {name} samples of fold {fold} are none, or have no weight.")
        data.check(f"The training samples of fold {fold}")
        return data

    @abstractmethod
    def check(self, what: str) -> None:
        """Raise a ValueError if some data, or a part that is called that, cannot be fitted."""

    @property
    def X(self) -> Extent:
        """How large X is."""
        return Extent((self.source.n_rows, self.source.n_features))

    @property
    def fold_weights(self) -> list[float]:
        """Those of the rows of each fold, as the loss has them."""
        return [replace(self, survey=part).weight for part in self.parts]

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

    @property
    @abstractmethod
    def losses(self) -> tuple[Callable[..., Loss], Any]:
        """The same without the weights of classes, for scores; and what numbers the classes."""

    @abstractmethod
    def unpenalised(self) -> StreamedProblem:
        """The loss without a penalty."""

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference.

        Raises
        ------
        ValueError
            If its Hessians, of all features and outputs, take more memory than is allowed.
        """
        unpenalised, n_folds = self.unpenalised(), len(self.parts)
        several = n_folds + 1 if n_folds > 1 else 1
        size = self.source.n_features * unpenalised.n_outputs
        check_memory(size, OWN * several * HELD, n_folds)
        return Problem(unpenalised, self.options, self.penalty.weights, np.float64)


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

    @property
    def losses(self) -> tuple[Callable[..., Loss], Any]:
        return self.make_loss, None

    def unpenalised(self) -> StreamedProblem:
        return StreamedFamily(self)

    def check(self, what: str) -> None:
        low, high, total = self.survey.range
        self.family.checked_targets(np.array([low, high]))
        if self.options.fit_intercept and not total > 0.0:
            raise ValueError(
                f"{what}: in blocks the mean of y has to be positive. It is 0, whose logarithm no "
                "intercept reaches; without an intercept it may be."
            )

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
        of_classes = [self.survey.totals.get(label, 0.0) for label in self.classes.tolist()]
        return np.asarray(of_classes * self.factors)

    @property
    def weight(self) -> float:
        return float(self.totals.sum())

    def weight_of(self, y: Any, weights: Float64) -> float:
        return float(weights @ self.factors[self.make_loss.codes(y)])

    @property
    def make_loss(self) -> ClassLosses:
        return ClassLosses(self.classes, self.factors)

    @property
    def losses(self) -> tuple[Callable[..., Loss], Any]:
        plain = ClassLosses(self.classes, np.ones(len(self.classes)))
        return plain, plain.codes

    def unpenalised(self) -> StreamedProblem:
        return StreamedClasses(self)

    def check(self, what: str) -> None:
        if not self.totals.all():
            label = self.classes.tolist()[np.flatnonzero(self.totals == 0.0)[0]]
            raise ValueError(
                f"{what}: in blocks every class needs weight. Class {label!r} has none; leave its "
                "rows out."
            )

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array of shape (K, p)."""
        n_rows = 1 if len(self.classes) == 2 else len(self.classes)
        return checked_array(coefficients, (n_rows, self.source.n_features), name)


def surveyed(
    source: Source, classes: bool, assignment: Assignment | None
) -> tuple[Survey, tuple[Survey, ...]]:
    """The first pass: what is seen of all rows, and of those of each fold.

    Raises
    ------
    ValueError
        If a block is not what it has to be, or no row has weight.
    """
    n_kept = max(1, SAMPLE // source.n_features)
    quota = n_kept if source.n_blocks is None else -(-n_kept // source.n_blocks)
    kernel = ByFold(SurveyKernel(classes, n_kept, quota), assignment)
    parts: tuple[Survey, ...] = source.reduce(kernel, not classes).values
    survey = reduce(Survey.merge, parts)
    if not survey.columns.weight:
        raise ValueError("There are no samples, or none of them has a positive weight.")
    check_weight(survey.columns.weight)
    check_vanished(source, survey.columns.squares, not classes)
    return survey, parts


def streamed_family(
    source: Source,
    family: Family,
    penalty: PenaltyWeights,
    options: FitOptions,
    assignment: Assignment | None = None,
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
    survey, parts = surveyed(source, False, assignment)
    data = StreamedFamilyData(source, survey, penalty, options, parts, assignment, family)
    data.check("The data")
    return data


def streamed_labels(
    source: Source,
    class_weight: Any,
    penalty: PenaltyWeights,
    options: FitOptions,
    assignment: Assignment | None = None,
) -> StreamedLabels:
    """The data of logistic regression, by a pass.

    Raises
    ------
    ValueError
        If there are less than two classes, one has no weight, or `class_weight` is not right.
    """
    survey, parts = surveyed(source, True, assignment)
    found = sorted(survey.totals)
    classes = np.unique(np.array(found, dtype=survey.sample.y.dtype))
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes[0]!r}"
        )
    totals = np.array([survey.totals[label] for label in classes.tolist()])
    factors = _factors(class_weight, classes, totals)
    data = StreamedLabels(source, survey, penalty, options, parts, assignment, classes, factors)
    data.check("The data")
    return data


def _factors(class_weight: Any, classes: Any, totals: Float64) -> Float64:
    """What multiplies the weights of each class; 'balanced' is that of all weights."""
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        ones = np.ones(len(classes))  # also of a class without weight, which is no class here
        return np.divide(totals.sum(), len(classes) * totals, out=ones, where=totals > 0.0)
    given = compute_class_weight(class_weight, classes=classes, y=classes)
    check_class_weights(given, class_weight)
    return np.asarray(given)
