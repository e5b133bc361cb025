"""Dask arrays and data frames as a source: what is read, how often, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from hplasso._design.source import DataChanged
from hplasso._design.sources import source_of
from hplasso._design.target_moments import target_moments

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

HEIGHTS = (40, 0, 75, 5)
N, P = sum(HEIGHTS), 6
rng = np.random.default_rng(0)
X, Y, WEIGHTS = rng.standard_normal((N, P)), rng.standard_normal((N, 2)), rng.random(N)
NAMES = [f"x{j}" for j in range(P)]
FRAME = pd.DataFrame(X, columns=NAMES).assign(y=Y[:, 0], z=Y[:, 1], w=WEIGHTS)


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="sync"):
        yield


def arrays(values, widths=-1):
    return da.from_array(values, chunks=(HEIGHTS, *[widths] * (values.ndim - 1)))


def unknown(values):
    """The same, in blocks of lengths that are not known."""
    return values[arrays(np.ones(N, dtype=bool))]


def frames():
    """In partitions of uneven lengths, one of them empty."""
    return dd.from_map(part_of_frame, range(len(HEIGHTS)), meta=FRAME[:0])


def part_of_frame(number):
    stop = sum(HEIGHTS[: number + 1])
    return FRAME[stop - HEIGHTS[number] : stop]


def moments(*data, numeric=True):
    return source_of(*data).reduce(target_moments, numeric)


def assert_same(got, expected, rtol=1e-12):
    one, other = got.moments, expected.moments
    assert one.n_rows == other.n_rows
    assert one.weight == pytest.approx(other.weight, rel=rtol)
    np.testing.assert_allclose(one.mean, other.mean, rtol=0, atol=rtol)
    np.testing.assert_allclose(one.products, other.products, rtol=0, atol=1e2 * rtol)


DENSE = moments(arrays(X), arrays(Y[:, 0]), arrays(WEIGHTS))
FEATURES = {
    "blocks of columns": (arrays(X, (2, 4)), DENSE),
    "even blocks": (da.from_array(X, chunks=(32, 3)), DENSE),
    "one block": (da.from_array(X, chunks=-1), DENSE),
    "lengths not known": (unknown(arrays(X, (2, 4))), DENSE),
    "CSR": (arrays(X).map_blocks(sparse.csr_matrix), DENSE),
    "CSR arrays": (arrays(X).map_blocks(sparse.csr_array), DENSE),
    "CSC, blocks of columns": (arrays(X, (1, 5)).map_blocks(sparse.csc_matrix), DENSE),
    "data frame": (frames()[NAMES], DENSE),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_features(kind):
    values, expected = FEATURES[kind]
    framed = kind == "data frame"
    beside = (frames()["y"], frames()["w"]) if framed else (arrays(Y[:, 0]), arrays(WEIGHTS))
    source = source_of(values, *beside)
    assert_same(source.reduce(target_moments), expected)
    assert source.n_features == P
    assert source.dtype is np.float64
    assert source.names == (tuple(NAMES) if framed else None)
    assert source.n_rows == (None if framed or "known" in kind else N)


def test_dtypes():
    whole = np.round(10 * X)
    for values in (arrays(whole.astype(np.float32)), arrays(whole.astype(int))):
        source = source_of(values, arrays(Y[:, 0]))
        expected = moments(arrays(whole), arrays(Y[:, 0]))
        assert_same(source.reduce(target_moments), expected, 1e-11)
        assert source.dtype is (np.float32 if values.dtype == np.float32 else np.float64)
    for types, expected in ((np.float32, np.float32), ({"x0": np.float32}, np.float64)):
        source = source_of(frames()[NAMES].astype(types), frames()["y"])
        source.reduce(target_moments)
        assert source.dtype is expected


BESIDE = {
    "in memory": lambda values: values,
    "series": pd.Series,
    "list": list,
    "other blocks": lambda values: da.from_array(values, chunks=33),
    "a column": lambda values: arrays(values[:, None]),
    "lengths not known": lambda values: unknown(arrays(values)),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_targets_and_weights(kind):
    make = BESIDE[kind]
    assert_same(moments(arrays(X), make(Y[:, 0]), make(WEIGHTS)), DENSE)


def test_series_and_columns_of_a_data_frame_beside_an_array():
    frame = frames()
    assert_same(moments(arrays(X), frame["y"], frame["w"]), DENSE)
    assert_same(moments(frame[NAMES], frame[["y"]], frame[["w"]]), DENSE)
    two = moments(frame[NAMES], frame[["y", "z"]])
    assert_same(two, moments(arrays(X), da.from_array(Y, chunks=(50, 1))))
    assert two.n_targets == 2


def test_offsets_and_one_weight_for_all():
    expected = moments(arrays(X), arrays(Y[:, 0] - Y[:, 1]))
    for offset in (Y[:, 1], arrays(Y[:, 1:]), da.from_array(Y[:, 1], chunks=50)):
        assert_same(moments(arrays(X), arrays(Y[:, 0]), None, offset), expected)
    assert moments(arrays(X), arrays(Y[:, 0]), 2.0).moments.weight == 2.0 * N
    weights, offset = np.ones(N), np.zeros(N)
    weights[3], offset[3] = 0.0, -np.inf  # an exposure of zero
    assert moments(arrays(X), Y[:, 0], weights, offset).moments.n_rows == N - 1


def test_a_shared_source_is_read_once_in_each_pass():
    read = []

    def load(number):
        read.append(number)
        return part_of_frame(number)

    parts = [dask.delayed(load)(number) for number in range(len(HEIGHTS))]
    frame = dd.from_delayed(parts, meta=FRAME[:0], verify_meta=False)
    array = da.concatenate(
        [
            da.from_delayed(part.to_numpy(), (height, P + 3), float)
            for part, height in zip(parts, HEIGHTS, strict=True)
        ]
    )
    for source in (
        source_of(frame[NAMES], frame["y"], frame["w"]),
        source_of(array[:, :P], array[:, P], array[:, P + 2]),
    ):
        for n_passes in (1, 2):
            read.clear()
            assert_same(source.reduce(target_moments), DENSE)
            assert sorted({*read, 1}) == sorted([*read, *{1} - {*read}])  # nothing of an empty one
            assert source.n_passes == n_passes


def test_the_same_bits_in_any_order_of_work():
    for scheduler in ("sync", "threads", "threads"):
        with dask.config.set(scheduler=scheduler):
            found = moments(arrays(X), arrays(Y[:, 0]), arrays(WEIGHTS)).moments
        for got, expected in zip(found, DENSE.moments, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_data_that_change_between_passes():
    passes = []

    def changing(block):
        passes.append(0)
        return block + (len(passes) > len(HEIGHTS))

    for changed in range(4):
        passes.clear()
        data = [arrays(X), arrays(Y[:, 0]), arrays(WEIGHTS), arrays(Y[:, 1])]
        data[changed] = data[changed].map_blocks(changing, meta=np.empty((0,) * data[changed].ndim))
        source = source_of(*data)
        source.reduce(target_moments)
        with pytest.raises(DataChanged, match="pass 2 read other numbers"):
            source.reduce(target_moments)

    longer = da.from_delayed(dask.delayed(lambda: X[: 40 + len(passes)])(), (np.nan, P), float)
    source = source_of(longer, longer[:, 0])
    source.reduce(target_moments)
    passes.append(0)
    with pytest.raises(DataChanged, match=r"pass 2 read \d+ rows in place of \d+"):
        source.reduce(target_moments)


def test_labels():
    labels = np.where(Y[:, 0] > 0.0, "yes", "no")
    framed = frames().assign(label=frames()["y"].gt(0.0).map({True: "yes", False: "no"}, meta=""))
    for values in (labels, da.from_array(labels, chunks=50), framed["label"], framed[["label"]]):
        assert (
            source_of(arrays(X), values).reduce(CountYes(), numeric=False)
            == (labels == "yes").sum()
        )


class Count(int):
    def merge(self, other):
        return Count(self + other)


class CountYes:
    def __call__(self, block):
        assert block.y.ndim == 1
        return Count((block.y == "yes").sum())


def bad(X_=None, y=None, sample_weight=None, offset=None):
    return (
        arrays(X) if X_ is None else X_,
        arrays(Y[:, 0]) if y is None else y,
        sample_weight,
        offset,
    )


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((arrays(X), None), ValueError, "y must be given with X, which is a Dask collection"),
        (bad(dask.delayed(X)), TypeError, r"X must be a Dask array or a Dask data frame\. Got"),
        (bad(frames()["x0"]), TypeError, r"X must be a Dask array or a Dask data frame\. Got"),
        (
            bad(arrays(X)[:, 0]),
            ValueError,
            r"of shape \(n_samples, n_features\)\. Got shape \(120,\)\.",
        ),
        (bad(y=dask.delayed(Y)), TypeError, "y must be an array, or a Dask array, series or data"),
        (
            bad(y=Y[1:, 0]),
            ValueError,
            r"y must have one row for each of X, 120\. Got shape \(119,\)\.",
        ),
        (bad(y=arrays(Y[:, 0])[1:]), ValueError, r"y must have one row for each of X, 120\. Got"),
        (bad(y=1.0), ValueError, r"y must have one row for each of X, 120\. Got shape \(\)\."),
        (
            bad(unknown(arrays(X)), Y),
            ValueError,
            "y must be a Dask collection with the blocks of X",
        ),
        (
            bad(unknown(arrays(X)), da.from_array(Y, chunks=50)),
            ValueError,
            r"y has 3 blocks, and X has 4\. Where the lengths of blocks are not known",
        ),
        (
            bad(frames()[NAMES], frames()["y"].map_partitions(lambda part: part[1:])),
            ValueError,
            r"y of block \d has ",
        ),
        (
            bad(sample_weight=-1.0),
            ValueError,
            r"Negative values in sample_weight of block \d: -1\.0",
        ),
        (
            bad(sample_weight=arrays(Y)),
            ValueError,
            r"sample_weight of block \d has shape \(\d+, 2\), expected \(\d+,\)\.",
        ),
        (
            bad(y=arrays(Y), offset=Y[:, 0]),
            ValueError,
            r"offset of block \d has shape \(\d+, 1\), expected \(\d+, 2\)",
        ),
        (
            bad(offset=np.full(N, np.inf)),
            ValueError,
            r"offset of block \d contains NaN or infinity\.",
        ),
        (bad(arrays(X).astype(complex)), ValueError, r"In block \d: Complex data not supported"),
        (
            bad(frames()[NAMES].assign(x1="a"), frames()["y"]),
            ValueError,
            r"In block \d: could not convert string to float: 'a'",
        ),
        (
            bad(da.where(arrays(X) == X[-1, 1], np.nan, arrays(X))),
            ValueError,
            r"In block 3: Input X contains NaN\.",
        ),
        ((X, arrays(Y[:, 0])), TypeError, "y is a Dask collection"),
        ((FRAME[NAMES], frames()["y"]), TypeError, "y is a Dask collection"),
        ((X, Y[:, 0], arrays(WEIGHTS)), TypeError, "sample_weight is a Dask collection"),
    ],
)
def test_bad_data_are_named(data, error, message):
    with pytest.raises(error, match=message):
        moments(*data)
