"""A small network on scikit-learn's digits with an L1 penalty: three ways to train it.

    python digits_network.py [--epochs N] [--seeds N] [--alphas A ...] [--device cpu]

64 inputs, 100 hidden units (ReLU), 10 classes; cross-entropy plus alpha times the L1 norm of both
weight matrices. SGD with momentum, all with the same batches and first weights, and a learning rate
that is constant, or goes to zero like a cosine:

- subgradient: of the penalty, ``alpha * sign(w)``, as automatic differentiation has it;
- proximal: a step on the loss, then soft-thresholding by ``lr * alpha / (1 - momentum)``, which is
  what stands in balance with a step in the long run;
- factors: `hplasso.torch.sparsify`, with the penalty as weight decay.

Each has its learning rate from the same grid, that of the lowest mean training objective. A table
in reStructuredText, of means and standard deviations over the seeds: the training objective, with
the L1 norm of the weights themselves, and in how many seeds it is below the subgradient's; test
accuracy; weights that are not zero, by `round_to_zero` for all three.
"""

from __future__ import annotations

import argparse
import copy
import itertools

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from table import NOTHING, print_table
from torch.nn.functional import cross_entropy, softshrink

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


def train(method: str, seed: int, alpha: float, rate: float, epochs: int, decay: bool, X, y):
    """The trained network; of factors, plain again."""
    model = network(seed, X.device)
    groups = model.parameters()
    if method == "factors":
        for layer in (model[0], model[2]):
            sparsify(layer)
        groups = parameter_groups(model, alpha)
    optimizer = torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        (now,) = {group["lr"] for group in optimizer.param_groups}
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
                        weight.copy_(softshrink(weight, now * alpha / (1 - MOMENTUM)))
        if decay:
            schedule.step()
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


def column_norms(values, digits: int = 3) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--alphas", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    X, y, X_test, y_test = data(arguments.device)
    seeds, rows = range(arguments.seeds), []
    for decay, alpha in itertools.product((False, True), arguments.alphas):
        reference = None
        for method in METHODS:
            runs = {
                rate: [train(method, s, alpha, rate, arguments.epochs, decay, X, y) for s in seeds]
                for rate in RATES
            }
            heights = {r: [objective(m, alpha, X, y) for m in models] for r, models in runs.items()}
            rate = min(RATES, key=lambda r: np.mean(heights[r]))
            models = [rounded(model, alpha, X, y) for model in runs[rate]]
            reference = heights[rate] if reference is None else reference
            below = sum(a < b for a, b in zip(heights[rate], reference, strict=True))
            accuracies = [float((m(X_test).argmax(1) == y_test).float().mean()) for m in models]
            counts = [sum(int((w != 0.0).sum()) for w in weights(model)) for model in models]
            rows.append(
                [
                    "to zero" if decay else "constant",
                    f"{alpha:g}",
                    method,
                    f"{rate:g}",
                    column_norms(heights[rate]),
                    NOTHING if method == "subgradient" else f"{below} of {arguments.seeds}",
                    column_norms(accuracies),
                    column_norms(counts, 0),
                ]
            )
    header = ["Rate", "alpha", "Method", "first rate", "objective", "below subgradient"]
    print_table(
        "A network on digits: training objective, test accuracy, weights that are not zero",
        [*header, "accuracy", "weights"],
        rows,
    )


if __name__ == "__main__":
    main()
