"""What mypy --strict makes of a program that uses the package; it is checked, and never run."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from hplasso import (
    HadamardLasso,
    HadamardLassoCV,
    HadamardLogisticRegression,
    RegularizationPathDisplay,
    lasso_path,
    minimize_l1,
)

X, y = np.ones((3, 2)), np.arange(3.0)

model = HadamardLasso(alpha=0.1, positive=True)
assert_type(model.alpha, float)
assert_type(model.fit(X, y), HadamardLasso)
assert_type(HadamardLogisticRegression(C=0.5).sparsify(), HadamardLogisticRegression)
assert_type(lasso_path(X, y, alphas=5), tuple[NDArray[Any], NDArray[Any], NDArray[Any]])
assert_type(RegularizationPathDisplay.from_estimator(model, X, y), RegularizationPathDisplay)
assert_type(minimize_l1(lambda x: float(x @ x), y, 0.1).x, Any)

HadamardLasso(alpha="0.1")  # type: ignore[arg-type]
HadamardLassoCV(rule=1)  # type: ignore[arg-type]
HadamardLasso(0.1, True)  # type: ignore[call-arg]
HadamardLasso(penalty=0.1)  # type: ignore[call-arg]
minimize_l1(y, y, 0.1)  # type: ignore[arg-type]
