"""Facts: a row is the fold of its own, a reader by cursor gets each once and in an order in which they fold, and is rung."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from registre.errors import Refused
from registre.job import Event, JobId
from registre.store.views import Reading
from registre.wiring import Store
from tests.desk import Desk

KEYS = ("status", "attempts", "error_kind", "path", "cost_cents")


def fold(events: list[Event], job: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for event in events:
        if event.job_id == job:
            told.update({key: event.data[key] for key in KEYS if key in event.data})
    return told


def row(desk: Desk, job: str) -> dict[str, Any]:
    held = desk.job(job)
    return {
        "status": held["status"],
        "attempts": held["attemtps"],
        "error_kind": held["error_kind"],
        "path": held["supabase_path"],
        "cost_cents": held["cost_cents"],
    }


def test_the_story_of_a_job_tells_its_row_whole(desk: Desk, store: Store) -> None:
    held, purchase = desk.ambiguous()
    assert fold(store.views.story(JobId(held.id)), held.id) == row(desk, held.id)
    desk.settle(held.id, "rebuy", billed=False)
    assert fold(store.views.story(JobId(held.id)), held.id) == row(desk, held.id)
    [again] = desk.lease(desk.seats(1))
    purchase = desk.intend(again)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert fold(store.views.story(JobId(held.id)), held.id) == row(desk, held.id)
    assert row(desk, held.id)["path"] == "index/2784195.pdf"


def test_a_document_kept_beside_a_job_that_ended_otherwise_is_not_its_path(desk: Desk, store: Store) -> None:
    held, purchase = desk.ambiguous()
    desk.settle(held.id, "abandon")
    desk.secure(purchase)
    assert desk.deliver(purchase) == "kept"
    assert fold(store.views.story(JobId(held.id)), held.id) == row(desk, held.id)
    assert row(desk, held.id)["path"] is None


def test_the_end_of_a_transaction_that_began_first_is_read_last(desk: Desk, dsn: str) -> None:
    """As a host's lease_next that began before another host gave the job back, and then took it."""
    held = desk.leased()
    views = Reading(desk.gateway)
    with psycopg.connect(dsn) as early:
        early.execute("select pg_current_xact_id()")
        desk.fail(held)
        seen = views.events_after("")
        early.execute("select registre.requeue_job(%s, 'a test')", [held.id])
        early.commit()
    seen += views.events_after(seen[-1].cursor)
    assert fold(seen, held.id) == row(desk, held.id)
    assert row(desk, held.id)["status"] == "En attente"


def test_pages_of_any_size_give_each_fact_once_while_transactions_end_in_any_order(desk: Desk, dsn: str) -> None:
    views = Reading(desk.gateway)
    insert = "insert into extraction_queue (document_source, document_number) values ('acte', %s)"
    seen: list[Event] = []
    cursor = ""

    def read(limit: int) -> None:
        nonlocal cursor
        page = views.events_after(cursor, limit)
        seen.extend(page)
        cursor = page[-1].cursor if page else cursor

    with psycopg.connect(dsn) as one, psycopg.connect(dsn) as two, psycopg.connect(dsn) as three:
        others = [one, two, three]
        for turn in range(24):
            others[turn % 3].execute(insert, [f"open {turn}"])
            desk.sql(insert, f"closed {turn}")
            read(1 + turn % 3)
            if turn % 4 == 3:
                others[(turn * 7) % 3].commit()
        for other in others:
            other.commit()
    while before := len(seen):
        read(2)
        if len(seen) == before:
            break
    everything = desk.sql("select data->>'number' as number from registre.events order by id")
    numbers = [event.data["number"] for event in seen]
    assert sorted(numbers) == sorted(each["number"] for each in everything)
    assert len(set(numbers)) == len(numbers) == 48


def test_a_reader_may_begin_after_any_fact_of_a_story(desk: Desk, store: Store) -> None:
    held = desk.leased()
    desk.fail(held)
    submitted, leased, failed = store.views.story(JobId(held.id))
    assert [event.kind for event in store.views.events_after(leased.cursor)] == [failed.kind]
    assert store.views.events_after(failed.cursor) == []
    assert leased.kind in [event.kind for event in store.views.events_after(submitted.cursor)]


def test_a_reader_may_begin_at_the_end_and_gets_what_comes_and_nothing_else(desk: Desk, store: Store, dsn: str) -> None:
    assert store.views.events_after(store.views.events_end()) == []
    desk.order(1000001, 1000002)
    last = store.views.last_events(2)
    assert [event.data["number"] for event in last] == ["1000001", "1000002"]
    assert [event.data["number"] for event in store.views.events_after(last[0].cursor)] == ["1000002"]
    with psycopg.connect(dsn) as early:
        early.execute("insert into extraction_queue (document_source, document_number) values ('acte', 'early')")
        desk.order("late")
        end = store.views.events_end()
        assert end.endswith(last[-1].cursor.rpartition("-")[2]), (
            "what waits for an open transaction has not happened yet"
        )
        early.commit()
    assert [event.data["number"] for event in store.views.events_after(end)] == ["early", "late"]


@pytest.mark.parametrize("cursor", ["x", "1-2", "1-2-x", "-"])
def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Refused):
        store.views.events_after(cursor)


# -- the bell


def rings(desk: Desk, listener: psycopg.Connection[Any], act: Any) -> int:
    """How often the events' bell rings through `act`; the last notice is the test's own."""
    act()
    desk.sql("notify registre_events, 'last'")
    for heard, notice in enumerate(listener.notifies(timeout=20)):
        if notice.payload == "last":
            return heard
    raise AssertionError("the listener heard nothing")


@pytest.fixture
def listener(dsn: str) -> Any:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("listen registre_events")
        yield connection


def quiet(desk: Desk, milliseconds: int) -> None:
    """The bell rang so long ago; negative: by a clock that has been put back since."""
    desk.sql(
        "select setval('registre.bell', (extract(epoch from clock_timestamp()) * 1000)::bigint - %s)", milliseconds
    )


def test_a_lone_fact_rings(desk: Desk, listener: psycopg.Connection[Any]) -> None:
    [job] = desk.order(1000001)
    quiet(desk, 100)
    assert rings(desk, listener, lambda: desk.cancel(job)) >= 1


def test_a_fact_rings_although_the_clock_was_put_back(desk: Desk, listener: psycopg.Connection[Any]) -> None:
    [job] = desk.order(1000001)
    quiet(desk, -3_600_000)
    assert rings(desk, listener, lambda: desk.cancel(job)) >= 1


def test_many_facts_at_once_ring_ten_times_a_second_and_no_more(desk: Desk, listener: psycopg.Connection[Any]) -> None:
    [began] = desk.sql("select clock_timestamp() as at")

    def tell() -> None:
        # Longer than the longest silence, which a ring just before may have begun.
        for _ in range(500):
            desk.sql("select registre.emit('test', null, '{}', now())")
        while desk.sql("select clock_timestamp() - %s < interval '0.3 s' as young", began["at"])[0]["young"]:
            desk.sql("select registre.emit('test', null, '{}', now())")

    heard = rings(desk, listener, tell)
    [ended] = desk.sql("select clock_timestamp() as at")
    seconds = (ended["at"] - began["at"]).total_seconds()
    assert 1 <= heard <= seconds * 10 + 1
