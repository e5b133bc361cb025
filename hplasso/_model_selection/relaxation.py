"""Relaxed fits: the loss without penalty on the support of a solution, and mixtures with that.

With the solution theta at a penalty, and the coefficients without penalty of the features that are
not zero there,

    refit = argmin L(theta')   over   theta'_j = 0 where theta_j = 0,
    relaxed = gamma theta + (1 - gamma) refit,                  gamma in [0, 1],

the intercepts alike. Of three or more classes a feature takes part for all, if it does for any.
There may be no refit: where columns depend on each other there are many; where a plane separates
the classes, coefficients grow without end. theta takes its place then.

References
----------
N. Meinshausen, Relaxed lasso, Computational Statistics & Data Analysis 52 (2007) 374-393.
T. Hastie, R. Tibshirani and R. J. Tibshirani, Best subset, forward stepwise or lasso? Analysis and
recommendations based on extensive comparisons, Statistical Science 35 (2020) 579-592.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from .._estimators.problem import Problem
from .._numerics.linalg import column_rank
from .._numerics.typing import Float64, Index, Mask
from .._path.certification import FEW
from .._path.progress import Outcome, PathPoint
from .._path.saturation import UNEXPLAINED
from .._validation.weights import PenaltyWeights

ALL = slice(None)


class Refit(Enum):
    """Whether there is a refit; if not, why."""

    EXISTS = ""
    DEPENDENT = (
        "columns of the support depend on each other, so that many fits are equally good; this is "
        "always so with more coefficients than samples"
    )
    SEPARATED = "on the support the classes are separated, and coefficients grow without limit"
    NOT_CONVERGED = (
        "without penalty the fit on the support did not converge: coefficients may grow without "
        "limit, as when a plane separates classes"
    )


class LinearModels(NamedTuple):
    """Coefficients (K, p, L) and intercepts (K, L) of L models with K outputs each."""

    coefs: Float64
    intercepts: Float64

    def mixed(self, others: LinearModels, gamma: float) -> LinearModels:
        """The models with weight gamma, and others with the rest."""
        return LinearModels(
            *(gamma * own + (1.0 - gamma) * other for own, other in zip(self, others, strict=True))
        )


def models_of(
    problem: Problem, points: Sequence[PathPoint], features: Index | slice = ALL
) -> LinearModels:
    """The solutions of a path, with the coefficients of some features, those of all supports."""
    arrays = [problem.arrays([[point]]) for point in points]
    coefs = [coefs[:, features, 0] for coefs, _ in arrays]
    intercepts = [intercepts for _, intercepts in arrays]
    return LinearModels(np.stack(coefs, axis=-1), np.concatenate(intercepts, axis=1))


class RelaxedPath(NamedTuple):
    """The models of a path, and their refits, with coefficients of some features only.

    All others are zero. `refits` says of each model whether there is a refit.
    """

    features: Index
    penalised: LinearModels
    refitted: LinearModels
    refits: list[Refit]


def on_features(data: Any, features: Index) -> Any:
    """The data with some of the features alone."""
    penalty = PenaltyWeights(*(values[features] for values in data.penalty))
    return data._replace(X=data.X[:, features], penalty=penalty)


def relaxed_path(
    data: Any, problem: Problem, points: Sequence[PathPoint], all_features: bool = False
) -> RelaxedPath:
    """The models at the points of a path, and their refits, for the data of the problem.

    The refits see the features of the supports only, if they are not to have `all_features`, and
    moments of them all are not at hand.
    """
    if all_features or problem.unpenalised.working_set.complete:
        features = np.arange(problem.penalty_weights.size)
        models = models_of(problem, points, features)
    else:
        found = [problem.unpenalised.features_of(point) for point in points]
        features = np.unique(np.concatenate(found))
        features = features if features.size else np.zeros(1, dtype=np.intp)
        models = models_of(problem, points, features)
        problem = on_features(data, features).problem(len(points))
    return RelaxedPath(features, models, *refitted(problem, models))


def refitted(problem: Problem, models: LinearModels) -> tuple[LinearModels, list[Refit]]:
    """The models without penalty on their supports, each distinct one fitted once.

    The problem has the features of the models. A model stays where there is no refit, and where all
    its coefficients are zero: then it is the refit.
    """
    coefs, intercepts = (values.copy() for values in models)
    supports, numbers = np.unique(models.coefs.any(axis=0), axis=1, return_inverse=True)
    outcomes, lost = [Refit.EXISTS] * supports.shape[1], list[tuple[Mask, Refit]]()
    for number in np.argsort(supports.sum(axis=0), kind="stable"):  # smaller ones first
        support, columns = supports[:, number], np.flatnonzero(numbers.ravel() == number)
        outcome, refit = _lost(support, lost), None
        if outcome is Refit.EXISTS:
            outcome, refit = _without_penalty(problem, support)
        if outcome is not Refit.EXISTS:
            lost.append((support, outcome))
        if refit is not None:
            coefs[..., columns], intercepts[:, columns] = refit
        outcomes[number] = outcome
    return LinearModels(coefs, intercepts), [outcomes[number] for number in numbers.ravel()]


def _lost(support: Mask, lost: list[tuple[Mask, Refit]]) -> Refit:
    """Why there is no refit, if there is none on a part of the support: then there is none on it.

    Columns of the part depend on each other, or separate the classes, whatever else is there.
    """
    return next((why for part, why in lost if support[part].all()), Refit.EXISTS)


def _independent(problem: Problem, support: Mask) -> bool:
    """Whether no column of the support depends on others; True if there are too many to look at.

    Without a bound a fit without penalty says so: such columns are left out.
    """
    design, size = problem.unpenalised.design, int(support.sum())
    return size * design.shape[0] > FEW or column_rank(design.block(support.nonzero()[0])) == size


def _without_penalty(problem: Problem, support: Mask) -> tuple[Refit, LinearModels | None]:
    """The fit of some features, if there is one, and if there are any."""
    if not support.any():
        return Refit.EXISTS, None
    if support.sum() > np.count_nonzero(problem.unpenalised.design.sqrt_weights):
        return Refit.DEPENDENT, None
    if problem.options.positive and not _independent(problem, support):
        return Refit.DEPENDENT, None
    problem = replace(
        problem,
        unpenalised=problem.unpenalised.without(~support),
        options=replace(problem.options, l1_ratio=1.0, solver="auto"),
        penalty_weights=np.zeros_like(problem.penalty_weights),
    )
    tracer = problem.tracer()
    (point,) = tracer.trace([1.0])  # at any alpha, as the weights are zero
    if point.outcome not in (Outcome.CONVERGED, Outcome.ROUNDING):
        return Refit.NOT_CONVERGED, None
    left = max(UNEXPLAINED, problem.options.tol) * tracer.problem.term.scale
    if problem.unpenalised.separable and tracer.iterate.state.loss <= left:
        return Refit.SEPARATED, None
    refit = models_of(problem, [point])
    if not (problem.options.positive or refit.coefs[:, support].any(axis=0).all()):
        return Refit.DEPENDENT, None  # they are left out
    coefs = problem.unpenalised.identified(refit.coefs)
    return Refit.EXISTS, refit._replace(coefs=coefs)
