"""Cross-validation folds: training weights, test rows, and what folds share.

A fold never copies its training data: its design is that of all samples, with weight zero for those
left out. Where the Gram matrix is formed, a single pass over X serves all folds: with the moments

    M = [Z, R, sqrt v]'[Z, R, sqrt v]    (the design's Z, the weighted and centred targets R)

of all samples and of the test samples alone, the training moments are their difference, and its
Schur complement with respect to the last column moves the means to those of the training samples.
What is left of a column by cancellation alone, as that of an indicator that is one for test samples
only, is computed again from the column.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from .._design.design import Design
from .._design.factory import augmented_gram_of, check_range, checked_design, reweighted
from .._estimators.regression import LeastSquaresData, gram_pays
from .._numerics.blocks import BLOCK, slices
from .._numerics.typing import Float64, Index
from .._path.progress import PathPoint

# A training sum of squares below this part of the total is computed again from the column: six of
# sixteen digits are lost to cancellation. A numerical limit, as is the next.
CANCELLED = 1e-6
# A squared error from moments is trusted above this part of the terms that it is the sum of; below,
# it is computed from the test samples.
RESOLVED = 1e-6


class Fold(NamedTuple):
    """A fold: the total training weight, the test rows, and their weights.

    `counts` says how often each sample is in the training set; None: those that are not in the test
    set are, once.
    """

    total: float
    test: Index
    test_weights: Float64
    counts: Index | None

    def weights(self, raw: Float64) -> Float64:
        """Training weights of shape (n,) that sum to one, from the weights of all samples."""
        if self.counts is not None:
            return raw * (self.counts / self.total)
        weights = raw / self.total
        weights[self.test] = 0.0
        return weights


def checked_folds(
    splits: Iterable[tuple[Any, Any]], weights: Float64, weighted: bool, rule: str = "min"
) -> list[Fold]:
    """The folds of a splitter, for raw sample weights, with which a rule is to choose.

    Raises
    ------
    ValueError
        If there are none, or too few for the rule, or the training or test samples of one have no
        weight.
    """
    n_samples = weights.size
    folds = []
    for number, split in enumerate(splits):
        train, test = (_rows_at(indices, number, n_samples) for indices in split)
        counts = np.bincount(train, minlength=n_samples)
        training, held_out = weights * counts, weights[test]
        for name, part in (("training", training), ("test", held_out)):
            if not part.any():
                what = "have no sample weight" if weighted else "are none"
                raise ValueError(f"The {name} samples of fold {number} {what}.")
        complement = np.ones(n_samples, dtype=counts.dtype)
        complement[test] = 0
        same = np.array_equal(counts, complement) and np.unique(test).size == test.size
        folds.append(Fold(float(training.sum()), test, held_out, None if same else counts))
    if not folds:
        raise ValueError("cv gave no folds.")
    if rule == "1se" and len(folds) < 2:
        raise ValueError("rule='1se' needs at least two folds. cv gives one.")
    return folds


def _rows_at(indices: Any, number: int, n_samples: int) -> Index:
    """The rows of indices, or of a mask."""
    try:
        return np.asarray(np.arange(n_samples)[indices])
    except IndexError as error:
        raise ValueError(
            f"cv must give indices of samples, from 0 to {n_samples - 1}, or masks. For fold "
            f"{number} it does not: {error}."
        ) from error


def router_of(owner: Any) -> MetadataRouter:
    """How metadata go to an estimator with a parameter `cv`, and from its `fit` to the splitter.

    An iterable of splits takes none, and is not gone through: a generator serves once, for the fit.
    The owner is a name, as some versions of scikit-learn copy it.
    """
    cv, mapping = owner.cv, MethodMapping().add(caller="fit", callee="split")
    splitter = check_cv(() if isinstance(cv, Iterable) and not hasattr(cv, "split") else cv)
    router = MetadataRouter(owner=type(owner).__name__).add_self_request(owner)
    return router.add(splitter=splitter, method_mapping=mapping)


def routed(owner: Any, method: str, sample_weight: Any, params: Mapping[str, Any]) -> Any:
    """What goes to the splitter and the scorer, where scikit-learn's metadata routing is on.

    Raises
    ------
    ValueError
        If there is something to pass on and it is off.
    """
    if get_config()["enable_metadata_routing"]:
        return process_routing(owner, method, sample_weight=sample_weight, **params)
    if params:
        raise ValueError(
            f"Passing {', '.join(sorted(params))} to {type(owner).__name__}.{method} is only "
            "supported if enable_metadata_routing=True, which sklearn.set_config sets."
        )
    return None


class Training(NamedTuple):
    """Training samples: their design, Z'Z (p, p), and Z'Y (p, T); None: not known."""

    design: Design
    gram: Float64 | None = None
    correlations: Float64 | None = None


class Folds:
    """Least squares on all samples (`full`), and on the training samples of each fold.

    Parameters
    ----------
    data : LeastSquaresData
        Of T targets; the weights need not sum to one.
    folds : list of Fold
    n_solutions : int
        How many solutions each fold is going to ask for.
    """

    def __init__(self, data: LeastSquaresData, folds: Sequence[Fold], n_solutions: int) -> None:
        self.data, self.folds = data, folds
        self.targets, weights = data.targets, data.weights / data.weights.sum()
        self.fit_intercept = data.options.fit_intercept
        check_range("y", float(np.abs(self.targets).max()))
        self.design = checked_design(data.X, weights, self.fit_intercept, data.penalty.left_out)
        self.target_means = self.design.sqrt_weights**2 @ self.targets * self.fit_intercept
        # A Gram matrix of the user is taken for True: the folds need more than it says.
        precompute = data.precompute if isinstance(data.precompute, bool | str) else True
        self._by_moments = gram_pays(self.design.shape, precompute, n_solutions)
        self._kept: dict[int, Float64] = {}
        if self._by_moments:
            self._everything = self._all_moments()
            self.full = self._from_moments(self.design, self._everything, np.ones(()))
        else:
            self.full = Training(self.design)

    def _all_moments(self) -> Float64:
        """The moments of all samples; those of the folds are kept, if they hold no more than X."""
        n, p = self.design.shape
        size = p + self.targets.shape[1] + 1
        if len(self.folds) * size**2 <= max(self.design.n_stored, BLOCK):
            found = ((number, self._moments(number)) for number in range(len(self.folds)))
            self._kept = {number: part for number, part in found if part is not None}
            times = np.zeros(n, dtype=np.intp)
            for number in self._kept:
                times[self.folds[number].test] += 1
            if self._kept and (times == times[0]).all():  # each sample is tested equally often
                return np.asarray(sum(self._kept.values()) / times[0])
        return augmented_gram_of(self.design, np.arange(n), self._response(self.design))

    def _moments(self, number: int) -> Float64 | None:
        """The moments of a fold's test samples, if its training samples are just the others."""
        fold = self.folds[number]
        if not self._by_moments or fold.counts is not None:
            return None
        if number in self._kept:
            return self._kept[number]
        return augmented_gram_of(self.design, fold.test, self._response(self.design))

    def _response(self, design: Design) -> Float64:
        """The targets less their means over all samples, under the weights of a design."""
        return np.asarray(design.sqrt_weights[:, None] * (self.targets - self.target_means))

    def training(self, number: int) -> Training:
        """The training samples of a fold."""
        weights, held_out = self.folds[number].weights(self.data.weights), self._moments(number)
        p = self.design.shape[1]
        if held_out is None or 1.0 - held_out[-1, -1] <= CANCELLED:
            full = self.design
            design = checked_design(full.container, weights, self.fit_intercept, full.left_out)
            gram = design.gram() if self._by_moments else None
            return Training(design, gram)
        augmented_gram = self._everything - held_out
        mass = augmented_gram[-1, -1]
        shift = augmented_gram[-1, :p] / mass if self.fit_intercept else np.zeros(p)
        sums = augmented_gram.diagonal()[:p]
        mean = self.design.mean + shift
        variance = np.maximum(sums / mass - shift**2, 0.0)
        doubtful = mass * variance < CANCELLED * self.design.column_norms**2
        design = reweighted(self.design, weights, mean, variance + mean**2, doubtful)
        return self._from_moments(design, augmented_gram, mass)

    def _from_moments(self, design: Design, augmented_gram: Float64, mass: Any) -> Training:
        """The samples of a design, from their moments about the means of all."""
        p = design.shape[1]
        if self.fit_intercept:
            sums = augmented_gram[-1]
            augmented_gram = augmented_gram - np.multiply.outer(sums, sums) / mass
        gram, correlations = augmented_gram[:p, :p] / mass, augmented_gram[:p, p:-1] / mass
        design.recompute(gram)
        prone = design.cancellation_prone
        if prone.size:
            response = self._response(design)
            correlations[prone] = np.stack([design.read(prone, r) for r in response.T], axis=1)
        correlations[design.constant] = 0.0
        return Training(design, gram, correlations)

    def mean_squares(self, number: int, points: Sequence[PathPoint], training: Design) -> Float64:
        """The mean squared error on the test samples of a fold, of shape (L,) for L solutions.

        They are those on a design of training samples. Of T targets it is the mean over these.
        """
        T = self.targets.shape[1]
        features, coefficients = side_by_side(points, T)
        shape = coefficients.shape
        coefficients = coefficients.reshape(-1, T * len(points))
        intercepts = np.stack([point.intercept for point in points], axis=-1).ravel()
        intercepts = intercepts - training.mean[features] @ coefficients
        squares = self._from_held_out(number, features, coefficients, intercepts)
        if squares is None:
            fold = self.folds[number]
            squares = self._from_rows(fold, features, coefficients, intercepts)
        return np.asarray(squares.reshape(shape[1:]).mean(axis=0))

    def _from_held_out(
        self, number: int, features: Index, coefficients: Float64, intercepts: Float64
    ) -> Float64 | None:
        """The mean squared errors (T L,) from the moments of the test samples, if these do."""
        held_out, (p, T) = self._moments(number), (self.design.shape[1], self.targets.shape[1])
        if held_out is None or np.isin(features, self.design.cancellation_prone).any():
            return None
        n_points = len(intercepts) // T
        shifts = intercepts + self.design.mean[features] @ coefficients
        shifts -= np.repeat(self.target_means, n_points)
        own = np.repeat(np.eye(T), n_points, axis=1)
        vectors = np.concatenate([-coefficients, own, -shifts[None]])
        positions = np.append(features, np.arange(p, p + T + 1))
        squares, sizes = quadratic_forms(held_out[np.ix_(positions, positions)], vectors)
        return squares / held_out[-1, -1] if (squares > RESOLVED * sizes).all() else None

    def _from_rows(
        self, fold: Fold, features: Index, coefficients: Float64, intercepts: Float64
    ) -> Float64:
        """The same, from the test samples themselves."""
        total, T = np.zeros(len(intercepts)), self.targets.shape[1]
        width = min(features.size, self.design.n_stored // self.design.shape[0] + 1)
        for where in slices(fold.test.size, max(width, len(intercepts))):
            rows = fold.test[where]
            residuals = self.design.container.rows(rows, features) @ coefficients
            residuals += intercepts - np.repeat(self.targets[rows], len(intercepts) // T, axis=1)
            total += fold.test_weights[where] @ residuals**2
        return np.asarray(total / fold.test_weights.sum())


def quadratic_forms(matrix: Float64, vectors: Float64) -> tuple[Float64, Float64]:
    """u'Mu for the columns u of `vectors`, and what it would be if nothing cancelled."""
    values = (vectors * (matrix @ vectors)).sum(axis=0)
    sizes = np.abs(vectors)
    return values, (sizes * (np.abs(matrix) @ sizes)).sum(axis=0)


def side_by_side(points: Sequence[PathPoint], n_targets: int = 1) -> tuple[Index, Float64]:
    """The u features that any of L solutions needs, and their coefficients, of shape (u, T, L).

    Of T targets, pairs j T + t stand for features j.
    """
    pairs = [np.divmod(point.features, n_targets) for point in points]
    features = np.unique(np.concatenate([own for own, _ in pairs]))
    coefficients = np.zeros((features.size, n_targets, len(points)))
    for column, (point, (own, targets)) in enumerate(zip(points, pairs, strict=True)):
        coefficients[np.searchsorted(features, own), targets, column] = point.values
    return features, coefficients
