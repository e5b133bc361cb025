"""Random problems of groups, and what their solutions are worth, by other code.

    python random_group_problems.py [FIRST [LAST]]

draws one problem for each number and prints what is wrong. Groups of 1 to 50 features of mixed
sizes; columns that are equal, inside a group and across groups, constant, or in other units; sample
weights, some of them zero; groups without penalty; dense and sparse X; one target and several;
coefficients that are confined to be non-negative; and L1 penalties beside those of groups.
The worth of coefficients is the duality gap in extended precision, from the definition.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from hplasso import HadamardGroupLasso

EXTENDED = np.longdouble


class GroupCase(NamedTuple):
    """A problem: data, groups, their weights, sample weights, the penalty, the intercept."""

    X: Any
    Y: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    sample_weight: np.ndarray
    alpha: float
    fit_intercept: bool
    positive: bool = False
    l1_ratio: float = 0.0


def drawn(number: int) -> GroupCase:
    """The problem of a number."""
    rng = np.random.default_rng([2024, number])
    n, n_groups = int(rng.integers(5, 80)), int(rng.integers(1, 25))
    sizes = rng.integers(1, rng.choice([2, 6, 51]), n_groups)
    groups = rng.permutation(np.repeat(np.arange(n_groups), sizes))
    p, T = groups.size, int(rng.choice([1, 1, 1, 2, 6]))
    X = rng.standard_normal((n, p))
    if rng.random() < 0.3:
        X = X @ rng.standard_normal((p, p)) / np.sqrt(p)
    if rng.random() < 0.3:
        copies = rng.integers(p, size=(2, max(1, p // 5)))
        X[:, copies[0]] = X[:, copies[1]]
    if rng.random() < 0.3:
        X *= 10.0 ** rng.uniform(-1, 1, p)
    if rng.random() < 0.2:
        X[:, rng.integers(p)] = 3.0
    if rng.random() < 0.4:
        X = X * (rng.random(X.shape) < 0.3)
    if rng.random() < 0.3:
        X = X + rng.standard_normal(p) * 5.0
    theta = rng.standard_normal((p, T)) * (rng.random(n_groups) < 0.4)[groups][:, None]
    Y = X @ theta + rng.standard_normal((n, T)) * rng.choice([0.1, 1.0, 5.0])
    weights = np.sqrt(sizes) * (rng.random(n_groups) < rng.choice([0.8, 1.0, 1.0]))
    if not weights.any():
        weights[0] = 1.0
    sample_weight = np.ones(n)
    if rng.random() < 0.4:
        sample_weight = rng.random(n) * (rng.random(n) < 0.8) + 1e-3 * (np.arange(n) < 4)
    kind = rng.choice(["dense", "csr", "csc"])
    matrix = X if kind == "dense" else sparse.csr_array(X).asformat(kind)
    fit_intercept = bool(rng.random() < 0.7)
    case = GroupCase(matrix, Y, groups, weights, sample_weight, 1.0, fit_intercept)
    Z, R = columns_and_targets(case)
    norms = group_norms(Z.T @ R, groups)
    alpha_max = max(float(a / w) for a, w in zip(norms, weights, strict=True) if w > 0.0)
    positive = T == 1 and bool(weights.all()) and rng.random() < 0.3
    alpha = max(alpha_max, 1e-3) * 10.0 ** rng.uniform(-2.5, 0.1)
    l1_ratio = float(rng.choice([0.1, 0.5, 0.95, 1.0])) if T == 1 and rng.random() < 0.3 else 0.0
    return case._replace(alpha=alpha, positive=positive, l1_ratio=l1_ratio)


def columns_and_targets(case: GroupCase) -> tuple[np.ndarray, np.ndarray]:
    """Z and Y, weighted and centred, in extended precision."""
    X = case.X.toarray() if sparse.issparse(case.X) else case.X
    X, Y = X.astype(EXTENDED), case.Y.astype(EXTENDED)
    v = case.sample_weight.astype(EXTENDED)
    v = v / v.sum()
    if case.fit_intercept:
        X, Y = X - v @ X, Y - v @ Y
    return np.sqrt(v)[:, None] * X, np.sqrt(v)[:, None] * Y


def group_norms(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The norms of groups of rows."""
    return np.array([np.sqrt((values[groups == g] ** 2).sum()) for g in range(groups.max() + 1)])


def penalty_of(case: Any, theta: np.ndarray) -> float:
    """The penalty of coefficients (p, T)."""
    ratio, penalised = case.l1_ratio, (case.weights > 0.0)[case.groups]
    value = (1.0 - ratio) * case.weights @ group_norms(theta, case.groups)
    return case.alpha * (value + ratio * np.abs(theta[penalised]).sum())


def shrunk(case: Any, z: np.ndarray) -> float:
    """The largest number that makes correlations z of penalised groups feasible, at most one."""

    def feasible(kappa: float) -> bool:
        size = kappa * (z if case.positive else np.abs(z)) - case.alpha * case.l1_ratio
        norms = group_norms(np.maximum(size, 0.0), case.groups)
        limits = case.alpha * (1.0 - case.l1_ratio) * case.weights
        return bool((norms <= limits)[case.weights > 0.0].all())

    low, high = EXTENDED(0.0), EXTENDED(1.0)
    if feasible(high):
        return float(high)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if feasible(middle) else (low, middle)
    return low


def worth(case: GroupCase, coef: np.ndarray) -> tuple[float, float, float]:
    """The objective, a lower bound of its minimum, and the scale ||Y||^2, from the definitions.

    The dual point is the residual, orthogonal to the features without penalty and scaled down.
    """
    Z, Y = columns_and_targets(case)
    theta, weights = np.atleast_2d(coef).T.astype(EXTENDED), case.weights
    R = Y - Z @ theta
    objective = float(0.5 * (R**2).sum() + penalty_of(case, theta))
    free = (weights == 0.0)[case.groups]
    dual = R
    if free.any():
        U, s, _ = np.linalg.svd(Z[:, free].astype(float), full_matrices=False)
        U = U[:, s > 1e-10 * max(s.max(), 1e-300)].astype(EXTENDED)
        for _ in range(3):
            dual = dual - U @ (U.T @ dual)
    kappa = shrunk(case, Z.T @ dual)
    value = kappa * (dual * Y).sum() - 0.5 * kappa**2 * (dual**2).sum()
    return objective, float(value), float((Y**2).sum())


def fitted(case: GroupCase, tol: float, **options: Any) -> HadamardGroupLasso:
    """The estimator of a problem."""
    Y = case.Y[:, 0] if case.Y.shape[1] == 1 else case.Y
    model = HadamardGroupLasso(
        case.alpha,
        groups=case.groups,
        group_weights=case.weights,
        fit_intercept=case.fit_intercept,
        positive=case.positive,
        l1_ratio=case.l1_ratio,
        tol=tol,
        **options,
    )
    return model.fit(case.X, Y, sample_weight=case.sample_weight)


def faults(number: int, tol: float = 1e-10) -> tuple[list[str], bool]:
    """What is wrong with the solution of a problem; whether there was a warning."""
    case, found = drawn(number), []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        tight, loose = fitted(case, tol), fitted(case, 1e-3)
    objective, bound, scale = worth(case, tight.coef_)
    if not heard and objective - bound > 2.0 * tol * scale + 1e-13 * scale:
        found.append(f"suboptimal by {(objective - bound) / scale:.1e}")
    other = worth(case, loose.coef_)[0]
    for name, model, value in (("tight", tight, objective), ("loose", loose, other)):
        excess = value - min(objective, other)
        if model.dual_gap_ < excess - 1e-12 * scale:  # what rounding may hide
            found.append(f"{name}: gap {model.dual_gap_:.1e} below the excess {excess:.1e}")
    if case.positive and (tight.coef_ < 0.0).any():
        found.append("negative coefficients")
    norms = group_norms(np.atleast_2d(tight.coef_).T, case.groups)
    if ((norms > 0.0) != (tight.mu_ > 0.0)).any():
        found.append("mu_ is not that of coef_")
    return found, bool(heard)


def main() -> None:
    first, last = [*map(int, sys.argv[1:]), 0, 500][:2] if len(sys.argv) > 2 else (0, 500)
    wrong = warned = 0
    for number in range(first, last):
        found, warning = faults(number)
        wrong, warned = wrong + bool(found), warned + warning
        if found:
            print(number, *found, sep="\n    ")
    print(f"{wrong} of {last - first} are wrong, {warned} end with a warning")


if __name__ == "__main__":
    main()
