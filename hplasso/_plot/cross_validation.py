"""A picture of cross-validated errors."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._estimators.group_estimator import GroupRegressor
from .._estimators.linear_model import LinearModel
from .._model_selection.fold_losses import FoldLosses, cross_validated, fold_losses
from .._model_selection.kept_path import n_nonzero
from .._numerics.error_state import in_own_error_state
from .._numerics.typing import Float64
from .._validation.arrays import as_floats, check_samples_given, checked_array, checked_grid
from .._validation.choices import PenaltyName
from .._validation.parameters import InvalidParameterError, check_parameters
from .display import (
    Display,
    count_axis,
    line_style,
    mark,
    note_end_of_grid,
    penalty_axis,
    posed,
    unwrapped,
)


class CrossValidationDisplay(Display):
    """Cross-validated errors along the penalties: their mean, a band of standard errors, the rules.

    The axis on top has the numbers of features with non-zero coefficients, as fitted to all
    samples, where they are known. Where the best penalty is the weakest of the grid, a line above
    the axes says so.

    It is recommended to use :meth:`from_estimator` to create a display.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        The penalties: values of alpha, or of C.
    losses : array-like of shape (n_penalties, n_folds)
        The error of each fold; the smaller, the better.
    errors : array-like of shape (n_penalties,)
        Standard errors of the means over the folds.
    chosen : dict
        Penalties to mark, by the label of each.
    penalty_name : {'alpha', 'C'}, default='alpha'
        What the penalties are.
    loss_name : str, default='mean squared error'
        What the errors are.
    stopped_early : bool, default=False
        Whether the penalties end where the fit is saturated.
    n_nonzero : array-like of shape (n_penalties,), default=None
        The numbers of features that have a non-zero coefficient, of any class.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib Line2D
        The means.
    band_ : matplotlib FillBetweenPolyCollection
        The band of one standard error on either side.
    top_ax_ : matplotlib Axes or None
        The axis of these numbers.

    See Also
    --------
    RegularizationPathDisplay : The coefficients.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import CrossValidationDisplay, HadamardLassoCV
    >>> model = HadamardLassoCV().fit(*load_diabetes(return_X_y=True))
    >>> display = CrossValidationDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        penalties: Any,
        losses: Any,
        errors: Any,
        chosen: Mapping[str, float],
        penalty_name: PenaltyName = "alpha",
        loss_name: str = "mean squared error",
        stopped_early: bool = False,
        n_nonzero: Any = None,
    ) -> None:
        self.penalties = penalties
        self.losses = losses
        self.errors = errors
        self.chosen = chosen
        self.penalty_name = penalty_name
        self.loss_name = loss_name
        self.stopped_early = stopped_early
        self.n_nonzero = n_nonzero

    @classmethod
    @in_own_error_state
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        sample_weight: Any = None,
        offset: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw what a cross-validated estimator or a search has seen.

        Parameters
        ----------
        estimator : fitted cross-validated estimator or search
            One of hplasso, or a grid search over `alpha` or `C` of the last step:
            :class:`PathSearchCV`, :class:`sklearn.model_selection.GridSearchCV`; or a pipeline that
            ends with one, or a search over the parameters of other steps. Of several values of
            l1_ratio, of gamma, or of the other parameters of a search, those that were chosen are
            drawn; of several metrics the one that chooses, or the first. Candidates whose scores
            are not finite are left out.
        X, y : array-like, default=None
            The data of `fit`, for the numbers on top alone: a path is computed, if the last step is
            one of hplasso. Without them the numbers are those of `coef_path_`, some of whose points
            are interpolated; searches and relaxed fits have none.
        sample_weight, offset : array-like, default=None
            As in `fit`, for the same purpose.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : CrossValidationDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If it has seen no finite losses along penalties, or of `X` and `y` only one is given.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import CrossValidationDisplay, HadamardLassoCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLassoCV().fit(X, y)
        >>> CrossValidationDisplay.from_estimator(model, ax=ax).ax_.get_ylabel()
        'mean squared error'
        """
        check_samples_given(X, y, sample_weight, offset)
        chooser = cross_validated(estimator)
        check_is_fitted(chooser)
        seen = checked(fold_losses(chooser), chooser)
        penalties, counts = seen.penalties(), seen.n_nonzero
        last, X, _ = unwrapped(estimator, X) if X is not None else (None, None, None)
        last = getattr(last, "estimator_", last)
        if isinstance(last, LinearModel):
            several = isinstance(last, GroupRegressor)  # whose targets have one path
            data = posed(last, X, y, sample_weight, offset, several)
            problem = data.problem(len(penalties))
            counts = n_nonzero(problem.arrays([problem.trace(penalties)])[0])
        display = cls(
            penalties=penalties,
            losses=seen.losses[seen.line],
            errors=seen.errors[seen.line],
            chosen=seen.chosen_penalties(),
            penalty_name=seen.penalty_name,
            loss_name=words_of(seen),
            stopped_early=seen.stopped_early,
            n_nonzero=counts,
        )
        return display.plot(ax)

    @in_own_error_state
    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot` for the means.

        Returns
        -------
        display : CrossValidationDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import CrossValidationDisplay, HadamardLassoCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLassoCV().fit(X, y)
        >>> display = CrossValidationDisplay.from_estimator(model, ax=ax)
        >>> display.plot(Figure().subplots(), linewidth=3.0).line_.get_linewidth()
        3.0
        """
        penalties, losses, errors = self._checked()
        ax, mean = self._axes(ax), losses.mean(axis=1)
        ax.plot(penalties, losses, color="0.8", linewidth=0.7, zorder=1)
        chosen, marker = self.chosen or {}, "o" if penalties.size == 1 else None
        style = line_style(kwargs, color="C0", label="mean", marker=marker)
        (self.line_,) = ax.plot(penalties, mean, **style)
        self.band_ = ax.fill_between(
            penalties, mean - errors, mean + errors, color="C0", alpha=0.2, label="± 1 SE"
        )
        mark(ax, chosen)
        penalty_axis(ax, penalties, self.penalty_name)
        ax.set_ylabel(self.loss_name)
        self.top_ax_ = None
        if self.n_nonzero is not None:
            counts = checked_array(self.n_nonzero, penalties.shape, "n_nonzero")
            self.top_ax_ = count_axis(ax, penalties, counts, "features with non-zero coefficients")
        note_end_of_grid(ax, penalties, self.penalty_name, chosen, self.stopped_early)
        ax.legend(fontsize="small")
        return self

    def _checked(self) -> tuple[Float64, Float64, Float64]:
        """Penalties, losses and standard errors; the last two may be NaN."""
        check_parameters(type(self).__name__, vars(self))
        checked_grid(self.penalties, "penalties")
        penalties = np.asarray(self.penalties, dtype=np.float64)
        losses, errors = (
            as_floats(getattr(self, name), name, ensure_all_finite=False)
            for name in ("losses", "errors")
        )
        if losses.ndim != 2 or len(losses) != penalties.size:
            raise ValueError(
                f"losses must have shape ({penalties.size}, n_folds), a row for each penalty. "
                f"Got shape {losses.shape}."
            )
        if errors.shape != penalties.shape:
            raise ValueError(f"errors must have shape {penalties.shape}. Got shape {errors.shape}.")
        return penalties, losses, errors


def checked(seen: FoldLosses | None, chooser: Any) -> FoldLosses:
    """What there is to draw.

    Raises
    ------
    ValueError
        If there are no losses along penalties.
    """
    if seen is None or not seen.penalty:
        raise InvalidParameterError(
            "estimator must be cross-validated, or a grid search over alpha or C of its last step "
            "whose refit chooses a candidate. "
            f"Got {type(chooser).__name__}."
        )
    if not seen.line:
        raise InvalidParameterError(
            f"estimator must have finite scores for some penalty. Got {type(chooser).__name__} "
            "with scores that are all NaN or infinite."
        )
    return seen


def words_of(seen: FoldLosses) -> str:
    """The name of the losses, and what the candidates drawn have in common."""
    sign = "-" if seen.measure.sign < 0.0 else ""
    values = {
        name: f"{value:g}" if isinstance(value, float) else value
        for name, value in seen.common.items()
    }
    common = [f"{name}={value}" for name, value in values.items()]
    return ",\n".join([sign + seen.measure.name.replace("_", " "), *common])
