"""Cross-validation of curved losses on data in blocks: all folds, and all rows, share each pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._design.row_folds import OffFolds, OnFolds
from .._estimators.problem import Problem
from .._estimators.streamed_data import StreamedData
from .._estimators.streamed_loss import held_out
from .._numerics.typing import Float64
from .._path.progress import PathPoint
from .._path.streamed_model import Request
from .._path.streamed_newton import run_together

Paths = dict[float, list[PathPoint]]


class StreamedFold(NamedTuple):
    """A fold: the problem of the other rows, its paths, by l1_ratio, and `HeldOut` of its rows.

    Of all points of the paths, one path after the other.
    """

    problem: Problem
    paths: Paths
    held_out: Any


def validate_streamed(
    data: StreamedData, grids: Mapping[float, Float64]
) -> tuple[Paths, list[StreamedFold]]:
    """The paths on all rows, by l1_ratio, and the folds, for the user's penalties.

    Raises
    ------
    ValueError
        If a fold says too little to be fitted.
    """
    assert data.assignment is not None
    folds = range(data.assignment.n_folds)
    problems: dict[int | None, Problem] = {None: data.problem()}
    problems |= {fold: data.off_fold(fold).problem() for fold in folds}
    members = [(fold, ratio) for fold in problems for ratio in grids]
    steps = []
    for fold, ratio in members:
        problem = problems[fold].at(ratio)
        tracer: Any = problem.tracer()
        steps.append(tracer.newton.steps(list(problem.scale.alphas(grids[ratio]))))

    def evaluate(requests: dict[int, Request]) -> dict[int, Any]:
        kernels = [_loss_of(problems[members[i][0]]).kernel(each) for i, each in requests.items()]
        within = tuple(members[i][0] for i in requests)
        assert data.assignment is not None
        kernel = OffFolds(tuple(kernels), within, data.assignment)
        answers = data.source.reduce(kernel, data.numeric).values
        return dict(zip(requests, answers, strict=True))

    found = dict(zip(members, run_together(steps, evaluate), strict=True))
    paths = {fold: {ratio: found[fold, ratio] for ratio in grids} for fold in problems}
    kernels = tuple(held_out(_loss_of(problems[fold]), _all_of(paths[fold])) for fold in folds)
    losses = data.source.reduce(OnFolds(kernels, data.assignment), data.numeric).values
    return paths[None], [StreamedFold(problems[i], paths[i], losses[i]) for i in folds]


def _loss_of(problem: Problem) -> Any:
    """The loss on data in blocks."""
    return problem.unpenalised


def _all_of(paths: Paths) -> list[PathPoint]:
    """The points of paths, one path after the other."""
    return [point for path in paths.values() for point in path]
