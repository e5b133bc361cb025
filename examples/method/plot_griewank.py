"""
Griewank: one step size, two landscapes
=======================================

The experiment that this package grew from. Griewank's function has its minimum at the origin and a
local minimum in every dent around it. Add an L1 penalty, and go down by gradient steps: once in the
coefficients theta, once in the two factors of theta = mu * nu, with the same starting point and the
same step size. The first is caught in a dent. Whether the second reaches the origin depends on the
step size, and this page shows how.
"""

from functools import partial
from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from hplasso import minimize_l1

PENALTY = 0.2
SCALE = np.sqrt([1.0, 2.0])  # of Griewank's cosines

# %%
# The objective f is Griewank's function plus ``PENALTY * |theta|_1``. With the factors, the penalty
# is smooth: ``PENALTY / 2 * (|mu|^2 + |nu|^2)``. The minima of this g are those of f.


def griewank(theta):
    """Griewank's function of points in the last axis."""
    return 1.0 + (theta**2).sum(axis=-1) / 4000 - np.cos(theta / SCALE).prod(axis=-1)


def gradient(theta):
    """Its gradient."""
    sine, cosine = np.sin(theta / SCALE), np.cos(theta / SCALE)
    return theta / 2000 + sine * cosine[..., ::-1] / SCALE


def objective(theta):
    """f."""
    return griewank(theta) + PENALTY * np.abs(theta).sum(axis=-1)


def subgradient_descent(theta, step):
    """Iterates of theta on f. The subgradient of ``|t|`` at 0 is taken as 1."""
    while True:
        yield theta
        theta = theta - step * (gradient(theta) + PENALTY * np.where(theta >= 0.0, 1.0, -1.0))


def hadamard_descent(theta, step, imbalance=1.0):
    """Iterates of theta = mu * nu, of gradient descent on g, from |mu| = imbalance^2 |nu|."""
    mu, nu = imbalance * np.sign(theta) * np.sqrt(np.abs(theta)), np.sqrt(np.abs(theta)) / imbalance
    while True:
        theta = mu * nu
        yield theta
        slope = gradient(theta)
        mu, nu = mu - step * (slope * nu + PENALTY * mu), nu - step * (slope * mu + PENALTY * nu)


def trajectory(descent, start, step, n_steps):
    """The start and the points after each step, of shape (n_steps + 1, 2)."""
    return np.array(list(islice(descent(np.asarray(start), step), n_steps + 1)))


def end_point(descent, start, step, n_steps):
    """The point after the last step."""
    return next(islice(descent(np.asarray(start), step), n_steps, None))


# %%
# One starting point
# ------------------
#
# With short steps both follow the slope, and end in the same dent. With longer steps the
# subgradient steps still end there. The steps of the factors leave the dents, and reach the origin.

DESCENTS = {"in theta": subgradient_descent, "in mu and nu": hadamard_descent}
COLOURS = {"in theta": "#D55E00", "in mu and nu": "#0072B2"}
START, SHORT, LONG = (8.0, -6.0), 0.05, 0.4

grid = np.linspace(-11.0, 11.0, 221)
heights = objective(np.stack(np.meshgrid(grid, grid), axis=-1))
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.9), sharey=True, layout="constrained")
for ax, step in zip(axes, (SHORT, LONG), strict=True):
    ax.contourf(grid, grid, heights, levels=24, cmap="Greys_r", alpha=0.75)
    for name, descent in DESCENTS.items():
        points = trajectory(descent, START, step, 2000)
        style = {"color": COLOURS[name], "label": name}
        ax.plot(*points.T, linewidth=1.6, marker=".", markersize=5 if step == LONG else 0, **style)
        size = 13 if name == "in theta" else 8  # both are seen where they end in the same place
        ax.plot(*points[-1], "o", color=COLOURS[name], markeredgecolor="white", markersize=size)
        print(f"step {step}, {name:12s}: ends at {points[-1].round(3) + 0.0}", end=", ")
        print(f"f = {objective(points[-1]):.3f}")
    ax.plot(*START, "kX", markersize=8, markeredgecolor="white")
    ax.plot(0.0, 0.0, "k+", markersize=10)
    ax.set(title=f"step size {step}", xlabel="theta 1", aspect="equal")
axes[0].set_ylabel("theta 2")
axes[0].legend(loc="upper left", title="gradient steps", framealpha=0.95)
figure.savefig("griewank_trajectories.png", dpi=120)

# %%
# Many starting points
# --------------------
#
# A point counts as arrived if it ends within 0.5 of the origin, where f has no other minimum.

N_STEPS, ARRIVED, SIDE = 1000, 0.5, 48
OUTCOMES = ("neither", "in theta only", "in mu and nu only", "both")
PALETTE = ("#DDDDDD", "#D55E00", "#56B4E9", "#004C7F")
centres = (np.arange(SIDE) + 0.5) / SIDE * 20.0 - 10.0
STARTS = np.stack(np.meshgrid(centres, centres), axis=-1)


def arrives(descent, starts, step, n_steps=N_STEPS):
    """For each start, whether the descent ends at the origin."""
    with np.errstate(over="ignore", invalid="ignore"):  # very long steps may run off to infinity
        ends = end_point(descent, starts, step, n_steps)
        return np.abs(ends).max(axis=-1) < ARRIVED


def outcomes(step, starts=STARTS):
    """For each start a number: 1 if theta arrives, plus 2 if mu * nu does."""
    return arrives(subgradient_descent, starts, step) + 2 * arrives(hadamard_descent, starts, step)


steps = (SHORT, LONG, 0.8)
maps = [outcomes(step) for step in steps]
print("share of starts that arrive  " + "".join(f"{name:>19s}" for name in OUTCOMES))
for step, result in zip(steps, maps, strict=True):
    shares = np.bincount(result.ravel(), minlength=4) / result.size
    print(f"step size {step:4.2f}               " + "".join(f"{share:19.1%}" for share in shares))

figure, axes = plt.subplots(1, 3, figsize=(7.2, 3.3), sharey=True, layout="constrained")
for ax, step, result in zip(axes, steps, maps, strict=True):
    style = {"cmap": ListedColormap(PALETTE), "vmin": -0.5, "vmax": 3.5}
    ax.pcolormesh(centres, centres, result, **style)
    ax.contour(grid, grid, heights, levels=12, colors="black", linewidths=0.4, alpha=0.5)
    ax.set(title=f"step size {step}", xlabel="theta 1", aspect="equal")
    ax.set(xlim=(-10, 10), ylim=(-10, 10), xticks=(-10, 0, 10), yticks=(-10, 0, 10))
axes[0].set_ylabel("theta 2")
boxes = [plt.Rectangle((0, 0), 1, 1, facecolor=c, edgecolor="0.5") for c in PALETTE]
figure.legend(boxes, OUTCOMES, loc="outside lower center", ncols=4, title="the origin is reached")
figure.savefig("griewank_basins.png", dpi=120)

# %%
# Why the step size decides
# -------------------------
#
# The factors do not remove a single dent: the minima of g are those of f. They change the curvature
# of the dents. Take a dent at theta, and let H be the Hessian of Griewank's function there. Then
# the curvatures of g are those of ``2 S H S`` with ``S = diag(sqrt|theta|)``, plus small ones from
# the penalty. Gradient steps stay in a dent only if the step size is less than two divided by the
# largest curvature. So, on the whole, steps leave a dent more easily if it is far from the origin.
# The origin is flat, with the curvature of the penalty. On f the curvatures are those of H, which
# are at most about one in every dent.


def hessian(theta):
    """The Hessian of Griewank's function at one point."""
    (s, t), (c, d) = np.sin(theta / SCALE), np.cos(theta / SCALE)
    curved = np.array([[c * d, -s * t], [-s * t, c * d]])
    return np.eye(2) / 2000 + curved / np.outer(SCALE, SCALE)


quarter = STARTS[SIDE // 2 :, SIDE // 2 :].reshape(-1, 2)  # the others mirror it
dents = end_point(subgradient_descent, quarter, 0.01, 5000)
dents = np.unique(np.where(dents < 0.05, 0.0, dents).round(2), axis=0)
dents = dents[dents.any(axis=1) & (dents < 10.0).all(axis=1)]
longest = []
print("dent at         f      longest step that stays:  on g    on f")
for dent in dents[np.argsort(objective(dents))]:
    root, curved = np.sqrt(dent), hessian(dent)
    on_g = 2.0 / np.linalg.eigvalsh(2.0 * root[:, None] * curved * root)[-1]
    on_f = 2.0 / np.linalg.eigvalsh(curved)[-1]
    longest.append(on_g)
    print(f"({dent[0]:.2f}, {dent[1]:.2f})  {objective(dent):.3f}{on_g:31.2f}{on_f:8.2f}")

# %%
# The picture shows the share of starting points from which the origin is reached, for each step
# size. Short steps of the factors follow the slope as those of theta do, and reach the origin from
# hardly more points. With longer steps, the iterates leave the far dents first, and most of them
# end in a nearer dent. From a step size of about 0.6 on, no dent stops them. Above 1.3 some
# diverge. The start matters, too: with unbalanced factors the steps in theta are ``(mu^2 + nu^2) /
# (2 |theta|)`` times as long, and leave the dents at smaller step sizes. Steps in theta reach the
# origin from the same points for all sizes, until they are too long to converge.

rng = np.random.default_rng(0)
scattered = rng.uniform(-10.0, 10.0, (400, 2))
lengths = np.geomspace(0.03, 4.0, 28)
curves = {
    "in theta": (subgradient_descent, "#D55E00", "-"),
    "in mu and nu": (hadamard_descent, "#0072B2", "-"),
    "from |mu| = 4 |nu|": (partial(hadamard_descent, imbalance=2.0), "#009E73", "--"),
}
figure, ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for name, (descent, colour, dashes) in curves.items():
    shares = [arrives(descent, scattered, step).mean() for step in lengths]
    ax.plot(lengths, shares, dashes, marker=".", color=colour, label=name)
for number, step in enumerate(sorted(longest)):
    label = "a dent is let go" if number == 0 else None
    ax.axvline(step, color="0.6", linewidth=1.0, linestyle=":", label=label)
ax.set(xscale="log", ylim=(-0.03, 1.03), xlabel="step size", ylabel="share that reaches the origin")
ax.set_xticks([0.03, 0.1, 0.3, 1.0, 3.0], ["0.03", "0.1", "0.3", "1", "3"])
ax.legend(loc="upper left")
figure.savefig("griewank_steps.png", dpi=120)

# %%
# The library's own function
# --------------------------
#
# :func:`~hplasso.minimize_l1` does not take steps of one size: L-BFGS goes down in the factors
# until these have shown the signs, and a finish makes zeros exact. It takes about thirty
# evaluations, and ends at a point where the optimality conditions are met to 1e-8. Which dent this
# is depends on the start. So try several starts, and keep the best result.

results = [minimize_l1(griewank, start, PENALTY, jac=gradient) for start in scattered]
arrived = np.mean([not result.x.any() for result in results])
print(
    f"minimize_l1 ends at the origin, exactly, from {arrived:.0%} of the starts, elsewhere in one"
)
print(f"of {len({tuple(result.x.round(3)) for result in results}) - 1} dents;", end=" ")
print(f"{np.mean([result.nfev for result in results]):.0f} evaluations on average")
tens = [min(results[i : i + 10], key=lambda result: result.fun) for i in range(0, 400, 10)]
print(f"the best of ten starts is the origin in {np.mean([not r.x.any() for r in tens]):.0%} of 40")

# %%
# So this is no proof that factors find global minima. Their steps are long far from the origin and
# short near it. This happens to be right for this function. The estimators of this package have
# convex losses, for which all minima are global. There the factors have another purpose: ridge
# regressions.
#
# References
# ----------
#
# Liu Ziyin and Zihao Wang, spred: Solving L1 penalty with SGD, ICML 2023: on the local minima of f
# and g.
