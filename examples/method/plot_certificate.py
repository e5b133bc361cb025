"""
The certificate: what the duality gap says
==========================================

Every fit reports a duality gap, ``dual_gap_``. It is a bound that can be computed without knowing
the minimum: the objective is above its minimum by no more than this gap. This page shows how good
the bound is, what ``tol`` has to do with it, and what happens if ``tol`` is not reached.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.preprocessing import PolynomialFeatures, scale

from hplasso import CertificateDisplay, HadamardLasso, HadamardLogisticRegression

BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#D55E00"

# %%
# The gap and the truth
# ---------------------
#
# The diabetes data with products of two measurements: 55 features. First the minimum is computed as
# exactly as possible.

X, y = load_diabetes(return_X_y=True)
products = PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)
X = scale(products.fit_transform(X))
alpha = 2.0


def objective(model):
    """The lasso's f at the coefficients of a model."""
    return 0.5 * np.mean((y - model.predict(X)) ** 2) + alpha * np.abs(model.coef_).sum()


exact = HadamardLasso(alpha, tol=1e-14).fit(X, y)
minimum = objective(exact)
print(f"minimum {minimum:.10f}, gap {exact.dual_gap_:.0e}")

# %%
# The next fits have larger values of ``tol``, which is the largest gap that is accepted, relative
# to the variance of y, as in scikit-learn's ``Lasso``. ``solver='alternating'`` is the alternation
# alone.

tols = 10.0 ** -np.arange(1.0, 12.0)
models = {
    "alternating": HadamardLasso(alpha, solver="alternating", max_iter=20_000),
    "scikit-learn": Lasso(alpha, max_iter=20_000),
    "HadamardLasso": HadamardLasso(alpha),
}
styles = {"alternating": (BLUE, "o"), "scikit-learn": (ORANGE, "s"), "HadamardLasso": (RED, "^")}
asked = tols * np.var(y)
figure, ax = plt.subplots(figsize=(6.4, 5.2), layout="constrained")
for name, (colour, marker) in styles.items():
    fits = [clone(models[name]).set_params(tol=tol).fit(X, y) for tol in tols]
    gaps = np.array([model.dual_gap_ for model in fits])
    distances = np.array([objective(model) - minimum for model in fits])
    ax.loglog(asked, gaps, marker=marker, color=colour, label=f"gap, {name}")
    seen = distances > 1e-11  # what is less is rounding of the objective
    style = {"color": colour, "markerfacecolor": "white", "linestyle": "--"}
    if seen.any():
        ax.loglog(asked[seen], distances[seen], marker=marker, label=f"distance, {name}", **style)
ax.loglog(asked, asked, color="0.5", linewidth=1.0, label="what tol asks for")
ax.invert_xaxis()
ax.set(xlabel="tol * variance of y", ylabel="in units of the objective", ylim=(1e-15, 1e3))
figure.legend(loc="outside upper center", ncols=2)
figure.savefig("certificate_tol.png", dpi=120)

# %%
# The gap is never larger than what ``tol`` asks for, and the distance from the minimum is even
# smaller. Once the right coefficients are zero, the distance goes down roughly like the square of
# the gap. ``HadamardLasso`` computes limit points in closed form. So its gap is as small as
# rounding errors for any ``tol``, and its distance is too small to be seen.
#
# Logistic regression has no closed form. But its steps are Newton's. Each of them roughly doubles
# the number of correct digits, so that an exact answer costs hardly more than a rough one.

cells, benign = load_breast_cancer(return_X_y=True)
cells = scale(cells)
for tol in (1e-1, 1e-4, 1e-7, 1e-10, 1e-13):
    model = HadamardLogisticRegression(tol=tol).fit(cells, benign)
    print(f"logistic, tol {tol:.0e}: gap {model.dual_gap_:.0e} after {model.n_iter_[0]} sweeps")

# %%
# Not there yet
# -------------
#
# If the gap is not within ``tol`` after ``max_iter`` sweeps, there is always a
# ``ConvergenceWarning``. The coefficients can be used nevertheless, and the gap says how good they
# are.

hasty = HadamardLasso(alpha, solver="alternating", max_iter=30)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", ConvergenceWarning)
    hasty.fit(X, y)
print(caught[0].message)
print(f"gap {hasty.dual_gap_:.3f}, in truth {objective(hasty) - minimum:.3f} above the minimum")

# %%
# What a gap means for the coefficients: at the default ``tol`` of 1e-4, the objective of
# scikit-learn's coordinate descent is correct to nine digits here, and its coefficients are correct
# to fewer. With a smaller ``tol``, it finds the coefficients that ``HadamardLasso`` has by default.

ours = HadamardLasso(alpha).fit(X, y)
print(f"HadamardLasso: gap {ours.dual_gap_:.0e}")
for tol in (1e-4, 1e-8, 1e-14):
    peer = Lasso(alpha, tol=tol, max_iter=20_000).fit(X, y)
    difference = np.abs(peer.coef_ - ours.coef_).max() / np.abs(ours.coef_).max()
    print(
        f"Lasso, tol {tol:.0e}: gap {peer.dual_gap_:.0e}, {peer.n_iter_} rounds, "
        f"relative difference of coefficients {difference:.0e}"
    )

# %%
# While a fit is under way
# ------------------------
#
# ``CertificateDisplay`` draws the gap, f, and the objective g of the two factors of theta = mu *
# nu, after each sweep. Both fits start at larger alphas and go to their alpha in steps. Then each
# sweep of the alternation reduces the gap by about the same factor. The default computes limit
# points in closed form after each sweep, and so reaches the solution.

X, y = load_diabetes(return_X_y=True)
figure, axes = plt.subplots(
    1, 2, figsize=(7.4, 3.9), sharex=True, sharey=True, layout="constrained"
)
for solver, ax in zip(("alternating", "auto"), axes, strict=True):
    lasso = HadamardLasso(0.3, solver=solver, tol=1e-8, max_iter=10_000)
    CertificateDisplay.from_estimator(lasso, X, y, ax=ax)
    ax.set_title(f"solver={solver!r}")
axes[1].set_ylabel("")
figure.savefig("certificate_sweeps.png", dpi=120)
