"""Curved losses on data in blocks: Newton's method by passes, for many penalties at once.

A pass gives what the model and the certificate need (`streamed_model`, `streamed_certificate`) at
the points that all penalties have come to; the solutions of the models are the next points. A point
at which f is larger than before is not taken: half of the way is next. The start is the path of a
sample.

The method is written as steps, which yield requests and are sent answers, so that several fits,
such as those of folds, share their passes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._datafit.loss_sums import LossSums
from .._design.correlations import ALL
from .._numerics.rounding import ROUNDING
from .._numerics.typing import Float64
from .._penalties.l1 import penalty_value
from .certification import NEGLIGIBLE
from .path_point import DUE
from .progress import Outcome, PathPoint
from .settings import PathSettings
from .streamed_certificate import Coefficients, View, certificate
from .streamed_model import Models, Request, StreamedLoss, own_points, solve_model

# The loss without features is exact once the intercepts' imbalance costs less than this part of it,
# the first, and good enough to compare gaps with below the second: numerical limits.
BALANCED, ABOUT_BALANCED = 1e-14, 1e-2
# Passes, passes in a row that gain little, and halved steps of one point, before it is given up:
# limits that were reached on random data only because of rounding.
MAX_PASSES, MAX_SLOW, MAX_HALVED = 60, 12, 30
# Hessians of the sample are not used any more, and those of the data are given to where it matters,
# after so many passes in a row that have not divided a gap by this: passes against Hessians.
SLOW_PASSES, SLOW = 2, 4.0
# A tolerance of no more than this asks for digits of coefficients: passes go on to this part of it,
# as long as they gain something.
EXACT, BEYOND = 1e-9, 1e-4
# f may rise by so many times its rounding: a numerical limit.
RISE = 10.0


@dataclass(frozen=True)
class Progress:
    """Where one penalty stands: the best point so far, its gap, and what is tried next."""

    alpha: float
    trial: Coefficients
    best: View | None = None
    objective: float = np.inf
    gap: float = np.inf
    rounding_gap: float = 0.0
    sweeps: int = 0
    halved: int = 0
    slow: int = 0
    done: bool = False


# Yields requests, is sent the answers, and returns a result.
Steps = Generator[Request, LossSums, Any]


def run_together(
    many: Sequence[Steps], evaluate: Callable[[dict[int, Request]], dict[int, LossSums]]
) -> list[Any]:
    """The results of steps that go on side by side; each pass answers the requests of all."""
    results: list[Any] = [None] * len(many)
    answers: dict[int, Any] = dict.fromkeys(range(len(many)))
    while answers:
        requests = {}
        for i, answer in answers.items():
            try:
                requests[i] = many[i].send(answer)
            except StopIteration as end:
                results[i] = end.value
        answers = dict(evaluate(requests)) if requests else {}
    return results


class Newton:
    """The method for a loss; what it finds out about the loss without features is kept."""

    def __init__(
        self, loss: StreamedLoss, settings: PathSettings, start: Float64 | None = None
    ) -> None:
        self.loss, self.settings, self.start = loss, settings, start
        self._null: View | None = None

    def steps(self, alphas: list[float]) -> Steps:
        """Solve at all alphas, step by step: what yields requests, and returns points."""
        found = yield from self.progress(alphas)
        return [self._point(each) for each in found]

    def balanced(self) -> Steps:
        """The view without features, at the best intercepts."""
        if self._null is None:
            self._null = yield from self._view(self.loss.null)
        for _ in range(MAX_HALVED):
            if self._null.cost <= BALANCED * self._null.scale:
                break
            (theta, intercept), step = self._null.at, self._null.step
            # After a step of one, curvatures may have changed by a factor of e.
            intercept = intercept + step / max(1.0, np.abs(step).max())
            self._null = yield from self._view(Coefficients(theta, intercept))
        return self._null

    def _view(self, at: Coefficients) -> Steps:
        """The view of one point."""
        request = Request([at])
        (seen,), _ = self.loss.views(request, (yield request))
        return seen

    def _enough(self, rounding_gap: float) -> float:
        """The largest gap that is good enough: the one asked for, or rounding, if negligible."""
        assert self._null is not None
        negligible = min(DUE * rounding_gap, NEGLIGIBLE * self._null.scale)
        return max(self.settings.tol * self._null.scale, negligible)

    def progress(self, alphas: list[float]) -> Steps:
        """Pass after pass, until all have converged or none gets any further."""
        if self.start is None:
            starts = self.loss.starts(alphas)
        else:
            starts = [self.loss.null._replace(theta=self.start)] * len(alphas)
        every = [Progress(alpha, at) for alpha, at in zip(alphas, starts, strict=True)]
        for _ in range(MAX_PASSES):
            active = [i for i, each in enumerate(every) if not each.done]
            if not active:
                break
            after = yield from self._pass([every[i] for i in active])
            for i, moved in zip(active, after, strict=True):
                every[i] = moved
        return every

    def _pass(self, active: list[Progress]) -> Steps:
        """What a pass makes of the penalties that are not done."""
        own = own_points([each.slow >= SLOW_PASSES for each in active], self.loss.lengths.size)
        points = [each.trial for each in active]
        unknown = [self.loss.null] * (self._null is None)
        request = Request([*points, *unknown], own)
        views, hessians = self.loss.views(request, (yield request))
        if unknown:
            self._null = views.pop()
            if self._null.cost > ABOUT_BALANCED * self._null.scale:
                yield from self.balanced()
        models, moved = Models(self.loss, views, hessians), []
        for k, (each, seen) in enumerate(zip(active, views, strict=True)):
            judged = self._judged(each, seen)
            if judged.best is seen and not judged.done:
                judged = self._stepped(judged, models.at(k, judged.slow < SLOW_PASSES))
            moved.append(judged)
        return moved

    def _is_done(self, before: Progress, gap: float, rounding_gap: float) -> bool:
        """Whether a gap is small enough; if digits are asked for, whether passes add no more."""
        if before.sweeps >= self.settings.max_iter or before.slow >= MAX_SLOW:
            return True
        exact = self.settings.tol <= EXACT and gap <= before.gap / SLOW
        return gap <= self._enough(rounding_gap) * (BEYOND if exact else 1.0)

    def _judged(self, before: Progress, seen: View) -> Progress:
        """What is known once a trial has been seen: taken, or half of the way to it is next."""
        assert self._null is not None
        penalty, alpha = self.settings.penalty, before.alpha
        lam, ridge = penalty.parts(alpha, ALL)
        objective = seen.loss + penalty_value(seen.at.theta, lam, ridge)
        largest = self._null.loss if before.best is None else before.objective
        if objective > largest + RISE * ROUNDING * abs(largest):
            if before.best is None:  # the sample misleads
                return replace(before, trial=self._null.at)
            trial = before.best.at.towards(before.trial, 0.5)
            halved = before.halved + 1
            return replace(
                before, trial=trial, halved=halved, slow=SLOW_PASSES, done=halved > MAX_HALVED
            )
        gap, _, rounding_gap = certificate(seen, alpha, penalty, self.loss.lengths)
        return replace(
            before,
            best=seen,
            objective=objective,
            gap=gap,
            rounding_gap=rounding_gap,
            halved=0,
            slow=before.slow + 1 if gap > before.gap / SLOW else 0,
            done=self._is_done(before, gap, rounding_gap),
        )

    def _stepped(self, each: Progress, model: Float64) -> Progress:
        """The solution of the model is tried next."""
        assert each.best is not None
        at, z = each.best.at, each.best.z
        hessian, follow = model[: z.size], model[z.size :]
        point = solve_model(hessian, hessian @ at.theta + z, at.theta, each.alpha, self.settings)
        theta, intercept = self._shortest(point.dense(z.size)), at.intercept
        if self.loss.fit_intercept:
            intercept = intercept + each.best.step - follow @ (theta - at.theta)
        sweeps = each.sweeps + point.sweeps
        return replace(each, trial=Coefficients(theta, intercept), sweeps=sweeps)

    def _shortest(self, theta: Float64) -> Float64:
        """Of features without penalty only differences between classes matter: the mean is zero."""
        n_outputs = self.loss.null.intercept.size
        matrix = theta.reshape(-1, n_outputs)
        free = self.settings.penalty.weights.reshape(-1, n_outputs)[:, 0] == 0.0
        if n_outputs > 1 and free.any():
            matrix[free] -= matrix[free].mean(axis=1, keepdims=True)
        return theta

    def _point(self, each: Progress) -> PathPoint:
        """What is returned of a penalty."""
        assert each.best is not None
        assert self._null is not None
        theta, intercept = each.best.at
        outcome = Outcome.CONVERGED
        if each.gap > self._enough(each.rounding_gap):
            outcome = Outcome.MAX_ITER if each.sweeps >= self.settings.max_iter else Outcome.STALLED
            outcome = Outcome.ROUNDING if each.gap <= DUE * each.rounding_gap else outcome
        features = np.flatnonzero(theta)
        b: Any = float(intercept[0]) if intercept.size == 1 else intercept
        gap_tol = self.settings.tol * self._null.scale
        return PathPoint(
            each.alpha, features, theta[features], b, each.gap, gap_tol, outcome, each.sweeps
        )
