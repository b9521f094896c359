"""Who works and who asks, over HTTP."""

from __future__ import annotations

from registre.access import Role
from registre.ledger import PurchaseId
from registre.wiring import Store
from tests.api.conftest import Asking
from tests.desk import Desk


def test_a_host_is_listed_as_it_was_last_heard_of(ask: Asking, store: Store) -> None:
    assert ask("GET", "/api/hosts", role=Role.VIEWER).json() == {"hosts": []}
    store.fleet.register_host("host-a", "boot-1", "1.2.3")
    [host] = ask("GET", "/api/hosts", role=Role.VIEWER).json()["hosts"]
    assert (host["host"], host["version"], host["undelivered"]) == ("host-a", "1.2.3", 0)


def test_a_document_whose_delivery_keeps_failing_is_listed_with_its_reason(
    ask: Asking, store: Store, desk: Desk
) -> None:
    assert ask("GET", "/api/undelivered", role=Role.VIEWER).json() == {"failing": []}
    held = desk.leased()
    purchase = desk.intend(held)
    desk.charge(purchase, held)
    desk.secure(purchase)
    for _ in range(3):
        store.ledger.note_undelivered(PurchaseId(purchase), "The bucket has no room left")
    [failing] = ask("GET", "/api/undelivered", role=Role.VIEWER).json()["failing"]
    assert (failing["job_id"], failing["failures"], failing["reason"]) == (held.id, 3, "The bucket has no room left")
    assert "could not be put yet" in ask("GET", f"/api/extractions/{held.id}/why", role=Role.VIEWER).json()["reason"]


def test_a_caller_is_told_its_own_name_and_role(ask: Asking) -> None:
    assert ask("GET", "/api/caller", role=Role.VIEWER).json() == {"name": "the viewer", "role": "viewer"}
    assert ask("GET", "/api/caller", role=Role.OPERATOR).json()["role"] == "operator"
