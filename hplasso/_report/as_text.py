"""A report as plain text."""

from collections.abc import Mapping

from .table import Table


def facts_as_text(facts: Mapping[str, str]) -> str:
    """A line for each, aligned."""
    width = max(map(len, facts), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def table_as_text(table: Table, name: str) -> str:
    """The rows that are shown, numbers to the right, and how to have the others."""
    lines = [table.headings(), *table.rows()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    signs = [">" if numeric else "<" for numeric in table.numeric()]
    aligned = [
        "  ".join(
            f"{cell:{sign}{width}}" for cell, sign, width in zip(line, signs, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([table.caption, "", *aligned, *left_out(table, name)])


def left_out(table: Table, name: str) -> list[str]:
    """A line on the rows that are not shown, if there are any."""
    n_shown, n_rows = len(table.shown), len(table)
    if n_shown == n_rows:
        return []
    return [f"{n_shown} of {n_rows} rows; to_frame({name!r}) has them all."]
