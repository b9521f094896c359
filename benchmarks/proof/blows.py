"""Every blow a host can take, and the order in which a seed deals them.

Invariant: equal seeds deal equal blows; each kind comes once before any comes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

BREATH_SECONDS = (1.0, 6.0)
"""Between recovery and the next blow."""


class Blow(StrEnum):
    """The value is what a report calls it."""

    WORKER = "worker killed"
    TASKS = "tasks killed"
    API = "API killed"
    CHROMIUM = "Chromium killed"
    DRIVER = "Playwright's driver killed"
    POSTGRES = "PostgreSQL killed"
    BROKER = "broker killed"
    FORGETFUL_BROKER = "broker emptied"
    LINE_CUT = "line to the database cut"
    LINE_SILENT = "line to the database silent"
    LINE_SLOW = "line to the database slow"
    BUCKET_FAILING = "bucket answers 503"
    BUCKET_SLOW = "bucket slow"
    DISK_FULL = "spool's disk full"
    CLOCK_FORWARD = "worker's clock two hours ahead"
    CLOCK_BACK = "worker's clock two hours behind"
    DRAIN = "worker drained and started again"
    RESTART = "every program restarted"


LASTS_SECONDS = {
    Blow.POSTGRES: 2.0,
    Blow.BROKER: 2.0,
    Blow.LINE_CUT: 5.0,
    Blow.LINE_SILENT: 14.0,  # longer than a lease holds
    Blow.LINE_SLOW: 10.0,
    Blow.BUCKET_FAILING: 8.0,
    Blow.BUCKET_SLOW: 8.0,
    Blow.DISK_FULL: 8.0,
    Blow.CLOCK_FORWARD: 8.0,
    Blow.CLOCK_BACK: 8.0,
}
"""Those that are not in here are over when they are dealt."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """One blow, or two at once; and how long the host may breathe before it."""

    blows: tuple[Blow, ...]
    breath_seconds: float

    @property
    def lasts_seconds(self) -> float:
        return max(LASTS_SECONDS.get(blow, 0.0) for blow in self.blows)


def deal(seed: int, without: frozenset[Blow] = frozenset()) -> Iterator[Dealt]:
    """For ever. Once each kind came alone, one in four brings a second one along."""
    chance = Random(f"blows/{seed}")
    kinds = [blow for blow in Blow if blow not in without]
    first = True
    while True:
        chance.shuffle(kinds)
        for blow in kinds:
            second = chance.choice([other for other in kinds if other is not blow])
            together = not first and chance.random() < 0.25
            yield Dealt((blow, second) if together else (blow,), chance.uniform(*BREATH_SECONDS))
        first = False
