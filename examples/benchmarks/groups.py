"""Paths of the group lasso and the multi-task lasso, beside other packages.

    python groups.py [--fits] [--tasks TASK ...] [--peers PEER ...] [--repeats N] [--limit SECONDS]

Each task is a path of 100 penalties; with --fits, one fit from scratch at the penalty in the middle
of the path. Each package that is installed runs it at several tolerances,
with one thread; the fastest of the repetitions counts. Printed are the seconds, and the largest
duality gap of any point of the path, relative to ||Y - mean||^2 / n, computed from the coefficients
by the same code for all. Below are, for each gap, the seconds of the loosest tolerance that reaches
it. A package whose repetition takes longer than the limit is not asked for a smaller tolerance.
Packages that need an environment of their own can be run there, with --peers.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

GAPS = (1e-4, 1e-6)
N_PENALTIES = 100


class Task:
    """X (n, p), Y (n, T), groups (p,) and their weights, and alphas of a path."""

    def __init__(self, X, Y, sizes, length):
        self.X, self.Y, self.sizes = X, Y, np.asarray(sizes)
        self.groups = np.repeat(np.arange(self.sizes.size), self.sizes)
        self.weights = np.sqrt(self.sizes)
        self.centred_X, self.centred_Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
        z = self.centred_X.T @ self.centred_Y / len(X)
        first = (self.norms(z) / self.weights).max()
        self.alphas = first * np.geomspace(1.0, length, N_PENALTIES)

    def norms(self, values):
        """|values_g|."""
        return np.sqrt(np.bincount(self.groups, (values**2).sum(axis=1)))

    def lists(self):
        """The features of each group."""
        return [np.flatnonzero(self.groups == g).tolist() for g in range(self.sizes.size)]

    def gap(self, coefs):
        """The largest relative duality gap of coefficients (L, p, T)."""
        X, Y, worst = self.centred_X, self.centred_Y, 0.0
        for theta, alpha in zip(coefs, self.alphas, strict=True):
            residual = Y - X @ theta
            z, limits = X.T @ residual / len(X), alpha * self.weights
            kappa = min(1.0, (limits / self.norms(z)).min())
            gap = 0.5 * (1.0 - kappa) ** 2 * (residual**2).sum() / len(X)
            gap += limits @ self.norms(theta) - kappa * (z * theta).sum()
            worst = max(worst, gap / ((Y**2).sum() / len(X)))
        return worst


def targets(X, sizes, n_groups, rng, noise, n_targets=1):
    """Targets of some groups, with noise relative to their standard deviation."""
    theta = np.zeros((X.shape[1], n_targets))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    chosen = np.isin(groups, rng.choice(len(sizes), n_groups, replace=False))
    theta[chosen] = rng.standard_normal((chosen.sum(), n_targets))
    Y = X @ theta
    return Y + noise * Y.std() * rng.standard_normal(Y.shape)


def wide(rng):
    """200 x 2,000, groups of 5 to 20."""
    sizes = rng.integers(5, 21, 400)
    sizes = sizes[np.cumsum(sizes) <= 2000]
    sizes[-1] += 2000 - sizes.sum()
    X = rng.standard_normal((200, 2000))
    return Task(X, targets(X, sizes, 10, rng, 0.5), sizes, 0.05)


def correlated(rng):
    """500 x 2,000, neighbours correlated by .95, 200 groups of 10."""
    X = rng.standard_normal((500, 2000))
    for j in range(1, 2000):
        X[:, j] = 0.95 * X[:, j - 1] + np.sqrt(1.0 - 0.95**2) * X[:, j]
    sizes = np.full(200, 10)
    return Task(X, targets(X, sizes, 10, rng, 0.5), sizes, 0.01)


def categories(rng):
    """100,000 x 400: 30 categories, all levels as indicators."""
    sizes = rng.multinomial(340, np.full(30, 1.0 / 30.0)) + 2
    X = np.zeros((100_000, 400))
    for start, size in zip(np.cumsum(sizes) - sizes, sizes, strict=True):
        X[np.arange(len(X)), start + rng.integers(0, size, len(X))] = 1.0
    return Task(X, targets(X, sizes, 8, rng, 1.0), sizes, 1e-3)


def multi_task(rng):
    """300 x 3,000, 20 targets, each feature a group."""
    X = rng.standard_normal((300, 3000))
    sizes = np.ones(3000, dtype=int)
    return Task(X, targets(X, sizes, 20, rng, 0.5, n_targets=20), sizes, 0.05)


TASKS = {"wide": wide, "correlated": correlated, "categories": categories, "multi-task": multi_task}


def hplasso_path(task, tol):
    from hplasso import group_path

    Y = task.Y[:, 0] if task.Y.shape[1] == 1 else task.Y
    coefs = group_path(
        task.X,
        Y,
        groups=task.groups,
        group_weights=task.weights,
        alphas=task.alphas,
        tol=tol,
        fit_intercept=True,
    )[1]
    return coefs.T[..., None] if coefs.ndim == 2 else coefs.transpose(2, 1, 0)


def celer_path(task, tol):
    from celer import homotopy

    X, options = np.asfortranarray(task.centred_X), {"max_iter": 100, "max_epochs": 100_000}
    if task.Y.shape[1] > 1:
        Y = np.asfortranarray(task.centred_Y)
        return homotopy.mtl_path(X, Y, alphas=task.alphas, tol=tol, **options)[1].transpose(2, 1, 0)
    options |= {"pb": "grouplasso", "groups": task.lists(), "weights": task.weights}
    y = task.centred_Y[:, 0]
    return homotopy.celer_path(X, y, alphas=task.alphas, tol=tol, **options)[1].T[..., None]


def skglm_path(task, tol):
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter

    if task.Y.shape[1] > 1:
        return None
    X, y = np.asfortranarray(task.centred_X), task.centred_Y[:, 0]
    indices, starts = grp_converter(task.lists(), X.shape[1])
    solver = GroupBCD(tol=tol, max_iter=200, max_epochs=50_000, fit_intercept=False)
    coef, coefs = np.zeros(X.shape[1]), []
    for alpha in task.alphas:
        penalty = WeightedGroupL2(alpha, task.weights, starts, indices)
        coef = solver.solve(X, y, QuadraticGroup(starts, indices), penalty, coef.copy(), X @ coef)[
            0
        ]
        coefs.append(coef[:, None].copy())
    return coefs


def adelie_path(task, tol):
    import adelie

    X, n_targets = np.asfortranarray(task.X), task.Y.shape[1]
    options = {"penalty": task.weights, "tol": tol, "n_threads": 1, "progress_bar": False}
    options |= {"early_exit": False, "adev_tol": 1.0, "ddev_tol": 0.0}
    if n_targets > 1:  # its loss is the mean over targets, too
        family = adelie.glm.multigaussian(np.ascontiguousarray(task.Y))
        found = adelie.grpnet(X, family, lmda_path=task.alphas / n_targets, **options)
    else:
        starts = np.cumsum(task.sizes) - task.sizes
        family = adelie.glm.gaussian(task.Y[:, 0])
        found = adelie.grpnet(X, family, groups=starts, lmda_path=task.alphas, **options)
    return found.betas.toarray().reshape(-1, X.shape[1], n_targets)


def scikit_learn_path(task, tol):
    from sklearn.linear_model import enet_path

    if task.Y.shape[1] == 1:
        return None
    options = {"l1_ratio": 1.0, "alphas": task.alphas, "tol": tol, "max_iter": 100_000}
    return enet_path(task.centred_X, task.centred_Y, **options)[1].transpose(2, 1, 0)


PEERS = {
    "hplasso": ("hplasso", hplasso_path, GAPS),
    "celer": ("celer", celer_path, (1e-2, 1e-4, 1e-5, 1e-6)),
    "skglm": ("skglm", skglm_path, (1e-3, 1e-4, 1e-5, 1e-6)),
    "adelie": ("adelie", adelie_path, (1e-7, 1e-9, 1e-10, 1e-11, 1e-13, 1e-14, 1e-15)),
    "scikit-learn": ("sklearn", scikit_learn_path, (1e-3, 1e-4, 1e-5, 1e-6)),
}


def measure(name, peer, task, arguments):
    """Seconds and gaps of a package at its tolerances."""
    _, path, tolerances = PEERS[peer]
    found = []
    for tol in tolerances:
        seconds = []
        while len(seconds) < arguments.repeats and sum(seconds) < arguments.limit:
            begin = time.perf_counter()
            coefs = path(task, tol)
            seconds.append(time.perf_counter() - begin)
            if coefs is None:
                return []
        gap = task.gap(coefs)
        print(
            f"{name:12s}{peer:14s}tol={tol:<8.0e}{min(seconds):9.3f} s   gap {gap:.1e}", flush=True
        )
        found.append((min(seconds), gap))
        if gap <= min(GAPS) or max(seconds) > arguments.limit:
            break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", action="store_true", help="single fits in place of paths")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    peers = [peer for peer in arguments.peers if importlib.util.find_spec(PEERS[peer][0])]
    with threadpool_limits(1):
        for name in arguments.tasks:
            task = TASKS[name](np.random.default_rng(0))
            if arguments.fits:
                task.alphas = task.alphas[[N_PENALTIES // 2]]
            results = {peer: measure(name, peer, task, arguments) for peer in peers}
            for peer, found in results.items():
                times = [[s for s, gap in found if gap <= goal] for goal in GAPS]
                texts = [f"{min(seconds):.3f} s" if seconds else "-" for seconds in times]
                print(f"{name:12s}{peer:14s}{''.join(f'{text:>12s}' for text in texts)}")
            print(flush=True)


if __name__ == "__main__":
    main()
