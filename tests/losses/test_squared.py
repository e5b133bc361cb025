"""What squared loss knows of its targets."""

import numpy as np
import pytest

from hplasso._losses.squared import SquaredLoss


def test_a_constant_target_leaves_nothing_but_its_mean():
    weights = np.random.default_rng(0).dirichlet(np.ones(60))
    y = np.where(weights > 0.01, 0.1, np.nextafter(0.1, 1.0))
    loss = SquaredLoss(y, np.sqrt(weights), True)
    assert loss.intercept == pytest.approx(0.1)
    assert loss.square == 0.0
    assert not loss.response.any()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_response_is_the_residual_without_features(fit_intercept):
    rng = np.random.default_rng(1)
    weights, y = rng.dirichlet(np.ones(60)), 5.0 + rng.standard_normal(60)
    loss = SquaredLoss(y, np.sqrt(weights), fit_intercept)
    mean = weights @ y if fit_intercept else 0.0
    assert loss.intercept == pytest.approx(mean)
    assert loss.square == pytest.approx(weights @ (y - mean) ** 2)
    np.testing.assert_allclose(loss.response, np.sqrt(weights) * (y - mean), atol=1e-14)
