"""What goes wrong is told in one sentence; what is sent twice is done once; what did not change is not sent again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from registre.errors import DatabaseUnavailable, InvalidInput
from registre.wiring import Store
from tests.api.conftest import ACTE, ORDER, Asking

KEY = {"Idempotency-Key": "one-order"}


def test_a_path_a_method_and_a_body_that_do_not_exist_are_problems(ask: Asking) -> None:
    for method, path, status in [
        ("GET", "/nowhere", 404),
        ("GET", "/api/../../etc/passwd", 404),
        ("PATCH", "/api/extractions", 405),
        ("GET", "/api/extractions/a/b/c", 404),
    ]:
        answer = ask(method, path)
        told = answer.json()
        assert answer.status_code == told["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(told) == {"type", "title", "status", "detail"}


def test_a_body_that_is_too_large_is_refused_before_it_is_read(ask: Asking) -> None:
    assert ask("POST", "/api/extractions", json={**ORDER, "cadastre": "x" * 200_000}).status_code == 413


def test_a_database_that_is_away_is_a_503_and_not_a_traceback(
    store: Store, monkeypatch: pytest.MonkeyPatch, ask: Asking
) -> None:
    def away(*_: object, **__: object) -> Any:
        raise DatabaseUnavailable("The database does not answer: password=hunter2 refused.")

    assert ask("GET", "/api").status_code == 200
    monkeypatch.setattr(type(store.views), "listing", away)
    monkeypatch.setattr(type(store.accounts), "all", away)
    answer = ask("GET", "/api/extractions")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "hunter2" not in answer.text
    assert ask.client.get("/ready").json() | {"timestamp": None} == {
        "ready": False, "database": "away", "accounts": {}, "site_last_answer_at": None, "closed": [],
        "waiting_because": None, "timestamp": None,
    }  # fmt: skip
    assert ask.client.get("/health").status_code == 200


def test_what_nobody_foresaw_is_logged_and_told_without_its_traceback(
    ask: Asking, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("a detail of the inside")

    monkeypatch.setattr(type(store.views), "workers", broken)
    with caplog.at_level(logging.ERROR):
        answer = ask("GET", "/api/workers")
    assert (answer.status_code, answer.json()["detail"]) == (500, "registre failed; its log says how.")
    assert "inside" not in answer.text
    assert "a detail of the inside" in caplog.text


def test_an_order_sent_again_under_its_key_is_told_as_the_first_time(ask: Asking) -> None:
    first = ask("POST", "/api/extractions", json=ORDER, headers=KEY)
    ask("DELETE", f"/api/extractions/{first.json()['extraction_id']}")
    again = ask("POST", "/api/extractions", json=ORDER, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert sum(ask.store.views.counts().values()) == 1


def test_an_order_that_would_now_be_too_late_is_told_as_it_was_taken(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = {**ORDER, "deadline": "2100-01-01T00:00:00Z"}
    first = ask("POST", "/api/extractions", json=order, headers=KEY)

    def too_late(_: object) -> None:
        raise InvalidInput("deadline", "it is past.")

    monkeypatch.setattr("api.extractions.order_of", too_late)
    again = ask("POST", "/api/extractions", json=order, headers=KEY)
    assert (again.status_code, again.json()) == (201, first.json())


def test_the_key_of_another_order_is_refused(ask: Asking) -> None:
    ask("POST", "/api/extractions", json=ORDER, headers=KEY)
    answer = ask("POST", "/api/extractions", json=ACTE, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (422, "/docs#other-request")
    assert sum(ask.store.views.counts().values()) == 1


def test_an_order_that_was_refused_may_be_mended_under_its_key(ask: Asking) -> None:
    assert ask("POST", "/api/extractions", json={**ORDER, "cadastre": ""}, headers=KEY).status_code == 400
    assert ask("POST", "/api/extractions", json=ORDER, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
def test_a_key_of_an_order_is_visible_ascii(ask: Asking, key: str) -> None:
    answer = ask("POST", "/api/extractions", json=ORDER, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")


def test_orders_sent_at_one_instant_under_one_key_are_one(ask: Asking) -> None:
    ask("GET", "/api")
    together = Barrier(5)

    def send(_: int) -> str:
        together.wait()
        answer = ask("POST", "/api/extractions", json=ORDER, headers=KEY)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["extraction_id"])

    with ThreadPoolExecutor(5) as senders:
        assert len(set(senders.map(send, range(5)))) == 1
    assert sum(ask.store.views.counts().values()) == 1


def test_pages_follow_one_another_by_their_cursors(ask: Asking) -> None:
    ids = [ask.order(client="a") for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        told = ask("GET", f"/api/extractions?client=a&limit=2{cursor}").json()
        seen += [job["extraction_id"] for job in told["jobs"]]
        assert (told["total"], told["total_is_exact"]) == (5, True)
        if told["next_cursor"] is None:
            break
        cursor = f"&cursor={told['next_cursor']}"
    assert seen == ids[::-1]


@pytest.mark.parametrize("cursor", ["x", "!!", "MjAyNi0wMS0wMV94", "", "é", "a" * 5000])
def test_a_cursor_that_is_none_of_ours_is_refused(ask: Asking, cursor: str) -> None:
    answer = ask("GET", "/api/extractions", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "cursor")


def test_orders_are_found_by_what_they_are(ask: Asking, sql: Callable[..., None]) -> None:
    lot = ask.order(client="a")
    acte = ask("POST", "/api/extractions", json={**ACTE, "circonscription_fonciere": "Laval"}).json()["extraction_id"]
    sql("update extraction_queue set status = 'Erreur', error_kind = 'not_found' where id = %s", acte)
    for wanted, found in {
        "source=index": [lot],
        "client=a": [lot],
        "error_kind=not_found": [acte],
        "circonscription=Laval": [acte],
        "circonscription=Laval&status=queued": [],
        "text=2 784 195": [lot],
        "text=25616321&client=a": [],
        "client=x' or true --": [],
    }.items():
        told = ask("GET", f"/api/extractions?{wanted}").json()
        assert ([job["extraction_id"] for job in told["jobs"]], told["total"]) == (found, len(found)), wanted


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ("circonscription=Laval&client=a", "circonscription"),
        ("batch=twelve", "batch"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("source=testament", "source"),
        ("client=%00", "client"),
        ("text=%1b", "text"),
    ],
)
def test_a_choice_that_cannot_be_served_names_the_field(ask: Asking, wanted: str, field: str) -> None:
    answer = ask("GET", f"/api/extractions?{wanted}")
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, field)


def test_a_poller_is_sent_what_it_has_once(ask: Asking) -> None:
    path = f"/api/extractions/{ask.order()}"
    first = ask("GET", path)
    tag = first.headers["etag"]
    for asked in (tag, f"W/{tag}", f'"other", {tag}'):
        again = ask("GET", path, headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    ask("DELETE", path)
    changed = ask("GET", path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_an_error_has_no_tag(client: TestClient[Litestar]) -> None:
    assert "etag" not in client.get("/api").headers
