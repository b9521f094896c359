"""An order's story, its document and its decisions, over HTTP; and one thing done to many orders, counted first."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registre.access import Role
from registre.job import JobId, Lease, Status
from registre.ledger import Delivery, PurchaseId, SecuredFile
from registre.ports import JobQueue
from registre.wiring import Store
from tests.api.conftest import NOBODY, Asking

PDF = b"%PDF-1.7 made up"
SHA256 = hashlib.sha256(PDF).hexdigest()


def leased(store: Store) -> Lease:
    store.accounts.add("99T0001", "made up")
    [(seat, _)] = store.accounts.claim("host-a/boot", 1, timedelta(minutes=1))
    [lease] = store.queue.lease_next("host-a/boot", [seat], timedelta(minutes=1))
    return lease


def charged(store: Store) -> tuple[Lease, PurchaseId]:
    lease = leased(store)
    purchase = store.ledger.intend(lease, "host-a").purchase_id
    assert purchase is not None
    store.ledger.charge(purchase, lease, [])
    return lease, purchase


def delivered(store: Store, folder: Path, content: bytes = PDF) -> str:
    """Buys the order that waits; `content` is what lies in the bucket, whatever was bought."""
    lease, purchase = charged(store)
    store.ledger.secure(purchase, SecuredFile(SHA256, len(PDF), 1))
    file = folder / "document.pdf"
    file.write_bytes(content)
    store.bucket.put("index", "k.pdf", file, hashlib.sha256(content).hexdigest())
    store.ledger.deliver(Delivery(purchase, SHA256, "index", "k.pdf"))
    return lease.job_id


def test_an_order_tells_its_attempts_events_ledger_and_why(ask: Asking, store: Store, tmp_path: Path) -> None:
    job_id = ask.order()
    assert ask("GET", f"/api/extractions/{job_id}/why").json()["reason"] == "no account is signed in"
    assert ask("GET", "/api/why").json() == {"extraction_id": None, "reason": "no account is signed in"}
    delivered(store, tmp_path)
    [attempt] = ask("GET", f"/api/extractions/{job_id}/attempts").json()["attempts"]
    assert (attempt["number"], attempt["account"], attempt["ending"]) == (1, "99T0001", "secured")
    events = ask("GET", f"/api/extractions/{job_id}/events").json()["events"]
    assert [event["kind"] for event in events][-2:] == ["purchase.delivered", "job.completed"]
    [line] = ask("GET", f"/api/extractions/{job_id}/ledger").json()["lines"]
    assert (line["state"], line["fee_cents"], line["sha256"]) == ("delivered", 150, SHA256)
    assert ask("GET", f"/api/extractions/{job_id}/why").json()["reason"].startswith("it is done")


@pytest.mark.parametrize("what", ["attempts", "events", "ledger", "why", "document"])
@pytest.mark.parametrize("name", [NOBODY, "twelve"])
def test_what_names_no_order_has_no_story(ask: Asking, what: str, name: str) -> None:
    answer = ask("GET", f"/api/extractions/{name}/{what}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#not-found")


def test_a_document_has_a_name_for_people_and_proves_itself(ask: Asking, store: Store, tmp_path: Path) -> None:
    path = f"/api/extractions/{ask.order()}/document"
    assert ask("GET", path).status_code == 409
    delivered(store, tmp_path)
    answer = ask("GET", path, role=Role.VIEWER)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PDF, "application/pdf")
    assert answer.headers["etag"] == f'"{SHA256}"'
    digest = base64.b64encode(hashlib.sha256(PDF).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"index 2784195 Montreal.pdf\"; filename*=UTF-8''index%202784195%20Montr%C3%A9al.pdf"
    )
    assert ask("GET", f"{path}?inline=true").headers["content-disposition"].startswith("inline; ")
    again = ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_document_that_is_not_the_one_bought_is_not_given_out(ask: Asking, store: Store, tmp_path: Path) -> None:
    job_id = ask.order()
    delivered(store, tmp_path, b"%PDF-1.7 something else")
    answer = ask("GET", f"/api/extractions/{job_id}/document")
    assert (answer.status_code, "not the one that was bought" in answer.json()["detail"]) == (409, True)


def test_a_document_that_is_gone_is_not_found(ask: Asking, store: Store, tmp_path: Path) -> None:
    job_id = ask.order()
    delivered(store, tmp_path)
    (tmp_path / "buckets" / "index" / "k.pdf").unlink()
    assert ask("GET", f"/api/extractions/{job_id}/document").status_code == 404


def test_a_hostile_name_makes_no_header(ask: Asking, store: Store, tmp_path: Path) -> None:
    place = 'a"; filename="x.exe'
    job_id = ask.order(document_number="24A", circonscription_fonciere=place, cadastre="Paroisse \\é")
    delivered(store, tmp_path)
    told = ask("GET", f"/api/extractions/{job_id}/document").headers["content-disposition"]
    assert told.count('"') == 2
    assert "\\" not in told


def test_a_person_decides_about_an_ambiguous_purchase(ask: Asking, store: Store) -> None:
    job_id = ask.order()
    lease, purchase = charged(store)
    path = f"/api/extractions/{job_id}/settle"
    assert ask("POST", path, json={"decision": "rebuy"}).status_code == 409
    store.ledger.mark_ambiguous(purchase, lease, "nobody can tell")
    assert ask("POST", f"/api/extractions/{job_id}/retry").status_code == 409, "never blindly"
    assert ask("POST", path, json={"decision": "rebuy"}, role=Role.REQUESTER).status_code == 403
    assert ask("POST", path, json={"decision": "burn"}).status_code == 400
    assert ask("POST", path, json={"decision": "rebuy", "billed": False}, role=Role.OPERATOR).status_code == 200
    job = store.views.job(JobId(job_id))
    assert (job.status, job.cost_cents) == (Status.WAITING, 0)
    assert store.views.story(job.id)[-1].data["author"] == "the operator"


def failed(ask: Asking, sql: Callable[..., None], count: int) -> list[str]:
    ids = [ask.order(client="a") for _ in range(count)]
    sql("update extraction_queue set status = 'Erreur', error_kind = 'not_found', attemtps = 3")
    return ids


def test_many_are_retried_when_they_are_as_many_as_were_seen(ask: Asking, sql: Callable[..., None]) -> None:
    ids = failed(ask, sql, 3)
    wanted = {"action": "retry", "filter": {"status": "failed", "error_kind": "not_found"}}
    answer = ask("POST", "/api/extractions/bulk", json={**wanted, "expected": 2})
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs#miscounted")
    assert "3" in answer.json()["detail"]
    assert ask.store.views.counts()[Status.FAILED] == 3
    seen = ask("POST", "/api/extractions/bulk", json={**wanted, "expected": 2, "dry_run": True}).json()
    assert (seen["dry_run"], seen["matched"], set(seen["done"])) == (True, 3, set(ids))
    told = ask("POST", "/api/extractions/bulk", json={**wanted, "expected": 3}, role=Role.OPERATOR).json()
    assert (told["matched"], set(told["done"]), told["refused"]) == (3, set(ids), [])
    assert ask.store.views.counts()[Status.WAITING] == 3


def test_what_joins_a_choice_after_it_was_counted_is_not_touched(
    ask: Asking, sql: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = failed(ask, sql, 2)
    requeue = type(ask.store.queue).requeue

    def beside_a_new_failure(queue: JobQueue, job_id: JobId, author: str) -> None:
        if job_id == ids[1]:
            failed(ask, sql, 1)
        requeue(queue, job_id, author)

    monkeypatch.setattr(type(ask.store.queue), "requeue", beside_a_new_failure)
    asked = {"action": "retry", "filter": {"status": "failed"}, "expected": 2}
    told = ask("POST", "/api/extractions/bulk", json=asked).json()
    assert set(told["done"]) == set(ids)
    assert ask.store.views.counts()[Status.FAILED] == 1


def test_one_that_refuses_does_not_keep_the_others(ask: Asking, sql: Callable[..., None]) -> None:
    ids = failed(ask, sql, 2)
    waiting = ask.order()
    asked = {"action": "retry", "ids": [*ids, waiting, ids[0], NOBODY], "expected": 4}
    told = ask("POST", "/api/extractions/bulk", json=asked).json()
    assert told["done"] == ids
    assert [refused["extraction_id"] for refused in told["refused"]] == [waiting, NOBODY]
    told = ask("POST", "/api/extractions/bulk", json={"action": "cancel", "ids": ids, "expected": 2}).json()
    assert told["done"] == ids
    assert ask.store.views.job(JobId(ids[0])).error_message == "Cancelled by the admin."


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"ids": [NOBODY], "filter": {}}, "ids"),
        ({}, "ids"),
        ({"ids": ["twelve"]}, "ids"),
        ({"filter": {}}, "filter"),
        ({"filter": {"staus": "failed"}}, "filter.staus"),
        ({"filter": {"status": "lost"}}, "status"),
        ({"ids": [NOBODY], "action": "burn"}, "action"),
        ({"ids": [NOBODY], "expected": None}, "expected"),
    ],
)
def test_a_choice_of_many_that_cannot_be_meant_is_refused(ask: Asking, asked: dict[str, Any], field: str) -> None:
    answer = ask("POST", "/api/extractions/bulk", json={"action": "retry", "expected": 1, **asked})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_requester_does_nothing_to_many(ask: Asking) -> None:
    asked = {"action": "cancel", "ids": [NOBODY], "expected": 1}
    assert ask("POST", "/api/extractions/bulk", json=asked, role=Role.REQUESTER).status_code == 403
