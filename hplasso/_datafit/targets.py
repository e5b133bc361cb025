"""Least squares for several targets at once, on one design: from the data, or from moments.

With Z and Y weighted and centred, L = 1/2 ||Y - Z theta||^2 for theta (p, T), the residual is
R = Y - Z theta, and z = Z'R = c - G theta for c = Z'Y and the Gram matrix G. States are computed at
several theta at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.squared import SquaredLoss
from .._numerics.rounding import UNIT, CorrelationRounding
from .._numerics.threads import threads_for_pass
from .._numerics.typing import Float64, Index
from .group_term import GroupModel
from .line_search import Penalised


class TargetState(NamedTuple):
    """At theta: z (p, T), ||R||^2, the means of the targets, and what rounding may hide."""

    z: Float64
    square: float
    intercept: Any
    rounding: CorrelationRounding
    hidden: float

    @property
    def loss(self) -> float:
        return 0.5 * self.square

    def divergence(self, kappa: float) -> float:
        return 0.5 * (1.0 - kappa) ** 2 * self.square

    def intercept_cost(self, delta: Float64) -> float:
        return 0.5 * float(delta @ delta)


class Targets(ABC):
    """Targets Y (n, T) on a design.

    Attributes
    ----------
    design : Design
    intercept : ndarray of shape (T,)
        The means of the targets; zero without an intercept.
    scale : float
        ||Y||^2.
    """

    quadratic, convex, curvature = True, True, 1.0

    def __init__(self, design: Design, Y: Float64, gram: Float64 | None = None) -> None:
        losses = [SquaredLoss(y, design.sqrt_weights, design.fit_intercept) for y in Y.T]
        self.design = design
        self.response = np.stack([loss.response for loss in losses], axis=1)
        self.intercept = np.array([loss.intercept for loss in losses])
        self.scale = float(sum(loss.square for loss in losses))
        self.norm = float(np.sqrt(self.scale))
        self.working_set = WorkingSet(design, gram)
        self.n_targets = self.intercept.size

    @abstractmethod
    def states(self, features: Index, theta: Float64) -> list[TargetState]:
        """The states at theta (k, T, M) of some features, all others zero."""

    def _states(self, z: Float64, squares: Float64, sizes: Float64, hidden: Float64) -> Any:
        """Those of M theta, from z (p, T, M), ||R||^2, lengths of columns times |theta_j|, (k, M).

        Rounding may add `hidden` (M,) to the gaps.
        """
        intercept: Any = self.intercept if self.n_targets > 1 else float(self.intercept[0])
        scales = self.norm + sizes.sum(axis=0)
        return [
            TargetState(z[..., m], float(square), intercept, CorrelationRounding(scale), float(low))
            for m, (square, scale, low) in enumerate(zip(squares, scales, hidden, strict=True))
        ]

    def model(
        self, state: Any, features: Index, theta: Float64, dual: bool, exact: bool
    ) -> GroupModel:
        """The loss itself; by columns, if there are more of them than rows."""
        self.working_set.admit(features)
        positions = self.working_set.position[features]
        target, columns = self._target(positions), self._columns(positions) if dual else None
        if columns is not None:
            return GroupModel(columns, target, by_columns=True)
        return GroupModel(self.working_set.gram[np.ix_(positions, positions)], target)

    @abstractmethod
    def _target(self, positions: Index) -> Float64:
        """c (k, T) at some positions in the working set."""

    def _columns(self, positions: Index) -> Float64 | None:
        """Z (n, k) there, if there are more columns than rows; otherwise None."""
        return None

    def step(
        self, state: Any, features: Index, theta: Float64, goal: Float64, penalty: Penalised
    ) -> tuple[Float64, TargetState]:
        """To the goal: the model is the loss."""
        return goal, self.states(features, goal[..., None])[0]

    def written_intercept(self, state: Any, features: Index, theta: Float64) -> Float64:
        return np.asarray(self.intercept - self.design.mean[features] @ theta)

    def _sizes(self, features: Index, theta: Float64) -> Float64:
        """The lengths of the columns times |theta_j|, (k, M)."""
        lengths = np.sqrt((theta**2).sum(axis=1))
        return np.asarray(self.design.size[features, None] * lengths)


class DataTargets(Targets):
    """From the data."""

    def __init__(self, design: Design, Y: Float64) -> None:
        super().__init__(design, Y)
        self._known = np.empty((0, Y.shape[1]))

    def _target(self, positions: Index) -> Float64:
        known, size = len(self._known), self.working_set.features.size
        if known < size:
            new = self.working_set.columns.correlations(self.response)[known:]
            self._known = np.concatenate([self._known, new])
        return self._known[positions]

    def _columns(self, positions: Index) -> Float64 | None:
        if positions.size <= len(self.response):
            return None
        return self.design.block(self.working_set.features[positions])

    def states(self, features: Index, theta: Float64) -> list[TargetState]:
        self.working_set.admit(features)
        n, (_, T, M) = len(self.response), theta.shape
        residual = np.repeat(self.response[:, :, None], M, axis=2)
        if features.size:
            coefficients = np.zeros((self.working_set.features.size, T * M))
            coefficients[self.working_set.position[features]] = theta.reshape(-1, T * M)
            residual -= self.working_set.columns.predict(coefficients).reshape(n, T, M)
        self.design.passes += M * T
        with threads_for_pass():
            z = self.design.product(residual.reshape(n, -1)).reshape(-1, T, M)
        sizes = self._sizes(features, theta)
        hidden = UNIT * np.abs(residual).max(axis=(0, 1)) * np.sqrt((sizes**2).sum(axis=0))
        return self._states(z, (residual**2).sum(axis=(0, 1)), sizes, hidden)


class GramTargets(Targets):
    """From G (p, p) and c (p, T), which determine it with ||Y||^2; c is computed if not known."""

    def __init__(
        self, design: Design, Y: Float64, gram: Float64, target: Float64 | None = None
    ) -> None:
        super().__init__(design, Y, gram)
        self._all = design.product(self.response) if target is None else target

    def _target(self, positions: Index) -> Float64:
        return self._all[positions]

    def states(self, features: Index, theta: Float64) -> list[TargetState]:
        _, T, M = theta.shape
        image = self.working_set.gram[:, features] @ theta.reshape(-1, T * M)
        z = self._all[:, :, None] - image.reshape(-1, T, M)
        products = (theta * (self._all[features, :, None] + z[features])).sum(axis=(0, 1))
        squares = np.maximum(0.0, self.scale - products)
        sizes = self._sizes(features, theta)
        lengths = np.sqrt((sizes**2).sum(axis=0))
        return self._states(z, squares, sizes, UNIT * (self.norm + lengths) * lengths)
