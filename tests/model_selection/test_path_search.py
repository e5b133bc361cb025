"""`PathSearchCV` beside `GridSearchCV`: the same results, by one path instead of many fits."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Lasso
from sklearn.metrics import make_scorer, mean_absolute_error, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hplasso import (
    HadamardElasticNet,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    HadamardTweedieRegressor,
    PathSearchCV,
)

X, y = load_diabetes(return_X_y=True)
X, y = X[:150], y[:150]
ALPHAS = [0.01, 3.0, 0.1, 0.5]


def both(estimator, grid, *data, fit_params=None, **options):
    """A path search and a grid search, fitted."""
    searches = [kind(estimator, grid, cv=3, **options) for kind in (PathSearchCV, GridSearchCV)] if "cv" not in options else [
        kind(estimator, grid, **options) for kind in (PathSearchCV, GridSearchCV)]
    return [search.fit(*(data or (X, y)), **(fit_params or {})) for search in searches]


def assert_same(path, grid, tol=1e-8):
    ours, theirs = path.cv_results_, grid.cv_results_
    assert list(ours) == list(theirs)
    assert ours["params"] == theirs["params"]
    for name in theirs:
        if name.startswith("param_"):
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name].mask, theirs[name].mask)
        elif name.startswith("rank"):
            np.testing.assert_array_equal(ours[name], theirs[name])
        elif name != "params" and "_time" not in name:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=tol)
    for name in ("n_splits_", "multimetric_"):
        assert getattr(path, name) == getattr(grid, name)
    for name in ("best_index_", "best_params_"):
        assert getattr(path, name, None) == getattr(grid, name, None)
    assert hasattr(path, "best_score_") == hasattr(grid, "best_score_")
