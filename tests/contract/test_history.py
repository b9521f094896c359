"""The story of an order is kept for ever, or as long after its end as an operator says; its row and its ledger stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from registre.errors import Refused
from registre.job import JobId, LogLine, Order, Status
from registre.wiring import Store
from tests.contract.test_stores import ACTE, LOT
from tests.memory.store import MemoryStore

DAY = timedelta(days=1)


class Clock:
    """What the stores take for now."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta) -> None:
        self.now += duration


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["postgres", "memory"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Store:
    found: Any = request.getfixturevalue("store_at")(clock) if request.param == "postgres" else MemoryStore(clock)
    return cast(Store, found)


def cancelled(store: Store, order: Order) -> JobId:
    [job] = store.queue.submit([order])
    store.queue.cancel(job, "a test")
    return job


def kinds(store: Store, job: JobId) -> list[str]:
    return [event.kind for event in store.views.story(job)]


def test_nothing_is_forgotten_unless_an_operator_says_so(store: Store, clock: Clock) -> None:
    job = cancelled(store, Order(LOT))
    clock.advance(DAY * 4000)
    assert store.fleet.forget_history() == 0
    assert kinds(store, job) == ["job.submitted", "job.failed"]


def test_the_story_of_what_ended_long_ago_goes_and_its_row_stays(store: Store, clock: Clock) -> None:
    store.gates.set_rule("history_days", 90, "a test")
    old = cancelled(store, Order(LOT, client="a"))
    store.log.keep([LogLine(old, clock.now, "host-a", "INFO", "a page came")])
    [waits] = store.queue.submit([Order(ACTE, client="b")])
    clock.advance(DAY * 80)
    young = cancelled(store, Order(LOT, client="c"))
    assert store.fleet.forget_history() == 0, "nothing is old enough"
    clock.advance(DAY * 20)
    assert store.fleet.forget_history() == 1
    assert kinds(store, old) == []
    assert store.log.of(old) == []
    assert store.views.job(old).status is Status.FAILED
    assert kinds(store, waits) == ["job.submitted"], "an order that has not ended keeps its story however old"
    assert len(kinds(store, young)) == 2
    assert all(event.kind != "rule.changed" for event in store.views.last_events(50)), (
        "what belongs to no order goes too"
    )
    assert store.fleet.forget_history() == 0


def test_an_order_put_back_after_its_story_is_gone_has_a_new_one(store: Store, clock: Clock) -> None:
    store.gates.set_rule("history_days", 31, "a test")
    job = cancelled(store, Order(LOT))
    clock.advance(DAY * 40)
    assert store.fleet.forget_history() == 1
    store.queue.requeue(job, "a test")
    assert kinds(store, job) == ["job.requeued"]
    assert store.views.job(job).status is Status.WAITING
    assert store.fleet.forget_history() == 0


@pytest.mark.parametrize("days", [0, 30, 36_501])
def test_what_is_young_cannot_be_forgotten(store: Store, days: int) -> None:
    with pytest.raises(Refused, match="history_days"):
        store.gates.set_rule("history_days", days, "a test")
