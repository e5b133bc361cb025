"""How far from the exact solution the packages stop that are left at their default tolerance.

    python defaults.py [--data DIR] > ../../doc/benchmarks/defaults.inc

A lasso fit from scratch at a tenth and a hundredth of the alpha where the first coefficient enters,
by each installed package at its default tolerance (with as many iterations as it takes). The exact
solution is that of hplasso at tol=1e-14; this script computes its duality gap itself and prints it.
Printed is the mean absolute difference of the coefficients, relative to the mean absolute
coefficient of the exact solution.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np
from peers import PEERS, installed, run_glmnet
from problems import LASSO, SPARSE, Task, load, worst_gap
from run import written
from table import print_table

# Too large to be fitted by every package in a minute.
LARGE = (
    "mice_snp",
    "news20_binary_like",
    "fremtpl2",
    "cadata cubic",
    "generated 1000 20000 0.9",
    "generated 200000 200 0.0",
)
EXACT = 1e-14


def fit(name: str, problem, tol: float) -> np.ndarray:
    """Coefficients (p, 1) of a fit by a package."""
    if PEERS[name].module == "R":
        return run_glmnet(problem, "gaussian", tol, 1)[0]
    return np.asarray(PEERS[name].fit(problem, tol))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="", help="folder with load.py")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # what does not converge shows in the table
    packages = [name for name in PEERS if PEERS[name].fit is not None and installed(name)]
    rows = []
    for data in [*LASSO, *SPARSE]:
        if data in LARGE or not (arguments.data or data.startswith("generated")):
            continue
        for level in (0.1, 0.01):
            task = Task(data, "fit", level, 1, data not in SPARSE)
            problem = load(task, arguments.data)
            exact = fit("hplasso", problem, EXACT)
            size = np.abs(exact).mean()
            row = [f"{data}, {level:g}", written(worst_gap(task, problem, exact), 1)]
            for name in packages:
                theta = fit(name, problem, PEERS[name].default)
                row.append(written(np.abs(theta - exact).mean() / size, 1))
            print(*row, file=sys.stderr)
            rows.append(row)
    title = "Distance from the exact solution at default tolerance"
    print_table(title, ["Data, penalty", "gap of the exact", *packages], rows)


if __name__ == "__main__":
    main()
