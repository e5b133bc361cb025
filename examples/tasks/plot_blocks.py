"""
Data in blocks: a path, a cross-validation, and a path of classes
=================================================================

Data that are larger than the memory are read block by block. ``Batches`` takes a function that
returns an iterator over blocks, from a file, a database, or whatever you have. It stands in the
place of X. This example counts how often the data are read. Least squares needs a single pass for
everything. Other losses need a few passes for a whole path.

The data are generated. They are in a file of 80 MB, and a block has 4 MB of it.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from hplasso import Batches, HadamardLassoCV, lasso_path, logistic_path

N_ROWS, N_FEATURES, BLOCK = 200_000, 50, 10_000

# %%
# A file
# ------
#
# The file has the features. Two more have a target and labels. The first eight features matter.

folder = tempfile.TemporaryDirectory()
paths = {name: Path(folder.name) / f"{name}.npy" for name in ("X", "y", "label")}
rng = np.random.default_rng(0)
coef = np.zeros(N_FEATURES)
coef[:8] = 1.0, -0.8, 0.6, -0.4, 0.3, -0.2, 0.1, -0.05
X = np.lib.format.open_memmap(paths["X"], mode="w+", dtype=float, shape=(N_ROWS, N_FEATURES))
y = np.lib.format.open_memmap(paths["y"], mode="w+", dtype=float, shape=(N_ROWS,))
label = np.lib.format.open_memmap(paths["label"], mode="w+", dtype=bool, shape=(N_ROWS,))
for start in range(0, N_ROWS, BLOCK):
    rows = slice(start, start + BLOCK)
    X[rows] = rng.standard_normal((BLOCK, N_FEATURES))
    linear = X[rows] @ coef
    y[rows] = linear + 3.0 * rng.standard_normal(BLOCK)
    label[rows] = linear + rng.logistic(size=BLOCK) > 0.0
del X, y, label  # which writes what is left to write
print(f"{paths['X'].stat().st_size / 1e6:.0f} MB on disk")

# %%
# Blocks, and a count of passes
# -----------------------------
#
# The function opens the files anew each time. So each pass sees the same rows, which is what
# ``Batches`` needs. A second function counts how often the first one is called.

passes = 0


def blocks(target):
    X = np.load(paths["X"], mmap_mode="r")
    y = np.load(paths[target], mmap_mode="r")
    for start in range(0, N_ROWS, BLOCK):
        yield X[start : start + BLOCK], y[start : start + BLOCK]


def counted(target):
    def factory():
        global passes
        passes += 1
        return blocks(target)

    return Batches(factory)


# %%
# Least squares: one pass
# -----------------------
#
# The cross-validation computes 100 penalties, five folds and their scores. All of that comes from
# the sums of products that the one pass has collected, for each fold by itself.

search = HadamardLassoCV(rule="1se").fit(counted("y"))
print(f"{search.n_passes_} pass, {np.count_nonzero(search.coef_)} features at {search.alpha_:.3f}")
print(f"duality gap {search.dual_gap_:.0e}")

# %%
# Classes: a few passes for a whole path
# --------------------------------------
#
# A path of logistic regression starts from the solutions for a sample of the rows, which the first
# pass draws. It has at most four million numbers. Each of the next passes serves all penalties at
# the same time. So more penalties hardly need more passes. The weakest penalty is a hundredth of
# the strongest.

COUNTS = (1, 3, 10, 30, 100)
needed = {"least squares": [], "logistic regression": []}
for count in COUNTS:
    passes = 0
    lasso_path(counted("y"), alphas=np.geomspace(1.0, 0.01, count), fit_intercept=True)
    needed["least squares"].append(passes)
    passes = 0
    Cs, coefs, intercepts, gaps = logistic_path(counted("label"), Cs=count, eps=0.01)
    needed["logistic regression"].append(passes)
    print(f"{count:3} penalties: {passes} passes, largest gap {gaps.max():.0e}")

# %%
# The left picture has the cross-validation, near its minimum. The right one has the passes.

figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.4), layout="constrained")
mean, error = search.mse_path_.mean(axis=-1), search.mse_se_
left.fill_between(search.alphas_, mean - error, mean + error, color="0.85", label="standard error")
left.semilogx(search.alphas_, mean, color="#0072B2", label="mean of five folds")
left.axvline(search.alpha_, color="0.4", linestyle="--", label="chosen")
low, step = mean.min(), error[mean.argmin()]
left.set(xlabel="alpha", ylabel="squared error", ylim=(low - 3 * step, low + 7 * step))
left.set_title("Cross-validation, from one pass")
left.legend()
for (name, counts), color in zip(needed.items(), ("#0072B2", "#D55E00"), strict=True):
    right.semilogx(COUNTS, counts, "o-", color=color, label=name)
right.set(xlabel="penalties of the path", ylabel="passes over the file", ylim=(0, None))
right.set_title("Passes of a path")
right.set_xticks(COUNTS, [str(count) for count in COUNTS])
right.minorticks_off()
right.legend()
figure.savefig("blocks.png", dpi=120)
folder.cleanup()

# %%
# What to take from this
# ----------------------
#
# - Least squares takes one pass, for any number of penalties and folds.
# - Logistic regression takes three to six passes here, for one penalty or for a hundred. So ask for
#   a path, and not for one fit after the other.
# - Dask arrays and data frames need no function: give them to ``fit`` as they are (:doc:`page on
#   large data </large_data>`).
