"""
Which pixels tell the digits apart: multinomial regression
==========================================================

Ten classes, and one set of coefficients for each: multinomial logistic regression on pictures of
hand-written digits. Because each coefficient belongs to a pixel, the coefficients are pictures,
too. The L1 penalty leaves out the pixels that a digit can do without.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from hplasso import HadamardLogisticRegression, logistic_path

# %%
# The digits that scikit-learn ships: 1797 pictures of eight by eight pixels. All penalties come
# from one path, on which each solution is the start of the next.

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.data / 16.0, digits.target, random_state=0, stratify=digits.target
)
Cs = np.geomspace(0.01, 3.0, 12)
Cs, coefs, intercepts, gaps = logistic_path(X_train, y_train, Cs=Cs)
predicted = np.einsum("np,kpc->cnk", X_test, coefs) + intercepts.T[:, None]
accuracy = (predicted.argmax(axis=2) == y_test).mean(axis=1)
sizes = np.count_nonzero(coefs, axis=(0, 1))
pixels = np.count_nonzero(coefs.any(axis=0), axis=0)
print("      C  coefficients  pixels  right on new digits      gap")
for row in zip(Cs, sizes, pixels, accuracy, gaps, strict=True):
    print("{:7.3f}{:14d}{:8d}{:21.3f}{:9.0e}".format(*row))

# %%
# Ink in blue pixels makes a digit more probable, and ink in red ones less. White pixels have no
# effect. The first pixels to be used are the ones where a digit has ink and most others have none,
# or where the others have ink and this digit has none. About seventy of the 640 coefficients are
# enough to recognise 90 % of the new digits.

shown = [4, 7, 11]
figure, axes = plt.subplots(
    1 + len(shown), 10, figsize=(7.2, 3.4), layout="constrained", subplot_kw={"xticks": ()}
)
for digit in range(10):
    mean = X_train[y_train == digit].mean(axis=0).reshape(8, 8)
    axes[0, digit].imshow(mean, cmap="Greys")
    axes[0, digit].set_title(str(digit))
    for ax, column in zip(axes[1:, digit], shown, strict=True):
        largest = np.abs(coefs[:, :, column]).max()
        style = {"cmap": "RdBu", "vmin": -largest, "vmax": largest}
        ax.imshow(coefs[digit, :, column].reshape(8, 8), **style)
for ax in axes.flat:
    ax.set_yticks(())
    ax.spines[:].set_color("0.8")
for ax, label in zip(axes[:, 0], ["mean", *(f"C = {Cs[i]:.2g}" for i in shown)], strict=True):
    ax.set_ylabel(label, rotation="horizontal", ha="right", va="center")
figure.savefig("digits_coefficients.png", dpi=120)

# %%
# The next picture shows how the accuracy grows with the number of coefficients, on digits that were
# not used for the fit.

figure, ax = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
ax.plot(sizes[1:], accuracy[1:], "o-", color="#0072B2")
for column in shown:
    place = (sizes[column], accuracy[column])
    ax.annotate(f"C = {Cs[column]:.2g}", place, (6, -14), textcoords="offset points")
ax.set(xlabel="coefficients that are not zero, of 640", ylabel="share of digits recognised")
ax.set(xlim=(0, 225), ylim=(0.4, 1.02))
figure.savefig("digits_accuracy.png", dpi=120)

# %%
# The estimator gives the same coefficients at one C. Its ``tol`` says how small the gap has to be.

model = HadamardLogisticRegression(C=Cs[7], tol=1e-9).fit(X_train, y_train)
difference = np.abs(model.coef_ - coefs[:, :, 7]).max() / np.abs(model.coef_).max()
print(f"C = {model.C:.3f}: gap {model.dual_gap_:.0e}, {np.count_nonzero(model.coef_)} coefficients")
print(f"relative difference of the path's coefficients, at its tol of 1e-4: {difference:.0e}")
