"""
The prior behind the factors
============================

The lasso is the most probable theta under a Laplace prior. With theta = mu * nu, the ridge
penalties on mu and nu are normal priors, and the product of the most probable factors is the same
theta. But the theta of normal factors is not Laplace distributed. The two models agree on the mode,
and on little else.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import k0
from scipy.stats import kstest, laplace

from hplasso import HadamardLasso

BLUE, RED, GREY = "#0072B2", "#D55E00", "0.55"
LAMBDA = 1.0

# %%
# Normal factors
# --------------
#
# The penalty ``LAMBDA / 2 * (mu^2 + nu^2)`` is, up to a constant, the negative logarithm of the
# density of two normal variables of variance ``1 / LAMBDA``. Their product has the density ``LAMBDA
# / pi * K0(LAMBDA * |theta|)``, with a modified Bessel function K0. Its standard deviation is ``1 /
# LAMBDA``. The Laplace prior has the density ``LAMBDA / 2 * exp(-LAMBDA * |theta|)``. Its standard
# deviation is ``sqrt(2) / LAMBDA``.


def product_density(theta):
    """Density of mu * nu."""
    return LAMBDA / np.pi * k0(LAMBDA * np.abs(theta))


def product_distribution(theta):
    """Its distribution function: tails summed by the trapezoidal rule in log|theta|."""
    logs = np.linspace(-40.0, np.log(60.0 / LAMBDA), 20_001)
    mass = product_density(np.exp(logs)) * np.exp(logs)
    upto = np.concatenate([[0.0], np.cumsum((mass[1:] + mass[:-1]) / 2 * np.diff(logs))])
    half = np.interp(np.log(np.maximum(np.abs(theta), 1e-17)), logs, upto)
    return 0.5 + np.sign(theta) * half


laplace_prior = laplace(scale=1.0 / LAMBDA)
rng = np.random.default_rng(0)
mu, nu = rng.normal(0.0, LAMBDA**-0.5, (2, 200_000))
theta = mu * nu
print(f"standard deviation of the draws: {theta.std():.3f}, expected {1.0 / LAMBDA:.3f}")
priors = {"product of normals": product_distribution, "Laplace": laplace_prior.cdf}
for name, distribution in priors.items():
    test = kstest(theta, distribution)
    print(f"draws against {name:18s}: distance {test.statistic:.4f}, p-value {test.pvalue:.2g}")

# %%
# The density of the product is infinite at zero. Far out, both densities fall like
# ``exp(-LAMBDA |theta|)``. That of the product has a factor of ``1 / sqrt|theta|`` in addition.

points = np.linspace(-6.0, 6.0, 1200)  # an even number: none at zero
figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.7), layout="constrained")
for ax in axes:
    bins = np.linspace(-6.0, 6.0, 97)
    ax.hist(theta, bins, density=True, color="0.85", label="draws of mu * nu")
    ax.plot(points, product_density(points), color=BLUE, label="K0")
    ax.plot(points, laplace_prior.pdf(points), "--", color=RED, label="Laplace")
    ax.set_xlabel("theta")
axes[0].set(ylim=(0.0, 1.3), xlim=(-3, 3), ylabel="density")
axes[1].set(yscale="log", ylim=(3e-4, 3), xlim=(-6, 6), title="the same, on a logarithmic scale")
axes[0].legend(loc="upper right", fontsize="small")
figure.savefig("prior_density.png", dpi=120)

# %%
# One mode, two posteriors
# ------------------------
#
# Now observe y, normal about theta with variance one. The product of the most probable factors is
# the most probable theta under the Laplace prior. It is the lasso: y moved towards zero by LAMBDA.
# The posterior density of theta itself, with the factors integrated out, is different. Its mode is
# always at zero, because a change of variables moves modes. Its mean is closer to zero than under
# the Laplace prior.

logs = np.linspace(np.log(1e-9), np.log(40.0), 4000)
half = np.exp(logs)
support = np.concatenate([-half[::-1], half])
volumes = np.concatenate([half[::-1], half]) * (logs[1] - logs[0])
densities = {"product of normals": product_density, "Laplace": laplace_prior.pdf}


def posterior(prior, y):
    """The posterior's density on the support, under a prior density of theta."""
    density = prior(support) * np.exp(-0.5 * (y - support) ** 2)
    return density / (density @ volumes)


observed = np.linspace(-5.0, 5.0, 41)
lasso = HadamardLasso(LAMBDA / observed.size, fit_intercept=False).fit(np.eye(41), observed)
means = {
    name: [posterior(prior, y) @ (volumes * support) for y in observed]
    for name, prior in densities.items()
}
seen = 2.5
weights = np.exp(-0.5 * (seen - theta) ** 2)
sampled = weights @ theta / weights.sum()
print(f"y = {seen}: lasso {seen - LAMBDA:.3f}, posterior means", end="")
for name, prior in densities.items():
    print(f", {name} {posterior(prior, seen) @ (volumes * support):.3f}", end="")
print(f"\n... product of normals, from the draws: {sampled:.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.9), layout="constrained")
styles = {"product of normals": (BLUE, "-"), "Laplace": (RED, "--")}
for name, (colour, dashes) in styles.items():
    density = posterior(densities[name], seen)
    left.plot(support, density, dashes, color=colour)
    right.plot(observed, means[name], dashes, color=colour, label=f"mean, {name}")
left.axvline(seen - LAMBDA, color="black", linewidth=1.0)
left.set(xlim=(-2, 6), ylim=(0, 1), xlabel="theta", title=f"posterior density at y = {seen}")
right.plot(observed, lasso.coef_, color="black", linewidth=1.2, label="lasso")
right.plot(observed, observed, ":", color=GREY)
right.set(xlabel="y", title="estimate of theta")
right.legend(loc="upper left", fontsize="small")
figure.savefig("prior_posterior.png", dpi=120)

# %%
# So the factors are a way to compute the lasso. They are a different model only if they are
# sampled. What HadamardLasso returns is the mode, black in the pictures.
#
# References
# ----------
#
# P. D. Hoff, Lasso, fractional norm and structured sparse estimation using a Hadamard product
# parametrization, Computational Statistics & Data Analysis 115 (2017) 186-198.
