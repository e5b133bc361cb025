"""Write glmnet_logistic.json: objectives of R's glmnet on data that scikit-learn ships.

    python glmnet_logistic.py        (needs Rscript and the R package glmnet)

For each data set (standardised columns) and alpha, glmnet is run along a decreasing sequence that
ends at the alpha, with thresh=1e-16. Stored are the objective (mean loss plus penalty) and the
number of non-zero coefficients.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SETS = {"breast_cancer": load_breast_cancer, "iris": load_iris, "wine": load_wine}
CASES = [
    (name, alpha, l1_ratio) for name in SETS for alpha in (0.1, 0.01) for l1_ratio in (1.0, 0.5)
]
SCRIPT = """
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 10000)
X <- as.matrix(read.csv("X.csv", header = FALSE)); y <- scan("y.csv", quiet = TRUE)
family <- if (length(unique(y)) > 2) "multinomial" else "binomial"
fit <- glmnet(X, y, family = family, alpha = {l1_ratio}, standardize = FALSE, thresh = 1e-16,
              maxit = 1e9, lambda = {alpha} * 10^seq(1, 0, length.out = 30))
b <- coef(fit, s = {alpha})
b <- if (is.list(b)) sapply(b, as.vector) else as.matrix(b)
write.table(format(b, digits = 17), "coef.csv", sep = ",", row.names = FALSE, col.names = FALSE,
            quote = FALSE)
cat(as.character(packageVersion("glmnet")))
"""


def main() -> None:
    results = []
    for name, alpha, l1_ratio in CASES:
        X, y = SETS[name](return_X_y=True)
        X = StandardScaler().fit_transform(X)
        with tempfile.TemporaryDirectory() as folder:
            np.savetxt(Path(folder) / "X.csv", X, delimiter=",", fmt="%.18g")
            np.savetxt(Path(folder) / "y.csv", y, fmt="%d")
            script = SCRIPT.format(alpha=alpha, l1_ratio=l1_ratio)
            command = ["Rscript", "-e", script]
            run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            coef = np.loadtxt(Path(folder) / "coef.csv", delimiter=",", ndmin=2)
        outputs = coef[0] + X @ coef[1:]
        if outputs.shape[1] == 1:
            outputs = np.hstack([0 * outputs, outputs])
        loss = -log_softmax(outputs, axis=1)[np.arange(len(y)), y].mean()
        theta = coef[1:]
        penalty = l1_ratio * np.abs(theta).sum() + 0.5 * (1 - l1_ratio) * (theta**2).sum()
        results.append(
            {
                "data": name,
                "alpha": alpha,
                "l1_ratio": l1_ratio,
                "objective": loss + alpha * penalty,
                "n_nonzero": int((theta != 0).sum()),
                "glmnet": run.stdout,
            }
        )
    (HERE / "glmnet_logistic.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
