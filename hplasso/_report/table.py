"""A table: columns by name, and which of its rows a text shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np


class RowNames(NamedTuple):
    """What the rows are called, and what these names are."""

    heading: str
    names: Sequence[Any]


@dataclass(frozen=True)
class Table:
    """Columns of one length, and positions of the rows that texts show; a frame has them all."""

    caption: str
    columns: Mapping[Any, Sequence[Any]]
    shown: Sequence[int]
    row_names: RowNames | None = None

    def all_columns(self) -> list[tuple[Any, Sequence[Any]]]:
        """Headings and columns, those of the names of rows first; a class may have that heading."""
        named = [] if self.row_names is None else [self.row_names]
        return [*named, *self.columns.items()]

    def headings(self) -> list[str]:
        """Those of all columns."""
        return [str(heading) for heading, _ in self.all_columns()]

    def numeric(self) -> list[bool]:
        """Whether each of all columns holds numbers."""
        columns = self.all_columns()
        return [all(value is None or is_number(value) for value in column) for _, column in columns]

    def rows(self) -> Iterator[list[str]]:
        """The rows that are shown, in words."""
        columns = self.all_columns()
        for position in self.shown:
            yield [words(column[position]) for _, column in columns]

    def __len__(self) -> int:
        """The number of all rows."""
        (length,) = {len(column) for _, column in self.all_columns()}
        return length

    def showing(self, n_rows: int) -> Table:
        """The same table, of which texts show the first rows."""
        return replace(self, shown=range(min(n_rows, len(self))))

    def frame(self) -> Any:
        """The table as a pandas.DataFrame."""
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas") from error
        index = None
        if self.row_names is not None:
            index = pd.Index(self.row_names.names, name=self.row_names.heading)
        return pd.DataFrame({name: list(column) for name, column in self.columns.items()}, index)


def is_number(value: Any) -> bool:
    """Whether a value is a number, and not true or false."""
    return isinstance(value, Real) and not isinstance(value, bool)


def words(value: Any) -> str:
    """A value of a table: four digits of a number; nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.4g}"
    return " ".join(str(value).split())
