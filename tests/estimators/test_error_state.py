"""Every public call works in whatever error state NumPy is in."""

import numpy as np
import pytest
from scipy import sparse

import hplasso

RNG = np.random.default_rng(0)
SIZES = {
    "ordinary": np.ones(6),
    "tiny and huge": 10.0 ** np.array([-140, 0, 140, 0, 0, -100]),
}


@pytest.fixture(autouse=True)
def strict():
    with np.errstate(all="raise"):
        yield


@pytest.fixture(params=SIZES)
def X(request):
    return RNG.normal(size=(40, 6)) * SIZES[request.param]


@pytest.fixture(params=[np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def container(request):
    return request.param


Y = RNG.normal(size=40)
LABELS = {2: (Y > 0).astype(int), 3: np.digitize(Y, [-0.5, 0.5])}


@pytest.mark.parametrize(
    "model",
    [
        hplasso.HadamardLasso(0.01),
        hplasso.HadamardLasso(0.01, solver="alternating", tol=1e-2),
        hplasso.HadamardElasticNet(0.01),
        hplasso.HadamardLassoCV(cv=2, alphas=5),
        hplasso.HadamardElasticNetCV(cv=2, alphas=5),
        hplasso.HadamardLassoIC(),
    ],
    ids=repr,
)
def test_regressors(model, X, container):
    model.fit(container(X), Y)
    assert np.isfinite(model.predict(container(X))).all()
    assert np.isfinite(model.score(container(X), Y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "model",
    [
        hplasso.HadamardLogisticRegression(1e3),
        hplasso.HadamardLogisticRegression(1.0, solver="alternating", tol=1e-2),
        hplasso.HadamardLogisticRegressionCV(Cs=3, cv=2),
    ],
    ids=repr,
)
def test_classifiers(model, n_classes, X, container):
    model.fit(container(X), LABELS[n_classes])
    far = container(1e4 * X)  # probabilities vanish
    assert np.isfinite(model.predict_proba(far)).all()
    assert np.isfinite(model.predict_log_proba(far)).all()
    assert model.predict(far).shape == (40,)
    assert np.isfinite(model.score(container(X), LABELS[n_classes]))


def test_paths(X, container):
    for path in (hplasso.lasso_path, hplasso.enet_path):
        assert np.isfinite(path(container(X), Y, alphas=5)[1]).all()
    for labels in LABELS.values():
        assert np.isfinite(hplasso.logistic_path(container(X), labels, Cs=5)[1]).all()


def test_displays(X):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    lasso = hplasso.HadamardLasso(0.01).fit(X, Y)
    hplasso.RegularizationPathDisplay.from_estimator(lasso, X, Y)
    hplasso.CertificateDisplay.from_estimator(lasso, X, Y)
    for labels in LABELS.values():
        logistic = hplasso.HadamardLogisticRegression().fit(X, labels)
        hplasso.RegularizationPathDisplay.from_estimator(logistic, X, labels)
        hplasso.CertificateDisplay.from_estimator(logistic, X, labels)
    model = hplasso.HadamardLassoCV(cv=2, alphas=5).fit(X, Y)
    hplasso.CrossValidationDisplay.from_estimator(model)
    plt.close("all")
