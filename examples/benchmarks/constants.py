"""What a tuning constant of hplasso does to the time of paths and fits.

    python constants.py _path.screening.MIN_ADMITTED 10 20 40 [--tasks lasso_leukemia ...]
                        [--data DIR] [--tol TOL] [--repeats REPEATS] [--blocks ROWS]

Each task is run with the constant at its present value and at the others in turn, round after
round, with one thread; the fastest of the rounds counts. Printed, for each value, are the geometric
mean and the largest of the ratios of these times to those at the present value, the passes over X
and the sweeps. The present value comes a second time: that row shows the noise. A value of 0 or inf
often switches off what the constant belongs to.

Tasks are those of `problems.py`, with DIR as in `run.py`; by default some on small generated data.
With `--blocks` X comes in blocks of so many rows, and the default tasks are tall ones.
A constant is changed in all modules that import it, except where it is the default of a parameter,
or another constant was computed from it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from ast import literal_eval

import numpy as np
from problems import TASKS, Problem, Task, load
from run import clock
from table import print_table
from threadpoolctl import threadpool_limits

from hplasso import Batches, HadamardLasso, HadamardLassoCV, lasso_path, logistic_path
from hplasso._design.design import Design

SMALL = {
    "wide path": Task("generated 100 5000 0.5", "lasso", 0.01, 100),
    "narrow path": Task("generated 500 30 0.0", "lasso", 0.001, 100),
    "tall path": Task("generated 20000 100 0.0", "lasso", 0.001, 100),
    "path, large support": Task("generated 1000 2000 0.9", "lasso", 0.005, 50),
    "wide fit": Task("generated 500 5000 0.5", "fit", 0.01, 1),
    "cross-validation": Task("generated 200 1000 0.5", "cv", 0.01, 50, folds=5),
    "wide logistic path": Task("generated 100 2000 0.5", "logistic", 0.02, 50),
    "tall logistic path": Task("generated 5000 50 0.3", "logistic", 0.02, 50),
    "logistic fit": Task("generated 500 1000 0.5", "logistic", 0.1, 1, False),
}
TALL = {
    "logistic path in blocks": Task("generated 40000 30 0.3", "logistic", 0.01, 100),
    "logistic fit in blocks": Task("generated 200000 30 0.3", "logistic", 0.1, 1),
    "larger logistic path in blocks": Task("generated 10000 200 0.3", "logistic", 0.02, 50),
}


class Blocks:
    """A factory of blocks that counts the passes."""

    def __init__(self, X, y, n_rows: int) -> None:
        self.X, self.y, self.n_rows = X, y, n_rows

    def __call__(self):
        vars(Design)["passes"].total += 1.0
        for start in range(0, len(self.y), self.n_rows):
            yield self.X[start : start + self.n_rows], self.y[start : start + self.n_rows]


def solve(task: Task, problem: Problem, tol: float, n_rows: int | None = None) -> int:
    """Run the task; the sweeps that were made (of a cross-validation: at the chosen alpha)."""
    X, y, alphas = problem.X, problem.y, problem.alphas
    if n_rows is not None:
        X, y = Batches(Blocks(X, y, n_rows)), None
    options = {"tol": tol, "fit_intercept": problem.fit_intercept}
    if task.kind == "fit":
        return HadamardLasso(alphas[0], **options).fit(X, y).n_iter_
    if task.kind == "cv":
        return HadamardLassoCV(alphas=alphas, cv=task.folds, **options).fit(X, y).n_iter_
    if task.kind == "lasso":
        return sum(lasso_path(X, y, alphas=alphas, return_n_iter=True, **options)[-1])
    Cs = 1.0 / (alphas * len(problem.y))
    return sum(logistic_path(X, y, Cs=Cs, return_n_iter=True, **options)[-1])


def set_constant(name: str, old: object, new: object) -> None:
    """Give the constant a new value in each module that has it."""
    for path, module in list(sys.modules.items()):
        if path.startswith("hplasso") and getattr(module, name, None) is old:
            setattr(module, name, new)


class Passes:
    """In the place of `Design.passes`: adds up by how much the passes of all designs grow."""

    total = 0.0

    def __get__(self, design, owner=None):
        return vars(design)["passes"]

    def __set__(self, design, value):
        self.total += value - vars(design).get("passes", value)
        vars(design)["passes"] = value


def measure(name: str, values: list, task: Task, arguments) -> np.ndarray:
    """Seconds, passes and sweeps for each value, of shape (3, n_values)."""
    problem, present = load(task, arguments.data), values[0]
    counts = np.full((3, len(values)), np.inf)
    for _, i in np.ndindex(arguments.repeats, len(values)):
        set_constant(name, present, values[i])
        Design.passes = passes = Passes()
        sweeps, (seconds,), _ = clock(
            lambda: solve(task, problem, arguments.tol, arguments.blocks), 1
        )
        set_constant(name, values[i], present)
        counts[:, i] = min(counts[0, i], seconds), passes.total / 2, sweeps  # with a warm-up
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("constant", help="its module within hplasso, and its name")
    parser.add_argument("values", nargs="+", help="values to try: numbers, inf, True, ...")
    parser.add_argument(
        "--tasks", metavar="TASK", nargs="+", choices=[*SMALL, *TALL, *TASKS], help="by name"
    )
    parser.add_argument("--blocks", type=int, metavar="ROWS", help="give X in blocks")
    parser.add_argument("--data", default="", help="folder with load.py")
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    arguments.tasks = arguments.tasks or list(TALL if arguments.blocks else SMALL)
    warnings.simplefilter("ignore")
    module, name = arguments.constant.rsplit(".", 1)
    present = getattr(importlib.import_module(f"hplasso.{module}"), name)
    tried = [float(text) if text == "inf" else literal_eval(text) for text in arguments.values]
    values = [present, *(value for value in tried if value != present), present]
    with threadpool_limits(1):
        tasks = [(SMALL | TALL | TASKS)[key] for key in arguments.tasks]
        counts = np.array([measure(name, values, task, arguments) for task in tasks])
    ratios = counts[:, 0] / counts[:, 0, :1]
    rows = []
    for i, value in enumerate(values):
        mean, slowest = np.exp(np.log(ratios[:, i]).mean()), ratios[:, i].argmax()
        largest = f"{ratios[slowest, i]:.2f}, {arguments.tasks[slowest]}"
        passes, sweeps = counts[:, 1:, i].sum(axis=0)
        rows.append([str(value), f"{mean:.3f}", largest, f"{passes:.0f}", f"{sweeps:.0f}"])
    header = ["Value", "time", "largest", "passes over X", "sweeps"]
    print_table(f"{arguments.constant}, now {present}", header, rows)


if __name__ == "__main__":
    main()
