"""
Reporting a sparse model: what it says, and what it does not
============================================================

A lasso on the diabetes data keeps some of ten measurements. What does a coefficient mean? Would
other patients have led to the same selection? Can p-values be printed beside the coefficients? This
page answers with the data, and ends with what belongs in a report.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, scale

from hplasso import HadamardLasso, HadamardLassoCV, HadamardRelaxedCV

BLUE, ORANGE = "#0072B2", "#E69F00"

# %%
# What a coefficient means
# ------------------------
#
# The measurements are in their own units, and y says how far the disease had progressed one year
# later. After the scaler, a coefficient is for one standard deviation of its measurement. Divided
# by this standard deviation, it is for one unit. It says by how much the *prediction* changes if
# this measurement is larger by one unit and the other selected measurements stay the same. It does
# not say what would happen if somebody changed the measurement.

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
lasso = HadamardLassoCV(rule="1se")
model = make_pipeline(StandardScaler().set_output(transform="pandas"), lasso).fit(X, y)
table = pd.DataFrame({"sd": X.std(ddof=0), "per sd": lasso.coef_}, X.columns)
table["per unit"] = table["per sd"] / table["sd"]
print(table[lasso.coef_ != 0].round(2).to_string())

# %%
# Scale
# -----
#
# The penalty adds up the sizes of the coefficients, so that units matter. Without the scaler, a
# measurement with small numbers needs a large coefficient, and pays a larger penalty. The same
# alpha then selects other measurements: s5 is left out, although its effect is the second largest.
# State the scale in a report. The standard deviation is a convention, not a law.

raw = HadamardLasso(lasso.alpha_).fit(X, y)
for name, fit in (("scaled", lasso), ("not scaled", raw)):
    print(f"{name:11} {', '.join(X.columns[fit.coef_ != 0])}")

# %%
# Correlated features, and other patients
# ---------------------------------------
#
# A zero does not say that a measurement has nothing to do with y. By itself s4 is more correlated
# with y than s3 is. But s4 says little that s3 and s5 do not say already, and so it is left out.
# Other patients may lead to another selection. The bootstrap imitates other patients. Draw as many
# patients with replacement, and repeat the *whole* procedure, including the choice of alpha. The
# draws enter as ``sample_weight``. (Patients that are drawn twice are then in one fold. Repeated
# rows would be in training and test folds at once, and the penalty would be too small.)

scaled = model[0].transform(X)
rng = np.random.default_rng(0)
draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), 100)
repeats = [HadamardLassoCV(rule="1se").fit(scaled, y, sample_weight=draw) for draw in draws]
coefs = pd.DataFrame([repeat.coef_ for repeat in repeats], columns=X.columns)
frequency = (coefs != 0.0).mean()
same = ((coefs != 0.0) == (lasso.coef_ != 0.0)).all(axis=1)
overview = pd.DataFrame({"correlation with y": X.corrwith(y), "selected": frequency})
print(overview.round(2).to_string())
print(f"the same set of features as above: in {same.mean():.0%} of the bootstrap samples")

# %%
# Shrinkage
# ---------
#
# The penalty pulls all coefficients towards zero. Their size says something about the penalty, too.
# The picture also has two other fits. The relaxed fit undoes the shrinkage, in part or completely.
# Least squares on all ten measurements has 95 % intervals. It does not select anything, so that the
# usual intervals are valid. With ten features and 442 patients this is the better choice for
# statements about single features; with many features there is no such way. (The relaxed fit
# chooses its own alpha, and keeps four measurements.)


def least_squares(features, target):
    """Coefficients and their standard errors; there is an intercept."""
    design = np.column_stack([np.ones(len(target)), features])
    coef, squares, *_ = np.linalg.lstsq(design, target, rcond=None)
    variance = squares[0] / (len(target) - design.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    return coef[1:], errors[1:]


relaxed = HadamardRelaxedCV(rule="1se").fit(scaled, y)
full, errors = least_squares(scaled, y)
figure, ax = plt.subplots(figsize=(7.0, 5.2), layout="constrained")
rows = np.arange(10)[::-1]
style = {"alpha": 0.15, "s": 6, "linewidths": 0, "color": "0.2"}
for row, name in zip(rows, X.columns, strict=True):
    kept = coefs.loc[coefs[name] != 0.0, name]
    ax.scatter(kept, row + rng.uniform(-0.12, 0.12, kept.size) - 0.15, **style)
    ax.text(74.0, row, f"{frequency[name]:.0%}", va="center", ha="right")
ax.errorbar(full, rows + 0.2, xerr=1.96 * errors, fmt=".", color="0.6", label="least squares, 95 %")
ax.plot(lasso.coef_, rows, "o", color=ORANGE, label="lasso")
ax.plot(relaxed.coef_, rows, "^", color=BLUE, label=f"relaxed, gamma {relaxed.gamma_}")
ax.scatter([], [], color="0.2", s=6, label="lasso, bootstrap, if not zero")
ax.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
ax.set_yticks(rows, X.columns)
ax.set(xlabel="coefficient, for one standard deviation; right: how often selected", xlim=(-82, 76))
figure.legend(loc="outside upper center", ncols=2)
figure.savefig("reporting_coefficients.png", dpi=120)

# %%
# The interval of sex does not contain zero, but only four of ten bootstrap samples select it. The
# lasso with the rule of one standard error looks for a simple model that predicts well, not for all
# that matters. A feature that is often selected is worth a closer look. But a feature that is
# rarely selected may matter, too.

# %%
# No p-values for what was selected on the same data
# --------------------------------------------------
#
# Here the values of y are shuffled over the patients, so that no measurement has an effect on y. A
# lasso on the measurements and their products still keeps some. The lasso is fitted to one half of
# the patients. The kept features are then tested by least squares at a level of 5 %, once on the
# same half of the patients, and once on the other half.

products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
wide = scale(products.fit_transform(scaled))
half = np.arange(len(y)) % 2 == 0
significant = {"the same half": [], "the other half": []}
for _ in range(200):
    shuffled = rng.permutation(y)
    alpha_max = np.abs(wide[half].T @ (shuffled[half] - shuffled[half].mean())).max() / half.sum()
    kept = np.flatnonzero(HadamardLasso(0.7 * alpha_max).fit(wide[half], shuffled[half]).coef_)
    for name, rows in (("the same half", half), ("the other half", ~half)):
        coef, errors = least_squares(wide[rows][:, kept], shuffled[rows])
        significant[name].extend(np.abs(coef) > 1.96 * errors)
for name, results in significant.items():
    print(f"tested on {name:15} {np.mean(results):.0%} of the kept features are significant")

# %%
# A test on other data keeps its level of 5 %. The price is that half of the patients are not used
# for the selection. A bootstrap frequency is no substitute: it says how the procedure varies, and
# not whether a feature matters. For a bound on the number of false selections there is
# :class:`~hplasso.HadamardStabilitySelection`.
#
# What belongs in a report
# ------------------------
#
# The score comes from an outer cross-validation, whose test patients have no part in the choice of
# alpha, nor in the scaling.

scores = cross_val_score(model, X, y, cv=10)
print(
    f"Data: {len(y)} patients, {X.shape[1]} measurements, each divided by its standard deviation."
)
print(f"Penalty: alpha {lasso.alpha_:.2f}, five folds, rule of one standard error.")
print(f"Certificate: the objective is within {lasso.dual_gap_:.0e} of its minimum.")
print(f"R2 in ten outer folds: {scores.mean():.2f}, standard error {scores.std() / 10**0.5:.2f}.")
print("Kept, for one standard deviation (selected in how many of 100 bootstrap samples):")
for name, value in table.loc[lasso.coef_ != 0, "per sd"].items():
    print(f"  {name:4}{value:7.1f}  ({frequency[name]:.0%})")
print("Coefficients are shrunk. No p-values: the features were selected on the same data.")
