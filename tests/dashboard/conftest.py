"""The dashboard as its readers meet it: signed in with a key of a role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from api.app import create_app
from registre.access import Role, form_token, make_key
from registre.database.gateway import DirectGateway
from registre.storage.local import LocalBuckets
from registre.wiring import make_store
from tests.dashboard.stage import Stage


class Reader:
    """One person's browser, without its scripts."""

    def __init__(self, client: TestClient[Litestar], stage: Stage) -> None:
        self.client = client
        self.stage = stage

    def sign_in(self, role: Role = Role.ADMIN, name: str = "marie") -> None:
        key = make_key()
        self.stage.store.keys.add(key, name, role, "a test")
        self.client.cookies.clear()
        answer = self.client.post("/sign-in", data={"key": key.text}, follow_redirects=False)
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def post(self, path: str, *, token: str | None = None, **more: Any) -> Any:
        data = {"form_token": self.token if token is None else token, **more.pop("data", {})}
        return self.client.post(path, data=data, follow_redirects=False, **more)

    @property
    def token(self) -> str:
        return form_token(self.client.cookies.get("registre_session") or "")


@pytest.fixture(scope="session")
def _application(current_dsn: str) -> Iterator[TestClient[Litestar]]:
    with DirectGateway(current_dsn) as gateway:
        nowhere = make_store(gateway, LocalBuckets(Path("/nonexistent")))
        with TestClient(create_app(nowhere), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def stage(gateway: DirectGateway, tmp_path: Path) -> Stage:
    return Stage(gateway, tmp_path)


@pytest.fixture
def reader(_application: TestClient[Litestar], stage: Stage, tmp_path: Path) -> Reader:
    _application.cookies.clear()
    _application.headers["accept-language"] = "en"
    _application.app.state.store = stage.store
    _application.app.state.evidence = tmp_path / "evidence"
    return Reader(_application, stage)


def shown(html: str) -> str:
    """What a page says, without its tags, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
