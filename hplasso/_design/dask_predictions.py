"""Predictions for Dask arrays and data frames, which stay lazy: a method, block by block."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from dask.array import Array, blockwise, from_array
from dask.base import is_dask_collection
from dask.utils import is_dataframe_like, is_series_like

from .dask_source import Heights, check_blocks, check_length, heights_of, in_blocks_of, whole_rows


class Method(Protocol):
    """A method of an estimator."""

    def __call__(self, X: Any, offset: Any) -> Any:
        """Predictions for samples in memory, with an offset or None."""

    def learn_names(self, X: Any) -> None:
        """Expect the names of the features that these samples have."""


def predicted(method: Method, X: Any, offset: Any, columns: Any) -> Any:
    """The predictions for a Dask array, as one; for a data frame as a series or data frame.

    `columns` are names for predictions of so many columns.

    Raises
    ------
    TypeError
        If X or the offset is a Dask collection of another kind.
    ValueError
        If their blocks do not go together, or the method raises one for a sample of zeros.
    """
    if is_dataframe_like(X):
        return _of_frame(method, X, offset, columns)
    if not isinstance(X, Array):
        raise TypeError(f"X must be a Dask array or a Dask data frame. Got {type(X)}.")
    return _of_array(method, X, offset)


class OfBlock:
    """A method for the samples of one block, of which there may be none."""

    def __init__(self, method: Method, example: Any, offset_shape: tuple[int, ...] | None) -> None:
        self._method = method
        offset = None if offset_shape is None else np.zeros((1, *offset_shape[1:]))
        self.none = method(example, offset)[:0]
        method.learn_names(example)

    def __call__(self, X: Any, offset: Any = None) -> Any:
        X, offset = _single(X), _single(offset)
        if offset is not None:
            offset = np.asarray(offset)
        return self._method(X, offset) if X.shape[0] else self.none


def _single(part: Any) -> Any:
    """A block: Dask gives a list of one where it is one of several along an axis that ends."""
    return part[0] if isinstance(part, list) else part


def _of_array(method: Method, X: Any, offset: Any) -> Any:
    if X.ndim != 2 or np.isnan(X.shape[1]):
        raise ValueError(
            f"X must be a Dask array of shape (n_samples, n_features). Got shape {X.shape}."
        )
    arguments = [whole_rows(X), "ij"]
    if offset is not None:
        offset = _as_array(offset, heights_of(X))
        check_blocks("offset", offset.numblocks[0], X.numblocks[0])
        arguments += [offset, "ik"[: offset.ndim]]
    shape = None if offset is None else offset.shape
    of_block = OfBlock(method, np.zeros((1, X.shape[1]), dtype=X.dtype), shape)
    none = of_block.none
    wide = none.ndim == 2
    return blockwise(
        of_block,
        "il" if wide else "i",
        *arguments,
        new_axes={"l": none.shape[1]} if wide else None,
        align_arrays=False,
        dtype=none.dtype,
        meta=none,
    )


def _as_array(offset: Any, heights: Heights) -> Any:
    """An offset as a Dask array in blocks of all columns, of X's heights if they are known."""
    if is_dataframe_like(offset) or is_series_like(offset):
        offset = offset.to_dask_array() if is_dask_collection(offset) else np.asarray(offset)
    if not is_dask_collection(offset):
        offset = np.asarray(offset)
        check_length("offset", offset, heights)
        offset = from_array(offset, chunks=(heights, *offset.shape[1:]))
    if not isinstance(offset, Array):
        raise TypeError(f"offset must be an array, or a Dask array or series. Got {type(offset)}.")
    return whole_rows(in_blocks_of("offset", offset, heights))


def _of_frame(method: Method, X: Any, offset: Any, columns: Any) -> Any:
    import pandas as pd  # Dask's data frames are made of them

    kinds = {  # zero need not be a category
        name: np.float64 if isinstance(kind, pd.CategoricalDtype) else kind
        for name, kind in X.dtypes.items()
    }
    example = pd.DataFrame(0.0, index=[0], columns=X.columns).astype(kinds)
    beside = [] if offset is None else [_as_frame(offset, X.npartitions)]
    of_block = OfBlock(method, example, beside[0].shape if beside else None)
    named = columns if columns is not None and of_block.none.shape[1:] == (len(columns),) else None
    of_partition = OfPartition(of_block, named)
    return X.map_partitions(
        of_partition,
        *beside,
        meta=of_partition(example[:0]),
        align_dataframes=False,
        enforce_metadata=False,
    )


def _as_frame(offset: Any, n_partitions: int) -> Any:
    """An offset as a Dask series or data frame, with so many partitions."""
    from dask.dataframe import from_dask_array

    if isinstance(offset, Array):
        offset = from_dask_array(offset)
    if not (is_dask_collection(offset) and hasattr(offset, "npartitions")):
        raise TypeError(
            "offset must be a Dask series, data frame or array with the partitions of X, because "
            f"their lengths are not known. Got {type(offset)}."
        )
    check_blocks("offset", offset.npartitions, n_partitions)
    return offset


class OfPartition:
    """The same for a partition of a data frame, whose index the predictions get."""

    def __init__(self, of_block: OfBlock, columns: Any) -> None:
        self._of_block, self._columns = of_block, columns

    def __call__(self, X: Any, offset: Any = None) -> Any:
        import pandas as pd

        values = self._of_block(X, offset)
        if values.ndim == 1:
            return pd.Series(values, index=X.index)
        return pd.DataFrame(values, index=X.index, columns=self._columns)
