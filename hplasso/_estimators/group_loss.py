"""Curved losses with a penalty on groups: checked data, their problem, and estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._datafit.curved_groups import CurvedGroups
from .._design.factory import check_columns
from .._design.source import Source
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint
from .._penalties.group import GroupPenalty
from .._validation.weights import PenaltyWeights
from .group_estimator import balanced_groups, penalty_of_groups, words_of
from .group_regression import GroupedProblem
from .linear_model import LinearModel
from .problem import FitOptions, PenaltyScale, Problem, UnpenalisedProblem


class GroupLoss(GroupedProblem):
    """A loss that has been put on its data, as one for groups of features.

    Parameters
    ----------
    loss : UnpenalisedProblem
        With a single term, whose loss is curved.
    penalty : GroupPenalty
        That of the features; a group has their coefficients of all outputs.
    """

    def __init__(self, loss: UnpenalisedProblem, penalty: GroupPenalty) -> None:
        (term,) = loss.terms
        self.loss, self.design, self.working_set = loss, loss.design, loss.working_set
        self.complete, self.n_rows = loss.complete, loss.n_rows
        self.terms = [CurvedGroups(term)]
        groups = np.repeat(penalty.groups, term.n_outputs)
        self.penalty = replace(penalty, groups=groups, weights=loss.row_length * penalty.weights)

    def scale(self, l1_ratio: float) -> PenaltyScale:
        return self.loss.scale(l1_ratio)

    def write(self, points: list[PathPoint], coefs: Any) -> Float64:
        return self.loss.write(points, coefs)

    def solver_start(self, coefficients: Float64) -> Float64:
        return self.loss.solver_start(coefficients)[:, None]


class GroupLossData(NamedTuple):
    """The data of a loss, the penalty on groups of features, and the labels of the groups."""

    data: Any
    penalty: GroupPenalty
    group_labels: Any

    @property
    def X(self) -> Any:
        return self.data.X

    @property
    def labels(self) -> Any:
        """The classes, of a loss that has them."""
        return self.data.labels

    def problem(self, n_solutions: int = 1) -> Problem:
        """The problem; the number of solutions to come makes no difference."""
        of_loss: Problem = self.data.problem(n_solutions)
        check_columns(self.X, of_loss.unpenalised.design, power=4)
        unpenalised = GroupLoss(of_loss.unpenalised, self.penalty)
        return Problem(unpenalised, of_loss.options, of_loss.penalty_weights, of_loss.dtype)

    def with_offset(self, offset: Any) -> GroupLossData:
        """The same with what the user adds to the linear model, which is checked; None is zero."""
        return self._replace(data=self.data.with_offset(offset))

    def without_penalty(self) -> GroupLossData:
        """The same where no group has a penalty, at any alpha."""
        none = np.zeros_like(self.penalty.weights)
        return self._replace(penalty=replace(self.penalty, weights=none))

    def checked_start(self, coefficients: Any, name: str) -> Float64:
        """Coefficients to start from as an array."""
        start: Float64 = self.data.checked_start(coefficients, name)
        return start


class GroupLossEstimator(LinearModel):
    """A curved loss with one penalty for each group of features; abstract, comes before a loss."""

    # Weights belong to groups.
    penalty_weights: Any = None
    groups: Any
    group_weights: Any
    l1_ratio: float
    groups_: Index
    group_labels_: Any

    @property
    def _penalty_words(self) -> str:
        """What the penalty of a fit is called in summaries."""
        return words_of(len(self.group_labels_), self.l1_ratio)

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        names = getattr(self, "feature_names_in_", None)
        of_groups, penalty, labels = penalty_of_groups(
            self.groups, self.group_weights, self.l1_ratio, X.shape[1], names, options
        )
        data = super()._data(X, y, sample_weight, penalty, options)  # type: ignore[safe-super]
        return GroupLossData(data, of_groups, labels)

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        return LinearModel._streamed(self, source, penalty, options)  # which refuses

    def _set_solution(self, problem: Problem, data: Any, points: list[PathPoint]) -> None:
        """Be fitted: at the only one of the solutions of the problem."""
        super()._set_solution(problem, data, points)  # type: ignore[misc]
        self.mu_, self.nu_ = balanced_groups(self.coef_, data.penalty.groups)
        self.groups_, self.group_labels_ = data.penalty.groups, data.group_labels
