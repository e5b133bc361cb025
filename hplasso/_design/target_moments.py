"""The kernel of least squares: the moments of features and targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn import get_config

from .._numerics.typing import Float64
from .factory import check_block
from .moments import Moments, moments_of
from .source import Block

# Sets of moments that are held at the same time: of the blocks so far, of a block, and of both.
HELD = 3


class TargetMoments(NamedTuple):
    """The moments of features and targets; how many targets, and whether one was a vector."""

    moments: Moments
    n_targets: int
    flat: bool

    def merge(self, other: TargetMoments) -> TargetMoments:
        if self.n_targets != other.n_targets:
            raise ValueError(
                f"y has {self.n_targets} columns in one block and {other.n_targets} in another."
            )
        moments, flat = self.moments.merge(other.moments), self.flat and other.flat
        return TargetMoments(moments, self.n_targets, flat)


def target_moments(block: Block) -> TargetMoments:
    """Those of a block."""
    targets = as_columns(block.y)
    if block.offset is not None:
        offset = as_columns(block.offset)
        if offset.shape != targets.shape:
            raise ValueError(
                f"offset of block {block.number} has shape {offset.shape}, expected "
                f"{targets.shape}, that of y."
            )
        targets = targets - offset
    with np.errstate(over="ignore", invalid="ignore"):
        moments = moments_of(block.X, targets, block.weights)
    check_block(block, moments.products.diagonal(), moments.weight, y=targets)
    return TargetMoments(moments, targets.shape[1], block.flat)


def as_columns(values: Float64) -> Float64:
    """Targets of shape (n, T)."""
    return values[:, None] if values.ndim == 1 else values


def check_memory(n_coordinates: int, n_matrices: int, n_folds: int) -> None:
    """Raise a ValueError if so many matrices of all coordinates take more memory than is allowed.

    That is the `working_memory` of scikit-learn's configuration.
    """
    allowed = get_config()["working_memory"]
    needed = 8 * (n_coordinates + 1) ** 2 * n_matrices / 2**20
    if needed > allowed:
        of_folds = f" for {n_folds} folds" if n_folds > 1 else ""
        raise ValueError(
            f"The products of {n_coordinates} features with each other, which data in blocks are "
            f"reduced to, take {needed:.1f} MiB{of_folds}; working_memory allows {allowed:g}. If "
            "that much memory is there, allow it by sklearn.set_config(working_memory="
            f"{int(np.ceil(needed))}). Otherwise select features, or fit to fewer rows in memory."
        )
