"""Moments of blocks against sums over all rows, and the few rows that have the same moments."""

from fractions import Fraction
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from hplasso._design.compressed import compressed
from hplasso._design.moments import ColumnMoments, Moments, column_moments_of, moments_of
from hplasso._design.row_folds import Hashed, Runs
from hplasso._design.source import Block, merge_in_pairs


def exact_moments(rows, weights):
    """W, m and S of few rows, in rational numbers."""
    rows = [[Fraction(float(value)) for value in row] for row in rows]
    weights = [Fraction(float(weight)) for weight in weights]
    total, size = sum(weights), len(rows[0])
    pairs = list(zip(weights, rows, strict=True))
    mean = [sum(w * row[j] for w, row in pairs) / total for j in range(size)]
    products = [
        [
            float(sum(w * (row[j] - mean[j]) * (row[k] - mean[k]) for w, row in pairs))
            for k in range(size)
        ]
        for j in range(size)
    ]
    return float(total), np.array([float(value) for value in mean]), np.array(products)


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_merged_moments_are_those_of_all_rows(offset):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 3)) + offset, rng.standard_normal((60, 1))
    weights = rng.random(60) * (rng.random(60) < 0.8)
    cuts = [0, 7, 7, 30, 31, 60]
    parts = [moments_of(X[a:b], y[a:b], weights[a:b]) for a, b in pairwise(cuts)]
    total, mean, products = exact_moments(np.hstack([X, y]), weights)
    for merged in (reduce(Moments.merge, parts), merge_in_pairs(parts)):
        assert merged.n_rows == np.count_nonzero(weights)
        assert merged.weight == pytest.approx(total, rel=1e-14)
        np.testing.assert_allclose(merged.mean, mean, rtol=1e-14, atol=1e-16)
        # Rounding of X itself, which is 1e-9 of its spread at 1e7, is no excuse: it is the data.
        np.testing.assert_allclose(merged.products, products, rtol=0, atol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_merged_moments_of_columns(container):
    rng = np.random.default_rng(6)
    X, weights = rng.standard_normal((60, 3)), rng.random(60) * (rng.random(60) < 0.8)
    X += np.linspace(0.0, 9.0, 60)[:, None]  # means of the parts are not close to each other
    cuts = [0, 7, 7, 30, 31, 60]
    parts = [column_moments_of(container(X[a:b]), weights[a:b]) for a, b in pairwise(cuts)]
    total, mean, products = exact_moments(X, weights)
    for merged in (reduce(ColumnMoments.merge, parts), merge_in_pairs(parts)):
        assert merged.weight == pytest.approx(total, rel=1e-14)
        np.testing.assert_allclose(merged.mean, mean, rtol=1e-13)
        np.testing.assert_allclose(merged.squares, products.diagonal(), rtol=1e-12)


def test_no_rows_and_rows_without_weight_are_neutral():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((9, 2)), rng.standard_normal((9, 1))
    moments = moments_of(X, y)
    for none in (moments_of(X[:0], y[:0]), moments_of(X, y, np.zeros(9)), Moments.of_none(3)):
        for merged in (moments.merge(none), none.merge(moments)):
            for got, expected in zip(merged, moments, strict=True):
                np.testing.assert_array_equal(got, expected)


def test_sparse_blocks_have_the_moments_of_dense_ones():
    rng = np.random.default_rng(2)
    X = sparse.random(80, 6, density=0.3, random_state=rng, format="csr")
    y, weights = rng.standard_normal((80, 2)), rng.random(80)
    got, expected = moments_of(X, y, weights), moments_of(X.toarray(), y, weights)
    assert got.n_rows == expected.n_rows
    assert got.weight == pytest.approx(expected.weight, rel=1e-14)
    np.testing.assert_allclose(got.mean, expected.mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(got.products, expected.products, rtol=1e-12, atol=1e-13)


def far_from_zero(rng, n):
    """Columns of ordinary size whose means, or first rows, are of quite another one."""
    X = rng.standard_normal((n, 5)) + np.array([0.0, 1e6, -1e9, 0.0, 1e6])
    X[:, 4] += np.linspace(0.0, 1.0, n)
    return X, rng.standard_normal((n, 1)) + 1e5


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("small", [0.0, 1e-30])
def test_columns_far_from_zero_and_rows_of_no_account_cost_no_digits(container, small):
    rng = np.random.default_rng(4)
    X, y = far_from_zero(rng, 80)
    weights = rng.random(80)
    weights[[0, 5]] = small
    X[[0, 5], [0, 3]] = 1e9, -1e12
    moments = moments_of(container(X), y, weights)
    rows, v = np.hstack([X, y]).astype(np.longdouble), weights.astype(np.longdouble)
    mean = v @ rows / v.sum()
    products = ((rows - mean) * v[:, None]).T @ (rows - mean)
    np.testing.assert_allclose(moments.mean, mean.astype(float), rtol=1e-13, atol=1e-13)
    size = np.sqrt(products.diagonal())
    difference = (moments.products - products) / np.multiply.outer(size, size)
    assert np.abs(difference).max() < 1e-12
    columns = column_moments_of(container(X), weights)
    np.testing.assert_allclose(columns.squares, products.diagonal()[:5].astype(float), rtol=1e-12)
    assert not columns.constant.any()


def test_an_origin_that_is_far_away_is_left():
    """Of the first rows, which take part, but hardly: so far that the next one is far away, too."""
    X = np.random.default_rng(5).standard_normal((2**20, 1))
    X[: 2**19] *= 1e30
    weights = np.repeat([1e-100, 1.0], 2**19)
    moments = moments_of(X, X, weights)
    assert moments.products[0, 0] == pytest.approx(weights @ X[:, 0] ** 2, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-250, 1e-165, 1e153, 1e250])
def test_moments_under_weights_of_any_size(scale):
    rng = np.random.default_rng(6)
    X, y = rng.standard_normal((60, 2)), rng.standard_normal((60, 1))
    X[30:] += 3.0
    weights = np.full(30, scale)
    merged = moments_of(X[:30], y[:30], weights).merge(moments_of(X[30:], y[30:], weights))
    np.testing.assert_allclose(merged.products / scale, moments_of(X, y).products, rtol=1e-12)
    columns = column_moments_of(X[:30], weights).merge(column_moments_of(X[30:], weights))
    np.testing.assert_allclose(columns.squares, merged.products.diagonal()[:2], rtol=1e-12)


@pytest.mark.parametrize("centre", [True, False])
def test_compressed_rows_have_the_moments_of_each_part(centre):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((90, 5)) * np.logspace(-6, 6, 5) + np.array([0, 0, 1e5, 0, 1e9])
    X[:, 2] = 4.2  # constant
    X[:, 1] = X[:, 0] * 3e7  # dependent
    y, weights = rng.standard_normal((90, 1)) + 7.0, rng.random(90)
    cuts = [0, 30, 30, 33, 90]
    parts = [moments_of(X[a:b], y[a:b], weights[a:b]) for a, b in pairwise(cuts)]
    few = compressed(parts, 1, centre, np.float64)
    assert few.X.shape[0] < 6 * 4
    assert (few.X.origin == 0.0).all() != centre
    rows = np.hstack([few.X.values, few.targets])
    origin = np.append(few.X.origin, 0.0)
    for number in (0, 2, 3):
        chosen = few.part == number
        got = moments_of(rows[chosen, :5], rows[chosen, 5:], few.weights[chosen])
        expected = parts[number]
        assert got.weight == pytest.approx(expected.weight, rel=1e-13)
        np.testing.assert_allclose(got.mean + origin, expected.mean, rtol=1e-13)
        size = np.sqrt(expected.products.diagonal())
        size[2] = np.inf if number else 1.0
        difference = (got.products - expected.products) / np.multiply.outer(size, size)
        assert np.abs(difference).max() < (1e-13 if centre else 1e-9)  # a mean of 1e9 spreads 1e6
    constant = few.X.values[few.weights > 0.0, 2]
    assert (constant == constant[0]).all()


def test_pairs_are_merged_in_a_fixed_tree():
    class Text(str):
        def merge(self, other):
            return Text(f"({self}{other})")

    assert merge_in_pairs([]) is None
    assert merge_in_pairs(map(Text, "a")) == "a"
    assert merge_in_pairs(map(Text, "abcde")) == "(((ab)(cd))e)"
    assert merge_in_pairs(map(Text, "abcdefg")) == "(((ab)(cd))((ef)g))"


def block(number, first, n):
    return Block(number, first, np.zeros((n, 1)), np.zeros(n), np.ones(n), None)


def test_folds_of_runs_are_those_of_kfold():
    model_selection = pytest.importorskip("sklearn.model_selection")
    runs = Runs.of(23, 4)
    found = np.concatenate([runs(block(0, 0, 10)), runs(block(1, 10, 0)), runs(block(2, 10, 13))])
    for number, (_, test) in enumerate(model_selection.KFold(4).split(np.zeros((23, 1)))):
        np.testing.assert_array_equal(np.flatnonzero(found == number), test)


def test_hashed_folds_are_even_and_do_not_depend_on_other_blocks():
    hashed = Hashed(5)
    folds = [hashed(block(number, None, 2_000)) for number in range(20)]
    np.testing.assert_array_equal(hashed(block(3, None, 500)), folds[3][:500])
    assert not np.array_equal(folds[0], folds[1])
    counts = np.bincount(np.concatenate(folds), minlength=5)
    assert np.abs(counts - 8_000).max() < 5 * np.sqrt(8_000)
    # Neighbours are independent: all pairs of folds are equally frequent.
    pairs = np.concatenate([5 * fold[:-1] + fold[1:] for fold in folds])
    assert np.abs(np.bincount(pairs) - pairs.size / 25).max() < 5 * np.sqrt(pairs.size / 25)
