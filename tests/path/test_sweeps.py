"""Every solution comes out of sweeps, and what is said of their number is how many were made."""

import re
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_regression
from sklearn.preprocessing import StandardScaler

from hplasso import (
    CertificateDisplay,
    HadamardElasticNet,
    HadamardElasticNetCV,
    HadamardLasso,
    HadamardLassoCV,
    HadamardLassoIC,
    HadamardLogisticRegression,
    HadamardLogisticRegressionCV,
    enet_path,
    lasso_path,
    logistic_path,
)
from hplasso._path import model_step
from hplasso._solver import alternating, sweeps_and_finish, truncated

WIDE = make_regression(60, 400, n_informative=10, noise=20.0, random_state=0)
TALL = make_regression(400, 30, n_informative=10, noise=20.0, random_state=1)
THIN = sparse.random(150, 400, density=0.05, format="csc", random_state=2)
THIN = (THIN, THIN @ np.arange(400.0, 0.0, -1.0) / 400.0 + 0.1 * (np.arange(150) % 3))
# So sparse, with so large a support, that conjugate gradients solve.
VERY_THIN = sparse.random(3000, 1200, density=0.001, format="csc", random_state=3)
VERY_THIN = (VERY_THIN, VERY_THIN @ np.random.default_rng(0).standard_normal(1200))
FIRST = np.abs(VERY_THIN[0].T @ VERY_THIN[1]).max() / 3000
DIABETES = load_diabetes(return_X_y=True)
CELLS = load_breast_cancer(return_X_y=True)
CELLS = (StandardScaler().fit_transform(CELLS[0]), CELLS[1])
IRIS = load_iris(return_X_y=True)

FITS = {
    "lasso": (HadamardLasso(1.0), DIABETES),
    "lasso, wide": (HadamardLasso(0.1), WIDE),
    "lasso, unpenalised": (HadamardLasso(1.0, penalty_weights=np.arange(400) > 2), WIDE),
    "lasso, positive": (HadamardLasso(1.0, positive=True), WIDE),
    "lasso, sparse": (HadamardLasso(1e-3), THIN),
    "lasso, conjugate gradients": (HadamardLasso(0.01 * FIRST), VERY_THIN),
    "elastic net": (HadamardElasticNet(1.0), TALL),
    "logistic": (HadamardLogisticRegression(C=0.5), CELLS),
    "logistic, sparse": (
        HadamardLogisticRegression(C=50.0),
        (THIN[0], THIN[1] > np.median(THIN[1])),
    ),
    "multinomial": (HadamardLogisticRegression(C=0.5), IRIS),
}
TWO = np.column_stack([TALL[1], TALL[0] @ np.linspace(-1.0, 1.0, 30)])
PATHS = {
    "lasso, wide": partial(lasso_path, *WIDE, eps=0.05),
    "lasso, tall": partial(lasso_path, *TALL, eps=0.01),
    "lasso, two targets": partial(lasso_path, TALL[0], TWO, alphas=30),
    "lasso, every alpha": partial(lasso_path, *WIDE, eps=0.05, tol=1e-9),
    "lasso, by lines": partial(lasso_path, *TALL, eps=0.01, tol=1e-9),
    "lasso, sparse": partial(lasso_path, *THIN, eps=0.1),
    "lasso, positive": partial(lasso_path, *WIDE, eps=0.05, positive=True),
    "elastic net": partial(enet_path, *TALL, eps=0.1),
    "logistic": partial(logistic_path, *CELLS, Cs=20, eps=0.05),
    "multinomial": partial(logistic_path, *IRIS, Cs=20, eps=0.1),
    "lasso, alternating": partial(lasso_path, *TALL, eps=0.1, solver="alternating"),
    "logistic, alternating": partial(
        logistic_path, *CELLS, Cs=10, eps=0.2, tol=1e-2, solver="alternating"
    ),
}


class Count:
    """Sweeps made, by kind; problems that are not zero from the start, and the fewest sweeps.

    Those are of a problem with a solution.
    """

    def __init__(self):
        self.exact = self.descending = self.solved = 0
        self.fewest = np.inf

    @property
    def made(self):
        return self.exact + self.descending

    def calls(self, kind, function):
        def counting(*arguments):
            setattr(self, kind, getattr(self, kind) + 1)
            return function(*arguments)

        return counting

    def solutions(self, solver):
        def counting(*arguments, **options):
            before = self.made
            solution = solver(*arguments, **options)
            assert solution.sweeps == self.made - before
            self.solved += solution.sweeps > 0
            if solution.point.theta.any():
                self.fewest = min(self.fewest, solution.sweeps)
            return solution

        return counting


@pytest.fixture
def count(monkeypatch):
    count = Count()
    exact = count.calls("exact", alternating.sweep)
    for module in (alternating, sweeps_and_finish):
        monkeypatch.setattr(module, "sweep", exact)
    descending = count.calls("descending", sweeps_and_finish.descending_sweep)
    for module in (sweeps_and_finish, truncated):
        monkeypatch.setattr(module, "descending_sweep", descending)
    solve_truncated = count.solutions(truncated.solve_truncated)
    monkeypatch.setattr(model_step, "solve_truncated", solve_truncated)
    for name, solver in list(sweeps_and_finish.SOLVERS.items()):
        monkeypatch.setitem(sweeps_and_finish.SOLVERS, name, count.solutions(solver))
    return count


def told_of(capsys):
    """The sweeps of each line for a penalty; the last are those of its last iteration, or 0."""
    points, last = {}, {}
    for line in capsys.readouterr().err.splitlines():
        iteration = re.fullmatch(r"(.*)  (.*), sweep (\d+): .*", line)
        point = re.fullmatch(r"(.*): \d+ coefficients?, .*, (\d+) sweeps?", line)
        if iteration:
            last[iteration[1] + iteration[2]] = int(iteration[3])
        if point:
            points.setdefault(point[1], []).append(int(point[2]))
    assert set(last) <= set(points)
    for name, values in points.items():  # a penalty may come twice: in a fold, and in the end
        assert last.get(name, 0) == values[-1]
    return points


def told(capsys):
    """The sweeps of all lines for a penalty."""
    return [sweeps for values in told_of(capsys).values() for sweeps in values]


@pytest.mark.parametrize("name", FITS)
def test_fits(count, name, capsys):
    estimator, data = FITS[name]
    model = clone(estimator).set_params(verbose=2).fit(*data)
    assert count.fewest >= 1
    assert np.sum(model.n_iter_) == count.made >= count.solved >= 1
    assert told(capsys) == [count.made]
    by_gradients = ("lasso, conjugate gradients", "logistic, sparse")
    assert (count.descending > 0) == (name in by_gradients)
    before = count.made
    model.set_params(warm_start=True).fit(*data)
    assert np.sum(model.n_iter_) == count.made - before == 0


@pytest.mark.parametrize("name", ["lasso", "lasso, sparse", "elastic net", "logistic"])
def test_fits_by_sweeps_alone(count, name, capsys):
    estimator, data = FITS[name]
    options = {"solver": "alternating", "tol": 1e-2, "max_iter": 10000, "verbose": 2}
    model = clone(estimator).set_params(**options).fit(*data)
    assert count.fewest >= 1
    assert np.sum(model.n_iter_) == count.made >= count.solved >= 1
    assert told(capsys) == [count.made]


@pytest.mark.parametrize("name", PATHS)
def test_paths(count, name, capsys):
    _, coefs, *_, n_iters = PATHS[name](return_n_iter=True, verbose=2)
    n_iters = np.ravel(n_iters)
    assert count.fewest >= 1
    assert n_iters.sum() == count.made >= count.solved >= np.count_nonzero(n_iters) >= 1
    if name != "lasso, two targets":
        assert_array_equal(told(capsys), n_iters)
    present = np.moveaxis(coefs, -1, 0).any(axis=-1 if coefs.ndim == 2 else (1, 2))
    if len(present) == len(n_iters):
        assert not n_iters[~present].any()
        interpolated = present & (n_iters == 0)
        assert interpolated.any() == (name != "lasso, every alpha")


def test_path_by_conjugate_gradients(count):
    alphas = FIRST * np.geomspace(0.05, 0.005, 5)
    *_, n_iters = lasso_path(*VERY_THIN, alphas=alphas, return_n_iter=True)
    assert count.descending > 0
    assert count.fewest >= 1
    assert sum(n_iters) == count.made >= count.solved >= 5


@pytest.mark.parametrize(
    ("model", "data", "n_penalties"),
    [
        (HadamardLassoCV(cv=3, alphas=10, eps=0.01), WIDE, (10, 3 * 10, 1)),
        (HadamardLassoCV(cv=3, alphas=10, eps=0.01, early_stop=False), WIDE, (10, 3 * 10, 1)),
        (HadamardLassoCV(cv=3, alphas=10, eps=0.01), TALL, (10, 3 * 10, 1)),
        (HadamardLassoCV(cv=3, alphas=10, eps=0.1), THIN, (10, 3 * 10, 1)),
        (HadamardElasticNetCV(cv=3, alphas=5, l1_ratio=[0.5, 1.0]), TALL, (5, 3 * 10, 1)),
        (
            HadamardElasticNetCV(cv=3, alphas=5, eps=0.1, l1_ratio=[0.5, 1.0]),
            WIDE,
            (10, 3 * 10, 1),
        ),
        (HadamardElasticNetCV(cv=3, alphas=5, l1_ratio=[1.0, 0.5]), THIN, (5, 3 * 10, 1)),
        (HadamardLassoIC(alphas=20, noise_variance=1.0), DIABETES, (0, 0, 20)),
    ],
)
def test_choice_among_alphas(count, model, data, n_penalties, capsys):
    """The lines are those of the path on all samples, of the folds, and of the fit to all."""
    model = clone(model).set_params(verbose=2).fit(*data)
    points = told_of(capsys)
    kinds = ("all samples: ", "fold ", "alpha=")
    assert n_penalties == tuple(sum(name.startswith(kind) for name in points) for kind in kinds)
    assert count.fewest >= 1
    assert sum(map(sum, points.values())) == count.made >= count.solved
    again = [values for values in points.values() if len(values) > 1]  # the other rule's point
    assert len(again) <= 1
    assert all(first == 0 < second for first, second in again)
    fits = [sweeps for name, (sweeps, *_) in points.items() if name.startswith("alpha=")]
    chosen = int(np.argmin(model.criterion_)) if isinstance(model, HadamardLassoIC) else 0
    assert model.n_iter_ == fits[chosen] >= 1


@pytest.mark.parametrize("data", [CELLS, IRIS], ids=["binary", "multinomial"])
def test_choice_among_Cs(count, data, capsys):
    model = HadamardLogisticRegressionCV(Cs=5, cv=3, verbose=2).fit(*data)
    points = told_of(capsys)
    assert count.fewest >= 1
    assert sum(map(sum, points.values())) == count.made >= count.solved
    folds = [values for name, values in points.items() if name.startswith("fold ")]
    assert_array_equal(model.n_iter_.ravel(), np.ravel(folds))


@pytest.mark.parametrize("name", ["lasso, wide", "elastic net", "logistic", "multinomial"])
def test_certificate_display(count, name):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    estimator, data = FITS[name]
    display = CertificateDisplay.from_estimator(clone(estimator), *data)
    plt.close("all")
    assert_array_equal(display.sweeps, np.arange(1, count.made + 1))


def test_nothing_to_solve_takes_no_sweep(count, capsys):
    X, y = WIDE
    first = np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
    model = HadamardLasso(1.01 * first, verbose=2).fit(X, y)
    assert model.n_iter_ == count.made == 0
    assert told(capsys) == [0]
    assert not model.coef_.any()


@pytest.mark.parametrize("name", FITS)
def test_the_finish_starts_from_the_face_of_the_sweep(monkeypatch, name):
    """Of each sweep's face, or of the last of several, and from nothing else."""
    shown, started = [], []

    def sweep_on(*arguments):
        shown.append(original_sweep_on(*arguments))
        return shown[-1]

    def finish(problem, solver, start, face):
        started.append(face)
        assert face is shown[-1].face
        return original_finish(problem, solver, start, face)

    original_sweep_on, original_finish = sweeps_and_finish.sweep_on, sweeps_and_finish.finish
    monkeypatch.setattr(sweeps_and_finish, "sweep_on", sweep_on)
    monkeypatch.setattr(sweeps_and_finish, "finish", finish)
    estimator, data = FITS[name]
    clone(estimator).fit(*data)
    assert 1 <= len(started) <= len(shown)
