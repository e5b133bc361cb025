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

from .._datafit.iterate import Observation
from .._datafit.squared import DataTerm
from .._design.base import Design
from .._design.correlations import ALL
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import plus_diagonal, solve_semidefinite
from .._numerics.rounding import NOBODY
from .._numerics.threads import LARGE_DATA
from .._numerics.typing import Float64, Mask
from .._penalties.duality_gap import SOLVED, Certificate
from .certification import Appraisal
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
INNER_SHARE, LEFT = 0.3, 0.01
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
        curved = not term.exact and settings.solver == "auto"
        tracer = RootedTracer if curved else PathTracer
        return tracer(term, working_set, design, settings, start)
    if settings.positive or not (settings.penalty_weights > 0.0).any():
        return SupportTracer(term, working_set, design, settings, start)
    return RidgeTracer(term, working_set.full, design, settings, start)


class RidgeAppraisal(Appraisal):
    """What coefficients are worth where there is no L1 penalty."""

    def of_place(self, alpha: float, place: Observation, mended: bool = False) -> Certificate:
        """The certificate of a place: all but worthless if a feature without penalty has a say.

        Or, if its residual was `mended`, that of another dual point, from which this one differs by
        rounding: there, what that explains of z_j is not missing from rho_j theta_j.
        """
        ridge, on = self.settings.ridge(alpha, ALL), self.working_set.features[place.support]
        if not ridge.any():
            return super().of_place(alpha, place)
        slack, sizes = self.slack(place.noise, ALL), np.zeros(ridge.size)
        sizes[on] = np.abs(place.theta[place.support])
        rest = np.maximum(place.z, 0.0) if self.settings.positive else place.z.copy()
        rest[on] = place.z[on] - ridge[on] * place.theta[place.support]
        rest, weighed = np.abs(rest), self.weighed(ridge, slack)
        if (rest > SOLVED * slack)[~weighed].any():
            value = place.state.loss + 0.5 * float(ridge @ sizes**2)
            return self.honest(Certificate(value, 0.0, 0.0), place.hidden)
        counted = weighed | ((ridge > 0.0) & (rest > slack))
        dearness = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=counted)
        sizes[weighed | (mended & (ridge > 0.0))] = 0.0
        gap = float(dearness @ rest**2 + rest @ sizes)
        hazy = np.where(weighed, 2.0 * slack, rest)  # what rounding may leave of the equations
        floor = float(dearness @ hazy**2 + slack @ sizes)
        return self.honest(Certificate(gap, 1.0, floor), place.hidden)

    def doubt(self, alpha: float, place: Observation) -> float:
        """All, if a penalty is too small to mean something beside rounding."""
        ridge = self.settings.ridge(alpha, ALL)
        if not ridge.any():
            return super().doubt(alpha, place)
        hazy = ~self.weighed(ridge, self.slack(place.noise, ALL))
        hidden = np.inf if hazy[ridge > 0.0].any() else self._hidden_by_free(place)
        return hidden if hidden > self.negligible else 0.0

    def weighed(self, ridge: Float64, slack: Float64) -> Mask:
        """Which features have a penalty that means something beside rounding."""
        return np.asarray(slack**2 < SPOILT * self.term.scale * ridge)


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
        self.appraisal = RidgeAppraisal(self.term, self.working_set, self.design, self.settings)
        point = super().solve(0.0)
        self.settings = given
        return point._replace(alpha=alpha)


class RidgeTracer(PathTracer):
    """Walks along a path without L1 penalty, on which alpha weighs the ridge penalty.

    Parameters are those of :class:`PathTracer`, with a working set of all features.
    """

    appraisal: RidgeAppraisal

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
        squares = design.spread[working_set.features] ** 2
        self._live = (squares > 0.0).nonzero()[0]
        # What stays out of K: without penalty, or with next to none for its length.
        long = squares * np.median(weights) > APART * np.median(squares) * weights
        apart = (squares > 0.0) & (long | (weights == 0.0))
        self._apart = apart.nonzero()[0]
        self._rooted = False  # whether steps come from the root of the Hessian
        self._failed = False  # whether conjugate gradients did
        self._alpha, self._dual = 1.0, np.zeros(design.shape[0])  # of the last solution: alpha, a
        self._known = not self.place.support.size  # whether theta = P^-1 Z'a

    def _independent_start(self, start: Float64 | None) -> Float64:
        """The start as it is: the solution may have columns that depend on each other."""
        if start is None:
            return np.zeros(self.working_set.features.size)
        features = self.working_set.features
        return np.where(self.design.spread[features] > 0.0, start[features], 0.0)

    def solve(self, alpha: float) -> PathPoint:
        """Solve at one alpha, from the present place: only what was given may be good enough."""
        if alpha == 0.0:
            complete = self.working_set.complete
            own = self.working_set if complete else WorkingSet(self.design)
            return SupportTracer(self.term, own, self.design, self.settings).solve(0.0)
        settings = replace(self.settings, ridge_ratio=0.0, ridge_weight=alpha)
        self.appraisal = RidgeAppraisal(self.term, self.working_set, self.design, settings)
        appraisal = self.appraisal
        self._dual *= alpha / self._alpha  # theta stays
        self._alpha = alpha
        ridge = alpha * self._weights[self._live]
        sweeps, stalled, moved = 0, 0.0, self._solved
        least, self._rooted = self._objective_under(ridge), self._coded(ridge)
        certificate = appraisal.of_place(0.0, self.place)
        while certificate.gap > 0.0 if moved else not appraisal.suffices(certificate):
            if sweeps == settings.max_iter or stalled >= MAX_STALLED:
                break
            before, sweeps, moved = certificate.gap, sweeps + 1, False
            here, last = (self.place, self._dual, self._known), certificate
            self._sweep(ridge, before)
            objective = self._objective_under(ridge)
            if not objective <= 2.0 * least + appraisal.asked:  # the matrix was singular
                (self.place, self._dual, self._known), certificate = here, last
                break
            certificate = appraisal.of_place(0.0, self.place)
            self._tell_of(alpha, objective, certificate.gap, sweeps)
            if certificate.gap < 0.9 * before or objective < least - appraisal.asked:
                stalled, least = 0.0, min(least, objective)
            else:  # without kappa a coefficient without penalty is still on its way
                stalled += 1.0 if certificate.kappa > 0.0 else UNSETTLED
        if not appraisal.suffices(certificate) and self._rooted:
            certificate = min(certificate, self._mended_by_steps(ridge))
        self._solved, place = True, self.place
        certificate = assured(self, 0.0, certificate, sweeps)
        self._known &= self.place is place
        point = appraisal.point_at(0.0, self.place, certificate, sweeps)
        return point._replace(alpha=alpha)

    def _sweep(self, ridge: Float64, gap: float) -> None:
        """Newton's step: a ridge regression."""
        place, live = self.place, self._live
        n, p = self.design.shape
        rest = place.z[self.working_set.features[live]] - ridge * place.theta[live]
        penalty = np.zeros(place.theta.size)
        goal, full = place.theta.copy(), penalty.copy()
        full[live] = ridge
        direct, before = self._direct(), self._dual
        dual = direct and p > n and not self.working_set.complete and not self._rooted
        if self._rooted:
            goal[live] = self._rooted_goal(ridge)
        elif dual:
            goal = self._dual_goal(full)
        elif direct:
            goal[live] += self._primal_step(ridge, rest)
        else:
            goal[live] += self._step_by_products(ridge, rest, gap)
        theta, state = self.term.advance(
            self.working_set, place.state, place.theta, goal, (penalty, full)
        )
        if dual and self._known:  # as far as theta went
            way = goal - place.theta
            part = float(way @ (theta - place.theta)) / max(float(way @ way), TINY)
            self._dual = before + part * (self._dual - before)
        self._known = dual and (self._known or theta is goal)
        self.place = self._observe(theta, theta.nonzero()[0], state)

    def _direct(self) -> bool:
        """Whether to solve a system by a factorisation."""
        size, step = min(self.design.shape), 4.0 * self.design.n_stored
        if self.working_set.complete or size <= min(FEW, DIRECT):
            return True
        return size <= DIRECT and (self._failed or size**3 <= MAX_STEPS * step)

    def _primal_step(self, ridge: Float64, rest: Float64) -> Float64:
        """d, with the p x p matrix."""
        live, none = self._live, np.zeros(self.place.theta.size)
        self.term.refresh()
        model = self.term.model(self.working_set, self.place, live, none, NOBODY, False)
        gram = model.gram
        if live.size < len(gram):
            on = live if model.where is ALL else np.arange(live.size)
            gram = gram[on].take(on, axis=1)
        return solve_semidefinite(plus_diagonal(gram, ridge), rest)

    def _mended_by_steps(self, ridge: Float64) -> Certificate:
        """The certificate of the place with the residual that a few more steps would leave."""
        place, on, best = self.place, self._coordinates(ridge), Certificate(np.inf, 0.0, 0.0)
        values = on.values(place.theta[self._live].reshape(-1, self._n_outputs))
        for state, price in on.mended(self.term, place.state, values):
            there = self._observe(place.theta, place.support, state)
            certificate = self.appraisal.of_place(0.0, there, mended=True)
            best = min(best, certificate._replace(gap=certificate.gap + price))
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
        if self.term.exact or self.working_set.complete:
            return False
        squares = self.design.spread[self.working_set.features[self._live]] ** 2
        penalised = ridge[ridge > 0.0]
        if not penalised.size or squares.max() <= LONG * np.median(penalised):
            return False
        n, p = (size // self._n_outputs for size in self.design.shape)
        return n * p <= LARGE_DATA and self._n_outputs * min(n, p) <= FEW

    def _coordinates(self, ridge: Float64) -> Coordinates:
        """What is to be solved for where columns are long."""
        K, base = self._n_outputs, self._base
        features, penalties = self.working_set.features[self._live][::K] // K, ridge[::K]
        long = base.spread[features] ** 2 > LONG * penalties
        return coordinates(base, features, penalties, long)

    def _rooted_goal(self, ridge: Float64) -> Float64:
        """theta + d of what is not constant, from the root of the Hessian."""
        on, place = self._coordinates(ridge), self.place
        theta = place.theta[self._live].reshape(-1, self._n_outputs)
        values = on.values(theta)
        return on.coefficients(values + on.step(self.term, place.state, values)).ravel()

    def _dual_goal(self, ridge: Float64) -> Float64:
        """theta + d, with the n x n matrix; `ridge` is of all features."""
        columns, place, term = self.working_set.columns, self.place, self.term
        apart, inside = self._apart, ridge > 0.0
        inside[apart] = False
        scale = np.divide(1.0, self._weights, out=np.zeros_like(ridge), where=inside)
        outer = self.working_set.outer(scale) / self._alpha
        residual = place.state.residual
        if self._known:
            dual, rest = self._dual, residual - self._dual
        else:
            dual = np.zeros(residual.size)
            held = columns.predict(np.where(inside, place.theta, 0.0))
            rest = residual + term.bend(place.state, held)
        system = term.bend(place.state, outer)
        system.flat[:: residual.size + 1] += 1.0
        *factor, singular = dgetrf(system, overwrite_a=1)
        if singular:  # beside values that are far larger than others
            return np.asarray(place.theta)
        change = lu_solve(factor, rest, check_finite=False)
        goal = place.theta.copy()
        if apart.size:
            block = self.design.block(self.working_set.features[apart])
            bent = lu_solve(factor, term.bend(place.state, block), check_finite=False)
            right = block.T @ (dual + change) - ridge[apart] * goal[apart]
            move = solve_semidefinite(plus_diagonal(block.T @ bent, ridge[apart]), right)
            change -= bent @ move
            goal[apart] += move
        self._dual = self._balanced(dual + change)
        return np.where(inside, scale / self._alpha * columns.correlations(self._dual), goal)

    def _balanced(self, dual: Float64) -> Float64:
        """a as it has to be where there is an intercept: it sums to zero for each output."""
        base = self._base
        if not base.fit_intercept:
            return dual
        each = dual.reshape(base.shape[0], -1)
        return np.asarray((each - np.multiply.outer(base.root, base.root @ each)).ravel())

    def _step_by_products(self, ridge: Float64, rest: Float64, gap: float) -> Float64:
        """d, by conjugate gradients."""
        columns, state, live = self.working_set.columns, self.place.state, self._live
        features, asked = self.working_set.features[live], self.appraisal.asked
        slack, theta = self.appraisal.slack(self.place.noise, features), self.place.theta[live]
        weighed = self.appraisal.weighed(ridge, slack)
        dearness = np.divide(0.5, ridge, out=np.zeros_like(ridge), where=weighed)
        largest = np.where(weighed, np.inf, 0.5 * slack * np.where(ridge > 0.0, 1.0, SOLVED))
        enough = INNER_SHARE * asked
        if not self.term.exact:
            enough = max(enough, min(LEFT, gap / self.term.scale) * gap)
        whole = np.zeros(self.place.theta.size)

        def bent(way: Float64) -> tuple[Float64, Float64]:
            whole[live] = way
            image = columns.predict(whole)
            return image, self.term.bend(state, image)

        squares = self.design.spread[features] ** 2
        image, product = bent(rest / (squares + ridge))
        curvature = float(image @ product) / max(float(image @ image), TINY)
        scale = 1.0 / (curvature * squares + ridge)
        step, way = np.zeros(rest.size), scale * rest
        square = float(rest @ way)
        for _ in range(MAX_STEPS):
            sizes = np.where(weighed, 0.0, np.abs(theta + step))
            left, rest_size = float(dearness @ rest**2), np.abs(rest)
            if left + float(rest_size @ sizes) <= enough and (rest_size <= largest).all():
                break
            product = columns.correlations(bent(way)[1])[live] + ridge * way
            bend = float(way @ product)
            if not bend > 0.0:
                break
            length = square / bend
            step, rest = step + length * way, rest - length * product
            ahead = scale * rest
            before, square = square, float(rest @ ahead)
            way = ahead + (square / before) * way
        else:
            self._failed = True
        return step

    def _objective_under(self, ridge: Float64) -> float:
        """f at the place."""
        return float(self.place.state.loss + 0.5 * ridge @ self.place.theta[self._live] ** 2)

    def _tell_of(self, alpha: float, objective: float, gap: float, sweeps: int) -> None:
        """Tell the listener, if there is one, where the place stands."""
        listener, place = self.settings.listener, self.place
        if listener is None or not listener.iterations:
            return
        sizes = self.working_set.features.size, place.support.size
        asked = self.appraisal.asked
        listener.iteration(Iteration(alpha, sweeps, *sizes, objective, objective, gap, asked))


class OfAlpha(Listener):
    """Passes on what it hears, as of another alpha."""

    def __init__(self, listener: Listener, alpha: float) -> None:
        self.listener, self.alpha = listener, alpha
        self.iterations, self.every_sweep = listener.iterations, listener.every_sweep

    def iteration(self, iteration: Iteration) -> None:
        self.listener.iteration(iteration._replace(alpha=self.alpha))
