"""
Time series: folds in the order of time
=======================================

How much will be sold on this day next week? The features are the sales of past weeks, the day of
the week, and 80 other series. Neighbouring days are alike. Folds that are shuffled put neighbours
of each test day into the training days. The error that they show is then too small, and so is the
penalty that they choose. ``TimeSeriesSplit`` trains on the past and tests on the future, which is
how the model will be used. The series are generated: two of the 80 have an effect.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.signal import lfilter
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hplasso import HadamardLassoCV

BLUE, ORANGE = "#0072B2", "#E69F00"

# %%
# The series
# ----------
#
# All 80 move slowly, as prices, temperatures or numbers of users do. Sales depend on the day of the
# week, on two of the series seven days before, on a disturbance that lasts for some days, and on
# noise.

HORIZON, N_DAYS, N_SERIES = 7, 1600, 80
rng = np.random.default_rng(0)


def slow(n_series, memory):
    """Autoregressive series of variance one; `memory` is the correlation from day to day."""
    noise = np.sqrt(1.0 - memory**2) * rng.standard_normal((N_DAYS + 500, n_series))
    return lfilter([1.0], [1.0, -memory], noise, axis=0)[500:]


days = pd.date_range("2020-01-01", periods=N_DAYS)
others = pd.DataFrame(slow(N_SERIES, 0.98), days, [f"series {i}" for i in range(N_SERIES)])
weekday = np.array([0.0, 0.6, 0.8, 0.8, 0.4, -2.0, -2.4])[days.day_of_week]
sales = weekday + others.shift(HORIZON)[["series 0", "series 1"]] @ [1.0, -0.7]
sales += 1.5 * slow(1, 0.9)[:, 0] + 0.5 * rng.standard_normal(N_DAYS)

# %%
# The features are what is known a week ahead: sales from seven days ago and before, the other
# series as they were seven days ago, and the day of the week. The worst error here is to use a
# feature that is not known at the time of the forecast. No splitter notices that.

lags = {f"sales, {lag} days before": sales.shift(lag) for lag in range(HORIZON, 29)}
X = pd.concat([pd.DataFrame(lags), others.shift(HORIZON)], axis=1)
X = X.join(pd.get_dummies(days.day_name()).set_axis(days).astype(float)).iloc[60:]
y = sales.loc[X.index]
past, future = X.index[:1000], X.index[1000:]
print(f"{len(past)} days to learn from, {len(future)} days after them, {X.shape[1]} features")

# %%
# Two kinds of folds
# ------------------
#
# ``gap`` leaves out the days between training and test days whose sales are not known yet at the
# time of the forecast.

alphas = np.geomspace(1.0, 1e-3, 40)
splitters = {
    "shuffled": KFold(5, shuffle=True, random_state=0),
    "in order": TimeSeriesSplit(5, gap=HORIZON - 1),
}
models = {}
print("folds       alpha   features   error promised   error on the future")
for name, splitter in splitters.items():
    model = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        HadamardLassoCV(alphas=alphas, cv=splitter),
    )
    models[name] = model.fit(X.loc[past], y.loc[past])
    lasso = model[-1]
    promised = np.sqrt(lasso.mse_path_.mean(axis=1).min())
    error = np.sqrt(np.mean((model.predict(X.loc[future]) - y.loc[future]) ** 2))
    n_kept = np.count_nonzero(lasso.coef_)
    print(f"{name:9}{lasso.alpha_:8.4f}{n_kept:11d}{promised:17.2f}{error:22.2f}")
last_week = np.sqrt(np.mean((sales.shift(HORIZON).loc[future] - y.loc[future]) ** 2))
print(f"{'the value of a week before':45}{last_week:22.2f}")

# %%
# With shuffled folds, the error of the cross-validation is smaller than the error on the future
# days. The 80 slow series show a model which days are close to each other. So it can guess the
# disturbance of a test day from the days next to it. This does not help to forecast a week ahead:
# the model is no better than the sales of a week before. Folds in the order of time choose a simple
# model. Their error is close to the error on the future days. It is a little larger, because the
# first fold is trained on only a sixth of the past.
#
# The picture shows the errors along the whole path, and those on the future, which must not be used
# for a choice. In a real analysis, keep the last days for a test, as here. The test shows whether
# the error of the cross-validation can be trusted.

lasso = models["in order"][-1]
scaled = models["in order"][:-1].transform(X.loc[future])
curves = {name: np.sqrt(model[-1].mse_path_.mean(axis=1)) for name, model in models.items()}
curves["future"] = [
    np.sqrt(np.mean((lasso.at(alpha).predict(scaled) - y.loc[future]) ** 2))
    for alpha in lasso.alphas_
]
figure, ax = plt.subplots(figsize=(6.8, 4.4), layout="constrained")
for (name, curve), colour in zip(curves.items(), (ORANGE, BLUE, "black"), strict=True):
    label = name if name == "future" else f"folds {name}"
    ax.plot(lasso.alphas_, curve, color=colour, label=label)
for name, colour in (("shuffled", ORANGE), ("in order", BLUE)):
    chosen = models[name][-1].alpha_
    ax.axvline(chosen, color=colour, linestyle="--", linewidth=1.0)
ax.set(xscale="log", xlabel="alpha (dashed: chosen)", ylabel="root mean squared error")
ax.invert_xaxis()
figure.legend(loc="outside upper center", ncols=3)
figure.savefig("time_series_folds.png", dpi=120)

# %%
# These are the coefficients of the model that the ordered folds choose, each for one standard
# deviation of its feature:

kept = pd.Series(lasso.coef_, lasso.feature_names_in_)
print(kept[kept != 0.0].sort_values().round(2).to_string())
