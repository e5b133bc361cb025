"""Offsets of least squares and of classes: a known part of the linear model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold

from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    enet_path,
    lasso_path,
    logistic_path,
)

N, P = 120, 15
rng = np.random.default_rng(0)
X = rng.standard_normal((N, P))
OFFSET = 2.0 * rng.standard_normal(N)
y = X[:, :3] @ [1.0, -1.0, 0.5] + OFFSET + rng.standard_normal(N)
WEIGHTS = rng.exponential(size=N)


@pytest.mark.parametrize(
    "model",
    [
        HadamardLasso(0.1, tol=1e-12),
        HadamardElasticNet(0.1, tol=1e-12),
        HadamardLassoCV(cv=3, alphas=20),
        HadamardElasticNetCV(cv=3, alphas=20),
        HadamardLassoIC(alphas=20),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_offset_of_least_squares_is_a_part_of_y(model):
    model.fit(X, y, WEIGHTS, offset=OFFSET)
    coef, intercept = model.coef_, model.intercept_
    assert_allclose(model.predict(X, OFFSET), X @ coef + intercept + OFFSET)
    residual = ((y - model.predict(X, OFFSET)) ** 2 * WEIGHTS).sum()
    null = ((y - np.average(y, weights=WEIGHTS)) ** 2 * WEIGHTS).sum()
    assert model.score(X, y, WEIGHTS, OFFSET) == pytest.approx(1.0 - residual / null)
    model.fit(X, y - OFFSET, WEIGHTS)
    assert_allclose(coef, model.coef_)
    assert intercept == pytest.approx(model.intercept_)


def test_offsets_of_several_targets():
    targets, offsets = np.stack([y, -y], axis=1), np.stack([OFFSET, 0.5 * OFFSET], axis=1)
    model = HadamardLasso(0.1, tol=1e-12).fit(X, targets, offset=offsets)
    right = HadamardLasso(0.1, tol=1e-12).fit(X, targets - offsets)
    assert_allclose(model.coef_, right.coef_, atol=1e-12)
    assert_allclose(model.predict(X, offsets), right.predict(X) + offsets)


@pytest.mark.parametrize("path", [lasso_path, enet_path])
def test_offsets_of_paths(path):
    with_offset = path(X, y, alphas=10, offset=OFFSET)
    for given, right in zip(with_offset, path(X, y - OFFSET, alphas=10), strict=True):
        assert_allclose(given, right, atol=1e-12)


def optimal(coefs, intercepts, onehot, offsets, C, weights):
    """Whether each row of coefficients satisfies its conditions; K = 1 for two classes."""
    outputs = X @ coefs.T + intercepts + offsets
    means = expit(outputs) if len(coefs) == 1 else softmax(outputs, axis=1)
    residual = weights[:, None] * (onehot - means)
    z = (X.T @ residual).T * C
    assert_allclose(residual.sum(axis=0), 0.0, atol=1e-9)
    on = coefs != 0.0
    assert on.any()
    assert_allclose(z[on], np.sign(coefs[on]), atol=1e-4)
    assert (np.abs(z) <= 1.0 + 1e-4).all()


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_an_offset_of_two_classes(container):
    labels = np.where(y > 0.0, "yes", "no")
    model = HadamardLogisticRegression(C=0.5, tol=1e-12)
    model.fit(container(X), labels, WEIGHTS, OFFSET)
    onehot = (labels == "yes")[:, None] * 1.0
    optimal(model.coef_, model.intercept_, onehot, OFFSET[:, None], 0.5, WEIGHTS)
    outputs = X @ model.coef_[0] + model.intercept_ + OFFSET
    assert_allclose(model.decision_function(X, OFFSET), outputs)
    assert_allclose(model.predict_proba(X, OFFSET)[:, 1], expit(outputs))
    assert_allclose(model.predict_log_proba(X, OFFSET)[:, 1], -np.logaddexp(0.0, -outputs))
    right = np.average(np.where(outputs > 0.0, "yes", "no") == labels, weights=WEIGHTS)
    assert model.score(X, labels, WEIGHTS, OFFSET) == pytest.approx(right)
    Cs, coefs, intercepts, _ = logistic_path(
        X, labels, Cs=[0.5], sample_weight=WEIGHTS, offset=OFFSET, tol=1e-12
    )
    assert_allclose(coefs[:, 0], model.coef_[0], atol=1e-8)
    assert_allclose(intercepts, model.intercept_, atol=1e-8)
    assert Cs == [0.5]


def test_the_gap_of_two_classes_with_an_offset():
    labels, C = (y > 0.0) * 1.0, 0.5
    model = HadamardLogisticRegression(C=C, tol=1e-3).fit(X, labels, offset=OFFSET)
    outputs = X @ model.coef_[0] + model.intercept_ + OFFSET
    z = X.T @ (labels - expit(outputs)) * C
    kappa = min(1.0, 1.0 / np.abs(z).max())
    q = (1.0 - kappa) * labels + kappa * expit(outputs)
    primal = np.logaddexp(0.0, outputs) - labels * outputs
    entropy = -(q * np.log(q) + (1.0 - q) * np.log1p(-q))
    dual = entropy + (q - labels) * OFFSET
    gap = (primal - dual).mean() + np.abs(model.coef_).sum() / (C * N)
    assert model.dual_gap_ == pytest.approx(gap, rel=1e-6, abs=1e-14)


def test_offsets_of_three_classes():
    codes, offsets = rng.integers(0, 3, N), rng.standard_normal((N, 3))
    codes[X[:, 0] > 0.7] = 2
    model = HadamardLogisticRegression(C=0.5, tol=1e-12).fit(X, codes, WEIGHTS, offsets)
    optimal(model.coef_, model.intercept_, np.eye(3)[codes], offsets, 0.5, WEIGHTS)
    outputs = X @ model.coef_.T + model.intercept_ + offsets
    assert_allclose(model.predict_log_proba(X, offsets), log_softmax(outputs, axis=1))
    assert (model.predict(X, offsets) == outputs.argmax(axis=1)).all()
    # what is added to all classes makes no difference
    again = HadamardLogisticRegression(C=0.5, tol=1e-12)
    again.fit(X, codes, WEIGHTS, offsets + OFFSET[:, None])
    assert_allclose(again.coef_, model.coef_, atol=1e-6)
    # a class without weight: the others alone
    absent = np.where(codes == 1, 0.0, WEIGHTS)
    model.fit(X, codes, absent, offsets)
    two = HadamardLogisticRegression(C=0.5, tol=1e-12)
    kept = codes != 1
    two.fit(X[kept], codes[kept], WEIGHTS[kept], (offsets[:, 2] - offsets[:, 0])[kept])
    assert_allclose(model.coef_[2] - model.coef_[0], two.coef_[0], atol=1e-6)
    assert model.predict_proba(X, offsets)[:, 1].max() < 1e-290


@pytest.mark.parametrize("shape", [(3,), (N, 2)])
def test_offsets_of_another_shape(shape):
    for model, target in ((HadamardLasso(), y), (HadamardLogisticRegression(), y > 0.0)):
        with pytest.raises(ValueError, match="offset must have shape"):
            model.fit(X, target, offset=np.zeros(shape))
        assert not hasattr(model, "coef_")
        model.fit(X, target)
        with pytest.raises(ValueError, match="offset must have shape"):
            model.predict(X, np.zeros(shape))


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
@pytest.mark.parametrize("refit", [True, False])
def test_cross_validation_of_classes_with_an_offset(scoring, refit):
    labels = np.where(y > 0.0, "yes", "no")
    Cs, folds = [0.02, 0.2, 2.0], KFold(3)
    model = HadamardLogisticRegressionCV(Cs=Cs, cv=folds, scoring=scoring, refit=refit, tol=1e-8)
    model.fit(X, labels, offset=OFFSET)
    for fold, (train, test) in enumerate(folds.split(X)):
        for position, C in enumerate(Cs):
            single = HadamardLogisticRegression(C, tol=1e-8)
            single.fit(X[train], labels[train], offset=OFFSET[train])
            right = single.score(X[test], labels[test], offset=OFFSET[test])
            if scoring:
                right = -log_loss(labels[test], single.predict_proba(X[test], OFFSET[test]))
            assert model.scores_[fold, 0, position] == pytest.approx(right, abs=1e-4)
    probabilities = model.predict_proba(X, OFFSET)
    right = -log_loss(labels, probabilities) if scoring else model_accuracy(model, labels)
    assert model.score(X, labels, offset=OFFSET) == pytest.approx(right)
    assert model.score(X, labels) < model.score(X, labels, offset=OFFSET)


def model_accuracy(model, labels):
    return (model.predict(X, OFFSET) == labels).mean()


def test_cross_validation_of_three_classes_with_an_offset():
    codes, offsets = np.arange(N) % 3, 2.0 * rng.standard_normal((N, 3))
    codes[X[:, 0] > 0.7] = 2
    model = HadamardLogisticRegressionCV(Cs=[0.1, 1.0], cv=2, scoring="neg_log_loss")
    model.fit(X, codes, offset=offsets)
    right = -log_loss(codes, model.predict_proba(X, offsets))
    assert model.score(X, codes, offset=offsets) == pytest.approx(right)
    other = model.at(model.C_)
    assert_allclose(other.predict_proba(X, offsets), model.predict_proba(X, offsets))
