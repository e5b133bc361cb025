"""Logistic loss as a data term: states, quadratic models, and steps towards their solutions.

The intercepts b are at their optimum in every state, so that sum_i v_i r_ik = 0 for every output
k, and kappa r is feasible for the dual problem whenever |kappa z_j| <= lambda_j. The dual's value
there is the entropy of the probabilities Q = (1 - kappa) Y + kappa P, and its divergence is that
of Kullback and Leibler, sum_ic v_i Q_ic log(Q_ic / P_ic). With u = 1 - P_y for the true class y,

    kappa u log kappa + (1 - kappa u) (log(1 - kappa u) - log P_y)        from each sample.

The model about a state is Newton's. Its Hessian is the dearest thing here; where it is, one of an
earlier state serves as long as the curvatures have not drifted far (`hessian`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .._design.blocks import BLOCK
from .._design.correlations import Correlations
from .._design.design import Design
from .._design.multi_output import AnyDesign, MultiOutputDesign
from .._design.working_set import WorkingSet
from .._losses.logistic import LogisticLoss, Prediction
from .._numerics.operator import GramMatrix
from .._numerics.rounding import NOBODY, ROUNDING, UNIT, CorrelationRounding
from .._numerics.typing import Float64, Index
from .hessian import Hessian
from .iterate import Iterate
from .squared import Model

# The part of a step that is not worth trying.
SHORTEST = 1e-12
# A coefficient times the length of its column, from which on it is looked at what that is in each
# sample; and the rounding of a correlation, as a part of its limit, from which on it is, of so many
# features as make a block.
HEAVY, FINE = 100.0, 1e-8
# A rounding error of correlations, as a part of their limit, that is not worth to be known better.
NOTHING = 1e-12


# Where a loss is an exponential, the model's solution moves its output by one unit, or two outputs
# by half of one each. Steps that move none by so much do not go on.
FAR = 0.2
# A step that is cut is cut where f is lowest, to within so many units of the outputs.
WIDE = 10.0
# Steps go on while f falls by this part of what it did at their start.
STEEP = 0.25
# A coefficient that moves by no more than this part of it has settled.
SETTLED = 1e-9


class LogisticState(NamedTuple):
    """Outputs without intercept (n, K), intercept (K,), what they predict, sqrt(v) r (n K,), L."""

    linear: Float64
    intercept: Float64
    prediction: Prediction
    residual: Float64
    loss: float
    weights: Float64

    def divergence(self, kappa: float) -> float:
        wrong = kappa * self.prediction.wrong
        terms = (1.0 - wrong) * (np.log(1.0 - wrong) + self.prediction.losses)
        if kappa > 0.0:
            terms += wrong * np.log(kappa)
        return max(0.0, float(self.weights @ terms))


class LogisticTerm:
    """Logistic loss of labels, under the design's weights."""

    exact = False

    def __init__(self, design: Design, loss: LogisticLoss, fit_intercept: bool) -> None:
        self.base = design
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.n_outputs = loss.n_outputs
        self.norm = 1.0 if loss.n_outputs == 1 else float(np.sqrt(2.0))
        self.design: AnyDesign = design
        if self.n_outputs > 1:
            self.design = MultiOutputDesign(design, self.n_outputs)
        self.weights = design.sqrt_weights**2
        self._roughest = float(design.rounding.max(initial=0.0))
        present = design.sqrt_weights > 0.0
        self._unscale = np.divide(
            1.0, design.sqrt_weights, out=np.zeros_like(design.sqrt_weights), where=present
        )
        start = np.zeros((design.shape[0], self.n_outputs))
        self.null_state = self._state(start, np.zeros(self.n_outputs))
        self.scale = self.null_state.loss
        self._correlations = Correlations(self.design)
        self._hessian = Hessian(design, loss, fit_intercept)

    def state(self, working_set: WorkingSet, theta: Float64) -> LogisticState:
        if not theta.any():
            return self.null_state
        return self._state(self._linear(working_set, theta), self.null_state.intercept)

    def _linear(self, working_set: WorkingSet, theta: Float64) -> Float64:
        """Outputs, without intercept; what heavy features add to several as in `_parts`."""
        K, heavy = self.n_outputs, NOBODY
        if K > 1:
            features = working_set.features // K
            heavy = self._heaviest(features, self.base.size[features] * np.abs(theta))
        if heavy.size:
            matrix = self._matrix(heavy, working_set.features, theta)
            theta = np.where(np.isin(features, heavy), 0.0, theta)
        linear = working_set.columns.predict(theta).reshape(-1, K) * self._unscale[:, None]
        if heavy.size:
            for part in self._parts(heavy, matrix):
                linear += part
        return linear

    def _heaviest(self, features: Index, effects: Float64) -> Index:
        """The features that pull by much, or as many of them, the heaviest, as make a block."""
        on, room = (effects > HEAVY).nonzero()[0], max(1, BLOCK // len(self._unscale))
        if not on.size:
            return NOBODY
        if on.size > room:
            on = on[np.argpartition(-effects[on], room)[:room]]
        return np.unique(features[on])

    def _matrix(self, heavy: Index, pairs: Index, values: Float64) -> Float64:
        """The coefficients of some features, (h, K), given values for pairs of all."""
        features, matrix = pairs // self.n_outputs, np.zeros((heavy.size, self.n_outputs))
        on = np.isin(features, heavy)
        positions = np.searchsorted(heavy, features[on])
        matrix[positions, pairs[on] % self.n_outputs] = values[on]
        return matrix

    def _parts(self, heavy: Index, matrix: Float64) -> Iterator[Float64]:
        """What each of some features contributes to the outputs, (n, K).

        Of several classes, to how far they are from that of the sample's own class: where two of
        them share a code, that keeps the digits in which they differ.
        """
        for j, column in zip(heavy, matrix, strict=True):
            x = self.base.block(np.array([j])) * self._unscale[:, None]
            yield x * self.loss.contrasts(column)

    def _state(self, linear: Float64, intercept: Float64) -> LogisticState:
        """The state with these outputs; the search for the intercept starts as given."""
        if self.fit_intercept:
            intercept, prediction = self.loss.profile_intercept(linear, intercept)
        else:
            prediction = self.loss.predict(linear)
        residual = (self.base.sqrt_weights[:, None] * prediction.residual).ravel()
        value = float(self.weights @ prediction.losses)
        return LogisticState(linear, intercept, prediction, residual, value, self.weights)

    def interpolate(
        self, first: LogisticState, last: LogisticState, fraction: float
    ) -> LogisticState:
        """The state where the outputs are the mean of two others', the last with this share."""
        linear, intercept = (
            (1.0 - fraction) * start + fraction * end
            for start, end in zip(first[:2], last[:2], strict=True)
        )
        return self._state(linear, intercept)

    def correlations(
        self,
        working_set: WorkingSet,
        state: LogisticState,
        limit: Float64 | float | None,
        positive: bool,
    ) -> tuple[Float64, Index | slice]:
        return self._correlations.at(state.residual, working_set, limit, positive)

    def rounding(
        self, support: Index, values: Float64, state: LogisticState, limit: Any
    ) -> tuple[CorrelationRounding, float]:
        """Outputs err by their size; the residuals by this times the curvature, none far out.

        Where outputs are so small that this is nothing beside any limit, the largest will do.
        """
        effects = self.base.size[support // self.n_outputs] * values
        largest = float(np.abs(state.linear).max() + np.abs(state.intercept).max())
        largest += float(np.sqrt(effects @ effects))
        length = float(np.sqrt(state.residual @ state.residual))
        length += (0.25 if self.n_outputs == 1 else 1.0) * largest  # at most, p (1 - p) of it
        lowest = 1.0 if limit is None else limit
        if isinstance(lowest, np.ndarray):
            lowest = float(lowest.min())
        fine = self._roughest * length <= NOTHING * lowest
        if fine and UNIT * largest <= NOTHING * self.scale:
            return CorrelationRounding(length), UNIT * largest
        sizes = self._sizes(support, values, state)
        r = np.abs(state.prediction.residual)
        relative_errors = r * sizes
        hidden = UNIT * float(np.linalg.norm(self.weights[:, None] * relative_errors))
        error = r + (1.0 - r) * relative_errors
        if self.n_outputs > 1:
            p = self.loss.probabilities(state.prediction)
            relative_errors = p * sizes
            error += p * np.maximum(
                relative_errors.sum(axis=1, keepdims=True) - relative_errors, 0.0
            )
        error *= self.base.sqrt_weights[:, None]
        length = float(np.linalg.norm(error))
        limits = np.atleast_1d(1.0 if limit is None else limit)
        least = FINE * limits[:: self.n_outputs if limits.size > 1 else 1]
        excess = self.base.rounding * length - least
        special = (excess > 0.0).nonzero()[0]
        room = max(1, BLOCK // len(r))
        if special.size > room:
            special = special[np.argpartition(-excess[special], room)[:room]]
        if not special.size:
            return CorrelationRounding(length), hidden
        rounding_error = ROUNDING * (np.abs(self.base.block(special)).T @ error).ravel()
        pairs = np.add.outer(special * self.n_outputs, np.arange(self.n_outputs)).ravel()
        return CorrelationRounding(length, pairs, rounding_error), hidden

    def _sizes(self, support: Index, values: Float64, state: LogisticState) -> Float64:
        """What the sums that outputs are add up, sign set aside, at the most; (n, K)."""
        sizes = np.abs(state.linear) + np.abs(state.intercept)
        features, outputs = support // self.n_outputs, support % self.n_outputs
        effects = self.base.size[features] * np.abs(values)
        heavy = self._heaviest(features, effects)
        light = ~np.isin(features, heavy)
        sizes += np.sqrt(np.bincount(outputs[light], effects[light] ** 2, self.n_outputs))
        for part in self._parts(heavy, self._matrix(heavy, support, values)):
            sizes += np.abs(part)
        return sizes

    def model(
        self,
        working_set: WorkingSet,
        iterate: Iterate,
        support: Index,
        penalty: Float64,
        predicted: Index,
        matrix_free: bool,
    ) -> Model:
        z = iterate.z[working_set.features]
        moving = np.abs(z) > penalty
        moving[predicted] = True
        moving[support] = False
        where = np.concatenate([support, moving.nonzero()[0]])
        gram = self._hessian.at(working_set, iterate.state.prediction, where)
        target = gram @ iterate.theta[where] + z[where]
        return Model(where, GramMatrix(gram), target, np.arange(support.size))

    def refresh(self) -> None:
        self._hessian.forget()

    def model_square(self, state: LogisticState) -> float:
        """||H^-1/2 r||^2: (1 - P_y) / P_y from each sample."""
        return float(self.weights @ np.expm1(np.minimum(state.prediction.losses, 700.0)))

    def line_search(
        self,
        working_set: WorkingSet,
        state: LogisticState,
        theta: Float64,
        goal: Float64,
        penalty: tuple[Float64, Float64 | None],
        modelled: bool = True,
    ) -> tuple[Float64, LogisticState]:
        """The whole step, or half, or a quarter and so on, until f does not go up.

        By differences, sample by sample: sums over many samples err by more than the last steps are
        worth.
        """
        linear = self._linear(working_set, goal)
        direction, change = goal - theta, linear - state.linear
        shift = self._intercept_change(state.prediction, change)

        def at(part: float) -> tuple[Float64, LogisticState]:
            """Where a part of the step leads."""
            if part == 1.0:
                return goal, self._state(linear, state.intercept + shift)
            outputs = state.linear + part * change
            return theta + part * direction, self._state(outputs, state.intercept + part * shift)

        fraction = 1.0
        while fraction > SHORTEST:
            new, after = at(fraction)
            increase = after.prediction.losses - state.prediction.losses
            rise = float(self.weights @ increase) + _rise_of_penalty(theta, new, penalty)
            if rise <= 0.0 or rise <= self._rounding(state):
                break
            fraction *= 0.5
        else:
            return theta, state
        if fraction == 1.0 and not modelled:
            return new, after
        longest = float(np.abs(change + shift).max())
        if fraction < 1.0:
            if fraction * longest <= WIDE:
                return new, after
            return self._lowest(at, (direction, change), fraction, WIDE / longest, penalty)
        if longest < FAR:
            return new, after
        return self._beyond(working_set, state, theta, after, goal, penalty)

    def _lowest(
        self,
        at: Callable[[float], tuple[Float64, LogisticState]],
        course: tuple[Float64, Float64],
        fraction: float,
        width: float,
        penalty: tuple[Float64, Float64 | None],
    ) -> tuple[Float64, LogisticState]:
        """The lowest point between a part of a step, at which f is not up, and twice that part.

        A sample whose outputs move by millions is a wall on the way: halves alone would only halve
        the distance from it, at each step anew. The course is that of theta, and of the outputs.
        """
        (direction, change), (weights, ridge) = course, penalty
        low, high, found = fraction, 2.0 * fraction, at(fraction)
        while high - low > width:
            middle = 0.5 * (low + high)
            new, state = at(middle)
            effects = self.weights @ (state.prediction.residual * change).sum(axis=1)
            slope = weights @ (np.sign(new) * direction) - effects
            if slope + (0.0 if ridge is None else ridge @ (new * direction)) > 0.0:
                high = middle
            else:
                low, found = middle, (new, state)
        return found

    def _beyond(
        self,
        working_set: WorkingSet,
        start: LogisticState,
        theta: Float64,
        state: LogisticState,
        goal: Float64,
        penalty: tuple[Float64, Float64 | None],
    ) -> tuple[Float64, LogisticState]:
        """From a model's solution go on the same way, twice as far each time, while f falls.

        An outlier's loss may be an exponential: then the model's solution is one unit of its output
        away, and where that has to go hundreds.
        """
        weights, ridge = penalty
        moving = np.abs(goal - theta) > SETTLED * np.abs(goal)
        if not moving.any():
            return goal, state
        direction = (goal - theta) * (moving & (goal != 0.0))

        def slope(at: LogisticState, here: Float64, step: Float64) -> float:
            """The derivative of f along the way."""
            effects = self.weights @ (at.prediction.residual * step).sum(axis=1)
            rise = weights @ (np.sign(goal) * direction)
            return float(rise - effects + (0.0 if ridge is None else ridge @ (here * direction)))

        # what has settled moves by rounding only, which may hide how f falls
        settled = not moving[theta != 0.0].all()
        change = self._linear(working_set, direction) if settled else state.linear - start.linear
        length, contrasts = 1.0, slope(state, goal, change)
        if contrasts >= 0.0:
            return goal, state
        steep = min(STEEP * slope(start, theta, change), 0.0)
        if contrasts >= steep:
            return goal, state
        crossing = goal * direction < 0.0
        limit = 1.0 + float((-goal[crossing] / direction[crossing]).min(initial=np.inf))
        here, change = goal, self._linear(working_set, direction)
        while slope(state, here, change) < steep and 2.0 * length <= limit:
            new = goal + (2.0 * length - 1.0) * direction
            after = self._state(state.linear + length * change, state.intercept)
            if slope(after, new, change) > 0.0:
                break
            here, state, length = new, after, 2.0 * length
        return here, state

    def hessian_product(self, state: LogisticState, change: Float64) -> Float64:
        shape = len(self._unscale), self.n_outputs, -1
        outputs = change.reshape(shape) * self._unscale[:, None, None]
        bent = self._curved(state.prediction, outputs)
        if self.fit_intercept:
            units = self._curved(state.prediction, np.eye(self.n_outputs)[None])
            between = np.tensordot(self.weights, units, 1)
            shift = np.linalg.pinv(between, hermitian=True) @ np.tensordot(self.weights, bent, 1)
            bent = self._curved(state.prediction, outputs - shift)
        bent *= self.base.sqrt_weights[:, None, None]
        return np.asarray(bent.reshape(change.shape))

    def hessian_root(self, state: LogisticState, columns: Float64) -> Iterator[Float64]:
        """Blocks of rows whose Gram matrix is A'B A, A = columns kron I_K; for columns (n, q)."""
        K, q = self.n_outputs, columns.shape[1]
        outputs, step = np.arange(K), max(2 * q, BLOCK // max(q * K**2, 1))
        p = self.loss.probabilities(state.prediction)
        for first in range(0, len(p), step):
            rows = slice(first, first + step)
            if K == 1:
                curvature = self.loss.curvature(state.prediction, 0)[rows]
                yield np.sqrt(curvature)[:, None] * columns[rows]
                continue
            root = np.repeat(-p[rows, None, :], K, axis=1)  # sqrt(p_k) (delta_kl - p_l)
            root[:, outputs, outputs] = p[rows] @ (1.0 - np.eye(K))
            root *= np.sqrt(p[rows])[:, :, None]
            yield np.einsum("ikl,ij->ikjl", root, columns[rows]).reshape(-1, q * K)

    def image(self, columns: Float64, values: Float64) -> Float64:
        image = np.zeros((len(columns), self.n_outputs))
        for column, value in zip(columns.T, values, strict=True):
            image += column[:, None] * self.loss.contrasts(value)
        return image.ravel()

    def correlate(self, state: LogisticState, columns: Float64) -> Float64:
        return self.loss.correlate(columns, state.residual.reshape(-1, self.n_outputs))

    def refined(self, state: LogisticState, change: Float64) -> tuple[LogisticState, float]:
        """The divergence is that of Kullback and Leibler, of the Q of r from P."""
        bent = self.hessian_product(state, change[:, None])[:, 0]
        moved = bent.reshape(-1, self.n_outputs) * self._unscale[:, None]
        p = self.loss.probabilities(state.prediction)
        if self.n_outputs == 1:  # of the true class, and of the other one
            moved = moved * np.sign(state.prediction.residual)
            wrong = state.prediction.wrong[:, None]
            p, moved = np.hstack([1.0 - wrong, wrong]), np.hstack([moved, -moved])
        parts = np.divide(moved, p, out=np.zeros_like(p), where=p > 0.0)
        state = state._replace(residual=state.residual - bent)
        if parts.min() <= -1.0 or moved[p <= 0.0].any():
            return state, np.inf
        terms = p * ((1.0 + parts) * np.log1p(parts) - parts)
        return state, float(self.weights @ terms.sum(axis=1))

    def _curved(self, prediction: Prediction, outputs: Float64) -> Float64:
        """The second derivatives of the losses times changes of the outputs, of shape (n, K, m)."""
        if self.n_outputs == 1:
            return self.loss.curvature(prediction, 0)[:, None, None] * outputs
        p = self.loss.probabilities(prediction)[:, :, None]
        return np.asarray(p * (outputs - (p * outputs).sum(axis=1, keepdims=True)))

    def _rounding(self, state: LogisticState) -> float:
        """What rounding of the outputs, and of the losses, may contribute to a rise of the loss."""
        outputs = np.abs(state.linear) + np.abs(state.intercept)
        relative_errors = self.weights @ (np.abs(state.prediction.residual) * outputs)
        return ROUNDING * (state.loss + float(relative_errors.sum()))

    def _intercept_change(self, prediction: Prediction, change: Float64) -> Float64:
        """To first order, what a change of the outputs does to the best intercepts."""
        if self.n_outputs > 1 or not self.fit_intercept:
            return np.zeros(self.n_outputs)
        curvature = self.weights * self.loss.curvature(prediction, 0)
        total = float(curvature.sum())
        return np.array([-(curvature @ change[:, 0]) / total if total > 0.0 else 0.0])

    def dual_form(self, working_set: WorkingSet) -> tuple[None, None]:
        return None, None


def _rise_of_penalty(
    theta: Float64, new: Float64, penalty: tuple[Float64, Float64 | None]
) -> float:
    """What the penalty of new has over that of theta."""
    weights, ridge = penalty
    rise = float(weights @ (np.abs(new) - np.abs(theta)))
    return rise if ridge is None else rise + 0.5 * float(ridge @ (new**2 - theta**2))
