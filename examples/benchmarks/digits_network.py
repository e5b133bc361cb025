"""A small network on scikit-learn's digits with an L1 penalty: three ways to train it.

    python digits_network.py [--epochs N] [--seeds N] [--alphas A ...] [--device cpu]

64 inputs, 100 hidden units (ReLU), 10 classes; cross-entropy plus alpha times the L1 norm of both
weight matrices. SGD with momentum, all with the same batches and first weights:

- subgradient: of the penalty, ``alpha * sign(w)``, as automatic differentiation has it;
- proximal: a step on the loss, then soft-thresholding by ``lr * alpha / (1 - momentum)``, which is
  what stands in balance with a step in the long run;
- factors: `hplasso.torch.sparsify`, with the penalty as weight decay.

Each has its learning rate from the same grid, that of the lowest mean training objective. Printed,
as means and standard deviations over the seeds: the training objective, with the L1 norm of the
weights themselves; test accuracy; weights that are not zero, by `round_to_zero` for all three; in
how many seeds the objective of the factors is below the subgradient's.
"""

from __future__ import annotations

import argparse
import copy
import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy

from hplasso.torch import parameter_groups, remove, round_to_zero, sparsify

MOMENTUM, BATCH = 0.9, 128
RATES = (0.03, 0.1, 0.3, 0.6)
METHODS = ("subgradient", "proximal", "factors")


def data(device: str):
    """Training and test data; pixels from zero to one."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16.0, y, test_size=0.3, random_state=0, stratify=y)
    X_train, X_test, y_train, y_test = map(torch.as_tensor, parts)
    return [part.to(device) for part in (X_train.float(), y_train, X_test.float(), y_test)]


def network(seed: int, device: str):
    torch.manual_seed(seed)
    layers = torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10)
    return torch.nn.Sequential(*layers).to(device)


def weights(model):
    return [model[0].weight, model[2].weight]


def norm(model):
    return sum(weight.abs().sum() for weight in weights(model))


def train(method: str, seed: int, alpha: float, rate: float, epochs: int, X, y):
    """The trained network; of factors, plain again."""
    model = network(seed, X.device)
    groups = model.parameters()
    if method == "factors":
        for layer in (model[0], model[2]):
            sparsify(layer)
        groups = parameter_groups(model, alpha)
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(y), generator=order).split(BATCH):
            optimizer.zero_grad()
            loss = cross_entropy(model(X[batch]), y[batch])
            if method == "subgradient":
                loss = loss + alpha * norm(model)
            loss.backward()
            optimizer.step()
            if method == "proximal":
                with torch.no_grad():
                    for weight in weights(model):
                        weight.copy_(
                            torch.nn.functional.softshrink(weight, rate * alpha / (1 - MOMENTUM))
                        )
    if method == "factors":
        for layer in (model[0], model[2]):
            remove(layer)
    return model


@torch.no_grad()
def objective(model, alpha: float, X, y) -> float:
    value = float(cross_entropy(model(X), y) + alpha * norm(model))
    return value if np.isfinite(value) else np.inf


def rounded(model, alpha: float, X, y):
    """Weights that optimality sends to zero are zero."""
    model = copy.deepcopy(model)
    for layer in (model[0], model[2]):
        sparsify(layer)
    round_to_zero(model, lambda: cross_entropy(model(X), y), alpha)
    for layer in (model[0], model[2]):
        remove(layer)
    return model


def line(name: str, values) -> str:
    return f"{name} {np.mean(values):8.4f} +- {np.std(values, ddof=1):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--alphas", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    X, y, X_test, y_test = data(arguments.device)
    seeds = range(arguments.seeds)
    for alpha in arguments.alphas:
        best = {}
        for method in METHODS:
            begin = time.perf_counter()
            runs = {
                rate: [train(method, s, alpha, rate, arguments.epochs, X, y) for s in seeds]
                for rate in RATES
            }
            heights = {r: [objective(m, alpha, X, y) for m in models] for r, models in runs.items()}
            rate = min(RATES, key=lambda r: np.mean(heights[r]))
            models = [rounded(model, alpha, X, y) for model in runs[rate]]
            best[method] = np.array(heights[rate])
            accuracies = [float((m(X_test).argmax(1) == y_test).float().mean()) for m in models]
            counts = [sum(int((w != 0.0).sum()) for w in weights(model)) for model in models]
            seconds = (time.perf_counter() - begin) / len(RATES) / arguments.seeds
            print(
                f"alpha={alpha:g} {method:12s} lr={rate:<6g}",
                line("objective", best[method]),
                line("accuracy", accuracies),
                f"not zero {np.mean(counts):6.0f} +- {np.std(counts, ddof=1):.0f} of 7400",
                f"{seconds:.2f} s",
                sep="  ",
                flush=True,
            )
        below = int((best["factors"] < best["subgradient"]).sum())
        print(f"alpha={alpha:g} factors below subgradient in {below} of {arguments.seeds} seeds")


if __name__ == "__main__":
    main()
