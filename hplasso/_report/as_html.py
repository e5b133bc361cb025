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
        f'<th scope="col"{side}>{escape(heading)}</th>'
        for heading, side in zip(table.headings(), sides, strict=True)
    ]
    head = f"<thead><tr>{''.join(headings)}</tr></thead>"
    body = f"<tbody>{''.join(_row(row, sides) for row in table.rows())}</tbody>"
    notes = "".join(
        f'<tr><td colspan="{len(sides)}"{LEFT}>{escape(line)}</td></tr>'
        for line in left_out(table, name)
    )
    return _table(table.caption, f"{head}{body}<tfoot>{notes}</tfoot>" if notes else head + body)


def _row(cells: Sequence[str], sides: Sequence[str]) -> str:
    """A row, its first cell the heading."""
    first, *others = (escape(cell) for cell in cells)
    pairs = zip(others, sides[1:], strict=True)
    values = "".join(f"<td{side}>{cell}</td>" for cell, side in pairs)
    return f'<tr><th scope="row"{sides[0]}>{first}</th>{values}</tr>'


def _table(caption: str, inside: str) -> str:
    """A table with its caption, in one line."""
    style = ' style="text-align: left; white-space: nowrap"'
    heading = f"<caption{style}><strong>{escape(caption)}</strong></caption>"
    return f'<table style="margin-bottom: 1em">{heading}{inside}</table>'
