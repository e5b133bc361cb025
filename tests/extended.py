"""Minima in extended precision, proved by a dual bound; nothing here is shared with the package.

`minimise` finds the minimum of a convex loss of A theta + c plus penalties l1 |theta| and
ridge/2 theta^2, by Newton's method on the coordinates that are not zero, their signs held, which
are joined by one that wants in at a time. All numbers are long doubles. Least squares are solved by
orthogonalisation: products of columns with entries of 1e12 would lose what else is in them.
"""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np

LONG = np.longdouble
EPS = float(np.finfo(LONG).eps)
# What is left of a column's length when it depends on others.
DEPENDENT = 1e-16
# Steps at most, and those that may pass with no progress.
MAX_STEPS, PATIENCE = 400, 3
getcontext().prec = 50


def triangle(columns):
    """R of a QR factorisation, by Gram and Schmidt, twice; and which columns are independent."""
    Q, k = columns.copy(), columns.shape[1]
    R, kept = np.zeros((k, k), dtype=LONG), np.zeros(k, dtype=bool)
    for j in range(k):
        length = np.sqrt(Q[:, j] @ Q[:, j])
        before = Q[:, :j][:, kept[:j]]
        for _ in range(2):
            share = before.T @ Q[:, j]
            R[:j, j][kept[:j]] += share
            Q[:, j] -= before @ share
        R[j, j] = np.sqrt(Q[:, j] @ Q[:, j])
        kept[j] = R[j, j] > DEPENDENT * length
        if kept[j]:
            Q[:, j] /= R[j, j]
    return R, kept


def newton_step(columns, slope, entrant=None):
    """(columns'columns)^-1 slope, zero where columns depend on the others.

    If the `entrant` does, the way on which it comes in and columns theta stays the same.
    """
    length = np.sqrt((columns**2).sum(axis=0))
    length[length == 0] = 1
    order = np.arange(len(slope))
    if entrant is not None:
        order = np.append(np.delete(order, entrant), entrant)
    R, kept = triangle((columns / length)[:, order])
    independent, step = order[kept], np.zeros(len(slope), dtype=LONG)
    if entrant is not None and not kept[-1]:
        step[entrant] = np.sign(slope[entrant])
        step[independent] = -_back(R[np.ix_(kept, kept)], R[kept, -1]) * step[entrant]
        return step / length
    triangle_kept, right = R[np.ix_(kept, kept)], (slope / length)[independent]
    half = np.zeros_like(right)
    for j in range(len(right)):
        half[j] = (right[j] - triangle_kept[:j, j] @ half[:j]) / triangle_kept[j, j]
    step[independent] = _back(triangle_kept, half)
    return step / length


def _back(R, right):
    """R^-1 right."""
    solution = np.zeros_like(right)
    for j in reversed(range(len(right))):
        solution[j] = (right[j] - R[j, j + 1 :] @ solution[j + 1 :]) / R[j, j]
    return solution


def minimise(loss, A, l1, ridge, start, positive=False):
    """The minimiser of ``loss(A theta)`` and the penalties, from any start.

    `positive` says, once or for each coordinate, that it is not to be negative.

    `loss` answers with `value(outputs)`, `residual(outputs)`, minus the gradient,
    `rooted(outputs, columns)`, whose Gram matrix is columns' Hessian columns, and others below.
    """
    A, l1, ridge = (np.asarray(a, dtype=LONG) for a in (A, l1, ridge))
    theta = np.asarray(start, dtype=LONG).copy()
    signed = (l1 > 0) | positive
    signs = np.sign(theta)
    active = (theta != 0) | ~signed
    lengths = np.abs(A).sum(axis=0)

    def slope_at(theta, outputs):
        return A.T @ loss.residual(outputs) - ridge * theta

    outputs, stuck, least, idle = A @ theta, False, np.inf, 0
    for _ in range(MAX_STEPS):
        pull = slope_at(theta, outputs)
        slope = (pull - l1 * signs)[active]
        noise = 64 * EPS * (np.abs(A).T @ np.abs(loss.residual(outputs)) + l1)
        place = None
        if (np.abs(slope) <= noise[active]).all() or stuck:
            rest = np.where(active | (lengths == 0), 0, np.where(positive, pull, np.abs(pull)) - l1)
            rest[rest <= 1e-14 * l1 + noise] = 0
            if not rest.any():
                break
            stuck, idle = False, 0
            entrant = int(np.argmax(rest / np.maximum(lengths, 1e-300)))
            active[entrant], signs[entrant] = True, np.sign(pull[entrant])
            slope, place = (pull - l1 * signs)[active], int(active[:entrant].sum())
        columns = loss.rooted(outputs, A[:, active])
        step = np.zeros_like(theta)
        step[active] = newton_step(
            np.vstack([columns, np.diag(np.sqrt(ridge[active]))]), slope, place
        )
        theta, hit = _search(loss, A, l1, ridge, theta, step, signs, signed)
        theta[hit], active[hit], signs[hit] = 0, False, 0
        small = np.abs(A @ step) <= 1e-16 * (np.abs(A) @ np.abs(theta))
        outputs = A @ theta
        objective = loss.value(outputs) + l1 @ np.abs(theta) + ridge @ theta**2 / 2
        idle = idle + 1 if objective > (1 - 1e-17) * least else 0
        least = min(least, objective)
        stuck = not hit.any() and (bool(small.all()) or idle > PATIENCE)
    return theta


def certified_minimum(loss, A, l1, ridge, start, positive=False):
    """The minimiser and a dual bound: from a start, or, where that leads nowhere, from zero."""
    problem, best, least, bound = (loss, A, l1, ridge), start, np.inf, -np.inf
    for origin in (start, None, np.zeros_like(start)):
        theta = start if origin is None else minimise(*problem, origin, positive)
        value = loss.value(A @ theta) + l1 @ np.abs(theta) + ridge @ theta**2 / 2
        # coefficients of 1e16 that cancel may seem better than they are
        value += 8 * EPS * np.abs(loss.residual(A @ theta)) @ (np.abs(A) @ np.abs(theta))
        if value <= least:
            least, best = value, theta
        bound = max(bound, lower_bound(*problem, theta, positive))
        if least - bound <= 1e-14 * abs(least):
            return best, bound
    return best, max(bound, lower_bound(*problem, best, positive, exact))


def exact(numbers):
    """Long doubles as Decimals, of which sums and products keep 50 digits."""
    numbers = np.asarray(numbers, dtype=LONG)
    high = numbers.astype(np.float64)
    low = (numbers - high).astype(np.float64)
    parts = [np.array([Decimal(x) for x in a.ravel().tolist()], dtype=object) for a in (high, low)]
    return (parts[0] + parts[1]).reshape(numbers.shape)


def lower_bound(loss, A, l1, ridge, theta, positive=False, given=np.asarray):
    """The dual objective at the residual of theta, scaled to what is feasible.

    What rounding may leave of a sum counts as nothing, except for its share of the penalty: another
    point next to this one, no worse than by that, is feasible. `given` says in which arithmetic the
    residual is mended: of two outputs that share a code of 1e12, long doubles lose the sum.
    """
    A, l1, ridge = (np.asarray(a, dtype=LONG) for a in (A, l1, ridge))
    outputs, on = A @ theta, (theta != 0) | ((l1 == 0) & ~np.asarray(positive))
    residual, moved = given(loss.residual(outputs)), given(np.zeros_like(theta))
    columns, penalties, p = given(A), given(ridge), given(loss.probabilities(outputs))
    fixed = given(ridge * theta + l1 * np.sign(theta))
    lengths = np.sqrt((A[:, on] ** 2).sum(axis=0)) + ~A[:, on].any(axis=0)
    least, before = np.inf, (residual, moved)
    for _ in range(3 if given is np.asarray else 9):  # what optimality says of these
        off = (columns.T @ residual - penalties * moved - fixed)[on].astype(LONG)
        size = (np.abs(off) / lengths).max(initial=0)
        if size >= least:  # rounding is all that is left
            residual, moved = before
            break
        least, before = size, (residual, moved)
        rooted = np.vstack([loss.rooted(outputs, A[:, on]), np.diag(np.sqrt(ridge[on]))])
        step = given(newton_step(rooted, off))
        moved = moved.copy()
        moved[on] += step
        residual = residual - loss.bent(p, columns[:, on] @ step)
    z, residual = (columns.T @ residual).astype(LONG), residual.astype(LONG)
    excess = np.maximum(np.where(positive, z, np.abs(z)) - l1, 0)
    slight = excess <= 256 * EPS * (np.abs(A).T @ np.abs(residual) + 1e-3 * (l1 == 0))
    over = (ridge == 0) & (excess > 0) & ~slight
    scale = np.min(l1[over] / np.abs(z[over]), initial=LONG(1))
    cost = (excess * np.abs(theta))[slight & (ridge == 0)].sum()
    rest = np.maximum(np.where(positive, scale * z, np.abs(scale * z)) - l1, 0)
    cost += np.divide(rest**2, 2 * ridge, out=np.zeros_like(z), where=ridge > 0).sum()
    return loss.bound(residual, scale) - cost


def _search(loss, A, l1, ridge, theta, step, signs, signed):
    """As far along the step as the objective goes down; what reaches zero there."""
    shrinking = signed & (step * signs < 0)
    reach = np.full(len(theta), np.inf, dtype=LONG)
    reach[shrinking] = -theta[shrinking] / step[shrinking]
    first = reach.min(initial=np.inf)
    outputs, change = A @ theta, A @ step

    def descent(t):
        new = theta + t * step
        return change @ loss.residual(outputs + t * change) - step @ (l1 * signs + ridge * new)

    def rise(t):
        smooth = loss.rise(outputs, outputs + t * change) + t * (l1 * signs) @ step
        return smooth + t * step @ (ridge * (theta + t * step / 2))

    length = min(LONG(1), first)
    while rise(length) > 0 and descent(length) < 0 and length > 1e-25:
        length /= 2
    while length >= 1 and 2 * length <= first and descent(2 * length) > 0:
        length *= 2  # curvature may fall by many orders of magnitude on the way
    return theta + length * step, reach <= length


class SquaredLoss:
    """1/2 sum_i v_i (y_i - f_i)^2."""

    def bound(self, residual, scale):
        """The dual objective at scale times the residual."""
        rho, on = scale * residual, self.weights > 0
        return rho @ self.y - (rho[on] ** 2 / self.weights[on]).sum() / 2

    def __init__(self, y, weights):
        self.y, self.weights = y.astype(LONG), weights.astype(LONG)

    def value(self, outputs):
        return self.weights @ (self.y - outputs) ** 2 / 2

    def rise(self, outputs, new):
        return self.weights @ ((outputs - new) * (2 * self.y - outputs - new)) / 2

    def residual(self, outputs):
        return self.weights * (self.y - outputs)

    def probabilities(self, outputs):
        """What `bent` has to know of the outputs: here the weights."""
        return self.weights

    def bent(self, weights, change):
        """The Hessian times a change of the outputs."""
        return weights * change

    def rooted(self, outputs, columns):
        return np.sqrt(self.weights)[:, None] * columns


class SoftmaxLoss:
    """-sum_i v_i log P(y_i) of outputs (n, K), in a row; of two classes the second has one.

    Or `each` has.
    """

    def __init__(self, codes, n_classes, weights, each=False):
        self.codes, self.rows = codes, np.arange(len(codes))
        self.weights = weights.astype(LONG)
        self.n_classes = n_classes
        self.single = n_classes == 2 and not each

    def log_probabilities(self, outputs):
        """log P, to the last digit however close to zero, (n, C)."""
        full = outputs.reshape(len(self.rows), -1)
        if self.single:
            full = np.hstack([np.zeros_like(full), full])
        own = full[self.rows, self.codes]
        ahead = full - own[:, None]
        top = np.maximum(ahead.max(axis=1), 0)
        powers = np.exp(ahead - top[:, None])
        powers[self.rows, self.codes] = 0
        others = powers.sum(axis=1)
        log_own = np.where(top > 0, -top - np.log(others + np.exp(-top)), -np.log1p(others))
        return ahead + log_own[:, None]

    def losses(self, outputs):
        return -self.log_probabilities(outputs)[self.rows, self.codes]

    def value(self, outputs):
        return self.weights @ self.losses(outputs)

    def rise(self, outputs, new):
        return self.weights @ (self.losses(new) - self.losses(outputs))

    def off(self, outputs):
        """Marks less probabilities, (n, C)."""
        log_p = self.log_probabilities(outputs)
        off = -np.exp(log_p)
        off[self.rows, self.codes] = -np.expm1(log_p[self.rows, self.codes])
        return off

    def residual(self, outputs):
        off = self.weights[:, None] * self.off(outputs)
        return (off[:, 1:] if self.single else off).ravel()

    def bound(self, residual, scale):
        """The dual objective at scale times the residual: an entropy."""
        off = np.zeros((len(self.rows), self.n_classes), dtype=LONG)
        on = self.weights > 0
        given = scale * residual.reshape(len(self.rows), -1)[on] / self.weights[on, None]
        off[on] = np.hstack([-given, given]) if self.single else given
        wrong = np.clip(off[self.rows, self.codes], 0, 1)
        others = np.clip(-off, 0, 1)
        others[self.rows, self.codes] = 0
        entropy = -(others * np.log(np.where(others > 0, others, 1))).sum(axis=1)
        right = np.where(wrong < 1, 1 - wrong, 1)
        entropy -= right * np.log1p(np.where(wrong < 1, -wrong, 0))
        return self.weights @ entropy

    def probabilities(self, outputs):
        """P, (n, C), and, last, the weights."""
        return np.hstack([np.exp(self.log_probabilities(outputs)), self.weights[:, None]])

    def bent(self, probabilities, change):
        """The Hessian times a change of the outputs, in their arithmetic."""
        p, weights = probabilities[:, :-1], probabilities[:, -1]
        p = p / p.sum(axis=1)[:, None]
        change = change.reshape(len(self.rows), -1)
        if self.single:
            return weights * p[:, 0] * p[:, 1] * change[:, 0]
        change = change - change[self.rows, p.argmax(axis=1)][:, None]
        return (weights[:, None] * p * (change - (p * change).sum(axis=1)[:, None])).ravel()

    def rooted(self, outputs, columns):
        p = np.exp(self.log_probabilities(outputs))
        if self.single:
            return np.sqrt(self.weights * p[:, 0] * p[:, 1])[:, None] * columns
        n, K = p.shape
        columns = columns.reshape(n, K, -1)
        # no more than 1 - p is left of the likeliest class, which its own difference would lose
        columns = columns - columns[self.rows, p.argmax(axis=1)][:, None]
        mean = np.einsum("nk,nkj->nj", p, columns)
        root = np.sqrt(self.weights[:, None] * p)[:, :, None]
        return (root * (columns - mean[:, None, :])).reshape(n * K, -1)
