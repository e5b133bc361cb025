"""Where a newcomer looks for things: questions, and the file whose path answers each.

The names of folders and files alone should lead to the answer.
"""

from pathlib import Path

import pytest

import hplasso

PACKAGE = Path(hplasso.__file__).parent
# Question: file, and a name that is defined there.
WHERE_IS = {
    "the alternation itself, mu updated while nu is held": ("_solver/hadamard.py", "ridge_update"),
    "solver='alternating', sweeps until the gap is reached": (
        "_solver/alternating.py",
        "solve_alternating",
    ),
    "the finish, the linear system for a support and its signs": ("_solver/finish.py", "finish"),
    "the Cholesky factor that is updated as features come and go": (
        "_solver/cholesky.py",
        "CholeskyFactor",
    ),
    "the conjugate gradients for large sparse supports": (
        "_solver/conjugate_gradients.py",
        "ConjugateGradients",
    ),
    "the strong rule, which says which features may be left out": (
        "_path/screening.py",
        "predicted_entrants",
    ),
    "the duality gap": ("_penalties/duality_gap.py", "certify"),
    "interpolation between two solved penalties of a path": (
        "_path/interpolation.py",
        "Interpolation",
    ),
    "the steps by which a small penalty is approached": ("_path/continuation.py", "continue_to"),
    "the line search of Newton's method": ("_datafit/line_search.py", "line_search"),
    "the loss of three or more classes": ("_losses/softmax.py", "SoftmaxLoss"),
    "penalty weights, positivity and the ridge part of the penalty": (
        "_penalties/l1.py",
        "L1Penalty",
    ),
    "what is done for a CSR or CSC matrix": ("_design/sparse.py", "SparseContainer"),
    "the working set and its Gram matrix": ("_design/working_set.py", "WorkingSet"),
    "the text of the ConvergenceWarning": ("_path/progress.py", "warn_not_converged"),
    "the one-standard-error rule": ("_model_selection/rules.py", "choose"),
    "AIC and BIC": ("_model_selection/lasso_ic.py", "HadamardLassoIC"),
    "the check of a parameter's range": ("_validation/parameters.py", "check_parameters"),
    "the limit of BLAS to one thread": ("_numerics/threads.py", "threads_for_data"),
    "the picture of coefficients along a path": ("_plot/path.py", "RegularizationPathDisplay"),
}


def test_there_are_twenty():
    assert len(WHERE_IS) == 20


@pytest.mark.parametrize("question", WHERE_IS)
def test_the_answer_is_there(question):
    path, name = WHERE_IS[question]
    text = (PACKAGE / path).read_text()
    assert f"def {name}(" in text or f"class {name}" in text
