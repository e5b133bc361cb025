"""Do the tests notice faults? Small faults are put into the package, and the suite is run on each.

    python -m pip install -e ".[test,mutation]"
    python tests/mutants.py results.jsonl --jobs 2

A *mutant* is the package with one small change: another number, operator or condition (by the
operators of cosmic-ray), or a statement left out. It is tested by the tests that execute what was
changed, the fastest first, then by all others; it is *killed* when one fails, or takes far longer
than it should. From each room, a folder of the package, a sample is drawn: the first in the order
of a hash of seed and place, so that a change elsewhere does not change the sample. What is found
out is added to the results file, a line of JSON for each mutant; a run that was ended goes on from
there. A result counts as long as the mutated file stays the same; `--again` repeats the
survivors, for new tests. With `--files` the sample is drawn from some files of the rooms, and with
`--tests` only some files of the suite are run, for a part of the package that they test:

    python tests/mutants.py blocks.jsonl --rooms _path --files "streamed_*" --tests "*batches*"

Mutants that no test can tell from the package are named in ``equivalent_mutants.toml``, each with
its reason, and do not count. The score is what is killed of all others; if it is below 90 % in all,
or below 80 % in a room, the exit status is 1.

Not changed are annotations, decorators, the text of messages (what is raised, warned or within an
f-string), `strict=` of zip, stars of arguments, what LAPACK does with memory, the looks of
pictures, numbers from a hundred on, where one more or one less makes little difference, the axis of
a one-dimensional array whose places are asked for (``nonzero()[0]``), and what becomes of two
floats that are equal (``<`` for ``<=``), which rounding decides, unless one of them is 0.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import importlib
import json
import os
import py_compile
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mutant_places import PACKAGE, ROOMS, Place, executed, matches, mutated, sample, text_of

ROOT = PACKAGE.parent
TESTS = ROOT / "tests"
SCORE, SCORE_OF_ROOM = 0.9, 0.8
EQUIVALENT = TESTS / "equivalent_mutants.toml"
COPIED = [
    "hplasso",
    "tests",
    "doc",
    "examples",
    "README.rst",
    "CITATION.cff",
    "pyproject.toml",
    "setup.cfg",
]
# Imported before the forks. Not polars, whose threads do not outlive a fork.
PRELOADED = """
matplotlib.pyplot pandas pytest scipy.sparse sklearn.datasets sklearn.ensemble sklearn.linear_model
sklearn.model_selection sklearn.multioutput sklearn.pipeline sklearn.utils.estimator_checks
"""
# In place of a test's number: its file, as it is imported.
IMPORT = -1
# A test may take so many times what it took without a mutant, and these seconds; and the memory.
PATIENCE, GRACE, MEMORY = 10.0, 20.0, 12 * 2**30


def digest(*paths: Path) -> str:
    content = b"".join(path.read_bytes() for path in sorted(paths))
    return hashlib.sha256(content).hexdigest()[:16]


def digest_of(place: Place) -> str:
    """Of the file as it was when this began."""
    return hashlib.sha256(text_of(place.file).encode()).hexdigest()[:16]


# In a process of its own ------------------------------------------------------------------------


class Observer:
    """A pytest plugin: chooses and orders tests, times them, and names the first that fails.

    A test that takes too long ends the process.
    """

    def __init__(self, limits: dict[str, float] | None = None, coverage: Any = None) -> None:
        self.limits, self.coverage = limits, coverage
        self.seconds: dict[str, float] = {}
        self.failed = ""

    def pytest_collection_modifyitems(self, items):
        if self.limits is not None:
            known = {item.nodeid: item for item in items}
            items[:] = [known[name] for name in self.limits if name in known]

    def pytest_runtest_logstart(self, nodeid):
        self.seconds[nodeid] = -time.perf_counter()
        if self.limits is not None:
            signal.setitimer(signal.ITIMER_REAL, self.limits[nodeid])
        if self.coverage is not None:
            self.coverage.switch_context(nodeid)

    def pytest_runtest_logfinish(self, nodeid):
        self.seconds[nodeid] += time.perf_counter()
        if self.coverage is not None:
            self.coverage.switch_context("")

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.failed:
            self.failed = report.nodeid

    pytest_collectreport = pytest_runtest_logreport


def pytest_main(observer: Observer, *arguments: str) -> bool:
    """Whether all tests pass, or there are none, as where PyTorch is missing."""
    import pytest

    code = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[observer])
    fine = pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED
    if code not in fine and not observer.failed:
        observer.failed = f"pytest's status {code}"
    return not observer.failed


def run_tests(limits: dict[str, float], place: Place | None = None) -> dict[str, str]:
    """Run some tests, in this order, on a mutant up to the first that fails."""
    if place is not None:
        Path("hplasso", place.file).write_text(mutated(place)[0], encoding="utf-8")
    observer = Observer(limits)
    signal.alarm(int(PATIENCE * GRACE))  # for what is imported
    files = sorted({test.partition("::")[0] for test in limits})
    if not files or pytest_main(observer, "-x", *files):
        return {"status": "survived"}
    return {"status": "killed", "by": observer.failed}


def observe(file: str) -> dict[str, Any]:
    """Run the tests of a file, and say which of them execute which lines of the package."""
    import coverage

    cover = coverage.Coverage(data_file=None, config_file=False, source=["hplasso"])
    observer = Observer(coverage=cover)
    cover.start()
    passed = pytest_main(observer, f"tests/{file}")
    cover.stop()
    if not passed:
        return {"by": observer.failed}
    data, lines = cover.get_data(), {}
    number = {test: index for index, test in enumerate(observer.seconds)}
    for name in data.measured_files():
        lines[name.rpartition("/hplasso/")[2]] = {
            line: [number.get(test, IMPORT) for test in tests]
            for line, tests in data.contexts_by_lineno(name).items()
        }
    return {"seconds": observer.seconds, "lines": lines}


class Slot:
    """A copy of the project, and the process that tests it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pid, self.task = folder, 0, None
        self.report = folder / "report.json"
        for name in COPIED:
            source, target = ROOT / name, folder / name
            if source.is_dir():
                without = shutil.ignore_patterns("__pycache__", "_build", "auto_examples")
                shutil.copytree(source, target, ignore=without)
            else:
                shutil.copy(source, target)
        # By time and size, a mutant could be taken for the file that it is of.
        by_hash = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder / "hplasso", quiet=1, invalidation_mode=by_hash)

    def begin(self, task: Any, function: Callable[[], Any]) -> None:
        """Call a function in a process of its own."""
        self.task, self.begun = task, time.monotonic()
        self.pid = os.fork()
        if self.pid:
            return
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(self.folder)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        sys.path[0] = str(self.folder)
        try:
            report = function()
        except BaseException:
            report = {"error": traceback.format_exc()}
        self.report.write_text(json.dumps(report))
        os._exit(0)

    def ended(self) -> dict[str, Any] | None:
        """What the process has reported, once it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            reason = "too long" if number == signal.SIGALRM else f"signal {number}"
            return {"status": "killed", "by": reason}
        report = json.loads(self.report.read_text())
        if "error" in report:
            sys.exit(report["error"])
        return report


def in_turn(slots: list[Slot], tasks: Iterable[Any]) -> Iterator[tuple[Slot, dict[str, Any]]]:
    """Give each slot one task after the other; a slot and its report as each ends."""
    tasks, free, busy = iter(tasks), list(slots), []
    try:
        while True:
            while free and (task := next(tasks, None)) is not None:
                slot = free.pop()
                slot.begin(*task)
                busy.append(slot)
            if not busy:
                return
            time.sleep(0.02)
            for slot in list(busy):
                if (report := slot.ended()) is not None:
                    busy.remove(slot)
                    yield slot, report
                    free.append(slot)
    finally:
        for slot in busy:
            os.killpg(slot.pid, signal.SIGKILL)


# The run ----------------------------------------------------------------------------------------


class Coverage:
    """Which tests execute which lines, file by file; kept beside the results."""

    def __init__(self, path: Path, slots: list[Slot], patterns: list[str]) -> None:
        known = json.loads(path.read_text()) if path.exists() else {}
        checked = known.pop("checked", None)
        helpers = set(TESTS.glob("*.py")) - set(TESTS.glob("test_*.py")) - set(TESTS.glob("mut*"))
        shared = digest(*PACKAGE.rglob("*.py"), *helpers)
        self.files = {}
        for path_of_file in sorted(TESTS.rglob("test_*.py")):
            file = path_of_file.relative_to(TESTS).as_posix()
            if not matches(file, patterns):
                continue
            own = f"{shared} {digest(path_of_file)}"
            current = known.get(file, {}).get("digest") == own
            self.files[file] = known[file] if current else {"digest": own}
        missing = [file for file, found in self.files.items() if "seconds" not in found]
        for slot, found in in_turn(slots, ((file, partial(observe, file)) for file in missing)):
            print(f"observed {slot.task}", flush=True)
            if "seconds" not in found:
                sys.exit(f"{slot.task} fails without a mutant: {found['by']}")
            self.files[slot.task] |= found
            path.write_text(json.dumps(self.files))
        self.limits = {
            test: GRACE + PATIENCE * seconds
            for found in self.files.values()
            for test, seconds in found["seconds"].items()
        }
        self.limits = dict(sorted(self.limits.items(), key=lambda item: item[1]))
        suite = " ".join(found["digest"] for found in self.files.values())
        if checked != suite:
            print("Running all tests, the fastest first.", flush=True)
            for _, found in in_turn(slots, [(None, partial(run_tests, self.limits))]):
                if found["status"] != "survived":
                    sys.exit(f"The tests fail in another order: {found['by']}")
            path.write_text(json.dumps(self.files | {"checked": suite}))

    def of(self, place: Place) -> dict[str, float]:
        """The tests that execute what is changed, with their limits, the fastest first."""
        found = set()
        inside, places = executed(place)
        for file, lines in places.items():
            for observed in self.files.values():
                contexts = observed["lines"].get(file, {})
                numbers = {number for line in lines for number in contexts.get(str(line), ())}
                tests = list(observed["seconds"])
                if inside and IMPORT in numbers:  # which concerns all tests of the file
                    found |= set(tests)
                found |= {tests[number] for number in numbers - {IMPORT}}
        return {test: limit for test, limit in self.limits.items() if test in found}


class Run:
    """Mutants, what is known of them, and what is to be found out."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.path = options, options.results
        self.places = sample(options.rooms, options.per_room, options.seed, options.files)
        self.changes = {place: mutated(place)[1] for place in self.places}
        named = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
        self.equivalent = {
            (one["file"], one["old"], one["new"], one.get("nth", 1)) for one in named
        }
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.known = {record["name"]: record for record in map(json.loads, lines)}

    def status(self, place: Place) -> str | None:
        """What is known of a mutant; nothing if its file has changed since."""
        if tuple(self.changes[place].values()) in self.equivalent:
            return "equivalent"
        record = self.known.get(place.name, {})
        same = record.get("digest") == digest_of(place)
        return record["status"] if same else None

    def find_out(self) -> None:
        """Test the mutants that nothing is known of; survivors by all other tests, too."""
        again = ["survived"] if self.options.again else []
        todo = [place for place in self.places if self.status(place) in (None, "uncaught", *again)]
        if not todo:
            return
        print(f"{len(todo)} of {len(self.places)} mutants are to be tested.", flush=True)
        os.environ["MPLBACKEND"] = "agg"
        for name in PRELOADED.split():
            importlib.import_module(name)
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            slots = [Slot(Path(folder, str(number))) for number in range(self.options.jobs)]
            coverage = Coverage(self.path.with_suffix(".coverage.json"), slots, self.options.tests)
            covering = {place: coverage.of(place) for place in todo}
            new = [place for place in todo if self.status(place) != "uncaught"]
            new.sort(key=lambda place: len(covering[place]))
            self._test(slots, {place: covering[place] for place in new}, "uncaught")
            others = {
                place: {
                    test: limit
                    for test, limit in coverage.limits.items()
                    if test not in covering[place]
                }
                for place in todo
                if self.status(place) == "uncaught"
            }
            self._test(slots, others, "survived")

    def _test(
        self, slots: list[Slot], tests: dict[Place, dict[str, float]], unless_killed: str
    ) -> None:
        """Run tests on each mutant, and write down what comes of it."""
        tasks = ((place, partial(run_tests, limits, place)) for place, limits in tests.items())
        for slot, report in in_turn(slots, tasks):
            place = slot.task
            copy = slot.folder / "hplasso" / place.file
            copy.write_text(text_of(place.file), encoding="utf-8")
            if report["status"] == "survived":
                report = {"status": unless_killed}
            self._add(place, report | {"seconds": round(time.monotonic() - slot.begun, 1)})

    def _add(self, place: Place, report: dict[str, Any]) -> None:
        record = {"room": place.room, "name": place.name, "line": place.line}
        record |= self.changes[place] | report | {"digest": digest_of(place)}
        self.known[place.name] = record
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(f"{report['status']:9}{self._shown(place)}  ({report.get('by', '')})", flush=True)

    def _shown(self, place: Place) -> str:
        change = self.changes[place]
        return f"{place.file}:{place.line}  {change['old']}  ->  {change['new']}"

    def conclude(self) -> int:
        """Print the survivors and the scores; the exit status."""
        counts = {room: Counter() for room in self.options.rooms}
        for place in self.places:
            counts[place.room][self.status(place)] += 1
            if self.status(place) == "survived":
                print(f"survived {self._shown(place)}")
        counts["all"] = sum(counts.values(), Counter())
        print(f"\nSeed {self.options.seed}")
        print(f"{'room':12} mutants killed survived equivalent open  score")
        enough = True
        for room, count in counts.items():
            tested = count["killed"] + count["survived"]
            score = count["killed"] / max(1, tested)
            enough &= score >= (SCORE if room == "all" else SCORE_OF_ROOM)
            unknown = count.total() - tested - count["equivalent"]
            enough &= not unknown
            shown = f"{count.total():7} {count['killed']:6} {count['survived']:8}"
            print(f"{room:12} {shown} {count['equivalent']:10} {unknown:4} {score:6.1%}")
        return 0 if enough else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Put small faults into the package; run its tests."
    )
    parser.add_argument("results", type=Path, help="a JSON-lines file, to begin or to go on from")
    parser.add_argument("--jobs", type=int, default=1, help="how many mutants at a time")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--per-room", type=int, default=40, help="mutants of each room")
    parser.add_argument("--rooms", nargs="+", default=ROOMS, choices=ROOMS)
    parser.add_argument("--files", nargs="+", default=["*"], help="of rooms: patterns of names")
    parser.add_argument("--tests", nargs="+", default=["*"], help="the same, of the suite")
    parser.add_argument("--again", action="store_true", help="test the survivors again")
    parser.add_argument("--report", action="store_true", help="only say what is known")
    options = parser.parse_args()
    print(f"Seed {options.seed}, {options.per_room} mutants of each room.", flush=True)
    run = Run(options)
    if not options.report:
        run.find_out()
    return run.conclude()


if __name__ == "__main__":
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # before NumPy is imported: its threads do not outlive a fork
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it is tidied up
    sys.exit(main())
