"""Pictures, by scikit-learn's conventions for displays; they need Matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.isotonic import isotonic_regression
from sklearn.utils.validation import check_is_fitted

from ._pictured import Recorder, lower_bound, pictured, unwrapped
from ._reports import Iteration
from ._typing import Float64

__all__ = ["CertificateDisplay", "CrossValidationDisplay", "RegularizationPathDisplay"]

# Ticks of the number of coefficients, and the least distance of two labels, as part of the axis.
N_TICKS, LABEL_DISTANCE = 7, 0.04
# What is below this part of the first gap is drawn at it.
FLOOR = 1e-16


class Display:
    """What the displays have in common."""

    ax_: Any
    figure_: Any

    def _axes(self, ax: Any) -> Any:
        """Set and return the axes to draw on."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__} needs matplotlib: pip install 'hplasso[plot]'"
            ) from error
        if ax is None:
            ax = plt.subplots(layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _mark(self, label: str, value: float, dashes: str) -> None:
        """Mark a penalty by a vertical line."""
        text = f"{label}: {value:.3g}"
        self.ax_.axvline(value, color="0.3", linestyle=dashes, linewidth=1.0, label=text)

    def _penalty_axis(self, penalties: Float64, name: str) -> None:
        """Penalties on a logarithmic scale, the strongest on the left."""
        low, high = float(penalties.min()), float(penalties.max())
        self.ax_.set_xscale("log")
        if low < high:
            self.ax_.set_xlim(*((low, high) if name == "C" else (high, low)))
        self.ax_.set_xlabel(name)


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
        penalty_name: str = "alpha",
    ) -> None:
        self.penalties = penalties
        self.coefs = coefs
        self.feature_names = feature_names
        self.chosen = chosen
        self.penalty_name = penalty_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        target: int = 0,
        n_labels: int = 8,
        ax: Any = None,
    ) -> Self:
        """Compute the path of an estimator, and draw it.

        Parameters
        ----------
        estimator : estimator of this package, or a fitted pipeline that ends with one
            Its parameters other than the penalty are those of the path. If it has chosen a penalty
            itself, the path has its penalties.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Target values, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
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
        """
        estimator, X, names = unwrapped(estimator, X)
        problem = pictured(estimator, X, y, sample_weight)
        coefs = problem.coefficients()
        if not 0 <= target < len(coefs):
            raise ValueError(f"target must be in the range [0, {len(coefs) - 1}]. Got {target}.")
        display = cls(
            penalties=problem.penalties,
            coefs=coefs[target],
            feature_names=names,
            chosen=problem.chosen,
            penalty_name="C" if problem.inverse else "alpha",
        )
        return display.plot(ax, n_labels=n_labels)

    @classmethod
    def from_path(
        cls,
        penalties: Any,
        coefs: Any,
        *,
        feature_names: Any = None,
        chosen: Mapping[str, float] | None = None,
        penalty_name: str = "alpha",
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
        """
        display = cls(
            penalties=penalties,
            coefs=coefs,
            feature_names=feature_names,
            chosen=chosen,
            penalty_name=penalty_name,
        )
        return display.plot(ax, n_labels=n_labels)

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
        """
        penalties, coefs = np.asarray(self.penalties), np.asarray(self.coefs)
        if coefs.ndim != 2 or coefs.shape[1] != penalties.size:
            raise ValueError(
                f"coefs must have shape (n_features, {penalties.size}), a column for each penalty. "
                f"Got shape {coefs.shape}."
            )
        names = self.feature_names
        if names is None:
            names = [f"x{feature}" for feature in range(len(coefs))]
        ax = self._axes(ax)
        live = np.flatnonzero(coefs.any(axis=1))
        style = {"linewidth": 1.2} | kwargs
        self.line_ = [ax.plot(penalties, coefs[feature], **style)[0] for feature in live]
        ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
        self._penalty_axis(penalties, self.penalty_name)
        ax.set_ylabel("coefficient")
        for number, (label, value) in enumerate((self.chosen or {}).items()):
            dashes = ["--", ":", "-."][number % 3]
            ax.axvline(
                value, color="0.3", linestyle=dashes, linewidth=1.0, label=f"{label}: {value:.3g}"
            )
        if self.chosen:
            ax.legend(loc="upper left", fontsize="small")
        self._label(names, live, coefs, n_labels)
        self._count(penalties, coefs)
        return self

    def _label(self, names: Any, live: Any, coefs: Float64, n_labels: int) -> None:
        """Names beside the right ends of the lines, moved apart where they would overlap."""
        weakest = (np.argmax if self.penalty_name == "C" else np.argmin)(self.penalties)
        last = coefs[:, int(weakest)]
        strongest = live[np.argsort(-np.abs(last[live]))[:n_labels]]
        low, high = self.ax_.get_ylim()
        heights = (last[strongest] - low) / (high - low)
        order = np.argsort(heights)
        apart = LABEL_DISTANCE * np.arange(order.size)  # moved as little as keeps them apart
        spread = isotonic_regression(heights[order] - apart) + apart
        colours = {
            feature: line.get_color() for feature, line in zip(live, self.line_, strict=True)
        }
        for height, feature in zip(spread, strongest[order], strict=True):
            self.ax_.annotate(
                str(names[feature]),
                (1.01, height),
                xycoords="axes fraction",
                color=lines[feature].get_color(),
                fontsize="small",
                va="center",
            )

    def _count(self, penalties: Float64, coefs: Float64) -> None:
        """The number of non-zero coefficients on the top axis."""
        ends = np.log(penalties.min()), np.log(penalties.max())
        ticks = np.exp(np.linspace(*ends, N_TICKS))
        nearest = [int(np.argmin(np.abs(np.log(penalties / tick)))) for tick in ticks]
        self.top_ax_ = self.ax_.secondary_xaxis("top")
        self.top_ax_.set_xticks(ticks, [str((coefs[:, i] != 0).sum()) for i in nearest])
        self.top_ax_.minorticks_off()
        self.top_ax_.set_xlabel("non-zero coefficients")


class CrossValidationDisplay(Display):
    """Cross-validated errors along the penalties: their mean, a band of standard errors, the rules.

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
        penalty_name: str = "alpha",
        loss_name: str = "mean squared error",
    ) -> None:
        self.penalties = penalties
        self.losses = losses
        self.errors = errors
        self.chosen = chosen
        self.penalty_name = penalty_name
        self.loss_name = loss_name

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw what a cross-validated estimator has seen.

        Parameters
        ----------
        estimator : fitted HadamardLassoCV, HadamardElasticNetCV or HadamardLogisticRegressionCV
            Of several values of l1_ratio, the one that was chosen is drawn.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : CrossValidationDisplay
            The display.
        """
        check_is_fitted(estimator)
        if hasattr(estimator, "mse_path_"):
            losses, errors, penalties = estimator.mse_path_, estimator.mse_se_, estimator.alphas_
            if losses.ndim == 3:
                chosen = list(np.atleast_1d(estimator.l1_ratio)).index(estimator.l1_ratio_)
                losses, errors = losses[chosen], errors[chosen]
                penalties = penalties[chosen] if penalties.ndim == 2 else penalties
            marks = {"min": estimator.alpha_min_, "1se": estimator.alpha_1se_}
            names = {"penalty_name": "alpha", "loss_name": "mean squared error"}
        elif hasattr(estimator, "scores_"):
            chosen = int(np.argmin(np.abs(estimator.l1_ratios_ - estimator.l1_ratio_)))
            losses, errors = -estimator.scores_[:, chosen].T, estimator.scores_se_[chosen]
            penalties, marks = estimator.Cs_, {"min": estimator.C_min_, "1se": estimator.C_1se_}
            scoring = estimator.scoring or "accuracy"
            loss = scoring.removeprefix("neg_") if isinstance(scoring, str) else "score"
            names = {
                "penalty_name": "C",
                "loss_name": loss.replace("_", " ")
                if str(scoring).startswith("neg_")
                else f"-{loss}",
            }
        else:
            raise ValueError(
                f"estimator must be cross-validated. Got {type(estimator).__name__}, which has "
                "neither mse_path_ nor scores_."
            )
        display = cls(penalties=penalties, losses=losses, errors=errors, chosen=marks, **names)
        return display.plot(ax)

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
            ax.axvline(
                value, color="0.3", linestyle=dashes, linewidth=1.0, label=f"{label}: {value:.3g}"
            )
        self._penalty_axis(penalties, self.penalty_name)
        ax.set_ylabel(self.loss_name)
        ax.legend(fontsize="small")
        return self


class CertificateDisplay(Display):
    """How a fit approaches the optimum: g, f and the duality gap after each sweep.

    g is the objective in the factors, ``loss(mu * nu) + alpha / 2 (|mu|^2 + |nu|^2)``, and f that
    in the coefficients, which is g at balanced factors. Both are drawn above the largest lower
    bound that the certificates prove; the gap is never below f.

    It is recommended to use :meth:`from_estimator` to create a display.

    Parameters
    ----------
    sweeps : array-like of shape (n_records,)
        How many sweeps there were.
    surrogates, objectives, gaps : array-like of shape (n_records,)
        g, f and the gap after so many sweeps.
    bound : float
        A lower bound of the optimum.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : list of matplotlib Line2D
        The lines of g, f and the gap.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from hplasso import CertificateDisplay, HadamardLasso
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = HadamardLasso(alpha=0.1, solver="alternating")
    >>> display = CertificateDisplay.from_estimator(model, X, y)  # doctest: +SKIP
    """

    def __init__(
        self, *, sweeps: Any, surrogates: Any, objectives: Any, gaps: Any, bound: float
    ) -> None:
        self.sweeps = sweeps
        self.surrogates = surrogates
        self.objectives = objectives
        self.gaps = gaps
        self.bound = bound

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, sample_weight: Any = None, ax: Any = None
    ) -> Self:
        """Fit with the parameters of an estimator, certify after each sweep, and draw that.

        Parameters
        ----------
        estimator : estimator of this package, or a fitted pipeline that ends with one
            It is left as it is.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Target values, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : CertificateDisplay
            The display.
        """
        estimator, X, _ = unwrapped(estimator, X)
        recorder = Recorder()
        problem = pictured(estimator, X, y, sample_weight, recorder)
        problem.tracer.solve(float(problem.alphas(problem.penalty)))
        records = recorder.records
        if not records:
            raise ValueError("All coefficients are zero at this penalty: no sweep to draw.")
        return cls._of(records).plot(ax)

    @classmethod
    def _of(cls, records: list[Iteration]) -> Self:
        """The display of what a fit recorded."""
        return cls(
            sweeps=np.array([record.sweeps for record in records]),
            surrogates=np.array([record.surrogate for record in records]),
            objectives=np.array([record.objective for record in records]),
            gaps=np.array([record.gap for record in records]),
            bound=lower_bound(records),
        )

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw g, f and the gap.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertificateDisplay
            The display.
        """
        ax = self._axes(ax)
        curves = {
            "g(mu, nu) - bound": (np.asarray(self.surrogates) - self.bound, "C1", ":"),
            "f(theta) - bound": (np.asarray(self.objectives) - self.bound, "C0", "-"),
            "duality gap": (np.asarray(self.gaps), "C3", "--"),
        }
        top = max(float(values.max()) for values, _, _ in curves.values())
        style = {"marker": "." if len(self.sweeps) < 60 else None} | kwargs
        self.line_ = [
            ax.plot(
                self.sweeps,
                np.maximum(values, FLOOR * top),
                color=colour,
                linestyle=dashes,
                label=label,
                **style,
            )[0]
            for label, (values, colour, dashes) in curves.items()
        ]
        ax.set_yscale("log")
        ax.set_xlabel("sweeps")
        ax.set_ylabel("distance, in units of the objective")
        ax.legend(fontsize="small")
        return self
