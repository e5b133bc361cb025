"""
Large data: memory maps, single precision, sparse matrices
==========================================================

Half a million rows of 50 features are 200 MB in double precision. The memory of a fit depends on
how the data are stored. Data on disk do not have to be read into memory as a whole. Single
precision takes half of the space. A sparse matrix stores only what is not zero. Estimators of this
package use all of these without a conversion. The data are generated, block by block.
"""

import tempfile
import time
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from hplasso import HadamardLasso, HadamardLassoCV

N_ROWS, N_FEATURES, BLOCK = 500_000, 50, 50_000
ALPHA = 0.02

# %%
# Data that are larger than the memory
# ------------------------------------
#
# ``open_memmap`` makes a file in NumPy's format that is written like an array. Here the numbers
# come from a generator. They could also come from a database, or from a text file that is read in
# pieces. Nine of ten entries are zero, as in counts of rare events. The features are on different
# scales.

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "X.npy"
rng = np.random.default_rng(0)
coef = np.zeros(N_FEATURES)
coef[:8] = 3.0, -2.0, 1.5, 1.0, -0.8, 0.6, 0.4, -0.3
units = rng.uniform(0.5, 2.0, N_FEATURES)
y = np.empty(N_ROWS)
on_disk = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(N_ROWS, N_FEATURES))
scaler = StandardScaler()
for start in range(0, N_ROWS, BLOCK):
    rows = slice(start, start + BLOCK)
    block = rng.random((BLOCK, N_FEATURES)) * (rng.random((BLOCK, N_FEATURES)) < 0.1)
    y[rows] = block @ coef + rng.standard_normal(BLOCK)
    on_disk[rows] = block * units
    scaler.partial_fit(on_disk[rows])
on_disk.flush()
del on_disk
print(f"{path.stat().st_size / 1e6:.0f} MB on disk")

# %%
# A scaler would make a second copy of all the data. The same model comes from ``penalty_weights``:
# with the standard deviations as weights, the penalty is that of the scaled features, and X stays
# as it is. The standard deviations were collected above, block by block.

weights = scaler.scale_
mapped = np.load(path, mmap_mode="r")
model = HadamardLasso(ALPHA, penalty_weights=weights).fit(mapped, y)
block = slice(0, BLOCK)
print(f"{np.count_nonzero(model.coef_)} of {N_FEATURES} features, gap {model.dual_gap_:.0e}")
print(f"R2 on the first rows: {model.score(mapped[block], y[block]):.3f}")

# %%
# What each kind of storage takes
# -------------------------------
#
# The table compares the same fit on the same numbers. *Data* is what has to be in memory before the
# fit. *Fit* is the largest amount that the fit needs in addition, as counted by Python's
# ``tracemalloc``. *Difference* compares the coefficients with those above. The last row is
# scikit-learn's ``Lasso`` on the scaled array. It makes a copy of that array. (With
# ``copy_X=False`` it makes none, and changes the array.)


def measure(estimator, X):
    """Seconds of a fit, and the memory that it takes at most, in MB."""
    begin = time.perf_counter()
    estimator.fit(X, y)
    seconds = time.perf_counter() - begin
    tracemalloc.start()
    estimator.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return seconds, peak


def storages(mapped):
    """Name, data and their MB in memory; one after the other, so that only one is there."""
    yield "memory map", mapped, 0.0
    X = np.array(mapped)
    yield "array", X, X.nbytes / 1e6
    single = X.astype(np.float32)
    yield "array, float32", single, single.nbytes / 1e6
    del single
    for convert in (sparse.csr_array, sparse.csc_array):
        S = convert(X)
        size = (S.data.nbytes + S.indices.nbytes + S.indptr.nbytes) / 1e6
        yield S.format.upper(), S, size


print("storage              data, MB   fit, MB   seconds   difference")
results = {}
for name, X, size in storages(mapped):
    lasso = HadamardLasso(ALPHA, penalty_weights=weights)
    seconds, peak = measure(lasso, X)
    results[name] = size, peak
    difference = np.abs(lasso.coef_ - model.coef_).max()
    print(f"{name:19}{size:10.0f}{peak:10.0f}{seconds:10.2f}{difference:13.0e}")
X = scaler.transform(mapped)
seconds, peak = measure(Lasso(ALPHA), X)
results["Lasso, array"] = X.nbytes / 1e6, peak
print(f"{'Lasso, array':19}{X.nbytes / 1e6:10.0f}{peak:10.0f}{seconds:10.2f}")
del X

figure, ax = plt.subplots(figsize=(6.8, 3.4), layout="constrained")
data, fits = np.array(list(results.values())).T
ax.barh(list(results), data, color="0.75", label="data")
ax.barh(list(results), fits, left=data, color="#0072B2", label="fit")
ax.invert_yaxis()
ax.set_xlabel("MB of memory")
ax.legend()
figure.savefig("large_memory.png", dpi=120)

# %%
# Cross-validation takes little more, because the folds are weights on the same data.

begin = time.perf_counter()
chosen = HadamardLassoCV(penalty_weights=weights, rule="1se").fit(mapped, y)
print(f"five folds, {chosen.alphas_.size} alphas: {time.perf_counter() - begin:.1f} s;", end=" ")
print(f"alpha {chosen.alpha_:.4f}, {np.count_nonzero(chosen.coef_)} features")
del mapped
folder.cleanup()

# %%
# What to choose
# --------------
#
# - *Data that fit into memory*: the array that you have.
# - *Data that do not*: a memory map. It is read in blocks, in the order in which it lies on the
#   disk. The operating system keeps in memory what there is space for.
# - *Single precision* if the data have no more digits. It takes half of the space. Sums are
#   computed in double precision, so that coefficients are as exact as single precision can hold.
# - *Sparse* if nine of ten entries or more are zero. A sparse number takes 12 bytes, with its
#   index, where a dense one takes 8, and products with it are slower for each number. CSC is fast
#   for columns, and CSR for rows. Both work.
# - *Data in pieces* (several files, a database): blocks, as in :ref:`the next example
#   <sphx_glr_auto_examples_tasks_plot_blocks.py>`.
# - *Too many rows*: often a random part of them is sufficient. Fit two parts, and see by how much
#   the coefficients differ.
