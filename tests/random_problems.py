"""Random problems of every kind against the oracle.

    python tests/random_problems.py [--count 500] [--seed 0]

Each problem is drawn from its own seed, which is printed if it fails. Checked, at tol=1e-12: the
objective is within 1e-10 (relative) of a dual bound from below and of another solver's from above,
the optimality conditions hold to 1e-8 alpha, with exact zeros, and nothing warns.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parent))
from oracle import Lasso

from hplasso import HadamardLasso

CONTAINERS = {
    "dense C": np.ascontiguousarray,
    "dense F": np.asfortranarray,
    "dense strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "csr matrix": sparse.csr_matrix,
    "csc matrix": sparse.csc_matrix,
    "coo matrix": sparse.coo_matrix,
    "csr array": sparse.csr_array,
    "csc array": sparse.csc_array,
    "coo array": sparse.coo_array,
    "csr int64": lambda X: with_long_indices(sparse.csr_matrix(X)),
    "csc int64": lambda X: with_long_indices(sparse.csc_array(X)),
}


def with_long_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def draw(seed):
    """One problem: the data as the estimator gets them, its parameters, and the oracle's view."""
    rng = np.random.default_rng(seed)
    n, p = (int(size) for size in rng.integers([2, 1], [60, 80]))
    X = rng.standard_normal((n, p))
    kind = rng.choice(["iid", "correlated", "low rank", "duplicates", "binary", "shifted"])
    if kind == "correlated":
        X = np.sqrt(1 - 0.999) * X + np.sqrt(0.999) * rng.standard_normal((n, 1))
    elif kind == "low rank":
        rank = int(rng.integers(1, min(n, p) + 1))
        X = np.round(64 * X[:, :rank]) / 64  # so that float32 keeps the dependence
        X = X @ rng.integers(-2, 3, (rank, p))
    elif kind == "duplicates":
        X = X[:, rng.integers(0, max(1, p // 2), p)]
    elif kind == "binary":
        X = (X > 0.7).astype(float)
    elif kind == "shifted":
        X = X + 10.0 ** rng.integers(0, 4) * rng.standard_normal(p)
    if rng.random() < 0.3:
        X = X * (rng.random((n, p)) < 0.4)
    dtype = rng.choice([np.float64, np.float32], p=[0.7, 0.3])
    X = X.astype(dtype)
    name = rng.choice(list(CONTAINERS))
    dense = X.astype(np.float64)
    truth = np.where(rng.random(p) < 0.3, rng.standard_normal(p), 0.0)
    noise = 10.0 ** rng.integers(-3, 2) * rng.standard_normal(n)
    y = dense @ truth + noise + rng.standard_normal()
    sample_weight = np.ones(n)
    if rng.random() < 0.4:
        sample_weight = rng.exponential(size=n) * (rng.random(n) < 0.9)
        sample_weight[rng.integers(n)] = 1.0
    penalty_weights = np.ones(p)
    if rng.random() < 0.4:
        penalty_weights = rng.exponential(size=p) * (rng.random(p) < 0.9)
    flags = {"fit_intercept": bool(rng.random() < 0.8), "positive": bool(rng.random() < 0.3)}
    pull = Lasso(dense, y, 0.0, sample_weight, penalty_weights, **flags).correlations(np.zeros(p))
    alpha = float(10 ** rng.uniform(-3, 0.1) * max(np.abs(pull).max(), 1e-3))
    oracle = Lasso(dense, y, alpha, sample_weight, penalty_weights, **flags)
    precompute = bool(rng.random() < 0.3)
    parameters = {"alpha": alpha, "penalty_weights": penalty_weights, "precompute": precompute}
    return (
        CONTAINERS[name](X),
        parameters | flags,
        oracle,
        f"{kind}, {name}, {X.dtype}, {n} x {p}, {flags}",
    )


def check(seed):
    """Fit one problem and return what is wrong with it, if anything."""
    X, parameters, oracle, words = draw(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = HadamardLasso(tol=1e-12, **parameters)
        model.fit(X, oracle.y, sample_weight=oracle.sample_weight)
    coef = model.coef_.astype(np.float64)
    intercept = oracle.intercept(coef)
    objective = oracle.objective(coef, intercept)
    peer = oracle.fista()
    scale = max(objective, 1e-12 * oracle.objective(np.zeros_like(coef), 0.0))
    # the peer's dual point serves where rounding to float32 has blurred ours
    above = (objective - max(map(oracle.lower_bound, (coef, peer)))) / scale
    below = (objective - oracle.objective(peer, oracle.intercept(peer))) / scale
    # what rounding the coefficients to their type moves the correlations, and costs
    centred = oracle.centred()[0]
    gram = np.abs(centred.T @ (oracle.weights[:, None] * centred))
    unit = float(np.finfo(model.coef_.dtype).eps)
    moved = unit * (gram @ np.abs(coef))
    cost = unit * float(moved @ np.abs(coef)) / scale
    violation = oracle.kkt_violation(coef)
    wrong = [str(warning.message) for warning in caught]
    if above > 1e-10 + cost:
        wrong.append(f"objective {above:.1e} (relative) above the dual bound")
    if below > 1e-10 + cost:
        wrong.append(f"objective {below:.1e} (relative) above the oracle's")
    if violation > 1e-8 * oracle.alpha + moved.max():
        wrong.append(f"optimality violated by {violation / oracle.alpha:.1e} alpha")
    size = np.abs(oracle.y).max() + float((np.abs(oracle.X) @ np.abs(coef)).max())
    if abs(model.intercept_ - intercept) > 16 * unit * size:
        wrong.append(f"intercept {model.intercept_}, best {intercept}")
    if oracle.positive and (coef < 0).any():
        wrong.append("negative coefficients")
    return [f"seed {seed} ({words}): {line}" for line in wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=500)
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
