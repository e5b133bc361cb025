"""Classes of a user that inherit from the package's, and predict from samples alone."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_score

from hplasso import (
    Batches,
    HadamardElasticNet,
    HadamardGroupLogisticRegression,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardRelaxed,
)

X, y = load_diabetes(return_X_y=True)
labels = (y > 140.0).astype(int)
REGRESSORS = [HadamardLasso, HadamardElasticNet, HadamardLassoCV]
CLASSIFIERS = [
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardGroupLogisticRegression,
]


def shifted(kind):
    """A class whose predictions, or outputs, are 100 more."""

    class Shifted(kind):
        if kind in REGRESSORS:

            def predict(self, X):
                return super().predict(X) + 100.0
        else:

            def decision_function(self, X):
                return super().decision_function(X) + 100.0

    return Shifted


@pytest.mark.parametrize("kind", REGRESSORS)
def test_scores_are_those_of_its_predictions(kind):
    model = shifted(kind)().fit(X, y)
    expected = kind().fit(X, y).score(X, y - 100.0)
    assert model.score(X, y) == pytest.approx(expected, rel=1e-12)
    assert model.score(Batches(lambda: [(X, y)])) == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(cross_val_score(model, X, y, cv=2)).all()
    with pytest.raises(TypeError, match="predict"):
        model.score(X, y, offset=np.zeros(len(y)))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_and_probabilities_are_those_of_its_outputs(kind):
    model = shifted(kind)().fit(X, labels)
    assert model.predict(X).all()
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1.0)
    np.testing.assert_allclose(model.predict_log_proba(X)[:, 1], 0.0, atol=1e-20)
    if kind is not HadamardLogisticRegressionCV:  # whose scores are losses
        assert model.score(X, labels) == pytest.approx(labels.mean())


def test_relaxed_fits():
    model = HadamardRelaxed(shifted(HadamardLasso)(alpha=0.5)).fit(X, y)
    plain = HadamardRelaxed(HadamardLasso(alpha=0.5)).fit(X, y)
    np.testing.assert_allclose(model.predict(X), plain.predict(X) + 100.0)
    assert model.score(X, y) == pytest.approx(plain.score(X, y - 100.0))


def test_methods_that_take_no_offset():
    class Plain(HadamardLasso):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, y, sample_weight)

        def score(self, X, y, sample_weight=None):
            return 7.0

    model = HadamardRelaxed(Plain(alpha=0.5)).fit(X, y)
    np.testing.assert_array_equal(
        model.coef_, HadamardRelaxed(HadamardLasso(alpha=0.5)).fit(X, y).coef_
    )
    assert model.score(X, y) == 7.0


def test_lazy_predictions():
    dask_array = pytest.importorskip("dask.array")
    model = shifted(HadamardLasso)(alpha=0.5).fit(X, y)
    lazy = model.predict(dask_array.from_array(X, chunks=(100, -1)))
    np.testing.assert_allclose(lazy.compute(), model.predict(X), rtol=1e-12)
