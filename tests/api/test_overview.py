"""The one glance, the pulse and the causes over HTTP, as the store tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registre.access import Role
from registre.account import AccountId
from registre.budget import Period
from registre.gates import Scope
from registre.job import JobId
from registre.wiring import Store
from tests.api.conftest import Asking
from tests.api.test_stories import delivered


def test_of_a_new_database_nothing_waits_and_nothing_was_spent(ask: Asking) -> None:
    seen = ask("GET", "/api/overview", role=Role.VIEWER).json()
    assert seen["queue"] == {"waiting": 0, "active": 0, "completed": 0, "failed": 0}
    assert (seen["oldest_waiting_at"], seen["expected_end"], seen["waiting_because"]) == (None, None, None)
    assert seen["accounts"] == []
    assert (seen["today"]["documents"], seen["today"]["spent_cents"], seen["today"]["cap_cents"]) == (0, 0, None)
    assert (seen["idle_limit_seconds"], seen["attempt_seconds"] > 0) == (None, True)


def test_what_waits_says_since_when_and_why(ask: Asking, store: Store) -> None:
    job_id = ask.order()
    store.treasury.set_budget(Scope.SITE, "", Period.DAY, 5000, "a test")
    store.gates.pause(Scope.SITE, "", "marie", "the invoice is being checked")
    seen = ask("GET", "/api/overview").json()
    order = ask("GET", f"/api/extractions/{job_id}").json()
    assert seen["oldest_waiting_at"] == order["created_at"]
    assert "the invoice is being checked" in seen["waiting_because"]
    assert [pause["author"] for pause in seen["gates"]["pauses"]] == ["marie"]
    assert seen["today"]["cap_cents"] == 5000


def test_an_account_shows_its_worker_its_order_and_its_day(ask: Asking, store: Store, tmp_path: Path) -> None:
    ask.order()
    done = delivered(store, tmp_path)
    [account] = ask("GET", "/api/accounts").json()["accounts"]
    assert (account["documents_today"], account["cost_today_cents"]) == (1, 150)
    assert (account["work"], account["current_job_id"]) == (None, None)
    [view] = store.accounts.all()
    worker = f"{(view.lease_owner or '').split('/')[0]}/{view.username}"
    store.fleet.report_worker(worker, "busy", AccountId(view.id), JobId(done))
    [account] = ask("GET", "/api/overview").json()["accounts"]
    assert (account["worker_id"], account["work"], account["current_job_id"]) == (worker, "busy", done)
    assert datetime.now(UTC) - datetime.fromisoformat(account["since"]) < timedelta(minutes=1)
    store.fleet.report_worker(worker, "idle", AccountId(view.id), None)
    assert ask("GET", "/api/accounts").json()["accounts"][0]["work"] == "idle"


@pytest.mark.parametrize(("span", "beats"), [("hour", 60), ("day", 24)])
def test_the_pulse_has_its_beats(ask: Asking, store: Store, tmp_path: Path, span: str, beats: int) -> None:
    ask.order()
    delivered(store, tmp_path)
    pulse = ask("GET", f"/api/pulse?span={span}", role=Role.VIEWER).json()
    assert (pulse["completed"], pulse["failed"], len(pulse["beats"])) == (1, 0, beats)
    assert sum(beat["completed"] for beat in pulse["beats"]) == 1
    assert ask("GET", "/api/pulse?span=year").status_code == 400


def test_failures_name_their_cause(ask: Asking) -> None:
    job_id = ask.order()
    ask("DELETE", f"/api/extractions/{job_id}")
    [cause] = ask("GET", "/api/failures", role=Role.VIEWER).json()["causes"]
    assert (cause["error_kind"], cause["jobs"], cause["is_exact"], cause["source"]) == ("cancelled", 1, True, "index")
    listed = ask("GET", "/api/extractions?status=failed&error_kind=cancelled").json()
    assert listed["total"] == cause["jobs"]
