"""The path on all samples that a cross-validated model keeps, and a model at one of its points."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from .._design.rows import as_array
from .._estimators.fit_method import Task
from .._estimators.linear_model import chosen_parameters, fitted_as
from .._estimators.problem import Problem, entries_of
from .._numerics.typing import Float64, index_type
from .._path.progress import Measure, PathPoint, Printer
from .._solver.hadamard import balance
from .._validation.parameters import check_parameters, real

# What is kept: of each penalty the coefficients, intercept, gap and sweeps.
KEPT = ("coef_path_", "intercept_path_", "dual_gap_path_", "kkt_residual_path_", "n_iter_path_")


def own_grid(estimator: Any, l1_ratio: float) -> Float64 | None:
    """The penalties that an estimator has tried, at the l1_ratio that it chose; None elsewhere."""
    penalties: Any = getattr(estimator, "alphas_", getattr(estimator, "Cs_", None))
    if np.ndim(penalties) == 2:  # a row for each l1_ratio
        penalties = penalties[list(estimator.l1_ratio).index(l1_ratio)]
    return None if penalties is None else np.asarray(penalties)


def n_nonzero(coefs: Any) -> Any:
    """How many features have a coefficient, of any class, at each penalty (the last axis)."""
    present = coefs != 0
    return np.asarray((present.any(axis=0) if present.ndim == 3 else present).sum(axis=0))


def trace_kept(problem: Problem, penalties: Float64, early_stop: bool = False) -> list[PathPoint]:
    """The path on all samples, strongest penalty first; `early_stop`: to where it is saturated."""
    tracer = problem.tracer(listener=_printer(problem))
    alphas = problem.scale.alphas(penalties)
    return problem.unpenalised.interpolated(tracer, alphas, early_stop)


def saturated_paths(
    problem: Problem, grids: Mapping[float, Float64], task: Task
) -> dict[float, list[PathPoint]]:
    """Paths on all samples to where they are saturated, for l1_ratios that have `grids`.

    The longest says where the grids of all may end. That is the path of the smallest l1_ratio, as a
    rule, as a ridge penalty is in the way of a close fit; and there is no other if it does not end
    before its grid. If it does, that of the largest l1_ratio may be longer: on one grid of C for
    all, where coefficients are small, an L1 penalty is the stronger of the two.
    """
    paths: dict[float, list[PathPoint]] = {}
    with task.subtask("path"):
        for ratio in sorted({min(grids), max(grids)}):
            own = replace(problem.at(ratio), unpenalised=problem.unpenalised.afresh())
            paths[ratio] = trace_kept(own, grids[ratio], early_stop=True)
            if len(paths[ratio]) == len(grids[ratio]):
                break
    return paths


def finished_path(
    problem: Problem,
    penalties: Float64,
    traced: list[PathPoint] | None,
    rules: list[float],
    fitted: PathPoint,
) -> list[PathPoint]:
    """The path on all samples, those of the rules solved, with a warning of what did not converge.

    What was `traced` already is taken if it goes through all penalties; `fitted` is the solution at
    that of its own.
    """
    if traced is None or len(traced) < len(penalties):
        traced = trace_kept(problem, penalties)
    points = list(traced)
    for position in np.flatnonzero(np.isin(penalties, rules)):
        point = points[position]
        if point.alpha == fitted.alpha:
            points[position] = fitted
        elif point.features.size and not point.sweeps:  # it is interpolated
            points[position] = problem.solve(penalties[position], listener=_printer(problem))
    problem.warn_not_converged(points)
    return points


def _printer(problem: Problem) -> Printer | None:
    """What prints lines on the path, if anything does."""
    return problem.printer("all samples: ", verbose_from=2)


def kept_arrays(problem: Problem, points: list[PathPoint], flat: bool) -> tuple[Any, Any]:
    """Coefficients (p, L), compact, and intercepts (L,) of a path of L points.

    Unless `flat`, these are of several targets or of a matrix of one: (T, p, L) and (T, L).
    """
    if not flat:
        return problem.arrays([points])
    coefs = coefficient_columns(points, problem.penalty_weights.size, problem.dtype)
    return coefs, problem.unpenalised.intercepts(points).astype(problem.dtype)


def coefficient_columns(points: list[PathPoint], n_features: int, dtype: Any) -> Any:
    """The coefficients of a path, of shape (n_features, n_points), as `compact` has them."""
    features, _, values = entries_of(points)
    ends = np.cumsum([0, *(point.features.size for point in points)])
    index = index_type(max(n_features, values.size))
    entries = values.astype(dtype), features.astype(index), ends.astype(index)
    columns = sparse.csc_array(entries, shape=(n_features, len(points)))
    columns.sort_indices()
    return compact(columns)


def compact(columns: Any) -> Any:
    """A CSC array as it is, where it takes less memory than an ndarray; else the ndarray."""
    value, index = columns.data.itemsize, columns.indices.itemsize
    n_rows, n_columns = columns.shape
    sparser = columns.nnz * (value + index) < n_rows * n_columns * value
    return columns if sparser else as_array(columns)


def fitted_at(
    estimator: Any, kind: Any, name: str, value: Any, penalties: Float64
) -> tuple[Any, int]:
    """An estimator of a kind, at a penalty of the grid, and the position of that on the grid.

    Its parameters are those of the cross-validated one, its coefficients (K, p) or (p,) and its gap
    those of the path.
    """
    check_parameters(f"{type(estimator).__name__}.at", {name: value}, {name: (real(0.0),)})
    position = _position(name, float(value), penalties)
    parameters = chosen_parameters(estimator) | {name: float(penalties[position])}
    model = fitted_as(kind, parameters, estimator)
    coef = np.ascontiguousarray(as_array(estimator.coef_path_.T[[position]])[0].T)
    model.coef_ = coef.reshape(estimator.coef_.shape)
    model.mu_, model.nu_ = balance(model.coef_)
    for measure in Measure:
        gaps = getattr(estimator, f"{measure.attribute}_path_", None)
        if gaps is not None:
            setattr(model, f"{measure.attribute}_", float(gaps[position]))
    return model, position


def _position(name: str, value: float, penalties: Float64) -> int:
    """The position of a penalty on a grid.

    Raises
    ------
    ValueError
        If it is not.
    """
    position = int(np.abs(penalties - value).argmin())
    if not np.isclose(penalties[position], value, atol=0.0):
        sides = [penalties[penalties < value], penalties[penalties > value]]
        nearest = [f"{side[np.abs(side - value).argmin()]:.6g}" for side in sides if side.size]
        raise ValueError(
            f"{name}={value!r} is not on the grid. Next to it there: {' and '.join(nearest)}."
        )
    return position
