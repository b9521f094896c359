"""The API over a test's own database, asked as its callers ask it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from api.app import create_app
from api.patience import Patience
from api.stream import hub_of
from registre.access import Role, make_key
from registre.database.gateway import DirectGateway
from registre.serving import Server, listen, origin
from registre.storage.local import LocalBuckets
from registre.wiring import Store, make_store
from tests.waiting import SECONDS

ORDER = {
    "document_source": "index",
    "document_number": "2 784 195",
    "circonscription_fonciere": "Montréal",
    "cadastre": "Cadastre du Québec",
}
ACTE = {
    "document_source": "acte",
    "document_number": "25 616 321",
    "circonscription_fonciere": "Montréal",
    "acte_type": "Acte",
}
NOBODY = "00000000-0000-0000-0000-000000000000"


class Asking:
    """One caller: a client with the key of one role."""

    def __init__(self, client: TestClient[Litestar], store: Store) -> None:
        self.client = client
        self.store = store
        self._keys: dict[Role, str] = {}

    def key(self, role: Role) -> str:
        if role not in self._keys:
            key = make_key()
            self.store.keys.add(key, f"the {role}", role, "a test")
            self._keys[role] = key.text
        return self._keys[role]

    def __call__(self, method: str, path: str, *, role: Role = Role.ADMIN, **more: Any) -> Any:
        headers = {"X-API-Key": self.key(role), **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def order(self, **more: Any) -> str:
        answer = self("POST", "/api/extractions", json={**ORDER, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["extraction_id"])


@pytest.fixture
def sql(dsn: str) -> Iterator[Callable[..., None]]:
    """What another program might do, behind everybody's back."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def run(statement: str, *values: object) -> None:
            connection.execute(statement.encode(), values)

        yield run


@pytest.fixture(scope="session")
def _application(current_dsn: str) -> Iterator[TestClient[Litestar]]:
    """Made once: an application takes longer to make than most tests to run."""
    with DirectGateway(current_dsn) as gateway:
        nowhere = make_store(gateway, LocalBuckets(Path("/nonexistent")))
        with TestClient(create_app(nowhere), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def client(_application: TestClient[Litestar], store: Store) -> TestClient[Litestar]:
    """The application, over this test's store."""
    _application.app.state.store = store
    _application.app.state.gatekeeper.patience = Patience()
    return _application


@pytest.fixture
def ask(client: TestClient[Litestar], store: Store) -> Asking:
    return Asking(client, store)


@contextmanager
def running(app: Litestar, port: int = 0) -> Iterator[str]:
    """The application on a real socket; gives its address."""
    hub, ready = hub_of(app), threading.Event()
    listening = listen("127.0.0.1", port, "The API")
    server = Server(app, listening, ready=ready.set, stopping=hub.close)
    thread = threading.Thread(target=server.run_here, daemon=True)
    thread.start()
    assert ready.wait(SECONDS)
    try:
        yield origin("127.0.0.1", listening)
    finally:
        server.stop()
        thread.join(SECONDS)
        hub.wait()
