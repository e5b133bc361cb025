"""Random problems of logistic regression against the oracle.

    python tests/random_logistic_problems.py [--count 300] [--seed 0] [--outliers | --all]

Each problem is drawn from its own seed, which is printed if it fails. With --outliers columns hold
codes such as 999999999; with --all some do, and there are penalty weights of zero and inf, ridge
penalties alone, and classes without weight. Checked, at tol=1e-10 (1e-6 for float32), in extended
precision: the objective is above the minimum by no more than the gap reported; without a warning
that is the gap asked for, probabilities are those of the minimum to 1e-7, and zeros are exact;
probabilities sum to one. Nothing warns, except one fit in a hundred of those that are not ordinary.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog

sys.path.insert(0, str(Path(__file__).parent))
from logistic_oracle import Logistic
from random_problems import CONTAINERS, convergence, drawn_in, run, weighted, with_outliers

from hplasso import HadamardLogisticRegression


def without_classes(seed, codes, sample_weight, total):
    """Weights of samples, and those times weights of classes: zero in some classes, or in none."""
    rng, n_classes = np.random.default_rng([seed, 3]), codes.max() + 1
    absent = rng.choice(n_classes, rng.integers(1, n_classes), replace=False)
    kept = ~np.isin(codes, absent) | (rng.random() < 0.6)
    return sample_weight * kept, total * kept


def has_minimum(problem):
    """Whether no combination of the features without penalty separates the classes.

    None does if the sum of the margins, of up to one each and none of them negative, is zero.
    """
    X = problem.X[:, problem.penalty_weights == 0]
    if not X.size:
        return True
    X = np.clip(X - np.median(X, axis=0) * problem.fit_intercept, -1e3, 1e3)
    X = np.hstack([X, np.ones((len(X), int(problem.fit_intercept)))])
    X, codes = X[problem.sample_weight > 0], problem.codes[problem.sample_weight > 0]
    marks, q = np.eye(problem.n_classes), X.shape[1]
    ahead = marks[codes][:, None, :] - marks  # of each sample's own class before each
    rows = np.einsum("ikc,ij->ikcj", ahead, X)[ahead.any(axis=2)].reshape(-1, problem.n_classes * q)
    m = len(rows)
    bounds = [(None, None)] * rows.shape[1] + [(0, 1)] * m
    cost = np.r_[np.zeros(rows.shape[1]), -np.ones(m)]
    found = linprog(cost, np.hstack([-rows, np.eye(m)]), np.zeros(m), bounds=bounds)
    return m == 0 or -found.fun < 1e-6


def draw(seed, kind="ordinary"):
    """One problem: X as the estimator gets it, labels, parameters, weights, the oracle's view.

    The penalty is of the size of what has no outliers.
    """
    rng = np.random.default_rng(seed)
    n, p = (int(size) for size in rng.integers([8, 1], [60, 40]))
    n_classes = int(rng.choice([2, 2, 3, 4]))
    X = rng.standard_normal((n, p))
    kind_of_X = rng.choice(["iid", "correlated", "duplicates", "binary", "shifted"])
    if kind_of_X == "correlated":
        X = np.sqrt(1 - 0.9) * X + np.sqrt(0.9) * rng.standard_normal((n, 1))
    elif kind_of_X == "duplicates":
        X = X[:, rng.integers(0, max(1, p // 2), p)]
    elif kind_of_X == "binary":
        X = (X > 0.7).astype(float)
    elif kind_of_X == "shifted":
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
    outliers, factors, ratio = drawn_in(seed, kind, p)
    l1_ratio = 0.0 if ratio == 0.0 else l1_ratio
    if outliers:
        X = with_outliers(X, seed)
    if kind == "all":
        sample_weight, total = without_classes(seed, codes, sample_weight, total)
    penalty_weights, dense, finite = weighted(penalty_weights, factors, X.astype(np.float64))
    oracle = Logistic(dense, codes, alpha, l1_ratio, total, finite, fit_intercept)
    if not has_minimum(oracle.reduced()):
        free = penalty_weights == 0
        penalty_weights[free] = finite[free] = 1.0
    name = rng.choice(list(CONTAINERS))
    parameters = {
        "C": 1.0 / (alpha * total.sum()),
        "l1_ratio": l1_ratio,
        "fit_intercept": fit_intercept,
        "class_weight": class_weight,
        "penalty_weights": penalty_weights,
    }
    words = f"{kind_of_X}, {name}, {X.dtype}, {n} x {p}, {n_classes} classes, l1_ratio {l1_ratio}"
    words += f", {len(oracle.present)} present" + ", outliers" * outliers
    return CONTAINERS[name](X), labels, parameters, sample_weight, oracle, words


class Found(NamedTuple):
    """What a fit has found, of the classes that take part."""

    coef: np.ndarray
    intercept: np.ndarray
    probabilities: np.ndarray
    gap: float


def examine(seed, kind="ordinary"):
    """Fit one problem; return what is wrong with it, if anything, and whether it has warned."""
    X, labels, parameters, sample_weight, whole, words = draw(seed, kind)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tol = 1e-6 if X.dtype == np.float32 else 1e-10
        model = HadamardLogisticRegression(tol=tol, **parameters)
        model.fit(X, labels, sample_weight=sample_weight)
    warned, wrong = convergence(caught)
    coef, intercept = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    probabilities, oracle, present = model.predict_proba(X), whole.reduced(), whole.present
    if np.abs(probabilities.sum(axis=1) - 1).max() > 4 * np.finfo(probabilities.dtype).eps:
        wrong.append("probabilities do not sum to one")
    if coef[:, np.isinf(parameters["penalty_weights"])].any():
        wrong.append("features that are left out have coefficients")
    if len(present) < whole.n_classes:
        absent = np.setdiff1d(np.arange(whole.n_classes), present)
        if float(probabilities[:, absent].max()) >= 1e-300:
            wrong.append("a class without weight has a probability")
        if coef[absent if len(coef) > 1 else 0].any():
            wrong.append("a class without weight has coefficients")
        probabilities = probabilities[np.isin(whole.codes, present)][:, present]
    if len(present) == 1:
        wrong += ["one class alone, and not a null model"] * (model.dual_gap_ != 0 or warned)
    else:
        rows = slice(None) if len(coef) == 1 else present
        found = Found(coef[rows], intercept[rows], probabilities, model.dual_gap_)
        wrong += judge(oracle, found, tol, warned, exact=kind == "ordinary")
    return [f"seed {seed} ({words}): {line}" for line in wrong], warned


def judge(oracle, found, tol, warned, exact):
    """What is wrong with it; `exact` says that zeros are, beyond what the gap says."""
    coef, intercept, probabilities, gap = found
    wrong, unit = [], float(np.finfo(probabilities.dtype).eps)
    best, best_intercept, least, bound = oracle.minimum(coef, intercept)
    reached, null = oracle.exact_objective(coef, intercept), float(oracle.null_objective())
    # what rounding adds to a gap: correlations are sums of residuals, these are of outputs
    sizes = np.abs(oracle.X - oracle.centre).astype(np.float64)
    level = np.abs(intercept + coef @ oracle.centre).astype(np.float64)
    p = np.exp(oracle.exact_log_probabilities(coef, intercept)).astype(np.float64)
    off = (np.abs(oracle.marks - p) + p * (1 - p))[:, -oracle.n_outputs :]
    of_rows = oracle.weights[:, None] * off * (1 + sizes @ np.abs(coef).T + level)
    slack = np.finfo(float).eps * float(np.sum(sizes.T @ of_rows * np.abs(coef).T)) + 1e-15 * null
    if float(reached - least) > gap + slack:
        wrong.append(f"{float(reached - least):.1e} above the minimum, the gap is {gap:.1e}")
    if warned:
        return wrong
    if least - bound > 1e-13 * null + slack:
        wrong.append(f"the oracle knows the minimum to {float(least - bound):.1e}")
    if not 0 <= gap <= tol * null * (1 + 1e-9) + slack:
        wrong.append(f"gap {gap:.1e}, no warning")
    if float(reached - bound) > tol * null + slack:
        wrong.append(f"{float(reached - bound):.1e} above the minimum, no warning")
    # a mean of Kullback-Leibler divergences is no more than the gap, each no less than Pinsker says
    kept = oracle.weights > 0
    allowed = np.sqrt((gap + slack) / (2 * oracle.weights[kept]))
    if exact and unit < 1e-15:
        allowed = np.minimum(allowed, 1e-7)
    of_outputs = np.abs(oracle.X) @ np.abs(coef).T + np.abs(intercept)
    allowed = allowed + 4 * unit * of_outputs[kept].max(axis=1)
    expected = np.exp(oracle.exact_log_probabilities(best, best_intercept))
    off = np.abs(probabilities - expected)[kept].max(axis=1)
    if (off > allowed).any():
        wrong.append(f"probabilities off by {(off / allowed).max():.1e} of what is allowed")
    room = oracle.penalties()[0] - np.abs(oracle.exact_correlations(best, best_intercept))
    zero = room > 0.01 * oracle.penalties()[0]
    cost = float((room * np.abs(coef))[zero].sum())  # no more than the gap
    if cost > (0.0 if exact and unit < 1e-15 else gap + slack):
        wrong.append(f"coefficients that should be zero cost {cost:.1e}")
    return wrong


def check(seed):
    """What is wrong with an ordinary problem, a warning included."""
    lines, warned = examine(seed)
    return lines + ["it has warned"] * warned


if __name__ == "__main__":
    run(examine, 300, __doc__)
