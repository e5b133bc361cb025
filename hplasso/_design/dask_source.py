"""Dask arrays and data frames as a source: one graph a pass, run by whatever scheduler is current.

X, y and the weights of a block come into one task, by one graph that is not optimised: what they
have in common is read once. What is seen of the blocks is merged by tasks as well, in a fixed tree,
so that a result does not depend on the workers, and a part that is lost with one is made again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from dask.array import Array
from dask.base import is_dask_collection
from dask.delayed import delayed
from dask.utils import is_dataframe_like, is_series_like

from .._numerics.threads import threads_for_data
from .source import Reader, Seen, Source, merge_in_pairs

# The heights of blocks, None where they are not known.
Heights = tuple[int, ...] | None


class DaskSource(Source):
    """X, a Dask array or data frame; y, weights and offset are Dask collections or arrays.

    Raises
    ------
    TypeError
        If one is a Dask collection of another kind.
    ValueError
        If their blocks do not go together.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> None:
        if y is None:
            raise ValueError("y must be given with X, which is a Dask collection. Got None.")
        self._heights: Heights = None
        if is_dataframe_like(X):
            self._read_frame(X)
        else:
            X = self._read_array(X)
        parts = blocks_of(X)
        self.n_blocks = len(parts)
        self._parts = [parts]
        for name, values in {"y": y, "sample_weight": sample_weight, "offset": offset}.items():
            self._parts.append(_beside(name, values, self._heights, len(parts)))
        self._firsts: list[int | None] = [None] * len(parts)
        if self._heights is not None:
            self.n_rows = sum(self._heights)
            self._firsts = [int(first) for first in np.cumsum([0, *self._heights])[:-1]]

    def _read_frame(self, X: Any) -> None:
        """What the columns of a data frame say."""
        import pandas as pd  # Dask's data frames are made of them

        self.names, self.n_features = tuple(X.columns), len(X.columns)
        self.example = pd.DataFrame(columns=list(X.columns))

    def _read_array(self, X: Any) -> Any:
        """What an array says; the same in blocks of all columns."""
        if not isinstance(X, Array):
            raise TypeError(f"X must be a Dask array or a Dask data frame. Got {type(X)}.")
        if X.ndim != 2 or np.isnan(X.shape[1]):
            raise ValueError(
                f"X must be a Dask array of shape (n_samples, n_features). Got shape {X.shape}."
            )
        self.n_features, self.example = X.shape[1], np.empty((0, X.shape[1]))
        self._heights = heights_of(X)
        return whole_rows(X)

    def _reduce(self, reader: Reader) -> Seen:
        # The reader is a node of the graph, because a worker then gets it once, not with each task.
        shared, read, merge = delayed(reader, traverse=False), delayed(_read), delayed(_merge)
        seen = [
            read(shared, number, first, *parts)
            for number, (first, *parts) in enumerate(zip(self._firsts, *self._parts, strict=True))
        ]
        total: Any = merge_in_pairs(seen, merge)
        with threads_for_data(0):  # for tasks in threads of this process
            result: Seen = total.compute(optimize_graph=False)
        return result


def _read(reader: Reader, *arguments: Any) -> Seen:
    """What is seen of a block, with one BLAS thread: another number may round differently."""
    with threads_for_data(0):
        return reader(*arguments)


def _merge(first: Seen, second: Seen) -> Seen:
    return first.merge(second)


def heights_of(values: Any) -> Heights:
    """The heights of the blocks of an array, if they are known."""
    heights = values.chunks[0]
    return None if np.isnan(heights).any() else tuple(int(height) for height in heights)


def whole_rows(values: Any) -> Any:
    """The same array in blocks of all columns."""
    if all(n_blocks == 1 for n_blocks in values.numblocks[1:]):
        return values
    # Other methods need the state of workers.
    return values.rechunk(dict.fromkeys(range(1, values.ndim), -1), method="tasks")


def blocks_of(values: Any) -> list[Any]:
    """The blocks of a collection as delayed objects."""
    blocks = values.to_delayed(optimize_graph=False)
    return list(blocks.ravel()) if isinstance(blocks, np.ndarray) else list(blocks)


def _beside(name: str, values: Any, heights: Heights, n_blocks: int) -> list[Any]:
    """The blocks of what goes beside X, which has blocks of these heights, if they are known."""
    if values is None or (name == "sample_weight" and np.ndim(values) == 0):
        return [values] * n_blocks
    if not is_dask_collection(values):
        return _slices(name, np.asarray(values), heights)
    if isinstance(values, Array):
        values = whole_rows(in_blocks_of(name, values, heights))
    elif not (is_dataframe_like(values) or is_series_like(values)):
        raise TypeError(
            f"{name} must be an array, or a Dask array, series or data frame. Got {type(values)}."
        )
    blocks = blocks_of(values)
    check_blocks(name, len(blocks), n_blocks)
    return blocks


def check_blocks(name: str, n_given: int, n_blocks: int) -> None:
    """Raise a ValueError if there are not as many blocks as of X."""
    if n_given != n_blocks:
        raise ValueError(
            f"{name} has {n_given} blocks, and X has {n_blocks}. Where the lengths of blocks are "
            "not known, both must have the same."
        )


def in_blocks_of(name: str, values: Any, heights: Heights) -> Any:
    """The same in blocks of X's heights, if all are known."""
    if heights is None or not values.ndim or heights_of(values) is None:
        return values
    check_length(name, values, heights)
    return values.rechunk({0: heights}, method="tasks")


def _slices(name: str, values: Any, heights: Heights) -> list[Any]:
    """An array in memory in blocks of X's heights."""
    heights = check_length(name, values, heights)
    stops = np.cumsum(heights)
    return [values[stop - height : stop] for height, stop in zip(heights, stops, strict=True)]


def check_length(name: str, values: Any, heights: Heights) -> tuple[int, ...]:
    """The heights of X's blocks; a ValueError if they are not known, or not those of values."""
    if heights is None:
        raise ValueError(
            f"{name} must be a Dask collection with the blocks of X, because their lengths are not "
            f"known. Got {type(values)}. `X.compute_chunk_sizes()` of a Dask array and "
            "`X.to_dask_array(lengths=True)` of a data frame find them."
        )
    if values.shape[:1] != (sum(heights),):
        raise ValueError(
            f"{name} must have one row for each of X, {sum(heights)}. Got shape {values.shape}."
        )
    return heights
