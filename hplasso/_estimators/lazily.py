"""Methods that predict: what is lazy stays lazy, what comes in blocks is predicted by block."""

from __future__ import annotations

from copy import copy
from functools import wraps
from typing import Any, cast

from sklearn.utils.validation import validate_data

from .._design.batches import Batches
from .._design.sources import refuse_elsewhere
from .._numerics.elsewhere import is_dask
from .._numerics.error_state import Function, in_own_error_state


def lazily(method: Function) -> Function:
    """Make a method of samples X and an offset one that also takes Dask collections.

    What it returns for them is lazy: an array for an array, a series or data frame for a data
    frame. Nothing is computed.
    """
    guarded = in_own_error_state(method)

    @wraps(method)
    def predict(model: Any, X: Any, offset: Any = None) -> Any:
        if is_dask(X):
            from .._design.dask_predictions import predicted

            if not is_dask(offset):
                refuse_elsewhere("offset", offset)
            of_model = OfModel(copy(model), predict)  # as it is now: it may be fitted again
            return predicted(of_model, X, offset, getattr(model, "classes_", None))
        if isinstance(X, Batches):
            name = method.__name__
            raise TypeError(
                f"{name} does not take Batches, whose predictions need not fit into memory. "
                f"Predict block by block: [model.{name}(X) for X, *_ in batches]."
            )
        refuse_elsewhere("X", X)
        refuse_elsewhere("offset", offset)
        return guarded(model, X, offset)

    return cast(Function, predict)


def applied(method: Any, X: Any, offset: Any, **others: Any) -> Any:
    """What a method of an estimator returns; of a subclass, it may be one that takes no offset."""
    known = others if offset is None else others | {"offset": offset}
    return method(X, **known)


class OfModel:
    """A method of an estimator, which can be pickled."""

    def __init__(self, model: Any, method: Any) -> None:
        self._model, self._method = model, method

    def __call__(self, X: Any, offset: Any) -> Any:
        return self._method(self._model, X, offset)

    def learn_names(self, X: Any) -> None:
        """Expect the names of these samples, which have been seen: no warning is given again."""
        validate_data(self._model, X, skip_check_array=True)
