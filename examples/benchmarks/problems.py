"""The benchmark's tasks: data, grids of penalties, and the duality gap of what comes back.

A task is a path, or the cross-validation of one. Its gap is computed here from the coefficients
alone, with the intercept at its optimum, relative to the loss scale: ||y||^2 / n (y centred) for
the lasso, the loss of the model without features for logistic and Poisson regression.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, xlogy
from sklearn import datasets
from sklearn.model_selection import KFold
from sklearn.preprocessing import PolynomialFeatures


@dataclass(frozen=True)
class Task:
    """A path of `n_alphas` penalties, evenly on a log scale, down to `eps` times the first.

    A single penalty is a fit from scratch. With `folds` the path is cross-validated. Data of the
    name "generated n p rho" have n samples of p features, neighbours correlated by rho; those of
    "classes n p K" are of K classes; "counts n p density" are sparse unless the density is one;
    "sklearn name" is a set that scikit-learn ships; "cubic" after the name of data stands for all
    products of up to three features.
    """

    data: str
    kind: str
    eps: float
    n_alphas: int
    fit_intercept: bool = True
    folds: int = 0

    @property
    def weighted(self):
        """Whether samples count by their exposure."""
        return self.kind == "poisson" and self.data in EXPOSED


LASSO = {
    "leukemia": 0.01,
    "riboflavin": 0.01,
    "eyedata": 0.01,
    "diabetes_quad": 0.001,
    "communities_crime": 0.001,
    "cadata cubic": 0.001,
    "mice_snp": 0.05,
    "generated 1000 20000 0.5": 0.02,
    "generated 1000 20000 0.9": 0.02,
    "generated 200000 200 0.0": 0.001,
}
# Sparse: the path functions of no package centre X; so there is no intercept, and y is centred.
SPARSE = {"imdb": 0.05, "we8there": 0.01, "fremtpl2": 0.001, "news20_binary_like": 0.1}
FITS = ["leukemia", "riboflavin", "mice_snp", "imdb", "generated 1000 20000 0.5"]
BINARY = [
    "leukemia",
    "prostate_6033",
    "arcene",
    "gisette_test",
    "madelon",
    "reuters_acq",
    "news20_tfidf",
    "farm_ads",
    "w8a",
    "a9a",
    "generated 4600 57 0.3",
    "news20_binary_like",
]
# What people start with: scikit-learn's own data, and generated ones of the sizes of others.
SMALL = {
    "lasso": ["sklearn diabetes", "generated 506 13 0.0", "generated 17379 58 0.0"],
    "logistic": [
        "sklearn breast_cancer",
        "generated 351 33 0.0",
        "generated 208 60 0.0",
        "generated 62 2000 0.5",
        "generated 4601 57 0.0",
    ],
    "multinomial": ["sklearn iris", "sklearn wine", "sklearn digits"],
    "fit": ["sklearn diabetes", "generated 30 5 0.0", "generated 2000 60 0.0"],
}
MULTINOMIAL = ["srbct", "lymphoma", "zipcode_usps"]
# Data whose answers have thousands of coefficients at weak penalties, and the intercept.
WEAK = {"news20_tfidf": False, "reuters_acq": False, "classes 5000 100 50": True}
EXPOSED = ["fremtpl2"]
COUNTS = ["bike_hour", "fremtpl2", "counts 1000 2000 1.0", "counts 20000 50000 0.0004"]


def _tasks():
    for data, eps in LASSO.items():
        yield f"lasso_{data}", Task(data, "lasso", eps, 100)
    for data, eps in SPARSE.items():
        yield f"lasso_{data}", Task(data, "lasso", eps, 100, False)
    for data in FITS:
        for level in (0.1, 0.01):
            yield f"fit_{data}_{level:g}", Task(data, "fit", level, 1, data not in SPARSE)
    for data in BINARY:
        yield f"logistic_{data}", Task(data, "logistic", 0.02, 50)
        yield f"logistic_fit_{data}", Task(data, "logistic", 0.1, 1)
        yield f"no_intercept_{data}", Task(data, "logistic", 0.02, 50, False)
    for data in MULTINOMIAL:
        yield f"multinomial_{data}", Task(data, "logistic", 0.02, 50)
    for kind, names in SMALL.items():
        of, eps, n_alphas = {
            "lasso": ("lasso", 0.001, 100),
            "logistic": ("logistic", 0.02, 50),
            "multinomial": ("logistic", 0.02, 50),
            "fit": ("fit", 0.1, 1),
        }[kind]
        for data in names:
            yield f"small_{kind}_{data}", Task(data, of, eps, n_alphas)
    for data, fit_intercept in WEAK.items():
        for level in (0.01, 0.001):
            yield f"weak_{data}_{level:g}", Task(data, "logistic", level, 1, fit_intercept)
    for data in COUNTS:
        yield f"poisson_{data}", Task(data, "poisson", 0.01, 100)
        yield f"poisson_fit_{data}", Task(data, "poisson", 0.1, 1)
    yield "cv_riboflavin", Task("riboflavin", "cv", 0.01, 100, folds=10)
    yield "cv_tall", Task("generated 200000 200 0.0", "cv", 0.001, 100, folds=10)


TASKS = {name.replace(" ", "_"): task for name, task in _tasks()}


@dataclass(frozen=True)
class Problem:
    """X (dense: standardised), y (centred; classes are numbered), and the grid, largest first.

    Weights have a mean of one; None are all one. Counts over an exposure are weighted by that.
    """

    X: object
    y: np.ndarray
    alphas: np.ndarray
    fit_intercept: bool
    weights: np.ndarray | None = None

    @property
    def n_classes(self):
        return int(self.y.max()) + 1


def load(task: Task, folder: str) -> Problem:
    """The data set, prepared; alphas weigh the penalty against the mean loss."""
    name, *options = task.data.split()
    weights = None
    if name == "generated":
        X, y = _generated(*map(float, options))
    elif name == "sklearn":
        X, y = getattr(datasets, f"load_{options[0]}")(return_X_y=True)
        X = _standardised(X)
    elif name == "classes":
        X, y = _classes(*map(int, options))
    elif name == "counts":
        X, y = _counts(*map(float, options))
    else:
        X, y, exposure = _loaded(name, folder)
        if options:
            X = _standardised(PolynomialFeatures(3, include_bias=False).fit_transform(X))
    if task.kind == "poisson":
        y = np.asarray(y, dtype=np.float64)
        if task.weighted:
            y, weights = y / exposure, exposure / exposure.mean()
        residual = y - np.average(y, weights=weights)
        residual = residual if weights is None else weights * residual
    elif task.kind != "logistic":
        y = np.asarray(y, dtype=np.float64)
        y = residual = y - y.mean()
    else:
        y = np.unique(y > 0 if name == "generated" else y, return_inverse=True)[1]
        marks = np.eye(y.max() + 1)[y]
        null = marks.mean(axis=0) if task.fit_intercept else 1.0 / marks.shape[1]
        residual = marks - null
    alpha_max = np.abs(X.T @ residual).max() / len(y)
    alphas = alpha_max * np.geomspace(1.0, task.eps, task.n_alphas)
    if task.n_alphas == 1:
        alphas = np.array([task.eps * alpha_max])
    return Problem(X, y, alphas, task.fit_intercept, weights)


def training_part(problem: Problem, folds: int) -> Problem:
    """The training samples of the first of the folds, which are blocks of consecutive samples.

    X, dense, is centred, as path functions have no intercept.
    """
    train, _ = next(KFold(folds).split(problem.y))
    X = np.asfortranarray(problem.X[train])
    X -= X.mean(axis=0)
    return Problem(X, problem.y[train], problem.alphas, problem.fit_intercept)


def _generated(n, p, correlation):
    """Gaussian features, one in a hundred or ten with coefficients; as much noise as signal."""
    n, p, rng = int(n), int(p), np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] *= np.sqrt(1.0 - correlation**2)
        X[:, j] += correlation * X[:, j - 1]
    theta = np.zeros(p)
    theta[:: max(1, p // max(10, p // 100))] = 1.0
    signal = X @ theta
    y = signal + signal.std() * rng.standard_normal(n)
    return _standardised(X), y


def _classes(n, p, n_classes):
    """Gaussian features, eight of which speak for each class."""
    rng = np.random.default_rng(0)
    X, theta = rng.standard_normal((n, p)), np.zeros((p, n_classes))
    for k in range(n_classes):
        theta[rng.choice(p, 8, replace=False), k] = rng.standard_normal(8)
    return _standardised(X), (X @ theta + rng.gumbel(size=(n, n_classes))).argmax(axis=1)


def _counts(n, p, density):
    """Counts of a mean around three, of which twenty features, or one in five hundred, know."""
    n, p, rng = int(n), int(p), np.random.default_rng(0)
    theta = np.zeros(p)
    theta[:: max(1, p // max(20, p // 500))] = 1.0 if density < 1.0 else 0.2
    theta *= rng.choice([-1.0, 1.0], p)
    if density < 1.0:
        rows = np.repeat(np.arange(n), round(density * p))
        entries = rng.random(rows.size), (rows, rng.integers(0, p, rows.size))
        X = sparse.csc_matrix(entries, shape=(n, p))
    else:
        X = _standardised(rng.standard_normal((n, p)))
    return X, rng.poisson(np.exp(1.0 + X @ theta)).astype(np.float64)


def _standardised(X):
    """Columns of mean zero and variance one, in Fortran order; constant ones left out."""
    X = np.asfortranarray(X, dtype=np.float64)
    X = np.asfortranarray(X[:, X.std(axis=0) > 0])
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    return X


def raw_data(name, folder):
    """X, y and a dictionary of anything else, by the ``load.py`` of a folder."""
    spec = importlib.util.spec_from_file_location("load", Path(folder) / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(name)


def _loaded(name, folder):
    """X, y and exposure of a data set; None where it has none."""
    X, y, more = raw_data(name, folder)
    exposure = more.get("exposure")
    if not sparse.issparse(X):
        return _standardised(X), y, exposure
    X = sparse.csc_matrix(X, dtype=np.float64)
    X.sort_indices()
    return X, y, exposure


def worst_gap(task: Task, problem: Problem, coefficients: np.ndarray) -> float:
    """Largest relative duality gap along a path; coefficients are (p, L) or (K, p, L)."""
    if coefficients.shape[-1] < len(problem.alphas):
        return float("inf")
    if task.kind == "poisson":
        gaps = _poisson_gaps(problem, coefficients)
    elif task.kind != "logistic":
        gaps = _lasso_gaps(problem, coefficients)
    else:
        gaps = _logistic_gaps(problem, np.atleast_3d(coefficients.T).T)
    return max(gaps)


def _lasso_gaps(problem, coefficients):
    X, y = problem.X, problem.y
    centred = y - y.mean()
    mean = np.asarray(X.mean(axis=0)).ravel() if problem.fit_intercept else np.zeros(X.shape[1])
    scale = float(centred @ centred) / len(y)
    for alpha, theta in zip(problem.alphas, coefficients.T, strict=True):
        residual = centred - (X @ theta - mean @ theta)
        z = (X.T @ residual - mean * residual.sum()) / len(y)
        kappa = min(1.0, alpha / np.abs(z).max())
        square = float(residual @ residual) / len(y)
        gap = 0.5 * (1 - kappa) ** 2 * square
        yield (gap + float(np.sum(alpha * np.abs(theta) - kappa * z * theta))) / scale


def _poisson_gaps(problem, coefficients):
    X, y, n = problem.X, problem.y, len(problem.y)
    v = np.full(n, 1.0 / n) if problem.weights is None else problem.weights / n
    scale = float(v @ xlogy(y, y / (v @ y)))
    for alpha, theta in zip(problem.alphas, coefficients.T, strict=True):
        outputs = X @ theta
        outputs = outputs + np.log(v @ y) - logsumexp(outputs, b=v)
        mean = np.exp(outputs)
        z = X.T @ (v * (y - mean))
        kappa = min(1.0, alpha / np.abs(z).max())
        q = (1.0 - kappa) * y + kappa * mean
        primal = float(v @ (mean - y * outputs)) + alpha * np.abs(theta).sum()
        yield (primal - float(v @ (q - xlogy(q, q)))) / scale


def _logistic_gaps(problem, coefficients):
    X, n = problem.X, len(problem.y)
    marks = np.eye(problem.n_classes)[problem.y]
    shares = marks.mean(axis=0)
    scale = -float(xlogy(shares, shares).sum())
    if not problem.fit_intercept:
        scale = np.log(problem.n_classes)
    n_outputs = len(coefficients)
    b = np.zeros(n_outputs)
    for i, alpha in enumerate(problem.alphas):
        theta = coefficients[..., i]
        outputs = np.asarray(X @ theta.T)
        if problem.fit_intercept:
            b = _best_intercept(outputs, marks, b)
        log_p = _log_probabilities(outputs + b)
        residual = (marks - np.exp(log_p))[:, -n_outputs:]
        if problem.fit_intercept:
            residual = residual - residual.mean(axis=0)
        z = (X.T @ residual).T / n
        kappa = min(1.0, alpha / np.abs(z).max())
        off = kappa * residual
        shrunk = np.clip(marks - (np.hstack([-off, off]) if n_outputs == 1 else off), 0.0, 1.0)
        primal = -float((marks * log_p).sum()) / n + alpha * np.abs(theta).sum()
        dual = -float(xlogy(shrunk, shrunk).sum()) / n
        yield (primal - dual) / scale


def _log_probabilities(outputs):
    if outputs.shape[1] == 1:
        outputs = np.hstack([np.zeros_like(outputs), outputs])
    return log_softmax(outputs, axis=1)


def _best_intercept(outputs, marks, start):
    """Newton's method from a start that a quasi-Newton method has come near."""
    K = outputs.shape[1]

    def loss(b):
        log_p = _log_probabilities(outputs + b)
        return -(marks * log_p).sum() / len(marks), -(marks - np.exp(log_p))[:, -K:].mean(axis=0)

    b = minimize(loss, start, jac=True, method="BFGS").x
    for _ in range(5):
        p = np.exp(_log_probabilities(outputs + b))[:, -K:]
        hessian = np.diag(p.mean(axis=0)) - p.T @ p / len(p)
        b = b - np.linalg.lstsq(hessian, loss(b)[1], rcond=1e-12)[0]
    return b
