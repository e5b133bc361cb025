"""What mypy --strict makes of a program that uses the package; it is checked, and never run.

Each `type: ignore` is an error that a user should see: mypy fails if it is none.
"""

# ruff: noqa: B018 (what is looked up is for mypy alone)

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardGroupLassoCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    HadamardMultiTaskLassoCV,
    HadamardPoissonRegressor,
    HadamardPoissonRegressorCV,
    HadamardRelaxed,
    HadamardRelaxedCV,
    HadamardStabilitySelection,
    HadamardTweedieRegressor,
    PathSearchCV,
    RegularizationPathDisplay,
    enet_path,
    glm_path,
    group_path,
    lasso_path,
    logistic_path,
    minimize_l1,
)

Array = NDArray[Any]
X, y = np.ones((3, 2)), np.arange(3.0)
some = bool(y[0])

model = HadamardLasso(alpha=0.1, positive=True, solver="alternating")
assert_type(model.alpha, float)
assert_type(model.fit(X, y), HadamardLasso)
assert_type(model.fit(X, y, sample_weight=y).coef_, Array)
assert_type(model.set_params(alpha=1.0), HadamardLasso)
assert_type(model.set_fit_request(sample_weight=True), HadamardLasso)
assert_type(model.get_params(), dict[str, Any])
assert_type(model.n_features_in_, int)
assert_type(model.score(X, y), float)
assert_type(HadamardLogisticRegression(C=0.5).sparsify(), HadamardLogisticRegression)
assert_type(HadamardLogisticRegression(class_weight={0: 1, 1: 2}).fit(X, y).classes_, Array)
assert_type(HadamardLassoCV(rule="1se").fit(X, y).alpha_, float)
assert_type(HadamardElasticNetCV(l1_ratio=[0.5, 1.0]).fit(X, y).l1_ratio_, float)
assert_type(HadamardLogisticRegressionCV().fit(X, y).at(1.0), HadamardLogisticRegression)
assert_type(HadamardGroupLassoCV(groups=[0, 0]).fit(X, y).coef_, Array)
assert_type(HadamardMultiTaskLassoCV(rule="1se").fit(X, X).alpha_min_, float)
assert_type(HadamardPoissonRegressorCV().fit(X, y).alpha_1se_, float)
assert_type(HadamardRelaxedCV().fit(X, y).gamma_, float)
assert_type(HadamardStabilitySelection().fit(X, y).get_support(), Array)
assert_type(PathSearchCV(model, {"alpha": [0.1, 1.0]}).fit(X, y).best_score_, float)
assert_type(RegularizationPathDisplay.from_estimator(model, X, y), RegularizationPathDisplay)
assert_type(minimize_l1(lambda x: float(x @ x), y, 0.1, jac="3-point").x, Any)

# What path functions return follows from their flags.
assert_type(lasso_path(X, y, alphas=5), tuple[Array, Array, Array])
assert_type(group_path(X, y, groups=[0, 0, 1]), tuple[Array, Array, Array])
assert_type(lasso_path(X, y, return_n_iter=True), tuple[Array, Array, Array, list[Any]])
assert_type(enet_path(X, y, l1_ratio=0.9, return_intercept=True), tuple[Array, Array, Array, Array])
assert_type(
    enet_path(X, y, return_n_iter=True, return_intercept=True),
    tuple[Array, Array, Array, list[Any], Array],
)
assert_type(lasso_path(X, y, return_n_iter=some), tuple[Any, ...])
assert_type(logistic_path(X, y, Cs=5), tuple[Array, Array, Array, Array])
assert_type(
    glm_path(X, y, family="gamma", return_n_iter=True),
    tuple[Array, Array, Array, Array, list[int]],
)
assert_type(HadamardElasticNet.path(X, y), tuple[Array, Array, Array])

# Strings that there are not.
HadamardLasso(solver="saga")  # type: ignore[arg-type]
HadamardLasso(selection="forward")  # type: ignore[arg-type]
HadamardLassoCV(rule="2se")  # type: ignore[arg-type]
HadamardLassoCV(rule=1)  # type: ignore[arg-type]
HadamardLassoIC("dic")  # type: ignore[arg-type]
HadamardLogisticRegression(class_weight="balance")  # type: ignore[arg-type]
HadamardTweedieRegressor(link="logit")  # type: ignore[arg-type]
HadamardRelaxedCV(rule="2se")  # type: ignore[arg-type]
HadamardStabilitySelection(resampling="thirds")  # type: ignore[arg-type]
PathSearchCV(model, {"alpha": [0.1]}, rule="2se")  # type: ignore[arg-type]
lasso_path(X, y, solver="cd")  # type: ignore[call-overload]

# Names that there are not.
HadamardLasso(penalty=0.1)  # type: ignore[call-arg]
model.coeff_  # type: ignore[attr-defined]
HadamardLogisticRegression().predict_probas(X)  # type: ignore[attr-defined]
HadamardLassoCV().mse_path  # type: ignore[attr-defined]
HadamardLassoIC().criteria_  # type: ignore[attr-defined]
HadamardPoissonRegressor().deviance_  # type: ignore[attr-defined]
HadamardRelaxed().coef_refit_  # type: ignore[attr-defined]
HadamardStabilitySelection().probabilities_  # type: ignore[attr-defined]
PathSearchCV(model, {"alpha": [0.1]}).best_model_  # type: ignore[attr-defined]

# Values of another type, too many arguments, too few results.
HadamardLasso(alpha="0.1")  # type: ignore[arg-type]
HadamardLasso(0.1, True)  # type: ignore[call-arg]
minimize_l1(y, y, 0.1)  # type: ignore[arg-type]
alphas, coefs = lasso_path(X, y)  # type: ignore[misc]
