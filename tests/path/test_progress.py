"""What is told of a fit while it runs, what is left if it is interrupted, and the way back."""

import re
import warnings
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from regressions import regression_of
from sklearn.datasets import load_diabetes
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    lasso_path,
    logistic_path,
)
from hplasso._path.settings import PathSettings
from hplasso._penalties.l1 import L1Penalty
from hplasso._plot.certificate import Recorder

X, y = load_diabetes(return_X_y=True, as_frame=True)
MANY = np.digitize(y, [80, 150])
try:
    import sklearn.callback as callbacks
except ImportError:
    callbacks = None
needs_callbacks = pytest.mark.skipif(callbacks is None, reason="from scikit-learn 1.9 on")


class Witness:
    """A callback that writes down what it is told."""

    def __init__(self):
        self.events, self.most = [], {}

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))
        self.most[context.task_name] = context.max_subtasks

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name))


@needs_callbacks
@pytest.mark.parametrize(
    ("model", "folds", "penalties"),
    [
        (HadamardLassoCV(alphas=7), 5, 35),
        (HadamardLassoCV(alphas=7, n_jobs=2), 5, 35),
        (HadamardElasticNetCV(alphas=7, l1_ratio=[0.5, 1.0], cv=3), 3, 42),
        (HadamardLogisticRegressionCV(Cs=4), 5, 20),
        (HadamardLogisticRegressionCV(Cs=4, refit=False), 5, 20),
        (HadamardLassoCV(alphas=7, early_stop=False), 5, 35),
        (HadamardLassoCV(alphas=[0.1, 0.5]), 5, 10),
        (HadamardLogisticRegressionCV(Cs=4, early_stop=False), 5, 20),
        (HadamardLogisticRegressionCV(Cs=[0.1]), 5, 5),
        (HadamardLassoIC(alphas=7), 0, 7),
        (HadamardLasso(), 0, 0),
        (HadamardLogisticRegression(), 0, 0),
    ],
)
def test_callbacks_hear_of_folds_and_penalties(model, folds, penalties):
    witness = Witness()
    model.set_callbacks(witness).fit(X, y > 100 if hasattr(model, "predict_proba") else y)
    assert witness.events[0] == "setup"
    assert witness.events[-1] == "teardown"
    counts = Counter(event for event in witness.events if isinstance(event, tuple))
    path = int(isinstance(getattr(model, "Cs", None), int) and model.early_stop)
    expected = {"fit": 1, "fold": folds, "penalty": penalties, "refit": min(folds, 1)}
    expected["path"] = path
    for when in ("begin", "end"):
        assert {name: counts[when, name] for name in expected} == expected
    parts = path + folds + 1 if folds else penalties
    assert witness.most["fit"] == parts
    assert witness.most.get("fold", 0) == (penalties // folds if folds else 0)


@needs_callbacks
@pytest.mark.parametrize("changes", [{}, {"early_stop": False}, {"alphas": [0.1, 0.5]}])
def test_callbacks_hear_of_a_path_that_comes_first(changes):
    witness, model = Witness(), HadamardLassoCV(alphas=7, cv=2).set_params(**changes)
    model.set_callbacks(witness).fit(X[:10], y[:10])  # no more samples than features
    begun = [
        name
        for what, name in filter(lambda event: len(event) == 2, witness.events)
        if what == "begin" and name != "penalty"
    ]
    path = [] if changes else ["path"]
    assert begun == ["fit", *path, "fold", "fold", "refit"]
    assert witness.most["fit"] == len(begun) - 1


@needs_callbacks
def test_progress_bar():
    pytest.importorskip("rich")
    HadamardLassoCV(alphas=3).set_callbacks(callbacks.ProgressBar()).fit(X, y)
    search = GridSearchCV(HadamardLasso(), {"alpha": [0.1, 1.0]})
    with warnings.catch_warnings(action="error"):  # none that they are not supported
        search.set_callbacks(callbacks.ProgressBar()).fit(X, y)


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_a_line_for_each_penalty(capsys):
    lasso_path(X, y - y.mean(), alphas=[1.0, 0.1], verbose=1)
    first, second = lines(capsys)
    assert first.startswith("alpha=1: ")
    assert second.startswith("alpha=0.1: ")
    assert "gap" in second
    assert "asked" in second
    logistic_path(X, y > 100, Cs=[0.5], verbose=1)
    assert lines(capsys)[0].startswith("C=0.5: ")
    HadamardLassoIC(alphas=4, verbose=1).fit(X, y)
    assert len(lines(capsys)) == 4


def test_a_line_for_each_iteration(capsys):
    HadamardLasso(0.5, verbose=2).fit(X, y)
    *iterations, last = lines(capsys)
    assert last.startswith("alpha=0.5: ")
    assert iterations
    assert all("objective" in line and "sweep" in line for line in iterations)


def test_lines_of_a_path_whose_grid_takes_a_fit(capsys):
    weights = np.r_[0.0, np.ones(9)]  # the grid begins at the fit of the first feature alone
    lasso_path(X, y - y.mean(), alphas=3, verbose=1, penalty_weights=weights)
    assert len(lines(capsys)) == 3
    logistic_path(X, y > 100, Cs=3, verbose=1, penalty_weights=weights)
    assert len(lines(capsys)) == 3
    HadamardLassoIC(alphas=3, verbose=1, penalty_weights=weights).fit(X, y)
    assert [line[:6] for line in lines(capsys)] == ["alpha="] * 3 + ["the be"]


def test_the_fit_below_a_grid_is_not_told_of():
    heard = Recorder()
    settings = PathSettings(L1Penalty(np.r_[0.0, np.ones(9)]), listener=heard)
    shares = np.full(len(y), 1 / len(y))
    regression = regression_of(X.to_numpy(), y.to_numpy()[:, None], shares, True, False, 1)
    tracer = regression.tracer(0, settings)
    largest = tracer.alpha_max()
    assert not heard.records
    tracer.solve(0.5 * largest)
    assert heard.records


@pytest.mark.parametrize("model", [HadamardLassoCV(cv=3), HadamardLogisticRegressionCV(cv=3)])
def test_a_line_for_each_fold(capsys, model):
    model.set_params(verbose=1).fit(X, y > 100)
    *folds, refit = lines(capsys)
    assert [line.split(":")[0] for line in folds] == ["fold 0", "fold 1", "fold 2"]
    assert "gap" in refit
    model.set_params(verbose=2).fit(X, y > 100)
    printed = lines(capsys)
    points = [line for line in printed if re.search(r" sweeps?$", line)]
    grid = model.alphas_ if hasattr(model, "alphas_") else model.Cs_
    for number in range(3):
        assert sum(line.startswith(f"fold {number}: ") for line in points) == len(grid)
        assert sum(line.startswith(f"fold {number}:   ") for line in printed) > 0


def test_silence_by_default(capsys):
    HadamardLassoCV().fit(X, y)
    assert not lines(capsys)


@pytest.mark.parametrize(
    "function",
    [
        lambda: HadamardLasso(1e-3, solver="alternating", max_iter=1).fit(X, y),
        lambda: HadamardLassoCV(alphas=2, solver="alternating", max_iter=1).fit(X, y),
        lambda: HadamardLassoIC(alphas=2, solver="alternating", max_iter=1).fit(X, y),
        lambda: lasso_path(X, y, alphas=2, solver="alternating", max_iter=1),
        lambda: logistic_path(X, y > 100, Cs=2, solver="alternating", max_iter=1),
        lambda: HadamardLasso(0.0).fit(X, y),
    ],
)
def test_warnings_point_at_the_call(function):
    with pytest.warns(UserWarning, match="converge|alpha=0") as caught:
        function()
    assert {warning.filename for warning in caught} == {__file__}


class Interrupt:
    """A splitter that is interrupted by the keyboard after its first split."""

    def split(self, X, y=None, groups=None):
        yield np.arange(100), np.arange(100, 200)
        raise KeyboardInterrupt

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2


def test_an_interrupted_fit_leaves_the_estimator_as_it_was():
    model = HadamardLassoCV(cv=Interrupt())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]
    model.set_params(cv=3).fit(X, y)
    before = vars(model).copy()
    model.set_params(cv=Interrupt())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X.iloc[:, :4], y)
    assert vars(model).keys() == before.keys()
    assert_array_equal(model.coef_, before["coef_"])
    assert model.n_features_in_ == 10


def test_a_refused_fit_leaves_the_estimator_as_it_was():
    model = HadamardLasso().fit(X, y)
    with pytest.raises(ValueError, match="sample_weight"):
        model.fit(X.iloc[:, :4], y, sample_weight=-np.ones(len(y)))
    assert model.n_features_in_ == 10
    assert list(model.feature_names_in_) == list(X.columns)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (HadamardLasso(0.1, precompute="auto"), Lasso),
        (HadamardElasticNet(0.1), ElasticNet),
        (HadamardLassoCV(rule="1se"), Lasso),
        (HadamardElasticNetCV(l1_ratio=[0.5, 0.9]), ElasticNet),
        (HadamardLassoIC(), Lasso),
    ],
)
def test_regression_back_to_scikit_learn(model, kind):
    model.fit(X, y)
    back = model.to_sklearn()
    assert type(back) is kind
    assert_array_equal(back.predict(X), model.predict(X))
    assert back.alpha == getattr(model, "alpha_", getattr(model, "alpha", None))
    back.coef_[:] = 0.0
    assert model.coef_.any()
    refitted = type(back)(**back.get_params() | {"tol": 1e-12, "max_iter": 100_000}).fit(X, y)
    assert_allclose(refitted.coef_, model.coef_, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("target", [y > 100, MANY])
@pytest.mark.parametrize(
    "model", [HadamardLogisticRegression(0.5, l1_ratio=0.9), HadamardLogisticRegressionCV(Cs=4)]
)
def test_classification_back_to_scikit_learn(model, target):
    model.fit(X, target)
    back = model.to_sklearn()
    assert type(back) is LogisticRegression
    assert_allclose(back.predict_proba(X), model.predict_proba(X), rtol=1e-12)
    assert_array_equal(back.predict(X), model.predict(X))
    assert getattr(model, "C_", getattr(model, "C", None)) == back.C


def test_selection_of_features_keeps_their_names():
    model = make_pipeline(
        StandardScaler().set_output(transform="pandas"), SelectFromModel(HadamardLassoCV())
    ).fit(X, y)
    kept = model[-1].estimator_.coef_ != 0
    assert list(model.get_feature_names_out()) == list(X.columns[kept])
    logistic = SelectFromModel(HadamardLogisticRegression(0.1), threshold=1e-12).fit(X, MANY)
    assert_array_equal(logistic.get_support(), logistic.estimator_.coef_.any(axis=0))
