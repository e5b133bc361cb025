"""A report as Markdown."""

import re
from collections.abc import Mapping, Sequence

from .table import Table

# What has a meaning in Markdown; underscores inside of words have none.
SPECIAL = re.compile(r"[\\`*<>|~$\[\]#]|(?<!\w)_|_(?!\w)")


def escaped(text: str) -> str:
    """The text with nothing in it that Markdown would read as its own."""
    return SPECIAL.sub(lambda found: "\\" + found.group(), text)


def facts_as_markdown(facts: Mapping[str, str]) -> str:
    """A line for each."""
    return "\n".join(f"- {escaped(name)}: {escaped(value)}" for name, value in facts.items())


def table_as_markdown(table: Table) -> str:
    """The rows that are shown, numbers to the right."""
    signs = ["--:" if numeric else ":--" for numeric in table.numeric()]
    head, *body = (
        _row([escaped(cell) for cell in cells]) for cells in [table.headings(), *table.rows()]
    )
    lines = [escaped(table.caption), "", head, _row(signs), *body]
    if len(table.shown) < len(table):
        lines += ["", f"{len(table.shown)} of {len(table)} rows are shown."]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
