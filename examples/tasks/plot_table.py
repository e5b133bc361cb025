"""
A table: categories, missing values, and coefficients in units
==============================================================

A table has the prices of 1500 flats, numbers in different units, categories, and missing values in
both. One pipeline prepares the columns and selects among them. The result has names, and is
converted back to the units of the table, such as thousand euros for a square metre. The flats are
generated, so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hplasso import HadamardLassoCV, HadamardRelaxedCV

BLUE, ORANGE = "#0072B2", "#E69F00"

# %%
# The table
# ---------
#
# Four numbers, two of nine districts and one of four kinds of heating have an effect on the price.
# The floor, the year of the advertisement and the agent have none. For one flat in six the energy
# that it needs is not known, and for one in ten the heating is not.

rng = np.random.default_rng(0)
n = 1500
flats = pd.DataFrame(
    {
        "area": rng.gamma(9.0, 9.0, n).clip(20.0, 250.0).round(),
        "age": rng.integers(0, 120, n),
        "distance": rng.gamma(2.0, 2.5, n).round(1),
        "energy": rng.normal(140.0, 45.0, n).clip(20.0).round(),
        "floor": rng.integers(0, 12, n),
        "year": rng.integers(2018, 2024, n),
        "district": rng.choice([f"D{i}" for i in range(1, 10)], n),
        "heating": rng.choice(["gas", "oil", "district heating", "heat pump"], n),
        "agent": rng.choice([f"A{i:02}" for i in range(1, 21)], n),
    }
)
per_unit = pd.Series({"area": 3.5, "age": -0.4, "distance": -9.0, "energy": -0.25})
levels = pd.Series({"district_D3": 60.0, "district_D7": -45.0, "heating_heat pump": 35.0})
price = 150.0 + flats[per_unit.index] @ per_unit
for level, effect in levels.items():
    column, value = level.split("_")
    price += effect * (flats[column] == value)
price += rng.normal(0.0, 40.0, n)  # thousand euros
flats["energy"] = flats["energy"].mask(rng.random(n) < 1 / 6)
flats["heating"] = flats["heating"].mask(rng.random(n) < 1 / 10)
print(flats.head().to_string())
print(f"mean price: {price.mean():.0f} thousand euros, standard deviation {price.std():.0f}")

# %%
# The pipeline
# ------------
#
# - *Numbers.* A missing value becomes the median of its column. ``add_indicator=True`` adds a
#   column that says where it was missing, because this may mean something itself. Then each number
#   is divided by its standard deviation, because the penalty depends on the units.
# - *Categories.* Each level becomes an indicator, and "missing" is a level, too. No level has to be
#   dropped, because the penalty usually makes the solution unique. Levels with a coefficient of
#   zero add nothing to the price. The coefficient of any other level is the difference in price to
#   such a level. Indicators are not scaled. (:ref:`Groups
#   <sphx_glr_auto_examples_tasks_plot_groups.py>` keep all levels of a column, or none.)
#
# All of it is fitted on the training flats alone. The transformers return tables, so that the last
# step knows the names of the columns. (The folds of ``HadamardLassoCV`` share the medians and
# standard deviations of all training flats, but these say almost nothing about the prices. If
# transformers use the prices, take :class:`~hplasso.PathSearchCV`. It fits all steps in each fold.)

numbers = ["area", "age", "distance", "energy", "floor", "year"]
categories = ["district", "heating", "agent"]
columns = ColumnTransformer(
    [
        (
            "numbers",
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            numbers,
        ),
        ("levels", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    ],
    verbose_feature_names_out=False,
).set_output(transform="pandas")
train, test, y, y_test = train_test_split(flats, price, random_state=0)
model = make_pipeline(columns, HadamardLassoCV(rule="1se")).fit(train, y)
lasso = model[-1]
print(f"alpha {lasso.alpha_:.2f}, certified to {lasso.dual_gap_:.0e}")
print(f"{np.count_nonzero(lasso.coef_)} of {lasso.n_features_in_} columns are kept")
print(f"R2 on the test flats: {model.score(test, y_test):.3f}")

# %%
# Back to the units of the table
# ------------------------------
#
# A coefficient says what one standard deviation more of a number does. Divided by that standard
# deviation, it says what one unit more does. The means that the scaler took away go into the
# intercept. The result is a formula that can be used without the pipeline.


def in_units(model):
    """The coefficients that are not zero, by name, for the units of the table; the intercept."""
    scaler = model[0].named_transformers_["numbers"][-1]
    names = model[0].named_transformers_["numbers"].get_feature_names_out()
    coef = pd.Series(model[-1].coef_, model[0].get_feature_names_out())
    coef[names] /= scaler.scale_
    intercept = model[-1].intercept_ - coef[names] @ scaler.mean_
    return coef[coef != 0.0], intercept


coef, intercept = in_units(model)
for name, value in coef.items():
    print(f"{name:24}{value:8.2f} thousand euros")
complete = test.dropna()
by_hand = intercept + pd.get_dummies(complete)[coef.index].astype(float) @ coef
print(f"largest difference to the model: {np.abs(by_hand - model.predict(complete)).max():.0e}")

# %%
# How good are the numbers?
# -------------------------
#
# The rule of one standard error finds the seven columns that have an effect, and no others. The
# penalty shrinks their effects towards zero, and more so for levels than for numbers. A relaxed
# fit, :class:`~hplasso.HadamardRelaxedCV`, undoes the shrinkage, in part or completely. The picture
# shows both beside the truth: for a number the effect of one standard deviation, for a level its
# difference in price. The median in place of a missing energy does no harm here, because the energy
# is missing by chance and does not depend on the other columns.

relaxed = make_pipeline(columns, HadamardRelaxedCV(rule="1se")).fit(train, y)
print(f"relaxed: gamma {relaxed[-1].gamma_}, R2 {relaxed.score(test, y_test):.3f}")
scales = pd.Series(model[0].named_transformers_["numbers"][-1].scale_[: len(numbers)], numbers)
truth = pd.concat([per_unit * scales[per_unit.index], levels])
table = pd.DataFrame(
    {"lasso": lasso.coef_, "relaxed": relaxed[-1].coef_}, model[0].get_feature_names_out()
)
table.insert(0, "truth", truth.reindex(table.index, fill_value=0.0))
table = table[(table != 0.0).any(axis=1)].sort_values("truth")
print(table.round(1).to_string())
figure, ax = plt.subplots(figsize=(7.2, 4.4), layout="constrained")
rows = np.arange(len(table))
ax.axvline(0.0, color="0.8", linewidth=0.8)
ax.plot(table["truth"], rows, "|", color="black", markersize=18, label="truth")
ax.plot(table["lasso"], rows, "o", color=ORANGE, label="lasso, one standard error")
ax.plot(table["relaxed"], rows, "^", color=BLUE, label="relaxed, one standard error")
ax.set_yticks(rows, table.index)
ax.set_xlabel("thousand euros, for one standard deviation or for the level")
ax.legend(loc="lower right")
figure.savefig("table_coefficients.png", dpi=120)
