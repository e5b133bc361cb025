"""The types say what the documentation and the signatures say."""

import inspect
import re

import pytest

import hplasso
from hplasso._estimators import path_arguments

ESTIMATORS = [name for name in hplasso.__all__ if hasattr(getattr(hplasso, name), "get_params")]
# What mypy is told of in place of scikit-learn's base classes.
OF_SCIKIT_LEARN = {"n_features_in_", "feature_names_in_", "sparse_coef_"}
ARGUMENTS = {
    "lasso_path": path_arguments.LassoPathArguments,
    "enet_path": path_arguments.ElasticNetPathArguments,
    "logistic_path": path_arguments.LogisticPathArguments,
    "group_path": path_arguments.GroupPathArguments,
    "glm_path": path_arguments.GeneralizedLinearPathArguments,
}


def declared(kind):
    """The fitted attributes that a class or a base of it declares."""
    names = {name for base in kind.__mro__ for name in inspect.get_annotations(base)}
    if "blocks" not in kind.fit.__doc__:
        names.discard("n_passes_")
    return {name for name in names if name.endswith("_") and not name.startswith("_")}


@pytest.mark.parametrize("name", [each for each in ESTIMATORS if each != "PathSearchCV"])
def test_documented_attributes_are_declared(name):
    kind = getattr(hplasso, name)
    section = re.split(r"\n *Attributes\n *-+\n|\n *See Also\n", kind.__doc__)[1]
    lines = re.findall(r"^ {4}(\w[\w, ]*) : ", section, re.MULTILINE)
    documented = {each for line in lines for each in line.split(", ")} - OF_SCIKIT_LEARN
    assert documented <= declared(kind)
    assert all(attribute in kind.__doc__ for attribute in declared(kind))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_overloads_have_every_argument(name):
    parameters = inspect.signature(getattr(hplasso, name)).parameters.values()
    keywords = {each.name: each.annotation for each in parameters if each.kind is each.KEYWORD_ONLY}
    flags = {flag for flag in keywords if flag.startswith("return_")}
    assert set(ARGUMENTS[name].__annotations__) == set(keywords) - flags
