"""What the ledger promises: one live purchase of one document, nothing forgotten, a file always outweighs a doubt."""

from __future__ import annotations

import pytest

from registre.errors import LeaseLost, NotFound, Refused
from tests.desk import FEE, HOST, VISIBILITY, Desk, Held

RUNNING, DONE, FAILED = "En traitement", "Complété", "Erreur"


def test_a_purchase_goes_from_intent_to_delivery_and_completes_its_job(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    assert (desk.purchase(purchase)["state"], desk.job(held.id)["cost_cents"]) == ("intended", 0)
    desk.charge(purchase, held, "Lot inactif")
    assert (desk.purchase(purchase)["state"], desk.job(held.id)["cost_cents"]) == ("charged", FEE)
    assert desk.secure(purchase) == "secured"
    assert desk.job(held.id)["lease_until"] is None, "from here on the job needs no lease"
    assert desk.deliver(purchase) == "completed"
    row = desk.job(held.id)
    assert (row["status"], row["supabase_path"], row["cost_cents"]) == (DONE, "index/2784195.pdf", FEE)
    assert row["notes"] == ["Lot inactif"]
    assert row["finished_at"] == desk.now
    assert desk.attempts(held.id) == [(1, "secured")]


def test_a_second_order_for_a_document_being_bought_waits_until_it_is_void(desk: Desk) -> None:
    first, second = desk.two_of_one_document()
    purchase = desk.intend(first)
    assert desk.intend(second) == "in_progress"
    desk.void(purchase, first)
    assert desk.purchase(desk.intend(second))["state"] == "intended"
    assert desk.intend(first) == "in_progress"


@pytest.mark.parametrize("state", ["charged", "secured"])
def test_a_document_bought_and_not_yet_delivered_is_not_bought_again(desk: Desk, state: str) -> None:
    first, second = desk.two_of_one_document()
    purchase = desk.intend(first)
    desk.charge(purchase, first)
    if state == "secured":
        desk.secure(purchase)
    assert desk.intend(second) == "in_progress"


def test_different_documents_are_bought_side_by_side(desk: Desk) -> None:
    desk.order(2784195, 2784196)
    first, second = desk.lease(desk.seats(2))
    assert len({desk.intend(first), desk.intend(second), "in_progress"}) == 3


@pytest.mark.parametrize("state", ["intended", "charged", "secured"])
def test_a_job_does_not_end_while_its_purchase_is_open(desk: Desk, state: str) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    if state != "intended":
        desk.charge(purchase, held)
    if state == "secured":
        desk.secure(purchase)
    before = desk.job(held.id)
    for end in (desk.release, desk.snooze, desk.retry, desk.fail, desk.intend):
        with pytest.raises((Refused, LeaseLost)):
            end(held)
    with pytest.raises(Refused):
        desk.cancel(held.id)
    assert desk.job(held.id) == before


def test_a_void_purchase_costs_nothing_and_leaves_the_job_free(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.void(purchase, held)
    assert (desk.purchase(purchase)["state"], desk.purchase(purchase)["reason"]) == ("void", "not found")
    desk.fail(held)
    assert desk.job(held.id)["cost_cents"] == 0


def test_a_charged_purchase_cannot_be_void(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.charge(purchase, held)
    with pytest.raises(LeaseLost):
        desk.void(purchase, held)
    assert desk.purchase(purchase)["state"] == "charged"


def test_the_fee_is_counted_once_however_often_it_is_told(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    for _ in range(2):
        desk.charge(purchase, held)
    for _ in range(2):
        desk.secure(purchase)
    assert [desk.deliver(purchase) for _ in range(3)] == ["completed", "repeated", "repeated"]
    assert desk.secure(purchase) == "delivered"
    assert desk.job(held.id)["cost_cents"] == FEE


def test_a_charge_never_written_is_counted_when_the_file_is_safe(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    assert desk.job(held.id)["cost_cents"] == FEE
    assert desk.purchase(purchase)["charged_at"] == desk.now


def test_each_purchase_of_a_job_counts(desk: Desk) -> None:
    held = desk.leased()
    desk.void(desk.intend(held), held)
    purchase = desk.intend(held)
    desk.charge(purchase, held)
    assert desk.job(held.id)["cost_cents"] == FEE


def test_a_foreign_token_cannot_write_about_money(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    thief = Held(held.id, held.token + 1, held.account, 1)
    for write in (desk.void, desk.charge, desk.mark_ambiguous):
        with pytest.raises(LeaseLost):
            write(purchase, thief)
    assert desk.purchase(purchase)["state"] == "intended"


def test_a_purchase_nobody_knows_is_not_found(desk: Desk) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    for write in (desk.secure, desk.deliver, desk.lose):
        with pytest.raises(NotFound):
            write(unknown)


def test_a_charge_is_told_after_the_lease_ran_out_and_refused_after_somebody_judged(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.pass_time(VISIBILITY + 1)
    desk.charge(purchase, held)
    assert desk.job(held.id)["cost_cents"] == FEE
    desk.reclaim()
    with pytest.raises(LeaseLost):
        desk.charge(purchase, held)
    assert desk.job(held.id)["cost_cents"] == FEE


def test_another_file_cannot_take_a_purchases_place(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    with pytest.raises(Refused):
        desk.secure(purchase, "b" * 64)
    with pytest.raises(Refused):
        desk.deliver(purchase, "b" * 64)
    assert desk.deliver(purchase) == "completed"


def test_nothing_is_delivered_before_it_is_secured(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    for _ in range(2):
        with pytest.raises(Refused):
            desk.deliver(purchase)
        desk.charge(purchase, held)


def test_a_file_of_a_void_purchase_is_for_a_person(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.void(purchase, held)
    with pytest.raises(Refused):
        desk.secure(purchase)


def test_an_ambiguous_purchase_stops_its_job_and_says_why(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    assert desk.purchase(purchase)["state"] == "ambiguous"
    message = desk.job(held.id)["error_message"]
    assert message.startswith("The registry billed this document, but no file of it is safe: the browser broke.")
    with pytest.raises(Refused):
        desk.requeue(held.id)


def test_a_file_found_after_all_heals_an_ambiguous_purchase(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"
    row = desk.job(held.id)
    assert (row["status"], row["error_kind"], row["error_message"], row["cost_cents"]) == (DONE, None, None, FEE)


def test_a_file_found_after_all_is_taken_in_while_its_document_is_being_bought_again(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    [second] = desk.lease(desk.seats(1))
    again = desk.intend(second)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "kept"
    desk.charge(again, second)
    desk.secure(again, "b" * 64)
    assert desk.deliver(again, "b" * 64) == "completed"
    assert desk.state(held.id) == (DONE, None)
    assert desk.job(held.id)["cost_cents"] == 2 * FEE, "the registry billed both, and so we say"


def test_a_job_completed_by_other_means_keeps_its_end_and_the_document_is_kept_too(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.meddle(held.id, "status = 'Complété', supabase_path = 'index/by-hand.pdf'")
    assert desk.deliver(purchase, key="ours.pdf") == "kept"
    assert desk.job(held.id)["supabase_path"] == "index/by-hand.pdf"
    assert (desk.purchase(purchase)["state"], desk.purchase(purchase)["object_key"]) == ("delivered", "ours.pdf")


def test_a_row_reset_by_another_program_while_its_document_is_on_its_way_is_not_bought_again(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.charge(purchase, held)
    desk.secure(purchase)
    desk.meddle(held.id, "status = 'En attente'")
    assert desk.lease(desk.seats(1)) == []
    assert "is bought, and on its way to the bucket" in desk.why(held.id)
    assert desk.deliver(purchase) == "completed"
    assert desk.state(held.id) == (DONE, None)


@pytest.mark.parametrize("state", ["intended", "charged", "ambiguous"])
def test_a_row_reset_by_another_program_never_buys_beside_its_open_purchase(desk: Desk, state: str) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    if state != "intended":
        desk.charge(purchase, held)
    if state == "ambiguous":
        desk.mark_ambiguous(purchase, held)
    desk.meddle(held.id, "status = 'En attente', is_due = true")
    [again] = desk.lease(desk.seats(1))
    assert again.id == held.id
    with pytest.raises(Refused):
        desk.intend(again)


def test_a_purchase_whose_job_was_removed_does_not_bar_its_document_for_ever(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.sql("delete from extraction_queue where id = %s", held.id)
    desk.order(2784195)
    seats = desk.seats(1)
    assert desk.lease(seats) == [], "whether it is bought is not known yet"
    assert desk.reclaim() == []
    desk.pass_time(1801)
    assert (held.id, "ambiguous_purchase") in desk.reclaim()
    assert desk.purchase(purchase)["state"] == "ambiguous"
    [second] = desk.lease(seats)
    assert desk.purchase(desk.intend(second))["state"] == "intended"


def test_a_secured_file_that_cannot_be_delivered_stops_its_job_for_a_person(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    for _ in range(2):
        desk.lose(purchase)
    assert desk.purchase(purchase)["state"] == "ambiguous"
    assert desk.state(held.id) == (FAILED, "ambiguous_purchase")
    assert "the disk is damaged" in desk.job(held.id)["error_message"]


def test_a_purchase_that_is_not_secured_cannot_be_lost(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.lose(purchase)
    assert desk.purchase(purchase)["state"] == "intended"
    assert desk.state(held.id) == (RUNNING, None)


def test_the_host_of_a_purchase_is_where_its_file_is(desk: Desk) -> None:
    held = desk.leased()
    assert desk.purchase(desk.intend(held))["host"] == HOST
