"""A document is bought once: every way in which an order is served with what is owned, or waits for what is being bought."""

from __future__ import annotations

from typing import Any

import pytest

from registre.errors import Refused
from tests.desk import FEE, HOST_GONE, SHA, Desk, Held

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"
HOUR, DAY = 3600.0, 86400.0
PATH = "index/2784195.pdf"


def purchases(desk: Desk) -> int:
    return int(desk.sql("select count(*) as n from registre.purchases where state <> 'void'")[0]["n"])


def kinds(desk: Desk, job: str) -> list[str]:
    rows = desk.sql("select kind from registre.events where job_id::text = %s order by id", job)
    return [row["kind"] for row in rows]


def served_for_nothing(desk: Desk, job: str, path: str = PATH) -> bool:
    row = desk.job(job)
    assert row["notes"][-1].startswith("Already owned since ")
    return bool((row["status"], row["supabase_path"], row["cost_cents"]) == (DONE, path, 0))


# -- at insert


def test_an_order_of_an_owned_document_is_completed_as_it_comes(desk: Desk) -> None:
    desk.bought(2784195)
    [job] = desk.order("2 784 195", client="other")
    assert served_for_nothing(desk, job)
    assert desk.job(job)["finished_at"] == desk.now
    assert kinds(desk, job) == ["job.submitted", "job.reused"]
    assert desk.attempts(job) == []


def test_a_row_of_another_program_is_completed_as_it_comes(desk: Desk) -> None:
    desk.bought(2784195)
    rows = desk.sql(
        "insert into extraction_queue (document_source, document_number, circonscription_fonciere) "
        "select 'index', n, 'Hull' from unnest('{2784195,2 784 195,2784196}'::text[]) n returning id::text, status"
    )
    assert [row["status"] for row in rows] == [DONE, DONE, WAITING]
    assert served_for_nothing(desk, rows[0]["id"])


def test_of_many_orders_at_once_those_that_are_owned_are_completed_and_the_rest_waits(desk: Desk) -> None:
    desk.bought(2784195)
    jobs = desk.order(*[2784195, 1000001] * 50)
    assert {desk.state(job) for job in jobs[::2]} == {(DONE, None)}
    assert {desk.state(job) for job in jobs[1::2]} == {(WAITING, None)}


def test_a_row_that_is_imported_already_done_is_left_as_it_is(desk: Desk) -> None:
    desk.bought(2784195)
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, status, supabase_path) "
        "values ('index', '2784195', 'Complété', 'index/theirs.pdf') returning id::text, supabase_path, notes"
    )
    assert (row["supabase_path"], row["notes"]) == ("index/theirs.pdf", [])


@pytest.mark.parametrize(("source", "hours"), [("index", 24), ("plan_cadastraux", 720)])
def test_what_changes_is_owned_for_its_time_only(desk: Desk, source: str, hours: int) -> None:
    desk.bought(2784195, source=source)
    desk.pass_time(hours * HOUR - 1)
    assert desk.state(desk.order(2784195, source=source)[0]) == (DONE, None)
    desk.pass_time(1)
    assert desk.state(desk.order(2784195, source=source)[0]) == (WAITING, None)


def test_an_acte_is_owned_for_ever(desk: Desk) -> None:
    desk.bought(25616321, source="acte", acte_type="Acte")
    desk.pass_time(20 * 365 * DAY)
    [same, other] = desk.order(25616321, "25 616 322", source="acte", acte_type="Acte")
    assert [desk.state(job)[0] for job in (same, other)] == [DONE, WAITING]


def test_the_rules_say_for_how_long(desk: Desk) -> None:
    desk.rule("fresh_index_hours", 0)
    desk.bought(2784195)
    assert desk.state(desk.order(2784195)[0]) == (WAITING, None)
    desk.rule("fresh_index_hours", 1)
    assert desk.state(desk.order(2784195)[0]) == (DONE, None)


def test_the_newest_of_several_serves(desk: Desk) -> None:
    desk.bought(2784195)
    desk.pass_time(HOUR)
    [job] = desk.order(2784195, fresh=True)
    [held] = desk.lease(desk.seats(1))
    assert held.id == job
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase, key="newer.pdf")
    assert served_for_nothing(desk, desk.order(2784195)[0], "index/newer.pdf")


def test_an_order_for_a_fresh_document_buys_it(desk: Desk) -> None:
    desk.bought(2784195)
    [job] = desk.order(2784195, fresh=True)
    assert desk.state(job) == (WAITING, None)
    [held] = desk.lease(desk.seats(1))
    assert desk.purchase(desk.intend(held))["fee_cents"] == FEE


def test_what_is_bought_and_in_no_bucket_serves_nobody_yet(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    [job] = desk.order(2784195)
    assert desk.state(job) == (WAITING, None)
    desk.deliver(purchase)
    assert served_for_nothing(desk, job)


# -- identity


def test_a_renovated_lot_is_one_document_with_its_place_and_without(desk: Desk) -> None:
    desk.bought(2784195)
    places: list[dict[str, Any]] = [
        {},
        {"circonscription": "", "cadastre": ""},
        {"circonscription": "Hull", "designation": "Rang 2"},
    ]
    for place in places:
        assert desk.state(desk.order("2 784 195", **place)[0]) == (DONE, None)
    assert desk.state(desk.order(2784195, source="plan_cadastraux")[0]) == (WAITING, None)


def test_a_lot_of_an_old_cadastre_is_another_document_elsewhere(desk: Desk) -> None:
    desk.bought(24)
    places: list[dict[str, Any]] = [
        {"circonscription": "Hull"},
        {"cadastre": "Cité de Hull"},
        {"designation": "Rang 2"},
    ]
    there = [desk.order(24, **place)[0] for place in places]
    assert {desk.state(job)[0] for job in there} == {WAITING}
    assert desk.state(desk.order("24", circonscription="MONTREAL", cadastre="cadastre du quebec")[0]) == (DONE, None)


# -- at lease and at intent


def test_an_order_that_became_owned_while_it_waited_is_completed_when_its_turn_comes(desk: Desk) -> None:
    _, late = desk.order(2784195, 2784196)
    [held] = desk.lease(desk.seats(1))
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    desk.sql("update extraction_queue set document_number = '2784195' where id = %s", late)
    assert desk.lease(desk.seats(1)) == []
    assert served_for_nothing(desk, late)
    assert desk.attempts(late) == [], "nobody had to work"


def test_an_order_that_became_owned_while_it_was_worked_on_is_completed_before_the_click(desk: Desk) -> None:
    first, second = desk.two_of_one_document()
    purchase = desk.intend(first)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert desk.state(second.id) == (RUNNING, None)
    assert desk.intend(second) == "owned"
    assert served_for_nothing(desk, second.id)
    assert desk.attempts(second.id) == [(1, "reused")]
    assert purchases(desk) == 1


# -- at delivery


def test_orders_that_waited_are_completed_with_the_delivery_whoever_made_them(desk: Desk) -> None:
    buying = desk.leased()
    waiting = desk.order(2784195, 2784195, client="a") + desk.order(2784195, client="b", priority=9)
    [fresh] = desk.order(2784195, fresh=True)
    assert desk.lease(desk.seats(1)) == [], "all four wait for the first"
    purchase = desk.intend(buying)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert all(served_for_nothing(desk, job) for job in waiting)
    assert desk.state(fresh) == (WAITING, None)
    assert purchases(desk) == 1


def test_orders_put_off_or_held_back_by_a_gate_are_completed_too(desk: Desk) -> None:
    buying = desk.leased()
    [later] = desk.order(2784195, not_before=desk.now.replace(year=desk.now.year + 1))
    [paused] = desk.order(2784195, client="étude")
    desk.pause("client", "étude")
    purchase = desk.intend(buying)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert served_for_nothing(desk, later)
    assert served_for_nothing(desk, paused)


def test_a_document_that_lay_too_long_on_its_host_serves_its_own_order_only(desk: Desk) -> None:
    desk.register()
    buying = desk.leased()
    purchase = desk.intend(buying)
    desk.secure(purchase)
    desk.pass_time(3 * DAY)
    [recent] = desk.order(2784195)
    assert desk.reclaim() == [(buying.id, "secured_elsewhere")]
    assert desk.deliver(purchase) == "completed"
    assert desk.state(recent) == (WAITING, None), "an index of three days ago is not current"


def test_orders_of_other_documents_are_left_alone(desk: Desk) -> None:
    buying = desk.leased()
    [other] = desk.order(2784196)
    purchase = desk.intend(buying)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert desk.state(other) == (WAITING, None)


# -- while another order buys


@pytest.mark.parametrize("state", ["leased", "intended", "charged", "secured"])
def test_the_second_order_waits_while_the_first_is_under_way_and_says_for_which(desk: Desk, state: str) -> None:
    first = desk.leased()
    if state != "leased":
        purchase = desk.intend(first)
    if state == "charged":
        desk.charge(purchase, first)
    if state == "secured":
        desk.secure(purchase)
    [second] = desk.order(2784195)
    seats = desk.seats(1)
    assert desk.lease(seats) == []
    assert desk.why(second).endswith(f": another order is buying the same document: {first.id}")
    assert desk.job(second)["attemtps"] == 0


def test_when_the_first_finds_nothing_the_second_tries(desk: Desk) -> None:
    first = desk.leased()
    [second] = desk.order(2784195)
    seats = desk.seats(1)
    assert desk.lease(seats) == []
    desk.void(desk.intend(first), first)
    desk.fail(first)
    desk.pass_time(31)
    assert [held.id for held in desk.lease(seats)] == [second]


@pytest.mark.parametrize("decision", ["rebuy", "abandon", "not billed"])
def test_a_purchase_in_doubt_holds_the_second_order_until_a_person_decides(desk: Desk, decision: str) -> None:
    doubtful, _ = desk.ambiguous()
    [second] = desk.order(2784195)
    seats = desk.seats(2)
    for _ in range(3):
        assert desk.lease(seats) == []
        assert "may already be bought, by order " + doubtful.id in desk.why(second)
        desk.pass_time(31)
    desk.settle(doubtful.id, "rebuy" if decision == "rebuy" else "abandon", billed=decision != "not billed")
    desk.pass_time(31)
    [held] = desk.lease(seats)
    assert held.id in ({doubtful.id, second} if decision == "rebuy" else {second})
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    assert desk.state(second) == (DONE, None)
    if decision == "rebuy":
        assert desk.state(doubtful.id) == (DONE, None), "one purchase serves both"


def test_a_document_of_a_silent_host_holds_the_second_order_and_says_so(desk: Desk) -> None:
    desk.register()
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.pass_time(HOST_GONE + 1)
    desk.reclaim()
    [second] = desk.order(2784195)
    assert desk.lease(desk.seats(1)) == []
    assert "is on a host that does not answer" in desk.why(second)
    desk.deliver(purchase)
    assert served_for_nothing(desk, second)


def test_a_former_purchase_that_is_found_again_is_awaited_instead_of_bought_again(desk: Desk) -> None:
    held, former = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    desk.secure(former)
    seats = desk.seats(1)
    assert desk.lease(seats) == []
    assert desk.why(held.id).endswith("the document of this order is bought, and on its way to the bucket")
    assert desk.deliver(former) == "kept"
    row = desk.job(held.id)
    assert (row["status"], row["supabase_path"], row["cost_cents"]) == (DONE, PATH, FEE)


def test_a_former_purchase_that_is_found_after_the_lease_stops_the_click(desk: Desk) -> None:
    held, former = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    [again] = desk.lease(desk.seats(1))
    desk.secure(former)
    assert desk.intend(again) == "in_progress"
    desk.snooze(again, delay=30)
    desk.deliver(former)
    assert desk.state(held.id) == (DONE, None)
    assert purchases(desk) == 1


def test_a_found_document_whose_host_goes_away_again_does_not_bar_it_for_ever(desk: Desk) -> None:
    desk.register()
    held, former = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    desk.secure(former)
    seats = desk.seats(1)
    assert desk.lease(seats) == []
    desk.pass_time(HOST_GONE + 1)
    desk.reclaim()
    assert desk.purchase(former)["state"] == "ambiguous"
    [again] = desk.lease(seats)
    assert desk.purchase(desk.intend(again))["state"] == "intended"
    desk.secure(former)  # and yet it comes
    assert desk.deliver(former) == "kept"


def test_a_document_in_the_hands_of_a_program_without_leases_is_awaited(desk: Desk) -> None:
    desk.sql(
        "insert into extraction_queue (document_source, document_number, status, worker_id) "
        "values ('index', '2784195', 'En traitement', 'worker-3')"
    )
    desk.order(2784195)
    leased: list[Held] = desk.lease(desk.seats(1))
    assert leased == []


def test_a_second_delivery_of_one_file_completes_nobody_twice(desk: Desk) -> None:
    first = desk.leased()
    [second] = desk.order(2784195)
    purchase = desk.intend(first)
    desk.secure(purchase)
    assert [desk.deliver(purchase) for _ in range(2)] == ["completed", "repeated"]
    assert kinds(desk, second).count("job.reused") == 1
    with pytest.raises(Refused):
        desk.deliver(purchase, SHA.replace("a", "b"))
