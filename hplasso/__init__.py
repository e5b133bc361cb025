"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

from ._elastic_net import HadamardElasticNet
from ._elastic_net_cv import HadamardElasticNetCV
from ._lasso import HadamardLasso
from ._lasso_cv import HadamardLassoCV
from ._least_squares_path import enet_path, lasso_path
from ._logistic import HadamardLogisticRegression
from ._logistic_path import logistic_path

__version__ = "0.1.0"
__all__ = [
    "HadamardElasticNet",
    "HadamardElasticNetCV",
    "HadamardLasso",
    "HadamardLassoCV",
    "HadamardLogisticRegression",
    "enet_path",
    "lasso_path",
    "logistic_path",
]
