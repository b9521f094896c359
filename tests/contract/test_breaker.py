"""The breaker: enough failures in a row close the site for every host; one probe opens it again."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.desk import Desk, Held


def fail_site(desk: Desk, times: int = 1) -> None:
    for _ in range(times):
        desk.move("site_away", reason="503.")


def closed_until(desk: Desk) -> datetime | None:
    """When the next try is due; None while the breaker lets work through."""
    rows = [row for row in desk.gateway.call("closures", now=desk.now) if row["gate"] == "breaker"]
    return rows[0]["until"] if rows else None


def closed_for(desk: Desk) -> float | None:
    until = closed_until(desk)
    return (until - desk.now).total_seconds() if until else None


def put_off_by_the_site(desk: Desk, held: Held) -> None:
    desk.move(
        "snooze_job",
        job=held.id,
        token=held.token,
        delay_seconds=0,
        message="The site is away.",
        kind="site_unavailable",
    )


def test_failures_are_counted_and_the_third_in_a_row_closes_the_site(desk: Desk) -> None:
    fail_site(desk, 2)
    assert closed_until(desk) is None
    fail_site(desk)
    assert closed_for(desk) == 60
    [told] = desk.sql("select data from registre.events where kind = 'site.away'")
    assert told["data"]["reason"] == "503."


def test_the_rule_says_how_many(desk: Desk) -> None:
    desk.rule("breaker_failures", 1)
    fail_site(desk)
    assert closed_for(desk) == 60


def test_an_answer_between_two_failures_starts_the_count_anew(desk: Desk) -> None:
    for _ in range(4):
        fail_site(desk, 2)
        desk.move("site_answered")
    assert closed_until(desk) is None
    assert desk.sql("select kind from registre.events where kind like 'site.%%'") == [], "it never was away"


def test_failures_five_minutes_apart_are_not_in_a_row(desk: Desk) -> None:
    for _ in range(6):
        fail_site(desk)
        desk.pass_time(301)
    assert closed_until(desk) is None


def test_orders_that_had_begun_fail_without_closing_it_for_longer(desk: Desk) -> None:
    fail_site(desk, 3)
    until = closed_until(desk)
    desk.pass_time(30)
    fail_site(desk, 10)
    assert closed_until(desk) == until


def test_each_failed_probe_closes_it_for_twice_as_long_up_to_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.order(*range(1000001, 1000010))
    seats = desk.seats(1)
    fail_site(desk, 3)
    closed = [closed_for(desk)]
    for _ in range(6):
        desk.pass_time((closed[-1] or 0) + 1)
        [probe] = desk.lease(seats)
        put_off_by_the_site(desk, probe)
        closed.append(closed_for(desk))
    assert closed == [60, 120, 240, 480, 900, 900, 900]


def test_nothing_starts_while_it_is_open_and_one_probe_afterwards(desk: Desk) -> None:
    jobs = desk.order(*range(1000001, 1000006))
    here, there = desk.seats(3), desk.seats(2, owner="host-b/boot-1")
    fail_site(desk, 3)
    assert desk.lease(here) == []
    desk.pass_time(59)
    assert desk.lease(here) == []
    desk.pass_time(2)
    [probe] = desk.lease(here)
    assert desk.lease(here) == []
    assert desk.lease(there, owner="host-b/boot-1") == []
    assert desk.why(jobs[1]) == "the registry's site was failing; one order is trying it now"
    purchase = desk.intend(probe)
    desk.charge(purchase, probe)
    assert desk.closures() == []
    assert len(desk.lease(here)) == 2
    assert [
        row["kind"] for row in desk.sql("select kind from registre.events where kind like 'site.%%' order by id")
    ] == [
        "site.away",
        "site.back",
    ]


def test_a_probe_that_says_nothing_is_followed_by_another_after_two_minutes(desk: Desk) -> None:
    desk.order(1000001, 1000002)
    seats = desk.seats(2)
    fail_site(desk, 3)
    desk.pass_time(61)
    [first] = desk.lease(seats)
    desk.release(first)
    assert desk.lease(seats) == []
    desk.pass_time(121)
    assert len(desk.lease(seats)) == 1


def test_with_nothing_to_try_it_with_no_probe_is_sent(desk: Desk) -> None:
    seats = desk.seats(1)
    fail_site(desk, 3)
    desk.pass_time(61)
    assert desk.lease(seats) == []
    desk.order(1000001)
    assert len(desk.lease(seats)) == 1


def test_an_order_served_for_nothing_is_no_probe(desk: Desk) -> None:
    seats = desk.seats(1)
    [waits] = desk.order(2784195)
    [corrected] = desk.order(1000001)
    [held] = desk.lease(seats)
    assert held.id == waits
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    desk.sql("update extraction_queue set document_number = '2784195' where id = %s", corrected)
    fail_site(desk, 3)
    desk.pass_time(61)
    [other] = desk.order(1000002)
    assert [probe.id for probe in desk.lease(seats)] == [other]
    assert desk.state(corrected) == ("Complété", None)


def test_an_order_in_which_the_site_found_a_fault_proves_that_it_works(desk: Desk) -> None:
    desk.order(1000001)
    seats = desk.seats(1)
    fail_site(desk, 3)
    desk.pass_time(61)
    [probe] = desk.lease(seats)
    desk.fail(probe)
    assert desk.closures() == []


@pytest.mark.parametrize("kind", ["invalid_order", "cancelled"])
def test_an_order_that_ended_before_the_site_was_asked_proves_nothing(desk: Desk, kind: str) -> None:
    desk.order(1000001, 1000002)
    seats = desk.seats(2)
    fail_site(desk, 3)
    desk.pass_time(61)
    [probe] = desk.lease(seats)
    desk.move("fail_job", job=probe.id, token=probe.token, kind=kind, message="no")
    assert [gate for gate, *_ in desk.closures()] == ["breaker"]
    assert desk.lease(seats) == []


def test_a_person_may_open_it(desk: Desk) -> None:
    fail_site(desk, 3)
    assert desk.resume("site")
    assert desk.closures() == []
    assert not desk.resume("site"), "two failures are no closed gate"
    fail_site(desk, 2)
    assert not desk.resume("site")


def test_one_that_opens_is_told_with_a_ring_so_that_nobody_waits_for_the_next_look(desk: Desk) -> None:
    fail_site(desk, 3)
    desk.sql("listen registre_jobs")
    desk.move("site_answered")
    [notice] = list(desk.connection.notifies(timeout=5, stop_after=1))
    assert notice.channel == "registre_jobs"
