"""An estimator at several penalties: one path, and a fitted model for each."""

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from .._numerics.threads import threads_for_data
from .._path.interpolation import trace_exactly
from .fit_method import fit_method


@fit_method
def fit_along_path(
    estimator: Any, name: str, penalties: Sequence[float], X: Any, y: Any, **params: Any
) -> list[Callable[[], Any]]:
    """Solve at positive penalties, from the strongest on; return what makes each fitted model.

    `name` is that of the penalty; `params` are more arguments of `fit`. Each solution is the start
    of the next, and certified as that of `fit` is. As long as no model is made, a solution takes no
    more memory than its support.
    """
    data = estimator._checked(X, y, **params)
    with threads_for_data(data.X.size):
        problem = data.problem(len(penalties))
        alphas = problem.scale.alphas(np.array(penalties, dtype=np.float64))
        order = np.argsort(-alphas, kind="stable")
        targets = range(len(problem.unpenalised.terms))
        tracers = [problem.tracer(target, listener=problem.printer()) for target in targets]
        paths = [trace_exactly(tracer, alphas[order]) for tracer in tracers]
    problem.warn_not_converged([point for path in paths for point in path])

    def fitted(penalty: float, position: int) -> Any:
        model = copy(estimator)
        setattr(model, name, penalty)
        model._set_solution(problem, data, [path[position] for path in paths])
        return model

    positions = np.argsort(order)
    return [partial(fitted, *each) for each in zip(penalties, positions, strict=True)]


def outputs_of(models: Sequence[Any], X: Any) -> Any:
    """The linear models at samples, which are checked once, one model after the other."""
    X = models[0]._samples(X)
    with threads_for_data(X.size):
        return np.stack([model._linear(X) for model in models])
