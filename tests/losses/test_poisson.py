"""A loss that the package does not have, from its own file and the parts that are there.

What it takes: the loss (`poisson`), and the assembly in `problem`.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from poisson import PoissonLoss
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import kl_div, xlogy
from sklearn.linear_model import PoissonRegressor

from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import checked_design
from hplasso._design.working_set import WorkingSet
from hplasso._path.interpolation import trace_log_interpolated
from hplasso._path.make_tracer import make_tracer
from hplasso._path.settings import PathSettings
from hplasso._penalties.l1 import L1Penalty

CONTAINERS = [np.asfortranarray, np.ascontiguousarray, sparse.csc_array, sparse.csr_array]


class Counts:
    """Generated counts, and what is known of them without the package."""

    def __init__(self, n=80, p=120, density=1.0, weighted=False, seed=0):
        rng = np.random.default_rng(seed)
        self.X = rng.standard_normal((n, p)) * (rng.random((n, p)) < density)
        self.y = rng.poisson(np.exp(0.7 + self.X[:, :4] @ [0.8, -0.6, 0.4, 0.3])).astype(float)
        weights = rng.exponential(size=n) if weighted else np.ones(n)
        self.weights = weights / weights.sum()

    def loss(self, theta, intercept):
        """sum_i v_i (m_i - y_i log m_i), and the means m."""
        outputs = self.X @ theta + intercept
        return self.weights @ (np.exp(outputs) - self.y * outputs), np.exp(outputs)

    def best_intercept(self, theta):
        return np.log(self.weights @ self.y / (self.weights @ np.exp(self.X @ theta)))

    def null_loss(self, fit_intercept):
        mean = self.weights @ self.y if fit_intercept else 1.0
        return self.weights @ kl_div(self.y, mean)

    def gap(self, theta, intercept, alpha, penalty_weights):
        """Primal less dual, at q = (1 - kappa) y + kappa m; z is taken for zero without penalty."""
        loss, mean = self.loss(theta, intercept)
        z, penalty = self.X.T @ (self.weights * (self.y - mean)), alpha * penalty_weights
        penalised = penalty > 0.0
        kappa = min(1.0, (penalty[penalised] / np.abs(z[penalised])).min())
        q = (1.0 - kappa) * self.y + kappa * mean
        return loss + penalty @ np.abs(theta) + self.weights @ (xlogy(q, q) - q)

    def problem(self, container, fit_intercept, **settings):
        """The recipe: design, loss, data term, working set, tracer."""
        design = checked_design(container(self.X), self.weights, fit_intercept).leave_means()
        term = CurvedTerm(design, PoissonLoss(self.y, self.weights), fit_intercept)
        weights = settings.pop("penalty_weights", np.ones(self.X.shape[1]))
        penalty = L1Penalty(weights, settings.pop("ridge_ratio", 0.0))
        settings = PathSettings(penalty, **settings)
        return make_tracer(term, WorkingSet(term.design), term.design, settings), design

    def coefficients(self, point, design):
        theta = np.zeros(self.X.shape[1])
        theta[point.features] = point.values
        return theta, float(point.intercept[0] - design.mean @ theta)


def certified_path(
    counts, container, fit_intercept, n_alphas=20, eps=0.02, rounding=1e-12, **settings
):
    """A path, each point of it certified by the gap of the raw data.

    `rounding` is what z may be beyond its bound, as a part of it, and so of the gap.
    """
    tracer, design = counts.problem(container, fit_intercept, **settings)
    largest = tracer.alpha_max()
    alphas = largest * np.geomspace(1.0, eps, n_alphas)
    points, scale = (
        trace_log_interpolated(tracer, tracer.problem.term, alphas),
        counts.null_loss(fit_intercept),
    )
    assert tracer.problem.term.scale == pytest.approx(scale, rel=1e-12)
    weights, thetas = tracer.problem.penalty.weights, []
    for alpha, point in zip(alphas, points, strict=True):
        assert point.converged
        theta, intercept = counts.coefficients(point, design)
        if fit_intercept:
            assert intercept == pytest.approx(counts.best_intercept(theta), abs=1e-12)
        gap = counts.gap(theta, intercept, alpha, weights)
        assert -rounding <= gap <= settings["tol"] * scale + rounding
        assert point.gap == pytest.approx(gap, abs=rounding)
        thetas.append(theta)
    assert not thetas[0][weights > 0.0].any()
    return thetas, points


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("tol", [1e-6, 1e-10])
def test_path_is_certified(container, fit_intercept, tol):
    counts = Counts(density=0.4 if container in CONTAINERS[2:] else 1.0)
    thetas, _ = certified_path(counts, container, fit_intercept, tol=tol)
    assert np.count_nonzero(thetas[-1]) > 20


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_interpolated_points_are_certified(fit_intercept):
    """They take no sweep."""
    _, points = certified_path(
        Counts(), np.asfortranarray, fit_intercept, n_alphas=60, eps=0.1, tol=1e-4
    )
    assert sum(point.sweeps == 0 for point in points[1:]) >= 20


def test_path_of_more_samples_than_features():
    thetas, _ = certified_path(Counts(3000, 30, weighted=True), np.asfortranarray, True, tol=1e-10)
    assert np.count_nonzero(thetas[-1]) >= 4


@pytest.mark.parametrize("alpha", [0.2, 0.05])
def test_coefficients_are_those_of_a_solver_for_bounds(alpha):
    """theta = u - v with u, v >= 0."""
    counts = Counts(200, 30, weighted=True)
    p = counts.X.shape[1]
    tracer, design = counts.problem(np.asarray, True, tol=1e-13)
    theta, intercept = counts.coefficients(tracer.solve(alpha), design)

    def objective(x):
        u, v, b = x[:p], x[p : 2 * p], x[-1]
        loss, mean = counts.loss(u - v, b)
        r = counts.weights * (mean - counts.y)
        slope = counts.X.T @ r
        return loss + alpha * (u + v).sum(), np.r_[slope + alpha, alpha - slope, r.sum()]

    bounds = [(0.0, None)] * (2 * p) + [(None, None)]
    options = {"maxiter": 10_000, "ftol": 1e-16, "gtol": 1e-11}
    right = minimize(objective, np.zeros(2 * p + 1), jac=True, bounds=bounds, options=options).x
    assert 0 < np.count_nonzero(theta) < p
    assert_allclose(theta, right[:p] - right[p : 2 * p], atol=1e-6)
    assert intercept == pytest.approx(right[-1], abs=1e-6)


def test_a_feature_without_penalty_is_fitted_first():
    counts, free = Counts(weighted=True), np.ones(120)
    free[1] = 0.0
    thetas, _ = certified_path(
        counts, np.asfortranarray, True, tol=1e-8, penalty_weights=free, eps=0.1, rounding=1e-10
    )
    assert thetas[0][1] < -0.1


@pytest.mark.parametrize("shape", [(200, 12), (40, 100)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_penalty_alone(shape, fit_intercept):
    counts = Counts(*shape)
    tracer, design = counts.problem(np.asarray, fit_intercept, tol=1e-13, ridge_ratio=np.inf)
    for alpha in (1.0, 0.05):
        theta, intercept = counts.coefficients(tracer.solve(alpha), design)
        model = PoissonRegressor(
            alpha=alpha, fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-12
        ).fit(counts.X, counts.y)
        assert_allclose(theta, model.coef_, atol=1e-6)
        assert intercept == pytest.approx(model.intercept_, abs=1e-6)


def test_hopeless_starts_do_no_harm():
    """Means overflow where these lead."""
    counts = Counts()
    tracer, design = counts.problem(np.asarray, False, tol=1e-10)
    right, _ = counts.coefficients(tracer.solve(0.2), design)
    term, working_set = tracer.problem.term, tracer.problem.working_set
    working_set.admit(np.arange(120))
    goal, theta = np.full(120, 1e3), np.zeros(120)
    new, state = term.line_search(
        working_set, term.null_state, theta, goal, (np.full(120, 0.2), None)
    )
    assert state.loss + 0.2 * np.abs(new).sum() <= term.null_state.loss
    assert np.count_nonzero(right) > 3


def test_the_divergence_is_that_of_the_dual_point():
    counts = Counts()
    loss = PoissonLoss(counts.y, counts.weights)
    outputs = np.random.default_rng(1).standard_normal((80, 1))
    prediction, mean = loss.predict(outputs), np.exp(outputs[:, 0])
    for kappa in (0.0, 0.3, 1.0 - 1e-9, 1.0):
        q = (1.0 - kappa) * counts.y + kappa * mean
        expected = counts.weights @ kl_div(q, mean)
        assert loss.divergence(prediction, kappa) == pytest.approx(expected, abs=1e-15)
    assert loss.dual_divergence(prediction, np.full((80, 1), -1e3)) == np.inf
    r = counts.y - mean
    assert_allclose(loss.model_square(prediction), counts.weights @ (r**2 / mean))
    norm = np.sqrt(counts.weights @ r**2)
    assert norm <= loss.bound_residual(np.zeros((80, 1)))
