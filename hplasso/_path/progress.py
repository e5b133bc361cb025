"""What a path reports on its way: points, iterations, and that some did not converge."""

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._numerics.typing import Float64, Index


class Outcome(Enum):
    """Why a fit has ended; of one that did not converge, what helps."""

    CONVERGED = ""
    MAX_ITER = "max_iter was reached. Increase max_iter or tol, or scale the features."
    ROUNDING = (
        "What is left is rounding, which more iterations do not change. Scale the features, "
        "subtract their means, look for values that are far larger than the others of their "
        "column, pass X as float64, or increase tol."
    )
    STALLED = (
        "The last iterations did not lower it, and more of them will not. Scale the features, or "
        "increase tol or the penalty."
    )


class Measure(Enum):
    """What says how good coefficients are."""

    DUAL_GAP = "duality gap"
    KKT_RESIDUAL = "KKT residual"  # where the loss is not convex

    @property
    def attribute(self) -> str:
        """How names of fitted attributes begin."""
        return self.name.lower()


class PathPoint(NamedTuple):
    """The solution at one alpha: coefficients `values` of the `features`, all others zero.

    It has converged if its gap is the one asked for, or as small as rounding allows and negligible.
    The gap may be of another `measure`.
    """

    alpha: float
    features: Index
    values: Float64
    intercept: Any
    gap: float
    gap_tol: float
    outcome: Outcome
    sweeps: int
    measure: Measure = Measure.DUAL_GAP

    @property
    def converged(self) -> bool:
        return self.outcome is Outcome.CONVERGED

    def dense(self, n_features: int) -> Float64:
        """The coefficients as an array of shape (n_features,)."""
        theta = np.zeros(n_features)
        theta[self.features] = self.values
        return theta


class Iteration(NamedTuple):
    """Where a fit at `alpha` stands: f, and g at the factors that the last sweep left."""

    alpha: float
    sweeps: int
    n_admitted: int
    n_nonzero: int
    objective: float
    surrogate: float
    gap: float
    gap_tol: float
    measure: Measure = Measure.DUAL_GAP


class Listener(ABC):
    """Hears of each point of a path, and, if `iterations`, of each iteration.

    With `every_sweep` an iteration has a single sweep.
    """

    iterations = False
    every_sweep = False

    @abstractmethod
    def point(self, point: PathPoint) -> None:
        """A solution has been found."""

    def iteration(self, iteration: Iteration) -> None:  # noqa: B027 (most do not listen)
        """A restricted problem has been solved, and the solution certified."""


class Listeners(Listener):
    """Several listeners at once."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners
        self.iterations = any(listener.iterations for listener in listeners)
        self.every_sweep = any(listener.every_sweep for listener in listeners)

    def point(self, point: PathPoint) -> None:
        for listener in self.listeners:
            listener.point(point)

    def iteration(self, iteration: Iteration) -> None:
        for listener in self.listeners:
            if listener.iterations:
                listener.iteration(iteration)


class Printer(Listener):
    """Prints a line on standard error for each point; with verbose >= 2 for each iteration too."""

    def __init__(self, verbose: int, name_alpha: Callable[[float], str], prefix: str = "") -> None:
        self.iterations = verbose >= 2
        self.name_alpha = name_alpha
        self.prefix = prefix

    def point(self, point: PathPoint) -> None:
        self._print(
            f"{self.name_alpha(point.alpha)}: {counted(point.features.size, 'coefficient')}, "
            f"{point.measure.value} {point.gap:.3e} (asked {point.gap_tol:.3e}), "
            f"{counted(point.sweeps, 'sweep')}"
        )

    def iteration(self, iteration: Iteration) -> None:
        self._print(
            f"  {self.name_alpha(iteration.alpha)}, sweep {iteration.sweeps}: objective "
            f"{iteration.objective:.12g}, {iteration.measure.value} {iteration.gap:.3e}, "
            f"{iteration.n_nonzero} of {iteration.n_admitted} features in the working set"
        )

    def _print(self, line: str) -> None:
        print(self.prefix + line, file=sys.stderr)


def counted(number: int, name: str) -> str:
    """Such as '1 sweep' and '2 sweeps'."""
    return f"{number} {name}" + "s" * (number != 1)


def warn_not_converged(points: Sequence[PathPoint], name_alpha: Callable[[float], str]) -> None:
    """One warning for those of the points that did not converge, if any."""
    failed = [point for point in points if not point.converged]
    if not failed:
        return
    worst = max(failed, key=lambda point: point.gap)
    warn(
        f"Objective did not converge for {len(failed)} fit(s). Worst at "
        f"{name_alpha(worst.alpha)}, after {counted(worst.sweeps, 'sweep')}: {worst.measure.value} "
        f"{worst.gap:.3e}, asked for {worst.gap_tol:.3e} (tol, relative to a fit without "
        f"features). {worst.outcome.value}",
        ConvergenceWarning,
    )


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the call from outside this package."""
    warnings.warn(message, category, stacklevel=stack_level())


def stack_level() -> int:
    """The `stacklevel` of a warning that is to point at the call from outside this package."""
    inside = {__name__.partition(".")[0], "sklearn.callback"}
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if not any(name == part or name.startswith(f"{part}.") for part in inside):
            break
        frame, depth = frame.f_back, depth + 1
    return depth
