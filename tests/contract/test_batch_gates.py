"""What a batch closes: approval above a threshold, its own cap; and how a person ends it."""

from __future__ import annotations

import pytest

from registre.errors import NotFound, Refused
from registre.wiring import Store
from tests.desk import Desk


def test_a_batch_above_the_threshold_buys_nothing_before_a_person_approves(desk: Desk) -> None:
    desk.rule("approval_above_cents", 299)
    batch, jobs = desk.batch(1000001, 1000002)
    [free] = desk.order(1000003)
    small, [other] = desk.batch(1000004)
    seats = desk.seats(4)
    assert desk.closures() == [("approval", "batch", batch)]
    assert {held.id for held in desk.lease(seats)} == {free, other}
    desk.move("approve_batch", batch=batch, author="marie")
    assert {held.id for held in desk.lease(seats)} == set(jobs)
    for known in (batch, small):
        with pytest.raises(Refused, match="waits for no approval"):
            desk.move("approve_batch", batch=known, author="marie")
    with pytest.raises(NotFound):
        desk.move("approve_batch", batch="00000000-0000-0000-0000-000000000000", author="marie")


def test_a_batch_that_was_cancelled_closes_no_gate_until_one_of_its_jobs_is_put_back(desk: Desk) -> None:
    desk.rule("approval_above_cents", 0)
    batch, [job, _] = desk.batch(1000001, 1000002, cap=0)
    assert [gate for gate, *_ in desk.closures()] == ["approval", "budget"]
    assert desk.move("cancel_batch", batch=batch, author="marie") == [{"cancel_batch": 2}]
    assert desk.closures() == []
    desk.requeue(job)
    assert [gate for gate, *_ in desk.closures()] == ["approval", "budget"]
    assert desk.lease(desk.seats(1)) == []


def test_a_batch_that_has_spent_its_cap_and_is_over_closes_no_gate(desk: Desk) -> None:
    batch, [_] = desk.batch(2784195, cap=150)
    [held] = desk.lease(desk.seats(1))
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert desk.used("batch", batch, "total") == 150
    [row] = desk.gateway.call("list_budgets", now=desk.now)
    assert (row["used_cents"], row["cap_cents"]) == (150, 150)
    assert desk.closures() == []


def test_a_batch_is_cancelled_but_for_what_is_being_bought(desk: Desk) -> None:
    batch, jobs = desk.batch(1000001, 1000002, 1000003)
    buying, running = desk.lease(desk.seats(2))
    purchase = desk.intend(buying)
    assert desk.move("cancel_batch", batch=batch, author="marie") == [{"cancel_batch": 2}]
    assert desk.state(jobs[2]) == ("Erreur", "cancelled")
    assert [row["cancel_requested"] for row in desk.renew([buying, running])] in ([False, True], [True, False])
    assert desk.intend(running) == "cancelled"
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"


def test_a_batch_above_the_threshold_of_nothing_new_needs_no_approval(desk: Desk, store: Store) -> None:
    desk.bought(2784195)
    desk.rule("approval_above_cents", 0)
    batch, [job] = desk.batch(2784195)
    assert desk.state(job) == ("Complété", None)
    [view] = store.batches.all()
    assert (view.id, view.price_cents, view.needs_approval) == (batch, 0, False)
