"""The documentation names what there is: public names, source files, functions of formulas."""

import ast
import importlib
import inspect
import re
from doctest import DocTestParser
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

import hplasso

ROOT = Path(__file__).parent.parent
PACKAGE = Path(hplasso.__file__).parent
# Pages that have others below them, in a folder of the same name.
FAMILIES = ("algorithm", "benchmarks", "contributing", "migration", "user_guide")


def pages(pattern):
    """The texts of pages, by their paths in the documentation."""
    found = sorted((ROOT / "doc").glob(pattern))
    return {path.relative_to(ROOT / "doc"): path.read_text(encoding="utf-8") for path in found}


ALGORITHM = "\n".join(pages("algorithm/*.rst").values())
KERNELS = sorted(set(re.findall(r"``(_\w+\.\w+\.[\w.]+)``", ALGORITHM)))


def public_names_of_torch():
    """Those of hplasso.torch, which cannot be imported everywhere."""
    tree = ast.parse((PACKAGE / "torch.py").read_text())
    (names,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    ]
    return names


def test_reference_has_every_public_name():
    page, torch = (ROOT / "doc" / "api.rst").read_text().split("currentmodule:: hplasso.torch")
    names = re.compile(r"^   (\w+)$", re.MULTILINE)
    assert sorted(names.findall(page)) == sorted(hplasso.__all__)
    assert sorted(names.findall(torch)) == sorted(public_names_of_torch())


def test_map_of_the_source_names_every_file_once():
    text = "\n".join(pages("contributing/map*.rst").values())
    named = re.findall(r"``([\w/]+\.py)``", text)
    files = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    assert sorted(named) == sorted(name for name in files if not name.endswith("/__init__.py"))


@pytest.mark.parametrize("name", KERNELS)
def test_algorithm_names_functions_that_exist(name):
    room, file, function = name.split(".", 2)
    reduce(getattr, function.split("."), importlib.import_module(f"hplasso.{room}.{file}"))


def test_algorithm_names_the_kernels():
    rooms = {name.partition(".")[0] for name in KERNELS}
    assert rooms >= {"_solver", "_penalties", "_design", "_path"}


def test_names_that_are_linked_to_are_there():
    lines = (ROOT / "doc" / "_inventories" / "scikit-learn.txt").read_text().splitlines()[3:]
    for name, kind, page in map(str.split, lines):
        module, _, thing = name.rpartition(".")
        assert inspect.isclass(getattr(importlib.import_module(module), thing)) == (kind == "class")
        assert page == f"modules/generated/{name}.html"


def documented():
    """Every public callable, by its name: functions, classes and their methods."""
    found = {}
    for name in hplasso.__all__:
        thing = found[name] = getattr(hplasso, name)
        for method, function in inspect.getmembers(thing, inspect.isfunction):
            if inspect.isclass(thing) and not method.startswith("_") and function.__doc__:
                found[f"{name}.{method}"] = function
    return {name: it for name, it in found.items() if it.__module__.startswith("hplasso")}


DOCUMENTED = documented()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_defaults_are_those_that_the_documentation_gives(name):
    thing = DOCUMENTED[name]
    section = re.split(r"\n *Attributes\n *-+\n|\n *Returns\n *-+\n", thing.__doc__)[0]
    lines = re.findall(r"^ *([\w, ]+) : .*default=(.+)$", section, re.MULTILINE)
    given = {
        each.strip(): np.nan if value == "nan" else ast.literal_eval(value)
        for names, value in lines
        for each in names.split(",")
    }
    parameters = inspect.signature(thing).parameters.values()
    defaults = {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not parameter.empty
    }
    assert given == defaults


def test_readme_has_the_two_commands():
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    commands = re.findall(r"^    python3 -m venv .*$", readme, re.MULTILINE)
    assert [command.rpartition(" ")[2] for command in commands] == [
        "examples/plot_quickstart.py",
        "pytest",
    ]


def test_version_and_date_are_the_same_everywhere():
    news = (ROOT / "doc" / "whats_new.rst").read_text(encoding="utf-8")
    version, date = re.findall(r"^(\d+\.\d+\.\d+) \((.+)\)$", news, re.MULTILINE)[0]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert version == hplasso.__version__
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation


def test_every_new_call_of_the_migration_pages_is_run():
    """The calls in the right columns of the tables of a page are in the code of the page, too."""
    missing, n_calls = [], 0
    for page in pages("migration/*.rst").values():
        cells = re.findall(r"^   \* - .*\n     - (.*)$", page, re.MULTILINE)
        calls = [call for cell in cells for call in re.findall(r"``(.*?\(.*?)``", cell)]
        examples = DocTestParser().get_examples(page)
        run = "".join("".join(example.source for example in examples).split())
        missing += [call for call in calls if "".join(call.split()).removesuffix(")") not in run]
        n_calls += len(calls)
    assert n_calls > 50
    assert missing == []


def n_words(texts):
    return sum(len(text.split()) for text in texts)


@pytest.mark.parametrize("family", FAMILIES)
def test_pages_are_short_and_their_first_page_names_them(family):
    (first,) = pages(f"{family}.rst").values()
    below = pages(f"{family}/*.rst")
    assert [path for path, text in below.items() if n_words([text]) > 1000] == []
    listed = re.findall(rf"^   ({family}/\w+)$", first, re.MULTILINE)
    assert sorted(listed) == sorted(path.with_suffix("").as_posix() for path in below)
    described = re.findall(rf":doc:`[^`]*?({family}/\w+)>?`", first)
    assert set(described) == set(listed)


def test_the_derivation_is_at_most_a_fifth_of_the_words():
    everything = [pages(pattern) for pattern in ("*.rst", *(f"{name}/*.rst" for name in FAMILIES))]
    derivation = n_words([*pages("algorithm.rst").values(), ALGORITHM])
    assert derivation <= 0.2 * sum(n_words(texts.values()) for texts in everything)
