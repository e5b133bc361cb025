"""Large arrays with more rows than columns: all that least squares needs of them in one pass.

They are its moments and those of the targets (`moments`), which each thread finds for a run of
rows.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from .._numerics.threads import LARGE_DATA, by_threads
from .._numerics.typing import Float64, Mask
from .design import Design
from .factory import as_container, check_columns, column_statistics
from .moments import Moments, moments_of

# Rows for each column that make an array tall: one reading that is saved against products that are
# added up more often. Of 4,000,000 numbers, paths took 1.14 of the time at 4 rows for each column,
# 1.02 at 25, .97 at 100, .83 at 400 (constants.py).
TALL = 20


def is_tall(X: Any) -> bool:
    """Whether one pass by threads pays: an array of many numbers, with many rows for a column."""
    return isinstance(X, np.ndarray) and X.size >= LARGE_DATA and len(X) >= TALL * X.shape[1]


def moments_by_threads(X: Any, targets: Float64, weights: Float64) -> Moments:
    """The moments of rows [x_i, y_i] of X (n, p) and targets (n, T), with the weights (n,)."""

    def of_run(rows: slice) -> Moments:
        with np.errstate(over="ignore", invalid="ignore"):
            return moments_of(X[rows], targets[rows], weights[rows])

    return reduce(Moments.merge, by_threads(len(weights), of_run))


def design_and_moments(
    X: Any, targets: Float64, weights: Float64, fit_intercept: bool, left_out: Mask
) -> tuple[Design, Float64, Float64]:
    """The design of X, G = Z'Z (p, p), and Z'Y (p, T) of the weighted and centred targets.

    Raises
    ------
    NotFinite, ValueError
        As `checked_design`.
    """
    p, container = X.shape[1], as_container(X)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = moments_by_threads(X, targets, weights)
        mean, products = moments.mean, moments.products / moments.weight
        square = products.diagonal()[:p] + mean[:p] ** 2
        if not fit_intercept:
            products += np.multiply.outer(mean, mean)
        found, nothing = (mean[:p], square), np.zeros(p, dtype=bool)
        statistics = column_statistics(container, weights, fit_intercept, left_out, found, nothing)
    design = Design(container, statistics)
    check_columns(X, design)
    for features in (statistics.constant, left_out):
        products[:p][features] = products.T[:p][features] = 0.0
    return design, products[:p, :p], products[:p, p:]
