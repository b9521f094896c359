"""What the V2 promised, word for word: paths, statuses, keys, error bodies. What is ours is beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from registre.access import Role
from registre.job import JobId, Status
from tests.api.conftest import ACTE, NOBODY, ORDER, Asking

CREATED = {
    "extraction_id",
    "document_source",
    "status",
    "document_number",
    "document_number_normalized",
    "created_at",
    "estimated_completion",
}
READ = {
    "extraction_id",
    "document_source",
    "status",
    "document_number",
    "document_number_normalized",
    "supabase_path",
    "error_message",
    "created_at",
    "processing_started_at",
    "worker_id",
    "attempts",
}
MISSING = {"error": "Extraction job not found"}


def without(order: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in names}


def test_an_order_is_created(ask: Asking) -> None:
    answer = ask("POST", "/api/extractions", json=ORDER, role=Role.REQUESTER)
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) >= CREATED
    assert told["document_source"] == "index"
    assert told["status"] == "En attente"
    assert told["document_number"] == "2 784 195"
    assert told["document_number_normalized"] == "2784195"
    assert datetime.fromisoformat(told["created_at"]).utcoffset() == timedelta(0)
    assert ask.store.views.job(JobId(told["extraction_id"])).status is Status.WAITING


def test_a_null_is_a_field_left_out(ask: Asking) -> None:
    nulls = dict.fromkeys(["designation_secondaire", "acte_type", "client", "not_before", "deadline"])
    assert ask("POST", "/api/extractions", json={**ORDER, **nulls}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (without(ORDER, "cadastre"), "cadastre"),
        ({**without(ORDER, "cadastre"), "document_source": "plan_cadastraux"}, "cadastre"),
        (without(ACTE, "acte_type"), "acte_type"),
        (without(ORDER, "document_number"), "document_number"),
        (without(ORDER, "document_source"), "document_source"),
        ({**ORDER, "document_source": "testament"}, "document_source"),
        ({**ORDER, "document_number": 2784195}, "document_number"),
        ({**ORDER, "document_number": "?"}, "document_number"),
        ({**ORDER, "document_number": "9" * 31}, "document_number"),
        ({**ORDER, "cadaster": "slip"}, "cadaster"),
        ({**ORDER, "priority": 1001}, "priority"),
        ({**ORDER, "client": "a\x1bb"}, "client"),
        ({**ORDER, "deadline": "2020-01-01T00:00:00Z"}, "deadline"),
        ({**ORDER, "deadline": "tomorrow"}, "deadline"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_an_order_that_cannot_be_taken_names_the_field(ask: Asking, body: Any, field: str) -> None:
    answer = ask("POST", "/api/extractions", json=body)
    assert answer.status_code == 400
    told = answer.json()
    assert set(told) == {"error", "details"}
    assert told["error"] == "Validation error"
    assert [detail["field"] for detail in told["details"]] == [field]
    assert all(detail["message"] for detail in told["details"])
    assert sum(ask.store.views.counts().values()) == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe{}", b'{"document_source":"index","document_number":"\\ud800"}'])
def test_a_body_that_is_not_json_is_a_validation_error(ask: Asking, raw: bytes) -> None:
    answer = ask("POST", "/api/extractions", content=raw, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation error")


def test_an_order_is_read(ask: Asking) -> None:
    job_id = ask.order()
    answer = ask("GET", f"/api/extractions/{job_id}", role=Role.VIEWER)
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) >= READ
    assert told["extraction_id"] == job_id
    assert told["supabase_path"] is told["error_message"] is told["worker_id"] is told["processing_started_at"] is None
    assert told["attempts"] == 0


@pytest.mark.parametrize("name", [NOBODY, "twelve", "..%2f..%2fetc%2fpasswd", "%00", "é" * 100])
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/retry"), ("DELETE", "")])
def test_what_names_no_order_is_not_found(ask: Asking, name: str, method: str, rest: str) -> None:
    answer = ask(method, f"/api/extractions/{name}{rest}")
    assert answer.status_code == 404
    if "%2f" not in name:  # a path of more parts is no path of an order
        assert answer.json() == MISSING


def test_orders_are_listed_newest_first_by_status(ask: Asking, sql: Callable[..., None]) -> None:
    ids = [ask.order(client=str(number)) for number in range(4)]
    sql("update extraction_queue set status = 'Erreur' where id = %s", ids[0])
    sql("update extraction_queue set status = 'Complété' where id = %s", ids[1])
    sql("update extraction_queue set status = 'En traitement' where id = %s", ids[2])
    for status, wanted in {
        "all": ids[::-1],
        "queued": ids[3:],
        "processing": ids[2:3],
        "completed": ids[1:2],
        "failed": ids[:1],
    }.items():
        told = ask("GET", f"/api/extractions?status={status}").json()
        assert told["total"] == len(wanted)
        assert [job["extraction_id"] for job in told["jobs"]] == wanted
        assert all(set(job) >= READ for job in told["jobs"])
    assert ask("GET", "/api/extractions").json()["total"] == 4
    answer = ask("GET", "/api/extractions?status=lost")
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "status")


def test_a_failed_order_is_retried_with_fresh_attempts(ask: Asking, sql: Callable[..., None]) -> None:
    job_id = ask.order()
    sql("update extraction_queue set status = 'Erreur', attemtps = 3, error_kind = 'attempts_exhausted'")
    answer = ask("POST", f"/api/extractions/{job_id}/retry")
    assert answer.status_code == 200
    assert set(answer.json()) >= {"message", "extraction_id"}
    assert answer.json()["extraction_id"] == job_id
    told = ask("GET", f"/api/extractions/{job_id}").json()
    assert (told["status"], told["attempts"], told["error_message"]) == ("En attente", 0, None)


def test_an_order_that_did_not_fail_is_not_retried(ask: Asking) -> None:
    answer = ask("POST", f"/api/extractions/{ask.order()}/retry")
    assert answer.status_code == 409
    assert list(answer.json()) == ["error"]


def test_an_order_is_cancelled_once(ask: Asking) -> None:
    job_id = ask.order()
    answer = ask("DELETE", f"/api/extractions/{job_id}")
    assert (answer.status_code, answer.json()["extraction_id"]) == (200, job_id)
    job = ask.store.views.job(JobId(job_id))
    assert (job.status, job.error_kind, job.error_message) == (Status.FAILED, "cancelled", "Cancelled by the admin.")
    assert ask("DELETE", f"/api/extractions/{job_id}").status_code == 409


def test_health_index_metrics_and_workers(ask: Asking, sql: Callable[..., None]) -> None:
    ask.order()
    assert ask.client.get("/health").json()["status"] == "ok"
    assert {"method": "POST", "path": "/api/extractions", "summary": "Order a document"} in ask("GET", "/api").json()[
        "endpoints"
    ]
    sql(
        "insert into worker_status (worker_id, status, last_heartbeat) values "
        "('a', 'busy', now()), ('b', 'idle', now()), ('c', 'error', now()), ('d', 'busy', now() - interval '1 hour')"
    )
    told = ask("GET", "/api/metrics").json()
    assert told["queue"] == {"waiting": 1, "active": 0, "completed": 0, "failed": 0}
    assert told["workers"] == {"total": 4, "active": 1, "idle": 1, "error": 1, "offline": 1}, "a dead worker looks dead"
    assert datetime.fromisoformat(told["timestamp"])
    workers = ask("GET", "/api/workers").json()
    assert {worker["worker_id"]: worker["status"] for worker in workers["workers"]}["d"] == "offline"
