"""How many threads BLAS has."""

from threadpoolctl import threadpool_info, threadpool_limits

from hplasso._numerics.threads import LARGE_DATA, threads_for_data, threads_for_pass


def n_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_passes_over_large_data_alone_have_threads():
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        assert max(before) == 2
        passes_have_threads(before)


def passes_have_threads(before):
    with threads_for_data(LARGE_DATA - 1):
        assert set(n_threads()) == {1}
        with threads_for_pass():
            assert set(n_threads()) == {1}
    with threads_for_data(LARGE_DATA):
        assert set(n_threads()) == {1}
        with threads_for_pass():
            assert max(n_threads()) == max(before)
        assert set(n_threads()) == {1}
    assert n_threads() == before
