"""A smooth function of the caller's with an L1 penalty: values, gradients, how far from optimal.

    F(x) = h(x) + sum_j lambda_j |x_j|^q,         g = grad h,

with q = 1, or q = 2/K < 1 for K > 2 factors. x is stationary where, with s = sign(x),

    g_j + lambda_j q |x_j|^(q - 1) s_j = 0    on the support,
    |g_j| <= lambda_j                         off it (-g_j <= lambda_j under x >= 0), if q = 1.

For q < 1 a penalised coordinate at zero is optimal whatever its gradient: the penalty is infinitely
steep there.
"""

import inspect
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from .._numerics.rounding import UNIT
from .._numerics.typing import Float64

# Status of a result: what `scipy.optimize.minimize` has, where it has one.
CONVERGED, TOO_MANY, ROUNDED, FAILED, HALTED = 0, 1, 2, 3, 99
# Steps of finite differences, relative to max(1, |x_j|), as powers of the unit of rounding of h:
# those of SciPy.
STEPS = {"2-point": 1 / 2, "3-point": 1 / 3, "cs": 1 / 2}
# The error that they leave in the gradient, as a part of max(1, |h|), times a margin of ten: a
# smaller violation may be nothing but this error. Larger ones than MOST_HIDDEN are never that. In
# single precision it is larger, like the unit of rounding over the step.
GRADIENT_ERROR = {"2-point": 1e-7, "3-point": 1e-8, "cs": 0.0}
MOST_HIDDEN = 0.1
# A violation is relative to lambda_j, or to this part of the largest gradient if that is more. A
# numerical limit: below it rounding of the gradient would count as a violation.
LEAST_SCALE = 1e-6
# The last iteration gains less than this part of F, or of one as in SciPy, where it has converged.
# Larger, a bad start is not seen to be one; smaller, F is pursued towards an infimum of zero.
FAST = 1e-6


class Stop(Exception):
    """The run ends here: the status of its result and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Evaluation(NamedTuple):
    """x, h there, its gradient, and F."""

    x: Float64
    value: float
    gradient: Float64
    objective: float


class SmoothFunction:
    """h and its gradient: checked, counted, called with copies that it may change.

    They run in NumPy's error state of the moment when this was made, which is their caller's. What
    goes wrong at the start is an error; later it ends the run.
    """

    def __init__(
        self, fun: Callable[..., Any], jac: Any, args: tuple[Any, ...], positive: bool, limit: float
    ) -> None:
        self._state: Any = np.geterr()
        self.nfev, self.njev = 0, 0
        self._fun, self._args = fun, args
        self._jac = "2-point" if jac is None or jac is False else jac
        self._positive, self._limit = positive, limit
        self._started = False
        self._unit = UNIT

    def __call__(self, x: Float64) -> tuple[float, Float64]:
        """h(x) and its gradient."""
        if self.nfev >= self._limit:
            raise Stop(TOO_MANY, f"maxfun={self._limit:g} evaluations of fun were made.")
        if self._jac is True:
            pair = self._evaluate(self._fun, "fun", x)
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise TypeError("fun must return a pair, the value and the gradient, if jac=True.")
            value, gradient = self._scalar(pair[0], x), self._checked(pair[1], "fun", x)
            self.njev += 1
        elif callable(self._jac):
            value = self._value(x)
            gradient = self._checked(self._evaluate(self._jac, "jac", x), "jac", x)
            self.njev += 1
        else:
            value = self._value(x)
            gradient = self._checked(self._differences(x, value), "the finite differences", x)
        self._started = True
        return value, gradient

    @property
    def gradient_error(self) -> float:
        """The error of the gradient, as a part of max(1, |h|)."""
        if not isinstance(self._jac, str):
            return 0.0
        return float(GRADIENT_ERROR[self._jac] * (self._unit / UNIT) ** (1.0 - STEPS[self._jac]))

    def _evaluate(self, function: Callable[..., Any], name: str, x: Any) -> Any:
        """What a function of the caller's returns."""
        self.nfev += function is self._fun
        try:
            with np.errstate(**self._state):
                return function(x.copy(), *self._args)
        except Exception as error:
            if not self._started:
                raise
            raise Stop(FAILED, f"{name} raised {error!r}.") from error

    def _value(self, x: Float64) -> float:
        return self._scalar(self._evaluate(self._fun, "fun", x), x)

    def _scalar(self, value: Any, x: Float64) -> float:
        """A value of h, which has to be a finite number."""
        number = np.asarray(value)
        if number.size != 1 or number.dtype.kind not in "fiub":
            raise ValueError(f"fun must return a real number. Got {value!r}.")
        self._demand_finite(number.reshape(1), "fun", x)
        if number.dtype.kind == "f":
            self._unit = max(UNIT, float(np.finfo(number.dtype).eps))
        return float(number.reshape(()))

    def _checked(self, gradient: Any, name: str, x: Float64) -> Float64:
        """A gradient, which has to have the shape of x and to be finite."""
        array = np.array(gradient)  # a copy: the caller may use the same array again
        if not array.ndim and x.size == 1:
            array = array.reshape(1)
        if array.shape != x.shape or array.dtype.kind not in "fiu":
            raise ValueError(
                f"The gradient that {name} returns must be of real numbers and have shape "
                f"{x.shape}, that of x0. Got shape {array.shape}, dtype {array.dtype}."
            )
        self._demand_finite(array, f"the gradient that {name} returns", x)
        return array.astype(np.float64)

    def _demand_finite(self, array: Any, name: str, x: Float64) -> None:
        finite = np.isfinite(array)
        if finite.all():
            return
        where = int(np.argmin(finite))
        position = f"[{where}]" if array.size > 1 else ""
        if not self._started:
            raise ValueError(f"{name}{position} is {array[where]} at x0; it must be finite.")
        raise Stop(FAILED, f"{name}{position} was {array[where]}.")

    def _differences(self, x: Float64, value: float) -> Float64:
        """The gradient by finite differences; under x >= 0 no step goes below zero."""
        relative = self._unit ** STEPS[self._jac]
        steps = relative * np.where(x < 0.0, -1.0, 1.0) * np.maximum(1.0, np.abs(x))
        gradient = np.empty_like(x)
        for j, step in enumerate(steps):
            gradient[j] = self._slope(x, j, step, value)
        return gradient

    def _slope(self, x: Float64, j: int, step: float, value: float) -> float:
        """One component of the gradient."""
        if self._jac == "cs":
            there = x.astype(np.complex128)
            there[j] += 1j * step
            return float(np.imag(self._evaluate(self._fun, "fun", there)) / step)
        forward = x.copy()
        forward[j] += step
        step = forward[j] - x[j]  # as it is after rounding
        if self._jac == "2-point":
            return (self._value(forward) - value) / step
        backward = x.copy()
        if self._positive and x[j] < step:
            backward[j] += 2.0 * step
            return (4.0 * self._value(forward) - 3.0 * value - self._value(backward)) / (2.0 * step)
        backward[j] -= step
        return (self._value(forward) - self._value(backward)) / (2.0 * step)


class Progress:
    """Counts iterations, and tells the callback of them; knows whether F still falls fast."""

    def __init__(self, callback: Callable[..., Any] | None, limit: int) -> None:
        self.nit = 0
        self._latest: deque[float] = deque(maxlen=2)
        self._callback, self._limit = callback, limit
        self._whole = callback is not None and takes_result(callback)

    def __call__(self, at: Evaluation) -> None:
        """An iteration has led there."""
        self.nit += 1
        self._latest.append(at.objective)
        if self._callback is not None:
            try:
                if self._whole:
                    result = OptimizeResult(x=at.x.copy(), fun=at.objective)
                    self._callback(intermediate_result=result)
                else:
                    self._callback(at.x.copy())
            except StopIteration:
                raise Stop(HALTED, "`callback` raised `StopIteration`.") from None
        if self.nit >= self._limit:
            raise Stop(TOO_MANY, f"maxiter={self._limit} iterations were made.")

    @property
    def falls(self) -> bool:
        """Whether the last iteration has gained more than FAST of F, or of one if that is more."""
        if len(self._latest) < 2:
            return False
        before, after = self._latest
        return before - after > FAST * max(abs(after), 1.0)


def takes_result(callback: Callable[..., Any]) -> bool:
    """Whether its only parameter is `intermediate_result`, as `scipy.optimize.minimize` has it."""
    try:
        return set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):  # of some built-in functions nothing is known
        return False


class Objective:
    """F, with the best point that was seen.

    Attributes
    ----------
    penalty : ndarray of shape (p,)
        lambda; inf where x_j has to be zero.
    power : float
        q.
    positive : bool
        Whether x >= 0 is demanded.
    start, best : Evaluation
        That of x0, and the one with the smallest F.
    scale : ndarray of shape (p,)
        What violations are relative to.
    """

    def __init__(
        self, function: SmoothFunction, x0: Float64, penalty: Float64, power: float, positive: bool
    ) -> None:
        self.function, self.penalty, self.power, self.positive = function, penalty, power, positive
        value, gradient = function(x0)
        self.start = self.best = Evaluation(x0, value, gradient, value + self.penalty_at(x0))
        self.scale = self.scale_at(self.start)

    def scale_at(self, evaluation: Evaluation) -> Float64:
        """What violations are relative to, if gradients are as large as there."""
        penalty, gradient = self.penalty, evaluation.gradient
        steepest = float(np.abs(gradient[np.isfinite(penalty)]).max(initial=0.0)) or 1.0
        return np.maximum(penalty, np.where(penalty > 0.0, LEAST_SCALE, 1.0) * steepest)

    def penalty_at(self, x: Float64) -> float:
        """sum_j lambda_j |x_j|^q."""
        on = x.nonzero()[0]
        return float(self.penalty[on] @ np.abs(x[on]) ** self.power)

    def at(self, x: Float64) -> Evaluation:
        """Evaluate h and its gradient."""
        value, gradient = self.function(x)
        evaluation = Evaluation(x.copy(), value, gradient, value + self.penalty_at(x))
        if evaluation.objective < self.best.objective:
            self.best = evaluation
        return evaluation

    def gradient_error(self, evaluation: Evaluation) -> float:
        """The part of a relative violation that may be the error of finite differences."""
        size = max(1.0, abs(evaluation.value)) / float(self.scale.min())
        return min(self.function.gradient_error * size, MOST_HIDDEN)

    def violations(self, evaluation: Evaluation) -> Float64:
        """How far each coordinate is from its optimality condition, relative to `scale`."""
        x, g = evaluation.x, evaluation.gradient
        on = x.nonzero()[0]
        abs_gradient = -g if self.positive else np.abs(g)
        if self.power < 1.0:
            abs_gradient = np.where(self.penalty > 0.0, 0.0, abs_gradient)
        excess = np.maximum(abs_gradient - self.penalty, 0.0)
        steepness = self.power * np.abs(x[on]) ** (self.power - 1.0) * self.penalty[on]
        excess[on] = np.abs(g[on] + steepness * np.sign(x[on]))
        relative = excess / self.scale
        relative[on] = excess[on] / np.maximum(self.scale[on], steepness)
        return relative

    def kkt(self, evaluation: Evaluation) -> float:
        """The largest violation."""
        return float(self.violations(evaluation).max(initial=0.0))

    def gap(self, evaluation: Evaluation, f_min: float) -> float:
        """A bound of F - min F, for convex h >= f_min and q = 1.

        For any y, h(y) >= h(x) + g'(y - x), -g'y <= rho sum_j lambda_j |y_j| with
        rho = max_j |g_j| / lambda_j, and at the minimum sum_j lambda_j |y_j| <= F(x) - f_min: so

            F(x) - min F  <=  sum_j lambda_j |x_j| + g'x + (rho - 1)_+ (F(x) - f_min).

        Infinite where a coordinate without penalty has a gradient.
        """
        x, g = evaluation.x, evaluation.gradient
        abs_gradient = -g if self.positive else np.abs(g)
        free = self.penalty == 0.0
        if g[free].any():
            return float("inf")
        rho = float((abs_gradient[~free] / self.penalty[~free]).max(initial=0.0))
        on = x.nonzero()[0]
        gap = float((self.penalty[on] * np.abs(x[on]) + g[on] * x[on]).sum())
        return max(gap, 0.0) + max(rho - 1.0, 0.0) * (evaluation.objective - f_min)
