"""Where a path has nothing more to say: the fit is saturated, and weaker penalties hardly matter.

A path whose penalties were not given may end there. Whether it does is asked at its solved points
alone, one after the other, of which the loss is known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._design.design import Design
from .predictor import SolvedPoint

# Whether a path may end at a solved point; it hears of all of them, strongest penalty first.
Enough = Callable[[SolvedPoint], bool]
# These constants trade the time of the weakest penalties against models that hardly differ; where a
# path ends depends on them, so that no time alone says what is best.
# The part of the loss without features that is left where the fit is saturated; that of glmnet.
UNEXPLAINED = 1e-3
# The fit has settled where what is explained grows by less than this part of itself when the
# penalty falls by a factor e; glmnet: 1e-5 between penalties that are 0.093 apart on that scale.
SETTLED = 1e-4
# Least squares interpolate once there are this many coefficients for each sample; the lasso has one
# at most. With noise that is so long before the loss is explained; without much, half of a sample
# would end the path before the best alpha, where errors were up to 7 % smaller.
INTERPOLATING = 0.9


def never(point: SolvedPoint) -> bool:
    """Of a path that goes through all of its penalties."""
    return False


class Interpolates:
    """Whether least squares interpolate the samples: hardly a residual, and many coefficients.

    A small residual alone does not end a path: without much noise, as in spectra, smaller alphas go
    on to find the coefficients, and those of scikit-learn's cross-validation go on. Nor does one
    that hardly changes: where there are many more samples than features, alphas cost next to
    nothing.
    """

    def __init__(self, design: Design, null_square: float) -> None:
        n_samples = np.count_nonzero(design.sqrt_weights)
        n_features = np.count_nonzero(design.column_norms)
        self.most = UNEXPLAINED * null_square if n_features >= n_samples else 0.0
        self.least = INTERPOLATING * n_samples

    def __call__(self, point: SolvedPoint) -> bool:
        iterate = point.iterate
        return bool(iterate.support.size >= self.least and iterate.state.square < self.most)


class Saturates:
    """Whether a curved loss has nothing left to explain, or what it explains has settled.

    That is seen over a factor e of alpha or more, so that it does not depend on how fine the grid
    is; a `tol` larger than the change that matters hides it.
    """

    def __init__(self, null_loss: float, tol: float) -> None:
        self.null_loss, self.seen = null_loss, tol <= SETTLED
        self._solved: list[tuple[float, float]] = []  # logarithm of alpha, loss

    def __call__(self, point: SolvedPoint) -> bool:
        here, loss = float(np.log(point.alpha)), float(point.iterate.state.loss)
        before = [each for each in self._solved if each[0] >= here + 1.0]
        self._solved.append((here, loss))
        return loss < UNEXPLAINED * self.null_loss or self._settled(here, loss, before)

    def _settled(self, here: float, loss: float, before: list[tuple[float, float]]) -> bool:
        if not (before and self.seen):
            return False
        there, larger = before[-1]
        return larger - loss < SETTLED * (there - here) * (self.null_loss - loss)
