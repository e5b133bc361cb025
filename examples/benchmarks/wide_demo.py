"""spred's demonstration, 100 samples of 40,000 features: Adam on factors, and HadamardLasso.

    python wide_demo.py [--steps N] [--rate LR] [--device cpu]

Data as in the notebook ``linear/lasso_demo.ipynb`` of Ziyin and Wang (2023), which compared Adam on
factors, on a GPU, with scikit-learn's Lasso: normal X, a few true coefficients, full batches. The
seconds of both, in one run, and how far they are from the minimum, relative to the mean square
of y: the duality gap that HadamardLasso certifies, and for Adam the difference to that
solution, before and after `round_to_zero`.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from hplasso import HadamardLasso
from hplasso.torch import parameter_groups, round_to_zero, sparsify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--features", type=int, default=40_000)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    n, p, rng = 100, arguments.features, np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    coef = np.zeros(p)
    coef[rng.permutation(p)[:10]] = rng.standard_normal(10)
    y = X @ coef + 0.1 * rng.standard_normal(n)
    null = float(y @ y) / n
    alpha = 0.1 * np.abs(X.T @ y).max() / n

    def objective(w):
        return 0.5 * float(((X @ w - y) ** 2).mean()) + alpha * float(np.abs(w).sum())

    HadamardLasso(alpha, fit_intercept=False).fit(X[:, :100], y)  # imports, caches
    begin = time.perf_counter()
    exact = HadamardLasso(alpha, fit_intercept=False, tol=1e-10).fit(X, y)
    seconds = time.perf_counter() - begin
    least = objective(exact.coef_)
    print(f"n={n} p={p} alpha={alpha:.4f} (a tenth of the first)")
    print(
        f"HadamardLasso: {seconds:.3f} s, gap {exact.dual_gap_ / null:.1e}, "
        f"{np.count_nonzero(exact.coef_)} coefficients"
    )

    torch.manual_seed(0)
    device = arguments.device
    inputs = torch.as_tensor(X, dtype=torch.float32, device=device)
    outputs = torch.as_tensor(y, dtype=torch.float32, device=device)
    layer = torch.nn.Linear(p, 1, bias=False, device=device)
    with torch.no_grad():
        layer.weight.zero_()
    sparsify(layer)

    def loss():
        return 0.5 * (layer(inputs)[:, 0] - outputs).square().mean()

    optimizer = torch.optim.Adam(parameter_groups(layer, alpha), lr=arguments.rate)
    begin = time.perf_counter()
    for step in range(1, arguments.steps + 1):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        if step in (arguments.steps // 10, arguments.steps // 3, arguments.steps):
            w = layer.weight.detach().double().cpu().numpy()[0]
            print(
                f"Adam on factors, {step} steps: {time.perf_counter() - begin:.1f} s, "
                f"{(objective(w) - least) / null:.1e} above the minimum"
            )
    zeros = round_to_zero(layer, loss, alpha)["weight"][0].cpu().numpy()
    w = layer.weight.detach().double().cpu().numpy()[0]
    same = int((zeros != (exact.coef_ == 0.0)).sum())
    print(
        f"round_to_zero: {time.perf_counter() - begin:.1f} s, "
        f"{(objective(w) - least) / null:.1e} above the minimum, {np.count_nonzero(w)} "
        f"coefficients, {same} not as in the exact support"
    )


if __name__ == "__main__":
    main()
