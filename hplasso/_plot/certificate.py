"""A picture of how a fit approaches the optimum."""

from typing import Any, Self

import numpy as np

from .._numerics.error_state import in_own_error_state
from .._path.progress import Iteration, Listener, Measure, PathPoint
from .display import Display, line_style, pictured, unwrapped

# What is below this part of the largest distance is rounding, and drawn at it.
FLOOR = 1e-16


class Recorder(Listener):
    """Keeps each iteration, of one sweep each."""

    iterations = every_sweep = True

    def __init__(self) -> None:
        self.records: list[Iteration] = []

    def point(self, point: PathPoint) -> None:
        """Not kept."""

    def iteration(self, iteration: Iteration) -> None:
        self.records.append(iteration)


class CertificateDisplay(Display):
    """How a fit approaches the optimum: g, f and the duality gap after each sweep.

    With the default solver that is after the sweep and the linear systems that it led to. g is the
    objective in the factors, ``loss(mu * nu) + alpha / 2 (|mu|^2 + |nu|^2)``, and f that in the
    coefficients, which is g at balanced factors. Both are drawn above the largest lower bound that
    the certificates prove; the gap is never below f. Where a loss is not convex there is no such
    bound: then they are drawn above the smallest f, beside the KKT residual.

    It is recommended to use :meth:`from_estimator` to create a display.

    Parameters
    ----------
    sweeps : array-like of shape (n_records,)
        How many sweeps had been made.
    surrogates, objectives, gaps : array-like of shape (n_records,)
        g, f and the gap after so many sweeps.
    bound : float
        A lower bound of the optimum, or the smallest f.
    measure : str, default='duality gap'
        What the gaps are.

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
        self,
        *,
        sweeps: Any,
        surrogates: Any,
        objectives: Any,
        gaps: Any,
        bound: float,
        measure: str = Measure.DUAL_GAP.value,
    ) -> None:
        self.sweeps = sweeps
        self.surrogates = surrogates
        self.objectives = objectives
        self.gaps = gaps
        self.bound = bound
        self.measure = measure

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
        ax: Any = None,
    ) -> Self:
        """Fit with the parameters of an estimator, certify after each sweep, and draw that.

        Parameters
        ----------
        estimator : estimator of this package, or a fitted pipeline or search that ends with one
            It is left as it is.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,)
            Target values, or class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like, default=None
            What is added to the linear model, as in `fit` of the estimator.
        ax : matplotlib Axes, default=None
            Axes to draw on; new ones by default.

        Returns
        -------
        display : CertificateDisplay
            The display.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import CertificateDisplay, HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLasso(alpha=0.1, solver="alternating")
        >>> display = CertificateDisplay.from_estimator(model, X, y, ax=ax)
        >>> bool(display.gaps[-1] < display.gaps[0])
        True
        """
        estimator, X, _ = unwrapped(estimator, X)
        recorder = Recorder()
        picture = pictured(estimator, X, y, sample_weight, offset)
        picture.problem.solve(picture.penalty, listener=recorder)
        records = recorder.records
        if not records:
            raise ValueError("All coefficients are zero at this penalty: no sweep to draw.")
        measure = records[0].measure
        proved = measure is Measure.DUAL_GAP
        objectives = np.array([record.objective for record in records])
        gaps = np.array([record.gap for record in records])
        display = cls(
            sweeps=np.array([record.sweeps for record in records]),
            surrogates=np.array([record.surrogate for record in records]),
            objectives=objectives,
            gaps=gaps,
            bound=(objectives - gaps).max() if proved else objectives.min(),
            measure=measure.value,
        )
        return display.plot(ax)

    @in_own_error_state
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

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import CertificateDisplay, HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> ax = Figure().subplots()
        >>> model = HadamardLasso(alpha=0.1, solver="alternating")
        >>> display = CertificateDisplay.from_estimator(model, X, y, ax=ax)
        >>> display.plot(Figure().subplots(), linewidth=3.0).ax_.get_xlabel()
        'sweeps'
        """
        ax = self._axes(ax)
        curves = {
            "g(mu, nu) - bound": (np.asarray(self.surrogates) - self.bound, "C1", ":"),
            "f(theta) - bound": (np.asarray(self.objectives) - self.bound, "C0", "-"),
            self.measure: (np.asarray(self.gaps), "C3", "--"),
        }
        top = max(float(values.max()) for values, _, _ in curves.values())
        marker, self.line_ = "." if len(self.sweeps) < 60 else None, []
        for label, (values, color, dashes) in curves.items():
            own = {"label": label, "color": color, "linestyle": dashes, "marker": marker}
            heights = np.maximum(values, FLOOR * top)
            self.line_ += ax.plot(self.sweeps, heights, **line_style(kwargs, **own))
        ax.set_yscale("log" if top > 0.0 else "linear")  # all is zero after an exact first sweep
        ax.set_xlabel("sweeps")
        ax.set_ylabel("distance, in units of the objective")
        ax.legend(fontsize="small")
        return self
