"""
More features than samples: which genes would be found again
============================================================

The activity of 5000 genes and the level of a substance in the blood were measured in 200 patients.
A few of the genes have an effect on this level. A lasso selects some features from any data. How
many of them are selected by chance? Stability selection fits the path to many random halves of the
patients, and keeps what most halves select. There is a bound for the expected number of false
features among these. The data are generated, so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np

from hplasso import HadamardLassoCV, HadamardStabilitySelection, StabilityDisplay

# %%
# Genes that are regulated together are correlated: here in 500 groups of ten, with a correlation of
# 0.7 within a group. Six genes have an effect, each in a group of its own.

N_PATIENTS, N_GROUPS, SIZE = 200, 500, 10
TRUE = SIZE * np.arange(6)


def draw(seed, correlation=0.7):
    """The activities of the genes, and the level in the blood."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.standard_normal((N_PATIENTS, N_GROUPS)), SIZE, axis=1)
    own = rng.standard_normal((N_PATIENTS, N_GROUPS * SIZE))
    genes = np.sqrt(correlation) * shared + np.sqrt(1.0 - correlation) * own
    effects = np.linspace(1.2, 0.7, TRUE.size)
    return genes, genes[:, TRUE] @ effects + 1.5 * rng.standard_normal(N_PATIENTS)


def count(selected):
    """How many of the six are selected, and how many others."""
    right = np.isin(selected, TRUE).sum()
    return f"{right} of the six, {selected.size - right} others"


genes, level = draw(seed=0)

# %%
# Cross-validation
# ----------------
#
# Cross-validation aims at predictions. A few false features do little harm to these, so it selects
# dozens of them. The list of features does not show which ones are false.

validated = HadamardLassoCV().fit(genes, level)
print(f"cross-validation: {count(np.flatnonzero(validated.coef_))}")

# %%
# Selection probabilities
# -----------------------
#
# The picture shows for each gene, at each alpha, the fraction of the halves in which it is
# selected. On the left the penalty is strong, and no gene is selected. The genes that matter are
# selected first, and in most halves. Then some of the others are selected, each in a few halves,
# and not in the same ones.

selector = HadamardStabilitySelection(max_false=1.0, random_state=0).fit(genes, level)
figure, ax = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
StabilityDisplay.from_estimator(selector, n_labels=6, ax=ax)
figure.savefig("genes_stability.png", dpi=120)

# %%
# The path of a half stops when it has selected more genes than the bound allows. Of 5000 genes, at
# a threshold of 0.75, at most one false selection is expected if a half selects 50 of them on
# average.

print(f"genes that a half selects:    {selector.n_selected_:.1f}")
print(f"threshold:                    {selector.threshold_:.2f}")
print(f"false selections, expected:   at most {selector.max_false_:.2f}")
print(f"stability selection:          {count(selector.get_support(indices=True))}")

# %%
# Other patients
# --------------
#
# One data set may give a good result by luck. On five more data sets, stability selection misses
# some of the weaker genes, and selects hardly any false one.

for seed in range(1, 6):
    others, levels = draw(seed)
    validated.fit(others, levels)
    selector.set_params(n_resamples=50).fit(others, levels)
    print(f"cross-validation: {count(np.flatnonzero(validated.coef_)):27}", end="")
    print(f"stability selection: {count(selector.get_support(indices=True))}")

# %%
# Genes that can hardly be told apart
# -----------------------------------
#
# With a correlation of 0.95 within a group, different halves select different genes of the group,
# and only one of the six reaches the threshold. The data say which group matters, and not which
# gene. Then the group is the feature: here its mean. (Where the groups are not known, cluster the
# genes first.)

genes, level = draw(seed=0, correlation=0.95)
selector = HadamardStabilitySelection(random_state=0)
print(f"genes:  {count(selector.fit(genes, level).get_support(indices=True))}")
means = genes.reshape(N_PATIENTS, N_GROUPS, SIZE).mean(axis=2)
groups = selector.fit(means, level).get_support(indices=True)
print(f"groups: {count(SIZE * groups)}")

# %%
# What it does not say
# --------------------
#
# - The bound holds whatever the distribution of the data is, as long as the features that do not
#   matter are alike, and the selection is no worse than one at random. Neighbours of a gene that
#   matters are not like the others: they are selected more often.
# - The bound is for the worst case. There is a smaller one for unimodal distributions (Shah and
#   Samworth 2013), with ``assumption="unimodal"``.
# - A selection probability is not a p-value. It is not the probability that a gene matters, either.
# - A gene that predicts a level need not be its cause.
#
# References
# ----------
#
# N. Meinshausen and P. Bühlmann, Stability selection, Journal of the Royal Statistical Society B 72
# (2010) 417-473.
#
# R. D. Shah and R. J. Samworth, Variable selection with error control: another look at stability
# selection, Journal of the Royal Statistical Society B 75 (2013) 55-80.
