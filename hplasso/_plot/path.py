"""A picture of the coefficients along a path."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from .._numerics.error_state import in_own_error_state
from .._numerics.typing import Float64
from .._validation.choices import PenaltyName
from .._validation.parameters import check_parameters
from .display import Display, checked_lines, pictured, unwrapped

# Ticks of the number of coefficients.
N_TICKS = 7


class RegularizationPathDisplay(Display):
    """Coefficients along a path of penalties.

    It is recommended to use :meth:`from_estimator` or :meth:`from_path` to create a display.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        The penalties: values of alpha, or of C.
    coefs : array-like of shape (n_features, n_penalties)
        The coefficients.
    feature_names : array-like of shape (n_features,), default=None
        Names of the features; "x0", "x1", ... by default.
    chosen : dict, default=None
        Penalties to mark, by the label of each.
    penalty_name : {'alpha', 'C'}, default='alpha'
        What the penalties are.
    stopped_early : bool, default=False
        Whether the penalties end where the fit is saturated.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : list of matplotlib Line2D
        A line for each feature that has a non-zero coefficient.
    top_ax_ : matplotlib Axes
        The axis of the numbers of non-zero coefficients.

    See Also
    --------
    CrossValidationDisplay : Errors along the path.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import HadamardLassoCV, RegularizationPathDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = HadamardLassoCV().fit(X, y)
    >>> display = RegularizationPathDisplay.from_estimator(model, X, y)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        penalties: Any,
        coefs: Any,
        feature_names: Any = None,
        chosen: Mapping[str, float] | None = None,
        penalty_name: PenaltyName = "alpha",
        stopped_early: bool = False,
    ) -> None:
        self.penalties = penalties
        self.coefs = coefs
        self.feature_names = feature_names
        self.chosen = chosen
        self.penalty_name = penalty_name
        self.stopped_early = stopped_early

    @classmethod
    @in_own_error_state
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        offset: Any = None,
        target: int = 0,
        n_labels: int = 8,
        ax: Any = None,
    ) -> Self:
        """Compute the path of an estimator, and draw it.

        Parameters
        ----------
        estimator : estimator of this package, or a fitted pipeline that ends with one
            Its parameters other than the penalty are those of the path. If it has chosen a penalty
            itself, the path has its penalties. Without L1 penalty (`l1_ratio` of 0) they lie around
            its own.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Target values, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like, default=None
            What is added to the linear model, as in `fit` of the estimator.
        target : int, default=0
            With three or more classes, the number of the one whose coefficients are drawn.
        n_labels : int, default=8
            How many features are labelled: those of the largest coefficients.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : RegularizationPathDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, RegularizationPathDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLasso(alpha=0.5)
        >>> display = RegularizationPathDisplay.from_estimator(model, X, y, ax=ax)
        >>> display.coefs.shape
        (10, 100)
        """
        check_parameters(cls.__name__, {"target": target})
        estimator, X, names = unwrapped(estimator, X)
        problem, penalties, _, chosen = pictured(estimator, X, y, sample_weight, offset)
        coefs, _ = problem.arrays([problem.trace(penalties)])
        if target >= len(coefs):
            raise ValueError(f"target must be in the range [0, {len(coefs) - 1}]. Got {target}.")
        display = cls(
            penalties=penalties,
            coefs=coefs[target],
            feature_names=names,
            chosen=chosen,
            penalty_name=problem.scale.name,
            stopped_early=getattr(estimator, "stopped_early_", False),
        )
        return display.plot(ax, n_labels=n_labels)

    @classmethod
    @in_own_error_state
    def from_path(
        cls,
        penalties: Any,
        coefs: Any,
        *,
        feature_names: Any = None,
        chosen: Mapping[str, float] | None = None,
        penalty_name: PenaltyName = "alpha",
        n_labels: int = 8,
        ax: Any = None,
    ) -> Self:
        """Draw a path that has been computed, as by :func:`lasso_path`.

        Parameters
        ----------
        penalties : array-like of shape (n_penalties,)
            The penalties: values of alpha, or of C.
        coefs : array-like of shape (n_features, n_penalties)
            The coefficients.
        feature_names : array-like of shape (n_features,), default=None
            Names of the features.
        chosen : dict, default=None
            Penalties to mark, by the label of each.
        penalty_name : {'alpha', 'C'}, default='alpha'
            What the penalties are.
        n_labels : int, default=8
            How many features are labelled: those of the largest coefficients.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : RegularizationPathDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import RegularizationPathDisplay, lasso_path
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> alphas, coefs, _ = lasso_path(X, y, fit_intercept=True)
        >>> display = RegularizationPathDisplay.from_path(alphas, coefs, ax=ax)
        >>> display.coefs.shape
        (10, 100)
        """
        display = cls(
            penalties=penalties,
            coefs=coefs,
            feature_names=feature_names,
            chosen=chosen,
            penalty_name=penalty_name,
        )
        return display.plot(ax, n_labels=n_labels)

    @in_own_error_state
    def plot(self, ax: Any = None, *, n_labels: int = 8, **kwargs: Any) -> Self:
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.
        n_labels : int, default=8
            How many features are labelled: those of the largest coefficients.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RegularizationPathDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso, RegularizationPathDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLasso(alpha=0.5)
        >>> display = RegularizationPathDisplay.from_estimator(model, X, y, ax=ax)
        >>> display.plot(Figure().subplots(), n_labels=3).ax_.get_xlabel()
        'alpha'
        """
        penalties, coefs, names = self._checked(n_labels)
        ax = self._axes(ax)
        live = np.flatnonzero(coefs.any(axis=1))
        style = {"linewidth": 1.2} | kwargs
        self.line_ = [ax.plot(penalties, coefs[feature], **style)[0] for feature in live]
        ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        self._penalty_axis(penalties, self.penalty_name)
        ax.set_ylabel("coefficient")
        for number, (label, value) in enumerate((self.chosen or {}).items()):
            self._mark(label, value, ["--", ":", "-."][number % 3])
        if self.chosen:
            ax.legend(loc="upper left", fontsize="small")
        self._label(names, live, coefs, n_labels)
        self._count(penalties, coefs)
        chosen = self.chosen or {}
        self._note_end_of_grid(penalties, self.penalty_name, chosen, self.stopped_early)
        return self

    def _checked(self, n_labels: Any) -> tuple[Float64, Float64, Sequence[Any]]:
        """Penalties, coefficients and names of the features."""
        parameters = {"n_labels": n_labels, **vars(self)}
        check_parameters(type(self).__name__, parameters)
        return checked_lines(self.penalties, self.coefs, "coefs", self.feature_names)

    def _label(self, names: Any, live: Any, coefs: Float64, n_labels: int) -> None:
        """Name the features of the largest coefficients."""
        weakest = (np.argmax if self.penalty_name == "C" else np.argmin)(self.penalties)
        last = coefs[:, int(weakest)]
        strongest = live[np.argsort(-np.abs(last[live]))[:n_labels]]
        lines = dict(zip(live, self.line_, strict=True))
        own = [lines[feature] for feature in strongest]
        self._name_lines(own, [names[feature] for feature in strongest], last[strongest])

    def _count(self, penalties: Float64, coefs: Float64) -> None:
        """The number of non-zero coefficients on the top axis."""
        shown = penalties > 0.0
        penalties, coefs = penalties[shown], coefs[:, shown]
        ends = np.log(penalties.min()), np.log(penalties.max())
        ticks = np.exp(np.linspace(*ends, N_TICKS))
        nearest = [int(np.argmin(np.abs(np.log(penalties / tick)))) for tick in ticks]
        self.top_ax_ = self.ax_.secondary_xaxis("top")
        self.top_ax_.set_xticks(ticks, [str((coefs[:, i] != 0).sum()) for i in nearest])
        self.top_ax_.minorticks_off()
        self.top_ax_.set_xlabel("non-zero coefficients")
