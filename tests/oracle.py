"""An oracle for the lasso that shares no code with the package.

Everything is computed from the raw data, in the estimator's own terms: coefficients, intercept,
sample weights s (any scale), penalty weights w, and, of the elastic net, l1_ratio. `lower_bound` is
the value of a dual feasible point, so that ``objective - lower_bound`` bounds the error whatever
solver the coefficients came from; `fista` is a solver of its own (Beck and Teboulle 2009, with the
restart of O'Donoghue and Candes 2015), good for an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from extended import LONG, SquaredLoss, certified_minimum


@dataclass(frozen=True)
class Lasso:
    """Data of one problem, dense and float64."""

    X: np.ndarray
    y: np.ndarray
    alpha: float
    sample_weight: np.ndarray
    penalty_weights: np.ndarray
    fit_intercept: bool = True
    positive: bool = False
    l1_ratio: float = 1.0

    @property
    def weights(self):
        return self.sample_weight / self.sample_weight.sum()

    @property
    def penalty(self):
        return self.l1_ratio * self.alpha * self.penalty_weights

    @property
    def ridge(self):
        return (1 - self.l1_ratio) * self.alpha * self.penalty_weights

    def intercept(self, coef):
        """The best intercept for `coef`."""
        return float(self.weights @ (self.y - self.X @ coef)) if self.fit_intercept else 0.0

    def objective(self, coef, intercept):
        residual = (self.y - intercept - self.X @ coef).astype(np.longdouble)
        loss = 0.5 * np.sum(self.weights * residual**2)
        size = np.abs(coef).astype(np.longdouble)
        return float(loss + np.sum(self.penalty * size + self.ridge * size**2 / 2))

    def centred(self):
        """X and y with their weighted means taken off, if there is an intercept."""
        if not self.fit_intercept:
            return self.X, self.y
        X, y = self.X - self.weights @ self.X, self.y - self.weights @ self.y
        return X - self.weights @ X, y - self.weights @ y

    def correlations(self, coef):
        """Minus the gradient of the loss, at the best intercept."""
        X, y = self.centred()
        return X.T @ (self.weights * (y - X @ coef))

    def kkt_violation(self, coef):
        """Largest distance of minus the gradient from the subdifferential of the penalty."""
        z = self.correlations(coef) - self.ridge * coef
        pull = z if self.positive else np.abs(z)
        off_support = np.maximum(pull - self.penalty, 0.0)
        on_support = np.abs(z - self.penalty * np.sign(coef))
        return float(np.where(coef == 0, off_support, on_support).max(initial=0.0))

    def lower_bound(self, coef):
        """The dual objective at the residual of `coef`, scaled into the feasible set.

        Maximise rho'y - 1/2 sum rho_i^2 / v_i over rho with |x_j'rho| <= lambda_j, sum(rho) = 0,
        less sum_j (|x_j'rho| - lambda_j)_+^2 / (2 ridge_j) where there is a ridge penalty.
        """
        X, y = self.centred()
        rho = self.weights * (y - X @ coef)
        ridged = self.ridge > 0
        free = (self.penalty == 0) & ~ridged & (not self.positive)
        held = free | (coef != 0)
        root = np.sqrt(self.weights)
        for _ in range(3):  # what optimality says of these correlations, to the last digit
            off = X[:, held].T @ rho - (self.penalty * np.sign(coef) + self.ridge * coef)[held]
            rho = rho - root * np.linalg.lstsq((root[:, None] * X[:, held]).T, off, rcond=1e-13)[0]
        z = X.T @ rho
        pull = np.where(free, 0.0, z if self.positive else np.abs(z))
        tiny = 1e-14 * np.sqrt(self.weights @ X**2 * (self.weights @ y**2))
        over = (pull > self.penalty + tiny) & ~ridged
        scale = np.min(self.penalty[over] / pull[over], initial=1.0)
        rho, y = scale * rho.astype(np.longdouble), y.astype(np.longdouble)
        kept = self.weights > 0
        excess = np.maximum(scale * pull - self.penalty, 0.0)[ridged]
        rest = np.sum(excess**2 / (2 * self.ridge[ridged]))
        return float(rho @ y - 0.5 * np.sum(rho[kept] ** 2 / self.weights[kept]) - rest)

    @property
    def mean(self):
        """Weighted means of the columns."""
        return self.weights @ self.X

    @property
    def centre(self):
        """What is taken off the columns, for the sake of precision: not moved by outliers."""
        return np.median(self.X, axis=0).astype(LONG) * self.fit_intercept

    def _extended(self):
        """Loss, matrix, both penalties of coefficients and intercept, and what is positive."""
        n = len(self.y)
        ones = np.ones((n, int(self.fit_intercept)))
        A = np.hstack([self.X.astype(LONG) - self.centre, ones])
        l1, ridge, signed = np.zeros((3, A.shape[1]))
        p = len(self.penalty)
        l1[:p], ridge[:p], signed[:p] = self.penalty, self.ridge, self.positive
        return SquaredLoss(self.y, self.weights), A, l1, ridge, signed > 0

    def _joined(self, coef, intercept):
        intercept = intercept + coef.astype(LONG) @ self.centre
        return np.append(coef, [intercept] if self.fit_intercept else []).astype(LONG)

    def exact_objective(self, coef, intercept):
        """In extended precision."""
        loss, A, l1, ridge, _ = self._extended()
        theta = self._joined(coef, intercept)
        return loss.value(A @ theta) + l1 @ np.abs(theta) + ridge @ theta**2 / 2

    def exact_intercept(self, coef):
        """The best intercept for `coef`, in extended precision."""
        loss, A, _, _, _ = self._extended()
        rest = loss.y - A[:, : len(coef)] @ coef.astype(LONG)
        shifted = loss.weights @ rest / loss.weights.sum()
        return shifted - coef.astype(LONG) @ self.centre if self.fit_intercept else LONG(0)

    def violation(self, coef, intercept):
        """By how much each optimality condition is violated, in extended precision."""
        loss, A, l1, ridge, signed = self._extended()
        theta = self._joined(coef, intercept)
        z = A.T @ loss.residual(A @ theta) - ridge * theta
        off = np.maximum(np.where(signed, z, np.abs(z)) - l1, 0)
        on = np.abs(z - l1 * np.sign(theta))
        return np.where(theta == 0, off, on)[: len(coef)].astype(np.float64)

    def distance(self, coef, best):
        """The curvature of the objective times half the square of what is between coefficients.

        Coefficients that are some way above the minimum are no further from it than that.
        """
        apart = coef.astype(LONG) - best
        moved = (self.X.astype(LONG) - self.centre) @ apart
        moved -= self.weights @ moved / self.weights.sum() * self.fit_intercept
        return float(self.weights @ moved**2 + self.ridge @ apart**2) / 2

    def minimum(self, coef, intercept):
        """Coefficients, intercept, their objective, and a dual bound; all in extended precision.

        From any start; what they are worth shows in the bound.
        """
        *problem, positive = self._extended()
        start = self._joined(coef, intercept)
        theta, bound = certified_minimum(*problem, start, positive)
        p = len(self.penalty)
        best = theta[:p], theta[p] - theta[:p] @ self.centre if self.fit_intercept else LONG(0)
        return *best, self.exact_objective(*best), bound

    def fista(self, n_iter=20000):
        """Coefficients by accelerated proximal gradient, on unit columns."""
        X, y = self.centred()
        length = np.sqrt(self.weights @ X**2)
        length[length <= 1e-13 * np.sqrt(self.weights @ self.X**2)] = np.inf
        Z = np.sqrt(self.weights)[:, None] * (X / length)
        gram, target = Z.T @ Z + np.diag(self.ridge / length**2), Z.T @ (np.sqrt(self.weights) * y)
        penalty = self.penalty / length
        rate = 1.0 / max(np.linalg.eigvalsh(gram)[-1], 1e-300)
        theta = ahead = np.zeros(len(target))
        momentum = 1.0
        for _ in range(n_iter):
            step = ahead + rate * (target - gram @ ahead)
            new = np.maximum(np.abs(step) - rate * penalty, 0.0) * np.sign(step)
            if self.positive:
                new = np.maximum(new, 0.0)
            if (ahead - new) @ (new - theta) > 0:
                momentum, ahead = 1.0, theta
                continue
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
            ahead = new + (momentum - 1.0) / following * (new - theta)
            converged = np.abs(new - theta).max(initial=0.0) <= 1e-16 * np.abs(new).max(initial=0.0)
            theta, momentum = new, following
            if converged:
                break
        return theta / length
