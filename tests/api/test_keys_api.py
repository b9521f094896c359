"""Keys over HTTP: made by an admin, shown once, ended by another key than themselves."""

from __future__ import annotations

from typing import Any

import pytest

from registre.access import Role, prefix_of
from tests.api.conftest import Asking


def test_a_key_is_made_shown_once_and_ended(ask: Asking) -> None:
    made = ask("POST", "/api/keys", json={"name": "Marie Tremblay", "role": "operator"})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    key, text = made.json()["key"], made.json()["text"]
    assert (key["prefix"], key["name"], key["role"], key["author"]) == (
        prefix_of(text), "Marie Tremblay", "operator", "the admin",
    )  # fmt: skip
    hers = {"X-API-Key": text}
    assert ask.client.get("/api", headers=hers).status_code == 200
    listed = ask("GET", "/api/keys")
    assert [each["name"] for each in listed.json()["keys"]] == ["the admin", "Marie Tremblay"]
    assert text.split("_", 2)[2] not in listed.text + ask("GET", "/api/history").text
    ended = ask("DELETE", f"/api/keys/{key['prefix']}").json()
    assert (ended["revoked_by"], ended["revoked_at"] is not None) == ("the admin", True)
    assert ask("DELETE", f"/api/keys/{key['prefix']}").status_code == 409
    assert ask("DELETE", "/api/keys/00000000").status_code == 404


def test_nobody_ends_the_key_they_call_with(ask: Asking) -> None:
    mine = prefix_of(ask.key(Role.ADMIN))
    answer = ask("DELETE", f"/api/keys/{mine}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs#refused")
    assert "the key you call with" in answer.json()["detail"]
    assert ask("GET", "/api/keys").json()["keys"][0]["revoked_at"] is None


@pytest.mark.parametrize(
    ("method", "path", "asked", "field"),
    [
        ("POST", "/api/keys", {"name": "Marie", "role": "owner"}, "role"),
        ("POST", "/api/keys", {"name": " "}, "name"),
        ("POST", "/api/keys", {"name": "a\x1bb"}, "name"),
        ("POST", "/api/keys", {"name": "Marie", "rolle": "admin"}, "rolle"),
        ("POST", "/api/keys", {}, "name"),
        ("DELETE", "/api/keys/me", None, "prefix"),
    ],
)
def test_a_key_that_cannot_be_made_or_ended_names_what_to_mend(
    ask: Asking, method: str, path: str, asked: Any, field: str
) -> None:
    answer = ask(method, path, **({"json": asked} if asked is not None else {}))
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_keys_are_an_admins(ask: Asking) -> None:
    for method, path in (("GET", "/api/keys"), ("POST", "/api/keys"), ("DELETE", "/api/keys/00000000")):
        assert ask(method, path, json={"name": "mine", "role": "admin"}, role=Role.OPERATOR).status_code == 403
