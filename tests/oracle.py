"""An oracle for the lasso that shares no code with the package.

Everything is computed from the raw data, in the estimator's own terms: coefficients, intercept,
sample weights s (any scale), penalty weights w. `lower_bound` is the value of a dual feasible
point, so that ``objective - lower_bound`` bounds the error whatever solver the coefficients came
from; `fista` is a solver of its own (Beck and Teboulle 2009, with the restart of O'Donoghue and
Candes 2015), good for an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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

    @property
    def weights(self):
        return self.sample_weight / self.sample_weight.sum()

    @property
    def penalty(self):
        return self.alpha * self.penalty_weights

    def intercept(self, coef):
        """The best intercept for `coef`."""
        return float(self.weights @ (self.y - self.X @ coef)) if self.fit_intercept else 0.0

    def objective(self, coef, intercept):
        residual = (self.y - intercept - self.X @ coef).astype(np.longdouble)
        loss = 0.5 * np.sum(self.weights * residual**2)
        return float(loss + np.sum(self.penalty * np.abs(coef).astype(np.longdouble)))

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
        z = self.correlations(coef)
        pull = z if self.positive else np.abs(z)
        off_support = np.maximum(pull - self.penalty, 0.0)
        on_support = np.abs(z - self.penalty * np.sign(coef))
        return float(np.where(coef == 0, off_support, on_support).max(initial=0.0))

    def lower_bound(self, coef):
        """The dual objective at the residual of `coef`, scaled into the feasible set.

        Maximise rho'y - 1/2 sum rho_i^2 / v_i over rho with |x_j'rho| <= lambda_j, sum(rho) = 0.
        """
        X, y = self.centred()
        rho = self.weights * (y - X @ coef)
        free = (self.penalty == 0) & (not self.positive)
        held = free | (coef != 0)
        root = np.sqrt(self.weights)
        for _ in range(3):  # what optimality says of these correlations, to the last digit
            off = X[:, held].T @ rho - (self.penalty * np.sign(coef))[held]
            rho = rho - root * np.linalg.lstsq((root[:, None] * X[:, held]).T, off, rcond=1e-13)[0]
        z = X.T @ rho
        pull = np.where(free, 0.0, z if self.positive else np.abs(z))
        tiny = 1e-14 * np.sqrt(self.weights @ X**2 * (self.weights @ y**2))
        over = pull > self.penalty + tiny
        scale = np.min(self.penalty[over] / pull[over], initial=1.0)
        rho, y = scale * rho.astype(np.longdouble), y.astype(np.longdouble)
        kept = self.weights > 0
        return float(rho @ y - 0.5 * np.sum(rho[kept] ** 2 / self.weights[kept]))

    def fista(self, n_iter=20000):
        """Coefficients by accelerated proximal gradient, on unit columns."""
        X, y = self.centred()
        length = np.sqrt(self.weights @ X**2)
        length[length <= 1e-13 * np.sqrt(self.weights @ self.X**2)] = np.inf
        Z = np.sqrt(self.weights)[:, None] * (X / length)
        gram, target = Z.T @ Z, Z.T @ (np.sqrt(self.weights) * y)
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
