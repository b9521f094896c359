"""Hosts: as people see them, whose name is whose, and who does what is done for all. Over both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registre.account import Seat
from registre.document import DocumentRequest, Source
from registre.errors import ConfigurationError, Refused
from registre.job import HostFacts, Lease, Order
from registre.ledger import Delivery, PurchaseId, SecuredFile
from registre.ports import Step
from registre.wiring import Store
from tests.memory.store import MemoryStore

MINUTE, NOTHING = timedelta(minutes=1), timedelta(0)
FIRST, SECOND = "a" * 32, "b" * 32
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


def states(ports: AnyStore) -> dict[str, str]:
    return {host.host: host.state for host in ports.views.hosts()}


def claimed(ports: AnyStore, owner: str) -> Seat:
    [(seat, _)] = ports.accounts.claim(owner, 1, MINUTE)
    return seat


def in_the_spool(ports: AnyStore, owner: str, number: str = "2784195") -> tuple[Lease, PurchaseId]:
    """An order whose document is bought, and safe on the owner's host."""
    ports.accounts.add(f"for-{number}", "secret")
    ports.queue.submit([Order(DocumentRequest(Source.INDEX, number, "Montréal", "Cadastre du Québec"))])
    [lease] = ports.queue.lease_next(owner, [claimed(ports, owner)], MINUTE)
    purchase = ports.ledger.intend(lease, owner.split("/", maxsplit=1)[0]).purchase_id
    assert purchase is not None
    ports.ledger.charge(purchase, lease, [])
    ports.ledger.secure(purchase, SecuredFile("c" * 64, 1000, 2))
    return lease, purchase


def test_a_host_is_alive_while_it_renews_and_then_silent_or_stopped(ports: AnyStore) -> None:
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, MINUTE)
    ports.fleet.register_host("host-b", "boot-1", "1.0", SECOND, NOTHING)
    ports.accounts.add("account-0", "secret")
    claimed(ports, "host-a/boot-1")
    assert states(ports) == {"host-a": "alive", "host-b": "silent"}
    assert [(h.boot, h.accounts) for h in ports.views.hosts()] == [("boot-1", 1), ("boot-1", 0)]
    ports.queue.renew("host-b/boot-1", [], [], MINUTE)
    ports.fleet.leave("host-a/boot-1")
    assert states(ports) == {"host-a": "stopped", "host-b": "alive"}
    ports.queue.renew("host-b/boot-1", [], [], NOTHING)
    ports.fleet.leave("host-b/an earlier boot")
    assert states(ports) == {"host-a": "stopped", "host-b": "silent"}
    ports.fleet.register_host("host-a", "boot-2", "1.1", FIRST, MINUTE)
    assert states(ports)["host-a"] == "alive"


def test_the_name_of_a_host_at_work_is_refused_to_another_home(ports: AnyStore) -> None:
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, MINUTE)
    with pytest.raises(ConfigurationError):
        ports.fleet.register_host("host-a", "boot-2", "1.0", SECOND, MINUTE)
    ports.accounts.add("account-0", "secret")
    claimed(ports, "host-a/boot-1")
    ports.fleet.leave("host-a/boot-1")
    ports.fleet.register_host("host-a", "boot-2", "1.0", SECOND, MINUTE)
    assert [host.boot for host in ports.views.hosts()] == ["boot-2"]


def test_a_home_at_work_is_refused_under_a_second_name(ports: AnyStore) -> None:
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, MINUTE)
    with pytest.raises(ConfigurationError):
        ports.fleet.register_host("host-b", "boot-2", "1.0", FIRST, MINUTE)
    assert states(ports) == {"host-a": "alive"}


def test_a_home_that_starts_again_ends_the_leases_of_its_earlier_boot_also_under_a_new_name(ports: AnyStore) -> None:
    ports.accounts.add("account-0", "secret")
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, MINUTE)
    claimed(ports, "host-a/boot-1")
    ports.fleet.register_host("host-a", "boot-2", "1.0", FIRST, NOTHING)
    claimed(ports, "host-a/boot-2")
    _, purchase = in_the_spool(ports, "host-a/boot-2")
    ports.fleet.register_host("host-b", "boot-3", "1.0", FIRST, MINUTE)
    assert [(host.host, host.undelivered) for host in ports.views.hosts()] == [("host-b", 1)]
    assert len(ports.accounts.claim("host-b/boot-3", 5, MINUTE)) == 2
    assert ports.ledger.deliver(Delivery(purchase, "c" * 64, "index", "one.pdf")) == "completed"


def test_a_boot_whose_name_went_to_a_later_one_takes_no_more_accounts(ports: AnyStore) -> None:
    ports.accounts.add("account-0", "secret")
    for boot in ("boot-1", "boot-2"):
        ports.fleet.register_host("host-a", boot, "1.0", FIRST, MINUTE)
    with pytest.raises(Refused):
        ports.accounts.claim("host-a/boot-1", 1, MINUTE)
    claimed(ports, "host-a/boot-2")


def test_what_a_silent_host_holds_is_told_and_delivered_though_its_name_was_taken(ports: AnyStore) -> None:
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, NOTHING)
    lease, purchase = in_the_spool(ports, "host-a/boot-1")
    ports.fleet.register_host("host-a", "boot-2", "1.0", SECOND, MINUTE)
    assert [(h.host, h.state, h.undelivered) for h in ports.views.hosts()] == [
        ("host-a", "alive", 0),
        ("host-a~aaaaaaaa", "silent", 1),
    ]
    assert ports.queue.reclaim(MINUTE, NOTHING, MINUTE) == [(lease.job_id, "secured_elsewhere")]
    ports.fleet.register_host("host-c", "boot-3", "1.0", FIRST, MINUTE)
    assert [(h.host, h.undelivered) for h in ports.views.hosts()] == [("host-a", 0), ("host-c", 1)]
    assert ports.ledger.deliver(Delivery(purchase, "c" * 64, "index", "one.pdf")) == "completed"


def test_one_host_does_the_upkeep_until_it_leaves_starts_again_or_falls_silent(ports: AnyStore) -> None:
    fleet, owners = ports.fleet, ("host-a/boot-1", "host-b/boot-1")
    for name, home in (("host-a", FIRST), ("host-b", SECOND)):
        fleet.register_host(name, "boot-1", "1.0", home, MINUTE)
    assert [fleet.take_upkeep(owner, MINUTE) for owner in owners * 2] == [True, False, True, False]
    assert [host.does_upkeep for host in ports.views.hosts()] == [True, False]
    fleet.leave(owners[0])
    assert fleet.take_upkeep(owners[1], MINUTE), "nobody had it"
    fleet.register_host("host-a", "boot-2", "1.0", FIRST, MINUTE)
    assert not fleet.take_upkeep("host-a/boot-2", MINUTE)
    fleet.register_host("host-b", "boot-2", "1.0", SECOND, MINUTE)
    assert fleet.take_upkeep("host-a/boot-2", NOTHING), "who had it is dead"
    assert fleet.take_upkeep("host-b/boot-2", MINUTE), "its time was over"
    assert not fleet.take_upkeep("host-a/boot-2", MINUTE)
    ports.queue.renew("host-b/boot-2", [], [], NOTHING)
    assert fleet.take_upkeep("host-a/boot-2", MINUTE), "who had it is not seen any more"


def test_what_a_boot_says_of_its_machine_is_shown_until_it_says_something_else(ports: AnyStore) -> None:
    ports.fleet.register_host("host-a", "boot-1", "1.0", FIRST, MINUTE)
    assert ports.views.hosts()[0].facts == HostFacts()
    for facts in (HostFacts(600, 2, 5000), HostFacts(700, 3, 4000)):
        ports.fleet.note_facts("host-a/boot-1", facts)
        assert ports.views.hosts()[0].facts == facts
    ports.fleet.note_facts("host-a/boot-0", HostFacts(1, 1, 1))
    assert ports.views.hosts()[0].facts == HostFacts(700, 3, 4000)


def test_how_long_late_attempts_waited_and_worked_is_measured(ports: AnyStore) -> None:
    nothing = ports.views.measured()
    assert (nothing.wait, nothing.steps, nothing.oldest, nothing.running) == (None, (), {}, None)
    ports.accounts.add("account-0", "secret")
    for number in ("2784195", "2784196"):
        ports.queue.submit([Order(DocumentRequest(Source.INDEX, number, "Montréal", "Cadastre du Québec"))])
    [lease] = ports.queue.lease_next("host-a/boot-1", [claimed(ports, "host-a/boot-1")], MINUTE)
    ports.queue.note_step(lease, Step.FORM)
    ports.queue.note_step(lease, Step.SAVING)
    found = ports.views.measured()
    assert found.wait is not None
    assert (found.wait.number, found.wait.p50_seconds >= 0) == (1, True)
    assert [(step.name, step.number) for step in found.steps] == [(Step.FORM, 1)], "the other is not over"
    assert list(found.oldest) == ["index"]
    assert found.running is not None
    assert 0 <= found.running < 60
