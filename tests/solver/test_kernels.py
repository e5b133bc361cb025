"""The algorithm's own statements, checked on small problems."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import hplasso._numerics.linalg
import hplasso._solver.sweeps_and_finish
from hplasso._datafit.squared import SquaredState
from hplasso._numerics.linalg import (
    GramMatrix,
    independent_cholesky,
    inverse_root,
    pivoted_root,
    solve_positive,
    solve_semidefinite,
)
from hplasso._penalties.duality_gap import certainly_zero, certify
from hplasso._penalties.l1 import feasible_alpha
from hplasso._solver.cholesky import CholeskyFactor
from hplasso._solver.conjugate_gradients import descending_sweep, ridge_descent
from hplasso._solver.faces import Face, Point, first_to_leave, increase, point_of, violators
from hplasso._solver.feature_sign import drop_dependent, feature_sign_step, minimise_on_face
from hplasso._solver.finish import finish, limit_point, minimiser_on
from hplasso._solver.hadamard import (
    Factors,
    balance,
    hadamard_objective,
    joint_seed,
    proximal_seed,
    ridge_update,
    ridge_update_dual,
    sweep,
)
from hplasso._solver.restricted_problem import RestrictedProblem
from hplasso._solver.sweeps_and_finish import SOLVERS, beyond_support

KINDS = ["tall", "wide", "duplicates", "correlated"]


def restricted(gram, *others, **options):
    """The restricted problem on a Gram matrix."""
    return RestrictedProblem(GramMatrix(gram), *others, **options)


def columns_of(kind, rng):
    """C of shape (k, n), its rows the columns of the design."""
    C = rng.normal(size=(8, 30) if kind == "tall" else (30, 12))
    if kind == "duplicates":
        C[10:20] = C[:10]
        C[20:25] = C[:5] - C[5:10]
    if kind == "correlated":
        C = 0.03 * C + rng.normal(size=12)
    return C


@pytest.fixture(params=[(kind, seed) for kind in KINDS for seed in range(5)])
def problem(request):
    kind, seed = request.param
    rng = np.random.default_rng(seed)
    C = columns_of(kind, rng)
    response = rng.normal(size=C.shape[1])
    penalty = rng.uniform(0.1, 1.0, len(C)) * 0.3 * np.abs(C @ response).max()
    rounding_error = 1e-14 * np.linalg.norm(C, axis=1) * np.linalg.norm(response)
    return restricted(C @ C.T, C @ response, penalty, rounding_error, False, C, response)


def objective(problem, theta):
    smooth = 0.5 * theta @ problem.operator.matrix @ theta - problem.target @ theta
    return smooth + problem.penalty @ np.abs(theta)


def random_factors(problem, seed=0):
    rng = np.random.default_rng(seed)
    return Factors(*rng.normal(size=(2, len(problem.target))))


def optimum(problem):
    zero = point_of(problem, np.zeros_like(problem.target))
    return SOLVERS["auto"](problem, CholeskyFactor(), zero, float, 0.0, 100).point


def assert_optimal(problem, point):
    support = point.theta != 0
    excess = np.abs(point.z) - problem.penalty
    assert (excess <= 1e-9 * problem.penalty).all()
    assert_allclose(point.z[support], (problem.penalty * np.sign(point.theta))[support], rtol=1e-9)


def test_every_ridge_update_is_the_minimiser_of_its_block(problem):
    factors = random_factors(problem)
    for _ in range(20):
        mu = ridge_update(problem.operator.matrix, problem.target, problem.penalty, factors.nu)
        gradient = factors.nu * (problem.operator.matrix @ (mu * factors.nu) - problem.target)
        gradient += problem.penalty * mu
        assert np.abs(gradient).max() <= 1e-9 * np.abs(problem.target).max()
        updated = Factors(mu, factors.nu)
        before, after = (hadamard_objective(problem, f) for f in (factors, updated))
        assert after <= before + 1e-12 * abs(before)
        factors = Factors(updated.nu, updated.mu)


def test_primal_and_dual_updates_agree(problem):
    nu = random_factors(problem).nu
    primal = ridge_update(problem.operator.matrix, problem.target, problem.penalty, nu)
    dual = ridge_update_dual(problem.columns, problem.response, problem.penalty, nu)
    assert_allclose(dual, primal, rtol=1e-7, atol=1e-9)


def test_an_update_is_the_factor_times_the_correlations(problem):
    nu = random_factors(problem).nu
    mu = ridge_update(problem.operator.matrix, problem.target, problem.penalty, nu)
    z = problem.target - problem.operator.matrix @ (mu * nu)
    assert_allclose(mu, nu * z / problem.penalty, rtol=1e-6, atol=1e-8)


def test_g_bounds_f_and_balancing_closes_the_gap(problem):
    factors = random_factors(problem)
    theta = factors.theta
    balanced = balance(theta)
    assert hadamard_objective(problem, factors) > objective(problem, theta)
    assert_allclose(hadamard_objective(problem, balanced), objective(problem, theta))
    assert_allclose(balanced.theta, theta)
    assert_array_equal(np.abs(balanced.mu), balanced.nu)


def test_g_equals_f_at_the_solution_which_sweeps_do_not_move(problem):
    point = optimum(problem)
    assert_optimal(problem, point)
    support = np.flatnonzero(point.theta)
    part, factors = problem.on(support), balance(point.theta[support])
    assert_allclose(hadamard_objective(part, factors), objective(problem, point.theta))
    assert_allclose(sweep(part, factors).theta, factors.theta, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_finish_is_newtons_step_for_f_and_not_for_g(problem, seed):
    rng = np.random.default_rng(seed)
    positions = rng.choice(len(problem.target), 5, replace=False)
    G, c, penalty = (
        problem.operator.matrix[np.ix_(positions, positions)],
        problem.target[positions],
        1.0,
    )
    theta = rng.normal(size=5)
    mu, nu = balance(theta)
    signs, z = np.sign(theta), c - G @ theta
    hessian = np.block(
        [
            [nu[:, None] * G * nu + penalty * np.eye(5), nu[:, None] * G * mu - np.diag(z)],
            [mu[:, None] * G * nu - np.diag(z), mu[:, None] * G * mu + penalty * np.eye(5)],
        ]
    )
    gradient = np.concatenate([penalty * mu - nu * z, penalty * nu - mu * z])
    of_mu, of_nu = -np.linalg.solve(hessian, gradient).reshape(2, 5)
    change, abs_correlation = nu * of_mu + mu * of_nu, z - penalty * signs
    extra = np.diag((penalty - signs * z) / (2.0 * np.abs(theta)))
    assert_allclose(
        (G + extra) @ change, abs_correlation, rtol=1e-6, atol=1e-6 * np.abs(abs_correlation).max()
    )
    part = restricted(G + np.eye(5), c + theta, np.ones(5), np.zeros(5))  # independent
    solver = CholeskyFactor()
    solver.update(part.operator, np.arange(5), 5)
    values, wrong = minimiser_on(part, solver, signs, part.target - signs)
    assert_array_equal(wrong, np.sign(values) != signs)
    assert_allclose(
        (G + np.eye(5)) @ (values - theta),
        abs_correlation,
        atol=1e-9 * np.abs(abs_correlation).max(),
    )


def test_sweeps_converge_to_the_finish(problem):
    start = point_of(problem, np.zeros_like(problem.target))
    square = float(problem.response @ problem.response)
    point = SOLVERS["alternating"](
        problem, CholeskyFactor(), start, lambda: square, 1e-5 * square, 100_000
    ).point
    best = objective(problem, optimum(problem).theta)
    assert best - 1e-12 <= objective(problem, point.theta) <= best + 1e-5 * square


def test_zero_is_absorbing(problem):
    factors = random_factors(problem)
    factors.nu[3] = 0.0
    assert sweep(problem, factors).mu[3] == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_positive_sweeps_go_down_and_stay_positive(problem, seed):
    confined = RestrictedProblem(
        problem.operator, problem.target, problem.penalty, problem.rounding_error, positive=True
    )
    nu = np.abs(random_factors(problem, seed).nu)
    factors = Factors(nu, nu)
    for _ in range(10):
        before = hadamard_objective(confined, factors)
        factors = sweep(confined, factors)
        assert (factors.theta >= 0).all()
        assert hadamard_objective(confined, factors) <= before + 1e-12 * abs(before)


def solved(problem, max_sweeps=1000, start=None):
    start = point_of(problem, np.zeros_like(problem.target)) if start is None else start
    return SOLVERS["auto"](problem, CholeskyFactor(), start, float, 0.0, max_sweeps)


def test_what_is_taken_never_goes_up(problem, monkeypatch):
    values = []

    def observed(name):
        original = getattr(hplasso._solver.sweeps_and_finish, name)

        def step(problem, solver, start, *face):
            point = original(problem, solver, start, *face)
            values.append([objective(problem, start.theta), objective(problem, point.theta)])
            return point

        monkeypatch.setattr(hplasso._solver.sweeps_and_finish, name, step)

    observed("finish")
    observed("feature_sign_step")
    solution = solved(problem)
    assert solution.point.optimal
    assert solution.sweeps >= 1
    assert len(values) >= 1
    falls = np.diff(np.ravel(values))
    assert (falls <= 1e-12 * abs(values[-1][-1])).all()


def test_the_finish_starts_from_the_face_of_the_swept_factors(problem, monkeypatch):
    seen = []
    original = hplasso._solver.sweeps_and_finish.finish

    def observed(problem, solver, start, face):
        seen.append((start, face))
        return original(problem, solver, start, face)

    monkeypatch.setattr(hplasso._solver.sweeps_and_finish, "finish", observed)
    assert solved(problem).sweeps >= 1
    swept, face = seen[0]
    # the first sweep, from the proximal steps of those that are furthest from optimal
    excess = np.abs(problem.target) / problem.penalty
    room = np.argsort(-excess)[:10]
    room = room[excess[room] > 1.0]
    size = (np.abs(problem.target) - problem.penalty)[room] / problem.diagonal[room]
    nu = np.sqrt(size)
    gram, target = problem.operator.matrix[np.ix_(room, room)], problem.target[room]
    penalty = problem.penalty[room]
    if np.linalg.matrix_rank(gram, tol=1e-8 * np.abs(gram).max()) < room.size:
        pytest.skip("columns that depend on others are left out")
    for _ in range(2):
        factor = np.linalg.solve(nu[:, None] * gram * nu + np.diag(penalty), nu * target)
        nu, other = factor, nu
    theta = nu * other
    assert_allclose(swept.theta[room], theta, rtol=1e-6, atol=1e-9 * np.abs(theta).max())
    stays = np.abs(theta * np.diagonal(gram) + target - gram @ theta) > penalty
    assert_array_equal(np.sort(face.support), np.sort(room[stays]))
    assert_array_equal(face.signs, np.sign(swept.theta[face.support]))


def test_only_dependent_columns_need_a_descent(monkeypatch):
    """x_3 = x_1 + x_2, dearer at first than its parts, and the same with a column of its own."""
    calls = []
    original = hplasso._solver.sweeps_and_finish.feature_sign_step
    monkeypatch.setattr(
        hplasso._solver.sweeps_and_finish,
        "feature_sign_step",
        lambda *args: calls.append(1) or original(*args),
    )
    rng = np.random.default_rng(0)
    for dependent in (True, False):
        C = rng.normal(size=(3, 20))
        if dependent:
            C[2] = C[0] + C[1]
        penalty = np.array([1.0, 1.0, 1.2])
        problem = restricted(C @ C.T, C @ (3 * C[2]), penalty, np.full(3, 1e-12))
        start = minimise_on_face(problem, CholeskyFactor(), np.array([1.0, 1.0, 0.0]))
        assert_optimal(
            problem, SOLVERS["auto"](problem, CholeskyFactor(), start, float, 0.0, 100).point
        )
        assert bool(calls) == dependent
        calls.clear()


def test_descent_alone_arrives(problem):
    """The fallback, which few problems need, solves every problem."""
    point = point_of(problem, np.zeros_like(problem.target))
    value = 0.0
    for _ in range(500):
        point = feature_sign_step(problem, CholeskyFactor(), point)
        assert objective(problem, point.theta) <= value + 1e-12 * abs(value)
        value = objective(problem, point.theta)
        if not violators(problem, point).size:
            break
    assert_optimal(problem, minimise_on_face(problem, CholeskyFactor(), point.theta))


def test_descent_swaps_dependent_columns():
    """x_3 = x_1 + x_2 is dearer than its parts at first, and must replace one of them."""
    rng = np.random.default_rng(0)
    C = rng.normal(size=(3, 20))
    C[2] = C[0] + C[1]
    penalty = np.array([1.0, 1.0, 1.2])
    problem = restricted(C @ C.T, C @ (3 * C[2]), penalty, np.full(3, 1e-12))
    only_parts = minimise_on_face(problem, CholeskyFactor(), np.array([1.0, 1.0, 0.0]))
    assert_array_equal(violators(problem, only_parts), [2])
    swapped = feature_sign_step(problem, CholeskyFactor(), only_parts)
    assert swapped.theta[2] > 0
    assert np.count_nonzero(swapped.theta) <= 2
    assert objective(problem, swapped.theta) < objective(problem, only_parts.theta)


@pytest.mark.parametrize("seed", range(8))
def test_dependent_columns_without_penalty_do_not_go_far(seed):
    """Rounding gives their null vectors parts of 1e-13 along columns with a penalty."""
    rng = np.random.default_rng(seed)
    C = rng.normal(size=(45, 40))
    C[:3] = 1e3 * np.abs(C[:3]) + [[1e5], [2e5], [0.0]]
    C[2] = C[0] + C[1]
    penalty = np.where(np.arange(45) < 3, 0.0, 1e-2)
    problem = restricted(
        C @ C.T, C @ rng.normal(size=40), penalty, np.full(45, 1e-10), unpenalised=penalty == 0.0
    )
    theta = rng.normal(size=45)
    solver = CholeskyFactor()
    solver.update(problem.operator, np.arange(45), 45)
    left = drop_dependent(problem, solver, theta)
    assert np.count_nonzero(left) < 45
    assert np.abs(left).max() < 100.0
    assert_allclose(C.T @ left, C.T @ theta, rtol=1e-6, atol=1e-3)
    assert penalty @ np.abs(left) <= penalty @ np.abs(theta) * (1.0 + 1e-9)


def test_dependent_columns_are_found_in_one_go():
    rng = np.random.default_rng(1)
    C = rng.normal(size=(12, 40)) * 10.0 ** rng.integers(-6, 7, (12, 1))
    C[[3, 7, 11]] = C[[0, 1, 2]] * [[2.0], [-1e5], [1e-5]]
    C[9] = 0.0
    _, kept = independent_cholesky(C @ C.T, n_trusted=3)
    independent = [0, 1, 2, 4, 5, 6, 8, 10]
    assert_array_equal(kept, independent)
    factor, kept = independent_cholesky(C[independent] @ C[independent].T)
    lower = np.tril(factor)
    assert_allclose(
        lower @ lower.T, (C @ C.T)[np.ix_([0, 1, 2, 4, 5, 6, 8, 10], [0, 1, 2, 4, 5, 6, 8, 10])]
    )
    assert kept.size == 8


def test_singular_ridge_systems_have_the_solution_of_least_norm():
    ones = np.ones((3, 3))
    assert_allclose(solve_positive(ones.copy(), np.full(3, 6.0)), [2.0, 2.0, 2.0])


def test_certificate_against_its_definition(problem):
    rng = np.random.default_rng(2)
    theta = rng.normal(size=len(problem.target)) * (rng.random(len(problem.target)) < 0.4)
    residual = problem.response - problem.columns.T @ theta
    z = problem.columns @ residual
    support, square = np.flatnonzero(theta), float(residual @ residual)
    zeros = np.zeros_like(z)
    largest = feasible_alpha(z, zeros, problem.penalty, False).max()
    divergence = SquaredState(residual, square, 0.0).divergence
    on = problem.penalty[support], zeros[support], z[support], theta[support]
    gap, kappa, _ = certify(1.0, largest, *on, divergence)
    assert np.all(kappa * np.abs(z) <= problem.penalty * (1 + 1e-12))
    primal = 0.5 * square + problem.penalty @ np.abs(theta)
    dual = kappa * residual @ problem.response - 0.5 * kappa**2 * square
    assert_allclose(gap, primal - dual, rtol=1e-9)
    best = optimum(problem).theta
    assert gap >= objective(problem, theta) - objective(problem, best)


def test_gap_safe_rule_never_screens_the_support(problem):
    best = optimum(problem)
    lengths = np.sqrt(problem.operator.matrix.diagonal())
    for noise in (1e-1, 1e-3, 1e-8):
        theta = best.theta * (1 + noise)
        residual = problem.response - problem.columns.T @ theta
        z, square = problem.columns @ residual, float(residual @ residual)
        largest = feasible_alpha(z, np.zeros_like(z), problem.penalty, False).max()
        on = np.flatnonzero(theta)
        divergence = SquaredState(residual, square, 0.0).divergence
        certificate = certify(
            1.0,
            largest,
            problem.penalty[on],
            problem.rounding_error[on],
            z[on],
            theta[on],
            divergence,
        )
        zero = certainly_zero(problem.penalty, z, lengths, certificate, False)
        assert not zero[on].any()
    strict = np.abs(best.z) < 0.99 * problem.penalty
    assert zero[strict].all()


def test_reach_of_features_with_and_without_penalty():
    z, rounding_error = np.array([-4.0, 3.0, 1e-12, -1e-5, 0.5]), np.full(5, 1e-14)
    assert_allclose(feasible_alpha(z, rounding_error, None, False), np.abs(z) - rounding_error)
    assert_allclose(feasible_alpha(z, rounding_error, None, True), z - rounding_error)
    weights = np.array([2.0, 0.5, 0.0, 0.0, 1.0])
    assert_allclose(
        feasible_alpha(z, rounding_error, weights, False), [2.0, 6.0, -np.inf, np.inf, 0.5]
    )
    assert_allclose(
        feasible_alpha(z, rounding_error, weights, True), [-2.0, 6.0, -np.inf, -np.inf, 0.5]
    )


@pytest.mark.parametrize("positive", [False, True])
def test_gap_safe_rule_reaches_as_far_as_the_dual_optimum_can_be(positive):
    """Zero, certified, is wrong in x_1 alone, which is nearly orthogonal to y.

    The dual optimum y - (z_1 - lambda_1) x_1 is then at .995 of the ball's radius, in the direction
    of x_2, so that x_2 reaches its penalty just inside; x_3 and x_4 do just outside.
    """
    y = np.array([0.1, 1.0])
    columns = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, -2.0]])
    penalty = np.array([0.05, 0.999, 1.01, 2.02])
    z, zero = columns @ y, np.zeros(0)
    divergence = SquaredState(y, float(y @ y), 0.0).divergence
    certificate = certify(1.0, (np.abs(z) / penalty).max(), zero, zero, zero, zero, divergence)
    lengths = np.linalg.norm(columns, axis=1)
    theta = np.maximum(z[:2] - penalty[:2], 0.0)  # the solution: x_1 and x_2 are orthonormal
    residual = y - theta @ columns[:2]
    assert (theta > 0.0).all()
    assert (np.abs(columns[2:] @ residual) < penalty[2:]).all()
    assert np.linalg.norm(residual - certificate.kappa * y) > 0.99 * np.sqrt(2 * certificate.gap)
    screened = certainly_zero(penalty, z, lengths, certificate, positive)
    assert_array_equal(screened, [False, False, True, True])


class Counted(np.ndarray):
    """A Gram matrix that counts products with the whole of it."""

    products = 0

    def __matmul__(self, vector):
        if self.shape[0] == self.shape[1]:
            Counted.products += 1
        return np.asarray(self) @ vector


def counted(problem, **others):
    """The problem on a Gram matrix that counts."""
    Counted.products = 0
    return problem._replace(operator=GramMatrix(problem.operator.matrix.view(Counted)), **others)


def correlations(problem, factors):
    return problem.target - np.asarray(problem.operator.matrix) @ factors.theta


def conjugate_gradients(problem, mu, nu, steps):
    """The textbook's, on D G D + Lambda, preconditioned by its diagonal: what each step reaches."""
    matrix = nu[:, None] * np.asarray(problem.operator.matrix) * nu + np.diag(problem.penalty)
    scale, rest = 1.0 / matrix.diagonal(), nu * problem.target - matrix @ mu
    way, reached = scale * rest, [mu]
    for _ in range(steps):
        image = matrix @ way
        length = rest @ (scale * rest) / (way @ image)
        mu, new = mu + length * way, rest - length * image
        way = scale * new + (new @ (scale * new)) / (rest @ (scale * rest)) * way
        rest = new
        reached.append(mu)
    left = [nu * problem.target - matrix @ mu for mu in reached]
    return reached, [float(rest @ (scale * rest)) for rest in left]


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
def test_a_descent_takes_the_steps_of_conjugate_gradients_that_it_needs(problem, unit):
    """No more than three, and none once a tenth of the gradient is left, in whatever units."""
    problem = counted(problem, target=unit * problem.target, penalty=unit * problem.penalty)
    factors = Factors(*np.sqrt(unit) * np.array(random_factors(problem)))
    reached, left = conjugate_gradients(problem, *factors, 3)
    needed = next(step for step in range(4) if step == 3 or left[step] <= 0.01 * left[0])
    z = correlations(problem, factors)
    Counted.products = 0
    mu, left_over = ridge_descent(problem, *factors, z)
    assert Counted.products == needed
    assert_allclose(mu, reached[needed], rtol=1e-6, atol=1e-9 * np.abs(mu).max())
    expected = correlations(problem, factors._replace(mu=mu))
    assert_allclose(left_over, expected, atol=1e-10 * np.abs(z).max())


@pytest.mark.parametrize("positive", [False, True])
def test_descending_sweeps_go_down(problem, positive):
    problem = problem._replace(positive=positive)
    nu = np.abs(random_factors(problem).nu)
    factors, stopped = Factors(nu, nu), 0
    for _ in range(10):
        before, z = hadamard_objective(problem, factors), correlations(problem, factors)
        factors, left_over = descending_sweep(problem, factors, z)
        expected = correlations(problem, factors)
        assert_allclose(left_over, expected, atol=1e-10 * np.abs(z).max())
        assert hadamard_objective(problem, factors) <= before + 1e-12 * abs(before)
        if positive:
            assert (factors.theta >= 0.0).all()
            stopped += (factors.theta == 0.0).sum()
    assert (stopped > 0) == positive


def test_a_positive_descent_that_nothing_stops():
    rng = np.random.default_rng(0)
    C = np.abs(rng.normal(size=(4, 20)))
    penalty = np.full(4, 1e-3)
    problem = restricted(C @ C.T, C @ (C.sum(axis=0)), penalty, np.zeros(4), True)
    nu = np.full(4, 0.8)
    z = correlations(problem, Factors(nu, nu))
    mu, _ = ridge_descent(problem, nu, nu, z)
    assert (mu > 0.0).all()
    confined, _ = ridge_descent(problem._replace(positive=False), nu, nu, z)
    assert_array_equal(mu, confined)


def test_alternation_ends_at_the_first_sweep_with_the_gap_asked(problem):
    square = float(problem.response @ problem.response)
    on = np.abs(problem.target) > problem.penalty
    size = (np.abs(problem.target) - problem.penalty)[on] / problem.diagonal[on]
    factors = balance(np.copysign(size, problem.target[on]))
    part, gaps, unequal = problem.on(np.flatnonzero(on)), [], []
    for _ in range(6):
        factors = sweep(part, factors)
        unequal.append(hadamard_objective(part, factors) - objective(part, factors.theta))
        residual = problem.response - problem.columns[on].T @ factors.theta
        z = problem.columns @ residual
        kappa = min(1.0, 1.0 / (np.abs(z) / problem.penalty).max())
        penalty = part.penalty @ np.abs(factors.theta)
        gaps.append(
            0.5 * (1.0 - kappa) ** 2 * residual @ residual + penalty - kappa * z[on] @ factors.theta
        )
        if (np.abs(z) > problem.penalty * (1.0 + 1e-9))[~on].any():
            break  # a seed comes in
    zero = point_of(problem, np.zeros_like(problem.target))
    for gap in gaps:
        enough = 1.0001 * gap
        made = SOLVERS["alternating"](problem, CholeskyFactor(), zero, lambda: square, enough, 100)
        first = next(k for k, each in enumerate(gaps) if each <= enough)
        assert made.sweeps == first + 1
        assert_allclose(made.imbalance, unequal[first], rtol=1e-6, atol=1e-12 * square)
    assert SOLVERS["alternating"](
        problem._replace(penalty=2.0 * np.abs(problem.target).max() + problem.penalty),
        CholeskyFactor(), zero, lambda: square, 0.0, 100,
    ).sweeps == 0  # fmt: skip


@pytest.mark.parametrize("n_support", [1, 12, 30])
def test_correlations_read_the_rows_of_a_small_support_alone(n_support):
    rng = np.random.default_rng(0)
    C = rng.normal(size=(30, 40))
    problem = counted(restricted(C @ C.T, rng.normal(size=30), np.ones(30), np.zeros(30)))
    support = rng.permutation(30)[:n_support]
    theta = np.zeros(30)
    theta[support] = rng.normal(size=n_support)
    z = problem.correlations(theta, support)
    assert_allclose(z, problem.target - C @ (C.T @ theta))
    assert Counted.products == (n_support > 10)


def test_a_step_that_is_rounding_goes_neither_up_nor_down(problem):
    point = optimum(problem)
    assert increase(problem, point, point) == 0.0
    assert increase(problem, point, point) >= 0.0
    near = point_of(problem, point.theta * (1.0 + 1e-10))
    assert increase(problem, near, point) >= 0.0
    assert increase(problem, point, near) >= 0.0
    far = point_of(problem, point.theta * 1.01)
    assert increase(problem, far, point) < 0.0
    assert increase(problem, point, far) == pytest.approx(
        objective(problem, far.theta) - objective(problem, point.theta), rel=1e-6
    )


def test_the_sweeps_that_are_counted_are_those_that_were_made(problem, monkeypatch):
    made = []
    original = hplasso._solver.sweeps_and_finish.sweep_on
    monkeypatch.setattr(
        hplasso._solver.sweeps_and_finish,
        "sweep_on",
        lambda *args: made.append(1) or original(*args),
    )
    assert solved(problem).sweeps == len(made) > 0


def test_a_descent_lets_in_who_pulls_hardest_for_the_length_of_its_column():
    """From zero, with orthogonal columns: the one along which f falls most."""
    lengths, abs_correlation = np.array([1.0, 10.0, 3.0]), np.array([1.5, 4.0, 3.5])
    problem = restricted(np.diag(lengths**2), 1.0 + abs_correlation, np.ones(3), np.zeros(3))
    point = feature_sign_step(problem, CholeskyFactor(), point_of(problem, np.zeros(3)))
    assert_allclose(point.theta, [1.5, 0.0, 0.0])
    point = feature_sign_step(problem, CholeskyFactor(), point)
    assert_allclose(point.theta, [1.5, 0.0, 3.5 / 9.0])


@pytest.mark.parametrize(("n_wrong", "size", "n_leaving"), [(3, 40, 3), (20, 40, 5), (60, 160, 10)])
def test_of_many_wrong_signs_those_leave_that_reach_zero_first(n_wrong, size, n_leaving):
    rng = np.random.default_rng(0)
    start, end = rng.uniform(1.0, 2.0, (2, size))
    end[:n_wrong] *= -1.0
    at = start[:n_wrong] / (start[:n_wrong] - end[:n_wrong])
    gone = first_to_leave(start, end, end < 0.0).nonzero()[0]
    assert_array_equal(gone, np.sort(np.argsort(at)[:n_leaving]))
    nothing = np.zeros(size)  # who is at zero, and stays there, leaves first
    assert first_to_leave(nothing, nothing, np.ones(size, dtype=bool)).sum() == max(5, size // 16)
    few = first_to_leave(start, end, end < 0.0, few=True).nonzero()[0]
    assert_array_equal(few, np.sort(np.argsort(at)[: max(5, size // 16) // 5]))


@pytest.mark.parametrize("seed", [426, 4562, 5484])
def test_some_of_the_wrong_signs_are_right_when_others_have_left(seed):
    """All at once, they leave a point above the start; one at a time, the solution."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 7))
    C = rng.normal(size=(k, k + 2))
    C += rng.normal(size=k + 2) * rng.choice([0, 1, 3])
    response = rng.normal(size=k + 2)
    penalty = np.full(k, rng.choice([0.05, 0.1, 0.2]) * np.abs(C @ response).max())
    problem = restricted(C @ C.T, C @ response, penalty, np.zeros(k), False)
    start = point_of(problem, rng.normal(size=k))
    face, solver = Face(np.arange(k), np.sign(start.theta), k), CholeskyFactor()
    assert increase(problem, start, limit_point(problem, solver, start, face)) >= 0.0
    assert increase(problem, start, limit_point(problem, solver, start, face, few=True)) < 0.0
    point = finish(problem, solver, start, face)
    assert point.optimal
    assert_optimal(problem, point)


@pytest.mark.parametrize("scale", [2.0**-300, 1.0, 2.0**300])
def test_semidefinite_systems(scale, monkeypatch):
    """By a factorisation; where that fails, the solution of least norm on a diagonal of one."""
    rng = np.random.default_rng(0)
    C = rng.normal(size=(6, 9))
    right, lengths = rng.normal(size=6), 10.0 ** np.arange(-3.0, 3.0)
    expected = np.linalg.solve(C @ C.T, right) / lengths
    gram = scale * (lengths[:, None] * (C @ C.T) * lengths)
    with monkeypatch.context() as context:
        context.setattr(hplasso._numerics.linalg, "eigh", None)
        given = solve_semidefinite(gram.copy(), scale * lengths * right)
    assert_allclose(given, expected, rtol=1e-9)
    C[4], C[5] = C[0] - C[1], 0.0
    target = C @ rng.normal(size=9)
    unit = np.sqrt((C**2).sum(axis=1))
    unit[5] = 1.0
    best = np.linalg.lstsq((C @ C.T) / unit / unit[:, None], target / unit, rcond=1e-12)[0] / unit
    gram = scale * (lengths[:, None] * (C @ C.T) * lengths)
    given = solve_semidefinite(gram, scale * lengths * target)
    assert_allclose(given, best / lengths, rtol=1e-9, atol=1e-15)
    assert given[5] == 0.0
    gram[5, 5] = -1e-20 * scale  # zero, to rounding
    again = solve_semidefinite(gram, scale * lengths * target)
    assert again[5] == 0.0
    assert pivoted_root(-np.eye(2))[0].shape == (0, 2)


def test_the_root_of_an_inverse_leaves_out_what_is_zero_beside_the_largest():
    diagonal = np.diag([1e-17, 1e-3, 1.0])
    root = inverse_root(diagonal)
    assert_allclose(root @ root.T, np.diag([0.0, 1e3, 1.0]), rtol=1e-12, atol=1e-12)


def test_violators_are_those_beyond_the_support():
    """Relative to the penalties, where these have become smaller: here twice what they are."""
    penalty, z = np.array([1.0, 4.0, 1.0, 4.0, 1.0, 4.0]), np.array([2.0, -4, -1.5, 6.0, 2.5, -9.0])
    problem = restricted(np.eye(6), z, penalty, np.zeros(6))
    support, others = np.arange(2), np.arange(2, 6)
    found = beyond_support(problem, Point(np.sign(z), z, support), others)
    assert_array_equal(found, [4, 5])
    assert_array_equal(beyond_support(problem, Point(0.0 * z, z, support[:0]), others), others)


def test_settling_leaves_out_columns_that_depend_on_others():
    rng = np.random.default_rng(0)
    C = rng.normal(size=(3, 20))
    C[2] = C[0] + C[1]
    problem = restricted(C @ C.T, C @ (3.0 * C[2]), np.full(3, 0.5), np.full(3, 1e-12))
    for theta in ([1.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, -1.0]):
        point = minimise_on_face(problem, CholeskyFactor(), np.array(theta))
        on = point.support
        assert 0 < on.size < 3
        assert objective(problem, point.theta) < objective(problem, np.array(theta))
        assert_allclose(point.z[on], 0.5 * np.sign(point.theta[on]))


@pytest.mark.parametrize("seed", range(20))
def test_leaving_out_what_depends_on_others_lets_f_not_go_up(seed):
    rng = np.random.default_rng(seed)
    C = rng.normal(size=(6, 20))
    C[4:] = rng.normal(size=(2, 4)) @ C[:4]
    unpenalised = np.arange(6) == rng.integers(6) if seed % 2 else None
    penalty = rng.uniform(0.1, 1.0, 6) if unpenalised is None else np.where(unpenalised, 0.0, 0.5)
    target = C @ rng.normal(size=20)
    problem = restricted(C @ C.T, target, penalty, np.zeros(6), unpenalised=unpenalised)
    theta = rng.normal(size=6)
    before = objective(problem, theta)
    solver = CholeskyFactor()
    solver.update(problem.operator, np.arange(6), 6)
    after = drop_dependent(problem, solver, theta)
    assert_allclose(C.T @ after, C.T @ theta, rtol=0.0, atol=1e-12)
    assert objective(problem, after) <= before + 1e-12
    assert np.count_nonzero(after) == 4


def test_coordinates_without_penalty_have_the_coefficients_of_regression():
    rng = np.random.default_rng(0)
    C = rng.normal(size=(6, 20))
    response, unpenalised = rng.normal(size=20), np.arange(6) < 3
    penalty = np.where(unpenalised, 0.0, 1.0)
    problem = restricted(C @ C.T, C @ response, penalty, np.zeros(6), unpenalised=unpenalised)
    theta = np.where(unpenalised, rng.normal(size=6), 0.0)
    new = sweep(problem, balance(theta)).theta
    assert_allclose(new[:3], np.linalg.lstsq(C[:3].T, response, rcond=None)[0])
    assert not new[3:].any()
    factors = Factors(*np.abs(rng.normal(size=(2, 6))))
    for _ in range(50):
        before = hadamard_objective(problem, factors)
        factors = sweep(problem, factors)
        assert hadamard_objective(problem, factors) <= before + 1e-12
    z = problem.target - problem.operator.matrix @ factors.theta
    assert_allclose(z[:3], 0.0, atol=1e-9)


def test_what_the_finish_takes_is_the_minimiser_of_its_face():
    """From faces that are far from right, too, where wrong signs come up again and again."""
    rng, taken = np.random.default_rng(0), 0
    for _ in range(300):
        k = 12
        C = rng.normal(size=(k, 2 * k)) + rng.exponential(5.0) * rng.normal(size=2 * k)
        target = C @ rng.normal(size=2 * k)
        penalty = rng.uniform(0.05, 0.5, k) * np.abs(target).max()
        problem = restricted(C @ C.T, target, penalty, np.full(k, 1e-12))
        start = point_of(problem, np.zeros(k))
        support = rng.permutation(k)[: rng.integers(1, k + 1)]
        signs = rng.choice([-1.0, 1.0], support.size)
        point = finish(problem, CholeskyFactor(), start, Face(support, signs, support.size))
        if point is start:
            continue
        taken += 1
        assert increase(problem, start, point) < 0.0
        on = point.theta.nonzero()[0]
        expected = penalty[on] * np.sign(point.theta[on])
        assert_allclose(point.z[on], expected, atol=1e-8 * np.abs(target).max())
    assert taken > 100


def test_equal_columns_are_seeded_together():
    """Three equal columns and another, uncorrelated: together they go where one of them would."""
    gram = np.zeros((4, 4))
    gram[:3, :3], gram[3, 3] = 2.0, 1.0
    problem = RestrictedProblem(
        GramMatrix(gram), np.array([3.0, 3.0, 3.0, -5.0]), np.ones(4), np.zeros(4)
    )
    alone, together = (Factors(np.zeros(4), np.zeros(4)) for _ in range(2))
    proximal_seed(problem, alone, problem.target, np.arange(4))
    assert_allclose(alone.theta, [1.0, 1.0, 1.0, -4.0])
    z = joint_seed(problem, together, problem.target, np.arange(4))
    assert_allclose(z, correlations(problem, together))
    part = (3 * 2.0 + 4 * 4.0) / (2.0 * 9.0 + 16.0)  # slope by curvature
    assert_allclose(together.theta, part * alone.theta)
    single = Factors(np.zeros(4), np.zeros(4))
    joint_seed(problem, single, problem.target, np.array([1, 3]))
    assert_allclose(single.theta, [0.0, 1.0, 0.0, -4.0])
