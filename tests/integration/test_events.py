"""A reader that follows by cursor misses nothing, and is rung when there is something to read."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

import psycopg
import pytest

from registre.database.gateway import DirectGateway
from registre.store.jobs import EVENTS_CHANNEL, JOBS_CHANNEL
from registre.store.views import Reading
from tests.desk import Desk
from tests.waiting import SECONDS

INSERT = "insert into extraction_queue (document_source, document_number) values ('index', %s)"
Bell = SimpleQueue[tuple[str, str]]


@pytest.fixture
def bell(gateway: DirectGateway) -> Iterator[Bell]:
    """Rung for both channels; what rings at the start has been taken off."""
    rung: Bell = SimpleQueue()
    stop = gateway.listen((JOBS_CHANNEL, EVENTS_CHANNEL), lambda channel, payload: rung.put((channel, payload)))
    assert {rung.get(timeout=SECONDS) for _ in range(2)} == {(JOBS_CHANNEL, ""), (EVENTS_CHANNEL, "")}
    yield rung
    stop()


def heard(bell: Bell, channel: str) -> bool:
    """Whether the channel rings; in the end it must."""
    while bell.get(timeout=SECONDS)[0] != channel:
        pass
    return True


def follow(views: Reading, cursor: str, limit: int = 500) -> tuple[list[str], str]:
    events = views.events_after(cursor, limit)
    return [event.data["number"] for event in events], events[-1].cursor if events else cursor


def test_a_row_of_another_program_rings(bell: Bell, desk: Desk) -> None:
    desk.sql(INSERT, "1000001")
    assert heard(bell, JOBS_CHANNEL)


def test_an_order_rings_for_workers_and_for_readers(bell: Bell, desk: Desk) -> None:
    desk.order(1000001)
    assert {bell.get(timeout=SECONDS)[0] for _ in range(2)} == {JOBS_CHANNEL, EVENTS_CHANNEL}


def test_ten_thousand_orders_ring_once(bell: Bell, desk: Desk) -> None:
    desk.order(*range(1_000_000, 1_010_000))
    desk.sql("notify registre_events, 'last'")
    rung = []
    while (last := bell.get(timeout=SECONDS)) != (EVENTS_CHANNEL, "last"):
        rung.append(last)
    assert sorted(rung) == [(EVENTS_CHANNEL, ""), (JOBS_CHANNEL, "")]


def test_a_job_given_back_rings_and_one_put_off_does_not(bell: Bell, desk: Desk) -> None:
    seats = desk.seats(1)
    desk.order(1000001)
    [held] = desk.lease(seats)
    desk.snooze(held, delay=60)
    desk.sql("notify registre_events, 'put off'")
    rung = []
    while (last := bell.get(timeout=SECONDS)) != (EVENTS_CHANNEL, "put off"):
        rung.append(last[0])
    assert rung.count(JOBS_CHANNEL) <= len(seats) + 1, "only the account and the order rang"
    desk.pass_time(61)
    [again] = desk.lease(seats)
    desk.release(again)
    assert heard(bell, JOBS_CHANNEL)


def test_a_listener_whose_connection_broke_rings_and_hears_again(bell: Bell, desk: Desk) -> None:
    desk.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %%'"
    )
    assert heard(bell, JOBS_CHANNEL), "what was missed meanwhile is unknown"
    assert heard(bell, EVENTS_CHANNEL)
    desk.sql(INSERT, "1000001")
    assert heard(bell, JOBS_CHANNEL)


def test_a_commit_that_becomes_visible_late_is_not_skipped(desk: Desk, dsn: str) -> None:
    views = Reading(desk.gateway)
    with psycopg.connect(dsn) as late:
        late.execute(INSERT, ["1"])
        desk.sql(INSERT, "2")
        seen, cursor = follow(views, "")
        assert seen == [], "what was committed after a transaction still under way waits for it"
        late.commit()
        seen, cursor = follow(views, cursor)
        assert seen == ["1", "2"]
        assert follow(views, cursor) == ([], cursor)


def test_a_transaction_given_up_holds_nobody_back(desk: Desk, dsn: str) -> None:
    views = Reading(desk.gateway)
    with psycopg.connect(dsn) as late:
        late.execute(INSERT, ["1"])
        desk.sql(INSERT, "2")
        late.rollback()
        assert follow(views, "")[0] == ["2"]


def test_every_event_is_read_once_whatever_the_page(desk: Desk) -> None:
    views = Reading(desk.gateway)
    desk.order(*range(1000001, 1000008))
    for number in range(8, 11):
        desk.sql(INSERT, str(number))
    everything, _ = follow(views, "")
    assert len(everything) == 10
    cursor, paged = "", []
    while True:
        seen, cursor = follow(views, cursor, limit=3)
        if not seen:
            break
        paged += seen
    assert paged == everything
