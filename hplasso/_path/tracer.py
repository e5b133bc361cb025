"""The path driver: one alpha after the other, each from the solution of the one before.

At each alpha, which is approached by steps if it is far:

1. admit the features that are likely to be needed: their correlations lead to the penalty, or,
   at the start, the sequential strong rule does not rule them out;
2. solve on the working set (`working_set_solvers`);
3. observe the correlations of all features (`correlations`); certify (`duality_gap`);
4. gap <= tol: done. Otherwise admit the violators and go to 2.

References
----------
R. Tibshirani et al., Strong rules for discarding predictors in lasso-type problems, Journal of the
Royal Statistical Society B 74 (2012) 245-266.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .._datafit.base import DataTerm, Model
from .._datafit.iterate import Iterate
from .._design.correlations import ALL
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import independent_cholesky, plus_diagonal
from .._numerics.rounding import NOBODY
from .._numerics.typing import Float64, Index
from .._penalties.duality_gap import Certificate
from .._solver.cholesky import CholeskyFactor
from .._solver.conjugate_gradients import ConjugateGradients
from .._solver.finish import Point, point_at
from .._solver.restricted_problem import RestrictedProblem
from .._solver.working_set_solvers import SOLVERS
from .certification import Certifier
from .orthogonal import assured
from .predictor import Predictor, SolvedPoint
from .progress import Iteration, PathPoint
from .screening import MIN_ADMITTED, Screening
from .settings import PathSettings

# Rounds that may pass with nothing new and no smaller gap. The alternation has all it is given.
MAX_STALLED = 5
UNSETTLED = 0.2
# A term refreshes its models if the gap, going on as in the last step, takes more steps than this.
TOO_MANY = 3
# Of a smaller gap one Newton step more is made: it squares what is left, while the gap bounds
# probabilities by its square root only.
POLISHED = 1e-9
# An alpha is far if the place is optimal for more than so many times it; then it is approached by
# steps, down to this part of where they start: long ones where they let in few features, or mostly
# such as stay, or the rank is so small that a wrong support is soon mended; the longest of FEW.
FAR, FEW = 3.0, 128
LONGEST_STEP, LONG_STEP, SHORT_STEP = 0.1, 0.5, 0.85
SMALL_RANK = 200
MOSTLY = 2.0 / 3.0
NEAREST = 1e-6
# On the way, what is not in the support is let go of where it is more than half of the working set,
# and the Gram matrix of that would fill more than this part of X.
CROWDED = 0.25
# The gap that is asked for on the way, relative to the loss without features.
CONTINUATION_TOL = 1e-3
# What the alternation leaves to the certificate of the gap that is asked for.
INNER_PART = 0.3
# What conjugate gradients may take of it.
MATRIX_FREE_PART = 0.9


class PathTracer:
    """Walks along a path for one target; keeps the place between two alphas.

    Parameters
    ----------
    term : DataTerm
    working_set : WorkingSet
        May be shared with other targets; it grows. Of its own, a cold fit lets features go.
    design : Design or StackedDesign
        For what it says of the columns' lengths; no pass over X is made through it.
    settings : PathSettings
    start : ndarray of shape (p,), optional
        Coefficients to start from.
    """

    def __init__(
        self,
        term: DataTerm,
        working_set: WorkingSet,
        design: AnyDesign,
        settings: PathSettings,
        start: Float64 | None = None,
    ) -> None:
        self.term = term
        self.working_set = working_set
        self.design = design
        self.settings = settings
        self.certifier = Certifier(term, working_set, design, settings)
        self.screening = Screening(working_set, self.certifier, settings)
        theta = self._independent_start(start)
        state = term.state(working_set, theta)
        if theta.any():
            zero = np.zeros_like(theta)
            null_state = term.state(working_set, zero)
            if not state.loss <= null_state.loss:  # then zero is better, whatever the penalty
                theta, state = zero, null_state
        self.iterate = self._observe(theta, theta.nonzero()[0], state)
        self._predictor = Predictor()
        self._factor = CholeskyFactor()  # of the support, where the Gram matrix stays the same
        self._matrix_free = settings.solver == "auto"  # whether conjugate gradients may be tried
        self._used_matrix_free = False  # whether they were, the last time
        self._imbalance = 0.0  # g - f at the factors of the last sweep
        self._solved = False  # whether there are solutions on the working set as it is numbered

    def _independent_start(self, start: Float64 | None) -> Float64:
        """Start coefficients on the working set, those of dependent columns left out.

        A ridge penalty on all of them makes columns independent.
        """
        working_set, settings = self.working_set, self.settings
        ridged = settings.ridge_ratio > 0.0 and bool(settings.penalty_weights.all())
        if start is None:
            return np.zeros(working_set.features.size)
        abs_correlation = np.abs(start) * self.design.column_norms
        support = np.flatnonzero(abs_correlation)
        rank = abs_correlation.size if ridged else min(self.design.shape)
        if support.size > rank:
            support = support[np.argpartition(-abs_correlation[support], rank)[:rank]]
        working_set.admit(support)
        positions = working_set.position[support]
        if positions.size and not ridged:
            gram = working_set.gram[np.ix_(positions, positions)]
            _, kept = independent_cholesky(gram, positions.size)
            support, positions = support[kept], positions[kept]
        theta = np.zeros(working_set.features.size)
        theta[positions] = start[support]
        if settings.positive:
            np.maximum(theta, 0.0, out=theta)
        return theta

    def _observe(
        self, theta: Float64, support: Index, state: Any, alpha: float | None = None
    ) -> Iterate:
        """The place theta; exact as far as optimality at `alpha` is concerned, or everywhere."""
        limit = None if alpha is None else self.screening.limit(alpha)
        z, exact = self.term.correlations(self.working_set, state, limit, self.settings.positive)
        on, values = self.working_set.features[support], theta[support]
        rounding, hidden = self.term.rounding(on, values, state, limit)
        abs_correlation = z
        if self.settings.ridged and alpha is not None:
            abs_correlation = z.copy()
            abs_correlation[on] -= self.settings.ridge(alpha, on) * values
        feasible_alpha = float(
            self.screening.feasible_alpha(abs_correlation, rounding, exact).max(initial=0.0)
        )
        exact_from = 0.0 if alpha is None else alpha
        return Iterate(theta, support, state, z, rounding, hidden, feasible_alpha, exact_from)

    def _penalties(self, alpha: float) -> tuple[Float64, Float64 | None]:
        """The L1 penalties lambda_j of the working set, and its ridge penalties, if any."""
        features = self.working_set.features
        ridge = self.settings.ridge(alpha, features) if self.settings.ridged else None
        return alpha * self.settings.penalty_weights[features], ridge

    def alpha_max(self) -> float:
        """The smallest alpha at which every penalised coefficient is zero, for a tracer at zero.

        Moves the place there: to the fit of the features without penalty, if there are any. The
        listener hears nothing of it.
        """
        weights = self.settings.penalty_weights
        penalised = weights > 0.0
        if not penalised.all():
            # |z_j| <= |column j| |y|, so that nothing penalised enters at this alpha
            lengths = self.design.column_norms[penalised] * self.term.norm / weights[penalised]
            told, self.settings = self.settings, replace(self.settings, listener=None)
            self.solve(2.0 * float(lengths.max(initial=0.0)))
            self.settings = told
            iterate = self.iterate  # at that alpha, correlations were not looked at closely
            self.iterate = self._observe(iterate.theta, iterate.support, iterate.state)
        abs_correlation = self.screening.abs_correlation(self.iterate.z)
        return float(np.max(abs_correlation[penalised] / weights[penalised], initial=0.0))

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from the present place."""
        gap_tol, iterate = self.certifier.gap_tol, self.iterate
        if not iterate.support.size and alpha < iterate.exact_from:
            self.iterate = self._observe(iterate.theta, iterate.support, iterate.state, alpha)
        if (
            self.iterate.feasible_alpha <= alpha and not self.iterate.support.size
        ):  # zero, and optimal
            self._solved = True
            certificate = self.certifier.of_iterate(alpha, self.iterate)
            return self.certifier.point_at(alpha, self.iterate, certificate, 0)
        if self.iterate.support.size and not self._solved:  # a warm start may do as it is
            if self.settings.ridge_ratio:  # of which no alpha was known when it was observed
                self.iterate = self._observe(iterate.theta, iterate.support, iterate.state, alpha)
            certificate = self.certifier.of_iterate(alpha, self.iterate)
            if certificate.gap <= gap_tol:
                return self._settled(alpha, certificate, 0)
        sweeps = self._continuation(alpha, gap_tol)
        self._admit(
            self.screening.predicted_entrants(
                self.iterate, self._predictor, alpha, self._used_matrix_free
            )
        )
        if self.term.quadratic:
            return self._rounds(alpha, sweeps, self._predicted(alpha))
        if self._predictor.between(alpha) is None:
            self._extrapolate(alpha)
        return self._rounds(alpha, sweeps)

    def _predicted(self, alpha: float) -> tuple[Index, Float64] | None:
        """Where the last two solutions point; a path is linear as long as no sign changes."""
        if not self._predictor.can_predict(alpha) or self.settings.solver == "alternating":
            return None
        theta, support = self.iterate.theta, self.iterate.support  # in the order of the factor
        goal = theta + self._predictor.fraction(alpha) * self._predictor.change(theta)
        support = support[goal[support] * theta[support] > 0.0]
        return support, goal[support]

    def solve_from(self, alpha: float, support: Index, values: Float64) -> PathPoint:
        """Solve at one alpha, from coefficients on the working set that are near the solution."""
        return self._rounds(alpha, 0, (support, values))

    def _rounds(
        self, alpha: float, sweeps: int, start: tuple[Index, Float64] | None = None
    ) -> PathPoint:
        """Solve on the working set, certify, admit who violates, until the gap is reached."""
        gap_tol, stalled, before, nearest, least = self.certifier.gap_tol, 0.0, np.inf, 0.0, np.inf
        patience = MAX_STALLED if self.settings.solver == "auto" else np.inf
        polished = self.term.quadratic or self.settings.tol > POLISHED
        while sweeps < self.settings.max_iter and stalled < patience:
            made = self._solve_restricted(alpha, gap_tol, self.settings.max_iter - sweeps, start)
            sweeps, start = sweeps + made, None
            certificate = self.certifier.of_iterate(alpha, self.iterate)
            self._report(alpha, certificate.gap, sweeps)
            if self.certifier.suffices(certificate):
                if polished:
                    break
                polished = True
            rate = min(1.0, certificate.gap / before) if before > 0.0 else 1.0
            if certificate.gap * rate**TOO_MANY > gap_tol:
                self.term.refresh()
            entrants = self.screening.violators(self.iterate, alpha)
            self._admit(entrants)
            going = entrants.size > 0 or certificate.gap < 0.9 * before
            if not made and not entrants.size:
                break
            # far from feasible the gap is the whole loss, and says nothing of what else gets better
            objective = self._objective(alpha)
            closer = 0.9 * certificate.kappa > nearest or objective < least - gap_tol
            if going or closer:
                stalled, before = 0, certificate.gap
                nearest = max(nearest, certificate.kappa)
                least = min(least, objective)
            elif certificate.kappa > 0.0:
                stalled += 1
            else:  # a coefficient without penalty is on its way: the gap says nothing yet
                stalled += UNSETTLED
            if stalled and self._used_matrix_free:
                self._leave_matrix_free()
        if not self.certifier.suffices(certificate):
            certificate = min(certificate, self._refined(alpha))
        return self._settled(alpha, certificate, sweeps)

    def _refined(self, alpha: float) -> Certificate:
        """The certificate of the place with the residual that one more step would leave."""
        iterate, certifier = self.iterate, self.certifier
        state, extra = certifier.refined(
            iterate, *self._problem(alpha, 0.0, iterate.support, NOBODY)
        )
        iterate = self._observe(iterate.theta, iterate.support, state, alpha)
        return certifier.of_refined(alpha, iterate, extra)

    def _settled(self, alpha: float, certificate: Certificate, sweeps: int) -> PathPoint:
        """Remember the place, or a better one, as the solution at alpha."""
        certificate = assured(self, alpha, certificate, sweeps)
        self._predictor.add(SolvedPoint(alpha, self.iterate))
        self._solved = True
        return self.certifier.point_at(alpha, self.iterate, certificate, sweeps)

    def move_to(self, alpha: float, theta: Float64, support: Index, state: Any) -> PathPoint:
        """Move to coefficients on the working set; what they are worth at one alpha."""
        self.iterate = self._observe(theta, support, state, alpha)
        certificate = self.certifier.of_iterate(alpha, self.iterate)
        return self.certifier.point_at(alpha, self.iterate, certificate, 0)

    def trace(self, alphas: Iterable[float]) -> list[PathPoint]:
        """Solve at each alpha in turn."""
        points = []
        for alpha in alphas:
            points.append(self.solve(float(alpha)))
            self.tell(points[-1])
        return points

    def return_to(self, solved_point: SolvedPoint, before: SolvedPoint | None = None) -> None:
        """Go back to a knot, as if from another: by default, the last that was solved."""
        self._predictor.add(solved_point, before)
        self.iterate = solved_point.iterate.grown(self.working_set.features.size)

    def tell(self, point: PathPoint) -> None:
        """Tell the listener, if there is one, of a point."""
        if self.settings.listener is not None:
            self.settings.listener.point(point)

    def _continuation(self, alpha: float, gap_tol: float) -> int:
        """Come near `alpha` by steps, if it is far from the present place; return the sweeps taken.

        A short path of its own: straight at a small alpha, the first working sets, which are far
        from right, would be fitted to the last detail, and many signs be wrong at a time.
        """
        feasible_alpha, stayed = float(self.iterate.feasible_alpha), 0.0
        if not FAR * alpha < feasible_alpha < np.inf:
            return 0
        nearest, step_alpha, sweeps = max(alpha, NEAREST * feasible_alpha), feasible_alpha, 0
        continuation_tol = max(gap_tol, CONTINUATION_TOL * self.term.scale)
        while True:
            far = stayed > MOSTLY or self._may_go_to(LONG_STEP * step_alpha)
            step = LONG_STEP if far else SHORT_STEP
            step = LONGEST_STEP if nearest == alpha and self.design.shape[1] <= FEW else step
            ahead = round(np.log(nearest / step_alpha) / np.log(step))
            allowed = (self.settings.max_iter - sweeps) // max(ahead, 1)
            if ahead <= 1 or allowed == 0:
                return sweeps
            step_alpha *= (nearest / step_alpha) ** (1.0 / ahead)
            self._prune()
            reaching = self.screening.number_beyond(self.iterate, step_alpha)
            self._admit(self.screening.violators(self.iterate, step_alpha))
            sweeps += self._solve_restricted(step_alpha, continuation_tol, allowed)
            stayed = self.iterate.support.size / max(reaching, 1)
            self._report(alpha, None, sweeps)
            self._predictor.add(SolvedPoint(step_alpha, self.iterate))

    def _may_go_to(self, step_alpha: float) -> bool:
        """Whether few features reach beyond an alpha, or supports are small in any case."""
        few = MIN_ADMITTED + 2 * self.iterate.support.size
        reaching = self.screening.number_beyond(self.iterate, step_alpha)
        return reaching <= few or min(self.design.shape) < SMALL_RANK

    def _prune(self) -> None:
        """Let go of what is not in the support, nor was in the last, where that is too much.

        Only before there are solutions that are numbered as the working set is now.
        """
        working_set, size = self.working_set, self.working_set.features.size
        limit = self._solved or working_set.fixed or not self.term.quadratic
        if limit or size**2 <= CROWDED * self.design.n_stored:
            return
        kept = self._predictor.live(size).nonzero()[0]
        if 0 < 2 * kept.size < size:
            working_set.prune(kept)
            self._factor = CholeskyFactor()
            self._predictor.prune(kept, size)
            self.iterate = self.iterate.on(kept)

    def _report(self, alpha: float, gap: float | None, sweeps: int) -> None:
        """Tell the listener, if there is one, where the place stands as a solution at `alpha`."""
        listener, iterate = self.settings.listener, self.iterate
        if listener is None or not listener.iterations:
            return
        objective = self._objective(alpha)
        gap = self.certifier.of_iterate(alpha, self.iterate).gap if gap is None else gap
        sizes = self.working_set.features.size, iterate.support.size
        surrogate, gap_tol = objective + self._imbalance, self.certifier.gap_tol
        listener.iteration(Iteration(alpha, sweeps, *sizes, objective, surrogate, gap, gap_tol))

    def _objective(self, alpha: float) -> float:
        """f at the place."""
        penalty, ridge = self._penalties(alpha)
        theta = self.iterate.theta
        objective = float(self.iterate.state.loss + penalty @ np.abs(theta))
        return objective if ridge is None else objective + 0.5 * float(ridge @ theta**2)

    def _admit(self, features: Index) -> None:
        self.working_set.admit(features)  # it may have grown by another target as well
        self.iterate = self.iterate.grown(self.working_set.features.size)

    def _solve_restricted(
        self,
        alpha: float,
        gap_tol: float,
        max_sweeps: int,
        start: tuple[Index, Float64] | None = None,
    ) -> int:
        """Move the place to the model's solution on the working set; return the sweeps made.

        They start from the place, or from other coefficients, if these are given.
        """
        iterate, working_set, settings = self.iterate, self.working_set, self.settings
        predicted = self._predicted_positions(alpha)
        support = iterate.support if start is None else start[0]
        model, problem, point = self._problem(alpha, gap_tol, support, predicted)
        if start is not None:
            point = point_at(problem, *start)
        self._used_matrix_free = isinstance(problem.factor, ConjugateGradients)
        if self._used_matrix_free:
            max_sweeps = 1
        if settings.listener is not None and settings.listener.every_sweep:
            max_sweeps = 1
        solution = SOLVERS[settings.solver](
            problem,
            point,
            predicted if self._used_matrix_free else NOBODY,
            iterate.state.model_square,
            INNER_PART * gap_tol,
            max_sweeps,
            once=not self.term.quadratic,
        )
        if problem.factor.failed:
            self._leave_matrix_free()
            return solution.sweeps + self._solve_restricted(alpha, gap_tol, max_sweeps)
        self._imbalance = solution.imbalance
        goal, support = solution.point.theta, solution.point.support
        if model.where is not ALL:
            goal, support = np.zeros(working_set.features.size), model.where[support]
            goal[model.where] = solution.point.theta
        penalties = self._penalties(alpha)
        theta, state = self.term.line_search(
            working_set, iterate.state, iterate.theta, goal, penalties
        )
        if theta is not goal:
            support = theta.nonzero()[0]
        self.iterate = self._observe(theta, support, state, alpha)
        return solution.sweeps

    def _problem(
        self, alpha: float, gap_tol: float, support: Index, predicted: Index
    ) -> tuple[Model, RestrictedProblem, Point]:
        """A model about the place, its restricted problem, and the place as a point of that."""
        working_set, settings, iterate = self.working_set, self.settings, self.iterate
        penalty, ridge = self._penalties(alpha)
        penalised = self.screening.weights is None or bool(penalty.all())
        matrix_free = self._matrix_free and penalised
        model = self.term.model(working_set, iterate, support, penalty, predicted, matrix_free)
        on, gram, target = model.where, model.gram, model.target
        theta, z, penalty = iterate.theta[on], iterate.z[working_set.features[on]], penalty[on]
        if ridge is not None:
            gram = plus_diagonal(gram, ridge[on])
            z = z - ridge[on] * theta
        # Elsewhere the support is independent, of at most n columns.
        dual = settings.solver == "alternating" and ridge is None
        columns, response = self.term.dual_form(working_set) if dual else (None, None)
        free = None if settings.positive or penalised else penalty == 0.0
        rounding_error = self.certifier.rounding_error(iterate.rounding, working_set.features[on])
        factor = self._factor
        if ridge is not None or not self.term.quadratic:
            factor = CholeskyFactor(None if ridge is None else ridge[on])
        problem = RestrictedProblem(
            gram,
            target,
            penalty,
            rounding_error,
            settings.positive,
            columns,
            response,
            free,
            factor,
        )
        if not isinstance(gram, np.ndarray):
            problem = self._solved_matrix_free(problem, alpha, MATRIX_FREE_PART * gap_tol)
        return model, problem, Point(theta, z, model.support)

    def _solved_matrix_free(
        self, problem: RestrictedProblem, alpha: float, gap: float
    ) -> RestrictedProblem:
        """The problem, to be solved by conjugate gradients, just as well as the gap needs.

        Where z_j is off by a part eta of its penalty, the gap is 2 eta times the penalty of theta,
        or less. The start is where the last two solutions point.
        """
        theta = self.iterate.theta
        cost = float(problem.penalty @ np.abs(theta)) or 0.5 * self.term.scale
        tolerance = gap / (2.0 * cost) * problem.penalty
        if self._predictor.can_predict(alpha):
            theta = theta + self._predictor.fraction(alpha) * self._predictor.change(theta)
        factor = ConjugateGradients(theta, tolerance, problem.penalty)
        return replace(problem, factor=factor)

    def _leave_matrix_free(self) -> None:
        """No conjugate gradients from here on; what solves exactly needs an independent support."""
        self._matrix_free = self._used_matrix_free = False
        start = np.zeros(self.design.shape[1])
        start[self.working_set.features] = self.iterate.theta
        theta = self._independent_start(start)
        state = self.term.state(self.working_set, theta)
        self.iterate = self._observe(
            theta, theta.nonzero()[0], state, self.iterate.exact_from or None
        )

    def _predicted_positions(self, alpha: float) -> Index:
        """Coordinates at zero that reach their penalty if correlations go on as before.

        Between two solutions, those that are not at zero in the other. Where an exact model is
        solved by a factor, the finish finds them itself.
        """
        if not self._predictor.can_predict(alpha) or (
            self.term.quadratic and not self._used_matrix_free
        ):
            return NOBODY
        theta, other = self.iterate.theta, self._predictor.between(alpha)
        if other is not None:
            return other.iterate.support[theta[other.iterate.support] == 0.0]
        z = self._predictor.correlations(alpha, self.working_set.features)
        penalty, _ = self._penalties(alpha)
        return ((self.screening.abs_correlation(z) > penalty) & (theta == 0.0)).nonzero()[0]

    def _extrapolate(self, alpha: float) -> None:
        """Start from where the last two solutions point, on a logarithmic scale of alpha.

        Only what is not zero moves, and nothing changes sign; f goes down, or nothing happens.
        """
        if not self._predictor.can_predict(alpha):
            return
        iterate, working_set = self.iterate, self.working_set
        theta = iterate.theta
        goal = theta + self._predictor.fraction(alpha, logarithmic=True) * self._predictor.change(
            theta
        )
        goal[goal * theta <= 0.0] = 0.0
        penalties = self._penalties(alpha)
        theta, state = self.term.line_search(
            working_set, iterate.state, theta, goal, penalties, False
        )
        z = iterate.z.copy()
        z[working_set.features] = working_set.columns.correlations(state.residual)
        self.iterate = iterate._replace(theta=theta, support=theta.nonzero()[0], state=state, z=z)
