"""An oracle for logistic regression that shares no code with the package.

Everything is computed from the raw data, in the estimator's own terms. `lower_bound` is the value
of a dual feasible point, so that ``objective - lower_bound`` bounds the error whatever solver the
coefficients came from. `solve` is a solver of its own: accelerated proximal gradient (Beck and
Teboulle 2009) until the support stands, then Newton's method on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from extended import LONG, SoftmaxLoss, certified_minimum
from scipy.special import log_softmax, xlogy


@dataclass(frozen=True)
class Logistic:
    """Data of one problem, dense and float64; `codes` numbers the classes.

    The objective is the mean loss plus alpha sum_j w_j (r |c_j| + (1 - r)/2 c_j^2), r = l1_ratio.
    Of two classes the second has coefficients, or, if so said, `each` has.
    """

    X: np.ndarray
    codes: np.ndarray
    alpha: float
    l1_ratio: float
    sample_weight: np.ndarray
    penalty_weights: np.ndarray
    fit_intercept: bool = True
    each: bool = False

    @property
    def weights(self):
        return self.sample_weight / self.sample_weight.sum()

    @property
    def n_classes(self):
        return int(self.codes.max()) + 1

    @property
    def n_outputs(self):
        return 1 if self.n_classes == 2 and not self.each else self.n_classes

    @property
    def present(self):
        """The classes that take part: those that have weight, if there is an intercept."""
        if not self.fit_intercept:
            return np.arange(self.n_classes)
        return np.unique(self.codes[self.sample_weight > 0])

    def reduced(self):
        """The problem of the classes that take part."""
        present = self.present
        if len(present) == self.n_classes:
            return self
        rows = np.isin(self.codes, present)
        return replace(
            self,
            X=self.X[rows],
            codes=np.searchsorted(present, self.codes[rows]),
            sample_weight=self.sample_weight[rows],
            each=True,
        )

    @property
    def marks(self):
        return np.eye(self.n_classes)[self.codes]

    def penalties(self):
        """L1 and ridge penalties of each coefficient, (K, p)."""
        weights = np.tile(self.alpha * self.penalty_weights, (self.n_outputs, 1))
        return self.l1_ratio * weights, (1 - self.l1_ratio) * weights

    def log_probabilities(self, coef, intercept):
        outputs = self.X @ coef.T + intercept
        if self.n_outputs == 1:
            outputs = np.hstack([np.zeros_like(outputs), outputs])
        return log_softmax(outputs, axis=1)

    def objective(self, coef, intercept):
        log_p = self.log_probabilities(coef, intercept)[np.arange(len(self.codes)), self.codes]
        l1, ridge = self.penalties()
        return float(-self.weights @ log_p + np.sum(l1 * np.abs(coef) + 0.5 * ridge * coef**2))

    def residual(self, coef, intercept):
        """Minus the gradient of the loss in the outputs, weighted, (n, K)."""
        off = self.marks - np.exp(self.log_probabilities(coef, intercept))
        return self.weights[:, None] * off[:, -self.n_outputs :]

    def lower_bound(self, coef, intercept):
        """The dual objective at the residual, made feasible.

        Maximise the entropy of Q less sum (|z| - l1)_+^2 / (2 ridge), where Q = Y - R, z = X'R; the
        columns of R sum to zero if there is an intercept.
        """
        residual = self.residual(coef, intercept)
        if self.fit_intercept:  # what is missing to zero is rounding, or the gap shows it
            share = self.weights[:, None] * (self.weights > 0)[:, None]
            residual = residual - share * residual.sum(axis=0)
        z = (self.X.T @ residual).T
        l1, ridge = self.penalties()
        over = (np.abs(z) > l1) & (ridge == 0)
        tiny = 1e-13 * np.abs(self.X).max(axis=0) * self.weights.sum()
        over &= np.abs(z) > l1 + tiny
        scale = np.min(l1[over] / np.abs(z[over]), initial=1.0)
        excess = np.maximum(np.abs(scale * z) - l1, 0.0)
        cost = np.sum(np.divide(excess**2, 2 * ridge, out=np.zeros_like(z), where=ridge > 0))
        kept = self.weights > 0
        off = scale * residual[kept] / self.weights[kept, None]
        if self.n_outputs == 1:
            off = np.hstack([-off, off])
        shrunk = np.clip(self.marks[kept] - off, 0.0, 1.0)
        return float(-self.weights[kept] @ xlogy(shrunk, shrunk).sum(axis=1) - cost)

    @property
    def centre(self):
        """What is taken off the columns, for the sake of precision: not moved by outliers."""
        return np.median(self.X, axis=0).astype(LONG) * self.fit_intercept

    def _extended(self):
        """Loss, matrix and penalties of the coefficients (K, p) and intercepts, in a row."""
        (n, p), K = self.X.shape, self.n_outputs
        ones = np.ones((n, int(self.fit_intercept)))
        columns = np.hstack([self.X.astype(LONG) - self.centre, ones])
        A = np.einsum("ij,kl->ikjl", columns, np.eye(K)).reshape(n * K, -1)
        l1, ridge = (np.zeros((columns.shape[1], K)) for _ in range(2))
        l1[:p], ridge[:p] = (penalty.T for penalty in self.penalties())
        loss = SoftmaxLoss(self.codes, self.n_classes, self.weights, self.each)
        return loss, A, l1.ravel(), ridge.ravel()

    def _joined(self, coef, intercept):
        intercept = intercept + coef.astype(LONG) @ self.centre
        rows = [coef.T, *([intercept[None]] if self.fit_intercept else [])]
        return np.vstack(rows).astype(LONG).ravel()

    def exact_objective(self, coef, intercept):
        """In extended precision."""
        loss, A, l1, ridge = self._extended()
        theta = self._joined(coef, intercept)
        return loss.value(A @ theta) + l1 @ np.abs(theta) + ridge @ theta**2 / 2

    def null_objective(self):
        """The loss of the best intercepts alone, or of none."""
        shares = self.weights @ self.marks if self.fit_intercept else 1 / self.n_classes
        return -np.sum((self.weights @ self.marks) * np.log(shares))

    def exact_log_probabilities(self, coef, intercept):
        loss, A, _, _ = self._extended()
        return loss.log_probabilities(A @ self._joined(coef, intercept))

    def exact_correlations(self, coef, intercept):
        """X'R, (K, p)."""
        loss, A, _, _ = self._extended()
        z = A.T @ loss.residual(A @ self._joined(coef, intercept))
        return z.reshape(-1, self.n_outputs)[: self.X.shape[1]].T

    def minimum(self, coef, intercept):
        """Coefficients, intercepts, their objective, and a dual bound; all in extended precision.

        From any start; what they are worth shows in the bound.
        """
        loss, A, l1, ridge = self._extended()
        start, K = self._joined(coef, intercept), self.n_outputs
        kept = (l1 > 0) | (ridge > 0) | (np.arange(len(l1)) % K > 0) | (K == 1)
        # A constant of all classes is free. It comes back in the end: outputs far from zero, as
        # codes in a column make them, lose the digits of their differences.
        constant = np.repeat(np.where(kept, 0, start)[::K], K)
        start -= constant
        theta, problem = np.zeros_like(start), (loss, A[:, kept], l1[kept], ridge[kept])
        theta[kept], bound = certified_minimum(*problem, start[kept])
        p, theta = self.X.shape[1], (theta + constant).reshape(-1, K)
        best = theta[:p].T, theta[p] if self.fit_intercept else np.zeros(self.n_outputs)
        best = best[0], best[1] - best[0] @ self.centre
        return *best, self.exact_objective(*best), bound

    def solve(self, rounds=30):
        """Coefficients (K, p) and intercepts (K,)."""
        p, K = self.X.shape[1], self.n_outputs
        columns, mean = self.X, np.zeros(p)
        if self.fit_intercept:  # centred, for the sake of the condition number
            mean = self.weights @ self.X
            columns = np.hstack([self.X - mean, np.ones((len(self.X), 1))])
        length = np.sqrt(self.weights @ columns**2)
        raw = np.sqrt(self.weights @ self.X**2)
        length[:p][length[:p] <= 1e-13 * raw] = np.inf
        A = columns / length
        l1, ridge = self.penalties()
        extra = np.zeros((K, columns.shape[1] - p))
        l1, ridge = np.hstack([l1, extra]) / length, np.hstack([ridge, extra]) / length**2
        rate = 1.0 / (
            0.5 * np.linalg.norm(np.sqrt(self.weights)[:, None] * A, 2) ** 2 + ridge.max()
        )
        theta = np.zeros((K, A.shape[1]))

        def gradient(theta):
            full = A @ theta.T
            full = np.hstack([np.zeros_like(full), full]) if K == 1 else full
            off = np.exp(log_softmax(full, axis=1)) - self.marks
            return ((self.weights[:, None] * off[:, -K:]).T @ A) + ridge * theta

        def descent(theta, n_iter):
            ahead, momentum = theta, 1.0
            for _ in range(n_iter):
                step = ahead - rate * gradient(ahead)
                new = np.sign(step) * np.maximum(np.abs(step) - rate * l1, 0.0)
                if np.sum((ahead - new) * (new - theta)) > 0:
                    momentum, ahead = 1.0, theta
                    continue
                following = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
                ahead = new + (momentum - 1) / following * (new - theta)
                theta, momentum = new, following
            return theta

        for _ in range(rounds):
            theta = descent(theta, 500)
            polished = self._polish(A, theta, l1, ridge, gradient)
            off = gradient(polished)
            stationary = np.where(
                polished == 0, np.maximum(np.abs(off) - l1, 0), np.abs(off + l1 * np.sign(polished))
            )
            if stationary.max() < 1e-13:
                theta = polished
                break
        theta = theta / length
        coef, intercept = theta[:, :p], theta[:, p] if self.fit_intercept else np.zeros(K)
        return coef, intercept - coef @ mean

    def _polish(self, A, theta, l1, ridge, gradient):
        """Newton's method on the support of theta, its signs held."""
        on = theta != 0
        if self.fit_intercept:
            on[:, -1] = True
        outputs, features = np.nonzero(on)
        signs = np.sign(theta[on])
        new = theta.copy()
        for _ in range(15):
            full = A @ new.T
            full = np.hstack([np.zeros_like(full), full]) if self.n_outputs == 1 else full
            P = np.exp(log_softmax(full, axis=1))[:, -self.n_outputs :]
            B, Q = A[:, features], P[:, outputs]
            same = outputs[:, None] == outputs
            hessian = (B.T @ (self.weights[:, None] * Q * B)) * same
            hessian -= (B * Q).T @ (self.weights[:, None] * Q * B)
            hessian += np.diag(ridge[on])
            slope = gradient(new)[on] + l1[on] * signs
            new[on] -= np.linalg.lstsq(hessian, slope, rcond=1e-13)[0]
            if not np.isfinite(new).all() or np.abs(new).max() > 1e8:
                return theta
        return new if (np.sign(new[on]) * signs >= 0).all() else theta
