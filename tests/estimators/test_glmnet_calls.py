"""The calls that the pages on migration give for those of glmnet have glmnet's coefficients.

``references/glmnet_migration.py`` has stored them. Coefficients are compared in the units of the
data, which have different scales, so that a forgotten standardisation is seen.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hplasso import (
    HadamardElasticNet,
    HadamardGammaRegressor,
    HadamardLasso,
    HadamardLogisticRegression,
    HadamardPoissonRegressor,
    PathSearchCV,
)

REFERENCES = json.loads(
    (Path(__file__).parent.parent / "references/glmnet_migration.json").read_text()
)
DATA = {
    "diabetes": load_diabetes(return_X_y=True, scaled=False),
    "breast_cancer": load_breast_cancer(return_X_y=True),
    "iris": load_iris(return_X_y=True),
}
TIGHT = {"tol": 1e-13}


def spread(X, weights=None):
    """The standard deviations by which glmnet standardises: divided by n, and weighted."""
    return np.sqrt(np.diag(np.cov(X, rowvar=False, ddof=0, aweights=weights)))


def penalised(X, factors=1.0, weights=None):
    """Penalty weights for standardised columns, with factors that are rescaled to a mean of one."""
    return spread(X, weights) * factors / np.mean(factors)


def classifier(n, **parameters):
    """For lambda = 0.02 and a total sample weight of n."""
    return HadamardLogisticRegression(1.0 / (0.02 * n), **parameters, **TIGHT)


def fitted(name, X, y):
    w = 1.0 + np.arange(len(y)) % 3
    factors = np.array([0, 0, 1, 1, 1, 1, 1, 1, 2, 2]) if name == "penalty.factor" else 1.0
    weights = w if "weights" in name else None
    by_spread = {"penalty_weights": penalised(X, factors, weights)}
    if name in ("standardize", "penalty.factor", "weights"):
        return HadamardLasso(2.0, **by_spread, **TIGHT).fit(X, y, sample_weight=weights)
    if name == "as they are":
        return HadamardLasso(2.0, **TIGHT).fit(X, y)
    if name == "lower.limits":
        return HadamardLasso(2.0, positive=True, **by_spread, **TIGHT).fit(X, y)
    if name == "poisson":
        counts = np.floor(y / 10)
        return HadamardPoissonRegressor(0.5, **by_spread, **TIGHT).fit(X, counts, offset=np.log(w))
    if name == "Gamma":
        return HadamardGammaRegressor(0.05, **by_spread, **TIGHT).fit(X, y)
    total = len(y) if weights is None else weights.sum()
    return classifier(total, **by_spread).fit(X, y, sample_weight=weights)


def check(name, coef, intercept):
    assert_allclose(np.squeeze(coef), REFERENCES[name]["coef"], atol=1e-6)
    assert_allclose(np.squeeze(intercept), REFERENCES[name]["intercept"], rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(REFERENCES) - {"alpha", "cv.glmnet"}))
def test_coefficients_are_those_of_glmnet(name):
    model = fitted(name, *DATA[REFERENCES[name]["data"]])
    check(name, model.coef_, model.intercept_)


def in_units(pipeline):
    """Coefficients and intercept of a model behind a StandardScaler, in the units of the data."""
    scaler, model = pipeline
    coef = model.coef_ / scaler.scale_
    return coef, model.intercept_ - scaler.mean_ @ coef


def test_elastic_net_of_glmnet_divides_the_ridge_part_by_the_spread_of_y():
    X, y = DATA["diabetes"]
    lasso, ridge = 2.0 * 0.5, 2.0 * 0.5 / y.std()
    net = HadamardElasticNet(lasso + ridge, l1_ratio=lasso / (lasso + ridge), **TIGHT)
    check("alpha", *in_units(make_pipeline(StandardScaler(), net).fit(X, y)))


def test_search_over_a_pipeline_is_cv_glmnet():
    """Each fold is standardised by its own training samples, as in glmnet."""
    X, y = (array[:440] for array in DATA["diabetes"])
    reference = REFERENCES["cv.glmnet"]
    search = PathSearchCV(
        make_pipeline(StandardScaler(), HadamardLasso(**TIGHT)),
        {"hadamardlasso__alpha": np.geomspace(40.0, 0.4, 25)},
        cv=PredefinedSplit(np.arange(440) % 10),
        scoring="neg_mean_squared_error",
        rule="1se",
    ).fit(X, y)
    means = search.cv_results_["mean_test_score"]
    assert_allclose(-means, reference["mean"], rtol=1e-8)
    alphas = search.cv_results_["param_hadamardlasso__alpha"]
    assert alphas[means.argmax()] == pytest.approx(reference["lambda.min"])
    assert search.best_params_["hadamardlasso__alpha"] == pytest.approx(reference["lambda"])
    assert reference["lambda"] > reference["lambda.min"]
    check("cv.glmnet", *in_units(search.best_estimator_))
