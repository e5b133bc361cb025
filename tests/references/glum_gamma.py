"""Write glum_gamma.json: coefficients of glum for gamma regression with a log link.

    python glum_gamma.py        (needs the Python package glum)

The data are those of scikit-learn's diabetes patients, standardised, with y as it is, and weights.
glum is run with gradient_tol=1e-12. Stored are the intercept and the coefficients.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from glum import GeneralizedLinearRegressor
from sklearn.datasets import load_diabetes

HERE = Path(__file__).parent
CASES = [(alpha, l1_ratio) for alpha in (0.1, 0.01) for l1_ratio in (1.0, 0.5)]


def costs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, y and weights."""
    X, y = load_diabetes(return_X_y=True)
    return X / X.std(axis=0), y, 1.0 + np.arange(len(y)) % 5


def main() -> None:
    X, y, weights = costs()
    results = []
    for alpha, l1_ratio in CASES:
        model = GeneralizedLinearRegressor(
            family="gamma",
            link="log",
            alpha=alpha,
            l1_ratio=l1_ratio,
            gradient_tol=1e-12,
            max_iter=10_000,
        ).fit(X, y, sample_weight=weights)
        case = {"alpha": alpha, "l1_ratio": l1_ratio, "intercept": model.intercept_}
        results.append(case | {"coef": model.coef_.tolist()})
    (HERE / "glum_gamma.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
