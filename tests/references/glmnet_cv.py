"""Write glmnet_cv.json: what cv.glmnet of R's glmnet says of data that scikit-learn ships.

    python glmnet_cv.py        (needs Rscript and the R package glmnet)

Folds are dealt out in turn: sample i is tested in fold i modulo the number of folds. Stored are
the penalties lambda, largest first, the means over the folds, their standard errors, and lambda.min
and lambda.1se. The loss is the mean squared error, or the deviance, which is twice the log loss.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
# Name, data, family, largest penalty, number of folds, whether weights are 1, 2, 3, 1, 2, 3, ...
CASES = [
    ("diabetes", load_diabetes, "gaussian", 2.0, 10, False),
    ("diabetes", load_diabetes, "gaussian", 2.0, 7, True),
    ("breast_cancer", load_breast_cancer, "binomial", 0.3, 10, False),
]
SCRIPT = """
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 10000)
X <- as.matrix(read.csv("X.csv", header = FALSE)); y <- scan("y.csv", quiet = TRUE)
lambda <- scan("lambda.csv", quiet = TRUE); w <- scan("w.csv", quiet = TRUE)
fit <- cv.glmnet(X, y, weights = w, family = "{family}", lambda = lambda, standardize = FALSE,
                 foldid = (seq_along(y) - 1) %% {folds} + 1, thresh = 1e-18, maxit = 1e9)
write.table(format(cbind(fit$cvm, fit$cvsd), digits = 17), "cv.csv", sep = ",",
            row.names = FALSE, col.names = FALSE, quote = FALSE)
cat(format(c(fit$lambda.min, fit$lambda.1se), digits = 17), as.character(packageVersion("glmnet")))
"""


def main() -> None:
    results = []
    for name, data, family, largest, folds, weighted in CASES:
        X, y = data(return_X_y=True)
        if family == "binomial":  # folds of one size, so that C and lambda go together
            X, y = StandardScaler().fit_transform(X)[:560], y[:560]
        lambdas = np.geomspace(largest, 0.01 * largest, 25)
        weights = 1 + np.arange(len(y)) % 3 if weighted else np.ones(len(y))
        with tempfile.TemporaryDirectory() as folder:
            for file, values in {"X": X, "y": y, "lambda": lambdas, "w": weights}.items():
                np.savetxt(Path(folder) / f"{file}.csv", values, delimiter=",", fmt="%.18g")
            script = SCRIPT.format(family=family, folds=folds)
            command = ["Rscript", "-e", script]
            run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            means, errors = np.loadtxt(Path(folder) / "cv.csv", delimiter=",").T
        smallest, simplest, version = run.stdout.split()
        results.append(
            {
                "data": name,
                "folds": folds,
                "weighted": weighted,
                "lambda": lambdas.tolist(),
                "mean": means.tolist(),
                "error": errors.tolist(),
                "min": float(smallest),
                "1se": float(simplest),
                "glmnet": version,
            }
        )
    (HERE / "glmnet_cv.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
