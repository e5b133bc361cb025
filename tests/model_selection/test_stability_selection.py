"""Stability selection: frequencies by single fits, the bounds, and scikit-learn's conventions."""

import pickle
import warnings
from collections import Counter
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linprog
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    HadamardElasticNet,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
)
from hplasso._model_selection.false_selections import FalseSelections
from hplasso._model_selection.resamples import draw

rng = np.random.default_rng(0)
N, P = 61, 30
X = rng.standard_normal((N, P)) * (rng.random((N, P)) < 0.7)
SIGNAL = X[:, :3] @ [1.0, -0.8, 0.6]
Y = SIGNAL + rng.standard_normal(N)
WEIGHTS = rng.exponential(size=N) * (rng.random(N) < 0.9)
OFFSET = 0.3 * rng.standard_normal(N)
COUNTS = rng.poisson(np.exp(SIGNAL))
TIGHT = {"tol": 1e-12}
MODELS = {
    "lasso": (HadamardLasso(**TIGHT), Y),
    "positive lasso": (HadamardLasso(positive=True, fit_intercept=False, **TIGHT), Y),
    "elastic net": (HadamardElasticNet(l1_ratio=0.7, **TIGHT), Y),
    "two classes": (HadamardLogisticRegression(**TIGHT), Y > 0.0),
    "three classes": (HadamardLogisticRegression(**TIGHT), np.digitize(Y, [-0.7, 0.7])),
    "poisson": (HadamardPoissonRegressor(**TIGHT), COUNTS),
    "gamma": (HadamardGammaRegressor(**TIGHT), np.exp(0.5 * Y)),
    "tweedie": (HadamardTweedieRegressor(**TIGHT), COUNTS * np.exp(0.3 * Y)),
}
each_model = pytest.mark.parametrize("name", MODELS)
PAIRS = {"n_resamples": 6, "random_state": 0}
SMALL = {"n_resamples": 4, "random_state": 0}


def strata_of(name, y, kept):
    """What is drawn from by itself."""
    _, codes = np.unique(y[kept], return_inverse=True)
    return codes if "classes" in name else np.zeros(kept.size, dtype=int)


def by_single_fits(selector, name, X, y, rows, **weights):
    """Probabilities and mean numbers by fits to copies of rows, at the selector's penalties."""
    penalty = "C" if "classes" in name else "alpha"
    penalties = getattr(selector, f"{penalty}s_")
    most = selector.n_selected or X.shape[1]
    counts, numbers = np.zeros((X.shape[1], len(penalties))), []
    for own in rows:
        model, anywhere = clone(selector.estimator), np.zeros(X.shape[1], dtype=bool)
        before, number = anywhere, 0
        parts = {key: value[own] for key, value in weights.items()}
        for column, value in enumerate(penalties):
            model.set_params(**{penalty: value}).fit(X[own], y[own], **parts)
            selected = np.atleast_2d(model.coef_ != 0).any(axis=0)
            anywhere = anywhere | selected
            if anywhere.sum() > most:
                counts[:, column:] += before[:, None]
                break
            counts[:, column] += selected
            before, number = selected, anywhere.sum()
        numbers.append(number)
    return counts / len(rows), np.mean(numbers)


@each_model
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("resampling", ["pairs", "bootstrap"])
def test_probabilities_are_those_of_single_fits(name, container, resampling):
    estimator, y = MODELS[name]
    kept = np.flatnonzero(WEIGHTS)
    options = {"Cs" if "classes" in name else "alphas": 5, "eps": 0.1, "n_selected": 8}
    selector = HadamardStabilitySelection(estimator, resampling=resampling, **options, **SMALL)
    offset = {} if name == "three classes" else {"offset": OFFSET}
    selector.fit(container(X), y, sample_weight=WEIGHTS, **offset)
    drawn = draw(strata_of(name, y, kept), resampling, 4, np.random.RandomState(0))
    rows = [kept[positions] for positions in drawn]
    right, number = by_single_fits(
        selector, name, container(X), y, rows, sample_weight=WEIGHTS, **offset
    )
    assert_array_equal(selector.selection_probabilities_, right)
    assert selector.n_selected_ == number
    assert_array_equal(selector.scores_, right.max(axis=1))
    assert_array_equal(selector.get_support(), right.max(axis=1) >= selector.threshold_)
    assert np.unique(right).size > 3


@pytest.mark.parametrize("precompute", [True, False])
def test_gram_matrices_of_tall_data_come_from_one_design(precompute):
    X, y = make_regression(301, 8, n_informative=4, noise=200.0, random_state=0)
    estimator = HadamardLasso(precompute=precompute, **TIGHT)
    selector = HadamardStabilitySelection(estimator, alphas=8, n_selected=8, **PAIRS).fit(X, y)
    rows = draw(np.zeros(301, dtype=int), "pairs", 6, np.random.RandomState(0))
    right, _ = by_single_fits(selector, "lasso", X, y, rows)
    assert_array_equal(selector.selection_probabilities_, right)


def test_pairs_are_disjoint_and_halves_are_half():
    strata = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2])
    pairs = draw(strata, "pairs", 40, np.random.RandomState(0))
    for first, second in zip(pairs[::2], pairs[1::2], strict=True):
        assert first.size == second.size == 5
        assert np.unique(np.concatenate([first, second])).size == 10
        for half in (first, second):
            numbers = np.bincount(strata[half], minlength=3)
            assert numbers[0] == 1
            assert 1 <= numbers[1] <= 2
            assert 2 <= numbers[2] <= 3
    halves = draw(strata, "half", 20, np.random.RandomState(0))
    assert all(np.unique(half).size == 5 for half in halves)
    for drawn in draw(strata, "bootstrap", 20, np.random.RandomState(0)):
        assert_array_equal(np.bincount(strata[drawn]), [2, 3, 6])
    drawn = np.concatenate(draw(strata, "half", 2000, np.random.RandomState(0)))
    expected = np.array([1 / 2, 1 / 3, 1 / 2])  # one of three is left out
    assert_allclose(np.bincount(drawn) / 2000, expected[strata], atol=0.04)


def test_samples_without_weight_are_not_there():
    weights = (np.arange(N) % 3 > 0).astype(float)
    selector = HadamardStabilitySelection(**PAIRS)
    weighted = clone(selector).fit(X, Y, weights)
    dropped = clone(selector).fit(X[weights > 0], Y[weights > 0])
    assert_allclose(weighted.alphas_, dropped.alphas_)
    assert_array_equal(weighted.selection_probabilities_, dropped.selection_probabilities_)
    assert weighted.max_false_ == dropped.max_false_


def test_grid_begins_before_the_first_feature_of_a_half():
    for estimator, y in (MODELS["lasso"], MODELS["two classes"]):
        selector = HadamardStabilitySelection(estimator, n_resamples=20, random_state=0).fit(X, y)
        assert selector.selection_probabilities_[:, 0].max() <= 0.05
        penalties = selector.Cs_ if y.dtype == bool else 1.0 / selector.alphas_
        assert (np.diff(penalties) > 0.0).all()
        assert selector.selection_probabilities_[:, penalties < 2.0 * penalties[0]].any()


# The bounds.


def largest_tail(mean, n_pairs, tail):
    """The largest P(at least `tail`) of unimodal distributions on 0, 1 / n_pairs, ..., 1."""
    values = np.arange(n_pairs + 1) / n_pairs
    best = 0.0
    for mode in range(n_pairs + 1):
        steps = np.diff(np.eye(n_pairs + 1), axis=0)
        steps[:mode] *= -1.0  # no decrease before the mode, no increase after it
        result = linprog(
            -1.0 * (values >= tail - 1e-9),
            A_ub=np.vstack([steps, values]),
            b_ub=np.append(np.zeros(n_pairs), mean),
            A_eq=np.ones((1, n_pairs + 1)),
            b_eq=[1.0],
        )
        if result.success:  # such a mean is possible with that mode
            best = max(best, -result.fun)
    return best


@pytest.mark.parametrize(("n_pairs", "q"), [(6, 20), (10, 5), (25, 20)])
def test_unimodal_bound_is_the_largest_tail(n_pairs, q):
    n_features = 100
    false = FalseSelections(n_features, 2 * n_pairs, unimodal=True)
    plain = FalseSelections(n_features, 2 * n_pairs)
    for number in range(n_pairs + 2, 2 * n_pairs + 1, max(1, n_pairs // 5)):
        threshold = number / (2 * n_pairs)
        bound = float(false.bound(threshold, q))
        largest = n_features * largest_tail((q / n_features) ** 2, n_pairs, 2 * threshold - 1)
        assert bound == pytest.approx(largest)
        worst = q**2 / ((2 * threshold - 1) * n_features)
        assert bound <= plain.bound(threshold, q) == pytest.approx(worst)


def test_the_bound_falls_back_where_its_conditions_do_not_hold():
    plain, unimodal = FalseSelections(100, 100), FalseSelections(100, 100, True)
    assert unimodal.bound(0.75, 50) < plain.bound(0.75, 50)
    assert unimodal.bound(0.75, 60) == plain.bound(0.75, 60)  # theta > 1 / sqrt 3
    assert unimodal.bound(0.51, 40) == plain.bound(0.51, 40)


@pytest.mark.parametrize("unimodal", [False, True])
def test_two_of_three_give_the_third(unimodal):
    false = FalseSelections(1000, 100, unimodal)
    for threshold, max_false in [(0.6, 1.0), (0.75, 1.0), (0.9, 0.2)]:
        most = false.most_selected(threshold, max_false)
        assert false.bound(threshold, most) <= max_false < false.bound(threshold, most + 1)
        assert false.least_threshold(max_false, most) <= threshold
    assert FalseSelections(1000, 100).most_selected(0.9, 1.0) == int(np.sqrt(0.8 * 1000))
    assert false.least_threshold(0.01, 40) is None
    assert [false.round_up(value) for value in (0.57, 0.58, 0.581, 1.0)] == [0.57, 0.58, 0.59, 1.0]


def test_what_is_given_holds():
    wide, y = make_regression(60, 200, n_informative=4, noise=10.0, random_state=0)
    make = partial(HadamardStabilitySelection, alphas=30, n_resamples=10, random_state=0)
    both = make(threshold=0.8, max_false=2.0).fit(wide, y)
    assert both.threshold_ == 0.8
    assert both.n_selected_ <= np.sqrt(0.6 * 2.0 * 200)
    assert both.max_false_ == pytest.approx(both.n_selected_**2 / (0.6 * 200))
    assert 1.0 < both.max_false_ <= 2.0
    by_number = make(max_false=1.0, n_selected=10).fit(wide, y)
    assert by_number.n_selected_ <= 10
    assert by_number.max_false_ <= 1.0
    one_less = by_number.threshold_ - 0.1
    assert by_number.n_selected_**2 / ((2.0 * one_less - 1.0) * 200) > 1.0
    usual = make().fit(wide, y)
    assert usual.threshold_ == 0.8  # 0.75, but a multiple of a tenth
    assert usual.max_false_ <= 1.0
    assert_array_equal(usual.scores_, make(threshold=0.75, max_false=1.0).fit(wide, y).scores_)
    alone = make(n_selected=200).fit(wide, y)
    assert len(alone.alphas_) == 30
    assert alone.max_false_ == pytest.approx(alone.n_selected_**2 / (0.6 * 200))
    smaller = make(n_selected=10, assumption="unimodal").fit(wide, y)
    assert_array_equal(smaller.scores_, make(n_selected=10).fit(wide, y).scores_)
    assert smaller.max_false_ < 0.7 * make(n_selected=10).fit(wide, y).max_false_


def test_false_selections_are_no_more_than_the_bound():
    """Ten of 200 features matter; of the others no more are selected in the mean."""
    false, true, bounds = [], [], []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        data = generator.standard_normal((120, 200))
        y = data[:, :10].sum(axis=1) + 2.0 * generator.standard_normal(120)
        selector = HadamardStabilitySelection(
            n_resamples=20, max_false=2.0, threshold=0.6, random_state=seed
        ).fit(data, y)
        false.append(selector.get_support()[10:].sum())
        true.append(selector.get_support()[:10].sum())
        bounds.append(selector.max_false_)
    error = np.std(false, ddof=1) / np.sqrt(len(false))
    assert np.mean(false) <= np.mean(bounds) + 2.0 * error
    assert np.mean(bounds) > 1.0
    assert np.mean(true) > 2.0


def test_features_that_are_no_choice_do_not_count():
    data = np.column_stack([np.ones(N), X])
    penalty_weights = np.ones(P + 1)
    penalty_weights[[4, 5]] = 0.0, np.inf
    estimator = HadamardLasso(penalty_weights=penalty_weights)
    selector = HadamardStabilitySelection(estimator, n_selected=6, **PAIRS).fit(data, Y)
    assert (selector.selection_probabilities_[4] == 1.0).all()
    assert not selector.scores_[[0, 5]].any()
    assert selector.max_false_ == pytest.approx(selector.n_selected_**2 / (0.5 * (P - 2)), rel=0.4)
    assert selector.threshold_ == pytest.approx(5 / 6)
    expected = selector.n_selected_**2 / ((2 * 5 / 6 - 1) * (P - 2))
    assert selector.max_false_ == pytest.approx(expected)
    coarse = HadamardStabilitySelection(estimator, alphas=[1e-6], n_selected=6, **PAIRS)
    assert_array_equal(coarse.fit(data, Y).get_support(indices=True), [4])
    assert coarse.n_selected_ == 0.0


# Conventions.


def expected_to_fail(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "halves of repeated rows are others",
        "check_sample_weight_equivalence_on_sparse_data": "halves of repeated rows are others",
    }


@parametrize_with_checks(
    [
        HadamardStabilitySelection(alphas=5, n_selected=3, **SMALL),
        HadamardStabilitySelection(
            HadamardLogisticRegression(), Cs=3, eps=0.1, n_selected=3, **SMALL
        ),
    ],
    expected_failed_checks=expected_to_fail,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_threads_make_no_difference_and_seeds_do():
    one, two = (HadamardStabilitySelection(n_jobs=jobs, **PAIRS).fit(X, Y) for jobs in (1, 2))
    assert_array_equal(one.selection_probabilities_, two.selection_probabilities_)
    other = clone(one).set_params(random_state=1).fit(X, Y)
    length = min(len(one.alphas_), len(other.alphas_))
    one, other = (each.selection_probabilities_[:, :length] for each in (one, other))
    assert (one != other).any()


def test_names_pickles_and_pipelines():
    pd = pytest.importorskip("pandas")
    data, y = make_regression(90, 20, n_informative=2, noise=5.0, random_state=0)
    table = pd.DataFrame(data, columns=[f"gene {number}" for number in range(20)])
    selector = HadamardStabilitySelection(alphas=20, **PAIRS).set_output(transform="pandas")
    selector.fit(table, y)
    names = list(selector.get_feature_names_out())
    assert len(names) == 2
    assert names == list(table.columns[selector.get_support()])
    again = pickle.loads(pickle.dumps(selector))
    pd.testing.assert_frame_equal(again.transform(table), table[names])
    model = make_pipeline(clone(selector), LinearRegression())
    assert model.fit(table, y).score(table, y) > 0.4
    assert cross_val_score(model, table, y, cv=3).shape == (3,)
    search = GridSearchCV(
        model, {"hadamardstabilityselection__estimator": [HadamardLasso(), HadamardElasticNet()]}
    )
    assert search.fit(table, y).best_score_ > 0.0


def test_sample_weight_is_routed():
    selector = HadamardStabilitySelection(max_false=2.0, **PAIRS)
    right = clone(selector).fit(X, Y, sample_weight=WEIGHTS)
    assert (right.scores_ != clone(selector).fit(X, Y).scores_).any()
    with config_context(enable_metadata_routing=True):
        routed = clone(selector).set_fit_request(sample_weight=True)
        last = LinearRegression().set_fit_request(sample_weight=False)
        model = make_pipeline(routed, last).fit(X, Y, sample_weight=WEIGHTS)
    assert_array_equal(model[0].scores_, right.scores_)


def test_other_penalties_after_another_estimator():
    selector = HadamardStabilitySelection(**PAIRS).fit(X, Y)
    assert not hasattr(selector, "Cs_")
    selector.set_params(estimator=HadamardLogisticRegression()).fit(X, Y > 0)
    assert not hasattr(selector, "alphas_")
    assert selector.selection_probabilities_.shape == (P, len(selector.Cs_))
    given = clone(selector).set_params(Cs=[1.0, 0.1]).fit(X, Y > 0)
    assert given.Cs_[0] == 0.1


def test_one_warning_for_all_that_did_not_converge():
    estimator = HadamardLasso(max_iter=1, solver="alternating", tol=1e-10)
    selector = HadamardStabilitySelection(estimator, alphas=[0.2, 0.1], n_selected=P, **PAIRS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        selector.fit(X, Y)
    assert [each.category for each in caught] == [ConvergenceWarning]
    assert "12 fit(s)" in str(caught[0].message)


def test_a_line_for_each_resample(capsys):
    HadamardStabilitySelection(verbose=1, **PAIRS).fit(X, Y)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("resample 0: ")


class Witness:
    """A callback that counts the tasks that end, by name."""

    def __init__(self):
        self.ended = Counter()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended[context.task_name] += 1


def test_callbacks_hear_of_resamples_and_penalties():
    pytest.importorskip("sklearn.callback", reason="from scikit-learn 1.9 on")
    selector, witness = HadamardStabilitySelection(alphas=5, n_selected=P, **PAIRS), Witness()
    selector.set_callbacks(witness).fit(X, Y)
    assert witness.ended == {"fit": 1, "resample": 6, "penalty": 30}


def test_a_refused_fit_leaves_the_selector_as_it_was():
    selector = HadamardStabilitySelection(**PAIRS).fit(X, Y)
    with pytest.raises(ValueError, match="may select none"):
        selector.set_params(max_false=1e-3).fit(X[:, :4], Y)
    assert selector.n_features_in_ == P
    assert selector.get_support().size == P


BAD = {
    "estimator=LinearRegression": ({"estimator": LinearRegression()}, "single penalty"),
    "estimator=HadamardLassoCV": ({"estimator": HadamardLassoCV()}, "single penalty"),
    "class": ({"estimator": HadamardLasso}, "single penalty"),
    "ridge": ({"estimator": HadamardElasticNet(l1_ratio=0.0)}, "l1_ratio of the estimator"),
    "parameter of the estimator": ({"estimator": HadamardLasso(tol=-1.0)}, "'tol' parameter"),
    "Cs": ({"Cs": 5}, "Cs must be None for HadamardLasso: write alphas"),
    "alphas": (
        {"estimator": HadamardLogisticRegression(), "alphas": 5},
        "alphas must be None for HadamardLogisticRegression: write Cs",
    ),
    "alpha=0": ({"alphas": [0.0, 1.0]}, r"alphas\[0\] == 0"),
    "odd": ({"n_resamples": 5}, "n_resamples must be even for pairs. Got 5"),
    "threshold": ({"threshold": 0.5}, r"'threshold' .* range \(0.5, 1.0\] or None"),
    "three": ({"threshold": 0.6, "max_false": 1.0, "n_selected": 3}, "No more than two"),
    "bootstrap": ({"resampling": "bootstrap", "max_false": 1.0}, "max_false must be None"),
    "unimodal": ({"resampling": "half", "assumption": "unimodal"}, "needs resampling='pairs'"),
    "too strict": ({"max_false": 0.01}, "a resample may select none of 30 feature"),
    "no threshold": ({"max_false": 0.1, "n_selected": 10}, "No threshold gives max_false=0.1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters(case):
    parameters, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        HadamardStabilitySelection(**parameters).fit(X, Y)


def test_bad_data():
    with pytest.raises(ValueError, match="takes one target"):
        HadamardStabilitySelection().fit(X, np.column_stack([Y, Y]))
    with pytest.raises(ValueError, match="There is no feature to choose: all are constant"):
        HadamardStabilitySelection().fit(np.ones((N, P)), Y)
    classes = np.array(["a", "b"] * 30 + ["c"])
    selector = HadamardStabilitySelection(HadamardLogisticRegression(), **PAIRS)
    with pytest.raises(ValueError, match="Class 'c' has 1: merge"):
        selector.fit(X, classes)
    with pytest.raises(ValueError, match="Class 'c' has 1: merge"):  # the first of two
        selector.fit(X, np.array(["a", "b"] * 29 + ["d", "a", "c"]))
    selector.set_params(resampling="bootstrap", Cs=3).fit(X, classes)
    assert np.isnan(selector.max_false_)
