"""Least squares with a penalty on groups: checked data, and their problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._datafit.targets import DataTargets, GramTargets, Targets
from .._design.design import Design
from .._design.factory import check_columns, check_range
from .._numerics.typing import Float64
from .._path.group_path import trace_groups
from .._path.group_tracer import GroupTracer
from .._path.progress import PathPoint
from .._path.settings import PathSettings
from .._path.tracer import Tracer
from .._penalties.group import GroupPenalty
from .problem import Problem, UnpenalisedProblem
from .regression import AlphaScale, LeastSquaresData


class GroupedProblem(UnpenalisedProblem):
    """A loss on data with groups of features; abstract."""

    penalty: GroupPenalty

    def tracer(
        self, target: int, settings: PathSettings, start: Float64 | None = None
    ) -> GroupTracer:
        return GroupTracer(self.terms[target], self.penalty, settings, start)

    def interpolated(
        self, tracer: Tracer, alphas: Float64, early_stop: bool = False
    ) -> list[PathPoint]:
        assert isinstance(tracer, GroupTracer)
        return trace_groups(tracer, alphas.tolist())

    def without(self, features: Any) -> Any:
        raise TypeError("Groups cannot be fitted without some of their features.")


class GroupRegression(GroupedProblem):
    """Least squares for targets that share a penalty on groups of features."""

    def __init__(self, targets: Targets, penalty: GroupPenalty) -> None:
        self.design, self.terms, self.penalty = targets.design, [targets], penalty
        self.n_rows = targets.intercept.size

    def scale(self, l1_ratio: float) -> AlphaScale:
        return AlphaScale(l1_ratio)

    def write(self, points: list[PathPoint], coefs: Any) -> Float64:
        means = self.design.mean + self.design.container.origin
        intercepts = np.empty((self.n_rows, len(points)))
        for i, point in enumerate(points):
            features, targets = np.divmod(point.features, self.n_rows)
            coefs[targets, features, i] = point.values
            shifts = np.bincount(targets, means[features] * point.values, self.n_rows)
            intercepts[:, i] = point.intercept - shifts
        return intercepts

    def solver_start(self, coefficients: Float64) -> Float64:
        return np.atleast_2d(coefficients).T


class GroupData(NamedTuple):
    """X, targets, weights and options, the penalty on groups, and the labels of the groups."""

    data: LeastSquaresData
    penalty: GroupPenalty
    labels: Any

    @property
    def X(self) -> Any:
        return self.data.X

    def with_offset(self, offset: Any) -> GroupData:
        """The same for y less the offset, which is checked; None is zero."""
        return self._replace(data=self.data.with_offset(offset))

    def without_penalty(self) -> GroupData:
        """The same where no group has a penalty, at any alpha."""
        none = np.zeros_like(self.penalty.weights)
        return self._replace(penalty=replace(self.penalty, weights=none))

    def problem(self, n_solutions: int) -> Problem:
        """The problem, of which so many solutions are to come."""
        return self.problem_on(*self.data.moments("auto", n_solutions))

    def problem_on(
        self, design: Design, gram: Float64 | None = None, correlations: Float64 | None = None
    ) -> Problem:
        """The problem on a design that has been made, from Z'Z and Z'Y if these are known."""
        data, Y = self.data, self.data.targets
        check_range("y", float(np.abs(Y).max()), power=4)  # squares of products with X
        check_columns(data.X, design, power=4)
        targets: Targets = DataTargets(design, Y)
        if gram is not None:
            targets = GramTargets(design, Y, gram, correlations)
        regression = GroupRegression(targets, self.penalty)
        return Problem(regression, data.options, np.ones(design.shape[1]), data.X.dtype)
