"""Time paths, and cross-validations, side by side with other packages, at equal duality gap.

    python run.py --data DIR [--tasks lasso_leukemia ...] [--peers hplasso glmnet ...]

Every (task, package, tolerance) runs in a fresh process of its own: data are loaded, one path is
computed outside the clock (caches, compilation), then `--repeats` paths are timed; the median
counts. From the coefficients that come back this script computes intercepts and duality gaps
itself (`problems.py`), the worst over the path. Cross-validations give no coefficients: their gap
is that of a path at the same tolerance on the training samples of the first fold. A package's time
to a gap is that of its fastest tolerance that reaches it. Packages that are not installed are named
and left out. All run with the same number of threads, that of the environment; scikit-learn
cross-validates with n_jobs=2.

DIR is a folder of data sets with a ``load.py`` whose ``load(name)`` returns X, y and a dictionary.
Dense X are standardised.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from peers import PEERS, installed, run_glmnet
from problems import MULTINOMIAL, TASKS, load, training_part, worst_gap

GAPS = (1e-4, 1e-6, 1e-8)


def work(task_name: str, name: str, tol: float, repeats: int, data: str, output: str) -> None:
    """What a fresh process does: load, run once, run `repeats` times with the clock."""
    warnings.simplefilter("ignore")  # a gap that is not reached shows in the table
    task, peer = TASKS[task_name], PEERS[name]
    problem = load(task, data)
    if task.folds:
        if peer.module == "R":
            _, times, version = run_glmnet(problem, "gaussian", tol, repeats, task.folds)
        else:
            times = clock(lambda: peer.cv(problem, tol, task.folds), repeats)[1]
            version = version_of(peer)
        problem = training_part(problem, task.folds)
        path = peer.lasso or PEERS["hplasso"].lasso
        coefficients = (
            run_glmnet(problem, "gaussian", tol, 1)[0] if path == "R" else path(problem, tol)
        )
    elif peer.module == "R":
        family = "gaussian"
        if task.kind == "logistic":
            family = "multinomial" if problem.n_classes > 2 else "binomial"
        coefficients, times, version = run_glmnet(problem, family, tol, repeats)
    else:
        path = getattr(peer, task.kind)
        coefficients, times = clock(lambda: path(problem, tol), repeats)
        version = version_of(peer)
    gap = worst_gap(task, problem, np.asarray(coefficients))
    Path(output).write_text(json.dumps({"times": list(times), "gap": gap, "version": version}))


def clock(path, repeats: int) -> tuple:
    """What a path gives, and the seconds of each repetition; one more goes before."""
    path()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = path()
        times.append(time.perf_counter() - begin)
    return result, times


def version_of(peer) -> str:
    """The version of a package."""
    return getattr(importlib.import_module(peer.module), "__version__", "")


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


def times_to_gaps(task: str, peer: str, arguments) -> dict[float, float]:
    """Median seconds of the fastest tolerance that reaches each gap."""
    best: dict[float, float] = {}
    for tol in PEERS[peer].tolerances:
        result = measure(task, peer, tol, arguments)
        if result is None:
            print(f"    {peer} tol={tol:g}: more than {arguments.timeout:.0f} s", flush=True)
            break
        median, gap = float(np.median(result["times"])), result["gap"]
        print(
            f"    {peer} {result['version']} tol={tol:g}: {median:.4f} s, gap {gap:.1e}", flush=True
        )
        for level in arguments.gaps:
            if gap <= level:
                best[level] = min(best.get(level, np.inf), median)
        if gap <= min(arguments.gaps):
            break
    return best


def report(task: str, results: dict[str, dict[float, float]], gaps: list[float]) -> None:
    """The task's table: seconds to each gap, and how many times hplasso's."""
    ours = results.get("hplasso", {})
    print(f"\n{task:24s}" + "".join(f"{f'gap {level:g}':>22s}" for level in gaps))
    for peer, best in results.items():
        row = f"{peer:24s}"
        for level in gaps:
            seconds = best.get(level)
            ratio = seconds / ours[level] if seconds and level in ours else float("nan")
            row += f"{seconds:11.4f} s {ratio:7.1f} x" if seconds else f"{'not reached':>22s}"
        print(row)
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--tasks", nargs="+", default=list(TASKS), choices=list(TASKS), metavar="TASK"
    )
    parser.add_argument(
        "--peers", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="PEER"
    )
    parser.add_argument("--data", required=True, help="folder with load.py")
    parser.add_argument("--gaps", nargs="+", type=float, default=list(GAPS))
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
    for name in arguments.tasks:
        task = TASKS[name]
        print(f"{name}: {task}")
        classes = 3 if task.data in MULTINOMIAL else 2
        peers = [
            peer
            for peer in arguments.peers
            if peer not in missing and PEERS[peer].solves(task, classes)
        ]
        results = {peer: times_to_gaps(name, peer, arguments) for peer in peers}
        report(name, results, arguments.gaps)


if __name__ == "__main__":
    main()
