"""Draw how the time of a fit grows with the number of its coefficients.

    python support.py [FILE]

Fits from scratch, to a gap of 1e-6, on one generated sparse X of 20,000 samples and 40,000 features
with 20 values a sample: least squares and logistic regression at weaker and weaker penalties, and
multinomial regression of 3 to 200 classes with about 40 coefficients for each of them. The medians
of three repetitions are drawn on logarithmic axes beside a line of slope one; the slopes of
straight lines through them are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from run import clock
from scipy import sparse

from hplasso import HadamardLasso, HadamardLogisticRegression

N, P, STORED = 20_000, 40_000, 20
TOL, REPEATS = 1e-6, 2
# As parts of the penalty at which the first coefficient enters.
LASSO = (0.52, 0.42, 0.34, 0.28, 0.2, 0.13, 0.075, 0.04, 0.02, 0.008)
LOGISTIC = (0.61, 0.5, 0.4, 0.3, 0.2, 0.12, 0.05, 0.02, 0.008, 0.003)
CLASSES = (3, 5, 10, 20, 50, 100, 200)
EACH = 40


def features(rng: np.random.Generator) -> sparse.csc_array:
    """Normal values at random places."""
    arrays = rng.standard_normal(N * STORED), rng.integers(0, P, N * STORED)
    X = sparse.csr_array((*arrays, np.arange(0, N * STORED + 1, STORED)), shape=(N, P))
    X.sum_duplicates()
    return X.tocsc()


def fits() -> Iterator[tuple[str, object, sparse.csc_array, np.ndarray]]:
    """The name of a curve, an estimator, X and y."""
    rng = np.random.default_rng(0)
    X = features(rng)
    signal = X @ (rng.standard_normal(P) * (rng.random(P) < 0.5))
    signal /= signal.std()
    y = signal + 0.5 * rng.standard_normal(N)
    first = np.abs(X.T @ (y - y.mean())).max() / N
    for part in LASSO:
        yield "least squares", HadamardLasso(part * first, tol=TOL), X, y
    codes = (signal + 0.3 * rng.logistic(size=N) > 0.0) * 1
    first = np.abs(X.T @ (codes - codes.mean())).max()
    for part in LOGISTIC:
        yield "logistic", HadamardLogisticRegression(1.0 / (part * first), tol=TOL), X, codes
    for n_classes in CLASSES:
        # each class has features of its own
        theta = sparse.random(P, n_classes, density=0.01, random_state=0, format="csc")
        codes = np.argmax((X @ theta).toarray() + 0.2 * rng.gumbel(size=(N, n_classes)), axis=1)
        one_hot = (codes[:, None] == np.arange(n_classes)) * 1.0
        sizes = np.abs(X.T @ (one_hot - one_hot.mean(axis=0))).ravel()
        penalty = np.partition(sizes, -EACH * n_classes)[-EACH * n_classes]
        yield "multinomial", HadamardLogisticRegression(1.0 / penalty, tol=TOL), X, codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", default="support.png", help="the picture")
    arguments = parser.parse_args()
    curves: dict[str, list[tuple[int, float]]] = {}
    for name, estimator, X, y in fits():
        fit = partial(estimator.fit, X, y)
        _, times, first = clock(fit, REPEATS)
        size, seconds = np.count_nonzero(estimator.coef_), float(np.median([first, *times]))
        curves.setdefault(name, []).append((size, seconds))
        print(f"{name:14} {size:6d} coefficients: {seconds:.3f} s", flush=True)
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for (name, points), marker in zip(curves.items(), "os^", strict=True):
        sizes, seconds = np.array(points).T
        slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        print(f"slope of {name}: {slope:.2f}")
        label = f"{name}, 3 to 200 classes" if name == "multinomial" else name
        ax.loglog(sizes, seconds, marker + "-", label=label)
    ax.loglog([1e2, 2e4], [0.005, 1.0], "k:", label="proportional")
    ax.set_xlabel("coefficients")
    ax.set_ylabel("seconds")
    ax.legend()
    figure.savefig(arguments.file, dpi=120)


if __name__ == "__main__":
    main()
