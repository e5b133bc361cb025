"""
Gradient methods on factors, and two ways to get them wrong
===========================================================

Here the lasso is trained as a PyTorch model with one linear layer. ``hplasso.torch.sparsify`` turns
its weight into a product of two factors, and the weight decay of the optimiser becomes the L1
penalty. :class:`~hplasso.HadamardLasso` gives the exact minimum. So each choice can be judged by
how far its objective is from the minimum. Gradient steps are not needed for the lasso itself, but
there is no other way for a network.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from hplasso import HadamardLasso
from hplasso.torch import kkt, parameter_groups, remove, round_to_zero, sparsify

torch.set_num_threads(1)

# %%
# There are 200 samples of 500 features, ten of which have an effect.

rng = np.random.default_rng(0)
X, coef = rng.standard_normal((200, 500)), np.zeros(500)
coef[:10] = rng.standard_normal(10)
y = X @ coef + 0.5 * rng.standard_normal(200)
alpha = 0.1 * np.abs(X.T @ y).max() / len(y)
exact = HadamardLasso(alpha, tol=1e-12, fit_intercept=False).fit(X, y).coef_
inputs, outputs = torch.from_numpy(X), torch.from_numpy(y)


def objective(weight):
    """The lasso's objective."""
    return 0.5 * ((X @ weight - y) ** 2).mean() + alpha * np.abs(weight).sum()


def distance(layer):
    """How far a layer is from the minimum, relative to the loss of the model without features."""
    weight = layer.weight.detach().numpy()[0]
    return (objective(weight) - objective(exact)) / objective(0.0 * weight)


def loss(layer):
    """The mean loss, without the penalty."""
    return 0.5 * (layer(inputs)[:, 0] - outputs).square().mean()


# %%
# There are five ways to train. Two are right: SGD and Adam on the factors, with the penalty as
# weight decay. AdamW does not add the decay to the gradient. It shrinks the factors in a separate
# step, while it scales the gradient of each of them. So its weights end elsewhere. Adam also fails
# from factors of equal sizes, ``(sign(w) sqrt|w|, sqrt|w|)``. They keep their signs at every step
# of any gradient method. Weights that start with the wrong sign end at zero, although zero is not
# optimal for them. The fifth is the usual way without factors: the penalty is in the loss, with a
# subgradient at zero.


def new_layer(products=True):
    """The same first weights each time."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(500, 1, bias=False, dtype=torch.float64)
    return sparsify(layer) if products else layer


def balanced(layer):
    """Factors of equal sizes, with the same product."""
    factors = layer.parametrizations.weight
    with torch.no_grad():
        size = layer.weight.abs().sqrt()
        factors.original0.copy_(layer.weight.sign() * size)
        factors.original1.copy_(size)
    return layer


def train(layer, optimizer, penalised=False, n_steps=2000):
    """Distances from the minimum, at each step."""
    distances = []
    for _ in range(n_steps):
        optimizer.zero_grad()
        value = loss(layer)
        if penalised:
            value = value + alpha * layer.weight.abs().sum()
        value.backward()
        optimizer.step()
        distances.append(distance(layer))
    return distances


layers = {
    "SGD on factors": new_layer(),
    "Adam on factors": new_layer(),
    "AdamW on factors": new_layer(),
    "Adam from balanced factors": balanced(new_layer()),
    "Adam on the weights, subgradient": new_layer(products=False),
}
styles = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "0.4")
figure, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
for (name, layer), colour in zip(layers.items(), styles, strict=True):
    if name == "SGD on factors":
        groups = parameter_groups(layer, alpha)
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    elif "subgradient" in name:
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.005)
    else:
        method = torch.optim.AdamW if "AdamW" in name else torch.optim.Adam
        optimizer = method(parameter_groups(layer, alpha), lr=0.005)
    distances = train(layer, optimizer, penalised="subgradient" in name)
    print(f"{name:34s} {distances[-1]:.1e} above the minimum")
    ax.plot(np.maximum(distances, 1e-16), color=colour, label=name)
ax.set(yscale="log", xlabel="step", ylabel="above the minimum, relative to the null loss")
figure.legend(loc="outside upper center", ncols=2)
figure.savefig("torch_lasso.png", dpi=120)

# %%
# Exact zeros
# -----------
#
# No weight is zero after training. :func:`~hplasso.torch.round_to_zero` uses the gradient of the
# loss. If it is smaller than alpha, zero is optimal for the weight. What is left is the support of
# the exact solution.

layer = layers["SGD on factors"]
before = layer.weight.detach().abs().numpy()[0]
zeros = round_to_zero(layer, lambda: loss(layer), alpha)["weight"][0].numpy()
violation = kkt(layer, lambda: loss(layer), alpha)["weight"].max()
print(f"smallest weight before: {before.min():.0e}; zeros now: {zeros.sum()} of 500")
print("the support is the exact one:", bool((zeros == (exact == 0.0)).all()))
print(f"largest violation of an optimality condition: {violation:.0e} of alpha")
remove(layer)
print("a plain parameter again, with", int((layer.weight == 0.0).sum()), "zeros")
