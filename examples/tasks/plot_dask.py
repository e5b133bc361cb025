"""
Dask: data that are nowhere in memory as a whole
================================================

Dask arrays go into ``fit`` as they are. The work is done where the blocks are, by threads, by the
processes of one computer, or by a cluster. This example starts a cluster of two processes on this
computer. The data are random numbers that Dask generates, 480 MB of them, when a block is needed.
While a model is fitted, the memory of the workers is recorded. It needs Dask:
``pip install ".[dask]"``.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster
from distributed.diagnostics import MemorySampler

from hplasso import HadamardLassoCV, HadamardLogisticRegression

N_ROWS, N_FEATURES, HEIGHT = 1_200_000, 50, 20_000
FEWER = 200_000

# %%
# The data
# --------
#
# Nothing is computed here. Ten features matter.

rng = da.random.default_rng(0)
X = rng.standard_normal((N_ROWS, N_FEATURES), chunks=(HEIGHT, -1))
coef = np.zeros(N_FEATURES)
coef[:10] = np.linspace(1.0, 0.1, 10)
y = X @ coef + rng.standard_normal(N_ROWS, chunks=HEIGHT)
label = X @ coef + rng.logistic(size=N_ROWS, chunks=HEIGHT) > 0.0

# %%
# Two models, on a cluster
# ------------------------
#
# Nothing in the calls names the cluster, because it is the current scheduler. On a cluster of many
# computers, only the line with ``LocalCluster`` differs. A cross-validation of least squares takes
# one pass over the data, and a logistic regression a few. Here this is fitted to fewer rows first,
# so that the workers have imported everything when the record of their memory begins. (A script
# that starts processes has to be guarded like this one.)

OPTIONS = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}

if __name__ == "__main__":
    print(f"{X.nbytes / 1e6:.0f} MB in {X.numblocks[0]} blocks")
    sampler = MemorySampler()
    with LocalCluster(**OPTIONS) as cluster, Client(cluster):
        classes = HadamardLogisticRegression(C=1.0 / (0.01 * FEWER)).fit(X[:FEWER], label[:FEWER])
        with sampler.sample(interval=0.05):
            search = HadamardLassoCV(rule="1se").fit(X, y)
    for model in (classes, search):
        name, count = type(model).__name__, np.count_nonzero(model.coef_)
        print(f"{name}: passes {model.n_passes_}, features {count}, gap {model.dual_gap_:.0e}")

# %%
# The same bits
# -------------
#
# The blocks are merged in a fixed order. So a fit by threads of this process, without a cluster,
# has the same coefficients, to the last bit.

if __name__ == "__main__":
    again = HadamardLassoCV(rule="1se").fit(X, y)
    print((again.coef_ == search.coef_).all(), again.alpha_ == search.alpha_)

# %%
# The memory of both workers
# --------------------------
#
# The dashed line is what the numbers of X would take, beside what the workers took before.

if __name__ == "__main__":
    memory = sampler.to_pandas(align=True).iloc[:, 0] / 1e6
    seconds = memory.index.total_seconds()
    figure, ax = plt.subplots(figsize=(6.8, 3.2), layout="constrained")
    ax.plot(seconds, memory, color="#0072B2", label="both workers")
    ax.axhline(memory.iloc[0] + X.nbytes / 1e6, color="0.4", linestyle="--", label="with all of X")
    ax.set(xlabel="seconds", ylabel="MB", ylim=(0, None))
    ax.legend(loc="lower right")
    figure.savefig("dask_memory.png", dpi=120)

# %%
# Predictions
# -----------
#
# Predictions for a Dask array are lazy, too. Only the first ones are computed here.

if __name__ == "__main__":
    predictions = search.predict(X)
    print(type(predictions).__module__, predictions.shape)
    print(np.round(predictions[:3].compute(), 2))
