"""Least squares and logistic regression on Dask, beside dask-ml: seconds, and what comes out.

    python beside_dask_ml.py [--rows ROWS] [--features FEATURES] [--blocks BLOCKS] [--ratio RATIO]
                             [--repeats REPEATS] [--solvers SOLVER ...]

It needs dask-ml, best in an environment of its own. Of this package a path of 100 penalties, and a
fit with one of them, are measured; of dask-ml fits with that one, by its solvers with an L1
penalty, at their default tolerances. dask-ml penalises the intercept. So there are two excesses,
relative to the minimum: that of the objective whose intercept has no penalty, and that of the
objective that dask-ml minimises. Both minima are computed in memory, at a small tolerance. The
seconds are the smallest of some repetitions, with Dask's threads.
"""

from __future__ import annotations

import argparse
import time
import warnings

import dask.array as da
import numpy as np
from dask_ml.linear_model import LinearRegression, LogisticRegression
from threadpoolctl import threadpool_limits

from hplasso import HadamardLasso, HadamardLogisticRegression, lasso_path, logistic_path

SOLVERS = ("admm", "proximal_grad")


class LeastSquares:
    """1/(2 n) ||y - b - X theta||^2 + alpha ||theta||_1."""

    name, theirs = "least squares", LinearRegression

    def targets(self, linear, rng):
        return linear + rng.standard_normal(linear.size)

    def alpha_max(self, X, y):
        return np.abs(X.T @ (y - y.mean())).max() / len(y)

    def loss(self, linear, y):
        return 0.5 * np.mean((y - linear) ** 2)

    def model(self, alpha, n, **options):
        return HadamardLasso(alpha, **options)

    def path(self, X, y, alphas):
        return lasso_path(X, y, alphas=alphas, fit_intercept=True, return_intercept=True)

    def their_C(self, alpha, n):
        """Their loss is the sum of squares, without 1/2; the weight of their penalty is 1/C."""
        return 1.0 / (2.0 * n * alpha)


class Logistic:
    """1/n sum_i log(1 + exp(-s_i (b + x_i theta))) + alpha ||theta||_1, with signs s_i of y."""

    name, theirs = "logistic", LogisticRegression

    def targets(self, linear, rng):
        return (rng.random(linear.size) < 1.0 / (1.0 + np.exp(-linear))).astype(int)

    def alpha_max(self, X, y):
        return np.abs(X.T @ (y - y.mean())).max() / len(y)

    def loss(self, linear, y):
        return np.mean(np.logaddexp(0.0, linear) - y * linear)

    def model(self, alpha, n, **options):
        return HadamardLogisticRegression(C=1.0 / (n * alpha), **options)

    def path(self, X, y, alphas):
        return logistic_path(X, y, Cs=1.0 / (len(X) * alphas), fit_intercept=True)

    def their_C(self, alpha, n):
        return 1.0 / (n * alpha)


def measured(function, repeats):
    """What a function returns, and the smallest of its times."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return result, min(seconds)


def ours(function, blocks, arrays):
    """A function of data in blocks, or in memory if it does not take them; a word for where."""
    try:
        function(*blocks)
    except TypeError:
        return lambda: function(*arrays), "in memory"
    return lambda: function(*blocks), "Dask"


def minima(problem, X, y, alpha):
    """Those of both objectives."""
    n, tight = len(y), {"tol": 1e-12}
    free = problem.model(alpha, n, **tight).fit(X, y)
    ones = np.hstack([X, np.ones((n, 1))])
    penalised = problem.model(alpha, n, fit_intercept=False, **tight).fit(ones, y)
    return objectives(problem, X, y, alpha, free)[0], objectives(
        problem, X, y, alpha, (penalised.coef_.ravel()[:-1], penalised.coef_.ravel()[-1])
    )[1]


def objectives(problem, X, y, alpha, model):
    """Without and with a penalty on the intercept."""
    coef, intercept = model if isinstance(model, tuple) else (model.coef_, model.intercept_)
    coef, intercept = np.ravel(coef), float(np.ravel(intercept)[0])
    value = problem.loss(X @ coef + intercept, y) + alpha * np.abs(coef).sum()
    return value, value + alpha * abs(intercept)


def compare(problem, arguments):
    """Print what each takes, and how far it is from the minima."""
    rng = np.random.default_rng(0)
    n, p = arguments.rows, arguments.features
    X, theta = rng.standard_normal((n, p)), np.zeros(p)
    theta[: p // 5] = rng.standard_normal(p // 5) / 2.0
    y = problem.targets(X @ theta + 2.0, rng)
    height = -(-n // arguments.blocks)
    blocks = da.from_array(X, chunks=(height, p)), da.from_array(y, chunks=height)
    top = problem.alpha_max(X, y)
    alphas, alpha = top * np.geomspace(1.0, 1e-3, 100), arguments.ratio * top
    lowest = minima(problem, X, y, alpha)

    print(f"{problem.name}, {n:,} x {p}, {arguments.blocks} blocks, alpha {arguments.ratio} of max")
    print(f"{'':34s}{'seconds':>9s}{'excess':>10s}{'theirs':>10s}{'intercept':>11s}{'nonzero':>9s}")
    function, where = ours(lambda X, y: problem.path(X, y, alphas), blocks, (X, y))
    _, path_seconds = measured(function, arguments.repeats)
    print(f"{f'hplasso, 100 penalties, {where}':34s}{path_seconds:9.3f}")

    def report(name, model, seconds):
        found = objectives(problem, X, y, alpha, model)
        excess = [value / low - 1.0 for value, low in zip(found, lowest, strict=True)]
        print(
            f"{name:34s}{seconds:9.3f}{excess[0]:10.1e}{excess[1]:10.1e}"
            f"{float(np.ravel(model.intercept_)[0]):11.4f}{np.count_nonzero(model.coef_):9d}"
        )

    function, where = ours(lambda X, y: problem.model(alpha, n).fit(X, y), blocks, (X, y))
    report(f"hplasso, that penalty, {where}", *measured(function, arguments.repeats))
    for solver in arguments.solvers:
        theirs = problem.theirs(penalty="l1", C=problem.their_C(alpha, n), solver=solver)
        model, seconds = measured(lambda model=theirs: model.fit(*blocks), arguments.repeats)
        report(f"dask-ml, that penalty, {solver}", model, seconds)
        print(f"{'':34s}{seconds / path_seconds:9.0f} times the 100 penalties")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--ratio", type=float, default=0.05)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=SOLVERS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    with threadpool_limits(1):
        for problem in (LeastSquares(), Logistic()):
            compare(problem, arguments)


if __name__ == "__main__":
    main()
