"""
Stability selection: which features would be selected again
===========================================================

A lasso selects features, whatever the data. How many of them are there by chance? Stability
selection fits the path to many random halves of the samples, and keeps what most halves select. The
expected number of false features among these has a bound. Here on data where the truth is known:
ten features of a thousand, 200 samples.
"""

import matplotlib.pyplot as plt
import numpy as np

from hplasso import HadamardLassoCV, HadamardStabilitySelection, StabilityDisplay

rng = np.random.default_rng(0)
X = rng.standard_normal((200, 1000))
true = np.arange(10)
y = X[:, true] @ np.linspace(1.5, 0.6, 10) + 1.5 * rng.standard_normal(200)

# %%
# Selection probabilities
# -----------------------
#
# The picture shows, for each feature, in which part of the halves it is selected at each alpha. To
# the left, under a strong penalty, there are none. Those that matter come first, and in most
# halves; then some of the others, each in a few halves, and not in the same ones. A single path has
# these as well, and does not tell them from the first.

selector = HadamardStabilitySelection(max_false=1.0, random_state=0).fit(X, y)
figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
StabilityDisplay.from_estimator(selector, n_labels=10, ax=ax)
figure.savefig("stability.png", dpi=120)

# %%
# The halves stop where they have selected more features than the bound allows for: of 1000
# features, at a threshold of 0.75, one false selection is expected at most if halves select 22 of
# them.

print(f"features that a half selects:  {selector.n_selected_:.1f}")
print(f"threshold:                     {selector.threshold_:.2f}")
print(f"false selections, expected:    at most {selector.max_false_:.2f}")
print(f"selected:                      {selector.get_support(indices=True)}")

# %%
# How many are false
# ------------------
#
# Cross-validation aims at predictions. A few features too many do little harm there, and it lets in
# dozens. The next figure counts the true and the false features that are selected as the bound
# grows: for the worst case, and for the smaller bound that unimodal distributions have.

validated = HadamardLassoCV().fit(X, y)
found = np.flatnonzero(validated.coef_)
print(f"cross-validation: {np.isin(found, true).sum()} of the ten, {found.size} in all")

bounds = [0.1, 0.3, 1.0, 3.0, 10.0]
figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
for assumption, colour in (("none", "#0072B2"), ("unimodal", "#E69F00")):
    selector = HadamardStabilitySelection(
        threshold=0.6, assumption=assumption, n_resamples=50, random_state=0
    )
    supports = [selector.set_params(max_false=v).fit(X, y).get_support() for v in bounds]
    right = np.array([support[true].sum() for support in supports])
    wrong = np.array([support.sum() for support in supports]) - right
    ax.plot(bounds, right, "o-", color=colour, label=f"of the ten ({assumption})")
    ax.plot(bounds, wrong, "s--", color=colour, label=f"false ({assumption})")
ax.plot(bounds, bounds, color="0.6", linewidth=1.0, label="the bound")
ax.set(xscale="log", xlabel="max_false", ylabel="features that are selected", ylim=(-0.5, 15.0))
ax.legend(loc="upper left", fontsize="small")
figure.savefig("stability_bounds.png", dpi=120)

# %%
# What happens is far below the bound, which holds whatever the distribution of the data is, as long
# as the features that do not matter are alike. With strong correlations between these and the
# others, which is not so, more are selected.
