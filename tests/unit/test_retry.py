"""Backoff grows, is bounded, and differs from one job to the next."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registre.retry import BASE, CAP, backoff


class Fixed(random.Random):
    """Chance that always answers the same point between the bounds."""

    def __init__(self, point: float) -> None:
        super().__init__(0)
        self._point = point

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self._point


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 40), (7, 640), (8, 900), (1000, 900)])
def test_each_attempt_doubles_the_wait_up_to_the_cap(attempt: int, seconds: float) -> None:
    assert backoff(attempt, chance=Fixed(0.5)).total_seconds() == pytest.approx(seconds)


@given(st.integers(-5, 10**9))
def test_every_wait_is_within_a_fifth_of_its_step(attempt: int) -> None:
    wait = backoff(attempt)
    assert BASE * 0.8 <= wait <= CAP * 1.2


def test_two_jobs_that_fail_together_do_not_come_back_together() -> None:
    chance = random.Random(7)
    assert len({backoff(3, chance=chance) for _ in range(50)}) == 50


def test_base_and_cap_may_be_given() -> None:
    assert backoff(5, base=timedelta(seconds=1), cap=timedelta(seconds=3), chance=Fixed(0.5)) == timedelta(seconds=3)
