"""Bounds for the expected number of false selections of stability selection.

Each of B resamples of half of the samples selects q of p features in the mean; in the end those are
selected whose frequency is at least tau. If the features that do not matter are exchangeable, and
selected no more often than at random, the expected number of them among those is

    E V <= C q^2 / p,        C = 1 / (2 tau - 1)

(Meinshausen and Buehlmann 2010, theorem 1; for complementary pairs Shah and Samworth 2013,
theorem 1, without exchangeability, for the features that a resample selects with probability q / p
or less). For P = B / 2 pairs there is a smaller C, if the part of the pairs of which both halves
select a feature has a unimodal distribution for each of those (Shah and Samworth, theorem 2). With
theta = q / p <= 1 / sqrt 3 and tau a multiple of 1 / B,

    C = 1 / (2 (2 tau - 1 - 1 / B)),                tau <= 3/4,
    C = 4 (1 - tau + 1 / B) / (1 + 2 / B),          tau > 3/4,

for tau - 1/2 > min(theta^2, 1 / B + 3/4 theta^2). The first inequality is Markov's; the second is
the largest tail that a unimodal distribution of mean theta^2 can have.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np

from .._numerics.typing import Float64

# What tau and the bound are where neither they nor enough others are given.
USUAL_THRESHOLD, USUAL_MAX_FALSE = 0.75, 1.0


class FalseSelections(NamedTuple):
    """The bound for p features and B resamples; `unimodal`: where that holds, the smaller one."""

    n_features: int
    n_resamples: int
    unimodal: bool = False

    def round_up(self, threshold: float) -> float:
        """The least multiple of 1 / B from a threshold on, as frequencies are multiples of it."""
        # 0.07 * 100 is above 7 by rounding.
        return float(np.ceil(threshold * self.n_resamples * (1.0 - 1e-12)) / self.n_resamples)

    def bound(self, threshold: Any, n_selected: Any) -> Float64:
        """E V for thresholds that are multiples of 1 / B, or numbers q, an array of them."""
        tau, theta = np.broadcast_arrays(threshold, np.asarray(n_selected) / self.n_features)
        factor = 1.0 / (2.0 * tau - 1.0)
        if self.unimodal:
            part, above = 1.0 / self.n_resamples, tau - 0.5
            holds = above > np.minimum(theta**2, part + 0.75 * theta**2)
            holds &= (theta <= 1.0 / np.sqrt(3.0)) & (2.0 * above > part)
            low = 0.5 / np.where(holds, 2.0 * above - part, 1.0)
            high = 4.0 * (1.0 - tau + part) / (1.0 + 2.0 * part)
            smaller = np.where(tau <= 0.75, low, high)
            factor = np.where(holds, np.minimum(factor, smaller), factor)
        return np.asarray(factor * theta**2 * self.n_features)

    def most_selected(self, threshold: float, max_false: float) -> int:
        """The largest number q, no more than p, for which the bound is `max_false` at most."""
        numbers = np.arange(1, self.n_features + 1)
        return int((self.bound(self.round_up(threshold), numbers) <= max_false).sum())

    def least_threshold(self, max_false: float, n_selected: float) -> float | None:
        """The smallest threshold for which the bound is `max_false` at most, if there is one."""
        thresholds = np.arange(self.n_resamples // 2 + 1, self.n_resamples + 1) / self.n_resamples
        suffices = np.flatnonzero(self.bound(thresholds, n_selected) <= max_false)
        return float(thresholds[suffices[0]]) if suffices.size else None


class Limits(NamedTuple):
    """tau, the bound, and the largest number q of a resample: two of them, of the third None.

    Without a bound at all, tau alone, or with q.
    """

    threshold: float | None
    max_false: float | None
    n_selected: int | None

    @classmethod
    def of(cls, threshold: Any, max_false: Any, n_selected: Any, bounded: bool) -> Limits:
        """What is given, and the usual values for what is missing.

        Raises
        ------
        ValueError
            If that is too much, or there is no bound.
        """
        if None not in (threshold, max_false, n_selected):
            raise ValueError(
                "No more than two of threshold, max_false and n_selected can be given, as they "
                f"give the third. Got {threshold}, {max_false} and {n_selected}."
            )
        if not bounded and max_false is not None:
            raise ValueError(
                f"max_false must be None for the bootstrap: no bound is known. Got {max_false}."
            )
        if n_selected is None or max_false is None:
            threshold = USUAL_THRESHOLD if threshold is None else threshold
        if n_selected is None and bounded:
            max_false = USUAL_MAX_FALSE if max_false is None else max_false
        return cls(threshold, max_false, n_selected)

    def most_selected(self, false: FalseSelections) -> int:
        """The largest number q.

        Raises
        ------
        ValueError
            If there is none, or no tau, or no feature.
        """
        if not false.n_features:
            raise ValueError(
                "There is no feature to choose: all are constant, left out or without penalty."
            )
        threshold, max_false, n_selected = self
        most = false.n_features if n_selected is None else min(n_selected, false.n_features)
        if n_selected is None and max_false is not None:
            most = false.most_selected(cast(float, threshold), max_false)
            if not most:
                raise ValueError(
                    f"With threshold={threshold} and max_false={max_false} a resample may select "
                    f"none of {false.n_features} feature(s). Increase one of the two."
                )
        if threshold is None and false.least_threshold(cast(float, max_false), most) is None:
            raise ValueError(
                f"No threshold gives max_false={max_false} where resamples may select "
                f"n_selected={n_selected} of {false.n_features} feature(s). Increase max_false or "
                "decrease n_selected."
            )
        return most

    def final_threshold(self, false: FalseSelections, n_selected: float) -> float:
        """tau, where resamples have selected so many features in the mean."""
        if self.threshold is not None:
            return false.round_up(self.threshold)
        return cast(float, false.least_threshold(cast(float, self.max_false), n_selected))
