"""The table of cross-validation: penalties, scores, standard errors, and what the rules choose."""

from typing import Any

import numpy as np

from .._model_selection.fold_losses import FoldLosses
from .table import Table


def cross_validation_table(seen: FoldLosses) -> Table:
    """A row for each candidate; those of the rules are shown."""
    n_candidates, n_folds = seen.losses.shape
    rules: Any = np.full(n_candidates, "", dtype=object)
    for position in set(seen.chosen.values()):
        rules[position] = ", ".join(rule for rule in seen.chosen if seen.chosen[rule] == position)
    columns = {"rule": rules, **seen.candidates}
    if seen.n_nonzero is not None:
        columns["nonzero"] = seen.n_nonzero
    columns[seen.measure.name] = seen.measure.sign * seen.losses.mean(axis=1)
    columns["standard_error"] = seen.errors
    common = {name: value for name, value in seen.common.items() if name not in seen.candidates}
    notes = [f"{n_folds} folds", *(f"{name}={value:g}" for name, value in common.items())]
    caption = f"Cross-validation: {', '.join([seen.measure.name.replace('_', ' '), *notes])}"
    return Table(caption, columns, list(dict.fromkeys(seen.chosen.values())))
