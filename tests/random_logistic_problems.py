"""Random problems of logistic regression against the oracle.

    python tests/random_logistic_problems.py [--count 300] [--seed 0]

Each problem is drawn from its own seed, which is printed if it fails. Checked, at tol=1e-10: the
objective is within 1e-9 (relative) of a dual bound, zeros are exact, the gap is certified,
probabilities sum to one and agree with another solver's to 1e-7; and nothing warns.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from logistic_oracle import Logistic
from random_problems import CONTAINERS

from hplasso import HadamardLogisticRegression


def draw(seed):
    """One problem: X as the estimator gets it, labels, parameters, weights, the oracle's view."""
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


def check(seed):
    """Fit one problem and return what is wrong with it, if anything."""
    X, labels, parameters, sample_weight, oracle, words = draw(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = HadamardLogisticRegression(tol=1e-10, **parameters)
        model.fit(X, labels, sample_weight=sample_weight)
    wrong = [str(warning.message) for warning in caught]
    coef, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    single = X.dtype == np.float32
    objective = oracle.objective(coef, intercept)
    peer = oracle.solve()
    bound = max(oracle.lower_bound(coef, intercept), oracle.lower_bound(*peer))
    above = (objective - bound) / objective
    if above > (1e-5 if single else 1e-9):
        wrong.append(f"objective {above:.1e} (relative) above the dual bound")
    null = oracle.objective(np.zeros_like(coef), peer[1] * 0)
    if not 0 <= model.dual_gap_ <= (1e-5 if single else 1e-10 * null):
        wrong.append(f"gap {model.dual_gap_}")
    if objective - oracle.objective(*peer) > model.dual_gap_ + (1e-5 if single else 1e-14):
        wrong.append("the gap does not cover the distance to the oracle's objective")
    expected = np.exp(oracle.log_probabilities(*peer))
    kept = oracle.weights > 0
    probabilities = model.predict_proba(X)
    off = np.abs(probabilities - expected)[kept].max()
    if off > (1e-3 if single else 1e-7):
        wrong.append(f"probabilities off by {off:.1e}")
    if np.abs(probabilities.sum(axis=1) - 1).max() > (1e-6 if single else 1e-15):
        wrong.append("probabilities do not sum to one")
    z = oracle.X.T @ oracle.residual(*peer)
    certain = np.abs(z.T) < 0.99 * oracle.penalties()[0]
    if coef[certain].any():
        wrong.append("coefficients that should be exactly zero are not")
    return [f"seed {seed} ({words}): {line}" for line in wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        lines = check(seed)
        failed += bool(lines)
        print(*lines, sep="\n", end="\n" if lines else "")
    print(f"seeds {arguments.seed} to {arguments.seed + arguments.count - 1}: ", end="")
    print(f"{arguments.count - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
