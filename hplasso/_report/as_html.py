"""A report as HTML for notebooks: without colours, so that it takes those of the page."""

from collections.abc import Mapping, Sequence
from html import escape

from .as_text import left_out
from .table import Table

LEFT, RIGHT = ' style="text-align: left"', ' style="text-align: right"'


def facts_as_html(title: str, facts: Mapping[str, str]) -> str:
    """A table with a heading for each row."""
    rows = [
        f'<tr><th scope="row"{LEFT}>{escape(name)}</th><td{LEFT}>{escape(value)}</td></tr>'
        for name, value in facts.items()
    ]
    return _table(title, f"<tbody>{''.join(rows)}</tbody>")


def table_as_html(table: Table, name: str) -> str:
    """The rows that are shown; the first column has the headings of rows."""
    sides = [RIGHT if numeric else LEFT for numeric in table.numeric()]
    headings = [
        f'<th scope="col"{side}>{escape(str(heading))}</th>'
        for heading, side in zip(table.all_columns(), sides, strict=True)
    ]
    head = f"<thead><tr>{''.join(headings)}</tr></thead>"
    body = f"<tbody>{''.join(_row(row, sides) for row in table.rows())}</tbody>"
    return _table(table.caption, head + body) + "".join(
        f"<p>{escape(line)}</p>" for line in left_out(table, name)
    )


def _row(cells: Sequence[str], sides: Sequence[str]) -> str:
    """A row, its first cell the heading."""
    first, *others = (escape(cell) for cell in cells)
    rest = zip(others, sides[1:], strict=True)
    values = "".join(f"<td{side}>{cell}</td>" for cell, side in rest)
    return f'<tr><th scope="row"{sides[0]}>{first}</th>{values}</tr>'


def _table(caption: str, inside: str) -> str:
    return f"<table><caption{LEFT}>{escape(caption)}</caption>{inside}</table>"
