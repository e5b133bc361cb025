"""What weights make of the columns of X: means, norms, rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._numerics.typing import Float64, Index, Mask

# A numerical limit: means of up to so many times the column norm may stay in a column, more would
# cost correlations digits. Of a value that takes nine tenths of the samples, and zero otherwise,
# the mean is three times the norm.
LARGEST_KEPT_MEAN = 3.0


@dataclass(frozen=True)
class ColumnStatistics:
    """Weights v of shape (n,), and what is known of the p columns of Z = diag(sqrt v) (X - 1 m').

    Attributes
    ----------
    sqrt_weights : ndarray of shape (n,)
    fit_intercept : bool
        Whether m holds the weighted means; it is zero otherwise.
    left_out : ndarray of shape (p,)
        Which columns are to be zero, as if they were constant.
    mean, column_norms : ndarrays of shape (p,)
        m, and the norms of the columns of Z; 0 for constant columns under an intercept.
    cancellation_prone, constant : ndarrays
        The columns whose means dwarf their norms, except constant ones; those of norm 0.
    rounding : ndarray of shape (p,)
        Rounding error of a correlation, for a residual of norm one.
    size : ndarray of shape (p,)
        Norms of the columns as they come into predictions.
    """

    sqrt_weights: Float64
    fit_intercept: bool
    left_out: Mask
    mean: Float64
    column_norms: Float64
    cancellation_prone: Index
    constant: Index
    rounding: Float64
    size: Float64

    def centre(self, values: Float64, features: Index) -> Float64:
        """Take the means off some columns of X, in place; constant ones become zero."""
        values -= self.mean[features]
        values[:, self.column_norms[features] == 0.0] = 0.0
        return values

    def leave_means(self) -> ColumnStatistics:
        """The same with zero for the means that are not much larger than the column norms."""
        left = np.abs(self.mean) <= LARGEST_KEPT_MEAN * self.column_norms
        mean = np.where(left, 0.0, self.mean)
        norms = np.where(left, np.hypot(self.column_norms, self.mean), self.column_norms)
        return replace(self, mean=mean, column_norms=norms, size=np.maximum(self.size, norms))
