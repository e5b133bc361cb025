"""Callbacks of scikit-learn: a fit, its folds and penalties are the tasks that they follow."""

from __future__ import annotations

from typing import Any

from .._path.progress import Listener, Listeners, PathPoint

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """No callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Task", "listeners_of", "with_callbacks"]


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
