"""`Batches`: data that are read block by block, from whatever the user has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from .._numerics.elsewhere import refuse_not_in_memory
from .._numerics.threads import threads_for_pass
from .source import DataChanged, Reader, Seen, Source, checked_features

# X, y and perhaps the sample weights of a block.
Part = tuple[Any, ...]


class Batches:
    """Data that do not fit into memory: blocks of rows, which are read as often as is needed.

    It takes the place of `X` in `fit` and in path functions, and brings `y` and the sample weights
    with it. At any time one block is in memory, and what is known of the others, whose size depends
    on the number of features alone.

    Parameters
    ----------
    factory : callable or iterable
        Called without arguments for each pass over the data, it returns an iterator over blocks; or
        something that can be iterated over again and again, such as a list. A block is a tuple
        (X, y) or (X, y, sample_weight): `X` an array, a sparse matrix or a data frame of shape
        (n_rows, n_features), `y` of shape (n_rows,) or (n_rows, n_targets), and `sample_weight` of
        shape (n_rows,). Blocks may be of different sizes, and empty. Each pass has to give the same
        rows.

    Raises
    ------
    TypeError
        If `factory` can be iterated over only once, or not at all.

    Examples
    --------
    A file of numbers that is mapped into memory, in blocks of 200 rows:

    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import Batches, HadamardLasso
    >>> X, y = load_diabetes(return_X_y=True)
    >>> def blocks():
    ...     for start in range(0, len(X), 200):
    ...         yield X[start : start + 200], y[start : start + 200]
    >>> model = HadamardLasso(alpha=0.5).fit(Batches(blocks))
    >>> model.coef_.nonzero()[0]
    array([2, 3, 6, 8])
    >>> model.n_passes_
    1
    """

    def __init__(self, factory: Callable[[], Iterable[Part]] | Iterable[Part]) -> None:
        if isinstance(factory, Iterator):
            raise TypeError(
                f"factory must be a callable that returns an iterator, or a collection. Got "
                f"{factory!r}, which can be read only once."
            )
        if not callable(factory) and not isinstance(factory, Iterable):
            raise TypeError(
                f"factory must be a callable that returns an iterator over blocks (X, y), or a "
                f"collection of them. Got {factory!r}."
            )
        self.factory = factory

    def __iter__(self) -> Iterator[Part]:
        blocks = self.factory() if callable(self.factory) else self.factory
        if not isinstance(blocks, Iterable):
            raise TypeError(f"factory must return an iterator over blocks (X, y). Got {blocks!r}.")
        return iter(blocks)

    def __repr__(self) -> str:
        return f"Batches({self.factory!r})"


class BatchSource(Source):
    """The source of batches: blocks are read one after the other, here."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        blocks = iter(batches)
        first = next(blocks, None)
        if first is None:
            raise ValueError("Batches gave no blocks.")
        self._begun: Iterator[Part] | None = chain([first], blocks)  # nothing is read twice
        given = _parts_of(0, first)[0]
        refuse_not_in_memory("X of block 0", given)
        X = checked_features(given, 0)
        self.n_features = X.shape[1]
        columns = getattr(given, "columns", None)
        self.names = None if columns is None else tuple(columns)
        self.example = X[:0] if columns is None else given[:0]

    def _reduce(self, reader: Reader) -> Seen:
        blocks, self._begun = self._begun or iter(self._batches), None
        seen: Seen | None = None
        with threads_for_pass():  # of what is seen no more than three parts are held at a time
            for number, part in enumerate(blocks):
                first = 0 if seen is None else seen.n_rows
                now = reader(number, first, *_parts_of(number, part))
                seen = now if seen is None else seen.merge(now)
                del now
        if seen is None:
            raise DataChanged("The data changed between passes: there are no blocks any more.")
        return seen


def _parts_of(number: int, part: Any) -> Part:
    """X, y and perhaps sample weights."""
    if not isinstance(part, tuple) or not 2 <= len(part) <= 3:
        length = f" of length {len(part)}" if isinstance(part, tuple) else ""
        raise TypeError(
            f"Block {number} must be a tuple (X, y) or (X, y, sample_weight). Got "
            f"{type(part).__name__}{length}."
        )
    return part
