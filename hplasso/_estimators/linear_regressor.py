"""What is common to estimators of least squares: data, attributes, predictions; a fit, a path."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.metrics import r2_score
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from .._design.source import Source
from .._design.sources import source_of
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64
from .._path.progress import PathPoint, warn
from .._solver.hadamard import balance
from .._validation.arrays import checked_array, given_alphas
from .._validation.parameters import check_parameters
from .._validation.weights import PenaltyWeights, checked_data, checked_penalty_weights
from .bases import MultiOutputMixin, RegressorMixin
from .block_scores import block_r2
from .fit_method import Task, fit_method
from .lazily import applied, lazily
from .linear_model import LinearModel, chosen_parameters, fitted_as, options_of
from .problem import DATA_ACCEPTED, FitOptions, Problem, gaps_of, sweeps_of
from .regression import LeastSquaresData, least_squares_data
from .streamed import streamed_least_squares


class LinearRegressor(RegressorMixin, LinearModel):
    """The base of estimators of least squares; abstract, as `LinearModel` is."""

    precompute: Any
    coef_: NDArray[Any]

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> LeastSquaresData:
        return least_squares_data(X, y, sample_weight, penalty, options)

    def _streamed(
        self, source: Source, penalty: PenaltyWeights, options: FitOptions
    ) -> LeastSquaresData:
        data = streamed_least_squares(source, penalty, options)
        self.n_passes_ = source.n_passes
        return data

    def _set_attributes(self, problem: Problem, points: list[PathPoint], flat: bool = True) -> None:
        """Turn the solutions, one for each target, into scikit-learn's attributes."""
        single = len(points) == 1
        coefs, intercepts = problem.arrays([[point] for point in points])
        gaps, sweeps = gaps_of(points), sweeps_of(points)
        self.coef_ = coefs[0, :, 0] if single else coefs[..., 0]
        self.mu_, self.nu_ = balance(self.coef_)
        self.dual_gap_ = gaps[0] if single else gaps
        self.n_iter_ = sweeps[0] if single else sweeps
        self.intercept_ = 0.0
        if self.fit_intercept:
            self.intercept_ = intercepts[0, 0] if flat else intercepts[:, 0]

    @lazily
    def predict(self, X: Any, offset: Any = None) -> Any:
        """Predict with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of the shape of the predictions, default=None
            What is added to the linear model, zero by default.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predicted values.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardLasso(alpha=0.5).fit(X, y).predict(X[:2]).round(1)
        array([194.8,  92.1])
        """
        return self._outputs(X, offset)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> float:
        """R^2 of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like of the shape of the predictions, default=None
            What is added to the linear model, zero by default.

        Returns
        -------
        score : float
            :func:`sklearn.metrics.r2_score` of `y` and the predictions.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> round(HadamardLasso(alpha=0.5).fit(X, y).score(X, y), 2)
        0.46
        """
        source = source_of(X, y, sample_weight, offset)
        if source is not None:
            return block_r2(self, source)
        predictions = applied(self.predict, X, offset)
        return float(r2_score(y, predictions, sample_weight=sample_weight))

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For tools that take scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.Lasso or sklearn.linear_model.ElasticNet
            As fitted, without penalty weights and `solver`; cross-validated ones at the alpha
            that was chosen.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardLasso(alpha=0.5).fit(X, y).to_sklearn()
        Lasso(alpha=0.5)
        """
        check_is_fitted(self)
        parameters = chosen_parameters(self)
        if isinstance(parameters["precompute"], str):
            parameters["precompute"] = False
        return fitted_as(ElasticNet if "l1_ratio" in parameters else Lasso, parameters, self)

    @property
    def sparse_coef_(self) -> Any:
        """Sparse representation of the fitted `coef_`.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HadamardLasso(alpha=0.5).fit(X, y).sparse_coef_.nnz
        4
        """
        return sparse.csr_matrix(self.coef_)


class LeastSquaresEstimator(MultiOutputMixin, LinearRegressor):
    """What :class:`HadamardLasso` and :class:`HadamardElasticNet` have in common; abstract."""

    _accepted = DATA_ACCEPTED | {"multi_output": True}
    __metadata_request__fit: ClassVar = {"check_input": UNUSED}  # not for pipelines to pass on
    alpha: float

    @fit_method
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        check_input: bool = True,
        offset: Any = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Target values; None where `X` is :class:`Batches`. Several targets are fitted one by
            one; they share what is computed from `X` alone.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        check_input : bool, default=True
            Without effect, because `X` and `y` are always checked. For compatibility.
        offset : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            What is added to the linear model of each sample, zero by default: a known part of `y`.

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

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardLasso
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = HadamardLasso(alpha=0.5).fit(X, y)
        >>> model.coef_.nonzero()[0]
        array([2, 3, 6, 8])
        """
        data = self._checked(X, y, sample_weight, check_input, offset)
        starts = self._starts(data.targets.shape[1], data.X.shape[1])
        if self.alpha == 0:
            warn_of_no_penalty()
        with Task.of_fit(self), threads_for_data(data.X.size):
            problem = data.problem(n_solutions=1)
            points = [
                problem.solve(self.alpha, target, start, problem.printer())
                for target, start in enumerate(starts)
            ]
        problem.warn_not_converged(points)
        self._set_solution(problem, data, points)
        return self

    def _checked(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        check_input: bool = True,
        offset: Any = None,
    ) -> LeastSquaresData:
        """The data of the problem, from parameters and arguments of `fit` that are checked."""
        check_parameters(type(self).__name__, {"check_input": check_input})
        data = self._validated(X, y, sample_weight, offset, options_of(self))
        return data.with_gram(self.precompute)

    def _set_solution(
        self, problem: Problem, data: LeastSquaresData, points: list[PathPoint]
    ) -> None:
        """Be fitted: at solutions of the problem, one for each target."""
        self._set_attributes(problem, points, data.flat)

    def _starts(self, n_targets: int, n_features: int) -> list[Float64 | None]:
        """The coefficients to start from, for each target."""
        if not self.warm_start or getattr(self, "coef_", None) is None:
            return [None] * n_targets
        shape = (n_features,) if n_targets == 1 else (n_targets, n_features)
        coef = checked_array(self.coef_, shape, "With warm_start=True, coef_ of the last fit")
        return list(np.atleast_2d(coef))


def warn_of_no_penalty() -> None:
    """Say, as scikit-learn does, what is better for alpha=0."""
    warn(
        "With alpha=0, this algorithm does not converge well. You are advised to use the "
        "LinearRegression estimator"
    )


def path_data(
    X: Any, y: Any, sample_weight: Any, offset: Any, penalty_weights: Any, options: FitOptions
) -> LeastSquaresData:
    """What a path function is given, checked."""
    source = source_of(X, y, sample_weight, offset)
    if source is not None:
        penalty = checked_penalty_weights(penalty_weights, source.n_features, source.names)
        return streamed_least_squares(source, penalty, options)
    accepted = DATA_ACCEPTED | {"multi_output": True}
    X, y, penalty = checked_data(X, y, penalty_weights, accepted)
    return least_squares_data(X, y, sample_weight, penalty, options).with_offset(offset)


def least_squares_path(
    data: LeastSquaresData,
    alphas: Any,
    eps: float,
    coef_init: Any,
    return_n_iter: bool,
    return_intercept: bool,
) -> tuple[Any, ...]:
    """What a path function returns."""
    if coef_init is not None:
        coef_init = checked_array(coef_init, (data.X.shape[1],), "coef_init")
    given = given_alphas(alphas, [data.options.l1_ratio])
    with threads_for_data(data.X.size):
        problem = data.problem(given.length)
        grid, paths = problem.paths(given, eps, coef_init)
    problem.warn_not_converged([point for path in paths for point in path])
    coefs, intercepts = problem.arrays(paths)
    results: list[Any] = [coefs, np.array([gaps_of(path) for path in paths])]
    if return_n_iter:
        results.append([sweeps_of(path) for path in paths])
    if return_intercept:
        results.append(intercepts)
    return (grid, *(result[0] for result in results)) if data.flat else (grid, *results)
