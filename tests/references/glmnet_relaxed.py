"""Write glmnet_relaxed.json: what cv.glmnet(relax=TRUE) of R's glmnet says of known data.

    python glmnet_relaxed.py        (needs Rscript and the R package glmnet)

Folds are dealt out in turn: sample i is tested in fold i modulo the number of folds, which divides
the number of samples. Stored are the penalties lambda, largest first; for each gamma, smallest
first, the means over the folds and their standard errors; and lambda and gamma of both rules. The
loss is the mean squared error, or the deviance, which for classes is twice the log loss. For a
gamma of 0 glmnet takes 1e-5, which is what is stored here. It moves probabilities to within 1e-5 of
0 and 1 before it takes their logarithms: in these data there are none beyond.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, make_classification, make_regression

HERE = Path(__file__).parent
GAMMAS = [1e-5, 0.25, 0.5, 0.75, 1.0]
SCRIPT = """
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-14, mxitnr = 10000)
X <- as.matrix(read.csv("X.csv", header = FALSE)); y <- scan("y.csv", quiet = TRUE)
lambda <- scan("lambda.csv", quiet = TRUE); gamma <- scan("gamma.csv", quiet = TRUE)
fit <- cv.glmnet(X, y, family = "{family}", lambda = lambda, standardize = FALSE,
                 foldid = (seq_along(y) - 1) %% {folds} + 1, thresh = 1e-16, maxit = 1e9,
                 relax = TRUE, gamma = gamma)
values <- sapply(fit$relaxed$statlist, function(each) c(each$cvm, each$cvsd))
write.table(format(values, digits = 17), "cv.csv", sep = ",",
            row.names = FALSE, col.names = FALSE, quote = FALSE)
with(fit$relaxed, cat(format(c(lambda.min, gamma.min, lambda.1se, gamma.1se), digits = 17)))
cat("", as.character(packageVersion("glmnet")))
"""


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X[:440], y[:440]


def sparse_truth():
    return make_regression(100, 40, n_informative=4, noise=20.0, random_state=0)


def two_classes():
    return make_classification(
        200, 20, n_informative=3, n_redundant=0, flip_y=0.3, shift=0.5, random_state=0
    )


def three_classes():
    return make_classification(
        240, 8, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.2, random_state=2
    )


def counts():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 12))
    return X, rng.poisson(np.exp(0.5 + 0.6 * X[:, 0] - 0.4 * X[:, 3])).astype(float)


# Name, data, family, largest penalty, smallest over that, number of folds.
CASES = [
    ("diabetes", diabetes, "gaussian", 2.0, 0.002, 10),
    ("sparse_truth", sparse_truth, "gaussian", 60.0, 0.02, 5),
    ("two_classes", two_classes, "binomial", 0.2, 0.05, 10),
    ("three_classes", three_classes, "multinomial", 0.2, 0.05, 5),
    ("counts", counts, "poisson", 0.8, 0.02, 5),
]


def main() -> None:
    results = []
    for name, data, family, largest, eps, folds in CASES:
        X, y = data()
        lambdas = np.geomspace(largest, eps * largest, 25)
        with tempfile.TemporaryDirectory() as folder:
            written = {"X": X, "y": y, "lambda": lambdas, "gamma": GAMMAS}
            for file, values in written.items():
                np.savetxt(Path(folder) / f"{file}.csv", values, delimiter=",", fmt="%.18g")
            command = ["Rscript", "-e", SCRIPT.format(family=family, folds=folds)]
            run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            values = np.loadtxt(Path(folder) / "cv.csv", delimiter=",").T
        *chosen, version = run.stdout.split()
        results.append(
            {
                "data": name,
                "family": family,
                "folds": folds,
                "gamma": GAMMAS,
                "lambda": lambdas.tolist(),
                "mean": values[:, :25].tolist(),
                "error": values[:, 25:].tolist(),
                "min": [float(value) for value in chosen[:2]],
                "1se": [float(value) for value in chosen[2:]],
                "glmnet": version,
            }
        )
    (HERE / "glmnet_relaxed.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
