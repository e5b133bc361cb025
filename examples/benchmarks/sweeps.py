"""What sweeps do in default fits and paths: how many there are, and their share of the time.

    python sweeps.py [--data DIR] [--repeats REPEATS]

For each task: the penalties that were solved and whose solution is not zero (interpolated ones are
not solved), the sweeps that were made, those of them that conjugate gradients made, the faces that
were tried for a limit point, the restricted problems with a solution, and the share of the time
that the sweeps took: the median of some repetitions, with one thread. In the end: whether every
restricted problem with a solution had a sweep.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter

import numpy as np
from problems import LASSO, SPARSE, Problem, Task, load
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_regression
from sklearn.preprocessing import PolynomialFeatures, scale
from table import print_table
from threadpoolctl import threadpool_limits

from hplasso import (
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    enet_path,
    lasso_path,
    logistic_path,
)
from hplasso._path import penalty_step
from hplasso._solver import finish, sweeps_and_finish

REAL = {"lasso": ["leukemia", "riboflavin", "imdb"], "logistic": ["leukemia", "reuters_acq"]}


class Tally(Counter):
    """Numbers of calls, and the seconds of the sweeps."""

    def wrapped(self, name, function, clocked=False):
        """The function, counted; its seconds added up if clocked."""

        def counting(*arguments):
            begin = time.perf_counter()
            result = function(*arguments)
            if clocked:
                self["seconds"] += time.perf_counter() - begin
            self[name] += 1
            return result

        return counting

    def watched(self, solver):
        """A solver of restricted problems; those with a solution are counted."""

        def counting(*arguments, **options):
            solution = solver(*arguments, **options)
            if solution.point.theta.any():
                self["problems"] += 1
                self["without"] += solution.sweeps == 0
            return solution

        return counting

    def settled(self, function):
        """`penalty_step.settled`: a penalty was solved, or was within the tolerance as it was."""

        def counting(problem, memory, alpha, certificate, sweeps):
            self["solved"] += bool(sweeps and memory.iterate.support.size)
            return function(problem, memory, alpha, certificate, sweeps)

        return counting

    def watch(self):
        """Put the wrapped functions in the place of the package's."""
        solve = sweeps_and_finish
        solve.sweep = self.wrapped("factorised", solve.sweep, True)
        solve.descending_sweep = self.wrapped("descending", solve.descending_sweep, True)
        finish.minimiser_on = self.wrapped("faces", finish.minimiser_on)
        solve.SOLVERS["auto"] = self.watched(solve.SOLVERS["auto"])
        penalty_step.settled = self.settled(penalty_step.settled)


def lasso_problem(X, y, eps=0.01):
    """A problem with a path of 100 alphas."""
    y = y - y.mean()
    first = np.abs(X.T @ y).max() / len(y)
    return Problem(X, y, first * np.geomspace(1.0, eps, 100), not sparse.issparse(X))


def tasks_without_downloads():
    """Names and calls."""
    wide = load(Task("generated 100 5000 0.5", "lasso", 0.01, 100), "")
    tall = load(Task("generated 20000 100 0.0", "lasso", 0.001, 100), "")
    X, y = load_diabetes(return_X_y=True)
    cubic = scale(PolynomialFeatures(3, include_bias=False).fit_transform(X))
    diabetes = lasso_problem(cubic, y)
    many = lasso_problem(*make_regression(1000, 1000, n_informative=500, noise=50, random_state=0))
    rng = np.random.default_rng(0)
    words = sparse.random(2000, 8000, density=0.01, format="csc", random_state=0)
    text = lasso_problem(
        words, np.ravel(words[:, :40].sum(axis=1)) + 0.1 * rng.standard_normal(2000)
    )
    thin = sparse.random(20000, 8000, density=2e-4, format="csc", random_state=0)
    very_thin = lasso_problem(thin, thin @ rng.standard_normal(8000), 0.1)
    cells, malignant = load_breast_cancer(return_X_y=True)
    cells = scale(cells)
    digits, number = load_digits(return_X_y=True)
    digits = digits / 16.0
    return {
        "fit, 100 x 5000": lambda: HadamardLasso(wide.alphas[50]).fit(wide.X, wide.y),
        "fit, 20000 x 100": lambda: HadamardLasso(tall.alphas[50]).fit(tall.X, tall.y),
        "path, 100 x 5000": lambda: lasso_path(wide.X, wide.y, alphas=wide.alphas),
        "path, 20000 x 100": lambda: lasso_path(tall.X, tall.y, alphas=tall.alphas),
        "path, diabetes, 285 products": lambda: lasso_path(cubic, diabetes.y, eps=0.01),
        "path, 1000 x 1000, large support": lambda: lasso_path(many.X, many.y, alphas=many.alphas),
        "path, sparse, 2000 x 8000": lambda: lasso_path(words, text.y, alphas=text.alphas),
        "path, very sparse, 20000 x 8000": lambda: lasso_path(
            thin, very_thin.y, alphas=very_thin.alphas
        ),
        "elastic-net path, 100 x 5000": lambda: enet_path(wide.X, wide.y, eps=0.01),
        "LassoCV, diabetes, 285 products": lambda: HadamardLassoCV(eps=0.01).fit(cubic, y),
        "ElasticNetCV, diabetes": lambda: HadamardElasticNetCV(l1_ratio=[0.5, 0.9]).fit(X, y),
        "logistic fit, breast cancer": lambda: HadamardLogisticRegression().fit(cells, malignant),
        "logistic path, breast cancer": lambda: logistic_path(cells, malignant, eps=0.02),
        "multinomial path, digits": lambda: logistic_path(digits, number, Cs=20, eps=0.1),
        "LogisticRegressionCV, breast cancer": lambda: HadamardLogisticRegressionCV().fit(
            cells, malignant
        ),
    }


def tasks_of(folder):
    """Names and calls of real data sets."""

    def call(task, problem):
        if task.kind == "lasso":
            return lambda: lasso_path(problem.X, problem.y, alphas=problem.alphas)
        Cs = 1.0 / (problem.alphas * len(problem.y))
        return lambda: logistic_path(problem.X, problem.y, Cs=Cs)

    tasks = {}
    for data in REAL["lasso"]:
        task = Task(data, "lasso", (LASSO | SPARSE)[data], 100, data not in SPARSE)
        tasks[f"path, {data}"] = call(task, load(task, folder))
    for data in REAL["logistic"]:
        task = Task(data, "logistic", 0.02, 50)
        tasks[f"logistic path, {data}"] = call(task, load(task, folder))
    return tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="", help="folder with load.py")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tally, rows, complete = Tally(), [], True
    tally.watch()
    tasks = tasks_without_downloads() | (tasks_of(arguments.data) if arguments.data else {})
    for name, task in tasks.items():
        shares = []
        with threadpool_limits(1):
            for _ in range(arguments.repeats + 1):  # the first only warms up
                tally.clear()
                begin = time.perf_counter()
                task()
                shares.append(tally["seconds"] / (time.perf_counter() - begin))
        made = tally["factorised"] + tally["descending"]
        counts = tally["solved"], made, tally["descending"], tally["faces"], tally["problems"]
        rows.append([name, *map(str, counts), f"{100 * np.median(shares[1:]):.0f} %"])
        complete &= made >= tally["solved"] and not tally["without"]
    header = ["Task", "solved", "sweeps", "by conjugate gradients", "faces tried"]
    header += ["restricted problems", "time in sweeps"]
    print_table("Sweeps of default fits and paths", header, rows)
    answer = "Yes" if complete else "No"
    print(f"Did every restricted problem with a solution have a sweep? {answer}.")


if __name__ == "__main__":
    main()
