"""Stability selection, as the user sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._design.sources import refuse_elsewhere
from .._estimators.bases import (
    BaseEstimator,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    SelectorMixin,
)
from .._estimators.fit_method import Task, fit_method, listeners_of
from .._estimators.linear_model import LinearModel, options_of
from .._estimators.problem import FitOptions, Problem
from .._numerics.threads import threads_for_data
from .._numerics.typing import Float64, Index, Mask
from .._path.interpolation import walk_exactly
from .._path.progress import PathPoint
from .._validation.arrays import GivenGrid, check_one_target
from .._validation.choices import Assumption, Resampling
from .._validation.parameters import (
    STABILITY_CONSTRAINTS,
    check_parameters,
    explain_names,
)
from .false_selections import FalseSelections, Limits
from .resamples import RESAMPLING, drawn_folds, problems_of
from .single_penalty import checked_estimator, data_of, estimator_of, given_penalties

# An automatic grid begins at so many times the alpha at which the first feature enters for all
# samples: chance correlations are the square root of two larger in half of them, and in some halves
# larger than that. More solves penalties at which nothing is selected; less lets in the first
# features of a resample in one step.
BEGINNING = 2.0


class HadamardStabilitySelection(
    CallbackSupportMixin, SelectorMixin, MetaEstimatorMixin, BaseEstimator
):
    r"""Selection of the features that an L1 penalty selects in most of many halves of the samples.

    A path is fitted to each of many random halves of the samples. The *selection probability* of a
    feature at a penalty is the fraction of the halves in which its coefficient is not zero. A
    feature is selected if this reaches a threshold at any penalty. The expected number of false
    ones among them has a bound (`max_false`),

    .. math::

        \frac{q^2}{(2 \pi - 1) \, p} ,

    with the `threshold` :math:`\pi`, p features, and the mean number q (`n_selected`) of features
    that a half selects anywhere on its path. Two of the three give the third. The paths end where
    they select more.

    Parameters
    ----------
    estimator : estimator of this package with a single penalty, default=None
        Such as :class:`HadamardElasticNet` or :class:`HadamardLogisticRegression`; None is
        ``HadamardLasso()``. Its parameters are those of the fits, except for the penalty,
        `precompute`, `warm_start` and `verbose`, which have no effect. An `l1_ratio` has to be
        positive.
    alphas : int or array-like, default=None
        Number of alphas on a geometric grid, or the alphas themselves, which have to be positive,
        in any order; None means 100. The grid begins at twice the alpha at which the first
        coefficient enters for all samples, as more enter in halves of them.
    Cs : int or array-like, default=None
        The same for an estimator whose penalty is C.
    eps : float, default=1e-2
        Length of a grid that is not given: the weakest penalty over the strongest.
    n_resamples : int, default=100
        Number of resamples; the halves of pairs count by themselves.
    resampling : {'half', 'pairs', 'bootstrap'}, default='pairs'
        - 'half': half of the samples, drawn without replacement.
        - 'pairs': both halves of such a division, which have no sample in common. `n_resamples` has
          to be even.
        - 'bootstrap': as many samples as there are, drawn with replacement. There is no bound:
          `max_false` has to be None, and the paths go on to the end of the grid unless `n_selected`
          is given.

        With a classifier, each class is divided, or drawn from, by itself, so that no resample
        lacks a class.
    threshold : float, default=None
        Smallest selection probability of a feature that is selected, in (0.5, 1].
    max_false : float, default=None
        Bound for the expected number of false selections.
    n_selected : int, default=None
        The largest number of features that a resample selects anywhere on its path. It goes on to
        the last penalty at which there are no more. Of `threshold`, `max_false` and `n_selected` no
        more than two can be given. `threshold` is 0.75 if there is need for it, then `max_false` is
        1.
    assumption : {'none', 'unimodal'}, default='none'
        - 'none': the bound above.
        - 'unimodal': a smaller bound for 'pairs', about a half of the other at ``threshold=0.75``.
          It assumes that the part of the pairs in which both halves select a feature has a unimodal
          distribution, for each feature that does not matter.
    n_jobs : int, default=None
        How many resamples to work on at a time, in threads that share `X`; None is 1 unless in a
        joblib context, -1 is one for each processor. The result does not depend on it. Threads pay
        where passes over large data take most of the time; small fits gain nothing.
    random_state : int, RandomState instance or None, default=None
        Source of randomness for the resamples. An int gives the same ones each time.
    verbose : bool or int, default=0
        1 prints a line for each resample on standard error; 2 prints one for each penalty and each
        iteration as well.

    Attributes
    ----------
    selection_probabilities_ : ndarray of shape (n_features, n_penalties)
        Of each feature at each penalty, the part of the resamples that select it. A resample that
        has ended counts with its last penalty. Those of a feature without penalty are one.
    scores_ : ndarray of shape (n_features,)
        The largest of each row.
    threshold_ : float
        The threshold, rounded up to a multiple of ``1 / n_resamples``, which the probabilities are.
    max_false_ : float
        The bound that holds for `threshold_` and `n_selected_`; NaN for 'bootstrap'.
    n_selected_ : float
        Number of features that a resample selects anywhere on its path, in the mean over the
        resamples. Features without penalty do not count.
    alphas_, Cs_ : ndarray of shape (n_penalties,)
        The penalties, strongest first, to where the last of the resamples ends; one of the two.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only if `X` has names that are all strings.

    See Also
    --------
    StabilityDisplay : The selection probabilities as a picture.
    HadamardLassoCV : A model for predictions.
    sklearn.feature_selection.SelectFromModel : Selection by a single fit.

    Notes
    -----
    *What the bound says.* It holds if the features that do not matter are exchangeable, and no more
    likely to be selected than at random (Meinshausen and Buehlmann 2010, theorem 1). Without that,
    for 'pairs', it is one for the number of selected features whose probability to be selected by a
    half is at most ``n_selected / n_features`` (Shah and Samworth 2013, theorem 1); 'unimodal' is
    their theorem 2. The number of features leaves out those without penalty, of infinite weight,
    and constant ones. The bound is about all data that might have been drawn, with the number of
    features that a resample selects on *any* penalty of its path, in the mean: it is estimated by
    that of the resamples, which is no larger than `n_selected`, if that is given.

    A selection probability is no p-value, and one minus it is none: it is not the probability of an
    error, and says nothing of one feature by itself. Nor is it the probability that a feature
    matters: of two features that are nearly the same, each half takes one, and both have a small
    probability. A ridge part of the penalty (:class:`HadamardElasticNet`) keeps them together. What
    chance there is in the choice of the resamples has a standard error of about
    ``sqrt(p * (1 - p) / n_resamples)`` for a probability p. Frequencies of the bootstrap have no
    bound of errors at all.

    All penalties are solved, none is interpolated. A feature is selected where its coefficient is
    not zero in a solution that is as exact as `tol` of the estimator asks. Few are in doubt then,
    at penalties close to where they enter; a smaller `tol` decides on them.
    ``solver='alternating'`` leaves small coefficients, which count as selected.

    Resamples are weights on one design: samples that are left out have weight zero, those drawn
    several times a larger one. `X` is not copied. Samples of weight zero are not drawn.
    ``class_weight='balanced'`` stands for the weights of all samples.

    In R's package stabs the three numbers are `cutoff`, `PFER` and `q`.

    References
    ----------
    N. Meinshausen and P. Buehlmann, "Stability selection", Journal of the Royal Statistical Society
    B 72 (2010) 417-473.

    R. D. Shah and R. J. Samworth, "Variable selection with error control: another look at stability
    selection", Journal of the Royal Statistical Society B 75 (2013) 55-80.

    B. Hofner, L. Boccuto and M. Goeker, "Controlling false discoveries in high-dimensional
    situations: boosting with stability selection", BMC Bioinformatics 16 (2015) 144.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from hplasso import HadamardStabilitySelection
    >>> X, y, coef = make_regression(
    ...     200, 500, n_informative=5, noise=10.0, coef=True, random_state=0)
    >>> selector = HadamardStabilitySelection(max_false=0.5, random_state=0).fit(X, y)
    >>> selector.get_support(indices=True)
    array([ 16,  73,  84, 188, 203])
    >>> coef.nonzero()[0]
    array([ 16,  73,  84, 188, 203])
    >>> selector.transform(X).shape
    (200, 5)
    """

    selection_probabilities_: Float64
    scores_: Float64
    threshold_: float
    max_false_: float
    n_selected_: float
    alphas_: Float64
    Cs_: Float64

    @explain_names
    def __init__(
        self,
        estimator: Any = None,
        *,
        alphas: Any = None,
        Cs: Any = None,
        eps: float = 1e-2,
        n_resamples: int = 100,
        resampling: Resampling = "pairs",
        threshold: float | None = None,
        max_false: float | None = None,
        n_selected: int | None = None,
        assumption: Assumption = "none",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool | int = 0,
    ) -> None:
        self.estimator = estimator
        self.alphas = alphas
        self.Cs = Cs
        self.eps = eps
        self.n_resamples = n_resamples
        self.resampling = resampling
        self.threshold = threshold
        self.max_false = max_false
        self.n_selected = n_selected
        self.assumption = assumption
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_method
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Select features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,), default=None
            Target values, or class labels, as the estimator takes them; not None.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Sample weights, for the fits. Samples are drawn whatever their weights, if these are not
            zero.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            What is added to the linear model of each sample, zero by default; of three or more
            classes that of each.

        Returns
        -------
        self : object
            The fitted selector.

        Raises
        ------
        ValueError
            If a parameter, `X`, `y` or a weight is not what it has to be, there are too few samples
            to be halved, or so few features that none could be selected.

        Warns
        -----
        ConvergenceWarning
            If the gap asked for was not reached within `max_iter` sweeps, once for all resamples.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardStabilitySelection
        >>> X, y = load_diabetes(return_X_y=True)
        >>> selector = HadamardStabilitySelection(n_resamples=20, random_state=0).fit(X, y)
        >>> selector.get_support(indices=True)
        array([2, 8])
        """
        model, options, given, limits = self._checked_parameters()
        check_one_target(type(self).__name__, y, "a selector for each of them")
        data = data_of(self, model, options, X, y, sample_weight).with_offset(offset)
        random, n_resamples = check_random_state(self.random_state), int(self.n_resamples)
        folds = drawn_folds(model, data, self.resampling, n_resamples, random)
        with Task.of_fit(self, n_resamples) as task, threads_for_data(data.X.size):
            part = RESAMPLING[self.resampling]  # of the samples
            problem, problem_of = problems_of(data, folds, part, given.length)
            candidates, penalties = _candidates(problem), _grid(problem, given, self.eps)
            unimodal = self.assumption == "unimodal"
            false = FalseSelections(int(candidates.sum()), n_resamples, unimodal)
            most = limits.most_selected(false)
            tasks = [task.subtask("resample", len(penalties)) for _ in folds]
            paths = Parallel(n_jobs=self.n_jobs, require="sharedmem")(
                delayed(_select)(problem_of, number, penalties, candidates, most, own)
                for number, own in enumerate(tasks)
            )
        problem.warn_not_converged([point for path in paths for point in path.failed])
        self._set_attributes(paths, penalties, problem.scale.name)
        self.threshold_ = limits.final_threshold(false, self.n_selected_)
        self.max_false_ = np.nan
        if self.resampling != "bootstrap":
            self.max_false_ = float(false.bound(self.threshold_, self.n_selected_))
        return self

    def _checked_parameters(self) -> tuple[LinearModel, FitOptions, GivenGrid, Limits]:
        """The estimator, the options of the fits, the grid and the limits as they were given."""
        name = type(self).__name__
        check_parameters(name, self.get_params(deep=False), STABILITY_CONSTRAINTS)
        pairs, bootstrap = (self.resampling == kind for kind in ("pairs", "bootstrap"))
        if pairs and self.n_resamples % 2:
            raise ValueError(f"n_resamples must be even for pairs. Got {self.n_resamples}.")
        if self.assumption == "unimodal" and not pairs:
            raise ValueError(
                f"assumption='unimodal' needs resampling='pairs'. Got {self.resampling!r}."
            )
        limits = Limits.of(self.threshold, self.max_false, self.n_selected, not bootstrap)
        model = checked_estimator(self)
        options = options_of(model)
        if not options.l1_ratio:
            raise ValueError("l1_ratio of the estimator must be positive. With 0 all are selected.")
        options = replace(options, verbose=self.verbose)
        return model, options, given_penalties(self, model, options.l1_ratio), limits

    def _set_attributes(self, paths: Sequence[Selections], penalties: Float64, name: str) -> None:
        """Set what the paths give, on the penalties to where the last of them ends."""
        length = max(len(path.features) for path in paths)
        counts = np.zeros((self.n_features_in_, length))
        for path in paths:
            for column in range(length):
                counts[path.features[min(column, len(path.features) - 1)], column] += 1.0
        self.selection_probabilities_ = counts / len(paths)
        self.scores_ = self.selection_probabilities_.max(axis=1)
        self.n_selected_ = float(np.mean([path.n_selected for path in paths]))
        for other in ("alphas_", "Cs_"):  # of a fit before
            self.__dict__.pop(other, None)
        setattr(self, f"{name}s_", penalties[:length].copy())

    def transform(self, X: Any) -> Any:
        """Samples with the selected features alone.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        X : array or sparse matrix of shape (n_samples, n_selected)
            The columns of the features that are selected.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from hplasso import HadamardStabilitySelection
        >>> X, y = load_diabetes(return_X_y=True)
        >>> selector = HadamardStabilitySelection(n_resamples=20, random_state=0).fit(X, y)
        >>> selector.transform(X).shape
        (442, 2)
        """
        refuse_elsewhere("X", X)
        return super().transform(X)

    def _get_support_mask(self) -> Mask:
        check_is_fitted(self)
        return np.asarray(self.scores_ >= self.threshold_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags = get_tags(estimator_of(self)).target_tags
        tags.target_tags.multi_output = False
        return tags


class Selections(NamedTuple):
    """The features that a resample selects at each penalty, and how many it does anywhere.

    They end where there would be too many. `failed` did not converge.
    """

    features: list[Index]
    n_selected: int
    failed: list[PathPoint]


def _candidates(problem: Problem) -> Mask:
    """The features to choose among: with a penalty, and not constant."""
    design = problem.unpenalised.design
    candidates = (problem.penalty_weights > 0.0) & ~design.left_out
    candidates[design.constant] = False
    return np.asarray(candidates)


def _grid(problem: Problem, given: GivenGrid, eps: float) -> Float64:
    """The penalties, strongest first."""
    if given.penalties is not None:
        return given.penalties
    return problem.scale.grid(BEGINNING * problem.tracer().alpha_max(), eps, given.length)


def _select(
    problem_of: Callable[[int], Problem],
    number: int,
    penalties: Float64,
    candidates: Mask,
    most: int,
    task: Task,
) -> Selections:
    """What a resample selects, as long as that is no more than `most` candidates."""
    features: list[Index] = []
    failed: list[PathPoint] = []
    anywhere, n_selected = np.zeros_like(candidates), 0
    with task:
        problem = problem_of(number)
        printer = problem.printer(f"resample {number}: ", verbose_from=2)
        tracer = problem.tracer(listener=listeners_of(task, printer))
        for point in walk_exactly(tracer, problem.scale.alphas(penalties)):
            failed += [] if point.converged else [point]
            selected = problem.unpenalised.features_of(point)
            anywhere[selected] = True
            reached = int((anywhere & candidates).sum())
            if reached > most:
                break
            features.append(selected)
            n_selected = reached
    if problem.options.verbose:
        words = f"{n_selected} features selected, at {len(features)} penalties"
        print(f"resample {number}: {words}", file=sys.stderr)
    return Selections(features or [selected[~candidates[selected]]], n_selected, failed)
