"""What surrounds a fit: callbacks, nothing half-fitted, and the way back to scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from sklearn.utils import assert_all_finite

from .._design.factory import NotFinite
from .._numerics.error_state import in_own_error_state
from .._path.progress import Listener, Listeners, PathPoint
from .._validation.sklearn_names import PENALTY

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """No callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = [
    "LinearModel",
    "Task",
    "chosen_parameters",
    "fit_method",
    "fitted_as",
    "listeners_of",
]

Fit = TypeVar("Fit", bound=Callable[..., Any])

# What fitted linear models have in common with those of scikit-learn.
ATTRIBUTES = (
    "coef_",
    "intercept_",
    "classes_",
    "n_iter_",
    "dual_gap_",
    "n_features_in_",
    "feature_names_in_",
)


class LinearModel(CallbackSupportMixin):
    """What all estimators have in common: callbacks, and a name for their penalty."""

    _constraints: Mapping[str, Any]  # what the parameters may be

    @property
    def penalty(self) -> str:
        """The kind of penalty: 'l1' where `l1_ratio` is one, 'elasticnet' otherwise."""
        parameters = chosen_parameters(self)
        ratios = parameters.get("l1_ratio", parameters.get("l1_ratios", 1.0))
        return "l1" if all(ratio == 1.0 for ratio in np.ravel(ratios)) else "elasticnet"

    @penalty.setter
    def penalty(self, kind: Any) -> None:
        raise AttributeError(
            f"penalty of {type(self).__name__} can not be set, as it follows from l1_ratio. "
            f"{PENALTY}"
        )


def fit_method(method: Fit) -> Fit:
    """Make a method a fit: with callbacks, and the estimator left as it was if it does not end."""
    managed = in_own_error_state(with_callbacks(method))

    @wraps(method)
    def fit(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(estimator).copy()
        try:
            return managed(estimator, *args, **kwargs)
        except BaseException as error:
            vars(estimator).clear()
            vars(estimator).update(before)
            if isinstance(error, NotFinite):  # scikit-learn has more to say to estimators
                name = type(estimator).__name__
                assert_all_finite(error.X, input_name="X", estimator_name=name)
            raise

    return cast(Fit, fit)


class Task:
    """A task of a fit, for the callbacks to follow: the fit itself, a fold, a penalty.

    To be entered when it begins; it ends with the block.
    """

    def __init__(self, estimator: Any, context: Any) -> None:
        self.estimator = estimator
        self.context = context

    @classmethod
    def of_fit(cls, estimator: Any, n_subtasks: int = 0) -> Task:
        """The task of fitting the estimator."""
        if not hasattr(estimator, "set_callbacks"):
            return cls(estimator, None)
        return cls(estimator, estimator._init_callback_context(max_subtasks=n_subtasks))

    def subtask(self, name: str, n_subtasks: int = 0) -> Task:
        """A part of this task; to be created in the order of the parts."""
        if not getattr(self.estimator, "_skl_callbacks", None):
            return Task(self.estimator, None)
        return Task(self.estimator, self.context.subcontext(name, max_subtasks=n_subtasks))

    def __enter__(self) -> Task:
        if self.context is not None:
            self.context.call_on_fit_task_begin(estimator=self.estimator)
        return self

    def __exit__(self, kind: Any, *details: Any) -> None:
        if self.context is not None and kind is None:
            self.context.call_on_fit_task_end(estimator=self.estimator)


def listeners_of(task: Task, *others: Listener) -> Listener | None:
    """Who hears of a path that a task is about, with the callbacks, if there are any."""
    everyone = [*([TaskListener(task)] if task.context is not None else []), *others]
    return Listeners(*everyone) if everyone else None


class TaskListener(Listener):
    """Makes each point of a path a subtask, done as it is heard of."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def point(self, point: PathPoint) -> None:
        with self.task.subtask("penalty"):
            pass


def chosen_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator, with the penalty that it has chosen itself, if any."""
    parameters: dict[str, Any] = estimator.get_params(deep=False)
    chosen = {name: getattr(estimator, f"{name}_", None) for name in ("alpha", "C", "l1_ratio")}
    return parameters | {name: value for name, value in chosen.items() if value is not None}


def fitted_as(kind: Any, parameters: Mapping[str, Any], fitted: Any) -> Any:
    """A scikit-learn estimator of a kind, with the parameters that it knows, fitted as `fitted`."""
    known = kind().get_params()
    model = kind(**{name: value for name, value in parameters.items() if name in known})
    for name in ATTRIBUTES:
        if hasattr(fitted, name):
            setattr(model, name, deepcopy(getattr(fitted, name)))
    return model
