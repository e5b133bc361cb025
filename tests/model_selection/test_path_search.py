"""`PathSearchCV` beside `GridSearchCV` over the same estimators: the same results, fewer fits."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Lasso
from sklearn.metrics import get_scorer, make_scorer, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
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

try:
    import sklearn.callback as callbacks
except ImportError:
    callbacks = None
needs_callbacks = pytest.mark.skipif(callbacks is None, reason="from scikit-learn 1.9 on")

X, y = (part[:150] for part in load_diabetes(return_X_y=True))
ALPHAS = [0.1, 30.0, 3.0, 1.0]  # in no order
GROUPS = np.arange(150) % 7
WEIGHTS = np.random.default_rng(0).uniform(size=150)
OTHER_WEIGHTS = WEIGHTS[::-1].copy()


def scaled(estimator):
    return Pipeline([("scale", StandardScaler()), ("model", estimator)])


LASSO = HadamardLasso(tol=1e-13)
PIPELINE = scaled(LASSO)
GRID = {"model__alpha": ALPHAS}


def both(estimator, grid, X=X, y=y, params=None, **options):
    """A path search and a grid search, fitted."""
    options = {"cv": 3} | options
    searches = [kind(estimator, grid, **options) for kind in (PathSearchCV, GridSearchCV)]
    return [search.fit(X, y, **(params or {})) for search in searches]


def assert_same(path, grid):
    """All results that are no times are the same; so is what is best, and its refit."""
    ours, theirs = path.cv_results_, grid.cv_results_
    assert list(ours) == list(theirs)
    assert ours["params"] == theirs["params"]
    for name in theirs:
        if name.startswith("param_"):
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name].mask, theirs[name].mask)
        elif "_test_" in name or "_train_" in name:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-8)
    for name in ("n_splits_", "multimetric_", "best_index_", "best_params_", "n_features_in_"):
        assert getattr(path, name, None) == getattr(grid, name, None)
    assert hasattr(path, "best_score_") == hasattr(grid, "best_score_")
    if hasattr(grid, "best_estimator_") and path.n_features_in_ == 10:
        np.testing.assert_allclose(path.predict(X[:9]), grid.predict(X[:9]), rtol=1e-7)


def look_at_samples(estimator, X, y):
    """A scorer that looks at the samples."""
    return {"first": float(X[0, 0]), "r2": r2_score(y, estimator.predict(X))}


def n_steps(estimator, X, y):
    return float(len(estimator.steps))


CASES = {
    "grid of other parameters": ({**GRID, "scale__with_std": [True, False]}, {}),
    "list of grids": (
        [
            GRID,
            {"scale": ["passthrough"], "model__alpha": [1.0], "model__positive": [True, False]},
            {"model__fit_intercept": [True, False], "scale__with_std": [False]},
            {"model": [HadamardElasticNet(0.1, tol=1e-13)]},
        ],
        {},
    ),
    "several metrics": (
        GRID,
        {"scoring": ["r2", "neg_mean_absolute_error"], "refit": "r2", "return_train_score": True},
    ),
    "metrics of several kinds": (
        GRID,
        {"scoring": {"r2": "r2", "made": make_scorer(r2_score), "own": n_steps}, "refit": False},
    ),
    "scorer that looks at samples": (
        GRID,
        {"scoring": look_at_samples, "refit": "r2", "return_train_score": True},
    ),
    "callable refit": (GRID, {"refit": lambda results: int(results["mean_fit_time"].size - 1)}),
    "time series": (GRID, {"cv": TimeSeriesSplit(3)}),
    "groups": (GRID, {"cv": GroupKFold(3), "params": {"groups": GROUPS}}),
    "weights of the last step": (GRID, {"params": {"model__sample_weight": WEIGHTS}}),
    "two jobs": ({**GRID, "scale__with_std": [True, False]}, {"n_jobs": 2}),
    "no penalty in the grid": ({"model__fit_intercept": [True, False]}, {}),
    "nothing in the grid": ({}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_results_are_those_of_a_grid_search(case):
    grid, options = CASES[case]
    assert_same(*both(PIPELINE, grid, **options))


COUNTS = np.random.default_rng(0).poisson(np.exp(1.0 + 5.0 * X[:, 0] + 9.0 * X[:, 3]))
CANCER, IRIS = (load(return_X_y=True) for load in (load_breast_cancer, load_iris))
LOGISTIC = {"scoring": ["neg_log_loss", "accuracy"], "refit": "neg_log_loss"}
RATIOS = {"model__l1_ratio": [1.0, 0.3, 0.0]}
ESTIMATORS = {
    "elastic net": (HadamardElasticNet, X, y, GRID | RATIOS, {}),
    "two targets": (HadamardLasso, X, np.c_[y, X[:, 0]], GRID, {}),
    "no penalty among others": (HadamardPoissonRegressor, X, COUNTS, {"model__alpha": [1, 0]}, {}),
    "Poisson": (HadamardPoissonRegressor, X, COUNTS, {"model__alpha": [0.1, 1.0, 0.01]}, {}),
    "gamma": (HadamardGammaRegressor, X, COUNTS + 1, {"model__alpha": [0.1, 1.0, 0.01]}, {}),
    "Tweedie": (HadamardTweedieRegressor, X, COUNTS, {"model__alpha": [0.1, 1.0, 0.01]}, {}),
    "two classes": (
        HadamardLogisticRegression,
        CANCER[0][::3],
        CANCER[1][::3],
        {"model__C": [1.0, 0.1, 10.0], "model__l1_ratio": [1.0, 0.3]},
        LOGISTIC | {"return_train_score": True},
    ),
    "three classes": (
        HadamardLogisticRegression,
        *IRIS,
        {"model__C": [1.0, 0.1, 10.0]},
        LOGISTIC,
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_with_a_path(name):
    kind, X, y, grid, options = ESTIMATORS[name]
    estimator = kind(tol=1e-13)
    if hasattr(estimator, "C"):
        estimator.set_params(max_iter=1000)
    assert_same(*both(scaled(estimator), grid, X, y, **options))


def test_an_estimator_without_a_pipeline():
    path, grid = both(LASSO, {"alpha": ALPHAS}, params={"sample_weight": WEIGHTS})
    assert_same(path, grid)
    unweighted = both(LASSO, {"alpha": ALPHAS})[0]
    scores = [search.cv_results_["mean_test_score"] for search in (path, unweighted)]
    assert np.abs(scores[0] - scores[1]).min() > 1e-4


def test_columns_of_a_data_frame():
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)]).assign(
        kind=np.where(X[:, 1] > 0, "a", "b")
    )
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["x0", "x2", "x3"]), ("kinds", OneHotEncoder(), ["kind"])]
    )
    estimator = Pipeline([("columns", columns), ("model", LASSO)])
    grid = {**GRID, "columns__numbers": ["passthrough", StandardScaler()]}
    path, searched = both(estimator, grid, frame)
    assert_same(path, searched)
    assert list(path.feature_names_in_) == list(frame.columns)
    penalised = clone(estimator).set_params(model__penalty_weights={"numbers__x2": 0.0})
    penalised["columns"].set_output(transform="pandas")
    penalised["columns"].set_params(kinds=OneHotEncoder(sparse_output=False))
    path, searched = both(penalised, GRID, frame)
    assert_same(path, searched)


def test_a_pipeline_at_the_end_of_a_pipeline():
    inner = Pipeline([("best", SelectKBest(f_regression)), ("lasso", LASSO)])
    grid = {"model__best__k": [3, 7], "model__lasso__alpha": ALPHAS}
    assert_same(*both(scaled(inner), grid))
    assert_same(*both(Pipeline([("model", LASSO)]), GRID))


def test_transformers_that_are_cached(tmp_path):
    assert_same(*both(Pipeline(PIPELINE.steps, memory=str(tmp_path)), GRID))


class Counting(TransformerMixin, BaseEstimator):
    """Counts its fits and transforms."""

    fits = transforms = 0

    def fit(self, X, y=None):
        Counting.fits += 1
        return self

    def transform(self, X):
        Counting.transforms += 1
        return X

    def __sklearn_is_fitted__(self):
        return True


def test_one_path_for_all_penalties(monkeypatch):
    """Transformers are fitted once for each fold, and the last step not at all; then all once."""
    Counting.fits = Counting.transforms = 0
    fits, fit = [], HadamardElasticNet.fit
    monkeypatch.setattr(
        HadamardElasticNet, "fit", lambda *args, **kwargs: fits.append(1) or fit(*args, **kwargs)
    )
    estimator = Pipeline([("count", Counting()), ("model", HadamardElasticNet())])
    search = PathSearchCV(estimator, {**GRID, "model__l1_ratio": [0.5, 1.0]}, cv=4).fit(X, y)
    assert (Counting.fits, Counting.transforms, len(fits)) == (4 + 1, 4 + 4 + 1, 1)
    times = search.cv_results_["mean_fit_time"]
    assert (times == times[0]).all()
    assert times[0] > 0.0


def caught(search):
    """The warnings of a fit."""
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        search.fit(X, y)
    return records


def test_fits_that_fail():
    grid = {"model__alpha": [1.0, -1.0, 0.1], "model__tol": [1e-13, -3.0]}
    searches = [
        kind(PIPELINE, grid, cv=3, error_score=-5.0) for kind in (PathSearchCV, GridSearchCV)
    ]
    ours, theirs = map(caught, searches)
    assert_same(*searches)
    assert np.count_nonzero(searches[0].cv_results_["mean_test_score"] == -5.0) == 4
    for records in (ours, theirs):
        [record] = records
        assert record.category is FitFailedWarning
        assert "12 fits failed out of a total of 18" in str(record.message)
        assert str(record.message).count("The 'alpha' parameter of HadamardLasso must be") == 1
        assert str(record.message).count("The 'tol' parameter of HadamardLasso must be") == 1
    with pytest.raises(ValueError, match="'alpha' parameter") as error:
        PathSearchCV(PIPELINE, GRID | {"model__alpha": [-1.0]}, error_score="raise").fit(X, y)
    assert type(error.value).__name__ == "InvalidParameterError"
    with pytest.raises(ValueError, match="All the 5 fits failed"):
        PathSearchCV(PIPELINE, {"model__alpha": [-1.0]}).fit(X, y)


def refuse(X):
    if len(X) == 100 and X[0, 0] == FIRST:
        raise ValueError("not these")
    return X


FIRST = X[0, 0]


def test_transformers_that_fail_in_a_fold():
    estimator = Pipeline([("refuse", FunctionTransformer(refuse)), ("model", LASSO)])
    searches = [kind(estimator, GRID, cv=3) for kind in (PathSearchCV, GridSearchCV)]
    ours, theirs = map(caught, searches)
    assert_same(*searches)
    assert np.isnan(searches[0].cv_results_["split2_test_score"]).all()
    assert [record.category for record in ours] == [record.category for record in theirs]
    assert "8 fits failed out of a total of 12" in str(ours[0].message)


def moody(estimator, X, y):
    if estimator[-1].alpha == 3.0:
        raise ValueError("not this one")
    return np.nan if estimator[-1].alpha == 1.0 else r2_score(y, estimator.predict(X))


def moody_metric(y, predicted):
    if abs(np.ptp(predicted)) < 1e-9:
        raise ValueError("constant")
    return r2_score(y, predicted)


@pytest.mark.parametrize(
    ("scoring", "refit"),
    [(moody, True), ({"moody": moody, "r2": "r2"}, "r2"), (make_scorer(moody_metric), True)],
)
def test_scores_that_fail(scoring, refit):
    grid = {"model__alpha": [*ALPHAS, 1e3]}
    options = {"scoring": scoring, "refit": refit, "cv": 3}
    searches = [kind(PIPELINE, grid, **options) for kind in (PathSearchCV, GridSearchCV)]
    ours, theirs = map(caught, searches)
    assert_same(*searches)
    assert np.isnan(
        searches[0].cv_results_[f"mean_test_{'moody' if refit == 'r2' else 'score'}"]
    ).any()
    first = [[str(record.message)[:60] for record in records] for records in (ours, theirs)]
    assert sorted(first[0]) == sorted(first[1])
    assert "Scoring failed" in first[0][0]
    with pytest.raises(ValueError, match=r"not this one|constant"):
        PathSearchCV(PIPELINE, grid, error_score="raise", **options).fit(X, y)


def test_a_score_that_is_no_number():
    with pytest.raises(ValueError, match="scoring must return a number"):
        PathSearchCV(PIPELINE, GRID, scoring=lambda estimator, X, y: "good").fit(X, y)


def test_weights_are_for_the_scorers_too():
    scoring = {
        "weighted": "r2",
        "own": make_scorer(lambda y, predicted: -np.abs(y - predicted).max()),
    }
    options = {"scoring": scoring, "refit": "weighted", "cv": 3, "return_train_score": True}
    searches = [kind(LASSO, {"alpha": ALPHAS}, **options) for kind in (PathSearchCV, GridSearchCV)]
    for search in searches:
        with pytest.warns(UserWarning, match="own=.* does not support sample_weight"):
            search.fit(X, y, sample_weight=WEIGHTS)
    assert_same(*searches)


def test_metadata_routing():
    with config_context(enable_metadata_routing=True):
        requests = clone(LASSO).set_fit_request(sample_weight="fitted")
        requests.set_score_request(sample_weight=True)
        metadata = {"fitted": WEIGHTS, "sample_weight": OTHER_WEIGHTS, "groups": GROUPS}
        assert_same(*both(requests, {"alpha": ALPHAS}, params=metadata, cv=LeaveOneGroupOut()))
        scorer = make_scorer(r2_score).set_score_request(sample_weight=True)
        other = get_scorer("neg_mean_absolute_error").set_score_request(sample_weight="third")
        estimator = scaled(requests)
        estimator["scale"].set_fit_request(sample_weight=False)
        metadata = {"fitted": WEIGHTS, "sample_weight": OTHER_WEIGHTS, "third": WEIGHTS**2}
        options = {"scoring": {"a": scorer, "b": other}, "refit": "b", "params": metadata}
        path, grid = both(estimator, GRID, **options)
        assert_same(path, grid)
        with pytest.raises(TypeError, match="unexpected argument"):
            path.fit(X, y, unknown=1)


def test_the_simplest_within_one_standard_error():
    """By a loop over the candidates that differ from the best one in alpha alone."""
    grid = {"model__alpha": np.geomspace(0.1, 30.0, 12), "model__positive": [False, True]}
    options = {"cv": KFold(6), "scoring": "neg_mean_squared_error"}
    least, simple = (PathSearchCV(PIPELINE, grid, rule=rule, **options) for rule in ("min", "1se"))
    least.fit(X, y)
    simple.fit(X, y)
    results = least.cv_results_
    best, means = least.best_params_, results["mean_test_score"]
    lowest = means.max() - results["std_test_score"][least.best_index_] / np.sqrt(6 - 1)
    alphas = [
        candidate["model__alpha"]
        for candidate, mean in zip(results["params"], means, strict=True)
        if candidate["model__positive"] == best["model__positive"] and mean >= lowest
    ]
    assert simple.best_params_ == best | {"model__alpha": max(alphas)}
    assert simple.best_params_["model__alpha"] > 2.0 * best["model__alpha"]
    assert simple.best_score_ == means[simple.best_index_]
    assert simple.best_estimator_["model"].alpha == max(alphas)


def test_the_simplest_of_logistic_regression_has_the_smallest_C():
    grid = {"model__C": np.geomspace(0.01, 100.0, 9)}
    estimator = scaled(HadamardLogisticRegression())
    options = {"scoring": ["neg_log_loss", "accuracy"], "refit": "neg_log_loss"}
    least, simple = (
        PathSearchCV(estimator, grid, rule=rule, **options).fit(*CANCER) for rule in ("min", "1se")
    )
    assert simple.best_params_["model__C"] < least.best_params_["model__C"]
    grids = [grid, {}]  # of which one does not have the penalty
    partly = PathSearchCV(estimator, grids, rule="1se", **options).fit(*CANCER)
    assert partly.best_params_ == simple.best_params_
    without = PathSearchCV(estimator, {"model__l1_ratio": [0.5, 1.0]}, rule="1se").fit(*IRIS)
    assert without.best_index_ == without.cv_results_["rank_test_score"].argmin()


def test_scores_that_are_not_finite_are_not_simple():
    grid = {"model__alpha": [0.1, 1.0, 2.0, 3.0, -1.0]}
    search = PathSearchCV(PIPELINE, grid, cv=3, rule="1se", scoring=moody)
    caught(search)
    assert search.best_params_["model__alpha"] == 2.0


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (Lasso(), {"alpha": [1.0]}),
        (HadamardLassoCV(), {"eps": [0.1]}),
        (scaled(Lasso()), GRID),
        (scaled("passthrough"), {"scale__with_std": [True]}),
        (scaled(None), {"scale__with_std": [True]}),
        (PIPELINE, {"model": [LASSO, Lasso()]}),
        (PIPELINE, {"model": [make_pipeline(LASSO)]}),
        (
            Pipeline(
                [
                    ("sample", type("Sampler", (Counting,), {"fit_resample": None})()),
                    ("model", LASSO),
                ]
            ),
            GRID,
        ),
    ],
)
def test_other_estimators_are_for_grid_searches(estimator, grid):
    with pytest.raises(TypeError, match=r"(?s)HadamardLasso, .*GridSearchCV takes any estimator"):
        PathSearchCV(estimator, grid).fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "max"}, "'rule' parameter of PathSearchCV must be a str among {'min', '1se'}"),
        ({"cv": 1}, "'cv' parameter of PathSearchCV"),
        ({"n_jobs": "all"}, "'n_jobs' parameter of PathSearchCV"),
        ({"error_score": "nan"}, "'error_score' parameter of PathSearchCV"),
        ({"scoring": "r3"}, "'scoring' parameter of PathSearchCV"),
        ({"scoring": ["r2"]}, "For multi-metric scoring, the parameter refit must be"),
        ({"scoring": {"a": "r2"}, "refit": "b"}, "Got 'b'"),
        ({"scoring": look_at_samples}, "Got True"),
        ({"cv": [(np.arange(9), np.arange(9))], "rule": "1se"}, "rule='1se' needs at least two"),
        ({"cv": []}, "nothing to fit: 4 candidates in param_grid, 0 folds"),
        ({"param_grid": []}, "nothing to fit: 0 candidates"),
        ({"param_grid": {"model__alphas": [1.0]}}, "Invalid parameter 'alphas'"),
        ({"param_grid": {"scaler__x": [1.0]}}, "Invalid parameter 'scaler'"),
        ({"refit": lambda results: "best"}, "refit must return an int"),
    ],
)
def test_bad_parameters(options, message):
    search = PathSearchCV(PIPELINE, GRID).set_params(**options)
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")
    assert not hasattr(search, "n_splits_")
    with pytest.raises(IndexError, match=r"of 4 candidates\. Got 4"):
        PathSearchCV(PIPELINE, GRID, refit=lambda results: 4).fit(X, y)


def test_it_is_a_grid_search():
    search = PathSearchCV(PIPELINE, GRID, cv=3)
    assert isinstance(search, GridSearchCV)
    with pytest.raises(NotFittedError):
        search.predict(X)
    path, grid = both(PIPELINE, GRID, scoring="neg_mean_absolute_error")
    assert path.score(X, y) == pytest.approx(grid.score(X, y))
    assert path.refit_time_ > 0.0
    assert str(path.scorer_) == str(grid.scorer_)
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again.predict(X), path.predict(X))
    twin = clone(path)
    assert twin.get_params()["rule"] == "min"
    assert not hasattr(twin, "best_params_")
    nested = [
        cross_val_score(kind(PIPELINE, GRID, cv=3), X, y, cv=3)
        for kind in (PathSearchCV, GridSearchCV)
    ]
    np.testing.assert_allclose(*nested, rtol=1e-8)
    classes = PathSearchCV(HadamardLogisticRegression(), {"C": [1.0, 0.1]}).fit(*IRIS)
    np.testing.assert_array_equal(classes.classes_, [0, 1, 2])
    assert classes.predict_proba(IRIS[0]).shape == classes.decision_function(IRIS[0]).shape
    assert not hasattr(path, "transform")
    unfitted = PathSearchCV(PIPELINE, GRID, refit=False).fit(X, y)
    assert not hasattr(unfitted, "best_estimator_")
    assert unfitted.best_params_ == path.best_params_ == {"model__alpha": 1.0}


def test_verbose(capsys):
    both(PIPELINE, GRID, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Fitting 3 folds for each of 4 candidates, totalling 12 fits"] * 2


class Witness:
    """A callback that notes what the tasks are, and follows fits inside of fits."""

    max_propagation_depth = None

    def __init__(self):
        self.begun = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, **data):
        pass

    def teardown(self, estimator, context):
        pass


@needs_callbacks
def test_callbacks_hear_of_paths():
    search = PathSearchCV(LASSO, {"alpha": ALPHAS, "positive": [True, False]}, cv=3)
    witness = Witness()
    with warnings.catch_warnings(action="error"):
        search.set_callbacks(witness).fit(X, y)
    assert witness.begun == ["fit", "search", "paths", "paths", "paths", "refit", "fit"]


@needs_callbacks
def test_progress_bar():
    pytest.importorskip("rich")
    search = PathSearchCV(LASSO, {"alpha": ALPHAS}, cv=3, n_jobs=2)
    search.set_callbacks(callbacks.ProgressBar()).fit(X, y)


@parametrize_with_checks(
    [
        PathSearchCV(HadamardLogisticRegression(), {"C": [1.0, 0.1]}, cv=2),
        PathSearchCV(HadamardLasso(), {"alpha": [1.0, 0.1]}, cv=2, error_score="raise", rule="1se"),
    ],
    expected_failed_checks=lambda search: (
        {"check_supervised_y_2d": "searches have no tag of several targets, where lassos have it"}
        if search.rule == "1se"
        else {}
    ),
)
@pytest.mark.filterwarnings("ignore")  # of scikit-learn's own, with NaN in X or y
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_weights_of_too_few_samples():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PathSearchCV(HadamardLasso(), {"alpha": [1.0]}).fit(X, y, sample_weight=np.ones(10))
