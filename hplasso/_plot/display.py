"""What the pictures have in common: axes, and the problem that an estimator poses on given data.

The conventions are those of scikit-learn's displays.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from sklearn.isotonic import isotonic_regression
from sklearn.utils.validation import check_is_fitted, validate_data

from .._estimators.linear_model import LinearModel, chosen_parameters, options_of
from .._estimators.problem import FitOptions, Problem
from .._model_selection.fitted_pipeline import FittedPipeline
from .._model_selection.kept_path import own_grid
from .._model_selection.rules import end_of_grid
from .._numerics.typing import Float64
from .._validation.arrays import GivenGrid, as_floats, checked_grid
from .._validation.parameters import InvalidParameterError
from .._validation.weights import checked_data, feature_names

# Penalties of a path where an estimator has none of its own.
N_PENALTIES = 100
# Its length, the last alpha over the first: least squares may go further than logistic regression,
# whose coefficients are all there, and whose fits take longer, at larger alphas.
LENGTH = {"alpha": 1e-3, "C": 10**-1.5}
# A grid around a single penalty reaches so far to either side: three decades in all.
REACH = 10**1.5
# The least distance of two labels, in points: a line of small letters.
LABEL_DISTANCE = 10.0
# On axes with no more than that from end to end, powers of ten are too few ticks.
FEW_DECADES = 100.0
# Ticks of the number of coefficients.
N_TICKS = 7


class Display(ABC):
    """What the displays have in common."""

    ax_: Any
    figure_: Any

    @abstractmethod
    def plot(self, ax: Any = None) -> Any:
        """Draw on axes, or on new ones."""

    def _axes(self, ax: Any) -> Any:
        """Set and return the axes to draw on."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__} needs matplotlib: pip install 'hplasso[plot]'"
            ) from error
        if ax is not None and not hasattr(ax, "figure"):
            raise InvalidParameterError(f"ax must be matplotlib Axes or None. Got {ax!r}.")
        if ax is None:
            ax = plt.subplots(layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def line_style(given: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """Properties of lines: those given, by any of their names in matplotlib, and defaults."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return defaults | normalize_kwargs(dict(given), Line2D)


def weakest(penalties: Float64, name: str) -> int:
    """Where the weakest penalty above zero is: the right end of the axis of `penalty_axis`."""
    if name == "C":
        return int(np.argmax(penalties))
    return int(np.argmin(np.where(penalties > 0.0, penalties, np.inf)))


def mark(ax: Any, chosen: Mapping[str, float]) -> bool:
    """Mark penalties by vertical lines, with labels for a legend; returns whether there are any.

    Zero has no place on the axis.
    """
    shown = {label: value for label, value in chosen.items() if value > 0.0}
    for (label, value), dashes in zip(shown.items(), cycle(["--", ":", "-."]), strict=False):
        text = f"{label}: {value:.3g}"
        ax.axvline(value, color="0.3", linestyle=dashes, linewidth=1.0, label=text)
    return bool(shown)


def penalty_axis(ax: Any, penalties: Float64, name: str) -> None:
    """Penalties on a logarithmic scale, the strongest on the left."""
    shown = penalties[penalties > 0.0]  # there is no place for zero on this scale
    if not shown.size:
        raise ValueError(
            "penalties must have a value above zero, because their axis is logarithmic. "
            f"Got {penalties}."
        )
    low, high = float(shown.min()), float(shown.max())
    ax.set_xscale("log")
    if low < high:
        ax.set_xlim(*((low, high) if name == "C" else (high, low)))
    if low < high < low * FEW_DECADES:
        ax.xaxis.get_major_locator().set_params(subs=(1.0, 2.0, 5.0))
        ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")  # long names, which would overlap
    ax.set_xlabel(name)


def count_axis(
    ax: Any, penalties: Float64, counts: Any, name: str = "non-zero coefficients"
) -> Any:
    """An axis on top with the numbers of what is not zero at some of the penalties."""
    shown = np.flatnonzero(penalties > 0.0)
    logarithms = np.log(penalties[shown])
    ticks = np.linspace(logarithms.min(), logarithms.max(), N_TICKS)
    nearest = np.abs(logarithms[:, None] - ticks).argmin(axis=0)
    marked = shown[np.unique(nearest)]
    top = ax.secondary_xaxis("top")
    top.set_xticks(penalties[marked], [str(int(counts[position])) for position in marked])
    top.minorticks_off()
    top.set_xlabel(name)
    power = ax.yaxis.get_offset_text()  # of ten: beside the first count, not on it
    power.set_horizontalalignment("right")
    power.set_x(-0.02)
    return top


def name_lines(ax: Any, lines: Sequence[Any], names: Sequence[Any], ends: Float64) -> None:
    """Names beside the right ends of lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    heights = (ends - low) / (high - low)
    order = np.argsort(heights)
    if not order.size:
        return
    points = ax.get_window_extent().height * 72.0 / ax.figure.dpi
    apart = LABEL_DISTANCE / points * np.arange(order.size)  # moved as little as keeps them apart
    moved = isotonic_regression(heights[order] - apart) + apart
    for height, position in zip(moved, order, strict=True):
        ax.annotate(
            str(names[position]),
            (1.01, height),
            xycoords="axes fraction",
            color=lines[position].get_color(),
            fontsize="small",
            va="center",
            parse_math=False,
        )


def note_end_of_grid(
    ax: Any,
    penalties: Float64,
    name: str,
    chosen: Mapping[str, float],
    stopped_early: bool,
    heading: str = "",
) -> None:
    """Say above the axes that the best penalty, "min" of those chosen, is the weakest.

    That is below a heading, if there is one.
    """
    words = end_of_grid(name, chosen.get("min", np.nan), penalties, stopped_early)
    lines = [line for line in (heading, *words.split(": ")) if line]
    if lines:
        size, side = ("small" if words else None), ("left" if heading else "right")
        ax.set_title(
            ("\n" if heading else ":\n").join(lines), loc=side, fontsize=size, parse_math=False
        )


def checked_lines(
    penalties: Any, rows: Any, rows_name: str, feature_names: Any
) -> tuple[Float64, Float64, Sequence[Any]]:
    """Penalties (L,), a row (p, L) of numbers for each feature, and the names of features.

    Raises
    ------
    ValueError
        If they do not fit together.
    """
    checked_grid(penalties, "penalties")
    penalties, rows = np.asarray(penalties, dtype=np.float64), as_floats(rows, rows_name)
    if rows.ndim != 2 or rows.shape[1] != penalties.size:
        raise ValueError(
            f"{rows_name} must have shape (n_features, {penalties.size}), a column for each "
            f"penalty. Got shape {rows.shape}."
        )
    if feature_names is None:
        feature_names = [f"x{feature}" for feature in range(len(rows))]
    if len(feature_names) != len(rows):
        raise ValueError(
            f"feature_names must have {len(rows)} names, one for each row of {rows_name}. "
            f"Got {len(feature_names)}."
        )
    return penalties, rows, list(feature_names)


class Pictured(NamedTuple):
    """The problem of an estimator, and its penalties in the user's terms.

    `penalties` are those of a path, strongest first; `penalty` is the estimator's own, `chosen` are
    those to mark. `classes` are the labels of three or more classes, of which each has a row of
    coefficients; else there are none.
    """

    problem: Problem
    penalties: Float64
    penalty: float
    chosen: Mapping[str, float]
    classes: Any


def unwrapped(estimator: Any, X: Any) -> tuple[Any, Any, Any]:
    """The last step of pipelines and searches, X as it sees it, and names of features, or None."""
    fitted = FittedPipeline.of(estimator)
    names = fitted.known_names(getattr(X, "columns", None))
    return fitted.last, fitted.transform(X), None if names is None else np.asarray(names)


def posed(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    offset: Any = None,
    several: bool = False,
) -> Any:
    """Checked data of an estimator of this package; `several`: y may have several columns.

    Raises
    ------
    ValueError
        If it is none, or data or parameters are not what they have to be; also if it is fitted to
        other features.
    """
    if hasattr(estimator, "estimator") and hasattr(estimator, "refit"):
        check_is_fitted(estimator)  # a search
    if not isinstance(estimator, LinearModel):
        raise ValueError(
            "estimator must be a regressor or classifier of hplasso, and none that is relaxed. "
            f"Got {type(estimator).__name__}; RegularizationPathDisplay.from_path draws any path."
        )
    options_of(estimator)  # all parameters are checked
    parameters = {"l1_ratio": 1.0, **chosen_parameters(estimator), "verbose": 0}
    if not {"alpha", "C"} & set(parameters):
        check_is_fitted(estimator)
    given, names = parameters.get("penalty_weights"), getattr(estimator, "feature_names_in_", None)
    accepted = {**estimator._accepted, "multi_output": several}
    checked, y, weights = checked_data(X, y, given, accepted, names)
    if names is not None and feature_names(X) is not None:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    known = getattr(estimator, "n_features_in_", checked.shape[1])
    if checked.shape[1] != known:
        name = type(estimator).__name__
        raise ValueError(f"X has {checked.shape[1]} features, but {name} is expecting {known}.")
    options = FitOptions.of(parameters)
    return estimator._data(checked, y, sample_weight, weights, options).with_offset(offset)


def pictured(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None, offset: Any = None
) -> Pictured:
    """The problem of an estimator of this package on some data."""
    data = posed(estimator, X, y, sample_weight, offset)
    problem = data.problem(N_PENALTIES)
    name, l1_ratio = problem.scale.name, problem.options.l1_ratio
    parameters = chosen_parameters(estimator)
    own, chosen = float(parameters[name]), chosen_penalties(estimator, parameters, name)
    penalties = own_grid(estimator, l1_ratio)
    if penalties is None:
        penalties = grid_around(problem, own) if not l1_ratio else grid(problem, chosen)
    several = problem.unpenalised.n_rows > 1
    return Pictured(problem, penalties, own, chosen, data.labels.classes if several else [])


def grid(problem: Problem, chosen: Mapping[str, float]) -> Float64:
    """A grid from where the first feature enters to beyond the penalties to mark."""
    first = problem.grid(GivenGrid(1), 1.0)
    alphas = problem.scale.alphas(np.array([value for value in chosen.values() if value > 0.0]))
    ends = 0.5 * alphas / problem.scale.alphas(first)
    return problem.grid(GivenGrid(N_PENALTIES), min([LENGTH[problem.scale.name], *ends]))


def grid_around(problem: Problem, own: float) -> Float64:
    """A grid around the penalty of an estimator, where no coefficient enters to begin it at.

    Raises
    ------
    ValueError
        If that is zero.
    """
    if not own:
        raise ValueError("There is no grid of penalties to draw for alpha=0 and l1_ratio=0.")
    alpha = float(problem.scale.alphas(own))
    alphas = np.geomspace(alpha * REACH, alpha / REACH, N_PENALTIES)
    return np.asarray(problem.scale.penalties(alphas))


def chosen_penalties(estimator: Any, parameters: Mapping[str, Any], name: str) -> dict[str, float]:
    """The penalties to mark: the best and that of the other rule, or the one of the estimator."""
    rules = {"min": f"{name}_min_", "1se": f"{name}_1se_"}
    if hasattr(estimator, "criterion_"):
        rules = {"min": f"{name}_"}
    marks = {rule: getattr(estimator, attribute, None) for rule, attribute in rules.items()}
    known = {rule: float(value) for rule, value in marks.items() if value is not None}
    return known or {name: float(parameters[name])}
