"""Losses of models on rows of data in blocks that they were not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._design.rows import with_ones
from .._design.source import Block
from .._numerics.typing import Float64
from .loss_sums import MakeLoss, outputs_of


class HeldOut(NamedTuple):
    """Of L models: sums of weighted losses, (L,), and of weights that are classified right."""

    losses: Float64
    right: Float64
    weight: float

    def merge(self, other: HeldOut) -> HeldOut:
        losses, right = self.losses + other.losses, self.right + other.right
        return HeldOut(losses, right, self.weight + other.weight)


@dataclass(frozen=True)
class HeldOutKernel:
    """The losses of models with theta (p, K, L) about a centre, and intercepts (K, L).

    `codes` gives the number of each class; None where there are no classes.
    """

    make_loss: MakeLoss
    centre: Float64
    theta: Float64
    intercepts: Float64
    codes: Any = None

    def __call__(self, block: Block) -> HeldOut:
        K, L = self.intercepts.shape
        losses, right = np.zeros((2, L))
        if not block.weights.any():
            return HeldOut(losses, right, 0.0)
        outputs = outputs_of(with_ones(block.X, self.centre), self.theta, self.intercepts)
        loss = self.make_loss(block.y, block.weights, block.offset)
        for k in range(L):
            losses[k] = block.weights @ loss.predict(outputs[:, :, k]).losses
        if self.codes is not None:
            chosen = outputs.argmax(axis=1) if K > 1 else outputs[:, 0] > 0.0
            right = block.weights @ (chosen == self.codes(block.y)[:, None])
        return HeldOut(losses, right, float(block.weights.sum()))
