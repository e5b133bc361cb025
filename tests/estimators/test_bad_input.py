"""Bad input gets scikit-learn's answer, before any work is done."""

from collections import deque
from typing import get_args

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LassoCV, LogisticRegression

from hplasso import (
    CertificateDisplay,
    CrossValidationDisplay,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardGroupLasso,
    HadamardGroupLogisticRegression,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardMultiTaskLasso,
    HadamardPoissonRegressor,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
    PathSearchCV,
    RegularizationPathDisplay,
    enet_path,
    lasso_path,
    logistic_path,
)
from hplasso._smooth.objective import STEPS
from hplasso._solver.sweeps_and_finish import SOLVERS
from hplasso._validation.choices import Differences, Solver

X, y = load_diabetes(return_X_y=True)
labels = (y > 140.0).astype(int)
ESTIMATORS = [
    HadamardLasso,
    HadamardElasticNet,
    HadamardLassoCV,
    HadamardElasticNetCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
]
PATHS = [lasso_path, enet_path, logistic_path]
WITH_ALPHAS = [
    HadamardLassoCV,
    HadamardElasticNetCV,
    HadamardLassoIC,
    lasso_path,
    enet_path,
]
WITH_CS = [HadamardLogisticRegressionCV, logistic_path]
REGRESSIONS = [HadamardLasso, HadamardElasticNet, *WITH_ALPHAS]


def fit(function, data=X, target=None, **parameters):
    """Fit an estimator of this class with these parameters, or call a path function."""
    if target is None:
        target = labels if "ogistic" in function.__name__ else y
    if function in PATHS:
        return function(data, target, **parameters)
    return function(**parameters).fit(data, target)


def error_of(function, *args, **kwargs):
    """The error of a call."""
    with pytest.raises((TypeError, ValueError)) as caught:
        function(*args, **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("alpha", -1.0, r"a float in the range \[0.0, inf\)"),
        ("alpha", np.nan, r"a float in the range \[0.0, inf\)"),
        ("alpha", 10**400, r"a float in the range \[0.0, inf\)"),
        ("alpha", "1", r"a float in the range \[0.0, inf\)"),
        ("tol", -1e-4, r"a float in the range \[0.0, inf\)"),
        ("max_iter", 0, r"an int in the range \[1, inf\)"),
        ("max_iter", 10.0, r"an int in the range \[1, inf\)"),
        ("fit_intercept", 1, "an instance of 'bool'"),
        ("positive", "yes", "an instance of 'bool'"),
        ("warm_start", None, "an instance of 'bool'"),
        ("copy_X", 0, "an instance of 'bool'"),
        ("solver", "newton", "among {'auto', 'alternating'}"),
        ("selection", "greedy", "among {'cyclic', 'random'}"),
        ("precompute", "yes", "an instance of 'bool'"),
        ("precompute", 3, "an instance of 'bool'"),
        ("random_state", -1, "an int"),
        ("random_state", "seed", "an int"),
        ("penalty_weights", 1.0, "an array-like, a dict or None"),
        ("verbose", -1, "an int"),
    ],
)
def test_parameter(name, value, allowed):
    model = HadamardLasso(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter of HadamardLasso must be.*{allowed}"):
        model.fit(X, y)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]


ENDS = {
    "tol": ([0.0], [-1e-9]),
    "max_iter": ([1], [0, 1.0]),
    "verbose": ([0, False], [-1, 0.5]),
    "random_state": ([0, 2**32 - 1, np.random.RandomState(0)], [-1, 2**32, 0.5]),
    "eps": ([1.0, 0.5], [0.0, 1.001]),
    "alphas": ([1, [0.5]], [0, 1.5]),
    "Cs": ([1, [0.5]], [0, 1.5]),
    "C": ([1e-3, 1], [0.0, -1.0]),
    "l1_ratio": ([1.0, 1, 1e-3], [-0.1, 1.001]),
    "l1_ratios": ([(1.0,), (0.1, 1)], [(-0.1,), (1.001,), (0.5, 2.0)]),
    "cv": ([2], [1, 0]),
    "n_jobs": ([1, None], [1.5, "one"]),
    "noise_variance": ([1e-9, 1], [0.0, -1.0]),
    "ebic_gamma": ([0.0, 1.0], [-0.1, 1.001]),
}
MODELS = [
    HadamardLasso(),
    HadamardElasticNet(),
    HadamardLassoCV(alphas=2, cv=2),
    HadamardElasticNetCV(alphas=2, cv=2),
    HadamardLassoIC(alphas=2),
    HadamardLogisticRegression(),
    HadamardLogisticRegressionCV(Cs=2, cv=2),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model in MODELS for name in ENDS if name in model.get_params()],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_ends_of_ranges(model, name, capsys):
    accepted, refused = ENDS[name]
    data, target = X[:60], y[:60] > 120
    for value in accepted:
        clone(model).set_params(**{name: value}).fit(data, target)
    for value in refused:
        with pytest.raises((ValueError, TypeError), match=name):
            clone(model).set_params(**{name: value}).fit(data, target)
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"penalty_weights": np.ones(9)}, r"penalty_weights must have shape \(10,\).*\(9,\)"),
        ({"penalty_weights": np.r_[-0.1, np.ones(9)]}, "penalty_weights must not be negative"),
        ({"penalty_weights": [np.nan] * 10}, "penalty_weights contains NaN"),
        ({"precompute": np.eye(9)}, r"precompute must have shape \(10, 10\).*\(9, 9\)"),
        ({"precompute": np.eye(10), "fit_intercept": False}, "did not pass validation"),
    ],
)
def test_arrays_among_the_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        HadamardLasso(**parameters).fit(X, y)


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (np.where(X[3, 3] == X, np.nan, X), y, "X contains NaN"),
        (np.where(X[3, 3] == X, np.inf, X), y, "X contains infinity"),
        (sparse.csr_array(np.where(X[3, 3] == X, np.nan, X)), y, "X contains NaN"),
        (X, np.where(y == y[3], np.nan, y), "y contains NaN"),
        (X, None, "y cannot be None|requires y to be passed"),
        (X[:, 0], y, "Expected 2D array, got 1D array"),
        (X[:0], y[:0], "Found array with 0 sample"),
        (X[:, :0], y, "Found array with 0 feature"),
        (X, y[:-1], "inconsistent numbers of samples"),
        (X + 1j, y, "Complex data not supported"),
        (X, y + 1j, "Complex data not supported"),
        (np.full(X.shape, "a", dtype=object), y, "could not convert string"),
        (X, y.astype(str).astype(object) + "a", "could not convert string"),
        (X[:, :, None], y, "Found array with dim 3"),
    ],
)
def test_data(data, target, message):
    with pytest.raises(ValueError, match=message):
        HadamardLasso().fit(data, target)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(442), "Negative values in sample_weight"),
        (np.r_[-0.1, np.ones(441)], "Negative values in sample_weight"),
        (np.zeros(442), "Sample weights must contain at least one non-zero number"),
        (np.ones(441), r"sample_weight.shape == \(441,\), expected \(442,\)!"),
        (np.ones((442, 1)), "Sample weights must be 1D array or scalar"),
        (np.full(442, np.nan), "sample_weight contains NaN"),
    ],
)
def test_sample_weight(weights, message):
    with pytest.raises(ValueError, match=message):
        HadamardLasso().fit(X, y, sample_weight=weights)
    with pytest.raises(ValueError, match=message):
        lasso_path(X, y, sample_weight=weights)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"eps": 0.0}, "'eps' parameter of lasso_path must be"),
        ({"alphas": 0}, "'alphas' parameter of lasso_path must be"),
        ({"coef_init": np.zeros(3)}, r"coef_init must have shape \(10,\)"),
        ({"Xy": np.zeros(3)}, r"Xy must have shape \(10,\)"),
        ({"tol": -1.0}, "'tol' parameter of lasso_path must be"),
        ({"return_n_iter": 1}, "'return_n_iter' parameter of lasso_path must be"),
    ],
)
def test_path_parameter(parameters, message):
    with pytest.raises(ValueError, match=message):
        lasso_path(X, y, **parameters)
    if "alphas" in parameters:
        with pytest.raises(ValueError, match="'Cs' parameter of logistic_path must be"):
            logistic_path(X, y > 140.0, Cs=0)


@pytest.mark.parametrize("scale", [1e155, 1e-150])
def test_squares_that_leave_the_range_of_float64(scale):
    for data, target in ((X * scale, y), (sparse.csr_array(X * scale), y), (X, y * scale)):
        for model in (HadamardLasso(), HadamardLassoCV(), HadamardLassoIC()):
            with pytest.raises(ValueError, match="so that squares can be computed"):
                model.fit(data, target)


@pytest.mark.parametrize("path", [lasso_path, enet_path])
def test_check_input_checks_all_the_same(path):
    broken = np.where(X[3, 3] == X, np.nan, X)
    for fit in (HadamardLasso().fit, HadamardElasticNet().fit, path):
        with pytest.raises(ValueError, match="X contains NaN"):
            fit(broken, y, check_input=False)
        with pytest.raises(ValueError, match=r"'check_input' parameter.*an instance of 'bool'"):
            fit(X, y, check_input=0)
    backwards = X[:, ::-1]
    plain = HadamardLasso(0.1).fit(backwards, y)
    unchecked = HadamardLasso(0.1).fit(backwards, y, check_input=False)
    np.testing.assert_array_equal(unchecked.coef_, plain.coef_)


def test_gram_with_a_wrong_diagonal():
    gram = X.T @ X
    gram[7, 7] = -gram[7, 7]
    with pytest.raises(ValueError, match=r"did not pass validation.*element \(7,7\)"):
        HadamardLasso(precompute=gram, fit_intercept=False).fit(X, y)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_gram_that_is_rounded(unit):
    """To a part of 1e-4, whatever the units of the features."""
    scaled = X * unit
    gram = scaled.T @ scaled
    gram[7, 7] *= 1.0 + 5e-5
    HadamardLasso(0.1 * unit, precompute=gram, fit_intercept=False).fit(scaled, y)
    gram[7, 7] *= 1.0 + 5e-4
    with pytest.raises(ValueError, match=r"did not pass validation.*element \(7,7\)"):
        HadamardLasso(0.1 * unit, precompute=gram, fit_intercept=False).fit(scaled, y)


def test_prediction_needs_a_fit_and_the_same_features():
    with pytest.raises(ValueError, match="not fitted yet"):
        HadamardLasso().predict(X)
    with pytest.raises(ValueError, match="X has 9 features"):
        HadamardLasso().fit(X, y).predict(X[:, :9])


def test_warm_start_from_another_number_of_features():
    model = HadamardLasso(0.1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start=True, coef_ .*shape \(9,\). Got.*\(10,\)"):
        model.fit(X[:, :9], y)


def test_warm_start_from_another_number_of_targets():
    model = HadamardLasso(0.1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start=True, coef_ .*shape \(2, 10\)"):
        model.fit(X, np.column_stack([y, y]))


def test_gram_of_data_that_are_not_centred_is_formed_again():
    shifted = X + 1.0
    model = HadamardLasso(0.1, precompute=shifted.T @ shifted)
    with pytest.warns(UserWarning, match="recomputing Gram matrix"):
        model.fit(shifted, y)
    np.testing.assert_allclose(model.coef_, HadamardLasso(0.1).fit(shifted, y).coef_)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"alphas": np.float64(0.1)}, "'alphas' parameter.*an int"),
        ({"alphas": np.array(3.0)}, "'alphas' parameter.*an int"),
        ({"eps": 2.0}, r"'eps' parameter.*in the range \(0.0, 1.0\]"),
    ],
)
def test_grids(parameters, words):
    with pytest.raises(ValueError, match=words):
        lasso_path(X, y, **parameters)
    with pytest.raises(ValueError, match=words):
        HadamardLassoCV(**parameters).fit(X, y)


@pytest.mark.parametrize("kind", [HadamardLasso, HadamardGroupLasso])
def test_coefficients_beyond_the_range_of_float32(kind):
    with pytest.raises(ValueError, match="out of the range of X's type, float32"):
        kind(1e38).fit(X.astype(np.float32), 1e40 * y)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_nan_gets_the_advice_of_scikit_learn(estimator, form):
    data = X.copy()
    data[7, 3] = np.nan
    expected = str(error_of(Lasso().fit, form(data), y)).replace("Lasso", estimator.__name__)
    assert "imputer" in expected
    error = error_of(fit, estimator, form(data))
    assert str(error) == expected
    assert error.__cause__ is None
    for path in PATHS:
        assert str(error_of(fit, path, form(data))) == "Input X contains NaN."


@pytest.mark.parametrize("function", [*ESTIMATORS, *PATHS])
def test_sizes_that_can_not_be_squared_are_named(function):
    allowed = r"it has to be 0 or in the range \[1e-145, 1e\+145\]"
    for form in (np.asarray, sparse.csr_array, sparse.csc_array):
        data = X.copy()
        data[7, 3] = -3e200
        with pytest.raises(ValueError, match=rf"size of a column of X is 3\.0e\+200; {allowed}"):
            fit(function, form(data))
    if function not in (HadamardLogisticRegression, *WITH_CS):
        with pytest.raises(ValueError, match=rf"size of y is 1\.0e\+200; {allowed}"):
            fit(function, X, np.where(y == y[0], 1e200, y))
        with pytest.raises(ValueError, match=rf"size of y is 1\.5e\+308; {allowed}"):
            fit(function, X, np.full(len(y), 1.5e308))  # whose sum overflows


@pytest.mark.parametrize("power", [80, -80, 120, -120])
def test_sizes_of_which_groups_need_fourth_powers(power):
    allowed = r"range \[3e-73, 3e\+72\], so that fourth powers"
    scale = 10.0**power
    for kind, target in (
        (HadamardGroupLasso, y),
        (HadamardMultiTaskLasso, np.stack([y, -y], axis=1)),
        (HadamardGroupLogisticRegression, labels),
    ):
        with pytest.raises(ValueError, match=f"size of a column of X is .*{allowed}"):
            kind().fit(X * scale, target)
        if target is not labels:
            with pytest.raises(ValueError, match=f"size of y is .*{allowed}"):
                kind().fit(X, target * scale)


@pytest.mark.parametrize("sizes", [(1e69, 1e69), (1e69, 1e-69), (1e-69, 1e69), (1e-69, 1e-69)])
def test_groups_within_that_range(sizes):
    of_X, of_y = sizes
    expected = HadamardGroupLasso(0.1, groups=[0] * 5 + [1] * 5).fit(X, y)
    model = HadamardGroupLasso(0.1 * of_X * of_y, groups=[0] * 5 + [1] * 5).fit(X * of_X, y * of_y)
    np.testing.assert_allclose(model.coef_ * (of_X / of_y), expected.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.dual_gap_ / of_y**2, expected.dual_gap_, rtol=1e-3)


@pytest.mark.parametrize("function", [*REGRESSIONS, HadamardGroupLasso, HadamardPoissonRegressor])
@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_objects_in_y_that_are_not_numbers(function, value):
    objects = y.astype(object)
    objects[7] = value
    what = "infinity" if value == np.inf else "NaN"
    for target in (objects, list(objects)):
        with pytest.raises(ValueError, match=f"Input (y )?contains {what}"):
            fit(function, X, target)


@pytest.mark.parametrize("function", [*WITH_ALPHAS, *WITH_CS])
@pytest.mark.parametrize("kind", [range, deque])
def test_grids_in_any_sequence(function, kind):
    name = "Cs" if function in WITH_CS else "alphas"
    given = range(1, 4) if kind is range else deque([1, 2, 3])
    found, expected = (fit(function, **{name: values}) for values in (given, [1.0, 2.0, 3.0]))
    if function in PATHS:
        np.testing.assert_array_equal(found[1], expected[1])
    else:
        np.testing.assert_array_equal(found.coef_, expected.coef_)


def test_an_offset_is_an_array():
    for offset in (2.0, 1):
        with pytest.raises(ValueError, match=f"offset must be an array-like. Got {offset}"):
            HadamardLasso().fit(X, y, offset=offset)


@pytest.mark.parametrize("function", WITH_ALPHAS)
def test_alphas_that_are_refused_by_scikit_learn(function):
    for alphas in ([0.1, -1], [0.1, -0.5, -1.0], ["a"], [0.1, "b"], [[0.1]], [0.1, None]):
        theirs = error_of(LassoCV(alphas=alphas).fit, X, y)
        for given in (alphas, tuple(alphas)):
            ours = error_of(fit, function, alphas=given)
            assert str(ours) == str(theirs)
            assert isinstance(ours, type(theirs))


@pytest.mark.parametrize("function", [*WITH_ALPHAS, *WITH_CS])
def test_penalties_that_are_refused(function):
    name = "Cs" if function in WITH_CS else "alphas"
    for values, kind, message in (
        ([], ValueError, rf"{name} must hold at least one number\. Got \[\]"),
        (np.empty(0), ValueError, rf"{name} must hold at least one number"),
        ([0.1, -1], ValueError, rf"{name}\[1\] == -1, must be >"),
        ([0.1, np.nan], ValueError, rf"{name}\[1\] == nan, must be finite"),
        ([np.inf], ValueError, rf"{name}\[0\] == inf, must be finite"),
        (["0.1"], TypeError, rf"{name}\[0\] must be an instance of float, not str"),
        (np.array(["a"]), TypeError, rf"{name}\[0\] must be an instance of float, not .*str"),
        ([1.0, [1.0, 2.0]], TypeError, rf"{name}\[1\] must be an instance of float, not list"),
        (np.ones((2, 2)), TypeError, rf"{name}\[0\] must be an instance of float, not .*ndarray"),
        (0, ValueError, rf"'{name}' parameter of .*an int in the range \[1, inf\)"),
        ("auto", ValueError, rf"'{name}' parameter of .*an int in the range \[1, inf\)"),
        (0.5, ValueError, rf"'{name}' parameter of .*an int in the range \[1, inf\)"),
    ):
        with pytest.raises(kind, match=message):
            fit(function, **{name: values})


@pytest.mark.parametrize("function", WITH_CS)
def test_a_C_of_zero(function):
    with pytest.raises(ValueError, match=r"Cs\[1\] == 0, must be > 0"):
        fit(function, Cs=[1, 0])


@pytest.mark.parametrize("function", WITH_ALPHAS)
def test_no_alphas_are_a_hundred(function):
    if function in PATHS:
        assert len(fit(function, alphas=None)[0]) == 100
    else:
        assert len(fit(function, alphas=None).alphas_) == 100


@pytest.mark.parametrize("function", [*ESTIMATORS, *PATHS])
def test_max_iter_is_at_least_one(function):
    for value in (0, -1, 1.0, None):
        words = rf"'max_iter' parameter of {function.__name__} must be an int in the range \[1, inf"
        with pytest.raises(ValueError, match=words):
            fit(function, max_iter=value)


@pytest.mark.parametrize(
    "estimator", [HadamardLassoCV, HadamardElasticNetCV, HadamardLogisticRegressionCV]
)
def test_cv(estimator):
    grid = {"Cs": [1.0]} if estimator in WITH_CS else {"alphas": [1.0]}
    for cv in (0, 1, 2.5, True, "five", [1], [(np.arange(3),)], {"a": "b"}):
        words = f"'cv' parameter of {estimator.__name__} must be an int in the range .*Got "
        with pytest.raises(ValueError, match=words):
            fit(estimator, cv=cv, **grid)
    rows = np.arange(442)
    for wrong in ([442], ["a"], [0.5], np.ones(441, dtype=bool)):
        for split in ((rows, wrong), (wrong, rows)):
            words = "must give indices of samples, from 0 to 441, or masks. For fold 1 it does not"
            with pytest.raises(ValueError, match=words):
                fit(estimator, cv=[(rows, rows), split], **grid)
    with pytest.raises(ValueError, match="cv gave no folds"):
        fit(estimator, cv=[], **grid)
    default = fit(estimator, **grid)
    name = "scores_" if estimator in WITH_CS else "mse_path_"
    np.testing.assert_array_equal(
        getattr(fit(estimator, cv=5, **grid), name), getattr(default, name)
    )
    masks = [(rows % 2 == 0, rows % 2 == 1), (rows % 2 == 1, rows % 2 == 0)]
    indices = [tuple(np.flatnonzero(mask) for mask in pair) for pair in masks]
    found = [getattr(fit(estimator, cv=cv, **grid), name) for cv in (masks, indices, iter(indices))]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("function", [*ESTIMATORS, *PATHS])
def test_sparse_y(function):
    column = sparse.csr_array(labels[:, None])
    reference = LogisticRegression() if "ogistic" in function.__name__ else LassoCV()
    expected = error_of(reference.fit, X, column)
    error = error_of(fit, function, X, column)
    assert isinstance(error, TypeError)
    assert str(error) == str(expected)


@pytest.mark.parametrize(
    "estimator", [HadamardLasso, HadamardElasticNet, HadamardLogisticRegression]
)
def test_a_warm_start_without_coefficients_is_a_cold_one(estimator):
    target = labels if estimator is HadamardLogisticRegression else y
    model = estimator(warm_start=True).fit(X, target)
    coef = model.coef_
    model.coef_ = None
    np.testing.assert_array_equal(model.fit(X, target).coef_, coef)


def test_numbers_that_are_none_name_their_argument():
    for name, given in (("penalty_weights", ["a"] * 10), ("precompute", [["a"] * 10] * 10)):
        with pytest.raises(ValueError, match=f"{name} cannot be taken as numbers: could not"):
            HadamardLasso(**{name: given}).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight cannot be taken as numbers: could not"):
        HadamardLasso().fit(X, y, sample_weight=["a"] * 442)
    with pytest.raises(ValueError, match="sample_weight cannot be taken as numbers: int too large"):
        HadamardLasso().fit(X, y, sample_weight=10**400)
    with pytest.raises(ValueError, match="coef_init cannot be taken as numbers: Complex data"):
        lasso_path(X, y, coef_init=np.full(10, 1j))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"penalties": "a"}, "'penalties' parameter of RegularizationPathDisplay must be an array"),
        ({"penalties": [1.0, -1.0]}, r"penalties\[1\] == -1.0, must be >= 0"),
        ({"penalties": [1.0, np.nan]}, r"penalties\[1\] == nan, must be finite"),
        ({"coefs": np.ones((2, 3))}, r"coefs must have shape \(n_features, 2\).*\(2, 3\)"),
        ({"coefs": np.full((2, 2), np.nan)}, "coefs contains NaN"),
        ({"coefs": [["a", "b"]]}, "coefs cannot be taken as numbers"),
        ({"feature_names": ["a"]}, "feature_names must have 2 names.*Got 1"),
        ({"feature_names": "ab"}, "'feature_names' parameter of .* must be an array-like or None"),
        ({"chosen": 3.0}, "'chosen' parameter of .* must be a dict of floats or None"),
        ({"chosen": {"best": "x"}}, "'chosen' parameter of .* must be a dict of floats or None"),
        ({"penalty_name": "lambda"}, "'penalty_name' parameter of .* among {'alpha', 'C'}"),
        ({"n_labels": -1}, r"'n_labels' parameter of .* must be an int in the range \[0, inf\)"),
        ({"n_labels": None}, r"'n_labels' parameter of .* must be an int in the range \[0, inf\)"),
        ({"ax": "left"}, "ax must be matplotlib Axes or None. Got 'left'"),
    ],
)
def test_what_a_path_display_is_given(change, message):
    given = {"penalties": [1.0, 0.5], "coefs": np.eye(2)} | change
    with pytest.raises(ValueError, match=message):
        RegularizationPathDisplay.from_path(given.pop("penalties"), given.pop("coefs"), **given)


def test_a_target_that_is_none():
    for target in ("setosa", 0, np.ones(2)):
        with pytest.raises(ValueError, match=r"target must be None, as there is one row.*Got"):
            RegularizationPathDisplay.from_estimator(HadamardLasso(), X, y, target=target)


@pytest.mark.parametrize("display", [RegularizationPathDisplay, CertificateDisplay])
@pytest.mark.parametrize(
    ("model", "name"),
    [
        (HadamardLasso(-1.0), "alpha"),
        (HadamardLasso(tol=-1.0), "tol"),
        (HadamardLasso(solver="saga"), "solver"),
        (HadamardElasticNet(l1_ratio=2.0), "l1_ratio"),
        (HadamardLogisticRegression(C=-1.0), "C"),
        (HadamardLassoCV(rule="max"), "rule"),
        (HadamardLassoIC("dic"), "criterion"),
        (HadamardLogisticRegressionCV(Cs=0), "Cs"),
    ],
)
def test_parameters_of_an_estimator_to_draw(display, model, name):
    words = f"'{name}' parameter of {type(model).__name__} must be"
    with pytest.raises(ValueError, match=words):
        display.from_estimator(model, X, labels)


def test_penalties_of_zero_are_not_drawn():
    plt.switch_backend("agg")
    display = RegularizationPathDisplay.from_path([1.0, 0.5, 0.0], np.eye(3))
    assert display.ax_.get_xlim() == (1.0, 0.5)
    counts = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert set(counts) == {"1"}
    model = HadamardLassoCV(alphas=[1.0, 0.1, 0.0], cv=2).fit(X, y)
    with np.errstate(all="raise"):
        assert CrossValidationDisplay.from_estimator(model).ax_.get_xlim() == (1.0, 0.1)
    plt.close("all")


def test_names_that_are_accepted_are_those_that_there_are():
    assert get_args(Solver) == tuple(SOLVERS)
    assert get_args(Differences) == tuple(STEPS)


@pytest.mark.parametrize(
    "model",
    [
        HadamardLassoCV(n_jobs=np.int64(1), cv=np.int32(3), alphas=np.int8(4)),
        PathSearchCV(HadamardLasso(), {"alpha": [0.1, 1.0]}, n_jobs=np.int32(1)),
        HadamardStabilitySelection(n_jobs=np.int64(1), n_resamples=np.int64(2), alphas=np.int8(4)),
    ],
)
def test_whole_numbers_of_any_kind(model):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    model.fit(X, X[:, 0] + rng.standard_normal(30))


def test_an_open_end_is_said():
    with pytest.raises(ValueError, match=r"a float in the range \(-inf, 0.0\].*Got -inf"):
        HadamardTweedieRegressor(power=-np.inf).fit(np.eye(3), np.ones(3))
