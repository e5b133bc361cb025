"""How many threads BLAS gets."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.lib import NumpyVersion
from threadpoolctl import ThreadpoolController

from .error_state import in_own_error_state

Part = TypeVar("Part")
# Whether threads may have error states of their own: before 2.0, NumPy forgets those of some
# threads when others leave theirs.
SAFE = NumpyVersion(np.__version__) >= "2.0.0"

# BLAS gets one thread: several save nothing on small matrices, and were seen to take 3 to 20 times
# as long, waiting for each other. All that were given it gets for passes over data of at least so
# many numbers (32 MB; constants.py).
LARGE_DATA = 4_000_000

_threads_given: ContextVar[int] = ContextVar("threads_given", default=1)


@cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of this process; looking them up takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def threads_for_data(n_stored: int) -> Iterator[None]:
    """A context for all work on data of so many numbers: one thread, but see `threads_for_pass`.

    What runs in other threads, as folds may, has one thread throughout.
    """
    given = 1
    if n_stored >= LARGE_DATA:
        given = max((library["num_threads"] for library in _blas().info()), default=1)
    token = _threads_given.set(given)
    try:
        with _blas().limit(limits=1):
            yield
    finally:
        _threads_given.reset(token)


def threads_for_pass() -> AbstractContextManager[object]:
    """Within that context, one for a pass over the data: all threads given, if that pays."""
    given = _threads_given.get()
    return nullcontext() if given == 1 else _blas().limit(limits=given)


def by_threads(n_rows: int, of_run: Callable[[slice], Part]) -> list[Part]:
    """What a function makes of runs of rows, one after the other; within that context.

    Each thread that was given has a run, and BLAS one thread in each. Where blocks fit into a
    cache, this saves what threads of BLAS lose by waiting for each other: the moments of 200,000 x
    200 took .5 of the time.
    """
    given = _threads_given.get() if SAFE else 1
    runs = [slice(k * n_rows // given, (k + 1) * n_rows // given) for k in range(given)]
    guarded = in_own_error_state(of_run)  # other threads have NumPy's
    if given == 1:
        return [guarded(runs[0])]
    with ThreadPoolExecutor(given) as pool:
        return list(pool.map(guarded, runs))
