"""Random problems of every kind against an oracle that shares no code with the package."""

import pytest
import random_problems


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_fifty_random_problems(first):
    wrong = [line for seed in range(first, first + 50) for line in random_problems.check(seed)]
    assert not wrong, "\n".join(wrong)
