"""Random problems of every kind against an oracle that shares no code with the package."""

import pytest
import random_problems


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_fifty_random_problems(first):
    wrong = [line for seed in range(first, first + 50) for line in random_problems.check(seed)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("first", [0, 50])
def test_fifty_random_problems_of_every_kind(first):
    found = [random_problems.examine(seed, "all") for seed in range(first, first + 50)]
    wrong = [line for lines, _ in found for line in lines]
    assert not wrong, "\n".join(wrong)
    assert sum(warned for _, warned in found) <= 1


def test_what_shrinks_beside_an_exact_fit_is_zero():
    """Features without penalty fit y to rounding, so that f says nothing of the others."""
    wrong, warned = random_problems.examine(401217, "all")
    assert not wrong
    assert not warned
