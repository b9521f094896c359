"""What a person, or the rules, decide about a purchase that nobody can tell the end of."""

from __future__ import annotations

import pytest

from registre.errors import LeaseLost, NotFound, Refused
from tests.desk import FEE, HOST_GONE, LEGACY, VISIBILITY, Desk, toronto

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"


def test_to_buy_again_gives_fresh_attempts_and_keeps_what_was_spent(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    row = desk.job(held.id)
    assert (row["status"], row["attemtps"], row["error_kind"], row["error_message"]) == (WAITING, 0, None, None)
    assert (row["cost_cents"], row["purchase_id"], row["finished_at"]) == (FEE, None, None)
    line = desk.purchase(purchase)
    assert (line["state"], line["settlement"], line["settled_by"], line["settled_at"]) == (
        "ambiguous",
        "rebuy",
        "a test",
        desk.now,
    )


def test_to_give_up_ends_the_job_in_a_persons_name(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.settle(held.id, "abandon")
    row = desk.job(held.id)
    assert desk.state(held.id) == (FAILED, "abandoned")
    assert row["error_message"].startswith("Given up by a test. The registry billed this document")
    assert row["cost_cents"] == FEE
    assert desk.purchase(purchase)["settlement"] == "abandon"
    desk.requeue(held.id)
    assert desk.state(held.id) == (WAITING, None), "an abandoned job may be retried: its money is settled"


@pytest.mark.parametrize("decision", ["rebuy", "abandon"])
def test_what_the_invoice_does_not_show_is_void_and_given_back(desk: Desk, decision: str) -> None:
    held, purchase = desk.ambiguous()
    desk.settle(held.id, decision, billed=False)
    assert desk.purchase(purchase)["state"] == "void"
    assert desk.job(held.id)["cost_cents"] == 0
    assert desk.used("site", "", "day") == 0


def test_an_intent_that_never_was_charged_gives_back_its_reservation_and_no_cost(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.mark_ambiguous(purchase, held)
    desk.settle(held.id, "rebuy", billed=False)
    assert (desk.job(held.id)["cost_cents"], desk.used("site", "", "month")) == (0, 0)


# -- refusals


@pytest.mark.parametrize("decision", ["rebuy", "abandon"])
def test_there_is_nothing_to_decide_about_a_job_without_such_a_purchase(desk: Desk, decision: str) -> None:
    [waiting] = desk.order(1000001)
    with pytest.raises(Refused, match="no purchase to decide about"):
        desk.settle(waiting, decision)
    [running] = desk.lease(desk.seats(1))
    with pytest.raises(Refused, match="no purchase to decide about"):
        desk.settle(running.id, decision)
    purchase = desk.intend(running)
    for write in (
        lambda: desk.charge(purchase, running),
        lambda: desk.secure(purchase),
        lambda: desk.deliver(purchase),
    ):
        with pytest.raises(Refused, match="no purchase to decide about"):
            desk.settle(running.id, decision)
        write()
    with pytest.raises(Refused, match="no purchase to decide about"):
        desk.settle(running.id, decision)
    [failed] = desk.order(1000002)
    desk.fail(desk.lease(desk.seats(1))[0])
    with pytest.raises(Refused, match="no purchase to decide about"):
        desk.settle(failed, decision)
    with pytest.raises(NotFound):
        desk.settle("00000000-0000-0000-0000-000000000000", decision)


@pytest.mark.parametrize("first", ["rebuy", "abandon"])
def test_it_is_decided_once(desk: Desk, first: str) -> None:
    held, _ = desk.ambiguous()
    desk.settle(held.id, first)
    for second in ("rebuy", "abandon"):
        with pytest.raises(Refused):
            desk.settle(held.id, second)


def test_an_unknown_decision_is_refused_and_changes_nothing(desk: Desk) -> None:
    held, _ = desk.ambiguous()
    before = desk.job(held.id)
    with pytest.raises(Refused):
        desk.settle(held.id, "hope")
    assert desk.job(held.id) == before


def test_a_job_that_another_program_ended_is_settled_but_not_bought_again(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.meddle(held.id, "status = 'Complété', error_kind = null, supabase_path = 'index/by-hand.pdf'")
    with pytest.raises(Refused, match="already ended"):
        desk.settle(held.id, "rebuy")
    desk.settle(held.id, "abandon")
    assert desk.purchase(purchase)["settlement"] == "abandon"
    assert desk.state(held.id) == (DONE, None)
    [told] = desk.sql("select data from registre.events where kind = 'job.settled'")
    assert told["data"] == {"decision": "abandon", "author": "a test", "billed": True}


def test_a_reason_overwritten_by_another_program_does_not_hide_what_is_to_decide(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.meddle(held.id, "error_kind = null, error_message = 'timeout'")
    desk.settle(held.id, "rebuy")
    assert desk.purchase(purchase)["settled_at"] == desk.now


def test_a_document_that_was_found_and_is_on_its_way_is_not_bought_again(desk: Desk) -> None:
    held, purchase = desk.ambiguous()
    desk.secure(purchase)
    for decision in ("rebuy", "abandon"):
        with pytest.raises(Refused, match="has been found"):
            desk.settle(held.id, decision)
    assert desk.deliver(purchase) == "completed"


def test_a_document_that_was_found_by_a_host_that_went_away_again_can_be_decided_about(desk: Desk) -> None:
    desk.register()
    held, purchase = desk.ambiguous()
    desk.secure(purchase)
    assert desk.reclaim() == []
    desk.pass_time(HOST_GONE + 1)
    assert desk.reclaim() == [(held.id, "secured_elsewhere")]
    desk.settle(held.id, "rebuy")
    [again] = desk.lease(desk.seats(1))
    assert desk.purchase(desk.intend(again))["state"] == "intended"


# -- rows without a purchase


@pytest.mark.parametrize(("decision", "end"), [("rebuy", (WAITING, None)), ("abandon", (FAILED, "abandoned"))])
def test_a_row_left_by_a_program_without_a_ledger_is_decided_about_too(
    desk: Desk, decision: str, end: tuple[str, str | None]
) -> None:
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, status, worker_id, attemtps) "
        "values ('acte', '25616321', 'En traitement', 'worker-3', 2) returning id::text"
    )
    desk.reclaim()
    desk.pass_time(LEGACY + 1)
    assert desk.reclaim() == [(row["id"], "ambiguous_purchase")]
    with pytest.raises(Refused):
        desk.requeue(row["id"])
    desk.settle(row["id"], decision, billed=False)
    assert desk.state(row["id"]) == end
    assert desk.job(row["id"])["cost_cents"] == 0


# -- documents on a host that is gone


def elsewhere(desk: Desk) -> tuple[str, str]:
    desk.register()
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.pass_time(HOST_GONE + 1)
    assert desk.reclaim() == [(held.id, "secured_elsewhere")]
    return held.id, purchase


@pytest.mark.parametrize("decision", ["rebuy", "abandon"])
def test_a_host_that_returns_after_the_decision_still_brings_its_document_for_later_orders(
    desk: Desk, decision: str
) -> None:
    job, purchase = elsewhere(desk)
    desk.settle(job, decision)
    desk.pass_time(60)
    if decision == "rebuy":
        [again] = desk.lease(desk.seats(1))
        desk.fail(again)
    before = desk.job(job)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "kept"
    assert desk.job(job) == {**before, "updated_at": desk.now}
    assert desk.state(desk.order(2784195)[0]) == (DONE, None)


def test_a_host_that_returns_before_the_decision_completes_its_job(desk: Desk) -> None:
    job, purchase = elsewhere(desk)
    assert desk.secure(purchase) == "secured"
    assert desk.deliver(purchase) == "completed"
    assert desk.state(job) == (DONE, None)


def test_a_file_of_a_purchase_that_the_invoice_did_not_show_is_for_a_person(desk: Desk) -> None:
    job, purchase = elsewhere(desk)
    desk.settle(job, "abandon", billed=False)
    with pytest.raises(Refused, match="must be looked at by a person"):
        desk.secure(purchase)
    assert desk.used("site", "", "day") == 0


# -- by the rules


def test_only_as_many_a_day_as_the_rules_allow_are_bought_again_without_a_person(desk: Desk) -> None:
    desk.now = toronto(2026, 6, 1, 12)
    desk.rule("rebuys_per_day", 2)
    jobs = desk.order(1000001, 1000002, 1000003)
    for held in desk.lease(desk.seats(3)):
        desk.mark_ambiguous(desk.intend(held), held)
    assert [desk.state(job) for job in jobs] == [(WAITING, None), (WAITING, None), (FAILED, "ambiguous_purchase")]
    assert desk.used("site", "", "day") == 3 * FEE, "what may have been billed stays counted"
    assert {row["settlement"] for row in desk.sql("select settlement from registre.purchases")} == {"automatic", None}
    assert desk.job(jobs[0])["wait_reason"] == "bought again by the rules, for the browser broke"
    desk.pass_time(31)
    [again, _] = desk.lease(desk.seats(3))
    assert (again.id, again.attempt) == (jobs[0], 2)


def test_the_day_of_the_rules_is_the_registrys(desk: Desk) -> None:
    desk.now = toronto(2026, 11, 1, 23, 59)
    desk.rule("rebuys_per_day", 1)
    jobs = desk.order(1000001, 1000002)
    for held in desk.lease(desk.seats(2)):
        desk.mark_ambiguous(desk.intend(held), held)
    desk.now = toronto(2026, 11, 2, 0, 0)
    jobs += desk.order(1000003, priority=9)
    [held] = desk.lease(desk.seats(1))
    desk.mark_ambiguous(desk.intend(held), held)
    assert [desk.state(job)[0] for job in jobs] == [WAITING, FAILED, WAITING]


def test_a_dead_owners_purchase_is_bought_again_by_the_rules(desk: Desk) -> None:
    desk.rule("rebuys_per_day", 1)
    held = desk.leased()
    purchase = desk.intend(held)
    desk.pass_time(VISIBILITY + 1)
    assert desk.reclaim() == [(held.id, "rebuy")]
    assert desk.state(held.id) == (WAITING, None)
    with pytest.raises(LeaseLost):
        desk.charge(purchase, held)


def test_the_last_attempt_is_not_bought_again_by_the_rules(desk: Desk) -> None:
    desk.rule("rebuys_per_day", 5)
    held = desk.leased(max_attempts=1)
    desk.mark_ambiguous(desk.intend(held), held)
    assert desk.state(held.id) == (FAILED, "attempts_exhausted")
