"""What a lasso path costs beside the passes over X that it could not do without.

    python passes.py [--data DIR] [--repeats REPEATS]

With far more features than samples, a path that looks at all features once for each of its 100
alphas needs 100 products of X' with a residual. Printed is the time of the path as a multiple of
the time of these bare products, both with one thread.
"""

from __future__ import annotations

import argparse

import numpy as np
from peers import lasso_hplasso
from problems import LASSO, SPARSE, Task, load
from run import clock, written
from table import print_table
from threadpoolctl import threadpool_limits

GENERATED = "generated 100 10000 0.5"
REAL = ["leukemia", "riboflavin", "imdb"]
TOLERANCES = (1e-4, 1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="", help="folder with load.py")
    parser.add_argument("--repeats", type=int, default=61)
    arguments = parser.parse_args()
    rows = []
    for data in [GENERATED, *(REAL if arguments.data else [])]:
        task = Task(data, "lasso", (LASSO | SPARSE).get(data, 0.01), 100, data not in SPARSE)
        problem = load(task, arguments.data)
        support = int(np.count_nonzero(lasso_hplasso(problem, min(TOLERANCES)), axis=0).max())

        def products(problem=problem):
            for _ in problem.alphas:
                problem.X.T @ problem.y

        with threadpool_limits(1):
            bare = np.median(clock(products, arguments.repeats)[1])
            row = [data, str(support), f"{1e3 * bare:.2f}"]
            for tol in TOLERANCES:

                def path(problem=problem, tol=tol):
                    return lasso_hplasso(problem, tol)

                seconds = np.median(clock(path, arguments.repeats)[1])
                row += [f"{1e3 * seconds:.2f}", f"{seconds / bare:.2f}"]
        rows.append(row)
    header = ["Data", "largest support", "100 products, ms"]
    for tol in TOLERANCES:
        header += [f"path, ms, tol {written(tol)}", "multiple"]
    print_table("A path beside 100 bare products X'r", header, rows)


if __name__ == "__main__":
    main()
