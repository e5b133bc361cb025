"""What surrounds every `fit`: callbacks of its tasks, the error state, nothing half-fitted."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, cast

from sklearn.utils import assert_all_finite

from .._design.factory import NotFinite
from .._numerics.error_state import Function, in_own_error_state
from .._path.progress import Listener, Listeners, PathPoint

try:
    from sklearn.callback import with_callbacks
except ImportError:  # before scikit-learn 1.9

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


def fit_method(method: Function) -> Function:
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

    return cast(Function, fit)


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

    def given_to(self, estimator: Any) -> AbstractContextManager[Any]:
        """A context in which a fit of another estimator is a part of this task."""
        if self.context is None:
            return nullcontext()
        return cast(AbstractContextManager[Any], self.context.propagate_callback_context(estimator))

    def __enter__(self) -> Task:
        if self.context is not None:
            self.context.call_on_fit_task_begin(estimator=self.estimator)
        return self

    def __exit__(self, kind: Any, *details: Any) -> None:
        if self.context is not None and kind is None:
            self.context.call_on_fit_task_end(estimator=self.estimator)


def listeners_of(task: Task, other: Listener | None = None) -> Listener | None:
    """Who hears of the path that a task is about: the callbacks, and another listener, if any."""
    own = None if task.context is None else TaskListener(task)
    everyone = [listener for listener in (own, other) if listener is not None]
    return Listeners(*everyone) if everyone else None


class TaskListener(Listener):
    """Makes each point of a path a subtask, done as it is heard of."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def point(self, point: PathPoint) -> None:
        with self.task.subtask("penalty"):
            pass
