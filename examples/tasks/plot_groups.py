"""
Groups: categories and curves, as a whole or not at all
=======================================================

Which columns of a table have an effect? A category becomes an indicator for each of its levels, and
the curve of a number becomes several basis functions. The lasso selects among these pieces. The
group lasso selects among the columns of the table: it keeps all pieces of a column, or none. The
data are generated, so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from hplasso import HadamardGroupLasso, HadamardLasso, group_path, lasso_path

BLUE, GREY = "#0072B2", "0.75"
COLOURS = {"hour": BLUE, "temperature": "#D55E00", "weather": "#009E73", "day": "#CC79A7"}

# %%
# The table
# ---------
#
# A town counts the bicycles on a bridge, in 1500 hours. Four columns have an effect: the hour and
# the temperature by curves, the weather and the day by their levels. The five other columns have
# none. The noise is large.

rng = np.random.default_rng(0)
n = 1500
table = pd.DataFrame(
    {
        "hour": rng.integers(0, 24, n),
        "temperature": rng.normal(14.0, 8.0, n),
        "wind": rng.gamma(3.0, 4.0, n),
        "pressure": rng.normal(1013.0, 8.0, n),
        "weather": rng.choice(["sun", "clouds", "rain", "snow", "fog"], n),
        "day": rng.choice(["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"], n),
        "lane": rng.choice(["left", "right"], n),
        "sensor": rng.choice([f"S{i}" for i in range(6)], n),
        "observer": rng.choice([f"O{i}" for i in range(12)], n),
    }
)
rush = sum(np.exp(-(((table["hour"] - peak) / 3.0) ** 2)) for peak in (8, 17))
truth = 250.0 + 80.0 * rush - 0.1 * (table["temperature"] - 22.0) ** 2
truth += table["weather"].map({"sun": 30, "clouds": 10, "fog": 0, "rain": -40, "snow": -60})
truth += table["day"].map({"Sa": -40, "Su": -60}).fillna(0)
bicycles = truth + rng.normal(0.0, 90.0, n)
train, test, y, y_test = train_test_split(table, bicycles, random_state=0)
print(table.head().to_string())

# %%
# Pieces of columns, and groups by their names
# --------------------------------------------
#
# The pieces have names such as ``temperature_sp_3`` and ``weather_rain``. What is before the first
# underscore is the column, and the group. A function says so to the group lasso. The pieces are
# standardised. So groups without an effect become non-zero at about the same alpha, whatever their
# size is.

numbers = ["hour", "temperature", "wind", "pressure"]
categories = ["weather", "day", "lane", "sensor", "observer"]


def column(piece):
    """The column of the table that a piece comes from."""
    return piece.partition("_")[0]


pieces = make_pipeline(
    ColumnTransformer(
        [
            ("curves", SplineTransformer(n_knots=5, knots="quantile"), numbers),
            ("levels", OneHotEncoder(sparse_output=False), categories),
        ],
        verbose_feature_names_out=False,
    ),
    StandardScaler(),
).set_output(transform="pandas")
X = pieces.fit_transform(train)
print(X.shape, *X.columns[[0, 1, 7, 28, 29]])

# %%
# The penalty
# -----------
#
# ``GridSearchCV`` compares penalties. Its ``refit`` may be a function that chooses one of them.
# Here it chooses the strongest penalty whose score is within one standard error of the best. (The
# alphas are in decreasing order.)

folds = KFold(5, shuffle=True, random_state=0)


def one_standard_error(results):
    """Which candidate is refitted."""
    scores = results["mean_test_score"]
    best = scores.argmax()
    enough = scores[best] - results["std_test_score"][best] / np.sqrt(folds.n_splits)
    return np.flatnonzero(scores >= enough)[0]


models = {"group lasso": HadamardGroupLasso(groups=column), "lasso": HadamardLasso()}
chosen = {}
for name, model in models.items():
    pipeline = make_pipeline(pieces, model)
    grid = {f"{pipeline.steps[-1][0]}__alpha": np.geomspace(50.0, 1.0, 20)}
    search = GridSearchCV(pipeline, grid, cv=folds, refit=one_standard_error).fit(train, y)
    chosen[name] = search.best_estimator_[-1]
    score, alpha = search.score(test, y_test), chosen[name].alpha
    print(f"{name}: alpha {alpha:.2f}, R2 on the test hours {score:.3f}")
print(f"truth: R2 on the test hours {r2_score(y_test, truth[test.index]):.3f}")

# %%
# Kept or dropped
# ---------------
#
# A square is a piece. It is filled if its coefficient is not zero. The group lasso keeps the four
# columns with an effect, and no other. The lasso keeps some of their pieces. The levels that it
# drops all get the same effect, which is in the intercept. (Other seeds give other noise. With the
# seeds 1 to 5, the group lasso keeps none, one or two of the five columns without an effect. The
# lasso keeps pieces of one to four of them.)

names = numbers + categories
figure, axes = plt.subplots(1, 2, figsize=(8.8, 3.4), sharey=True, layout="constrained")
for ax, (name, model) in zip(axes, chosen.items(), strict=True):
    on = pd.Series(model.coef_ != 0.0, X.columns)
    for row, label in enumerate(names):
        of_column = on[[column(piece) == label for piece in X.columns]]
        colour = COLOURS.get(label, GREY)
        faces = [colour if each else "none" for each in of_column]
        ax.scatter(range(len(faces)), [row] * len(faces), 70, faces, marker="s", edgecolors=colour)
    ax.set(title=f"{name}, alpha {model.alpha:.1f}", xlabel="piece of the column", xticks=[])
axes[0].set_yticks(range(len(names)), names)
axes[0].invert_yaxis()
figure.savefig("groups_kept.png", dpi=120)

# %%
# Along the path
# --------------
#
# The norm of a group says how large its coefficients are: the square root of the sum of their
# squares. On the path of the group lasso, a line that leaves zero is a column that enters as a
# whole. The columns with an effect enter first. On the path of the lasso, columns enter piece by
# piece. The dashed line is the alpha of the search.

options = {"alphas": np.geomspace(25.0, 0.5, 100), "fit_intercept": True, "tol": 1e-6}
paths = {
    "group lasso": group_path(X, y, groups=column, **options),
    "lasso": lasso_path(X, y, **options),
}
figure, axes = plt.subplots(1, 2, figsize=(8.8, 4.0), sharey=True, layout="constrained")
for ax, (name, (alphas, coefs, _)) in zip(axes, paths.items(), strict=True):
    norms = np.sqrt((pd.DataFrame(coefs, X.columns) ** 2).groupby(column).sum())
    for label in sorted(names, key=COLOURS.__contains__):  # those with an effect on top
        ax.semilogx(alphas, norms.loc[label], color=COLOURS.get(label, GREY))
    ax.axvline(chosen[name].alpha, color="black", linestyle="--", linewidth=0.8)
    ax.invert_xaxis()
    ax.set(title=name, xlabel="alpha")
axes[0].set_ylabel("norm of the coefficients of a column")
axes[0].legend(axes[0].lines[4:9], ["no effect", *COLOURS])
figure.savefig("groups_path.png", dpi=120)
