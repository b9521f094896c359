"""What a dead owner can leave, and what becomes of each: one test for each state of its purchase."""

from __future__ import annotations

import pytest

from registre.errors import Refused
from tests.desk import HOST_GONE, VISIBILITY, Desk

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"


def test_a_dead_owner_that_had_bought_nothing_leaves_a_job_that_waits_again(desk: Desk) -> None:
    held = desk.leased()
    desk.pass_time(VISIBILITY - 1)
    assert desk.reclaim() == []
    desk.pass_time(2)
    assert desk.reclaim() == [(held.id, "reclaimed")]
    row = desk.job(held.id)
    assert (row["status"], row["attemtps"], row["rescues"], row["lease_owner"]) == (WAITING, 1, 1, None)
    assert desk.attempts(held.id) == [(1, "reclaimed")]
    assert desk.reclaim() == []


def test_a_job_whose_every_owner_dies_ends(desk: Desk) -> None:
    [job] = desk.order(1000001, max_attempts=2)
    seats = desk.seats(1)
    outcomes = []
    for _ in range(2):
        desk.lease(seats)
        desk.pass_time(VISIBILITY + 1)
        outcomes += desk.reclaim(backoff=0)
    assert outcomes == [(job, "reclaimed"), (job, "attempts_exhausted")]
    assert desk.state(job) == (FAILED, "attempts_exhausted")
    assert desk.job(job)["attemtps"] == 2


@pytest.mark.parametrize("charged", [False, True])
def test_a_dead_owner_that_was_buying_leaves_an_ambiguous_purchase(desk: Desk, *, charged: bool) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    if charged:
        desk.charge(purchase, held)
    desk.pass_time(VISIBILITY + 1)
    assert desk.reclaim() == [(held.id, "ambiguous_purchase")]
    assert desk.state(held.id) == (FAILED, "ambiguous_purchase")
    assert desk.purchase(purchase)["state"] == "ambiguous"
    said = desk.job(held.id)["error_message"]
    assert said.startswith("The registry billed" if charged else "It is not known whether")


def test_a_void_purchase_does_not_make_a_dead_owner_suspect(desk: Desk) -> None:
    held = desk.leased()
    desk.void(desk.intend(held), held)
    desk.pass_time(VISIBILITY + 1)
    assert desk.reclaim() == [(held.id, "reclaimed")]


def test_a_secured_document_is_left_to_its_living_host(desk: Desk) -> None:
    desk.register()
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.pass_time(HOST_GONE - 1)
    desk.renew([])
    desk.pass_time(HOST_GONE - 1)
    assert desk.reclaim() == []
    assert desk.state(held.id) == (RUNNING, None)
    assert desk.deliver(purchase) == "completed"


@pytest.mark.parametrize("registered", [True, False])
def test_a_secured_document_of_a_host_that_is_gone_is_said_to_be_elsewhere_until_it_returns(
    desk: Desk, *, registered: bool
) -> None:
    if registered:
        desk.register()
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.pass_time(HOST_GONE + 1)
    assert desk.reclaim() == [(held.id, "secured_elsewhere")]
    assert desk.state(held.id) == (FAILED, "secured_elsewhere")
    with pytest.raises(Refused):
        desk.requeue(held.id)
    assert desk.deliver(purchase) == "completed"
    assert desk.state(held.id) == (DONE, None)


def test_a_row_left_in_progress_by_a_program_without_leases_gets_time_and_then_a_person(desk: Desk) -> None:
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, status, worker_id, processing_started_at) "
        "values ('acte', '25616321', 'En traitement', 'worker-3', now()) returning id::text"
    )
    assert desk.reclaim() == []
    desk.pass_time(1799)
    assert desk.reclaim() == []
    desk.pass_time(2)
    assert desk.reclaim() == [(row["id"], "ambiguous_purchase")]
    assert desk.state(row["id"]) == (FAILED, "ambiguous_purchase")


def test_a_program_without_leases_that_finishes_in_time_is_left_alone(desk: Desk) -> None:
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, status) values ('acte', '25616321', 'En traitement') "
        "returning id::text"
    )
    desk.reclaim()
    desk.meddle(row["id"], "status = 'Complété', supabase_path = 'actes/x.pdf'")
    desk.pass_time(3600)
    assert desk.reclaim() == []


def test_reclaim_takes_no_more_than_it_is_asked_to(desk: Desk) -> None:
    desk.order(*range(1000001, 1000006))
    desk.lease(desk.seats(5))
    desk.pass_time(VISIBILITY + 1)
    assert [len(desk.reclaim(limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_host_that_starts_again_ends_the_leases_of_its_former_boots_only(desk: Desk) -> None:
    desk.register("host-a", "boot-1")
    desk.order(1000001, 1000002, 1000003)
    owners = ("host-a/boot-1", "host-aa/boot-1", "host-a/boot-2")
    seats, held = {}, {}
    for owner in owners:
        if owner == "host-a/boot-2":
            desk.register("host-a", "boot-2")
        seats[owner] = desk.seats(1, owner)
        [held[owner]] = desk.lease(seats[owner], owner)
    assert [job for job, _ in desk.reclaim()] == [held["host-a/boot-1"].id]
    assert desk.renew([held["host-a/boot-1"]], seats["host-a/boot-1"], "host-a/boot-1") == []
    for owner in owners[1:]:
        assert len(desk.renew([held[owner]], seats[owner], owner)) == 2
