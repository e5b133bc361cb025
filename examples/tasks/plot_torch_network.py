"""
A sparse network: factors, proximal steps and the subgradient
=============================================================

A network with one hidden layer and an L1 penalty on its weights is trained on scikit-learn's digits
in three ways. The first uses the subgradient of the penalty, as automatic differentiation computes
it. The second uses proximal steps: a gradient step of the loss, and then soft-thresholding. The
third trains factors, so that the penalty is the weight decay of the optimiser. All use SGD with
momentum, the same first weights and the same batches. This is repeated five times. The page
compares the training objectives, the test accuracies and the numbers of weights.

The example is small, so that it runs in seconds. For each way, the learning rate is the one of .1,
.3 and .6 with the lowest mean objective. ``examples/benchmarks/digits_network.py`` trains longer,
at constant rates and rates that go to zero; :doc:`/benchmarks/network` has its table.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy, softshrink

from hplasso.torch import parameter_groups, remove, round_to_zero, sparsify

torch.set_num_threads(1)
pixels, digits = load_digits(return_X_y=True)
parts = train_test_split(pixels / 16.0, digits, test_size=0.3, random_state=0, stratify=digits)
X, X_test, y, y_test = map(torch.as_tensor, parts)
X, X_test = X.float(), X_test.float()

RATES = {"subgradient": 0.3, "proximal": 0.3, "factors": 0.6}
ALPHAS, SEEDS, EPOCHS, MOMENTUM = (1e-3, 2e-3, 4e-3), range(5), 80, 0.9


def new_network(seed):
    """The network, and its two weighted layers."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(64, 60), torch.nn.ReLU(), torch.nn.Linear(60, 10)
    return torch.nn.Sequential(*layers), [layers[0], layers[2]]


def norm(layers):
    """The L1 norm of the weights."""
    return sum(layer.weight.abs().sum() for layer in layers)


# %%
# Proximal steps have to be scaled. With momentum m, the gradient steps add up to 1 / (1 - m) times
# a single step. The threshold that balances them is ``rate * alpha / (1 - m)``. A smaller threshold
# is a smaller penalty.


def train(method, alpha, seed):
    """A network, trained."""
    network, layers = new_network(seed)
    groups = network.parameters()
    if method == "factors":
        for layer in layers:
            sparsify(layer)
        groups = parameter_groups(network, alpha)
    rate = RATES[method]
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM)
    order = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(y), generator=order).split(256):
            optimizer.zero_grad()
            value = cross_entropy(network(X[batch]), y[batch])
            if method == "subgradient":
                value = value + alpha * norm(layers)
            value.backward()
            optimizer.step()
            if method == "proximal":
                with torch.no_grad():
                    for layer in layers:
                        shrunk = softshrink(layer.weight, rate * alpha / (1.0 - MOMENTUM))
                        layer.weight.copy_(shrunk)
    if method == "factors":
        for layer in layers:
            remove(layer)
    return network, layers


def outcome(method, alpha, seed):
    """Training objective; then, with zeros, test accuracy and the number of other weights."""
    network, layers = train(method, alpha, seed)
    with torch.no_grad():
        height = float(cross_entropy(network(X), y) + alpha * norm(layers))
    for layer in layers:
        sparsify(layer)
    round_to_zero(network, lambda: cross_entropy(network(X), y), alpha)
    for layer in layers:
        remove(layer)
    with torch.no_grad():
        accuracy = float((network(X_test).argmax(dim=1) == y_test).float().mean())
    return height, accuracy, sum(int(layer.weight.count_nonzero()) for layer in layers)


# %%
# Of the three, only proximal steps leave exact zeros by themselves. So, after each of the three,
# :func:`~hplasso.torch.round_to_zero` sets weights to zero for which the gradient says that zero is
# optimal.

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
for colour, method in zip(("0.4", "#D55E00", "#0072B2"), RATES, strict=True):
    results = np.array([[outcome(method, a, seed) for seed in SEEDS] for a in ALPHAS])
    mean, spread = results.mean(axis=1), results.std(axis=1, ddof=1)
    for alpha, (height, accuracy, count), errors in zip(ALPHAS, mean, spread, strict=True):
        print(
            f"{method:12s} alpha={alpha:<6g} objective {height:.3f} +- {errors[0]:.3f}  "
            f"accuracy {accuracy:.3f} +- {errors[1]:.3f}  weights {count:4.0f} +- {errors[2]:.0f}"
        )
    style = {"color": colour, "label": method, "marker": "o", "capsize": 3}
    axes[0].errorbar(ALPHAS, mean[:, 0], spread[:, 0], **style)
    axes[1].errorbar(mean[:, 2], mean[:, 1], spread[:, 1], spread[:, 2], **style)
axes[0].set(xscale="log", xlabel="alpha", ylabel="training objective")
axes[0].set_xticks(ALPHAS, [f"{alpha:g}" for alpha in ALPHAS])
axes[0].minorticks_off()
axes[1].set(xlabel="weights that are not zero, of 4440", ylabel="test accuracy")
axes[0].legend()
figure.savefig("torch_network.png", dpi=120)

# %%
# Factors and proximal steps end at about the same objective, and the subgradient at a higher one.
# After so few steps, proximal steps have fewer weights at the same accuracy, because the weights of
# the factors are still shrinking. In the longer runs the two are close. The advantage of factors is
# that the training stays as it is. They work with any optimiser and any layer, and with groups of
# weights, and there is no threshold to scale.
