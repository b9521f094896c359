"""Webhooks over HTTP: made by an admin, their secret shown once, tried out, followed, removed."""

from __future__ import annotations

from typing import Any

import pytest

from registre.access import Role
from registre.wiring import Store
from tests.api.conftest import NOBODY, Asking

HOOK = {"name": "a firm", "url": "https://example.com/registre"}


def test_a_webhook_is_made_tried_out_and_removed(ask: Asking, store: Store) -> None:
    made = ask("POST", "/api/webhooks", json={**HOOK, "client": "a"})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    webhook = made.json()["webhook"]
    assert (webhook["kinds"], webhook["client"], webhook["author"]) == (
        ["job.completed", "job.reused", "job.failed"], "a", "the admin",
    )  # fmt: skip
    path = f"/api/webhooks/{webhook['webhook_id']}"
    notice = ask("POST", f"{path}/test")
    assert notice.status_code == 202
    [told] = ask("GET", f"{path}/notices").json()["notices"]
    assert (told["id"], told["kind"], told["state"]) == (notice.json()["notice_id"], "webhook.test", "waiting")
    assert ask("GET", path).json() == {**webhook, "waiting": 1}
    assert ask("GET", "/api/webhooks").json() == {"webhooks": [{**webhook, "waiting": 1}]}
    assert made.json()["secret"] not in ask("GET", "/api/history").text + ask("GET", path).text
    assert ask("DELETE", path).json() == {"webhook_id": webhook["webhook_id"]}
    assert store.webhooks.all() == []


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"url": "http://example.com"}, "url"),
        ({"url": "https://user:hunter2@example.com"}, "url"),
        ({"kinds": ["Job"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"batch_id": NOBODY}, "batch_id"),
        ({"batch_id": "twelve"}, "batch_id"),
        ({"name": ""}, "name"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_a_webhook_that_cannot_be_made_names_the_field(ask: Asking, more: dict[str, Any], field: str) -> None:
    answer = ask("POST", "/api/webhooks", json={**HOOK, **more})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("name", [NOBODY, "twelve"])
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/notices")])
def test_what_names_no_webhook_is_not_found(ask: Asking, name: str, method: str, rest: str) -> None:
    assert ask(method, f"/api/webhooks/{name}{rest}").status_code == 404


def test_webhooks_are_an_admins(ask: Asking) -> None:
    for method in ("GET", "POST"):
        assert ask(method, "/api/webhooks", json=HOOK, role=Role.OPERATOR).status_code == 403
