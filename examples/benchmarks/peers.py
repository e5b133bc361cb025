"""Paths by each package: (problem, tol) -> coefficients (p, L) or (K, p, L).

Each function computes one path, with warm starts where the package has them. Tolerances mean what
the package takes them to mean; the runner measures the gap that comes out. The functions for
cross-validation return nothing: the runner computes a path at the same tolerance for its gap.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Peer:
    """A package: what to import for its version, and the tolerances to try, loosest first.

    `default` is the tolerance that its estimators of least squares have if none is given.
    """

    module: str
    tolerances: tuple[float, ...]
    default: float = 1e-4
    lasso: object = None
    fit: object = None
    cv: object = None
    logistic: object = None
    poisson: object = None
    multinomial: bool = False
    intercept: tuple[bool, ...] = (True, False)
    weighs: bool = True

    def solves(self, task, problem_classes: int = 2) -> bool:
        """Whether it has the task's problem."""
        if task.kind != "logistic":
            weighs = self.weighs or not task.weighted
            return getattr(self, task.kind) is not None and weighs
        return (
            self.logistic is not None
            and task.fit_intercept in self.intercept
            and (problem_classes == 2 or self.multinomial)
        )


def lasso_hplasso(problem, tol):
    from hplasso import lasso_path

    y = problem.y - problem.y.mean()
    return lasso_path(problem.X, y, alphas=problem.alphas, tol=tol)[1]


def lasso_scikit_learn(problem, tol):
    from sklearn.linear_model import lasso_path

    y = problem.y - problem.y.mean()
    return lasso_path(problem.X, y, alphas=problem.alphas, tol=tol, max_iter=1_000_000)[1]


def lasso_celer(problem, tol):
    from celer import celer_path

    y, alphas = problem.y - problem.y.mean(), problem.alphas
    return celer_path(problem.X, y, pb="lasso", alphas=alphas, tol=tol, max_iter=10_000)[1]


def lasso_skglm(problem, tol):
    from skglm import Lasso

    model = Lasso(tol=tol, max_iter=200, fit_intercept=problem.fit_intercept)
    return model.path(problem.X, problem.y, problem.alphas, return_n_iter=False)[1]


def lasso_adelie(problem, tol):
    import adelie

    X, y = problem.X, problem.y
    if sparse.issparse(X):
        X = adelie.matrix.sparse(X)
    state = adelie.grpnet(
        X,
        adelie.glm.gaussian(y),
        lmda_path=problem.alphas,
        early_exit=False,
        tol=tol,
        intercept=problem.fit_intercept,
        progress_bar=False,
        n_threads=2,
    )
    return state.betas.toarray().T


def _fit(model, problem):
    """The coefficients of a fit from scratch, of shape (p, 1)."""
    return model.fit(problem.X, problem.y).coef_[:, None]


def fit_hplasso(problem, tol):
    from hplasso import HadamardLasso

    (alpha,) = problem.alphas
    return _fit(HadamardLasso(alpha, tol=tol, fit_intercept=problem.fit_intercept), problem)


def fit_scikit_learn(problem, tol):
    from sklearn.linear_model import Lasso

    (alpha,) = problem.alphas
    intercept = problem.fit_intercept
    return _fit(Lasso(alpha, tol=tol, max_iter=1_000_000, fit_intercept=intercept), problem)


def fit_celer(problem, tol):
    from celer import Lasso

    (alpha,) = problem.alphas
    return _fit(
        Lasso(alpha, tol=tol, max_iter=10_000, fit_intercept=problem.fit_intercept), problem
    )


def fit_skglm(problem, tol):
    from skglm import Lasso

    (alpha,) = problem.alphas
    return _fit(Lasso(alpha, tol=tol, max_iter=200, fit_intercept=problem.fit_intercept), problem)


def cv_hplasso(problem, tol, folds):
    from hplasso import HadamardLassoCV

    HadamardLassoCV(alphas=problem.alphas, cv=folds, tol=tol).fit(problem.X, problem.y)


def cv_one_path(problem, tol, folds):
    lasso_hplasso(problem, tol)


def cv_scikit_learn(problem, tol, folds):
    from sklearn.linear_model import LassoCV

    model = LassoCV(alphas=problem.alphas, cv=folds, tol=tol, max_iter=1_000_000, n_jobs=2)
    model.fit(problem.X, problem.y)


def logistic_hplasso(problem, tol):
    from hplasso import logistic_path

    Cs = 1.0 / (problem.alphas * len(problem.y))
    intercept = problem.fit_intercept
    return logistic_path(problem.X, problem.y, Cs=Cs, tol=tol, fit_intercept=intercept)[1]


def poisson_hplasso(problem, tol):
    from hplasso import glm_path

    options = {"alphas": problem.alphas, "tol": tol, "sample_weight": problem.weights}
    return glm_path(problem.X, problem.y, **options)[1]


def poisson_glum(problem, tol):
    from glum import GeneralizedLinearRegressor

    model = GeneralizedLinearRegressor(
        family="poisson",
        l1_ratio=1,
        alpha_search=True,
        alphas=list(problem.alphas),
        gradient_tol=tol,
        max_iter=1000,
    )
    return model.fit(problem.X, problem.y, sample_weight=problem.weights).coef_path_.T


def poisson_skglm(problem, tol):
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import Poisson
    from skglm.penalties import L1
    from skglm.solvers import ProxNewton

    solver = ProxNewton(tol=tol, max_iter=200, fit_intercept=True, warm_start=True)
    model, coefs = GeneralizedLinearEstimator(Poisson(), L1(1.0), solver), []
    for alpha in problem.alphas:
        model.penalty = L1(float(alpha))
        coefs.append(model.fit(problem.X, problem.y).coef_.ravel().copy())
    return np.stack(coefs, axis=-1)


def logistic_celer(problem, tol):
    from celer import celer_path

    # its penalty weighs against the sum of the losses
    alphas, y = problem.alphas * len(problem.y), 2.0 * problem.y - 1.0
    return celer_path(problem.X, y, pb="logreg", alphas=alphas, tol=tol, max_iter=10_000)[1]


def _one_by_one(model, problem, C_name):
    """A path by warm-started fits."""
    coefs = []
    for alpha in problem.alphas:
        model.set_params(**{C_name: alpha if C_name == "alpha" else 1 / (alpha * len(problem.y))})
        model.fit(problem.X, problem.y)
        coefs.append(np.atleast_2d(model.coef_).copy())
    return np.stack(coefs, axis=-1)


def logistic_skglm(problem, tol):
    from skglm import SparseLogisticRegression

    model = SparseLogisticRegression(
        tol=tol, max_iter=200, warm_start=True, fit_intercept=problem.fit_intercept
    )
    return _one_by_one(model, problem, "alpha")


def logistic_saga(problem, tol):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        solver="saga",
        l1_ratio=1.0,
        tol=tol,
        max_iter=100_000,
        warm_start=True,
        fit_intercept=problem.fit_intercept,
    )
    return _one_by_one(model, problem, "C")


def logistic_liblinear(problem, tol):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        solver="liblinear", l1_ratio=1.0, tol=tol, max_iter=100_000, fit_intercept=False
    )
    return _one_by_one(model, problem, "C")


def logistic_skein(problem, tol):
    from skein_glm import LogisticLassoPathRegressor

    model = LogisticLassoPathRegressor(
        lambdas=problem.alphas,
        tol=tol,
        outer_tol=tol,
        max_iter=100_000,
        max_outer=200,
        fit_intercept=problem.fit_intercept,
    )
    model.fit(problem.X, problem.y.astype(np.float64))
    coefs = np.asarray(model.coefs_)
    return coefs if coefs.shape[0] == problem.X.shape[1] else coefs.T


def powers(first, last):
    return tuple(10.0 ** -np.arange(first, last + 1))


PEERS = {
    "hplasso": Peer(
        "hplasso",
        powers(4, 8),
        1e-4,
        lasso_hplasso,
        fit_hplasso,
        cv_hplasso,
        logistic_hplasso,
        poisson_hplasso,
        True,
    ),
    "hplasso, one path": Peer("hplasso", powers(4, 8), cv=cv_one_path),
    "glmnet": Peer(
        "R", (1e-7, 1e-8, 1e-10, 1e-12, 1e-13, 1e-14, 1e-16), 1e-7, "R", "R", "R", "R", "R", True
    ),
    "celer": Peer(
        "celer",
        powers(4, 12),
        1e-4,
        lasso_celer,
        fit_celer,
        logistic=logistic_celer,
        intercept=(False,),
    ),
    "skglm": Peer(
        "skglm",
        powers(3, 10),
        1e-4,
        lasso_skglm,
        fit_skglm,
        logistic=logistic_skglm,
        poisson=poisson_skglm,
        weighs=False,
    ),
    "glum": Peer("glum", powers(4, 9), poisson=poisson_glum),
    "skein-glm": Peer("skein_glm", powers(4, 12), logistic=logistic_skein),
    "scikit-learn": Peer(
        "sklearn", powers(4, 9), 1e-4, lasso_scikit_learn, fit_scikit_learn, cv_scikit_learn
    ),
    "adelie": Peer("adelie", powers(7, 16), 1e-7, lasso_adelie, lasso_adelie),
    "saga": Peer("sklearn", powers(3, 7), logistic=logistic_saga, multinomial=True),
    "liblinear": Peer("sklearn", powers(2, 9), logistic=logistic_liblinear, intercept=(False,)),
}


def installed(name: str, python: str | None = None) -> bool:
    """Whether the package can be used here, or by another interpreter."""
    if python is not None:
        command = [python, "-c", f"import {PEERS[name].module}"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    if PEERS[name].module == "R":
        return shutil.which("Rscript") is not None
    return importlib.util.find_spec(PEERS[name].module) is not None


def run_glmnet(problem, family, tol, length, folds=0):
    """Coefficients, times (the first, a warm-up, left out) and version, timed inside R."""
    X = problem.X
    with tempfile.TemporaryDirectory() as folder:
        parts = {
            "X": X.data if sparse.issparse(X) else X.ravel(order="F"),
            "y": np.asarray(problem.y, dtype=np.float64),
            "alphas": problem.alphas,
        }
        if problem.weights is not None:
            parts["weights"] = problem.weights
        if sparse.issparse(X):
            parts |= {name: getattr(X, name).astype(np.int32) for name in ("indices", "indptr")}
        for name, array in parts.items():
            np.asarray(array).tofile(Path(folder) / f"{name}.bin")
        repeats, seconds = length
        sizes = [*map(str, X.shape), str(repeats + 1), str(seconds), str(tol), family]
        flag = "TRUE" if problem.fit_intercept else "FALSE"
        command = ["Rscript", str(HERE / "glmnet_path.R"), folder, *sizes, flag, str(folds)]
        version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times = np.fromfile(Path(folder) / "times.bin")[1:]
        if folds:
            return None, times, f"{version} (R)"
        coefs = np.fromfile(Path(folder) / "coef.bin")
        outputs = problem.n_classes if family == "multinomial" else 1
        coefs = coefs.reshape(outputs, -1, X.shape[1]).transpose(0, 2, 1)
        return coefs[0] if outputs == 1 else coefs, times, f"{version} (R)"
