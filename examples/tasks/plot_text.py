"""
A few words out of many: sparse logistic regression
===================================================

Texts as bags of words: 2000 of them, 20,000 words, nearly all counts zero. The class of a text
depends on twenty words. Does an L1 penalty find them? As the texts are made up, we can look.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import train_test_split

from hplasso import (
    CrossValidationDisplay,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    RegularizationPathDisplay,
    logistic_path,
)

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "0.7"
TICKS = (0.3, 0.5, 1, 2, 3, 5)  # of C

# %%
# Words come with the frequencies of a natural language, the k-th most frequent one in proportion to
# ``1 / k``. Twenty words, neither among the most frequent nor rare, speak for one class or the
# other. Words are weighed by TF-IDF, and X stays sparse throughout.

rng = np.random.default_rng(0)
n_texts, n_words, length = 2000, 20_000, 150
frequency = 1.0 / np.arange(1, n_words + 1)
drawn = rng.choice(n_words, size=(n_texts, length), p=frequency / frequency.sum())
rows = np.repeat(np.arange(n_texts), length)
counts = sparse.csr_array((np.ones(drawn.size), (rows, drawn.ravel())), (n_texts, n_words))
X = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
telling = np.sort(rng.choice(np.arange(20, 200), 20, replace=False))
truth = np.zeros(n_words)
truth[telling] = rng.choice([-1.0, 1.0], 20) * rng.uniform(15.0, 40.0, 20)
score = X @ truth
y = np.where(rng.random(n_texts) < expit(score - score.mean()), "pro", "contra")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
density = X.nnz / (X.shape[0] * X.shape[1])
print(f"{n_texts} texts, {n_words} words, {density:.2%} of the entries not zero")
print(f"the best one can do: {np.mean((score - score.mean() > 0) == (y == 'pro')):.3f} right")

# %%
# Cross-validation, in five folds, chooses C by the loss on the texts left out: the best one, and
# the smallest within one standard error of it. A fit at either takes a fraction of a second, and
# says how exact it is.

cross_validation = HadamardLogisticRegressionCV(Cs=20, eps=0.05, rule="1se")
begin = time.perf_counter()
cross_validation.fit(X_train, y_train)
print(f"cross-validation of 20 values of C: {time.perf_counter() - begin:.1f} s")
models = {}
for rule, C in (("min", cross_validation.C_min_), ("1se", cross_validation.C_1se_)):
    begin = time.perf_counter()
    models[rule] = model = HadamardLogisticRegression(C).fit(X_train, y_train)
    seconds = time.perf_counter() - begin
    found = np.flatnonzero(model.coef_[0])
    right = np.intersect1d(found, telling).size
    print(f"{rule}: C {C:.2f}, {found.size} words, among them {right} of the 20;", end=" ")
    print(f"{model.score(X_test, y_test):.3f} right on new texts;", end=" ")
    print(f"{seconds:.2f} s, gap {model.dual_gap_:.0e}")

figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
CrossValidationDisplay.from_estimator(cross_validation, ax=ax)
ax.set_xticks(TICKS, TICKS)
ax.minorticks_off()
figure.savefig("sparse_text_cv.png", dpi=120)

# %%
# The path shows the order in which words come in. The telling ones are coloured: most of them come
# first, and grow; of the others there are soon more, but they stay small.

Cs, coefs, _, gaps = logistic_path(X_train, y_train, Cs=40, eps=0.05)
live = np.flatnonzero(coefs.any(axis=1))
figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
marks = {rule: model.C for rule, model in models.items()}
display = RegularizationPathDisplay.from_path(
    Cs, coefs, chosen=marks, penalty_name="C", n_labels=0, ax=ax
)
for line, word in zip(display.line_, live, strict=True):
    tells = word in telling
    line.set(color=BLUE if tells else GREY, linewidth=1.5 if tells else 0.8, zorder=2 + tells)
ax.plot([], [], color=BLUE, label="telling words")
ax.plot([], [], color=GREY, label="others")
ax.legend(loc="lower left")
ax.set_xticks(TICKS, TICKS)
ax.minorticks_off()
figure.savefig("sparse_text_path.png", dpi=120)

# %%
# Against the truth, the coefficients of the telling words are too small. That is the price of the
# L1 penalty, and lower at the larger C, which lets more of the other words in. No C keeps just the
# twenty.

figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
for (rule, model), marker, colour in zip(models.items(), "o^", (ORANGE, BLUE), strict=True):
    ax.plot(truth, model.coef_[0], marker, color=colour, markersize=5, label=f"C by rule {rule!r}")
ax.axline((0.0, 0.0), slope=1.0, color="0.5", linestyle=":", label="the truth")
ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
ax.set(xlabel="true coefficient", ylabel="coefficient found")
ax.legend(loc="upper left")
figure.savefig("sparse_text_truth.png", dpi=120)
counts_right = [np.count_nonzero(coefs[telling, column]) for column in range(Cs.size)]
counts_all = np.count_nonzero(coefs, axis=0)
first = counts_right.index(20)
print(f"all 20 are in from C = {Cs[first]:.2f} on, together with {counts_all[first] - 20} others")
