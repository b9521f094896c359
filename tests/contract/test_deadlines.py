"""Orders that may not start yet, orders that came too late, and attempts that run too long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk import VISIBILITY, Desk

DONE, FAILED = "Complété", "Erreur"


def test_an_order_for_later_waits_until_its_time(desk: Desk) -> None:
    [job] = desk.order(1000001, not_before=desk.now + timedelta(hours=2))
    [now] = desk.order(1000002)
    seats = desk.seats(2)
    assert [held.id for held in desk.lease(seats)] == [now]
    assert desk.why(job).startswith("put off until ")
    desk.pass_time(7199)
    assert desk.lease(seats) == []
    desk.pass_time(1)
    assert [held.id for held in desk.lease(seats)] == [job]


def test_an_order_for_a_time_gone_by_is_due_at_once(desk: Desk) -> None:
    [job] = desk.order(1000001, not_before=desk.now - timedelta(hours=2))
    assert desk.job(job)["is_due"]
    assert [held.id for held in desk.lease(desk.seats(1))] == [job]


@pytest.mark.parametrize("gate", ["no gate", "a gate of others"])
def test_an_order_not_started_by_its_deadline_is_never_started_and_ends(desk: Desk, gate: str) -> None:
    if gate != "no gate":
        desk.pause("client", "somebody else")
    [job] = desk.order(1000001, deadline=desk.now + timedelta(minutes=1))
    seats = desk.seats(1)
    desk.pass_time(60)
    assert desk.lease(seats) == []
    assert desk.why(job) == "its deadline has passed: it is about to end"
    assert desk.reclaim() == [(job, "deadline_passed")]
    assert desk.state(job) == (FAILED, "deadline_passed")
    assert desk.job(job)["error_message"].startswith("The order was not started by its deadline, ")


def test_an_order_started_in_time_is_carried_through(desk: Desk) -> None:
    desk.order(2784195, deadline=desk.now + timedelta(seconds=50))
    [held] = desk.lease(desk.seats(1))
    desk.pass_time(55)
    assert desk.reclaim() == []
    purchase = desk.intend(held)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"


def test_an_order_given_back_after_its_deadline_ends(desk: Desk) -> None:
    desk.order(2784195, deadline=desk.now + timedelta(seconds=50))
    [held] = desk.lease(desk.seats(1))
    desk.pass_time(55)
    desk.release(held)
    assert desk.lease(desk.seats(1)) == []
    assert desk.reclaim() == [(held.id, "deadline_passed")]


def test_an_order_for_later_whose_deadline_comes_first_ends(desk: Desk) -> None:
    [job] = desk.order(
        1000001, not_before=desk.now + timedelta(hours=2), deadline=desk.now + timedelta(hours=1), max_attempts=1
    )
    desk.pass_time(3601)
    assert desk.reclaim() == [(job, "deadline_passed")]


def test_a_person_who_puts_it_back_lifts_the_deadline(desk: Desk) -> None:
    [job] = desk.order(1000001, deadline=desk.now + timedelta(minutes=1))
    desk.pass_time(61)
    desk.reclaim()
    desk.requeue(job)
    assert [held.id for held in desk.lease(desk.seats(1))] == [job]


def test_only_as_many_are_ended_at_once_as_asked_for(desk: Desk) -> None:
    desk.order(*range(1000001, 1000008), deadline=desk.now + timedelta(minutes=1))
    desk.pass_time(61)
    assert [len(desk.reclaim(limit=3)) for _ in range(4)] == [3, 3, 1, 0]


def test_of_orders_that_are_due_the_urgent_come_first_whenever_they_became_due(desk: Desk) -> None:
    [plain] = desk.order(1000001)
    [later] = desk.order(1000002, priority=5, not_before=desk.now + timedelta(seconds=30))
    desk.pass_time(31)
    assert [held.id for held in desk.lease(desk.seats(2))] == [later, plain]


# -- attempts


def test_an_attempt_past_its_own_deadline_is_told_so_kept_once_more_and_then_lost(desk: Desk) -> None:
    desk.rule("attempt_seconds", 100)
    held = desk.leased()
    told = []
    for seconds in (50, 49, 1, 59):  # 50, 99, 100, 159 after the lease
        desk.pass_time(seconds)
        [row] = desk.renew([held])
        told.append(row["overdue"])
    assert told == [False, False, True, True]
    desk.pass_time(1)
    assert desk.renew([held]) == []
    desk.pass_time(VISIBILITY)
    assert desk.reclaim() == [(held.id, "reclaimed")]
    assert desk.job(held.id)["attempt_until"] is None


def test_an_overdue_attempt_that_is_stopped_in_order_is_consumed_and_the_next_has_its_own_time(desk: Desk) -> None:
    desk.rule("attempt_seconds", 100)
    held = desk.leased()
    for _ in range(3):
        desk.pass_time(40)
        desk.renew([held])
    desk.move("retry_job", job=held.id, token=held.token, kind="overdue", message="It took too long.", delay_seconds=0)
    [again] = desk.lease(desk.seats(1))
    assert again.attempt == 2
    desk.pass_time(50)
    assert [row["overdue"] for row in desk.renew([again])] == [False]


def test_what_was_bought_by_an_overdue_attempt_is_not_lost(desk: Desk) -> None:
    desk.rule("attempt_seconds", 30)
    held = desk.leased()
    purchase = desk.intend(held)
    desk.pass_time(59)
    desk.renew([held])
    desk.pass_time(59)
    assert desk.renew([held]) == []
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"
    assert desk.state(held.id) == (DONE, None)
