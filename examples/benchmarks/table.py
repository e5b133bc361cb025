"""Write the results of `run.py` as tables in reStructuredText.

    python table.py results.json > ../../doc/benchmarks/table.inc
    python table.py weak.json --gaps 1e-4 1e-6 > ../../doc/benchmarks/weak.inc

For each task: the seconds of hplasso to each gap, those of the fastest other package, and their
ratio; then the versions, and all packages' seconds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from run import GAPS, rivals, written

GROUPS = {
    "lasso": "Lasso paths",
    "fit": "Lasso, a single fit from scratch",
    "logistic_fit": "Logistic regression, a single fit from scratch",
    "logistic": "Logistic regression, paths",
    "no_intercept": "Logistic regression without intercept, paths",
    "multinomial": "Multinomial logistic regression, paths",
    "small_lasso": "Small data: lasso paths",
    "small_fit": "Small data: lasso, a single fit from scratch",
    "small_logistic": "Small data: logistic regression, paths",
    "small_multinomial": "Small data: multinomial logistic regression, paths",
    "weak": "Logistic regression at weak penalties, a single fit from scratch",
    "poisson_fit": "Poisson regression, a single fit from scratch",
    "poisson": "Poisson regression, paths",
    "cv": "Cross-validation",
}


NOTHING = r"\-"  # a bare dash would begin a list


def group_of(task: str) -> str:
    """The group whose name a task's begins with, the longest of them."""
    return max((name for name in GROUPS if task.startswith(f"{name}_")), key=len)


def seconds(value: float | None) -> str:
    """Three digits."""
    return NOTHING if value is None else f"{value:#.3g}".rstrip(".")


def print_table(title: str, header: list[str], rows: list[list[str]], widths: str = "") -> None:
    """A list-table; `widths` are those of the columns in percent, if they are not to be found."""
    print(f".. list-table:: {title}\n   :header-rows: 1\n   :class: wide")
    print(f"   :widths: {widths}\n" if widths else "")
    for row in [header, *rows]:
        for i, cell in enumerate(row):
            print(f"   {'*' if i == 0 else ' '} - {cell}")
    print()


def row_of(task: str, packages: dict, ratios: dict[str, list[float]]) -> list[str]:
    """A line of the table of ratios; the ratios are added to the lists."""
    name = task.removeprefix(f"{group_of(task)}_").replace("_", " ")
    memory = packages["hplasso"]["memory"]
    row = [name]
    for level in ratios:
        ours, other, theirs = rivals(packages, level)
        ratio = NOTHING
        if ours and theirs:
            value = theirs / ours
            ratios[level].append(value)
            digits = f"{value:.0f}" if value >= 99.5 else f"{value:#.2g}".rstrip(".")
            ratio = f"**{digits}**"
        row += [seconds(ours), f"{seconds(theirs)} {other}" if theirs else NOTHING, ratio]
    return [*row, NOTHING if memory is None else f"{memory:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--gaps", nargs="+", type=float, default=GAPS)
    arguments = parser.parse_args()
    everything = json.loads(Path(arguments.file).read_text())
    levels = [f"{gap:g}" for gap in arguments.gaps]  # as in the file
    gaps = [f"gap {written(gap)}" for gap in arguments.gaps]
    ratios: dict[str, list[float]] = {level: [] for level in levels}
    header = ["Task"]
    for gap in gaps:
        header += [f"hplasso, s, {gap}", "fastest other, s", "ratio"]
    header.append("memory, X")
    for group, title in GROUPS.items():
        tasks = {name: line for name, line in everything.items() if group_of(name) == group}
        if tasks:
            print_table(title, header, [row_of(*item, ratios) for item in tasks.items()])
    means = [f"{np.exp(np.mean(np.log(ratios[level]))):.2f}" for level in levels]
    lowest = [f"{min(ratios[level]):.2f}" for level in levels]
    counts = [str(len(ratios[level])) for level in levels]
    rows = [["geometric mean", *means], ["lowest", *lowest], ["tasks", *counts]]
    print_table("Fastest other package's time / hplasso's", ["", *gaps], rows)
    versions = {
        name: seen["version"]
        for packages in everything.values()
        for name, seen in packages.items()
        if seen["version"]
    }
    print("Versions:", ", ".join(f"{name} {versions[name]}" for name in sorted(versions)) + ".")


if __name__ == "__main__":
    main()
