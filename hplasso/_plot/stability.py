"""A picture of selection probabilities."""

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._model_selection.stability_selection import HadamardStabilitySelection
from .._numerics.error_state import in_own_error_state
from .._validation.choices import PenaltyName
from .._validation.parameters import STABILITY_CONSTRAINTS, check_parameters
from .display import Display, checked_lines, line_style, name_lines, penalty_axis, weakest


class StabilityDisplay(Display):
    """Selection probabilities along the penalties: a line for each feature, and the threshold.

    Features that reach the threshold are in colour.

    It is recommended to use :meth:`from_estimator` to create a display.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        The penalties: values of alpha, or of C.
    probabilities : array-like of shape (n_features, n_penalties)
        The selection probabilities.
    threshold : float
        The smallest probability of a feature that is selected, in (0.5, 1].
    feature_names : array-like of shape (n_features,), default=None
        Names of the features; "x0", "x1", ... by default.
    penalty_name : {'alpha', 'C'}, default='alpha'
        What the penalties are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : list of matplotlib Line2D
        A line for each feature that is selected.
    threshold_line_ : matplotlib Line2D
        The threshold.

    See Also
    --------
    HadamardStabilitySelection : The selector.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardStabilitySelection, StabilityDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> selector = HadamardStabilitySelection(n_resamples=20, random_state=0).fit(X, y)
    >>> display = StabilityDisplay.from_estimator(selector)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        penalties: Any,
        probabilities: Any,
        threshold: float,
        feature_names: Any = None,
        penalty_name: PenaltyName = "alpha",
    ) -> None:
        self.penalties = penalties
        self.probabilities = probabilities
        self.threshold = threshold
        self.feature_names = feature_names
        self.penalty_name = penalty_name

    @classmethod
    @in_own_error_state
    def from_estimator(cls, estimator: Any, *, n_labels: int = 8, ax: Any = None) -> Self:
        """Draw what a selector has found.

        Parameters
        ----------
        estimator : HadamardStabilitySelection
            A fitted selector.
        n_labels : int, default=8
            How many features are labelled: those of the largest probabilities, among those that are
            selected.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : StabilityDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardStabilitySelection, StabilityDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> selector = HadamardStabilitySelection(n_resamples=20, random_state=0).fit(X, y)
        >>> display = StabilityDisplay.from_estimator(selector, ax=ax)
        >>> display.probabilities.shape
        (10, 37)
        """
        if not isinstance(estimator, HadamardStabilitySelection):
            raise ValueError(
                "estimator must be HadamardStabilitySelection. Got "
                f"{type(estimator).__name__}: of a pipeline, pass that step."
            )
        check_is_fitted(estimator)
        name: PenaltyName = "alpha" if hasattr(estimator, "alphas_") else "C"
        display = cls(
            penalties=getattr(estimator, f"{name}s_"),
            probabilities=estimator.selection_probabilities_,
            threshold=estimator.threshold_,
            feature_names=getattr(estimator, "feature_names_in_", None),
            penalty_name=name,
        )
        return display.plot(ax, n_labels=n_labels)

    @in_own_error_state
    def plot(self, ax: Any = None, *, n_labels: int = 8, **kwargs: Any) -> Self:
        """Draw the probabilities.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.
        n_labels : int, default=8
            How many features are labelled: those of the largest probabilities, among those that are
            selected.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot` for the features that are selected.

        Returns
        -------
        display : StabilityDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardStabilitySelection, StabilityDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> selector = HadamardStabilitySelection(n_resamples=20, random_state=0).fit(X, y)
        >>> display = StabilityDisplay.from_estimator(selector, ax=ax)
        >>> display.plot(Figure().subplots(), n_labels=3).ax_.get_ylabel()
        'selection probability'
        """
        parameters = {"n_labels": n_labels, **vars(self)}
        check_parameters(type(self).__name__, parameters)
        limit = {"threshold": STABILITY_CONSTRAINTS["threshold"][:1]}
        check_parameters(type(self).__name__, parameters, limit)
        penalties, probabilities, names = checked_lines(
            self.penalties, self.probabilities, "probabilities", self.feature_names
        )
        ax, scores = self._axes(ax), probabilities.max(axis=1)
        selected = np.flatnonzero(scores >= self.threshold)
        others = np.flatnonzero((scores > 0.0) & (scores < self.threshold))
        ax.plot(penalties, probabilities[others].T, color="0.8", linewidth=0.7, zorder=1)
        style = line_style(kwargs, linewidth=1.5)
        self.line_ = [ax.plot(penalties, probabilities[each], **style)[0] for each in selected]
        self.threshold_line_ = ax.axhline(
            self.threshold, color="0.3", linestyle="--", linewidth=1.0, label="threshold"
        )
        ax.set_ylim(0.0, 1.05)
        ax.set_ylabel("selection probability")
        penalty_axis(ax, penalties, self.penalty_name)
        strongest = np.argsort(-scores[selected], kind="stable")[:n_labels]
        ends = probabilities[:, weakest(penalties, self.penalty_name)]
        name_lines(
            ax,
            [self.line_[position] for position in strongest],
            [names[feature] for feature in selected[strongest]],
            ends[selected[strongest]],
        )
        ax.legend(loc="upper left", fontsize="small")
        return self
