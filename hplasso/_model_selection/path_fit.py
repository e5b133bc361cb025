"""The candidates of a search whose fits have their transformers in common, as one estimator."""

from collections.abc import Callable, Sequence
from copy import copy
from itertools import repeat
from typing import Any, NamedTuple, Self

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

from .._estimators.along_path import fit_along_path
from .._estimators.elastic_net import HadamardElasticNet
from .._estimators.group_lasso import HadamardGroupLasso
from .._estimators.group_logistic import HadamardGroupLogisticRegression
from .._estimators.group_poisson import HadamardGroupPoissonRegressor
from .._estimators.lasso import HadamardLasso
from .._estimators.logistic import HadamardLogisticRegression
from .._estimators.multi_task_lasso import HadamardMultiTaskLasso
from .._estimators.tweedie import (
    HadamardGammaRegressor,
    HadamardPoissonRegressor,
    HadamardTweedieRegressor,
)
from .._validation.parameters import real
from .candidates import Parameters

# The estimators that have paths.
KINDS = (
    HadamardLasso,
    HadamardElasticNet,
    HadamardGroupLasso,
    HadamardMultiTaskLasso,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardGammaRegressor,
    HadamardTweedieRegressor,
    HadamardGroupLogisticRegression,
    HadamardGroupPoissonRegressor,
)
ON_PATH = real(0.0, open_low=True)  # a penalty of zero is no point of a path, and fitted by itself


class Path(NamedTuple):
    """Penalties of the last step of a pipeline, and its other parameters that are set."""

    settings: Parameters
    penalties: list[Any]


class PathFit(BaseEstimator):
    """An estimator with paths, or a pipeline that ends with one, at all penalties of some paths.

    The transformers are fitted once: they are the same for all.

    Attributes
    ----------
    models_ : list
        For each penalty, path by path, what makes the fitted last step; or the error of its fit.
    """

    def __init__(self, estimator: Any, paths: Sequence[Path]) -> None:
        self.estimator = estimator
        self.paths = paths

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit at all penalties; a pipeline passes data and metadata on to its last step itself."""
        if not isinstance(self.estimator, Pipeline):
            self.models_ = []
            for settings, penalties in self.paths:
                template = clone(self.estimator).set_params(**settings)
                self.models_ += fit_path(template, penalties, X, y, params)
            return self
        self.pipeline_ = with_last(self.estimator, PathFit(self.estimator[-1], self.paths))
        error = attempt(self.pipeline_.fit, X, y, **params)
        if isinstance(error, Exception):  # of a transformer
            self.models_ = [error for path in self.paths for _ in path.penalties]
        else:
            self.models_ = self.pipeline_[-1].models_
        return self

    def transform(self, X: Any) -> Any:
        """What the last step sees of samples."""
        if not isinstance(self.estimator, Pipeline):
            return X
        transformers = self.pipeline_[:-1]
        return self.pipeline_[-1].transform(transformers.transform(X) if transformers.steps else X)

    def whole(self, model: Any) -> Any:
        """The fitted pipeline that ends with the model."""
        if not isinstance(self.estimator, Pipeline):
            return model
        return with_last(self.pipeline_, self.pipeline_[-1].whole(model))

    def get_metadata_routing(self) -> Any:
        """That of the estimator."""
        return get_routing_for_object(self.estimator)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)


def with_last(pipeline: Pipeline, last: Any) -> Pipeline:
    """A pipeline with another last step, the others the same objects."""
    other = copy(pipeline)
    other.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], last)]
    return other


def fit_path(
    template: Any, penalties: Sequence[Any], X: Any, y: Any, params: Parameters
) -> list[Any]:
    """What makes the fitted model at each penalty, or the error of its fit."""
    name = penalty_of(template)
    on_path = [penalty for penalty in penalties if ON_PATH.holds(penalty)]
    found = []
    if on_path:
        found = attempt(fit_along_path, clone(template), name, on_path, X, y, **params)
    points = repeat(found) if isinstance(found, Exception) else iter(found)
    return [
        next(points)
        if ON_PATH.holds(penalty)
        else attempt(fit_alone, clone(template).set_params(**{name: penalty}), X, y, **params)
        for penalty in penalties
    ]


def fit_alone(model: Any, X: Any, y: Any, **params: Any) -> Callable[[], Any]:
    """Fit a model by itself; return what makes it."""
    fitted = model.fit(X, y, **params)
    return lambda: fitted


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function returns, or the error that it raises."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


class Group(NamedTuple):
    """Candidates with the same transformers: their positions, and an estimator for them all."""

    positions: list[int]
    fit: PathFit


def groups_of(estimator: Any, candidates: Sequence[Parameters]) -> list[Group]:
    """The candidates of a search in groups, each of several paths.

    Raises
    ------
    TypeError
        If the last step of a candidate has no path.
    ValueError
        If a candidate has a parameter that there is not.
    """
    prefix = prefix_of_last(estimator)
    groups = []
    for members in alike(candidates, lambda name: not name.startswith(prefix)):
        others = part_of(candidates[members[0]], lambda name: not name.startswith(prefix))
        base = clone(estimator).set_params(**clone(others, safe=False))
        last = checked_last(base, prefix)
        own = [
            {
                name.removeprefix(prefix): value
                for name, value in candidates[member].items()
                if name.startswith(prefix)
            }
            for member in members
        ]
        positions, paths = paths_of(last, own)
        groups.append(Group([members[position] for position in positions], PathFit(base, paths)))
    return groups


def paths_of(last: Any, candidates: Sequence[Parameters]) -> tuple[list[int], list[Path]]:
    """Paths of an estimator, and the positions of their candidates, path by path."""
    penalty, positions, paths = penalty_of(last), list[int](), []
    for members in alike(candidates, lambda name: name != penalty):
        first = candidates[members[0]]
        model = clone(last).set_params(**first)  # which knows what parameters there are
        values = [candidates[member].get(penalty, getattr(model, penalty)) for member in members]
        paths.append(Path(part_of(first, lambda name: name != penalty), values))
        positions += members
    return positions, paths


def alike(candidates: Sequence[Parameters], compared: Callable[[str], bool]) -> list[list[int]]:
    """The positions of candidates, in groups with the same objects where they are compared."""
    groups: dict[Any, list[int]] = {}
    for position, candidate in enumerate(candidates):
        key = {(name, id(value)) for name, value in part_of(candidate, compared).items()}
        groups.setdefault(frozenset(key), []).append(position)
    return list(groups.values())


def part_of(candidate: Parameters, wanted: Callable[[str], bool]) -> Parameters:
    """The parameters whose names are wanted."""
    return {name: value for name, value in candidate.items() if wanted(name)}


def penalty_of(estimator: Any) -> str:
    """The name of the penalty."""
    return "C" if "C" in estimator.get_params() else "alpha"


def prefix_of_last(estimator: Any) -> str:
    """What the names of the parameters of the last step begin with."""
    if not isinstance(estimator, Pipeline):
        return ""
    name, last = estimator.steps[-1]
    return f"{name}__{prefix_of_last(last)}"


def checked_last(estimator: Any, prefix: str) -> Any:
    """The last step of a pipeline, or the estimator itself, which has to be one with paths.

    Raises
    ------
    TypeError
        If it is not.
    """
    last, transformers = estimator, list[Any]()
    while isinstance(last, Pipeline):
        transformers += last.steps[:-1]
        last = last.steps[-1][1]
    wrong = not isinstance(last, KINDS) or prefix_of_last(estimator) != prefix
    for _, step in transformers:
        wrong = wrong or hasattr(step, "fit_resample")
    if wrong:
        names = ", ".join(kind.__name__ for kind in KINDS)
        raise TypeError(
            f"PathSearchCV takes estimators that have a path: {names}, alone or as the last step "
            f"of a sklearn.pipeline.Pipeline of transformers. Got {estimator!r}. "
            "sklearn.model_selection.GridSearchCV takes any estimator."
        )
    return last
