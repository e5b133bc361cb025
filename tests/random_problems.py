"""Random problems of every kind against the oracle.

    python tests/random_problems.py [--count 500] [--seed 0] [--outliers | --all]

Each problem is drawn from its own seed, which is printed if it fails. With --outliers columns hold
codes such as 999999999; with --all some do, and there are penalty weights of zero and inf, and
ridge penalties beside the L1 penalty or in its place. Checked, at tol=1e-12 (1e-6 for float32), in
extended precision: the objective is above the minimum by no more than the gap reported; without a
warning that is the gap asked for, coefficients are as far from the best ones as it allows, and the
optimality conditions hold to 1e-8 alpha, with exact zeros. One fit in a hundred may warn of what
rounding leaves, no more than 1e-8 of the null model in ordinary problems.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

sys.path.insert(0, str(Path(__file__).parent))
from oracle import Lasso

from hplasso import HadamardElasticNet, HadamardLasso

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


def with_outliers(X, seed):
    """A copy of X with codes such as 999999999 in a few rows of a tenth of the columns."""
    X, rng = X.copy(), np.random.default_rng([seed, 1])
    columns = rng.random(X.shape[1]) < 0.1
    columns[rng.integers(X.shape[1])] = True
    for column in np.flatnonzero(columns):
        rows = rng.integers(0, len(X), rng.integers(1, 4))
        X[rows, column] = rng.choice([1.0, 1.0, -1.0]) * (10.0 ** rng.integers(6, 13) - 1.0)
    return X


class DrawnIn(NamedTuple):
    """What makes a problem less ordinary; `factors` go on penalty weights."""

    outliers: bool
    factors: np.ndarray
    l1_ratio: float | None = None


def drawn_in(seed, kind, n_features):
    """What is drawn in; of ordinary problems, and of those with outliers alone, nothing else."""
    factors = np.ones(n_features)
    if kind != "all":
        return DrawnIn(kind == "outliers", factors)
    rng = np.random.default_rng([seed, 2])
    for factor in (0.0, np.inf):
        share = rng.choice([0.0, 0.1, 0.3])
        factors[rng.random(n_features) < share] = factor
    return DrawnIn(bool(rng.random() < 0.5), factors, float(rng.choice([1.0, 1.0, 0.5, 0.1, 0.0])))


def weighted(penalty_weights, factors, X):
    """Penalty weights times factors; and, for an oracle, X and them without what is left out."""
    left_out = np.isinf(factors)
    product = np.where(left_out, np.inf, penalty_weights * np.where(left_out, 1.0, factors))
    return product, np.where(left_out, 0.0, X), np.where(left_out, 1.0, product)


def draw(seed, kind="ordinary"):
    """One problem: the data as the estimator gets them, its parameters, and the oracle's view.

    The penalty is of the size of what has no outliers.
    """
    rng = np.random.default_rng(seed)
    n, p = (int(size) for size in rng.integers([2, 1], [60, 80]))
    X = rng.standard_normal((n, p))
    kind_of_X = rng.choice(["iid", "correlated", "low rank", "duplicates", "binary", "shifted"])
    if kind_of_X == "correlated":
        X = np.sqrt(1 - 0.999) * X + np.sqrt(0.999) * rng.standard_normal((n, 1))
    elif kind_of_X == "low rank":
        rank = int(rng.integers(1, min(n, p) + 1))
        X = np.round(64 * X[:, :rank]) / 64  # so that float32 keeps the dependence
        X = X @ rng.integers(-2, 3, (rank, p))
    elif kind_of_X == "duplicates":
        X = X[:, rng.integers(0, max(1, p // 2), p)]
    elif kind_of_X == "binary":
        X = (X > 0.7).astype(float)
    elif kind_of_X == "shifted":
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
    precompute = bool(rng.random() < 0.3)
    outliers, factors, l1_ratio = drawn_in(seed, kind, p)
    if outliers:
        X = with_outliers(X, seed)
    if l1_ratio is not None and l1_ratio < 1.0:
        flags["l1_ratio"] = l1_ratio
        alpha /= l1_ratio or 1.0
    penalty_weights, dense, finite = weighted(penalty_weights, factors, X.astype(np.float64))
    oracle = Lasso(dense, y, alpha, sample_weight, finite, **flags)
    parameters = {"alpha": alpha, "penalty_weights": penalty_weights, "precompute": precompute}
    words = f"{kind_of_X}, {name}, {X.dtype}, {n} x {p}, {flags}" + ", outliers" * outliers
    return CONTAINERS[name](X), parameters | flags, oracle, words


def convergence(caught):
    """Whether a fit has warned that it did not converge, and what else was warned of."""
    of_convergence = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    return bool(of_convergence), [str(w.message) for w in caught if w not in of_convergence]


def examine(seed, kind="ordinary"):
    """Fit one problem; return what is wrong with it, if anything, and whether it has warned."""
    X, parameters, oracle, words = draw(seed, kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tol = 1e-6 if X.dtype == np.float32 else 1e-12
        estimator = HadamardElasticNet if "l1_ratio" in parameters else HadamardLasso
        model = estimator(tol=tol, **parameters)
        model.fit(X, oracle.y, sample_weight=oracle.sample_weight)
    warned, wrong = convergence(caught)
    coef = model.coef_.astype(np.float64)
    intercept = oracle.exact_intercept(coef)
    best, _, least, bound = oracle.minimum(coef, intercept)
    reached = oracle.exact_objective(coef, intercept)
    null = float(oracle.exact_objective(0 * coef, oracle.exact_intercept(0 * coef)))
    if warned and kind == "ordinary" and not model.dual_gap_ <= 1e-8 * null:
        wrong.append(f"gap {model.dual_gap_:.1e}")
    # what rounding the coefficients, in their type, and the residual moves correlations by
    sizes = np.abs(oracle.X - oracle.centre).astype(np.float64)
    shift = abs(float(intercept + coef @ oracle.centre))
    of_rows = sizes @ np.abs(coef) + np.abs(oracle.y) + shift
    unit = float(np.finfo(model.coef_.dtype).eps)
    own = np.abs(oracle.X - oracle.mean) if oracle.fit_intercept else sizes  # it moves as well
    moved = np.maximum(sizes, own).T @ (oracle.weights * of_rows)
    slack = np.finfo(float).eps * float(moved @ np.abs(coef)) + 1e-15 * null
    above = float(reached - least)
    if above > model.dual_gap_ + slack:
        wrong.append(f"{above:.1e} above the minimum, the gap is {model.dual_gap_:.1e}")
    if not warned:
        if least - bound > 1e-13 * null + slack:
            wrong.append(f"the oracle knows the minimum to {float(least - bound):.1e}")
        if float(reached - bound) > 2 * tol * null + slack:
            wrong.append(f"{float(reached - bound):.1e} above the minimum, no warning")
        # other coefficients make up for it, in other rows, by no more than its length
        lengths = np.sqrt(oracle.weights @ sizes**2)
        moved += lengths * np.sqrt(oracle.weights @ of_rows**2)
        violation = oracle.violation(coef, intercept) - 4 * unit * moved
        violation /= np.maximum(lengths, 1.0)
        if violation.max() > 1e-8 * oracle.alpha and tol == 1e-12:
            wrong.append(f"optimality violated by {violation.max() / oracle.alpha:.1e} alpha")
        apart = oracle.distance(coef, best)
        if apart > model.dual_gap_ + slack:
            wrong.append(f"coefficients are {apart:.1e} from the best ones")
    size = np.abs(oracle.y).max() + float((np.abs(oracle.X) @ np.abs(coef)).max())
    if abs(model.intercept_ - intercept) > 16 * unit * size:
        wrong.append(f"intercept {model.intercept_}, best {intercept}")
    if oracle.positive and (coef < 0).any():
        wrong.append("negative coefficients")
    if coef[np.isinf(parameters["penalty_weights"])].any():
        wrong.append("features that are left out have coefficients")
    return [f"seed {seed} ({words}): {line}" for line in wrong], warned


def check(seed):
    """What is wrong with an ordinary problem."""
    return examine(seed)[0]


def run(examine, count, words):
    """Check as many problems as the command line says."""
    parser = argparse.ArgumentParser(description=words.split("\n")[0])
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    kinds = parser.add_mutually_exclusive_group()
    for kind in ("outliers", "all"):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind)
    parser.set_defaults(kind="ordinary")
    arguments = parser.parse_args()
    failed = warned = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        lines, has_warned = examine(seed, arguments.kind)
        failed, warned = failed + bool(lines), warned + has_warned
        print(*lines, sep="\n", end="\n" if lines else "", flush=True)
    print(f"seeds {arguments.seed} to {arguments.seed + arguments.count - 1}: ", end="")
    print(f"{arguments.count - failed} passed, {failed} failed, {warned} warned")
    sys.exit(bool(failed) or warned > arguments.count // 100)


if __name__ == "__main__":
    run(examine, 500, __doc__)
