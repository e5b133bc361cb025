"""Scores of logistic models on held-out samples, by scikit-learn's scorers."""

import inspect
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from numbers import Real
from typing import Any, Self, final

import numpy as np
from sklearn import config_context
from sklearn.metrics import get_scorer

from .._design.source import Source
from .._estimators.block_scores import block_accuracy, block_log_loss
from .._estimators.linear_classifier import LinearClassifier
from .._numerics.typing import Float64
from .._path.progress import warn
from .joint_scores import joint_scores


def scorer_of(scoring: Any) -> Any:
    """The scorer of a name or a callable; None is accuracy."""
    return get_scorer("accuracy" if scoring is None else scoring)


def block_scorer(scoring: Any) -> Callable[[Any, Source], float]:
    """The scorer for data in blocks, one that adds up.

    Raises
    ------
    ValueError
        If there is none.
    """
    if scoring is None or scoring == "accuracy":
        return block_accuracy
    if scoring == "neg_log_loss":
        return block_log_loss
    raise ValueError(
        "For data in blocks scoring must be None, 'accuracy' or 'neg_log_loss', which add up over "
        f"the blocks. Got {scoring!r}."
    )


class Scorer:
    """The scorer of a name or a callable, for test sets that may lack some of the classes.

    As in scikit-learn, a metric with a parameter `labels` is told of the classes, and of two also
    which is the positive one, if it has a `pos_label`. What a scorer was made with stays. One that
    scikit-learn knows by its name looks `at_predictions_only`.
    """

    def __init__(self, scoring: Any, classes: Any) -> None:
        self.scoring, self.scorer = scoring, scorer_of(scoring)
        self.at_predictions_only = scoring is None or isinstance(scoring, str)
        self.known: dict[str, Any] = {}
        free = free_parameters(self.scorer)
        if "labels" in free and classes is not None:
            self.known["labels"] = classes
            if len(classes) == 2 and "pos_label" in free:
                self.known["pos_label"] = classes[1]

    def __call__(self, model: Any, X: Any, y: Any, **params: Any) -> float:
        if not self.known:
            return self._number(self.scorer(model, X, y, **params))
        with config_context(enable_metadata_routing=True):  # the public way for more parameters
            return self._number(self.scorer(model, X, y, **self.known | params))

    def _number(self, score: Any) -> float:
        """A score, which has to be a number."""
        number = np.asarray(score)
        if number.size != 1 or not isinstance(number.item(), Real):
            raise ValueError(
                f"scoring must return a number. Got {score!r} ({type(score).__name__}) from "
                f"{self.scorer!r}."
            )
        return float(number.item())

    def scores(
        self, makes: Sequence[Callable[[], Any]], X: Any, y: Any, offset: Any = None, **params: Any
    ) -> tuple[Float64, list[Exception]]:
        """The scores of models, each made by a function, and errors, whose scores are NaN."""
        together = joint_scores(self.scoring, makes, X, y, offset, labelled=True, **params)
        if together is not None:
            return np.array(together), []
        scores, errors = np.full(len(makes), np.nan), []
        for number, make in enumerate(makes):
            model: Any = make() if offset is None else OffsetModel.of(make(), offset)
            try:
                scores[number] = self(model, X, y, **params)
            except Exception as error:
                errors.append(error)
        return scores, errors


@final
class OffsetModel(LinearClassifier):
    """A fitted model, for samples whose offset it knows: scorers do not pass one on."""

    def __init__(self) -> None:
        self.known_offset: Any = None

    @classmethod
    def of(cls, fitted: Any, offset: Any) -> Self:
        """With the coefficients and classes of another."""
        model = cls()
        model.__dict__.update(vars(fitted), known_offset=offset)
        return model

    def fit(self, X: Any, y: Any) -> Self:
        """It is fitted already; scikit-learn knows estimators by this method."""
        return self

    def _outputs(self, X: Any, offset: Any = None) -> Any:
        return super()._outputs(X, self.known_offset)


def free_parameters(scorer: Any) -> set[str]:
    """The names of the parameters of a scorer's metric that the scorer was not made with.

    A scorer that is made from a metric carries it, and the arguments for it.
    """
    if not hasattr(scorer, "set_score_request"):
        return set()
    names, given = set[str](), set[str]()
    for part in vars(scorer).values():
        if callable(part):
            with suppress(ValueError):  # there are functions in C that do not tell
                names |= set(inspect.signature(part).parameters)
        elif isinstance(part, Mapping):
            given |= set(part)
    return names - given


def warn_failed(failures: Sequence[Exception], n_scores: int) -> None:
    """One warning for the models whose scoring raised an error; the error, if that are all."""
    if not failures:
        return
    if len(failures) == n_scores:
        raise failures[0]
    details = "".join(traceback.format_exception(failures[0]))
    warn(
        f"Scoring failed for {len(failures)} of {n_scores} models. Their scores are set to nan. "
        f"Details of the first failure:\n{details}"
    )
