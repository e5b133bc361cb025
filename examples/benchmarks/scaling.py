"""Draw how the time of a lasso path grows with the number of samples, and of features.

    python scaling.py [FILE]

Paths of 100 alphas down to a hundredth of the first, on generated data with ten coefficients that
are not zero: 100 features of 2,000 to 500,000 samples, and 200 samples of 2,000 to 500,000
features. The medians of five repetitions are drawn on logarithmic axes beside a line of slope one,
and the slopes of straight lines through them are printed.
"""

from __future__ import annotations

import argparse

import matplotlib.pyplot as plt
import numpy as np
from peers import lasso_hplasso
from problems import Problem
from run import clock

SIZES = np.array([2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000])
SERIES = {
    "samples, 100 features": lambda size: (size, 100),
    "features, 200 samples": lambda size: (200, size),
}
REPEATS = 5
TOL = 1e-6


def problem_of(n_samples: int, n_features: int) -> Problem:
    """Gaussian features, ten of them with coefficient one, and noise of variance one."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n_features, n_samples)).T)
    y = X[:, :10].sum(axis=1) + rng.standard_normal(n_samples)
    y -= y.mean()
    first = np.abs(X.T @ y).max() / n_samples
    return Problem(X, y, first * np.geomspace(1.0, 0.01, 100), False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", default="scaling.png", help="the picture")
    arguments = parser.parse_args()
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    for (label, shape), ax in zip(SERIES.items(), axes, strict=True):
        seconds = []
        for size in SIZES:
            problem = problem_of(*shape(int(size)))
            times = clock(lambda problem=problem: lasso_hplasso(problem, TOL), REPEATS)[1]
            seconds.append(np.median(times))
            print(f"{size:8d} {label}: {seconds[-1]:.4f} s", flush=True)
        half = len(SIZES) // 2
        slope = np.polyfit(np.log(SIZES[half:]), np.log(seconds[half:]), 1)[0]
        print(f"slope from {SIZES[half]} {label} on: {slope:.2f}")
        ax.loglog(SIZES, seconds, "o-", label="100 alphas, gap 1e-6")
        ax.loglog(SIZES, seconds[-1] * SIZES / SIZES[-1], "k:", label="proportional")
        ax.set_xlabel(label)
        ax.legend()
    axes[0].set_ylabel("seconds")
    figure.savefig(arguments.file, dpi=120)


if __name__ == "__main__":
    main()
