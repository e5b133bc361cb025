"""Estimators of penalised least squares at one alpha."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin

from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import stack_level
from .._validation.parameters import BOOLEAN, Constraints, check_parameters, checked_array, real
from .callbacks import Task
from .fit_method import fit_method
from .least_squares_problem import ACCEPTED, LEAST_SQUARES_CONSTRAINTS
from .linear_model import checked_parameters
from .linear_regressor import LinearRegressor
from .options import FitOptions

ESTIMATOR_CONSTRAINTS: Constraints = {
    "alpha": (real(0.0),),
    "warm_start": (BOOLEAN,),
    **LEAST_SQUARES_CONSTRAINTS,
}


class LeastSquaresEstimator(MultiOutputMixin, LinearRegressor):
    """What :class:`HadamardLasso` and :class:`HadamardElasticNet` have in common; abstract."""

    _constraints = ESTIMATOR_CONSTRAINTS
    _accepted = ACCEPTED | {"multi_output": True}

    @fit_method
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Target values. Several targets are fitted one by one; they share what is computed from
            `X` alone.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        check_input : bool, default=True
            Without effect, as `X` and `y` are always checked. For compatibility.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps.
        """
        check_parameters(
            type(self).__name__, {"check_input": check_input}, {"check_input": (BOOLEAN,)}
        )
        options = FitOptions.of(checked_parameters(self))
        data = self._validated(X, y, sample_weight, options).with_gram(self.precompute)
        starts = self._starts(data.targets.shape[1], data.X.shape[1])
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=stack_level(),
            )
        with Task.of_fit(self), threads_for_data(data.X.size):
            problem = data.problem(n_solutions=1)
            points = [
                problem.solve(self.alpha, target, start, problem.printer())
                for target, start in enumerate(starts)
            ]
        problem.warn_not_converged(points)
        self._set_attributes(problem, points, data.flat)
        return self

    def _starts(self, n_targets: int, n_features: int) -> list[Float64 | None]:
        """The coefficients to start from, for each target."""
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return [None] * n_targets
        shape = (n_features,) if n_targets == 1 else (n_targets, n_features)
        coef = checked_array(self.coef_, shape, "With warm_start=True, coef_ of the last fit")
        return list(np.atleast_2d(coef))
