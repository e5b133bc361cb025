"""One penalty of a path: from what is remembered of those before to its certified solution."""

import numpy as np

from .._datafit.iterate import Iterate
from .._design.columns import is_too_large
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .._solver.finish import step_to_minimiser
from .continuation import admit, continue_to
from .free_features import free_alone
from .memory import Memory
from .model_step import model_problem, model_step, without_matrix_free
from .orthogonal import assured
from .path_point import point_of_iterate
from .problem import PathProblem
from .progress import PathPoint
from .screening import predicted_entrants, violators
from .square_root_polish import has_long_columns, refined_by_square_root
from .stagnation import MAX_STALLED, Stagnation
from .truncation import effort_after, was_cut

# The loss refreshes its models if the gap, going on as in the last step, takes more steps than
# this: a Hessian computed anew against steps with an old one (constants.py).
TOO_MANY = 3
# Of a smaller gap one Newton step more is made: it squares what is left, while the gap bounds
# probabilities by its square root only. A larger limit costs every tight path a step
# (constants.py).
POLISHED = 1e-9
# After more rounds than these in vain, or of a slow gap after more rounds at all, truncated models
# are given up for factorised ones: less forms Hessians for a few rounds that are left, more makes
# rounds of models that many products do not solve, as where columns depend on others
# (constants.py).
TRUNCATED_IN_VAIN, MOST_TRUNCATED = 3, 20
# A gap is slow that is more than this part of that of the round before: then truncated models get
# more steps.
SLOW = 0.5


def solve_penalty(problem: PathProblem, memory: Memory, alpha: float) -> tuple[Memory, PathPoint]:
    """Solve at one alpha.

    1. Zero that is optimal is the solution; so is a start that meets the tolerance as it is. From
       zero, features without penalty are fitted first.
    2. Come near a far alpha by steps (`continuation`).
    3. Admit the predicted entrants (`screening`); start on the line through the last two solved
       points.
    4. Solve on the working set, certify, admit violators, until the gap is within the tolerance.
    5. Refine the certificate if it is not; remember the solution.
    """
    memory = _begun(problem, _observed_for(problem, memory, alpha), alpha)
    done = _solved_already(problem, memory, alpha)
    if done is not None:
        return done
    memory, sweeps = continue_to(problem, memory, alpha)
    entrants = predicted_entrants(
        problem, memory.iterate, memory.predictor, alpha, memory.used_matrix_free
    )
    memory = admit(problem, memory, entrants)
    if problem.term.quadratic:
        return rounds(problem, memory, alpha, sweeps, predicted_start(problem, memory, alpha))
    return rounds(problem, extrapolate(problem, memory, alpha), alpha, sweeps)


def _observed_for(problem: PathProblem, memory: Memory, alpha: float) -> Memory:
    """With correlations that are exact as far as `alpha` needs it.

    A start was observed when no alpha was known of, and so no ridge penalty.
    """
    iterate, size = memory.iterate, memory.iterate.support.size
    inexact = not size and alpha < iterate.exact_from
    without_ridge = size and not memory.solved and problem.penalty.ridge_ratio
    if inexact or without_ridge:
        iterate = problem.observe(iterate.theta, iterate.support, iterate.state, alpha)
        return memory.at(iterate)
    return memory


def _begun(problem: PathProblem, memory: Memory, alpha: float) -> Memory:
    """From zero, with the fit of features without penalty alone, if there are any."""
    if memory.solved or memory.iterate.support.size or problem.penalty.all_penalised:
        return memory
    iterate = free_alone(problem, memory.iterate, alpha)
    return memory.grown(iterate.theta.size).at(iterate)


def _solved_already(
    problem: PathProblem, memory: Memory, alpha: float
) -> tuple[Memory, PathPoint] | None:
    """The solution, where zero is optimal, or a warm start within the tolerance."""
    iterate, certifier = memory.iterate, problem.certifier
    zero = not iterate.support.size
    to_be_solved = iterate.feasible_alpha > alpha if zero else memory.solved
    if to_be_solved:
        return None
    certificate = certifier.of_iterate(alpha, iterate)
    if zero:
        point = point_of_iterate(certifier, alpha, iterate, certificate, 0)
        return memory._replace(solved=True), point
    if certificate.gap <= certifier.gap_tol:
        return settled(problem, memory, alpha, certificate, 0)
    return None


def rounds(
    problem: PathProblem,
    memory: Memory,
    alpha: float,
    sweeps: int,
    start: tuple[Index, Float64] | None = None,
) -> tuple[Memory, PathPoint]:
    """Step 4 of `solve_penalty`, from the iterate or other coefficients; then step 5."""
    certifier, term, settings = problem.certifier, problem.term, problem.settings
    gap_tol, stagnation = certifier.gap_tol, Stagnation()
    patience = MAX_STALLED if settings.solver == "auto" else np.inf
    polished = term.quadratic or settings.tol > POLISHED
    n_rounds = 0
    while sweeps < settings.max_iter and stagnation.rounds < patience:
        before = memory
        memory, made = model_step(
            problem, memory, alpha, gap_tol, settings.max_iter - sweeps, start
        )
        sweeps, n_rounds, start = sweeps + made, n_rounds + 1, None
        certificate = certifier.of_step(alpha, before.iterate, memory.iterate)
        problem.report(alpha, memory.iterate, certificate.gap, sweeps, memory.imbalance)
        if certifier.suffices(certificate):
            if polished:
                break
            polished = True
        gap = certificate.gap
        slow = gap > SLOW * stagnation.gap
        if memory.used_matrix_free:
            effort = effort_after(before, memory, slow)
            memory = memory._replace(effort=effort)
        if gap * stagnation.rate(gap) ** TOO_MANY > gap_tol:
            term.refresh()
        entrants = violators(problem, memory.iterate, alpha)
        memory = admit(problem, memory, entrants)
        if not made and not entrants.size:
            break
        objective = problem.objective(memory.iterate, alpha)
        changed = entrants.size > 0 or was_cut(before, memory)
        stagnation = stagnation.after(certificate, objective, changed, gap_tol)
        if memory.used_matrix_free and _in_vain(problem, stagnation, n_rounds * slow):
            memory, stagnation = _factorised(problem, memory), Stagnation()
    if not certifier.suffices(certificate):  # whatever the last step was
        certificate = certifier.of_iterate(alpha, memory.iterate)
    if not certifier.suffices(certificate):
        certificate = min(certificate, refined(problem, memory, alpha))
    return settled(problem, memory, alpha, certificate, sweeps)


def _in_vain(problem: PathProblem, stagnation: Stagnation, n_slow: int) -> bool:
    """Whether conjugate gradients are to be given up; never for a Hessian that is too large.

    `n_slow` is the number of rounds, if the gap goes down slowly.
    """
    if problem.term.quadratic:
        return stagnation.rounds > 0
    large = is_too_large(problem.working_set.features.size)
    return not large and (stagnation.rounds > TRUNCATED_IN_VAIN or n_slow > MOST_TRUNCATED)


def _factorised(problem: PathProblem, memory: Memory) -> Memory:
    """Without conjugate gradients from here on."""
    if problem.term.quadratic:
        return without_matrix_free(problem, memory)
    return memory._replace(matrix_free=False, used_matrix_free=False)


def settled(
    problem: PathProblem, memory: Memory, alpha: float, certificate: Certificate, sweeps: int
) -> tuple[Memory, PathPoint]:
    """Remember the iterate, or a better one, as the solution at alpha."""
    iterate, certificate = assured(problem, memory.iterate, alpha, certificate, sweeps)
    memory = memory.solved_at(alpha, iterate)
    return memory, point_of_iterate(problem.certifier, alpha, iterate, certificate, sweeps)


def predicted_start(
    problem: PathProblem, memory: Memory, alpha: float
) -> tuple[Index, Float64] | None:
    """Support and values on the line; a path is linear as long as no sign changes."""
    predictor = memory.predictor
    if problem.settings.solver == "alternating" or not predictor.can_predict(alpha):
        return None
    theta, support = memory.iterate.theta, memory.iterate.support  # in the order of the factor
    goal = theta + predictor.fraction(alpha) * predictor.change(theta)
    support = support[goal[support] * theta[support] > 0.0]
    return support, goal[support]


def extrapolate(problem: PathProblem, memory: Memory, alpha: float) -> Memory:
    """Go to the line through the last two solved points, on a logarithmic scale of alpha.

    Only what is not zero moves, and nothing changes sign; f goes down, or nothing happens. Not
    between the two.
    """
    predictor, iterate, working_set = memory.predictor, memory.iterate, problem.working_set
    outside = alpha > 0.0 and predictor.bracketing(alpha) is None
    if not (predictor.can_predict(alpha) and outside):
        return memory
    theta = iterate.theta
    goal = theta + predictor.fraction(alpha, logarithmic=True) * predictor.change(theta)
    goal[goal * theta <= 0.0] = 0.0
    theta, state = problem.term.line_search(
        working_set, iterate.state, theta, goal, problem.penalties(alpha), False
    )
    z = iterate.z.copy()
    z[working_set.features] = working_set.columns.correlations(state.residual)
    support = theta.nonzero()[0]
    return memory.at(Iterate(theta, support, state, z, *iterate[4:]))


def refined(problem: PathProblem, memory: Memory, alpha: float) -> Certificate:
    """The certificate of the iterate with the residual that another step would leave."""
    if has_long_columns(problem, memory.iterate, alpha):
        return refined_by_square_root(problem, memory.iterate, alpha)
    iterate, working_set = memory.iterate, problem.working_set
    about = model_problem(problem, memory, alpha, 0.0, iterate.support)
    step = step_to_minimiser(about.restricted, about.linear_solver, about.point)
    state, divergence = iterate.state, np.inf
    if step is not None and not working_set.complete:
        direction = np.zeros(working_set.features.size)
        direction[about.model.where] = step
        change = working_set.columns.predict(direction)
        state, divergence = state.refined(change)
    there = problem.observe(iterate.theta, iterate.support, state, alpha)
    return problem.certifier.of_refined(alpha, there, divergence)
