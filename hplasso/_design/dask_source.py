"""Dask arrays and data frames as a source: one graph a pass, run by whatever scheduler is current.

X, y and the weights of a block come into one task, by one graph that is not optimised: what they
have in common is read once. What is seen of the blocks is merged by tasks as well, in a fixed tree,
so that a result does not depend on the workers, and a part that is lost with one is made again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from dask.base import is_dask_collection
from dask.delayed import delayed

from .._numerics.threads import threads_for_data
from .source import Reader, Seen, Source, merge_in_pairs


class DaskSource(Source):
    """X, a Dask array or data frame; y, weights and offset are Dask collections or arrays.

    Raises
    ------
    ValueError
        If their blocks do not go together.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> None:
        if len(X.shape) != 2:
            raise ValueError(f"X must be a Dask array of two dimensions, or a data frame. Got {X}.")
        if y is None:
            raise ValueError("y must be given with X, which is a Dask collection. Got None.")
        self.n_features = X.shape[1]
        if hasattr(X, "columns"):
            self._read_frame(X)
            heights = None
        else:
            self.dtype = np.float32 if X.dtype == np.float32 else np.float64
            self.example = np.empty((0, self.n_features))
            X = X.rechunk({1: -1}) if X.numblocks[1] > 1 else X
            known = not np.isnan(X.chunks[0]).any()
            heights = X.chunks[0] if known else None
        parts = _delayed(X)
        self.n_blocks = len(parts)
        self._parts = [parts]
        for name, values in {"y": y, "sample_weight": sample_weight, "offset": offset}.items():
            self._parts.append(_beside(name, values, heights, len(parts)))
        self._firsts: list[int | None] = [None] * len(parts)
        if heights is not None:
            self.n_rows = int(sum(heights))
            self._firsts = [int(first) for first in np.cumsum([0, *heights])[:-1]]

    def _read_frame(self, X: Any) -> None:
        """What the columns of a data frame say."""
        import pandas as pd  # Dask's data frames are made of them

        self.names = tuple(X.columns)
        self.example = pd.DataFrame(columns=list(X.columns))
        single = all(dtype == np.float32 for dtype in X.dtypes)
        self.dtype = np.float32 if single else np.float64

    def _reduce(self, reader: Reader) -> Seen:
        read = delayed(reader, traverse=False)
        seen = [
            read(number, first, *parts)
            for number, (first, *parts) in enumerate(zip(self._firsts, *self._parts, strict=True))
        ]
        merge = delayed(_merge)
        with threads_for_data(0):  # tasks in threads of this process have one BLAS thread each
            total: Any = merge_in_pairs(seen, merge)
            result: Seen = total.compute(optimize_graph=False)
        return result


def _merge(first: Seen, second: Seen) -> Seen:
    return first.merge(second)


def _delayed(values: Any) -> list[Any]:
    """The blocks of a collection, which may have columns, as delayed objects."""
    blocks = values.to_delayed(optimize_graph=False)
    return list(blocks.ravel()) if isinstance(blocks, np.ndarray) else list(blocks)


def _beside(name: str, values: Any, heights: tuple[int, ...] | None, n_blocks: int) -> list[Any]:
    """The blocks of what goes beside X, which has blocks of these heights, if they are known."""
    if values is None:
        return [None] * n_blocks
    if not is_dask_collection(values):
        values = np.asarray(values)
        if heights is None:
            raise ValueError(
                f"{name} must be a Dask collection, because the lengths of X's blocks are not "
                "known. X.compute_chunk_sizes() of a Dask array finds them."
            )
        if values.shape[:1] != (sum(heights),):
            raise ValueError(f"{name} has {len(values)} rows, and X has {sum(heights)}.")
        stops = np.cumsum(heights)
        return [values[stop - height : stop] for height, stop in zip(heights, stops, strict=True)]
    if hasattr(values, "chunks"):
        known = heights is not None and not np.isnan(values.chunks[0]).any()
        if known and values.shape[0] != sum(heights or ()):
            raise ValueError(f"{name} has {values.shape[0]} rows, and X has {sum(heights or ())}.")
        whole = dict.fromkeys(range(1, values.ndim), -1)
        values = values.rechunk({0: heights, **whole} if known else whole)
    blocks = _delayed(values)
    if len(blocks) != n_blocks:
        raise ValueError(
            f"{name} has {len(blocks)} blocks, and X has {n_blocks}. Where the lengths of blocks "
            "are not known, both must have the same."
        )
    return blocks
