"""
Quick start: a grid search along paths, beside scikit-learn's
=============================================================

The diabetes data, with all products of up to three of the ten measurements: 442 patients, 285
correlated features. Two searches have the same pipeline, folds and grid of alphas. scikit-learn's
``GridSearchCV`` with its ``Lasso`` fits each alpha by itself. ``PathSearchCV`` with
``HadamardLasso`` follows the path of solutions from one alpha to the next. The picture shows this
path.
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

from hplasso import HadamardLasso, PathSearchCV, lasso_path

X, y = load_diabetes(return_X_y=True)
X = PolynomialFeatures(degree=3, include_bias=False).fit_transform(X)
alphas = np.geomspace(20.0, 0.2, 30)


def search(kind, estimator):
    """Search for the best alpha; return the search, its seconds and how many warnings it gave."""
    pipeline = Pipeline([("scale", StandardScaler()), ("lasso", estimator)])
    grid = kind(pipeline, {"lasso__alpha": alphas}, cv=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        begin = time.perf_counter()
        grid.fit(X, y)
        seconds = time.perf_counter() - begin
    return grid, seconds, len(caught)


# %%
# At the default tolerances, both find the same alpha. A warning of ``Lasso`` says that a fit has
# ended before it was at its optimum.

for _ in range(2):  # the first round only warms up
    theirs = search(GridSearchCV, Lasso())
    ours = search(PathSearchCV, HadamardLasso())

print(f"{'':30s}{'best alpha':>11s}{'R2 (cv)':>9s}{'seconds':>9s}{'warnings':>10s}")
for name, (grid, seconds, n_warnings) in (
    ("GridSearchCV, Lasso", theirs),
    ("PathSearchCV, HadamardLasso", ours),
):
    alpha, score = grid.best_params_["lasso__alpha"], grid.best_score_
    print(f"{name:30s}{alpha:11.4f}{score:9.4f}{seconds:9.3f}{n_warnings:10d}")
print(f"PathSearchCV is {theirs[1] / ours[1]:.0f} times as fast.")

lasso = ours[0].best_estimator_["lasso"]
print(f"non-zero coefficients: {np.count_nonzero(lasso.coef_)} of {lasso.coef_.size}")

# %%
# How exact is that? ``dual_gap_`` is a certificate: the objective of these coefficients is above
# its minimum by no more than this number. scikit-learn's ``Lasso`` finds the same coefficients if
# its ``tol`` is small enough.

residual = y - ours[0].predict(X)
objective = residual @ residual / (2 * len(y)) + lasso.alpha * np.abs(lasso.coef_).sum()
print(f"objective: {objective:.6f}, above its minimum by no more than {lasso.dual_gap_:.1e}")
scaled = StandardScaler().fit_transform(X)
tight = Lasso(alpha=lasso.alpha, tol=1e-12, max_iter=1_000_000).fit(scaled, y)
print(f"largest difference to Lasso(tol=1e-12): {np.abs(lasso.coef_ - tight.coef_).max():.1e}")

# %%
# The path of all coefficients, from the alpha at which the first one enters.

path_alphas, coefs, _ = lasso_path(scaled, y - y.mean(), eps=0.01)
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.plot(path_alphas, coefs.T, linewidth=1)
axes.axvline(lasso.alpha, color="black", linestyle="--", linewidth=1, label="chosen by the search")
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
