"""The first pass over blocks: what is counted, and which rows are in the sample."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from hplasso._design.source import Block, merge_in_pairs
from hplasso._design.survey import Survey, SurveyKernel


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_kept", [15, 100])
def test_the_sample_has_the_rows_of_the_smallest_hashes_that_have_weight(n_kept, container):
    rng = np.random.default_rng(0)
    X, y, offset = rng.standard_normal((60, 2)), rng.random(60), rng.random(60)
    weights = rng.random(60) * (rng.random(60) < 0.8)
    blocks = [
        Block(number, a, container(X[a:b]), y[a:b], weights[a:b], offset[a:b])
        for number, (a, b) in enumerate(pairwise([0, 20, 20, 29, 60]))
    ]
    surveys = [SurveyKernel(False, n_kept, n_kept)(block) for block in blocks]
    keys = np.concatenate([block.keys for block in blocks])
    chosen = [row for row in np.argsort(keys) if weights[row] > 0.0][:n_kept]
    for survey in (reduce(Survey.merge, surveys), merge_in_pairs(surveys)):
        sample = survey.sample
        found = np.argsort(sample.keys)
        np.testing.assert_array_equal(sample.keys[found], keys[chosen])
        rows = sample.X.toarray() if sparse.issparse(sample.X) else sample.X
        for got, expected in (
            (rows, X),
            (sample.y, y),
            (sample.weights, weights),
            (sample.offset, offset),
        ):
            np.testing.assert_array_equal(got[found], expected[chosen])
        assert survey.n_rows == np.count_nonzero(weights)
        assert survey.complete == (n_kept == 100)
        assert survey.range == pytest.approx((y.min(), y.max(), weights @ y), rel=1e-14)


def test_the_weights_of_classes():
    labels, weights = np.array(["b", "a", "b", "c", "a"]), np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    kernel = SurveyKernel(True, 5, 5)
    parts = [
        kernel(Block(0, a, np.ones((b - a, 1)), labels[a:b], weights[a:b], None))
        for a, b in pairwise([0, 2, 5])
    ]
    assert parts[0].merge(parts[1]).totals == {"a": 18.0, "b": 5.0, "c": 8.0}
