"""Who works and who asks, over HTTP."""

from __future__ import annotations

from registre.access import Role
from registre.wiring import Store
from tests.api.conftest import Asking


def test_a_host_is_listed_as_it_was_last_heard_of(ask: Asking, store: Store) -> None:
    assert ask("GET", "/api/hosts", role=Role.VIEWER).json() == {"hosts": []}
    store.fleet.register_host("host-a", "boot-1", "1.2.3")
    [host] = ask("GET", "/api/hosts", role=Role.VIEWER).json()["hosts"]
    assert (host["host"], host["version"], host["undelivered"]) == ("host-a", "1.2.3", 0)


def test_a_caller_is_told_its_own_name_and_role(ask: Asking) -> None:
    assert ask("GET", "/api/caller", role=Role.VIEWER).json() == {"name": "the viewer", "role": "viewer"}
    assert ask("GET", "/api/caller", role=Role.OPERATOR).json()["role"] == "operator"
