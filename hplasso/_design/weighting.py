"""From weights to a design: means and norms of all columns, once and for the folds of a
cross-validation.

Folds ask for more than a fit does: the same X under other weights, whose moments they know, and the
sums over some samples that lead to these.
"""

from __future__ import annotations

import numpy as np

from .._numerics.rounding import ROUNDING, UNIT
from .._numerics.typing import Float64, Index, Mask
from .blocks import slices
from .column_statistics import ColumnStatistics
from .container import Container
from .design import Design


def weighted_design(
    X: Container, weights: Float64, fit_intercept: bool, left_out: Mask | None = None
) -> Design:
    """The design of X under weights that sum to one, by a pass for the means and squares."""
    nothing = np.zeros(X.shape[1], dtype=bool)
    moments = X.moments(weights, fit_intercept)
    left_out = nothing if left_out is None else left_out
    return Design(X, column_statistics(X, weights, fit_intercept, left_out, moments, nothing))


def reweighted(
    design: Design, weights: Float64, mean: Float64, square: Float64, doubtful: Mask
) -> Design:
    """The design of the same X under other weights, given the moments that they lead to.

    Those of `doubtful` columns are computed again, from the columns themselves.
    """
    statistics = column_statistics(
        design.container, weights, design.fit_intercept, design.left_out, (mean, square), doubtful
    )
    return Design(design.container, statistics, design.passes)


def augmented_gram_of(design: Design, rows: Index, response: Float64) -> Float64:
    """The Gram matrix of [Z, response, sqrt v] on some rows, of shape (p + 2, p + 2).

    Inexact for cancellation-prone columns.
    """
    p = design.shape[1]
    ends = np.stack([response, design.sqrt_weights], axis=1)
    result = np.empty((p + 2, p + 2))
    result[:p, :p], result[:p, p:] = design.container.products_of_rows(
        design.statistics, rows, ends
    )
    result[p:, :p] = result[:p, p:].T
    result[p:, p:] = ends[rows].T @ ends[rows]
    return result


def column_statistics(
    X: Container,
    weights: Float64,
    fit_intercept: bool,
    left_out: Mask,
    moments: tuple[Float64, Float64],
    doubtful: Mask,
) -> ColumnStatistics:
    """The statistics under weights, given the weighted means of columns and of their squares.

    They are computed again from `doubtful` columns and those that are prone to cancellation.
    """
    left = left_out & np.isfinite(moments[1])  # NaN stays for whoever looks for it
    mean, square = (np.where(left, 0.0, moment) for moment in moments)
    mean = mean if fit_intercept else np.zeros_like(mean)
    variance = square - mean**2
    close = (square > 0.0) & (variance <= X.prone_below * square)
    prone = np.flatnonzero(doubtful | close)
    for where in slices(prone.size, X.shape[0]):
        features = prone[where]
        mean[features], variance[features] = _centred_moments(
            X.columns(features), weights, mean[features], fit_intercept
        )
    vanishing = variance[prone] <= (4.0 * UNIT) ** 2 * square[prone]
    variance[prone[vanishing & np.isfinite(square[prone])]] = 0.0
    norms, raw = np.sqrt(variance), np.sqrt(square)
    raw[prone] = norms[prone]
    return ColumnStatistics(
        sqrt_weights=np.sqrt(weights),
        fit_intercept=fit_intercept,
        left_out=left_out,
        mean=mean,
        column_norms=norms,
        cancellation_prone=prone[norms[prone] > 0.0],
        constant=np.flatnonzero(norms == 0.0),
        rounding=ROUNDING * raw,
        size=norms if X.centres else raw,
    )


def _centred_moments(
    values: Float64, weights: Float64, mean: Float64, fit_intercept: bool
) -> tuple[Float64, Float64]:
    """The means to the last digit, and the variances, of columns whose means are roughly known."""
    if fit_intercept:
        mean = mean + weights @ (values - mean)
    return mean, weights @ (values - mean) ** 2
