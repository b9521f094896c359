"""Budgets: what is reserved, given back, refused, and where days and months end."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from registre.budget import Budget, CostBy, CostLine, Fee, Period
from registre.errors import NotFound, Refused
from registre.gates import Scope
from registre.wiring import Store
from tests.desk import FEE, VISIBILITY, Desk, Held, toronto

OTHER_SCOPES = {"site": "", "account": "account-000", "client": "étude"}


def two_in_hand(desk: Desk) -> list[Held]:
    """Two leases of one client and one account after the other would be one too few: two accounts, one client."""
    desk.order(1000001, 1000002, client="étude")
    return desk.lease(desk.seats(2))


@pytest.mark.parametrize("period", ["day", "month"])
@pytest.mark.parametrize("scope", ["site", "client"])
def test_what_is_reserved_by_one_order_is_not_there_for_the_next(desk: Desk, scope: str, period: str) -> None:
    first, second = two_in_hand(desk)
    desk.budget(scope, OTHER_SCOPES[scope], period, 2 * FEE - 1)
    purchase = desk.intend(first)
    assert desk.used(scope, OTHER_SCOPES[scope], period) == FEE
    assert desk.intend(second) == "over_budget"
    desk.void(purchase, first)
    assert desk.used(scope, OTHER_SCOPES[scope], period) == 0
    assert desk.purchase(desk.intend(second))["state"] == "intended"


@pytest.mark.parametrize("period", ["day", "month"])
def test_an_account_spends_no_more_than_its_budget(desk: Desk, period: str) -> None:
    desk.order(1000001, 1000002)
    [seat] = desk.seats(1)
    desk.budget("account", "account-000", period, FEE)
    [held] = desk.lease([seat])
    desk.secure(desk.intend(held))
    assert desk.closures() == [("budget", "account", "account-000")]
    assert desk.lease([seat]) == []
    [other] = desk.lease(desk.seats(1))
    assert desk.purchase(desk.intend(other))["state"] == "intended"


def test_a_batch_spends_no_more_than_its_cap(desk: Desk) -> None:
    batch, _ = desk.batch(1000001, 1000002, 1000003, cap=2 * FEE)
    held = desk.lease(desk.seats(3))
    verdicts = [desk.intend(each) for each in held]
    assert verdicts[2] == "over_budget"
    assert desk.used("batch", batch, "total") == 2 * FEE
    desk.snooze(held[2], delay=0)
    assert desk.closures() == [("budget", "batch", batch)]


def test_an_order_over_budget_leaves_nothing_behind_but_says_why(desk: Desk) -> None:
    first, second = two_in_hand(desk)
    desk.budget("client", "étude", "day", FEE)
    desk.intend(first)
    before = desk.sql("select count(*) as n from registre.events"), desk.sql("select * from registre.purchases")
    row = desk.job(second.id)
    [answer] = desk.move("intend", job=second.id, token=second.token, host="host-a")
    assert answer["verdict"] == "over_budget"
    assert (
        answer["reason"]
        == "The budget of this client of the day has no room for 1,50\u00a0$ (1,50\u00a0$ of 1,50\u00a0$ used)."
    )
    assert (
        desk.sql("select count(*) as n from registre.events"),
        desk.sql("select * from registre.purchases"),
    ) == before
    assert desk.job(second.id) == row
    assert desk.sql("select 1 from registre.spending where name = 'account-001' and used_cents <> 0") == []


def test_a_named_budget_goes_before_that_of_each(desk: Desk) -> None:
    desk.budget("client", "*", "day", 0)
    desk.budget("client", "étude", "day", FEE)
    [job] = desk.order(1000001, client="étude")
    [other] = desk.order(1000002, client="other")
    assert desk.closures() == [("budget", "client", "other")]
    [held] = desk.lease(desk.seats(2))
    assert held.id == job
    assert desk.purchase(desk.intend(held))["state"] == "intended"
    desk.budget("client", "étude", "day", None)
    assert ("budget", "client", "étude") in desk.closures(), "without its own it has that of each"
    desk.budget("client", "*", "day", None)
    assert [again.id for again in desk.lease(desk.seats(1))] == [other]


def test_a_named_budget_of_another_period_leaves_that_of_each(desk: Desk) -> None:
    desk.budget("client", "*", "day", 0)
    desk.budget("client", "étude", "month", 1000)
    desk.order(1000001, client="étude")
    assert desk.closures() == [("budget", "client", "étude")]


def test_the_budget_of_each_shows_the_largest_use(desk: Desk, store: Store) -> None:
    desk.now = datetime.now(desk.now.tzinfo)
    first, second = two_in_hand(desk)
    desk.intend(first)
    desk.intend(second)
    desk.budget("account", "*", "day", 1000)
    desk.budget("client", "*", "month", 1000)
    desk.budget("client", "nobody", "day", 5)
    assert store.treasury.budgets() == [
        Budget(Scope.ACCOUNT, "*", Period.DAY, 1000, FEE),
        Budget(Scope.CLIENT, "*", Period.MONTH, 1000, 2 * FEE),
        Budget(Scope.CLIENT, "nobody", Period.DAY, 5, 0),
    ]


def test_a_cap_below_its_use_closes_the_gate_and_takes_nothing_back(desk: Desk) -> None:
    first, second = two_in_hand(desk)
    purchase = desk.intend(first)
    desk.budget("site", "", "day", 10)
    desk.charge(purchase, first)
    desk.secure(purchase)
    assert desk.deliver(purchase) == "completed"
    assert desk.intend(second) == "over_budget"
    assert desk.closures() == [("budget", "site", "")]
    desk.budget("site", "", "day", 2 * FEE)
    assert desk.closures() == []


@pytest.mark.parametrize(
    ("now", "day_ends", "month_ends"),
    [
        (toronto(2026, 3, 8, 1), toronto(2026, 3, 9), toronto(2026, 4, 1)),  # 23 hours, and a month of one hour less
        (toronto(2026, 11, 1, 1), toronto(2026, 11, 2), toronto(2026, 12, 1)),  # 25 hours
        (toronto(2026, 12, 31, 23, 59), toronto(2027, 1, 1), toronto(2027, 1, 1)),
        (toronto(2028, 2, 29, 12), toronto(2028, 3, 1), toronto(2028, 3, 1)),
    ],
)
def test_days_and_months_end_at_midnight_of_the_registry(
    desk: Desk, now: datetime, day_ends: datetime, month_ends: datetime
) -> None:
    desk.now = now
    desk.order(*range(1000001, 1000004))
    desk.budget("site", "", "day", FEE)
    desk.budget("site", "", "month", FEE)
    [held] = desk.lease(desk.seats(1))
    desk.void(desk.intend(held), held)
    purchase = desk.intend(held)
    assert purchase != "over_budget"
    closed = {row["reason"].split(" is used")[0]: row["until"] for row in desk.gateway.call("closures", now=desk.now)}
    assert closed == {"the budget of the day": day_ends, "the budget of the month": month_ends}
    for end in sorted({day_ends, month_ends}):
        desk.now = end
        desk.pass_time(-1)
        assert ("budget", "site", "") in desk.closures()
        desk.pass_time(1)
    assert desk.closures() == []
    assert desk.used("site", "", "day") == desk.used("site", "", "month") == 0


def test_a_fee_is_given_back_to_the_day_it_was_taken_from(desk: Desk) -> None:
    desk.now = toronto(2026, 12, 31, 23, 59)
    desk.order(1000001)
    [held] = desk.lease(desk.seats(1))
    purchase = desk.intend(held)
    desk.now = toronto(2027, 1, 1, 0, 0)
    desk.void(purchase, held)
    assert desk.sql("select 1 from registre.spending where used_cents <> 0") == []


def test_an_ambiguous_purchase_stays_counted_until_the_invoice_says_otherwise(desk: Desk) -> None:
    held, _ = desk.ambiguous()
    assert desk.used("site", "", "day") == FEE
    desk.settle(held.id, "abandon", billed=False)
    assert desk.used("site", "", "day") == 0
    assert desk.job(held.id)["cost_cents"] == 0


def test_what_was_billed_stays_counted_when_it_is_bought_again(desk: Desk) -> None:
    held, _ = desk.ambiguous()
    desk.settle(held.id, "rebuy")
    [again] = desk.lease(desk.seats(1))
    desk.charge(desk.intend(again), again)
    assert desk.used("client", "", "month") == 2 * FEE
    assert desk.job(held.id)["cost_cents"] == 2 * FEE


def test_a_dead_owners_reservation_stays_counted(desk: Desk) -> None:
    held = desk.leased()
    desk.intend(held)
    desk.pass_time(VISIBILITY + 1)
    desk.reclaim()
    assert desk.used("site", "", "month") == FEE


# -- fees


def test_a_fee_holds_from_its_day_on_and_for_its_source(desk: Desk) -> None:
    desk.now = toronto(2026, 5, 31, 23, 59)
    for source, day, cents in (("*", 1, 200), ("acte", 1, 325), ("acte", 2, 400)):
        desk.move("set_fee", source=source, valid_from=date(2026, 6, day), cents=cents, author="a test")
    fees = []
    for number, (day, source) in enumerate(
        [(0, "acte"), (1, "acte"), (1, "index"), (2, "acte"), (2, "plan_cadastraux")]
    ):
        desk.now = toronto(2026, 6, day, 0, 0) if day else toronto(2026, 5, 31, 23, 59)
        desk.order(1000001 + number, source=source)
        [held] = desk.lease(desk.seats(1))
        fees.append(desk.purchase(desk.intend(held))["fee_cents"])
    assert fees == [150, 325, 200, 400, 200]


def test_a_purchase_keeps_the_fee_it_was_intended_with(desk: Desk) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.move("set_fee", source="*", valid_from=date(2000, 1, 1), cents=999, author="a test")
    desk.charge(purchase, held)
    assert desk.job(held.id)["cost_cents"] == FEE


def test_fees_come_back_as_they_were_given_and_impossible_ones_are_refused(store: Store) -> None:
    store.treasury.set_fee("acte", date(2026, 6, 1), 0, "marie")
    with pytest.raises(Refused, match="A fee is between"):
        store.treasury.set_fee("acte", date(2026, 6, 1), -1, "marie")
    assert store.treasury.fees() == [Fee("*", date(2000, 1, 1), 150), Fee("acte", date(2026, 6, 1), 0)]


@pytest.mark.parametrize(
    ("scope", "name", "period", "cap"),
    [
        (Scope.SITE, "x", Period.DAY, 1),
        (Scope.CLIENT, "", Period.DAY, 1),
        (Scope.SOURCE, "index", Period.DAY, 1),
        (Scope.BATCH, "x", Period.DAY, 1),
        (Scope.SITE, "", Period.TOTAL, 1),
        (Scope.SITE, "", Period.DAY, -1),
    ],
)
def test_a_budget_that_is_none_is_refused(store: Store, scope: Scope, name: str, period: Period, cap: int) -> None:
    with pytest.raises(Refused, match="budget"):
        store.treasury.set_budget(scope, name, period, cap, "marie")
    assert store.treasury.budgets() == []


def test_a_budget_nobody_set_cannot_be_removed(store: Store) -> None:
    with pytest.raises(NotFound):
        store.treasury.set_budget(Scope.SITE, "", Period.DAY, None, "marie")
    assert store.views.events_after("") == []


# -- the report


def test_the_report_tells_what_was_bought_what_is_in_doubt_and_what_was_reused(desk: Desk, store: Store) -> None:
    desk.now = toronto(2026, 5, 31, 12)
    desk.bought(2784195, client="étude")
    desk.now = toronto(2026, 6, 1, 11)
    [owned] = desk.order(2784195, client="other")
    assert desk.state(owned) == ("Complété", None)
    desk.order(1000001, client="other")
    [doubtful] = desk.lease(desk.seats(1))
    desk.mark_ambiguous(desk.intend(doubtful), doubtful)
    desk.order(1000002, client="other")
    [running] = desk.lease(desk.seats(1))
    desk.intend(running)
    both = (date(2026, 5, 31), date(2026, 6, 1))
    assert store.treasury.costs(*both, CostBy.DAY) == [
        CostLine("2026-05-31", 1, FEE, 0, 0, 0, 0, 0),
        CostLine("2026-06-01", 0, 0, 1, FEE, 1, FEE, 1),
    ]
    assert store.treasury.costs(*both, CostBy.CLIENT) == [
        CostLine("other", 0, 0, 1, FEE, 1, FEE, 1),
        CostLine("étude", 1, FEE, 0, 0, 0, 0, 0),
    ]
    assert store.treasury.costs(*both, CostBy.SOURCE) == [CostLine("index", 1, FEE, 1, FEE, 1, FEE, 1)]
    assert store.treasury.costs(date(2026, 6, 2), date(2026, 6, 30), CostBy.ACCOUNT) == []
