"""
Insurance claims: counts, exposure, and which tariff features matter
====================================================================

How many claims will a policy have in a year? Counts of policies that ran for different times are
fitted by Poisson regression with the logarithm of that time as an *offset*. The L1 penalty keeps
the levels of the tariff features that matter; cross-validation and the one-standard-error rule say
how many. The portfolio is generated, so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hplasso import HadamardPoissonRegressorCV, RegularizationPathDisplay

BLUE, ORANGE = "#0072B2", "#E69F00"

# %%
# A portfolio
# -----------
#
# Four of its six features have an effect: young drivers, two of twelve regions, one of eight
# brands, and the bonus. Power and the age of the car have none.

rng = np.random.default_rng(0)
n = 40_000
policies = pd.DataFrame(
    {
        "driver_age": rng.integers(18, 85, n),
        "bonus": rng.uniform(50.0, 150.0, n),
        "power": rng.integers(4, 15, n),
        "car_age": rng.integers(0, 20, n),
        "region": rng.choice([f"R{i:02}" for i in range(12)], n),
        "brand": rng.choice([f"B{i}" for i in range(8)], n),
    }
)
exposure = rng.uniform(0.1, 1.0, n)
frequency = np.exp(
    -2.5
    + 0.5 * (policies["driver_age"] < 25)
    + 0.012 * (policies["bonus"] - 100.0)
    + 0.6 * (policies["region"] == "R03")
    - 0.5 * (policies["region"] == "R07")
    + 0.4 * (policies["brand"] == "B2")
)
claims = rng.poisson(exposure * frequency)
print(f"{claims.sum()} claims in {exposure.sum():.0f} years of {n} policies")

# %%
# All levels of all categories become indicators; none has to be dropped, because the penalty takes
# care of the dependence. Ages are put into classes, so that their effect can have any shape.
# Everything that is kept has an effect, except the age of the car. That is selected by chance, with
# a factor close to one. The penalty shrinks all factors, so that they are closer to one than the
# true factors.

policies["age_class"] = pd.cut(policies["driver_age"], [17, 24, 34, 44, 54, 64, 85]).astype(str)
tariff = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["age_class", "region", "brand"]),
    (StandardScaler(), ["bonus", "power", "car_age"]),
    verbose_feature_names_out=False,
).set_output(transform="pandas")
model = make_pipeline(tariff, HadamardPoissonRegressorCV(rule="1se"))
parts = train_test_split(policies, claims, np.log(exposure), random_state=0)
train, test, y, y_test, offset, test_offset = parts
model.fit(train, y, hadamardpoissonregressorcv__offset=offset)

chosen = model[-1]
kept = pd.Series(chosen.coef_, chosen.feature_names_in_)
kept = kept[kept != 0.0].sort_values()
print(f"alpha {chosen.alpha_:.4f}, certified to {chosen.dual_gap_:.0e}; kept:")
for name, coefficient in kept.items():
    print(f"  {name:22} x {np.exp(coefficient):.2f}")

# %%
# The path
# --------
#
# The picture shows which levels enter first as the penalty goes down. The vertical lines are the
# alphas of the two rules.

figure, ax = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
table = model[:-1].transform(train)
RegularizationPathDisplay.from_estimator(chosen, table, y, offset=offset, ax=ax)
ax.set_title("log of the factor on the frequency")
figure.savefig("insurance_path.png", dpi=120)

# %%
# Calibration and order, on policies that were not fitted
# -------------------------------------------------------
#
# The policies are in ten classes by predicted frequency. The left picture shows the claims per year
# against the prediction. The prediction for the riskiest class is too low, because the factors are
# shrunk. ``rule="min"`` shrinks less. The right picture is the Lorenz curve: the fraction of the
# claims that comes from the policies with the lowest predictions. The order of the policies is
# better if the curve is further from the diagonal. The dashed line is the curve of the true
# frequencies, the best that is possible.

years = np.exp(test_offset)
predicted = model.predict(test)
classes = pd.qcut(predicted, 10, labels=False, duplicates="drop")
groups = pd.DataFrame({"class": classes, "years": years, "claims": y_test})
groups["expected"] = predicted * years
groups = groups.groupby("class").sum()

figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.4), layout="constrained")
expected, seen = (groups[name] / groups["years"] for name in ("expected", "claims"))
error = np.sqrt(groups["claims"]) / groups["years"]
axes[0].plot([0.0, 0.3], [0.0, 0.3], color="0.7", linewidth=1.0)
axes[0].errorbar(expected, seen, 2.0 * error, fmt="o", color=BLUE, capsize=2)
axes[0].set(xlabel="predicted claims per year", ylabel="claims per year, ± 2 SE")


def lorenz(score):
    """Parts of the exposure and of the claims, from the safest policies on."""
    order = np.argsort(score, kind="stable")
    return [np.append(0.0, np.cumsum(part[order]) / part.sum()) for part in (years, y_test)]


axes[1].plot([0.0, 1.0], [0.0, 1.0], color="0.7", linewidth=1.0)
axes[1].plot(*lorenz(frequency[test.index].to_numpy()), color=ORANGE, linestyle="--", label="truth")
axes[1].plot(*lorenz(predicted), color=BLUE, label="model")
axes[1].set(xlabel="part of the exposure, safest first", ylabel="part of the claims")
axes[1].legend()
figure.savefig("insurance_calibration.png", dpi=120)
score = chosen.score(model[:-1].transform(test), y_test, offset=test_offset)
print(f"D^2 on the test policies: {score:.3f}")
