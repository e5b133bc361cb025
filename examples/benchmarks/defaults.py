"""How far from the exact solution the packages stop that are left at their default tolerance.

    python defaults.py [--data DIR]

A lasso fit from scratch at a tenth and a hundredth of the alpha where the first coefficient enters,
by each installed package at its default tolerance (with as many iterations as it takes). The exact
solution is that of hplasso at tol=1e-14; this script computes its duality gap itself and prints it.
Printed is the mean absolute difference of the coefficients, relative to the mean absolute
coefficient of the exact solution.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from peers import PEERS, installed, run_glmnet
from problems import LASSO, SPARSE, Task, load, worst_gap

# Too large to be fitted by every package in a minute.
LARGE = ("mice_snp", "news20_binary_like")
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
    print(f"{'':36s}{'exact: gap':>12s}" + "".join(f"{name:>14s}" for name in packages))
    for data in [*LASSO, *SPARSE]:
        if data in LARGE or not (arguments.data or data.startswith("generated")):
            continue
        for level in (0.1, 0.01):
            task = Task(data, "fit", level, 1, data not in SPARSE)
            problem = load(task, arguments.data)
            exact = fit("hplasso", problem, EXACT)
            size = np.abs(exact).mean()
            row = f"{data:30s}{level:6g}{worst_gap(task, problem, exact):12.1e}"
            for name in packages:
                theta = fit(name, problem, PEERS[name].default)
                row += f"{np.abs(theta - exact).mean() / size:14.1e}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
