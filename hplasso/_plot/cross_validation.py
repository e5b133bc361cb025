"""A picture of cross-validated errors."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._numerics.error_state import in_own_error_state
from .._validation.choices import PenaltyName
from .display import Display


class CrossValidationDisplay(Display):
    """Cross-validated errors along the penalties: their mean, a band of standard errors, the rules.

    Where the best penalty is the weakest of the grid, a line above the axes says so.

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
    ) -> None:
        self.penalties = penalties
        self.losses = losses
        self.errors = errors
        self.chosen = chosen
        self.penalty_name = penalty_name
        self.loss_name = loss_name
        self.stopped_early = stopped_early

    @classmethod
    @in_own_error_state
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw what a cross-validated estimator has seen.

        Parameters
        ----------
        estimator : fitted cross-validated estimator
            One of hplasso. Of several values of l1_ratio, or of gamma, the one that was chosen is
            drawn.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

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
        >>> CrossValidationDisplay.from_estimator(model, ax=ax).ax_.get_ylabel()
        'mean squared error'
        """
        check_is_fitted(estimator)
        names: dict[str, Any]
        if hasattr(estimator, "mse_path_"):
            losses, errors, penalties = estimator.mse_path_, estimator.mse_se_, estimator.alphas_
            if losses.ndim == 3:
                chosen = list(np.atleast_1d(estimator.l1_ratio)).index(estimator.l1_ratio_)
                losses, errors = losses[chosen], errors[chosen]
                penalties = penalties[chosen] if penalties.ndim == 2 else penalties
            marks = {"min": estimator.alpha_min_, "1se": estimator.alpha_1se_}
            names = {"penalty_name": "alpha", "loss_name": "mean squared error"}
        elif hasattr(estimator, "deviance_path_"):
            losses, errors = estimator.deviance_path_, estimator.deviance_se_
            penalties = estimator.alphas_
            marks = {"min": estimator.alpha_min_, "1se": estimator.alpha_1se_}
            names = {"penalty_name": "alpha", "loss_name": "mean deviance"}
        elif hasattr(estimator, "gammas_"):
            name, own = ("C" if hasattr(estimator, "C_") else "alpha"), estimator.gamma_
            chosen = list(estimator.gammas_).index(own)
            losses, errors = -estimator.scores_[chosen], estimator.scores_se_[chosen]
            penalties = getattr(estimator, f"{name}s_")
            marks = {estimator.rule: getattr(estimator, f"{name}_")}
            loss = "mean loss" if estimator.scoring is None else _loss_name(estimator.scoring)
            names = {"penalty_name": name, "loss_name": f"{loss}, gamma={own:g}"}
        elif hasattr(estimator, "scores_"):
            chosen = int(np.argmin(np.abs(estimator.l1_ratios_ - estimator.l1_ratio_)))
            losses, errors = -estimator.scores_[:, chosen].T, estimator.scores_se_[chosen]
            penalties, marks = estimator.Cs_, {"min": estimator.C_min_, "1se": estimator.C_1se_}
            name = _loss_name(estimator.scoring or "accuracy")
            names = {"penalty_name": "C", "loss_name": name}
        else:
            raise ValueError(
                f"estimator must be cross-validated. Got {type(estimator).__name__}, which has "
                "none of mse_path_, deviance_path_ and scores_."
            )
        display = cls(
            penalties=penalties,
            losses=losses,
            errors=errors,
            chosen=marks,
            stopped_early=estimator.stopped_early_,
            **names,
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
        ax = self._axes(ax)
        penalties, losses = np.asarray(self.penalties), np.asarray(self.losses)
        errors, mean = np.asarray(self.errors), losses.mean(axis=1)
        ax.plot(penalties, losses, color="0.8", linewidth=0.7, zorder=1)
        (self.line_,) = ax.plot(penalties, mean, **{"color": "C0", "label": "mean"} | kwargs)
        self.band_ = ax.fill_between(
            penalties, mean - errors, mean + errors, color="C0", alpha=0.2, label="± 1 SE"
        )
        for (label, value), dashes in zip(self.chosen.items(), ["--", ":"], strict=False):
            self._mark(label, value, dashes)
        self._penalty_axis(penalties, self.penalty_name)
        ax.set_ylabel(self.loss_name)
        self._note_end_of_grid(penalties, self.penalty_name, self.chosen, self.stopped_early)
        ax.legend(fontsize="small")
        return self


def _loss_name(scoring: Any) -> str:
    """The name of minus a score."""
    name = f"-{scoring}" if isinstance(scoring, str) else "-score"
    return name.replace("_", " ").removeprefix("-neg ")
