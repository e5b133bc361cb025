"""Write glmnet_migration.json: coefficients of R's glmnet, for the calls of doc/migration.

    python glmnet_migration.py        (needs Rscript and the R package glmnet)

The data are those that scikit-learn ships, in their own units, so that standardize=TRUE and FALSE
differ: the ten measurements of load_diabetes(scaled=False), the thirty of load_breast_cancer and
the four of load_iris. Each case is an expression in R, with X, y, y / 10 rounded down as `counts`,
the weights w = 1, 2, 3, 1, 2, 3, ..., and the folds 1, 2, ..., 10, 1, 2, ...; cross-validation has
the first 440 samples, so that folds have one size. Stored are the intercept and the coefficients
at the penalty, and of cross-validation lambda.min and the mean errors at all penalties as well.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

HERE = Path(__file__).parent
LAMBDAS = np.geomspace(40.0, 0.4, 25)
# Name: data, family, call.
CASES = {
    "standardize": ("diabetes", "glmnet(X, y, lambda = 2 * l)"),
    "as they are": ("diabetes", "glmnet(X, y, lambda = 2 * l, standardize = FALSE)"),
    "penalty.factor": (
        "diabetes",
        "glmnet(X, y, lambda = 2 * l, penalty.factor = c(0, 0, rep(1, 6), 2, 2))",
    ),
    "alpha": ("diabetes", "glmnet(X, y, lambda = 2 * l, alpha = 0.5)"),
    "weights": ("diabetes", "glmnet(X, y, lambda = 2 * l, weights = w)"),
    "lower.limits": ("diabetes", "glmnet(X, y, lambda = 2 * l, lower.limits = 0)"),
    "binomial": ("breast_cancer", "glmnet(X, y, family = 'binomial', lambda = 0.02 * l)"),
    "binomial, weights": (
        "breast_cancer",
        "glmnet(X, y, family = 'binomial', lambda = 0.02 * l, weights = w)",
    ),
    "multinomial": ("iris", "glmnet(X, y, family = 'multinomial', lambda = 0.02 * l)"),
    "poisson": (
        "diabetes",
        "glmnet(X, counts, family = 'poisson', lambda = 0.5 * l, offset = log(w))",
    ),
    "Gamma": ("diabetes", "glmnet(X, y, family = Gamma(link = 'log'), lambda = 0.05 * l)"),
    "cv.glmnet": (
        "diabetes",
        "cv.glmnet(X[1:440, ], y[1:440], lambda = lambdas, foldid = folds[1:440])",
    ),
}
DATA = {"diabetes": load_diabetes, "breast_cancer": load_breast_cancer, "iris": load_iris}
SCRIPT = """
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 10000)
X <- as.matrix(read.csv("X.csv", header = FALSE)); y <- scan("y.csv", quiet = TRUE)
lambdas <- scan("lambdas.csv", quiet = TRUE); counts <- floor(y / 10)
w <- 1 + (seq_along(y) - 1) %% 3; folds <- 1 + (seq_along(y) - 1) %% 10
l <- c(8, 4, 2, 1)  # from stronger penalties to the one that counts
fit <- {call}
s <- if (inherits(fit, "cv.glmnet")) fit$lambda.1se else min(fit$lambda)
coefs <- coef(fit, s = s)
if (is.list(coefs)) coefs <- do.call(cbind, coefs)
write.table(format(as.matrix(coefs), digits = 17), "coef.csv", sep = ",",
            row.names = FALSE, col.names = FALSE, quote = FALSE)
cat(as.character(packageVersion("glmnet")), format(c(s, fit$lambda.min, fit$cvm), digits = 17))
"""


def with_options(call: str) -> str:
    """The call with a threshold that leaves no difference to be seen."""
    return f"{call.removesuffix(')')}, thresh = 1e-20, maxit = 1e9)"


def main() -> None:
    results = {}
    for name, (data, call) in CASES.items():
        options = {"scaled": False} if data == "diabetes" else {}
        X, y = DATA[data](return_X_y=True, **options)
        with tempfile.TemporaryDirectory() as folder:
            for file, values in {"X": X, "y": y, "lambdas": LAMBDAS}.items():
                np.savetxt(Path(folder) / f"{file}.csv", values, delimiter=",", fmt="%.18g")
            command = ["Rscript", "-e", SCRIPT.format(call=with_options(call))]
            run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            coefs = np.loadtxt(Path(folder) / "coef.csv", delimiter=",").T
        version, penalty, *others = run.stdout.split()
        results[name] = {
            "data": data,
            "call": call,
            "lambda": float(penalty),
            "intercept": coefs[..., 0].tolist(),
            "coef": coefs[..., 1:].tolist(),
            "glmnet": version,
        }
        if others:
            smallest, *means = map(float, others)
            results[name] |= {"lambda.min": smallest, "mean": means}
    (HERE / "glmnet_migration.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
