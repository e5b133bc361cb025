"""
Choosing alpha: cross-validation, one standard error, information criteria
==========================================================================

The diabetes data: ten measurements of 442 patients, and how the disease went on. How many of the
measurements does it take to predict that? Three answers, and what each of them sees.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes, make_regression
from sklearn.model_selection import KFold

from hplasso import (
    CertificateDisplay,
    CrossValidationDisplay,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    RegularizationPathDisplay,
)

X, y = load_diabetes(return_X_y=True, as_frame=True)
folds = KFold(10, shuffle=True, random_state=0)

# %%
# The alpha of the smallest cross-validated error, and the largest alpha whose error is within one
# standard error of it: the simplest model that these data can not tell from the best.

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
    print(f"{name:19s} alpha {model.alpha_:7.4f}, duality gap {model.dual_gap_:.0e}: {kept}")

# %%
# The errors are flat from small alphas to where the rule of one standard error stops. On the way
# there coefficients leave one by one; the top axis counts those that are left.

model = models["one standard error"]
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
CrossValidationDisplay.from_estimator(model, ax=left)
RegularizationPathDisplay.from_estimator(model, X, y, ax=right)
figure.savefig("choosing_alpha.png", dpi=120)

# %%
# With more features than samples: 2000 features, eight of which matter, and 100 samples.

wide, target = make_regression(100, 2000, n_informative=8, noise=10.0, random_state=0)
model = HadamardLassoCV(cv=folds, rule="1se").fit(wide, target)
found = (model.coef_ != 0).sum()
print(f"wide data: alpha {model.alpha_:.3f} keeps {found} features, {model.alpha_min_:.3f} more")
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
CrossValidationDisplay.from_estimator(model, ax=left)
RegularizationPathDisplay.from_estimator(model, wide, target, n_labels=10, ax=right)
figure.savefig("choosing_alpha_wide.png", dpi=120)

# %%
# What the certificate says while a fit is under way. The duality gap is never less than the
# distance of the objective f from its minimum. Both fits come down to their alpha by steps first.
# Then the bare alternation of ridge regressions comes nearer by about the same factor with each
# sweep; with the limit of the alternation in closed form, the next sweep arrives.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for solver, ax in zip(("alternating", "auto"), axes, strict=True):
    lasso = HadamardLasso(0.3, solver=solver, tol=1e-8, max_iter=10_000)
    CertificateDisplay.from_estimator(lasso, X, y, ax=ax)
    ax.set_title(f"solver={solver!r}")
figure.savefig("choosing_alpha_certificate.png", dpi=120)
