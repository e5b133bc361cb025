"""Continuation: a small alpha is approached by steps, roughly solved, from a far iterate.

It is a short path of its own: straight at a small alpha, the first working sets, which are far from
right, would be fitted to the last detail, and many signs be wrong at a time. Where the Gram matrix
of all features is at hand, and they are fewer than the samples, the finish corrects signs in less
time than steps take.
"""

import numpy as np

from .memory import Memory
from .model_step import model_step
from .problem import PathProblem
from .screening import MIN_ADMITTED, number_above, violators
from .truncation import MOST_REPEATS, has_settled

# An alpha is far if the iterate is optimal for more than FAR times it. The steps go down to NEAREST
# of where they start, each to a part of the alpha before: short ones lose time where a wrong
# support is soon corrected, long ones where it is not. Long are those that admit few features, or
# mostly such as stay (MOSTLY), or where the rank is below SMALL_RANK; the longest with up to FEW
# features. Where the loss is curved, a step costs a Hessian, too, and short steps are longer: cold
# fits to 11 data sets at nine levels took .96 of the time with .65 in place of .75, in the mean,
# from .7 to 1.4; .5 and .58 are no better. Least squares took .6 to 1.4 with .75 in place of .85.
# One wide cold fit took 3.9 times as long without continuation (constants.py).
FAR, FEW = 3.0, 128
LONGEST_STEP, LONG_STEP, SHORT_STEP, SHORT_CURVED_STEP = 0.1, 0.5, 0.85, 0.65
SMALL_RANK = 200
MOSTLY = 2.0 / 3.0
NEAREST = 1e-6
# With the Gram matrix of all features, and fewer of these than this part of the samples, squared
# loss takes no steps: 500 fits of 5 to 500 features took .77 of the time, the slowest 1.3 times as
# long. With more features than samples some took 8 times as long without steps (constants.py).
FEWER = 1.0
# On the way the working set is pruned to the support where that is less than half of it, and the
# Gram matrix of it would fill more than this part of X: memory against columns read again
# (constants.py).
CROWDED = 0.25
# The gap of a step, relative to `DataTerm.scale`: less makes steps exact that are given
# up anyway, more leaves wrong supports (constants.py).
CONTINUATION_TOL = 1e-3


def continue_to(problem: PathProblem, memory: Memory, alpha: float) -> tuple[Memory, int]:
    """Come near `alpha` by steps, if it is far from the iterate; returns also the sweeps made."""
    start, stayed = float(memory.iterate.feasible_alpha), 0.0
    sweeps, repeats = 0, 0
    if not FAR * alpha < start < np.inf or _goes_straight(problem):
        return memory, sweeps
    nearest, here = max(alpha, NEAREST * start), start
    gap_tol = max(problem.certifier.gap_tol, CONTINUATION_TOL * problem.term.scale)
    while True:
        n_steps = _steps_ahead(problem, memory, here, nearest, alpha, stayed)
        max_sweeps = (problem.settings.max_iter - sweeps) // max(n_steps, 1)
        if n_steps <= 1 or max_sweeps == 0:
            return memory, sweeps
        if not repeats:
            here *= (nearest / here) ** (1.0 / n_steps)
        memory = prune(problem, memory)
        number = number_above(problem, memory.iterate, here)
        memory = admit(problem, memory, violators(problem, memory.iterate, here))
        before = memory
        memory, made = model_step(problem, memory, here, gap_tol, max_sweeps)
        settled = repeats >= MOST_REPEATS or has_settled(problem, before, memory, here)
        repeats = 0 if settled else repeats + 1
        sweeps += made
        stayed = memory.iterate.support.size / max(number, 1)
        problem.report(alpha, memory.iterate, None, sweeps, memory.imbalance)
        memory = memory.solved_at(here, memory.iterate, memory.solved)


def _goes_straight(problem: PathProblem) -> bool:
    """Whether there are no steps.

    That is for squared loss with the Gram matrix of all features, which are FEWER than samples. A
    curved loss that begins with the fit of features without penalty needs none either: 33 cold fits
    took .88 of the time without.
    """
    if not problem.term.quadratic:
        return not problem.penalty.all_penalised
    n_samples, n_features = problem.design.shape
    return problem.working_set.complete and n_features < FEWER * n_samples


def _steps_ahead(
    problem: PathProblem, memory: Memory, here: float, nearest: float, alpha: float, stayed: float
) -> int:
    """How many steps there are from one alpha to the nearest; `stayed` of what the last let in."""
    truncated = memory.used_matrix_free and not problem.term.quadratic
    long = truncated or stayed > MOSTLY or _admits_few(problem, memory, LONG_STEP * here)
    short = SHORT_STEP if problem.term.quadratic else SHORT_CURVED_STEP
    step = LONG_STEP if long else short
    if nearest == alpha and problem.design.shape[1] <= FEW:
        step = LONGEST_STEP
    return round(np.log(nearest / here) / np.log(step))


def _admits_few(problem: PathProblem, memory: Memory, alpha: float) -> bool:
    """Whether few features are above their limit at an alpha, or supports are small anyway."""
    few = MIN_ADMITTED + 2 * memory.iterate.support.size
    return (
        number_above(problem, memory.iterate, alpha) <= few
        or min(problem.design.shape) < SMALL_RANK
    )


def admit(problem: PathProblem, memory: Memory, features: np.ndarray) -> Memory:
    """Let features into the working set, which may have grown by another target as well."""
    problem.working_set.admit(features)
    return memory.grown(problem.working_set.features.size)


def prune(problem: PathProblem, memory: Memory) -> Memory:
    """Prune the working set to the supports of the last two points, where it is crowded.

    Only before there are solutions that are numbered as the working set is now.
    """
    working_set, size = problem.working_set, problem.working_set.features.size
    numbered = memory.solved or working_set.fixed or not problem.term.quadratic
    if numbered or size**2 <= CROWDED * problem.design.n_stored:
        return memory
    kept = memory.predictor.live(size).nonzero()[0]
    if not 0 < 2 * kept.size < size:
        return memory
    working_set.prune(kept)
    return memory.pruned(kept)
