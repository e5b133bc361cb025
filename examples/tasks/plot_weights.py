"""
Weights: which samples count, which features pay
================================================

``sample_weight`` says how much a sample counts. ``penalty_weights`` multiply the penalty of each
feature. The default is one. A larger weight makes it harder for a feature to enter the model. With
a weight of zero, a feature is always in the model.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from hplasso import HadamardLasso, HadamardLassoCV, RegularizationPathDisplay

BLUE, ORANGE = "#0072B2", "#E69F00"

# %%
# Sample weights
# --------------
#
# A sample of weight two has the effect of two equal samples, and a sample of weight zero has none.
# The coefficients agree to the last digits.

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)
weights = np.random.default_rng(0).integers(0, 4, len(y))
weighted = HadamardLasso(2.0).fit(X, y, sample_weight=weights)
rows = np.repeat(np.arange(len(y)), weights)
repeated = HadamardLasso(2.0).fit(X.iloc[rows], y.iloc[rows])
difference = np.abs(weighted.coef_ - repeated.coef_).max() / np.abs(repeated.coef_).max()
print(f"weights against repeated rows: relative difference {difference:.0e}")

# %%
# Always in the model
# -------------------
#
# Age and sex are often kept in a model of patients for the sake of comparison. With weight zero
# they are in it from the start of the path, as in an ordinary regression; the others are selected
# given these two. At the left end, the coefficient of age says that older patients are worse off.
# Once bmi and bp are in the model, age adds nothing.

free = np.where(X.columns.isin(["age", "sex"]), 0.0, 1.0)
model = HadamardLasso(2.0, penalty_weights=free).fit(X, y)
print(f"age and sex free: gap {model.dual_gap_:.0e}, {np.count_nonzero(model.coef_)} features kept")
figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.6), layout="constrained")
for ax, title, lasso in (
    (axes[0], "all pay the same", HadamardLasso(2.0)),
    (axes[1], "age and sex are free", model),
):
    RegularizationPathDisplay.from_estimator(lasso, X, y, n_labels=10, ax=ax)
    ax.set_title(title)
figure.savefig("weights_free.png", dpi=120)

# %%
# The adaptive lasso, in two fits
# -------------------------------
#
# The lasso pulls all coefficients towards zero by the same force, large ones included. If alpha is
# so small that this does no harm, the model also has coefficients that should be zero. The adaptive
# lasso (Zou 2006) fits twice: the weights of the second fit are one over the size of the
# coefficients of the first, here ordinary least squares. Large ones then pay little, small ones a
# lot.
#
# There are 200 samples of 50 correlated features, six of which matter. Cross-validation chooses
# alpha. (The weights come from all samples, the test samples of the folds included. Therefore it
# chooses somewhat small alphas.)

truth = np.zeros(50)
truth[[3, 11, 19, 27, 35, 43]] = [3.0, -2.0, 1.5, 1.0, -0.75, 0.5]


def draw(seed):
    """A data set: neighbouring features have correlation one half."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((200, 50))
    for j in range(1, 50):
        features[:, j] = 0.5 * features[:, j - 1] + np.sqrt(0.75) * features[:, j]
    return features, features @ truth + 1.5 * rng.standard_normal(200)


def lasso_and_adaptive_lasso(features, target):
    """Both, each with its own alpha."""
    first = LinearRegression().fit(features, target)
    lasso = HadamardLassoCV().fit(features, target)
    adaptive = HadamardLassoCV(penalty_weights=1.0 / np.abs(first.coef_)).fit(features, target)
    return lasso, adaptive


fits = [lasso_and_adaptive_lasso(*draw(seed)) for seed in range(20)]
print("means over 20 data sets   of the 6   others   distance from the truth")
for number, name in enumerate(("lasso", "adaptive lasso")):
    coefs = np.array([fit[number].coef_ for fit in fits])
    right = (coefs[:, truth != 0] != 0).sum(axis=1).mean()
    wrong = (coefs[:, truth == 0] != 0).sum(axis=1).mean()
    distance = np.linalg.norm(coefs - truth, axis=1).mean()
    print(f"{name:24s}{right:10.1f}{wrong:9.1f}{distance:25.2f}")

figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
where = np.arange(50)
ax.plot(where[truth != 0], truth[truth != 0], "_", color="black", markersize=13, label="truth")
for model, name, marker, colour in zip(
    fits[0], ("lasso", "adaptive lasso"), "o^", (ORANGE, BLUE), strict=True
):
    kept = model.coef_ != 0
    ax.plot(where[kept], model.coef_[kept], marker, color=colour, markersize=5, label=name)
ax.set(xlabel="feature", ylabel="coefficient, if not zero")
ax.legend(loc="upper right")
figure.savefig("weights_adaptive.png", dpi=120)

# %%
# References
# ----------
#
# H. Zou, The adaptive lasso and its oracle properties, Journal of the American Statistical
# Association 101 (2006) 1418-1429.
