"""The problem of a path: what stays the same from one penalty to the next."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._datafit.base import DataTerm
from .._datafit.iterate import Iterate
from .._design.columns import is_too_large
from .._design.multi_output import AnyDesign
from .._design.working_set import WorkingSet
from .._numerics.linalg import independent_cholesky
from .._numerics.typing import Float64, Index
from .._penalties.l1 import L1Penalty, penalty_value
from .certification import Certifier
from .progress import Iteration
from .settings import PathSettings
from .square_root_newton import LongColumns


@dataclass(frozen=True, eq=False)
class PathProblem:
    """A loss on a design and a penalty, for one target.

    Attributes
    ----------
    term : DataTerm
        The loss on the design.
    working_set : WorkingSet
        May be shared with other targets; it grows.
    design : Design or MultiOutputDesign
        For what it says of the columns' lengths; no pass over X is made through it.
    settings : PathSettings
    certifier : Certifier
    long_columns : LongColumns or None
        Given where models by a Hessian may lose digits.
    """

    term: DataTerm
    working_set: WorkingSet
    design: AnyDesign
    settings: PathSettings
    certifier: Certifier
    long_columns: LongColumns | None = None

    @cached_property
    def penalty(self) -> L1Penalty:
        """That of the settings."""
        return self.settings.penalty

    def penalties(self, alpha: float) -> tuple[Float64, Float64 | None]:
        """The L1 penalties lambda_j of the working set, and its ridge penalties, if any."""
        return self.penalty.parts(alpha, self.working_set.features)

    def objective(self, iterate: Iterate, alpha: float) -> float:
        """f at an iterate."""
        return float(iterate.state.loss) + penalty_value(iterate.theta, *self.penalties(alpha))

    def observe(
        self, theta: Float64, support: Index, state: Any, alpha: float | None = None
    ) -> Iterate:
        """The iterate theta; exact as far as optimality at `alpha` needs it, or everywhere."""
        penalty = self.penalty
        limit = None if alpha is None else penalty.limit(alpha)
        z, exact = self.term.correlations(self.working_set, state, limit, penalty.positive)
        on, values = self.working_set.features[support], theta[support]
        rounding, hidden = self.term.rounding(on, values, state, limit)
        without_ridge = z
        if penalty.ridged and alpha is not None:
            without_ridge = z.copy()
            without_ridge[on] -= penalty.ridge(alpha, on) * values
        errors = rounding.of(self.design.rounding, exact)
        feasible = penalty.feasible_alpha(without_ridge[exact], errors, exact)
        smallest, exact_from = float(feasible.max(initial=0.0)), 0.0 if alpha is None else alpha
        return Iterate(theta, support, state, z, rounding, hidden, smallest, exact_from)

    def report(
        self, alpha: float, iterate: Iterate, gap: float | None, sweeps: int, imbalance: float = 0.0
    ) -> None:
        """Tell the listener, if there is one, where an iterate stands as a solution at `alpha`."""
        listener, certifier = self.settings.listener, self.certifier
        if listener is None or not listener.iterations:
            return
        gap = certifier.of_iterate(alpha, iterate).gap if gap is None else gap
        objective = self.objective(iterate, alpha)
        sizes = self.working_set.features.size, iterate.support.size
        gaps = certifier.unit * gap, certifier.unit * certifier.gap_tol
        values = objective, objective + imbalance, *gaps
        listener.iteration(Iteration(alpha, sweeps, *sizes, *values, certifier.measure))

    def start(self, coefficients: Float64 | None) -> Iterate:
        """The iterate to start from: given coefficients (p,), or zero if that is better."""
        return self.start_at(self.independent_start(coefficients))

    def start_at(self, theta: Float64) -> Iterate:
        """The iterate theta, on the working set, or zero if that is better."""
        state = self.term.state(self.working_set, theta)
        if theta.any():
            zero = np.zeros_like(theta)
            null_state = self.term.state(self.working_set, zero)
            if not state.loss <= null_state.loss:  # then zero is better, whatever the penalty
                theta, state = zero, null_state
        return self.observe(theta, theta.nonzero()[0], state)

    def independent_start(self, coefficients: Float64 | None) -> Float64:
        """Given coefficients on the working set, those of dependent columns left out.

        A ridge penalty on all of them makes columns independent. Of a curved loss, where their Gram
        matrix is too large, conjugate gradients do with dependent ones.
        """
        working_set, penalty = self.working_set, self.penalty
        if coefficients is None:
            return np.zeros(working_set.features.size)
        ridged = penalty.ridge_ratio > 0.0 and penalty.all_penalised
        effect = np.abs(coefficients) * self.design.column_norms
        support = np.flatnonzero(effect)
        rank = effect.size if ridged else min(self.design.shape)
        if support.size > rank:
            support = support[np.argpartition(-effect[support], rank)[:rank]]
        working_set.admit(support)
        positions = working_set.position[support]
        theta = np.zeros(working_set.features.size)
        curved_and_large = not self.term.quadratic and is_too_large(len(theta))
        if positions.size and not ridged and not curved_and_large:
            gram = working_set.gram[np.ix_(positions, positions)]
            _, kept = independent_cholesky(gram, positions.size)
            support, positions = support[kept], positions[kept]
        theta[positions] = coefficients[support]
        if penalty.positive:
            np.maximum(theta, 0.0, out=theta)
        return theta
