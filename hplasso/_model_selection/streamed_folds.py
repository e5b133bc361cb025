"""Folds of data that come in blocks: which fold a row belongs to, from `cv`."""

import numbers
from typing import Any

from sklearn.model_selection import KFold

from .._design.row_folds import Assignment, Hashed, Runs

# As in scikit-learn, where cv=None.
N_FOLDS = 5


def assigned(cv: Any, n_rows: int | None) -> Assignment:
    """The folds of rows, of which there are so many, if that is known.

    They are those of KFold without shuffling, if it is. Otherwise a hash of the number of the block
    and of the row within it says which fold a row belongs to.

    Raises
    ------
    ValueError
        If cv is neither a number of folds nor KFold without shuffling, which needs to know the
        number of rows; or there are fewer rows than folds.
    """
    given: Any = N_FOLDS if cv is None else cv
    plain = isinstance(given, KFold) and not given.shuffle
    if isinstance(given, numbers.Integral) and not isinstance(given, bool):
        n_folds = int(given)
    elif plain:
        n_folds = given.n_splits
    else:
        raise ValueError(
            "For data in blocks cv must be a number of folds or KFold(shuffle=False), because each "
            f"row goes to its fold when its block is read. Got {cv!r}."
        )
    if n_rows is None:
        if plain:
            raise ValueError(
                f"cv={cv!r} needs the number of rows, which is not known before the first pass. "
                "Give a number of folds: rows are then assigned by a hash."
            )
        return Hashed(n_folds)
    if n_rows < n_folds:
        raise ValueError(f"cv asks for {n_folds} folds of {n_rows} rows.")
    return Runs.of(n_rows, n_folds)
