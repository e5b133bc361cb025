"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

from ._lasso import HadamardLasso
from ._lasso_path import lasso_path
from ._logistic import HadamardLogisticRegression
from ._logistic_path import logistic_path

__version__ = "0.1.0"
__all__ = ["HadamardLasso", "HadamardLogisticRegression", "lasso_path", "logistic_path"]
