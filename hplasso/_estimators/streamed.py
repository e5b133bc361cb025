"""Data that come in blocks become the data of a problem, by passes over them."""

from __future__ import annotations

from .._design.compressed import compressed
from .._design.factory import check_vanished
from .._design.row_folds import Assignment, ByFold
from .._design.source import Source, check_weight
from .._design.target_moments import HELD, TargetMoments, check_memory, target_moments
from .._validation.weights import PenaltyWeights
from .problem import FitOptions
from .regression import LeastSquaresData


def streamed_least_squares(
    source: Source,
    penalty: PenaltyWeights,
    options: FitOptions,
    assignment: Assignment | None = None,
) -> LeastSquaresData:
    """The data of least squares, in one pass: a few rows in their place, those of each fold.

    Raises
    ------
    ValueError
        If a block is not what it has to be, no row has weight, or more memory is needed than is
        allowed.
    """
    n_folds = 1 if assignment is None else assignment.n_folds
    check_memory(source.n_features, n_folds * HELD, n_folds)
    parts: tuple[TargetMoments, ...] = source.reduce(ByFold(target_moments, assignment)).values
    moments, n_targets = [part.moments for part in parts], parts[0].n_targets
    n_rows = sum(part.n_rows for part in moments)
    if not n_rows:
        raise ValueError("There are no samples, or none of them has a positive weight.")
    check_weight(sum(part.weight for part in moments))
    few = compressed(moments, n_targets, options.fit_intercept, source.dtype)
    check_vanished(source, few.squares)
    data = LeastSquaresData(few.X, few.targets, few.weights / few.weights.sum(), penalty, options)
    folds = None if assignment is None else few.part
    flat = n_targets == 1 and all(part.flat for part in parts)
    return data._replace(flat=flat, n_rows=n_rows, folds=folds)
