"""Least squares for several targets at once, on one design: from the data, or from moments.

With Z and Y weighted and centred, L = 1/2 ||Y - Z theta||^2 for theta (p, T), the residual is
R = Y - Z theta, and z = Z'R = c - G theta for c = Z'Y and the Gram matrix G. States are computed at
several theta at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from .._design.design import Design
from .._design.working_set import WorkingSet
from .._losses.squared import SquaredLoss
from .._numerics.rounding import UNIT
from .._numerics.threads import threads_for_pass
from .._numerics.typing import Float64, Index


class TargetStates(NamedTuple):
    """At M theta: z (p, T, M), ||R||^2 (M,), and what rounding may add to the gap (M,)."""

    z: Float64
    squares: Float64
    hidden: Float64


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

    quadratic, convex = True, True

    def __init__(self, design: Design, Y: Float64, gram: Float64 | None = None) -> None:
        losses = [SquaredLoss(y, design.sqrt_weights, design.fit_intercept) for y in Y.T]
        self.design = design
        self.response = np.stack([loss.response for loss in losses], axis=1)
        self.intercept = np.array([loss.intercept for loss in losses])
        self.scale = float(sum(loss.square for loss in losses))
        self.norm = float(np.sqrt(self.scale))
        self.working_set = WorkingSet(design, gram, fixed=True)

    @abstractmethod
    def target(self, positions: Index) -> Float64:
        """c (k, T) at some positions in the working set."""

    def gram(self, positions: Index) -> Float64:
        """G (k, k) there."""
        return self.working_set.gram[np.ix_(positions, positions)]

    def columns(self, positions: Index) -> Float64 | None:
        """Z (n, k) there, if there are more columns than rows; otherwise None."""
        return None

    @abstractmethod
    def states(self, features: Index, theta: Float64) -> TargetStates:
        """The states at theta (k, T, M) of some features in the working set, all others zero."""

    def sizes(self, features: Index, theta: Float64) -> Float64:
        """The lengths of the columns times |theta_j|, (k, M)."""
        lengths = np.sqrt((theta**2).sum(axis=1))
        return np.asarray(self.design.size[features, None] * lengths)


class DataTargets(Targets):
    """From the data."""

    def __init__(self, design: Design, Y: Float64) -> None:
        super().__init__(design, Y)
        self._known = np.empty((0, Y.shape[1]))

    def target(self, positions: Index) -> Float64:
        known, size = len(self._known), self.working_set.features.size
        if known < size:
            new = self.working_set.columns.correlations(self.response)[known:]
            self._known = np.concatenate([self._known, new])
        return self._known[positions]

    def columns(self, positions: Index) -> Float64 | None:
        if positions.size <= len(self.response):
            return None
        return self.design.block(self.working_set.features[positions])

    def states(self, features: Index, theta: Float64) -> TargetStates:
        n, (_, T, M) = len(self.response), theta.shape
        residual = np.repeat(self.response[:, :, None], M, axis=2)
        if features.size:
            coefficients = np.zeros((self.working_set.features.size, T * M))
            coefficients[self.working_set.position[features]] = theta.reshape(-1, T * M)
            residual -= self.working_set.columns.predict(coefficients).reshape(n, T, M)
        self.design.passes += M * T
        with threads_for_pass():
            z = self.design.product(residual.reshape(n, -1)).reshape(-1, T, M)
        lengths = np.sqrt((self.sizes(features, theta) ** 2).sum(axis=0))
        hidden = UNIT * np.abs(residual).max(axis=(0, 1)) * lengths
        return TargetStates(z, (residual**2).sum(axis=(0, 1)), hidden)


class GramTargets(Targets):
    """From G (p, p) and c (p, T), which determine it with ||Y||^2; c is computed if not known."""

    def __init__(
        self, design: Design, Y: Float64, gram: Float64, target: Float64 | None = None
    ) -> None:
        super().__init__(design, Y, gram)
        self._all = design.product(self.response) if target is None else target

    def target(self, positions: Index) -> Float64:
        return self._all[positions]

    def states(self, features: Index, theta: Float64) -> TargetStates:
        _, T, M = theta.shape
        image = self.working_set.gram[:, features] @ theta.reshape(-1, T * M)
        z = self._all[:, :, None] - image.reshape(-1, T, M)
        products = (theta * (self._all[features, :, None] + z[features])).sum(axis=(0, 1))
        squares = np.maximum(0.0, self.scale - products)
        lengths = np.sqrt((self.sizes(features, theta) ** 2).sum(axis=0))
        return TargetStates(z, squares, UNIT * (self.norm + lengths) * lengths)
