"""How the package is built: imports point one way, and each thing is known in one place."""

import ast
from pathlib import Path

import pytest

import hplasso

PACKAGE = Path(hplasso.__file__).parent
# From the border down to the kernels: a file imports only from files after it.
ORDER = [
    "torch",
    "_torch_product",
    "__init__",
    "_path_display",
    "_cross_validation_display",
    "_certificate_display",
    "_display",
    "_pictured",
    "_lasso_cv",
    "_elastic_net_cv",
    "_least_squares_cv",
    "_lasso",
    "_elastic_net",
    "_least_squares",
    "_lasso_ic",
    "_linear_regressor",
    "_least_squares_path",
    "_logistic_cv",
    "_logistic_folds",
    "_scoring",
    "_logistic",
    "_linear_classifier",
    "_logistic_path",
    "_classification",
    "_minimize",
    "_orthant",
    "_product",
    "_descent",
    "_objective",
    "_selection",
    "_kept_path",
    "_base",
    "_folds",
    "_regression",
    "_chords",
    "_means",
    "_ridge",
    "_rooted_path",
    "_path",
    "_admission",
    "_appraisal",
    "_orthogonal",
    "_settings",
    "_rooted",
    "_fitting",
    "_reports",
    "_logistic_term",
    "_hessian",
    "_logistic_loss",
    "_data_terms",
    "_knots",
    "_correlations",
    "_working_set",
    "_stacked",
    "_design",
    "_dense_design",
    "_sparse_design",
    "_design_base",
    "_subproblem",
    "_hadamard",
    "_newton",
    "_problem",
    "_face_gradients",
    "_face_factor",
    "_certificate",
    "_linalg",
    "_sklearn_names",
    "_arithmetic",
    "_typing",
]
TREES = {path.stem: ast.parse(path.read_text()) for path in PACKAGE.glob("*.py")}


def imports(tree):
    """(level, module, names) of every import statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name, []) for alias in node.names)


def test_every_file_has_its_place():
    assert sorted(TREES) == sorted(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_down(name):
    inner = {module for level, module, _ in imports(TREES[name]) if level}
    assert inner <= set(ORDER[ORDER.index(name) + 1 :])


@pytest.mark.parametrize("name", ORDER)
def test_only_public_scikit_learn(name):
    for _, module, names in imports(TREES[name]):
        if module.startswith("sklearn"):
            assert not [part for part in [*module.split("."), *names] if part.startswith("_")]


@pytest.mark.parametrize("name", ORDER)
def test_dense_and_sparse_are_told_apart_in_one_place(name):
    if not name.endswith("_design"):
        words = {node.attr for node in ast.walk(TREES[name]) if isinstance(node, ast.Attribute)}
        assert not words & {"issparse", "tocsc", "tocsr", "toarray", "indptr"}


@pytest.mark.parametrize("name", ORDER)
def test_files_and_functions_are_short(name):
    assert len((PACKAGE / f"{name}.py").read_text().splitlines()) <= 500
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            length = node.end_lineno - node.lineno + 1 - len(docstring.splitlines())
            assert length <= 60, node.name


def test_public_names():
    assert hplasso.__all__ == [
        "CertificateDisplay",
        "CrossValidationDisplay",
        "HadamardElasticNet",
        "HadamardElasticNetCV",
        "HadamardLasso",
        "HadamardLassoCV",
        "HadamardLassoIC",
        "HadamardLogisticRegression",
        "HadamardLogisticRegressionCV",
        "RegularizationPathDisplay",
        "enet_path",
        "lasso_path",
        "logistic_path",
        "minimize_l1",
    ]
    for name in hplasso.__all__:
        assert getattr(hplasso, name).__doc__
