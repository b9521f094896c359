"""Backoff: how long a failed attempt waits before the next."""

from __future__ import annotations

import random
from datetime import timedelta

BASE = timedelta(seconds=10)
CAP = timedelta(minutes=15)


def backoff(
    attempt: int, *, base: timedelta = BASE, cap: timedelta = CAP, chance: random.Random | None = None
) -> timedelta:
    """`base` doubled for each attempt after the first, at most `cap`, times a jitter of 0.8 to 1.2."""
    jitter = (chance or random.Random()).uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
    doublings = min(max(attempt, 1) - 1, 16)
    return min(cap, base * float(2**doublings)) * jitter
