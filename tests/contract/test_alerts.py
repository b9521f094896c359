"""Alerts: each opens once, tells itself once, and closes when it is over. Over both stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from registre.account import Seat
from registre.alerts import AlertKind, AlertView, advice, sentence
from registre.budget import Period
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.gates import Scope
from registre.job import Lease, Order
from registre.language import Language
from registre.ledger import Delivery, SecuredFile
from registre.webhooks import NewWebhook
from registre.wiring import Store
from tests.memory.store import MemoryStore

AnyStore = Store | MemoryStore
MINUTE = timedelta(minutes=1)
OWNER, HOME = "host-a/boot-1", "a" * 32


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 14, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


class Firm:
    """One store under a clock; a host with one account."""

    def __init__(self, store: AnyStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.numbers = iter(range(1_000_001, 2_000_000))
        store.gates.set_rule("pace_seconds", 0, "a test")

    def order(self, many: int = 1) -> None:
        requests = [
            DocumentRequest(Source.INDEX, str(next(self.numbers)), "Montréal", "Cadastre du Québec")
            for _ in range(many)
        ]
        self.store.queue.submit([Order(request) for request in requests])

    def open_host(self) -> Seat:
        self.store.fleet.register_host("host-a", "boot-1", "1.0", HOME, 600 * MINUTE)
        self.store.accounts.add("99T0001", "made up")
        [(seat, _)] = self.store.accounts.claim(OWNER, 1, 600 * MINUTE)
        self.store.fleet.report_worker("host-a/99T0001", "idle", seat.account_id, None)
        return seat

    def lease(self, seat: Seat) -> Lease:
        self.order()
        [lease] = self.store.queue.lease_next(OWNER, [seat], 60 * MINUTE)
        return lease

    def secure(self, seat: Seat) -> Delivery:
        lease = self.lease(seat)
        purchase = self.store.ledger.intend(lease, "host-a").purchase_id
        assert purchase is not None
        self.store.ledger.charge(purchase, lease, [])
        self.store.ledger.secure(purchase, SecuredFile("c" * 64, 1000, 2))
        return Delivery(purchase, "c" * 64, "index", f"{purchase}.pdf")

    def open(self) -> list[tuple[str, str]]:
        """Kind and subject of what is open after a judgement; a second one changes nothing."""
        self.store.alerts.judge()
        assert self.store.alerts.judge() == 0
        return sorted((alert.kind, alert.subject) for alert in self.store.alerts.all())

    def told(self) -> list[tuple[str, str]]:
        return [(e.kind, e.data["about"]) for e in self.store.views.last_events(1000) if e.kind.startswith("alert.")]


@pytest.fixture(params=["postgres", "memory"])
def firm(request: pytest.FixtureRequest) -> Firm:
    clock = Clock()
    make: Callable[[Clock], AnyStore] = (
        request.getfixturevalue("store_at") if request.param == "postgres" else MemoryStore
    )
    return Firm(make(clock), clock)


def test_nothing_is_alarming_about_a_firm_at_work(firm: Firm) -> None:
    seat = firm.open_host()
    assert firm.store.ledger.deliver(firm.secure(seat)) == "completed"
    firm.clock.pass_minutes(120)
    firm.order()
    assert firm.open() == []
    assert firm.told() == []


def test_orders_that_nobody_works_on_are_told_once_and_until_somebody_comes(firm: Firm) -> None:
    firm.order(2)
    firm.clock.pass_minutes(9)
    assert firm.open() == []
    firm.clock.pass_minutes(2)
    assert firm.open() == [("no_worker", "")]
    firm.clock.pass_minutes(60)
    firm.order()
    assert firm.open() == [("no_worker", "")]
    [alert] = firm.store.alerts.all()
    assert alert.facts["waiting"] == 3
    assert alert.opened_at == datetime(2026, 6, 1, 14, 11, tzinfo=UTC)
    firm.open_host()
    assert firm.open() == []
    assert firm.told() == [("alert.opened", "no_worker"), ("alert.closed", "no_worker")]
    [closed] = firm.store.alerts.all(open_only=False)
    assert (closed.id, closed.closed_at) == (alert.id, firm.clock.now)


def test_a_host_that_has_just_started_is_given_time(firm: Firm) -> None:
    firm.order()
    firm.clock.pass_minutes(60)
    firm.store.fleet.register_host("host-a", "boot-1", "1.0", HOME, 600 * MINUTE)
    assert firm.open() == []
    firm.clock.pass_minutes(11)
    assert firm.open() == [("no_worker", "")], "it has no session all that time"


def test_a_burst_of_failures_is_told_and_is_over_when_they_are_old(firm: Firm) -> None:
    seat = firm.open_host()
    firm.store.gates.set_rule("alert_failures", 3, "a test")
    for number in range(3):
        assert firm.open() == [], number
        firm.store.queue.fail(firm.lease(seat), ErrorKind.BAD_DOCUMENT, "Not a PDF.")
    assert firm.open() == [("error_burst", "")]
    for _ in range(4):
        firm.store.ledger.deliver(firm.secure(seat))
    assert firm.open() == [], "most end well"
    firm.clock.pass_minutes(16)
    firm.store.queue.fail(firm.lease(seat), ErrorKind.BAD_DOCUMENT, "Not a PDF.")
    assert firm.open() == []


def test_a_form_that_has_changed_and_an_account_that_is_out_are_told_by_name(firm: Firm) -> None:
    seat = firm.open_host()
    lease = firm.lease(seat)
    firm.store.queue.snooze(lease, MINUTE, "a field is gone", kind=ErrorKind.LAYOUT_CHANGED)
    firm.store.accounts.set_aside(seat, "The password was refused.", None)
    assert firm.open() == [("account_set_aside", "99T0001"), ("drift", "index")]
    firm.store.gates.resume(Scope.SOURCE, "index", "marie")
    firm.store.accounts.restore("99T0001", "marie")
    assert firm.open() == []


def test_a_budget_is_told_when_it_is_nearly_and_when_it_is_quite_used_up(firm: Firm) -> None:
    seat = firm.open_host()
    firm.store.treasury.set_budget(Scope.SITE, "", Period.DAY, 500, "marie")
    told = []
    for _ in range(3):
        firm.store.ledger.deliver(firm.secure(seat))
        told.append(firm.open())
    assert told == [[], [], [("budget_over", "site day")]], "450 of 500 leave no room for another"
    firm.store.treasury.set_budget(Scope.SITE, "", Period.DAY, 600, "marie")
    firm.store.gates.set_rule("alert_budget_percent", 75, "marie")
    assert firm.open() == [("budget_near", "site day")]
    firm.clock.pass_minutes(24 * 60)
    assert firm.open() == []


def test_documents_that_stay_on_their_host_are_told(firm: Firm) -> None:
    seat = firm.open_host()
    first = firm.secure(seat)
    firm.clock.pass_minutes(29)
    assert firm.open() == []
    firm.clock.pass_minutes(2)
    assert firm.open() == [("spool_filling", "host-a")]
    firm.store.ledger.deliver(first)
    assert firm.open() == []
    firm.store.gates.set_rule("alert_spool_documents", 2, "a test")
    firm.secure(seat)
    firm.secure(seat)
    assert firm.open() == [("spool_filling", "host-a")]


def test_a_webhook_that_is_for_everybody_is_told_of_alerts_and_one_of_a_client_is_not(firm: Firm) -> None:
    kinds = ("alert.opened", "alert.closed", "webhook.added")
    hook = firm.store.webhooks.add(NewWebhook("desk", "https://desk.example.org/", kinds), "whsec_eA==", "marie")
    firm.store.webhooks.add(NewWebhook("one", "https://one.example.org/", kinds, client="étude"), "whsec_eA==", "marie")
    firm.order()
    firm.clock.pass_minutes(11)
    assert firm.open() == [("no_worker", "")]
    assert firm.store.webhooks.plan() == 1
    [notice] = firm.store.webhooks.notices(hook)
    assert notice.kind == "alert.opened"
    claimed = firm.store.webhooks.claim(notice.id, 60)
    assert claimed is not None
    assert (claimed.body["about"], claimed.body["facts"]["waiting"]) == ("no_worker", 1)


FACTS = {"waiting": 3, "failed": 4, "ended": 5, "reason": "Refusé.", "used_cents": 450, "cap_cents": 500, "documents": 6,
         "since": "2026-06-01T14:00:00+00:00"}  # fmt: skip


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_has_a_whole_sentence_and_says_what_to_do(kind: AlertKind, language: Language) -> None:
    told = sentence(kind, "marie", FACTS, language)
    assert told.endswith(".")
    assert not {"…", "{", "}"} & set(told)
    assert advice(kind, "marie", language)


def test_an_alert_of_a_later_version_is_named() -> None:
    alert = AlertView(1, "moon_full", "host-a", {}, datetime.now(UTC), None)
    assert sentence(alert.kind, alert.subject, alert.facts, Language.FRENCH) == "moon_full host-a"
    assert advice(alert.kind, alert.subject, Language.FRENCH) == ""
