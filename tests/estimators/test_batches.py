"""Data in blocks: what is fitted is what is fitted in memory, and no more is read than is said."""

import re
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, PredefinedSplit

from hplasso import (
    Batches,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardGammaRegressor,
    HadamardGroupLasso,
    HadamardGroupLogisticRegression,
    HadamardGroupPoissonRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardMultiTaskLasso,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    HadamardRelaxed,
    HadamardRelaxedCV,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
    enet_path,
    glm_path,
    lasso_path,
    logistic_path,
)
from hplasso._design.row_folds import Hashed
from hplasso._design.source import Block
from hplasso._estimators import streamed_data


class Counted:
    """A factory of blocks that counts the rows that were read."""

    def __init__(self, *arrays, cuts=(0, 400, 400, 401, 1300, 2000)):
        self.arrays, self.cuts, self.rows = arrays, cuts, 0

    def __call__(self):
        for start, stop in zip(self.cuts, self.cuts[1:], strict=False):
            self.rows += stop - start
            yield tuple(array[start:stop] for array in self.arrays)


def problem(n=2_000, p=12, n_targets=None, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) * np.logspace(-2, 2, p) + np.linspace(0, 50, p)
    coefficients = np.zeros((p, n_targets or 1))
    coefficients[::3] = rng.standard_normal((len(range(0, p, 3)), n_targets or 1))
    y = (X / np.logspace(-2, 2, p)) @ coefficients + rng.standard_normal((n, n_targets or 1))
    weights = rng.random(n) * (rng.random(n) < 0.9)
    return X.astype(dtype), (y if n_targets else y[:, 0]), weights


def assert_same(one, other, names, rtol=1e-10):
    for name in names:
        got, expected = (
            values.toarray() if sparse.issparse(values) else values
            for values in (getattr(one, name), getattr(other, name))
        )
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale, err_msg=name)


@pytest.fixture(autouse=True)
def passes(monkeypatch):
    """A sample of so few rows that curved losses take several passes."""
    monkeypatch.setattr(streamed_data, "SAMPLE", 1000 * 12)


FITTED = ("coef_", "intercept_")
MODELS = [
    HadamardLasso(0.05),
    HadamardLasso(0.05, positive=True),
    HadamardLasso(0.05, fit_intercept=False),
    HadamardLasso(0.05, solver="alternating"),
    HadamardLasso(0.05, penalty_weights=[0.0, np.inf, *[1.0] * 10]),
    HadamardElasticNet(0.1, l1_ratio=0.3),
    HadamardElasticNet(0.1, l1_ratio=0.0),
    HadamardLassoIC("ebic"),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_one_pass_and_the_model_of_the_laptop(model):
    X, y, weights = problem()
    tight = sklearn.clone(model).set_params(tol=1e-9 if "alternating" in repr(model) else 1e-12)
    inside = sklearn.clone(tight).fit(X, y, weights)
    counted = Counted(X, y, weights)
    blocks = sklearn.clone(tight).fit(Batches(counted))
    assert counted.rows == len(X)
    assert blocks.n_passes_ == 1
    assert_same(blocks, inside, FITTED, 1e-4 if "alternating" in repr(model) else 1e-10)
    np.testing.assert_array_equal(blocks.coef_ != 0.0, inside.coef_ != 0.0)
    assert not hasattr(inside, "n_passes_")
    assert not hasattr(blocks.fit(X, y), "n_passes_")


def counts(X, seed=3):
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.random.default_rng(seed).poisson(np.exp(0.3 * centred[:, :4].sum(axis=1)))


def labels(X, n_classes, seed=3):
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    noise = np.random.default_rng(seed).gumbel(size=(len(X), n_classes))
    names = np.array(["ant", "bee", "cat", "dog"])[:n_classes]
    return names[(centred[:, :n_classes] + noise).argmax(axis=1)]


CURVED = [
    (HadamardLogisticRegression(C=0.01), lambda X: labels(X, 2)),
    (HadamardLogisticRegression(C=0.01, fit_intercept=False), lambda X: labels(X, 2)),
    (HadamardLogisticRegression(C=0.1, class_weight="balanced"), lambda X: labels(X, 2)),
    (HadamardLogisticRegression(C=0.1, class_weight={"ant": 2.0}), lambda X: labels(X, 3)),
    (HadamardLogisticRegression(C=0.1, l1_ratio=0.3), lambda X: labels(X, 4)),
    (HadamardLogisticRegression(C=0.01, penalty_weights=[0.0, np.inf, *[1.0] * 10]), "two"),
    (HadamardPoissonRegressor(alpha=0.05), counts),
    (HadamardPoissonRegressor(alpha=0.05, positive=True), counts),
    (HadamardGammaRegressor(alpha=0.05), lambda X: counts(X) + 0.5),
    (HadamardTweedieRegressor(alpha=0.05, power=1.5), counts),
]


@pytest.mark.parametrize("case", range(len(CURVED)))
def test_curved_losses(case, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 400 * 12)  # a sample of 400 rows
    model, target = CURVED[case]
    X, _, weights = problem(4_000)
    y = labels(X, 2) if target == "two" else target(X)
    for tol, most in ((1e-4, 8), (1e-12, 11)):
        inside = sklearn.clone(model).set_params(tol=tol).fit(X, y, weights)
        counted = Counted(X, y, weights, cuts=(0, 900, 900, 901, 4_000))
        blocks = sklearn.clone(model).set_params(tol=tol).fit(Batches(counted))
        assert blocks.n_passes_ == counted.rows / len(X) <= most
        scale = np.abs(inside.coef_).max()
        assert np.abs(blocks.coef_ - inside.coef_).max() < (0.1 if tol > 1e-6 else 1e-8) * scale
        assert np.min(blocks.n_iter_) >= 1
    np.testing.assert_array_equal(blocks.coef_ != 0.0, inside.coef_ != 0.0)
    assert_same(blocks, inside, FITTED, 1e-8)
    if hasattr(model, "C"):
        assert list(blocks.classes_) == list(inside.classes_)


@pytest.mark.parametrize("n_classes", [2, 3, 0])
def test_curved_paths_in_few_passes(n_classes, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 1000 * 12)
    X, _, weights = problem(4_000)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = labels(X, n_classes) if n_classes else counts(X)
    path = logistic_path if n_classes else glm_path
    inside = path(
        X, y, sample_weight=weights, tol=1e-9, **({"early_stop": False} if n_classes else {})
    )
    counted = Counted(X, y, weights, cuts=(0, 2_000, 4_000))
    found = path(Batches(counted), tol=1e-6)
    assert counted.rows <= 11 * len(X)
    np.testing.assert_allclose(found[0], inside[0], rtol=1e-10)
    for got, expected in zip(found[1:3], inside[1:3], strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-2 * np.abs(expected).max())


@pytest.mark.parametrize("case", range(len(CURVED)))
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_few_rows_are_read_once(case, container, monkeypatch):
    """Curved losses, too: the sample is all of the data."""
    monkeypatch.setattr(streamed_data, "SAMPLE", 2_000 * 12)
    model, target = CURVED[case]
    X, _, weights = problem()
    y = labels(X, 2) if target == "two" else target(X)
    inside = sklearn.clone(model).set_params(tol=1e-12).fit(X, y, weights)
    counted = Counted(container(X), y, weights)
    blocks = sklearn.clone(inside).fit(Batches(counted))
    assert blocks.n_passes_ == 1
    assert counted.rows == len(X)
    np.testing.assert_array_equal(blocks.coef_ != 0.0, inside.coef_ != 0.0)
    assert_same(blocks, inside, FITTED, 1e-8)


@pytest.mark.parametrize("n_classes", [2, 3, 0])
def test_paths_of_few_rows_are_read_once_and_go_on_to_the_end(n_classes, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 2_000 * 12)
    X, _, weights = problem()
    X = X.astype(np.float32)
    y = labels(X, n_classes) if n_classes else counts(X)
    path, options = (logistic_path, {"early_stop": False}) if n_classes else (glm_path, {})
    inside = path(X.astype(float), y, sample_weight=weights, tol=1e-11, **options)
    counted = Counted(X, y, weights)
    found = path(Batches(counted), tol=1e-11)
    assert counted.rows == len(X)
    for got, expected in zip(found[:3], inside[:3], strict=True):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_curved_losses_of_sparse_blocks_and_a_sample_that_lacks_a_class(monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 12)  # a single row
    X, _, weights = problem(3_000)
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0.0
    X, y = sparse.csr_matrix(X), labels(X, 3)
    model = HadamardLogisticRegression(C=0.1, tol=1e-12)
    inside = sklearn.clone(model).fit(X, y, weights)
    blocks = sklearn.clone(model).fit(Batches(Counted(X, y, weights, cuts=(0, 1_000, 3_000))))
    assert_same(blocks, inside, FITTED, 1e-8)


def test_curved_losses_say_what_they_do_not_take():
    X, y, _ = problem()
    with pytest.raises(ValueError, match="the loss has to be convex"):
        HadamardTweedieRegressor(power=3.0).fit(Batches([(X, np.abs(y) + 1.0)]))
    with pytest.raises(ValueError, match="out of the valid range of the loss 'HalfPoissonLoss'"):
        HadamardPoissonRegressor().fit(Batches([(X, y - y.mean())]))
    with pytest.raises(ValueError, match="the mean of y has to be positive"):
        HadamardPoissonRegressor().fit(Batches([(X, 0.0 * y)]))
    with pytest.raises(ValueError, match=r"only one class: .*1"):
        HadamardLogisticRegression().fit(Batches([(X, np.ones(len(X), dtype=int))]))
    halves = np.repeat([0, 1], len(X) // 2)
    with pytest.raises(ValueError, match=r"every class needs weight. Class .*1.* has none"):
        HadamardLogisticRegression().fit(Batches([(X, halves, 1.0 - halves)]))


class Changing:
    """A source whose second pass differs."""

    def __init__(self, X, y, change):
        self.X, self.y, self.change, self.passes = X.copy(), y, change, 0

    def __call__(self):
        self.passes += 1
        if self.passes == 2:
            self.X = self.change(self.X)
        yield self.X, self.y[: len(self.X)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[:-1], "pass 2 read 1999 rows in place of 2000"),
        (lambda X: np.where(X[5, 3] == X, np.nextafter(X[5, 3], 9e9), X), "other numbers"),
        (lambda X: np.where(X[5, 3] == X, np.nan, X), "other numbers"),
    ],
)
def test_data_that_change_between_passes_are_noticed(change, message):
    X, _, _ = problem()
    model = HadamardPoissonRegressor(alpha=0.05).fit(X, counts(X))
    before = vars(model).copy()
    with pytest.raises(RuntimeError, match=f"The data changed between passes: .*{message}"):
        model.fit(Batches(Changing(X, counts(X), change)))
    assert vars(model) == before


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("moved", [{"y"}, {"X"}, {"X", "y"}])
def test_rows_that_move_between_passes_are_noticed(moved, text):
    X, _, _ = problem()
    y, passes = labels(X, 3), []
    y = np.array(["a", "ab", "ba"])[np.unique(y, return_inverse=True)[1]] if text else y

    def blocks():
        passes.append(1)
        parts = {"X": X, "y": y}
        if len(passes) == 2:
            parts |= {name: parts[name][::-1] for name in moved}
        for rows in (slice(900), slice(900, None)):
            yield parts["X"][rows], parts["y"][rows]

    with pytest.raises(RuntimeError, match="pass 2 read other numbers"):
        HadamardLogisticRegression(C=0.1).fit(Batches(blocks))


def test_rows_may_come_in_other_blocks():
    X, _, _ = problem()
    y, passes = counts(X), []

    def blocks():
        passes.append(1)
        for start in range(0, len(X), 300 * len(passes)):
            rows = slice(start, start + 300 * len(passes))
            yield sparse.csr_array(X[rows]), y[rows]

    model = HadamardPoissonRegressor(alpha=0.05, tol=1e-10).fit(Batches(blocks))
    np.testing.assert_allclose(
        model.coef_, HadamardPoissonRegressor(alpha=0.05, tol=1e-10).fit(X, y).coef_
    )


def test_blocks_of_float32_and_float64_together_are_float64():
    X, y, _ = problem()
    parts = [(X[:900].astype(np.float32), y[:900]), (X[900:], y[900:])]
    whole = np.vstack([parts[0][0].astype(np.float64), X[900:]]), y
    expected = HadamardLasso(0.05, tol=1e-12).fit(*whole).coef_
    for blocks in (parts, parts[::-1]):
        coef = HadamardLasso(0.05, tol=1e-12).fit(Batches(blocks)).coef_
        assert coef.dtype == np.float64
        np.testing.assert_allclose(coef, expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [HadamardLasso, HadamardLogisticRegression])
def test_scores_are_those_in_memory(kind):
    X, y, weights = problem()
    y = y if kind is HadamardLasso else labels(X, 3)
    model = kind().fit(X, y)
    for arrays in ((X, y), (X, y, weights)):
        assert model.score(Batches(Counted(*arrays))) == pytest.approx(model.score(*arrays))


def test_several_targets():
    X, y, _ = problem(n_targets=3)
    inside = HadamardLasso(0.05, tol=1e-12).fit(X, y)
    blocks = HadamardLasso(0.05, tol=1e-12).fit(Batches(Counted(X, y)))
    assert_same(blocks, inside, FITTED)
    with pytest.raises(ValueError, match=r"HadamardLassoCV takes one target"):
        HadamardLassoCV().fit(Batches(Counted(X, y)))


COLUMN = [
    HadamardLasso(0.05),
    HadamardMultiTaskLasso(0.05),
    HadamardGroupLasso(0.05, groups=np.arange(12) // 2),
]


@pytest.mark.parametrize("model", COLUMN, ids=repr)
def test_one_target_in_a_column(model):
    """The shapes are those of a fit in memory."""
    X, y, weights = problem()
    inside = sklearn.clone(model).fit(X, y[:, None], weights)
    blocks = sklearn.clone(model).fit(Batches(Counted(X, y[:, None], weights)))
    for name in ("coef_", "intercept_", "mu_", "nu_"):
        assert np.shape(getattr(blocks, name)) == np.shape(getattr(inside, name)), name
    assert_same(blocks, inside, FITTED, 1e-3)
    assert blocks.predict(X).shape == inside.predict(X).shape
    shapes = [[np.shape(each) for each in lasso_path(X, y[:, None], alphas=4)]]
    shapes += [[np.shape(each) for each in lasso_path(Batches([(X, y[:, None])]), alphas=4)]]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("path", [lasso_path, enet_path])
def test_paths(path):
    X, y, weights = problem()
    settings = {"fit_intercept": True, "return_intercept": True, "tol": 1e-12}
    inside = path(X, y, sample_weight=weights, **settings)
    counted = Counted(X, y, weights)
    blocks = path(Batches(counted), **settings)
    for got, expected in zip([*blocks[:2], blocks[3]], [*inside[:2], inside[3]], strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * scale)
    assert counted.rows == len(X)


@pytest.mark.parametrize("kind", [HadamardLassoCV, HadamardElasticNetCV])
def test_cross_validation_of_hashed_folds(kind):
    X, y, weights = problem()
    settings = {"tol": 1e-12, "alphas": 30, "rule": "1se"}
    counted = Counted(X, y, weights)
    blocks = kind(cv=4, **settings).fit(Batches(counted))
    assert counted.rows == len(X)
    assert blocks.n_passes_ == 1
    inside = kind(cv=folds_of(counted, 4, X, y, weights), **settings).fit(X, y, weights)
    names = ("alpha_", "alphas_", "mse_path_", "mse_se_", "coef_path_", "intercept_path_")
    assert_same(blocks, inside, (*FITTED, *names))
    assert blocks.at(blocks.alpha_min_).intercept_ == pytest.approx(
        inside.at(inside.alpha_min_).intercept_, rel=1e-10
    )


def test_sparse_blocks_float32_and_names():
    X, y, weights = problem()
    X[np.random.default_rng(1).random(X.shape) < 0.7] = 0.0
    model = HadamardLasso(0.05, tol=1e-12)
    inside = sklearn.clone(model).fit(sparse.csr_matrix(X), y, weights)
    blocks = sklearn.clone(model).fit(Batches(Counted(sparse.csr_matrix(X), y, weights)))
    assert_same(blocks, inside, FITTED)

    single = HadamardLasso(0.05).fit(Batches(Counted(X.astype(np.float32), y)))
    expected = HadamardLasso(0.05).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, expected.coef_, rtol=1e-5)

    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    named = sklearn.clone(model).set_params(penalty_weights={"x0": 0.0, "x3": np.inf})
    inside = sklearn.clone(named).fit(frame, y)
    blocks = sklearn.clone(named).fit(Batches(Counted(frame, y)))
    assert list(blocks.feature_names_in_) == list(frame.columns)
    assert_same(blocks, inside, FITTED)
    renamed = Batches([(frame, y), (frame.rename(columns={"x0": "z"}), y)])
    with pytest.raises(ValueError, match="names of the columns of block 1"):
        HadamardLasso().fit(renamed)


def test_columns_far_from_zero_keep_their_digits():
    rng = np.random.default_rng(5)
    X, noise = rng.integers(-1000, 1000, (2_000, 3)) / 8.0, rng.standard_normal(2_000)
    y = X[:, 0] - X[:, 1] + noise
    near = HadamardLasso(0.05, tol=1e-12).fit(X, y)
    far = HadamardLasso(0.05, tol=1e-12).fit(Batches(Counted(X + 2.0**40, y)))  # exact in binary
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-9)


@pytest.mark.parametrize(
    ("blocks", "error", "message"),
    [
        ([], ValueError, "Batches gave no blocks."),
        ([np.ones((3, 2))], TypeError, "Block 0 must be a tuple (X, y) or (X, y, sample_weight)."),
        ([(np.ones((3, 2)), np.ones(2))], ValueError, "y of block 0 has 2 rows, and X has 3."),
        (
            [(np.ones((3, 2)), np.ones(3)), (np.ones((3, 4)), np.ones(3))],
            ValueError,
            "X of block 1 has 4 features, but 2 are expected.",
        ),
        (
            [(np.ones((3, 2)), np.ones(3), -np.ones(3))],
            ValueError,
            "Negative values in sample_weight of block 0: -1.0 is not allowed.",
        ),
        (
            [(np.ones((3, 2)), np.ones(3), np.ones(2))],
            ValueError,
            "sample_weight of block 0 has shape (2,), expected (3,).",
        ),
        ([(np.ones((3, 2)), ["a"] * 3)], ValueError, "y of block 0 cannot be taken as numbers"),
        (
            [(np.ones((1, 2)), np.ones(1)), (np.ones((1, 2)), [np.nan])],
            ValueError,
            "y of block 1 contains NaN or infinity.",
        ),
        (
            [(np.ones((3, 2)), np.ones(3)), (np.full((3, 2), np.nan), np.ones(3))],
            ValueError,
            "In block 1: Input X contains NaN.",
        ),
        (
            [(np.ones((3, 2)), np.ones(3), np.zeros(3))],
            ValueError,
            "There are no samples, or none of them has a positive weight.",
        ),
        (
            [(np.ones((3, 2)), np.ones(3)), (np.ones((3, 2)), np.ones((3, 2)))],
            ValueError,
            "y has 1 columns in one block and 2 in another.",
        ),
    ],
)
def test_bad_blocks_are_named_and_nothing_is_lost(blocks, error, message):
    X, y, _ = problem()
    model = HadamardLasso().fit(X, y)
    before = vars(model).copy()
    with pytest.raises(error, match=re.escape(message)):
        model.fit(Batches(blocks))
    assert vars(model) == before


def test_bad_arguments():
    X, y, _ = problem()
    with pytest.raises(TypeError, match="can be read only once"):
        Batches(iter([(X, y)]))
    with pytest.raises(TypeError, match="factory must be a callable"):
        Batches(3)
    batches = Batches([(X, y)])
    with pytest.raises(ValueError, match="y must be None where X is Batches"):
        HadamardLasso().fit(batches, y)
    with pytest.raises(ValueError, match="sample_weight must be None where X is Batches"):
        lasso_path(batches, sample_weight=y)
    with pytest.raises(ValueError, match="precompute must be a bool or 'auto'"):
        HadamardLasso(precompute=np.eye(12)).fit(batches)
    with pytest.raises(ValueError, match=r"cv must be a number of folds or KFold\(shuffle=False\)"):
        HadamardLassoCV(cv=KFold(3, shuffle=True)).fit(batches)
    with pytest.raises(ValueError, match="needs the number of rows"):
        HadamardLassoCV(cv=KFold(3)).fit(batches)
    with pytest.raises(ValueError, match=r"'cv' parameter of HadamardLassoCV .* Got 1 instead"):
        HadamardLassoCV(cv=1).fit(batches)
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        HadamardLasso().fit(X)
    with pytest.raises((TypeError, ValueError)):
        HadamardStabilitySelection().fit(batches, y)


def test_a_budget_of_memory():
    X, y = np.ones((3, 400)), np.ones(3)
    with (
        sklearn.config_context(working_memory=3),
        pytest.raises(ValueError, match=r"400 features .* take 3.7 MiB; working_memory allows 3"),
    ):
        HadamardLasso().fit(Batches([(X, y)]))


@pytest.mark.parametrize(("n_folds", "needed"), [(1, "14.7"), (3, "58.9")])
def test_a_budget_of_memory_for_hessians(n_folds, needed):
    """Twelve of 401 x 401 numbers for all rows, and for each fold."""
    blocks = Batches(lambda: [(np.ones((6, 400)), np.arange(6.0))])
    model = HadamardPoissonRegressor() if n_folds == 1 else HadamardPoissonRegressorCV(cv=n_folds)
    words = rf"400 features .* take {needed} MiB.*; working_memory allows 3"
    with sklearn.config_context(working_memory=3), pytest.raises(ValueError, match=words):
        model.fit(blocks)


def test_elsewhere_is_not_pulled_in():
    class Device:
        def __dlpack_device__(self):
            return 2, 0

    class Lazy:
        def collect(self):
            raise AssertionError

    X, y, _ = problem()
    for model in (HadamardLasso(), HadamardStabilitySelection()):
        with pytest.raises(TypeError, match="X is on a device"):
            model.fit(Device(), y)
        with pytest.raises(TypeError, match="y is lazy"):
            model.fit(X, Lazy())


def test_a_gap_that_is_not_reached_is_said():
    X, y, _ = problem()
    model = HadamardLasso(1e-3, solver="alternating", max_iter=2, tol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning, match="max_iter was reached"):
            model.fit(Batches(Counted(X, y)))


def folds_of(counted, n_folds, *arrays):
    """The hashed folds of all rows."""
    folds = np.empty(len(arrays[0]), dtype=int)
    for number, (start, stop) in enumerate(pairwise(counted.cuts)):
        rows = slice(start, stop)
        folds[rows] = Hashed(n_folds)(Block(number, None, *(a[rows] for a in arrays), None))
    return PredefinedSplit(folds)


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_cross_validated_classes(n_classes, scoring, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 800 * 12)
    X, _, weights = problem(4_000)
    y = labels(X, n_classes)
    counted = Counted(X, y, weights, cuts=(0, 2_500, 4_000))
    settings = {
        "Cs": [0.001, 0.01, 0.1],
        "l1_ratios": (0.5, 1.0),
        "tol": 1e-11,
        "scoring": scoring,
        "class_weight": "balanced",
    }
    blocks = HadamardLogisticRegressionCV(cv=3, **settings).fit(Batches(counted))
    assert blocks.n_passes_ == counted.rows / len(X) <= 14
    inside = HadamardLogisticRegressionCV(cv=folds_of(counted, 3, X, y, weights), **settings)
    inside.fit(X, y, weights)
    names = ("C_", "C_1se_", "l1_ratio_", "scores_se_", "coefs_paths_")
    assert_same(blocks, inside, (*FITTED, *names), 1e-6)
    np.testing.assert_allclose(blocks.scores_, inside.scores_, rtol=1e-7)
    np.testing.assert_allclose(
        blocks.at(0.01).intercept_, inside.at(0.01).intercept_, rtol=1e-6, atol=1e-9
    )
    averaged = HadamardLogisticRegressionCV(cv=3, refit=False, **settings).fit(Batches(counted))
    same = HadamardLogisticRegressionCV(
        cv=folds_of(counted, 3, X, y, weights), refit=False, **settings
    ).fit(X, y, weights)
    assert_same(averaged, same, (*FITTED, "C_", "l1_ratio_"), 1e-6)


def test_cross_validated_counts(monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", 800 * 12)
    X, _, weights = problem(4_000)
    y = counts(X)
    counted = Counted(X, y, weights, cuts=(0, 2_500, 4_000))
    settings = {"alphas": 12, "eps": 0.01, "tol": 1e-11, "rule": "1se"}
    blocks = HadamardPoissonRegressorCV(cv=3, **settings).fit(Batches(counted))
    assert blocks.n_passes_ == counted.rows / len(X) <= 14
    inside = HadamardPoissonRegressorCV(cv=folds_of(counted, 3, X, y, weights), early_stop=False)
    inside.set_params(**settings).fit(X, y, weights)
    names = ("alpha_", "alphas_", "deviance_path_", "deviance_se_", "intercept_path_")
    assert_same(blocks, inside, (*FITTED, *names), 1e-6)


@pytest.mark.parametrize("seed", [4, 13, 25, 37])
def test_correlations_of_features_without_penalty_vanish_to_rounding(seed):
    """A start that is good enough for the gap is not for these: the certificate was worthless."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 6))
    rng.standard_normal(40)
    counts = rng.poisson(np.exp(0.5 * X[:, 0]))
    counted = Counted(X, counts, cuts=(0, 20, 40))
    settings = {"alphas": 3, "penalty_weights": [0, 1, 1, 1, 1, 1]}
    blocks = HadamardPoissonRegressorCV(cv=2, **settings).fit(Batches(counted))
    inside = HadamardPoissonRegressorCV(cv=folds_of(counted, 2, X, counts, np.ones(40)), **settings)
    inside.set_params(early_stop=False).fit(X, counts)
    assert_same(blocks, inside, ("deviance_path_",), 0.02)


def test_cross_validation_says_what_it_does_not_take():
    X, _, _ = problem()
    batches = Batches([(X, labels(X, 2))])
    with pytest.raises(ValueError, match="scoring must be 'neg_log_loss', 'accuracy' or None"):
        HadamardLogisticRegressionCV(scoring="roc_auc").fit(batches)
    rare = np.where(np.arange(len(X)) == 7, "rare", labels(X, 2))
    with pytest.raises(ValueError, match=r"training samples of fold \d: in blocks every class"):
        HadamardLogisticRegressionCV().fit(Batches([(X, rare)]))


@pytest.mark.parametrize(
    "model",
    [
        HadamardGroupLogisticRegression(groups=[0, 0, 1]),
        HadamardGroupPoissonRegressor(groups=[0, 0, 1]),
        HadamardRelaxed(),
        HadamardRelaxedCV(),
        HadamardStabilitySelection(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_takes_no_blocks_says_so(model):
    """In the call that others are fitted to blocks with, in which there is no y."""
    samples = np.zeros((10, 3))
    batches = Batches(lambda: iter([(samples, np.arange(10) % 2)]))
    with pytest.raises(TypeError, match="does not take data in blocks"):
        model.fit(batches)
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        model.fit(samples)
