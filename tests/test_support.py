"""The table of the reference, which class has what, says what there is."""

import csv
import inspect
import pickle
from contextlib import suppress
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.utils import get_tags

import hplasso
from hplasso import HadamardLasso, HadamardLogisticRegression

PAGE = (Path(__file__).parent.parent / "doc" / "api.rst").read_text(encoding="utf-8")
NAMES = [name for name in hplasso.__all__ if hasattr(getattr(hplasso, name), "get_params")]
DISPLAYS = {
    "path": hplasso.RegularizationPathDisplay,
    "folds": hplasso.CrossValidationDisplay,
    "certificate": hplasso.CertificateDisplay,
    "stability": hplasso.StabilityDisplay,
}
rng = np.random.default_rng(0)
X = rng.standard_normal((40, 3))
y = np.exp(X[:, 0] + 0.5 * X[:, 1] + 0.1 * rng.standard_normal(40))
labels = np.array(["a", "b", "c"])[np.digitize(y * np.exp(rng.standard_normal(40)), [0.5, 2.0])]
LASSO, LOGISTIC = HadamardLasso(alpha=0.1), HadamardLogisticRegression()
SMALL = {"alpha": 0.1, "alphas": 4, "Cs": 4, "cv": 2, "n_resamples": 2}


def table():
    """The rows of the table, by class."""
    start = PAGE.index(".. csv-table::")
    lines = PAGE[start : PAGE.index("\n\n\n", start)].splitlines()
    (header,) = [line.partition("header:")[2] for line in lines if ":header:" in line]
    keys, *rows = csv.reader(
        [header, *(line for line in lines if "`~" in line)], skipinitialspace=True
    )
    named = [dict(zip(keys, row, strict=True)) for row in rows]
    return {row.pop("class").strip("`").rpartition(".")[2]: row for row in named}


def made(kind, inside):
    """An estimator that is fast to fit, around another if it takes one."""
    names = inspect.signature(kind).parameters
    small = {name: value for name, value in SMALL.items() if name in names}
    if "estimator" not in names:
        return kind(**small)
    small.pop("alphas" if inside is LOGISTIC else "Cs", None)  # as it has another name
    grid = [{"C": [0.1, 1.0]} if inside is LOGISTIC else {"alpha": [0.1, 0.01]}]
    return kind(inside, *(grid if "param_grid" in names else []), **small)


@cache
def fitted(name):
    """A fit to numbers, or to classes where the class takes no others."""
    classes = "LogisticRegression" in name
    return made(getattr(hplasso, name), LASSO).fit(X, labels if classes else numbers(name))


def numbers(name):
    """One target, or two where the class takes no single one."""
    return np.stack([y, X[:, 1]], axis=1) if name.startswith("HadamardMultiTask") else y


def takes(kind, inside, target):
    with suppress(ValueError):
        return bool(made(kind, inside).fit(X, target))
    return False


def mark(has):
    return "yes" if has else ""


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_what_there_is(name):
    kind, row = getattr(hplasso, name), table()[name]
    own = inspect.signature(kind).parameters
    inside = "of estimator" if "estimator" in own else ""
    for parameter in ("penalty_weights", "positive"):
        assert row[parameter.replace("_", " ")] == (mark(parameter in own) or inside)
    assert row["warm start"] == mark("warm_start" in own)
    assert row["to_sklearn"] == mark(hasattr(kind, "to_sklearn"))


@pytest.mark.parametrize("name", NAMES)
def test_targets_and_classes(name):
    kind, several = getattr(hplasso, name), table()[name]["several"]
    assert takes(kind, LASSO, np.stack([y, y], axis=1)) == ("targets" in several)
    assert takes(kind, LOGISTIC, labels) == ("classes" in several)


@pytest.mark.parametrize("name", NAMES)
def test_data_in_blocks(name):
    kind, taken = getattr(hplasso, name), False
    target = (y > 1.0).astype(int) if "LogisticRegression" in name else numbers(name)
    blocks = hplasso.Batches([(X[:20], target[:20]), (X[20:], target[20:])])
    with suppress(TypeError):
        taken = bool(made(kind, LASSO).fit(blocks, None))
    assert table()[name]["blocks"] == mark(taken)


@pytest.mark.parametrize("name", NAMES)
def test_what_every_class_has(name):
    model = fitted(name)
    arguments = inspect.signature(model.fit).parameters
    assert {"sample_weight", "offset"} <= set(arguments) or name == "PathSearchCV"
    assert get_tags(model).input_tags.sparse
    assert str(hplasso.Summary.from_estimator(model))
    copy = pickle.loads(pickle.dumps(model))
    if name == "HadamardStabilitySelection":
        np.testing.assert_array_equal(copy.scores_, model.scores_)
    else:
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


@pytest.mark.parametrize("name", NAMES)
def test_displays_draw_what_the_table_says(name):
    plt.switch_backend("agg")
    model, drawn = fitted(name), []
    target = labels if hasattr(model, "classes_") else numbers(name)
    for word, display in DISPLAYS.items():
        data = (X, target) if "X" in inspect.signature(display.from_estimator).parameters else ()
        with suppress(ValueError, AttributeError):
            display.from_estimator(model, *data)
            drawn.append(word)
    plt.close("all")
    assert table()[name]["displays"] == ", ".join(drawn)


def test_the_table_has_every_class():
    assert list(table()) == NAMES
