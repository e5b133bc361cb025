"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

from ._lasso import HadamardLasso
from ._lasso_path import lasso_path

__version__ = "0.1.0"
__all__ = ["HadamardLasso", "lasso_path"]
