"""Evaluations of a function and its gradient: `minimize_l1` beside other methods for any function.

    python smooth.py [--seeds N]

Least squares and logistic regression with an L1 penalty, 300 samples of 1,000 features, neighbours
correlated by .3 and .9, alpha .1 and .01 of the smallest that lets no coefficient in, from zero:

- until the objective is within 1e-6, and 1e-8, of h(0) from its minimum, which HadamardLasso and
  HadamardLogisticRegression compute, at any point that a method evaluates;
- for `minimize_l1` also until the support is the exact one, its finish included (tol 1e-6).

The other methods, written for this comparison, are L-BFGS-B of SciPy on x = u - v with u, v >= 0
(the same 20 steps in memory), orthant-wise L-BFGS (Andrew and Gao 2007) with as many, and
accelerated proximal gradients with restarts (Beck and Teboulle 2009; O'Donoghue and Candes 2015),
which are given the largest curvature. Medians over the seeds, as a table in reStructuredText.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from table import print_table

from hplasso import HadamardLasso, HadamardLogisticRegression, minimize_l1

MEMORY = 20
NEAR = (1e-6, 1e-8)


class Problem:
    """The function, alpha, the minimum; it counts evaluations and stops where it is near enough."""

    def __init__(self, kind: str, rho: float, level: float, seed: int) -> None:
        n, p, rng = 300, 1000, np.random.default_rng(seed)
        self.X = rng.standard_normal((n, p))
        for j in range(1, p):
            self.X[:, j] = rho * self.X[:, j - 1] + np.sqrt(1.0 - rho**2) * self.X[:, j]
        coef = np.where(rng.permutation(p) < 20, rng.standard_normal(p), 0.0)
        outcome = self.X @ coef
        self.squared = kind == "squared"
        if self.squared:
            self.y = outcome + 0.5 * outcome.std() * rng.standard_normal(n)
        else:
            self.y = np.where(rng.random(n) < expit(outcome), 1.0, -1.0)
        self.zero = np.zeros(p)
        value, gradient = self.function(self.zero)
        self.unit, self.alpha = value, level * np.abs(gradient).max()
        parameters = {"tol": 1e-12, "fit_intercept": False}
        if self.squared:
            self.exact = HadamardLasso(self.alpha, **parameters).fit(self.X, self.y).coef_
        else:
            model = HadamardLogisticRegression(C=1.0 / (self.alpha * n), **parameters)
            self.exact = model.fit(self.X, self.y).coef_[0]
        self.least = self.function(self.exact)[0] + self.penalty(self.exact)

    def function(self, x):
        """h and its gradient."""
        n = len(self.y)
        if self.squared:
            residual = self.X @ x - self.y
            return 0.5 * residual @ residual / n, self.X.T @ residual / n
        margins = self.y * (self.X @ x)
        return np.logaddexp(0.0, -margins).mean(), -self.X.T @ (self.y * expit(-margins)) / n

    def penalty(self, x):
        return self.alpha * np.abs(x).sum()

    def evaluations(self, method) -> list[float]:
        """How many it takes a method to come near."""
        counts: dict[float, int] = {}
        made = [0]

        def counted(x):
            made[0] += 1
            value, gradient = self.function(x)
            for near in NEAR:
                if value + self.penalty(x) - self.least <= near * self.unit:
                    counts.setdefault(near, made[0])
            if len(counts) == len(NEAR):
                raise Enough
            return value, gradient

        with suppress(Enough):
            method(self, counted)
        return [counts.get(near, np.nan) for near in NEAR]


class Enough(BaseException):
    """All that is counted has been; not caught on the way as an error of the function."""


def by_factors(problem, function):
    minimize_l1(function, problem.zero, problem.alpha, jac=True)


def by_parts(problem, function):
    p = problem.zero.size

    def smooth(parts):
        value, gradient = function(parts[:p] - parts[p:])
        slope = np.concatenate([gradient, -gradient]) + problem.alpha
        return value + problem.alpha * parts.sum(), slope

    limits = {"maxcor": MEMORY, "maxiter": 10_000, "maxfun": 10_000, "ftol": 0.0, "gtol": 0.0}
    minimize(smooth, np.zeros(2 * p), jac=True, bounds=[(0.0, None)] * (2 * p), options=limits)


def by_orthants(problem, function):
    alpha, x, pairs = problem.alpha, problem.zero, []
    value, gradient = function(x)
    for _ in range(10_000):
        one_sided = np.sign(gradient) * np.maximum(np.abs(gradient) - alpha, 0.0)
        down = -np.where(x != 0.0, gradient + alpha * np.sign(x), one_sided)
        way = two_loops(down, pairs)
        way = np.where(way * down > 0.0, way, 0.0)
        orthant = np.where(x != 0.0, np.sign(x), np.sign(down))
        step = 1.0 if pairs else 1.0 / np.linalg.norm(down)
        for _ in range(40):
            new = x + step * way
            new = np.where(new * orthant > 0.0, new, 0.0)
            new_value, new_gradient = function(new)
            change = new_value - value + problem.penalty(new) - problem.penalty(x)
            if change <= -1e-4 * down @ (new - x):
                break
            step *= 0.5
        if (new - x) @ (new_gradient - gradient) > 0.0:
            pairs = [*pairs, (new - x, new_gradient - gradient)][-MEMORY:]
        x, value, gradient = new, new_value, new_gradient


def two_loops(vector, pairs):
    """The inverse Hessian of L-BFGS times a vector."""
    shares = []
    for s, y in reversed(pairs):
        shares.append(s @ vector / (s @ y))
        vector = vector - shares[-1] * y
    if pairs:
        s, y = pairs[-1]
        vector = vector * (s @ y) / (y @ y)
    for s, y in pairs:
        vector = vector + (shares.pop() - y @ vector / (s @ y)) * s
    return vector


def by_proximal_gradients(problem, function):
    curvature = np.linalg.norm(problem.X, 2) ** 2 / len(problem.y)
    curvature *= 1.0 if problem.squared else 0.25
    x = ahead = problem.zero
    momentum = 1.0
    for _ in range(10_000):
        v = ahead - function(ahead)[1] / curvature
        new = np.sign(v) * np.maximum(np.abs(v) - problem.alpha / curvature, 0.0)
        if (ahead - new) @ (new - x) > 0.0:
            momentum = 1.0
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead, x = new + (momentum - 1.0) / following * (new - x), new
        momentum = following


METHODS = {
    "factors": by_factors,
    "L-BFGS-B on parts": by_parts,
    "orthant-wise": by_orthants,
    "proximal": by_proximal_gradients,
}


def finished(problem) -> float:
    """Evaluations of `minimize_l1` until its support is the exact one; NaN if it is another."""
    res = minimize_l1(problem.function, problem.zero, problem.alpha, jac=True, tol=1e-6)
    return res.nfev if ((res.x != 0.0) == (problem.exact != 0.0)).all() else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    for kind in ("squared", "logistic"):
        for rho in (0.3, 0.9):
            for level in (0.1, 0.01):
                problems = [Problem(kind, rho, level, seed) for seed in range(arguments.seeds)]
                counts = np.median(
                    [[problem.evaluations(m) for m in METHODS.values()] for problem in problems],
                    axis=0,
                )
                ends = np.median([finished(problem) for problem in problems])
                cells = [" / ".join(f"{count:.0f}" for count in pair) for pair in counts]
                rows.append([f"{kind}, {rho}, {level}", *cells, f"{ends:.0f}"])
    header = ["Loss, correlation, alpha", *METHODS, "factors, exact support"]
    print_table("Evaluations until the objective is 1e-6 / 1e-8 from its minimum", header, rows)


if __name__ == "__main__":
    main()
