"""Estimators on Dask: the model of the laptop, predictions that stay lazy, and what goes wrong."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import special
from sklearn.model_selection import KFold, cross_val_score

from hplasso import (
    Batches,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    HadamardRelaxed,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
    PathSearchCV,
    RegularizationPathDisplay,
    Summary,
    enet_path,
    glm_path,
    lasso_path,
    logistic_path,
)
from hplasso._design.source import DataChanged
from hplasso._estimators import streamed_data

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

HEIGHTS = (100, 0, 250, 50)
N, P = sum(HEIGHTS), 6
NAMES = [f"x{j}" for j in range(P)]
rng = np.random.default_rng(0)
X = rng.standard_normal((N, P))
y = X[:, 0] - X[:, 1] + rng.standard_normal(N)
weights, offset = rng.random(N), rng.random(N)
counts = rng.poisson(np.exp(y / 3.0)).astype(float)
labels = np.array(["a", "b", "c"])[np.digitize(y, [-1.0, 1.0])]
FRAME = pd.DataFrame(X, columns=NAMES).assign(y=y, labels=labels, weights=weights, offset=offset)


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="sync"):
        yield


def lazy(values):
    return da.from_array(values, chunks=(HEIGHTS, *[4] * (values.ndim - 1)))


def frames():
    return dd.from_pandas(FRAME, npartitions=3)


def assert_same(one, other, names, rtol=1e-10):
    for name in names:
        got, expected = getattr(one, name), getattr(other, name)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale, err_msg=name)


@pytest.mark.parametrize(
    "model",
    [
        HadamardLasso(0.05, tol=1e-12),
        HadamardElasticNet(0.1, l1_ratio=0.3, tol=1e-12),
        HadamardLassoIC("bic", tol=1e-12),
        HadamardLassoCV(cv=KFold(3), alphas=20, tol=1e-12),
        HadamardElasticNetCV(l1_ratio=[0.3, 1.0], cv=3, alphas=20, tol=1e-12),
    ],
    ids=lambda model: type(model).__name__,
)
def test_one_pass_and_the_model_of_the_laptop(model):
    inside = sklearn.clone(model)
    if hasattr(model, "cv"):
        inside.set_params(cv=KFold(3))
    inside.fit(X, y, weights, offset=offset)
    model.fit(lazy(X), lazy(y), lazy(weights), offset=lazy(offset))
    names = {"coef_", "intercept_", "alpha_", "l1_ratio_", "mse_path_", "criterion_"}
    assert_same(model, inside, [name for name in names if hasattr(inside, name)])
    np.testing.assert_array_equal(model.coef_ != 0.0, inside.coef_ != 0.0)
    assert model.n_passes_ == 1


@pytest.fixture(autouse=True)
def passes(monkeypatch):
    """A sample of so few rows that curved losses take several passes."""
    monkeypatch.setattr(streamed_data, "SAMPLE", (N - 1) * P)


@pytest.mark.parametrize(
    ("model", "target", "given"),
    [
        (HadamardLogisticRegression(C=0.1, tol=1e-12), labels == "a", offset),
        (HadamardLogisticRegression(C=0.1, tol=1e-12), labels, None),
        (HadamardPoissonRegressor(0.05, tol=1e-12), counts, offset),
        (HadamardPoissonRegressorCV(alphas=10, cv=KFold(3), tol=1e-12), counts, None),
    ],
)
@pytest.mark.parametrize(("sample", "most"), [(streamed_data.SAMPLE, 11), ((N - 1) * P, 13)])
def test_curved_losses(model, target, given, sample, most, monkeypatch):
    monkeypatch.setattr(streamed_data, "SAMPLE", sample)
    inside = sklearn.clone(model).fit(X, target, weights, offset=given)
    given = None if given is None else lazy(given)
    with dask.config.set(scheduler="threads"):
        model.fit(lazy(X), lazy(target), lazy(weights), offset=given)
    assert_same(model, inside, ("coef_", "intercept_"))
    np.testing.assert_array_equal(model.coef_ != 0.0, inside.coef_ != 0.0)
    once = sample > N * P and not hasattr(model, "cv")
    assert model.n_passes_ == 1 if once else 1 < model.n_passes_ <= most


@pytest.mark.parametrize("away", [-8.0, 10.0])
@pytest.mark.parametrize(("sample", "most"), [(streamed_data.SAMPLE, 1), ((N - 1) * P, 4), (1, 20)])
def test_offsets_far_from_zero(away, sample, most, monkeypatch):
    """Where paths begin, and what gaps are compared with, whatever the sample says."""
    monkeypatch.setattr(streamed_data, "SAMPLE", sample)
    o = away + offset
    mean = np.exp(o) * counts.sum() / np.exp(o).sum()
    alphas, _, _, gaps = glm_path(lazy(X), lazy(counts), offset=lazy(o), alphas=4, tol=1e-6)
    assert alphas[0] == pytest.approx(np.abs(X.T @ (counts - mean)).max() / N, rel=1e-6)
    null = np.mean(special.xlogy(counts, counts / mean) - counts + mean)
    assert np.max(gaps) <= 1e-6 * null
    model = HadamardPoissonRegressor(0.05).fit(lazy(X), lazy(counts), offset=lazy(o))
    assert model.n_passes_ <= most
    o = np.stack([o, 0.0 * o, -o], axis=1)
    Cs = logistic_path(lazy(X), lazy(labels), offset=lazy(o), Cs=4)[0]
    assert Cs[0] == pytest.approx(logistic_path(X, labels, offset=o, Cs=4)[0][0], rel=1e-6)


def test_labels_of_a_data_frame():
    model = HadamardLogisticRegression(C=0.1).fit(frames()[NAMES], frames()["labels"])
    assert list(model.classes_) == ["a", "b", "c"]
    assert model.score(frames()[NAMES], frames()[["labels"]]) > 0.6


def test_data_that_change_between_the_passes_of_a_fit():
    read = []

    def changing(block):
        read.append(0)
        return block + len(read)

    model = HadamardLogisticRegression().fit(X, labels)
    before = vars(model).copy()
    with pytest.raises(DataChanged, match="pass 2 read other numbers"):
        model.fit(lazy(X).map_blocks(changing, meta=X[:0]), lazy(labels))
    assert vars(model) == before


def test_several_targets_and_names():
    frame, both = frames(), FRAME[["y", "offset"]]
    inside = HadamardLasso(0.02, tol=1e-12).fit(FRAME[NAMES], both)
    model = HadamardLasso(0.02, tol=1e-12).fit(frame[NAMES], frame[["y", "offset"]])
    assert_same(model, inside, ("coef_", "intercept_"))
    assert list(model.feature_names_in_) == NAMES
    by_name = HadamardLasso(0.02, penalty_weights={"x0": 0.0}).fit(frame[NAMES], frame["y"])
    assert by_name.coef_[0] == pytest.approx(1.0, abs=0.2)
    with pytest.raises(ValueError, match="HadamardLassoCV takes one target"):
        HadamardLassoCV().fit(frame[NAMES], frame[["y", "offset"]])


@pytest.mark.parametrize("path", [lasso_path, enet_path])
def test_paths(path):
    settings = {"fit_intercept": True, "return_intercept": True, "tol": 1e-12}
    inside = path(X, y, sample_weight=weights, **settings)
    blocks = path(lazy(X), lazy(y), sample_weight=lazy(weights), **settings)
    for got, expected in zip([*blocks[:2], blocks[3]], [*inside[:2], inside[3]], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


PREDICTING = {
    "regressor": HadamardLasso(0.05).fit(X, y),
    "targets": HadamardLasso(0.05).fit(X, np.stack([y, -y], axis=1)),
    "counts": HadamardPoissonRegressor(0.01).fit(X, counts),
    "classes": HadamardLogisticRegression().fit(X, labels),
    "two classes": HadamardLogisticRegressionCV(Cs=3, cv=2).fit(X, labels == "a"),
    "relaxed": HadamardRelaxed(HadamardLasso(0.05)).fit(X, y),
    "search": PathSearchCV(HadamardLasso(), {"alpha": [0.1, 0.2]}).fit(X, y),
}
METHODS = ("predict", "decision_function", "predict_proba", "predict_log_proba")


def not_now(*args, **kwargs):
    raise AssertionError("something was computed")


def without_computing(method, *args):
    with dask.config.set(scheduler=not_now):
        return method(*args)


@pytest.mark.parametrize("kind", PREDICTING)
def test_predictions_are_lazy(kind):
    model = PREDICTING[kind]
    for name in [name for name in METHODS if hasattr(model, name)]:
        method = getattr(model, name)
        expected = method(X)
        known = without_computing(method, lazy(X))
        assert known.chunks == (HEIGHTS, *((length,) for length in expected.shape[1:]))
        rows = lazy(X)[lazy(np.ones(N, dtype=bool))]
        unknown = without_computing(method, rows)
        assert np.isnan(unknown.chunks[0]).all()
        for got in (known, unknown):
            assert got.dtype == expected.dtype
            assert_equal(got.compute(), expected)


def assert_equal(got, expected):
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_array_equal(got, expected)


def test_predictions_for_data_frames():
    frame = frames()
    model = HadamardLogisticRegression().fit(FRAME[NAMES], labels)
    predicted = without_computing(model.predict, frame[NAMES])
    assert predicted.divisions == frame.divisions
    assert list(predicted.compute()) == list(model.predict(FRAME[NAMES]))
    probabilities = without_computing(model.predict_proba, frame[NAMES])
    assert list(probabilities.columns) == ["a", "b", "c"]
    assert_equal(probabilities.compute(), model.predict_proba(FRAME[NAMES]))
    right = (predicted == frame["labels"]).mean().compute()
    assert right == pytest.approx(model.score(FRAME[NAMES], labels))
    empty = frame[frame["x0"] > 9.0][NAMES]
    assert len(model.predict(empty).compute()) == 0
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[NAMES[::-1]])


def test_predictions_for_categories_of_numbers():
    """Of which zero is none."""
    frame = FRAME[NAMES].assign(kind=pd.Categorical(np.arange(N) % 3 + 1))
    model = HadamardLasso(0.01).fit(frame, y)
    predictions = model.predict(dd.from_pandas(frame, npartitions=3))
    np.testing.assert_allclose(predictions.compute(), model.predict(frame), rtol=1e-12)


def test_one_warning_of_names_not_one_for_each_block():
    model, named = HadamardLasso(0.05).fit(X, y), HadamardLasso(0.05).fit(FRAME[NAMES], y)
    for method, data in ((model.predict, frames()[NAMES]), (named.predict, lazy(X))):
        with pytest.warns(UserWarning, match="feature names"):
            predictions = method(data)
        predictions.compute()


def test_offsets_of_predictions():
    model, expected = PREDICTING["regressor"], PREDICTING["regressor"].predict(X, offset)
    for other in (offset, da.from_array(offset, chunks=77), pd.Series(offset)):
        assert_equal(model.predict(lazy(X), other).compute(), expected)
    frame = frames()
    named = HadamardLasso(0.05).fit(FRAME[NAMES], y)
    for other in (frame["offset"], frame["offset"].to_dask_array()):
        assert_equal(named.predict(frame[NAMES], other).compute().to_numpy(), expected)
    classifier, each = PREDICTING["classes"], rng.random((N, 3))
    expected = classifier.predict_proba(X, each)
    assert_equal(
        classifier.predict_proba(lazy(X), da.from_array(each, (90, 1))).compute(), expected
    )


def test_predictions_are_those_of_the_model_that_was_asked():
    model = HadamardLasso(0.05).fit(X, y)
    expected, predictions = model.predict(X), model.predict(lazy(X))
    model.fit(X, -y)
    assert_equal(predictions.compute(), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lazy(X[:, :5]),), ValueError, "X has 5 features, but HadamardLasso is expecting 6"),
        ((lazy(X), offset[1:]), ValueError, "offset must have one row for each of X, 400"),
        ((frames()[NAMES], offset), TypeError, "offset must be a Dask series, data frame or array"),
        ((X, lazy(offset)), TypeError, "offset is a Dask collection"),
        ((dask.delayed(X),), TypeError, "X must be a Dask array or a Dask data frame"),
        ((Batches([(X, y)]),), TypeError, "predict does not take Batches.* block by block"),
    ],
)
@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
def test_bad_samples_to_predict_for(arguments, error, message):
    with pytest.raises(error, match=message):
        PREDICTING["regressor"].predict(*arguments)


SCORED = {
    "R^2": (HadamardLasso(0.05), y, offset),
    "R^2, targets": (HadamardLasso(0.05), np.stack([y, 3.0 - y], axis=1), None),
    "R^2, constant": (HadamardLasso(0.05), np.full(N, 0.1), None),
    "accuracy": (HadamardLogisticRegression(), labels, None),
    "log loss": (HadamardLogisticRegressionCV(Cs=2, cv=2, scoring="neg_log_loss"), labels, None),
    "D^2, Poisson": (HadamardPoissonRegressor(0.01), counts, offset),
    "D^2, gamma": (HadamardGammaRegressor(0.01), counts + 1.0, offset),
    "D^2, zeros": (HadamardPoissonRegressor(0.01), 0.0 * counts, None),
    "D^2, normal": (HadamardTweedieRegressor(alpha=0.01, power=0), y, None),
}


@pytest.mark.parametrize("kind", SCORED)
def test_scores_are_those_in_memory(kind):
    model, target, given = SCORED[kind]
    fitted_to = {"D^2, zeros": counts, "R^2, constant": y}
    model.fit(X, fitted_to.get(kind, target))
    beside = {"sample_weight": weights, "offset": given}
    blocks = {name: None if values is None else lazy(values) for name, values in beside.items()}
    got, expected = model.score(lazy(X), lazy(target), **blocks), model.score(X, target, **beside)
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-12)
    batches = Batches([(X[:90], target[:90], weights[:90]), (X[90:], target[90:], weights[90:])])
    without = model.score(X, target, sample_weight=weights)
    assert model.score(batches) == pytest.approx(without, rel=1e-12, abs=1e-12)


def test_bad_scores():
    regressor, classifier = PREDICTING["regressor"], PREDICTING["two classes"]
    with pytest.raises(ValueError, match=r"y of block \d has 2 columns, and the model predicts 1"):
        regressor.score(lazy(X), lazy(np.stack([y, y], axis=1)))
    with pytest.raises(ValueError, match="X has 5 features, but HadamardLasso is expecting 6"):
        regressor.score(lazy(X[:, :5]), lazy(y))
    with pytest.raises(ValueError, match=r"In block \d: Input X contains NaN"):
        regressor.score(lazy(np.full((N, P), np.nan)), lazy(y))
    with pytest.raises(ValueError, match=r"In block \d: Some value.s. of y are out of the valid"):
        PREDICTING["counts"].score(lazy(X), lazy(-1.0 - counts))
    with pytest.raises(ValueError, match="scoring must be None, 'accuracy' or 'neg_log_loss'"):
        sklearn.clone(classifier).set_params(scoring="roc_auc").fit(X, labels == "a").score(
            lazy(X), lazy(labels == "a")
        )
    with pytest.raises(ValueError, match="none of them has a positive weight"):
        classifier.score(lazy(X), lazy(labels == "a"), sample_weight=lazy(0.0 * y))


def test_cross_validation_of_scikit_learn():
    model = HadamardLasso(0.05, tol=1e-12)
    np.testing.assert_allclose(
        cross_val_score(model, lazy(X), lazy(y)), cross_val_score(model, X, y)
    )


@pytest.mark.parametrize(
    "model",
    [
        HadamardRelaxed(HadamardLasso()),
        HadamardStabilitySelection(),
        PathSearchCV(HadamardLasso(), {"alpha": [0.1, 0.2]}),
    ],
)
def test_nothing_is_pulled_in_where_dask_is_not_supported(model):
    with pytest.raises(TypeError, match="X is a Dask collection"):
        without_computing(model.fit, lazy(X), lazy(y))
    with pytest.raises(TypeError, match="X is Batches"):
        model.fit(Batches([(X, y)]), y)
    if hasattr(model, "transform"):
        with pytest.raises(TypeError, match="X is a Dask collection"):
            model.fit(X, y).transform(lazy(X))


@pytest.mark.parametrize(
    "function",
    [
        lambda: Summary.from_estimator(PREDICTING["classes"], lazy(X), lazy(labels)),
        lambda: RegularizationPathDisplay.from_estimator(PREDICTING["counts"], lazy(X), lazy(y)),
        lambda: HadamardLasso(penalty_weights=lazy(weights)).fit(X, y),
        lambda: HadamardStabilitySelection().fit(X, y, offset=lazy(offset)),
        lambda: lasso_path(X, y, sample_weight=lazy(weights)),
        lambda: logistic_path(X, lazy(labels)),
        lambda: PREDICTING["regressor"].score(X, lazy(y)),
    ],
)
def test_nor_anywhere_else(function):
    with pytest.raises(TypeError, match="is a Dask collection"):
        without_computing(function)


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as workers,
    ):
        yield workers


def block_of(number, n_rows=200):
    return np.random.default_rng(number).standard_normal((n_rows, P))


def data_of(load, n_blocks=8):
    """X and y from blocks that are loaded when they are read."""
    blocks = [dask.delayed(load)(number) for number in range(n_blocks)]
    values = da.concatenate([da.from_delayed(block, (200, P), float) for block in blocks])
    return values, values[:, 0] - values[:, 1] + values[:, 2] ** 2


LEAST_SQUARES = HadamardLassoCV(cv=3, alphas=20)
LOGISTIC = HadamardLogisticRegressionCV(cv=3, Cs=3)


def fitted(model, load=block_of):
    values, target = data_of(load)
    return sklearn.clone(model).fit(values, target > 1.0 if model is LOGISTIC else target)


def same_bits(one, other):
    names = ("coef_", "intercept_", "mse_path_", "alphas_", "Cs_", "dual_gap_")
    names = [name for name in names if hasattr(other, name)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("model", [LEAST_SQUARES, LOGISTIC])
def test_the_same_bits_whoever_works(cluster, model):
    expected = fitted(model)
    if model is LEAST_SQUARES:
        with dask.config.set(scheduler="processes", num_workers=2):
            assert same_bits(fitted(model), expected)
    with distributed.Client(cluster):
        for _ in range(2):
            assert same_bits(fitted(model), expected)


@pytest.mark.parametrize(("model", "in_pass"), [(LEAST_SQUARES, 1), (LOGISTIC, 3)])
def test_a_worker_that_dies_is_replaced(cluster, tmp_path, model, in_pass):
    def dies_once(number):
        if number == 5:
            n_read = len(list(tmp_path.iterdir())) + 1
            (tmp_path / str(n_read)).touch()
            if n_read == in_pass:
                os.kill(os.getpid(), signal.SIGKILL)
        return block_of(number)

    with distributed.Client(cluster):
        got = fitted(model, dies_once)
    assert len(list(tmp_path.iterdir())) > got.n_passes_ >= in_pass
    assert same_bits(got, fitted(model))


def test_errors_on_workers_reach_the_user(cluster):
    def with_nan(number):
        return block_of(number) if number != 3 else np.full((200, P), np.nan)

    def dies(number):
        return os.kill(os.getpid(), signal.SIGKILL) if number == 3 else block_of(number)

    model = HadamardLasso(0.1).fit(X, y)
    before = vars(model).copy()
    with distributed.Client(cluster) as client:
        with pytest.raises(ValueError, match="block 3"):
            model.fit(*data_of(with_nan))
        with pytest.raises(distributed.KilledWorker):
            model.fit(*data_of(dies))
        assert vars(model) == before
        client.wait_for_workers(2)


@pytest.fixture
def interruptible():
    """An interrupt raises an error, also in a process of a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("where", ["cluster", "threads"])
def test_an_interrupt_ends_the_work(cluster, tmp_path, where):
    def slow(number):
        (tmp_path / str(number)).touch()
        time.sleep(0.2)
        return block_of(number)

    model = HadamardLasso(0.1).fit(X, y)
    before = vars(model).copy()
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    with distributed.Client(cluster, set_as_default=where == "cluster") as client:
        scheduler = client if where == "cluster" else where
        timer.start()
        with dask.config.set(scheduler=scheduler), pytest.raises(KeyboardInterrupt):
            model.fit(*data_of(slow, 40))
        begun = -1
        while begun < len(list(tmp_path.iterdir())):  # what has begun may end
            begun = len(list(tmp_path.iterdir()))
            time.sleep(1.0)
    assert begun < 40
    assert vars(model) == before
