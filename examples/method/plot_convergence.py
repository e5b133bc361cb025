"""
Convergence: how near, after how long
=====================================

Six ways to the same lasso, all of them a few lines, except the last: two on the factors of
theta = mu * nu, three on theta itself, and ``HadamardLasso``, which adds the limit of the
alternation in closed form. Each is judged by its duality gap, which it cannot embellish.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import solve
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import PolynomialFeatures, scale

from hplasso import HadamardLasso

# %%
# The diabetes data with all products of up to three of the ten measurements: 285 features, some of
# them almost alike. All methods start at theta = 0, and may use the Gram matrix.

X, y = load_diabetes(return_X_y=True)
X = scale(PolynomialFeatures(degree=3, include_bias=False).fit_transform(scale(X)))
y = y - y.mean()
n_samples, n_features = X.shape
gram, target = X.T @ X / n_samples, X.T @ y / n_samples
alpha = 0.01 * np.abs(target).max()
lipschitz = np.linalg.eigvalsh(gram)[-1]


def soft(theta, threshold):
    """The proximal operator of the L1 norm."""
    return np.sign(theta) * np.maximum(np.abs(theta) - threshold, 0.0)


def duality_gap(theta):
    """How far, at most, f(theta) is from the minimum; relative to f(0)."""
    residual = y - X @ theta
    z = X.T @ residual / n_samples
    kappa = min(1.0, alpha / np.abs(z).max())
    gap = 0.5 * (1.0 - kappa) ** 2 * residual @ residual / n_samples
    gap += np.abs(alpha * np.abs(theta) - kappa * z * theta).sum()
    return gap / (0.5 * y @ y / n_samples)


# %%
# On theta: subgradient steps, whose size has to go to zero; proximal gradient steps, and the same
# with Nesterov's momentum.


def subgradient_descent():
    theta = np.zeros(n_features)
    for k in range(1, 10**9):
        slope = gram @ theta - target + alpha * np.where(theta >= 0.0, 1.0, -1.0)
        theta = theta - slope / (lipschitz * np.sqrt(k))
        yield theta


def proximal_gradient(momentum=False):
    theta = ahead = np.zeros(n_features)
    t = 1.0
    while True:
        last, theta = theta, soft(ahead + (target - gram @ ahead) / lipschitz, alpha / lipschitz)
        yield theta
        t, t_last = (1.0 + np.sqrt(1.0 + 4.0 * t**2)) / 2.0, t
        ahead = theta + (t_last - 1.0) / t * (theta - last) if momentum else theta


# %%
# On the factors: gradient steps, and Hoff's alternation of ridge regressions. Gradient steps start
# from mu = 0 and nu = 1, as with mu = nu they never change the sign of theta. Their size is the
# longest, up to a factor of two, that did not run off to infinity.


def gradient_on_factors(step=0.008):
    mu, nu = np.zeros(n_features), np.ones(n_features)
    while True:
        slope = gram @ (mu * nu) - target
        mu, nu = mu - step * (slope * nu + alpha * mu), nu - step * (slope * mu + alpha * nu)
        yield mu * nu


def alternation():
    nu = np.ones(n_features)
    ridge = alpha * np.eye(n_features)

    def update(nu):
        return solve(nu[:, None] * gram * nu + ridge, nu * target, assume_a="pos")

    while True:
        mu = update(nu)
        nu = update(mu)
        yield mu * nu


# %%
# Each gets 0.8 seconds. ``HadamardLasso`` is fitted from scratch for each number of sweeps, its
# Gram matrix included in the time.


def run(iterates, seconds=0.8):
    """Iterations, seconds and gaps, looked at after 1, 2, 3, 4, 5, 6, 7, 8, 10, ... iterations."""
    done, spent, record = 0, 0.0, []
    while spent < seconds:
        begin = time.perf_counter()
        for _ in range(max(1, done // 4)):
            theta = next(iterates)
        spent += time.perf_counter() - begin
        done += max(1, done // 4)
        record.append((done, spent, duality_gap(theta)))
    return np.array(record).T


def run_hadamard_lasso(n_repeats=5):
    """The same of fits with one sweep, with two, and so on until the gap is rounding."""
    record = []
    for max_iter in range(1, 100):
        model, times = HadamardLasso(alpha, tol=1e-13, max_iter=max_iter), []
        for _ in range(n_repeats):
            begin = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(X, y)
            times.append(time.perf_counter() - begin)
        record.append((model.n_iter_, min(times), duality_gap(model.coef_)))
        if record[-1][-1] < 1e-13:
            break
    return np.array(record).T


runs = {
    "subgradient, theta": (run(subgradient_descent()), "#999999", "-"),
    "proximal gradient, theta": (run(proximal_gradient()), "#E69F00", "-"),
    "... with momentum": (run(proximal_gradient(momentum=True)), "#E69F00", "--"),
    "gradient, mu and nu": (run(gradient_on_factors()), "#56B4E9", "-"),
    "alternation, mu and nu": (run(alternation()), "#0072B2", "-"),
    "HadamardLasso": (run_hadamard_lasso(), "#D55E00", "-"),
}
print(f"{'':26s}iterations   seconds   relative gap")
for name, ((iterations, seconds, gaps), _, _) in runs.items():
    print(f"{name:26s}{iterations[-1]:10.0f}{seconds[-1]:10.3f}{gaps[-1]:15.0e}")

# %%
# Gradient steps get slower as features get more alike, on the factors as on theta. An alternation
# comes nearer with each iteration than they do, but it has two systems of 285 equations to solve
# for it, and on these data that does not pay. All five go on to gain digits slowly. Yet these need
# not be iterated for: once it is known which coefficients are zero, and the signs of the others,
# the limit of the alternation is the solution of one system of equations. ``HadamardLasso``
# computes it after each sweep, changes what does not fit, and stops with nothing left but rounding.

figure, axes = plt.subplots(2, 1, figsize=(6.2, 7.6), layout="constrained")
for row, (ax, label) in enumerate(zip(axes, ("iterations, or sweeps", "seconds"), strict=True)):
    for name, (record, colour, dashes) in runs.items():
        marker = "o" if name == "HadamardLasso" else None
        style = {"color": colour, "linestyle": dashes, "linewidth": 1.8, "label": name}
        ax.loglog(record[row], record[2], marker=marker, markersize=5, **style)
    ax.set(xlabel=label, ylabel="duality gap, relative to f(0)", ylim=(1e-16, 10))
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
figure.savefig("convergence.png", dpi=120)

# %%
# References
# ----------
#
# P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
# parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
