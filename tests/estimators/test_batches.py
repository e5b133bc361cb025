"""Data in blocks: what is fitted is what is fitted in memory, and no more is read than is said."""

import re
import warnings

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
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardStabilitySelection,
    enet_path,
    lasso_path,
)
from hplasso._design.fold_moments import Hashed
from hplasso._design.source import Block


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


def test_several_targets():
    X, y, _ = problem(n_targets=3)
    inside = HadamardLasso(0.05, tol=1e-12).fit(X, y)
    blocks = HadamardLasso(0.05, tol=1e-12).fit(Batches(Counted(X, y)))
    assert_same(blocks, inside, FITTED)
    with pytest.raises(ValueError, match=r"HadamardLassoCV takes one target"):
        HadamardLassoCV().fit(Batches(Counted(X, y)))


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
    folds = np.empty(len(X), dtype=int)
    for number, (start, stop) in enumerate(zip(counted.cuts, counted.cuts[1:], strict=False)):
        nothing = Block(number, None, None, None, np.ones(0), None)
        folds[start:stop] = Hashed(4)(nothing, stop - start)
    inside = kind(cv=PredefinedSplit(folds), **settings).fit(X, y, weights)
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
        sklearn.config_context(working_memory=4),
        pytest.raises(ValueError, match=r"400 features .* take 5 MiB; working_memory allows 4"),
    ):
        HadamardLasso().fit(Batches([(X, y)]))


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
