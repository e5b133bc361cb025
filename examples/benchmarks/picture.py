"""Draw the tables of ratios as one picture, for a light and for a dark page.

    python picture.py [TABLE ...] [--output ../../doc/_static/benchmarks]

A row for each task: the time of the fastest other package over that of hplasso, a dot for each gap.
The tables are those that `table.py` has written; by default all that are in ``doc``. They are read
rather than the results, so that the picture is that of the tables beside it.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt

DOC = Path(__file__).parents[2] / "doc"
TABLES = [DOC / "benchmarks" / f"{name}.inc" for name in ("table", "counts", "weak", "small")]
# Rows of a title, with the space above it.
HEADING = 1.4
# Inches of a row of the picture, of its width, and of its margins above and below.
ROW, WIDTH, ABOVE, BELOW = 0.165, 9.0, 0.62, 0.34
LIMITS = (0.07, 140.0)
# Colours of Okabe and Ito, which colour-blind readers can tell apart; a shape for each gap as well.
MARKERS = ("o", "D", "^")
STYLES = {
    "light": {"text": "#222832", "line": "#c2c9d1", "dots": ("#0072b2", "#d55e00", "#009e73")},
    "dark": {"text": "#ced6dd", "line": "#4a5462", "dots": ("#56b4e9", "#e69f00", "#1fbf92")},
}


class Group(NamedTuple):
    """A table: its title, the gaps, and for each task the ratios; those not reached are None."""

    title: str
    gaps: list[str]
    tasks: dict[str, list[float | None]]


def read(file: Path) -> list[Group]:
    """The tables of ratios in a file."""
    groups = []
    for block in file.read_text().split(".. list-table:: ")[1:]:
        title, _, body = block.partition("\n")
        header, *rows = [
            [cell.strip() for cell in re.findall(r"^   [* ] - ?(.*)$", row, re.MULTILINE)]
            for row in re.split(r"^(?=   \* -)", body, flags=re.MULTILINE)[1:]
        ]
        if header[0] == "Task":
            gaps = [name.rpartition("gap ")[2] for name in header if "gap " in name]
            tasks = {row[0]: [ratio(*row[i : i + 2]) for i in starts(gaps)] for row in rows}
            title = title.replace("a single fit from scratch", "single fits")
            groups.append(Group(title, gaps, dict(sorted(tasks.items(), key=height))))
    return groups


def starts(gaps: list[str]) -> range:
    """The columns of the times of hplasso, each of which that of the other package follows."""
    return range(1, 1 + 3 * len(gaps), 3)


def ratio(ours: str, theirs: str) -> float | None:
    """Their time over ours, from the cells; None if one of them did not reach the gap."""
    try:
        return float(theirs.split()[0]) / float(ours)
    except ValueError:
        return None


def height(task: tuple[str, list[float | None]]) -> float:
    """What tasks are sorted by: the ratio at the first gap; those without come last."""
    return -(task[1][0] or 0.0)


def rows_of(groups: list[Group]) -> float:
    """The rows that groups take."""
    return sum(HEADING + len(group.tasks) for group in groups)


def columns_of(groups: list[Group]) -> list[list[Group]]:
    """The groups in two columns, of heights as equal as can be."""
    halves = [(groups[:i], groups[i:]) for i in range(1, len(groups))] or [(groups,)]
    return list(min(halves, key=lambda parts: max(map(rows_of, parts))))


def draw_column(ax, groups: list[Group], n_rows: float, style: dict) -> None:
    """Draw the groups below each other on axes with so many rows."""
    row, place = 0.0, {"transform": ax.get_yaxis_transform(), "va": "center"}
    for group in groups:
        ax.text(-0.66, row, group.title, weight="bold", **place)
        for name, ratios in group.tasks.items():
            row += 1.0
            known = [value for value in ratios if value]
            ax.text(-0.02, row, name, ha="right", **place)
            if not known:
                ax.text(0.42, row, "no other package", **place)
                continue
            ax.plot([min(known), max(known)], [row, row], color=style["line"], zorder=1)
            for value, marker, colour in zip(ratios, MARKERS, style["dots"], strict=False):
                if value:
                    ax.plot(value, row, marker, color=colour, markersize=4.2, zorder=3)
        row += HEADING
    ax.set(xscale="log", xlim=LIMITS, ylim=(n_rows - 0.4, -0.9), yticks=[])
    ax.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.minorticks_off()
    ax.tick_params(top=True, labeltop=True, length=0)
    ax.grid(axis="x", color=style["line"], linewidth=0.5)
    ax.axvline(1.0, color=style["text"], linewidth=1.0, zorder=2)
    ax.spines[:].set_visible(False)
    ax.text(0.8, -2.5, "← other faster", ha="right")
    ax.text(1.25, -2.5, "hplasso faster →")


def draw(columns: list[list[Group]], style: dict) -> plt.Figure:
    """The picture."""
    n_rows = max(rows_of(column) for column in columns)
    tall = ROW * n_rows + ABOVE + BELOW
    figure, axes = plt.subplots(1, len(columns), figsize=(WIDTH, tall), squeeze=False)
    figure.subplots_adjust(
        left=0.2, right=0.99, wspace=0.72, top=1.0 - ABOVE / tall, bottom=BELOW / tall
    )
    for ax, groups in zip(axes[0], columns, strict=True):
        draw_column(ax, groups, n_rows, style)
    gaps = max((group.gaps for column in columns for group in column), key=len)
    for gap, marker, colour in zip(gaps, MARKERS, style["dots"], strict=True):
        axes[0, 0].plot([], [], marker, color=colour, markersize=4.2, label=f"gap {gap}")
    figure.legend(loc="lower center", ncols=len(gaps), frameon=False, borderaxespad=0.0)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="*", type=Path, default=TABLES)
    parser.add_argument("--output", type=Path, default=DOC / "_static" / "benchmarks")
    arguments = parser.parse_args()
    columns = columns_of([group for file in arguments.tables for group in read(file)])
    for name, style in STYLES.items():
        colours = ("text.color", "axes.labelcolor", "xtick.color", "legend.labelcolor")
        settings = dict.fromkeys(colours, style["text"])
        settings |= {"svg.fonttype": "none", "svg.hashsalt": "hplasso", "font.size": 8.0}
        settings |= {"font.family": "sans-serif", "font.sans-serif": ["Arial", "DejaVu Sans"]}
        with mpl.rc_context(settings):
            file = arguments.output.with_name(f"{arguments.output.name}_{name}.svg")
            figure = draw(columns, style)
            figure.savefig(file, transparent=True, metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main()
