"""
The regularisation path
=======================

The path has all solutions of the lasso, from the alpha at which the first coefficient becomes
non-zero to one with hardly any penalty. This page shows how to compute it, how to draw it, and what
the picture says.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hplasso import (
    HadamardElasticNet,
    HadamardLasso,
    HadamardLogisticRegression,
    RegularizationPathDisplay,
    lasso_path,
)

# %%
# The data are ten measurements of 442 diabetes patients, and the progress of the disease. A display
# computes the path of an estimator and draws it. The strongest penalty is on the left; the dashed
# line is the alpha of the estimator. The top axis counts the coefficients that are not zero. The
# count can also go down: s3, near the right end, leaves and comes back with the other sign.

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)
figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
RegularizationPathDisplay.from_estimator(HadamardLasso(2.0), X, y, n_labels=10, ax=ax)
figure.savefig("path_lasso.png", dpi=120)

# %%
# The numbers behind it come from ``lasso_path``. Like scikit-learn's it has no intercept, so that
# the data have to be centred, as X is here. Between two changes of the signs each coefficient is a
# straight line in alpha. (The axis is logarithmic.) Every point is certified by its duality gap.

alphas, coefs, gaps, sweeps = lasso_path(X, y - y.mean(), return_n_iter=True)
print(f"{alphas.size} alphas from {alphas[0]:.3f} to {alphas[-1]:.5f}, {sum(sweeps)} sweeps")
print(f"largest gap, relative to f(0): {gaps.max() / (0.5 * np.var(y)):.0e}")
signs = np.sign(coefs)
for column in range(1, alphas.size):
    for feature in np.flatnonzero(signs[:, column] != signs[:, column - 1]):
        event = {0: "leaves", 1: "enters, positive", -1: "enters, negative"}[signs[feature, column]]
        print(f"alpha {alphas[column]:6.4f}: {X.columns[feature]:4s}{event}")

# %%
# Other penalties
# ---------------
#
# With ``positive=True`` no coefficient goes below zero, and five features never enter. With an
# elastic net, here half lasso and half ridge, more features have coefficients, and these are
# smaller. For example, s1 and s2 are correlated. The lasso gives them large coefficients of
# opposite signs, and the elastic net small ones. The alphas begin at twice those of the lasso,
# because only half of each alpha goes to the L1 penalty.

models = {
    "positive=True": HadamardLasso(2.0, positive=True),
    "elastic net, l1_ratio=0.5": HadamardElasticNet(2.0, l1_ratio=0.5),
}
figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.6), layout="constrained")
for (title, model), ax in zip(models.items(), axes, strict=True):
    RegularizationPathDisplay.from_estimator(model, X, y, n_labels=10, ax=ax)
    ax.set_title(title)
figure.savefig("path_other.png", dpi=120)

# %%
# Classification
# --------------
#
# The path of a logistic regression runs over C, the inverse of the penalty, and starts on the left
# as well. A display takes a pipeline, and gives the features the names that its last step sees.

cells = load_breast_cancer(as_frame=True)
model = make_pipeline(StandardScaler(), HadamardLogisticRegression(C=0.1, tol=1e-8))
model.fit(cells.data, cells.target)
figure, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
RegularizationPathDisplay.from_estimator(model, cells.data, cells.target, n_labels=9, ax=ax)
ax.legend(loc="lower left")
figure.savefig("path_logistic.png", dpi=120)
kept = model[-1].coef_[0] != 0
print(f"C = 0.1 keeps {kept.sum()} of {kept.size} features, gap {model[-1].dual_gap_:.0e}:")
print(", ".join(cells.data.columns[kept]))

# %%
# With three or more classes, each class has a path of its own. The axes of the classes have one
# scale, and a feature has the same colour in all of them. ``target`` draws one class alone.

wine = load_wine(as_frame=True)
model = make_pipeline(StandardScaler(), HadamardLogisticRegression(C=0.1, tol=1e-8))
model.fit(wine.data, wine.target)
display = RegularizationPathDisplay.from_estimator(model, wine.data, wine.target, n_labels=5)
display.figure_.savefig("path_classes.png", dpi=120)
