"""How the package is built: imports point one way, and each thing is known in one place."""

import ast
import importlib
import inspect
import io
import pkgutil
import statistics
import tokenize
import tomllib
from pathlib import Path

import pytest
from sklearn.base import MetaEstimatorMixin

import hplasso

PACKAGE = Path(hplasso.__file__).parent
# What each room may import from, besides itself; "" is the top of the package.
MAY_IMPORT = {
    "": {
        "_plot",
        "_report",
        "_model_selection",
        "_estimators",
        "_smooth",
        "_validation",
        "_design",
        "_numerics",
    },
    "_plot": {"_model_selection", "_estimators", "_path", "_validation", "_numerics"},
    "_report": {
        *("_model_selection", "_estimators", "_path", "_design", "_validation", "_numerics"),
    },
    "_model_selection": {"_estimators", "_path", "_solver", "_design", "_validation", "_numerics"},
    "_estimators": {
        *("_path", "_datafit", "_solver", "_losses", "_penalties", "_design", "_validation"),
        "_numerics",
    },
    "_smooth": {"_validation", "_numerics"},
    "_path": {"_datafit", "_solver", "_penalties", "_design", "_numerics"},
    "_datafit": {"_losses", "_design", "_numerics"},
    "_solver": {"_penalties", "_numerics"},
    "_losses": {"_numerics"},
    "_penalties": {"_numerics"},
    "_design": {"_numerics"},
    "_validation": {"_numerics"},
    "_numerics": set(),
}
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text())
    for path in PACKAGE.rglob("*.py")
}
FILES = sorted(TREES)


def room_of(file):
    return file.rpartition("/")[0]


def imports(tree):
    """(level, module, names) of every import statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name, []) for alias in node.names)


def inner_imports(file):
    """The files of the package that a file imports from."""
    for level, module, names in imports(TREES[file]):
        if level:
            room = room_of(file) if level == 1 else ""
            assert level <= 2
            assert module, f"{file} imports the package {names}"
            path = "/".join(part for part in (room, *module.split(".")) if part)
            yield f"{path}.py"


def test_every_room_has_its_floor():
    assert {room_of(file) for file in FILES} == set(MAY_IMPORT)
    below = set()
    for room in reversed(MAY_IMPORT):
        assert MAY_IMPORT[room] <= below
        below.add(room)
    assert len([path for path in PACKAGE.iterdir() if path.name != "__pycache__"]) <= 16


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way(file):
    room = room_of(file)
    imported = {room_of(other) for other in inner_imports(file)} - {room}
    assert imported <= MAY_IMPORT[room]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_files_of_a_room_import_each_other(room):
    inside = {
        file: {other for other in inner_imports(file) if room_of(other) == room}
        for file in FILES
        if room_of(file) == room
    }
    while inside:
        lowest = [file for file, others in inside.items() if not others & set(inside)]
        assert lowest, sorted(inside)
        for file in lowest:
            del inside[file]


@pytest.mark.parametrize("file", FILES)
def test_only_public_scikit_learn(file):
    for _, module, names in imports(TREES[file]):
        if module.startswith("sklearn"):
            assert not [part for part in [*module.split("."), *names] if part.startswith("_")]


@pytest.mark.parametrize("file", FILES)
def test_dense_and_sparse_are_told_apart_in_one_room(file):
    if room_of(file) != "_design":
        words = {node.attr for node in ast.walk(TREES[file]) if isinstance(node, ast.Attribute)}
        assert not words & {"issparse", "tocsc", "tocsr", "toarray", "indptr"}


def code_lines(file):
    """The numbers of lines that hold tokens other than comments and docstrings."""
    blank = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT)
    text, lines = (PACKAGE / file).read_text(), set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*blank, tokenize.ENDMARKER):
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def functions_of(file):
    """The functions of a file, with the number of code lines of the body of each."""
    lines = code_lines(file)
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.FunctionDef):
            start = node.body[0].lineno
            yield node, sum(start <= line <= node.end_lineno for line in lines)


def nesting(node):
    """How deep blocks are in each other; elif is no deeper than if."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            continue
        block = isinstance(child, ast.If | ast.For | ast.While | ast.With | ast.Try)
        follows = isinstance(node, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child) + (block and not follows))
    return deepest


@pytest.mark.parametrize("file", FILES)
def test_files_and_functions_are_short(file):
    assert len((PACKAGE / file).read_text().splitlines()) <= 500
    for function, length in functions_of(file):
        assert length <= 45, function.name
        assert nesting(function) <= 3, function.name


def test_most_functions_are_very_short():
    assert statistics.median(length for file in FILES for _, length in functions_of(file)) <= 5


@pytest.mark.parametrize("file", FILES)
def test_classes_are_small(file):
    """Few methods, and few attributes that change after the start; those of fits aside."""
    for node in ast.walk(TREES[file]):
        if not isinstance(node, ast.ClassDef):
            continue
        methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
        assert len(methods) <= 12, node.name
        changed = {
            target.attr
            for method in methods
            if method.name != "__init__"
            for target in ast.walk(method)
            if isinstance(target, ast.Attribute)
            and isinstance(target.ctx, ast.Store)
            and isinstance(target.value, ast.Name)
            and target.value.id == "self"
            and not target.attr.endswith("_")
        }
        assert len(changed) <= 8, node.name


def test_no_class_inherits_from_one_that_can_be_built():
    for module in pkgutil.walk_packages(hplasso.__path__, "hplasso."):
        if "torch" in module.name or "dask" in module.name:
            continue
        classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        for _, each in classes:
            for base in each.__bases__:
                if each.__module__.startswith("hplasso") and base.__module__.startswith("hplasso"):
                    fallback = base.__name__ == "CallbackSupportMixin"  # before scikit-learn 1.9
                    assert inspect.isabstract(base) or fallback, each.__name__


# Identifiers that were the package's own, before it had the words of the field.
OLD_IDENTIFIERS = """
Observation Knot Knots Chord Admission Appraisal RidgeAppraisal FaceFactor FaceGradients Noise
StackedDesign StackedColumns lead_to awaited likely foremost admission appraisal knot knots
chord place places asked gap_asked reach level pull slack noise floor bring hold held descend settle
let_in forecast lean leanly leaned approach stage passing let_go keep fragile spread mend mended
readable cross rows_of_term advance dearness dearer dearest price way rest ahead share shares honest
bend bent rooted
"""


@pytest.mark.parametrize("file", FILES)
def test_identifiers_are_words_of_the_field(file):
    if file.startswith("_smooth/") or file == "torch.py":  # whose words are SciPy's and PyTorch's
        return
    tokens = tokenize.generate_tokens(io.StringIO((PACKAGE / file).read_text()).readline)
    names = {token.string.strip("_") for token in tokens if token.type == tokenize.NAME}
    assert not names & set(OLD_IDENTIFIERS.split())


@pytest.mark.parametrize("file", FILES)
def test_kinds_are_not_asked_for(file):
    """What differs between Gram matrices, linear solvers and losses is a method of theirs."""
    kinds = {"GramMatrix", "ProductGram", "Operator", "CholeskyFactor", "ConjugateGradients"}
    kinds |= {"Loss", "SquaredLoss", "LogisticLoss", "SoftmaxLoss", "CurvedTerm", "LeastSquares"}
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            assert not {getattr(name, "id", "") for name in ast.walk(node.args[1])} & kinds
            in_solver = room_of(file) == "_solver"
            assert not in_solver or "ndarray" not in ast.unparse(node.args[1])


@pytest.mark.parametrize("file", FILES)
def test_no_locals(file):
    """Arguments are passed on by name, in records with types."""
    assert "locals" not in {node.id for node in ast.walk(TREES[file]) if isinstance(node, ast.Name)}


def test_estimators_are_final_and_their_bases_abstract():
    estimators = [getattr(hplasso, name) for name in hplasso.__all__]
    estimators = [each for each in estimators if hasattr(each, "get_params")]
    estimators.remove(hplasso.PathSearchCV)  # made from another
    assert len(estimators) == 22
    for estimator in estimators:
        assert estimator().get_params()
        bases = [base for base in estimator.__mro__[1:] if base.__module__.startswith("hplasso")]
        bases = [base for base in bases if base.__name__ != "CallbackSupportMixin"]
        assert bases or issubclass(estimator, MetaEstimatorMixin)
        for base in bases:
            with pytest.raises(TypeError, match="abstract"):
                base()


def test_public_names():
    assert hplasso.__all__ == [
        "Batches",
        "CertificateDisplay",
        "CrossValidationDisplay",
        "HadamardElasticNet",
        "HadamardElasticNetCV",
        "HadamardGammaRegressor",
        "HadamardGammaRegressorCV",
        "HadamardGroupLasso",
        "HadamardGroupLassoCV",
        "HadamardGroupLogisticRegression",
        "HadamardGroupPoissonRegressor",
        "HadamardLasso",
        "HadamardLassoCV",
        "HadamardLassoIC",
        "HadamardLogisticRegression",
        "HadamardLogisticRegressionCV",
        "HadamardMultiTaskLasso",
        "HadamardMultiTaskLassoCV",
        "HadamardPoissonRegressor",
        "HadamardPoissonRegressorCV",
        "HadamardRelaxed",
        "HadamardRelaxedCV",
        "HadamardStabilitySelection",
        "HadamardTweedieRegressor",
        "HadamardTweedieRegressorCV",
        "PathSearchCV",
        "RegularizationPathDisplay",
        "StabilityDisplay",
        "Summary",
        "enet_path",
        "glm_path",
        "group_path",
        "lasso_path",
        "logistic_path",
        "minimize_l1",
        "show_versions",
    ]
    for name in hplasso.__all__:
        assert getattr(hplasso, name).__doc__


def test_mutants_that_make_no_difference_are_of_the_present_source():
    """A line that has changed since may make a difference now."""
    named = tomllib.loads(Path(__file__).with_name("equivalent_mutants.toml").read_text())
    for one in named["mutant"]:
        source = (PACKAGE / one["file"]).read_text()
        assert source.count(one["old"]) >= one.get("nth", 1), one["old"]
