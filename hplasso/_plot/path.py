"""A picture of the coefficients along a path."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from .._model_selection.fold_losses import cross_validated, fold_losses
from .._numerics.error_state import in_own_error_state
from .._numerics.typing import Float64
from .._validation.arrays import as_floats
from .._validation.choices import PenaltyName
from .._validation.parameters import InvalidParameterError, check_parameters
from .display import (
    Display,
    checked_lines,
    count_axis,
    line_style,
    mark,
    name_lines,
    note_end_of_grid,
    penalty_axis,
    pictured,
    unwrapped,
    weakest,
)

# Width and height of the axes of a class, in inches, and how many stand side by side.
PANEL, N_COLUMNS = (4.4, 3.6), 3


class RegularizationPathDisplay(Display):
    """Coefficients along a path of penalties; of three or more classes, axes for each of them.

    It is recommended to use :meth:`from_estimator` or :meth:`from_path` to create a display.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        The penalties: values of alpha, or of C.
    coefs : array-like of shape (n_features, n_penalties) or (n_classes, n_features, n_penalties)
        The coefficients.
    feature_names : array-like of shape (n_features,), default=None
        Names of the features; "x0", "x1", ... by default.
    chosen : dict, default=None
        Penalties to mark, by the label of each.
    penalty_name : {'alpha', 'C'}, default='alpha'
        What the penalties are.
    stopped_early : bool, default=False
        Whether the penalties end where the fit is saturated.
    class_names : array-like of shape (n_classes,), default=None
        Names of the classes, which the titles show; of coefficients without an axis of classes,
        that of the one class. By default they are numbers, or there is no title.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of shape (n_classes,)
        The axes. Where `coefs` has an axis of classes, this and what follows are one for each
        class, except the figure.
    figure_ : matplotlib Figure
        The figure.
    line_ : list of matplotlib Line2D, or list of such lists
        A line for each feature that has a non-zero coefficient. A feature has the same colour in
        all classes.
    top_ax_ : matplotlib Axes, or list
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
        class_names: Any = None,
    ) -> None:
        self.penalties = penalties
        self.coefs = coefs
        self.feature_names = feature_names
        self.chosen = chosen
        self.penalty_name = penalty_name
        self.stopped_early = stopped_early
        self.class_names = class_names

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
        target: Any = None,
        n_labels: int = 8,
        ax: Any = None,
    ) -> Self:
        """Compute the path of an estimator, and draw it.

        Parameters
        ----------
        estimator : estimator of this package, or a fitted pipeline or search that ends with one
            Its parameters other than the penalty are those of the path; of a search, those of the
            best candidate. If it has chosen a penalty itself, or the search has, the path has the
            penalties that were tried. Without L1 penalty (`l1_ratio` of 0) they lie around its own.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Target values, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like, default=None
            What is added to the linear model, as in `fit` of the estimator.
        target : class label, default=None
            With three or more classes, the one whose coefficients are drawn; None: those of all.
        n_labels : int, default=8
            How many features are labelled: those of the largest coefficients.
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on; new ones by default. For several classes one for each, or one whose
            place in the figure they share.

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
        last, X, names = unwrapped(estimator, X)
        problem, penalties, _, chosen, classes = pictured(last, X, y, sample_weight, offset)
        row = class_row(target, classes)
        seen = fold_losses(cross_validated(estimator))
        if seen is not None and seen.line:
            penalties, chosen = seen.penalties(), seen.chosen_penalties()
        coefs, _ = problem.arrays([problem.trace(penalties)])
        display = cls(
            penalties=penalties,
            coefs=coefs if row is None else coefs[row],
            feature_names=names,
            chosen=chosen,
            penalty_name=problem.scale.name,
            stopped_early=getattr(last, "stopped_early_", False),
            class_names=None if not len(classes) else classes if row is None else classes[[row]],
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
        class_names: Any = None,
        n_labels: int = 8,
        ax: Any = None,
    ) -> Self:
        """Draw a path that has been computed, as by :func:`lasso_path`.

        Parameters
        ----------
        penalties : array-like of shape (n_penalties,)
            The penalties: values of alpha, or of C.
        coefs : array-like, (n_features, n_penalties) or (n_classes, n_features, n_penalties)
            The coefficients.
        feature_names : array-like of shape (n_features,), default=None
            Names of the features.
        chosen : dict, default=None
            Penalties to mark, by the label of each.
        penalty_name : {'alpha', 'C'}, default='alpha'
            What the penalties are.
        class_names : array-like of shape (n_classes,), default=None
            Names of the classes.
        n_labels : int, default=8
            How many features are labelled: those of the largest coefficients.
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on; new ones by default. For several classes one for each, or one whose
            place in the figure they share.

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
            class_names=class_names,
        )
        return display.plot(ax, n_labels=n_labels)

    @in_own_error_state
    def plot(self, ax: Any = None, *, n_labels: int = 8, **kwargs: Any) -> Self:
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            Axes to draw on; new ones by default. For several classes one for each, or one whose
            place in the figure they share.
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
        axes = self._axes_of_classes(ax, len(coefs))
        live = np.flatnonzero(coefs.any(axis=(0, 2)))
        colours = {feature: f"C{number}" for number, feature in enumerate(live)}
        lines, tops, marker = [], [], "o" if penalties.size == 1 else None
        style = line_style(kwargs, linewidth=1.2, marker=marker)
        for own, each in zip(coefs, axes, strict=True):
            lines.append(self._draw(each, penalties, own, colours, style))
        for own, each, heading, drawn in zip(coefs, axes, self._headings(), lines, strict=True):
            self._label(each, drawn, own, names, n_labels)  # where the limits of y are known
            tops.append(count_axis(each, penalties, (own != 0).sum(axis=0)))
            chosen = (self.chosen or {}) if each is axes[0] else {}  # it is said once
            note_end_of_grid(
                each, penalties, self.penalty_name, chosen, self.stopped_early, heading
            )
        several = np.ndim(self.coefs) == 3
        self.line_: Any = lines if several else lines[0]
        self.top_ax_: Any = tops if several else tops[0]
        return self

    def _checked(self, n_labels: Any) -> tuple[Float64, Float64, Sequence[Any]]:
        """Penalties, coefficients (K, p, L), of one class or several, and names of the features."""
        parameters = {"n_labels": n_labels, **vars(self)}
        check_parameters(type(self).__name__, parameters)
        coefs = as_floats(self.coefs, "coefs", allow_nd=True)
        rows = coefs if coefs.ndim == 3 else [coefs]
        checked = [checked_lines(self.penalties, row, "coefs", self.feature_names) for row in rows]
        if self.class_names is not None and len(self.class_names) != len(rows):
            raise ValueError(
                f"class_names must have {len(rows)} names, one for each class. "
                f"Got {len(self.class_names)}."
            )
        return checked[0][0], np.stack([row for _, row, _ in checked]), checked[0][2]

    def _headings(self) -> list[str]:
        """What stands above the axes of each class."""
        if self.class_names is not None:
            return [f"class {name}" for name in self.class_names]
        several = np.ndim(self.coefs) == 3
        return [f"class {number}" for number in range(len(self.coefs))] if several else [""]

    def _axes_of_classes(self, ax: Any, n_classes: int) -> Sequence[Any]:
        """Set and return the axes: those given, or as many in the place of one, or in a figure."""
        if np.ndim(self.coefs) < 3:
            return [self._axes(ax)]
        if ax is None or np.ndim(ax) == 0:
            ax = self._grid(ax, n_classes)
        axes = np.ravel(ax)
        if len(axes) != n_classes:
            raise InvalidParameterError(
                f"ax must be {n_classes} Axes, one for each class, or one. Got {len(axes)}."
            )
        for each in axes[::-1]:
            self._axes(each)
        self.ax_ = axes
        return list(axes)

    def _grid(self, ax: Any, n_classes: int) -> Any:
        """As many axes in the place of one, or in a figure of their own."""
        n_columns = min(n_classes, N_COLUMNS)
        n_rows = -(-n_classes // n_columns)
        if ax is None:
            ax = self._axes(None)
            ax.figure.set_size_inches(PANEL[0] * n_columns, PANEL[1] * n_rows)
        slot = self._axes(ax).get_subplotspec()
        if slot is None:
            raise InvalidParameterError(
                f"ax must be in a grid of subplots to be shared by {n_classes} classes; or pass as "
                "many Axes, or a target."
            )
        ax.set_axis_off()
        axes = slot.subgridspec(n_rows, n_columns).subplots(sharey=True, squeeze=False)
        for inner in axes[:, 1:].flat:
            inner.yaxis.label.set_visible(False)  # the scale is that of the first
        for spare in axes.flat[n_classes:]:
            spare.remove()
        return axes.flat[:n_classes]

    def _draw(
        self, ax: Any, penalties: Float64, coefs: Float64, colours: Any, style: dict[str, Any]
    ) -> list[Any]:
        """Draw the lines of one class, by their features."""
        lines = [
            ax.plot(penalties, coefs[j], **{"color": colours[j]} | style)[0]
            for j in np.flatnonzero(coefs.any(axis=1))
        ]
        ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        penalty_axis(ax, penalties, self.penalty_name)
        ax.set_ylabel("coefficient")
        if mark(ax, self.chosen or {}):
            ax.legend(loc="upper left", fontsize="small")
        return lines

    def _label(
        self, ax: Any, lines: Sequence[Any], coefs: Float64, names: Sequence[Any], n_labels: int
    ) -> None:
        """Name the features of the largest coefficients."""
        live = np.flatnonzero(coefs.any(axis=1))
        last = coefs[live, weakest(np.asarray(self.penalties), self.penalty_name)]
        strongest = np.argsort(-np.abs(last))[:n_labels]
        own = [names[feature] for feature in live[strongest]]
        name_lines(ax, [lines[position] for position in strongest], own, last[strongest])


def class_row(target: Any, classes: Any) -> int | None:
    """The row of coefficients of a class; that of the only one, or None: all of them.

    Raises
    ------
    ValueError
        If it is none of the classes.
    """
    if target is None:
        return None if len(classes) else 0
    for row, label in enumerate(classes):
        if np.array_equal(label, target):
            return row
    known = (
        f"one of {np.asarray(classes).tolist()}, or None"
        if len(classes)
        else "None, as there is one row"
    )
    raise ValueError(f"target must be {known}. Got {target!r}.")
