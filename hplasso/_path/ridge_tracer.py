"""The path driver where there is no L1 penalty: ridge regression, and the same for other losses.

Nothing is at zero then: there is no working set, nothing to screen, and no need of a second factor.
A sweep is one ridge regression in mu, with nu held at one. With ridge penalties rho_j > 0, P =
diag(rho), and the Hessian Z'B Z of the loss (B = I for squared loss),

    f(theta) = L(theta) + 1/2 theta'P theta,        e = z - P theta = -grad f,

and a sweep is Newton's step d, towards which a line search goes:

    (Z'B Z + P) d = e                                                          primal, p x p
    theta = P^-1 Z'a,     (I + B K) d_a = r - a,     K = Z P^-1 Z'             dual, n x n

In the dual form a is the residual r at the solution, and the difference of the two is what is left
of the equations, to the last digit. Where both systems are large, or X is very sparse, conjugate
gradients solve the first one, by products with Z, B and Z'.

The residual is feasible for the dual problem as it is, and the gap (`duality_gap`) becomes

    gap = 1/2 sum_j e_j^2 / rho_j.

Of a feature without any penalty, or with so little that rounding of z_j alone would spoil the gap,
e_j has to vanish but for rounding; if it has a penalty, e_j counts unless the rounding of z_j alone
explains it. In the dual form the coefficients t of such features, of columns
F, are found together with d_a,

    (I + B K) d_a + B F d_t = r - a,        F'(a + d_a) = rho_F (t + d_t),

and so are those of columns so long that they would leave no digits in K for the others.

References
----------
A. E. Hoerl and R. W. Kennard, Ridge regression: biased estimation for nonorthogonal problems,
Technometrics 12 (1970) 55-67.
C. Saunders, A. Gammerman and V. Vovk, Ridge regression learning algorithm in dual variables, ICML
1998.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import lu_solve
from scipy.linalg.lapack import dgetrf

from .._datafit.base import DataTerm
from .._datafit.iterate import Iterate
from .._design.base import Design
from .._design.correlations import ALL
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import plus_diagonal, solve_semidefinite
from .._numerics.rounding import NOBODY
from .._numerics.threads import LARGE_DATA
from .._numerics.typing import Float64, Mask
from .._penalties.duality_gap import SOLVED, Certificate
from .certification import Certifier
from .orthogonal import assured
from .progress import Iteration, Listener, PathPoint
from .settings import PathSettings
from .square_root_newton import LONG, Coordinates, coordinates
from .square_root_tracer import RootedTracer
from .tracer import MAX_STALLED, UNSETTLED, PathTracer

# Systems of more equations are solved by conjugate gradients; those of more than a few if all the
# steps that these may take cost less, as long as they are enough.
DIRECT, FEW, MAX_STEPS = 3000, 500, 1000
# What conjugate gradients leave of the gap that is asked for; and of the present gap, if another
# Newton step has to follow anyway.
INNER_PART, LEFT = 0.3, 0.01
# A column whose square is so many times the usual one, for its penalty, is kept out of K.
APART = 1e6
# A part of the loss without features that rounding of a single correlation may add to the gap.
SPOILT = 1e-15
TINY = 1e-300


def make_tracer(
    term: DataTerm,
    working_set: WorkingSet,
    design: AnyDesign,
    settings: PathSettings,
    start: Float64 | None = None,
) -> PathTracer:
    """The path driver for a loss, for features that are admitted to a working set."""
    term.refresh()  # what it may know is of another working set
    if settings.l1:
        curved = not term.quadratic and settings.solver == "auto"
        tracer = RootedTracer if curved else PathTracer
        return tracer(term, working_set, design, settings, start)
    if settings.positive or not (settings.penalty_weights > 0.0).any():
        return SupportTracer(term, working_set, design, settings, start)
    return RidgeTracer(term, working_set.full, design, settings, start)


class RidgeCertifier(Certifier):
    """What coefficients are worth where there is no L1 penalty."""

    def of_iterate(self, alpha: float, iterate: Iterate, refined: bool = False) -> Certificate:
        """The certificate of a place: all but worthless if a feature without penalty has a say.

        Or, if its residual was `refined`, that of another dual point, from which this one differs by
        rounding: there, what that explains of z_j is not missing from rho_j theta_j.
        """
        ridge, on = self.settings.ridge(alpha, ALL), self.working_set.features[iterate.support]
        if not ridge.any():
            return super().of_iterate(alpha, iterate)
        rounding_error, sizes = self.rounding_error(iterate.rounding, ALL), np.zeros(ridge.size)
        sizes[on] = np.abs(iterate.theta[iterate.support])
        lacking = np.maximum(iterate.z, 0.0) if self.settings.positive else iterate.z.copy()
        lacking[on] = iterate.z[on] - ridge[on] * iterate.theta[iterate.support]
        lacking, weighed = np.abs(lacking), self.weighed(ridge, rounding_error)
        if (lacking > SOLVED * rounding_error)[~weighed].any():
            value = iterate.state.loss + 0.5 * float(ridge @ sizes**2)
            return self.honest(Certificate(value, 0.0, 0.0), iterate.hidden)
        counted = weighed | ((ridge > 0.0) & (lacking > rounding_error))
        cost_ratio = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=counted)
        sizes[weighed | (refined & (ridge > 0.0))] = 0.0
        gap = float(cost_ratio @ lacking**2 + lacking @ sizes)
        hazy = np.where(
            weighed, 2.0 * rounding_error, lacking
        )  # what rounding may leave of the equations
        rounding_gap = float(cost_ratio @ hazy**2 + rounding_error @ sizes)
        return self.honest(Certificate(gap, 1.0, rounding_gap), iterate.hidden)

    def doubt(self, alpha: float, iterate: Iterate) -> float:
        """All, if a penalty is too small to mean something beside rounding."""
        ridge = self.settings.ridge(alpha, ALL)
        if not ridge.any():
            return super().doubt(alpha, iterate)
        hazy = ~self.weighed(ridge, self.rounding_error(iterate.rounding, ALL))
        hidden = np.inf if hazy[ridge > 0.0].any() else self._hidden_by_free(iterate)
        return hidden if hidden > self.negligible else 0.0

    def weighed(self, ridge: Float64, rounding_error: Float64) -> Mask:
        """Which features have a penalty that means something beside rounding."""
        return np.asarray(rounding_error**2 < SPOILT * self.term.scale * ridge)


class SupportTracer(PathTracer):
    """Where coefficients may be zero all the same: by working sets, for an L1 penalty of zero.

    That is, where they are confined to be non-negative; or where they have no penalty at all, and
    columns that depend on others are left out.
    """

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from the present place."""
        given = self.settings
        heard = None if given.listener is None else OfAlpha(given.listener, alpha)
        self.settings = replace(
            given, ridge_ratio=0.0, ridge_weight=alpha, solver="auto", listener=heard
        )
        self.certifier = RidgeCertifier(self.term, self.working_set, self.design, self.settings)
        point = super().solve(0.0)
        self.settings = given
        return point._replace(alpha=alpha)


class RidgeTracer(PathTracer):
    """Walks along a path without L1 penalty, on which alpha weighs the ridge penalty.

    Parameters are those of :class:`PathTracer`, with a working set of all features.
    """

    certifier: RidgeCertifier

    def __init__(
        self,
        term: DataTerm,
        working_set: WorkingSet,
        design: AnyDesign,
        settings: PathSettings,
        start: Float64 | None = None,
    ) -> None:
        super().__init__(term, working_set, design, settings, start)
        unit = replace(settings, ridge_ratio=0.0, ridge_weight=1.0)
        self._weights = weights = unit.ridge(0.0, working_set.features)  # the rho_j, at alpha = 1
        squares = design.column_norms[working_set.features] ** 2
        self._live = (squares > 0.0).nonzero()[0]
        # What stays out of K: without penalty, or with next to none for its length.
        long = squares * np.median(weights) > APART * np.median(squares) * weights
        apart = (squares > 0.0) & (long | (weights == 0.0))
        self._apart = apart.nonzero()[0]
        self._by_square_root = False  # whether steps come from the root of the Hessian
        self._failed = False  # whether conjugate gradients did
        self._alpha, self._dual = 1.0, np.zeros(design.shape[0])  # of the last solution: alpha, a
        self._dual_is_exact = not self.iterate.support.size  # whether theta = P^-1 Z'a

    def _independent_start(self, start: Float64 | None) -> Float64:
        """The start as it is: the solution may have columns that depend on each other."""
        if start is None:
            return np.zeros(self.working_set.features.size)
        features = self.working_set.features
        return np.where(self.design.column_norms[features] > 0.0, start[features], 0.0)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from the present place: only what was given may be good enough."""
        if alpha == 0.0:
            complete = self.working_set.complete
            own = self.working_set if complete else WorkingSet(self.design)
            return SupportTracer(self.term, own, self.design, self.settings).solve(0.0)
        settings = replace(self.settings, ridge_ratio=0.0, ridge_weight=alpha)
        self.certifier = RidgeCertifier(self.term, self.working_set, self.design, settings)
        certifier = self.certifier
        self._dual *= alpha / self._alpha  # theta stays
        self._alpha = alpha
        ridge = alpha * self._weights[self._live]
        sweeps, stalled, moved = 0, 0.0, self._solved
        least, self._by_square_root = self._objective_under(ridge), self._coded(ridge)
        certificate = certifier.of_iterate(0.0, self.iterate)
        while certificate.gap > 0.0 if moved else not certifier.suffices(certificate):
            if sweeps == settings.max_iter or stalled >= MAX_STALLED:
                break
            before, sweeps, moved = certificate.gap, sweeps + 1, False
            here, last = (self.iterate, self._dual, self._dual_is_exact), certificate
            self._sweep(ridge, before)
            objective = self._objective_under(ridge)
            if not objective <= 2.0 * least + certifier.gap_tol:  # the matrix was singular
                (self.iterate, self._dual, self._dual_is_exact), certificate = here, last
                break
            certificate = certifier.of_iterate(0.0, self.iterate)
            self._tell_of(alpha, objective, certificate.gap, sweeps)
            if certificate.gap < 0.9 * before or objective < least - certifier.gap_tol:
                stalled, least = 0.0, min(least, objective)
            else:  # without kappa a coefficient without penalty is still on its way
                stalled += 1.0 if certificate.kappa > 0.0 else UNSETTLED
        if not certifier.suffices(certificate) and self._by_square_root:
            certificate = min(certificate, self._refined_by_steps(ridge))
        self._solved, iterate = True, self.iterate
        certificate = assured(self, 0.0, certificate, sweeps)
        self._dual_is_exact &= self.iterate is iterate
        point = certifier.point_at(0.0, self.iterate, certificate, sweeps)
        return point._replace(alpha=alpha)

    def _sweep(self, ridge: Float64, gap: float) -> None:
        """Newton's step: a ridge regression."""
        iterate, live = self.iterate, self._live
        n, p = self.design.shape
        lacking = iterate.z[self.working_set.features[live]] - ridge * iterate.theta[live]
        penalty = np.zeros(iterate.theta.size)
        goal, full = iterate.theta.copy(), penalty.copy()
        full[live] = ridge
        direct, before = self._direct(), self._dual
        dual = direct and p > n and not self.working_set.complete and not self._by_square_root
        if self._by_square_root:
            goal[live] = self._rooted_goal(ridge)
        elif dual:
            goal = self._dual_goal(full)
        elif direct:
            goal[live] += self._primal_step(ridge, lacking)
        else:
            goal[live] += self._step_by_products(ridge, lacking, gap)
        theta, state = self.term.line_search(
            self.working_set, iterate.state, iterate.theta, goal, (penalty, full)
        )
        if dual and self._dual_is_exact:  # as far as theta went
            direction = goal - iterate.theta
            part = float(direction @ (theta - iterate.theta)) / max(
                float(direction @ direction), TINY
            )
            self._dual = before + part * (self._dual - before)
        self._dual_is_exact = dual and (self._dual_is_exact or theta is goal)
        self.iterate = self._observe(theta, theta.nonzero()[0], state)

    def _direct(self) -> bool:
        """Whether to solve a system by a factorisation."""
        size, step = min(self.design.shape), 4.0 * self.design.n_stored
        if self.working_set.complete or size <= min(FEW, DIRECT):
            return True
        return size <= DIRECT and (self._failed or size**3 <= MAX_STEPS * step)

    def _primal_step(self, ridge: Float64, lacking: Float64) -> Float64:
        """d, with the p x p matrix."""
        live, none = self._live, np.zeros(self.iterate.theta.size)
        self.term.refresh()
        model = self.term.model(self.working_set, self.iterate, live, none, NOBODY, False)
        gram = model.gram
        if live.size < len(gram):
            on = live if model.where is ALL else np.arange(live.size)
            gram = gram[on].take(on, axis=1)
        return solve_semidefinite(plus_diagonal(gram, ridge), lacking)

    def _refined_by_steps(self, ridge: Float64) -> Certificate:
        """The certificate of the place with the residual that a few more steps would leave."""
        iterate, on, best = self.iterate, self._coordinates(ridge), Certificate(np.inf, 0.0, 0.0)
        values = on.values(iterate.theta[self._live].reshape(-1, self._n_outputs))
        for state, extra in on.refined(self.term, iterate.state, values):
            there = self._observe(iterate.theta, iterate.support, state)
            certificate = self.certifier.of_iterate(0.0, there, refined=True)
            best = min(best, certificate._replace(gap=certificate.gap + extra))
        return best

    @property
    def _base(self) -> Design:
        """The design of a single output."""
        return self.working_set.columns.split(NOBODY)[0].design

    @property
    def _n_outputs(self) -> int:
        return self.design.shape[1] // self._base.shape[1]

    def _coded(self, ridge: Float64) -> bool:
        """Whether there are columns beside whose squares a penalty is rounded away; and few."""
        if self.term.quadratic or self.working_set.complete:
            return False
        squares = self.design.column_norms[self.working_set.features[self._live]] ** 2
        penalised = ridge[ridge > 0.0]
        if not penalised.size or squares.max() <= LONG * np.median(penalised):
            return False
        n, p = (size // self._n_outputs for size in self.design.shape)
        return n * p <= LARGE_DATA and self._n_outputs * min(n, p) <= FEW

    def _coordinates(self, ridge: Float64) -> Coordinates:
        """What is to be solved for where columns are long."""
        K, base = self._n_outputs, self._base
        features, penalties = self.working_set.features[self._live][::K] // K, ridge[::K]
        long = base.column_norms[features] ** 2 > LONG * penalties
        return coordinates(base, features, penalties, long)

    def _rooted_goal(self, ridge: Float64) -> Float64:
        """theta + d of what is not constant, from the root of the Hessian."""
        on, iterate = self._coordinates(ridge), self.iterate
        theta = iterate.theta[self._live].reshape(-1, self._n_outputs)
        values = on.values(theta)
        return on.coefficients(values + on.step(self.term, iterate.state, values)).ravel()

    def _dual_goal(self, ridge: Float64) -> Float64:
        """theta + d, with the n x n matrix; `ridge` is of all features."""
        columns, iterate = self.working_set.columns, self.iterate
        apart, inside = self._apart, ridge > 0.0
        inside[apart] = False
        scale = np.divide(1.0, self._weights, out=np.zeros_like(ridge), where=inside)
        outer = self.working_set.outer(scale) / self._alpha
        residual = iterate.state.residual
        if self._dual_is_exact:
            dual, lacking = self._dual, residual - self._dual
        else:
            dual = np.zeros(residual.size)
            fixed = columns.predict(np.where(inside, iterate.theta, 0.0))
            lacking = residual + iterate.state.hessian_product(fixed)
        system = iterate.state.hessian_product(outer)
        system.flat[:: residual.size + 1] += 1.0
        *factor, singular = dgetrf(system, overwrite_a=1)
        if singular:  # beside values that are far larger than others
            return np.asarray(iterate.theta)
        change = lu_solve(factor, lacking, check_finite=False)
        goal = iterate.theta.copy()
        if apart.size:
            block = self.design.block(self.working_set.features[apart])
            curved = lu_solve(
                factor, iterate.state.hessian_product(block), check_finite=False
            )
            right = block.T @ (dual + change) - ridge[apart] * goal[apart]
            move = solve_semidefinite(plus_diagonal(block.T @ curved, ridge[apart]), right)
            change -= curved @ move
            goal[apart] += move
        self._dual = self._balanced(dual + change)
        return np.where(inside, scale / self._alpha * columns.correlations(self._dual), goal)

    def _balanced(self, dual: Float64) -> Float64:
        """a as it has to be where there is an intercept: it sums to zero for each output."""
        base = self._base
        if not base.fit_intercept:
            return dual
        each = dual.reshape(base.shape[0], -1)
        return np.asarray(
            (each - np.multiply.outer(base.sqrt_weights, base.sqrt_weights @ each)).ravel()
        )

    def _step_by_products(self, ridge: Float64, lacking: Float64, gap: float) -> Float64:
        """d, by conjugate gradients."""
        columns, state, live = self.working_set.columns, self.iterate.state, self._live
        features, gap_tol = self.working_set.features[live], self.certifier.gap_tol
        rounding_error, theta = (
            self.certifier.rounding_error(self.iterate.rounding, features),
            self.iterate.theta[live],
        )
        weighed = self.certifier.weighed(ridge, rounding_error)
        cost_ratio = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=weighed)
        largest = np.where(
            weighed, np.inf, 0.5 * rounding_error * np.where(ridge > 0.0, 1.0, SOLVED)
        )
        enough = INNER_PART * gap_tol
        if not self.term.quadratic:
            enough = max(enough, min(LEFT, gap / self.term.scale) * gap)
        whole = np.zeros(self.iterate.theta.size)

        def curved(direction: Float64) -> tuple[Float64, Float64]:
            whole[live] = direction
            image = columns.predict(whole)
            return image, state.hessian_product(image)

        squares = self.design.column_norms[features] ** 2
        image, product = curved(lacking / (squares + ridge))
        curvature = float(image @ product) / max(float(image @ image), TINY)
        scale = 1.0 / (curvature * squares + ridge)
        step, direction = np.zeros(lacking.size), scale * lacking
        square = float(lacking @ direction)
        for _ in range(MAX_STEPS):
            sizes = np.where(weighed, 0.0, np.abs(theta + step))
            left, rest_size = float(cost_ratio @ lacking**2), np.abs(lacking)
            if left + float(rest_size @ sizes) <= enough and (rest_size <= largest).all():
                break
            product = columns.correlations(curved(direction)[1])[live] + ridge * direction
            hessian_product = float(direction @ product)
            if not hessian_product > 0.0:
                break
            length = square / hessian_product
            step, lacking = step + length * direction, lacking - length * product
            preconditioned = scale * lacking
            before, square = square, float(lacking @ preconditioned)
            direction = preconditioned + (square / before) * direction
        else:
            self._failed = True
        return step

    def _objective_under(self, ridge: Float64) -> float:
        """f at the place."""
        return float(self.iterate.state.loss + 0.5 * ridge @ self.iterate.theta[self._live] ** 2)

    def _tell_of(self, alpha: float, objective: float, gap: float, sweeps: int) -> None:
        """Tell the listener, if there is one, where the place stands."""
        listener, iterate = self.settings.listener, self.iterate
        if listener is None or not listener.iterations:
            return
        sizes = self.working_set.features.size, iterate.support.size
        gap_tol = self.certifier.gap_tol
        listener.iteration(Iteration(alpha, sweeps, *sizes, objective, objective, gap, gap_tol))


class OfAlpha(Listener):
    """Passes on what it hears, as of another alpha."""

    def __init__(self, listener: Listener, alpha: float) -> None:
        self.listener, self.alpha = listener, alpha
        self.iterations, self.every_sweep = listener.iterations, listener.every_sweep

    def iteration(self, iteration: Iteration) -> None:
        self.listener.iteration(iteration._replace(alpha=self.alpha))
