"""What the examples claim, by their own functions."""

import ast
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_docs import public_names_of_torch

import hplasso

EXAMPLES = Path(__file__).parent.parent / "examples"
PUBLIC = {"hplasso": hplasso.__all__, "hplasso.torch": public_names_of_torch()}


@pytest.fixture(scope="module")
def griewank(tmp_path_factory):
    """The names that the example defines; its pictures go to a folder that is thrown away."""
    plt.switch_backend("agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("griewank"))
        yield runpy.run_path(str(EXAMPLES / "method/plot_griewank.py"))
    plt.close("all")


@pytest.fixture(scope="module")
def factors(tmp_path_factory):
    """The names that the example on factors defines."""
    plt.switch_backend("agg")
    plt.close("all")  # what other tests have left open
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("factors"))
        yield runpy.run_path(str(EXAMPLES / "method/plot_factors.py"))
    plt.close("all")


def ends(example, step):
    """Where both descents end from the example's starting point."""
    start, descents = example["START"], ("subgradient_descent", "hadamard_descent")
    return [example["trajectory"](example[name], start, step, 2000)[-1] for name in descents]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("plot_*.py")), ids=lambda path: path.stem)
def test_gallery_form(path):
    """A title for the gallery, and nothing of the package but what it offers to everyone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title, underline = ast.get_docstring(tree).splitlines()[:2]
    assert underline == "=" * len(title)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("hplasso"):
            assert {name.name for name in node.names} <= set(PUBLIC[node.module])


def test_griewank_gradient(griewank):
    points, shift = np.random.default_rng(0).uniform(-10.0, 10.0, (20, 2)), 1e-6
    differences = [
        (griewank["griewank"](points + step) - griewank["griewank"](points - step)) / (2 * shift)
        for step in shift * np.eye(2)
    ]
    assert_allclose(griewank["gradient"](points), np.transpose(differences), atol=1e-8)


def test_griewank_long_steps_reach_the_minimum_in_the_factors_alone(griewank):
    caught, arrived = ends(griewank, griewank["LONG"])
    assert_allclose(caught, [9.2092, -4.0231], atol=1e-3 + griewank["LONG"] * griewank["PENALTY"])
    assert_allclose(arrived, [0.0, 0.0], atol=1e-12)
    assert griewank["objective"](caught) > 2.7
    assert griewank["objective"](arrived) < 1e-12


def test_griewank_short_steps_are_caught_either_way(griewank):
    for caught in ends(griewank, griewank["SHORT"]):
        assert_allclose(caught, [9.2092, -4.0231], atol=1e-3)


def test_griewank_subgradient_at_the_kink_is_one(griewank):
    path = griewank["trajectory"](griewank["subgradient_descent"], (0.0, 0.0), 0.1, 1)
    assert_allclose(path[1], -0.1 * griewank["PENALTY"])


def test_griewank_basins(griewank):
    """Counts of neither, theta only, factors only, both; starts on the edge of a basin aside."""
    short, long, longest = (np.bincount(m.ravel(), minlength=4) / m.size for m in griewank["maps"])
    assert_allclose(short, [0.901, 0.0, 0.005, 0.094], atol=0.005)
    assert_allclose(long, [0.632, 0.0, 0.274, 0.094], atol=0.05)
    assert_allclose(longest, [0.0, 0.0, 0.906, 0.094], atol=0.005)


def test_griewank_dents_are_let_go_where_the_curvature_says(griewank):
    """From just beside the dent nearest to the origin, whose longest step is 0.362."""
    dent, descent = np.array([2.92934, 4.02346]), griewank["hadamard_descent"]
    for step, stays in ((0.355, True), (0.37, False)):
        end = griewank["end_point"](descent, dent + 1e-3, step, 3000)
        assert (np.abs(end - dent).max() < 1e-4) == stays


def test_gradient_steps_from_balanced_factors_end_at_a_saddle(factors):
    lasso, gram, target, alpha = (factors[name] for name in ("lasso", "gram", "target", "alpha"))
    caught, *arrived = [path[-1] for path, _ in factors["runs"].values()]
    negative = lasso.coef_ < 0.0
    assert negative.sum() == 2
    assert_allclose(caught[negative], 0.0, atol=1e-6)
    assert np.abs(target - gram @ caught)[negative].max() > 1.8 * alpha
    for theta in arrived:
        assert_allclose(theta, lasso.coef_, atol=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_steps_from_balanced_factors_never_change_a_sign(factors, seed):
    theta = np.random.default_rng(seed).standard_normal(10)
    nu = np.sqrt(np.abs(theta))
    path = factors["gradient_steps"](np.copysign(nu, theta), nu, 200)
    assert (path * theta >= 0.0).all()
    assert (factors["gradient_steps"](theta / 0.3, np.full(10, 0.3), 200) * theta < 0.0).any()


def test_the_picture_of_the_benchmarks_has_the_ratios_of_the_tables():
    names = runpy.run_path(str(EXAMPLES / "benchmarks" / "picture.py"))
    for file in names["TABLES"]:
        text, groups = file.read_text(), names["read"](file)
        rows = [ratios for group in groups for ratios in group.tasks.values()]
        assert {len(group.gaps) for group in groups} == {len(rows[0])}
        known = sorted(value for ratios in rows for value in ratios if value)
        bold = sorted(float(value) for value in re.findall(r"\*\*([\d.]+)\*\*", text))
        assert_allclose(known, bold, rtol=0.06)
