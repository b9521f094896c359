"""How orders ended lately: what dashboards draw.

Invariant: `completed` counts orders that took work, not those served by a document already owned; durations are theirs, in
seconds, from the start of the last attempt to the document in its bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Span(StrEnum):
    """How far back is looked."""

    HOUR = "hour"
    DAY = "day"

    @property
    def step_seconds(self) -> int:
        return 60 if self is Span.HOUR else 3600

    @property
    def buckets(self) -> int:
        return 60 if self is Span.HOUR else 24


@dataclass(frozen=True, slots=True)
class Beat:
    """One stretch of time, `at` its start. The last one of a pulse is still under way."""

    at: datetime
    completed: int
    failed: int
    p50_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """A span as a whole, and stretch by stretch, oldest first."""

    span: Span
    completed: int
    failed: int
    p50_seconds: float | None
    p95_seconds: float | None
    beats: tuple[Beat, ...]


MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of error: how many orders ended so, counted up to `MOST_COUNTED`, and the newest of them: its source, its
    sentence, when it ended."""

    kind: str
    jobs: int
    is_exact: bool
    source: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Measure:
    """Of so many late cases the middle one and the 95th of a hundred, in seconds."""

    name: str
    number: int
    p50_seconds: float
    p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """`wait` is from an order's insertion to its first lease; `steps` how long each step of an attempt took; `oldest` how long
    the oldest waiting order of each source waits, and `running` how long the oldest attempt lasts, in seconds."""

    wait: Measure | None
    steps: tuple[Measure, ...]
    oldest: Mapping[str, float]
    running: float | None
