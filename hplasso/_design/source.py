"""The protocol of a source: rows that come in blocks, X, y and weights together, again and again.

A *pass* is one reading of all blocks. It applies a kernel, a function of one block, to each of
them, and merges what comes back,

    kernel(block_0) + kernel(block_1) + ...        in pairs, in a fixed tree by the blocks' numbers,

so that results do not depend on who works on what, or when. Kernels can be pickled, and what they
return has a method `merge`. No more of the data than a block is in one place at a time, and nothing
that is merged depends on the number of rows.

All passes have to see the same data: each counts the rows, and makes a checksum of what stands in
which row. Both are compared with the pass before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite, check_array

from .._numerics.elsewhere import refuse_not_in_memory
from .._numerics.typing import Float64

# Multiplies the numbers of rows in their hashes: odd, as in Knuth's multiplicative hashing.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Limits of the sum of weights, whose products with squares have to be numbers.
LIGHTEST, HEAVIEST = 1e-150, 1e150


class Mergeable(Protocol):
    """What a kernel makes of a block."""

    def merge(self, other: Self) -> Self:
        """The same of this part of the data and a later one."""


class Block(NamedTuple):
    """Rows of X (n, p), an array or CSR, y (n,) or (n, T), weights (n,), and an offset or None.

    `number` is that of the block, `first` that of its first row among all, None if not known. A
    single target is of one dimension; `flat` says whether it was given so.
    """

    number: int
    first: int | None
    X: Any
    y: Any
    weights: Float64
    offset: Any
    flat: bool = True

    @property
    def keys(self) -> Any:
        """A hash of each row's place, from the number of the block and that of the row within."""
        number = np.uint64(self.number) << np.uint64(32)
        keys = np.arange(self.X.shape[0], dtype=np.uint64) + number
        with np.errstate(over="ignore"):
            keys = (keys ^ (keys >> np.uint64(29))) * GOLDEN
            return (keys ^ (keys >> np.uint64(32))) * GOLDEN


Kernel = Callable[[Block], Any]


class DataChanged(RuntimeError):
    """Two passes over the same source have seen different data."""


class Seen(NamedTuple):
    """What a kernel made of some blocks, their number of rows, a checksum, the type of X."""

    value: Any
    n_rows: int
    checksum: int
    dtype: Any

    def merge(self, other: Seen) -> Seen:
        checksum = (self.checksum + other.checksum) % 2**64
        dtype = np.promote_types(self.dtype, other.dtype)
        return Seen(self.value.merge(other.value), self.n_rows + other.n_rows, checksum, dtype)


@dataclass(frozen=True)
class Reader:
    """Checks the parts of a block, and applies a kernel to them; it goes to where the block is.

    Attributes
    ----------
    n_features : int
    names : tuple of str, or None
        The names of the features that a block with names has to have.
    numeric : bool
        Whether y has to hold numbers.
    """

    kernel: Kernel
    n_features: int
    names: tuple[str, ...] | None
    numeric: bool

    def __call__(
        self,
        number: int,
        first: int | None,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        offset: Any = None,
    ) -> Seen:
        block = self.checked(number, first, X, y, sample_weight, offset)
        return Seen(self.kernel(block), block.X.shape[0], checksum_of(block), block.X.dtype)

    def checked(
        self, number: int, first: int | None, X: Any, y: Any, sample_weight: Any, offset: Any
    ) -> Block:
        """The block, if it is one; errors say which it is.

        Numbers of X are looked at by whoever computes with them (`refuse_not_finite`).
        """
        where = f"block {number}"
        names = getattr(X, "columns", None)
        if self.names is not None and names is not None and tuple(names) != self.names:
            raise ValueError(f"The names of the columns of {where} are not those of the first.")
        given = {"X": X, "y": y, "sample_weight": sample_weight, "offset": offset}
        for name, values in given.items():
            refuse_not_in_memory(f"{name} of {where}", values)
        X = checked_features(X, number)
        if X.shape[1] != self.n_features:
            raise ValueError(
                f"X of {where} has {X.shape[1]} features, but {self.n_features} are expected."
            )
        n = X.shape[0]
        flat, y = np.ndim(y) < 2, _flat(y)
        if self.numeric or y.dtype.kind == "f":
            y = _numbers("y", y, where)
        _check_length("y", y, where, n)
        weights = np.ones(n)
        if sample_weight is not None:
            weights = _weights(sample_weight, where, n)
        if offset is not None:
            offset = _flat(offset)
            _check_length("offset", offset, where, n)
            kept = (weights > 0.0).reshape(-1, *[1] * (offset.ndim - 1))  # else it may be -inf
            offset = _numbers("offset", np.where(kept, offset, 0.0), where)
        return Block(number, first, X, y, weights, offset, flat)


def checked_features(X: Any, number: int) -> Any:
    """X of a block as an array or CSR; errors say which block it is."""
    accepted = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
    try:
        return check_array(
            X, **accepted, ensure_min_samples=0, ensure_all_finite=False, input_name="X"
        )
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        reason = str(error).partition("\n")[0]  # the next lines may hold all the numbers
        raise kind(f"In block {number}: {reason}") from error


def _weights(sample_weight: Any, where: str, n_rows: int) -> Float64:
    """Weights (n_rows,), not negative; one number stands for all."""
    weights = _numbers("sample_weight", _flat(sample_weight), where)
    if not weights.ndim:
        weights = np.full(n_rows, weights)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight of {where} has shape {weights.shape}, expected {(n_rows,)}."
        )
    if (weights < 0.0).any():
        raise ValueError(
            f"Negative values in sample_weight of {where}: {weights.min()} is not allowed."
        )
    with np.errstate(over="ignore"):
        check_weight(float(weights.sum()), f"sample_weight of {where}", 0.0)
    return weights


def check_weight(total: float, name: str = "sample_weight", smallest: float = LIGHTEST) -> None:
    """Raise a ValueError if weights do not sum to what squares can be multiplied by.

    Those of a block may be as small as they like next to those of others.
    """
    if not smallest <= total <= HEAVIEST:
        raise ValueError(
            f"The sum of {name} is {total:.1e}; it has to be in the range [{LIGHTEST:.0e}, "
            f"{HEAVIEST:.0e}], so that weighted squares can be computed. Scale the weights."
        )


def _flat(values: Any) -> Any:
    """An array; one column is that of one dimension."""
    values = np.asarray(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _check_length(name: str, values: Any, where: str, n_rows: int) -> None:
    if values.shape[:1] != (n_rows,):
        length = len(values) if values.ndim else "no"
        raise ValueError(f"{name} of {where} has {length} rows, and X has {n_rows}.")


def _numbers(name: str, values: Any, where: str) -> Float64:
    """Finite numbers as float64."""
    if np.iscomplexobj(values):
        raise ValueError(f"{name} of {where} is complex, which is not supported.")
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} of {where} cannot be taken as numbers: {error}") from error
    if not np.isfinite(values).all():
        raise ValueError(f"{name} of {where} contains NaN or infinity.")
    return np.asarray(values)


def refuse_not_finite(block: Block) -> None:
    """Raise a ValueError if X of a block holds NaN or infinity, which says where."""
    try:
        assert_all_finite(block.X, input_name="X")
    except ValueError as error:
        raise ValueError(f"In block {block.number}: {error}") from None


def checksum_of(block: Block) -> int:
    """Of all rows: what is in each, X beside y, times a number that says where it stands.

    Numbers are odd, so that a product modulo 2^64 loses nothing of its factors.
    """
    numbers = block.keys
    if block.first is not None:  # whatever the blocks that the rows come in
        numbers = np.arange(block.first, block.first + len(numbers), dtype=np.uint64)
    rows = 2 * numbers + 1
    for part in (block.X, block.y, block.weights, block.offset):
        if part is not None:
            rows *= 2 * _bits(part) + 1
    return int(rows.sum(dtype=np.uint64))


def _bits(values: Any) -> Any:
    """The bits of each row of an array, as whole numbers, added up modulo 2^64: (n,)."""
    if sparse.issparse(values):
        words = _words(values.data) + values.indices.astype(np.uint64) * GOLDEN
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words)])
        return np.diff(sums[values.indptr])
    words = _words(values)
    return words.sum(axis=tuple(range(1, words.ndim)), dtype=np.uint64)


def _words(values: Any) -> Any:
    """Bits as whole numbers without sign; of what is not a number, those of its text."""
    if values.dtype.kind in "fiub":
        return values.view(f"u{values.itemsize}")
    text = np.ascontiguousarray(values, dtype=np.str_)
    length = text.dtype.itemsize // 4
    letters = text.reshape(-1).view(np.uint32).reshape(*text.shape, length)
    return letters * np.arange(1, length + 1, dtype=np.uint64)


class Source(ABC):
    """Rows in blocks that can be read again.

    Attributes
    ----------
    n_features : int
    names : tuple of str, or None
        The names of the features.
    example : object
        Something with the features of X, and their names, for scikit-learn to learn them from.
    dtype : type
        That of X in the last pass: float32 if it is that of all blocks, or float64.
    n_rows, n_blocks : int or None
        If they are known before the first pass.
    n_passes : int
        How many there have been.
    """

    n_features: int
    names: tuple[str, ...] | None = None
    example: Any
    dtype: Any = np.float64
    n_rows: int | None = None
    n_blocks: int | None = None
    n_passes = 0
    _last: tuple[int, int] | None = None

    def reduce(self, kernel: Kernel, numeric: bool = True) -> Any:
        """What a kernel makes of all blocks: one pass.

        Raises
        ------
        DataChanged
            If this pass has not seen what the last one saw.
        ValueError
            If there are no blocks, or one is not what it has to be.
        """
        self.n_passes += 1
        seen = self._reduce(Reader(kernel, self.n_features, self.names, numeric))
        this = seen.n_rows, seen.checksum
        if self._last not in (None, this):
            rows, before = seen.n_rows, self._last[0] if self._last else 0
            what = f"{rows} rows in place of {before}" if rows != before else "other numbers"
            raise DataChanged(
                f"The data changed between passes: pass {self.n_passes} read {what}. The source "
                "has to give the same rows each time."
            )
        self._last, self.dtype = this, seen.dtype.type
        return seen.value

    @abstractmethod
    def _reduce(self, reader: Reader) -> Seen:
        """The same, of all parts of what is seen."""


def merge_in_pairs(
    parts: Iterable[Any], merge: Callable[[Any, Any], Any] = lambda one, other: one.merge(other)
) -> Any:
    """Merge as in a tree: neighbours, then neighbouring pairs, and so on; an odd one goes up.

    A stack holds at most one part of each size. None if there are no parts.
    """
    stack: list[tuple[int, Any]] = []
    for part in parts:
        height = 0
        while stack and stack[-1][0] == height:
            part = merge(stack.pop()[1], part)
            height += 1
        stack.append((height, part))
    while len(stack) > 1:
        _, last = stack.pop()
        height, before = stack.pop()
        stack.append((height, merge(before, last)))
    return stack[0][1] if stack else None
