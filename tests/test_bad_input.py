"""Bad input gets scikit-learn's answer, before any work is done."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes

from hplasso import HadamardElasticNet, HadamardLasso, HadamardLassoCV, enet_path, lasso_path

X, y = load_diabetes(return_X_y=True)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("alpha", -1.0, r"a float in the range \[0.0, inf\)"),
        ("alpha", np.nan, r"a float in the range \[0.0, inf\)"),
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
        ("penalty_weights", 1.0, "an array-like or None"),
        ("verbose", -1, "an int"),
    ],
)
def test_parameter(name, value, allowed):
    model = HadamardLasso(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' parameter of HadamardLasso must be.*{allowed}"):
        model.fit(X, y)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"penalty_weights": np.ones(9)}, r"penalty_weights must have shape \(10,\).*\(9,\)"),
        ({"penalty_weights": -np.ones(10)}, "penalty_weights must not be negative"),
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
        (np.zeros(442), "Sample weights must contain at least one non-zero number"),
        (np.ones(441), "inconsistent numbers of samples"),
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
        ({"alphas": [0.1, -0.1]}, "alphas must be a 1D array of non-negative numbers"),
        ({"alphas": [[0.1]]}, "alphas must be a 1D array of non-negative numbers"),
        ({"alphas": [np.nan]}, "alphas contains NaN"),
        ({"coef_init": np.zeros(3)}, r"coef_init must have shape \(10,\)"),
        ({"Xy": np.zeros(3)}, r"Xy must have shape \(10,\)"),
        ({"tol": -1.0}, "'tol' parameter of lasso_path must be"),
        ({"return_n_iter": 1}, "'return_n_iter' parameter of lasso_path must be"),
    ],
)
def test_path_parameter(parameters, message):
    with pytest.raises(ValueError, match=message):
        lasso_path(X, y, **parameters)


@pytest.mark.parametrize("scale", [1e155, 1e-150])
def test_squares_that_leave_the_range_of_float64(scale):
    for data, target in ((X * scale, y), (sparse.csr_array(X * scale), y), (X, y * scale)):
        with pytest.raises(ValueError, match="so that squares can be computed"):
            HadamardLasso().fit(data, target)


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


def test_coefficients_beyond_the_range_of_float32():
    with pytest.raises(ValueError, match="out of the range of X's type, float32"):
        HadamardLasso(1e38).fit(X.astype(np.float32), 1e40 * y)
