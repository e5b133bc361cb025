"""
Quick start: a drop-in replacement for scikit-learn's Lasso
===========================================================

The diabetes data, with all products of up to three of the ten measurements: 442 patients, 285
correlated features. The same pipeline and grid search, once with scikit-learn's ``Lasso`` and once
with ``HadamardLasso``; then the regularisation path of the winner.
"""

import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from hplasso import HadamardLasso, lasso_path

X, y = load_diabetes(return_X_y=True)
X = PolynomialFeatures(degree=3, include_bias=False).fit_transform(X)
alphas = np.geomspace(20.0, 0.2, 30)


def search(estimator):
    """Grid search over alpha; return it with the seconds that it took and its warnings."""
    pipeline = Pipeline([("scale", StandardScaler()), ("lasso", estimator)])
    grid = GridSearchCV(pipeline, {"lasso__alpha": alphas}, cv=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        begin = time.perf_counter()
        grid.fit(X, y)
        seconds = time.perf_counter() - begin
    return grid, seconds, len(caught)


# %%
# At the default tolerances, the two find the same alpha. HadamardLasso's coefficients are exact to
# rounding, and its duality gap says so.

for _ in range(2):  # the first round only warms up
    results = {type(model).__name__: search(model) for model in (Lasso(), HadamardLasso())}

columns = ("", "best alpha", "R2 (cv)", "seconds", "dual gap", "warnings")
print("{:15s}{:>11s}{:>9s}{:>9s}{:>10s}{:>10s}".format(*columns))
for name, (grid, seconds, n_warnings) in results.items():
    model = grid.best_estimator_["lasso"]
    print(
        f"{name:15s}{grid.best_params_['lasso__alpha']:11.4f}{grid.best_score_:9.4f}{seconds:9.2f}"
        f"{model.dual_gap_:10.1e}{n_warnings:10d}"
    )

ours, theirs = (results[name][0].best_estimator_["lasso"] for name in ("HadamardLasso", "Lasso"))
print(
    f"sweeps of HadamardLasso: {ours.n_iter_}, coordinate descent rounds of Lasso: {theirs.n_iter_}"
)
print(f"non-zero coefficients: {np.count_nonzero(ours.coef_)} of {ours.coef_.size}")
print(f"largest coefficient difference: {np.abs(ours.coef_ - theirs.coef_).max():.1e}")
scaled = StandardScaler().fit_transform(X)
tight = Lasso(alpha=ours.alpha, tol=1e-12, max_iter=1_000_000).fit(scaled, y)
print(f"... to a Lasso run at tol=1e-12: {np.abs(ours.coef_ - tight.coef_).max():.1e}")

# %%
# The path of all coefficients, from the alpha at which the first one enters.

path_alphas, coefs, _ = lasso_path(scaled, y - y.mean(), eps=0.01)
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(path_alphas, coefs.T, linewidth=1)
axes.axvline(ours.alpha, color="black", linestyle="--", linewidth=1, label="chosen by grid search")
axes.set(
    xscale="log",
    xlabel="alpha",
    ylabel="coefficient",
    title="Lasso path, diabetes data with products of up to three features",
)
axes.invert_xaxis()
axes.legend()
picture = Path("quickstart_path.png")
figure.savefig(picture, dpi=120)
print(f"regularisation path saved to {picture}")
