"""What surrounds every `fit`: callbacks, the error state, and nothing half-fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from sklearn.utils import assert_all_finite

from .._design.factory import NotFinite
from .._numerics.error_state import in_own_error_state
from .callbacks import with_callbacks

Fit = TypeVar("Fit", bound=Callable[..., Any])


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
