"""What a person may do to a job, and what nobody may."""

from __future__ import annotations

import pytest

from registre.errors import NotFound, Refused
from tests.desk import VISIBILITY, Desk, End

WAITING, RUNNING, FAILED = "En attente", "En traitement", "Erreur"


def test_a_waiting_job_is_cancelled_at_once(desk: Desk) -> None:
    [job] = desk.order(1000001)
    assert desk.cancel(job) == "cancelled"
    assert desk.state(job) == (FAILED, "cancelled")
    assert desk.lease(desk.seats(1)) == []
    with pytest.raises(Refused):
        desk.cancel(job)


@pytest.mark.parametrize("end", [Desk.release, Desk.snooze, Desk.retry], ids=["release", "snooze", "retry"])
def test_a_running_job_that_was_cancelled_never_waits_again(desk: Desk, end: End) -> None:
    held = desk.leased()
    assert desk.cancel(held.id) == "requested"
    assert desk.state(held.id) == (RUNNING, None)
    end(desk, held)
    assert desk.state(held.id) == (FAILED, "cancelled")


def test_a_cancelled_job_of_a_dead_owner_never_waits_again(desk: Desk) -> None:
    held = desk.leased()
    desk.cancel(held.id)
    desk.pass_time(VISIBILITY + 1)
    desk.reclaim()
    assert desk.state(held.id) == (FAILED, "cancelled")


def test_a_cancelled_job_buys_nothing(desk: Desk) -> None:
    held = desk.leased()
    desk.cancel(held.id)
    assert desk.intend(held) == "cancelled"
    assert desk.sql("select * from registre.purchases") == []


def test_a_job_can_be_cancelled_again_once_its_purchase_is_void(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    with pytest.raises(Refused):
        desk.cancel(held.id)
    desk.void(purchase, held)
    assert desk.cancel(held.id) == "requested"


def test_a_row_put_back_by_another_program_is_not_cancelled_while_its_document_is_bought(desk: Desk) -> None:
    held = desk.leased()
    desk.secure(desk.intend(held))
    desk.meddle(held.id, "status = 'En attente'")
    with pytest.raises(Refused):
        desk.cancel(held.id)


def test_a_failed_job_put_back_has_fresh_attempts(desk: Desk) -> None:
    [job] = desk.order(1000001, max_attempts=1)
    seats = desk.seats(1)
    [held] = desk.lease(seats)
    desk.retry(held)
    assert desk.state(job) == (FAILED, "attempts_exhausted")
    desk.requeue(job)
    row = desk.job(job)
    assert (row["status"], row["attemtps"], row["rescues"], row["error_kind"]) == (WAITING, 0, 0, None)
    assert [held.attempt for held in desk.lease(seats)] == [1]


def test_a_job_that_broke_every_browser_is_really_tried_again_when_a_person_says_so(desk: Desk) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(1)
    for _ in range(11):
        [held] = desk.lease(seats)
        desk.snooze(held, delay=0, rescued=True)
    desk.requeue(job)
    [held] = desk.lease(seats)
    desk.snooze(held, delay=0, rescued=True)
    assert desk.state(job) == (WAITING, None)


def test_only_a_failed_job_is_put_back(desk: Desk) -> None:
    [job] = desk.order(1000001)
    with pytest.raises(Refused):
        desk.requeue(job)
    held, *_ = desk.lease(desk.seats(1))
    with pytest.raises(Refused):
        desk.requeue(job)
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    with pytest.raises(Refused):
        desk.requeue(job)


def test_a_reason_overwritten_by_another_program_does_not_make_a_doubtful_purchase_retriable(desk: Desk) -> None:
    held, _ = desk.ambiguous()
    desk.meddle(held.id, "error_kind = null, error_message = 'timeout'")
    with pytest.raises(Refused):
        desk.requeue(held.id)


def test_a_job_nobody_knows_is_not_found(desk: Desk) -> None:
    for act in (desk.cancel, desk.requeue):
        with pytest.raises(NotFound):
            act("00000000-0000-0000-0000-000000000000")
