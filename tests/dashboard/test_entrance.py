"""Who gets in, with what, and what a page from elsewhere cannot make a browser do."""

from __future__ import annotations

import re

import pytest
from litestar.testing import TestClient

from api.app import create_app
from registre.access import Role, make_key, prefix_of
from tests.dashboard.conftest import Reader, shown

PAGES = (
    "/",
    "/orders",
    "/orders/confirm?action=retry&ids=1",
    "/failures",
    "/batches",
    "/accounts",
    "/gates",
    "/costs",
    "/audit",
    "/access",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_sign_in_and_back_from_there(reader: Reader, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.startswith("/sign-in")
    key = make_key()
    reader.stage.store.keys.add(key, "marie", Role.ADMIN, "a test")
    back = reader.client.post(address, data={"key": key.text}, follow_redirects=False)
    assert (back.status_code, back.headers["location"]) == (303, path)


def test_a_stranger_s_part_of_a_page_leads_its_whole_to_the_sign_in(reader: Reader) -> None:
    answer = reader.get("/orders", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?to=/orders")


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/\r\nSet-Cookie:x=1"]
)
def test_nobody_is_led_away(reader: Reader, to: str) -> None:
    key = make_key()
    reader.stage.store.keys.add(key, "marie", Role.VIEWER, "a test")
    answer = reader.client.post("/sign-in", params={"to": to}, data={"key": key.text}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert reader.client.get("/language/en", params={"to": to}, follow_redirects=False).headers["location"] == "/"


def test_the_cookie_is_none_that_a_script_reads_and_holds_no_key(reader: Reader) -> None:
    key = make_key()
    reader.stage.store.keys.add(key, "marie", Role.ADMIN, "a test")
    answer = reader.client.post("/sign-in", data={"key": f" {key.text}\n"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert key.text[20:] not in cookie
    https = reader.client.post(
        "/sign-in", data={"key": key.text}, headers={"X-Forwarded-Proto": "https"}, follow_redirects=False
    )
    assert "Secure" in https.headers["set-cookie"]


@pytest.mark.parametrize(
    "key", ["", "nothing", make_key().text, "é" * 10_000, "\x00"], ids=["nothing", "a word", "unknown", "huge", "NUL"]
)
def test_what_is_no_key_opens_nothing(reader: Reader, key: str) -> None:
    answer = reader.client.post("/sign-in", data={"key": key}, follow_redirects=False)
    assert answer.status_code == 401
    assert "unknown or revoked" in answer.text
    assert "set-cookie" not in answer.headers
    assert not key.strip() or key not in answer.text


def test_a_form_from_another_site_signs_nobody_in(reader: Reader) -> None:
    key = make_key()
    reader.stage.store.keys.add(key, "marie", Role.ADMIN, "a test")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = reader.client.post("/sign-in", data={"key": key.text}, headers=headers, follow_redirects=False)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_a_session_ends_with_its_sign_out_and_with_its_key(reader: Reader) -> None:
    reader.sign_in()
    session = reader.client.cookies.get("registre_session")
    assert reader.post("/sign-out").status_code == 303
    reader.client.cookies.set("registre_session", str(session))
    assert reader.get("/").status_code == 303
    key = make_key()
    reader.stage.store.keys.add(key, "jean", Role.VIEWER, "a test")
    reader.client.cookies.clear()
    reader.client.post("/sign-in", data={"key": key.text}, follow_redirects=False)
    reader.stage.store.keys.revoke(str(prefix_of(key.text)), "a test")
    assert reader.get("/").status_code == 303


FORMS = [
    "/orders/choose",
    "/orders/bulk",
    "/orders/00000000-0000-0000-0000-000000000000/retry",
    "/orders/00000000-0000-0000-0000-000000000000/cancel",
    "/orders/00000000-0000-0000-0000-000000000000/settle",
    "/batches/price",
    "/batches/order",
    "/batches/00000000-0000-0000-0000-000000000000/approve",
    "/batches/00000000-0000-0000-0000-000000000000/cancel",
    "/accounts/add",
    "/accounts/99X0001/pause",
    "/accounts/99X0001/resume",
    "/accounts/99X0001/restore",
    "/accounts/99X0001/set-aside",
    "/accounts/99X0001/test",
    "/gates/pause",
    "/gates/resume",
    "/gates/rule",
    "/gates/forms/index/accept",
    "/access/keys",
    "/access/keys/00000000/revoke",
    "/access/webhooks",
    "/access/webhooks/00000000-0000-0000-0000-000000000000/test",
    "/access/webhooks/00000000-0000-0000-0000-000000000000/remove",
    "/sign-out",
]


def test_every_form_there_is_is_tried_here(reader: Reader) -> None:
    routes = {
        route.path_format
        for route in reader.client.app.routes
        if "POST" in getattr(route, "methods", ()) and not route.path_format.startswith("/api")
    }
    tried = {re.sub(r"/(0{8}(-[0-]*)?|99X0001|index)(?=/|$)", "/*", path) for path in FORMS}
    assert {re.sub(r"\{[^}]+\}", "*", path) for path in routes} == tried | {"/sign-in"}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_without_its_session_s_token_does_nothing(reader: Reader, path: str, token: str) -> None:
    reader.sign_in()
    before = reader.stage.store.views.events_end()
    for more in ({}, {"files": {"file": ("a.csv", b"x")}}):
        answer = reader.post(path, token=token, **more)
        assert answer.status_code == 403
        assert "load its page again" in shown(answer.text)
    assert reader.client.post(path, json={}, follow_redirects=False).status_code == 403
    assert reader.stage.store.views.events_end() == before


def test_a_session_changes_nothing_over_the_api_without_its_token(reader: Reader) -> None:
    reader.sign_in()
    pause = {"scope": "site", "reason": "x"}
    assert reader.client.put("/api/pauses", json=pause).status_code == 403
    assert reader.client.put("/api/pauses", json=pause, headers={"X-Form-Token": reader.token}).status_code == 200
    assert reader.client.get("/api/gates").status_code == 200


def test_one_session_s_token_is_none_of_another_s(reader: Reader) -> None:
    reader.sign_in()
    first = reader.token
    reader.sign_in(name="jean")
    assert reader.post("/gates/pause", token=first, data={"scope": "site", "reason": "x"}).status_code == 403


NEEDED = {
    "/orders/choose": Role.OPERATOR,
    "/orders/bulk": Role.OPERATOR,
    "/accounts/add": Role.ADMIN,
    "/accounts/99X0001/pause": Role.OPERATOR,
    "/gates/rule": Role.ADMIN,
    "/gates/pause": Role.OPERATOR,
    "/batches/price": Role.REQUESTER,
    "/gates/forms/index/accept": Role.OPERATOR,
    "/access/keys": Role.ADMIN,
    "/access/webhooks": Role.ADMIN,
}


@pytest.mark.parametrize("path", NEEDED)
def test_a_role_that_does_not_cover_a_form_is_told_so(reader: Reader, path: str) -> None:
    below = list(Role)[list(Role).index(NEEDED[path]) - 1]
    reader.sign_in(below)
    answer = reader.post(path)
    assert answer.status_code == 403
    assert f"a key of the role {NEEDED[path]}" in shown(answer.text)


def test_who_may_only_look_sees_no_button_of_others(reader: Reader) -> None:
    reader.stage.accounts(1)
    [job] = reader.stage.submit(reader.stage.order())
    reader.sign_in(Role.VIEWER)
    for path in ("/", "/orders", f"/orders/{job}", "/failures", "/batches", "/accounts", "/gates", "/costs"):
        html = reader.get(path).text
        assert html.count('method="post"') == 1, path  # to sign out
        assert "/audit" not in html
    assert reader.get("/audit").status_code == 403


def test_the_language_is_the_browser_s_until_another_is_chosen(reader: Reader) -> None:
    for header, lang in (("fr-CA,fr;q=0.9", "fr"), ("en-CA,en", "en"), ("de", "fr"), ("", "fr")):
        reader.client.headers["accept-language"] = header
        assert f'<html lang="{lang}">' in reader.get("/sign-in").text
    reader.get("/language/en")
    assert '<html lang="en">' in reader.get("/sign-in").text
    assert reader.get("/language/de").status_code == 404


def test_pages_run_no_script_and_take_no_style_but_their_own_files(reader: Reader) -> None:
    reader.sign_in()
    for path in ("/sign-in", *PAGES[:2], "/gates"):
        answer = reader.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert " onclick" not in answer.text
        assert answer.text.count("<script") == answer.text.count("<script src=") == 3


def test_files_of_pages_are_those_and_no_others(reader: Reader) -> None:
    for name in ("dashboard.css", "dashboard.js", "htmx.min.js", "idiomorph-ext.min.js", "mark.svg"):
        answer = reader.get(f"/static/{name}")
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    for name in ("..%2f__init__.py", "%2e%2e", "../app.py", ".", "dashboard", "nothing.css", "a%00.css"):
        assert reader.get(f"/static/{name}").status_code in (303, 404), name


def test_an_open_api_shows_its_pages_to_its_own_machine_and_takes_no_form_from_elsewhere(reader: Reader) -> None:
    with TestClient(create_app(reader.stage.store, open_to_all=True), base_url="http://127.0.0.1:3000") as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"Host": "registre.example"}).status_code == 403
        pause = {"scope": "site", "reason": "x"}
        foreign = {"Origin": "https://evil.example"}
        assert client.post("/gates/pause", data=pause, headers=foreign).status_code == 403
        assert client.post("/gates/pause", data=pause, follow_redirects=False).status_code == 303
