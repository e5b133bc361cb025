"""The last step of a fitted pipeline or search: what it sees of X, and the names of features."""

from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.pipeline import Pipeline


class FittedPipeline(NamedTuple):
    """The last step, what is before it as pipelines, and the search around it, or None."""

    last: Any
    transformers: tuple[Pipeline, ...]
    search: Any

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Open pipelines and searches, one in the other, down to an estimator.

        Raises
        ------
        ValueError
            If a search has no best estimator.
        """
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

    def known_names(self, names: Any = None) -> Any:
        """The names of the features of the last step, or None; `names` are those of X."""
        own = getattr(self.last, "feature_names_in_", None)
        if own is not None:
            return own
        try:
            for transformer in self.transformers:
                names = transformer.get_feature_names_out(names)
        except (AttributeError, ValueError):  # of one that does not tell
            return None
        return names

    def feature_names(self) -> Any:
        """The same as strings; x0, x1, ... where there are none."""
        names = self.known_names()
        if names is None:
            names = [f"x{feature}" for feature in range(self.last.n_features_in_)]
        return np.array([str(name) for name in names], dtype=object)

    def makers(self) -> list[str]:
        """The classes of the transformers, which make the features of the last step."""
        steps = [step for transformer in self.transformers for _, step in transformer.steps]
        return [type(step).__name__ for step in steps if not isinstance(step, str) and step]
