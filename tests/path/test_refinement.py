"""Certificates where rounding of coefficients moves correlations: the residual is refined."""

import numpy as np
import pytest
import random_logistic_problems
from numpy.testing import assert_allclose

from hplasso import HadamardLogisticRegression
from hplasso._estimators.classification import LogisticData, encode
from hplasso._estimators.problem import FitOptions
from hplasso._path.certification import DivergenceBound
from hplasso._path.penalty_step import refined
from hplasso._penalties.duality_gap import ridged_gap
from hplasso._validation.weights import checked_penalty_weights


@pytest.mark.parametrize("seed", [70064, 70065, 70089, 70134])
def test_last_digit_of_a_coefficient_may_be_too_much(seed):
    """A code times a unit in the last place moves its output, and with that the correlation."""
    problem = random_logistic_problems.draw(seed, "outliers")
    X, labels, parameters, sample_weight, oracle, _ = problem
    model = HadamardLogisticRegression(tol=1e-10, **parameters)
    model.fit(X, labels, sample_weight=sample_weight)  # a warning is an error
    *_, bound = oracle.minimum(model.coef_, model.intercept_)
    above = float(oracle.exact_objective(model.coef_, model.intercept_) - bound)
    null = float(oracle.null_objective())
    assert above <= model.dual_gap_ + 1e-12 * null
    assert model.dual_gap_ <= 1e-10 * null


def tracer_of(n_classes, l1_ratio, tol, fit_intercept=True):
    rng = np.random.default_rng(n_classes)
    X, y = rng.normal(size=(40, 8)), np.arange(40) % n_classes
    X[:, 0] += y
    weights = rng.exponential(size=40)
    options = FitOptions(l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=tol)
    labels, penalty = encode(y, X, weights, None), checked_penalty_weights(None, 8)
    return LogisticData(X, y, labels, penalty, options).problem().tracer()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_divergences_lie_below_their_bound(n_classes):
    """From that of nothing to that of the residual, which is zero: they are convex."""
    tracer = tracer_of(n_classes, 1.0, 1e-8)
    tracer.solve(0.3 * tracer.alpha_max())
    state = tracer.iterate.state
    bound = DivergenceBound(state.divergence(0.0))
    assert bound.divergence(0.0) == state.divergence(0.0)
    assert bound.divergence(1.0) == 0.0
    for kappa in (0.25, 0.75):
        below = 0.5 * (bound.divergence(kappa - 0.25) + bound.divergence(kappa + 0.25))
        assert state.divergence(kappa) < bound.divergence(kappa) == pytest.approx(below)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_refined_residual_is_a_dual_point(n_classes, l1_ratio, fit_intercept):
    """The gap is no less than the truth, and of second order in what coefficients are off by."""
    alpha = 0.02
    exact = tracer_of(n_classes, l1_ratio, 1e-13, fit_intercept)
    exact.solve(alpha)
    best = exact.problem.objective(exact.iterate, alpha)
    rng = np.random.default_rng(0)
    way = np.where(exact.iterate.theta != 0.0, rng.normal(size=exact.iterate.theta.size), 0.0)
    for size in [1e-1, 1e-2, 1e-4]:
        theta = exact.iterate.theta + size * np.abs(exact.iterate.theta) * way / np.abs(way).max()
        there = tracer_of(n_classes, l1_ratio, 1e-13, fit_intercept)
        there.problem.working_set.admit(exact.problem.working_set.features)
        point = there.move_to(
            alpha,
            theta,
            theta.nonzero()[0],
            there.problem.term.state(there.problem.working_set, theta),
        )
        above, gap = (
            there.problem.objective(there.iterate, alpha) - best,
            refined(there.problem, there.memory, alpha).gap,
        )
        assert above - 1e-14 <= gap
        if size <= 1e-2:
            assert gap <= 10.0 * above + 1e-13 < point.gap


def test_gap_beside_a_ridge_is_that_of_the_dual():
    """At a minimiser of the dual it is zero; off it the formula, with the dual's value by hand."""
    rng = np.random.default_rng(0)
    penalty, ridge = rng.random(50), rng.random(50) + 0.1
    z = rng.normal(size=50)
    best = np.sign(z) * np.maximum(np.abs(z) - penalty, 0.0) / ridge
    assert ridged_gap(penalty, ridge, z, best, False) <= 1e-30
    for theta in (best + 0.1 * rng.normal(size=50), -best, np.zeros(50)):
        primal = penalty * np.abs(theta) + ridge * theta**2 / 2 - z * theta
        conjugate = np.maximum(np.abs(z) - penalty, 0.0) ** 2 / (2.0 * ridge)
        expected = (primal + conjugate).sum()
        assert_allclose(ridged_gap(penalty, ridge, z, theta, False), expected, rtol=1e-12)
    # Without a ridge, what rounding leaves above the penalty counts as far as the coefficient goes.
    above, one = np.array([1.0 + 1e-9]), np.ones(1)
    assert_allclose(ridged_gap(one, 0.0 * one, above, 3.0 * one, False), 3e-9, rtol=1e-6)
