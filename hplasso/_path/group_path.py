"""A path of groups: solutions at some of the alphas, and what is certified between them.

A solution moves with alpha by d theta / d alpha = -Hess^-1 (w u) while no group enters or leaves
(`group_newton`). Between two solutions the cubic with their values and slopes is certified at all
alphas there together, in one pass over X. Those for which it is not good enough are solved, from
it; and strides from one solution to the next become longer or shorter by that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._numerics.typing import Float64, Index
from .._penalties.group import GroupPenalty
from .group_point import GroupIterate
from .group_tracer import GroupSolution, GroupTracer
from .progress import PathPoint

# Alphas from one solution to the next, at most: solutions against certificates in vain.
MAX_STRIDE = 16
# Numbers of the correlations that are looked at together, 32 MB: memory against calls.
TOGETHER = 2**22


def trace_groups(tracer: GroupTracer, alphas: Sequence[float]) -> list[PathPoint]:
    """The points of a path, some of them between solved ones; the listener hears of each."""
    points: dict[int, PathPoint] = {}
    last, stride = 0, 1
    solution: GroupSolution | None = None
    while len(points) < len(alphas):
        following = min(last + stride, len(alphas) - 1) if solution is not None else 0
        start = _predicted(tracer, solution, alphas[following])
        points[following] = tracer.solve_from(alphas[following], start)
        reached = tracer.solution(alphas[following])
        if solution is not None:
            between = range(last + 1, following)
            n_solved = _fill(tracer, solution, reached, alphas, between, points)
            tracer.position = reached.features, reached.theta
            limit = MAX_STRIDE if n_solved == 0 else stride // 2
            stride = max(1, min(2 * stride, limit))
        solution, last = reached, following
    ordered = [points[i] for i in range(len(alphas))]
    for point in ordered:
        tracer.tell(point)
    return ordered


def _predicted(tracer: GroupTracer, solution: GroupSolution | None, alpha: float) -> GroupIterate:
    """Where the solution at the next alpha is expected: on the line that this one moves along.

    The cubic through the last two solutions is no better: the same path takes as many sweeps.
    """
    if solution is None:
        return tracer.observed(alpha, *tracer.position)
    theta = solution.theta + (alpha - solution.alpha) * solution.slope
    theta = tracer.penalty.turned(theta, solution.theta)
    return tracer.observed(alpha, solution.features, theta)


def _fill(
    tracer: GroupTracer,
    one: GroupSolution,
    other: GroupSolution,
    alphas: Sequence[float],
    between: range,
    points: dict[int, PathPoint],
) -> int:
    """Find the points between two solutions; how many had to be solved."""
    chosen = np.zeros(tracer.penalty.groups.size, dtype=bool)
    chosen[one.features] = chosen[other.features] = True
    features = tracer.penalty.grouping.in_order(chosen)
    width = max(1, TOGETHER // (tracer.penalty.groups.size * one.theta.shape[1]))
    n_solved = 0
    for start in range(0, len(between), width):
        part = between[start : start + width]
        here = np.array([alphas[i] for i in part])
        theta = _between(one, other, features, tracer.penalty, here)
        observed = tracer.certifier.observe(here, features, theta)
        for i, at in zip(part, observed, strict=True):
            if tracer.certifier.suffices(at.certificate):
                at = tracer.certifier.returned(alphas[i], at)
                points[i] = tracer.certifier.point(alphas[i], at, 0)
                continue
            points[i] = tracer.solve_from(alphas[i], at)
            n_solved += 1
    return n_solved


def _between(
    one: GroupSolution,
    other: GroupSolution,
    features: Index,
    penalty: GroupPenalty,
    alphas: Float64,
) -> Float64:
    """What is expected at some alphas between two solutions, (k, T, L).

    Hermite's cubic with their values and slopes; of groups that are in one of them alone, the line
    that they move along there, as far as they are not turned round.
    """
    groups = penalty.groups[features]
    position = np.zeros(int(features.max(initial=-1)) + 1, dtype=np.intp)
    position[features] = np.arange(features.size)
    (here, now), (there, then) = (
        _on_features(solution, position, features.size) for solution in (one, other)
    )
    step = other.alpha - one.alpha
    t = (alphas - one.alpha) / step if step else np.ones_like(alphas)
    in_one, in_other = np.isin(features, one.features), np.isin(features, other.features)
    theta = (
        here[..., None] * ((1.0 + 2.0 * t) * (1.0 - t) ** 2)
        + now[..., None] * (step * t * (1.0 - t) ** 2)
        + there[..., None] * (t**2 * (3.0 - 2.0 * t))
        + then[..., None] * (step * t**2 * (t - 1.0))
    )
    for alone, base, slope, solution in (
        (in_one & ~in_other, here, now, one),
        (in_other & ~in_one, there, then, other),
    ):
        line = base[alone, :, None] + slope[alone, :, None] * (alphas - solution.alpha)
        along = (line * base[alone, :, None]).sum(axis=1)
        sums = np.zeros((int(groups.max(initial=-1)) + 1, alphas.size))
        np.add.at(sums, groups[alone], along)
        theta[alone] = line * (sums > 0.0)[groups[alone]][:, None, :]
    return penalty.turned(theta, np.where(here == 0.0, there, here)[..., None])


def _on_features(solution: GroupSolution, position: Index, size: int) -> tuple[Float64, Float64]:
    """The coefficients and slopes of a solution, with zeros for other features."""
    values = np.zeros((2, size, solution.theta.shape[1]))
    values[0, position[solution.features]] = solution.theta
    values[1, position[solution.features]] = solution.slope
    return values[0], values[1]
