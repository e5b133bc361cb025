"""
Drop-in: the same results as scikit-learn's
===========================================

The estimators of this package can replace scikit-learn's ``Lasso``, ``ElasticNet`` and
``LogisticRegression`` with an L1 penalty. They have the same objectives, names and attributes. This
page compares the two packages on nine problems.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    load_wine,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import PolynomialFeatures, scale

from hplasso import HadamardElasticNet, HadamardLasso, HadamardLogisticRegression

# %%
# The problems: few features and many, dense and sparse data, two classes and three.

X, y = load_diabetes(return_X_y=True)
products = PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)
wide = make_regression(100, 2000, n_informative=20, noise=5.0, random_state=0)
rng = np.random.default_rng(0)
text = sparse.csc_array(rng.random((600, 4000)) * (rng.random((600, 4000)) < 0.01))
counts = text @ np.where(np.arange(4000) < 40, 3.0, 0.0) + 0.1 * rng.standard_normal(600)
iris, wine, cancer = (load(return_X_y=True) for load in (load_iris, load_wine, load_breast_cancer))
problems = {
    "Lasso, diabetes": (HadamardLasso(1.0), scale(X), y),
    "Lasso, with products": (HadamardLasso(2.0), scale(products.fit_transform(X)), y),
    "Lasso, wide": (HadamardLasso(1.0), *wide),
    "Lasso, sparse": (HadamardLasso(0.0005), text, counts),
    "ElasticNet, diabetes": (HadamardElasticNet(0.1, l1_ratio=0.7), scale(X), y),
    "ElasticNet, wide": (HadamardElasticNet(1.0, l1_ratio=0.9), *wide),
    "LogisticRegression, cancer": (HadamardLogisticRegression(0.1), scale(cancer[0]), cancer[1]),
    "LogisticRegression, iris": (HadamardLogisticRegression(1.0), scale(iris[0]), iris[1]),
    "LogisticRegression, wine": (HadamardLogisticRegression(1.0), scale(wine[0]), wine[1]),
}

# %%
# ``to_sklearn()`` gives the estimator of scikit-learn with the same parameters, already fitted. A
# clone of it is not fitted. So it can be fitted by scikit-learn's own algorithm, which is
# coordinate descent, or saga for logistic regression. This is done twice: at the default ``tol``,
# and as exactly as possible.


def objective(model, X, y):
    """What is minimised, at the model's coefficients: f, for logistic regression over C n."""
    size, square = np.abs(model.coef_).sum(), (model.coef_**2).sum()
    if is_classifier(model):
        return log_loss(y, model.predict_proba(X)) + size / (model.C * len(y))
    ratio = getattr(model, "l1_ratio", 1.0)
    penalty = model.alpha * (ratio * size + (1.0 - ratio) / 2 * square)
    return 0.5 * np.mean((y - model.predict(X)) ** 2) + penalty


def difference(model, other):
    """The largest difference of two models' coefficients, over the largest coefficient."""
    return np.abs(model.coef_ - other.coef_).max() / np.abs(model.coef_).max()


columns = ("gap", "default", "not zero", "tight", "not zero", "objective")
print("{:28s}{:>8s}{:>12s}{:>10s}{:>10s}{:>10s}{:>11s}".format("", *columns))
results = {}
for name, (model, X, y) in problems.items():
    model.set_params(tol=1e-14, max_iter=1000).fit(X, y)
    peer = clone(model.to_sklearn())
    if is_classifier(peer):
        peer.set_params(random_state=0)
    row, differences = f"{name:28s}{model.dual_gap_:8.0e}", []
    for tol, max_iter in ((1e-4, 1000), (1e-12, 100_000)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            peer.set_params(tol=tol, max_iter=max_iter).fit(X, y)
        differences.append(difference(model, peer))
        row += f"{differences[-1]:10.0e}{'!' if caught else ' '}"
        row += f"{np.count_nonzero(peer.coef_):9d}"
    excess = (objective(peer, X, y) - objective(model, X, y)) / objective(model, X, y)
    print(row + f"{excess:11.0e}")
    results[name] = differences

# %%
# The first column is the gap of this package's estimator. The next two are about scikit-learn's
# estimator at its default ``tol``: the relative difference of its coefficients, and how many of
# them are not zero. An exclamation mark means that there was a ``ConvergenceWarning`` after 1000
# iterations. Then come the same two columns for ``tol=1e-12``. The last column says how much higher
# its objective is with this ``tol``, relative to the objective here.
#
# With ``tol=1e-12`` the two packages agree to nine digits or more. So they confirm each other. At
# the default ``tol``, some of scikit-learn's coefficients are wrong by 0.2 to 10 percent: those for
# wide data, and those of saga. A few coefficients that should be zero are not.

figure, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
rows = np.arange(len(results))[::-1]
default, tight = np.transpose(list(results.values()))
ax.hlines(rows, tight, default, color="0.85", linewidth=2.0, zorder=0)
ax.semilogx(default, rows, "o", color="#D55E00", label="scikit-learn at its default tol")
ax.semilogx(tight, rows, "^", color="#0072B2", label="scikit-learn at tol=1e-12")
ax.set_yticks(rows, list(results))
ax.set_xlabel("relative difference of coefficients from hplasso's")
ax.grid(axis="x", color="0.92")
figure.legend(loc="outside upper center", ncols=2, fontsize="small")
figure.savefig("drop_in.png", dpi=120)

# %%
# Mostly, only the import in a program has to be changed. Every parameter of ``Lasso`` and
# ``ElasticNet`` is accepted here, although some have no effect. The parameters of
# ``LogisticRegression`` for other algorithms and penalties are left out, and ``l1_ratio`` is 1 by
# default.

for ours, theirs in (
    (HadamardLasso(), Lasso()),
    (HadamardElasticNet(), ElasticNet()),
    (HadamardLogisticRegression(), LogisticRegression()),
):
    missing = sorted(set(theirs.get_params()) - set(ours.get_params()))
    added = sorted(set(ours.get_params()) - set(theirs.get_params()))
    name = f"{type(theirs).__name__}:"
    print(f"{name:20s}left out {', '.join(missing) or 'none'}; added {', '.join(added)}")
