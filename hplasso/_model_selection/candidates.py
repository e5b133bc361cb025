"""The candidates of a search that differ in the penalty alone, and the simplest of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._numerics.typing import Float64
from .rules import choose

Parameters = Mapping[str, Any]


def losses_of(results: Mapping[str, Any], metric: str, n_folds: int) -> Float64:
    """Minus the test scores of a search, of shape (n_candidates, n_folds)."""
    folds = [results[f"split{fold}_test_{metric}"] for fold in range(n_folds)]
    return -np.stack(folds, axis=1)


def penalty_in(candidate: Parameters, prefix: str) -> str:
    """The name of the penalty among the parameters, or ''; `prefix` is that of the last step."""
    return next((prefix + name for name in ("alpha", "C") if prefix + name in candidate), "")


def differing(one: Parameters, other: Parameters) -> set[str]:
    """The names of parameters that are not the same in two candidates."""
    return {
        name
        for name in {*one, *other}
        if not (name in one and name in other and _equal(one[name], other[name]))
    }


def _equal(one: Any, other: Any) -> bool:
    return one is other or np.array_equal(one, other)


def along_penalty(
    candidates: Sequence[Parameters], best: int, penalty: str, losses: Float64
) -> list[int]:
    """The positions of those that differ from the best one in the penalty, the strongest first.

    `losses` are of shape (n_candidates, n_folds); candidates with any that are not finite are left
    out.
    """
    line = [
        position
        for position, candidate in enumerate(candidates)
        if penalty in candidate
        and differing(candidate, candidates[best]) <= {penalty}
        and np.isfinite(losses[position]).all()
    ]
    by_penalty = {position: candidates[position][penalty] for position in line}
    return sorted(line, key=by_penalty.__getitem__, reverse=penalty.endswith("alpha"))


def simplest(line: Sequence[int], losses: Float64) -> int:
    """The position of the strongest penalty within one standard error of the best of a line."""
    choice = choose(losses[line].T[:, None], [1.0] * losses.shape[1])
    return line[choice.simplest]
