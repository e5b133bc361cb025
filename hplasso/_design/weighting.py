"""From weights to the statistics of columns; and what folds of a cross-validation ask for besides.

That is the same X under other weights, whose moments they know, and the sums over some samples that
lead to these.
"""

from __future__ import annotations

import numpy as np

from .._numerics.rounding import ROUNDING, UNIT
from .._numerics.typing import Float64, Index, Mask
from .blocks import slices
from .column_statistics import ColumnStatistics
from .container import Container
from .design import Design


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
    ends = np.stack([response, design.sqrt_weights], axis=1)
    return design.container.augmented_gram(design.statistics, rows, ends)


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
        values = X.columns(features)
        if fit_intercept:  # to the last digit
            mean[features] += weights @ (values - mean[features])
        variance[features] = weights @ (values - mean[features]) ** 2
    vanishing = variance[prone] <= (4.0 * UNIT) ** 2 * square[prone]
    variance[prone[vanishing & np.isfinite(square[prone])]] = 0.0
    norms, raw = np.sqrt(variance), np.sqrt(square)
    raw[prone] = norms[prone]
    rounding, size = ROUNDING * raw, norms if X.centres else raw
    prone, constant = prone[norms[prone] > 0.0], np.flatnonzero(norms == 0.0)
    return ColumnStatistics(
        np.sqrt(weights), fit_intercept, left_out, mean, norms, prone, constant, rounding, size
    )
