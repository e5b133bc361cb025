"""
100 samples, 40,000 features: Adam on factors, and an exact solver
==================================================================

Ziyin and Wang (2023) showed that, on very wide data, Adam on the factors of a linear model finds
the lasso by gradient steps alone. They compared it, on a GPU, with coordinate descent to twelve
digits. Here Adam and :class:`~hplasso.HadamardLasso` run on one core. ``HadamardLasso`` sweeps,
then solves in closed form on the few features that matter, and reports its gap. For Adam, the
distance from this minimum is measured after every 25 steps. ``examples/benchmarks/wide_demo.py``
takes ten times the steps.

Gradient methods are meant for models without this structure, not for the lasso. But the example
shows that they reach its minimum, too.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import torch

from hplasso import HadamardLasso
from hplasso.torch import parameter_groups, round_to_zero, sparsify

torch.set_num_threads(1)
rng = np.random.default_rng(0)
X, coef = rng.standard_normal((100, 40_000)), np.zeros(40_000)
coef[rng.permutation(40_000)[:10]] = rng.standard_normal(10)
y = X @ coef + 0.1 * rng.standard_normal(100)
alpha, null = 0.1 * np.abs(X.T @ y).max() / 100, float(y @ y) / 100

begin = time.perf_counter()
lasso = HadamardLasso(alpha, fit_intercept=False, tol=1e-10).fit(X, y)
seconds = time.perf_counter() - begin
on = np.flatnonzero(lasso.coef_)
print(f"HadamardLasso: gap {lasso.dual_gap_ / null:.0e} of the null loss, {on.size} coefficients")


def objective(weight):
    """The lasso's objective."""
    return 0.5 * ((X @ weight - y) ** 2).mean() + alpha * np.abs(weight).sum()


# %%
# The model starts from zero: one factor is zero, the other is not, so that every weight can move.

inputs, outputs = torch.from_numpy(X).float(), torch.from_numpy(y).float()
layer = torch.nn.Linear(40_000, 1, bias=False)
torch.nn.init.zeros_(layer.weight)
sparsify(layer)
optimizer = torch.optim.Adam(parameter_groups(layer, alpha), lr=0.01)


def loss():
    """The mean loss, without the penalty."""
    return 0.5 * (layer(inputs)[:, 0] - outputs).square().mean()


def weight():
    """The weights of the model."""
    return layer.weight.detach().double().numpy()[0]


elapsed, distances = [], []
begin = time.perf_counter()
for step in range(1000):
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()
    if step % 25 == 24:
        elapsed.append(time.perf_counter() - begin)
        distances.append((objective(weight()) - objective(lasso.coef_)) / null)
zeros = round_to_zero(layer, loss, alpha)["weight"][0].numpy()
rounded = (objective(weight()) - objective(lasso.coef_)) / null
print(f"Adam on factors: {distances[-1]:.0e} above the minimum, {rounded:.0e} after round_to_zero,")
print(
    f"which leaves {np.count_nonzero(~zeros)} weights; {np.isin(on, np.flatnonzero(~zeros)).sum()}",
    end=" ",
)
print(f"of the {on.size} exact ones are among them")

# %%
# The time of the exact solver is the dotted line.

figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
ax.plot(elapsed, distances, marker=".", label="Adam on factors")
ax.axvline(seconds, color="0.3", linestyle=":", label="HadamardLasso, solved")
ax.set(xscale="log", yscale="log", xlabel="seconds", ylabel="above the minimum / null loss")
ax.legend()
figure.savefig("torch_wide.png", dpi=120)
