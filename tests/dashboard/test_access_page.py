"""Keys and webhooks by the page: what is secret is shown once, and nobody shuts the door behind themselves."""

from __future__ import annotations

import re

from registre.access import Role, prefix_of
from tests.dashboard.conftest import Reader, shown


def made(html: str) -> str:
    found = re.search(r'<code id="made">([^<]+)</code>', html)
    assert found is not None
    return found[1]


def test_a_key_is_made_shown_once_used_and_revoked(reader: Reader) -> None:
    reader.sign_in()
    answer = reader.post("/access/keys", data={"name": "jean", "role": "requester"})
    key = made(answer.text)
    prefix = prefix_of(key)
    assert key not in reader.get("/access").text
    asked = reader.client.get("/api", headers={"X-API-Key": key})
    assert asked.status_code == 200
    assert reader.post(f"/access/keys/{prefix}/revoke").status_code == 303
    assert [view.name for view in reader.stage.store.keys.all() if view.revoked_at] == ["jean"]
    assert "key revoked" in shown(reader.get("/audit").text)


def test_the_key_one_is_signed_in_with_is_not_revoked(reader: Reader) -> None:
    reader.sign_in()
    [own] = reader.stage.store.keys.all()
    answer = reader.post(f"/access/keys/{own.prefix}/revoke")
    assert (answer.status_code, "another admin" in answer.text) == (409, True)
    assert reader.get("/access").status_code == 200


def test_a_webhook_is_made_tried_followed_and_removed(reader: Reader) -> None:
    reader.sign_in()
    asked = {"name": "the firm's system", "url": "https://example.com/registre", "kinds": "job.failed, job.completed"}
    secret = made(reader.post("/access/webhooks", data=asked).text)
    assert secret.startswith("whsec_")
    assert secret not in reader.get("/access").text
    [hook] = reader.stage.store.webhooks.all()
    assert hook.kinds == ("job.failed", "job.completed")
    path = f"/access/webhooks/{hook.id}"
    assert reader.post(f"{path}/test").status_code == 303
    assert "to be told" in shown(reader.get(path).text)
    assert reader.post(f"{path}/remove").status_code == 303
    assert reader.get(path).status_code == 404


def test_only_an_admin_sees_who_may_ask(reader: Reader) -> None:
    reader.sign_in(Role.OPERATOR)
    assert reader.get("/access").status_code == 403
    assert "/access" not in reader.get("/").text
