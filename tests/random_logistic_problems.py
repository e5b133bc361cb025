"""Random problems of logistic regression against the oracle.

    python tests/random_logistic_problems.py [--count 300] [--seed 0] [--outliers]

Each problem is drawn from its own seed, which is printed if it fails. Checked, at tol=1e-10 (1e-6
for float32), in extended precision: the objective is above a dual bound by no more than the gap
reported; without a warning that is the gap asked for, probabilities are those of the minimum to
1e-7, and zeros are exact; probabilities sum to one. Nothing warns, except one fit in a hundred
where columns hold outliers.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from logistic_oracle import Logistic
from random_problems import CONTAINERS, convergence, run, with_outliers

from hplasso import HadamardLogisticRegression


def draw(seed, outliers=False):
    """One problem: X as the estimator gets it, labels, parameters, weights, the oracle's view.

    The penalty is of the size of what has no outliers.
    """
    rng = np.random.default_rng(seed)
    n, p = (int(size) for size in rng.integers([8, 1], [60, 40]))
    n_classes = int(rng.choice([2, 2, 3, 4]))
    X = rng.standard_normal((n, p))
    kind = rng.choice(["iid", "correlated", "duplicates", "binary", "shifted"])
    if kind == "correlated":
        X = np.sqrt(1 - 0.9) * X + np.sqrt(0.9) * rng.standard_normal((n, 1))
    elif kind == "duplicates":
        X = X[:, rng.integers(0, max(1, p // 2), p)]
    elif kind == "binary":
        X = (X > 0.7).astype(float)
    elif kind == "shifted":
        X = X + 10.0 ** rng.integers(0, 3) * rng.standard_normal(p)
    if rng.random() < 0.3:
        X = X * (rng.random((n, p)) < 0.4)
    X = X.astype(rng.choice([np.float64, np.float32], p=[0.8, 0.2]))
    dense = X.astype(np.float64)
    spread = dense.std(axis=0).max()
    truth = np.where(rng.random((p, n_classes)) < 0.3, rng.standard_normal((p, n_classes)), 0.0)
    outputs = 2 * dense @ truth / max(spread, 1e-12) + rng.gumbel(size=(n, n_classes))
    codes = (outputs - outputs.mean(axis=0)).argmax(axis=1)
    codes[:n_classes] = np.arange(n_classes)
    labels = np.array(["ab", "c", "de", "f"])[codes] if rng.random() < 0.3 else 3 * codes - 4
    sample_weight = np.ones(n)
    if rng.random() < 0.4:
        sample_weight = rng.exponential(size=n) * (rng.random(n) < 0.9)
        sample_weight[:n_classes] = 1.0
    class_weight = None
    total = sample_weight
    if rng.random() < 0.3:
        factors = rng.exponential(size=n_classes) + 0.1
        class_weight = dict(zip(np.unique(labels), factors, strict=True))
        total = sample_weight * factors[codes]
    penalty_weights = np.ones(p) if rng.random() < 0.6 else rng.exponential(size=p) + 0.05
    l1_ratio = float(rng.choice([1.0, 1.0, 0.5, 0.1]))
    fit_intercept = bool(rng.random() < 0.8)
    start = np.zeros((1 if n_classes == 2 else n_classes, p))
    null = Logistic(dense, codes, 0.0, 1.0, total, penalty_weights, fit_intercept)
    shares = null.weights @ null.marks
    level = np.log(shares) if n_classes > 2 else np.log(shares[1:] / shares[:1])
    residual = null.residual(start, level * fit_intercept)
    alpha_max = np.abs(dense.T @ residual).max() / l1_ratio
    alpha = float(10 ** rng.uniform(-2, 0.05) * max(alpha_max, 1e-3))
    if outliers:
        X = with_outliers(X, seed)
        dense = X.astype(np.float64)
    oracle = Logistic(dense, codes, alpha, l1_ratio, total, penalty_weights, fit_intercept)
    name = rng.choice(list(CONTAINERS))
    parameters = {
        "C": 1.0 / (alpha * total.sum()),
        "l1_ratio": l1_ratio,
        "fit_intercept": fit_intercept,
        "class_weight": class_weight,
        "penalty_weights": penalty_weights,
    }
    words = f"{kind}, {name}, {X.dtype}, {n} x {p}, {n_classes} classes, l1_ratio {l1_ratio}"
    return CONTAINERS[name](X), labels, parameters, sample_weight, oracle, words


def examine(seed, outliers=False):
    """Fit one problem; return what is wrong with it, if anything, and what was warned of."""
    X, labels, parameters, sample_weight, oracle, words = draw(seed, outliers)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tol = 1e-6 if X.dtype == np.float32 else 1e-10
        model = HadamardLogisticRegression(tol=tol, **parameters)
        model.fit(X, labels, sample_weight=sample_weight)
    warned, wrong = convergence(caught)
    coef, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    single = X.dtype == np.float32
    best, best_intercept, least, bound = oracle.minimum(coef, intercept)
    null = float(oracle.null_objective())
    above = float(oracle.exact_objective(coef, intercept) - bound)
    # where a fit has given up, and the oracle has no tight bound, what it has found must do
    surely = above - float(least - bound) if warned else above
    if surely > model.dual_gap_ + (1e-5 if single else 1e-14) * null:
        known = f"(known to {float(least - bound):.1e})"
        wrong.append(f"{above:.1e} {known} above the minimum, the gap is {model.dual_gap_:.1e}")
    if not warned:
        if not 0 <= model.dual_gap_ <= 1.1 * tol * null:
            wrong.append(f"gap {model.dual_gap_:.1e}, no warning")
        expected = np.exp(oracle.exact_log_probabilities(best, best_intercept))
        off = np.abs(model.predict_proba(X) - expected)[oracle.weights > 0].max()
        if off > (1e-2 if single else 1e-7):
            wrong.append(f"probabilities off by {off:.1e}")
        pull = np.abs(oracle.exact_correlations(best, best_intercept))
        zero = np.abs(coef[pull < 0.99 * oracle.penalties()[0]]).max(initial=0.0)
        if zero > 1e-9 * outliers and not single:
            wrong.append("coefficients that should be exactly zero are not")
    sums = model.predict_proba(X).sum(axis=1)
    if np.abs(sums - 1).max() > (1e-6 if single else 1e-15):
        wrong.append("probabilities do not sum to one")
    return [f"seed {seed} ({words}): {line}" for line in wrong], warned


def check(seed):
    """What is wrong with an ordinary problem, a warning included."""
    lines, warned = examine(seed)
    return lines + ["it has warned"] * warned


if __name__ == "__main__":
    run(examine, 300, __doc__)
