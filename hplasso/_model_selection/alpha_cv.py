"""What cross-validated estimators that choose an alpha have in common."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from .._estimators.linear_model import LinearModel
from .._estimators.problem import Problem, gaps_of, sweeps_of
from .._numerics.typing import Float64
from .._path.progress import PathPoint
from .._validation.choices import Rule
from .folds import router_of
from .kept_path import finished_path, fitted_at, kept_arrays
from .rules import print_end_of_grid


class AlphaCV(LinearModel):
    """The alphas of the rules, and the path on all samples that is kept; abstract."""

    _single: Any  # the estimator at a single alpha
    alphas: Any
    eps: float
    cv: Any
    rule: Rule
    early_stop: bool
    n_jobs: int | None
    verbose: bool | int
    alpha_: float
    alpha_min_: float
    alpha_1se_: float
    alphas_: Float64
    stopped_early_: bool
    coef_path_: Any
    intercept_path_: NDArray[Any]
    dual_gap_path_: Float64
    n_iter_: int
    n_iter_path_: NDArray[Any]
    dual_gap_: float

    def _set_alphas(self, alphas: Float64, best: int, simplest: int) -> None:
        """Set those of the rules."""
        self.alpha_min_, self.alpha_1se_ = float(alphas[best]), float(alphas[simplest])
        self.alpha_ = self.alpha_min_ if self.rule == "min" else self.alpha_1se_
        if self.verbose:
            print_end_of_grid("alpha", self.alpha_min_, alphas, self.stopped_early_)

    def _keep_path(
        self, problem: Problem, alphas: Float64, traced: list[PathPoint] | None, fitted: PathPoint
    ) -> None:
        """Keep the path on all samples, which is traced if that is not done already."""
        rules = [self.alpha_min_, self.alpha_1se_]
        points = finished_path(problem, alphas, traced, rules, fitted)
        self._path_alphas = alphas.copy()
        self.coef_path_, self.intercept_path_ = kept_arrays(problem, points, self.coef_.ndim == 1)
        problem.certify(self, gaps_of(points), "path_")
        self.n_iter_path_ = np.array(sweeps_of(points))

    def at(self, alpha: float) -> Any:
        """The model at another alpha of the grid, from the path on all samples.

        Parameters
        ----------
        alpha : float
            One of `alphas_`, such as `alpha_1se_`; of several l1_ratios, of the row of `l1_ratio_`.

        Returns
        -------
        model : object
            The estimator at a single alpha, such as HadamardLasso, fitted, with the parameters of
            this one; at `l1_ratio_` if there are several.

        Raises
        ------
        ValueError
            If `alpha` is not on the grid.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLassoCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = HadamardLassoCV().fit(X, y)
        >>> simple = model.at(model.alpha_1se_)
        >>> len(model.coef_.nonzero()[0]), len(simple.coef_.nonzero()[0])
        (9, 6)
        """
        check_is_fitted(self)
        model, position = fitted_at(self, self._single, "alpha", alpha, self._path_alphas)
        model.intercept_ = self.intercept_path_.T[position] if self.fit_intercept else 0.0
        model.n_iter_ = int(self.n_iter_path_[position])
        return model

    def get_metadata_routing(self) -> Any:
        """How scikit-learn's metadata routing passes parameters on: to the splitter.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            The routing.
        """
        return router_of(self)
