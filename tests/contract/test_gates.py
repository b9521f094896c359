"""Gates: what each holds back, in which order they are asked, and that `why` gives the reason that was acted on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registre.budget import Period
from registre.errors import NotFound, Refused
from registre.gates import Scope
from registre.job import JobId
from registre.wiring import Store
from tests.desk import Desk, Held

Act = Callable[[Desk], object]


def approve_all(desk: Desk) -> None:
    for row in desk.sql("select id from registre.batches where needs_approval and approved_at is null"):
        desk.move("approve_batch", batch=row["id"], author="marie")


# How each is closed and opened, in the order in which they are asked; what closes it and what why says.
GATES: dict[str, tuple[Act, Act, tuple[str, str, str], str]] = {
    "hours": (
        lambda d: d.sql("insert into registre.service_hours select d, '00:00', '00:01' from generate_series(1, 7) d"),
        lambda d: d.hours(),
        ("hours", "site", ""),
        "no opening",
    ),
    "breaker": (
        lambda d: [d.move("site_away", reason="503") for _ in range(3)],
        lambda d: d.move("site_answered"),
        ("breaker", "site", ""),
        "the registry's site is failing (503); next try at",
    ),
    "frozen": (
        lambda d: d.move("freeze_source", source="index", reason="no form."),
        lambda d: d.sql("delete from registre.frozen"),
        ("frozen", "source", "index"),
        "the form of index is not as expected (no form); a person must look",
    ),
    "pause of the site": (
        lambda d: d.pause("site"),
        lambda d: d.resume("site"),
        ("pause", "site", ""),
        "everything is paused by marie: audit",
    ),
    "pause of the client": (
        lambda d: d.pause("client", "étude", "unpaid"),
        lambda d: d.resume("client", "étude"),
        ("pause", "client", "étude"),
        "client étude is paused by marie: unpaid",
    ),
    "pause of the source": (
        lambda d: d.pause("source", "index", "form"),
        lambda d: d.resume("source", "index"),
        ("pause", "source", "index"),
        "source index is paused by marie: form",
    ),
    "approval": (
        lambda d: d.sql("update registre.batches set needs_approval = true, approved_at = null"),
        approve_all,
        ("approval", "batch", "{batch}"),
        "batch lot costs about 1,50\u00a0$ and waits for approval",
    ),
    "budget of the site for the day": (
        lambda d: d.budget("site", "", "day", 149),
        lambda d: d.budget("site", "", "day", None),
        ("budget", "site", ""),
        "the budget of the day is used up (0,00\u00a0$ of 1,49\u00a0$)",
    ),
    "budget of the site for the month": (
        lambda d: d.budget("site", "", "month", 149),
        lambda d: d.budget("site", "", "month", None),
        ("budget", "site", ""),
        "the budget of the month is used up",
    ),
    "budget of the client": (
        lambda d: d.budget("client", "étude", "day", 0),
        lambda d: d.budget("client", "étude", "day", None),
        ("budget", "client", "étude"),
        "the budget of client étude of the day is used up (0,00\u00a0$ of 0,00\u00a0$)",
    ),
    "budget of each client": (
        lambda d: d.budget("client", "*", "month", 149),
        lambda d: d.budget("client", "*", "month", None),
        ("budget", "client", "étude"),
        "the budget of client étude of the month is used up",
    ),
    "budget of the batch": (
        lambda d: d.sql("update registre.budgets set cap_cents = 149 where scope = 'batch'"),
        lambda d: d.sql("update registre.budgets set cap_cents = 1000 where scope = 'batch'"),
        ("budget", "batch", "{batch}"),
        "the budget of batch lot is used up",
    ),
    "pause of the account": (
        lambda d: d.pause("account", "account-000", "holiday"),
        lambda d: d.resume("account", "account-000"),
        ("pause", "account", "account-000"),
        "account account-000 is paused by marie: holiday",
    ),
    "budget of the account": (
        lambda d: d.budget("account", "account-000", "day", 100),
        lambda d: d.budget("account", "account-000", "day", None),
        ("budget", "account", "account-000"),
        "the budget of account account-000 of the day is used up",
    ),
    "budget of each account": (
        lambda d: d.budget("account", "*", "month", 100),
        lambda d: d.budget("account", "*", "month", None),
        ("budget", "account", "account-000"),
        "the budget of account account-000 of the month is used up",
    ),
}


@pytest.mark.parametrize("gate", GATES)
def test_a_closed_gate_holds_back_what_it_should_and_why_says_so(desk: Desk, gate: str) -> None:
    close, reopen, closure, reason = GATES[gate]
    batch, [job] = desk.batch(1000001, cap=1000, client="étude")
    seats = desk.seats(1)
    assert (desk.closures(), desk.why(job)) == ([], "it is next in line")
    close(desk)
    assert desk.closures() == [tuple(word.format(batch=batch) for word in closure)]
    assert reason in desk.why(job)
    assert reason in desk.why()
    assert desk.lease(seats) == []
    assert desk.job(job)["attemtps"] == 0
    reopen(desk)
    assert (desk.closures(), desk.why(job)) == ([], "it is next in line")
    assert [held.id for held in desk.lease(seats)] == [job]


def test_of_several_closed_gates_the_first_in_order_is_told_until_the_last_is_open(desk: Desk) -> None:
    _, [job] = desk.batch(1000001, cap=1000, client="étude")
    seats = desk.seats(1)
    for close, *_ in reversed(GATES.values()):
        close(desk)
    told = desk.gateway.call("closures", now=desk.now)
    order = ["hours", "breaker", "frozen", "pause", "approval", "budget"]
    assert [row["gate"] for row in told] == sorted((row["gate"] for row in told), key=order.index)
    assert {row["gate"] for row in told} == set(order)
    seen = []
    for _, reopen, _, reason in GATES.values():
        seen.append(reason in desk.why(job))
        assert desk.lease(seats) == []
        reopen(desk)
    assert all(seen), "the first of those still closed is told"
    assert [held.id for held in desk.lease(seats)] == [job]


@pytest.mark.parametrize(("scope", "name"), [("client", "a"), ("source", "index")])
def test_what_is_not_concerned_goes_on_in_its_order(desk: Desk, scope: str, name: str) -> None:
    held_back = desk.order(1000001, 1000002, client="a")
    others = [desk.order(number, client="b", source="plan_cadastraux")[0] for number in (2000001, 2000002)]
    [urgent] = desk.order(3000001, client="c", source="acte", priority=3)
    desk.pause(scope, name)
    assert [held.id for held in desk.lease(desk.seats(5))] == [urgent, *others]
    assert desk.why(held_back[0]) == f"{scope} {name} is paused by marie: audit"


def test_a_seat_whose_account_is_paused_leaves_the_work_to_the_others(desk: Desk) -> None:
    desk.order(1000001, 1000002, 1000003)
    seats = desk.seats(3)
    desk.pause("account", "account-001")
    assert {held.account for held in desk.lease(seats)} == {seats[0].account_id, seats[2].account_id}


def test_an_account_rests_between_two_orders_and_why_says_until_when(desk: Desk) -> None:
    desk.rule("pace_seconds", 100)
    [first, second] = desk.order(1000001, 1000002)
    seats = desk.seats(1)
    [held] = desk.lease(seats)
    assert held.id == first
    assert desk.why(second) == "every account is at work"
    desk.release(held)
    [row] = desk.sql("select ready_at from worker_accounts")
    assert 75 <= (row["ready_at"] - desk.now).total_seconds() <= 125
    assert desk.why(second).startswith("the accounts rest between two orders; the next is ready at ")
    desk.pass_time(74)
    assert desk.lease(seats) == []
    desk.pass_time(52)
    assert len(desk.lease(seats)) == 1


def test_accounts_rest_for_different_times_so_that_they_do_not_march_in_step(desk: Desk) -> None:
    desk.rule("pace_seconds", 1000)
    desk.order(*range(1000001, 1000021))
    desk.lease(desk.seats(20))
    assert len(desk.sql("select distinct ready_at from worker_accounts")) > 10


def test_each_state_of_a_job_has_its_line(desk: Desk) -> None:
    [job] = desk.order(1000001)
    assert desk.why(job) == "no account is signed in"
    seats = desk.seats(1)
    assert desk.why(job) == "it is next in line"
    [held] = desk.lease(seats)
    assert desk.why(job) == "it is being worked on by host-a/account-000"
    desk.gateway.call("note_step", job=job, token=held.token, step="filling the form", now=desk.now)
    assert desk.why(job) == "it is being worked on by host-a/account-000: filling the form"
    desk.snooze(held, delay=60)
    assert desk.why(job).startswith("put off until ")
    assert desk.why(job).endswith(": site away")
    desk.pass_time(61)
    assert desk.why(job) == "it is next in line"
    [held] = desk.lease(seats)
    purchase = desk.intend(held)
    desk.secure(purchase)
    assert desk.why(job) == "its document is bought and on its way to the bucket"
    desk.deliver(purchase)
    assert desk.why(job) == "it is done: index/2784195.pdf"
    [failed] = desk.order(1000002)
    desk.fail(desk.lease(seats)[0])
    assert desk.why(failed) == "it ended in error: Aucun résultat"
    with pytest.raises(NotFound):
        desk.why("00000000-0000-0000-0000-000000000000")


def test_why_anything_waits_has_its_line_too(desk: Desk) -> None:
    assert desk.why() == "nothing waits"
    desk.order(1000001)
    assert desk.why() == "no account is signed in"
    [held] = desk.lease(desk.seats(1))
    desk.snooze(held, delay=600)
    assert desk.why().startswith("every order that waits is put off; the next one until ")
    desk.pass_time(601)
    assert desk.why() == "it is about to start"


def test_of_accounts_that_are_closed_for_different_reasons_the_first_gate_is_told(desk: Desk) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(2)
    desk.budget("account", "account-000", "day", 0)  # alphabetically before a pause
    desk.pause("account", "account-001", "zeal")
    assert desk.why(job) == "account account-001 is paused by marie: zeal"
    assert desk.lease(seats) == []


def test_a_change_of_form_freezes_its_source_on_every_host_until_a_person_has_looked(desk: Desk) -> None:
    [acte] = desk.order(3000001, source="acte")
    [index] = desk.order(1000001)
    seats = desk.seats(2)
    first, second = desk.lease(seats)
    desk.release(second)
    kind = {"kind": "layout_changed", "delay_seconds": 0, "message": "No field for the lot."}
    desk.move("snooze_job", job=first.id, token=first.token, **kind)
    assert desk.closures() == [("frozen", "source", "acte")]
    assert desk.why(acte) == "the form of acte is not as expected (No field for the lot); a person must look"
    assert [held.id for held in desk.lease(seats)] == [index]
    assert desk.resume("source", "acte")
    assert [held.id for held in desk.lease(seats)] == [acte]


# -- what people close


def test_a_pause_tells_its_author_and_reason_and_a_repeat_changes_them(store: Store) -> None:
    for author, reason in (("marie", "audit"), ("paul", "invoice")):
        store.gates.pause(Scope.CLIENT, "étude", author, reason)
    [pause] = store.gates.pauses()
    assert (pause.scope, pause.name, pause.author, pause.reason) == (Scope.CLIENT, "étude", "paul", "invoice")
    assert store.gates.resume(Scope.CLIENT, "étude", "marie")
    assert not store.gates.resume(Scope.CLIENT, "étude", "marie")
    told = [(event.kind, event.data["author"]) for event in store.views.events_after("")]
    assert told == [("gate.paused", "marie"), ("gate.paused", "paul"), ("gate.resumed", "marie")]


@pytest.mark.parametrize(
    ("scope", "name"), [(Scope.BATCH, "x"), (Scope.SITE, "x"), (Scope.SOURCE, ""), (Scope.ACCOUNT, "")]
)
def test_what_cannot_be_paused_is_refused(store: Store, scope: Scope, name: str) -> None:
    with pytest.raises(Refused, match="What is paused is the site"):
        store.gates.pause(scope, name, "marie", "audit")


def test_an_account_nobody_knows_cannot_be_paused(store: Store) -> None:
    with pytest.raises(NotFound):
        store.gates.pause(Scope.ACCOUNT, "nobody", "marie", "audit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pace_seconds", -1),
        ("pace_seconds", float("nan")),
        ("attempt_seconds", 29),
        ("attempt_seconds", 1e300),
        ("rebuys_per_day", 1.5),
        ("breaker_failures", 0),
        ("breaker_failures", None),
        ("one", 0),
        ("none", 1),
        ("pace_seconds; drop table registre.rules", 1),
    ],
)
def test_a_rule_that_cannot_have_the_value_keeps_its_own(store: Store, name: str, value: float | None) -> None:
    before = store.gates.rules()
    with pytest.raises((Refused, NotFound)):
        store.gates.set_rule(name, value, "marie")
    assert store.gates.rules() == before


def test_rules_are_changed_one_by_one(store: Store) -> None:
    store.gates.set_rule("approval_above_cents", 5000, "marie")
    store.gates.set_rule("rebuys_per_day", 2, "marie")
    assert (store.gates.rules().approval_above_cents, store.gates.rules().rebuys_per_day) == (5000, 2)
    store.gates.set_rule("approval_above_cents", None, "marie")
    assert store.gates.rules().approval_above_cents is None


def test_opening_a_source_or_the_site_opens_all_that_holds_it_back(desk: Desk) -> None:
    desk.pause("source", "index")
    desk.move("freeze_source", source="index", reason="no form")
    desk.pause("site")
    GATES["breaker"][0](desk)
    assert len(desk.closures()) == 4
    assert desk.resume("source", "index")
    assert desk.closures() == [("breaker", "site", ""), ("pause", "site", "")]
    assert desk.resume("site")
    assert desk.closures() == []


# -- seats that come and go


def test_every_gate_looks_at_the_database_of_now(desk: Desk, store: Store) -> None:
    [job] = desk.order(1000001)
    store.gates.pause(Scope.SITE, "", "marie", "audit")
    assert store.gates.why(JobId(job)) == store.gates.closures()[0].reason == "everything is paused by marie: audit"
    store.treasury.set_budget(Scope.SITE, "", Period.DAY, 0, "marie")
    assert [closure.gate for closure in store.gates.closures()] == ["pause", "budget"]
    assert store.gates.resume(Scope.SITE, "", "marie")
    assert "used up" in store.gates.why(JobId(job))


def test_leasing_for_no_seats_at_all_leases_nothing(desk: Desk) -> None:
    desk.order(1000001)
    leased: list[Held] = desk.lease([])
    assert leased == []
