"""Data in blocks: seconds and memory on Dask, the overhead of a pass, files larger than the memory.

    python blocks.py lazy [--rows ROWS] [--features FEATURES] [--height HEIGHT] [--in-memory]
    python blocks.py overhead [--rows ROWS] [--features FEATURES] [--height HEIGHT] [--repeats N]
    python blocks.py files [--rows ROWS] [--features FEATURES] [--height HEIGHT] [--mebibytes M]

*lazy* generates numbers by Dask on a local cluster of two processes, each with one thread. It fits
a path of 100 alphas with a cross-validation of five folds, and prints the seconds beside those of
the generation alone, and the peak memory of the workers and of the process that asks, beside those
before. With --in-memory it also computes the data, and fits to them.

*overhead* compares one pass over blocks that are in memory already with their moments alone, in
one process: by Dask's threads, and on the cluster, where each worker holds its blocks.

*files* fits to a .npy file and a Parquet file, by batches and as a memory map. All this runs with
so much anonymous memory above that of the imports and no more (RLIMIT_DATA, Linux). About 66 MiB
of these are buffers of BLAS, of NumPy and of SciPy; OpenBLAS waits for ever if it gets none.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from hplasso import Batches, HadamardLasso, HadamardLassoCV

MIB = 2**20


def peak_memory():
    """The largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ready():
    """The same, of a worker that has imported what it needs."""
    __import__("hplasso")
    return peak_memory()


def seconds_of(function, repeats=1):
    """The smallest time that a function takes, and what it returns."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function()
        found.append(time.perf_counter() - begin)
    return min(found), result


def generated(rows, features, height):
    """X and y, lazily."""
    import dask.array as da

    rng = da.random.default_rng(0)
    X = rng.standard_normal((rows, features), chunks=(height, features))
    return X, X[:, :10].sum(axis=1) + rng.standard_normal(rows, chunks=height)


def cluster():
    """Two processes with one thread each."""
    from dask.distributed import LocalCluster

    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")


def lazy(arguments):
    """Seconds and memory of numbers that are generated as they are read."""
    from dask.distributed import Client

    X, y = generated(arguments.rows, arguments.features, arguments.height)
    chunk = arguments.height * arguments.features * 8 / MIB
    print(f"{arguments.rows:,} x {arguments.features}, chunks of {chunk:.0f} MiB")
    with cluster() as workers, Client(workers) as client:
        empty, before = client.run(ready), peak_memory()
        model = HadamardLassoCV(alphas=100, cv=5)
        seconds, _ = seconds_of(lambda: model.fit(X, y))
        for name, start in empty.items():
            peak = client.run(peak_memory)[name]
            print(f"worker: {peak:.0f} MiB, {start:.0f} empty: {(peak - start) / chunk:.1f} chunks")
        print(f"driver: {peak_memory():.0f} MiB, {before:.0f} before")
        print(f"path and cross-validation: {seconds:.2f} s, {model.n_passes_} pass")
        generation, _ = seconds_of(lambda: (X.sum() + y.sum()).compute())
        print(f"generation alone: {generation:.2f} s")
    if arguments.in_memory:
        X, y = X.compute(), y.compute()
        inside = HadamardLassoCV(alphas=100, cv=5)
        seconds, _ = seconds_of(lambda: inside.fit(X, y))
        print(f"in memory: {seconds:.2f} s, without the generation")
        difference = np.abs(model.coef_ - inside.coef_).max()
        print(f"largest difference of the coefficients: {difference:.1e}")


def overhead(arguments):
    """One pass over blocks in memory, and the moments alone."""
    import dask
    import dask.array as da
    from dask.distributed import Client, wait

    from hplasso._design.source import Block, merge_in_pairs
    from hplasso._design.sources import source_of
    from hplasso._design.target_moments import target_moments as kernel

    rng = np.random.default_rng(0)
    shape, height = (arguments.rows, arguments.features), arguments.height
    X, y = rng.standard_normal(shape), rng.standard_normal(shape[0])

    def alone():
        parts = (
            Block(0, start, X[start : start + height], y[start : start + height], ones, None)
            for start in range(0, len(X), height)
        )
        return merge_in_pairs(map(kernel, parts))

    ones, repeats = np.ones(height), arguments.repeats
    blocks = da.from_array(X, chunks=(height, -1)), da.from_array(y, chunks=height)
    with threadpool_limits(1):
        base, _ = seconds_of(alone, repeats)
        print(f"moments alone, one thread: {base:.3f} s")
        for n_threads in (1, 2):
            with dask.config.set(scheduler="threads", num_workers=n_threads):
                seconds, _ = seconds_of(lambda: source_of(*blocks).reduce(kernel), repeats)
            print(f"Dask's threads, {n_threads}: {seconds:.3f} s, {seconds / base:.2f} times")
    with cluster() as workers, Client(workers) as client:
        client.run(ready)
        held = [values.persist() for values in generated(*shape, height)]
        wait(held)
        seconds, _ = seconds_of(lambda: source_of(*held).reduce(kernel), repeats)
        print(f"cluster of two: {seconds:.3f} s, {seconds / base:.2f} times")


def write_files(folder, arguments):
    """X.npy, y.npy and data.parquet, whose row groups are the blocks."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    shape, rng = (arguments.rows, arguments.features), np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float64, shape)
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.float64, shape[:1])
    names = [f"x{j}" for j in range(shape[1])]
    schema = pa.schema([(name, pa.float64()) for name in [*names, "y"]])
    with ParquetWriter(folder / "data.parquet", schema, compression="none") as writer:
        for start in range(0, shape[0], arguments.height):
            rows = slice(start, min(start + arguments.height, shape[0]))
            X[rows] = rng.standard_normal((rows.stop - start, shape[1]))
            y[rows] = X[rows, :10].sum(axis=1) + rng.standard_normal(rows.stop - start)
            columns = [pa.array(column) for column in [*X[rows].T, y[rows]]]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=arguments.height)


def npy_batches(folder, height):
    """Slices of rows of a memory map."""
    X, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in "Xy")
    for start in range(0, len(y), height):
        yield X[start : start + height], y[start : start + height]


def parquet_batches(folder):
    """Row groups; read by one thread, because the stack of each counts."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(folder / "data.parquet", pre_buffer=False) as file:
        for number in range(file.num_row_groups):
            frame = file.read_row_group(number, use_threads=False).to_pandas(use_threads=False)
            yield frame.iloc[:, :-1], frame["y"]


def anonymous_memory():
    """What RLIMIT_DATA counts, in bytes."""
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = [each for each in status if each.startswith("VmData")]
    return int(line.split()[1]) * 1024


def fit_one(kind, folder, height, limit):
    """Fit to a file of this kind with so much more memory, in a process of its own."""
    if kind == "parquet":
        import pandas as pd  # noqa: F401
        import pyarrow.parquet  # noqa: F401
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (anonymous_memory() + limit, -1))
    model = HadamardLasso(0.05)
    if kind == "memmap":
        X, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in "Xy")
        seconds, _ = seconds_of(lambda: model.fit(X, y))
    else:
        blocks = {"npy": lambda: npy_batches(folder, height), "parquet": None}[kind]
        blocks = blocks or (lambda: parquet_batches(folder))
        seconds, _ = seconds_of(lambda: model.fit(Batches(blocks)))
    print(f"{seconds:.2f} s, {np.count_nonzero(model.coef_)} coefficients")


def files(arguments):
    """Fits to files, in processes with little memory."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        write_files(folder, arguments)
        size = (folder / "X.npy").stat().st_size / MIB
        print(f"X.npy of {size:.0f} MiB, {arguments.mebibytes} MiB above the imports")
        for kind in ("npy", "memmap", "parquet"):
            command = [sys.executable, __file__, "one", kind, name, str(arguments.height)]
            command.append(str(arguments.mebibytes * MIB))
            print(f"{kind:8s} {outcome(command)}")


def outcome(command):
    """What a command prints, or why it fails."""
    settings = {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "ARROW_IO_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        return "did not end"
    return done.stdout.strip() if not done.returncode else done.stderr.strip().splitlines()[-1]


def main():
    if sys.argv[1:2] == ["one"]:
        kind, folder, height, limit = sys.argv[2:]
        fit_one(kind, Path(folder), int(height), int(limit))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    for function, rows, height in (
        (lazy, 2_000_000, 50_000),
        (overhead, 1_000_000, 50_000),
        (files, 500_000, 2_500),
    ):
        part = parts.add_parser(function.__name__)
        part.set_defaults(function=function)
        part.add_argument("--rows", type=int, default=rows)
        part.add_argument("--features", type=int, default=100)
        part.add_argument("--height", type=int, default=height)
        if function is lazy:
            part.add_argument("--in-memory", action="store_true")
        elif function is overhead:
            part.add_argument("--repeats", type=int, default=5)
        else:
            part.add_argument("--mebibytes", type=int, default=100)
            part.add_argument("--folder", help="where the files go while they are needed")
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
