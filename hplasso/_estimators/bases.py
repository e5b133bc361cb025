"""scikit-learn's base classes, with the types of what users call, for mypy.

scikit-learn has no types: to mypy its classes are Any, and what inherits from Any has every
attribute, misspelt ones as well. So mypy reads the declarations below. Type checkers that read
scikit-learn's source need none.
"""

# mypy: disable-error-code="empty-body"

from collections.abc import Mapping
from typing import Any, Self

from numpy.typing import NDArray

MYPY = False  # mypy takes a constant of this name for True

if MYPY:
    Requested = bool | str | None

    class BaseEstimator:
        """Parameters and metadata requests."""

        n_features_in_: int
        feature_names_in_: NDArray[Any]

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def get_metadata_routing(self) -> Any: ...
        def set_fit_request(self, **requested: Requested) -> Self: ...
        def set_predict_request(self, **requested: Requested) -> Self: ...
        def set_score_request(self, **requested: Requested) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...

    class CallbackSupportMixin:
        """Callbacks, from scikit-learn 1.9 on."""

        def set_callbacks(self, *callbacks: Any) -> Self: ...

    class ClassifierMixin:
        """What a classifier may have more of."""

        def set_decision_function_request(self, **requested: Requested) -> Self: ...
        def set_predict_proba_request(self, **requested: Requested) -> Self: ...
        def set_predict_log_proba_request(self, **requested: Requested) -> Self: ...

    class RegressorMixin:
        """No more than a tag."""

    class MultiOutputMixin:
        """No more than a tag."""

    class MetaEstimatorMixin:
        """No more than a tag."""

    class SelectorMixin:
        """Features that are selected."""

        def get_support(self, indices: bool = False) -> NDArray[Any]: ...
        def transform(self, X: Any) -> Any: ...
        def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any: ...
        def inverse_transform(self, X: Any) -> Any: ...
        def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]: ...
        def set_output(self, *, transform: str | None = None) -> Self: ...

    class GridSearchCV(CallbackSupportMixin, BaseEstimator):
        """A search, and what it hands on to the best estimator."""

        estimator: Any
        param_grid: Any
        scoring: Any
        n_jobs: int | None
        refit: Any
        cv: Any
        verbose: int
        pre_dispatch: int | str
        error_score: Any
        return_train_score: bool
        cv_results_: dict[str, Any]
        best_estimator_: Any
        best_score_: float
        best_params_: Mapping[str, Any]
        best_index_: int
        scorer_: Any
        n_splits_: int
        refit_time_: float
        multimetric_: bool
        classes_: NDArray[Any]

        def __init__(self, estimator: Any, param_grid: Any, **others: Any) -> None: ...
        def score(self, X: Any, y: Any = None, **params: Any) -> float: ...
        def score_samples(self, X: Any) -> Any: ...
        def predict(self, X: Any) -> Any: ...
        def predict_proba(self, X: Any) -> Any: ...
        def predict_log_proba(self, X: Any) -> Any: ...
        def decision_function(self, X: Any) -> Any: ...
        def transform(self, X: Any) -> Any: ...
        def inverse_transform(self, X: Any) -> Any: ...

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        MetaEstimatorMixin,
        MultiOutputMixin,
        RegressorMixin,
    )
    from sklearn.feature_selection import SelectorMixin
    from sklearn.model_selection import GridSearchCV

    try:
        from sklearn.callback import CallbackSupportMixin
    except ImportError:  # before scikit-learn 1.9

        class CallbackSupportMixin:
            """No callbacks."""


__all__ = [
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassifierMixin",
    "GridSearchCV",
    "MetaEstimatorMixin",
    "MultiOutputMixin",
    "RegressorMixin",
    "SelectorMixin",
]
