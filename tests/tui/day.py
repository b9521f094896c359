"""A working day as the API tells it: a fleet of three at work, with something of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tui.samples import account, at, batch, fact, job, log_line, overview
from tui.client import VERSION

if TYPE_CHECKING:
    from tests.tui.fake import FakeApi


def begin_day(api: FakeApi) -> None:
    """Sets everything that is answered."""
    running = job(7, "En traitement")
    api.jobs = [running, job(6, "En attente", wait_reason="the site was away"), job(5, "Erreur")]
    api.jobs += [job(number) for number in (4, 3, 2, 1)]
    accounts = [
        account(1, work="busy", current_job_id=running["extraction_id"], step="waiting for the viewer"),
        account(2),
        account(3, "set aside", None, reason="Le site a refusé le mot de passe.", failure_count=1),
    ]
    api.answers["/api/overview"] = overview(
        *accounts,
        queue={"waiting": 12, "active": 1, "completed": 340, "failed": 3},
        oldest_waiting_at=at(245),
        expected_end=at(-1800),
        waiting_because="every account is at work",
        gates={
            "closed": [],
            "pauses": [],
        },
        today={
            "documents": 12,
            "spent_cents": 1800,
            "ambiguous": 1,
            "ambiguous_cents": 150,
            "reserved_cents": 150,
            "cap_cents": 5000,
        },
        last_answer_at=at(3),
        idle_limit_seconds=1200,
    )
    api.answers["/api/accounts"] = {"accounts": accounts}
    api.answers["/api/hosts"] = {
        "hosts": [
            {
                "host": "bureau",
                "version": VERSION,
                "seen_at": at(4),
                "undelivered": 1,
                "oldest_undelivered_at": at(9),
            }
        ]
    }
    api.answers["/api/hours"] = {
        "hours": [{"weekday": day, "opens": "08:00:00", "closes": "22:00:00"} for day in range(1, 6)],
        "holidays": [],
    }
    beats = [
        {"at": at(60 * (60 - n)), "completed": n % 7, "failed": 0, "p50_seconds": 4.0, "p95_seconds": 9.0}
        for n in range(60)
    ]
    api.answers["/api/pulse"] |= {
        "completed": 177,
        "failed": 2,
        "p50_seconds": 4.2,
        "p95_seconds": 9.7,
        "beats": beats,
    }
    api.answers["/api/failures"] = {
        "causes": [
            {
                "error_kind": "not_found",
                "jobs": 2,
                "is_exact": True,
                "source": "index",
                "message": "Aucun résultat pour ce lot.",
                "at": at(60),
            },
            {
                "error_kind": "ambiguous_purchase",
                "jobs": 1,
                "is_exact": True,
                "source": "acte",
                "message": "It may be billed, and its file is not here.",
                "at": at(4000),
            },
        ]
    }
    api.answers["/api/batches"] = {"batches": [batch(), batch("Dossier 13", "02", waits=True)]}
    line = {"ambiguous": 1, "ambiguous_cents": 150, "reserved": 1, "reserved_cents": 150, "reused": 5}
    api.answers["/api/costs"]["lines"] = [{"key": "2026-11-26", "documents": 12, "documents_cents": 1800, **line}]
    api.answers["/api/budgets"] = {
        "budgets": [{"scope": "site", "name": "", "period": "day", "cap_cents": 5000, "used_cents": 1950}]
    }
    first = running["extraction_id"]
    api.history = [
        fact(1, "host.started", host="bureau", version=VERSION),
        fact(2, "job.submitted", first, number="2 784 007", source="index"),
        fact(3, "job.leased", first, worker="bureau/99T0001"),
        fact(4, "job.step", first, step="waiting for the viewer"),
        fact(5, "job.failed", job(5)["extraction_id"], kind="not_found"),
    ]
    for order in api.jobs:
        _tell_story(api, order)


def _tell_story(api: FakeApi, order: dict[str, Any]) -> None:
    """What is known of one order beyond its row."""
    path = f"/api/extractions/{order['extraction_id']}"
    is_done = order["status"] == "Complété"
    api.answers[f"{path}/attempts"] = {
        "attempts": [
            {
                "number": 1,
                "owner": "bureau/boot-1",
                "account": "99T0001",
                "started_at": at(42),
                "ended_at": at(38) if is_done else None,
                "ending": "secured" if is_done else None,
                "error_kind": None,
                "message": None,
                "evidence": "/var/lib/registre/evidence/1",
            }
        ]
    }
    purchase = {
        "id": "p",
        "state": "delivered" if is_done else "intended",
        "fee_cents": 150,
        "account": "99T0001",
        "intended_at": at(41),
        "charged_at": at(40) if is_done else None,
        "secured_at": at(39) if is_done else None,
        "delivered_at": at(38) if is_done else None,
        "sha256": "c" * 64 if is_done else None,
        "size_bytes": 2001 if is_done else None,
        "pages": 2 if is_done else None,
        "reason": None,
    }
    api.answers[f"{path}/ledger"] = {"lines": [purchase]}
    api.answers[f"{path}/events"] = {"events": [f for f in api.history if f["extraction_id"] == order["extraction_id"]]}
    about = f"job {order['extraction_id']}"
    api.answers[f"{path}/log"] = {
        "lines": [
            log_line(42, "INFO", f"{about}: index {order['document_number']}, attempt 1 by bureau/99T0001"),
            log_line(41, "WARNING", f"saving {order['extraction_id']} again: the file is cut."),
        ]
    }
    api.answers[f"{path}/why"] = {
        "extraction_id": order["extraction_id"],
        "reason": "it is being worked on by bureau/99T0001",
    }
