"""Stagnation: when rounds at a penalty are given up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._penalties.duality_gap import Certificate

# Rounds that may pass with nothing new and no smaller gap; sweeps alone have all they are given.
# Fewer give up fits that rounding slows down, more make hopeless ones last (constants.py).
MAX_STALLED = 5
# What a round counts while a coefficient without penalty is on its way: then the gap says nothing.
UNSETTLED = 0.2
# A gap, or kappa, has to get better by this factor.
BETTER = 0.9
# f has fallen if it did by the gap asked for, or by this part of the gap: larger values give up
# fits whose gap is all of f, smaller ones make hopeless fits last (constants.py). Of 360 fits to
# six classes that separate, at C = 1e5 and 1e6, 8 are given up at 0.1, 4 at 0.01, 2 at 0.001 and
# none at 0.0001, in 13,653, 13,696, 13,722 and 13,750 sweeps.
FALLEN = 1e-4


class Stagnation(NamedTuple):
    """Rounds without progress; the gap at the last, the largest kappa at this f, the smallest f."""

    rounds: float = 0.0
    gap: float = np.inf
    kappa: float = 0.0
    objective: float = np.inf

    def after(
        self, certificate: Certificate, objective: float, entered: bool, gap_tol: float
    ) -> Stagnation:
        """After one round more.

        Far from feasible the gap is the whole loss, and says nothing of what else gets better.
        Where f has gone down, kappa may be less than it was: from there it grows again.
        """
        gap, kappa, _ = certificate
        lowest = min(self.objective, objective)
        if entered or objective < self.objective - min(gap_tol, FALLEN * gap):
            return Stagnation(0.0, gap, kappa, lowest)
        if gap < BETTER * self.gap or BETTER * kappa > self.kappa:
            return Stagnation(0.0, gap, max(self.kappa, kappa), lowest)
        return self._replace(rounds=self.rounds + (1.0 if kappa > 0.0 else UNSETTLED))

    def rate(self, gap: float) -> float:
        """By which part of itself the gap has gone down since the last progress."""
        return min(1.0, gap / self.gap) if self.gap > 0.0 else 1.0
