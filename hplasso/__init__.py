"""L1-regularised regression by the Hadamard product parametrization, for scikit-learn."""

from ._lasso import HadamardLasso, lasso_path

__version__ = "0.1.0"
__all__ = ["HadamardLasso", "lasso_path"]
