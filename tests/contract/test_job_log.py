"""What workers logged about orders: kept by order, and bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from registre.job import JobId, LogLine, Order
from registre.ports import JobQueue, LogBook
from tests.actors.host import request_of
from tests.memory.store import MemoryStore

NOBODY = JobId("00000000-0000-0000-0000-000000000000")
MOST = 200


@dataclass(slots=True)
class Clock:
    now: datetime = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """The two ports that are needed, and their clock."""

    log: LogBook
    queue: JobQueue
    clock: Clock

    def order(self, number: int) -> JobId:
        return self.queue.submit([Order(request_of(number))])[0]

    def line(self, job_id: JobId, text: str) -> LogLine:
        return LogLine(job_id, self.clock.now, "host-a", "INFO", text)

    def texts(self, job_id: JobId) -> list[str]:
        return [line.text for line in self.log.of(job_id)]


@pytest.fixture(params=["postgres", "memory"])
def kept(request: pytest.FixtureRequest) -> Kept:
    clock = Clock()
    if request.param == "memory":
        memory = MemoryStore(lambda: clock.now)
        return Kept(memory.log, memory.queue, clock)
    store_at: Callable[..., MemoryStore] = request.getfixturevalue("store_at")
    store = store_at(lambda: clock.now)
    return Kept(store.log, store.queue, clock)


def test_a_line_is_kept_with_its_order_and_one_about_no_order_with_none(kept: Kept) -> None:
    one, other = kept.order(1_000_001), kept.order(1_000_002)
    kept.log.keep([])
    first = kept.line(one, "première ligne")
    kept.log.keep([first, kept.line(NOBODY, "x"), kept.line(other, "b"), kept.line(one, "a")])
    kept.log.keep([kept.line(one, "last")])
    assert kept.log.of(one)[0] == first
    assert kept.texts(one) == ["première ligne", "a", "last"]
    assert (kept.texts(other), kept.texts(NOBODY)) == (["b"], [])


def test_the_newest_lines_of_an_order_stay_and_none_is_longer_than_a_screen(kept: Kept) -> None:
    one, other = kept.order(1_000_001), kept.order(1_000_002)
    kept.log.keep([kept.line(other, "x" * 2000)])
    kept.log.keep([kept.line(one, str(n)) for n in range(MOST - 1)])
    kept.log.keep([kept.line(one, str(n)) for n in range(MOST - 1, MOST + 50)])
    assert kept.texts(one) == [str(n) for n in range(50, MOST + 50)]
    assert kept.texts(other) == ["x" * 500]


def test_lines_of_another_month_are_let_go(kept: Kept) -> None:
    one = kept.order(1_000_001)
    kept.log.keep([kept.line(one, "old")])
    kept.clock.now += timedelta(days=29)
    kept.log.keep([kept.line(one, "new")])
    assert kept.texts(one) == ["old", "new"]
    kept.clock.now += timedelta(days=2)
    kept.log.keep([kept.line(one, "newest")])
    assert kept.texts(one) == ["new", "newest"]
