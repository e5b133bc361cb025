"""Where scikit-learn has a name that the package has not, and where it looks for one."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.feature_selection import SelectFromModel

import hplasso
from hplasso import (
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
)

X, y = make_regression(80, 20, n_informative=6, noise=5.0, random_state=0)
labels = make_classification(80, 20, n_informative=6, random_state=0)[1]
L1 = [
    HadamardElasticNet(5.0, l1_ratio=1.0),
    HadamardElasticNetCV(l1_ratio=1.0, alphas=[5.0], cv=2),
    HadamardElasticNetCV(l1_ratio=[1.0], alphas=[5.0], cv=2),
    HadamardLasso(5.0),
    HadamardLassoCV(alphas=[5.0], cv=2),
    HadamardLassoIC(alphas=[5.0]),
    HadamardLogisticRegression(0.5),
    HadamardLogisticRegressionCV(Cs=[0.5], cv=2),
    HadamardLogisticRegressionCV(Cs=[0.5], cv=2, refit=False),
]
MIXED = [
    HadamardElasticNet(),
    HadamardElasticNetCV(alphas=[1.0], cv=2),
    HadamardLogisticRegression(l1_ratio=0.9),
    HadamardLogisticRegressionCV(l1_ratios=[0.9], Cs=2, cv=2),
]


def data_for(model):
    return (X, (y > 0).astype(int)) if "Logistic" in type(model).__name__ else (X, y)


@pytest.mark.parametrize("model", L1, ids=str)
def test_models_with_the_l1_penalty_select_what_is_not_zero(model):
    selector = SelectFromModel(model).fit(*data_for(model))
    live = np.abs(selector.estimator_.coef_).ravel() > 1e-5
    assert 2 <= live.sum() < 20
    np.testing.assert_array_equal(selector.get_support(), live)


@pytest.mark.parametrize("model", L1 + MIXED, ids=str)
def test_the_penalty_has_a_name_and_is_no_parameter(model):
    name = "l1" if model in L1 else "elasticnet"
    fitted = clone(model).fit(*data_for(model))
    for one in (model, clone(model), fitted, pickle.loads(pickle.dumps(fitted))):
        assert one.penalty == name
        assert "penalty" not in one.get_params()
        assert "penalty" not in repr(one)
        assert "penalty" not in vars(one)
        assert one._repr_html_()
    with pytest.raises(AttributeError, match=r"penalty of Hadamard.*cannot be set.*l1_ratio=1 for"):
        fitted.penalty = "l1"
    with pytest.raises(ValueError, match="Invalid parameter 'penalty'"):
        fitted.set_params(penalty="l1")


def test_the_penalty_is_that_of_the_l1_ratio_that_was_chosen():
    for model in (
        HadamardElasticNetCV(l1_ratio=[0.01, 1.0], cv=3),
        HadamardLogisticRegressionCV(l1_ratios=[0.01, 1.0], cv=3, Cs=5),
    ):
        assert model.penalty == "elasticnet"
        model.fit(*data_for(model))
        assert model.l1_ratio_ == 1.0
        assert model.penalty == "l1"


@pytest.mark.parametrize("l1_ratio", [None, "one", [[0.5], [1.0]]])
def test_a_wrong_l1_ratio_is_no_l1_penalty(l1_ratio):
    assert HadamardElasticNet(l1_ratio=l1_ratio).penalty == "elasticnet"


@pytest.mark.parametrize(
    ("name", "parameter", "advice"),
    [
        ("HadamardLogisticRegression", {"penalty": "l1"}, "Write l1_ratio=1 for 'l1', l1_ratio=0"),
        ("HadamardLogisticRegression", {"multi_class": "ovr"}, "OneVsRestClassifier"),
        ("HadamardLogisticRegression", {"dual": False}, "leave it out"),
        ("HadamardLogisticRegression", {"intercept_scaling": 1}, "The intercept is not penalised"),
        ("HadamardLogisticRegression", {"n_jobs": 2}, "no effect: leave it out"),
        ("HadamardLogisticRegression", {"Cs": [1.0]}, "Write C "),
        ("HadamardLogisticRegressionCV", {"penalty": "l1"}, "Write l1_ratio=1 for 'l1'"),
        ("HadamardLogisticRegressionCV", {"C": 1.0}, r"Write Cs=\[C\]"),
        ("HadamardLogisticRegressionCV", {"use_legacy_attributes": False}, "leave it out"),
        ("HadamardLasso", {"normalize": True}, r"Write make_pipeline\(StandardScaler\(\)"),
        ("HadamardLasso", {"l1_ratio": 0.5}, "HadamardElasticNet, "),
        ("HadamardLasso", {"penalty": "l1"}, "the L1 penalty alone"),
        ("HadamardLasso", {"sample_weight": [1.0]}, r"sample_weight=\.\.\.\)"),
        ("HadamardLassoCV", {"n_alphas": 100}, "Write alphas, an int"),
        ("HadamardLassoCV", {"alpha": 1.0}, r"Write alphas=\[alpha\]"),
        ("HadamardLassoIC", {"random_state": 0}, "Nothing is random"),
        ("HadamardElasticNet", {"alphas": [1.0]}, r"Write alpha for the single value\.$"),
        ("HadamardLasso", {"Cs": [1.0]}, "Write alpha for the single value; .* is alpha here"),
        ("HadamardLasso", {"n_alphas": 9}, r"Write alpha for the single value\.$"),
        ("HadamardLasso", {"l1_ratios": [0.5]}, "HadamardElasticNet, .* have l1_ratio"),
        ("HadamardLassoCV", {"C": 1.0}, r"Write alphas=\[alpha\] for one value; .* alpha here"),
        ("HadamardPoissonRegressorCV", {"Cs": 9}, "Write alphas; .* is alpha here"),
        ("HadamardElasticNetCV", {"l1_ratios": [0.5]}, "Write l1_ratio for the single value"),
        ("HadamardLogisticRegression", {"alpha": 1.0}, "Write C for the single value; .* is C"),
        ("HadamardLogisticRegressionCV", {"alphas": [1.0]}, "Write Cs; .* is C here"),
        ("HadamardLogisticRegressionCV", {"n_alphas": 9}, "Write Cs, an int, for the number of Cs"),
        ("HadamardLogisticRegressionCV", {"l1_ratio": 0.5}, r"Write l1_ratios=\[l1_ratio\]"),
        ("HadamardRelaxed", {"alpha": 1.0}, "Write it in the estimator"),
        ("HadamardRelaxedCV", {"l1_ratio": 1.0}, "Write it in the estimator"),
        ("HadamardRelaxed", {"penalty_weights": None}, "Write it in the estimator"),
        ("HadamardGroupLasso", {"penalty_weights": None}, "Write group_weights"),
        ("HadamardRelaxedCV", {"C": 1.0}, r"Write Cs=\[C\] for one value\.$"),
        ("HadamardStabilitySelection", {"alpha": 1.0}, r"Write alphas=\[alpha\] for one value\.$"),
        ("HadamardElasticNetCV", {"n_alphas": 100}, "Write alphas, an int"),
        ("lasso_path", {"n_alphas": 100}, "Write alphas, an int"),
        ("logistic_path", {"penalty": "l1"}, "Write l1_ratio=1 for 'l1'"),
    ],
)
def test_arguments_of_scikit_learn(name, parameter, advice):
    function = getattr(hplasso, name)
    words = f"{name}.*unexpected keyword argument '{next(iter(parameter))}'. .*{advice}"
    with pytest.raises(TypeError, match=words):
        function(**parameter) if name.startswith("H") else function(X, y, **parameter)


def test_an_argument_that_nobody_has():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'colour'$"):
        HadamardLasso(colour="red")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'colour'$"):
        hplasso.lasso_path(X, y, colour="red")


@pytest.mark.parametrize(
    ("parameter", "advice"),
    [
        ({"solver": "saga"}, "Got 'saga' instead. Write solver='auto'"),
        ({"solver": "liblinear"}, "Got 'liblinear' instead. Write solver='auto'"),
        ({"l1_ratio": None}, "Got None instead. Write l1_ratio=1 for the L1 penalty"),
        ({"C": np.inf}, r"Got inf instead. Write penalty_weights=\[0, ..., 0\] for no penalty"),
        ({"C": np.float64(np.inf)}, r"instead. Write penalty_weights=\[0, ..., 0\]"),
        ({"solver": "mine"}, r"Got 'mine' instead\.$"),
    ],
)
def test_values_of_scikit_learn(parameter, advice):
    with pytest.raises(ValueError, match=advice):
        HadamardLogisticRegression(**parameter).fit(X, labels)
