"""Time paths, and cross-validations, side by side with other packages, at equal duality gap.

    python run.py [--data DIR] [--tasks lasso_leukemia ...] [--peers hplasso glmnet ...]
                  [--python adelie=PATH] [--json FILE]

Every (task, package, tolerance) runs in a fresh process of its own: data are loaded, one path is
computed first (caches, compilation: its time is the cold one), then paths are timed, `--repeats` of
them and for `--seconds`; the fastest counts: on a machine that others use as well, or whose clock
varies, all else only adds. The peak of the memory that they take is given as a part of X (on
Linux). From the coefficients that come back this script computes intercepts and duality gaps itself
(`problems.py`), the worst over the path. Cross-validations give no coefficients: their gap is that
of a path at the same tolerance on the training samples of the first fold. A package's time to a
gap is that of its fastest tolerance that reaches it. Packages that are not installed are named and
left out; one that needs an environment of its own gets it by `--python`. All run with the same
number of threads, that of the environment; scikit-learn cross-validates with n_jobs=2.

DIR is a folder of data sets with a ``load.py`` whose ``load(name)`` returns X, y and a dictionary.
Dense X are standardised. Without it, tasks on generated data
are run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from peers import PEERS, installed, run_glmnet
from problems import MULTINOMIAL, SMALL, TASKS, load, training_part, worst_gap
from scipy import sparse

GENERATED = ("generated", "classes", "counts", "sklearn")  # or shipped with scikit-learn
GAPS = (1e-4, 1e-6, 1e-8)


def work(
    task_name: str, name: str, tol: float, length: tuple[int, float], data: str, output: str
) -> None:
    """What a fresh process does: load, run once, then so many times, and for so many seconds."""
    warnings.simplefilter("ignore")  # a gap that is not reached shows in the table
    task, peer = TASKS[task_name], PEERS[name]
    problem = load(task, data)
    cold = float("nan")
    before = peak_memory(reset=True)
    if task.folds:
        if peer.module == "R":
            _, times, version = run_glmnet(problem, "gaussian", tol, length, task.folds)
        else:
            _, times, cold = clock(lambda: peer.cv(problem, tol, task.folds), *length)
            version = version_of(peer)
        memory = peak_memory() - before
        problem = training_part(problem, task.folds)
        path = peer.lasso or PEERS["hplasso"].lasso
        coefficients = (
            run_glmnet(problem, "gaussian", tol, (1, 0.0))[0] if path == "R" else path(problem, tol)
        )
    elif peer.module == "R":
        family = "gaussian"
        if task.kind == "logistic":
            family = "multinomial" if problem.n_classes > 2 else "binomial"
        if task.kind == "poisson":
            family = "poisson"
        coefficients, times, version = run_glmnet(problem, family, tol, length)
    else:
        path = getattr(peer, task.kind)
        coefficients, times, cold = clock(lambda: path(problem, tol), *length)
        version = version_of(peer)
    if not task.folds:
        memory = peak_memory() - before
    X = problem.X
    stored = X.data.nbytes + X.indices.nbytes if sparse.issparse(X) else X.nbytes
    result = {
        "times": list(times),
        "cold": cold,
        "gap": worst_gap(task, problem, np.asarray(coefficients)),
        "memory": float("nan") if peer.module == "R" else memory / stored,
        "version": version,
    }
    Path(output).write_text(json.dumps(result))


def peak_memory(reset: bool = False) -> float:
    """The most memory that this process has had, in bytes; `reset` sets it to what it has now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return 1024.0 * float(line.split()[1])


def clock(path, repeats: int, seconds: float = 0.0) -> tuple:
    """What a path gives, the seconds of each repetition, and those of a first one before.

    There are at least so many repetitions, and for so many seconds.
    """
    begin = time.perf_counter()
    path()
    cold, times, result = time.perf_counter() - begin, [], None
    while len(times) < repeats or sum(times) < seconds:
        del result  # the peak of memory is to be that of one path
        begin = time.perf_counter()
        result = path()
        times.append(time.perf_counter() - begin)
    return result, times, cold


def written(value: float, digits: int = 0) -> str:
    """A gap, or another small number, as it stands in tables and in the text: 1e-4, not 1e-04."""
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    if not value:
        return "0"
    return f"{mantissa}e{int(power)}" if power else mantissa  # none: it is not finite


def version_of(peer) -> str:
    """The version of a package."""
    return getattr(importlib.import_module(peer.module), "__version__", "")


def measure(task: str, peer: str, tol: float, arguments) -> dict | None:
    """Run `work` in a process of its own; None if it took too long."""
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "result.json")
        python = arguments.python.get(peer, sys.executable)
        command = [python, __file__, "--work", task, peer, str(tol), output]
        command += ["--data", arguments.data, "--repeats", str(arguments.repeats)]
        command += ["--seconds", str(arguments.seconds)]
        # A session of its own, so that R ends with it.
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, start_new_session=True, **pipes) as process:
            try:
                _, errors = process.communicate(timeout=arguments.timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return None
        if process.returncode:
            [*_, reason] = errors.decode().splitlines() or [f"exit status {process.returncode}"]
            print(f"    {peer} failed: {reason}")
            return None
        return json.loads(Path(output).read_text())


def times_to_gaps(task: str, peer: str, arguments) -> dict:
    """Seconds of the fastest tolerance that reaches each gap, and what else was seen.

    The gaps are keys as text, as in the file of results.
    """
    best: dict[str, float] = {}
    seen = {
        "seconds": best,
        "version": "",
        "cold": None,
        "memory": None,
        "limit": arguments.timeout,
    }
    for tol in PEERS[peer].tolerances:
        result = measure(task, peer, tol, arguments)
        if result is None:
            print(
                f"    {peer} tol={written(tol)}: no result in {arguments.timeout:.0f} s", flush=True
            )
            break
        fastest, gap = min(result["times"]), result["gap"]
        seen |= {key: result[key] for key in ("version", "cold", "memory")}
        print(
            f"    {peer} {result['version']} tol={written(tol)}: {fastest:.4f} s (cold "
            f"{result['cold']:.2f} s), gap {written(gap, 1)}, memory {result['memory']:.2f} X",
            flush=True,
        )
        for level in arguments.gaps:
            if gap <= level:
                best[f"{level:g}"] = min(best.get(f"{level:g}", np.inf), fastest)
        if gap <= min(arguments.gaps):
            break
    return seen


def report(task: str, results: dict[str, dict], gaps: list[float]) -> None:
    """The task's table: seconds to each gap, and how many times hplasso's."""
    levels = [f"{level:g}" for level in gaps]
    ours = results["hplasso"]["seconds"] if "hplasso" in results else {}
    print(f"\n{task:24s}" + "".join(f"{f'gap {written(gap)}':>22s}" for gap in gaps))
    for peer, seen in results.items():
        row = f"{peer:24s}"
        for level in levels:
            seconds = seen["seconds"].get(level)
            ratio = seconds / ours[level] if seconds and level in ours else float("nan")
            row += f"{seconds:11.4f} s {ratio:7.1f} x" if seconds else f"{'not reached':>22s}"
        print(row)
    print(flush=True)


def rivals(packages: dict[str, dict], level: str) -> tuple[float | None, str, float | None]:
    """Seconds of hplasso to a gap, the fastest other package, and its seconds, if reached."""
    seconds = {name: seen["seconds"].get(level) for name, seen in packages.items()}
    others = {
        name: value for name, value in seconds.items() if value and not name.startswith("hplasso")
    }
    name = min(others, key=others.__getitem__, default="")
    return seconds.get("hplasso"), name, others.get(name)


def summary(results: dict[str, dict], gaps: list[float]) -> None:
    """The ratio of the best other package to hplasso in each task, and their geometric mean."""
    levels = [f"{level:g}" for level in gaps]
    print(
        f"{'best other / hplasso':40s}" + "".join(f"{f'gap {written(gap)}':>26s}" for gap in gaps)
    )
    ratios: dict[str, list[float]] = {level: [] for level in levels}
    for task, packages in results.items():
        row = f"{task:40s}"
        for level in levels:
            ours, name, theirs = rivals(packages, level)
            if ours is None or theirs is None:
                row += f"{'no other' if ours else 'not reached':>26s}"
                continue
            ratios[level].append(theirs / ours)
            row += f"{theirs / ours:13.2f} {name:>12s}"
        print(row)
    means = [np.exp(np.mean(np.log(line))) if line else np.nan for line in ratios.values()]
    print(f"{'geometric mean':40s}" + "".join(f"{mean:13.2f}{'':13s}" for mean in means))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--tasks", nargs="+", default=list(TASKS), choices=list(TASKS), metavar="TASK"
    )
    parser.add_argument(
        "--peers", nargs="+", default=list(PEERS), choices=list(PEERS), metavar="PEER"
    )
    parser.add_argument("--data", default="", help="folder with load.py")
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="PEER=PATH", help="interpreters of their own"
    )
    parser.add_argument("--json", help="file to add the results to")
    parser.add_argument("--gaps", nargs="+", type=float, default=list(GAPS))
    parser.add_argument("--repeats", type=int, default=5, help="at least so many")
    parser.add_argument("--seconds", type=float, default=2.0, help="and for so long")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for one process")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.python = dict(item.split("=", 1) for item in arguments.python)
    if arguments.work:
        task, peer, tol, output = arguments.work
        length = arguments.repeats, arguments.seconds
        work(task, peer, float(tol), length, arguments.data, output)
        return
    missing = [peer for peer in arguments.peers if not installed(peer, arguments.python.get(peer))]
    if missing:
        print("not installed, left out:", ", ".join(missing))
    file = Path(arguments.json) if arguments.json else None
    everything = json.loads(file.read_text()) if file and file.exists() else {}
    for name in arguments.tasks:
        task = TASKS[name]
        if not arguments.data and not task.data.startswith(GENERATED):
            continue
        print(f"{name}: {task}")
        many = task.data in (*MULTINOMIAL, *SMALL["multinomial"])
        many = many or task.data.startswith("classes")
        classes = 3 if many else 2
        peers = [
            peer
            for peer in arguments.peers
            if peer not in missing and PEERS[peer].solves(task, classes)
        ]
        results = {peer: times_to_gaps(name, peer, arguments) for peer in peers}
        report(name, results, arguments.gaps)
        everything[name] = results
        if file:
            file.write_text(json.dumps(everything, indent=1))
    summary(everything, arguments.gaps)


if __name__ == "__main__":
    main()
