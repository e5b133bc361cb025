"""
A loss of your own: censored durations
======================================

For some patients it is known how long they stayed. For others it is only known that they stayed
longer than they were observed. A regression is biased if these patients are left out, and also if
the time of observation is used as the stay. The likelihood of a normal model is right for both
(Tobit regression). The loss of a stay that was seen to its end is a squared residual. For the other
stays it is minus the logarithm of the probability of a longer stay. :func:`~hplasso.minimize_l1`
adds the L1 penalty, and a certificate.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import log_ndtr

from hplasso import HadamardLasso, minimize_l1

rng = np.random.default_rng(0)
n, p = 300, 60
features = rng.standard_normal((n, p))
coef = np.zeros(p)
coef[:5] = [1.5, -1.0, 0.8, -0.6, 0.5]
stay = features @ coef + rng.standard_normal(n)
limit = np.quantile(stay, 0.6)  # the end of the observation
seen, censored = np.minimum(stay, limit), stay > limit
print(f"{censored.sum()} of {n} stays are censored")

# %%
# The function returns its value and gradient. Let d be the distance of an observation from its
# prediction. A censored one counts ``-log(1 - Phi(d))``, which is convex in d. It is computed from
# the logarithm of Phi, which is exact in the far tail as well. The constant of the normal
# distribution is left out, so that the loss has zero as a lower bound.


def tobit(coef):
    """The mean negative log-likelihood, and its gradient."""
    distance = seen - features @ coef
    tail = log_ndtr(-distance)
    hazard = np.exp(-0.5 * distance**2 - tail) / np.sqrt(2.0 * np.pi)
    loss = np.where(censored, -tail, 0.5 * distance**2)
    return loss.mean(), -features.T @ np.where(censored, hazard, distance) / n


alpha_max = np.abs(tobit(np.zeros(p))[1]).max()
res = minimize_l1(tobit, np.zeros(p), 0.1 * alpha_max, jac=True, convex=True, f_min=0.0)
print(res.message, f"{res.nfev} evaluations")
print(f"at most {res.gap:.0e} above the minimum; {np.count_nonzero(res.x)} coefficients of {p}")

# %%
# Here is a path of penalties. Each fit starts at the solution of the one before. Beside it is the
# lasso on the times that were observed. Its effects are too small for two reasons: the penalty and
# the censoring.

alphas = alpha_max * np.geomspace(1.0, 0.02, 30)
path, start = [], np.zeros(p)
for alpha in alphas:
    res = minimize_l1(tobit, start, alpha, jac=True, convex=True, f_min=0.0)
    path.append(res.x)
    start = res.x
path = np.array(path)
naive_max = np.abs(features.T @ (seen - seen.mean())).max() / n
naive = [HadamardLasso(t * naive_max).fit(features, seen).coef_ for t in alphas / alpha_max]

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.8), sharey=True, layout="constrained")
for ax, coefs, title in zip(axes, (path, naive), ("censored likelihood", "lasso"), strict=True):
    ax.plot(alphas / alpha_max, np.asarray(coefs)[:, 5:], color="0.75", linewidth=0.8)
    ax.plot(alphas / alpha_max, np.asarray(coefs)[:, :5], linewidth=1.8)
    ax.set(xscale="log", xlim=(1.0, 0.02), xlabel="alpha / alpha_max", title=title)
    for j, value in enumerate(coef[:5]):
        ax.axhline(value, color=f"C{j}", linestyle=":", linewidth=1.0)
axes[0].set_ylabel("coefficients; dotted: true ones")
figure.savefig("any_function.png", dpi=120)
worst = [np.abs(np.asarray(coefs)[-1, :5] - coef[:5]).max() for coefs in (path, naive)]
print(f"largest error of the five at the end: {worst[0]:.2f}; of the lasso: {worst[1]:.2f}")
