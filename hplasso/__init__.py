"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

# scikit-learn imports scipy.stats in any case. Both take a tenth less time if that is done here,
# near the bottom of the interpreter's stack, and not from deep inside scikit-learn.
import scipy.stats  # noqa: F401

from ._design.batches import Batches
from ._estimators.elastic_net import HadamardElasticNet, enet_path
from ._estimators.glm_path import glm_path
from ._estimators.group_lasso import HadamardGroupLasso, group_path
from ._estimators.group_logistic import HadamardGroupLogisticRegression
from ._estimators.group_poisson import HadamardGroupPoissonRegressor
from ._estimators.lasso import HadamardLasso, lasso_path
from ._estimators.logistic import HadamardLogisticRegression, logistic_path
from ._estimators.multi_task_lasso import HadamardMultiTaskLasso
from ._estimators.tweedie import (
    HadamardGammaRegressor,
    HadamardPoissonRegressor,
    HadamardTweedieRegressor,
)
from ._model_selection.elastic_net_cv import HadamardElasticNetCV
from ._model_selection.group_lasso_cv import HadamardGroupLassoCV
from ._model_selection.lasso_cv import HadamardLassoCV
from ._model_selection.lasso_ic import HadamardLassoIC
from ._model_selection.logistic_cv import HadamardLogisticRegressionCV
from ._model_selection.multi_task_lasso_cv import HadamardMultiTaskLassoCV
from ._model_selection.path_search import PathSearchCV
from ._model_selection.relaxed import HadamardRelaxed
from ._model_selection.relaxed_cv import HadamardRelaxedCV
from ._model_selection.stability_selection import HadamardStabilitySelection
from ._model_selection.tweedie_cv import (
    HadamardGammaRegressorCV,
    HadamardPoissonRegressorCV,
    HadamardTweedieRegressorCV,
)
from ._numerics.versions import show_versions
from ._plot.certificate import CertificateDisplay
from ._plot.cross_validation import CrossValidationDisplay
from ._plot.path import RegularizationPathDisplay
from ._plot.stability import StabilityDisplay
from ._report.summary import Summary
from ._smooth.minimize import minimize_l1

__version__ = "0.1.0"
__all__ = [
    "Batches",
    "CertificateDisplay",
    "CrossValidationDisplay",
    "HadamardElasticNet",
    "HadamardElasticNetCV",
    "HadamardGammaRegressor",
    "HadamardGammaRegressorCV",
    "HadamardGroupLasso",
    "HadamardGroupLassoCV",
    "HadamardGroupLogisticRegression",
    "HadamardGroupPoissonRegressor",
    "HadamardLasso",
    "HadamardLassoCV",
    "HadamardLassoIC",
    "HadamardLogisticRegression",
    "HadamardLogisticRegressionCV",
    "HadamardMultiTaskLasso",
    "HadamardMultiTaskLassoCV",
    "HadamardPoissonRegressor",
    "HadamardPoissonRegressorCV",
    "HadamardRelaxed",
    "HadamardRelaxedCV",
    "HadamardStabilitySelection",
    "HadamardTweedieRegressor",
    "HadamardTweedieRegressorCV",
    "PathSearchCV",
    "RegularizationPathDisplay",
    "StabilityDisplay",
    "Summary",
    "enet_path",
    "glm_path",
    "group_path",
    "lasso_path",
    "logistic_path",
    "minimize_l1",
    "show_versions",
]
