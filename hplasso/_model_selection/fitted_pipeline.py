"""The last step of a fitted pipeline or search: what it sees of X, and the names of features."""

from contextlib import suppress
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


class FittedPipeline(NamedTuple):
    """The last step, the transformers before it as pipelines, and the search around it, or None."""

    last: Any
    transformers: tuple[Pipeline, ...]
    search: Any

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Open pipelines and searches, one in the other, down to an estimator.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a search has no best estimator.
        """
        check_is_fitted(estimator)
        last, transformers, search = estimator, list[Pipeline](), None
        while isinstance(last, Pipeline) or hasattr(last, "cv_results_"):
            if isinstance(last, Pipeline):
                transformers += [last[:-1]] if len(last) > 1 else []
                last = last[-1]
            elif hasattr(last, "best_estimator_"):
                search, last = last, last.best_estimator_
            else:
                name = type(last).__name__
                raise ValueError(f"{name} has no best_estimator_, as refit was False.")
        return cls(last, tuple(transformers), search)

    def transform(self, X: Any) -> Any:
        """What the last step sees of samples."""
        for transformer in self.transformers:
            X = transformer.transform(X)
        return X

    def feature_names(self) -> Any:
        """The names of the features of the last step, as strings; x0, x1, ... without others."""
        n_features = self.last.n_features_in_
        names = getattr(self.last, "feature_names_in_", None)
        if names is None:
            with suppress(AttributeError, ValueError):  # of transformers that do not tell
                for transformer in self.transformers:
                    names = transformer.get_feature_names_out(names)
        if names is None or len(names) != n_features:
            names = [f"x{feature}" for feature in range(n_features)]
        return np.array([str(name) for name in names], dtype=object)

    def steps(self) -> list[str]:
        """The classes of all steps."""
        before = [step for transformer in self.transformers for _, step in transformer.steps]
        kinds = [each if isinstance(each, str) else type(each).__name__ for each in before]
        return [*kinds, type(self.last).__name__]
