"""
The certificate: what the duality gap says
==========================================

Every fit reports a duality gap, ``dual_gap_``. It is a bound that can be computed without knowing
the minimum: the objective is no further than this above it. Here is how good the bound is, what
``tol`` does with it, and what happens when it is not reached.
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
# The diabetes data with products of two measurements: 55 features. First the minimum, as exactly as
# it can be had.

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
# Then fits that are told to be less exact. ``tol`` is the gap asked for, relative to the variance
# of y, the same as for scikit-learn's ``Lasso``. ``solver='alternating'`` is the bare alternation.

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
# The gap is what was asked for or less, and the distance from the minimum is less again: once the
# right coefficients are zero, it goes down about like the square of the gap. For ``HadamardLasso``
# with its limit points in closed form, the gap is rounding whatever the ``tol``, and the distance
# too small to be seen.
#
# Logistic regression has no closed form. Its steps are Newton's, though: each one about doubles the
# number of digits, and an exact answer costs hardly more than a rough one.

cells, benign = load_breast_cancer(return_X_y=True)
cells = scale(cells)
for tol in (1e-1, 1e-4, 1e-7, 1e-10, 1e-13):
    model = HadamardLogisticRegression(tol=tol).fit(cells, benign)
    print(f"logistic, tol {tol:.0e}: gap {model.dual_gap_:.0e} after {model.n_iter_[0]} sweeps")

# %%
# Not there yet
# -------------
#
# Where the gap asked for is not reached in ``max_iter`` sweeps, there is a ``ConvergenceWarning``,
# never silence. The coefficients are there all the same, and so is the gap, which says how good
# they are.

hasty = HadamardLasso(alpha, solver="alternating", max_iter=30)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", ConvergenceWarning)
    hasty.fit(X, y)
print(caught[0].message)
print(f"gap {hasty.dual_gap_:.3f}, in truth {objective(hasty) - minimum:.3f} above the minimum")

# %%
# What a gap means for the coefficients: at the default ``tol`` of 1e-4, scikit-learn's coordinate
# descent has the objective right to nine digits here, the coefficients to fewer. Asked for more, it
# comes to the coefficients that ``HadamardLasso`` has by default.

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
# nu, after each sweep. Both fits come down to their alpha by steps first. Then the alternation
# comes nearer by about the same factor with each sweep; the default, with limit points in closed
# form after each sweep, arrives.

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
