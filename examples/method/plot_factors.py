"""
The factors: how a ridge penalty becomes a lasso
================================================

Write each coefficient as a product, theta = mu * nu, and put a ridge penalty on the two factors.
What comes out is the lasso (Hoff 2017). This page looks at the factors themselves. First it shows
the objective of one coefficient as a landscape. Then it follows ten coefficients along the
alternating ridge regressions, and along gradient steps. Gradient steps may end at a saddle.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from hplasso import HadamardLasso

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "0.6"

# %%
# One coefficient
# ---------------
#
# The lasso for a single coefficient, ``f(theta) = (theta - z)^2 / 2 + |theta|``, has a kink at
# zero. If ``|z| <= 1``, this is also its minimum. In the factors the penalty is ``(mu^2 + nu^2) /
# 2``, never less than ``|mu nu|``, and equal to it where ``|mu| = |nu|``. The landscape is smooth.
# For ``|z| > 1`` it has two minima, which have the same theta, and a saddle at the origin; for
# ``|z| <= 1`` the origin is the minimum.
#
# Alternation moves along one axis at a time, each time to the bottom: ``mu = nu z / (nu^2 + 1)``.

half = np.linspace(-2.2, 2.2, 221)
mu, nu = np.meshgrid(half, half)
figure, axes = plt.subplots(
    2, 2, figsize=(6.6, 6.4), height_ratios=(2, 3), sharey="row", layout="constrained"
)
for column, z in enumerate((2.5, 0.7)):
    top, bottom = axes[:, column]
    theta = np.linspace(-2.0, 4.0, 301)
    best = max(z - 1.0, 0.0)
    lowest = (best - z) ** 2 / 2 + best
    top.plot(theta, (theta - z) ** 2 / 2 + np.abs(theta), color=BLUE)
    top.plot(best, lowest, "o", color=RED)
    top.set(title=f"z = {z}", xlabel="theta", ylim=(0, 8))
    g = (mu * nu - z) ** 2 / 2 + (mu**2 + nu**2) / 2
    levels = lowest + np.array([0.03, 0.12, 0.3, 0.6, 1.0, 1.6, 2.6, 4.0, 6.0, 9.0])
    bottom.contour(mu, nu, g, levels=levels, colors=GREY, linewidths=0.8)
    bottom.plot(half, half, ":", half, -half, ":", color="0.3", linewidth=1.0)
    m, n = 0.15, 1.9
    steps = [(m, n)]
    for _ in range(8):
        m = n * z / (n**2 + 1.0)
        steps.append((m, n))
        n = m * z / (m**2 + 1.0)
        steps.append((m, n))
    bottom.plot(*np.transpose(steps), ".-", color=BLUE, linewidth=1.5, label="alternation")
    root = np.sqrt(best)
    bottom.plot([root, -root], [root, -root], "o", color=RED, label="minimum")
    bottom.set(xlabel="mu", aspect="equal")
axes[0, 0].set_ylabel("f(theta)")
axes[1, 0].set_ylabel("nu")
axes[1, 1].legend(loc="lower right", framealpha=1.0)
figure.savefig("factors_landscape.png", dpi=120)

# %%
# Ten coefficients
# ----------------
#
# The diabetes data, at a penalty that keeps five of the ten features. A sweep is one ridge
# regression for mu and one for nu. The pictures show the sweeps from random factors on.

frame = load_diabetes(as_frame=True)
names = np.array(frame.feature_names)
X, y = scale(frame.data.to_numpy()), frame.target.to_numpy() - frame.target.mean()
gram, target, alpha = X.T @ X / len(y), X.T @ y / len(y), 5.0


def ridge_update(nu):
    """The minimiser of ``L(mu * nu) + alpha / 2 (|mu|^2 + |nu|^2)`` over mu."""
    return np.linalg.solve(nu[:, None] * gram * nu + alpha * np.eye(len(nu)), nu * target)


def sweeps(nu, n_sweeps):
    """Factors after each sweep, of shape (n_sweeps, 2, n_features)."""
    history = []
    for _ in range(n_sweeps):
        mu = ridge_update(nu)
        nu = ridge_update(mu)
        history.append((mu, nu))
    return np.array(history)


rng = np.random.default_rng(0)
start = rng.standard_normal(10)
mu, nu = sweeps(start, 20).transpose(1, 0, 2)
theta = mu * nu
lasso = HadamardLasso(alpha).fit(X, y)
active = lasso.coef_ != 0
print(f"features kept: {', '.join(names[active])}")
difference = np.abs(sweeps(start, 2000)[-1].prod(axis=0) - lasso.coef_).max()
print(f"2000 sweeps, largest difference from HadamardLasso: {difference:.0e}")

# %%
# The update for mu ends where the derivative is zero: ``alpha mu_j = nu_j z_j`` with ``z_j`` the
# correlation of feature j with the residual. So the ratio of the factors is ``|z_j| / alpha``, at
# every sweep. At the optimum of the lasso, ``|z_j| = alpha`` for the features that are kept. In the
# end their factors have equal sizes. For the other features ``|z_j|`` is smaller, and their factors
# shrink.

pull = np.abs(X.T @ (y - X @ lasso.coef_)) / len(y) / alpha
figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.8), layout="constrained")
shown, last = np.arange(1, 21), 21.5
for kept, colour in ((True, BLUE), (False, ORANGE)):
    those = active == kept
    label = "kept" if kept else "not kept"
    left.plot(shown, theta[:20, those], color=colour)
    lines = right.plot(shown, np.abs(nu / mu)[:20, those], color=colour)
    lines[0].set_label(label)
left.plot(np.full(10, 20.5), lasso.coef_, "k<", markersize=5, label="HadamardLasso")
right.plot(np.full(10, 20.5), pull, "k<", markersize=5, label="|z| / alpha there")
for j in np.flatnonzero(active):
    left.text(last, lasso.coef_[j], names[j], color=BLUE, va="center")
left.set(xlim=(0, 25), xlabel="sweeps", title="theta")
right.set(xlabel="sweeps", title="|nu / mu|", ylim=(0, 2.5))
left.legend(loc="center", bbox_to_anchor=(0.55, 0.68))
right.legend(loc="upper right")
for ax in (left, right):
    ax.set_xticks([0, 5, 10, 15, 20])
figure.savefig("factors_sweeps.png", dpi=120)

# %%
# Zero
# ----
#
# Two updates shrink a factor by ``(|z_j| / alpha)^2``, so a sweep shrinks theta_j by the fourth
# power of that ratio. For most features this is fast. For those that are nearly kept it is slow. It
# never gives an exact zero.
#
# A zero never becomes non-zero again: ``nu_j = 0`` makes ``mu_j = 0``, for ever, even if the
# coefficient should be large. But in that case ``|z_j| / alpha`` is above one, and the same rule
# makes the coefficient grow from any other start, however small.

figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.8), layout="constrained")
long = sweeps(start, 200).prod(axis=1)
sweep = np.arange(1, 201)
for j in np.flatnonzero(~active):
    size = np.abs(long[:, j])
    drawn = size > 1e-18
    (line,) = left.semilogy(sweep[drawn], size[drawn], color=ORANGE, linewidth=2.5, alpha=0.6)
    reference = np.argmax(sweep == 12) if pull[j] > 0.9 else np.argmax(sweep == 3)
    law = size[reference] * pull[j] ** (4.0 * (sweep - sweep[reference]))
    left.semilogy(sweep[law > 1e-18], law[law > 1e-18], "k--", linewidth=0.9)
line.set_label("not kept")
left.plot([], [], "k--", linewidth=0.9, label="by |z / alpha|^4 a sweep")
left.set(xlabel="sweeps", title="|theta| of features not kept", ylim=(1e-18, 1e2))
left.legend(loc="upper right")

bmi = list(names).index("bmi")
for size, colour in ((1.0, "#003355"), (1e-3, BLUE), (1e-6, "#56B4E9"), (0.0, RED)):
    first = start.copy()
    first[bmi] = size
    along = sweeps(first, 30).prod(axis=1)[:, bmi]
    right.plot(np.arange(1, 31), along, color=colour, label=f"nu = {size:g} at the start")
    print(f"bmi after 30 sweeps, from nu = {size:5g}: {along[-1]:.3f}")
right.axhline(lasso.coef_[bmi], color="black", linestyle=":", linewidth=1.0)
right.set(xlabel="sweeps", title="theta of bmi")
right.legend(loc="center right", bbox_to_anchor=(1.0, 0.35))
figure.savefig("factors_zero.png", dpi=120)

# %%
# Signs
# -----
#
# Where ``|mu| = |nu|``, with any signs, ``mu = s * nu`` for a vector s of signs. Gradient steps on
# both factors at once,
#
# ``mu <- mu + t (nu z - alpha mu)``, ``nu <- nu + t (mu z - alpha nu)``,
#
# keep ``mu = s * nu`` for ever: with this relation, the first step is s times the second. So
# ``theta = s * nu^2`` never changes a sign. In the picture, all ten coefficients start at one. Two
# features have negative coefficients in the lasso. From balanced factors, the gradient steps take
# their coefficients only to zero. They end at a saddle of g, where the correlation of s3 is larger
# than alpha. From factors that are not balanced, ``(theta / c, c)`` with ``c = 0.3``, the same
# steps reach the solution. Alternating ridge regressions reach it from balanced factors, too,
# because each of them goes to the minimum over its factor.


def gradient_steps(mu, nu, n_steps, step=0.002):
    """Products of the factors along gradient steps on both at once, from the start on."""
    history = [mu * nu]
    for _ in range(n_steps):
        z = target - gram @ (mu * nu)
        mu, nu = mu + step * (nu * z - alpha * mu), nu + step * (mu * z - alpha * nu)
        history.append(mu * nu)
    return np.array(history)


ones = np.ones(10)
alternating = np.vstack([ones, sweeps(ones, 60).prod(axis=1)])
runs = {
    "gradient steps, |mu| = |nu|": (gradient_steps(ones, ones, 3000), "steps"),
    "gradient steps, (theta / c, c)": (gradient_steps(ones / 0.3, 0.3 * ones, 3000), "steps"),
    "ridge by turns, |mu| = |nu|": (alternating, "sweeps"),
}
figure, axes = plt.subplots(1, 3, figsize=(9.4, 3.6), sharey=True, layout="constrained")
for ax, (title, (path, unit)) in zip(axes, runs.items(), strict=True):
    for kept, colour in ((True, BLUE), (False, ORANGE)):
        lines = ax.plot(path[:, active == kept], color=colour)
        lines[0].set_label("kept" if kept else "not kept")
    for name in ("sex", "s3"):
        coefficient = path[:, list(names).index(name)]
        (line,) = ax.plot(coefficient, color=RED, linewidth=2.2)
        ax.text(1.5 * len(path), lasso.coef_[names == name][0], name, color=RED, va="center")
    line.set_label("kept, negative")
    ax.plot(np.full(10, 1.2 * len(path)), lasso.coef_, "k<", markersize=5, label="lasso")
    ax.set(title=title, xlabel=unit, xscale="symlog", ylim=(-17, 28))
    ax.set_xlim(0, 4 * len(path))
    s3, z = list(names).index("s3"), target - gram @ path[-1]
    print(f"{title:31s} s3: theta {path[-1, s3]:6.3f}, |z| / alpha {np.abs(z[s3]) / alpha:.3f}")
axes[0].set_ylabel("theta")
axes[0].legend(loc="lower left", ncols=2, fontsize="small")
figure.savefig("factors_signs.png", dpi=120)

# %%
# ``HadamardLasso`` avoids these problems. A feature that enters starts with the factors of one
# proximal step. No coefficient is set to zero only because it is small. The exact zeros come from
# the limit of the alternation, which is computed in closed form. The factors of the fitted model
# are balanced.

print(f"largest difference of |mu| and |nu|: {np.abs(np.abs(lasso.mu_) - lasso.nu_).max():.0e}")
print(f"exact zeros: {np.count_nonzero(lasso.mu_ == 0.0)} of 10")

# %%
# References
# ----------
#
# P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
# parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
