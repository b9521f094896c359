"""Deliveries that fail, as people are told of them. Over both stores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registre.document import DocumentRequest, Source
from registre.job import JobId, Order
from registre.ledger import Delivery, PurchaseId, PurchaseState, SecuredFile
from registre.wiring import Store
from tests.memory.store import MemoryStore

MINUTE = timedelta(minutes=1)
SHA = "c" * 64
AnyStore = Store | MemoryStore


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> AnyStore:
    return request.getfixturevalue("store") if request.param == "postgres" else MemoryStore()


@pytest.fixture
def bought(ports: AnyStore) -> tuple[JobId, PurchaseId]:
    """One document, safe on host-a."""
    ports.accounts.add("account-0", "secret")
    [job] = ports.queue.submit([Order(DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec"))])
    ports.fleet.register_host("host-a", "boot-1", "1.2.3")
    [(seat, _)] = ports.accounts.claim("host-a/boot-1", 1, MINUTE)
    [lease] = ports.queue.lease_next("host-a/boot-1", [seat], MINUTE)
    purchase = ports.ledger.intend(lease, "host-a").purchase_id
    assert purchase is not None
    ports.ledger.charge(purchase, lease, [])
    ports.ledger.note_undelivered(purchase, "it is not even secured")
    ports.ledger.secure(purchase, SecuredFile(SHA, 1000, 2))
    return job, purchase


def told(ports: AnyStore, job: JobId) -> int:
    return [event.kind for event in ports.views.story(job)].count("purchase.undelivered")


def test_people_are_told_from_the_third_failure_on_and_once(ports: AnyStore, bought: tuple[JobId, PurchaseId]) -> None:
    job, purchase = bought
    for n in range(1, 6):
        ports.ledger.note_undelivered(purchase, f"reason {n}")
        found = ports.views.failing_deliveries()
        assert (len(found), told(ports, job)) == ((1, 1) if n >= 3 else (0, 0))
    [failing] = found
    assert (failing.purchase_id, failing.job_id, failing.host) == (purchase, job, "host-a")
    assert (failing.source, failing.number, failing.failures) == ("index", "2 784 195", 5)
    assert failing.reason == "reason 5"
    assert failing.failed_at >= failing.secured_at
    [line] = ports.ledger.lines(job)
    assert (line.state, line.reason) == (PurchaseState.SECURED, "reason 5")


def test_a_document_that_is_delivered_after_all_is_told_of_no_more(
    ports: AnyStore, bought: tuple[JobId, PurchaseId]
) -> None:
    job, purchase = bought
    for _ in range(3):
        ports.ledger.note_undelivered(purchase, "no room")
    assert ports.ledger.deliver(Delivery(purchase, SHA, "index", "one.pdf")) == "completed"
    ports.ledger.note_undelivered(purchase, "too late")
    assert ports.views.failing_deliveries() == []
    [line] = ports.ledger.lines(job)
    assert (line.state, line.reason) == (PurchaseState.DELIVERED, None)


def test_a_failure_of_a_purchase_that_nobody_knows_changes_nothing(ports: AnyStore) -> None:
    ports.ledger.note_undelivered(PurchaseId("5f0c2f7e-1d3b-4c52-9a0e-6a3f0a7d9b11"), "no room")
    assert ports.views.failing_deliveries() == []
