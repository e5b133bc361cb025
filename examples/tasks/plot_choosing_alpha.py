"""
Choosing alpha: cross-validation, one standard error, information criteria
==========================================================================

How many of ten measurements are needed to predict the progress of diabetes? This depends on alpha,
and on how alpha is chosen. The second part has data for which the answer is known: eight features
of two thousand.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, make_regression
from sklearn.model_selection import KFold, train_test_split

from hplasso import (
    CrossValidationDisplay,
    HadamardLassoCV,
    HadamardLassoIC,
    RegularizationPathDisplay,
    lasso_path,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
folds = KFold(10, shuffle=True, random_state=0)

# %%
# Three ways
# ----------
#
# Cross-validation finds the alpha of the smallest error on samples that were left out. But errors
# are uncertain. The rule of one standard error takes the largest alpha whose error is within one
# standard error of the smallest: the simplest model that is not clearly worse than the best on
# these data. Information criteria need a single path, and count the coefficients. Here they agree
# with one another.

models = {
    "smallest error": HadamardLassoCV(cv=folds),
    "one standard error": HadamardLassoCV(cv=folds, rule="1se"),
    "AIC": HadamardLassoIC("aic"),
    "BIC": HadamardLassoIC("bic"),
    "extended BIC": HadamardLassoIC("ebic"),
}
for name, model in models.items():
    model.fit(X, y)
    kept = ", ".join(model.feature_names_in_[model.coef_ != 0])
    print(f"{name:19s}alpha {model.alpha_:6.4f}, gap {model.dual_gap_:.0e}: {kept}")

# %%
# The errors hardly change between small alphas and the alpha of the rule of one standard error. In
# this range the coefficients become zero one by one. The axis on top counts those that are not
# zero.

chosen = models["one standard error"]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 8.0), layout="constrained")
CrossValidationDisplay.from_estimator(chosen, X, y, ax=top)
RegularizationPathDisplay.from_estimator(chosen, X, y, n_labels=10, ax=bottom)
figure.savefig("choosing_alpha.png", dpi=120)

# %%
# Where the truth is known
# ------------------------
#
# There are 100 samples of 2000 features, eight of which matter, and 1000 more samples to test on.
# For the criteria the noise variance has to be given, because it cannot be estimated from fewer
# samples than features.

wide, target, truth = make_regression(
    1100, 2000, n_informative=8, noise=30.0, coef=True, random_state=0
)
wide, test, target, test_target = train_test_split(wide, target, train_size=100, random_state=0)
rivals = {
    "smallest error": HadamardLassoCV(cv=folds),
    "one standard error": HadamardLassoCV(cv=folds, rule="1se"),
    "BIC": HadamardLassoIC("bic", noise_variance=30.0**2),
    "extended BIC": HadamardLassoIC("ebic", noise_variance=30.0**2),
}
print("                     alpha   of the 8   others   test error")
for name, model in rivals.items():
    model.fit(wide, target)
    found = model.coef_ != 0
    right, wrong = (found & (truth != 0)).sum(), (found & (truth == 0)).sum()
    error = np.sqrt(np.mean((model.predict(test) - test_target) ** 2))
    print(f"{name:19s}{model.alpha_:7.2f}{right:11d}{wrong:9d}{error:13.1f}")

# %%
# Along the path, seven of the eight features enter before any other. (The effect of the eighth is
# too weak to be found in this noise.) The alpha of the smallest error selects many of the others,
# because their small coefficients do little harm to the predictions. The other rules stop earlier.
# A larger alpha shrinks the coefficients that matter more, and so the predictions are worse.

alphas, coefs, _ = lasso_path(wide - wide.mean(axis=0), target - target.mean(), eps=0.02)
figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
informative = truth != 0
ax.step(alphas, (coefs[informative] != 0).sum(axis=0), color="#0072B2", label="of the 8")
ax.step(alphas, (coefs[~informative] != 0).sum(axis=0), color="#E69F00", label="others")
for (name, model), dashes in zip(rivals.items(), ["--", ":", "-.", (0, (8, 2))], strict=True):
    ax.axvline(model.alpha_, color="0.3", linestyle=dashes, linewidth=1.2, label=name)
ax.set(xscale="log", xlabel="alpha", ylabel="features that are kept", ylim=(-1, 85))
ax.set_xticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
ax.minorticks_off()
ax.invert_xaxis()
ax.legend(loc="upper left")
figure.savefig("choosing_alpha_wide.png", dpi=120)
