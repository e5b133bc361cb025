"""What every generalized linear model has in common: its fit, predictions and score."""

from contextlib import suppress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from .._design.source import Source
from .._design.sources import source_of
from .._numerics.error_state import in_own_error_state
from .._numerics.rounding import UNIT
from .._numerics.threads import threads_for_data
from .._path.progress import PathPoint
from .._solver.hadamard import balance
from .._validation.arrays import check_one_target, checked_offset
from .._validation.weights import PenaltyWeights, normalised_weights
from .bases import RegressorMixin
from .block_scores import block_d2
from .fit_method import Task, fit_method
from .generalized_linear import Family, generalized_linear_data
from .lazily import lazily
from .linear_model import LinearModel, chosen_parameters, fitted_as, options_of
from .problem import FitOptions, Problem
from .streamed_data import streamed_family

# scikit-learn's own estimators, by power.
COUNTERPARTS = {1.0: PoissonRegressor, 2.0: GammaRegressor}


class GeneralizedLinearRegressor(RegressorMixin, LinearModel):
    """The base of regressors by the deviance of a family; abstract, as `LinearModel` is.

    Those whose power and link are parameters have them by these names; of the others `_power` is a
    constant, and the link is the logarithm.
    """

    _power: float | None = None
    coef_: NDArray[Any]
    intercept_: float
    dual_gap_: float
    n_iter_: int

    def _data(
        self, X: Any, y: Any, sample_weight: Any, penalty: PenaltyWeights, options: FitOptions
    ) -> Any:
        return generalized_linear_data(X, y, sample_weight, self._family, penalty, options)

    def _streamed(self, source: Source, penalty: PenaltyWeights, options: FitOptions) -> Any:
        return streamed_family(source, self._family, penalty, options)

    @property
    def _family(self) -> Family:
        own: Any = self  # power and link are parameters of some of the classes
        return Family(self._power, "log") if self._power else Family.of(own.power, own.link)

    @fit_method
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Training data. :class:`Batches` bring `y` and the sample weights with them; of Dask
            arrays and data frames no more than blocks are computed at a time.
        y : array-like of shape (n_samples,), default=None
            Target values, not negative; positive for the gamma loss. They need not be integers;
            None where `X` is :class:`Batches`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, not negative and not all zero. Only their ratios matter.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model of each sample, zero by default: the logarithm of the
            exposure, where `y` is counted over that.

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
        >>> import numpy as np
        >>> from hplasso import HadamardPoissonRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 5))
        >>> y = rng.poisson(np.exp(X[:, 0]))
        >>> HadamardPoissonRegressor(alpha=0.1).fit(X, y).coef_.nonzero()[0]
        array([0, 1])
        """
        return self._fitted(X, y, sample_weight, offset)

    def _fitted(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Self:
        """Fit to data that have not been checked."""
        data = self._checked(X, y, sample_weight, offset)
        start = self._last_coefficients(data)
        own: Any = self  # alpha is a parameter of all but those that choose it, whose fit differs
        with Task.of_fit(self), threads_for_data(data.X.size):
            problem = (data if own.alpha else data.without_penalty()).problem()
            alpha = own.alpha or 1.0
            point = problem.solve(alpha, start=start, listener=problem.printer())
        problem.warn_not_converged([point])
        self._set_solution(problem, data, [point])
        self._count_passes(data)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Any:
        """The data of the problem, from parameters and arguments of `fit` that are checked."""
        options, name = options_of(self), type(self).__name__
        check_one_target(name, y, f"sklearn.multioutput.MultiOutputRegressor({name}())")
        return self._validated(X, y, sample_weight, offset, options)

    def _set_solution(self, problem: Problem, data: Any, points: list[PathPoint]) -> None:
        """Be fitted: at the only one of the solutions of the problem."""
        self._set_attributes(problem, points[0])

    def _set_attributes(self, problem: Problem, point: PathPoint) -> None:
        """Turn the solution into scikit-learn's attributes."""
        coefs, intercepts = problem.arrays([[point]])
        self.coef_, self.intercept_ = coefs[0, :, 0], 0.0
        if self.fit_intercept:
            self.intercept_ = intercepts[0, 0]
        self.mu_, self.nu_ = balance(self.coef_)
        self.n_iter_ = point.sweeps
        problem.certify(self, point.gap)

    @lazily
    def predict(self, X: Any, offset: Any = None) -> Any:
        """Predict the means.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. Predictions for a Dask array are a lazy array, those for a Dask data frame a
            lazy series or data frame.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model, zero by default.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            ``exp(X coef + intercept + offset)``, inf where that overflows; with an identity link
            the linear model itself.

        Examples
        --------
        >>> import numpy as np
        >>> from hplasso import HadamardPoissonRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 5))
        >>> y = rng.poisson(np.exp(X[:, 0]))
        >>> HadamardPoissonRegressor(alpha=0.1).fit(X, y).predict(X[:2]).round(2)
        array([1.19, 1.5 ])
        """
        with np.errstate(over="ignore"):
            return self._family.means(self._outputs(X, offset))

    @in_own_error_state
    def score(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> float:
        """D^2, the part of the deviance that is explained.

        It is 1 - D / D_0, at most 1, with the deviance D of the predictions and D_0 of the best fit
        with an intercept alone, and the offset; where D_0 is zero, 1 if D is, and 0 otherwise.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or data in blocks
            Samples.
        y : array-like of shape (n_samples,), default=None
            Target values; None where `X` is :class:`Batches`.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights.
        offset : array-like of shape (n_samples,), default=None
            What is added to the linear model, zero by default.

        Returns
        -------
        score : float
            D^2 of the predictions.

        Examples
        --------
        >>> import numpy as np
        >>> from hplasso import HadamardPoissonRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 5))
        >>> y = rng.poisson(np.exp(X[:, 0]))
        >>> round(HadamardPoissonRegressor(alpha=0.1).fit(X, y).score(X, y), 2)
        0.5
        """
        source = source_of(X, y, sample_weight, offset)
        if source is not None:
            return block_d2(self, self._family, source)
        linear = self._outputs(X)[:, None]
        y = self._family.checked_targets(column_or_1d(y))
        check_consistent_length(linear, y)
        weights = normalised_weights(sample_weight, linear)
        null = np.zeros_like(linear)
        if offset is not None:
            null = checked_offset(offset, y.shape, weights)[:, None]
        outputs = linear + null
        loss = self._family.loss(y, weights)
        best = loss.profile_intercept(null, np.zeros(1))[1]
        deviance, null_deviance = (weights @ at.losses for at in (loss.predict(outputs), best))
        if null_deviance <= UNIT:
            return float(deviance <= UNIT)
        return float(1.0 - deviance / null_deviance)

    def to_sklearn(self) -> Any:
        """A fitted estimator of scikit-learn with the same coefficients and predictions.

        For tools that take scikit-learn's own estimators only, such as converters to other formats.

        Returns
        -------
        model : sklearn.linear_model.PoissonRegressor, GammaRegressor or TweedieRegressor
            As fitted, without L1 penalty and penalty weights, which they do not have.

        Examples
        --------
        >>> import numpy as np
        >>> from hplasso import HadamardPoissonRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 5))
        >>> y = rng.poisson(np.exp(X[:, 0]))
        >>> HadamardPoissonRegressor(alpha=0.1).fit(X, y).to_sklearn()
        PoissonRegressor(alpha=0.1, max_iter=1000)
        """
        check_is_fitted(self)
        kind = TweedieRegressor if self._power is None else COUNTERPARTS[self._power]
        model = fitted_as(kind, chosen_parameters(self) | {"solver": "lbfgs"}, self)
        example = np.zeros((1, self.n_features_in_))
        fitted = kind(**model.get_params()).fit(example, [1.0])  # it learns its link
        vars(fitted).update(vars(model))
        return fitted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        with suppress(TypeError, ValueError):  # of a power that `fit` refuses
            tags.target_tags.positive_only = self._family.power >= 1.0
        return tags
