"""Write glmnet_poisson.json: coefficients of R's glmnet for Poisson regression with an offset.

    python glmnet_poisson.py        (needs Rscript and the R package glmnet)

The data are those of scikit-learn's diabetes patients, standardised, with y rounded down to tens of
units; `offset_of` makes an offset. For each alpha, glmnet is run along a decreasing sequence that
ends at the alpha, with thresh=1e-16. Stored are the intercept and the coefficients.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

HERE = Path(__file__).parent
CASES = [(alpha, l1_ratio) for alpha in (1.0, 0.1) for l1_ratio in (1.0, 0.5)]
SCRIPT = """
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 10000)
X <- as.matrix(read.csv("X.csv", header = FALSE)); y <- scan("y.csv", quiet = TRUE)
offset <- scan("offset.csv", quiet = TRUE)
fit <- glmnet(X, y, family = "poisson", offset = offset, alpha = {l1_ratio}, standardize = FALSE,
              thresh = 1e-16, maxit = 1e9, lambda = {alpha} * 10^seq(1, 0, length.out = 30))
b <- as.matrix(coef(fit, s = {alpha}))
write.table(format(b, digits = 17), "coef.csv", sep = ",", row.names = FALSE, col.names = FALSE,
            quote = FALSE)
"""


def counts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, y and the offset."""
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    return X, np.floor(y / 10.0), np.log1p(np.arange(len(y)) % 5)


def main() -> None:
    X, y, offset = counts()
    results = []
    for alpha, l1_ratio in CASES:
        with tempfile.TemporaryDirectory() as folder:
            for name, values in (("X", X), ("y", y), ("offset", offset)):
                np.savetxt(Path(folder) / f"{name}.csv", values, delimiter=",", fmt="%.18g")
            script = SCRIPT.format(alpha=alpha, l1_ratio=l1_ratio)
            subprocess.run(["Rscript", "-e", script], cwd=folder, check=True)
            coef = np.loadtxt(Path(folder) / "coef.csv", delimiter=",")
        case = {"alpha": alpha, "l1_ratio": l1_ratio, "intercept": coef[0]}
        results.append(case | {"coef": coef[1:].tolist()})
    (HERE / "glmnet_poisson.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
