"""How well rounding lets correlations be known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import hplasso._datafit.outputs
from hplasso._datafit.newton import CurvedTerm
from hplasso._design.factory import make_design
from hplasso._losses.softmax import make_loss


@pytest.mark.parametrize(("block", "n_special"), [(1, 1), (60, 1), (120, 2), (300, 5), (9999, 6)])
def test_rounding_is_looked_at_closely_of_a_block_of_features(block, n_special, monkeypatch):
    """Of the longest columns, if rounding could hide more than a small part of all limits."""
    monkeypatch.setattr(hplasso._datafit.outputs, "BLOCK", block)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 6)) * [1.0, 5.0, 2.0, 6.0, 3.0, 4.0], np.arange(60) % 2
    weights = np.full(60, 1 / 60)
    term = CurvedTerm(make_design(X, weights, False), make_loss(y, 2, weights), False)
    rounding, _ = term.rounding(np.arange(0), np.zeros(0), term.null_state, 1e-12)
    largest_violators = np.argsort(-np.linalg.norm(X, axis=0))[:n_special]
    assert_array_equal(np.sort(rounding.special), np.sort(largest_violators))
    assert rounding.errors.shape == (n_special,)
    assert not term.rounding(np.arange(0), np.zeros(0), term.null_state, 1.0)[0].special.size
