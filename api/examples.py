"""The examples of the OpenAPI: each body's is made of its fields', so that one table of words serves every endpoint.

Invariant: an example is made from the schema, and a test holds it against that schema; nothing in one is real.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

UNKNOWN = "…"
"""Stands where no word is known for a field; a test finds it."""

_AT, _DAY = "2026-12-01T13:05:00Z", "2026-12-01"
_JOB, _OTHER = "5f0c2f7e-1d3b-4c52-9a0e-6a3f0a7d9b11", "c1a7d0de-8f42-4b0f-b8a5-2f9c1e6d4a20"
_EVENT = "745-745-1289"
_WHY = "The account 99X9999 is busy."

WORDS: Mapping[str, Any] = {
    # orders
    "extraction_id": _JOB, "document_source": "index", "source": "index", "document_number": "2 784 195",
    "document_number_normalized": "2784195", "circonscription_fonciere": "Montréal", "circonscription": "Montréal",
    "cadastre": "Cadastre du Québec", "designation_secondaire": "", "acte_type": "", "client": "Étude Tremblay",
    "status": "En attente", "Created.status": "En attente", "Choice.status": "failed", "error_kind": "not_found",
    "Choice.batch": _OTHER, "Choice.text": "2784195", "priority": 0, "attempts": 1, "max_attempts": 3, "number": 1,
    "error_message": "Aucune information ne correspond aux critères sélectionnés.",
    "supabase_path": "index/2784195.pdf", "path": "index/2784195.pdf", "notes": [], "step": "waiting for the document",
    "wait_reason": _WHY, "waiting_because": _WHY, "worker_id": "host-a/99X9999", "host": "host-a", "batch_id": _OTHER, "total": 1,
    "next_cursor": "MjAyNi0xMi0wMVQxMzowNTowMCswMDowMF81ZjBjMmY3ZQ", "current_job_id": _JOB, "last_job": _JOB,
    "ids": [_JOB], "BulkDone.done": [_JOB], "matched": 1, "expected": 1, "dry_run": False, "fresh": False,
    "Done.message": "Extraction job queued again", "NotDone.reason": "This job has already ended in 'Complété'.",
    "NewExtraction.not_before": "2026-12-01T08:00:00-05:00", "NewExtraction.deadline": "2026-12-05T17:00:00-05:00",
    "NewExtraction.acte_type": None, "NewExtraction.designation_secondaire": None,
    "Why.reason": _WHY, "owner": "host-a/3f9c01ab", "ending": "secured", "evidence": "evidence/2026-12-01/5f0c2f7e",
    "Attempt.message": "The document was saved.", "state": "delivered", "sha256": "9f86d081" * 8, "size_bytes": 48_213,
    "pages": 2, "Purchase.reason": None,
    "level": "INFO", "LogLine.text": f"job {_JOB}: index 2 784 195, attempt 1 by host-a/99X9999",
    "Purchase.id": _OTHER, "decision": "rebuy",
    # events
    "Fact.id": _EVENT, "next_after": _EVENT, "Fact.kind": "job.submitted",
    "Fact.data": {"status": "En attente", "client": "Étude Tremblay"},
    # batches
    "Batch.name": "Dossier 12", "name": "Étude Tremblay", "author": "Marie Tremblay", "approved_by": "Marie Tremblay",
    "row": 3, "order": "index 2 784 195", "owned": "index/2784195.pdf", "field": "document_number", "file": "orders.csv",
    "RefusedRow.message": "is required.", "BatchTaken.owned": 1, "accepted": 1, "BatchTaken.dry_run": False,
    "cancelled": 2,
    # accounts and workers
    "username": "99X9999", "account": "99X9999", "lease_owner": "host-a/3f9c01ab", "failure_count": 0,
    "Account.state": "signed in", "Account.reason": None, "Account.until": None, "work": "busy", "documents_today": 12,
    "cost_today_cents": 1_800, "password": "made-up-Pass-9", "asked_by": "Marie Tremblay",
    "SignInTest.message": None, "SignInTest.seconds": 2.3, "Worker.status": "busy", "uptime_seconds": 3_600,
    "Ready.accounts": {"signed in": 2, "free": 1}, "Ready.closed": ["hours"], "database": "ok", "Health.status": "ok",
    "job_id": _JOB, "failures": 4, "Failing.number": "2 784 195", "Failing.reason": "The bucket index has no room left",
    "version": "0.1.0", "boot": "3f9c01ab", "Host.state": "alive", "does_upkeep": True, "memory_bytes": 640_000_000,
    "sessions": 10, "free_bytes": 52_000_000_000,
    "Alert.id": 12, "Alert.kind": "drift", "subject": "index", "facts": {"reason": "The field 'Cadastre' is gone."},
    "Told.fr": "Le formulaire de index a changé.", "Told.en": "The form of index has changed.", "Alert.closed_at": None,
    # gates, rules, hours
    "gate": "pause", "scope": "client", "reason": "they asked for it", "RuleView.name": "pace_seconds",
    "meaning": "seconds between two orders of one account, about", "value": 7.5, "weekday": 1, "opens": "08:00:00",
    "closes": "22:00:00", "HolidayView.name": "Noël", "HolidayView.day": "2026-12-25", "was_closed": True,
    # money
    "key": _DAY, "documents": 12, "documents_cents": 1_800, "ambiguous": 1, "ambiguous_cents": 150, "reserved": 2,
    "reserved_cents": 300, "reused": 4, "cap_cents": 30_000, "used_cents": 2_250, "spent_cents": 1_800, "cents": 150,
    "fee_cents": 150, "cost_cents": 150, "price_cents": 3_000, "period": "day", "by": "day",
    # how it goes
    "active": 2, "completed": 118, "failed": 3, "waiting": 27, "idle": 1, "offline": 0, "WorkerCounts.error": 0,
    "WorkerCounts.total": 3, "Workers.total": 1, "step_seconds": 60, "p50_seconds": 11.4, "p95_seconds": 24.9,
    "idle_limit_seconds": 1_200.0, "attempt_seconds": 180.0, "span": "hour", "CauseView.jobs": 3,
    "CauseView.message": "Aucune information ne correspond aux critères sélectionnés.",
    # webhooks
    "webhook_id": _OTHER, "notice_id": _JOB, "Webhook.name": "the firm's own system", "Notice.id": _JOB,
    "url": "https://example.com/registre", "kinds": ["job.completed", "job.failed"], "secret": "whsec_bWFkZSB1cA==",
    "given_up": 0, "Webhook.waiting": 1, "Notice.kind": "job.completed", "Notice.status": 204, "Notice.error": None,
    "Webhook.batch_id": None, "WebhookAsked.batch_id": None, "NewPause.name": "Étude Tremblay",
    # the site
    "fingerprint": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "accepted_by": "Marie Tremblay",
    "difference": "the field txtNumrtLot is gone; new field txtNoLot", "kind": "not_found", "count": 14,
    "FormAccepted.accepted": "the field txtNumrtLot is gone; new field txtNoLot", "resumed": True,
    "frozen": "the form has changed; a person must look",
    "SentenceView.text": "Le document demandé est inexistant.", "SentenceView.needs_review": False,
    # keys
    "prefix": "3f9c01ab", "KeyMade.text": "registre_3f9c01ab_" + "x" * 43, "Key.name": "Marie Tremblay",
    "role": "operator", "revoked_at": None, "revoked_by": None, "NewKeyAsked.name": "Marie Tremblay",
    # the API itself
    "Index.name": "registre", "documentation": "/docs", "method": "GET", "Endpoint.path": "/api/extractions",
    "Endpoint.summary": "List orders", "PlainError.error": "Extraction job not found", "error": "Validation error",
    "Detail.message": "is required.",
}  # fmt: skip
"""By a body's name and its field's, or by the field's alone."""

_MEDIA = {
    "text/csv": "document_source,document_number,cadastre\nindex,2 784 195,Cadastre du Québec\n",
    "text/event-stream": f'id: {_EVENT}\nevent: job.submitted\ndata: {{"id": "{_EVENT}", "kind": "job.submitted"}}\n\n',
    "text/plain": '# TYPE registre_jobs gauge\nregistre_jobs{state="waiting"} 27.0\n',
}
_OF_COSTS = "day,documents,documents_cents\n2026-12-01,12,1800\n"
_KINDS = {400: "invalid-input", 404: "not-found", 409: "refused", 422: "other-request", 503: "unavailable"}
_PLAIN = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}
_FORMATS = {"date-time": _AT, "date": _DAY}


def with_examples(openapi: dict[str, Any]) -> dict[str, Any]:
    """The same OpenAPI, as plain JSON, with an example in every body that has none. Doing it twice changes nothing."""
    schemas = openapi["components"]["schemas"]
    for operation in _operations(openapi):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            content.setdefault("example", _body(media, content["schema"], schemas))
        for status, response in operation["responses"].items():
            for media, content in (response.get("content") or {}).items():
                if content["schema"].get("$ref", "").endswith("/Problem"):
                    example: Any = _problem(int(status), response["description"])
                elif media == "text/csv":
                    example = _OF_COSTS
                else:
                    example = _body(media, content["schema"], schemas)
                content.setdefault("example", example)
    return openapi


def _operations(openapi: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in openapi["paths"].values():
        yield from (operation for operation in item.values() if "responses" in operation)


def _body(media: str, schema: dict[str, Any], schemas: Mapping[str, Any]) -> Any:
    if media.endswith("json") or schema.get("type") == "object":
        return example_of(schema, schemas)
    return _MEDIA.get(media.partition(";")[0], f"the bytes of {media}")


def _problem(status: int, told: str) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    kind = _KINDS.get(status, title.lower().replace(" ", "-"))
    return {"type": f"/docs#{kind}", "title": title, "status": status, "detail": told}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], field: str = "", owner: str = "") -> Any:
    """A value that `schema` allows: the field's own word, else what the schema itself says."""
    if field:
        for word in (f"{owner}.{field}", field):
            if word in WORDS and _allows(schema, WORDS[word], schemas):
                return WORDS[word]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(schemas[name], schemas, owner=name)
    if "oneOf" in schema:
        return example_of(next(each for each in schema["oneOf"] if each.get("type") != "null"), schemas, owner=owner)
    for said in ("examples", "enum"):
        if schema.get(said):
            return schema[said][0]
    match schema.get("type"):
        case "object":
            return {name: example_of(each, schemas, name, owner) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [example_of(schema["items"], schemas, owner=owner)]
        case "string":
            return _FORMATS.get(schema.get("format", ""), schema.get("default", UNKNOWN))
        case "boolean":
            return schema.get("default", True)
        case _:
            return schema.get("default", 1)


def _allows(schema: Mapping[str, Any], value: Any, schemas: Mapping[str, Any]) -> bool:
    """Whether the value is of the schema's kind: one name may be a number here and a list there."""
    if "$ref" in schema:
        return _allows(schemas[schema["$ref"].rpartition("/")[2]], value, schemas)
    if "oneOf" in schema:
        return any(_allows(each, value, schemas) for each in schema["oneOf"])
    kind = schema.get("type")
    if kind == "null" or value is None:
        return kind == "null" and value is None
    if "enum" in schema:
        return value in schema["enum"]
    if schema.get("format") in _FORMATS:
        return isinstance(value, str) and value[:2] == "20"
    return kind is not None and isinstance(value, _PLAIN[kind]) and (kind == "boolean") == isinstance(value, bool)
