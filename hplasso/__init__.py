"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

# scikit-learn imports scipy.stats in any case. Both take a tenth less time if that is done here,
# near the bottom of the interpreter's stack, and not from deep inside scikit-learn.
import scipy.stats  # noqa: F401

from ._certificate_display import CertificateDisplay
from ._cross_validation_display import CrossValidationDisplay
from ._elastic_net import HadamardElasticNet
from ._elastic_net_cv import HadamardElasticNetCV
from ._lasso import HadamardLasso
from ._lasso_cv import HadamardLassoCV
from ._lasso_ic import HadamardLassoIC
from ._least_squares_path import enet_path, lasso_path
from ._logistic import HadamardLogisticRegression
from ._logistic_cv import HadamardLogisticRegressionCV
from ._logistic_path import logistic_path
from ._minimize import minimize_l1
from ._path_display import RegularizationPathDisplay

__version__ = "0.1.0"
__all__ = [
    "CertificateDisplay",
    "CrossValidationDisplay",
    "HadamardElasticNet",
    "HadamardElasticNetCV",
    "HadamardLasso",
    "HadamardLassoCV",
    "HadamardLassoIC",
    "HadamardLogisticRegression",
    "HadamardLogisticRegressionCV",
    "RegularizationPathDisplay",
    "enet_path",
    "lasso_path",
    "logistic_path",
    "minimize_l1",
]
