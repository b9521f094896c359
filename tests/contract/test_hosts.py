"""Hosts as people see them. Over both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registre.document import DocumentRequest, Source
from registre.job import Order
from registre.ledger import Delivery, SecuredFile
from registre.wiring import Store
from tests.memory.store import MemoryStore

MINUTE = timedelta(minutes=1)
AnyStore = Store | MemoryStore


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> AnyStore:
    return request.getfixturevalue("store") if request.param == "postgres" else MemoryStore()


def test_a_host_shows_its_last_renewal_and_what_its_spool_holds(ports: AnyStore) -> None:
    assert ports.views.hosts() == []
    before = datetime.now(UTC) - MINUTE
    for host in ("host-b", "host-a"):
        ports.fleet.register_host(host, "boot-1", "1.2.3")
    ports.accounts.add("account-0", "secret")
    ports.queue.submit([Order(DocumentRequest(Source.INDEX, "2784195", "Montréal", "Cadastre du Québec"))])
    [(seat, _)] = ports.accounts.claim("host-a/boot-1", 1, MINUTE)
    [lease] = ports.queue.lease_next("host-a/boot-1", [seat], MINUTE)
    first, second = ports.views.hosts()
    assert (first.host, first.version, first.undelivered, second.host) == ("host-a", "1.2.3", 0, "host-b")
    ports.queue.renew("host-a/boot-1", [lease], [seat], MINUTE)
    assert ports.views.hosts()[0].seen_at >= first.seen_at > before

    intent = ports.ledger.intend(lease, "host-a")
    assert intent.purchase_id is not None
    ports.ledger.charge(intent.purchase_id, lease, [])
    ports.ledger.secure(intent.purchase_id, SecuredFile("c" * 64, 1000, 2))
    held = ports.views.hosts()[0]
    assert held.undelivered == 1
    assert held.oldest_undelivered_at is not None
    ports.ledger.deliver(Delivery(intent.purchase_id, "c" * 64, "index", "one.pdf"))
    assert [(host.undelivered, host.oldest_undelivered_at) for host in ports.views.hosts()] == [(0, None), (0, None)]
