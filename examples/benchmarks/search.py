"""PathSearchCV beside GridSearchCV over scikit-learn's estimators: seconds, and what they choose.

    python search.py [--repeats REPEATS]

Two searches with five folds: that of the quick start, 30 alphas of the lasso on 285 products of
the diabetes data, scaled, at two tolerances; and 20 candidates of a text pipeline, ten values of C
with two settings of the features, on generated documents. The seconds are the smallest of some
repetitions, with one thread; the difference is the largest of the mean scores. The lasso of
scikit-learn has as many rounds as it needs; at its default, 1000, fits of this search do not end.
"""

from __future__ import annotations

import argparse
import inspect
import time

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from hplasso import HadamardLasso, HadamardLogisticRegression, PathSearchCV

ALPHAS = {"model__alpha": np.geomspace(20.0, 0.2, 30)}
TEXTS = {
    "features__sublinear_tf": [False, True],
    "model__C": np.geomspace(0.3, 30.0, 10),
}


def documents(n_documents: int = 2000, n_words: int = 8000):
    """Documents of two classes, which differ in how frequent 150 words are."""
    rng = np.random.default_rng(0)
    frequencies = 1.0 / np.arange(1, n_words + 1) ** 0.9
    telling = rng.choice(n_words, (2, 75), replace=False)
    y = rng.integers(0, 2, n_documents)
    texts = []
    for label in y:
        of_class = frequencies.copy()
        of_class[telling[label]] *= 2.0
        length = 20 + rng.poisson(120)
        words = rng.choice(n_words, length, p=of_class / of_class.sum())
        texts.append(" ".join(f"w{word}" for word in words))
    return texts, y


def l1_logistic():
    """scikit-learn's logistic regression with an L1 penalty, by liblinear."""
    default = inspect.signature(LogisticRegression).parameters["penalty"].default
    kind = {"l1_ratio": 1.0} if default == "deprecated" else {"penalty": "l1"}
    return LogisticRegression(solver="liblinear", **kind)


def measured(search, X, y, repeats):
    """The search, fitted, and the smallest of its times."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        search.fit(X, y)
        seconds.append(time.perf_counter() - begin)
    return search, min(seconds)


def compare(name, features, ours, theirs, grid, X, y, repeats):
    """Print what both searches take, and choose."""
    found = []
    for kind, model in ((PathSearchCV, ours), (GridSearchCV, theirs)):
        pipeline = Pipeline([("features", features), ("model", model)])
        search, seconds = measured(kind(pipeline, grid, cv=5), X, y, repeats)
        found.append((search, seconds))
        best = ", ".join(f"{key}={value:.3g}" for key, value in search.best_params_.items())
        print(f"{name:12s}{type(model).__name__:28s}{seconds:8.2f} s   {best}")
    (ours, seconds), (theirs, their_seconds) = found
    scores = [search.cv_results_["mean_test_score"] for search in (ours, theirs)]
    difference = np.abs(scores[0] - scores[1]).max()
    print(f"{name:12s}{their_seconds / seconds:.1f} times faster, scores within {difference:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    X, y = load_diabetes(return_X_y=True)
    X = PolynomialFeatures(degree=3, include_bias=False).fit_transform(X)
    with threadpool_limits(1):
        for tol in (1e-4, 1e-10):
            theirs = Lasso(tol=tol, max_iter=1_000_000)
            ours = HadamardLasso(tol=tol)
            name = f"tol={tol:.0e}"
            compare(name, StandardScaler(), ours, theirs, ALPHAS, X, y, repeats)
        texts, labels = documents()
        ours, theirs = HadamardLogisticRegression(), l1_logistic()
        compare("texts", TfidfVectorizer(), ours, theirs, TEXTS, texts, labels, repeats)


if __name__ == "__main__":
    main()
