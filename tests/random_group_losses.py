"""Random problems of groups with other losses, and what their solutions are worth, by other code.

    python random_group_losses.py [FIRST [LAST]]

draws one problem for each number and prints what is wrong. Two classes, several, and counts, on the
data, groups and weights of `random_group_problems`. The worth of coefficients is the duality gap in
extended precision, from the definition, with the intercept at its optimum.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import numpy as np
import random_group_problems
from scipy import sparse

from hplasso import HadamardGroupLogisticRegression, HadamardGroupPoissonRegressor

EXTENDED = np.longdouble
STEPS = 60  # of Newton's method for the intercept
UNIT = 1e-13  # a thousand units of rounding of correlations, beside outputs and columns


class LossCase(NamedTuple):
    """A problem: data, targets (n,), groups, their weights, sample weights, penalty, intercept."""

    kind: str
    X: Any
    y: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    sample_weight: np.ndarray
    alpha: float
    fit_intercept: bool
    positive: bool = False
    l1_ratio: float = 0.0


def xlogx(x: np.ndarray) -> np.ndarray:
    """x log x, zero at zero."""
    return x * np.log(np.where(x > 0.0, x, EXTENDED(1.0)))


def drawn(number: int) -> LossCase:
    """The problem of a number."""
    base = random_group_problems.drawn(number)
    rng = np.random.default_rng([7, number])
    kind, n = str(rng.choice(["logistic", "multinomial", "poisson"])), base.X.shape[0]
    K = int(rng.integers(3, 6)) if kind == "multinomial" else 1
    X = base.X.toarray() if sparse.issparse(base.X) else base.X
    Z = (X - X.mean(axis=0)) / (X.std(axis=0) + (X.std(axis=0) == 0.0))
    theta = rng.standard_normal((X.shape[1], K)) / np.sqrt(X.shape[1])
    outputs = Z @ theta * rng.choice([0.5, 1.0, 3.0])
    if kind == "poisson":
        y = rng.poisson(np.exp(np.clip(outputs[:, 0] + rng.choice([-1.0, 0.5, 2.0]), None, 6.0)))
        y[0] += not y.any()
    elif kind == "logistic":
        y = (outputs[:, 0] + rng.logistic(size=n) > 0.0).astype(int)
        y[:2] = 0, 1
    else:
        y = (outputs + rng.gumbel(size=outputs.shape)).argmax(axis=1)
        y[: min(K, n)] = np.arange(min(K, n))
    sample_weight = base.sample_weight + 1e-3 * (np.arange(n) < 5)
    case = LossCase(
        kind, base.X, y, base.groups, base.weights, sample_weight, 1.0, base.fit_intercept
    )
    problem = Problem(case)
    z = problem.correlations(problem.at(np.zeros((X.shape[1], problem.K)))[1])
    norms = random_group_problems.group_norms(z, case.groups)
    on = case.weights > 0.0
    alpha_max = float((norms[on] / case.weights[on]).max())
    positive = kind == "poisson" and bool(on.all()) and rng.random() < 0.4
    alpha = max(alpha_max, 1e-6) * 10.0 ** rng.uniform(-2.0, 0.1)
    l1_ratio = float(rng.choice([0.1, 0.5, 0.95])) if rng.random() < 0.3 else 0.0
    return case._replace(alpha=alpha, positive=positive, l1_ratio=l1_ratio)


class Problem:
    """The loss in extended precision: minus log probabilities, or half the deviance."""

    def __init__(self, case: LossCase) -> None:
        self.case, v = case, case.sample_weight.astype(EXTENDED)
        self.v = v / v.sum()
        X = case.X.toarray() if sparse.issparse(case.X) else case.X
        self.X = X.astype(EXTENDED)
        self.K, self.Y = 1, case.y[:, None].astype(EXTENDED)
        if case.kind == "multinomial":
            self.K = int(case.y.max()) + 1
            self.Y = (case.y[:, None] == np.arange(self.K)).astype(EXTENDED)

    def means(self, outputs: np.ndarray) -> np.ndarray:
        """The means of Y."""
        if self.case.kind == "poisson":
            return np.exp(outputs)
        if self.K == 1:
            return 1.0 / (1.0 + np.exp(-outputs))
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def at(self, theta: np.ndarray, start: Any = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Outputs and means at the best intercepts, which are looked for from a start."""
        linear, b = self.X @ theta.astype(EXTENDED), np.zeros(self.K, dtype=EXTENDED) + start
        if not self.case.fit_intercept:
            return linear, self.means(linear)
        if self.case.kind == "poisson":
            b = np.log((self.v @ self.Y) / (self.v @ np.exp(linear)))
            return linear + b, self.means(linear + b)
        value = self.loss(linear + b)
        for _ in range(STEPS):
            means = self.means(linear + b)
            excess = self.v @ (means - self.Y)
            if self.K == 1:
                step = excess / (self.v @ (means * (1.0 - means)))
            else:
                total = self.v @ means
                curvature = np.diag(total) - (means * self.v[:, None]).T @ means
                step = np.linalg.lstsq(curvature.astype(float), excess.astype(float), rcond=1e-12)[
                    0
                ]
            scale = EXTENDED(1.0)
            while self.loss(linear + b - scale * step) > value and scale > 1e-9:
                scale = scale / 2.0
            if scale <= 1e-9:
                break
            b = b - scale * step
            value = self.loss(linear + b)
        return linear + b, self.means(linear + b)

    def loss(self, outputs: np.ndarray) -> EXTENDED:
        """L at outputs."""
        Y = self.Y
        if self.case.kind == "poisson":
            losses = xlogx(Y) - Y * outputs - Y + np.exp(outputs)
        elif self.K == 1:
            losses = np.logaddexp(EXTENDED(0.0), np.where(Y > 0, -outputs, outputs))
        else:
            top = outputs.max(axis=1, keepdims=True)
            losses = top + np.log(np.exp(outputs - top).sum(axis=1, keepdims=True))
            losses = losses - (Y * outputs).sum(axis=1, keepdims=True)
        return self.v @ losses.sum(axis=1)

    def conjugate(self, means: np.ndarray) -> EXTENDED:
        """L* where the residual is Y - means."""
        if self.case.kind == "poisson":
            terms = xlogx(means) - means + self.Y - xlogx(self.Y)
        else:
            terms = xlogx(means)
            if self.K == 1:
                terms = terms + xlogx(1.0 - means)
        return self.v @ terms.sum(axis=1)

    def correlations(self, means: np.ndarray) -> np.ndarray:
        """z (p, K)."""
        return self.X.T @ (self.v[:, None] * (self.Y - means))


def worth(case: LossCase, model: Any) -> tuple[float, float, float]:
    """The objective, a lower bound of its minimum, and the loss without features.

    Of groups without penalty, correlations have to vanish, to rounding; the bound is lower by what
    is left of them, times twice their coefficients. No loss is negative.
    """
    problem = Problem(case)
    theta = np.atleast_2d(model.coef_).T.astype(EXTENDED)
    outputs, means = problem.at(theta, model.intercept_)
    z, limits = problem.correlations(means), case.alpha * case.weights
    z = np.maximum(z, 0.0) if case.positive else z
    norms = random_group_problems.group_norms(z, case.groups)
    lengths = random_group_problems.group_norms(theta, case.groups)
    objective = problem.loss(outputs) + random_group_problems.penalty_of(case, theta)
    kappa = random_group_problems.shrunk(case, z)
    bound = -problem.conjugate((1.0 - kappa) * problem.Y + kappa * means)
    columns = np.sqrt(problem.v[:, None]) * problem.X
    size = UNIT * (1.0 + (np.abs(problem.X) @ np.abs(theta)).max())
    rounding = size * random_group_problems.group_norms(columns.T, case.groups)
    left = np.maximum(norms - rounding, 0.0)
    bound -= 2.0 * (left * lengths)[limits == 0.0].sum()
    null = problem.loss(problem.at(np.zeros_like(theta))[0])
    return float(objective), max(float(bound), 0.0), float(null)


def fitted(case: LossCase, tol: float, **options: Any) -> Any:
    """The estimator of a problem."""
    options |= {"groups": case.groups, "group_weights": case.weights, "tol": tol}
    options |= {"fit_intercept": case.fit_intercept, "max_iter": 300, "l1_ratio": case.l1_ratio}
    if case.kind == "poisson":
        options["positive"] = case.positive
        model: Any = HadamardGroupPoissonRegressor(case.alpha, **options)
    else:
        C = 1.0 / (case.alpha * case.sample_weight.sum())
        model = HadamardGroupLogisticRegression(C, **options)
    return model.fit(case.X, case.y, sample_weight=case.sample_weight)


def faults(number: int, tol: float = 1e-9) -> tuple[list[str], bool]:
    """What is wrong with the solution of a problem; whether there was a warning."""
    case, found = drawn(number), []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        tight, loose = fitted(case, tol), fitted(case, 1e-3)
    objective, bound, scale = worth(case, tight)
    if not heard and objective - bound > 2.0 * tol * scale + 1e-13 * scale:
        found.append(f"{case.kind}: suboptimal by {(objective - bound) / scale:.1e}")
    other = worth(case, loose)[0]
    for name, model, value in (("tight", tight, objective), ("loose", loose, other)):
        excess = value - min(objective, other)
        if model.dual_gap_ < excess - 1e-12 * scale:  # what rounding may hide
            found.append(f"{name}: gap {model.dual_gap_:.1e} below the excess {excess:.1e}")
    norms = random_group_problems.group_norms(np.atleast_2d(tight.coef_).T, case.groups)
    if ((norms > 0.0) != (tight.mu_ > 0.0)).any():
        found.append("mu_ is not that of coef_")
    return found, bool(heard)


def main() -> None:
    first, last = (int(each) for each in [*sys.argv[1:], 0, 300][:2]) if sys.argv[2:] else (0, 300)
    wrong = warned = 0
    for number in range(first, last):
        found, warning = faults(number)
        wrong, warned = wrong + bool(found), warned + warning
        if found:
            print(number, *found, sep="\n    ")
    print(f"{wrong} of {last - first} are wrong, {warned} end with a warning")


if __name__ == "__main__":
    main()
