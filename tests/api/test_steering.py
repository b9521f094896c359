"""Accounts, gates, rules, money and history over HTTP: who may, who did, and what is never told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registre.access import Role
from registre.account import SignInOutcome
from registre.wiring import Store
from tests.api.conftest import Asking
from tests.api.test_stories import delivered

SECRET = "Pass-Mot-9"


def test_an_account_is_added_paused_and_resumed_and_its_password_never_told(ask: Asking, store: Store) -> None:
    answers = [
        ask("POST", "/api/accounts", json={"username": "99x9999", "password": SECRET}),
        ask("POST", "/api/accounts", json={"username": "99X9999", "password": SECRET}),
        ask("POST", "/api/accounts", json={"username": SECRET, "password": SECRET + "\x1b"}),
        ask("POST", "/api/accounts", json={"username": "99X9999", "password": SECRET, "more": SECRET}),
        ask("POST", "/api/accounts/99X9999/pause", json={"reason": "invoice"}, role=Role.OPERATOR),
        ask("POST", "/api/accounts/99X9999/resume", role=Role.OPERATOR),
        ask("GET", "/api/accounts", role=Role.VIEWER),
        ask("GET", "/api/history"),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 400, 400, 200, 200, 200, 200]
    assert answers[0].json()["username"] == "99X9999"
    assert (answers[4].json()["state"], answers[4].json()["reason"]) == ("paused", "invoice")
    assert answers[5].json()["state"] == "free"
    for answer in (*answers[:2], *answers[3:]):
        assert SECRET not in answer.text
    [(_, credentials)] = store.accounts.claim("host-a/boot", 1, timedelta(minutes=1))
    assert credentials.password == SECRET


def test_an_account_that_was_set_aside_is_put_back_by_an_operator(ask: Asking, store: Store) -> None:
    store.accounts.add("99X9999", SECRET)
    [(seat, _)] = store.accounts.claim("host-a/boot", 1, timedelta(minutes=1))
    store.accounts.set_aside(seat, "the site asks a question", None)
    path = "/api/accounts/99X9999/restore"
    assert ask("POST", path, role=Role.REQUESTER).status_code == 403
    assert ask("POST", path, role=Role.OPERATOR).json()["state"] == "free"
    assert ask("POST", path).status_code == 409
    assert ask("POST", "/api/accounts/99X0000/restore").status_code == 404


def test_a_sign_in_is_tested_by_the_worker_that_claims_the_account_next(ask: Asking, store: Store) -> None:
    store.accounts.add("99X9999", SECRET)
    path = "/api/accounts/99X9999/test"
    assert ask("POST", path, role=Role.REQUESTER).status_code == 403
    answer = ask("POST", path, role=Role.OPERATOR)
    assert (answer.status_code, answer.json()["test"]["asked_by"]) == (202, "the operator")
    [(seat, _)] = store.accounts.claim("host-a/boot", 1, timedelta(minutes=1))
    store.accounts.note_sign_in(seat, SignInOutcome.REFUSED, "Mot de passe refusé.", 2.25)
    [account] = ask("GET", "/api/accounts").json()["accounts"]
    told = {name: account["test"][name] for name in ("outcome", "message", "seconds")}
    assert told == {"outcome": "refused", "message": "Mot de passe refusé.", "seconds": 2.25}
    assert ask("POST", "/api/accounts/99X0000/test").status_code == 404


def test_an_account_is_set_aside_by_an_operator_with_a_reason(ask: Asking, store: Store) -> None:
    store.accounts.add("99X9999", SECRET)
    path = "/api/accounts/99X9999/set-aside"
    reason = {"reason": "the invoice is being checked"}
    assert ask("POST", path, json=reason, role=Role.REQUESTER).status_code == 403
    assert ask("POST", path, json={"reason": ""}).status_code == 400
    answer = ask("POST", path, json=reason, role=Role.OPERATOR).json()
    assert (answer["state"], answer["reason"]) == ("set aside", "the invoice is being checked")
    assert ask("POST", path, json=reason).status_code == 409
    assert ask("POST", "/api/accounts/99X9999/test").status_code == 409
    assert ask("POST", "/api/accounts/99X0000/set-aside", json=reason).status_code == 404
    assert store.accounts.claim("host-a/boot", 1, timedelta(minutes=1)) == []


def test_only_an_admin_adds_an_account_and_no_other_account_is_paused(ask: Asking) -> None:
    asked = {"username": "99X9999", "password": SECRET}
    assert ask("POST", "/api/accounts", json=asked, role=Role.OPERATOR).status_code == 403
    assert ask("POST", "/api/accounts/99X9999/pause", json={"reason": "x"}).status_code == 404
    answer = ask("POST", "/api/accounts", json={**asked, "password": ""})
    assert [error["field"] for error in answer.json()["errors"]] == ["password"]


def test_a_pause_closes_a_gate_says_who_and_why_and_opens_again(ask: Asking) -> None:
    job_id = ask.order(client="a")
    told = ask(
        "PUT", "/api/pauses", json={"scope": "client", "name": "a", "reason": "they asked"}, role=Role.OPERATOR
    ).json()
    [pause] = told["pauses"]
    assert (pause["author"], pause["reason"]) == ("the operator", "they asked")
    assert [closed["gate"] for closed in ask("GET", "/api/gates").json()["closed"]] == ["pause"]
    assert "they asked" in ask("GET", f"/api/extractions/{job_id}/why").json()["reason"]
    assert ask("DELETE", "/api/pauses?scope=client&name=a").json() == {"was_closed": True}
    assert ask("DELETE", "/api/pauses?scope=client&name=a").json() == {"was_closed": False}
    assert ask("GET", "/api/gates").json() == {"closed": [], "pauses": []}


@pytest.mark.parametrize(
    ("method", "path", "asked", "field"),
    [
        ("PUT", "/api/pauses", {"scope": "batch", "reason": "x"}, "scope"),
        ("PUT", "/api/pauses", {"scope": "site", "name": "x", "reason": "x"}, "name"),
        ("PUT", "/api/pauses", {"scope": "source", "name": "testament", "reason": "x"}, "name"),
        ("PUT", "/api/pauses", {"scope": "site", "reason": " "}, "reason"),
        ("PUT", "/api/pauses", {"scope": "client", "name": "a\x00", "reason": "x"}, "name"),
        ("PUT", "/api/rules/pace", {"value": 1}, "rule"),
        ("PUT", "/api/rules/pace_seconds", {"value": -1}, "value"),
        ("PUT", "/api/rules/pace_seconds", {"value": "fast"}, "value"),
        ("PUT", "/api/budgets", {"scope": "moon", "cap_cents": 1}, "scope"),
        ("PUT", "/api/budgets", {"scope": "client", "cap_cents": 1}, "name"),
        ("PUT", "/api/budgets", {"scope": "site", "cap_cents": 1, "period": "year"}, "period"),
        ("PUT", "/api/fees", {"source": "testament", "cents": 1, "valid_from": "2026-04-01"}, "source"),
        ("PUT", "/api/fees", {"cents": 1, "valid_from": "April"}, "valid_from"),
        ("PUT", "/api/hours", {"hours": [{"weekday": 8, "opens": "08:00", "closes": "22:00"}]}, "hours[0].weekday"),
        ("PUT", "/api/hours", {"hours": [{"weekday": 1, "opens": "8h", "closes": "22:00"}]}, "opens"),
        ("PUT", "/api/hours", {"hours": [{"weekday": 1, "opens": "22:00", "closes": "08:00"}]}, "closes"),
        ("PUT", "/api/hours", {"hours": [{"weekday": 1, "opens": "08:00", "closes": "22:00"}] * 2}, "hours"),
        ("PUT", "/api/holidays/2026-12-25", {"name": " "}, "name"),
        ("PUT", "/api/holidays/Noël", {"name": "Noël"}, "day"),
        ("DELETE", "/api/holidays/2026-02-30", None, "day"),
        ("GET", "/api/costs?from=2026-02-01&to=2026-01-01", None, "to"),
        ("GET", "/api/costs?by=moon", None, "by"),
        ("GET", "/api/history?after=x", None, "after"),
    ],
)
def test_a_word_that_is_none_names_its_field(ask: Asking, method: str, path: str, asked: Any, field: str) -> None:
    answer = ask(method, path, **({"json": asked} if asked is not None else {}))
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_rules_fees_and_budgets_are_an_admins(ask: Asking) -> None:
    for path, asked in {
        "/api/rules/pace_seconds": {"value": 7.5},
        "/api/budgets": {"scope": "site", "cap_cents": 30_000},
        "/api/fees": {"cents": 155, "valid_from": "2027-04-01"},
    }.items():
        assert ask("PUT", path, json=asked, role=Role.OPERATOR).status_code == 403
        assert ask("PUT", path, json=asked).status_code == 200
    rules = {rule["name"]: rule["value"] for rule in ask("GET", "/api/rules", role=Role.VIEWER).json()["rules"]}
    assert (rules["pace_seconds"], rules["approval_above_cents"]) == (7.5, None)
    assert ask("PUT", "/api/rules/rebuys_per_day", json={"value": 5000}).status_code == 409
    [budget] = ask("GET", "/api/budgets").json()["budgets"]
    assert budget == {"scope": "site", "name": "", "period": "day", "cap_cents": 30_000, "used_cents": 0}
    assert ask("DELETE", "/api/budgets?scope=site").json() == {"budgets": []}
    assert ask("DELETE", "/api/budgets?scope=site").status_code == 404
    assert {"source": "*", "valid_from": "2027-04-01", "cents": 155} in ask("GET", "/api/fees").json()["fees"]
    assert ask("GET", "/api/hours").json() == {"hours": [], "holidays": []}
    changes = [event for event in ask("GET", "/api/history").json()["events"] if event["kind"].endswith(".changed")]
    assert [(event["kind"], event["data"]["author"]) for event in changes] == [
        (kind, "the admin") for kind in ("rule.changed", "budget.changed", "fee.changed", "budget.changed")
    ]


def test_hours_and_holidays_are_set_by_an_admin_and_told_as_they_were(ask: Asking) -> None:
    week = [{"weekday": 1, "opens": "08:00", "closes": "22:00"}, {"weekday": 6, "opens": "08:00", "closes": "24:00"}]
    christmas = "/api/holidays/2026-12-25"
    for method, path, asked in (
        ("PUT", "/api/hours", {"hours": week}),
        ("PUT", christmas, {"name": "Noël"}),
        ("DELETE", christmas, None),
    ):
        assert ask(method, path, json=asked, role=Role.OPERATOR).status_code == 403
    assert ask("PUT", christmas, json={"name": "Noël"}).json()["holidays"] == [{"day": "2026-12-25", "name": "Noël"}]
    told = ask("PUT", "/api/hours", json={"hours": week}).json()
    assert told["hours"] == [
        {"weekday": 1, "opens": "08:00:00", "closes": "22:00:00"},
        {"weekday": 6, "opens": "08:00:00", "closes": "00:00:00"},
    ]
    assert ask("PUT", "/api/hours", json={"hours": told["hours"]}).json() == told, "what is told can be sent back"
    assert ask("DELETE", christmas).json() == {**told, "holidays": []}
    assert ask("PUT", "/api/hours", json={"hours": []}).json() == {"hours": [], "holidays": []}
    changes = [event for event in ask("GET", "/api/history").json()["events"] if event["kind"] == "hours.changed"]
    assert {event["data"]["author"] for event in changes} == {"the admin"}


def test_costs_are_told_as_json_and_as_csv(ask: Asking, store: Store, tmp_path: Path) -> None:
    ask.order(client="=HYPERLINK(1)")
    delivered(store, tmp_path)
    [line] = ask("GET", "/api/costs?by=client").json()["lines"]
    assert (line["key"], line["documents"], line["documents_cents"]) == ("=HYPERLINK(1)", 1, 150)
    answer = ask("GET", "/api/costs.csv?by=client")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.decode("utf-8-sig").splitlines()[1].startswith("'=HYPERLINK(1),1,150")
    scraped = ask("GET", "/metrics", role=Role.VIEWER).text
    assert 'registre_cost_cents_today{source="index",state="documents"} 150.0' in scraped
    assert 'registre_jobs{state="completed"} 1.0' in scraped


def test_history_goes_on_from_where_it_was_left(ask: Asking) -> None:
    ask.order()
    first = ask("GET", "/api/history?after=&limit=1").json()
    assert len(first["events"]) == 1
    rest = ask("GET", f"/api/history?after={first['next_after']}").json()
    assert "job.submitted" in [event["kind"] for event in (*first["events"], *rest["events"])]
    nothing = ask("GET", f"/api/history?after={rest['next_after']}").json()
    assert nothing == {"events": [], "next_after": rest["next_after"]}
    assert ask("GET", "/api/history").json()["events"][-1]["id"].split("-")[-1] == rest["next_after"].split("-")[-1]


def test_readiness_tells_why_orders_would_wait(ask: Asking, store: Store) -> None:
    store.accounts.add("99X9999", SECRET)
    ask("PUT", "/api/pauses", json={"scope": "site", "reason": "maintenance"})
    told = ask.client.get("/ready").json()
    assert (told["ready"], told["database"], told["accounts"], told["closed"]) == (True, "ok", {"free": 1}, ["pause"])
    assert SECRET not in str(told)
