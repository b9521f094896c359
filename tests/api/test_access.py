"""Nothing but health and readiness answers without a key; a role does what it covers and nothing more."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from api.access import FRESH_SECONDS, OPEN, ROLE, SESSION_COOKIE
from api.app import create_app
from api.patience import MOST_ADDRESSES, PER_SECONDS, WRONG_KEYS, Patience
from registre.access import KnownKey, Role, make_key, make_session
from registre.ports import KeyRing
from registre.wiring import Store
from tests.api.conftest import NOBODY, ORDER, Asking


def every_endpoint(app: Litestar) -> list[tuple[str, str, object]]:
    return [
        (method, route.path, handler.opt.get(ROLE))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    ]


def test_every_endpoint_names_the_role_it_needs(client: TestClient[Litestar]) -> None:
    found = every_endpoint(client.app)
    assert [(method, path) for method, path, role in found if role not in {OPEN, *Role}] == []
    assert {path for _, path, role in found if role == OPEN} == {
        "/health",
        "/language/{language:str}",
        "/ready",
        "/sign-in",
        "/static/{name:str}",
    }
    changing = [(method, path) for method, path, role in found if method != "GET" and role in {OPEN, Role.VIEWER}]
    assert changing == [("POST", "/sign-in"), ("POST", "/sign-out")]


def test_without_a_key_every_other_endpoint_answers_401_and_every_page_leads_to_the_sign_in(
    client: TestClient[Litestar],
) -> None:
    for method, path, role in every_endpoint(client.app):
        if role == OPEN:
            continue
        known = re.sub(r"\{\w+:int\}", "1", path.replace("{extraction_id:str}", NOBODY))
        known = known.replace("{", "").replace("}", "")
        answer = client.request(method, known, follow_redirects=False)
        if not path.startswith(("/api", "/metrics", "/docs", "/openapi")):
            assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), f"{method} {path}"
            continue
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "present",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer  {key}"},
        lambda key: {"X-API-Key": key},
    ],
)
def test_a_key_is_presented_as_a_bearer_or_by_itself(ask: Asking, present: Callable[[str], dict[str, str]]) -> None:
    headers = present(ask.key(Role.VIEWER))
    assert ask.client.get("/api/extractions", headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["", "x", "registre_00000000_" + "a" * 43, "Basic eA==", "é" * 60])
def test_what_is_no_key_opens_nothing(client: TestClient[Litestar], key: str) -> None:
    for headers in ({b"X-API-Key": key.encode()}, {b"Authorization": b"Bearer " + key.encode()}):
        assert client.get("/api/extractions", headers=headers).status_code == 401


def test_another_secret_under_a_known_prefix_opens_nothing(ask: Asking) -> None:
    good = ask.key(Role.ADMIN)
    assert ask.client.get("/api", headers={"X-API-Key": good}).status_code == 200
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    assert ask.client.get("/api", headers={"X-API-Key": wrong}).status_code == 401


def test_a_role_does_what_the_roles_before_it_do_and_no_more(ask: Asking) -> None:
    assert ask("POST", "/api/extractions", role=Role.VIEWER, json=ORDER).status_code == 403
    assert ask("POST", "/api/extractions", role=Role.VIEWER, content=b"{").status_code == 403, "before the body is read"
    for role in (Role.REQUESTER, Role.OPERATOR, Role.ADMIN):
        assert ask("POST", "/api/extractions", role=role, json=ORDER).status_code == 201
        assert ask("GET", "/api/extractions", role=role).status_code == 200


def test_a_revoked_key_is_refused_once_what_is_kept_of_it_is_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("api.access.time.monotonic", lambda: clock[0])
    key = make_key()
    store.keys.add(key, "a clerk", Role.VIEWER, "a test")
    with TestClient(create_app(store)) as client:
        asked = {"X-API-Key": key.text}
        assert client.get("/api", headers=asked).status_code == 200
        [view] = store.keys.all()
        assert view.last_used_at is not None
        store.keys.revoke(key.prefix, "a test")
        clock[0] += FRESH_SECONDS + 0.1
        assert client.get("/api", headers=asked).status_code == 401


def wrong_key() -> dict[str, str]:
    return {"X-API-Key": make_key().text}


def test_an_address_that_tries_one_key_after_the_other_is_asked_to_wait(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("api.patience.time.monotonic", lambda: clock[0])
    looked_up: list[str] = []
    ring = type(ask.store.keys)
    find = ring.find

    def noted(keys: KeyRing, prefix: str) -> KnownKey | None:
        looked_up.append(prefix)
        return find(keys, prefix)

    monkeypatch.setattr(ring, "find", noted)
    at_work = {"X-API-Key": ask.key(Role.VIEWER)}
    assert ask.client.get("/api", headers=at_work).status_code == 200
    for _ in range(WRONG_KEYS):
        assert ask.client.get("/api", headers=wrong_key()).status_code == 401
    looked_up.clear()
    refused = ask.client.get("/api", headers=wrong_key())
    assert (refused.status_code, looked_up) == (429, []), "the database is not asked"
    assert refused.headers["content-type"] == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= PER_SECONDS
    assert ask.client.post("/sign-in", data={"key": make_key().text}).status_code == 429
    assert ask.client.get("/api", headers=at_work).status_code == 200, "who was at work goes on"
    assert ask.client.get("/api").status_code == 401, "no key at all is no wrong one"
    clock[0] += PER_SECONDS
    assert ask.client.get("/api", headers=wrong_key()).status_code == 401


def test_a_wrong_session_and_a_wrong_sign_in_count_like_a_wrong_key(ask: Asking) -> None:
    for number in range(WRONG_KEYS):
        if number % 2:
            ask.client.get("/api", headers={"Cookie": f"{SESSION_COOKIE}={make_session()}"})
        else:
            ask.client.post("/sign-in", data={"key": make_key().text})
    assert ask.client.get("/api", headers=wrong_key()).status_code == 429


def test_no_more_is_remembered_of_wrong_keys_than_there_is_room_for() -> None:
    patience = Patience()
    for number in range(MOST_ADDRESSES + 1):
        patience.note_wrong(str(number))
    assert len(patience._seen) <= MOST_ADDRESSES


def test_no_key_is_in_the_log(ask: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = ask.key(Role.VIEWER)
    ask.client.get("/nowhere", headers={"X-API-Key": key})
    ask.client.get("/api", headers={"Authorization": f"Bearer {key}x"})
    assert key not in caplog.text
    assert key.split("_", 2)[2] not in caplog.text


def test_an_api_that_was_opened_asks_for_no_key(store: Store) -> None:
    with TestClient(create_app(store, open_to_all=True), base_url="http://127.0.0.1:3000") as client:
        for headers in (
            {"Host": "registre.example"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Host": "["},
        ):
            assert client.post("/api/extractions", json=ORDER, headers=headers).status_code in (400, 403)
        assert client.get("/api", headers={"Origin": "http://127.0.0.1:3000"}).status_code == 200
        job_id = client.post("/api/extractions", json=ORDER).json()["extraction_id"]
        assert client.delete(f"/api/extractions/{job_id}").status_code == 200
        assert store.views.jobs()[0].error_message == "Cancelled by anybody."


def test_what_names_no_role_is_an_admins_alone() -> None:
    assert Role.ADMIN.covers(Role.VIEWER)
    assert not any(role.covers(Role.ADMIN) for role in (Role.VIEWER, Role.REQUESTER, Role.OPERATOR))
