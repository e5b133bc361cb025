"""Time lasso paths side by side with other packages, at equal duality gap.

    python run.py --data DIR [--tasks leukemia mice_snp] [--peers hplasso celer glmnet scikit-learn]

Every (task, package, tolerance) runs in a fresh process of its own: data are loaded, one path is
computed outside the clock (caches, compilation), then `--repeats` paths are timed; the median
counts. From the coefficients that come back, this script computes the intercepts and the duality
gaps itself, relative to ||y||^2 / n (y centred), the worst over the path. A package's time to a gap
is that of its fastest tolerance that reaches it. Packages that are not installed are named and
left out. All run with the same number of threads, that of the environment.

DIR is a folder of data sets with a ``load.py`` whose ``load(name)`` returns X, y and a dictionary.
Dense X are standardised.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Task:
    """A lasso path: the data set, and the grid down to `eps` times the first alpha."""

    data: str
    eps: float
    n_alphas: int = 100


TASKS = {
    "leukemia": Task("leukemia", 0.01),
    "riboflavin": Task("riboflavin", 0.01),
    "mice_snp": Task("mice_snp", 0.05),
}
TOLERANCES = {
    "hplasso": [1e-4, 1e-6, 1e-8],
    "celer": [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12],
    "glmnet": [1e-7, 1e-8, 1e-10, 1e-12, 1e-13, 1e-14, 1e-16],
    "scikit-learn": [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9],
}
GAPS = (1e-4, 1e-6, 1e-8)


def load_problem(task: Task, folder: str):
    """X (standardised if dense), y and the grid of alphas."""
    spec = importlib.util.spec_from_file_location("load", Path(folder) / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, y, _ = module.load(task.data)
    y = np.asarray(y, dtype=np.float64)
    if sparse.issparse(X):
        X = sparse.csc_matrix(X, dtype=np.float64)
        X.sort_indices()
    else:
        X = np.asfortranarray(X, dtype=np.float64)
        X = np.asfortranarray(X[:, X.std(axis=0) > 0])
        X -= X.mean(axis=0)
        X /= X.std(axis=0)
    centred = y - y.mean()
    alpha_max = np.abs(X.T @ centred).max() / len(y)
    return X, y, alpha_max * np.geomspace(1.0, task.eps, task.n_alphas)


def path_hplasso(X, y, alphas, tol):
    from hplasso import lasso_path

    return lasso_path(X, y - y.mean(), alphas=alphas, tol=tol)[1]


def path_scikit_learn(X, y, alphas, tol):
    from sklearn.linear_model import lasso_path

    return lasso_path(X, y - y.mean(), alphas=alphas, tol=tol, max_iter=1_000_000)[1]


def path_celer(X, y, alphas, tol):
    from celer import celer_path

    return celer_path(X, y - y.mean(), pb="lasso", alphas=alphas, tol=tol, max_iter=10_000)[1]


PYTHON_PATHS = {
    "hplasso": ("hplasso", path_hplasso),
    "celer": ("celer", path_celer),
    "scikit-learn": ("sklearn", path_scikit_learn),
}


def work(task_name: str, peer: str, tol: float, repeats: int, data: str, output: str) -> None:
    """What a fresh process does: load, run once, run `repeats` times with the clock."""
    import warnings

    warnings.simplefilter("ignore")  # a gap that is not reached shows in the table
    problem = load_problem(TASKS[task_name], data)
    if peer == "glmnet":
        coefficients, times, version = run_glmnet(*problem, tol, repeats)
    else:
        module, path = PYTHON_PATHS[peer]
        path(*problem, tol)
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            coefficients = path(*problem, tol)
            times.append(time.perf_counter() - begin)
        version = importlib.import_module(module).__version__
    gap = worst_gap(*problem, np.asarray(coefficients))
    Path(output).write_text(json.dumps({"times": list(times), "gap": gap, "version": version}))


def run_glmnet(X, y, alphas, tol, repeats):
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "X": X.data if sparse.issparse(X) else X.ravel(order="F"),
            "y": y,
            "alphas": alphas,
        }
        if sparse.issparse(X):
            parts |= {name: getattr(X, name).astype(np.int32) for name in ("indices", "indptr")}
        for name, array in parts.items():
            np.asarray(array).tofile(Path(folder) / f"{name}.bin")
        arguments = [folder, *map(str, X.shape), str(repeats + 1), str(tol)]
        command = ["Rscript", str(HERE / "glmnet_path.R"), *arguments]
        version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        coefficients = np.fromfile(Path(folder) / "coef.bin").reshape(len(alphas), -1).T
        return coefficients, np.fromfile(Path(folder) / "times.bin")[1:], f"{version} (R)"


def worst_gap(X, y, alphas, coefficients) -> float:
    """Largest relative duality gap along a path, with the intercept at its optimum."""
    if coefficients.shape[1] < len(alphas):
        return float("inf")
    centred = y - y.mean()
    mean = np.asarray(X.mean(axis=0)).ravel()
    scale = float(centred @ centred) / len(y)
    worst = 0.0
    for alpha, theta in zip(alphas, coefficients.T, strict=True):
        residual = centred - (X @ theta - mean @ theta)
        z = (X.T @ residual - mean * residual.sum()) / len(y)
        kappa = min(1.0, alpha / np.abs(z).max())
        square = float(residual @ residual) / len(y)
        gap = 0.5 * (1 - kappa) ** 2 * square
        gap += float(np.sum(alpha * np.abs(theta) - kappa * z * theta))
        worst = max(worst, gap / scale)
    return worst


def measure(task: str, peer: str, tol: float, arguments) -> dict | None:
    """Run `work` in a process of its own; None if it took too long."""
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "result.json")
        command = [sys.executable, __file__, "--work", task, peer, str(tol), output]
        command += ["--data", arguments.data, "--repeats", str(arguments.repeats)]
        try:
            subprocess.run(command, check=True, timeout=arguments.timeout, capture_output=True)
        except subprocess.TimeoutExpired:
            return None
        except subprocess.CalledProcessError as error:
            raise SystemExit(error.stderr.decode()) from error
        return json.loads(Path(output).read_text())


def installed(peer: str) -> bool:
    if peer == "glmnet":
        return shutil.which("Rscript") is not None
    return importlib.util.find_spec(PYTHON_PATHS[peer][0]) is not None


def times_to_gaps(task: str, peer: str, arguments) -> dict[float, float]:
    """Median seconds of the fastest tolerance that reaches each gap."""
    best: dict[float, float] = {}
    for tol in TOLERANCES[peer]:
        result = measure(task, peer, tol, arguments)
        if result is None:
            print(f"    {peer} tol={tol:g}: more than {arguments.timeout:.0f} s")
            break
        median, gap = float(np.median(result["times"])), result["gap"]
        print(
            f"    {peer} {result['version']} tol={tol:g}: {median:.4f} s, gap {gap:.1e}", flush=True
        )
        for level in GAPS:
            if gap <= level:
                best[level] = min(best.get(level, np.inf), median)
        if gap <= min(GAPS):
            break
    return best


def report(task: str, results: dict[str, dict[float, float]]) -> None:
    """The task's table: seconds to each gap, and how many times hplasso's."""
    ours = results.get("hplasso", {})
    print(f"\n{task:24s}" + "".join(f"{f'gap {level:g}':>22s}" for level in GAPS))
    for peer, best in results.items():
        row = f"{peer:24s}"
        for level in GAPS:
            seconds = best.get(level)
            ratio = seconds / ours[level] if seconds and level in ours else float("nan")
            row += f"{seconds:11.4f} s {ratio:7.1f} x" if seconds else f"{'not reached':>22s}"
        print(row)
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--peers", nargs="+", default=list(TOLERANCES), choices=list(TOLERANCES))
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for one process")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        task, peer, tol, output = arguments.work
        work(task, peer, float(tol), arguments.repeats, arguments.data, output)
        return
    missing = [peer for peer in arguments.peers if not installed(peer)]
    if missing:
        print("not installed, left out:", ", ".join(missing))
    for task in arguments.tasks:
        print(f"{task}: {TASKS[task]}")
        peers = [peer for peer in arguments.peers if peer not in missing]
        report(task, {peer: times_to_gaps(task, peer, arguments) for peer in peers})


if __name__ == "__main__":
    main()
